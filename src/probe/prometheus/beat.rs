//! When which question is asked: cadence, pauses after failures, one scout while the server is away.
//!
//! Pure: time comes in as a value, and nothing is asked here.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::model::{Cadence, Demand, ProbeError, Question};

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A question that nobody has wanted for this long is forgotten; until then a return to its tab does not ask early.
const FORGET: Duration = Duration::from_secs(600);

/// What an answer says of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Health {
    /// Nothing: it was not asked.
    Unknown,
    /// It answered.
    Well,
    /// It answered, and not to this question.
    Refused,
    /// No answer in time: the question may be too heavy, or the server hangs.
    Slow,
    /// It cannot be asked anything.
    Away,
}

impl Health {
    pub(super) fn of(error: Option<&ProbeError>) -> Self {
        match error {
            None => Self::Well,
            Some(ProbeError::Absent(_)) => Self::Unknown,
            Some(ProbeError::TimedOut(_)) => Self::Slow,
            Some(ProbeError::Refused { code, .. }) if code == "400" || code == "422" => Self::Refused,
            Some(
                ProbeError::Unreachable(_)
                | ProbeError::Unauthorized(_)
                | ProbeError::Refused { .. }
                | ProbeError::Shape(_)
                | ProbeError::Faulty(_)
                | ProbeError::Locked(_)
                | ProbeError::Denied { .. },
            ) => Self::Away,
        }
    }
}

/// What is known of one question's turn.
#[derive(Debug, Default)]
struct Turn {
    /// Place in the demand; none while it is not wanted.
    rank: Option<usize>,
    cadence: Option<Cadence>,
    asking: bool,
    answered: Option<Instant>,
    /// The last number of a question that is asked once.
    once: Option<u64>,
    failures: u32,
    health: Option<Health>,
}

/// The schedule of one server.
#[derive(Debug, Default)]
pub(super) struct Beat {
    turns: HashMap<Question, Turn>,
    away: Option<Away>,
    reconnect: u64,
}

/// The server failed and has not answered since.
#[derive(Debug, Clone, Copy)]
struct Away {
    failures: u32,
    retry_at: Instant,
    /// One question that was slow says nothing yet of the others; two with no answer between them do.
    certain: bool,
}

impl Beat {
    /// Takes in what is wanted now.
    pub(super) fn want<'a>(
        &mut self,
        wanted: impl Iterator<Item = (&'a Question, Cadence)>,
        reconnect: u64,
        now: Instant,
    ) {
        for turn in self.turns.values_mut() {
            turn.rank = None;
        }
        for (rank, (question, cadence)) in wanted.enumerate() {
            let turn = self.turns.entry(question.clone()).or_default();
            turn.rank = Some(rank);
            turn.cadence = Some(cadence);
        }
        self.turns.retain(|_, turn| {
            let recent = turn.answered.is_some_and(|at| now.duration_since(at) < FORGET);
            turn.rank.is_some() || turn.asking || recent || turn.once.is_some()
        });
        if reconnect > self.reconnect {
            self.away = None;
            for turn in self.turns.values_mut().filter(|turn| turn.failures > 0) {
                turn.failures = 0;
                turn.answered = None;
            }
        }
        self.reconnect = reconnect;
    }

    /// The question to ask now, which counts as being asked from here on.
    pub(super) fn next(&mut self, now: Instant) -> Option<Question> {
        if let Some(away) = self.away {
            // One question finds out whether the server is back; the others wait for it.
            if now < away.retry_at || self.turns.values().any(|turn| turn.asking) {
                return None;
            }
        }
        let scouting = self.away.is_some();
        let (question, turn) = self
            .turns
            .iter_mut()
            .filter(|(_, turn)| turn.due(scouting).is_some_and(|due| due.is_none_or(|due| due <= now)))
            .min_by_key(|(_, turn)| (turn.answered, turn.rank))?;
        turn.asking = true;
        if let Some(Cadence::Once(number)) = turn.cadence {
            turn.once = Some(number);
        }
        Some(question.clone())
    }

    /// Takes in how a question ended.
    pub(super) fn answered(&mut self, question: &Question, health: Health, now: Instant) {
        if let Some(turn) = self.turns.get_mut(question) {
            turn.asking = false;
            turn.answered = Some(now);
            turn.health = Some(health);
            let well = matches!(health, Health::Well | Health::Unknown);
            turn.failures = if well { 0 } else { turn.failures.saturating_add(1) };
        }
        match health {
            Health::Unknown => {}
            Health::Well | Health::Refused => {
                if self.away.take().is_some() {
                    // What failed because the server was away is due at once. What was slow keeps its own pause: it may
                    // be the one question that is too heavy.
                    let was_away = |turn: &&mut Turn| turn.health == Some(Health::Away);
                    for turn in self.turns.values_mut().filter(was_away) {
                        turn.failures = 0;
                        turn.answered = None;
                        turn.health = None;
                    }
                }
            }
            Health::Slow | Health::Away => {
                let failures = match self.away {
                    // Those that were asked together fail together: that is one failure.
                    Some(away) if now < away.retry_at => return,
                    Some(away) => away.failures.saturating_add(1),
                    None => 1,
                };
                let certain = health == Health::Away || failures > 1;
                self.away = Some(Away { failures, retry_at: now + pause(failures), certain });
            }
        }
    }

    /// The wanted questions that nobody asks now because the server is away, each told once: every panel must say so in
    /// its own place.
    pub(super) fn silenced(&mut self) -> Vec<Question> {
        if !self.away.is_some_and(|away| away.certain) {
            return Vec::new();
        }
        let mut silenced = Vec::new();
        for (question, turn) in &mut self.turns {
            let repeats = matches!(turn.cadence, Some(Cadence::Every(_)));
            if turn.rank.is_some() && !turn.asking && repeats && turn.health != Some(Health::Away) {
                turn.health = Some(Health::Away);
                silenced.push(question.clone());
            }
        }
        silenced
    }

    /// The server is away for another reason than before: all are to be told again.
    pub(super) fn tell_again(&mut self) {
        for turn in self.turns.values_mut() {
            turn.health = None;
        }
    }

    /// When [`Beat::next`] should be tried again, if nothing else happens.
    pub(super) fn wakes_at(&self, now: Instant) -> Option<Instant> {
        if let Some(away) = self.away {
            let idle = !self.turns.values().any(|turn| turn.asking);
            return idle.then_some(away.retry_at.max(now));
        }
        self.turns.values().filter_map(|turn| turn.due(false)).map(|due| due.unwrap_or(now)).min()
    }
}

impl Turn {
    /// Outer none: not wanted, or on its way. Inner none: due since ever.
    #[expect(clippy::option_option, reason = "never due, always due and due at a time are three things")]
    fn due(&self, scouting: bool) -> Option<Option<Instant>> {
        if self.rank.is_none() || self.asking {
            return None;
        }
        match self.cadence? {
            Cadence::Once(number) => (self.once != Some(number)).then_some(None),
            Cadence::Every(every) => {
                let wait = if self.failures == 0 || scouting { every } else { every.max(pause(self.failures)) };
                Some(if scouting { None } else { self.answered.map(|at| at + wait) })
            }
        }
    }
}

/// Doubling from one second.
fn pause(failures: u32) -> Duration {
    let doubled = 1u64.checked_shl(failures.saturating_sub(1)).unwrap_or(u64::MAX);
    Duration::from_secs(doubled.max(1)).min(LONGEST_PAUSE)
}

/// What of a demand is Prometheus' to answer, the targets always among it: the interval of a rate's window comes from
/// them, so they are first, and asked anew now and then even if nobody looks at them.
pub(super) fn ours(demand: &Demand) -> impl Iterator<Item = (&Question, Cadence)> {
    const SELDOM: Cadence = Cadence::Every(Duration::from_secs(300));
    let targets = demand.wanted.iter().find(|w| w.question == Question::Targets).map_or(SELDOM, |w| w.cadence);
    let others = demand.wanted.iter().filter(|w| w.question.is_prometheus() && w.question != Question::Targets);
    std::iter::once((&Question::Targets, targets)).chain(others.map(|w| (&w.question, w.cadence)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: Cadence = Cadence::Every(Duration::from_secs(5));

    fn panel(id: &str) -> Question {
        Question::Panel { id: id.into(), span_s: 900, step_s: 10 }
    }

    fn wants(beat: &mut Beat, ids: &[&str], now: Instant) {
        let questions: Vec<Question> = ids.iter().map(|id| panel(id)).collect();
        let reconnect = beat.reconnect;
        beat.want(questions.iter().map(|q| (q, EVERY)), reconnect, now);
    }

    fn after(start: Instant, s: f64) -> Instant {
        start + Duration::from_secs_f64(s)
    }

    #[test]
    fn the_pause_counts_from_the_answer() {
        let (mut beat, t) = (Beat::default(), Instant::now());
        wants(&mut beat, &["a"], t);
        assert_eq!(beat.next(t), Some(panel("a")));
        assert_eq!(beat.next(after(t, 100.0)), None, "never twice at once");
        beat.answered(&panel("a"), Health::Well, after(t, 3.0));
        assert_eq!(beat.next(after(t, 7.9)), None);
        assert_eq!(beat.wakes_at(after(t, 7.9)), Some(after(t, 8.0)));
        assert_eq!(beat.next(after(t, 8.0)), Some(panel("a")));
    }

    #[test]
    fn a_question_asked_once_is_asked_again_for_a_new_number_only() {
        let (mut beat, t) = (Beat::default(), Instant::now());
        let question = panel("a");
        let once = |beat: &mut Beat, number| beat.want([(&question, Cadence::Once(number))].into_iter(), 0, t);
        once(&mut beat, 1);
        assert!(beat.next(t).is_some());
        beat.answered(&question, Health::Away, t);
        beat.away = None;
        assert_eq!(beat.next(after(t, 1000.0)), None);
        beat.want(std::iter::empty(), 0, after(t, 2000.0));
        once(&mut beat, 1);
        assert_eq!(beat.next(t), None, "leaving and coming back is no new number");
        once(&mut beat, 2);
        assert!(beat.next(t).is_some());
    }

    #[test]
    fn the_longest_waiting_question_comes_first_and_importance_breaks_ties() {
        let (mut beat, t) = (Beat::default(), Instant::now());
        wants(&mut beat, &["a", "b"], t);
        assert_eq!(beat.next(t), Some(panel("a")));
        assert_eq!(beat.next(t), Some(panel("b")));
        beat.answered(&panel("b"), Health::Well, after(t, 1.0));
        beat.answered(&panel("a"), Health::Well, after(t, 2.0));
        assert_eq!(beat.next(after(t, 9.0)), Some(panel("b")));
    }

    #[test]
    fn while_the_server_is_away_one_scout_goes_and_the_pause_doubles_to_a_minute() {
        let (mut beat, mut t) = (Beat::default(), Instant::now());
        wants(&mut beat, &["a", "b", "c"], t);
        assert!((0..3).all(|_| beat.next(t).is_some()));
        for id in ["a", "b", "c"] {
            beat.answered(&panel(id), Health::Away, t);
        }
        for pause_s in [1, 2, 4, 8, 16, 32, 60, 60] {
            let retry = after(t, f64::from(pause_s));
            assert_eq!(beat.wakes_at(t), Some(retry), "{pause_s}");
            assert_eq!(beat.next(retry - Duration::from_millis(1)), None);
            let scout = beat.next(retry).unwrap();
            assert_eq!(beat.next(retry), None, "one scout");
            beat.answered(&scout, Health::Away, retry);
            t = retry;
        }
    }

    #[test]
    fn the_first_answer_frees_all_that_failed() {
        let (mut beat, t) = (Beat::default(), Instant::now());
        wants(&mut beat, &["a", "b", "c"], t);
        while let Some(question) = beat.next(t) {
            beat.answered(&question, Health::Away, t);
        }
        let t = after(t, 1.0);
        let scout = beat.next(t).unwrap();
        beat.answered(&scout, Health::Well, t);
        assert!(beat.next(t).is_some());
    }

    #[test]
    fn a_question_that_never_reached_the_server_does_not_bring_it_back() {
        let (mut beat, t) = (Beat::default(), Instant::now());
        wants(&mut beat, &["a", "nope"], t);
        assert_eq!(beat.next(t), Some(panel("a")));
        beat.answered(&panel("a"), Health::Away, t);
        let t = after(t, 1.0);
        assert_eq!(beat.next(t), Some(panel("nope")));
        beat.answered(&panel("nope"), Health::of(Some(&ProbeError::Absent(String::new()))), t);
        assert!(beat.away.is_some());
        assert_eq!(beat.next(t), Some(panel("a")), "and another goes in its place");
    }

    #[test]
    fn a_server_that_is_away_is_said_in_every_panel_and_a_slow_one_when_it_is_slow_twice() {
        let (mut beat, t) = (Beat::default(), Instant::now());
        wants(&mut beat, &["a", "b", "c"], t);
        assert_eq!(beat.next(t), Some(panel("a")));
        beat.answered(&panel("a"), Health::Slow, t);
        assert!(beat.silenced().is_empty());
        assert_eq!(beat.next(after(t, 1.0)), Some(panel("b")));
        beat.answered(&panel("b"), Health::Slow, after(t, 1.0));
        assert_eq!(beat.silenced().len(), 3);
        assert!(beat.silenced().is_empty(), "told once");
        wants(&mut beat, &["d"], after(t, 1.0));
        assert_eq!(beat.silenced(), [panel("d")], "and a panel that is opened meanwhile is told too");
        beat.tell_again();
        assert_eq!(beat.silenced(), [panel("d")]);
        let t = after(t, 3.0);
        assert_eq!(beat.next(t), Some(panel("d")));
        beat.answered(&panel("d"), Health::Well, t);
        assert!(beat.silenced().is_empty());
    }

    #[test]
    fn one_heavy_question_slows_itself_and_nobody_else() {
        let (mut beat, t) = (Beat::default(), Instant::now());
        wants(&mut beat, &["heavy", "a"], t);
        let mut asked = HashMap::new();
        let mut now = t;
        while now < after(t, 300.0) {
            while let Some(question) = beat.next(now) {
                let heavy = question == panel("heavy");
                *asked.entry(heavy).or_insert(0) += 1;
                beat.answered(&question, if heavy { Health::Slow } else { Health::Well }, now);
            }
            now = beat.wakes_at(now).unwrap().max(now + Duration::from_millis(1));
        }
        assert!(asked[&true] < 15, "{asked:?}");
        assert!(asked[&false] > 50, "{asked:?}");
    }

    #[test]
    fn the_key_that_connects_again_asks_at_once() {
        let (mut beat, t) = (Beat::default(), Instant::now());
        wants(&mut beat, &["a"], t);
        beat.next(t).unwrap();
        beat.answered(&panel("a"), Health::Away, t);
        assert_eq!(beat.next(t), None);
        let question = panel("a");
        beat.want([(&question, EVERY)].into_iter(), 1, t);
        assert_eq!(beat.next(t), Some(panel("a")));
    }

    #[test]
    fn the_targets_are_ours_even_if_nobody_looks_at_them() {
        let demand = Demand::default();
        assert!(ours(&demand).map(|(question, _)| question).eq([&Question::Targets]));
    }
}
