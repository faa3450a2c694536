//! The server as a whole: the rows of a few statements made into one [`Activity`].
//!
//! What can fail by itself, such as a locked catalog, fails alone; it computes no rate.

use crate::model::ProbeError;
use crate::model::activity::io::Io;
use crate::model::activity::{
    Activity, Archiver, Bounds, Checkpoints, Conflicts, Database, Holder, Limited, Part, Partitioned,
    PreparedTransaction, Subscription, WalDirectory,
};
use crate::postgres::Rows;

use super::row::{Row, first, rows_of};
use super::seat::Seat;
use super::sql::{self, Script};

/// Asks for all of it.
///
/// # Errors
/// See [`ProbeError`]; only the first statement, and a connection that is lost or hangs, fails the whole.
pub async fn ask(seat: &mut Seat) -> Result<Activity, ProbeError> {
    let rows = seat.ask(sql::ACTIVITY, &[]).await?;
    let mut activity = read(&rows)?;
    let row = first(&rows)?;
    if row.flag("may_list")? {
        activity.wal_directory = part(seat, sql::ACTIVITY_WAL, wal).await?.rows().first().copied();
    }
    let hidden = !row.flag("read_all_stats")?;
    activity.databases = part(seat, sql::ACTIVITY_DATABASES, database).await?;
    activity.prepared = part(seat, sql::ACTIVITY_PREPARED, prepared).await?;
    activity.subscriptions = part(seat, sql::ACTIVITY_SUBSCRIPTIONS, |row| subscription(row, hidden)).await?;
    activity.partitioned = part(seat, sql::ACTIVITY_PARTITIONS, partitioned).await?;
    activity.limited = part(seat, sql::ACTIVITY_LIMITED, limited).await?;
    // The view is new in 16.
    if seat.major() >= 16 {
        activity.io = part(seat, sql::ACTIVITY_IO, io).await?;
    }
    Ok(activity)
}

/// A statement that may fail by itself.
async fn part<T>(
    seat: &mut Seat,
    script: Script,
    read: impl Fn(&Row<'_>) -> Result<T, ProbeError>,
) -> Result<Part<Vec<T>>, ProbeError> {
    let rows = match seat.ask(script, &[]).await {
        Err(error @ (ProbeError::Unreachable(_) | ProbeError::TimedOut(_))) => return Err(error),
        rows => rows,
    };
    let read = rows.and_then(|rows| rows_of(&rows).map(|row| read(&row)).collect::<Result<Vec<_>, _>>());
    Ok(read.map_or_else(Part::Failed, Part::Read))
}

/// Reads the answer to `activity.sql`.
///
/// # Errors
/// [`ProbeError::Shape`] where a column is missing or unreadable.
pub fn read(rows: &Rows) -> Result<Activity, ProbeError> {
    let row = first(rows)?;
    Ok(Activity {
        at_s: row.need("at_s")?,
        started: row.string("started")?.unwrap_or_default(),
        in_recovery: row.flag("in_recovery")?,
        checkpoints: Checkpoints {
            timed: row.need("timed")?,
            requested: row.need("requested")?,
            write_ms: row.need("write_ms")?,
            sync_ms: row.need("sync_ms")?,
            reset_s: row.number("checkpoints_reset_s")?,
        },
        archiver: archiver(&row)?,
        wal_at: row.number("wal_at")?,
        bounds: Bounds {
            checkpoint_timeout_s: row.need("checkpoint_timeout_s")?,
            max_wal_size: row.need("max_wal_size")?,
            wal_keep_size: row.need("wal_keep_size")?,
            work_mem: row.string("work_mem")?.unwrap_or_default(),
            streaming_delay: row.string("streaming_delay")?.unwrap_or_default(),
            feedback: row.flag("feedback")?,
        },
        ..Activity::default()
    })
}

fn archiver(row: &Row<'_>) -> Result<Archiver, ProbeError> {
    Ok(Archiver {
        on: row.flag("archive_on")?,
        without_command: row.flag("without_command")?,
        archived: row.need("archived_count")?,
        failed: row.need("failed_count")?,
        last_archived: row.string("last_archived_wal")?,
        last_archived_s: row.number("last_archived_s")?,
        last_failed: row.string("last_failed_wal")?,
        last_failed_s: row.number("last_failed_s")?,
        reset_s: row.number("archiver_reset_s")?,
    })
}

fn wal(row: &Row<'_>) -> Result<WalDirectory, ProbeError> {
    Ok(WalDirectory { bytes: row.need("bytes")?, ready: row.need("ready")? })
}

fn io(row: &Row<'_>) -> Result<Io, ProbeError> {
    Ok(Io {
        who: row.plain("who")?.unwrap_or_default(),
        wal: row.flag("wal")?,
        read: row.need("read")?,
        written: row.need("written")?,
        read_ms: row.need("read_ms")?,
        write_ms: row.need("write_ms")?,
        reset_s: row.number("reset_s")?,
    })
}

fn database(row: &Row<'_>) -> Result<Database, ProbeError> {
    Ok(Database {
        oid: row.number("oid")?.unwrap_or_default(),
        name: row.shown("name")?,
        commits: row.need("commits")?,
        rollbacks: row.need("rollbacks")?,
        deadlocks: row.need("deadlocks")?,
        temp_files: row.need("temp_files")?,
        temp_bytes: row.need("temp_bytes")?,
        conflicts: Conflicts {
            snapshot: row.need("confl_snapshot")?,
            lock: row.need("confl_lock")?,
            pin: row.need("confl_pin")?,
            other: row.need("confl_other")?,
        },
        reset_s: row.number("reset_s")?,
    })
}

fn prepared(row: &Row<'_>) -> Result<PreparedTransaction, ProbeError> {
    Ok(PreparedTransaction {
        gid: row.shown("gid")?.unwrap_or_default(),
        exact: row.is_exact("gid")?,
        owner: row.shown("owner")?.unwrap_or_default(),
        database: row.shown("database")?.unwrap_or_default(),
        age_s: row.need("age_s")?,
        xid: row.string("xid")?,
        xid_age: row.number("xid_age")?,
    })
}

fn subscription(row: &Row<'_>, hidden: bool) -> Result<Subscription, ProbeError> {
    Ok(Subscription {
        oid: row.need("oid")?,
        name: row.shown("name")?.unwrap_or_default(),
        database: row.shown("database")?.unwrap_or_default(),
        enabled: row.flag("enabled")?,
        worker: row.number("worker")?,
        hidden,
        heard_s: row.number("heard_s")?,
        apply_errors: row.number("apply_errors")?,
        sync_errors: row.number("sync_errors")?,
        reset_s: row.number("reset_s")?,
    })
}

fn partitioned(row: &Row<'_>) -> Result<Partitioned, ProbeError> {
    Ok(Partitioned {
        oid: row.need("oid")?,
        schema: row.plain("schema")?.unwrap_or_default(),
        name: row.plain("name")?.unwrap_or_default(),
        partitions: row.need("partitions")?,
        ends_s: row.number("ends_s")?,
        endless: row.flag("endless")?,
    })
}

fn limited(row: &Row<'_>) -> Result<Limited, ProbeError> {
    Ok(Limited {
        holder: if row.flag("is_role")? { Holder::Role } else { Holder::Database },
        name: row.shown("name")?.unwrap_or_default(),
        exact: row.is_exact("name")?,
        limit: row.need("connections")?,
    })
}
