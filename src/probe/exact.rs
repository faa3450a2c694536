//! Exact bloat of one table: whether it may be measured, and the figures of `pgstattuple_approx`.
//!
//! It never measures a locked table: the measuring would wait behind the lock.

use crate::model::relation::{ExactBloat, RelationKey};
use crate::model::{ProbeError, ServerText};
use crate::postgres::Rows;

use super::row::{first, rows_of};
use super::seat::Seat;
use super::sql::{self, Value, identifier};

/// Measures one table of the database that the seat is in.
///
/// # Errors
/// Why it cannot be measured; see [`read_target`].
pub async fn ask(seat: &mut Seat, key: &RelationKey) -> Result<ExactBloat, ProbeError> {
    let oid = ("oid", Value::Integer(i64::from(key.oid)));
    let schema = read_target(&seat.ask(sql::EXACT_TARGET, &[oid]).await?)?;
    read(&seat.ask(sql::EXACT_BLOAT, &[oid, ("schema", Value::Name(schema.raw()))]).await?, key)
}

/// Reads the answer to `exact_target.sql`: the schema of pgstattuple, if the table may be measured now.
///
/// # Errors
/// Why not: no such table, no extension, no right, or somebody holds or awaits an exclusive lock.
pub fn read_target(rows: &Rows) -> Result<ServerText, ProbeError> {
    let Some(row) = rows_of(rows).next() else {
        return Err(ProbeError::Absent("there is no such table any more".to_owned()));
    };
    let Some(schema) = row.plain("tuple_schema")? else {
        return Err(ProbeError::Absent(
            "pgstattuple is not installed in this database: CREATE EXTENSION pgstattuple".to_owned(),
        ));
    };
    if row.flag("unreadable")? {
        return Err(ProbeError::Absent("an unlogged table cannot be read on a standby".to_owned()));
    }
    if !row.flag("may")? {
        let user = row.shown("user")?.unwrap_or_default();
        return Err(ProbeError::Denied { cure: grant_role("pg_stat_scan_tables", &user) });
    }
    if row.flag("locked")? {
        return Err(ProbeError::Locked("somebody holds or awaits ACCESS EXCLUSIVE on the table".to_owned()));
    }
    Ok(schema)
}

/// `GRANT role TO "user"`, with the user quoted.
#[must_use]
pub fn grant_role(role: &str, user: &ServerText) -> String {
    format!("GRANT {role} TO {}", identifier(user.raw()).unwrap_or_default())
}

/// Reads the answer to `exact_bloat.sql`.
///
/// # Errors
/// [`ProbeError::Shape`] where a column is missing or unreadable.
pub fn read(rows: &Rows, key: &RelationKey) -> Result<ExactBloat, ProbeError> {
    let row = first(rows)?;
    Ok(ExactBloat {
        key: key.clone(),
        table_bytes: row.need("table_bytes")?,
        scanned_percent: row.need("scanned_percent")?,
        dead_bytes: row.need("dead_bytes")?,
        dead: row.need("dead")?,
        free_bytes: row.need("free_bytes")?,
        free_percent: row.need("free_percent")?,
    })
}
