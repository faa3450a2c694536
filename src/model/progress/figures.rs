//! What PostgreSQL tells of each kind of work, under its own names: the columns of the `pg_stat_progress_…` views. What a
//! version does not have is none.

use serde::{Deserialize, Serialize};

/// `pg_stat_progress_vacuum`, beside its phase. Its columns changed in 17 and in 18.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Vacuum {
    /// Blocks of the heap.
    pub heap_blks_total: i64,
    /// Of them scanned, also those that were skipped.
    pub heap_blks_scanned: i64,
    /// Of them vacuumed in this pass: it runs ahead over blocks without dead rows.
    pub heap_blks_vacuumed: i64,
    /// Passes over the indexes that ended.
    pub index_vacuum_count: i64,
    /// How many dead rows fit before a pass over the indexes is due (before 17).
    pub max_dead_tuples: Option<i64>,
    /// How many were collected since the last pass (before 17).
    pub num_dead_tuples: Option<i64>,
    /// The same in bytes (17 and later).
    pub max_dead_tuple_bytes: Option<i64>,
    /// Collected since the last pass, in bytes (17 and later).
    pub dead_tuple_bytes: Option<i64>,
    /// Collected since the last pass (17 and later).
    pub num_dead_item_ids: Option<i64>,
    /// Indexes of this pass (17 and later).
    pub indexes_total: Option<i64>,
    /// Of them done (17 and later).
    pub indexes_processed: Option<i64>,
    /// Milliseconds slept for its cost delay (18 and later, and only with `track_cost_delay_timing`).
    pub delay_time: Option<f64>,
}

/// `pg_stat_progress_analyze`, beside its phase.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Analyze {
    /// Blocks to be sampled.
    pub sample_blks_total: i64,
    /// Of them read.
    pub sample_blks_scanned: i64,
    /// Extended statistics to be computed.
    pub ext_stats_total: i64,
    /// Of them done.
    pub ext_stats_computed: i64,
    /// Child tables to be sampled.
    pub child_tables_total: i64,
    /// Of them done.
    pub child_tables_done: i64,
    /// Milliseconds slept for its cost delay (18 and later, and only with `track_cost_delay_timing`).
    pub delay_time: Option<f64>,
}

/// `pg_stat_progress_create_index`, beside its command and phase.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct IndexBuild {
    /// Transactions to be waited for.
    pub lockers_total: i64,
    /// Of them ended.
    pub lockers_done: i64,
    /// The one that it waits for now; 0 for none.
    pub current_locker_pid: i32,
    /// Blocks of this phase.
    pub blocks_total: i64,
    /// Of them done.
    pub blocks_done: i64,
    /// Rows of this phase.
    pub tuples_total: i64,
    /// Of them done.
    pub tuples_done: i64,
    /// Partitions that get the index.
    pub partitions_total: i64,
    /// Of them done.
    pub partitions_done: i64,
}

/// `pg_stat_progress_cluster` (CLUSTER and VACUUM FULL), beside its command and phase.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rewrite {
    /// Rows read.
    pub heap_tuples_scanned: i64,
    /// Rows written.
    pub heap_tuples_written: i64,
    /// Blocks of the heap, while it is read from end to end.
    pub heap_blks_total: i64,
    /// Of them read.
    pub heap_blks_scanned: i64,
    /// Indexes built again.
    pub index_rebuild_count: i64,
}

/// `pg_stat_progress_basebackup`, beside its phase.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Backup {
    /// Bytes in all as the server estimated them when it began; none where it was told not to.
    pub backup_total: Option<i64>,
    /// Of them sent.
    pub backup_streamed: i64,
    /// Tablespaces in all.
    pub tablespaces_total: i64,
    /// Of them sent.
    pub tablespaces_streamed: i64,
}

/// `pg_stat_progress_copy` (14 and later), beside its command.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Copy {
    /// FILE, PROGRAM, PIPE (a client) or CALLBACK.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Bytes read or written.
    pub bytes_processed: i64,
    /// Size of the file that is read; 0 for everything else.
    pub bytes_total: i64,
    /// Rows.
    pub tuples_processed: i64,
    /// Rows that a WHERE left out.
    pub tuples_excluded: i64,
    /// Rows that could not be read and were skipped (17 and later).
    pub tuples_skipped: Option<i64>,
}
