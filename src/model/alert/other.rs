//! Alerts that Prometheus itself evaluates, and silences of Alertmanager: values as their servers gave them.
//!
//! It decides no state: these were decided elsewhere.

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::{Labels, Number};
use crate::model::Timestamp;

/// The state that Prometheus gives an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OtherState {
    /// The condition holds, `for` is not over.
    Pending,
    /// It fires.
    Firing,
}

/// One alert of `/api/v1/alerts`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OtherAlert {
    /// Its labels, `alertname` among them.
    pub labels: Labels,
    /// Its annotations, rendered by Prometheus.
    pub annotations: Labels,
    /// Its state.
    pub state: OtherState,
    /// Since when the condition holds.
    pub active_at: Option<Timestamp>,
    /// Its value.
    pub value: Option<Number>,
}

/// One alerting rule of `/api/v1/rules`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OtherRule {
    /// Its name.
    pub name: String,
    /// Its group.
    pub group: String,
    /// PromQL.
    pub expr: String,
    /// `for` in seconds.
    pub hold_s: f64,
    /// Why its last evaluation failed, where it did.
    pub error: Option<String>,
}

/// What Prometheus evaluates by itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Others {
    /// Its pending and firing alerts.
    pub alerts: Vec<OtherAlert>,
    /// Its alerting rules.
    pub rules: Vec<OtherRule>,
}

/// A matcher of a silence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matcher {
    /// The label.
    pub name: String,
    /// The value, or a regular expression.
    pub value: String,
    /// True where it is a regular expression, which must match the whole value.
    pub regex: bool,
    /// False where the label must not have it.
    pub equal: bool,
}

impl Matcher {
    /// True where the labels pass; a label that is missing has the empty value, as in Alertmanager. A regular expression
    /// that cannot be read here passes nothing: an alert must not look silenced by mistake.
    #[must_use]
    pub fn passes(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.name).map_or("", String::as_str);
        let same = if self.regex {
            match Regex::new(&format!("^(?:{})$", self.value)) {
                Ok(regex) => regex.is_match(value),
                Err(_) => return false,
            }
        } else {
            value == self.value
        };
        same == self.equal
    }
}

/// An active silence of Alertmanager.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// Its id.
    pub id: String,
    /// All of them must match.
    pub matchers: Vec<Matcher>,
    /// Until when.
    pub until: Option<Timestamp>,
    /// Who.
    pub by: String,
    /// Why.
    pub comment: String,
}

impl Silence {
    /// True where it silences an alert with these labels. One without a matcher silences nothing.
    #[must_use]
    pub fn covers(&self, labels: &Labels) -> bool {
        !self.matchers.is_empty() && self.matchers.iter().all(|m| m.passes(labels))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matcher(name: &str, value: &str, regex: bool, equal: bool) -> Matcher {
        Matcher { name: name.into(), value: value.into(), regex, equal }
    }

    #[test]
    fn matchers_pass_as_alertmanagers_do() {
        let labels = Labels::from([("alertname".into(), "HighLatency".into()), ("job".into(), "shop".into())]);
        let table = [
            (matcher("alertname", "HighLatency", false, true), true),
            (matcher("alertname", "High", false, true), false),
            (matcher("alertname", "High.*", true, true), true),
            (matcher("alertname", "High", true, true), false),
            (matcher("job", "shop", false, false), false),
            (matcher("job", "other|more", true, false), true),
            (matcher("team", "", false, true), true),
            (matcher("team", ".+", true, false), true),
            (matcher("job", "(", true, true), false),
            (matcher("job", "(", true, false), false),
        ];
        for (matcher, passes) in table {
            assert_eq!(matcher.passes(&labels), passes, "{matcher:?}");
        }
    }

    #[test]
    fn a_silence_covers_what_all_its_matchers_pass() {
        let labels = Labels::from([("alertname".into(), "A".into()), ("job".into(), "shop".into())]);
        let silence =
            |matchers| Silence { id: "1".into(), matchers, until: None, by: "ann".into(), comment: "known".into() };
        assert!(silence(vec![matcher("alertname", "A", false, true)]).covers(&labels));
        let both = vec![matcher("alertname", "A", false, true), matcher("job", "x", false, true)];
        assert!(!silence(both).covers(&labels));
        assert!(!silence(Vec::new()).covers(&labels));
    }
}
