//! Owns the dial: hosts in order, addresses of each, TLS and its fallbacks as `sslmode` has them, login, first question, settings.
//!
//! It must not retry over time (`BackOff` and its user do), and a server that refuses ends the dial, as in libpq: the
//! other hosts are for a server that is not there.

use super::conninfo::{Binding, Conninfo, HostOrder, SessionAttrs};
use super::console::Console;
use super::driver::{Driver, root_cause};
use super::endpoint::{Endpoint, Place};
use super::error::{AskError, At, ConnectError, ServerMessage};
use super::facts::{Dialled, Facts, QUESTION};
use super::lane::{Lane, SessionSettings};
use super::link::{Canceller, Link};
use super::login::{Login, Opened, login};
use super::tls::{SslMode, login_pid};
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// "No bound" for code that wants one.
const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// Opens a session: the first suitable server answers.
///
/// # Errors
/// Every place's own reason, or the reason of the server that refused.
pub async fn connect(info: &Conninfo, lane: Lane, settings: &SessionSettings) -> Result<Link, ConnectError> {
    let passes = if info.session_attrs == SessionAttrs::PreferStandby {
        vec![SessionAttrs::Standby, SessionAttrs::Any]
    } else {
        vec![info.session_attrs]
    };
    let mut failures = Vec::new();
    for wanted in &passes {
        failures.clear();
        for endpoint in ordered(info) {
            let addresses = match looked_up(info, endpoint).await {
                Ok(addresses) => addresses,
                Err(error) => {
                    failures.push(error);
                    continue;
                }
            };
            for address in addresses {
                let name = lane.application_name(&settings.os_user);
                let seat = Server { settings, wanted: *wanted };
                match (Dial { info, endpoint, address, name, seat }).bounded().await {
                    Ok(link) => return Ok(link),
                    Err(error) => {
                        let is_last = is_verdict(&error);
                        failures.push(error);
                        if is_last {
                            return Err(gathered(failures));
                        }
                    }
                }
            }
        }
    }
    Err(gathered(failures))
}

/// Opens a session on a pooler's admin console: the first that answers. It asks nothing, for such a console answers
/// nothing but its own commands.
///
/// # Errors
/// As `connect`.
pub async fn connect_console(info: &Conninfo, name: &str) -> Result<Console, ConnectError> {
    let mut failures = Vec::new();
    for endpoint in ordered(info) {
        match looked_up(info, endpoint).await {
            Ok(addresses) => {
                for address in addresses {
                    match (Dial { info, endpoint, address, name: name.to_owned(), seat: Admin }).bounded().await {
                        Ok(console) => return Ok(console),
                        Err(error) => failures.push(error),
                    }
                }
            }
            Err(error) => failures.push(error),
        }
    }
    Err(gathered(failures))
}

/// A refusal that libpq does not take to the next host. 57P03 is "not now".
fn is_verdict(error: &ConnectError) -> bool {
    match error {
        ConnectError::Auth { .. } | ConnectError::PasswordMissing { .. } => true,
        ConnectError::Server { server, .. } => server.sqlstate != "57P03",
        ConnectError::Refused { .. }
        | ConnectError::Unreachable { .. }
        | ConnectError::Timeout { .. }
        | ConnectError::Tls { .. }
        | ConnectError::Broken { .. }
        | ConnectError::Unsuitable { .. }
        | ConnectError::Several(_) => false,
    }
}

fn gathered(mut failures: Vec<ConnectError>) -> ConnectError {
    match failures.pop() {
        Some(only) if failures.is_empty() => only,
        last => ConnectError::Several(failures.into_iter().chain(last).collect()),
    }
}

fn ordered(info: &Conninfo) -> Vec<&Endpoint> {
    let mut endpoints: Vec<_> = info.endpoints.iter().enumerate().collect();
    if info.order == HostOrder::Random {
        // The standard library's hash seeds are random enough to spread consoles over hosts.
        let seed = RandomState::new();
        endpoints.sort_by_key(|(at, _)| seed.hash_one(at));
    }
    endpoints.into_iter().map(|(_, endpoint)| endpoint).collect()
}

/// The addresses of an endpoint; a socket has none and is one place all the same.
async fn looked_up(info: &Conninfo, endpoint: &Endpoint) -> Result<Vec<Option<IpAddr>>, ConnectError> {
    let name = match &endpoint.place {
        Place::Socket(_) => return Ok(vec![None]),
        Place::Address { address, .. } => return Ok(vec![Some(*address)]),
        Place::Name(name) => name,
    };
    let at = || at(endpoint, None);
    let bound = info.connect_timeout.unwrap_or(FOR_EVER);
    match timeout(bound, tokio::net::lookup_host((name.as_str(), endpoint.port))).await {
        Ok(Ok(found)) => {
            let addresses: Vec<_> = found.map(|address| Some(address.ip())).collect();
            if addresses.is_empty() {
                return Err(ConnectError::Unreachable { at: at(), why: "the name has no address".to_owned() });
            }
            Ok(addresses)
        }
        Ok(Err(error)) => {
            let why = format!("could not translate host name \"{name}\" to address: {error}");
            Err(ConnectError::Unreachable { at: at(), why })
        }
        Err(_) => Err(ConnectError::Timeout { at: at(), after: bound }),
    }
}

fn at(endpoint: &Endpoint, address: Option<IpAddr>) -> At {
    match &endpoint.place {
        Place::Socket(directory) => At::Socket(directory.join(format!(".s.PGSQL.{}", endpoint.port))),
        Place::Name(_) | Place::Address { .. } => At::Tcp { host: endpoint.host(), address, port: endpoint.port },
    }
}

/// One address to try, and what becomes of a login there.
struct Dial<'a, S> {
    info: &'a Conninfo,
    endpoint: &'a Endpoint,
    address: Option<IpAddr>,
    name: String,
    seat: S,
}

/// What becomes of a login.
trait Seat: Sized {
    type Taken;

    async fn take(dial: &Dial<'_, Self>, opened: Opened, options_refused: bool) -> Result<Self::Taken, ConnectError>;
}

/// A session on a PostgreSQL server, perhaps through a pooler: its facts are asked, its settings set.
struct Server<'a> {
    settings: &'a SessionSettings,
    wanted: SessionAttrs,
}

/// A session on a pooler's own console.
struct Admin;

impl<S: Seat> Dial<'_, S> {
    fn at(&self) -> At {
        at(self.endpoint, self.address)
    }

    async fn bounded(&self) -> Result<S::Taken, ConnectError> {
        let after = self.info.connect_timeout.unwrap_or(FOR_EVER);
        match timeout(after, self.with_fallback()).await {
            Ok(done) => done,
            Err(_) => Err(ConnectError::Timeout { at: self.at(), after }),
        }
    }

    /// libpq's order of plain and TLS, and when it goes from the first to the second.
    async fn with_fallback(&self) -> Result<S::Taken, ConnectError> {
        let (first, second) = match (self.address, self.info.tls.mode) {
            (None, _) | (_, SslMode::Disable) => (SslMode::Disable, None),
            (_, SslMode::Allow) => (SslMode::Disable, Some(SslMode::Require)),
            (_, SslMode::Prefer) => (SslMode::Prefer, Some(SslMode::Disable)),
            (_, mode @ (SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull)) => (mode, None),
        };
        let error = match self.once(first).await {
            Ok(link) => return Ok(link),
            Err(error) => error,
        };
        match second.filter(|second| is_worth_another_mode(&error, *second)) {
            None => Err(error),
            // The first reason is the telling one: the second is "no encryption", or the same again.
            Some(second) => match self.once(second).await {
                Ok(link) => Ok(link),
                Err(other @ ConnectError::PasswordMissing { .. }) => Err(other),
                Err(_) => Err(error),
            },
        }
    }

    async fn once(&self, mode: SslMode) -> Result<S::Taken, ConnectError> {
        let password = self.info.password_at(self.endpoint);
        let at = self.at();
        let mut request = Login {
            info: self.info,
            endpoint: self.endpoint,
            address: self.address,
            at: &at,
            mode,
            name: &self.name,
            password,
            options: self.info.options.as_deref(),
        };
        let mut options_refused = false;
        let opened = match login(&request).await {
            Err(ConnectError::Server { server, .. }) if request.options.is_some() && refuses_options(&server) => {
                options_refused = true;
                request.options = None;
                login(&request).await?
            }
            other => other?,
        };
        if opened.tls == super::tls::Tls::None && self.info.binding == Binding::Require {
            return Err(ConnectError::Tls { at, why: "channel binding required, but SSL not in use".to_owned() });
        }
        S::take(self, opened, options_refused).await
    }
}

impl Seat for Admin {
    type Taken = Console;

    async fn take(_dial: &Dial<'_, Self>, opened: Opened, _options_refused: bool) -> Result<Console, ConnectError> {
        Ok(Console::new(opened))
    }
}

impl Seat for Server<'_> {
    type Taken = Link;

    async fn take(dial: &Dial<'_, Self>, opened: Opened, options_refused: bool) -> Result<Link, ConnectError> {
        let (at, settings) = (dial.at(), dial.seat.settings);
        let token = opened.client.cancel_token();
        let dialled = Dialled { at: at.clone(), tls: opened.tls, login_pid: login_pid(&token).await, options_refused };
        let mut driver = Driver::start(opened.connection);
        let client = Arc::new(opened.client);
        let asked = super::answer::simple(&client, QUESTION).await;
        let facts = match asked {
            Ok(rows) => Facts::read(&rows, dialled),
            Err(trouble) => Err(trouble_text(&mut driver, trouble).await),
        };
        let facts = facts.map_err(|error| first_question_failed(&at, error))?;
        suited(dial.seat.wanted, &facts).map_err(|why| ConnectError::Unsuitable { at: at.clone(), why })?;
        let (pooled, deadlock) = (facts.pooled, facts.deadlock_timeout);
        let mut link = Link::new(client, driver, Canceller::new(token, opened.connector), facts);
        link.plan_with(settings.planning(deadlock));
        if pooled {
            link.open_reads_with(settings.transaction(deadlock));
        } else {
            let bound = dial.info.connect_timeout.unwrap_or(FOR_EVER);
            link.read(&settings.session(deadlock), bound).await.map_err(|e| first_question_failed(&at, e))?;
        }
        Ok(link)
    }
}

async fn trouble_text(driver: &mut Driver, trouble: super::answer::Trouble) -> AskError {
    match trouble {
        super::answer::Trouble::Shape(text) => AskError::Shape(text),
        super::answer::Trouble::Postgres(error) => match error.as_db_error() {
            Some(server) => AskError::Server(ServerMessage::of(server)),
            None if error.is_closed() => driver.end_soon().await.into(),
            None => AskError::Shape(root_cause(&error)),
        },
    }
}

fn first_question_failed(at: &At, error: AskError) -> ConnectError {
    let at = at.clone();
    match error {
        AskError::Server(server) => ConnectError::Server { at, server },
        AskError::Lost { reason, .. } => ConnectError::Broken { at, why: reason },
        AskError::Deadline { after } => ConnectError::Timeout { at, after },
        AskError::Busy => ConnectError::Broken { at, why: AskError::Busy.to_string() },
        AskError::Shape(why) => ConnectError::Broken { at, why },
    }
}

/// A pooler refuses the start-up parameter itself; what is wrong inside it is refused with other states.
fn refuses_options(server: &ServerMessage) -> bool {
    server.sqlstate == "08P01"
}

/// When libpq goes on to its second mode: TLS failed, or the server refused this one.
///
/// Three refusals are final here though libpq would repeat them: a password that was wrong is not sent again, this time
/// perhaps in the clear, and a server without slots or still starting has none for a second login either.
fn is_worth_another_mode(error: &ConnectError, second: SslMode) -> bool {
    match error {
        ConnectError::Tls { .. } => true,
        ConnectError::Auth { server, .. } => server.sqlstate != "28P01" || second == SslMode::Require,
        ConnectError::Server { server, .. } => {
            !matches!(server.sqlstate.as_str(), "53300" | "57P03" | "3D000" | "42704" | "22023" | "42501")
        }
        ConnectError::Refused { .. }
        | ConnectError::Unreachable { .. }
        | ConnectError::Timeout { .. }
        | ConnectError::PasswordMissing { .. }
        | ConnectError::Broken { .. }
        | ConnectError::Unsuitable { .. }
        | ConnectError::Several(_) => false,
    }
}

fn suited(wanted: SessionAttrs, facts: &Facts) -> Result<(), &'static str> {
    let (is_suited, why) = match wanted {
        SessionAttrs::Any | SessionAttrs::PreferStandby => (true, ""),
        SessionAttrs::ReadWrite => (!facts.read_only, "session is read-only"),
        SessionAttrs::ReadOnly => (facts.read_only, "session is not read-only"),
        SessionAttrs::Primary => (!facts.in_recovery, "server is in hot standby mode"),
        SessionAttrs::Standby => (facts.in_recovery, "server is not in hot standby mode"),
    };
    if is_suited { Ok(()) } else { Err(why) }
}
