//! Owns `Facts`, what a fresh session says about itself and its server, and the question that asks for them.
//!
//! It must not be asked again later: a standby that was promoted is noticed by the probes.

use super::error::{AskError, At};
use super::rows::Rows;
use super::tls::Tls;
use std::time::Duration;

/// One statement that any role may run on 13 to 18, primary or standby, behind a pooler or not.
pub const QUESTION: &str = "SELECT pg_catalog.pg_backend_pid() AS pid, \
     pg_catalog.current_setting('server_version_num') AS version, \
     pg_catalog.current_setting('server_version') AS version_text, \
     pg_catalog.pg_is_in_recovery() AS in_recovery, \
     pg_catalog.current_setting('transaction_read_only') AS read_only, \
     (SELECT setting FROM pg_catalog.pg_settings WHERE name = 'deadlock_timeout') AS deadlock_ms";

/// What is known of a session from its first moment on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "four facts that have nothing to do with each other")]
pub struct Facts {
    /// Where it went.
    pub at: At,
    /// What protects it.
    pub tls: Tls,
    /// Its process on the server; behind a pooler the one of the moment.
    pub pid: i32,
    /// `server_version_num`, such as 150018.
    pub version: u32,
    /// `server_version`, such as `15.18 (Debian 15.18-0+deb12u1)`.
    pub version_text: String,
    /// A standby.
    pub in_recovery: bool,
    /// The session was read-only before it set anything for itself.
    pub read_only: bool,
    /// A pooler stands between: the process named at login is not the one that answers.
    pub pooled: bool,
    /// The user's own session options were refused by a pooler and are not in force.
    pub options_refused: bool,
    /// The server's wait before it looks for deadlocks.
    pub deadlock_timeout: Duration,
}

/// What was known before the question was asked.
#[derive(Debug, Clone)]
pub struct Dialled {
    pub at: At,
    pub tls: Tls,
    pub login_pid: Option<i32>,
    pub options_refused: bool,
}

impl Facts {
    pub(super) fn read(rows: &Rows, dialled: Dialled) -> Result<Self, AskError> {
        let row = rows.first().ok_or_else(|| AskError::Shape("the server said nothing about itself".to_owned()))?;
        let pid = row.i32("pid")?;
        Ok(Self {
            at: dialled.at,
            tls: dialled.tls,
            pid,
            version: row.u32("version")?,
            version_text: row.text("version_text")?.to_owned(),
            in_recovery: row.bool("in_recovery")?,
            read_only: row.bool("read_only")?,
            pooled: dialled.login_pid.is_some_and(|login| login != pid),
            options_refused: dialled.options_refused,
            deadlock_timeout: Duration::from_millis(row.opt_u64("deadlock_ms")?.unwrap_or(1_000)),
        })
    }
}
