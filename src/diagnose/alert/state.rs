//! The state of one rule's alerts: inactive, pending, firing, resolved — step by step as Prometheus takes them.
//!
//! Pure: each step brings its own time. A step that failed changes no state: what was pending stays so, and the rule
//! says since when nobody looks. Source of the steps: `AlertingRule.Eval` of Prometheus.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::template::{self, Context};
use crate::model::alert::{AlertRule, Labels, Look, Number, RuleAnswer, Seen, Series};
use crate::model::{ProbeError, Timestamp};

/// For how long a resolved alert is remembered, as in Prometheus.
const REMEMBERED: Duration = Duration::from_secs(15 * 60);

/// Changes kept of one alert.
const MOST_CHANGES: usize = 20;

/// Where an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum State {
    /// It fired, and its condition holds no longer.
    Resolved,
    /// The condition holds, `for` is not over.
    Pending,
    /// It fires.
    Firing,
}

/// One alert: one set of labels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Its labels, `alertname` among them.
    pub labels: Labels,
    /// Its annotations, rendered.
    pub annotations: Labels,
    /// Names of the annotations that are shown as they were written, since something in them is not known here.
    pub verbatim: Vec<String>,
    /// The value of the last evaluation in which the condition held.
    pub value: Number,
    /// Where it stands.
    pub state: State,
    /// Since when the condition holds.
    pub active_at: Timestamp,
    /// True where it held when we looked for the first time: it may have held for longer.
    pub since_we_look: bool,
    /// Since when it fires.
    pub fired_at: Option<Timestamp>,
    /// Since when it only fires on because of `keep_firing_for`.
    pub kept_since: Option<Timestamp>,
    /// When it was resolved.
    pub resolved_at: Option<Timestamp>,
    /// What it went through, oldest first.
    pub changes: Vec<(Timestamp, State)>,
}

/// A rule that nobody can evaluate now.
#[derive(Debug, Clone, PartialEq)]
pub struct Blind {
    /// Why.
    pub why: ProbeError,
    /// Since when.
    pub since: Timestamp,
}

/// What is known of one rule.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RuleState {
    /// Its alerts by labels.
    pub alerts: BTreeMap<Labels, Alert>,
    /// What stood behind the condition at the last evaluation, and when that was.
    pub seen: Option<(Seen, Timestamp)>,
    /// The source that answered last.
    pub source: Option<usize>,
    /// Sources that the server refused.
    pub refused: Vec<String>,
    /// Why it cannot be evaluated now; a fault of the rule itself among it, such as more alerts than its group's limit.
    pub blind: Option<Blind>,
    /// The longest time between two evaluations that nothing was known of while an alert was active, in seconds.
    pub unseen_s: f64,
}

/// A change that somebody may have to hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Which alert.
    pub labels: Labels,
    /// Where it stands now.
    pub to: State,
    /// When.
    pub at: Timestamp,
    /// True where it came out of the past, filled in: nobody saw it happen.
    pub past: bool,
}

impl RuleState {
    /// Takes in an answer, its filled-in past before its present.
    pub fn take(&mut self, rule: &AlertRule, limit: Option<usize>, answer: &RuleAnswer) -> Vec<Change> {
        let mut changes = Vec::new();
        for look in &answer.past {
            changes.extend(self.step(rule, limit, look).into_iter().map(|c| Change { past: true, ..c }));
        }
        self.source = answer.source;
        self.refused.clone_from(&answer.refused);
        changes.extend(self.step(rule, limit, &answer.now));
        changes
    }

    /// Notes that an evaluation failed: no state changes by that.
    pub fn fail(&mut self, why: &ProbeError, at: Timestamp) {
        let since = self.blind.as_ref().filter(|b| b.why == *why).map_or(at, |b| b.since);
        self.blind = Some(Blind { why: why.clone(), since });
    }

    /// Notes that an evaluation failed by a fault of the rule itself.
    fn is_faulty(&mut self, before: Option<Blind>, fault: String, at: Timestamp) {
        self.blind = before;
        self.fail(&ProbeError::Faulty(fault), at);
    }

    /// Takes one evaluation in. One that is not newer than the last is left out.
    pub fn step(&mut self, rule: &AlertRule, limit: Option<usize>, look: &Look) -> Vec<Change> {
        let first = self.seen.is_none();
        if let Some((_, before)) = &self.seen {
            if look.at <= *before {
                return Vec::new();
            }
            let gap = look.at.duration_since(*before).as_secs_f64();
            let active = self.alerts.values().any(|a| a.state != State::Resolved);
            self.unseen_s = if active { self.unseen_s.max(gap) } else { 0.0 };
        }
        self.seen = Some((look.seen.clone(), look.at));
        let before = self.blind.take();
        let mut present: BTreeMap<Labels, Alert> = BTreeMap::new();
        for series in &look.holding {
            let alert = alert_of(rule, series, look.at, first);
            if present.insert(alert.labels.clone(), alert).is_some() {
                // Prometheus fails the evaluation then, and so no state changes.
                let fault = "several series have the same labels after the rule's own are applied";
                self.is_faulty(before, fault.to_owned(), look.at);
                return Vec::new();
            }
        }
        let mut changes = Vec::new();
        for (labels, new) in &present {
            match self.alerts.get_mut(labels) {
                Some(known) if known.state != State::Resolved => {
                    known.value = new.value;
                    known.annotations.clone_from(&new.annotations);
                    known.verbatim.clone_from(&new.verbatim);
                }
                Some(known) => {
                    let history = std::mem::take(&mut known.changes);
                    *known = Alert { changes: history, ..new.clone() };
                    changes.push(known.becomes(State::Pending, look.at));
                }
                None => {
                    let mut alert = new.clone();
                    changes.push(alert.becomes(State::Pending, look.at));
                    self.alerts.insert(labels.clone(), alert);
                }
            }
        }
        self.alerts.retain(|labels, alert| {
            let (keep, change) = alert.moves(rule, present.contains_key(labels), look.at);
            changes.extend(change);
            keep
        });
        let active = self.alerts.values().filter(|a| a.state != State::Resolved).count();
        if let Some(limit) = limit.filter(|limit| active > *limit) {
            // Prometheus forgets all alerts of the rule then, and fails the evaluation: nobody hears of any of them.
            let fault = format!("exceeded limit of {limit} with {active} alerts");
            self.is_faulty(before, fault, look.at);
            let forgotten = std::mem::take(&mut self.alerts);
            let fired = forgotten.into_values().filter(|alert| alert.state != State::Resolved);
            let over = |alert: Alert| Change { labels: alert.labels, to: State::Resolved, at: look.at, past: false };
            return fired.map(over).collect();
        }
        // An alert whose `for` is zero was pending for no time at all.
        let fired: Vec<Labels> = changes.iter().filter(|c| c.to == State::Firing).map(|c| c.labels.clone()).collect();
        changes.retain(|c| c.to != State::Pending || !fired.contains(&c.labels));
        changes
    }
}

impl Alert {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.labels.get("alertname").map_or("", String::as_str)
    }

    fn becomes(&mut self, state: State, at: Timestamp) -> Change {
        self.state = state;
        if self.changes.last().is_some_and(|(then, before)| *then == at && *before == State::Pending) {
            self.changes.pop();
        }
        self.changes.push((at, state));
        if self.changes.len() > MOST_CHANGES {
            self.changes.remove(0);
        }
        Change { labels: self.labels.clone(), to: state, at, past: false }
    }

    /// Goes on by one evaluation; false where it is to be forgotten.
    fn moves(&mut self, rule: &AlertRule, present: bool, at: Timestamp) -> (bool, Option<Change>) {
        if present {
            self.kept_since = None;
            if self.state == State::Pending && reached(self.active_at, rule.hold, at) {
                self.fired_at = Some(at);
                return (true, Some(self.becomes(State::Firing, at)));
            }
            return (true, None);
        }
        match self.state {
            // Never fired: nobody has to hear that it is over.
            State::Pending => (false, None),
            State::Firing if !rule.keep.is_zero() && !reached(*self.kept_since.get_or_insert(at), rule.keep, at) => {
                (true, None)
            }
            State::Firing => {
                self.kept_since = None;
                self.resolved_at = Some(at);
                (true, Some(self.becomes(State::Resolved, at)))
            }
            State::Resolved => {
                (self.resolved_at.is_some_and(|then| !reached(then, REMEMBERED + Duration::from_nanos(1), at)), None)
            }
        }
    }
}

fn reached(from: Timestamp, span: Duration, at: Timestamp) -> bool {
    at.duration_since(from).as_nanos() >= i128::try_from(span.as_nanos()).unwrap_or(i128::MAX)
}

fn alert_of(rule: &AlertRule, series: &Series, at: Timestamp, first: bool) -> Alert {
    let context = Context { labels: &series.labels, value: series.value.0 };
    let mut labels = series.labels.clone();
    labels.remove("__name__");
    for (name, template) in &rule.labels {
        let text = template::render(template, context).text;
        // An empty label is no label.
        if text.is_empty() {
            labels.remove(name);
        } else {
            labels.insert(name.clone(), text);
        }
    }
    labels.insert("alertname".to_owned(), rule.name.clone());
    let mut verbatim = Vec::new();
    let annotations = rule.annotations.iter().map(|(name, template)| {
        let rendered = template::render(template, context);
        if rendered.verbatim {
            verbatim.push(name.clone());
        }
        (name.clone(), rendered.text)
    });
    let annotations = annotations.collect();
    Alert {
        labels,
        annotations,
        verbatim,
        value: series.value,
        state: State::Pending,
        active_at: at,
        since_we_look: first,
        fired_at: None,
        kept_since: None,
        resolved_at: None,
        changes: Vec::new(),
    }
}

#[cfg(test)]
#[path = "state/tests.rs"]
mod tests;
