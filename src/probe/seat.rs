//! A connection that questions are asked on, and what its errors mean to a question.
//!
//! It sends the statements of [`super::sql`] and nothing else; what an answer means is left to the file of its question.

use std::time::Duration;

use crate::model::world::{LinkFacts, Tls};
use crate::model::{ProbeError, ServerText, Timestamp};
use crate::postgres::{
    self, AskError, At, ConnectError, Conninfo, Lane, LastWords, Link, OwnPid, OwnPids, Rows, SessionSettings, connect,
};

use super::sql::{Script, Value, identifier};

/// We wait so much longer than the lane's `statement_timeout`, which should end a statement first and leave the session whole.
const GRACE: Duration = Duration::from_secs(2);

/// A live connection of one lane.
#[derive(Debug)]
pub struct Seat {
    link: Link,
    major: i32,
    patience: Duration,
    since: Timestamp,
    _own: Option<OwnPid>,
}

/// What it takes to get a seat.
#[derive(Debug, Clone)]
pub struct Road {
    /// Where to, and as whom.
    pub conninfo: Conninfo,
    /// Who sits in front of the console.
    pub os_user: String,
    /// Where our pids are noted.
    pub own: OwnPids,
}

/// Why there is no seat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// As a question's answer.
    pub error: ProbeError,
    /// Every slot that our role may have is taken (SQLSTATE 53300).
    pub full: bool,
    /// The same again will be refused again: a password, a certificate, an unknown database.
    pub permanent: bool,
    /// What happened, as the road has it.
    pub cause: ConnectError,
}

fn refusal(error: ConnectError, conninfo: &Conninfo) -> Refusal {
    // The only right that logging in takes: CONNECT on the database.
    let denied = error.server().is_some_and(|server| server.sqlstate == "42501");
    let (database, user) = (identifier(&conninfo.database), identifier(&conninfo.user));
    Refusal {
        full: error.is_slots_exhausted(),
        permanent: error.is_permanent(),
        error: match (denied, database, user) {
            (true, Some(database), Some(user)) => {
                ProbeError::Denied { cure: format!("GRANT CONNECT ON DATABASE {database} TO {user}") }
            }
            _ => ProbeError::Unreachable(error.to_string()),
        },
        cause: error,
    }
}

impl Road {
    /// Takes a seat: at `at` where several hosts are possible and one of them answers already, in `database` if not the usual
    /// one.
    ///
    /// # Errors
    /// The server's own words, or the network's.
    pub async fn take(&self, lane: Lane, at: Option<&At>, database: Option<&ServerText>) -> Result<Seat, Refusal> {
        let mut conninfo = self.conninfo.clone();
        if let Some(at) = at {
            // Two lanes of one console must not speak of two servers.
            let same: Vec<_> = conninfo.endpoints.iter().filter(|endpoint| is_at(endpoint, at)).cloned().collect();
            if !same.is_empty() {
                conninfo.endpoints = same;
            }
        }
        if let Some(database) = database {
            conninfo = conninfo.to_database(database.raw());
        }
        let settings = SessionSettings::of(lane, &self.os_user);
        let patience = settings.statement_timeout + GRACE;
        let link = connect(&conninfo, lane, &settings).await.map_err(|error| refusal(error, &conninfo))?;
        let major = i32::try_from(link.facts().version / 10_000).unwrap_or(i32::MAX);
        // Behind a pooler the process of this moment serves somebody else in the next.
        let own = (!link.facts().pooled).then(|| self.own.note(link.facts().pid));
        Ok(Seat { link, major, patience, since: Timestamp::now(), _own: own })
    }
}

fn is_at(endpoint: &postgres::Endpoint, at: &At) -> bool {
    match at {
        At::Tcp { host, port, .. } => endpoint.host() == *host && endpoint.port == *port,
        At::Socket(path) => {
            endpoint.host() == path.parent().map(|folder| folder.display().to_string()).unwrap_or_default()
                && path.extension().is_some_and(|port| port.to_string_lossy() == endpoint.port.to_string())
        }
    }
}

impl Seat {
    /// Where it is.
    #[must_use]
    pub fn at(&self) -> &At {
        &self.link.facts().at
    }

    /// What the header says about it.
    #[must_use]
    pub fn facts(&self) -> LinkFacts {
        let facts = self.link.facts();
        LinkFacts {
            place: place(&facts.at),
            tls: match (facts.tls, &facts.at) {
                (postgres::Tls::None, At::Socket(_)) => Tls::Local,
                (postgres::Tls::None, At::Tcp { .. }) => Tls::None,
                (postgres::Tls::Unverified, _) => Tls::Unverified,
                (postgres::Tls::Authority, _) => Tls::ChainVerified,
                (postgres::Tls::Verified, _) => Tls::Verified,
            },
            pooled: facts.pooled,
            since: self.since,
        }
    }

    /// How the session ended, if it did.
    #[must_use]
    pub fn lost(&self) -> Option<ProbeError> {
        self.link.lost().map(gone)
    }

    /// Waits until the session ends.
    pub async fn ended(&mut self) -> ProbeError {
        gone(self.link.ended().await)
    }

    /// Waits while an unanswered statement is being cancelled; true where the server hung, and no longer does or was left.
    pub async fn settled(&self) -> bool {
        self.link.settled().await
    }

    /// The server's major version.
    #[must_use]
    pub fn major(&self) -> i32 {
        self.major
    }

    /// Asks one statement.
    ///
    /// # Errors
    /// See [`ProbeError`]; the cure of a missing right is in the server's words until the question knows a better one.
    pub async fn ask(&mut self, script: Script, values: &[(&str, Value<'_>)]) -> Result<Rows, ProbeError> {
        self.ask_as(self.major, script, values).await
    }

    /// The same where not the server's version decides, but that of an extension: the one of the `major` that it came with.
    ///
    /// # Errors
    /// As [`Seat::ask`].
    pub async fn ask_as(
        &mut self,
        major: i32,
        script: Script,
        values: &[(&str, Value<'_>)],
    ) -> Result<Rows, ProbeError> {
        let statement = script.render(major, values)?;
        self.link.read_again(script.name, &statement, self.patience).await.map_err(|error| meant(error, self.patience))
    }

    /// Runs these statements, each sent by itself, in a transaction that only reads and is rolled back; the last answers.
    ///
    /// # Errors
    /// As [`Seat::ask`].
    pub async fn plan(&mut self, statements: Vec<String>) -> Result<Rows, ProbeError> {
        self.link.plan(statements, self.patience).await.map_err(|error| meant(error, self.patience))
    }
}

/// `db1:5432`, or the path of a socket's folder and its port.
fn place(at: &At) -> String {
    match at {
        At::Tcp { host, port, .. } if host.contains(':') => format!("[{host}]:{port}"),
        At::Tcp { host, port, .. } => format!("{host}:{port}"),
        At::Socket(path) => {
            let port = path.extension().map(|port| port.to_string_lossy().into_owned()).unwrap_or_default();
            format!("{}:{port}", path.parent().map(|folder| folder.display().to_string()).unwrap_or_default())
        }
    }
}

fn gone(last: LastWords) -> ProbeError {
    ProbeError::Unreachable(last.reason)
}

/// What an error of the road means for a question.
fn meant(error: AskError, patience: Duration) -> ProbeError {
    let seconds = u32::try_from((patience.saturating_sub(GRACE)).as_secs()).unwrap_or(u32::MAX);
    match error {
        // Busy: the statement before this was cancelled and still runs.
        AskError::Deadline { .. } | AskError::Busy => ProbeError::TimedOut(seconds),
        AskError::Lost { reason, .. } => ProbeError::Unreachable(reason),
        AskError::Shape(words) => ProbeError::Shape(words),
        AskError::Server(server) => match server.sqlstate.as_str() {
            "55P03" => ProbeError::Locked(server.message),
            // Our own bound, or somebody who cancelled it: either way there was no answer in time.
            "57014" => ProbeError::TimedOut(seconds),
            "42501" => ProbeError::Denied { cure: server.message },
            _ => ProbeError::Refused { code: server.sqlstate, message: server.message },
        },
    }
}

/// Nothing, where a question that may fail without harm failed; a lost or hanging connection is harm.
///
/// # Errors
/// [`ProbeError::Unreachable`] and [`ProbeError::TimedOut`] only.
pub fn optional(answer: Result<Rows, ProbeError>) -> Result<Option<Rows>, ProbeError> {
    match answer {
        Ok(rows) => Ok(Some(rows)),
        Err(error @ (ProbeError::Unreachable(_) | ProbeError::TimedOut(_))) => Err(error),
        Err(_) => Ok(None),
    }
}
