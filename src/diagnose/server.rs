//! The server as a whole, from counters of two and more looks: checkpoints that come too often, temporary files,
//! deadlocks, and queries that replay cancels on a standby.
//!
//! A counter alone says nothing: since when it counts is seldom known, and what it counted may be over.

use super::finding::{Finding, Harm, Kind, Severity, Target};
use super::rule::Look;
use super::span::{Span, Sum};
use super::words::{bytes, counted, of_i64, statement, who};
use crate::command::{Command, Tab};
use crate::model::activity::delta::Trouble;
use crate::model::session::Session;
use crate::model::unit::{Age, Bytes, short_count};
use crate::model::{ServerText, Timestamp};

/// Trouble is looked for in the last five minutes: long enough to be one story, short enough to be over soon after.
pub const RECENT_S: f64 = 300.0;

/// Checkpoints need more of them: by default they come five minutes apart.
pub const CHECKPOINTS_S: f64 = 900.0;

/// A rate of less than this, in seconds, is that of a moment.
pub const LEAST_S: f64 = 4.0;

/// From so many times its limit on, something is a warning.
const MANY: f64 = 10.0;

/// Checkpoints that are forced, one after the other.
pub fn checkpoints(look: &Look<'_>) -> Vec<Finding> {
    let (Some(activity), Some(span)) = (look.world.activity.get(), Span::last(look, CHECKPOINTS_S)) else {
        return Vec::new();
    };
    let Sum { of: sum, seconds } = span.checkpoints();
    let count = of_i64(sum.timed.saturating_add(sum.requested));
    // A single one may be a backup's, or a person's.
    if activity.in_recovery || sum.requested < 3 || sum.requested <= sum.timed {
        return Vec::new();
    }
    let apart = seconds / count;
    if apart > look.limits.checkpoint_interval {
        return Vec::new();
    }
    let wal = span.figure(|d| d.wal.map(of_i64)).per_minute();
    let bounds = &activity.bounds;
    let writing = (sum.write_ms + sum.sync_ms) / 1000.0;
    vec![Finding {
        severity: if apart <= look.limits.checkpoint_interval / 4.0 { Severity::Warning } else { Severity::Notice },
        fact: format!(
            "checkpoints come every {}, {} of the last {} by force, not by time",
            Age(apart).short(),
            short_count(of_i64(sum.requested)),
            short_count(count)
        ),
        evidence: format!(
            "max_wal_size {}, {} of WAL a minute; {} written and synced in {}; checkpoint_timeout {}",
            Bytes(bounds.max_wal_size).short(),
            bytes(wal),
            Age(writing).short(),
            Age(seconds).short(),
            Age(bounds.checkpoint_timeout_s).short()
        ),
        todo: format!(
            "each makes every page be written whole again: raise max_wal_size (about {} would last checkpoint_timeout), where the disk has room",
            bytes((wal / 60.0 * bounds.checkpoint_timeout_s * 1.5).max(of_i64(bounds.max_wal_size) * 2.0))
        ),
        harm: Harm { now: 0.0, coming: 0.3 },
        action: Some(Command::ServerSettings),
        ..Finding::of(Kind::Checkpoints, "", span.seen, Target::Figures(Tab::Triage))
    }]
}

/// A finding of something that was counted within the last minutes.
fn recent(kind: Kind, seen: Timestamp, share: f64, target: Target) -> Finding {
    Finding {
        severity: if share >= MANY { Severity::Warning } else { Severity::Notice },
        ..Finding::of(kind, "", seen, target)
    }
}

fn inside(database: Option<&ServerText>) -> String {
    database.map_or_else(String::new, |name| format!(", most in database {}", name.head(40)))
}

/// Sorts and hashes that do not fit into memory.
pub fn temp_files(look: &Look<'_>) -> Vec<Finding> {
    let (Some(activity), Some(span)) = (look.world.activity.get(), Span::last(look, RECENT_S)) else {
        return Vec::new();
    };
    let (Sum { of: sum, seconds }, database) = span.trouble(|t| t.temp_bytes);
    let rate = Sum { of: of_i64(sum.temp_bytes), seconds }.per_minute();
    if seconds < LEAST_S || rate < look.limits.temp_bytes {
        return Vec::new();
    }
    let spilling = spilling(look);
    let target =
        spilling.map_or(Target::Figures(Tab::Triage), |s| Target::Session { tab: Tab::Connections, key: s.key() });
    let now = spilling.map_or_else(
        || "a file counts when its statement ends".to_owned(),
        |s| format!("{} spills now: {}{}", s.pid, who(s), statement(s)),
    );
    vec![Finding {
        fact: format!(
            "temporary files: {} a minute in the last {}, {}{}",
            bytes(rate),
            Age(seconds).short(),
            counted(usize::try_from(sum.temp_files).unwrap_or(0), "file"),
            inside(database)
        ),
        evidence: format!("work_mem {} · {now}", ServerText::from(activity.bounds.work_mem.as_str()).head(20)),
        todo: "find the statement on Statements, sorted by temp; an index, or more work_mem for its role alone: each sort of each session may take as much; an index build takes maintenance_work_mem".to_owned(),
        harm: Harm { now: 0.0, coming: 0.3 },
        ..recent(Kind::TempFiles, span.seen, rate / look.limits.temp_bytes, target)
    }]
}

/// A session that reads or writes a temporary file at this moment.
fn spilling<'a>(look: &Look<'a>) -> Option<&'a Session> {
    let (sessions, _) = look.sessions()?;
    sessions.rows.iter().filter(|s| s.is_active()).find(|s| {
        s.wait.as_ref().is_some_and(|w| {
            matches!(w.event.as_str(), "BufFileRead" | "BufFileWrite" | "BuffileRead" | "BuffileWrite")
        })
    })
}

/// Statements that the server cancelled because they waited for each other.
pub fn deadlocks(look: &Look<'_>) -> Vec<Finding> {
    let Some(span) = Span::last(look, RECENT_S) else { return Vec::new() };
    let (Sum { of: sum, seconds }, database) = span.trouble(|t| t.deadlocks);
    let count = of_i64(sum.deadlocks);
    if count < look.limits.deadlocks {
        return Vec::new();
    }
    vec![Finding {
        fact: format!(
            "{} in the last {}{}",
            counted(usize::try_from(sum.deadlocks).unwrap_or(0), "deadlock"),
            Age(seconds).short(),
            inside(database)
        ),
        evidence: "of each, one transaction was rolled back (40P01); the server's log has the statements of both sides"
            .to_owned(),
        todo: "two ways through the same rows in another order: lock them in one order, and try again on 40P01"
            .to_owned(),
        harm: Harm { now: count, coming: 0.3 },
        ..recent(Kind::Deadlocks, span.seen, count / look.limits.deadlocks, Target::Figures(Tab::Triage))
    }]
}

/// Queries on this standby that replay cancelled.
pub fn conflicts(look: &Look<'_>) -> Vec<Finding> {
    let (Some(activity), Some(span)) = (look.world.activity.get(), Span::last(look, RECENT_S)) else {
        return Vec::new();
    };
    let all = |t: &Trouble| t.conflicts.all();
    let (Sum { of: sum, seconds }, database) = span.trouble(all);
    let count = of_i64(sum.conflicts.all());
    if !activity.in_recovery || count < look.limits.conflicts {
        return Vec::new();
    }
    let reasons = [
        (
            sum.conflicts.snapshot,
            "needed rows that the primary's vacuum removed",
            "hot_standby_feedback = on keeps such rows on the primary, as dead ones; or a longer max_standby_streaming_delay, and a later standby",
        ),
        (
            sum.conflicts.lock,
            "held a lock that replay needed",
            "something on the primary takes AccessExclusiveLock (DDL, TRUNCATE, the end of a vacuum): move it, or a longer max_standby_streaming_delay",
        ),
        (
            sum.conflicts.pin,
            "held a page that replay had to clean",
            "a longer max_standby_streaming_delay, or shorter queries here",
        ),
        (sum.conflicts.other, "stood in the way otherwise", "the server's log here says of each why"),
    ];
    let said = reasons.iter().filter(|r| r.0 > 0).map(|(n, why, _)| format!("{} {why}", short_count(of_i64(*n))));
    let most = reasons.iter().max_by_key(|r| r.0).map_or("", |r| r.2);
    let bounds = &activity.bounds;
    vec![Finding {
        fact: format!(
            "replay cancelled {} here in the last {}{}",
            if sum.conflicts.all() == 1 { "1 query".to_owned() } else { format!("{} queries", short_count(count)) },
            Age(seconds).short(),
            inside(database)
        ),
        evidence: format!(
            "{} · max_standby_streaming_delay {}, hot_standby_feedback {}",
            said.collect::<Vec<_>>().join(", "),
            ServerText::from(bounds.streaming_delay.as_str()).head(20),
            if bounds.feedback { "on" } else { "off" }
        ),
        todo: most.to_owned(),
        harm: Harm { now: count, coming: 0.3 },
        action: Some(Command::ServerSettings),
        ..recent(Kind::Conflicts, span.seen, count / look.limits.conflicts, Target::Figures(Tab::Triage))
    }]
}
