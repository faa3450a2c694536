//! Owns the way from what a person gave to a `Conninfo`: options and words, service, environment, defaults, in libpq's order.
//!
//! It must not dial, ask or print; what it cannot use it refuses with psql's words.

use super::conninfo::{Asking, Binding, Conninfo, ConninfoError, HostOrder, Keepalive, SessionAttrs};
use super::endpoint::{Endpoint, Place, default_place, endpoints};
use super::keyword::{KEYWORDS, Support};
use super::params::Params;
use super::surroundings::Surroundings;
use super::tls::TlsWish;
use super::{passfile, service, uri};
use std::time::Duration;

/// Bound of a dial when nobody names one. libpq waits for ever, and so did every console that
/// was opened on a stopped server.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What was given on the command line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given {
    /// The positional words: a URI, `key=value` words, or a database and perhaps a user.
    pub words: Vec<String>,
    /// `-h`.
    pub host: Option<String>,
    /// `-p`.
    pub port: Option<String>,
    /// `-U`.
    pub user: Option<String>,
    /// `-d`: a database or a whole connection string.
    pub dbname: Option<String>,
    /// `-W`, `-w` or neither.
    pub asking: Asking,
}

/// Makes a connection of what was given, what the environment says and what libpq assumes.
///
/// # Errors
/// The refusals that psql has, and those of keywords that pgtriage cannot honour.
pub fn resolve(given: &Given, around: &dyn Surroundings) -> Result<Conninfo, ConninfoError> {
    built(&gathered(given, around)?, given.asking, around)
}

/// The same connection for another role, to the same database. No password of the first role goes along, whether it was
/// given, stands in `PGPASSWORD` or in a service: only `password`, or what the password file holds for that role.
///
/// # Errors
/// As [`resolve`].
pub fn resolve_as(
    given: &Given,
    (user, password): (&str, Option<&str>),
    around: &dyn Surroundings,
) -> Result<Conninfo, ConninfoError> {
    let mut params = gathered(given, around)?;
    let database = built(&params, Asking::Never, around)?.database;
    for (name, value) in [("dbname", database.as_str()), ("user", user), ("password", password.unwrap_or_default())] {
        params.set(name, value)?;
    }
    built(&params, Asking::Never, around)
}

fn gathered(given: &Given, around: &dyn Surroundings) -> Result<Params, ConninfoError> {
    let mut params = spoken(given)?;
    let named = params.get("service").map(str::to_owned).or_else(|| around.variable("PGSERVICE"));
    if let Some(name) = named {
        service::apply(&name, &mut params, around)?;
    }
    for row in KEYWORDS {
        if let Some(value) = row.variable.and_then(|variable| around.variable(variable)) {
            params.set_default(row.name, value)?;
        }
    }
    if around.variable("PGREQUIRESSL").is_some_and(|value| value.starts_with('1')) {
        params.set_default("sslmode", "require")?;
    }
    refuse_unsupported(&params)?;
    Ok(params)
}

/// What the options and words say, in psql's order: a connection string outranks `-h`, `-p` and `-U`.
fn spoken(given: &Given) -> Result<Params, ConninfoError> {
    let mut params = Params::default();
    let mut strings: Vec<&str> = given.dbname.as_deref().into_iter().collect();
    let mut user = given.user.as_deref();
    for word in &given.words {
        if strings.is_empty() || is_connection_string(word) {
            strings.push(word);
        } else if user.is_none() {
            user = Some(word);
        } else {
            return Err(ConninfoError::ExtraArgument(word.clone()));
        }
    }
    for (name, value) in [("host", given.host.as_deref()), ("port", given.port.as_deref()), ("user", user)] {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            params.set(name, value)?;
        }
    }
    for text in strings {
        if uri::without_scheme(text).is_some() {
            params.overlay(uri::read(text)?);
        } else if is_connection_string(text) {
            params.overlay(Params::from_words(text)?);
        } else if !text.is_empty() {
            params.set("dbname", text)?;
        }
    }
    Ok(params)
}

/// libpq's rule for telling a connection string from a database name.
#[must_use]
pub fn is_connection_string(text: &str) -> bool {
    uri::without_scheme(text).is_some() || text.contains('=')
}

fn refuse_unsupported(params: &Params) -> Result<(), ConninfoError> {
    let refused = KEYWORDS.iter().find_map(|row| match (row.support, params.get(row.name)) {
        (Support::OnlyAs(values), Some(value)) if !values.contains(&value) => Some((row.name, value)),
        _ => None,
    });
    refused.map_or(Ok(()), |(option, value)| Err(ConninfoError::Unsupported { option, value: value.to_owned() }))
}

fn built(params: &Params, asking: Asking, around: &dyn Surroundings) -> Result<Conninfo, ConninfoError> {
    let mut endpoints = endpoints(params, around)?;
    let user = params.filled("user").map(str::to_owned).or_else(|| around.user()).ok_or(ConninfoError::NoUser)?;
    let database = params.filled("dbname").unwrap_or(&user).to_owned();
    let password = params.filled("password").map(super::password::Secret::new);
    let file = passfile::path(params.filled("passfile"), around);
    let mut warnings = Vec::new();
    if password.is_none() {
        match file.as_deref().map_or(Ok(None), |file| passfile::text(file, around)) {
            Err(warning) => warnings.push(warning),
            Ok(None) => {}
            Ok(Some(text)) => {
                let default = default_place(around);
                for endpoint in &mut endpoints {
                    let (host, port) = (passfile_host(endpoint, &default), endpoint.port.to_string());
                    let wanted = passfile::Wanted { host: &host, port: &port, database: &database, user: &user };
                    endpoint.password = passfile::find(&text, wanted);
                }
            }
        }
    }
    Ok(Conninfo {
        passfile: file.filter(|_| endpoints.iter().any(|endpoint| endpoint.password.is_some())),
        endpoints,
        user,
        database,
        password,
        asking,
        options: params.filled("options").map(str::to_owned),
        tls: TlsWish::from_params(params, around)?,
        binding: one_of(
            params,
            "channel_binding",
            &[("disable", Binding::Disable), ("prefer", Binding::Prefer), ("require", Binding::Require)],
        )?,
        session_attrs: one_of(
            params,
            "target_session_attrs",
            &[
                ("any", SessionAttrs::Any),
                ("read-write", SessionAttrs::ReadWrite),
                ("read-only", SessionAttrs::ReadOnly),
                ("primary", SessionAttrs::Primary),
                ("standby", SessionAttrs::Standby),
                ("prefer-standby", SessionAttrs::PreferStandby),
            ],
        )?,
        order: one_of(params, "load_balance_hosts", &[("disable", HostOrder::AsGiven), ("random", HostOrder::Random)])?,
        connect_timeout: match whole(params, "connect_timeout")? {
            None => Some(CONNECT_TIMEOUT),
            Some(seconds) => seconds_of(seconds),
        },
        keepalive: keepalive(params)?,
        tcp_user_timeout: whole(params, "tcp_user_timeout")?
            .and_then(|ms| u64::try_from(ms).ok())
            .filter(|ms| *ms > 0)
            .map(Duration::from_millis),
        warnings,
    })
}

/// psql looks the default socket directory and a `hostaddr` without a name up as `localhost`.
fn passfile_host(endpoint: &Endpoint, default: &Place) -> String {
    let is_nameless = matches!(endpoint.place, Place::Address { name: None, .. });
    if is_nameless || endpoint.place == *default { "localhost".to_owned() } else { endpoint.host() }
}

fn keepalive(params: &Params) -> Result<Option<Keepalive>, ConninfoError> {
    let usual = Keepalive::default();
    let seconds = |name, usual| Ok(whole(params, name)?.and_then(seconds_of).unwrap_or(usual));
    let keepalive = Keepalive {
        idle: seconds("keepalives_idle", usual.idle)?,
        interval: seconds("keepalives_interval", usual.interval)?,
        count: whole(params, "keepalives_count")?
            .and_then(|count| u32::try_from(count).ok())
            .filter(|count| *count > 0)
            .unwrap_or(usual.count),
    };
    Ok((whole(params, "keepalives")? != Some(0)).then_some(keepalive))
}

/// Zero and below mean "no bound" to libpq.
fn seconds_of(seconds: i32) -> Option<Duration> {
    u64::try_from(seconds).ok().filter(|seconds| *seconds > 0).map(Duration::from_secs)
}

fn whole(params: &Params, option: &'static str) -> Result<Option<i32>, ConninfoError> {
    let Some(text) = params.filled(option) else { return Ok(None) };
    let number = text.trim().parse();
    number.map(Some).map_err(|_| ConninfoError::NotANumber { option, value: text.to_owned() })
}

/// The meaning of a value, or the default of its type where none was given.
pub(super) fn one_of<T: Copy + Default>(
    params: &Params,
    option: &'static str,
    meanings: &[(&str, T)],
) -> Result<T, ConninfoError> {
    let Some(value) = params.get(option) else { return Ok(T::default()) };
    let meaning = meanings.iter().find(|(word, _)| *word == value).map(|(_, meaning)| *meaning);
    meaning.ok_or_else(|| ConninfoError::InvalidValue { option, value: value.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::super::surroundings::fake::Fake;
    use super::*;

    fn made(given: &Given, around: &Fake) -> Conninfo {
        resolve(given, around).unwrap_or_else(|e| panic!("{e}"))
    }

    fn words(words: &[&str]) -> Given {
        Given { words: words.iter().map(|word| (*word).to_owned()).collect(), ..Given::default() }
    }

    #[test]
    fn with_nothing_given_the_local_user_connects_to_a_database_of_the_same_name() {
        let info = made(&Given::default(), &Fake::default().file("/var/run/postgresql", 0o755, ""));
        assert_eq!((info.user.as_str(), info.database.as_str()), ("alice", "alice"));
        assert_eq!(info.places(), "/var/run/postgresql/.s.PGSQL.5432");
        assert_eq!(info.connect_timeout, Some(CONNECT_TIMEOUT));
        assert_eq!(made(&Given::default(), &Fake::default()).places(), "localhost:5432");
    }

    #[test]
    fn several_words_add_up_and_later_ones_win() {
        let info = made(&words(&["postgresql://db1/shop", "port=6000", "user=bob"]), &Fake::default());
        assert_eq!((info.places().as_str(), info.user.as_str()), ("db1:6000", "bob"));
        let info = made(&words(&["shop", "bob", "host=db1"]), &Fake::default());
        assert_eq!((info.database.as_str(), info.user.as_str()), ("shop", "bob"));
        let refused = resolve(&words(&["shop", "bob", "more"]), &Fake::default()).unwrap_err();
        assert_eq!(refused, ConninfoError::ExtraArgument("more".to_owned()));
    }

    #[test]
    fn given_outranks_service_outranks_environment() {
        let around = Fake::default()
            .set("PGSERVICE", "db")
            .set("PGHOST", "env")
            .set("PGUSER", "env")
            .set("PGPORT", "3")
            .file("/home/alice/.pg_service.conf", 0o644, "[db]\nhost=served\nport=2\n");
        let info = made(&words(&["port=1"]), &around);
        assert_eq!((info.places().as_str(), info.user.as_str()), ("served:1", "env"));
    }

    #[test]
    fn what_cannot_be_honoured_is_refused_and_what_happens_anyway_is_not() {
        let refused = |text: &str| resolve(&words(&[text]), &Fake::default()).map(|_| ()).map_err(|e| e.to_string());
        assert!(refused("requirepeer=postgres").unwrap_err().contains("does not support requirepeer=postgres"));
        assert!(refused("gssencmode=require").is_err());
        assert_eq!(refused("gssencmode=disable"), Ok(()));
        assert_eq!(refused("replication=off application_name=x client_encoding=LATIN1"), Ok(()));
    }

    #[test]
    fn no_connect_timeout_is_only_had_by_asking_for_it() {
        let timeout = |text: &str| made(&words(&[text]), &Fake::default()).connect_timeout;
        assert_eq!(timeout("connect_timeout=3"), Some(Duration::from_secs(3)));
        assert_eq!(timeout("connect_timeout=0"), None);
        assert_eq!(timeout("connect_timeout="), Some(CONNECT_TIMEOUT));
    }

    #[test]
    fn another_role_takes_the_same_road_and_no_password_of_the_first() {
        let around = Fake::default().set("PGPASSWORD", "first").set("PGSERVICE", "db").file(
            "/home/alice/.pg_service.conf",
            0o644,
            "[db]\nport=2\nuser=served\npassword=first\nsslmode=require\n",
        );
        let filed = Fake::default().set("PGPASSWORD", "first").file(
            "/home/alice/.pgpass",
            0o600,
            "*:*:shop:oncall:first\n*:*:shop:planner:filed",
        );
        for around in [&around, &filed] {
            for text in [
                "postgresql://oncall:first@db1,db2/shop",
                "host=db1,db2 user=oncall password=first dbname=shop",
                "shop",
            ] {
                let given = Given { host: Some("db1,db2".to_owned()), ..words(&[text]) };
                let (main, other) = (made(&given, around), resolve_as(&given, ("planner", None), around).unwrap());
                assert_eq!(main.password.as_ref().map(|p| p.reveal().to_owned()).as_deref(), Some("first"), "{text}");
                assert_eq!((other.user.as_str(), other.database.as_str()), ("planner", "shop"), "{text}");
                assert_eq!((other.places(), other.tls.mode), (main.places(), main.tls.mode), "{text}");
                let sent = other.endpoints.iter().map(|at| other.password_at(at).map(|p| p.reveal().to_owned()));
                let filed = std::ptr::eq(around, &raw const filed).then(|| "filed".to_owned());
                assert_eq!(sent.collect::<Vec<_>>(), [filed.clone(), filed], "{text}");
            }
        }
        let given = words(&["host=db1 user=oncall password=first"]);
        let other = resolve_as(&given, ("planner", Some("own")), &filed).unwrap();
        assert_eq!(other.password_at(&other.endpoints[0]).map(super::super::password::Secret::reveal), Some("own"));
        assert_eq!(other.database, "oncall", "the first role's, where none was named");
    }

    #[test]
    fn a_prompted_password_is_kept_and_outranks_the_password_file() {
        let around = Fake::default().file("/home/alice/.pgpass", 0o600, "*:*:*:*:filed");
        let mut info = made(&words(&["host=db1"]), &around);
        let at = |info: &Conninfo| info.password_at(&info.endpoints[0]).map(|p| p.reveal().to_owned());
        assert_eq!(at(&info).as_deref(), Some("filed"));
        info.set_password(super::super::password::Secret::new("typed"));
        assert_eq!(at(&info.to_database("other")).as_deref(), Some("typed"));
    }
}
