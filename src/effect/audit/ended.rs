//! How an action ended, as a line tells it: a word, and what the server said.
//!
//! It knows nothing of the rest of the line.

use serde::{Deserialize, Serialize};

use super::redact::redacted;
use crate::message::{EachOutcome, Outcome};

/// How an action ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// `done`, `written` (but not in force), `each` (see `rows`), `gone`, `changed`, `skipped`, `denied`, `timed out`, `cancelled`, `refused`, `not sent`, `unknown`.
    pub result: String,
    /// What the server said, or what it was not sent for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What would allow it, for a denied one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cure: Option<String>,
    /// What became of each target of a bulk action.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<EndedRow>,
}

/// How a bulk action ended for one of its targets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedRow {
    /// Its pid.
    pub pid: i32,
    /// How.
    #[serde(flatten)]
    pub ended: Ended,
}

impl Ended {
    pub(super) fn of(outcome: &Outcome) -> Self {
        let (result, message, cure) = match outcome {
            Outcome::Done(message) => ("done", Some(message), None),
            Outcome::Each(_) => ("each", None, None),
            Outcome::Written(message) => ("written", Some(message), None),
            Outcome::Gone => ("gone", None, None),
            Outcome::Changed(message) => ("changed", Some(message), None),
            Outcome::Skipped(message) => ("skipped", Some(message), None),
            Outcome::Denied { message, cure } => ("denied", Some(message), Some(cure)),
            Outcome::TimedOut(message) => ("timed out", Some(message), None),
            Outcome::Cancelled(message) => ("cancelled", Some(message), None),
            Outcome::Refused(message) => ("refused", Some(message), None),
            Outcome::NotSent(message) => ("not sent", Some(message), None),
            Outcome::Unknown(message) => ("unknown", Some(message), None),
        };
        let row = |one: &EachOutcome| EndedRow { pid: one.pid, ended: Self::of(&one.outcome) };
        let rows = outcome.each().iter().map(row).collect();
        // What a session runs instead may hold a password too.
        let message = message.map(|text| redacted(text));
        Self { result: result.to_owned(), message, cure: cure.cloned(), rows }
    }
}
