//! Alert rules, and what evaluating one came to: plain values, as Prometheus names them.
//!
//! It asks nobody and keeps no state: whether an alert is pending or fires is `diagnose`'s to say.

mod number;
mod other;
mod series;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{ProbeError, Timestamp};

pub use number::Number;
pub use other::{Matcher, OtherAlert, OtherRule, OtherState, Others, Silence};
pub use series::{Seen, Series, judge};

/// Labels of a series or an alert: their order is their names', so that equal sets are equal.
pub type Labels = BTreeMap<String, String>;

/// A comparison at the root of an expression, whose right side is a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Comparison {
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
}

impl Comparison {
    /// As PromQL writes it.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::Above => ">",
            Self::AtLeast => ">=",
            Self::Below => "<",
            Self::AtMost => "<=",
            Self::Equal => "==",
            Self::NotEqual => "!=",
        }
    }

    /// True where `value` passes, by the rules of IEEE 754 as in Prometheus: NaN passes only `!=`.
    #[must_use]
    #[expect(clippy::float_cmp, reason = "PromQL compares exactly")]
    pub fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Self::Above => value > limit,
            Self::AtLeast => value >= limit,
            Self::Below => value < limit,
            Self::AtMost => value <= limit,
            Self::Equal => value == limit,
            Self::NotEqual => value != limit,
        }
    }
}

/// The left side of a comparison with a number. Asked in place of the whole expression, it tells a quiet value from NaN
/// and from no series at all, which the comparison answers alike: with nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Watched {
    /// PromQL of the left side, as it was written.
    pub expr: String,
    /// The comparison.
    pub comparison: Comparison,
    /// The number on its right.
    pub limit: Number,
}

/// One expression that may answer a rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// Its name among several; empty where there is one only.
    pub name: String,
    /// The whole condition in PromQL.
    pub expr: String,
    /// Its left side, where the root is a comparison with a number.
    pub watched: Option<Watched>,
    /// What it cannot see.
    pub note: Option<String>,
}

impl Source {
    /// What is sent to Prometheus.
    #[must_use]
    pub fn asked(&self) -> &str {
        self.watched.as_ref().map_or(&self.expr, |w| &w.expr)
    }
}

/// An alerting rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlertRule {
    /// `alert`.
    pub name: String,
    /// Line of its file, from 1.
    pub line: usize,
    /// `expr`; built-in rules have several, best first: the first with a number answers.
    pub sources: Vec<Source>,
    /// `for`.
    pub hold: Duration,
    /// `keep_firing_for`.
    pub keep: Duration,
    /// `labels`, as templates.
    pub labels: Labels,
    /// `annotations`, as templates.
    pub annotations: Labels,
    /// Why our own reading of its PromQL failed, with the place. The server has the last word: it may be newer.
    pub doubt: Option<String>,
}

/// A group of rules, evaluated one after the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RuleGroup {
    /// `file;name`, as Prometheus names it: unique.
    pub key: String,
    /// `name`.
    pub name: String,
    /// The file, or `built-in`.
    pub origin: String,
    /// Time between two evaluations.
    pub interval: Duration,
    /// False where the file says no `interval`: Prometheus goes by its `evaluation_interval` then, and the console by its own.
    #[serde(default)]
    pub interval_given: bool,
    /// The most alerts of one rule; none where there is no limit.
    pub limit: Option<usize>,
    /// Its alerting rules.
    pub rules: Vec<AlertRule>,
    /// Recording rules, by name: they are Prometheus' to run, and left out here.
    pub skipped: Vec<String>,
}

/// One evaluation of one rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// The time of evaluation.
    pub at: Timestamp,
    /// The series for which the condition holds.
    pub holding: Vec<Series>,
    /// What stands behind the condition.
    pub seen: Seen,
}

/// What came of asking one rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RuleAnswer {
    /// Index of the source that answered; none where none has a series.
    pub source: Option<usize>,
    /// Evaluations in the past that were missed, oldest first: Prometheus keeps the samples, so that it can be asked.
    pub past: Vec<Look>,
    /// From where on the past is known, where it was asked for.
    pub known_from: Option<Timestamp>,
    /// The evaluation of now.
    pub now: Look,
    /// Sources that the server refused, with its words.
    pub refused: Vec<String>,
}

/// What came of asking a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupAnswer {
    /// For each rule in order: its answer, or why there is none.
    pub rules: Vec<Result<RuleAnswer, ProbeError>>,
}
