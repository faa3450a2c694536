//! Owns one login: socket, TLS if it is to be, start-up packet and authentication, by way of tokio-postgres.
//!
//! It must not choose: mode, address, options and password are decided by `dial`.

use super::conninfo::{Binding, Conninfo};
use super::driver::root_cause;
use super::endpoint::{Endpoint, Place};
use super::error::{At, ConnectError, ServerMessage};
use super::password::Secret;
use super::tls::{Connector, Negotiation, SslMode, Stream, Tls};
use std::io;
use std::net::IpAddr;
use tokio_postgres::config::{ChannelBinding, SslMode as Wire, SslNegotiation};
use tokio_postgres::{Client, Config, Connection, Error, Socket};

/// What to log in with.
#[derive(Clone, Copy)]
pub struct Login<'a> {
    pub info: &'a Conninfo,
    pub endpoint: &'a Endpoint,
    pub address: Option<IpAddr>,
    pub at: &'a At,
    pub mode: SslMode,
    pub name: &'a str,
    pub password: Option<&'a Secret>,
    pub options: Option<&'a str>,
}

/// A session that nobody drives yet.
pub struct Opened {
    pub client: Client,
    pub connection: Connection<Socket, Stream>,
    pub connector: Connector,
    pub tls: Tls,
}

/// Logs in.
pub async fn login(login: &Login<'_>) -> Result<Opened, ConnectError> {
    let no_tls = |why: String| ConnectError::Tls { at: login.at.clone(), why };
    if login.mode == SslMode::VerifyFull && login.endpoint.name().is_none() {
        return Err(no_tls("host name must be specified for a verified SSL connection".to_owned()));
    }
    let (worth, connector) = if login.mode == SslMode::Disable {
        (Tls::None, Connector::plain().map_err(no_tls)?)
    } else {
        let (worth, config) = login.info.tls.configured().map_err(no_tls)?;
        (worth, Connector::new(config))
    };
    let config = config(login);
    match config.connect(connector.clone()).await {
        Ok((client, connection)) => {
            let tls = if connector.was_used() { worth } else { Tls::None };
            Ok(Opened { client, connection, connector, tls })
        }
        Err(error) => Err(explained(login, &error)),
    }
}

fn config(login: &Login<'_>) -> Config {
    let info = login.info;
    let mut config = Config::new();
    match (&login.endpoint.place, login.address) {
        (Place::Socket(directory), _) => config.host_path(directory),
        (Place::Name(_) | Place::Address { .. }, Some(address)) => config.host(login.endpoint.host()).hostaddr(address),
        (Place::Name(_) | Place::Address { .. }, None) => config.host(login.endpoint.host()),
    };
    config
        .port(login.endpoint.port)
        .user(&info.user)
        .dbname(&info.database)
        .application_name(login.name)
        .ssl_mode(match login.mode {
            SslMode::Disable | SslMode::Allow => Wire::Disable,
            SslMode::Prefer => Wire::Prefer,
            SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => Wire::Require,
        })
        .ssl_negotiation(match info.tls.negotiation {
            Negotiation::Postgres => SslNegotiation::Postgres,
            Negotiation::Direct => SslNegotiation::Direct,
        })
        .channel_binding(match info.binding {
            Binding::Disable => ChannelBinding::Disable,
            Binding::Prefer => ChannelBinding::Prefer,
            Binding::Require => ChannelBinding::Require,
        });
    if let Some(password) = login.password {
        config.password(password.reveal());
    }
    if let Some(options) = login.options {
        config.options(options);
    }
    match info.keepalive {
        None => config.keepalives(false),
        Some(keepalive) => config
            .keepalives(true)
            .keepalives_idle(keepalive.idle)
            .keepalives_interval(keepalive.interval)
            .keepalives_retries(keepalive.count),
    };
    if let Some(timeout) = info.tcp_user_timeout {
        config.tcp_user_timeout(timeout);
    }
    config
}

/// tokio-postgres keeps the kind of an error to itself; its sentence tells it, and a test holds it to that.
fn explained(login: &Login<'_>, error: &Error) -> ConnectError {
    let at = login.at.clone();
    if let Some(server) = error.as_db_error().map(ServerMessage::of) {
        if server.sqlstate.starts_with("28") {
            let is_from_file = login.info.password.is_none() && server.sqlstate == "28P01";
            let passfile = login.info.passfile.clone().filter(|_| is_from_file && login.password.is_some());
            return ConnectError::Auth { at, server, passfile };
        }
        return ConnectError::Server { at, server };
    }
    let why = root_cause(error);
    let io = causes(error).find_map(<dyn std::error::Error>::downcast_ref::<io::Error>);
    if causes(error).any(<dyn std::error::Error>::is::<rustls::Error>) || io.is_some_and(carries_tls) {
        return ConnectError::Tls { at, why: plain_words(&why) };
    }
    match (error.to_string().as_str(), io.map(io::Error::kind)) {
        ("error connecting to server", Some(io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound)) => {
            ConnectError::Refused { at, why: os_words(&why) }
        }
        ("error connecting to server", _) => ConnectError::Unreachable { at, why: os_words(&why) },
        ("error performing TLS handshake", _) => ConnectError::Tls { at, why: plain_words(&why) },
        ("invalid configuration", _) if why == "password missing" => ConnectError::PasswordMissing { at },
        ("connection closed", _) => {
            ConnectError::Broken { at, why: "server closed the connection unexpectedly".to_owned() }
        }
        _ => ConnectError::Broken { at, why: os_words(&why) },
    }
}

fn causes(error: &Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error as &(dyn std::error::Error + 'static)), |error| error.source())
}

/// An `io::Error` hides what it wraps from `source`, handing out that one's own source.
fn carries_tls(error: &io::Error) -> bool {
    error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>)
}

/// `Connection refused (os error 111)` without the number.
fn os_words(text: &str) -> String {
    text.split(" (os error").next().unwrap_or(text).to_owned()
}

/// rustls' words for what people meet, in words that say what to do.
fn plain_words(text: &str) -> String {
    let meaning = [
        ("UnknownIssuer", "the server's certificate is signed by nobody whom the root certificate file knows"),
        ("not valid for name", "the server's certificate is for another name"),
        ("NotValidForName", "the server's certificate is for another name"),
        (
            "UnsupportedCertVersion",
            "the server's certificate is of X.509 version 1, which cannot be verified; reissue it with a subjectAltName",
        ),
        ("server does not support TLS", "server does not support SSL, but SSL was required"),
    ];
    match meaning.iter().find(|(word, _)| text.contains(word)) {
        Some((_, meaning)) => format!("{meaning} ({text})"),
        None => text.to_owned(),
    }
}
