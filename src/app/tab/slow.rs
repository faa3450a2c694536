//! 3 Slow: client statements that run longer than the threshold, and transactions that sit idle longer than it.

use super::connections::SessionRow;
use crate::model::session::State;

/// The thresholds that the keys step through, in seconds.
pub const STEPS: [f64; 9] = [1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0];

/// True where the session belongs on the tab: a client, not a parallel worker (its leader stands for it), not a
/// walsender, whose "query" runs for ever. An idle transaction counts by the transaction's age: it is the root blocker
/// that a list of running statements misses.
#[must_use]
pub fn is_slow(row: &SessionRow, threshold_s: f64) -> bool {
    let s = &row.session;
    if !s.is_client() || s.leader.is_some() {
        return false;
    }
    match s.state {
        Some(State::Active | State::Fastpath) => s.query_s.is_some_and(|q| q >= threshold_s),
        Some(State::IdleInTransaction | State::IdleInTransactionAborted) => s.xact_s.is_some_and(|x| x >= threshold_s),
        Some(State::Idle | State::Starting | State::Disabled) | None => false,
    }
}

/// The next threshold above or below.
#[must_use]
pub fn stepped(threshold_s: f64, up: Step) -> f64 {
    match up {
        Step::Longer => STEPS.iter().copied().find(|s| *s > threshold_s + 1e-9).unwrap_or(threshold_s),
        Step::Shorter => STEPS.iter().rev().copied().find(|s| *s < threshold_s - 1e-9).unwrap_or(threshold_s),
    }
}

/// Which way a threshold goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Fewer rows.
    Longer,
    /// More rows.
    Shorter,
}
