//! Sessions: the rows of `pg_stat_activity`, and who blocks whom among them.

use serde::{Deserialize, Serialize};

use super::text::ServerText;

/// A backend's identity: a pid alone is given out again, together with its start it is not.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SessionKey {
    /// `pid`.
    pub pid: i32,
    /// `backend_start` as the server wrote it, to the microsecond; none where the role may not see it.
    pub backend_start: Option<String>,
}

/// `state` of a backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum State {
    /// Running a statement.
    Active,
    /// In a failed transaction, waiting for the client.
    IdleInTransactionAborted,
    /// In a transaction, waiting for the client.
    IdleInTransaction,
    /// Running a fast-path function.
    Fastpath,
    /// Logging in (18 and later).
    Starting,
    /// `track_activities` is off in that session.
    Disabled,
    /// Waiting for the client, no transaction open.
    Idle,
}

impl State {
    /// Reads PostgreSQL's own word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "active" => Self::Active,
            "idle" => Self::Idle,
            "idle in transaction" => Self::IdleInTransaction,
            "idle in transaction (aborted)" => Self::IdleInTransactionAborted,
            "fastpath function call" => Self::Fastpath,
            "starting" => Self::Starting,
            "disabled" => Self::Disabled,
            _ => return None,
        })
    }

    /// PostgreSQL's own word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Idle => "idle",
            Self::IdleInTransaction => "idle in transaction",
            Self::IdleInTransactionAborted => "idle in transaction (aborted)",
            Self::Fastpath => "fastpath function call",
            Self::Starting => "starting",
            Self::Disabled => "disabled",
        }
    }

    /// A word for a narrow cell.
    #[must_use]
    pub fn short(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Idle => "idle",
            Self::IdleInTransaction => "idle in tx",
            Self::IdleInTransactionAborted => "idle aborted",
            Self::Fastpath => "fastpath",
            Self::Starting => "starting",
            Self::Disabled => "disabled",
        }
    }

    /// True while the session holds a transaction open and waits for its client: a cancel does nothing to it.
    #[must_use]
    pub fn is_idle_in_transaction(self) -> bool {
        matches!(self, Self::IdleInTransaction | Self::IdleInTransactionAborted)
    }
}

/// What a session waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// `wait_event_type`, such as `Lock`, `IO`, `Client`.
    pub class: String,
    /// `wait_event`. The names were re-cased in 17: compare without regard to case.
    pub event: String,
}

impl Wait {
    /// True where it waits for files to be read or written, or for another backend that does.
    #[must_use]
    pub fn is_io(&self) -> bool {
        Self::named_io(&format!("{}:{}", self.class, self.event))
    }

    /// The same of one that is written `IO:DataFileRead`.
    #[must_use]
    pub fn named_io(name: &str) -> bool {
        // The class of `BufferIO` changed in 14.
        let for_another = ["LWLock:WALWrite", "LWLock:BufferIO", "IPC:BufferIO"];
        name.starts_with("IO:") || for_another.iter().any(|other| name.eq_ignore_ascii_case(other))
    }

    /// True where a vacuum or an analyze sleeps for its cost delay.
    #[must_use]
    pub fn is_cost_delay(&self) -> bool {
        self.class == "Timeout" && self.event.eq_ignore_ascii_case("VacuumDelay")
    }

    /// True for a heavyweight lock: the waits that have a blocker.
    #[must_use]
    pub fn is_lock(&self) -> bool {
        self.class == "Lock"
    }
}

/// The lock that a session waits for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LockWait {
    /// `locktype`: relation, transactionid, tuple …
    pub locktype: String,
    /// `mode`, such as `AccessExclusiveLock`.
    pub mode: String,
    /// The relation's name, where it is one of this database.
    pub relation: Option<ServerText>,
    /// Seconds waited: from `waitstart` on 14 and later, before that since the query's start, which is too much.
    pub waited_s: Option<f64>,
    /// True where others may lock the same row beside its blocker: of those who share it the server names one.
    #[serde(default)]
    pub shared: bool,
}

/// What a session holds that another one waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockHold {
    /// `locktype` of the strongest.
    pub locktype: String,
    /// Its `mode`.
    pub mode: String,
    /// The relation's name, where it is one of this database.
    pub relation: Option<ServerText>,
    /// How many such locks it holds.
    pub locks: usize,
}

/// One backend.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Process id.
    pub pid: i32,
    /// The leader's pid, for a parallel worker.
    pub leader: Option<i32>,
    /// Database, none for background processes.
    pub database: Option<ServerText>,
    /// Role.
    pub user: Option<ServerText>,
    /// `application_name`.
    pub application: ServerText,
    /// Client address; none for a Unix socket.
    pub client: Option<String>,
    /// Client port; -1 for a Unix socket.
    pub client_port: Option<i32>,
    /// `backend_type`, none where the role may not see it.
    pub backend_type: Option<String>,
    /// `state`, none for background processes and where the role may not see it.
    pub state: Option<State>,
    /// What it waits for.
    pub wait: Option<Wait>,
    /// `query_id` (14 and later).
    pub query_id: Option<i64>,
    /// `backend_xid`: set once the transaction has written.
    pub xid: Option<String>,
    /// `backend_xmin`: the horizon that it holds.
    pub xmin: Option<String>,
    /// Age in transactions of what it holds vacuum's horizon at: its xmin, or its own id where that is older.
    pub xmin_age: Option<i64>,
    /// `backend_start` as text, exact.
    pub backend_start: Option<String>,
    /// `xact_start` as text, exact.
    pub xact_start: Option<String>,
    /// `query_start` as text, exact.
    pub query_start: Option<String>,
    /// Seconds since the session began, by the server's clock.
    pub backend_s: Option<f64>,
    /// Seconds since the transaction began.
    pub xact_s: Option<f64>,
    /// Seconds since the query began (for an idle session: the last one).
    pub query_s: Option<f64>,
    /// Seconds in this state.
    pub state_s: Option<f64>,
    /// The query's text; for an idle session the last one.
    pub query: ServerText,
    /// True where the server hid the row from our role.
    pub hidden: bool,
    /// Pids that block it; 0 stands for a prepared transaction.
    pub blocked_by: Vec<i32>,
    /// How many block it in truth, where the list was cut.
    pub blockers: usize,
    /// The lock that it waits for.
    pub waits_for: Option<LockWait>,
    /// What it holds that another one waits for.
    #[serde(default)]
    pub holds: Option<LockHold>,
}

impl Session {
    /// Its identity.
    #[must_use]
    pub fn key(&self) -> SessionKey {
        SessionKey { pid: self.pid, backend_start: self.backend_start.clone() }
    }

    /// True for what a client opened: not walsenders, workers or background processes. A hidden row counts as a client
    /// where it has a role, since the server does not tell.
    #[must_use]
    pub fn is_client(&self) -> bool {
        match &self.backend_type {
            Some(kind) => kind == "client backend",
            None => self.hidden && self.user.is_some(),
        }
    }

    /// True while it runs a statement.
    #[must_use]
    pub fn is_active(&self) -> bool {
        matches!(self.state, Some(State::Active | State::Fastpath))
    }

    /// True where its transaction has committed on this server, and its client waits for a synchronous standby to confirm:
    /// nothing of it can be undone any more. Its locks are held until then.
    #[must_use]
    pub fn awaits_standby(&self) -> bool {
        self.wait.as_ref().is_some_and(|w| w.class == "IPC" && w.event.eq_ignore_ascii_case("SyncRep"))
    }

    /// What the transaction of one that awaits a standby has come to: both halves of a two-phase commit wait as well.
    #[must_use]
    pub fn done_here(&self) -> &'static str {
        let begins = |words: &str| {
            self.query.raw().trim_start().get(..words.len()).is_some_and(|t| t.eq_ignore_ascii_case(words))
        };
        match () {
            () if begins("PREPARE TRANSACTION") => "is prepared",
            () if begins("ROLLBACK PREPARED") => "has rolled back what was prepared",
            () => "has committed",
        }
    }

    /// True for a vacuum that keeps the server from stopping at the wraparound limit: never to be cancelled lightly.
    #[must_use]
    pub fn prevents_wraparound(&self) -> bool {
        self.backend_type.as_deref() == Some("autovacuum worker")
            && self.query.raw().contains("(to prevent wraparound)")
    }
}

/// A transaction prepared for two-phase commit: it holds locks and the horizon without a session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prepared {
    /// Its global identifier.
    pub gid: ServerText,
    /// Who prepared it.
    pub owner: ServerText,
    /// In which database.
    pub database: ServerText,
    /// Seconds since.
    pub age_s: f64,
    /// Sessions that wait for something that it holds.
    #[serde(default)]
    pub waiters: Vec<i32>,
    /// False where its identifier is not UTF-8, so that what we show of it is a guess.
    #[serde(default = "yes")]
    pub exact: bool,
}

fn yes() -> bool {
    true
}

/// One of our own connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ours {
    /// Its role.
    pub user: Option<ServerText>,
    /// Its database.
    pub database: Option<ServerText>,
}

/// All sessions at one moment, our own left out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Sessions {
    /// Every backend that the server showed, ours left out.
    pub rows: Vec<Session>,
    /// Rows whose content the server hid from our role.
    pub hidden: usize,
    /// Our own connections, which were left out.
    pub own: usize,
    /// Whose each of them is, and where: they count towards the limits of a role and of a database.
    #[serde(default)]
    pub ours: Vec<Ours>,
    /// Prepared transactions, asked for only when one of them blocks.
    pub prepared: Vec<Prepared>,
}

impl Sessions {
    /// The prepared transactions that may be what `session` waits for: those that hold what it awaits; where none was
    /// seen to, all of its database. The oldest first.
    #[must_use]
    pub fn prepared_before(&self, session: &Session) -> Vec<&Prepared> {
        if !session.blocked_by.contains(&0) {
            return Vec::new();
        }
        let seen: Vec<&Prepared> = self.prepared.iter().filter(|p| p.waiters.contains(&session.pid)).collect();
        if !seen.is_empty() {
            return seen;
        }
        let here = |p: &&Prepared| session.database.as_ref().is_none_or(|database| *database == p.database);
        self.prepared.iter().filter(here).collect()
    }
}

/// A lock that a session holds or waits for, for the detail view.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeldLock {
    /// `locktype`.
    pub locktype: String,
    /// `mode`.
    pub mode: String,
    /// True if held, false while it waits.
    pub granted: bool,
    /// What it is on: a relation's name, a transaction, a key.
    pub object: ServerText,
    /// Seconds waited (14 and later).
    pub waited_s: Option<f64>,
}
