//! The indexes of a database: ranked rows and those that are wrong, made into [`Indexes`].
//!
//! It never asks for a definition or a size by opening an index: that waits behind whoever rebuilds it.

use crate::model::ProbeError;
use crate::model::index::{Builder, Covered, FaultCounts, Index, IndexOrder, IndexRights, Indexes, Needed, Validity};
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
    Ok(Index {
        oid: row.need("oid")?,
        schema: row.shown("schema")?.unwrap_or_default(),
        name: row.shown("name")?.unwrap_or_default(),
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
        builder: builder.map(|pid| Builder { pid, this: builds_this }),
        locked: row.flag("locked")?,
        rights: IndexRights {
            owner: row.shown("owner")?.unwrap_or_default(),
            owner_is_superuser: row.flag("owner_is_superuser")?,
            reindex: row.flag("may_reindex")?,
            drop: row.flag("may_drop")?,
        },
    })
}
