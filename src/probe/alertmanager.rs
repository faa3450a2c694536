//! Active silences from Alertmanager's API, version 2.
//!
//! It only reads: whoever silences an alert does so where everybody sees it.

use std::time::Duration;

use serde::Deserialize;
use tokio::sync::{mpsc, watch};

use super::Report;
use super::pace::{Source, keep_asking};
use super::prometheus::{Api, PrometheusSettings, SettingsError};
use crate::model::alert::{Matcher, Silence};
use crate::model::{Demand, ProbeError, Question, Snapshot, Timestamp};

/// The longest pause after failures.
const PATIENCE: Duration = Duration::from_secs(60);

/// A source of silences.
#[derive(Debug)]
pub struct Alertmanager {
    api: Api,
}

#[derive(Debug, Deserialize)]
struct One {
    id: String,
    matchers: Vec<OneMatcher>,
    #[serde(default, rename = "endsAt")]
    ends_at: Option<Timestamp>,
    #[serde(default, rename = "createdBy")]
    created_by: String,
    #[serde(default)]
    comment: String,
    status: Status,
}

#[derive(Debug, Deserialize)]
struct Status {
    state: String,
}

#[derive(Debug, Deserialize)]
struct OneMatcher {
    name: String,
    value: String,
    #[serde(default, rename = "isRegex")]
    regex: bool,
    /// Missing before 0.22, which knew no other.
    #[serde(default = "equal", rename = "isEqual")]
    equal: bool,
}

fn equal() -> bool {
    true
}

impl Alertmanager {
    /// Prepares the client; nothing is asked yet.
    ///
    /// # Errors
    /// No such address.
    pub fn new(url: &str, timeout: Duration) -> Result<Self, SettingsError> {
        let settings = PrometheusSettings { timeout, ..PrometheusSettings::new(url) };
        Ok(Self { api: Api::new(&settings)? })
    }

    /// The active silences.
    ///
    /// # Errors
    /// No answer, or none of that form.
    pub async fn silences(&self) -> Result<Vec<Silence>, ProbeError> {
        let (status, all) = self.api.fetch::<serde_json::Value>(["api", "v2", "silences"], &[]).await?;
        if !status.is_success() {
            let code = status.as_u16().to_string();
            return Err(ProbeError::Refused { code, message: "silences are not to be had".to_owned() });
        }
        let all: Vec<One> = serde_json::from_value(all).map_err(|e| ProbeError::Shape(e.to_string()))?;
        Ok(all.into_iter().filter(|s| s.status.state == "active").map(silence).collect())
    }

    /// Asks while it is wanted and sends each answer as a [`Report::Sample`]; ends when either channel's other end is
    /// gone. After failures it asks less often, and at once when the user connects again.
    pub async fn run(self, demand: watch::Receiver<Demand>, reports: mpsc::Sender<Report>) {
        keep_asking(self, demand, reports).await;
    }
}

impl Source for Alertmanager {
    fn question(&self) -> Question {
        Question::Silences
    }

    fn patience(&self) -> Duration {
        PATIENCE
    }

    async fn ask(&mut self) -> Result<Snapshot, ProbeError> {
        self.silences().await.map(Snapshot::Silences)
    }
}

fn silence(one: One) -> Silence {
    let matcher = |m: OneMatcher| Matcher { name: m.name, value: m.value, regex: m.regex, equal: m.equal };
    Silence {
        id: one.id,
        matchers: one.matchers.into_iter().map(matcher).collect(),
        until: one.ends_at,
        by: one.created_by,
        comment: one.comment,
    }
}
