//! What happened between two looks at the server as a whole, and over the looks of a span of time.
//!
//! A restart, a failover, counters that were reset and a clock that went back give nothing to compare: no figure then,
//! never a wrong one.

use std::collections::{BTreeMap, BTreeSet};

use super::io::{self, Io};
use super::{Activity, Conflicts, Database};
use crate::model::text::ServerText;

/// Two looks that lie further apart than this, in seconds, are not compared: what happened is spread over the time in
/// which nobody looked.
const MOST_S: f64 = 300.0;

/// What happened between two looks.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Delta {
    /// Seconds between them, by the server's clock.
    pub seconds: f64,
    /// Transactions, deadlocks, temporary files and cancelled queries; none where no database can be compared.
    pub databases: Option<DatabaseDelta>,
    /// Checkpoints.
    pub checkpoints: Option<CheckpointDelta>,
    /// Files archived, and attempts that failed.
    pub archived: Option<(i64, i64)>,
    /// Bytes of WAL written.
    pub wal: Option<i64>,
    /// By how much the WAL's directory grew.
    pub wal_directory: Option<i64>,
    /// Who read and wrote; none where that cannot be compared, as before 16.
    pub io: Option<Vec<Io>>,
    /// Errors of subscriptions, by OID.
    pub subscription_errors: BTreeMap<u32, i64>,
    /// Subscriptions that are to run and had no worker in either look, where our role would have seen one.
    pub subscriptions_stopped: BTreeSet<u32>,
}

/// What the databases did together.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DatabaseDelta {
    /// Transactions committed.
    pub commits: i64,
    /// Transactions rolled back.
    pub rollbacks: i64,
    /// By database, where there was any: the trouble of each.
    pub trouble: Vec<(ServerText, Trouble)>,
}

/// What went wrong in one database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Trouble {
    /// Deadlocks.
    pub deadlocks: i64,
    /// Temporary files.
    pub temp_files: i64,
    /// Their bytes.
    pub temp_bytes: i64,
    /// Queries cancelled on a standby.
    pub conflicts: Conflicts,
}

impl Trouble {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            deadlocks: self.deadlocks.saturating_add(other.deadlocks),
            temp_files: self.temp_files.saturating_add(other.temp_files),
            temp_bytes: self.temp_bytes.saturating_add(other.temp_bytes),
            conflicts: Conflicts {
                snapshot: self.conflicts.snapshot.saturating_add(other.conflicts.snapshot),
                lock: self.conflicts.lock.saturating_add(other.conflicts.lock),
                pin: self.conflicts.pin.saturating_add(other.conflicts.pin),
                other: self.conflicts.other.saturating_add(other.conflicts.other),
            },
        }
    }
}

/// What checkpoints did.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CheckpointDelta {
    /// Begun by time.
    pub timed: i64,
    /// Begun because something asked.
    pub requested: i64,
    /// Milliseconds of writing and of `fsync`, of those that ended.
    pub write_ms: f64,
    /// Of it `fsync`.
    pub sync_ms: f64,
}

impl Delta {
    /// Compares two looks; none where they are not of the same server in the same role, or too far apart.
    #[must_use]
    pub fn between(before: &Activity, now: &Activity) -> Option<Self> {
        let seconds = now.at_s - before.at_s;
        let same = before.started == now.started && before.in_recovery == now.in_recovery;
        // Neither does a time that is no number pass.
        let near = seconds > 0.0 && seconds <= MOST_S;
        if !(same && near) {
            return None;
        }
        Some(Self {
            seconds,
            databases: databases(before.databases.rows(), now.databases.rows()),
            checkpoints: checkpoints(before, now),
            archived: archived(before, now),
            wal: before.wal_at.zip(now.wal_at).and_then(|(old, new)| grown(old, new)),
            wal_directory: before
                .wal_directory
                .zip(now.wal_directory)
                .map(|(old, new)| new.bytes.saturating_sub(old.bytes)),
            io: io::between(before.io.rows(), now.io.rows()),
            subscription_errors: subscription_errors(before, now),
            subscriptions_stopped: stopped(before).intersection(&stopped(now)).copied().collect(),
        })
    }
}

impl Delta {
    /// Transactions a second, committed and rolled back.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "differences of counters, as a rate")]
    pub fn tps(&self) -> Option<f64> {
        let databases = self.databases.as_ref()?;
        Some(databases.commits.saturating_add(databases.rollbacks) as f64 / self.seconds)
    }
}

/// How much a counter grew; none where it went down, which no counter does by itself.
pub(super) fn grown(old: i64, new: i64) -> Option<i64> {
    new.checked_sub(old).filter(|grown| *grown >= 0)
}

/// Two times of a reset; the digits behind the millisecond are those of a float.
pub(super) fn same_reset(old: Option<f64>, new: Option<f64>) -> bool {
    match (old, new) {
        (Some(old), Some(new)) => (old - new).abs() < 0.001,
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// A database that was made, dropped or reset in between counts for nothing, and the others go on.
fn databases(before: &[Database], now: &[Database]) -> Option<DatabaseDelta> {
    let known: BTreeMap<u32, &Database> = before.iter().map(|d| (d.oid, d)).collect();
    let mut sum = DatabaseDelta::default();
    let mut compared = false;
    for new in now {
        let Some((commits, rollbacks, trouble)) = known.get(&new.oid).and_then(|old| database(old, new)) else {
            continue;
        };
        compared = true;
        sum.commits = sum.commits.saturating_add(commits);
        sum.rollbacks = sum.rollbacks.saturating_add(rollbacks);
        if trouble != Trouble::default() {
            sum.trouble.push((new.name.clone().unwrap_or_default(), trouble));
        }
    }
    compared.then_some(sum)
}

fn database(old: &Database, new: &Database) -> Option<(i64, i64, Trouble)> {
    if !same_reset(old.reset_s, new.reset_s) {
        return None;
    }
    let trouble = Trouble {
        deadlocks: grown(old.deadlocks, new.deadlocks)?,
        temp_files: grown(old.temp_files, new.temp_files)?,
        temp_bytes: grown(old.temp_bytes, new.temp_bytes)?,
        conflicts: Conflicts {
            snapshot: grown(old.conflicts.snapshot, new.conflicts.snapshot)?,
            lock: grown(old.conflicts.lock, new.conflicts.lock)?,
            pin: grown(old.conflicts.pin, new.conflicts.pin)?,
            other: grown(old.conflicts.other, new.conflicts.other)?,
        },
    };
    Some((grown(old.commits, new.commits)?, grown(old.rollbacks, new.rollbacks)?, trouble))
}

fn checkpoints(before: &Activity, now: &Activity) -> Option<CheckpointDelta> {
    let (old, new) = (before.checkpoints, now.checkpoints);
    if !same_reset(old.reset_s, new.reset_s) {
        return None;
    }
    Some(CheckpointDelta {
        timed: grown(old.timed, new.timed)?,
        requested: grown(old.requested, new.requested)?,
        write_ms: Some(new.write_ms - old.write_ms).filter(|ms| *ms >= 0.0)?,
        sync_ms: Some(new.sync_ms - old.sync_ms).filter(|ms| *ms >= 0.0)?,
    })
}

fn archived(before: &Activity, now: &Activity) -> Option<(i64, i64)> {
    let (old, new) = (&before.archiver, &now.archiver);
    let same = same_reset(old.reset_s, new.reset_s);
    grown(old.archived, new.archived).zip(grown(old.failed, new.failed)).filter(|_| same)
}

fn subscription_errors(before: &Activity, now: &Activity) -> BTreeMap<u32, i64> {
    let errors = |s: &super::Subscription| Some(s.apply_errors?.saturating_add(s.sync_errors?));
    let rows = now.subscriptions.rows().iter().filter_map(|new| {
        let old = before.subscriptions.rows().iter().find(|old| old.oid == new.oid)?;
        let more = grown(errors(old)?, errors(new)?).filter(|_| same_reset(old.reset_s, new.reset_s))?;
        Some((new.oid, more))
    });
    rows.filter(|(_, more)| *more > 0).collect()
}

fn stopped(look: &Activity) -> BTreeSet<u32> {
    let stopped = look.subscriptions.rows().iter().filter(|s| s.enabled && !s.hidden && s.worker.is_none());
    stopped.map(|s| s.oid).collect()
}

#[cfg(test)]
mod tests;
