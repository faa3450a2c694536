//! The indexes of a database: ranked rows and those that are wrong, made into [`Indexes`].
//!
//! Of a list it never asks for definitions or sizes, which are had by opening an index: that waits behind whoever rebuilds it.
//! The definition of one it asks for only where nobody locks its table.

use crate::model::index::{
    Builder, Covered, FaultCounts, Index, IndexOrder, IndexRights, Indexes, Needed, Partitions, Validity,
};
use crate::model::{ProbeError, ServerText};
use crate::postgres::Rows;

use super::row::{Row, first, rows_of};
use super::seat::Seat;
use super::sql::{self, Value};

/// How many are fetched, and how many of those that are wrong besides: ten screens.
pub const LIMIT: i64 = 200;

/// Asks for the indexes of the database that the seat is in.
///
/// # Errors
/// See [`ProbeError`].
pub async fn ask(seat: &mut Seat, order: IndexOrder) -> Result<Indexes, ProbeError> {
    let context = seat.ask(sql::INDEXES_CONTEXT, &[]).await?;
    let values = [("limit", Value::Integer(LIMIT)), ("order", Value::Text(order.as_str()))];
    read(order, &context, &seat.ask(sql::INDEXES, &values).await?)
}

/// Asks for the definition of one index.
///
/// # Errors
/// [`ProbeError::Absent`] where there is none any more, [`ProbeError::Locked`] where it would have to wait; see [`ProbeError`].
pub async fn ask_definition(seat: &mut Seat, oid: u32) -> Result<ServerText, ProbeError> {
    read_definition(&seat.ask(sql::INDEX_DEFINITION, &[("oid", Value::Integer(i64::from(oid)))]).await?)
}

/// Reads the answer to `index_definition.sql`.
///
/// # Errors
/// As [`ask_definition`].
pub fn read_definition(rows: &Rows) -> Result<ServerText, ProbeError> {
    let gone = || ProbeError::Absent("there is no such index any more".to_owned());
    let row = rows_of(rows).next().ok_or_else(gone)?;
    if row.flag("locked")? {
        return Err(ProbeError::Locked("somebody holds or awaits ACCESS EXCLUSIVE on its table".to_owned()));
    }
    row.shown("definition")?.ok_or_else(gone)
}

/// Puts the answers together.
///
/// # Errors
/// [`ProbeError::Shape`] where a column is missing or unreadable.
pub fn read(order: IndexOrder, context: &Rows, indexes: &Rows) -> Result<Indexes, ProbeError> {
    let context = first(context)?;
    let (total, faults) = match rows_of(indexes).next() {
        Some(row) => {
            let faults = FaultCounts {
                invalid: row.need("invalid")?,
                duplicate: row.need("duplicate")?,
                unused: row.need("unused")?,
            };
            (row.need("total")?, faults)
        }
        None => (0, FaultCounts::default()),
    };
    let mut rows: Vec<Index> = rows_of(indexes).map(|row| index(&row)).collect::<Result<_, _>>()?;
    // Joined to what is shown of them they come in any order: the largest first, as the list itself keeps what is alike.
    rows.sort_by(|a, b| b.bytes.cmp(&a.bytes).then(a.oid.cmp(&b.oid)));
    Ok(Indexes {
        database: context.shown("database")?.unwrap_or_default(),
        order,
        rows,
        total,
        faults,
        counted_s: context.need("counted_s")?,
        reset_known: context.flag("reset_known")?,
        in_recovery: context.flag("in_recovery")?,
        counted: context.flag("counted")?,
    })
}

fn index(row: &Row<'_>) -> Result<Index, ProbeError> {
    let covered = row.shown("covered_by")?;
    let builder: Option<i32> = row.number("builder")?;
    let builds_this = match row.text("builds_this")? {
        Some(_) => Some(row.flag("builds_this")?),
        None => None,
    };
    let drops = row.flag("drops")?;
    Ok(Index {
        oid: row.need("oid")?,
        schema: row.shown("schema")?.unwrap_or_default(),
        name: row.shown("name")?.unwrap_or_default(),
        partitions: match row.number("partitions")? {
            Some(all) => Some(Partitions {
                all,
                attached: row.need("attached")?,
                invalid: row.need("unfit")?,
                foreign: row.need("foreign_tables")?,
                lacking: row.shown("lacking")?.unwrap_or_default(),
            }),
            None => None,
        },
        table_oid: row.need("table_oid")?,
        table: row.shown("table")?.unwrap_or_default(),
        table_kind: row.text("table_kind")?.and_then(|k| k.chars().next()).unwrap_or('?'),
        toast_of: row.shown("toast_of")?,
        method: row.plain("method")?.unwrap_or_default(),
        columns: row.shown("columns")?.unwrap_or_default(),
        partial: row.flag("partial")?,
        bytes: row.need("bytes")?,
        validity: match (row.flag("valid")?, row.flag("ready")?) {
            (true, _) => Validity::Valid,
            (false, true) => Validity::Invalid,
            (false, false) => Validity::NotReady,
        },
        needed: Needed {
            primary: row.flag("primary")?,
            unique: row.flag("unique")?,
            exclusion: row.flag("exclusion")?,
            constraint: row.flag("constraint")?,
            replica_identity: row.flag("replica_identity")?,
            partition: row.flag("partition")?,
        },
        scans: row.need("scans")?,
        last_scan_s: row.number("last_scan_s")?,
        entries_read: row.need("entries_read")?,
        rows_fetched: row.need("rows_fetched")?,
        writes: row.number("writes")?,
        covered: match covered {
            Some(by) => Some(Covered { by, same: row.flag("same")? }),
            None => None,
        },
        builder: builder.map(|pid| Builder { pid, this: builds_this, drops }),
        locked: row.flag("locked")?,
        rights: IndexRights {
            owner: row.shown("owner")?.unwrap_or_default(),
            owner_is_superuser: row.flag("owner_is_superuser")?,
            reindex: row.flag("may_reindex")?,
            drop: row.flag("may_drop")?,
        },
    })
}
