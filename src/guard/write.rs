//! The actions: what each is done to, as an identity that the server can check again.
//!
//! Says nothing of whether an action may run.

use serde::{Deserialize, Serialize};

use crate::model::ServerText;
use crate::model::cache::{CacheState, CacheTable};
use crate::model::relation::{Relation, RelationKey};
use crate::model::server::Server;
use crate::model::session::{Session, SessionKey, State};
use crate::model::setting::Entry;

use super::bulk::Bulk;
use super::maintenance::{Named, Object, Task};
use super::statement::EXPIRE_BATCH;

/// From this version on `pg_terminate_backend` takes a time to wait for the end.
const TERMINATE_WAITS: i32 = 140_000;

/// The server that the question was about: an action is void on any other, and after a restart or a promotion.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerIdentity {
    /// `pg_postmaster_start_time()` as text.
    pub started: String,
    /// `system_identifier` of `pg_control_system()`, where it may be read.
    pub system_identifier: Option<String>,
    /// `pg_is_in_recovery()`.
    pub in_recovery: bool,
}

impl ServerIdentity {
    /// The identity of a server that was asked.
    #[must_use]
    pub fn of(server: &Server) -> Self {
        Self {
            started: server.started.clone(),
            system_identifier: server.system_identifier.clone(),
            in_recovery: server.in_recovery,
        }
    }
}

/// One statement of one session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementKey {
    /// The session.
    pub session: SessionKey,
    /// The statement: its `query_start` as text.
    pub query_start: Option<String>,
}

/// Who runs a statement, as the server told it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    /// Role.
    pub user: Option<ServerText>,
    /// Database.
    pub database: Option<ServerText>,
    /// `application_name`.
    pub application: ServerText,
    /// Address and port; none for a Unix socket.
    pub client: Option<String>,
}

impl Who {
    /// Takes it from a session.
    #[must_use]
    pub fn of(session: &Session) -> Self {
        let client = session.client.as_ref().map(|address| match session.client_port {
            Some(port) if port > 0 && address.contains(':') => format!("[{address}]:{port}"),
            Some(port) if port > 0 => format!("{address}:{port}"),
            Some(_) | None => address.clone(),
        });
        Self {
            user: session.user.clone(),
            database: session.database.clone(),
            application: session.application.clone(),
            client,
        }
    }

    /// `shop@shop, app=worker, 10.0.3.9:50112`, safe to draw.
    #[must_use]
    pub fn shown(&self) -> String {
        let name = |text: &Option<ServerText>| text.as_ref().map_or_else(|| "?".to_owned(), |t| t.head(64));
        let mut out = format!("{}@{}", name(&self.user), name(&self.database));
        if !self.application.is_empty() {
            out.push_str(", app=");
            out.push_str(&self.application.head(64));
        }
        out.push_str(", ");
        out.push_str(self.client.as_deref().unwrap_or("local socket"));
        out
    }
}

/// An action on a server. A target is an identity, never a row number or a bare pid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Write {
    /// `pg_cancel_backend` of one statement.
    Cancel {
        /// The session.
        session: SessionKey,
        /// The statement: its `query_start` as text.
        query_start: Option<String>,
        /// Its text as it was on the screen, for the audit log.
        query: ServerText,
        /// Who runs it, as it was on the screen.
        who: Who,
        /// The server.
        server: ServerIdentity,
    },
    /// `pg_terminate_backend` of one session.
    Terminate {
        /// The session.
        session: SessionKey,
        /// Its transaction: its `xact_start` as text; none outside of one.
        xact_start: Option<String>,
        /// Its statement, the last one where it is idle: its `query_start` as text; none where it never ran one.
        query_start: Option<String>,
        /// What it did.
        state: Option<State>,
        /// The statement's text as it was on the screen, for the audit log.
        query: ServerText,
        /// Whose session it is, as it was on the screen.
        who: Who,
        /// The server.
        server: ServerIdentity,
        /// True where the server itself waits for the session's end (14 and later).
        waits: bool,
    },
    /// The same signal to several sessions.
    Bulk(Bulk),
    /// Maintenance of a table, an index or a database: a job on a connection of its own.
    Maintain {
        /// What is done.
        task: Task,
        /// What it is done to.
        target: Object,
        /// The server.
        server: ServerIdentity,
    },
    /// Removal of the rows of the cache table that have expired: a job, batch by batch.
    ExpireCache {
        /// The table.
        table: Named,
        /// The server's clock when they were counted, as text: what expired by then is removed.
        before: String,
        /// Rows at most: whole batches, and twice as many where only a part of the table was counted.
        most: i64,
        /// The server.
        server: ServerIdentity,
    },
    /// `ALTER SYSTEM SET` or `RESET` of one setting, and `pg_reload_conf`.
    Setting {
        /// The setting.
        name: String,
        /// The value in force as it was on the screen, in its unit.
        now: String,
        /// The same as the server shows it.
        shown: String,
        /// What stood in `postgresql.auto.conf`.
        was: Entry,
        /// True where that was read from the file, so that the server can compare it.
        exact: bool,
        /// What is to stand there.
        to: Entry,
        /// The value that is in force then, in its unit, where it is known.
        expect: Option<String>,
        /// The id of the action whose change this takes back.
        undoes: Option<String>,
        /// The server.
        server: ServerIdentity,
    },
    /// `pg_reload_conf`.
    Reload {
        /// The server.
        server: ServerIdentity,
    },
}

impl Write {
    /// Cancels what `session` runs now.
    #[must_use]
    pub fn cancel(session: &Session, server: &Server) -> Self {
        Self::Cancel {
            session: session.key(),
            query_start: session.query_start.clone(),
            query: session.query.clone(),
            who: Who::of(session),
            server: ServerIdentity::of(server),
        }
    }

    /// Terminates `session` while it does what it does now.
    #[must_use]
    pub fn terminate(session: &Session, server: &Server) -> Self {
        Self::Terminate {
            session: session.key(),
            xact_start: session.xact_start.clone(),
            query_start: session.query_start.clone(),
            state: session.state,
            query: session.query.clone(),
            who: Who::of(session),
            server: ServerIdentity::of(server),
            waits: server.version_num >= TERMINATE_WAITS,
        }
    }

    /// Does `task` to `target`.
    #[must_use]
    pub fn maintain(task: Task, target: Object, server: &Server) -> Self {
        Self::Maintain { task, target, server: ServerIdentity::of(server) }
    }

    /// Vacuums and analyzes `relation`, a table of `database`.
    #[must_use]
    pub fn vacuum(relation: &Relation, database: &ServerText, server: &Server) -> Self {
        Self::maintain(Task::VacuumAnalyze, Object::table_of(database, relation), server)
    }

    /// Removes what had expired of the cache table when it was looked at; none where there is no table.
    #[must_use]
    pub fn expire_cache(cache: &CacheTable, server: &Server) -> Option<Self> {
        let target = cache.target.as_ref()?;
        let expired = match &cache.state {
            CacheState::Read(contents) if contents.sampled => contents.expired.saturating_mul(2),
            CacheState::Read(contents) => contents.expired,
            CacheState::NoTable | CacheState::Denied { .. } | CacheState::UnloggedOnStandby => 0,
        };
        let batches = expired.saturating_add(EXPIRE_BATCH - 1) / EXPIRE_BATCH;
        Some(Self::ExpireCache {
            table: Named {
                key: RelationKey { database: cache.database.clone(), oid: target.oid },
                schema: target.schema.clone(),
                name: target.name.clone(),
                kind: target.kind,
            },
            before: target.clock.clone(),
            most: batches.max(1).saturating_mul(EXPIRE_BATCH),
            server: ServerIdentity::of(server),
        })
    }

    /// The server that it was asked for.
    #[must_use]
    pub fn server(&self) -> &ServerIdentity {
        match self {
            Self::Cancel { server, .. }
            | Self::Terminate { server, .. }
            | Self::Maintain { server, .. }
            | Self::ExpireCache { server, .. }
            | Self::Setting { server, .. }
            | Self::Reload { server } => server,
            Self::Bulk(bulk) => &bulk.server,
        }
    }

    /// The session that it is done to.
    #[must_use]
    pub fn session(&self) -> Option<&SessionKey> {
        match self {
            Self::Cancel { session, .. } | Self::Terminate { session, .. } => Some(session),
            Self::Bulk(_)
            | Self::Maintain { .. }
            | Self::ExpireCache { .. }
            | Self::Setting { .. }
            | Self::Reload { .. } => None,
        }
    }

    /// The table that it is done to, or to whose index.
    #[must_use]
    pub fn table(&self) -> Option<&Named> {
        match self {
            Self::Maintain { target, .. } => target.table(),
            Self::Cancel { .. }
            | Self::Terminate { .. }
            | Self::Bulk(_)
            | Self::ExpireCache { .. }
            | Self::Setting { .. }
            | Self::Reload { .. } => None,
        }
    }

    /// What maintenance is done to.
    #[must_use]
    pub fn maintained(&self) -> Option<&Object> {
        match self {
            Self::Maintain { target, .. } => Some(target),
            Self::Cancel { .. }
            | Self::Terminate { .. }
            | Self::Bulk(_)
            | Self::ExpireCache { .. }
            | Self::Setting { .. }
            | Self::Reload { .. } => None,
        }
    }

    /// The statement that a cancel is done to.
    #[must_use]
    pub fn cancelled(&self) -> Option<StatementKey> {
        match self {
            Self::Cancel { session, query_start, .. } => {
                Some(StatementKey { session: session.clone(), query_start: query_start.clone() })
            }
            Self::Bulk(_)
            | Self::Terminate { .. }
            | Self::Maintain { .. }
            | Self::ExpireCache { .. }
            | Self::Setting { .. }
            | Self::Reload { .. } => None,
        }
    }

    /// True for what runs beside everything else, for as long as it takes, until it is stopped.
    #[must_use]
    pub fn is_job(&self) -> bool {
        match self {
            Self::Cancel { .. }
            | Self::Terminate { .. }
            | Self::Bulk(_)
            | Self::Setting { .. }
            | Self::Reload { .. } => false,
            Self::Maintain { .. } | Self::ExpireCache { .. } => true,
        }
    }

    /// `cancel 4711`, `vacuum shop.orders`: one line for a list of actions, safe to draw.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Cancel { session, .. } => format!("cancel {}", session.pid),
            Self::Terminate { session, .. } => format!("terminate {}", session.pid),
            Self::Bulk(bulk) => format!("{} {}", bulk.signal.word(), sessions(bulk.targets.len())),
            Self::Maintain { task, target, .. } => format!("{} {}", task.word(), target.shown()),
            Self::ExpireCache { table, .. } => format!("expire {}", table.shown()),
            Self::Setting { name, to: Entry::Text(text), .. } => format!("set {name} = {}", text.head(64)),
            Self::Setting { name, to: Entry::Absent | Entry::Unknown, .. } => format!("reset {name}"),
            Self::Reload { .. } => "reload the configuration".to_owned(),
        }
    }
}

/// `1 session`, `7 sessions`.
fn sessions(count: usize) -> String {
    format!("{count} session{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_client_keeps_its_port_apart() {
        let mut session = super::super::fixture::active(7);
        session.client = Some("fe80::1".to_owned());
        session.client_port = Some(50_112);
        assert_eq!(Who::of(&session).client.as_deref(), Some("[fe80::1]:50112"));
        session.client_port = Some(-1);
        session.client = None;
        assert_eq!(Who::of(&session).shown(), "shop@shop, app=worker, local socket");
    }

    #[test]
    fn hostile_names_are_kept_raw_in_the_action_and_escaped_where_they_are_shown() {
        let mut session = super::super::fixture::active(7);
        session.application = ServerText::from("a\u{1b}[2J");
        let who = Who::of(&session);
        assert_eq!(who.application.raw(), "a\u{1b}[2J");
        assert!(who.shown().contains("app=a\\x1b[2J"));
    }
}
