//! Who the server is and what our role may see: one row, made into a [`Server`].
//!
//! It decides nothing about what a missing right means; that is for the one who shows or does something.

use crate::model::ProbeError;
use crate::model::server::{Rights, Server};
use crate::postgres::Rows;

use super::row::{Row, first};
use super::seat::{Seat, optional};
use super::sql;

/// Asks who the server is. Its identifier is left out where it may not be asked.
///
/// # Errors
/// See [`ProbeError`].
pub async fn ask(seat: &mut Seat) -> Result<Server, ProbeError> {
    let rows = seat.ask(sql::SERVER, &[]).await?;
    let identity = optional(seat.ask(sql::IDENTITY, &[]).await)?;
    read(&rows, identity.as_ref())
}

/// Reads the answer to `server.sql`, and to `identity.sql` where that could be asked.
///
/// # Errors
/// [`ProbeError::Shape`] where a column is missing or unreadable.
pub fn read(rows: &Rows, identity: Option<&Rows>) -> Result<Server, ProbeError> {
    let row = first(rows)?;
    Ok(Server {
        version_num: row.need("version_num")?,
        version: row.plain("version")?.unwrap_or_default(),
        in_recovery: row.flag("in_recovery")?,
        started: row.string("started")?.unwrap_or_default(),
        uptime_s: row.need("uptime_s")?,
        system_identifier: identity.and_then(|rows| first(rows).ok()?.string("system_identifier").ok()?),
        cluster_name: row.plain("cluster_name")?.unwrap_or_default(),
        database: row.shown("database")?.unwrap_or_default(),
        user: row.shown("user")?.unwrap_or_default(),
        max_connections: row.need("max_connections")?,
        superuser_reserved: row.need("superuser_reserved")?,
        reserved: row.need("reserved")?,
        query_size: row.need("query_size_bytes")?,
        rights: rights(&row)?,
        superusers: row.shown("superusers")?.map_or_else(Vec::new, |all| all.raw().lines().map(Into::into).collect()),
        statements_schema: row.plain("statements_schema")?,
        tuple_schema: row.plain("tuple_schema")?,
    })
}

fn rights(row: &Row<'_>) -> Result<Rights, ProbeError> {
    Ok(Rights {
        superuser: row.flag("superuser")?,
        read_all_stats: row.flag("read_all_stats")?,
        signal_backend: row.flag("signal_backend")?,
        read_all_data: row.flag("read_all_data")?,
        maintain: row.flag("maintain")?,
        scan_tables: row.flag("scan_tables")?,
    })
}
