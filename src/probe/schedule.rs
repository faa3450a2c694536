//! What is due: the questions that are wanted, when each was last answered, and how patient to be with it.
//!
//! Pure: the time is given, nothing is asked and nothing waits here.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::model::question::rest;
use crate::model::{Cadence, Question, Wanted};

/// A question that timed out is asked half as often, then half of that, down to this: a server that struggles is not helped
/// by more of the same.
const SLOWEST: Duration = Duration::from_secs(60);

/// The same for what is wanted every two seconds or so: cheap questions, whose next answer is how a server that hung is
/// seen to be back.
const SLOWEST_CHEAP: Duration = Duration::from_secs(5);

/// Below which cadence a question counts as cheap.
const CHEAP: Duration = Duration::from_secs(4);

/// Answers that are remembered for questions that nobody wants now, so that coming back to a tab does not ask again at once.
const REMEMBERED: usize = 64;

/// From when to when a question was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// When it was asked.
    pub from: Instant,
    /// When the answer was there.
    pub to: Instant,
}

#[derive(Debug, Clone, Copy)]
struct Asked {
    at: Option<Instant>,
    took: Duration,
    /// How long it rests at least.
    rest: Duration,
    once: Option<u64>,
    patience: u32,
}

/// When a question is due; the earlier, the smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Now,
    At(Instant),
    Never,
}

/// How a question went, as far as its next turn depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Answered, or refused at once.
    Done,
    /// No answer in time: ask less often.
    TimedOut,
}

/// The wanted questions of one lane.
#[derive(Debug, Default)]
pub struct Schedule {
    wanted: Vec<Wanted>,
    asked: HashMap<Question, Asked>,
}

impl Schedule {
    /// Takes what is wanted from now on, in order of importance.
    pub fn want(&mut self, wanted: Vec<Wanted>) {
        self.wanted = wanted;
        if self.asked.len() > REMEMBERED {
            let wanted = &self.wanted;
            self.asked.retain(|question, _| wanted.iter().any(|w| w.question == *question));
        }
    }

    /// The questions that are wanted.
    pub fn questions(&self) -> impl Iterator<Item = &Question> {
        self.wanted.iter().map(|w| &w.question)
    }

    /// The question to ask next and when: the one that has been due for longest; of those never asked, the most important.
    #[must_use]
    pub fn next(&self, now: Instant) -> Option<(Question, Instant)> {
        let mut best: Option<(Due, &Wanted)> = None;
        for wanted in &self.wanted {
            let due = self.due(wanted);
            if due != Due::Never && best.as_ref().is_none_or(|(earliest, _)| due < *earliest) {
                best = Some((due, wanted));
            }
        }
        let (due, wanted) = best?;
        let at = if let Due::At(at) = due { at } else { now };
        Some((wanted.question.clone(), at))
    }

    fn due(&self, wanted: &Wanted) -> Due {
        let asked = self.asked.get(&wanted.question);
        match wanted.cadence {
            Cadence::Once(number) => match asked {
                Some(asked) if asked.once == Some(number) => Due::Never,
                Some(_) | None => Due::Now,
            },
            Cadence::Every(pause) => match asked {
                Some(Asked { at: Some(at), patience, rest, .. }) => {
                    let rested = pause.max(*rest);
                    let patient = pause.saturating_mul(1 << patience.min(&8));
                    let slowest = if pause < CHEAP { SLOWEST_CHEAP } else { SLOWEST };
                    let pause = rested.max(patient.min(slowest.max(pause)));
                    Due::At(*at + pause)
                }
                Some(Asked { at: None, .. }) | None => Due::Now,
            },
        }
    }

    /// Notes that `question` had its turn.
    pub fn took_turn(&mut self, question: &Question, turn: Turn, span: Span) {
        // The same question may be wanted regularly, too: one answer is for both.
        let numbers = self.wanted.iter().filter(|w| w.question == *question).filter_map(|w| match w.cadence {
            Cadence::Once(number) => Some(number),
            Cadence::Every(_) => None,
        });
        let once = numbers.max();
        let before = self.asked.get(question);
        let patience = match turn {
            Turn::Done => 0,
            Turn::TimedOut => before.map_or(0, |asked| asked.patience).saturating_add(1),
        };
        let once = once.or_else(|| before.and_then(|asked| asked.once));
        let took = span.to - span.from;
        // For one that was cut off there is patience.
        let rest = match turn {
            Turn::Done => rest(before.map_or(Duration::ZERO, |asked| asked.took), took),
            Turn::TimedOut => Duration::ZERO,
        };
        self.asked.insert(question.clone(), Asked { at: Some(span.to), took, rest, once, patience });
    }

    /// Makes everything that is wanted regularly due at once: after a new connection.
    pub fn start_over(&mut self) {
        for asked in self.asked.values_mut() {
            asked.at = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn every(question: Question, seconds: u32) -> Wanted {
        Wanted { question, cadence: Cadence::Every(SECOND * seconds) }
    }

    fn schedule(wanted: Vec<Wanted>) -> Schedule {
        let mut schedule = Schedule::default();
        schedule.want(wanted);
        schedule
    }

    #[test]
    fn what_was_never_asked_comes_first_and_in_order_of_importance() {
        let now = Instant::now();
        let mut s = schedule(vec![every(Question::Sessions, 2), every(Question::Replication, 5)]);
        assert_eq!(s.next(now), Some((Question::Sessions, now)));
        s.took_turn(&Question::Sessions, Turn::Done, Span { from: now, to: now });
        assert_eq!(s.next(now), Some((Question::Replication, now)));
        s.took_turn(&Question::Replication, Turn::Done, Span { from: now, to: now });
        assert_eq!(s.next(now), Some((Question::Sessions, now + SECOND * 2)));
    }

    #[test]
    fn a_question_that_is_always_due_starves_nobody() {
        let now = Instant::now();
        let mut s = schedule(vec![every(Question::Sessions, 0), every(Question::Replication, 5)]);
        s.took_turn(&Question::Replication, Turn::Done, Span { from: now, to: now });
        s.took_turn(&Question::Sessions, Turn::Done, Span { from: now + SECOND * 9, to: now + SECOND * 9 });
        assert_eq!(s.next(now + SECOND * 9).map(|n| n.0), Some(Question::Replication));
    }

    #[test]
    fn once_is_once_for_each_number() {
        let now = Instant::now();
        let mut s = schedule(vec![Wanted { question: Question::CacheTable, cadence: Cadence::Once(1) }]);
        assert_eq!(s.next(now), Some((Question::CacheTable, now)));
        s.took_turn(&Question::CacheTable, Turn::Done, Span { from: now, to: now });
        assert_eq!(s.next(now), None);
        s.want(vec![Wanted { question: Question::CacheTable, cadence: Cadence::Once(2) }]);
        assert_eq!(s.next(now), Some((Question::CacheTable, now)));
    }

    #[test]
    fn what_is_wanted_once_and_regularly_is_asked_once_for_both() {
        let now = Instant::now();
        let once = Wanted { question: Question::CacheTable, cadence: Cadence::Once(1) };
        for wanted in [vec![every(Question::CacheTable, 5), once.clone()], vec![once, every(Question::CacheTable, 5)]] {
            let mut s = schedule(wanted);
            assert_eq!(s.next(now), Some((Question::CacheTable, now)));
            s.took_turn(&Question::CacheTable, Turn::Done, Span { from: now, to: now });
            assert_eq!(s.next(now), Some((Question::CacheTable, now + SECOND * 5)), "and not again at once");
        }
    }

    #[test]
    fn a_question_that_times_out_is_asked_half_as_often_until_it_succeeds() {
        let now = Instant::now();
        let tables = Question::CacheTable;
        let mut s = schedule(vec![every(tables.clone(), 5)]);
        let due = |s: &Schedule| s.next(now).map(|n| n.1 - now);
        for seconds in [10, 20, 40, 60, 60] {
            s.took_turn(&tables, Turn::TimedOut, Span { from: now, to: now });
            assert_eq!(due(&s), Some(SECOND * seconds));
        }
        s.took_turn(&tables, Turn::Done, Span { from: now, to: now });
        assert_eq!(due(&s), Some(SECOND * 5));
    }

    #[test]
    fn a_server_that_hung_is_seen_to_be_back_within_seconds() {
        let now = Instant::now();
        let mut s = schedule(vec![every(Question::Sessions, 2)]);
        for seconds in [4, 5, 5] {
            s.took_turn(&Question::Sessions, Turn::TimedOut, Span { from: now, to: now });
            assert_eq!(s.next(now), Some((Question::Sessions, now + SECOND * seconds)));
        }
    }

    #[test]
    fn a_question_wanted_again_is_due_when_its_last_answer_is_older_than_its_cadence() {
        let now = Instant::now();
        let mut s = schedule(vec![every(Question::Sessions, 2)]);
        s.took_turn(&Question::Sessions, Turn::Done, Span { from: now, to: now });
        s.want(Vec::new());
        assert_eq!(s.next(now), None);
        s.want(vec![every(Question::Sessions, 2)]);
        assert_eq!(s.next(now + SECOND * 9), Some((Question::Sessions, now + SECOND * 2)));
    }

    #[test]
    fn a_new_connection_makes_everything_due_but_does_not_repeat_what_was_asked_once() {
        let now = Instant::now();
        let once = Wanted { question: Question::CacheTable, cadence: Cadence::Once(1) };
        let mut s = schedule(vec![every(Question::Sessions, 2), once]);
        s.took_turn(&Question::Sessions, Turn::Done, Span { from: now, to: now });
        s.took_turn(&Question::CacheTable, Turn::Done, Span { from: now, to: now });
        s.start_over();
        assert_eq!(s.next(now), Some((Question::Sessions, now)));
        s.took_turn(&Question::Sessions, Turn::Done, Span { from: now, to: now });
        assert_eq!(s.next(now), Some((Question::Sessions, now + SECOND * 2)));
    }

    #[test]
    fn a_question_rests_nine_times_as_long_as_its_answer_took() {
        let now = Instant::now();
        let mut s = schedule(vec![every(Question::Sessions, 2)]);
        let slow = Span { from: now, to: now + SECOND };
        s.took_turn(&Question::Sessions, Turn::Done, slow);
        assert_eq!(s.next(now), Some((Question::Sessions, now + SECOND * 6)), "one may be a moment's stall");
        s.took_turn(&Question::Sessions, Turn::Done, slow);
        assert_eq!(
            s.next(now),
            Some((Question::Sessions, now + SECOND * 10)),
            "a tenth of a backend's time at the most"
        );
        s.took_turn(&Question::Sessions, Turn::TimedOut, Span { from: now, to: now + SECOND * 2 });
        s.took_turn(&Question::Sessions, Turn::Done, slow);
        assert_eq!(s.next(now), Some((Question::Sessions, now + SECOND * 10)), "one that was cut off was slow, too");
        s.took_turn(&Question::Sessions, Turn::Done, Span { from: now, to: now + SECOND / 100 });
        assert_eq!(s.next(now), Some((Question::Sessions, now + SECOND / 100 + SECOND * 2)));
    }
}
