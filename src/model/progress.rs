//! Work that tells how far it is: vacuum, analyze, index builds, rewrites, base backups and copies of the whole server.
//!
//! A share is given only where the server tells both parts of it, and is one of the phase: no phase tells of the next.

pub mod figures;
pub mod pace;

use serde::{Deserialize, Serialize};

use super::Timestamp;
use super::session::{SessionKey, Wait};
use super::text::ServerText;
use figures::{Analyze, Backup, Copy, IndexBuild, Rewrite, Vacuum};
use pace::Pace;

/// What kind of work it is, and its figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Work {
    /// VACUUM.
    Vacuum(Vacuum),
    /// ANALYZE.
    Analyze(Analyze),
    /// CREATE INDEX, REINDEX.
    CreateIndex(IndexBuild),
    /// CLUSTER, VACUUM FULL.
    Cluster(Rewrite),
    /// A base backup.
    BaseBackup(Backup),
    /// COPY.
    Copy(Copy),
}

/// A relation that work is done on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// OID.
    pub oid: u32,
    /// True where it is one of the database that we are in: only those have a name here.
    pub here: bool,
    /// `schema.name`, the schema left out for `public`; none where it could not be looked up.
    pub name: Option<ServerText>,
}

/// In what something is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// Blocks of a relation.
    Blocks,
    /// Rows.
    Rows,
    /// Bytes.
    Bytes,
    /// Indexes, which are of any size.
    Indexes,
    /// Extended statistics.
    Statistics,
    /// Transactions that are waited for.
    Lockers,
}

impl Unit {
    /// True where one is as much work as the next, so that a share of them is one of the work.
    #[must_use]
    pub fn is_even(self) -> bool {
        match self {
            Self::Blocks | Self::Rows | Self::Bytes => true,
            Self::Indexes | Self::Statistics | Self::Lockers => false,
        }
    }
}

/// What counts up in a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measure {
    /// In what.
    pub unit: Unit,
    /// How much is done.
    pub done: i64,
    /// Of how much; none where the server does not tell.
    pub total: Option<i64>,
    /// The columns that it comes from.
    pub by: &'static str,
}

impl Measure {
    fn of(unit: Unit, done: i64, total: i64, by: &'static str) -> Option<Self> {
        (total > 0).then_some(Self { unit, done, total: Some(total), by })
    }

    fn open(unit: Unit, done: i64, by: &'static str) -> Option<Self> {
        (done > 0).then_some(Self { unit, done, total: None, by })
    }

    /// The share of the phase that is done, 0 to 1; none where what is counted is uneven, or has no end that is known.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a share, shown in whole percents")]
    pub fn share(&self) -> Option<f64> {
        let total = self.total.filter(|_| self.unit.is_even())?;
        Some((self.done as f64 / total as f64).clamp(0.0, 1.0))
    }
}

/// One backend at such work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Its pid.
    pub pid: i32,
    /// `backend_start`, as in the list of sessions; none where it is hidden.
    pub backend_start: Option<String>,
    /// Its database; none for a base backup.
    pub database: Option<ServerText>,
    /// The relation; none for a base backup, a COPY of a query, and where it is hidden.
    pub relation: Option<Place>,
    /// The index that is built, or that a CLUSTER follows.
    pub index: Option<Place>,
    /// The server's own word for what it runs, where it has one: `CREATE INDEX CONCURRENTLY`, `VACUUM FULL`, `COPY FROM`.
    pub command: Option<String>,
    /// The phase in the server's own words; a COPY has none.
    pub phase: Option<String>,
    /// The kind and its figures.
    pub work: Work,
    /// True where the server hides from our role what it does.
    pub hidden: bool,
    /// True for an autovacuum worker.
    pub auto: bool,
    /// True if it prevents wraparound.
    pub wraparound: bool,
    /// Seconds since its statement began; of an autovacuum worker since it began with this table.
    pub age_s: Option<f64>,
    /// What it waits for.
    pub wait: Option<Wait>,
    /// Pids that block it; 0 stands for a prepared transaction.
    pub blocked_by: Vec<i32>,
    /// How it went since it was first seen in this phase.
    #[serde(default)]
    pub pace: Option<Pace>,
}

impl Progress {
    /// The identity of its backend, which is at one such work at a time.
    #[must_use]
    pub fn key(&self) -> SessionKey {
        SessionKey { pid: self.pid, backend_start: self.backend_start.clone() }
    }

    /// What counts up in its phase, by the chapter "Progress Reporting" of PostgreSQL's documentation and, for which figure is
    /// of which phase of an index build, by `index_build`, `_bt_spools_heapscan` and `validate_index`.
    #[must_use]
    pub fn measure(&self) -> Option<Measure> {
        let phase = self.phase.as_deref().unwrap_or_default();
        match &self.work {
            Work::Vacuum(v) => match phase {
                "scanning heap" => Measure::of(
                    Unit::Blocks,
                    v.heap_blks_scanned,
                    v.heap_blks_total,
                    "heap_blks_scanned of heap_blks_total",
                ),
                "vacuuming heap" => Measure::of(
                    Unit::Blocks,
                    v.heap_blks_vacuumed,
                    v.heap_blks_total,
                    "heap_blks_vacuumed of heap_blks_total",
                ),
                "vacuuming indexes" | "cleaning up indexes" => Measure::of(
                    Unit::Indexes,
                    v.indexes_processed?,
                    v.indexes_total?,
                    "indexes_processed of indexes_total",
                ),
                _ => None,
            },
            Work::Analyze(a) => match phase {
                "acquiring sample rows" | "acquiring inherited sample rows" => Measure::of(
                    Unit::Blocks,
                    a.sample_blks_scanned,
                    a.sample_blks_total,
                    "sample_blks_scanned of sample_blks_total",
                ),
                "computing extended statistics" => Measure::of(
                    Unit::Statistics,
                    a.ext_stats_computed,
                    a.ext_stats_total,
                    "ext_stats_computed of ext_stats_total",
                ),
                _ => None,
            },
            Work::CreateIndex(i) => {
                let blocks = Measure::of(Unit::Blocks, i.blocks_done, i.blocks_total, "blocks_done of blocks_total");
                let rows = Measure::of(Unit::Rows, i.tuples_done, i.tuples_total, "tuples_done of tuples_total");
                if phase.starts_with("waiting for") {
                    Measure::of(Unit::Lockers, i.lockers_done, i.lockers_total, "lockers_done of lockers_total")
                } else if phase.contains("sorting") {
                    // The rows to come are known by then, and none of them counts up.
                    None
                } else if phase.contains("loading tuples") {
                    rows
                } else {
                    blocks.or(rows)
                }
            }
            Work::Cluster(c) => match phase {
                "seq scanning heap" => Measure::of(
                    Unit::Blocks,
                    c.heap_blks_scanned,
                    c.heap_blks_total,
                    "heap_blks_scanned of heap_blks_total",
                ),
                "index scanning heap" => Measure::open(Unit::Rows, c.heap_tuples_scanned, "heap_tuples_scanned"),
                // Dead rows were scanned, too: how many will be written is not known.
                "writing new heap" => Measure::open(Unit::Rows, c.heap_tuples_written, "heap_tuples_written"),
                "rebuilding index" => Measure::open(Unit::Indexes, c.index_rebuild_count, "index_rebuild_count"),
                _ => None,
            },
            Work::BaseBackup(b) => match (phase, b.backup_total) {
                ("streaming database files", Some(total)) => {
                    Measure::of(Unit::Bytes, b.backup_streamed, total, "backup_streamed of backup_total")
                }
                ("streaming database files", None) => Measure::open(Unit::Bytes, b.backup_streamed, "backup_streamed"),
                _ => None,
            },
            Work::Copy(c) => {
                Measure::of(Unit::Bytes, c.bytes_processed, c.bytes_total, "bytes_processed of bytes_total")
                    .or_else(|| Measure::open(Unit::Rows, c.tuples_processed, "tuples_processed"))
            }
        }
    }

    /// The transaction that an index build waits for now.
    #[must_use]
    pub fn locker(&self) -> Option<i32> {
        match &self.work {
            Work::CreateIndex(i) => Some(i.current_locker_pid).filter(|pid| *pid > 0),
            Work::Vacuum(_) | Work::Analyze(_) | Work::Cluster(_) | Work::BaseBackup(_) | Work::Copy(_) => None,
        }
    }

    /// True where a count of the one goes on in the other: the same work on the same relations in the same phase.
    fn continues(&self, before: &Self) -> bool {
        let passes = |p: &Self| match &p.work {
            Work::Vacuum(v) => v.index_vacuum_count,
            Work::CreateIndex(i) => i.partitions_done,
            Work::Analyze(a) => a.child_tables_done,
            Work::Cluster(_) | Work::BaseBackup(_) | Work::Copy(_) => 0,
        };
        let oids = |p: &Self| (p.relation.as_ref().map(|r| r.oid), p.index.as_ref().map(|i| i.oid));
        let unit = |p: &Self| p.measure().map(|m| m.unit);
        self.key() == before.key()
            && self.phase == before.phase
            && std::mem::discriminant(&self.work) == std::mem::discriminant(&before.work)
            && oids(self) == oids(before)
            && unit(self) == unit(before)
            && passes(self) == passes(before)
    }
}

/// All such work of the server at one moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Running {
    /// One row for each backend at it.
    pub rows: Vec<Progress>,
    /// How many the server hides from our role.
    pub hidden: usize,
}

impl Running {
    /// The same with how each went on since the answer before.
    #[must_use]
    pub fn after(mut self, before: Option<&Self>, at: Timestamp) -> Self {
        for row in &mut self.rows {
            let earlier = before.and_then(|b| b.rows.iter().find(|earlier| row.continues(earlier)));
            let pace = earlier.and_then(|earlier| earlier.pace);
            row.pace = row.measure().map(|m| Pace::after(pace, m.done, at));
        }
        self
    }
}

#[cfg(test)]
mod tests;
