//! Who of the server reads and writes how much a second, within the last minute: from `pg_stat_io`.
//!
//! It finds nothing wrong by itself: a backup may read all it can.

use super::rule::Look;
use super::span::Span;
use super::words::{bytes, of_i64};
use crate::model::Timestamp;
use crate::model::activity::io::Io;

/// The looks of so many seconds are added up.
const RECENT_S: f64 = 60.0;

/// Kinds that are named at most.
const MOST: usize = 3;

/// Less than this, in bytes a second, is none to name.
const LEAST: f64 = 1024.0;

/// What one kind of process does in a second.
pub struct Rate {
    name: String,
    /// Reading.
    pub read: Flow,
    /// Writing.
    pub written: Flow,
}

/// One direction.
#[derive(Clone, Copy)]
pub struct Flow {
    /// Bytes a second.
    pub bytes: f64,
    /// Seconds that they take in a second, all its processes together; 0 where that is not measured.
    pub takes_s: f64,
}

/// What each did, and when the last look was; none before 16, or where nothing can be compared.
pub fn rates(look: &Look<'_>) -> Option<(Vec<Rate>, Timestamp)> {
    let span = Span::last(look, RECENT_S)?;
    let sum = span.io();
    let a_second = |figure: f64| figure / sum.seconds;
    let rate = |io: &Io| Rate {
        name: named(io),
        read: Flow { bytes: a_second(of_i64(io.read)), takes_s: a_second(io.read_ms) / 1e3 },
        written: Flow { bytes: a_second(of_i64(io.written)), takes_s: a_second(io.write_ms) / 1e3 },
    };
    (sum.seconds > 0.0).then(|| (sum.of.iter().map(rate).collect(), span.seen))
}

/// `client backends`, `checkpointer`, `walwriter's WAL`.
fn named(io: &Io) -> String {
    let who = io.who.head(30);
    let several = ["backend", "worker", "walsender"].iter().any(|kind| who.ends_with(kind));
    match (several, io.wal) {
        (true, true) => format!("{who}s' WAL"),
        (true, false) => format!("{who}s"),
        (false, true) => format!("{who}'s WAL"),
        (false, false) => who,
    }
}

/// `client backends 45 MB/s (taking 3.2 s each second), checkpointer 2.0 MB/s`, the most first; nothing where nobody does.
pub fn most(rates: &[Rate], of: fn(&Rate) -> Flow) -> String {
    let mut named: Vec<(&str, Flow)> =
        rates.iter().map(|r| (r.name.as_str(), of(r))).filter(|(_, flow)| flow.bytes >= LEAST).collect();
    named.sort_by(|a, b| b.1.bytes.total_cmp(&a.1.bytes).then_with(|| a.0.cmp(b.0)));
    let parts = named.iter().take(MOST).map(|(name, flow)| {
        // Less than a hundredth of the time is no wait to speak of.
        let takes =
            if flow.takes_s >= 0.01 { format!(" (taking {:.2} s each second)", flow.takes_s) } else { String::new() };
        format!("{name} {}/s{takes}", bytes(flow.bytes))
    });
    parts.collect::<Vec<_>>().join(", ")
}

/// Both directions in one line; none where nobody does anything to speak of.
pub fn line(look: &Look<'_>) -> Option<String> {
    let (rates, _) = rates(look)?;
    let sides = [("read by", most(&rates, |r| r.read)), ("written by", most(&rates, |r| r.written))];
    let said: Vec<String> =
        sides.iter().filter(|side| !side.1.is_empty()).map(|(verb, who)| format!("{verb} {who}")).collect();
    (!said.is_empty()).then(|| said.join("; "))
}
