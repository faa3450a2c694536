//! Owns what can go wrong on the road: `ServerMessage` in the server's own words, `ConnectError`, `AskError`.
//!
//! It must not decide what to do about any of it beyond naming the kinds that others act on.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;
use tokio_postgres::error::DbError;

/// An error or a notice, as the server worded it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerMessage {
    /// `ERROR`, `FATAL`, `WARNING`, `NOTICE`…; not translated where the server says so (all but old poolers).
    pub severity: String,
    /// Five characters that do not change between versions, unlike the text.
    pub sqlstate: String,
    /// The sentence.
    pub message: String,
    /// More of it.
    pub detail: Option<String>,
    /// What the server advises.
    pub hint: Option<String>,
}

impl ServerMessage {
    pub(super) fn of(error: &DbError) -> Self {
        let severity = error.parsed_severity().map_or_else(|| error.severity().to_owned(), |s| s.to_string());
        Self {
            severity,
            sqlstate: error.code().code().to_owned(),
            message: error.message().to_owned(),
            detail: error.detail().map(str::to_owned),
            hint: error.hint().map(str::to_owned),
        }
    }

    /// Whether the session ended with it.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        self.severity == "FATAL" || self.severity == "PANIC"
    }

    /// Whether it warns: a `VACUUM` without the right to it succeeds with one of these.
    #[must_use]
    pub fn is_warning(&self) -> bool {
        self.severity == "WARNING"
    }
}

impl fmt::Display for ServerMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:  {}", self.severity, self.message)?;
        if let Some(detail) = &self.detail {
            write!(f, " ({detail})")?;
        }
        Ok(())
    }
}

/// Where a dial went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum At {
    /// A host and, once looked up, its address.
    Tcp {
        /// As given.
        host: String,
        /// As looked up.
        address: Option<IpAddr>,
        /// The port.
        port: u16,
    },
    /// A socket.
    Socket(PathBuf),
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(path) => write!(f, "server on socket \"{}\"", path.display()),
            Self::Tcp { host, address: Some(address), port } if *host != address.to_string() => {
                write!(f, "server at \"{host}\" ({address}), port {port}")
            }
            Self::Tcp { host, port, .. } => write!(f, "server at \"{host}\", port {port}"),
        }
    }
}

/// Why there is no connection; `at` tells where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// Nobody listens there.
    #[error("connection to {at} failed: {why} (is the server running there and accepting connections?)")]
    Refused {
        /// Where.
        at: At,
        /// The operating system's words.
        why: String,
    },
    /// The name is unknown, or the network does not reach it.
    #[error("connection to {at} failed: {why}")]
    Unreachable {
        /// Where.
        at: At,
        /// The operating system's words.
        why: String,
    },
    /// It took longer than the connect timeout: socket, TLS, login and the first questions.
    #[error("connection to {at} failed: no answer within {} s", after.as_secs_f32())]
    Timeout {
        /// Where.
        at: At,
        /// The bound.
        after: Duration,
    },
    /// TLS is not to be had, or the certificate is not good enough.
    #[error("connection to {at} failed: TLS: {why}")]
    Tls {
        /// Where.
        at: At,
        /// What is wrong.
        why: String,
    },
    /// The server wants a password and there is none.
    #[error("connection to {at} failed: no password supplied")]
    PasswordMissing {
        /// Where.
        at: At,
    },
    /// The server did not take who we say we are.
    #[error("connection to {at} failed: {server}{}", from_file(passfile.as_ref()))]
    Auth {
        /// Where.
        at: At,
        /// Its words.
        server: ServerMessage,
        /// The file that the password came from, which may be out of date.
        passfile: Option<PathBuf>,
    },
    /// The server refused for another reason.
    #[error("connection to {at} failed: {0}", .server)]
    Server {
        /// Where.
        at: At,
        /// Its words.
        server: ServerMessage,
    },
    /// The server hung up, or spoke something else than PostgreSQL's protocol.
    #[error("connection to {at} failed: {why}")]
    Broken {
        /// Where.
        at: At,
        /// What happened.
        why: String,
    },
    /// It answers and is not the kind of session that was wanted.
    #[error("connection to {at} failed: {why}")]
    Unsuitable {
        /// Where.
        at: At,
        /// libpq's words for it.
        why: &'static str,
    },
    /// Every place failed, each in its way.
    #[error("{}", sentences(.0))]
    Several(Vec<ConnectError>),
}

fn from_file(passfile: Option<&PathBuf>) -> String {
    passfile.map_or_else(String::new, |file| format!(" (password retrieved from file \"{}\")", file.display()))
}

fn sentences(errors: &[ConnectError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl ConnectError {
    fn any(&self, test: &dyn Fn(&Self) -> bool) -> bool {
        if let Self::Several(errors) = self { errors.iter().any(|error| error.any(test)) } else { test(self) }
    }

    /// The server's words, where a server spoke.
    #[must_use]
    pub fn server(&self) -> Option<&ServerMessage> {
        match self {
            Self::Auth { server, .. } | Self::Server { server, .. } => Some(server),
            Self::Several(errors) => errors.iter().find_map(Self::server),
            Self::Refused { .. }
            | Self::Unreachable { .. }
            | Self::Timeout { .. }
            | Self::Tls { .. }
            | Self::PasswordMissing { .. }
            | Self::Broken { .. }
            | Self::Unsuitable { .. } => None,
        }
    }

    fn is_state(&self, state: &str) -> bool {
        self.any(&|error| error.server().is_some_and(|server| server.sqlstate == state))
    }

    /// Every slot is taken (53300).
    #[must_use]
    pub fn is_slots_exhausted(&self) -> bool {
        self.is_state("53300")
    }

    /// Trying again unchanged cannot help: password, certificate, unknown role or database.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::Tls { .. } | Self::PasswordMissing { .. } | Self::Auth { .. } => true,
            Self::Server { server, .. } => ["28", "3D", "42"].iter().any(|class| server.sqlstate.starts_with(class)),
            Self::Several(errors) => errors.iter().all(Self::is_permanent),
            Self::Refused { .. }
            | Self::Unreachable { .. }
            | Self::Timeout { .. }
            | Self::Broken { .. }
            | Self::Unsuitable { .. } => false,
        }
    }
}

/// Whether the server asked for a password that nobody gave: the moment to prompt, once.
#[must_use]
pub fn needs_password(error: &ConnectError) -> bool {
    error.any(&|error| matches!(error, ConnectError::PasswordMissing { .. }))
}

/// Whether the server did not accept the password that was given (28P01): typed wrong, it may be typed again.
#[must_use]
pub fn refuses_password(error: &ConnectError) -> bool {
    error.is_state("28P01")
}

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// The server said no; the session goes on.
    #[error("{0}")]
    Server(ServerMessage),
    /// The connection is gone; these were the last words heard on it.
    #[error("connection lost: {reason}")]
    Lost {
        /// The server's last words, or the operating system's.
        reason: String,
        /// The SQLSTATE of the server's last words, where it had any.
        sqlstate: Option<String>,
    },
    /// No answer in time. For a statement that changes something: whether it did is unknown.
    #[error("no answer within {} s", after.as_secs_f32())]
    Deadline {
        /// The bound.
        after: Duration,
    },
    /// The previous question still holds the session, though it was cancelled.
    #[error("the session is still busy with a statement that was cancelled")]
    Busy,
    /// The answer is not what the reader of it expects.
    #[error("{0}")]
    Shape(String),
}

impl AskError {
    /// The SQLSTATE of the server's refusal.
    #[must_use]
    pub fn sqlstate(&self) -> Option<&str> {
        match self {
            Self::Server(server) => Some(&server.sqlstate),
            Self::Lost { sqlstate, .. } => sqlstate.as_deref(),
            Self::Deadline { .. } | Self::Busy | Self::Shape(_) => None,
        }
    }

    /// Every slot is taken (53300).
    #[must_use]
    pub fn is_slots_exhausted(&self) -> bool {
        self.sqlstate() == Some("53300")
    }

    /// A lock was not to be had in time (55P03).
    #[must_use]
    pub fn is_lock_timeout(&self) -> bool {
        self.sqlstate() == Some("55P03")
    }

    /// The server's own bound ended the statement. 57014 is also a cancellation by a user, and
    /// only the text tells them apart; where it is not English this says `false`.
    #[must_use]
    pub fn is_statement_timeout(&self) -> bool {
        matches!(self, Self::Server(server) if server.sqlstate == "57014" && server.message.contains("statement timeout"))
    }

    /// The statement was cancelled, by a timeout or by somebody (57014).
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.sqlstate() == Some("57014")
    }

    /// A plan that was kept is not there (26000), is there already (42P05), or does not fit any more what it reads (0A000).
    pub(super) fn is_about_a_plan(&self) -> bool {
        matches!(self.sqlstate(), Some("26000" | "42P05" | "0A000"))
    }

    /// The role may not (42501).
    #[must_use]
    pub fn is_privilege(&self) -> bool {
        self.sqlstate() == Some("42501")
    }

    /// The table, view or function does not exist here (42P01, 42883).
    #[must_use]
    pub fn is_undefined(&self) -> bool {
        matches!(self.sqlstate(), Some("42P01" | "42883"))
    }

    /// The session is of no use any more.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        matches!(self, Self::Lost { .. })
    }
}
