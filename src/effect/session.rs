//! How the writer opens a session of its own and asks on it.
//!
//! It knows no action and never sends anything twice.

use std::time::Duration;

use crate::guard::Statement;
use crate::postgres::{AskError, Conninfo, Lane, Link, OwnPids, Param, Row, Rows, SessionSettings, connect};

/// How long opening a session may take. A login hangs while somebody holds `pg_authid` or `pg_database` exclusively,
/// and no setting of the server's bounds that for less than a minute.
const DIAL: Duration = Duration::from_secs(8);

/// Where and as whom the writer connects.
#[derive(Debug, Clone)]
pub struct Road {
    /// The server and the role: the same that the reads use.
    pub conninfo: Conninfo,
    /// Who sits at the console; part of `application_name`.
    pub os_user: String,
    /// Our own server processes: the writer's are no sessions to be shown.
    pub own: OwnPids,
}

/// The bounds of a session.
pub(super) struct Bounds {
    /// Of each statement; zero for none.
    pub(super) statement: Duration,
    /// Of each wait for a lock.
    pub(super) lock: Duration,
}

/// Opens a session in `database`, or where the road leads by itself.
pub(super) async fn open(road: &Road, database: Option<&str>, bounds: Bounds) -> Result<Link, String> {
    let settings = SessionSettings {
        statement_timeout: bounds.statement,
        lock_timeout: bounds.lock,
        ..SessionSettings::of(Lane::Writer, &road.os_user)
    };
    let elsewhere = database.map(|name| road.conninfo.to_database(name));
    let conninfo = elsewhere.as_ref().unwrap_or(&road.conninfo);
    match tokio::time::timeout(DIAL, connect(conninfo, Lane::Writer, &settings)).await {
        Ok(Ok(mut link)) => {
            link.note_in(&road.own);
            Ok(link)
        }
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("{}: no login within {} s", conninfo.places(), DIAL.as_secs())),
    }
}

/// Asks one statement; its values travel as text and are cast by the server, which bounds it behind a pooler too.
pub(super) async fn ask(link: &mut Link, statement: &Statement, within: Duration) -> Result<Rows, AskError> {
    let values: Vec<Param> = statement.parameters.iter().cloned().map(Param::Text).collect();
    link.execute_bounded(&statement.sql, &values, within).await
}

/// Makes sure that the server still answers.
pub(super) async fn pulse(link: &mut Link, within: Duration) -> Result<(), String> {
    link.execute("SELECT 1", &[], Some(within)).await.map(drop).map_err(|error| error.to_string())
}

/// A cell of a row; none where there is no row, no such column or no value.
pub(super) fn cell<'a>(row: Option<Row<'a>>, column: &str) -> Option<&'a str> {
    row.and_then(|row| row.opt_text(column).ok().flatten())
}
