//! What Prometheus evaluates by itself: `/api/v1/alerts` and `/api/v1/rules`.
//!
//! It reads states that were decided there, and decides none. Texts stay raw: an alert is known by its labels.

use serde::Deserialize;

use super::Prometheus;
use crate::model::alert::{Labels, Number, OtherAlert, OtherRule, OtherState, Others};
use crate::model::{ProbeError, Timestamp};

#[derive(Debug, Deserialize)]
struct Alerts {
    alerts: Vec<One>,
}

#[derive(Debug, Deserialize)]
struct One {
    labels: Labels,
    #[serde(default)]
    annotations: Labels,
    state: String,
    #[serde(default, rename = "activeAt")]
    active_at: Option<Timestamp>,
    #[serde(default)]
    value: String,
}

#[derive(Debug, Deserialize)]
struct Rules {
    groups: Vec<Group>,
}

#[derive(Debug, Deserialize)]
struct Group {
    name: String,
    #[serde(default)]
    rules: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
struct Rule {
    name: String,
    #[serde(default)]
    query: String,
    #[serde(default)]
    duration: f64,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default, rename = "lastError")]
    last_error: String,
}

impl Prometheus {
    /// The alerts and alerting rules of the server itself.
    ///
    /// # Errors
    /// No answer; [`ProbeError::Absent`] where the server has no rules of its own to tell of.
    pub async fn others(&self) -> Result<Others, ProbeError> {
        let alerts = self.api.get::<Alerts>("alerts", &[]).await.map_err(absent)?;
        let rules = self.api.get::<Rules>("rules", &[("type", "alert")]).await.map_err(absent)?;
        Ok(Others {
            alerts: alerts.data.alerts.into_iter().filter_map(alert).collect(),
            rules: rules.data.groups.into_iter().flat_map(of_group).collect(),
        })
    }
}

/// A store without a ruler answers that there is no such path: a fact, and no reason to think that it is away.
fn absent(error: ProbeError) -> ProbeError {
    if let ProbeError::Refused { code, .. } = &error
        && matches!(code.as_str(), "400" | "404" | "405" | "422" | "501")
    {
        return ProbeError::Absent("this server evaluates no rules itself".to_owned());
    }
    error
}

fn alert(one: One) -> Option<OtherAlert> {
    let state = match one.state.as_str() {
        "firing" => OtherState::Firing,
        "pending" => OtherState::Pending,
        _ => return None,
    };
    let One { labels, annotations, active_at, value, .. } = one;
    Some(OtherAlert { labels, annotations, state, active_at, value: Number::read(&value) })
}

fn of_group(group: Group) -> impl Iterator<Item = OtherRule> {
    let name = group.name;
    group.rules.into_iter().filter(|r| r.kind == "alerting").map(move |rule| OtherRule {
        name: rule.name,
        group: name.clone(),
        expr: rule.query,
        hold_s: rule.duration,
        error: Some(rule.last_error).filter(|e| !e.is_empty()),
    })
}
