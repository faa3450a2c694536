//! One server: who it is, what it allows, and what our role may see there.

use serde::{Deserialize, Serialize};

use super::session::Session;
use super::text::ServerText;

/// Facts of a server that do not change from one second to the next.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Server {
    /// `server_version_num`, such as 150018.
    pub version_num: i32,
    /// `server_version`, such as `15.18 (Debian …)`.
    pub version: ServerText,
    /// True on a standby.
    pub in_recovery: bool,
    /// `pg_postmaster_start_time()` as text, exact to the microsecond.
    pub started: String,
    /// Seconds since then, by the server's clock.
    pub uptime_s: f64,
    /// `pg_control_system()`: the same for a primary and its standbys.
    pub system_identifier: Option<String>,
    /// `cluster_name`, often empty.
    pub cluster_name: ServerText,
    /// The database that this connection is in.
    pub database: ServerText,
    /// `current_user`.
    pub user: ServerText,
    /// `max_connections`.
    pub max_connections: i64,
    /// `superuser_reserved_connections`.
    pub superuser_reserved: i64,
    /// `reserved_connections` (16 and later; else 0).
    pub reserved: i64,
    /// `track_activity_query_size`: a longer text is cut by the server.
    pub query_size: i64,
    /// What our role may do.
    pub rights: Rights,
    /// The roles with `rolsuper`: none but a superuser may signal their sessions.
    #[serde(default)]
    pub superusers: Vec<ServerText>,
    /// Schema of `pg_stat_statements` in this database, where it is installed.
    pub statements_schema: Option<ServerText>,
    /// Schema of `pgstattuple` in this database, where it is installed.
    pub tuple_schema: Option<ServerText>,
}

impl Server {
    /// The major version: 15 of 150018.
    #[must_use]
    pub fn major(&self) -> i32 {
        self.version_num / 10_000
    }

    /// True where our role may not signal that session, since it is a superuser's.
    #[must_use]
    pub fn is_out_of_reach(&self, session: &Session) -> bool {
        !self.rights.superuser && session.user.as_ref().is_some_and(|user| self.superusers.contains(user))
    }

    /// Connections that an ordinary role can have in all.
    #[must_use]
    pub fn ordinary_slots(&self) -> i64 {
        (self.max_connections - self.superuser_reserved - self.reserved).max(0)
    }
}

/// Rights of our role that decide what it sees and may do; each is asked with `pg_has_role(…, 'USAGE')`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a role that PostgreSQL names, held or not")]
pub struct Rights {
    /// `rolsuper`.
    pub superuser: bool,
    /// `pg_read_all_stats` (in `pg_monitor`): other roles' sessions in full.
    pub read_all_stats: bool,
    /// `pg_signal_backend`: cancel and terminate others' backends (not a superuser's).
    pub signal_backend: bool,
    /// `pg_read_all_data` (14 and later): `pg_stats` of every table, hence bloat estimates.
    pub read_all_data: bool,
    /// `pg_maintain` (17 and later): VACUUM and ANALYZE of every table.
    pub maintain: bool,
    /// `pg_stat_scan_tables`: pgstattuple.
    pub scan_tables: bool,
}
