//! What is asked of Prometheus and of the cache table, and which credentials may go where.
//!
//! It builds no request.

use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::layer::{Layers, Origin, Rank};
use super::option::Opt;
use super::value::{Value, header};
use super::{ConfigError, Secret, Surroundings, read_file};
use crate::model::baseline::Workload;
use crate::model::panel::Variables;

/// What is asked of Prometheus and of the cache table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Metrics {
    /// The Prometheus; none where none was given.
    pub prometheus: Option<Prometheus>,
    /// The service's `job`: a regular expression.
    pub job: Option<String>,
    /// The `job` of the server's `postgres_exporter`: a regular expression.
    pub postgres_job: Option<String>,
    /// What the service's metrics begin with.
    pub prefix: String,
    /// Size of the service's connection pool.
    pub pool_max: Option<u32>,
    /// What the service should keep to.
    pub workload: Option<Workload>,
    /// The cache table, perhaps with its schema.
    pub cache_table: String,
}

impl Metrics {
    /// What fills in the variables of a built-in expression; the times are the asker's to change.
    #[must_use]
    pub fn variables(&self) -> Variables {
        Variables {
            job: self.job.clone(),
            postgres_job: self.postgres_job.clone(),
            prefix: self.prefix.clone(),
            pool_max: self.pool_max,
            window_s: 60,
            host_window_s: 60,
            span_s: 900,
            step_s: 15,
        }
    }
}

/// How to reach a Prometheus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Prometheus {
    /// Base address, without user and password.
    pub url: String,
    /// Bearer token.
    pub bearer: Option<Secret>,
    /// Basic authentication.
    pub basic: Option<BasicAuth>,
    /// Further headers.
    pub headers: Vec<(String, Secret)>,
    /// Certificates in PEM to trust besides the system's.
    pub ca_pem: Option<String>,
    /// How long a panel may take to answer.
    pub timeout: Duration,
}

/// A user and a password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BasicAuth {
    /// The user.
    pub user: String,
    /// The password.
    pub password: Secret,
}

/// Whom credentials are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whom {
    Prometheus,
    Service,
    /// The server, for the login that plans are made on.
    PlanLogin,
}

impl Whom {
    /// What happens where a credential cannot be had.
    fn without(self) -> &'static str {
        match self {
            Self::Prometheus => "Prometheus is asked without it",
            Self::Service => "the service is asked without it",
            Self::PlanLogin => "the login for plans is tried without it",
        }
    }

    fn another(self) -> &'static str {
        match self {
            Self::Prometheus => "another Prometheus",
            Self::Service => "another service",
            Self::PlanLogin => "another server or role",
        }
    }
}

/// What credentials are for: whoever was named at this rank.
///
/// Those of a general section do not go to the one that a target, or the command line, names: it may belong to
/// somebody else. Environment and command line are one person in one place.
pub(super) struct Recipient<'a> {
    pub layers: &'a Layers,
    pub around: &'a Surroundings,
    pub rank: Rank,
    pub warnings: &'a mut Vec<String>,
    pub whom: Whom,
}

pub(super) fn metrics(
    layers: &Layers,
    around: &Surroundings,
    warnings: &mut Vec<String>,
) -> Result<Metrics, ConfigError> {
    let prometheus = match layers.given(Opt::Prometheus) {
        None => None,
        Some((rank, _)) => {
            let rank = rank.min(Rank::Environment);
            Some(Recipient { layers, around, rank, warnings, whom: Whom::Prometheus }.prometheus()?)
        }
    };
    Ok(Metrics {
        prometheus,
        job: layers.text(Opt::Job),
        postgres_job: layers.text(Opt::PostgresJob),
        prefix: layers.text(Opt::MetricsPrefix).unwrap_or_default(),
        pool_max: layers.count(Opt::PoolMax),
        workload: workload(layers),
        cache_table: layers.text(Opt::CacheTable).unwrap_or_default(),
    })
}

/// A workload by its name, or figures of one's own, each in place of that workload's.
fn workload(layers: &Layers) -> Option<Workload> {
    let named = layers.text(Opt::Workload).and_then(|name| Workload::named(&name));
    let own = |option| layers.count(option).map(f64::from);
    let p95_s = own(Opt::BaselineP95Ms).map(|ms| ms / 1e3);
    let requests = own(Opt::BaselineRequests);
    let hit_ratio = own(Opt::BaselineHitPercent).map(|percent| percent.min(100.0) / 100.0);
    if p95_s.or(requests).or(hit_ratio).is_none() {
        return named;
    }
    let base = named.unwrap_or(Workload { name: "own".to_owned(), p95_s: None, requests: None, hit_ratio: None });
    Some(Workload {
        p95_s: p95_s.or(base.p95_s),
        requests: requests.or(base.requests),
        hit_ratio: hit_ratio.or(base.hit_ratio),
        name: base.name,
    })
}

impl Recipient<'_> {
    fn prometheus(mut self) -> Result<Prometheus, ConfigError> {
        let (url, in_url) = split_user(&self.layers.text(Opt::Prometheus).unwrap_or_default());
        let bearer = self.secret(Opt::PrometheusTokenFile, "PGTRIAGE_PROMETHEUS_TOKEN")?;
        let basic = self.basic()?.or(in_url);
        let headers = match self.trusted(Opt::PrometheusHeader) {
            Some((Value::List(texts), _)) => {
                let pairs = texts.iter().filter_map(|t| header(t).ok());
                pairs.map(|(name, value)| (name.to_owned(), Secret::new(value))).collect()
            }
            _ => Vec::new(),
        };
        let ca_pem = self.certificates(Opt::PrometheusCa)?;
        Ok(Prometheus { url, bearer, basic, headers, ca_pem, timeout: self.layers.time(Opt::PrometheusTimeout) })
    }

    /// Certificates are no secret: whom to trust holds for every address.
    pub(super) fn certificates(&mut self, option: Opt) -> Result<Option<String>, ConfigError> {
        let Some((_, setting)) = self.layers.given(option) else { return Ok(None) };
        let text = self.file(&setting.value, &setting.origin);
        self.or_without(&setting.origin, text)
    }

    fn basic(&mut self) -> Result<Option<BasicAuth>, ConfigError> {
        let Some((Value::Text(user), origin)) = self.trusted(Opt::PrometheusUser) else { return Ok(None) };
        let password = self.secret(Opt::PrometheusPasswordFile, "PGTRIAGE_PROMETHEUS_PASSWORD")?.ok_or_else(|| {
            let message =
                format!("`{user}` needs a password: prometheus_password_file or PGTRIAGE_PROMETHEUS_PASSWORD");
            ConfigError::Value { origin: origin.clone(), message }
        });
        Ok(self.or_without(&origin, password)?.map(|password| BasicAuth { user, password }))
    }

    /// The secret in a file that an option names, or in a variable.
    pub(super) fn secret(&mut self, option: Opt, variable: &str) -> Result<Option<Secret>, ConfigError> {
        let on_line = self.layers.layer(Rank::Line).is_some_and(|l| l.contains_key(&option));
        if let Some(value) = self.around.var(variable).filter(|_| !on_line) {
            return Ok(Some(Secret::new(value.trim())));
        }
        let Some((value, origin)) = self.trusted(option) else { return Ok(None) };
        let secret = self.file(&value, &origin).and_then(|text| match text.trim() {
            "" => Err(ConfigError::Value { origin: origin.clone(), message: "the file is empty".to_owned() }),
            secret => Ok(Secret::new(secret)),
        });
        self.or_without(&origin, secret)
    }

    /// What was asked for just now must work. What stands in a config file may have gone since, and must not keep
    /// anybody from the database: Prometheus is asked without it, and says what it thinks of that.
    fn or_without<T>(&mut self, origin: &Origin, result: Result<T, ConfigError>) -> Result<Option<T>, ConfigError> {
        match (result, origin) {
            (Ok(value), _) => Ok(Some(value)),
            (Err(error), Origin::Flag(_)) => Err(error),
            (Err(error), Origin::File { .. } | Origin::Variable(_)) => {
                let error = error.to_string();
                let sentence = error.trim_start_matches("error: ");
                self.warnings.push(format!("{sentence}: {}", self.whom.without()));
                Ok(None)
            }
        }
    }

    /// The value of an option that holds a credential, where it is meant for this Prometheus.
    fn trusted(&mut self, option: Opt) -> Option<(Value, Origin)> {
        let (rank, setting) = self.layers.given(option)?;
        if rank.min(Rank::Environment) >= self.rank {
            return Some((setting.value.clone(), setting.origin.clone()));
        }
        let key = option.spec().key();
        let another = self.whom.another();
        self.warnings.push(format!("{key} ({}) is not used: it was given for {another}", setting.origin));
        None
    }

    fn file(&self, value: &Value, origin: &Origin) -> Result<String, ConfigError> {
        let Value::Text(path) = value else { return Ok(String::new()) };
        read_file(self.around, Path::new(path), Some(origin))
    }
}

/// Takes `user:password@` out of an address, which is shown on the screen.
pub(super) fn split_user(url: &str) -> (String, Option<BasicAuth>) {
    let Some((scheme, rest)) = url.split_once("://") else { return (url.to_owned(), None) };
    let authority_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(authority_end);
    let Some((user, host)) = authority.rsplit_once('@') else { return (url.to_owned(), None) };
    let (user, password) = user.split_once(':').unwrap_or((user, ""));
    let basic = BasicAuth { user: decoded(user), password: Secret::new(decoded(password)) };
    (format!("{scheme}://{host}{path}"), Some(basic))
}

/// `%41` is `A`; what is not written so stays.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let hex = bytes.get(at + 1..at + 3).and_then(|h| std::str::from_utf8(h).ok());
        match hex.and_then(|h| u8::from_str_radix(h, 16).ok()) {
            Some(decoded) if *byte == b'%' => {
                out.push(decoded);
                at += 3;
            }
            _ => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
