//! How often the visible tab is looked at: faster and slower, in steps.

use std::time::Duration;

use super::App;
use crate::model::Tone;

/// Which way the refresh goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// Sooner.
    Faster,
    /// Later.
    Slower,
}

impl App {
    pub(super) fn pace(&mut self, which: Pace) {
        const STEPS_MS: [u64; 7] = [500, 1000, 2000, 5000, 10_000, 30_000, 60_000];
        let now = u64::try_from(self.refresh.as_millis()).unwrap_or(u64::MAX);
        let next = match which {
            Pace::Faster => STEPS_MS.iter().rev().find(|s| **s < now),
            Pace::Slower => STEPS_MS.iter().find(|s| **s > now),
        };
        if let Some(ms) = next {
            self.refresh = Duration::from_millis(*ms);
        }
        self.say(format!("refresh every {} s", self.refresh.as_secs_f64()), Tone::Faint);
    }
}
