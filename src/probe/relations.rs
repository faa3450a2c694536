//! The tables of a database: ranked rows, estimated bloat, running vacuums and totals, made into [`Relations`].
//!
//! It never asks for the size of a table by opening it: that waits behind whoever rewrites the table.

use std::collections::BTreeMap;

use tokio::time::{Duration, Instant};

use crate::model::ProbeError;
use crate::model::relation::{
    Barrier, BloatEstimate, DatabaseRights, DatabaseTotals, Relation, RelationOrder, Relations, TableRights,
    VacuumProgress,
};
use crate::postgres::Rows;

use super::row::{Row, first, rows_of};
use super::seat::{Seat, optional};
use super::sql::{self, Value};

/// How many tables are fetched: ten screens, and 32 ms of bloat estimates.
pub const LIMIT: i64 = 200;

/// How many more are fetched of which sequential scans read most: a finding names one, and a quarter more rows are paid for.
const BESIDE: i64 = 50;

/// Below this a table without an estimate is not worth a word.
const NOTABLE_BYTES: i64 = 1 << 20;

/// Sizes of databases walk all their files, so they are asked seldom: at most once a minute, and never for more than a
/// fiftieth of the time.
const SIZES_EVERY: Duration = Duration::from_secs(60);

/// The sizes of databases, as old as they were last asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sizes {
    bytes: BTreeMap<u32, i64>,
    next: Option<Instant>,
}

impl Sizes {
    async fn refresh(&mut self, seat: &mut Seat) -> Result<(), ProbeError> {
        let began = Instant::now();
        if self.next.is_some_and(|next| began < next) {
            return Ok(());
        }
        let answer = seat.ask(sql::DATABASE_SIZES, &[]).await;
        self.next = Some(Instant::now() + SIZES_EVERY.max(began.elapsed() * 50));
        match answer {
            // The server's own limit ended it: the list of tables is worth more than this column.
            Err(ProbeError::TimedOut(_)) => Ok(()),
            other => {
                if let Some(rows) = optional(other)? {
                    self.bytes = read_sizes(&rows)?;
                }
                Ok(())
            }
        }
    }
}

/// Asks for the tables of the database that the seat is in.
///
/// # Errors
/// See [`ProbeError`].
pub async fn ask(seat: &mut Seat, order: RelationOrder, sizes: &mut Sizes) -> Result<Relations, ProbeError> {
    let (limit, beside) = (Value::Integer(LIMIT), Value::Integer(BESIDE));
    let values = [("limit", limit), ("beside", beside), ("order", Value::Text(order_word(order)))];
    let relations = seat.ask(sql::RELATIONS, &values).await?;
    let context = seat.ask(sql::RELATIONS_CONTEXT, &[]).await?;
    let oids = estimable(&relations)?;
    let bloat =
        if oids.is_empty() { None } else { optional(seat.ask(sql::BLOAT, &[("oids", Value::Integers(&oids))]).await)? };
    let vacuums = seat.ask(sql::VACUUM_PROGRESS, &[]).await?;
    let databases = seat.ask(sql::DATABASES, &[]).await?;
    sizes.refresh(seat).await?;
    let answers = Answers {
        relations: &relations,
        context: &context,
        bloat: bloat.as_ref(),
        vacuums: &vacuums,
        databases: &databases,
        sizes: &sizes.bytes,
    };
    read(order, &answers)
}

/// The word that `relations.sql` knows an order by.
#[must_use]
pub fn order_word(order: RelationOrder) -> &'static str {
    match order {
        RelationOrder::Dead => "dead",
        RelationOrder::DeadRatio => "dead_ratio",
        RelationOrder::Size => "size",
        RelationOrder::Threshold => "threshold",
        RelationOrder::FreezeAge => "freeze_age",
        RelationOrder::Modified => "modified",
        RelationOrder::Scanned => "scanned",
        RelationOrder::Name => "name",
    }
}

/// The answers that make up one [`Relations`].
#[derive(Debug)]
pub struct Answers<'a> {
    /// To `relations.sql`.
    pub relations: &'a Rows,
    /// To `relations_context.sql`.
    pub context: &'a Rows,
    /// To `bloat.sql`; none where there was no table to ask about, or no answer.
    pub bloat: Option<&'a Rows>,
    /// To `vacuum_progress.sql`.
    pub vacuums: &'a Rows,
    /// To `databases.sql`.
    pub databases: &'a Rows,
    /// Bytes by OID of the database, as old as `database_sizes.sql` was last asked.
    pub sizes: &'a BTreeMap<u32, i64>,
}

/// Puts the answers together.
///
/// # Errors
/// [`ProbeError::Shape`] where a column is missing or unreadable.
pub fn read(order: RelationOrder, answers: &Answers<'_>) -> Result<Relations, ProbeError> {
    let context = first(answers.context)?;
    let estimates = answers.bloat.map(estimates).transpose()?.unwrap_or_default();
    let (mut rows, mut dead, mut scanned) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows_of(answers.relations) {
        let read = relation(&row)?;
        let read = Relation { bloat: estimates.get(&read.oid).copied(), ..read };
        if order != RelationOrder::Dead && row.flag("fullest")? {
            dead.push(read.clone());
        }
        if row.flag("beside")? {
            scanned.push(read.clone());
        }
        if row.flag("listed")? {
            rows.push(read);
        }
    }
    let total = match rows_of(answers.relations).next() {
        Some(row) => row.need("total")?,
        None => 0,
    };
    let judged = if dead.is_empty() { &rows } else { &dead };
    let not_estimable = judged.iter().filter(|r| r.kind != 't' && r.bytes > NOTABLE_BYTES && r.bloat.is_none()).count();
    Ok(Relations {
        database: context.shown("database")?.unwrap_or_default(),
        whole: Some(DatabaseRights { oid: context.need("oid")?, vacuum: context.flag("may_vacuum")? }),
        order,
        total,
        not_estimable: i64::try_from(not_estimable).unwrap_or(i64::MAX),
        rows,
        dead,
        scanned,
        vacuums: rows_of(answers.vacuums).map(|row| vacuum(&row)).collect::<Result<_, _>>()?,
        databases: rows_of(answers.databases).map(|row| database(&row, answers.sizes)).collect::<Result<_, _>>()?,
        in_recovery: context.flag("in_recovery")?,
        autovacuum: context.flag("autovacuum")?,
        counted: context.flag("counted")?,
        autovacuum_workers: context.need("autovacuum_workers")?,
    })
}

/// OIDs of the rows whose bloat can be estimated at all, and is shown or judged: TOAST tables have no column statistics.
///
/// # Errors
/// [`ProbeError::Shape`] where a column is missing or unreadable.
pub fn estimable(relations: &Rows) -> Result<Vec<u32>, ProbeError> {
    let mut oids = Vec::new();
    for row in rows_of(relations) {
        if row.text("kind")? != Some("t") && (row.flag("listed")? || row.flag("fullest")?) {
            oids.push(row.need("oid")?);
        }
    }
    Ok(oids)
}

/// Reads the answer to `database_sizes.sql`.
///
/// # Errors
/// [`ProbeError::Shape`] where a column is missing or unreadable.
pub fn read_sizes(rows: &Rows) -> Result<BTreeMap<u32, i64>, ProbeError> {
    let mut sizes = BTreeMap::new();
    for row in rows_of(rows) {
        if let Some(bytes) = row.number("bytes")? {
            sizes.insert(row.need("oid")?, bytes);
        }
    }
    Ok(sizes)
}

fn relation(row: &Row<'_>) -> Result<Relation, ProbeError> {
    Ok(Relation {
        oid: row.need("oid")?,
        schema: row.shown("schema")?.unwrap_or_default(),
        name: row.shown("name")?.unwrap_or_default(),
        kind: row.text("kind")?.and_then(|k| k.chars().next()).unwrap_or('?'),
        toast_of: row.shown("toast_of")?,
        bytes: row.need("bytes")?,
        // -1 where it was never counted (14 and later; before, the statement makes it null).
        tuples: row.number::<f64>("tuples")?.filter(|tuples| *tuples >= 0.0),
        live: row.need("live")?,
        dead: row.need("dead")?,
        modified: row.need("modified")?,
        inserted: row.need("inserted")?,
        vacuum_s: row.number("vacuum_s")?,
        autovacuum_s: row.number("autovacuum_s")?,
        analyze_s: row.number("analyze_s")?,
        autoanalyze_s: row.number("autoanalyze_s")?,
        seq_scan: row.need("seq_scan")?,
        seq_rows: row.need("seq_rows")?,
        idx_scan: row.need("idx_scan")?,
        autovacuum_on: row.flag("autovacuum_on")?,
        vacuum_threshold: row.need("vacuum_threshold")?,
        insert_threshold: row.number("insert_threshold")?,
        analyze_threshold: row.need("analyze_threshold")?,
        xid_age: row.number("xid_age")?,
        mxid_age: row.number("mxid_age")?,
        freeze_max_age: row.need("freeze_max_age")?,
        bloat: None,
        locked: row.flag("locked")?,
        barred: barrier(row)?,
        rights: Some(TableRights {
            owner: row.shown("owner")?.unwrap_or_default(),
            owner_is_superuser: row.flag("owner_is_superuser")?,
            vacuum: row.flag("may_vacuum")?,
            reindex: row.flag("may_reindex")?,
        }),
        indexes: row.need("indexes")?,
        index_bytes: row.need("index_bytes")?,
    })
}

fn barrier(row: &Row<'_>) -> Result<Option<Barrier>, ProbeError> {
    if !row.flag("barred")? {
        return Ok(None);
    }
    let others = row.number::<i64>("holders")?.unwrap_or(1) - 1;
    Ok(Some(Barrier { pid: row.number("holder")?, mode: row.string("held")?.unwrap_or_default(), others }))
}

fn estimates(rows: &Rows) -> Result<BTreeMap<u32, BloatEstimate>, ProbeError> {
    let mut estimates = BTreeMap::new();
    for row in rows_of(rows) {
        let known: i64 = row.need("known")?;
        let empty = row.flag("empty")?;
        // Without statistics of any column the formula would count headers only and cry waste.
        if known > 0 || empty {
            let estimate = BloatEstimate {
                real_bytes: row.need("real_bytes")?,
                wasted_bytes: row.need("wasted_bytes")?,
                complete: empty || known >= row.need("columns")?,
            };
            estimates.insert(row.need("oid")?, estimate);
        }
    }
    Ok(estimates)
}

fn vacuum(row: &Row<'_>) -> Result<VacuumProgress, ProbeError> {
    Ok(VacuumProgress {
        pid: row.need("pid")?,
        database: row.shown("database")?.unwrap_or_default(),
        oid: row.need("relid")?,
        phase: row.string("phase")?.unwrap_or_default(),
        blocks: row.need("blocks")?,
        scanned: row.need("scanned")?,
        vacuumed: row.need("vacuumed")?,
        index_passes: row.need("index_passes")?,
        auto: row.flag("auto")?,
        wraparound: row.flag("wraparound")?,
        running_s: row.number("running_s")?,
    })
}

fn database(row: &Row<'_>, sizes: &BTreeMap<u32, i64>) -> Result<DatabaseTotals, ProbeError> {
    Ok(DatabaseTotals {
        name: row.shown("name")?.unwrap_or_default(),
        bytes: sizes.get(&row.need("oid")?).copied(),
        backends: row.need("backends")?,
        xid_age: row.need("xid_age")?,
        mxid_age: row.need("mxid_age")?,
        xid_forced_at: row.number("xid_forced_at")?,
        mxid_forced_at: row.number("mxid_forced_at")?,
        deadlocks: row.need("deadlocks")?,
        temp_bytes: row.need("temp_bytes")?,
        connectable: row.flag("connectable")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_without_statistics_has_no_estimate_and_an_empty_one_is_all_waste() {
        let columns = ["oid", "real_bytes", "wasted_bytes", "known", "empty", "columns"];
        let row = |values: [&'static str; 6]| values.map(Some);
        let rows = [
            row(["1", "8192", "4096", "0", "f", "3"]),
            row(["2", "8192", "4096", "2", "f", "3"]),
            row(["3", "8192", "8192", "0", "t", "3"]),
        ];
        let rows: Vec<&[Option<&str>]> = rows.iter().map(<[_; 6]>::as_slice).collect();
        let found = estimates(&Rows::made_up(&columns, &rows)).unwrap();
        assert_eq!(found.keys().copied().collect::<Vec<_>>(), [2, 3]);
        assert!(!found[&2].complete && found[&3].complete);
    }

    #[test]
    fn a_database_that_may_not_be_sized_has_no_size_rather_than_none_at_all() {
        let rows = Rows::made_up(&["oid", "bytes"], &[&[Some("1"), Some("4096")], &[Some("2"), None]]);
        assert_eq!(read_sizes(&rows), Ok(BTreeMap::from([(1, 4096)])));
    }

    #[test]
    fn toast_tables_and_those_that_are_only_read_are_not_asked_about() {
        let row = |oid, kind, listed, fullest| [oid, kind, listed, fullest].map(Some);
        let rows = [row("1", "r", "t", "f"), row("2", "t", "t", "t"), row("3", "r", "f", "f"), row("4", "r", "f", "t")];
        let rows: Vec<&[Option<&str>]> = rows.iter().map(<[_; 4]>::as_slice).collect();
        let rows = Rows::made_up(&["oid", "kind", "listed", "fullest"], &rows);
        assert_eq!(estimable(&rows), Ok(vec![1, 4]));
    }
}
