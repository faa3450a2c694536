//! 5 Tables: dead rows, estimated and exact bloat, vacuum, analyze and freeze status of one database's tables.

use super::text_key;
use crate::model::relation::{
    BloatEstimate, ExactBloat, Relation, RelationKey, RelationOrder, Relations, VacuumProgress,
};
use crate::model::unit::{Age, Bytes, short_count};
use crate::model::{ServerText, Timestamp, Tone, World};
use crate::table::{Cell, Column, Direction, Measure, Row, SortKey, Width};

/// A table with what is known of it beside the list.
#[derive(Debug, Clone, PartialEq)]
pub struct TableRow {
    /// The table.
    pub relation: Relation,
    /// Its database.
    pub database: ServerText,
    /// Exact figures, where they were asked for.
    pub exact: Option<ExactBloat>,
    /// Seconds since they were measured.
    pub exact_s: Option<f64>,
    /// The vacuum that runs on it.
    pub vacuum: Option<VacuumProgress>,
    /// On a standby dead rows and vacuum times are not known.
    pub in_recovery: bool,
}

impl Row for TableRow {
    type Key = RelationKey;

    fn key(&self) -> RelationKey {
        RelationKey { database: self.database.clone(), oid: self.relation.oid }
    }
}

impl TableRow {
    /// All tables of the list.
    #[must_use]
    pub fn all(relations: &Relations, world: &World, now: Timestamp) -> Vec<Self> {
        Self::of(relations.rows.iter(), relations, world, now)
    }

    /// Those beside the list, which findings are about, too.
    #[must_use]
    pub fn beside(relations: &Relations, world: &World, now: Timestamp) -> Vec<Self> {
        Self::of(relations.beside(), relations, world, now)
    }

    fn of<'a>(rows: impl Iterator<Item = &'a Relation>, all: &Relations, world: &World, now: Timestamp) -> Vec<Self> {
        let measured = |relation: &Relation| {
            world.exact.get(&relation.oid).filter(|(key, _)| key.database == all.database).map(|(_, latest)| latest)
        };
        rows.map(|relation| Self {
            database: all.database.clone(),
            exact: measured(relation).and_then(|latest| latest.get().cloned()),
            exact_s: measured(relation).and_then(|latest| latest.age_s(now)),
            vacuum: all.vacuums.iter().find(|v| v.oid == relation.oid && v.database == all.database).cloned(),
            in_recovery: all.in_recovery,
            relation: relation.clone(),
        })
        .collect()
    }

    /// `schema.name`, the schema left out for `public`.
    #[must_use]
    pub fn full_name(&self) -> String {
        let r = &self.relation;
        match &r.toast_of {
            Some(of) => format!("TOAST of {}", of.head(80)),
            None if r.schema.raw() == "public" => r.name.head(80),
            None => format!("{}.{}", r.schema.head(63), r.name.head(80)),
        }
    }

    /// How loud the row is.
    #[must_use]
    pub fn tone(&self) -> Tone {
        let r = &self.relation;
        let freeze = freeze_share(r).unwrap_or(0.0);
        if freeze >= 1.5 {
            Tone::Critical
        } else if r.dead >= 10_000 && r.dead_ratio().is_some_and(|d| d >= 0.5) {
            Tone::Warning
        } else if (r.vacuum_due() >= 1.0 && r.dead >= 1000) || freeze >= 1.0 || !r.autovacuum_on {
            Tone::Notice
        } else {
            Tone::Plain
        }
    }

    /// True where the heap has another size than when it was measured: what was a share of it then is none of it now.
    #[must_use]
    pub fn outgrew(&self, exact: &ExactBloat) -> bool {
        self.relation.size().is_some_and(|now| now.abs_diff(exact.table_bytes) > exact.table_bytes.unsigned_abs() / 20)
    }

    fn exact_cell(&self) -> Cell {
        let Some(e) = &self.exact else { return Cell::none() };
        let free = Bytes(e.free_bytes + e.dead_bytes).short();
        let age = self.exact_s.map_or_else(String::new, |s| format!(" {}", Age(s).short()));
        if self.outgrew(e) {
            return Cell::toned(format!("{free} of {}{age}", Bytes(e.table_bytes).short()), Tone::Faint);
        }
        Cell::plain(format!("{free} {:.0}%{age}", exact_share(e) * 100.0))
    }

    fn known(&self) -> Option<&Relation> {
        (!self.in_recovery).then_some(&self.relation)
    }

    fn vacuum_cell(&self) -> Cell {
        if let Some(v) = &self.vacuum {
            let phase = ServerText::from(short_phase(&v.phase)).head(16);
            return Cell::toned(format!("{} {phase}", progress_percent(v)), Tone::Good);
        }
        let r = &self.relation;
        if !r.autovacuum_on {
            return Cell::toned("autovac. off", Tone::Notice);
        }
        newest(r.vacuum_s, r.autovacuum_s)
    }
}

/// How far the heap was scanned.
#[must_use]
pub fn progress_percent(v: &VacuumProgress) -> String {
    if v.blocks <= 0 {
        return "0%".to_owned();
    }
    #[expect(clippy::cast_precision_loss, reason = "a share of blocks, shown in whole percents")]
    let share = v.scanned.max(v.vacuumed) as f64 / v.blocks as f64;
    format!("{:.0}%", (share * 100.0).clamp(0.0, 100.0))
}

fn short_phase(phase: &str) -> &str {
    phase.split(' ').next().unwrap_or(phase)
}

/// `age(relfrozenxid)` as a share of `autovacuum_freeze_max_age`: at 1 an anti-wraparound vacuum is forced.
#[must_use]
pub fn freeze_share(r: &Relation) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "a share of transaction ages")]
    let share = r.xid_age.map(|age| age as f64 / r.freeze_max_age.max(1) as f64);
    share
}

fn newest(manual: Option<f64>, auto: Option<f64>) -> Cell {
    match (manual, auto) {
        (Some(m), Some(a)) if a < m => Cell::toned(format!("{} auto", Age(a).short()), Tone::Faint),
        (Some(m), _) => Cell::toned(Age(m).short(), Tone::Faint),
        (None, Some(a)) => Cell::toned(format!("{} auto", Age(a).short()), Tone::Faint),
        (None, None) => Cell::toned("never", Tone::Faint),
    }
}

fn newest_key(manual: Option<f64>, auto: Option<f64>) -> SortKey {
    match (manual, auto) {
        (Some(m), Some(a)) => SortKey::Number(m.min(a)),
        (Some(s), None) | (None, Some(s)) => SortKey::Number(s),
        // Never is older than everything.
        (None, None) => SortKey::Number(f64::INFINITY),
    }
}

fn percent(share: Option<f64>, tone: Tone) -> Cell {
    share.map_or_else(Cell::none, |s| Cell::toned(format!("{:.0}%", s * 100.0), tone))
}

#[expect(clippy::cast_precision_loss, reason = "row counts and bytes, to sort by")]
fn figure(n: i64) -> f64 {
    n as f64
}

/// The server's ranking that a column asks for, so that the list that the server cut is a true top list.
#[must_use]
pub fn order_of(column: &str) -> RelationOrder {
    match column {
        "dead_ratio" => RelationOrder::DeadRatio,
        "size" | "bloat" | "exact" => RelationOrder::Size,
        "due" => RelationOrder::Threshold,
        "freeze" => RelationOrder::FreezeAge,
        "changed" | "analyzed" => RelationOrder::Modified,
        "seq_scan" | "seq_rows" => RelationOrder::Scanned,
        "table" => RelationOrder::Name,
        _ => RelationOrder::Dead,
    }
}

/// Columns of Tables.
pub const COLUMNS: &[Column<TableRow>] = &[
    Column {
        name: "table",
        title: "table",
        doc: "schema and name; the schema is left out for public",
        width: Width::Rest(17),
        cell: |r| {
            let lock = if r.relation.locked { " (locked)" } else { "" };
            Cell::toned(format!("{}{lock}", r.full_name()), r.tone())
        },
        key: |r| SortKey::Text(format!("{}.{}", r.relation.schema.raw(), r.relation.name.raw())),
        ..Column::TEXT
    },
    Column {
        name: "size",
        title: "size",
        doc: "heap by relpages, as old as the last vacuum or analyze; ? before the first",
        width: Width::Fixed(7),
        rank: 1,
        cell: |r| r.relation.size().map_or_else(|| Cell::toned("?", Tone::Faint), |b| Cell::plain(Bytes(b).short())),
        key: |r| SortKey::number(r.relation.size().map(figure)),
        measure: Measure::Bytes,
        ..Column::FIGURE
    },
    Column {
        name: "dead",
        title: "dead",
        doc: "n_dead_tup",
        width: Width::Fixed(5),
        cell: |r| r.known().map_or_else(Cell::none, |k| Cell::toned(short_count(figure(k.dead)), r.tone())),
        key: |r| SortKey::number(r.known().map(|k| figure(k.dead))),
        ..Column::FIGURE
    },
    Column {
        name: "dead_ratio",
        title: "dead%",
        doc: "dead rows as a share of all rows: not bloat, but what vacuum can free",
        width: Width::Fixed(5),
        cell: |r| percent(r.known().and_then(Relation::dead_ratio), r.tone()),
        key: |r| SortKey::number(r.known().and_then(Relation::dead_ratio)),
        measure: Measure::Share,
        ..Column::FIGURE
    },
    Column {
        name: "due",
        title: "due",
        doc: "dead rows as a share of the autovacuum threshold: at 100% a vacuum is due",
        width: Width::Fixed(6),
        rank: 2,
        cell: |r| {
            percent(
                r.known().map(Relation::vacuum_due),
                if r.relation.vacuum_due() >= 1.0 { r.tone() } else { Tone::Plain },
            )
        },
        key: |r| SortKey::number(r.known().map(Relation::vacuum_due)),
        measure: Measure::Share,
        ..Column::FIGURE
    },
    Column {
        name: "bloat",
        title: "bloat est.",
        doc: "wasted heap, estimated from pg_class and pg_stats; ~ where column statistics are incomplete",
        width: Width::Fixed(12),
        rank: 3,
        cell: |r| match r.relation.bloat {
            Some(b) => {
                let about = if b.complete { "" } else { "~" };
                Cell::plain(format!("{about}{} {:.0}%", Bytes(b.wasted_bytes).short(), bloat_share(&b) * 100.0))
            }
            None => Cell::none(),
        },
        key: |r| SortKey::number(r.relation.bloat.map(|b| figure(b.wasted_bytes))),
        share: Some(|r| SortKey::number(r.relation.bloat.as_ref().map(bloat_share))),
        measure: Measure::Bytes,
        ..Column::FIGURE
    },
    Column {
        name: "exact",
        title: "exact free",
        doc: "free space and dead rows by pgstattuple_approx, where it was asked for, and how long ago; of what size where \
              that was another",
        width: Width::Fit(0, 20),
        rank: 3,
        cell: TableRow::exact_cell,
        key: |r| SortKey::number(r.exact.as_ref().map(|e| figure(e.free_bytes + e.dead_bytes))),
        share: Some(|r| SortKey::number(r.exact.as_ref().filter(|e| !r.outgrew(e)).map(exact_share))),
        measure: Measure::Bytes,
        ..Column::FIGURE
    },
    Column {
        name: "vacuumed",
        title: "vacuumed",
        doc: "since the last vacuum, manual or auto; progress while one runs",
        width: Width::Fixed(13),
        rank: 2,
        first: Direction::Descending,
        cell: |r| if r.in_recovery { Cell::none() } else { r.vacuum_cell() },
        key: |r| r.known().map_or(SortKey::Unknown, |k| newest_key(k.vacuum_s, k.autovacuum_s)),
        measure: Measure::Seconds,
        ..Column::TEXT
    },
    Column {
        name: "analyzed",
        title: "analyzed",
        doc: "since the last analyze, manual or auto",
        width: Width::Fixed(9),
        rank: 4,
        first: Direction::Descending,
        cell: |r| if r.in_recovery { Cell::none() } else { newest(r.relation.analyze_s, r.relation.autoanalyze_s) },
        key: |r| r.known().map_or(SortKey::Unknown, |k| newest_key(k.analyze_s, k.autoanalyze_s)),
        measure: Measure::Seconds,
        ..Column::TEXT
    },
    Column {
        name: "changed",
        title: "changed",
        doc: "rows changed since the last analyze",
        width: Width::Fixed(7),
        rank: 5,
        cell: |r| r.known().map_or_else(Cell::none, |k| Cell::plain(short_count(figure(k.modified)))),
        key: |r| SortKey::number(r.known().map(|k| figure(k.modified))),
        ..Column::FIGURE
    },
    Column {
        name: "freeze",
        title: "freeze",
        doc: "age of relfrozenxid as a share of autovacuum_freeze_max_age: at 100% a vacuum is forced",
        width: Width::Fixed(6),
        rank: 4,
        cell: |r| {
            let share = freeze_share(&r.relation);
            percent(share, if share.is_some_and(|s| s >= 1.0) { r.tone() } else { Tone::Plain })
        },
        key: |r| SortKey::number(freeze_share(&r.relation)),
        measure: Measure::Share,
        ..Column::FIGURE
    },
    Column {
        name: "rows",
        title: "rows",
        doc: "reltuples; empty where never counted",
        width: Width::Fixed(5),
        rank: 5,
        cell: |r| r.relation.tuples.map_or_else(Cell::none, |t| Cell::plain(short_count(t))),
        key: |r| SortKey::number(r.relation.tuples),
        ..Column::FIGURE
    },
    Column {
        name: "seq_scan",
        title: "seq",
        doc: "sequential scans since the statistics were reset",
        width: Width::Fixed(5),
        rank: 6,
        cell: |r| Cell::plain(short_count(figure(r.relation.seq_scan))),
        key: |r| SortKey::Number(figure(r.relation.seq_scan)),
        ..Column::FIGURE
    },
    Column {
        name: "seq_rows",
        title: "seq rows",
        doc: "rows that sequential scans read since the statistics were reset; those of a large table often in vain",
        width: Width::Fixed(8),
        rank: 7,
        cell: |r| Cell::plain(short_count(figure(r.relation.seq_rows))),
        key: |r| SortKey::Number(figure(r.relation.seq_rows)),
        ..Column::FIGURE
    },
    Column {
        name: "idx_scan",
        title: "idx",
        doc: "index scans since the statistics were reset",
        width: Width::Fixed(5),
        rank: 6,
        cell: |r| Cell::plain(short_count(figure(r.relation.idx_scan))),
        key: |r| SortKey::Number(figure(r.relation.idx_scan)),
        ..Column::FIGURE
    },
];

/// The estimated waste as a share of the heap.
fn bloat_share(b: &BloatEstimate) -> f64 {
    if b.real_bytes > 0 { figure(b.wasted_bytes) / figure(b.real_bytes) } else { 0.0 }
}

/// Free space and dead rows as a share of the heap.
#[must_use]
pub fn exact_share(e: &ExactBloat) -> f64 {
    if e.table_bytes > 0 { figure(e.free_bytes + e.dead_bytes) / figure(e.table_bytes) } else { 0.0 }
}

/// The raw name, to copy.
#[must_use]
pub fn raw_name(row: &TableRow) -> String {
    format!("{}.{}", row.relation.schema.raw(), row.relation.name.raw())
}

/// True where the row can be found by that text; used by tests.
#[must_use]
pub fn named(row: &TableRow, name: &str) -> bool {
    text_key(Some(&row.relation.name)) == SortKey::Text(name.to_owned())
}
