//! WAL that does not go away: an archive that refuses it or falls behind, and a directory that holds more than the
//! settings ask for.

use super::finding::{Finding, Harm, Kind, Severity, Target};
use super::rule::Look;
use super::server::RECENT_S;
use super::span::Span;
use super::words::{bytes, counted, of_i64};
use crate::command::{Command, Tab};
use crate::model::activity::{Activity, Archiver};
use crate::model::unit::{Age, Bytes, short_count};
use crate::model::{ServerText, seconds_between};

const HOUR_S: f64 = 3600.0;
/// Slots that were looked at longer ago say nothing of what was written since.
const LATER_S: f64 = 60.0;

/// What the archive's trouble is.
enum Trouble {
    /// Nothing says how to archive.
    NoCommand,
    /// The last attempt failed.
    Failing,
    /// More waits than it takes.
    Behind,
}

/// True where files wait beyond the limit.
fn many_wait(look: &Look<'_>, activity: &Activity) -> bool {
    activity.wal_directory.is_some_and(|w| of_i64(w.ready) >= look.limits.archive_ready)
}

fn trouble(look: &Look<'_>, activity: &Activity) -> Option<Trouble> {
    let archiver = &activity.archiver;
    // A standby's archiver rests, but for archive_mode = always; its counters are those of another time.
    if !archiver.on || activity.in_recovery {
        return None;
    }
    match () {
        () if archiver.without_command => Some(Trouble::NoCommand),
        () if archiver.is_failing() => Some(Trouble::Failing),
        () if many_wait(look, activity) => Some(Trouble::Behind),
        () => None,
    }
}

/// An archive that takes no WAL, or too little.
pub fn archive(look: &Look<'_>) -> Vec<Finding> {
    let Some((activity, seen)) = look.world.activity.value.as_ref() else { return Vec::new() };
    let Some(trouble) = trouble(look, activity) else { return Vec::new() };
    let archiver = &activity.archiver;
    let waiting = activity.wal_directory.map(|w| w.ready);
    let waits = waiting.map_or_else(String::new, |n| {
        format!(" · {} to be archived", counted(usize::try_from(n).unwrap_or(0), "file").replace("file", "WAL file"))
    });
    let (fact, todo) = match trouble {
        Trouble::NoCommand => (
            "archive_mode is on, and neither archive_command nor archive_library says how: all WAL is kept".to_owned(),
            "set archive_command, or turn archive_mode off (restart)",
        ),
        Trouble::Failing => (
            failing(archiver),
            "the server's log has its words: the archive's disk, network or rights; WAL is kept until it works",
        ),
        Trouble::Behind => (
            format!("the archive falls behind: {} WAL files wait", short_count(of_i64(waiting.unwrap_or(0)))),
            "it takes less than is written: see how long one call of archive_command takes",
        ),
    };
    vec![Finding {
        severity: if many_wait(look, activity) && !matches!(trouble, Trouble::Behind) {
            Severity::Critical
        } else {
            Severity::Warning
        },
        fact,
        evidence: format!("{}{waits}", last_success(archiver)),
        todo: todo.to_owned(),
        harm: Harm { now: 0.0, coming: 0.7 },
        action: matches!(trouble, Trouble::NoCommand).then_some(Command::ServerSettings),
        ..Finding::of(Kind::Archive, "", *seen, Target::Figures(Tab::Triage))
    }]
}

fn failing(archiver: &Archiver) -> String {
    let ago = archiver.last_failed_s.map_or_else(String::new, |s| format!(", the last {} ago", Age(s).short()));
    let file =
        archiver.last_failed.as_deref().map_or_else(String::new, |f| format!(" on {}", ServerText::from(f).head(40)));
    let failures = counted(usize::try_from(archiver.failed).unwrap_or(0), "attempt");
    format!("the archive refuses WAL: {failures} failed{ago}{file}")
}

fn last_success(archiver: &Archiver) -> String {
    match archiver.last_archived_s {
        Some(s) => format!("last success {} ago", Age(s).short()),
        None => "no success since its counters began".to_owned(),
    }
}

/// A directory of WAL that holds more than the settings ask for.
pub fn kept(look: &Look<'_>) -> Vec<Finding> {
    let Some((activity, seen)) = look.world.activity.value.as_ref() else { return Vec::new() };
    let Some(directory) = activity.wal_directory else { return Vec::new() };
    let bounds = &activity.bounds;
    let excess = of_i64(directory.bytes) - of_i64(bounds.max_wal_size) - of_i64(bounds.wal_keep_size);
    if excess < look.limits.wal_excess {
        return Vec::new();
    }
    let grown = Span::last(look, RECENT_S).map(|span| span.figure(|d| d.wal_directory.map(of_i64)));
    let an_hour = grown.filter(|g| g.seconds > 0.0).map(|g| g.of / g.seconds * HOUR_S).filter(|rate| *rate > 0.0);
    let trend = an_hour.map_or_else(String::new, |rate| format!(", and grows by {} an hour", bytes(rate)));
    let (why, todo) = why(look, activity, excess);
    vec![Finding {
        severity: Severity::Warning,
        fact: format!(
            "pg_wal holds {}, {} more than the settings ask for{trend}",
            Bytes(directory.bytes).short(),
            bytes(excess)
        ),
        evidence: why,
        todo: todo.to_owned(),
        harm: Harm { now: 0.0, coming: if an_hour.is_some() { 0.7 } else { 0.4 } },
        ..Finding::of(Kind::WalKept, "", *seen, Target::Figures(Tab::Triage))
    }]
}

/// Bytes of WAL that were written between the look at the slots and the later one at the directory, as fast as WAL was
/// written last: slots are not looked at in the same moment.
fn written_since_slots(look: &Look<'_>) -> f64 {
    let both = look.world.replication.value.as_ref().zip(look.world.activity.value.as_ref());
    let apart = both.map_or(0.0, |((_, slots), (_, directory))| seconds_between(*slots, *directory));
    let rate = look.history.deltas().filter_map(|(_, d)| Some(of_i64(d.wal?) / d.seconds)).next_back();
    rate.filter(|rate| rate.is_finite()).map_or(0.0, |rate| rate * apart.clamp(0.0, LATER_S))
}

/// What keeps the WAL, as far as it can be seen.
fn why(look: &Look<'_>, activity: &Activity, excess: f64) -> (String, &'static str) {
    let settings = format!(
        "max_wal_size {}, wal_keep_size {}",
        Bytes(activity.bounds.max_wal_size).short(),
        Bytes(activity.bounds.wal_keep_size).short()
    );
    if trouble(look, activity).is_some() {
        return (
            format!("the archive does not take it · {settings}"),
            "mend the archive: a checkpoint then removes what has been archived",
        );
    }
    let slots = look.world.replication.get().map_or(&[][..], |r| r.slots.as_slice());
    let slot = slots.iter().filter_map(|s| s.retained.map(|b| (s, b))).max_by_key(|s| s.1);
    // Some of the directory are files that are kept to be used again.
    if let Some((slot, retained)) = slot.filter(|(_, b)| of_i64(*b) + written_since_slots(look) >= excess / 2.0) {
        return (
            format!("slot {} retains {} · {settings}", slot.name.head(40), Bytes(retained).short()),
            "bring the slot's reader back, or drop the slot if that never returns",
        );
    }
    let who = match look.world.replication.get() {
        Some(_) => "neither a slot nor the archive explains it",
        None => "the archive does not explain it; the slots were not seen",
    };
    (
        format!("{who} · {settings}"),
        "a checkpoint removes what nothing needs: see in the log whether one has ended since",
    )
}
