//! The result cache in a PostgreSQL table, read through SQL where no metric tells.

use serde::{Deserialize, Serialize};

use super::error::ProbeError;
use super::text::ServerText;

/// What can be known of the cache table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CacheTable {
    /// Name asked for.
    pub table: ServerText,
    /// Database it was looked for in.
    pub database: ServerText,
    /// Whether it is there and may be read.
    pub state: CacheState,
    /// Calls and rows of the look-up statement since `pg_stat_statements` was reset; a hit returns one row.
    pub lookups: Option<Lookups>,
    /// Why there are no look-ups, where there are none.
    #[serde(default)]
    pub lookups_error: Option<ProbeError>,
    /// The table itself, where there is one.
    #[serde(default)]
    pub target: Option<Box<CacheTarget>>,
}

/// The table: its identity, and what decides whether rows may be removed from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CacheTarget {
    /// OID.
    pub oid: u32,
    /// Schema.
    pub schema: ServerText,
    /// Name.
    pub name: ServerText,
    /// `relkind`: `r`, or `p` for a partitioned one.
    pub kind: char,
    /// The server's clock when it was looked at, as text: what had expired by then was counted.
    pub clock: String,
    /// Our role has SELECT, UPDATE and DELETE on it.
    pub may_remove: bool,
    /// Its own triggers that run for what is deleted.
    pub triggers: i64,
    /// Foreign keys that refer to it.
    pub references: i64,
    /// Row-level security hides rows from our role.
    pub row_security: bool,
}

/// Whether the table can be read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum CacheState {
    /// There is no such table here: normal where the cache lives in the service's memory.
    NoTable,
    /// It is there, and our role may not read it.
    Denied {
        /// The `GRANT` that cures it.
        cure: String,
        /// Its size in bytes, which needs no right.
        bytes: Option<i64>,
    },
    /// Unlogged tables cannot be read on a standby.
    UnloggedOnStandby,
    /// It could be read.
    Read(CacheContents),
}

/// What is in it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CacheContents {
    /// Entries.
    pub rows: i64,
    /// Of them expired and not yet removed.
    pub expired: i64,
    /// `pg_total_relation_size`, none where it is locked.
    pub bytes: Option<i64>,
    /// By view, most entries first.
    pub views: Vec<CacheView>,
    /// True where only a part was counted.
    pub sampled: bool,
}

/// Entries of one view (the second part of the key).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CacheView {
    /// Its name.
    pub view: ServerText,
    /// Entries.
    pub rows: i64,
    /// Of them expired.
    pub expired: i64,
    /// Bytes of the values.
    pub bytes: i64,
}

/// Counters of the look-up statement.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Lookups {
    /// Look-ups.
    pub calls: i64,
    /// Rows found: hits.
    pub rows: i64,
    /// Statements that the server hid from our role: look-ups may be among them.
    pub hidden: i64,
}
