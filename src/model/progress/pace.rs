//! How fast something counts up, from what was seen of it: no estimate without two looks that differ.

use serde::{Deserialize, Serialize};

use super::super::{Timestamp, seconds_between};
use super::Measure;

/// The pace is that of the last half to one such span: what changed a minute ago no longer counts.
const SPAN_S: f64 = 60.0;

/// A shorter look than this says more of one block than of the pace.
const LEAST_S: f64 = 4.0;

/// Not a step for so long is worth a word.
const STILL_S: f64 = 10.0;

/// How a count went on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Pace {
    /// Where the pace is measured from; the later moves up to it after half the span.
    from: (i64, Timestamp),
    later: (i64, Timestamp),
    /// What it was when it was seen to change last, or first seen.
    moved: (i64, Timestamp),
    /// When it was seen last.
    seen: Timestamp,
}

impl Pace {
    /// After it was seen at `done`; none before: it is seen for the first time. A count that went back begins anew.
    #[must_use]
    pub fn after(before: Option<Self>, done: i64, at: Timestamp) -> Self {
        let now = (done, at);
        let Some(mut pace) = before.filter(|p| p.moved.0 <= done) else {
            return Self { from: now, later: now, moved: now, seen: at };
        };
        if seconds_between(pace.later.1, at) > SPAN_S / 2.0 {
            (pace.from, pace.later) = (pace.later, now);
        }
        if done > pace.moved.0 {
            pace.moved = now;
        }
        Self { seen: at, ..pace }
    }

    /// How much a second; none until it was seen to move for long enough.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a rate, shown in three digits")]
    pub fn per_second(&self, measure: &Measure) -> Option<f64> {
        let (seconds, steps) = (seconds_between(self.from.1, self.seen), measure.done - self.from.0);
        (seconds >= LEAST_S && steps > 0 && self.still_s().is_none()).then(|| steps as f64 / seconds)
    }

    /// Seconds that are left of the phase at that pace.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "an estimate, shown in one unit")]
    pub fn left_s(&self, measure: &Measure) -> Option<f64> {
        measure.share()?;
        let left = measure.total? - measure.done;
        self.per_second(measure).map(|rate| left.max(0) as f64 / rate)
    }

    /// Seconds without a step, where that is long.
    #[must_use]
    pub fn still_s(&self) -> Option<f64> {
        Some(seconds_between(self.moved.1, self.seen)).filter(|s| *s >= STILL_S)
    }
}
