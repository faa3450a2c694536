//! Tables: dead rows, bloat, vacuum and freeze status, per table and per database.

use serde::{Deserialize, Serialize};

use super::text::ServerText;

/// A table's identity: its OID within one database.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RelationKey {
    /// Database that holds it.
    pub database: ServerText,
    /// Its OID.
    pub oid: u32,
}

/// By what the server ranks tables before it cuts the list: a top list ordered here after a cut there would be false.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RelationOrder {
    /// Most dead rows first.
    #[default]
    Dead,
    /// Highest ratio of dead rows first (tables with at least 1000 dead rows before the others).
    DeadRatio,
    /// Largest first (`relpages`).
    Size,
    /// Nearest to or furthest over its autovacuum threshold first.
    Threshold,
    /// Oldest `relfrozenxid` first.
    FreezeAge,
    /// Most changed rows since the last analyze first.
    Modified,
    /// Most rows read by sequential scans since the statistics began first.
    Scanned,
    /// By name.
    Name,
}

impl RelationOrder {
    /// All of them, in the order of the picker.
    pub const ALL: [Self; 8] = [
        Self::Dead,
        Self::DeadRatio,
        Self::Size,
        Self::Threshold,
        Self::FreezeAge,
        Self::Modified,
        Self::Scanned,
        Self::Name,
    ];
}

/// An estimate of wasted space from `pg_class` and `pg_stats`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BloatEstimate {
    /// Bytes of the heap, from `relpages`.
    pub real_bytes: i64,
    /// Bytes that a fresh copy would not need.
    pub wasted_bytes: i64,
    /// False where some columns have no statistics for us: the estimate then misses their width.
    pub complete: bool,
}

/// One ordinary table, materialized view or TOAST table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Relation {
    /// OID.
    pub oid: u32,
    /// Schema.
    pub schema: ServerText,
    /// Name.
    pub name: ServerText,
    /// `relkind`: r, m or t.
    pub kind: char,
    /// For a TOAST table, the name of its table where it is known.
    pub toast_of: Option<ServerText>,
    /// Bytes by `relpages`, as old as the last vacuum or analyze.
    pub bytes: i64,
    /// `reltuples`; none where it was never counted.
    pub tuples: Option<f64>,
    /// `n_live_tup`, which may be double counted after a bulk load.
    pub live: i64,
    /// `n_dead_tup`.
    pub dead: i64,
    /// Rows changed since the last analyze.
    pub modified: i64,
    /// Rows inserted since the last vacuum.
    pub inserted: i64,
    /// Seconds since the last manual vacuum.
    pub vacuum_s: Option<f64>,
    /// Seconds since the last autovacuum.
    pub autovacuum_s: Option<f64>,
    /// Seconds since the last manual analyze.
    pub analyze_s: Option<f64>,
    /// Seconds since the last autoanalyze.
    pub autoanalyze_s: Option<f64>,
    /// Sequential scans since the statistics were reset.
    pub seq_scan: i64,
    /// Rows read by them.
    pub seq_rows: i64,
    /// Index scans.
    pub idx_scan: i64,
    /// False where `autovacuum_enabled` is off for this table.
    pub autovacuum_on: bool,
    /// Dead rows at which autovacuum starts, by PostgreSQL's own formula.
    pub vacuum_threshold: f64,
    /// Inserted rows at which it starts; none where that is turned off.
    pub insert_threshold: Option<f64>,
    /// Changed rows at which autoanalyze starts.
    pub analyze_threshold: f64,
    /// `age(relfrozenxid)`.
    pub xid_age: Option<i64>,
    /// `mxid_age(relminmxid)`.
    pub mxid_age: Option<i64>,
    /// Age at which an anti-wraparound vacuum is forced.
    pub freeze_max_age: i64,
    /// Estimated waste, where it can be estimated.
    pub bloat: Option<BloatEstimate>,
    /// True while somebody holds or awaits `AccessExclusiveLock` on it: to read its files would wait.
    pub locked: bool,
    /// Who keeps every vacuum out of it now.
    #[serde(default)]
    pub barred: Option<Barrier>,
    /// Whose it is, and what our role may do to it.
    #[serde(default)]
    pub rights: Option<TableRights>,
    /// How many indexes it has.
    #[serde(default)]
    pub indexes: i64,
    /// Their bytes by `relpages`.
    #[serde(default)]
    pub index_bytes: i64,
}

/// A lock that is held on a table and shuts vacuum out, which takes `ShareUpdateExclusiveLock`: that or a stronger one, by
/// somebody who does not vacuum the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Barrier {
    /// Whose lock it is, the leader's of a parallel build; none for a prepared transaction, which has no session.
    pub pid: Option<i32>,
    /// Its `mode`.
    pub mode: String,
    /// How many others hold such a lock beside it.
    pub others: i64,
}

impl Barrier {
    /// `4711`, `4711 and 2 others`, `a prepared transaction`.
    #[must_use]
    pub fn who(&self) -> String {
        let first = self.pid.map_or_else(|| "a prepared transaction".to_owned(), |pid| pid.to_string());
        match self.others {
            n if n <= 0 => first,
            1 => format!("{first} and 1 other"),
            n => format!("{first} and {n} others"),
        }
    }
}

/// What our role may do to a table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableRights {
    /// Its owner.
    pub owner: ServerText,
    /// True where that is a superuser.
    pub owner_is_superuser: bool,
    /// VACUUM and ANALYZE: the owner's rights or the database's owner's, or `MAINTAIN` (17 and later).
    pub vacuum: bool,
    /// REINDEX: the owner's rights, or `MAINTAIN` (17 and later).
    pub reindex: bool,
}

/// The database that a list of tables is of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseRights {
    /// Its OID.
    pub oid: u32,
    /// Whether our role may vacuum every table of it: its owner's rights, or `pg_maintain` (17 and later).
    pub vacuum: bool,
}

impl Relation {
    /// Its heap in bytes, as old as the last vacuum or analyze; none before the first, when `relpages` is 0 whatever the
    /// table holds.
    #[must_use]
    pub fn size(&self) -> Option<i64> {
        let times = [self.vacuum_s, self.autovacuum_s, self.analyze_s, self.autoanalyze_s];
        let never = self.bytes == 0 && self.tuples.is_none() && times.iter().all(Option::is_none);
        (!never).then_some(self.bytes)
    }

    /// Dead rows as a share of all rows, 0 to 1; none where there are no rows.
    #[must_use]
    pub fn dead_ratio(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "a ratio of row counts")]
        let (dead, live) = (self.dead as f64, self.live as f64);
        (dead + live > 0.0).then(|| dead / (dead + live))
    }

    /// How long ago the last vacuum ended, whoever sent it, in seconds.
    #[must_use]
    pub fn last_vacuum_s(&self) -> Option<f64> {
        [self.vacuum_s, self.autovacuum_s].into_iter().flatten().reduce(f64::min)
    }

    /// Dead rows over the autovacuum threshold: 1 and more means that a vacuum is due.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a ratio of row counts")]
    pub fn vacuum_due(&self) -> f64 {
        if self.vacuum_threshold > 0.0 { self.dead as f64 / self.vacuum_threshold } else { 0.0 }
    }
}

/// A vacuum that runs now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VacuumProgress {
    /// Who runs it.
    pub pid: i32,
    /// In which database.
    pub database: ServerText,
    /// On which table.
    pub oid: u32,
    /// `phase`.
    pub phase: String,
    /// `heap_blks_total`.
    pub blocks: i64,
    /// `heap_blks_scanned`.
    pub scanned: i64,
    /// `heap_blks_vacuumed`.
    pub vacuumed: i64,
    /// `index_vacuum_count`: more than one means that maintenance memory was too small.
    pub index_passes: i64,
    /// True for an autovacuum worker.
    pub auto: bool,
    /// True if it prevents wraparound.
    pub wraparound: bool,
    /// Seconds that it has run.
    pub running_s: Option<f64>,
}

/// Totals of one database.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DatabaseTotals {
    /// Its name.
    pub name: ServerText,
    /// `pg_database_size`; none where the role may not ask.
    pub bytes: Option<i64>,
    /// Backends in it.
    pub backends: i64,
    /// `age(datfrozenxid)`.
    pub xid_age: i64,
    /// `mxid_age(datminmxid)`.
    pub mxid_age: i64,
    /// `autovacuum_freeze_max_age`.
    #[serde(default)]
    pub xid_forced_at: Option<i64>,
    /// `autovacuum_multixact_freeze_max_age`.
    #[serde(default)]
    pub mxid_forced_at: Option<i64>,
    /// Deadlocks since the statistics were reset.
    pub deadlocks: i64,
    /// Bytes spilled to temporary files.
    pub temp_bytes: i64,
    /// True where new connections are allowed.
    pub connectable: bool,
}

/// The tables of one database at one moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Relations {
    /// The database that the rows belong to.
    pub database: ServerText,
    /// Its OID, and what our role may do to all of it.
    #[serde(default)]
    pub whole: Option<DatabaseRights>,
    /// By what the server ranked them.
    pub order: RelationOrder,
    /// The first of them.
    pub rows: Vec<Relation>,
    /// Those with the most dead rows, where the rows are ranked by something else; empty where they are these.
    #[serde(default)]
    pub dead: Vec<Relation>,
    /// Others than the fullest, of which sequential scans read most since the statistics began: large ones, at most 50. What is
    /// looked for would else miss a table that is only read.
    #[serde(default)]
    pub scanned: Vec<Relation>,
    /// How many there are in all.
    pub total: i64,
    /// Tables over 1 MB among the rows whose bloat cannot be estimated: their column statistics are hidden or missing.
    pub not_estimable: i64,
    /// Vacuums that run now, in any database that we may see.
    pub vacuums: Vec<VacuumProgress>,
    /// Totals of every database.
    pub databases: Vec<DatabaseTotals>,
    /// True on a standby: its statistics are its own, so dead rows and vacuum times are not known there.
    pub in_recovery: bool,
    /// `autovacuum` is on for the server, and so is `track_counts`, without which it does not run.
    pub autovacuum: bool,
    /// `track_counts` is on: dead rows, scans, deadlocks and temporary files are counted.
    #[serde(default = "counted")]
    pub counted: bool,
    /// `autovacuum_max_workers`.
    pub autovacuum_workers: i64,
}

impl Relations {
    /// The tables with the most dead rows, however the rows are ranked: what is found must not depend on that.
    #[must_use]
    pub fn fullest(&self) -> &[Relation] {
        if self.dead.is_empty() { &self.rows } else { &self.dead }
    }

    /// The table of that OID, in the list or beside it.
    #[must_use]
    pub fn find(&self, oid: u32) -> Option<&Relation> {
        self.rows.iter().chain(&self.dead).chain(&self.scanned).find(|r| r.oid == oid)
    }

    /// Those that the order of the list has cut away, and which were read for what is looked for.
    pub fn beside(&self) -> impl Iterator<Item = &Relation> {
        self.dead.iter().chain(&self.scanned).filter(|r| self.rows.iter().all(|row| row.oid != r.oid))
    }

    /// True where the list was not cut.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        i64::try_from(self.rows.len()).is_ok_and(|rows| rows >= self.total)
    }

    /// All tables that are judged: the fullest, and those of which sequential scans read most.
    pub fn read(&self) -> impl Iterator<Item = &Relation> {
        self.fullest().iter().chain(&self.scanned)
    }
}

fn counted() -> bool {
    true
}

/// Exact figures of one table from `pgstattuple_approx`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExactBloat {
    /// Which table.
    pub key: RelationKey,
    /// Its heap in bytes.
    pub table_bytes: i64,
    /// How much of it was read, in percent.
    pub scanned_percent: f64,
    /// Bytes of dead rows.
    pub dead_bytes: i64,
    /// Dead rows.
    pub dead: i64,
    /// Free bytes.
    pub free_bytes: i64,
    /// Free share in percent.
    pub free_percent: f64,
}
