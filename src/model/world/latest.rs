//! The last answer to a question.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::error::ProbeError;
use crate::model::question::rest;
use crate::model::{Timestamp, seconds_between};

/// The last value of something, and why there is no newer one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Latest<T> {
    /// The last answer and when it came.
    pub value: Option<(T, Timestamp)>,
    /// The last failure, if it is newer than the value.
    pub error: Option<(ProbeError, Timestamp)>,
    /// How long the last answer took.
    #[serde(default)]
    pub took: Duration,
    /// For how long it rests after that.
    #[serde(default)]
    pub rest: Duration,
}

impl<T> Default for Latest<T> {
    fn default() -> Self {
        Self { value: None, error: None, took: Duration::ZERO, rest: Duration::ZERO }
    }
}

impl<T> Latest<T> {
    /// Takes an answer or a failure; a failure never removes the value.
    pub fn take(&mut self, answer: Result<T, ProbeError>, at: Timestamp) {
        match answer {
            Ok(value) => {
                self.value = Some((value, at));
                self.error = None;
            }
            Err(error) => {
                // Since when it fails is worth more than when it failed last.
                let since = match &self.error {
                    Some((old, since)) if *old == error => *since,
                    Some(_) | None => at,
                };
                self.error = Some((error, since));
            }
        }
    }

    /// The same of an answer that took so long.
    pub fn take_in(&mut self, answer: Result<T, ProbeError>, at: Timestamp, took: Duration) {
        // For one that was cut off there is patience.
        self.rest = if answer.is_ok() { rest(self.took, took) } else { Duration::ZERO };
        self.took = took;
        self.take(answer, at);
    }

    /// For how many seconds it may not be asked again, because its last answers were slow.
    #[must_use]
    pub fn rest_s(&self) -> f64 {
        self.rest.as_secs_f64()
    }

    /// The value, however old.
    #[must_use]
    pub fn get(&self) -> Option<&T> {
        self.value.as_ref().map(|v| &v.0)
    }

    /// Seconds since the value came.
    #[must_use]
    pub fn age_s(&self, now: Timestamp) -> Option<f64> {
        self.value.as_ref().map(|v| seconds_between(v.1, now))
    }
}
