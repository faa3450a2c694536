//! Rules evaluated through Prometheus: each expression now, and the past that was missed where it matters.
//!
//! It decides no state: it says for which series a condition holds at which time. The rules of a group are asked one
//! after the other, as Prometheus itself does; a server that is away or hangs is not asked the rest of them.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::http::Answer;
use super::range::{Axis, Matrix, Point};
use super::{Prometheus, Tried, refused_expression};
use crate::model::alert::{AlertRule, GroupAnswer, Look, Number, RuleAnswer, RuleGroup, Seen, Series, Source, judge};
use crate::model::{ProbeError, Timestamp};

/// So far back is looked at least, where a condition holds at the first look: since when is what a reader asks next.
const LEAST_PAST: Duration = Duration::from_secs(3600);

/// Farther back nobody is helped by, and every server is asked too much.
const MOST_PAST: Duration = Duration::from_secs(24 * 3600);

/// Points of one question about the past. Prometheus itself refuses more than 11 000.
const MOST_POINTS: i64 = 720;

/// Any series is there while Prometheus scrapes: where this is missing, it was not running, and nothing was known.
const PULSE: &str = "count(up)";

/// An instant query's data: a vector, or the scalar that a rule may come to.
#[derive(Debug, Deserialize)]
struct Instant {
    result: Found,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Found {
    Vector(Vec<Point>),
    Scalar((f64, String)),
}

/// When one rule was last evaluated, and by which source.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Before {
    pub at: Option<Timestamp>,
    pub source: Option<usize>,
}

/// What is known when a group is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Evaluating<'a> {
    /// The time to evaluate at; none is the server's now.
    pub at: Option<Timestamp>,
    /// That time by our clock.
    pub now: Timestamp,
    /// For each rule.
    pub before: &'a [Before],
    /// True where the past is wanted.
    pub fill: bool,
}

/// What a source came to.
enum Came {
    Answered(Look),
    NotANumber,
    Nothing,
    Refused(String, ProbeError),
}

impl Prometheus {
    /// Evaluates a group at a time, without its past; none is the server's now.
    ///
    /// # Errors
    /// The server cannot be asked. A rule that it refuses is an error of that rule alone.
    pub async fn evaluate(&self, group: &RuleGroup, at: Option<Timestamp>) -> Result<GroupAnswer, ProbeError> {
        let now = at.unwrap_or_else(Timestamp::now);
        self.evaluate_group(group, Evaluating { at, now, before: &[], fill: false }).await
    }

    pub(super) async fn evaluate_group(
        &self,
        group: &RuleGroup,
        asking: Evaluating<'_>,
    ) -> Result<GroupAnswer, ProbeError> {
        let mut rules = Vec::with_capacity(group.rules.len());
        let mut slow = 0;
        for (index, rule) in group.rules.iter().enumerate() {
            let before = asking.before.get(index).copied().unwrap_or_default();
            let answer = self.rule(group, rule, before, asking).await;
            match &answer {
                Err(ProbeError::TimedOut(_)) => slow += 1,
                // Not the rule's fault: the others would fare no better.
                Err(away @ (ProbeError::Unreachable(_) | ProbeError::Unauthorized(_))) => return Err(away.clone()),
                Ok(_) | Err(_) => {}
            }
            // Two that take too long are a server in trouble: it is not asked for the rest.
            if slow > 1 {
                return answer.map(|_| GroupAnswer { rules });
            }
            rules.push(answer);
        }
        Ok(GroupAnswer { rules })
    }

    async fn rule(
        &self,
        group: &RuleGroup,
        rule: &AlertRule,
        before: Before,
        asking: Evaluating<'_>,
    ) -> Result<RuleAnswer, ProbeError> {
        let nothing = |seen| Look { at: asking.now, holding: Vec::new(), seen };
        let mut answer = RuleAnswer {
            source: None,
            past: Vec::new(),
            known_from: None,
            now: nothing(Seen::NoData),
            refused: Vec::new(),
        };
        let mut refusal = None;
        // The one that answered last goes first: the others had nothing then.
        let order = before.source.into_iter().chain((0..rule.sources.len()).filter(|i| Some(*i) != before.source));
        for index in order {
            let Some(source) = rule.sources.get(index) else { continue };
            match self.source(source, asking).await? {
                Came::Answered(look) => {
                    answer.source = Some(index);
                    answer.now = look;
                    self.fill(group, rule, (source, before), asking, &mut answer).await;
                    return Ok(answer);
                }
                Came::NotANumber => {
                    answer.now = nothing(Seen::NotANumber);
                    answer.source.get_or_insert(index);
                }
                Came::Nothing => {}
                Came::Refused(words, error) => {
                    let name = if source.name.is_empty() { String::new() } else { format!("{}: ", source.name) };
                    answer.refused.push(format!("{name}{words}"));
                    refusal.get_or_insert(error);
                }
            }
        }
        match refusal {
            // Nobody can say that there is no data where a source could not be asked.
            Some(refusal) if answer.now.seen == Seen::NoData => Err(refusal),
            Some(_) | None => Ok(answer),
        }
    }

    async fn source(&self, source: &Source, asking: Evaluating<'_>) -> Result<Came, ProbeError> {
        let data: Answer<Instant> = match self.api.instant_at(source.asked(), asking.at).await {
            Ok(data) => data,
            Err(error) => {
                let words = match refused_expression(error.clone())? {
                    Tried::Refused { words, .. } => words,
                    Tried::Values { .. } | Tried::NotANumber { .. } | Tried::Nothing | Tried::Skipped(_) => {
                        String::new()
                    }
                };
                return Ok(Came::Refused(words, error));
            }
        };
        let series = series(data.data.result);
        let (holding, seen) = judge(source.watched.as_ref(), series);
        Ok(match seen {
            Seen::NoData => Came::Nothing,
            Seen::NotANumber => Came::NotANumber,
            // An expression that is no comparison with a number says nothing while it is quiet: it has answered.
            Seen::Value { .. } | Seen::Condition(_) => Came::Answered(Look { at: asking.now, holding, seen }),
        })
    }

    /// Fills in the evaluations that were missed: at the start as many as `for` may need, later those of a gap. Only
    /// where they can change anything: a condition that does not hold now has no clock to set.
    async fn fill(
        &self,
        group: &RuleGroup,
        rule: &AlertRule,
        (source, before): (&Source, Before),
        asking: Evaluating<'_>,
        answer: &mut RuleAnswer,
    ) {
        let matters = !answer.now.holding.is_empty() || !rule.keep.is_zero();
        if !asking.fill || !matters {
            return;
        }
        let Some(axis) = past(group.interval, rule, before.at, asking.now) else { return };
        let Ok(data) = self.api.range(source.asked(), axis).await else { return };
        let alive = match self.api.range(PULSE, axis).await {
            // A server without `up` says nothing of when it ran.
            Ok(pulse) => pulse.data.result.first().map(|row| row.values.iter().map(|(t, _)| whole(*t)).collect()),
            Err(_) => return,
        };
        answer.past = looks(&data.data, source, axis, alive.as_ref());
        answer.known_from = answer.past.first().map(|look| look.at);
    }
}

/// The times at which the past is asked; none where nothing was missed.
fn past(interval: Duration, rule: &AlertRule, last: Option<Timestamp>, now: Timestamp) -> Option<Axis> {
    let seconds = |d: Duration| i64::try_from(d.as_secs()).unwrap_or(i64::MAX);
    let every = seconds(interval).max(1);
    let end = now.as_second() - 1;
    let start = match last {
        // Half an interval late is a slow answer, not a gap.
        Some(last) if now.duration_since(last).as_secs_f64() <= 2.5 * interval.as_secs_f64().max(1.0) => return None,
        Some(last) => last.as_second() + every,
        None => end.saturating_sub(seconds((rule.hold + rule.keep + 2 * interval).max(LEAST_PAST))),
    };
    let start = start.max(end - seconds(MOST_PAST));
    if start > end {
        return None;
    }
    let step = every.max((end - start) / MOST_POINTS + 1);
    // The last point is the one before now.
    Some(Axis { start: end - (end - start) / step * step, end, step })
}

/// The evaluations of a range, oldest first; those at which the server was not running are left out.
fn looks(matrix: &Matrix, source: &Source, axis: Axis, alive: Option<&Vec<i64>>) -> Vec<Look> {
    let mut at: BTreeMap<i64, Vec<Series>> = BTreeMap::new();
    for row in &matrix.result {
        for (time, value) in &row.values {
            let time = whole(*time);
            if let Some(value) = Number::read(value) {
                at.entry(time).or_default().push(Series { labels: row.metric.clone(), value });
            }
        }
    }
    let mut looks = Vec::new();
    let mut time = axis.start;
    while time <= axis.end {
        if alive.is_none_or(|alive| alive.contains(&time))
            && let Ok(stamp) = Timestamp::from_second(time)
        {
            let (holding, seen) = judge(source.watched.as_ref(), at.remove(&time).unwrap_or_default());
            looks.push(Look { at: stamp, holding, seen });
        }
        time += axis.step;
    }
    looks
}

/// A point's time: whole seconds were asked for.
#[expect(clippy::cast_possible_truncation, reason = "whole seconds fit")]
fn whole(time: f64) -> i64 {
    time.round() as i64
}

fn series(found: Found) -> Vec<Series> {
    match found {
        Found::Vector(points) => points
            .into_iter()
            .filter_map(|p| Some(Series { value: Number::read(&p.value?.1)?, labels: p.metric }))
            .collect(),
        Found::Scalar((_, value)) => {
            Number::read(&value).map(|value| Series { labels: BTreeMap::new(), value }).into_iter().collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(hold_s: u64) -> AlertRule {
        AlertRule {
            name: "A".into(),
            line: 1,
            sources: vec![Source { name: String::new(), expr: "x".into(), watched: None, note: None }],
            hold: Duration::from_secs(hold_s),
            keep: Duration::ZERO,
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            doubt: None,
        }
    }

    fn at(s: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + s).unwrap()
    }

    #[test]
    fn at_the_start_the_past_reaches_as_far_as_for_needs() {
        let every = Duration::from_secs(15);
        let axis = past(every, &rule(7200), None, at(0)).unwrap();
        assert_eq!((axis.end, axis.step), (1_000_000 - 1, 15));
        assert!(axis.start <= axis.end - 7200 - 15, "{axis:?}");
        assert_eq!((axis.end - axis.start) % axis.step, 0);
        let far = past(every, &rule(30 * 86_400), None, at(0)).unwrap();
        assert!((far.end - far.start) / far.step <= MOST_POINTS, "{far:?}");
    }

    #[test]
    fn later_only_a_gap_is_filled_in_and_from_its_beginning() {
        let every = Duration::from_secs(15);
        assert_eq!(past(every, &rule(60), Some(at(0)), at(15)), None);
        assert_eq!(past(every, &rule(60), Some(at(0)), at(37)), None);
        let axis = past(every, &rule(60), Some(at(0)), at(120)).unwrap();
        assert!(axis.start >= 1_000_015 && axis.end == 1_000_119, "{axis:?}");
    }

    #[test]
    fn what_the_server_slept_through_is_no_evaluation() {
        let json = r#"{"result":[{"metric":{"a":"b"},"values":[[10,"1"],[30,"2"]]}]}"#;
        let matrix: Matrix = serde_json::from_str(json).unwrap();
        let axis = Axis { start: 10, end: 40, step: 10 };
        let source = rule(0).sources.remove(0);
        let held = |looks: Vec<Look>| -> Vec<(i64, usize)> {
            looks.iter().map(|l| (l.at.as_second(), l.holding.len())).collect()
        };
        assert_eq!(held(looks(&matrix, &source, axis, None)), [(10, 1), (20, 0), (30, 1), (40, 0)]);
        assert_eq!(held(looks(&matrix, &source, axis, Some(&vec![10, 30, 40]))), [(10, 1), (30, 1), (40, 0)]);
    }
}
