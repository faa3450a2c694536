//! What is watched beside the database: the application's endpoints, dependencies, pgbouncer; and whom its token is for.
//!
//! It dials nobody.

use std::time::Duration;

use serde::Serialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::layer::{Layers, Origin, Rank};
use super::metrics::{BasicAuth, Recipient, Whom, split_user};
use super::option::{Kind, Opt};
use super::value::{Base, Value};
use super::{ConfigError, Secret, Surroundings};
use crate::keymap::source::did_you_mean;
use crate::model::health::Watchlist;

/// The most dependencies: each has a row on the screen.
const MOST_DEPENDENCIES: usize = 20;

/// What a dependency may say.
const KEYS: [&str; 7] = ["name", "http", "status", "tcp", "send", "expect", "timeout"];

/// What is watched beside the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Health {
    /// The application's addresses.
    pub endpoints: Vec<Endpoint>,
    /// Sent to each of them as `Authorization: Bearer …`.
    pub bearer: Option<Secret>,
    /// Certificates in PEM to trust besides the system's.
    pub ca_pem: Option<String>,
    /// How long an answer may take.
    pub timeout: Duration,
    /// Dependencies.
    pub dependencies: Vec<Dependency>,
    /// pgbouncer's console.
    pub pooler: Option<Pooler>,
    /// How many standbys the server should have.
    pub standbys: Option<u32>,
}

/// An address of the application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Endpoint {
    /// Without user and password.
    pub url: String,
    /// Basic authentication.
    pub basic: Option<BasicAuth>,
}

/// What was given of pgbouncer's console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pooler {
    /// Its conninfo, which may hold a password.
    pub conninfo: Secret,
    /// Where it was given, in words such as `--pgbouncer` or `config.toml:3: pgbouncer`.
    pub given_by: String,
}

/// Something that the application needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dependency {
    /// Its name on the screen.
    pub name: String,
    /// How it is asked.
    pub road: Road,
    /// Text that must be in the answer.
    pub expect: Option<String>,
    /// How long an answer may take, where that is another time than for all.
    pub timeout: Option<Duration>,
}

/// How a dependency is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Road {
    /// `GET`.
    Http {
        /// Where.
        at: Endpoint,
        /// The status that it must have; none: what the answer says of itself.
        status: Option<u16>,
    },
    /// A connection.
    Tcp {
        /// `host:port`.
        at: String,
        /// What is sent.
        send: Option<String>,
    },
}

impl Health {
    /// The names that stand on the screen.
    #[must_use]
    pub fn watchlist(&self, pooler: Option<String>) -> Watchlist {
        Watchlist {
            endpoints: self.endpoints.iter().map(|e| e.url.clone()).collect(),
            dependencies: self.dependencies.iter().map(|d| d.name.clone()).collect(),
            pooler,
            standbys: self.standbys,
        }
    }
}

pub(super) fn health(
    layers: &Layers,
    around: &Surroundings,
    warnings: &mut Vec<String>,
) -> Result<Health, ConfigError> {
    let mut endpoints: Vec<Endpoint> = Vec::new();
    for url in layers.list(Opt::Health) {
        let endpoint = endpoint(&url);
        // Two with one address are one: they would have one row, and answer in turns.
        if !endpoints.iter().any(|known| known.url == endpoint.url) {
            endpoints.push(endpoint);
        }
    }
    let (mut bearer, mut ca_pem) = (None, None);
    let rank = layers.given(Opt::Health).map(|(rank, _)| rank.min(Rank::Environment));
    let mut recipient = Recipient { layers, around, rank: rank.unwrap_or(Rank::System), warnings, whom: Whom::Service };
    if rank.is_some() {
        bearer = recipient.secret(Opt::HealthTokenFile, "PGTRIAGE_HEALTH_TOKEN")?;
    }
    let dependencies = match layers.value(Opt::Dependency) {
        Some(Value::Dependencies(dependencies)) => dependencies,
        Some(_) | None => Vec::new(),
    };
    if rank.is_some() || !dependencies.is_empty() {
        ca_pem = recipient.certificates(Opt::HealthCa)?;
    }
    Ok(Health {
        endpoints,
        bearer,
        ca_pem,
        timeout: layers.time(Opt::HealthTimeout),
        dependencies,
        pooler: pooler(layers),
        standbys: layers.count(Opt::Standbys),
    })
}

fn pooler(layers: &Layers) -> Option<Pooler> {
    let (_, setting) = layers.given(Opt::Pgbouncer)?;
    let given_by = match &setting.origin {
        Origin::File { .. } => format!("{}: {}", setting.origin, Opt::Pgbouncer.spec().key()),
        Origin::Variable(_) | Origin::Flag(_) => setting.origin.to_string(),
    };
    Some(Pooler { conninfo: Secret::new(layers.text(Opt::Pgbouncer)?), given_by })
}

fn endpoint(url: &str) -> Endpoint {
    let (url, basic) = split_user(url);
    Endpoint { url, basic }
}

/// Reads the tables of `[[dependency]]`.
pub(super) fn dependencies(tables: &[Spanned<DeValue<'_>>], base: &Base) -> Result<Value, String> {
    if tables.len() > MOST_DEPENDENCIES {
        return Err(format!("{} of them, more than {MOST_DEPENDENCIES}", tables.len()));
    }
    let mut all: Vec<Dependency> = Vec::new();
    for (at, table) in tables.iter().enumerate() {
        let table = table.get_ref().as_table().ok_or_else(|| SECTION.to_owned())?;
        let dependency = dependency(table, base).map_err(|why| match table.get("name").map(Spanned::get_ref) {
            Some(DeValue::String(name)) => format!("`{name}`: {why}"),
            Some(_) | None => format!("number {}: {why}", at + 1),
        })?;
        if all.iter().any(|known| known.name == dependency.name) {
            return Err(format!("two are called `{}`", dependency.name));
        }
        all.push(dependency);
    }
    Ok(Value::Dependencies(all))
}

/// How dependencies are written.
pub(super) const SECTION: &str = "write [[dependency]], one for each";

fn dependency(table: &DeTable<'_>, base: &Base) -> Result<Dependency, String> {
    for key in table.keys() {
        let key: &str = key.get_ref();
        if !KEYS.contains(&key) {
            return Err(format!("no key is called `{key}`{}", did_you_mean(key, KEYS.into_iter())));
        }
    }
    let text = |key: &str| match table.get(key).map(Spanned::get_ref) {
        None => Ok(None),
        Some(DeValue::String(text)) if !text.is_empty() => Ok(Some(text.to_string())),
        Some(_) => Err(format!("`{key}` is a text in quotes")),
    };
    let name = text("name")?.ok_or("it needs a `name`")?;
    let road = match (text("http")?, text("tcp")?) {
        (Some(url), None) => {
            Kind::Url.read(&url, base).map_err(|why| format!("`http` {why}"))?;
            if text("send")?.is_some() {
                return Err("`send` goes with `tcp`".to_owned());
            }
            Road::Http { at: endpoint(&url), status: status(table)? }
        }
        (None, Some(at)) => {
            if table.contains_key("status") {
                return Err("`status` goes with `http`".to_owned());
            }
            Road::Tcp { at: address(at)?, send: text("send")? }
        }
        (None, None) => return Err("it needs `http = \"URL\"` or `tcp = \"HOST:PORT\"`".to_owned()),
        (Some(_), Some(_)) => return Err("`http` and `tcp` are two ways: choose one".to_owned()),
    };
    let timeout = match table.get("timeout") {
        None => None,
        Some(value) => {
            let span = Opt::HealthTimeout.spec().kind.read_toml(value.get_ref(), base);
            let span = span.map_err(|why| format!("`timeout` {why}"))?;
            if let Value::Time(span) = span { Some(span) } else { None }
        }
    };
    Ok(Dependency { name, road, expect: text("expect")?, timeout })
}

fn status(table: &DeTable<'_>) -> Result<Option<u16>, String> {
    match table.get("status").map(Spanned::get_ref) {
        None => Ok(None),
        Some(DeValue::Integer(n)) => match n.to_string().parse() {
            Ok(status @ 100..=599) => Ok(Some(status)),
            Ok(_) | Err(_) => Err("`status` is a status of HTTP, such as 200".to_owned()),
        },
        Some(_) => Err("`status` is a number".to_owned()),
    }
}

fn address(at: String) -> Result<String, String> {
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0);
    match at.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && is_port(port) => Ok(at),
        _ => Err(format!("`tcp`: `{at}` is not of the form `HOST:PORT`")),
    }
}
