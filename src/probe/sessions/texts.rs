//! The texts of queries as the last look brought them, so that the server need not escape and send again what did not change.
//!
//! A text belongs to one start of one statement of one session: it is taken for no other, whatever the clocks do. What is
//! not known is never guessed: it is asked for.

use std::collections::BTreeMap;

use tokio::time::{Duration, Instant};

use crate::model::ServerText;
use crate::model::session::Session;

/// Seconds that are longer than any session lives: every text is wanted.
pub const ALL: i64 = 1_000_000_000;

/// A look reads the clock before or after it reads the sessions, and its statement waits its turn.
const MARGIN: Duration = Duration::from_secs(2);

/// What was seen, and when.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Texts {
    seen: BTreeMap<i32, Seen>,
    looked: Option<Instant>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    backend_start: Option<String>,
    query_start: Option<String>,
    query: ServerText,
}

impl Texts {
    /// Whose state has not changed for so many seconds, its text was there at the last look. A power of two, so that the
    /// statement is the same from look to look, and its plan is kept.
    pub fn known_s(&self, now: Instant) -> i64 {
        let Some(looked) = self.looked else { return ALL };
        let seconds = (now.saturating_duration_since(looked) + MARGIN).as_secs() + 1;
        i64::try_from(seconds.next_power_of_two()).unwrap_or(ALL).min(ALL)
    }

    /// The text of that statement of that session; none where it was not seen.
    pub fn of(&self, pid: i32, backend_start: Option<&str>, query_start: Option<&str>) -> Option<&ServerText> {
        let known = self.seen.get(&pid)?;
        let same = query_start.is_some()
            && (known.backend_start.as_deref(), known.query_start.as_deref()) == (backend_start, query_start);
        same.then_some(&known.query)
    }

    /// Remembers what a look brought that began then.
    pub fn saw(&mut self, sessions: &[Session], began: Instant) {
        self.looked = Some(began);
        self.seen = sessions.iter().map(|session| (session.pid, Seen::of(session))).collect();
    }
}

impl Seen {
    fn of(session: &Session) -> Self {
        Self {
            backend_start: session.backend_start.clone(),
            query_start: session.query_start.clone(),
            query: session.query.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stood_still_since_before_the_last_look_is_known_and_the_figure_stays_the_same() {
        let began = Instant::now();
        let mut texts = Texts::default();
        assert_eq!(texts.known_s(began), ALL);
        texts.saw(&[], began);
        let after = |ms| texts.known_s(began + Duration::from_millis(ms));
        assert_eq!([after(1000), after(2003), after(2900), after(5100)], [4, 8, 8, 8]);
        for ms in (0..100_000).step_by(97) {
            assert!(u128::from(ms + 2000) < 1000 * u128::try_from(after(ms)).unwrap(), "{ms}: {}", after(ms));
        }
    }
}
