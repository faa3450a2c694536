//! What our own questions cost the server.
//!
//! It decides nothing about what is too much.

use std::time::Duration;

use super::World;
use crate::model::{Question, Timestamp, seconds_between};

/// What one answer took.
#[derive(Debug, Clone, PartialEq)]
pub struct Spent {
    at: Timestamp,
    took: Duration,
    what: &'static str,
}

/// What the answers to one question took together.
#[derive(Debug, Clone, PartialEq)]
pub struct Cost {
    /// What was asked.
    pub what: &'static str,
    /// How many answers came.
    pub answers: usize,
    /// Milliseconds of all of them.
    pub ms: f64,
    /// Those of the longest one.
    pub longest_ms: f64,
}

impl World {
    /// Notes what an answer took, where the server was asked.
    pub(super) fn spend(&mut self, question: &Question, at: Timestamp, took: Duration) {
        if let Some(what) = what(question) {
            self.spent.retain(|spent| seconds_between(spent.at, at) < 60.0);
            self.spent.push(Spent { at, took, what });
        }
    }

    /// Milliseconds of answer time per second that our questions cost, over the last minute.
    #[must_use]
    pub fn own_cost_ms_per_s(&self, now: Timestamp) -> f64 {
        let sum: f64 = self.spent_lately(now).map(|spent| spent.took.as_secs_f64() * 1e3).sum();
        let known = self.own_cost_known_s(now);
        if known > 0.0 { sum / known.max(2.0) } else { 0.0 }
    }

    /// Over how many seconds that is known, 60 at most.
    #[must_use]
    pub fn own_cost_known_s(&self, now: Timestamp) -> f64 {
        self.spent_lately(now).map(|spent| seconds_between(spent.at, now)).fold(0.0, f64::max)
    }

    /// The same by question, over the last minute, the most costly first.
    #[must_use]
    pub fn own_cost_by_question(&self, now: Timestamp) -> Vec<Cost> {
        let mut costs: Vec<Cost> = Vec::new();
        for spent in self.spent_lately(now) {
            let ms = spent.took.as_secs_f64() * 1e3;
            match costs.iter_mut().find(|cost| cost.what == spent.what) {
                Some(cost) => {
                    cost.answers += 1;
                    cost.ms += ms;
                    cost.longest_ms = cost.longest_ms.max(ms);
                }
                None => costs.push(Cost { what: spent.what, answers: 1, ms, longest_ms: ms }),
            }
        }
        costs.sort_by(|a, b| b.ms.total_cmp(&a.ms).then(a.what.cmp(b.what)));
        costs
    }

    fn spent_lately(&self, now: Timestamp) -> impl Iterator<Item = &Spent> {
        self.spent.iter().filter(move |spent| seconds_between(spent.at, now) < 60.0)
    }
}

/// What a question asks the server, in a word or two; none for one that is asked elsewhere.
fn what(question: &Question) -> Option<&'static str> {
    match question {
        Question::Server => Some("the server and our rights"),
        Question::Sessions => Some("sessions and who blocks whom"),
        Question::SessionLocks(_) => Some("the locks of a session"),
        Question::Progress => Some("work in progress"),
        Question::Relations { .. } => Some("tables"),
        Question::Indexes { .. } => Some("indexes"),
        Question::IndexDefinition { .. } => Some("the definition of an index"),
        Question::ExactBloat(_) => Some("the exact bloat of a table"),
        Question::Plan(_) => Some("a plan"),
        Question::Replication => Some("replication"),
        Question::Activity => Some("the server as a whole"),
        Question::Settings => Some("settings"),
        Question::CacheTable => Some("the cache table"),
        Question::Statements { .. } => Some("pg_stat_statements"),
        Question::Panel { .. }
        | Question::PanelBefore { .. }
        | Question::Targets
        | Question::Rules { .. }
        | Question::OtherAlerts
        | Question::Silences
        | Question::Health { .. }
        | Question::Dependency { .. }
        | Question::Pooler => None,
    }
}
