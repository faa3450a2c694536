//! Wait events that many more sessions wait for than a while ago: a disk, a lightweight lock or a standby that has
//! become slow, before anybody knows which.
//!
//! Heavyweight locks are the blockers' theme.

use std::collections::BTreeMap;

use super::finding::{Finding, Harm, Kind, Severity, Target};
use super::history::Beat;
use super::rule::Look;
use super::words::{statement, who};
use crate::command::Tab;
use crate::model::session::Session;
use crate::model::unit::short_count;
use crate::model::{ServerText, Timestamp, seconds_between};

/// Now is the last quarter of a minute: a moment alone is chance.
const NOW_S: f64 = 15.0;

/// Looks that now is made of at least.
const LEAST_NOW: usize = 3;

/// What is usual comes from before the last minute, so that a jump does not become usual while it is being seen.
const USUAL_S: f64 = 60.0;

/// Looks that say what is usual, at least, and the seconds that they span.
const LEAST_USUAL: (usize, f64) = (20, 180.0);

/// So many times as many as usual are a jump.
const JUMP: f64 = 4.0;

/// Findings of this theme at most.
const MOST: usize = 3;

/// What is usual is told for a long while by a wait that began earlier; from so many times the limit on it is a warning.
const MANY: f64 = 4.0;

/// What an event means, by how it begins.
const MEANINGS: &[(&str, &str)] = &[
    (
        "IO:DataFileRead",
        "pages come from outside the buffers: a plan that changed, a cold cache, a slow disk; see Statements by read",
    ),
    ("IO:WAL", "WAL reaches the disk slowly: see the disk, and who writes"),
    ("IO:BufFile", "sorts and hashes spill: see Statements by temp"),
    ("IO:Buffile", "sorts and hashes spill: see Statements by temp"),
    ("IO:", "the disk is slow or busy: see its metrics, and Statements by read"),
    ("LWLock:WALWrite", "commits wait for the WAL: a slow disk, or very many small transactions"),
    ("LWLock:WALInsert", "very many sessions write at once"),
    (
        "LWLock:LockManager",
        "statements take very many locks, such as on each partition: see whether they could name fewer",
    ),
    ("LWLock:BufferContent", "many sessions change the same few pages"),
    ("LWLock:BufferMapping", "pages change places in the buffers: more is read than they hold"),
    ("LWLock:", "many sessions meet at one structure of the server: see what they all run"),
    ("IPC:SyncRep", "commits wait for a synchronous standby: see Replication"),
    ("IPC:", "processes wait for each other: see what they run"),
    ("BufferPin:", "something holds a page that others must clean"),
    ("Extension:", "an extension waits: see what these sessions run"),
];

/// What an event means, and where to look.
pub fn meaning(event: &str) -> &'static str {
    MEANINGS.iter().find(|(start, _)| event.starts_with(start)).map_or("see what these sessions run", |m| m.1)
}

fn mean(beats: &[&Beat], event: &str) -> f64 {
    let counts = beats.iter().map(|b| count(b, event)).sum::<f64>();
    #[expect(clippy::cast_precision_loss, reason = "a few looks")]
    let looks = beats.len().max(1) as f64;
    counts / looks
}

fn median(beats: &[&Beat], event: &str) -> f64 {
    let mut counts: Vec<f64> = beats.iter().map(|b| count(b, event)).collect();
    counts.sort_by(f64::total_cmp);
    counts.get(counts.len() / 2).copied().unwrap_or(0.0)
}

#[expect(clippy::cast_precision_loss, reason = "a count of sessions")]
fn count(beat: &Beat, event: &str) -> f64 {
    beat.events.iter().find(|(name, _)| name == event).map_or(0.0, |(_, count)| *count as f64)
}

/// Events that have jumped.
pub fn jumped(look: &Look<'_>) -> Vec<Finding> {
    let Some((sessions, seen)) = look.sessions() else { return Vec::new() };
    let age = |at: &Timestamp| seconds_between(*at, seen);
    let beats: Vec<&(Timestamp, Beat)> = look.history.beats().collect();
    let now: Vec<&Beat> = beats.iter().filter(|(at, _)| age(at) <= NOW_S).map(|(_, beat)| beat).collect();
    let before: Vec<&(Timestamp, Beat)> = beats.into_iter().filter(|(at, _)| age(at) > USUAL_S).collect();
    let spans = before.first().zip(before.last()).map_or(0.0, |(first, last)| seconds_between(first.0, last.0));
    if now.len() < LEAST_NOW || before.len() < LEAST_USUAL.0 || spans < LEAST_USUAL.1 {
        return Vec::new();
    }
    let usual: Vec<&Beat> = before.iter().map(|(_, beat)| beat).collect();
    let events: BTreeMap<&str, f64> =
        now.iter().flat_map(|b| &b.events).map(|(name, _)| (name.as_str(), mean(&now, name))).collect();
    let mut jumps: Vec<(&str, f64, f64)> = events
        .into_iter()
        .map(|(event, waiting)| (event, waiting, median(&usual, event)))
        // That is a theme of its own.
        .filter(|(event, ..)| !event.eq_ignore_ascii_case("IPC:SyncRep"))
        .filter(|(_, waiting, usual)| *waiting >= look.limits.waits && *waiting >= JUMP * usual.max(1.0))
        .collect();
    jumps.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(b.0)));
    jumps.truncate(MOST);
    let found = jumps.into_iter().map(|(event, waiting, usual)| {
        let one = sessions.rows.iter().find(|s| s.is_active() && name(s).as_deref() == Some(event));
        Finding {
            severity: if waiting >= look.limits.waits * MANY { Severity::Warning } else { Severity::Notice },
            fact: format!(
                "{} sessions wait on {}, where {} did before",
                short_count(waiting.round()),
                ServerText::from(event).head(40),
                short_count(usual)
            ),
            evidence: one.map_or_else(
                || "at this moment none of them does".to_owned(),
                |s| format!("one of them is {}: {}{}", s.pid, who(s), statement(s)),
            ),
            todo: meaning(event).to_owned(),
            harm: Harm { now: waiting * NOW_S, coming: 0.3 },
            ..Finding::of(
                Kind::Waits,
                event,
                seen,
                one.map_or(Target::Tab(Tab::Connections), |s| Target::Session { tab: Tab::Connections, key: s.key() }),
            )
        }
    });
    found.collect()
}

/// `IO:DataFileRead`
fn name(s: &Session) -> Option<String> {
    s.wait.as_ref().map(|w| format!("{}:{}", w.class, w.event))
}
