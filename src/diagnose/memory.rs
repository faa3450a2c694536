//! Memory of the hosts and containers: how much of it is in use, and whether the kernel ended a process for want of it.
//!
//! Whose process that was nobody but the kernel's log says; it is not guessed here.

use std::collections::BTreeSet;

use super::finding::{Finding, Harm, Kind, Severity};
use super::rule::Look;
use super::service::{Read, judged, named};
use super::words::percent;
use crate::model::panel::Series;
use crate::model::unit::Age;
use crate::model::{ServerText, seconds_between};

/// The panel of the share in use.
pub const USED: &str = "memory-used";

/// The panel of the counts of ended processes.
pub const KILLS: &str = "oom-kills";

/// A kill is told for so long, in seconds: no longer than the shortest span that the panel is asked over.
pub const KILLED_S: f64 = 900.0;

/// Hosts and containers that are named at most: the panel has all.
const MOST: usize = 3;

/// Processes that were ended lately, and when, on the axis of the panel.
#[derive(Clone, Copy)]
pub struct Kills {
    /// How many.
    pub count: f64,
    first: f64,
    last: f64,
}

impl Kills {
    /// Those of a series that counts on, and begins with 0 after a reboot. None where it did not rise.
    pub fn of(series: &Series) -> Option<Self> {
        let points: Vec<(f64, f64)> = series.points.iter().filter_map(|(t, v)| Some((*t, (*v)?))).collect();
        let since = points.last()?.0 - KILLED_S;
        let mut kills: Option<Self> = None;
        for (before, now) in points.iter().zip(points.iter().skip(1)) {
            let rise = if now.1 < before.1 { now.1 } else { now.1 - before.1 };
            if rise > 0.0 && now.0 > since {
                let Self { count, first, .. } = kills.unwrap_or(Self { count: 0.0, first: now.0, last: now.0 });
                kills = Some(Self { count: count + rise, first, last: now.0 });
            }
        }
        kills
    }
}

/// Memory that is nearly all in use, and processes that were ended since.
pub fn short(look: &Look<'_>) -> Vec<Finding> {
    let (used, killed) = (judged(look, USED), judged(look, KILLS));
    let all = [&used, &killed].into_iter().flatten().flat_map(|panel| panel.series);
    let names: BTreeSet<&str> = all.map(|series| series.name.as_str()).collect();
    let found = names.into_iter().filter_map(|name| of(look, name, used.as_ref(), killed.as_ref()));
    let mut found: Vec<Finding> = found.collect();
    found.sort_by(Finding::rank);
    found.truncate(MOST);
    found
}

/// A host or a container by its name.
fn of(look: &Look<'_>, name: &str, used: Option<&Read<'_>>, killed: Option<&Read<'_>>) -> Option<Finding> {
    let limit = look.limits.memory_used;
    let share = used.and_then(|panel| panel.current(named(panel, name)?));
    let over = share.filter(|share| *share >= limit);
    let ended = killed.and_then(|panel| Some((panel, Kills::of(named(panel, name)?)?)));
    let shown = ServerText::from(name).head(60);
    let in_use = share.map_or_else(String::new, |share| format!("{} of its memory is in use", percent(share)));
    if let Some((panel, kills)) = ended {
        let last = panel.time(kills.last)?;
        let ago = Age(seconds_between(last, look.now)).short();
        return Some(Finding {
            severity: if over.is_some() { Severity::Critical } else { Severity::Warning },
            fact: format!(
                "the kernel ended {} on {shown} for want of memory, the last {ago} ago",
                processes(kills.count)
            ),
            evidence: if in_use.is_empty() { panel.source() } else { format!("now {in_use} · {}", panel.source()) },
            // A host counts those, too, that only a container's limit ended.
            todo:
                "its kernel's log says which, and whether a container's limit did it; with a backend all sessions went"
                    .to_owned(),
            since: panel.time(kills.first),
            harm: Harm { now: 0.0, coming: if over.is_some() { 1.0 } else { 0.5 } },
            ..Finding::of(Kind::MemoryShort, name, panel.seen, panel.target())
        });
    }
    let (panel, share) = used.zip(over)?;
    let nearly = share >= 1.0 - (1.0 - limit) / 4.0;
    Some(Finding {
        severity: if nearly { Severity::Warning } else { Severity::Notice },
        fact: format!("{shown}: {in_use}"),
        evidence: panel.source(),
        todo: "see what grows there: at the end the kernel ends a process, and with a backend all sessions go"
            .to_owned(),
        since: named(panel, name).and_then(|series| panel.run(series, |v| v >= limit)),
        harm: Harm { now: 0.0, coming: share * 0.6 },
        ..Finding::of(Kind::MemoryShort, name, panel.seen, panel.target())
    })
}

/// `1 process`, `3 processes`.
fn processes(count: f64) -> String {
    if count < 1.5 { "1 process".to_owned() } else { format!("{count:.0} processes") }
}
