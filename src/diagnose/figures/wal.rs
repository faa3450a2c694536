//! WAL that does not go away: the archiver's counters, the directory beside what bounds it, the slots.

use super::server::counted_for;
use super::{Figure, ago, line, loud, many, title};
use crate::diagnose::finding::FindingKey;
use crate::diagnose::replication::activity as read_by;
use crate::diagnose::rule::Look;
use crate::diagnose::server::RECENT_S;
use crate::diagnose::slot;
use crate::diagnose::span::Span;
use crate::diagnose::words::{bytes, of_i64};
use crate::model::activity::{Activity, Archiver};
use crate::model::replica::Slot;
use crate::model::unit::{Age, Bytes, short_count};
use crate::model::{ServerText, Tone};

/// `the last 000000010000000300000060, 21s ago`.
fn last(file: Option<&str>, seconds: Option<f64>) -> String {
    let Some(file) = file else { return format!("the last {}", ago(seconds)) };
    format!("the last {}, {}", ServerText::from(file).head(40), ago(seconds))
}

pub(super) fn archive(look: &Look<'_>, _: &FindingKey) -> Vec<Figure> {
    let Some(activity) = look.world.activity.get() else { return Vec::new() };
    let a = &activity.archiver;
    let how = match (a.on, a.without_command) {
        (false, _) => "archive_mode is off",
        (true, true) => "archive_mode is on, neither archive_command nor archive_library is set",
        (true, false) => "archive_mode is on, archive_command or archive_library says how",
    };
    let failing = if a.is_failing() { Tone::Warning } else { Tone::Plain };
    let mut lines = vec![
        title("the archive"),
        loud("how", how, if a.on && a.without_command { Tone::Warning } else { Tone::Plain }),
        line(
            "archived",
            format!("{}; {}", many(a.archived, "file"), last(a.last_archived.as_deref(), a.last_archived_s)),
        ),
        loud(
            "failed",
            format!("{}; {}", many(a.failed, "attempt"), last(a.last_failed.as_deref(), a.last_failed_s)),
            failing,
        ),
        line("counted", counted_for(activity, a.reset_s)),
    ];
    if let Some(span) = Span::last(look, RECENT_S) {
        let done = span.figure(|d| d.archived.map(|(done, _)| of_i64(done)));
        let failed = span.figure(|d| d.archived.map(|(_, failed)| of_i64(failed)));
        let (done_in, within) = (short_count(done.of), Age(done.seconds).short());
        lines.push(line("lately", format!("{done_in} archived, {} failed within {within}", short_count(failed.of))));
        lines.push(line("WAL", format!("{} a minute", bytes(span.figure(|d| d.wal.map(of_i64)).per_minute()))));
    }
    lines.extend(directory(activity));
    lines
}

fn directory(activity: &Activity) -> Vec<Figure> {
    match activity.wal_directory {
        Some(d) => vec![
            line("waiting", format!("{} to be archived", many(d.ready, "file"))),
            line("pg_wal", format!("holds {}", Bytes(d.bytes).short())),
        ],
        None => vec![loud("pg_wal", "not known: our role may not list it (pg_monitor may)", Tone::Notice)],
    }
}

fn archived(a: &Archiver) -> String {
    match () {
        () if !a.on => "archive_mode is off: it keeps nothing".to_owned(),
        () if a.without_command => "nothing says how to archive: it keeps all WAL".to_owned(),
        () if a.is_failing() => format!("the last attempt failed, {}", ago(a.last_failed_s)),
        () => format!("the last file was archived {}", ago(a.last_archived_s)),
    }
}

pub(super) fn kept(look: &Look<'_>, _: &FindingKey) -> Vec<Figure> {
    let Some(activity) = look.world.activity.get() else { return Vec::new() };
    let bounds = &activity.bounds;
    let asked = of_i64(bounds.max_wal_size) + of_i64(bounds.wal_keep_size);
    let mut lines = vec![title("the directory of the WAL")];
    lines.extend(directory(activity));
    lines.push(line(
        "settings",
        format!(
            "max_wal_size {}, wal_keep_size {}",
            Bytes(bounds.max_wal_size).short(),
            Bytes(bounds.wal_keep_size).short()
        ),
    ));
    if let Some(d) = activity.wal_directory {
        lines.push(line("more", format!("{} than they ask for", bytes((of_i64(d.bytes) - asked).max(0.0)))));
    }
    if let Some(span) = Span::last(look, RECENT_S) {
        let grown = span.figure(|d| d.wal_directory.map(of_i64));
        let word = if grown.of < 0.0 { "shrank" } else { "grew" };
        lines
            .push(line("lately", format!("{word} by {} within {}", bytes(grown.of.abs()), Age(grown.seconds).short())));
        lines.push(line("WAL", format!("{} a minute", bytes(span.figure(|d| d.wal.map(of_i64)).per_minute()))));
    }
    lines.push(line("archive", archived(&activity.archiver)));
    let Some(replication) = look.world.replication.get() else {
        lines.push(loud("slots", "they were not seen", Tone::Notice));
        return lines;
    };
    lines.push(title("replication slots"));
    lines.push(line("limit", slot::bound(replication.slot_keep_mb)));
    let mut slots: Vec<&Slot> = replication.slots.iter().collect();
    slots.sort_by_key(|s| std::cmp::Reverse(s.retained));
    for s in slots.iter().take(super::MOST_ROWS) {
        let retained = s.retained.map_or_else(|| "nothing".to_owned(), |b| Bytes(b).short());
        lines.push(line("slot", format!("{} {}, retains {retained}", s.name.head(40), read_by(s))));
    }
    super::rest(slots.len(), &mut lines);
    lines
}

/// The slot that a finding is about: its subject is the name, or of one that holds the horizon `slot NAME`.
pub(super) fn slot(look: &Look<'_>, key: &FindingKey) -> Vec<Figure> {
    named(look, &key.subject)
}

pub(super) fn named(look: &Look<'_>, name: &str) -> Vec<Figure> {
    let Some(replication) = look.world.replication.get() else { return Vec::new() };
    let Some(s) = replication.slots.iter().find(|s| s.name.raw() == name) else {
        return vec![title(format!("slot {}", ServerText::from(name).head(64))), line("", "it is gone")];
    };
    let kind = ServerText::from(s.kind.as_str()).head(16);
    let database = s.database.as_ref().map_or_else(String::new, |d| format!(", of database {}", d.head(40)));
    let mut lines = vec![title(format!("slot {}", s.name.head(64))), line("kind", format!("{kind}{database}"))];
    for r in replication.replicas.iter().filter(|r| r.slot.as_ref() == Some(&s.name)) {
        let state = r.state.as_deref().map_or_else(|| "state hidden".to_owned(), |s| ServerText::from(s).head(16));
        lines.push(line("standby", format!("{}, pid {}, {state}", r.application.head(40), r.pid)));
    }
    lines.push(line("state", read_by(s)));
    let nothing = if s.invalid().is_some() { "nothing: it is invalid" } else { "nothing yet" };
    lines.push(line("retains", s.retained.map_or_else(|| nothing.to_owned(), |b| Bytes(b).short())));
    lines.push(line("limit", slot::bound(replication.slot_keep_mb)));
    if let Some(safe) = s.safe {
        lines.push(line("safe for", format!("{} of WAL more", Bytes(safe.max(0)).short())));
    }
    if let Some(status) = &s.wal_status {
        lines.push(line("wal_status", ServerText::from(status.as_str()).head(20)));
    }
    if let Some(reason) = &s.invalidation {
        lines.push(loud("invalid", ServerText::from(reason.as_str()).head(40), Tone::Critical));
    }
    let back = |age: Option<i64>| {
        age.map_or_else(|| "none".to_owned(), |age| format!("{} transactions back", short_count(of_i64(age))))
    };
    lines.push(line("xmin", back(s.xmin_age)));
    lines.push(line("catalogs", format!("catalog_xmin {}", back(s.catalog_xmin_age))));
    lines
}
