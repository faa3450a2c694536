//! What the server as a whole has done since its counters began: transactions, checkpoints, WAL, the archive; and what
//! it holds: transactions that are prepared, subscriptions, partitions that end.
//!
//! Counters of one look say nothing by themselves: see [`delta`].

pub mod delta;
pub mod io;

use serde::{Deserialize, Serialize};

use super::error::ProbeError;
use super::text::ServerText;

/// One look at the server as a whole.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Activity {
    /// The server's clock, in seconds since the epoch.
    pub at_s: f64,
    /// `pg_postmaster_start_time()`: counters of another start are another server's.
    pub started: String,
    /// True on a standby.
    pub in_recovery: bool,
    /// Checkpoints.
    pub checkpoints: Checkpoints,
    /// The archive.
    pub archiver: Archiver,
    /// How far the WAL has been written, in bytes from its beginning; none on a standby.
    pub wal_at: Option<i64>,
    /// Settings that bound all that.
    pub bounds: Bounds,
    /// The directory of the WAL; none where our role may not list it.
    pub wal_directory: Option<WalDirectory>,
    /// Databases, the busiest first; or why they are not known.
    pub databases: Part<Vec<Database>>,
    /// Prepared transactions, the oldest first; or why they are not known.
    pub prepared: Part<Vec<PreparedTransaction>>,
    /// Subscriptions; or why they are not known.
    pub subscriptions: Part<Vec<Subscription>>,
    /// Tables of error tracking that are partitioned by time; or why they are not known.
    pub partitioned: Part<Vec<Partitioned>>,
    /// Roles and databases that have a `CONNECTION LIMIT`, the most used of theirs first; or why they are not known.
    #[serde(default)]
    pub limited: Part<Vec<Limited>>,
    /// Who reads and writes, by kind of process; empty before 16. Or why that is not known.
    #[serde(default)]
    pub io: Part<Vec<io::Io>>,
}

/// A part of the answer that may fail by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Part<T> {
    /// It was read.
    Read(T),
    /// It could not be.
    Failed(ProbeError),
}

impl<T: Default> Default for Part<T> {
    fn default() -> Self {
        Self::Read(T::default())
    }
}

impl<T> Part<Vec<T>> {
    /// What was read; nothing where it could not be.
    #[must_use]
    pub fn rows(&self) -> &[T] {
        match self {
            Self::Read(rows) => rows,
            Self::Failed(_) => &[],
        }
    }
}

/// `pg_stat_bgwriter`, or `pg_stat_checkpointer` from 17 on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Checkpoints {
    /// Begun because `checkpoint_timeout` had passed.
    pub timed: i64,
    /// Begun because somebody or something asked: too much WAL, mostly.
    pub requested: i64,
    /// Milliseconds spent writing.
    pub write_ms: f64,
    /// Milliseconds spent in `fsync`.
    pub sync_ms: f64,
    /// When these counters began, in seconds since the epoch.
    pub reset_s: Option<f64>,
}

/// `pg_stat_archiver`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Archiver {
    /// `archive_mode` is not `off`.
    pub on: bool,
    /// Neither `archive_command` nor `archive_library` says how.
    pub without_command: bool,
    /// Files archived.
    pub archived: i64,
    /// Attempts that failed.
    pub failed: i64,
    /// The last file archived.
    pub last_archived: Option<String>,
    /// Seconds since then.
    pub last_archived_s: Option<f64>,
    /// The file of the last failure.
    pub last_failed: Option<String>,
    /// Seconds since then.
    pub last_failed_s: Option<f64>,
    /// When these counters began, in seconds since the epoch.
    pub reset_s: Option<f64>,
}

impl Archiver {
    /// True while the last attempt is one that failed.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        match (self.last_failed_s, self.last_archived_s) {
            (Some(failed), Some(archived)) => self.on && failed < archived,
            (Some(_), None) => self.on,
            (None, _) => false,
        }
    }
}

/// Settings, in seconds and bytes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Bounds {
    /// `checkpoint_timeout`
    pub checkpoint_timeout_s: f64,
    /// `max_wal_size`
    pub max_wal_size: i64,
    /// `wal_keep_size`
    pub wal_keep_size: i64,
    /// `work_mem`, as the server shows it.
    pub work_mem: String,
    /// `max_standby_streaming_delay`, as the server shows it.
    pub streaming_delay: String,
    /// `hot_standby_feedback`
    pub feedback: bool,
}

/// `pg_wal`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalDirectory {
    /// Bytes of all its files.
    pub bytes: i64,
    /// Files that wait to be archived.
    pub ready: i64,
}

/// Counters of one database.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Database {
    /// OID; 0 is what belongs to none.
    pub oid: u32,
    /// Name.
    pub name: Option<ServerText>,
    /// Transactions committed.
    pub commits: i64,
    /// Transactions rolled back.
    pub rollbacks: i64,
    /// Deadlocks.
    pub deadlocks: i64,
    /// Temporary files.
    pub temp_files: i64,
    /// Their bytes.
    pub temp_bytes: i64,
    /// Queries cancelled on a standby, by reason.
    pub conflicts: Conflicts,
    /// When these counters began, in seconds since the epoch.
    pub reset_s: Option<f64>,
}

/// `pg_stat_database_conflicts`: queries cancelled so that replay goes on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflicts {
    /// They needed rows that the primary's vacuum removed.
    pub snapshot: i64,
    /// They held a lock that replay needed.
    pub lock: i64,
    /// They held a buffer.
    pub pin: i64,
    /// Anything else: tablespaces, deadlocks with replay, slots.
    pub other: i64,
}

impl Conflicts {
    /// All of them.
    #[must_use]
    pub fn all(&self) -> i64 {
        self.snapshot.saturating_add(self.lock).saturating_add(self.pin).saturating_add(self.other)
    }
}

/// A transaction prepared for two-phase commit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PreparedTransaction {
    /// Its identifier.
    pub gid: ServerText,
    /// False where the identifier is a guess at another encoding.
    pub exact: bool,
    /// Who prepared it.
    pub owner: ServerText,
    /// Where.
    pub database: ServerText,
    /// Seconds ago.
    pub age_s: f64,
    /// Its transaction id, at which it holds the horizon.
    #[serde(default)]
    pub xid: Option<String>,
    /// Age of that in transactions.
    #[serde(default)]
    pub xid_age: Option<i64>,
}

/// A logical subscription of any database here.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Subscription {
    /// OID.
    pub oid: u32,
    /// Name.
    pub name: ServerText,
    /// Its database.
    pub database: ServerText,
    /// It is to run.
    pub enabled: bool,
    /// Its worker, where one runs and our role may see it.
    pub worker: Option<i32>,
    /// Our role does not see workers.
    pub hidden: bool,
    /// Seconds since the last word of its publisher.
    pub heard_s: Option<f64>,
    /// Errors while applying changes; none before 15, which does not count them.
    pub apply_errors: Option<i64>,
    /// Errors while copying tables.
    pub sync_errors: Option<i64>,
    /// When these counters began, in seconds since the epoch.
    pub reset_s: Option<f64>,
}

/// A table that is partitioned by time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Partitioned {
    /// OID.
    pub oid: u32,
    /// Schema.
    pub schema: ServerText,
    /// Name.
    pub name: ServerText,
    /// Partitions.
    pub partitions: i64,
    /// Seconds until the last one ends, below 0 where it has; none without partitions, or with one that has no end.
    pub ends_s: Option<f64>,
    /// Some partition takes whatever comes.
    pub endless: bool,
}

/// What a `CONNECTION LIMIT` is set on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Holder {
    /// A role that is no superuser: the limit does not hold for one.
    Role,
    /// A database.
    Database,
}

/// A role or a database that may have only so many connections at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limited {
    /// Which of the two.
    pub holder: Holder,
    /// Its name.
    pub name: ServerText,
    /// False where the name is not UTF-8, so that what we show of it is a guess.
    pub exact: bool,
    /// Its limit; 0 lets nobody in.
    pub limit: i64,
}
