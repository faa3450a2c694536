//! What the server as a whole did: checkpoints; temporary files, deadlocks and cancelled queries by database.

use super::{Figure, line, many, title};
use crate::diagnose::finding::FindingKey;
use crate::diagnose::rule::Look;
use crate::diagnose::server::{CHECKPOINTS_S, RECENT_S};
use crate::diagnose::span::{Span, Sum};
use crate::diagnose::words::{bytes, of_i64};
use crate::model::activity::delta::Trouble;
use crate::model::activity::{Activity, Database};
use crate::model::unit::{Age, Bytes, short_count};
use crate::model::{ServerText, Tone};

/// `3d`: for how long counters have counted, by the server's clock.
pub(super) fn counted_for(activity: &Activity, reset_s: Option<f64>) -> String {
    match reset_s.map(|reset| activity.at_s - reset).filter(|seconds| *seconds >= 0.0) {
        Some(seconds) => format!("within {}", Age(seconds).short()),
        None => "since the counters began, nobody tells when".to_owned(),
    }
}

pub(super) fn checkpoints(look: &Look<'_>, _: &FindingKey) -> Vec<Figure> {
    let Some(activity) = look.world.activity.get() else { return Vec::new() };
    let mut lines = vec![title("checkpoints")];
    if let Some(span) = Span::last(look, CHECKPOINTS_S) {
        let Sum { of: sum, seconds } = span.checkpoints();
        let count = of_i64(sum.timed.saturating_add(sum.requested));
        let apart = if count > 0.0 { format!(", one every {}", Age(seconds / count).short()) } else { String::new() };
        let within = Age(seconds).short();
        lines.extend([
            line("lately", format!("{} by force, {} by time within {within}{apart}", sum.requested, sum.timed)),
            line("written", format!("in {}", Age(sum.write_ms / 1000.0).short())),
            line("synced", format!("in {}", Age(sum.sync_ms / 1000.0).short())),
            line("WAL", format!("{} a minute", bytes(span.figure(|d| d.wal.map(of_i64)).per_minute()))),
        ]);
    }
    let (c, bounds) = (&activity.checkpoints, &activity.bounds);
    lines.extend([
        line(
            "in all",
            format!(
                "{} by force, {} by time {}",
                short_count(of_i64(c.requested)),
                short_count(of_i64(c.timed)),
                counted_for(activity, c.reset_s)
            ),
        ),
        title("settings"),
        line("by time", format!("checkpoint_timeout {}", Age(bounds.checkpoint_timeout_s).short())),
        line("by force", format!("max_wal_size {}", Bytes(bounds.max_wal_size).short())),
    ]);
    if let Some(directory) = activity.wal_directory {
        lines.push(line("pg_wal", format!("holds {}", Bytes(directory.bytes).short())));
    }
    lines
}

pub(super) fn temp_files(look: &Look<'_>, _: &FindingKey) -> Vec<Figure> {
    let told = |t: &Trouble| format!("{}, {}", many(t.temp_files, "file"), Bytes(t.temp_bytes).short());
    let mut lines = by_database(look, "temporary files by database", |t| t.temp_bytes, &told);
    if let Some(activity) = look.world.activity.get() {
        lines.push(line("work_mem", ServerText::from(activity.bounds.work_mem.as_str()).head(20)));
    }
    lines
}

pub(super) fn deadlocks(look: &Look<'_>, _: &FindingKey) -> Vec<Figure> {
    by_database(look, "deadlocks by database", |t| t.deadlocks, &|t| many(t.deadlocks, "deadlock"))
}

pub(super) fn conflicts(look: &Look<'_>, _: &FindingKey) -> Vec<Figure> {
    let told = |t: &Trouble| {
        let c = &t.conflicts;
        format!(
            "{} rows removed, {} locks, {} buffers, {} others",
            short_count(of_i64(c.snapshot)),
            short_count(of_i64(c.lock)),
            short_count(of_i64(c.pin)),
            short_count(of_i64(c.other))
        )
    };
    let mut lines = by_database(look, "queries that replay cancelled, by database", |t| t.conflicts.all(), &told);
    if let Some(activity) = look.world.activity.get() {
        let feedback = if activity.bounds.feedback { "on" } else { "off" };
        let delay = ServerText::from(activity.bounds.streaming_delay.as_str()).head(20);
        lines.push(title("settings"));
        lines.push(line("waits for", format!("max_standby_streaming_delay {delay}")));
        lines.push(line("feedback", format!("hot_standby_feedback {feedback}")));
    }
    lines
}

fn trouble_of(d: &Database) -> Trouble {
    Trouble { deadlocks: d.deadlocks, temp_files: d.temp_files, temp_bytes: d.temp_bytes, conflicts: d.conflicts }
}

/// Each database with trouble of that sort: what it had lately, and since its counters began; the most of late first.
fn by_database(
    look: &Look<'_>,
    what: &str,
    figure: fn(&Trouble) -> i64,
    told: &dyn Fn(&Trouble) -> String,
) -> Vec<Figure> {
    let Some(activity) = look.world.activity.get() else { return Vec::new() };
    let span = Span::last(look, RECENT_S);
    let lately = span.as_ref().map(Span::databases).unwrap_or_default();
    let of_late = |d: &Database| d.name.as_ref().and_then(|name| lately.get(name)).copied().unwrap_or_default();
    let mut rows: Vec<(&Database, Trouble)> = activity.databases.rows().iter().map(|d| (d, of_late(d))).collect();
    rows.retain(|(d, late)| figure(late) > 0 || figure(&trouble_of(d)) > 0);
    rows.sort_by_key(|(d, late)| std::cmp::Reverse((figure(late), figure(&trouble_of(d)))));
    let mut lines = vec![title(what)];
    let within = span.map(|span| span.figure(|d| d.databases.as_ref().map(|_| 0.0)).seconds);
    for (d, late) in rows.iter().take(super::MOST_ROWS) {
        let name = d.name.as_ref().map_or_else(|| "(no database)".to_owned(), |name| name.head(40));
        let tone = if figure(late) > 0 { Tone::Warning } else { Tone::Plain };
        let lately = within.map_or_else(String::new, |s| format!("{} within {}; ", told(late), Age(s).short()));
        lines.push(super::loud(
            "database",
            format!("{name}: {lately}{} {}", told(&trouble_of(d)), counted_for(activity, d.reset_s)),
            tone,
        ));
    }
    super::rest(rows.len(), &mut lines);
    if rows.is_empty() {
        lines.push(line("", "none"));
    }
    lines
}
