//! What must be known to ask a Prometheus: values only.
//!
//! It reads no file and no environment; credentials in it are never printed.

use std::fmt;
use std::time::Duration;

use crate::config;

/// A credential. It prints as `…`, so that no log, error or panic shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps `raw`.
    pub fn new(raw: impl Into<String>) -> Self {
        Self(raw.into())
    }

    /// The credential itself, for a header.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// A user and a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BasicAuth {
    /// The user.
    pub user: String,
    /// The password.
    pub password: Secret,
}

/// How to reach a Prometheus, and which series there are the service's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrometheusSettings {
    /// Base address, with a path where the API stands under one: `https://metrics.example/prometheus`. A user and
    /// password in it are taken for [`PrometheusSettings::basic`].
    pub url: String,
    /// Sent as `Authorization: Bearer …`; it wins over `basic`.
    pub bearer: Option<Secret>,
    /// Sent as `Authorization: Basic …`.
    pub basic: Option<BasicAuth>,
    /// Further headers, such as `X-Scope-OrgID`.
    pub headers: Vec<(String, Secret)>,
    /// Certificates in PEM that are trusted besides the system's.
    pub ca_pem: Option<Vec<u8>>,
    /// How long one question may take; the server is told the same limit.
    pub timeout: Duration,
    /// `$job`.
    pub job: Option<String>,
    /// `$postgres_job`.
    pub postgres_job: Option<String>,
    /// `${prefix}`.
    pub prefix: String,
    /// `$pool_max`.
    pub pool_max: Option<u32>,
    /// `$window` in seconds, where the one made from the scrape interval does not fit.
    pub window_s: Option<u32>,
}

impl PrometheusSettings {
    /// The settings of a Prometheus at `url` of which nothing else is known.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            bearer: None,
            basic: None,
            headers: Vec::new(),
            ca_pem: None,
            // A panel that takes longer is of no use to somebody who waits for it, and a hanging server is known by it.
            timeout: Duration::from_secs(5),
            job: None,
            postgres_job: None,
            prefix: "fraiseql".to_owned(),
            pool_max: None,
            window_s: None,
        }
    }

    /// Those that the program was told; none where no Prometheus was named.
    #[must_use]
    pub fn of(metrics: &config::Metrics) -> Option<Self> {
        let told = metrics.prometheus.as_ref()?;
        let secret = |s: &config::Secret| Secret::new(s.reveal());
        Some(Self {
            url: told.url.clone(),
            bearer: told.bearer.as_ref().map(secret),
            basic: told.basic.as_ref().map(|b| BasicAuth { user: b.user.clone(), password: secret(&b.password) }),
            headers: told.headers.iter().map(|(name, value)| (name.clone(), secret(value))).collect(),
            ca_pem: told.ca_pem.as_ref().map(|pem| pem.clone().into_bytes()),
            timeout: told.timeout,
            job: metrics.job.clone(),
            postgres_job: metrics.postgres_job.clone(),
            prefix: metrics.prefix.clone(),
            pool_max: metrics.pool_max,
            window_s: None,
        })
    }

    /// Refuses what could never be asked, before anything is asked.
    pub(super) fn check(&self) -> Result<(), SettingsError> {
        let starts = |c: char| c.is_ascii_alphabetic() || c == '_' || c == ':';
        let goes_on = |c: char| starts(c) || c.is_ascii_digit();
        if !self.prefix.starts_with(starts) || !self.prefix.chars().all(goes_on) {
            return Err(SettingsError::Prefix(self.prefix.clone()));
        }
        for job in [&self.job, &self.postgres_job].into_iter().flatten() {
            regex::Regex::new(job).map_err(|error| SettingsError::Job(job.clone(), error.to_string()))?;
        }
        if self.pool_max == Some(0) {
            return Err(SettingsError::PoolMax);
        }
        Ok(())
    }
}

/// Settings that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// No address that could be asked.
    #[error("`{0}` is no http:// or https:// address: {1}")]
    Url(String, String),
    /// A header that cannot be sent.
    #[error("header `{0}`: characters that a header cannot carry")]
    Header(String),
    /// A prefix that cannot begin a metric's name.
    #[error("`{0}` cannot begin a metric's name")]
    Prefix(String),
    /// A job that is no regular expression.
    #[error("job `{0}`: {1}")]
    Job(String, String),
    /// A pool of no connections.
    #[error("pool_max is 0; leave it unset where it is not known")]
    PoolMax,
    /// The CA file has no certificate that can be used.
    #[error("CA file: {0}")]
    Ca(String),
    /// The client could not be made.
    #[error("HTTP client: {0}")]
    Client(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_never_printed() {
        let mut settings = PrometheusSettings::new("http://127.0.0.1:9090");
        settings.bearer = Some(Secret::new("hunter2"));
        settings.basic = Some(BasicAuth { user: "u".into(), password: Secret::new("hunter2") });
        settings.headers = vec![("X-Key".into(), Secret::new("hunter2"))];
        assert!(!format!("{settings:?}").contains("hunter2"));
    }

    #[test]
    fn settings_that_could_never_be_asked_are_refused_at_once() {
        let with = |change: fn(&mut PrometheusSettings)| {
            let mut settings = PrometheusSettings::new("http://127.0.0.1:9090");
            change(&mut settings);
            settings.check()
        };
        assert_eq!(with(|_| {}), Ok(()));
        assert_eq!(with(|s| s.prefix = "9x".into()), Err(SettingsError::Prefix("9x".into())));
        assert_eq!(with(|s| s.prefix = "a}b".into()), Err(SettingsError::Prefix("a}b".into())));
        assert_eq!(with(|s| s.prefix = String::new()), Err(SettingsError::Prefix(String::new())));
        assert!(matches!(with(|s| s.job = Some("(".into())), Err(SettingsError::Job(..))));
        assert_eq!(with(|s| s.pool_max = Some(0)), Err(SettingsError::PoolMax));
    }
}
