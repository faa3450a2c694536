//! 5 Tables, its indexes: size, use, and what is wrong with each.

use super::{age_cell, text_cell, text_key};
use crate::model::index::{Fault, Index, IndexOrder, Indexes, Partitions};
use crate::model::relation::RelationKey;
use crate::model::unit::{Age, Bytes, short_count};
use crate::model::{ServerText, Tone};
use crate::table::{Cell, Column, Direction, Measure, Row, SortKey, Width};

/// An index with what its figures rest on.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexRow {
    /// The index.
    pub index: Index,
    /// Its database.
    pub database: ServerText,
    /// How its scans were counted.
    pub counting: Counting,
}

/// How scans were counted: what no scans are worth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Counting {
    /// Not at all: `track_counts` is off.
    Off,
    /// On this standby: the primary's are not known here.
    Standby,
    /// For so many seconds, which is too short to call an index unused.
    Young(f64),
    /// For so many seconds.
    Old(f64),
}

impl Counting {
    /// Of that answer; from `old_s` on no scans mean that it is unused.
    #[must_use]
    pub fn of(indexes: &Indexes, old_s: f64) -> Self {
        match indexes.counted_s {
            _ if !indexes.counted => Self::Off,
            _ if indexes.in_recovery => Self::Standby,
            seconds if seconds < old_s => Self::Young(seconds),
            seconds => Self::Old(seconds),
        }
    }
}

impl Row for IndexRow {
    type Key = RelationKey;

    fn key(&self) -> RelationKey {
        RelationKey { database: self.database.clone(), oid: self.index.oid }
    }
}

impl IndexRow {
    /// All indexes of the last answer; from `old_s` seconds of counting on no scans mean that one is unused.
    #[must_use]
    pub fn all(indexes: &Indexes, old_s: f64) -> Vec<Self> {
        let counting = Counting::of(indexes, old_s);
        let row = |index: &Index| Self { database: indexes.database.clone(), counting, index: index.clone() };
        indexes.rows.iter().map(row).collect()
    }

    /// The identity of its table.
    #[must_use]
    pub fn table_key(&self) -> RelationKey {
        RelationKey { database: self.database.clone(), oid: self.index.table_oid }
    }

    /// `orders`, or `TOAST of orders`.
    #[must_use]
    pub fn table_name(&self) -> String {
        match &self.index.toast_of {
            Some(of) => format!("TOAST of {}", of.head(80)),
            None => self.index.table.head(80),
        }
    }

    /// What is wrong with it in a few words, or what it is needed for; and how loud that is.
    #[must_use]
    pub fn state(&self) -> (String, Tone) {
        let i = &self.index;
        let other = || i.covered.as_ref().map_or_else(String::new, |c| c.by.head(80));
        match (i.fault(), self.counting) {
            (Some(Fault::Leftover), _) => ("INVALID leftover".to_owned(), Tone::Warning),
            (Some(Fault::Unattached), _) => (unattached(i.partitions.as_ref()), Tone::Warning),
            (Some(Fault::Building(b)), _) => {
                let perhaps = if b.this == Some(true) { "" } else { "perhaps " };
                let done = if b.drops { "dropped" } else { "built" };
                (format!("INVALID, {perhaps}being {done} by {}", b.pid), Tone::Notice)
            }
            (Some(Fault::Duplicate), _) => (format!("same as {}", other()), Tone::Notice),
            (Some(Fault::Prefix), _) => (format!("first columns of {}", other()), Tone::Faint),
            (Some(Fault::Unused), Counting::Old(s)) => (format!("unused for {}", Age(s).short()), Tone::Notice),
            (Some(Fault::Unused), Counting::Young(s)) => (format!("no scan in {}", Age(s).short()), Tone::Faint),
            (Some(Fault::Unused), Counting::Standby) => ("no scan here".to_owned(), Tone::Faint),
            (Some(Fault::Unused), Counting::Off) => ("scans not counted".to_owned(), Tone::Faint),
            (None, _) => (needed(i).to_owned(), Tone::Faint),
        }
    }

    /// How grave that is, to sort by.
    fn gravity(&self) -> f64 {
        match (self.index.fault(), self.counting) {
            (Some(Fault::Leftover | Fault::Unattached), _) => 5.0,
            (Some(Fault::Building(_)), _) => 4.0,
            (Some(Fault::Duplicate), _) => 3.0,
            (Some(Fault::Unused), Counting::Old(_)) => 2.0,
            (Some(Fault::Unused | Fault::Prefix), _) => 1.0,
            (None, _) => 0.0,
        }
    }

    fn counted(&self, figure: i64) -> Cell {
        if self.counting == Counting::Off { Cell::none() } else { Cell::plain(short_count(float(figure))) }
    }

    fn counted_key(&self, figure: i64) -> SortKey {
        if self.counting == Counting::Off { SortKey::Unknown } else { SortKey::Number(float(figure)) }
    }
}

/// `INVALID, 1 of 3 partitions attached`
fn unattached(partitions: Option<&Partitions>) -> String {
    match partitions {
        Some(p) if p.without() > 0 => format!("INVALID, {} of {} partitions attached", p.attached, p.all),
        Some(p) if p.invalid > 0 => format!("INVALID, as is {} of {} attached", p.invalid, p.attached),
        Some(_) | None => "INVALID, though all are attached".to_owned(),
    }
}

/// What an index is needed for besides queries, in a word or two; empty for a plain one.
#[must_use]
pub fn needed(index: &Index) -> &'static str {
    let n = index.needed;
    if n.primary {
        "primary key"
    } else if n.exclusion {
        "exclusion"
    } else if n.replica_identity {
        "replica identity"
    } else if n.unique && n.constraint {
        "unique constraint"
    } else if n.unique {
        "unique"
    } else if n.constraint {
        "constraint"
    } else if n.partition {
        "of a partition"
    } else {
        ""
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts and bytes, to sort by")]
fn float(n: i64) -> f64 {
    n as f64
}

/// The server's ranking that a column asks for.
#[must_use]
pub fn order_of(column: &str, direction: Direction) -> IndexOrder {
    match (column, direction) {
        ("size", _) => IndexOrder::Size,
        ("scans" | "scanned" | "read" | "fetched", Direction::Ascending) => IndexOrder::Scans,
        ("scans" | "scanned" | "read" | "fetched", Direction::Descending) => IndexOrder::Used,
        ("table" | "columns", _) => IndexOrder::Table,
        ("index", _) => IndexOrder::Name,
        _ => IndexOrder::Faults,
    }
}

/// Columns of the indexes.
pub const COLUMNS: &[Column<IndexRow>] = &[
    Column {
        name: "index",
        title: "index",
        doc: "schema and name; the schema is left out for public",
        width: Width::Rest(22),
        cell: |r| {
            let lock = if r.index.locked { " (locked)" } else { "" };
            let tone = r.state().1;
            Cell::toned(format!("{}{lock}", r.index.shown()), if tone >= Tone::Notice { tone } else { Tone::Plain })
        },
        key: |r| SortKey::Text(format!("{}.{}", r.index.schema.raw(), r.index.name.raw())),
        ..Column::TEXT
    },
    Column {
        name: "state",
        title: "state",
        doc: "what is wrong: INVALID, the same as another, unused; else what it is needed for",
        width: Width::Fit(8, 38),
        first: Direction::Descending,
        cell: |r| {
            let (text, tone) = r.state();
            Cell::toned(text, tone)
        },
        key: |r| SortKey::Number(r.gravity()),
        ..Column::TEXT
    },
    Column {
        name: "table",
        title: "table",
        doc: "its table",
        width: Width::Fit(6, 24),
        rank: 2,
        cell: |r| Cell::plain(r.table_name()),
        key: |r| SortKey::Text(format!("{}.{}", r.index.schema.raw(), r.index.table.raw())),
        ..Column::TEXT
    },
    Column {
        name: "size",
        title: "size",
        doc: "by relpages, as old as its last build, vacuum or analyze; ? where it was never measured",
        width: Width::Fixed(7),
        rank: 1,
        cell: |r| r.index.size().map_or_else(|| Cell::toned("?", Tone::Faint), |b| Cell::plain(Bytes(b).short())),
        key: |r| SortKey::number(r.index.size().map(float)),
        measure: Measure::Bytes,
        ..Column::FIGURE
    },
    Column {
        name: "scans",
        title: "scans",
        doc: "scans since they are counted, which the first line says; a standby's are its own",
        width: Width::Fixed(5),
        rank: 1,
        first: Direction::Ascending,
        cell: |r| r.counted(r.index.scans),
        key: |r| r.counted_key(r.index.scans),
        ..Column::FIGURE
    },
    Column {
        name: "scanned",
        title: "last",
        doc: "since its last scan (16 and later)",
        width: Width::Fit(0, 5),
        rank: 3,
        cell: |r| age_cell(r.index.last_scan_s, Tone::Faint),
        key: |r| SortKey::number(r.index.last_scan_s),
        ..Column::AGE
    },
    Column {
        name: "read",
        title: "read",
        doc: "entries that its scans read",
        width: Width::Fixed(5),
        rank: 4,
        cell: |r| r.counted(r.index.entries_read),
        key: |r| r.counted_key(r.index.entries_read),
        ..Column::FIGURE
    },
    Column {
        name: "fetched",
        title: "fetched",
        doc: "rows that plain scans of it fetched from the table",
        width: Width::Fixed(7),
        rank: 5,
        cell: |r| r.counted(r.index.rows_fetched),
        key: |r| r.counted_key(r.index.rows_fetched),
        ..Column::FIGURE
    },
    Column {
        name: "writes",
        title: "writes",
        doc: "rows of its table that had to be entered into it: inserts and updates that were not HOT",
        width: Width::Fixed(6),
        rank: 3,
        cell: |r| r.index.writes.map_or_else(Cell::none, |w| r.counted(w)),
        key: |r| SortKey::number(r.index.writes.map(float)),
        ..Column::FIGURE
    },
    Column {
        name: "method",
        title: "method",
        doc: "its access method",
        width: Width::Fit(5, 7),
        rank: 6,
        cell: |r| text_cell(Some(&r.index.method), Tone::Faint),
        key: |r| text_key(Some(&r.index.method)),
        ..Column::TEXT
    },
    Column {
        name: "columns",
        title: "columns",
        doc: "what it is on; WHERE… for a part of the table",
        width: Width::Fit(8, 30),
        rank: 4,
        cell: |r| {
            let part = if r.index.partial { " WHERE…" } else { "" };
            Cell::toned(format!("{}{part}", r.index.columns.head(120)), Tone::Faint)
        },
        key: |r| text_key(Some(&r.index.columns)),
        ..Column::TEXT
    },
];

/// The raw name, to copy.
#[must_use]
pub fn raw_name(row: &IndexRow) -> String {
    format!("{}.{}", row.index.schema.raw(), row.index.name.raw())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_that_the_server_ranks_by_is_reached_by_a_column() {
        let both = [Direction::Ascending, Direction::Descending];
        for order in IndexOrder::ALL {
            assert!(COLUMNS.iter().any(|c| both.iter().any(|d| order_of(c.name, *d) == order)), "{order:?}");
        }
    }
}
