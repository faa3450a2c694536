//! `pg_stat_statements`: what each normalized statement has cost since its counters began, on one server.
//!
//! Counters are the server's; what happened between two looks at them is in [`rate`].

pub mod rate;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::ProbeError;
use super::text::ServerText;

/// By which figure the server ranks its entries, so that a list that is cut is a true top list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum StatementOrder {
    /// Execution time in all.
    Total,
    /// Execution time of one call.
    Mean,
    /// Calls.
    Calls,
    /// Rows returned or changed.
    Rows,
    /// Blocks read from outside the buffers.
    Read,
    /// Temporary blocks read and written.
    Temp,
    /// Bytes of WAL.
    Wal,
}

impl StatementOrder {
    /// All of them.
    pub const ALL: [Self; 7] = [Self::Total, Self::Mean, Self::Calls, Self::Rows, Self::Read, Self::Temp, Self::Wal];

    /// Its name in `statements.sql`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Total => "total",
            Self::Mean => "mean",
            Self::Calls => "calls",
            Self::Rows => "rows",
            Self::Read => "read",
            Self::Temp => "temp",
            Self::Wal => "wal",
        }
    }
}

/// The identity of an entry, as `pg_stat_statements` itself tells entries apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EntryKey {
    /// OID of the role that ran it.
    pub user: u32,
    /// OID of the database.
    pub database: u32,
    /// `queryid`.
    pub query: i64,
    /// False for a statement inside a function; always true before 1.9 of the extension.
    pub toplevel: bool,
}

/// One entry. Times are in milliseconds, blocks in the server's block size; what this version of the extension does not
/// count is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    /// Which.
    pub key: EntryKey,
    /// Calls that ended.
    pub calls: i64,
    /// Rows returned or changed.
    pub rows: i64,
    /// Execution time in all.
    pub total_ms: f64,
    /// The shortest call.
    pub min_ms: f64,
    /// The longest call.
    pub max_ms: f64,
    /// Population standard deviation of the calls.
    pub stddev_ms: f64,
    /// Planning time in all; zero while `pg_stat_statements.track_planning` is off.
    pub plan_ms: Option<f64>,
    /// Shared and local blocks found in the buffers.
    pub hit: i64,
    /// Shared and local blocks that were not.
    pub read: i64,
    /// Shared and local blocks dirtied.
    pub dirtied: i64,
    /// Shared and local blocks that the statement itself had to write.
    pub written: i64,
    /// Temporary blocks read and written.
    pub temp: i64,
    /// Time of reading blocks; zero while `track_io_timing` is off.
    pub read_ms: f64,
    /// Time of writing blocks.
    pub write_ms: f64,
    /// Bytes of WAL, since 1.8.
    pub wal_bytes: Option<f64>,
    /// Full-page images in it, since 1.8.
    pub wal_fpi: Option<i64>,
    /// Time of JIT compilation, since 1.10.
    pub jit_ms: Option<f64>,
    /// Since when it is counted, in seconds since the epoch, since 1.11.
    pub since: Option<f64>,
    /// Since when the shortest and the longest call are, since 1.11.
    pub minmax_since: Option<f64>,
}

impl Statement {
    /// Execution time of one call in milliseconds.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a count, to divide by")]
    pub fn mean_ms(&self) -> Option<f64> {
        (self.calls > 0).then(|| self.total_ms / self.calls as f64)
    }

    /// Share of blocks that were found in the buffers, 0 to 1.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts of blocks, as a share")]
    pub fn hit_ratio(&self) -> Option<f64> {
        let all = self.hit + self.read;
        (all > 0).then(|| self.hit as f64 / all as f64)
    }
}

/// The text of a statement, which is sent once for each `queryid`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StatementText {
    /// `queryid`.
    pub query: i64,
    /// The text, constants replaced by `$n`.
    pub text: ServerText,
    /// Only the beginning: it is longer than what is read.
    pub cut: bool,
    /// One of this console's own.
    pub own: bool,
}

/// Counters over all entries, those that were not sent included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct StatementTotals {
    /// Entries.
    pub entries: i64,
    /// Calls.
    pub calls: i64,
    /// Execution time in milliseconds.
    pub total_ms: f64,
}

/// What `pg_stat_statements_info` says, since 1.9.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StatementsInfo {
    /// How often entries were thrown out since the server's start, because there was no room for new ones.
    pub dealloc: i64,
    /// When all counters were last reset, exact to the microsecond.
    pub reset: Option<String>,
    /// Seconds since then.
    pub reset_s: Option<f64>,
}

/// All that one look at `pg_stat_statements` tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Statements {
    /// The database whose view was read; its entries are those of all databases.
    pub database: ServerText,
    /// OID of that database.
    pub database_oid: u32,
    /// OID of our role.
    pub user_oid: u32,
    /// Version of the extension in that database, such as `1.10`.
    pub extension: String,
    /// When, by the server's clock, in seconds since the epoch.
    pub at_s: f64,
    /// Ranked by.
    pub order: StatementOrder,
    /// The entries that our role may tell apart, at most as many as are asked for.
    pub entries: Vec<Statement>,
    /// All entries.
    pub all: StatementTotals,
    /// Those of other roles that our role may not tell apart.
    pub hidden: StatementTotals,
    /// Evictions and the last reset.
    pub info: Option<StatementsInfo>,
    /// `pg_stat_statements.max`.
    pub max: Option<i64>,
    /// `pg_stat_statements.track`: `top`, `all` or `none`.
    pub track: String,
    /// `track_io_timing`.
    pub io_timing: bool,
    /// `pg_stat_statements.track_planning`.
    pub planning: bool,
    /// Bytes of a block.
    pub block_size: i64,
    /// Names of the roles that the entries name.
    pub users: BTreeMap<u32, ServerText>,
    /// Names of the databases that the entries name.
    pub databases: BTreeMap<u32, ServerText>,
    /// Texts that were not sent on this connection before.
    pub texts: Vec<StatementText>,
    /// Why there are no texts.
    pub texts_error: Option<ProbeError>,
}
