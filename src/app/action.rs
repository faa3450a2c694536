//! The actions of this run: what was done, to what, and what became of it.

use crate::guard::{StatementKey, Write};
use crate::message::Outcome;
use crate::model::{Timestamp, Tone};

/// An action that was taken, and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Action {
    /// Its number.
    pub id: u64,
    /// What it was, in a few words, such as `cancel 4711`.
    pub label: String,
    /// When it was confirmed.
    pub at: Timestamp,
    /// What was done, and to what.
    pub write: Write,
    /// Of an action that runs as a job.
    pub job: Option<Job>,
    /// Statements that were cancelled and seen to run on.
    pub deaf: Vec<StatementKey>,
    /// Of a vacuum: dead rows before and after it.
    pub dead: Option<(i64, i64)>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// When the line was in the audit log and the statement on its way.
    pub started: Option<Timestamp>,
    /// Of a bulk action: who was seen to have gone, and within how many milliseconds of the signal.
    pub went: Vec<(StatementKey, u64)>,
    /// Who of a bulk action was still there when it was looked at last; none before that.
    pub left: Option<Vec<StatementKey>>,
    /// What the looks after the signal came to, in words.
    pub verified: Option<(String, Tone)>,
}

/// What is known of an action that runs beside everything else, and can be stopped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Job {
    /// The backend that runs it, once known.
    pub pid: Option<i32>,
}

impl Action {
    /// True while it runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.outcome.is_none()
    }
}
