//! Owns `Conninfo`, everything that is needed to dial, and `ConninfoError`, the refusals of what was given.
//!
//! It must not open a connection; how the values are gathered is `given`'s, how they are dialled is `dial`'s.

use super::endpoint::Endpoint;
use super::password::Secret;
use super::tls::TlsWish;
use std::path::PathBuf;
use std::time::Duration;

/// Which kind of session is wanted: `target_session_attrs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SessionAttrs {
    /// Whichever answers.
    #[default]
    Any,
    /// A session that may write.
    ReadWrite,
    /// A session that may not.
    ReadOnly,
    /// A server that is not in recovery.
    Primary,
    /// A server in hot standby.
    Standby,
    /// A standby, or failing that any server.
    PreferStandby,
}

impl SessionAttrs {
    /// libpq's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::ReadWrite => "read-write",
            Self::ReadOnly => "read-only",
            Self::Primary => "primary",
            Self::Standby => "standby",
            Self::PreferStandby => "prefer-standby",
        }
    }
}

/// In which order the hosts are tried: `load_balance_hosts`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HostOrder {
    /// As they were given.
    #[default]
    AsGiven,
    /// Shuffled at each dial.
    Random,
}

/// When a person may be asked for a password: neither option, `-W` or `-w`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Asking {
    /// Once a server wants one that nobody gave.
    #[default]
    WhenNeeded,
    /// Before dialling.
    Always,
    /// Not at all.
    Never,
}

/// SCRAM's binding to the TLS channel: `channel_binding`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Binding {
    /// Never used.
    Disable,
    /// Used where both sides can.
    #[default]
    Prefer,
    /// Without it there is no connection.
    Require,
}

/// TCP keepalive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keepalive {
    /// Silence before the first probe.
    pub idle: Duration,
    /// Time between probes.
    pub interval: Duration,
    /// Probes unanswered until the connection is given up.
    pub count: u32,
}

impl Default for Keepalive {
    /// A dead network is noticed within a minute; the kernel's own figure is over two hours.
    fn default() -> Self {
        Self { idle: Duration::from_secs(30), interval: Duration::from_secs(10), count: 3 }
    }
}

/// A connection, resolved: nothing in it depends on the environment any more.
#[derive(Debug, Clone)]
pub struct Conninfo {
    /// Where to try, in order; never empty.
    pub endpoints: Vec<Endpoint>,
    /// The role.
    pub user: String,
    /// The database.
    pub database: String,
    /// The password, unless it is an endpoint's own from the password file.
    pub password: Option<Secret>,
    /// The file that the endpoints' passwords came from.
    pub passfile: Option<PathBuf>,
    /// When a person may be asked for it.
    pub asking: Asking,
    /// The user's own session options, `-c name=value`.
    pub options: Option<String>,
    /// What is wanted of TLS.
    pub tls: TlsWish,
    /// SCRAM's channel binding.
    pub binding: Binding,
    /// Which kind of session is wanted.
    pub session_attrs: SessionAttrs,
    /// The order of the hosts.
    pub order: HostOrder,
    /// Bound of one dial: socket, TLS, login and first questions. `None`: no bound, asked for with `connect_timeout=0`.
    pub connect_timeout: Option<Duration>,
    /// TCP keepalive; `None` when it was switched off.
    pub keepalive: Option<Keepalive>,
    /// How long the kernel waits for an acknowledgement; `None` for its own figure.
    pub tcp_user_timeout: Option<Duration>,
    /// What a person should know, such as a password file that others may read.
    pub warnings: Vec<String>,
}

impl Conninfo {
    /// Keeps the answer of a prompt, for this dial and every one after it; it outranks the password file.
    pub fn set_password(&mut self, password: Secret) {
        self.password = Some(password);
    }

    /// The same connection to another database of the same server.
    #[must_use]
    pub fn to_database(&self, database: &str) -> Self {
        Self { database: database.to_owned(), ..self.clone() }
    }

    /// `db1:5432, db2:5432`, for the screen.
    #[must_use]
    pub fn places(&self) -> String {
        self.endpoints.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }

    pub(super) fn password_at<'a>(&'a self, endpoint: &'a Endpoint) -> Option<&'a Secret> {
        self.password.as_ref().or(endpoint.password.as_ref())
    }
}

/// Why what was given is no connection; the texts are libpq's where libpq has one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConninfoError {
    /// A keyword that libpq does not know either.
    #[error("invalid connection option \"{0}\"")]
    UnknownOption(String),
    /// A word without its value.
    #[error("missing \"=\" after \"{0}\" in connection info string")]
    MissingEquals(String),
    /// A value that opens a quote and never closes it.
    #[error("unterminated quoted string in connection info string")]
    OpenQuote,
    /// A URI that opens a bracket and never closes it.
    #[error("end of string reached when looking for matching \"]\" in IPv6 host address in URI: \"{0}\"")]
    OpenBracket(String),
    /// A URI with `[]`.
    #[error("IPv6 host address may not be empty in URI: \"{0}\"")]
    EmptyBracket(String),
    /// A URI with something else than a port, path or next host after `]`.
    #[error("unexpected character \"{stray}\" at position {position} in URI (expected \":\" or \"/\"): \"{uri}\"")]
    StrayCharacter {
        /// What stands there.
        stray: char,
        /// Where, counted from 1 in bytes.
        position: usize,
        /// The whole.
        uri: String,
    },
    /// A parameter without `=`.
    #[error("missing key/value separator \"=\" in URI query parameter: \"{0}\"")]
    MissingSeparator(String),
    /// A parameter with two `=`.
    #[error("extra key/value separator \"=\" in URI query parameter: \"{0}\"")]
    ExtraSeparator(String),
    /// A parameter that is no keyword.
    #[error("invalid URI query parameter: \"{0}\"")]
    UnknownParameter(String),
    /// A `%` without two hexadecimal digits.
    #[error("invalid percent-encoded token: \"{0}\"")]
    InvalidEscape(String),
    /// A `%00`.
    #[error("forbidden value %00 in percent-encoded value: \"{0}\"")]
    ZeroByte(String),
    /// A service that no file defines.
    #[error("definition of service \"{0}\" not found")]
    UnknownService(String),
    /// `PGSERVICEFILE` names nothing.
    #[error("service file \"{}\" not found", .0.display())]
    ServiceFileNotFound(PathBuf),
    /// A service file says something wrong.
    #[error("{what} in service file \"{}\", line {line}", file.display())]
    ServiceFile {
        /// What is wrong.
        what: String,
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// A port that is no number.
    #[error("invalid integer value \"{value}\" for connection option \"{option}\"")]
    NotANumber {
        /// The keyword.
        option: &'static str,
        /// Its value.
        value: String,
    },
    /// A port that no server can have.
    #[error("invalid port number: \"{0}\"")]
    InvalidPort(String),
    /// Lists of different lengths.
    #[error("could not match {ports} port numbers to {hosts} hosts")]
    PortsAndHosts {
        /// How many ports.
        ports: usize,
        /// How many hosts.
        hosts: usize,
    },
    /// Lists of different lengths.
    #[error("could not match {hosts} host names to {addresses} hostaddr values")]
    HostsAndAddresses {
        /// How many hosts.
        hosts: usize,
        /// How many addresses.
        addresses: usize,
    },
    /// A `hostaddr` that is a name.
    #[error("could not parse network address \"{0}\"")]
    InvalidAddress(String),
    /// A value outside a keyword's list.
    #[error("invalid {option} value: \"{value}\"")]
    InvalidValue {
        /// The keyword.
        option: &'static str,
        /// Its value.
        value: String,
    },
    /// The system's roots with a mode that would not check the name.
    #[error("weak sslmode \"{0}\" may not be used with sslrootcert=system (use \"verify-full\")")]
    WeakMode(String),
    /// A direct TLS start with a mode that would do without.
    #[error(
        "weak sslmode \"{0}\" may not be used with sslnegotiation=direct (use \"require\", \"verify-ca\", or \"verify-full\")"
    )]
    WeakDirect(String),
    /// libpq knows it and pgtriage cannot do it.
    #[error("pgtriage does not support {option}={value}; leave it out, or connect by another way")]
    Unsupported {
        /// The keyword.
        option: &'static str,
        /// Its value.
        value: String,
    },
    /// More arguments than a database and a user.
    #[error("extra command-line argument \"{0}\"")]
    ExtraArgument(String),
    /// No user was named and the system does not know who this is.
    #[error("could not look up the local user; name one with -U")]
    NoUser,
}
