//! Owns the pause before the next dial.
//!
//! It must not know a clock or a random number: the pause is a function of how many dials failed.

use std::time::Duration;

/// While the first half minute lasts the console is to be back within a second of the server.
const PATIENT_AFTER: Duration = Duration::from_secs(30);

/// The pauses of one outage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BackOff {
    failed: u32,
    waited: Duration,
}

impl BackOff {
    /// The pause after one more failure: 0.25 s doubling to 0.8 s for the first half minute, then 2 s, and 5 s after two minutes.
    #[must_use]
    pub fn pause(&mut self) -> Duration {
        let pause = delay(self.failed, self.waited);
        self.failed = self.failed.saturating_add(1);
        self.waited = self.waited.saturating_add(pause);
        pause
    }

    /// How many dials have failed.
    #[must_use]
    pub fn failed(&self) -> u32 {
        self.failed
    }

    /// Forgets the outage.
    pub fn reset(&mut self) {
        *self = Self::default();
    }
}

fn delay(failed: u32, waited: Duration) -> Duration {
    let doubled = Duration::from_millis(250).saturating_mul(2_u32.saturating_pow(failed));
    let most = if waited < PATIENT_AFTER {
        Duration::from_millis(800)
    } else if waited < PATIENT_AFTER * 4 {
        Duration::from_secs(2)
    } else {
        Duration::from_secs(5)
    };
    doubled.min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_are_capped_and_start_again_after_a_reset() {
        let mut backoff = BackOff::default();
        let pauses: Vec<_> = (0..200).map(|_| backoff.pause()).collect();
        assert_eq!(pauses.iter().take(4).map(Duration::as_millis).collect::<Vec<_>>(), [250, 500, 800, 800]);
        assert!(pauses.windows(2).all(|pair| pair[0] <= pair[1]));
        assert_eq!(pauses.last(), Some(&Duration::from_secs(5)));
        assert_eq!(pauses.iter().max(), Some(&Duration::from_secs(5)));
        backoff.reset();
        assert_eq!(backoff.pause(), Duration::from_millis(250));
    }

    #[test]
    fn in_the_first_half_minute_no_pause_reaches_a_second() {
        let mut backoff = BackOff::default();
        let mut waited = Duration::ZERO;
        while waited < PATIENT_AFTER {
            let pause = backoff.pause();
            assert!(pause < Duration::from_secs(1));
            waited += pause;
        }
    }

    #[test]
    fn a_very_long_outage_does_not_overflow() {
        assert_eq!(delay(u32::MAX, Duration::MAX), Duration::from_secs(5));
    }
}
