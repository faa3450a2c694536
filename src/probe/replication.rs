//! Standbys, slots and the upstream: the rows of three statements made into one [`Replication`].
//!
//! A row that the server hid is marked, never taken for a standby without lag.

use crate::model::ProbeError;
use crate::model::replica::{Replica, Replication, Slot, Standby};
use crate::postgres::Rows;

use super::row::{Row, first, rows_of};
use super::seat::Seat;
use super::sql;

/// Asks for standbys, slots and the upstream.
///
/// # Errors
/// See [`ProbeError`].
pub async fn ask(seat: &mut Seat) -> Result<Replication, ProbeError> {
    let replicas = seat.ask(sql::REPLICATION, &[]).await?;
    let slots = seat.ask(sql::SLOTS, &[]).await?;
    let standby = seat.ask(sql::STANDBY, &[]).await?;
    read(&replicas, &slots, &standby)
}

/// Reads the answers to `replication.sql`, `slots.sql` and `standby.sql`.
///
/// # Errors
/// [`ProbeError::Shape`] where a column is missing or unreadable.
pub fn read(replicas: &Rows, slots: &Rows, standby: &Rows) -> Result<Replication, ProbeError> {
    let own = first(standby)?;
    Ok(Replication {
        replicas: rows_of(replicas).map(|row| replica(&row)).collect::<Result<_, _>>()?,
        slots: rows_of(slots).map(|row| slot(&row)).collect::<Result<_, _>>()?,
        standby: if own.flag("in_recovery")? { Some(receiving(&own)?) } else { None },
        lsn: own.string("lsn")?,
        slot_keep_mb: own.number("slot_keep_mb")?,
        sync_names: own.plain("sync_names")?,
    })
}

fn replica(row: &Row<'_>) -> Result<Replica, ProbeError> {
    Ok(Replica {
        pid: row.need("pid")?,
        user: row.shown("usename")?,
        application: row.plain("application_name")?.unwrap_or_default(),
        client: row.string("client_addr")?,
        state: row.string("state")?,
        sync_state: row.string("sync_state")?,
        slot: row.plain("slot_name")?,
        unsent: row.number("unsent")?,
        unwritten: row.number("unwritten")?,
        unflushed: row.number("unflushed")?,
        unreplayed: row.number("unreplayed")?,
        total: row.number("total")?,
        write_s: row.number("write_s")?,
        flush_s: row.number("flush_s")?,
        replay_s: row.number("replay_s")?,
        reply_s: row.number("reply_s")?,
        replay_lsn: row.string("replay_lsn")?,
        stands_s: 0.0,
        xmin: row.string("xmin")?,
        xmin_age: row.number("xmin_age")?,
        hidden: row.flag("hidden")?,
    })
}

fn slot(row: &Row<'_>) -> Result<Slot, ProbeError> {
    Ok(Slot {
        name: row.plain("name")?.unwrap_or_default(),
        kind: row.string("kind")?.unwrap_or_default(),
        database: row.shown("database")?,
        active: row.flag("active")?,
        retained: row.number("retained")?,
        wal_status: row.string("wal_status")?,
        safe: row.number("safe")?,
        xmin: row.string("xmin")?,
        xmin_age: row.number("xmin_age")?,
        catalog_xmin_age: row.number("catalog_xmin_age")?,
        inactive_s: row.number("inactive_s")?,
        invalidation: row.string("invalidation")?,
    })
}

fn receiving(row: &Row<'_>) -> Result<Standby, ProbeError> {
    Ok(Standby {
        paused: row.flag("paused")?,
        receive_lsn: row.string("receive_lsn")?,
        replay_lsn: row.string("replay_lsn")?,
        gap: row.number("gap")?,
        lag_s: row.number("lag_s")?,
        last_replay_s: row.number("last_replay_s")?,
        receiver_hidden: row.flag("receiver_hidden")?,
        receiver: row.string("receiver")?,
        sender: row.plain("sender")?,
        sender_port: row.number("sender_port")?,
        slot: row.plain("slot_name")?,
        heard_s: row.number("heard_s")?,
    })
}
