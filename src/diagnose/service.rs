//! The service as Prometheus sees it: latency, errors, cache, pool, memory, and the targets that it cannot read.
//!
//! A panel that is not a number, has no series, or was not asked is no finding here: `sight` says so.

use super::finding::{Finding, Harm, Kind, Severity, Target};
use super::rule::Look;
use super::words::{before, bytes, figure};
use crate::command::Tab;
use crate::model::baseline::beside;
use crate::model::panel::{Candidate, PanelAnswer, PanelSpec, PanelTab, Reading, Series, shown};
use crate::model::unit::short_count;
use crate::model::{Latest, ServerText, Timestamp, seconds_between};

/// A minute in seconds.
const MINUTE_S: f64 = 60.0;

/// An hour in seconds.
const HOUR_S: f64 = 3600.0;

/// Growth is told from a span of at least this, in seconds: a process that starts grows, too.
pub const LEAST_SPAN_S: f64 = 120.0;

/// What is called lately, in seconds: a leak shows after a third of it.
const RECENT_S: f64 = 300.0;

/// Growth of less than this, in bytes, is the breath of an allocator.
const LEAST_GROWTH: f64 = 33_554_432.0;

/// A latency of less than this, in seconds, is felt by nobody.
const FELT_S: f64 = 0.1;

/// Seconds between answers after which a panel's figure is none of now.
const STALE_S: f64 = 60.0;

/// A panel with figures.
pub struct Read<'a> {
    spec: &'a PanelSpec,
    /// What answered.
    pub candidate: Option<&'a Candidate>,
    answer: &'a PanelAnswer,
    /// Its series.
    pub series: &'a [Series],
    /// The worst value now.
    pub value: f64,
    /// When it came.
    pub seen: Timestamp,
}

impl Read<'_> {
    /// The value in its unit.
    pub fn text(&self) -> String {
        shown(self.value, self.spec.unit, self.candidate.and_then(|c| c.clipped_at))
    }

    /// How bad the value is; none where it is within the panel's limits, or the source is none to judge.
    pub(super) fn severity(&self) -> Option<Severity> {
        if self.candidate.is_some_and(|c| c.unjudged) {
            return None;
        }
        let beyond = |limit: Option<f64>| {
            limit.is_some_and(|l| if self.spec.low_is_bad { self.value <= l } else { self.value >= l })
        };
        match () {
            () if beyond(self.spec.critical) => Some(Severity::Critical),
            () if beyond(self.spec.warn) => Some(Severity::Warning),
            () => None,
        }
    }

    /// True where no value of the last seconds is beyond a limit, and some are known.
    pub(super) fn is_well_for(&self, seconds: f64) -> bool {
        let limits = || [self.spec.warn, self.spec.critical].into_iter().flatten();
        let beyond = |v: f64| limits().any(|l| if self.spec.low_is_bad { v <= l } else { v >= l });
        let points = self.series.iter().flat_map(|s| &s.points);
        let mut young = points.filter(|p| self.answer.end - p.0 <= seconds).filter_map(|p| p.1).peekable();
        limits().next().is_some() && young.peek().is_some() && !young.any(beyond)
    }

    fn limit(&self) -> String {
        self.spec.warn.map_or_else(String::new, |l| shown(l, self.spec.unit, None))
    }

    /// Since when all its values are beyond the limit, as far as the asked span goes.
    pub(super) fn since(&self) -> Option<Timestamp> {
        let limit = self.spec.warn.or(self.spec.critical)?;
        let beyond = |v: f64| if self.spec.low_is_bad { v <= limit } else { v >= limit };
        self.series.iter().filter_map(|s| self.run(s, beyond)).min()
    }

    /// Since when all values of a series are so.
    pub(super) fn run(&self, series: &Series, so: impl Fn(f64) -> bool) -> Option<Timestamp> {
        let run = series.points.iter().rev().take_while(|p| p.1.is_some_and(&so));
        self.time(run.last()?.0)
    }

    /// The mean of a series over the last seconds, or the asked span where that is shorter; none where it has ended, or
    /// does not go back so far.
    pub(super) fn mean(&self, series: &Series, seconds: f64) -> Option<f64> {
        self.current(series)?;
        let from = (self.answer.end - seconds).max(self.answer.start + self.answer.step);
        if series.points.first()?.0 > from {
            return None;
        }
        let lately: Vec<f64> = series.points.iter().filter(|p| p.0 >= from).filter_map(|p| p.1).collect();
        (!lately.is_empty()).then(|| lately.iter().sum::<f64>() / figure(lately.len()))
    }

    /// What a series is now; none where it has ended.
    pub(super) fn current(&self, series: &Series) -> Option<f64> {
        self.answer.worst_of(std::slice::from_ref(series), self.spec.low_is_bad)
    }

    /// The moment of a point on its time axis.
    pub(super) fn time(&self, point: f64) -> Option<Timestamp> {
        before(self.seen, Some(self.answer.end - point))
    }

    /// What answered, in words.
    pub fn source(&self) -> String {
        let name = self.candidate.map_or("", |c| c.name.as_str());
        format!("by {}", ServerText::from(name).head(40))
    }

    /// True where the value is far from what the service should keep to, or from what was usual a week ago, whatever the
    /// panel's limits say. A latency that nobody feels is none.
    fn strays(&self, look: &Look<'_>) -> bool {
        if self.candidate.is_some_and(|c| c.unjudged) {
            return false;
        }
        let past = look.world.panels_before.get(&self.spec.id).and_then(Latest::get);
        beside(self.spec, Some(self.answer), past, look.workload).into_iter().any(|b| {
            if self.spec.low_is_bad {
                b.usual - self.value >= look.limits.baseline_points
            } else {
                b.usual > 0.0 && self.value >= FELT_S && self.value >= b.usual * look.limits.baseline_times
            }
        })
    }

    /// How the value stands to what the service should keep to: `, ×82 the baseline (50 ms, simple-crud)`.
    fn against_baseline(&self, look: &Look<'_>) -> String {
        let beside = beside(self.spec, Some(self.answer), None, look.workload);
        beside.into_iter().next().and_then(|b| Some((b.stands?, b.of, b.usual))).map_or_else(String::new, |found| {
            let (stands, of, usual) = found;
            let of = ServerText::from(of.as_str()).head(24);
            // `×82 the baseline`, but `−24 pts from the baseline`.
            let from = if stands.ends_with("pts") { "from the" } else { "the" };
            format!(", {stands} {from} baseline ({}, {of})", shown(usual, self.spec.unit, None))
        })
    }

    /// How it stands to what was usual at this hour a week ago; that nothing is known of it is said.
    fn against_the_past(&self, look: &Look<'_>) -> String {
        let past = look.world.panels_before.get(&self.spec.id).and_then(Latest::get);
        let beside = beside(self.spec, Some(self.answer), past, None);
        beside.into_iter().next().and_then(|b| Some((b.stands?, b.usual))).map_or_else(
            || "no baseline from a week ago · ".to_owned(),
            |(stands, usual)| format!("{stands} since a week ago ({}) · ", shown(usual, self.spec.unit, None)),
        )
    }

    /// Where it stands.
    pub fn target(&self) -> Target {
        let tab = match self.spec.tab {
            PanelTab::Latency => Tab::Latency,
            PanelTab::Cache => Tab::Cache,
        };
        Target::Panel { tab, id: self.spec.id.clone() }
    }
}

/// The panel of that id, where it has a figure of now.
pub fn read<'a>(look: &Look<'a>, id: &str) -> Option<Read<'a>> {
    let spec = look.panels.iter().find(|p| p.id == id)?;
    let (answer, seen) = look.world.panels.get(id)?.value.as_ref()?;
    if seconds_between(*seen, look.now) > STALE_S {
        return None;
    }
    let Reading::Values { candidate, series } = &answer.reading else { return None };
    let value = answer.worst_of(series, spec.low_is_bad)?;
    Some(Read { spec, candidate: spec.candidates.get(*candidate), answer, series, value, seen: *seen })
}

/// The same where it is one to judge: of hosts that may have nothing to do with the server a finding would be a claim.
pub fn judged<'a>(look: &Look<'a>, id: &str) -> Option<Read<'a>> {
    read(look, id).filter(|panel| !panel.candidate.is_some_and(|c| c.unjudged))
}

/// The series of that name.
pub fn named<'a>(panel: &Read<'a>, name: &str) -> Option<&'a Series> {
    panel.series.iter().find(|series| series.name == name)
}

/// Requests a second, where that is known.
fn throughput(look: &Look<'_>) -> Option<f64> {
    read(look, "throughput").map(|r| r.value).filter(|v| *v > 0.0)
}

/// A finding of a panel that is beyond its limits; `hit` is how many requests a second it hits.
fn beyond(kind: Kind, panel: &Read<'_>, hit: f64) -> Option<Finding> {
    let severity = panel.severity()?;
    let since = panel.since();
    let lasts = since.map_or(1.0, |s| seconds_between(s, panel.seen).max(1.0));
    Some(Finding {
        severity,
        since,
        harm: Harm { now: hit * lasts, coming: 0.5 },
        ..Finding::of(kind, "", panel.seen, panel.target())
    })
}

/// p95 beyond its limit.
pub fn latency(look: &Look<'_>) -> Vec<Finding> {
    let Some(panel) = read(look, "p95") else { return Vec::new() };
    // One of twenty is at or above the 95th percentile.
    let hit = throughput(look).unwrap_or(1.0) * 0.05;
    let strays = || panel.strays(look).then(|| Finding::of(Kind::Latency, "", panel.seen, panel.target()));
    let found = beyond(Kind::Latency, &panel, hit).or_else(strays).map(|f| Finding {
        fact: format!("p95 latency {} (limit {}){}", panel.text(), panel.limit(), panel.against_baseline(look)),
        evidence: format!("{}{}{}", panel.against_the_past(look), per_second(look), panel.source()),
        todo: "see what stands beside it: locks, slow statements, the pool; by operation on Latency".to_owned(),
        ..f
    });
    found.into_iter().collect()
}

/// Answers that are errors.
pub fn errors(look: &Look<'_>) -> Vec<Finding> {
    let Some(panel) = read(look, "error-ratio") else { return Vec::new() };
    let hit = throughput(look).unwrap_or(1.0) * panel.value;
    let found = beyond(Kind::Errors, &panel, hit).map(|f| Finding {
        fact: format!("{} of the answers are errors (limit {})", panel.text(), panel.limit()),
        evidence: format!("{}{}{}", panel.against_the_past(look), per_second(look), panel.source()),
        todo: "see which operation on Latency; statement_timeout and lock_timeout show here as errors".to_owned(),
        ..f
    });
    found.into_iter().collect()
}

/// Look-ups of the cache within the last minute, where that is known.
pub(super) fn look_ups(look: &Look<'_>) -> Option<f64> {
    let panel = read(look, "cache-requests")?;
    let series = panel.series.iter().find(|series| series.name == "requests")?;
    let young = series.points.iter().filter(|p| panel.answer.end - p.0 < MINUTE_S).filter_map(|p| p.1);
    let (sum, points) = young.fold((0.0, 0.0), |(sum, points), rate| (sum + rate, points + 1.0));
    (points > 0.0).then(|| sum / points * MINUTE_S)
}

/// A cache that finds little.
pub fn hit_ratio(look: &Look<'_>) -> Vec<Finding> {
    let Some(panel) = read(look, "cache-hit-ratio") else { return Vec::new() };
    if look_ups(look).is_some_and(|many| many < look.limits.cache_lookups) {
        return Vec::new();
    }
    // A miss costs a query; it fails nobody.
    let hit = throughput(look).unwrap_or(1.0) * (1.0 - panel.value).clamp(0.0, 1.0) * 0.1;
    let strays = || panel.strays(look).then(|| Finding::of(Kind::HitRatio, "", panel.seen, panel.target()));
    let found = beyond(Kind::HitRatio, &panel, hit).or_else(strays).map(|f| Finding {
        fact: format!("cache hits {} (limit {}){}", panel.text(), panel.limit(), panel.against_baseline(look)),
        evidence: format!("{}{}{}", panel.against_the_past(look), per_second(look), panel.source()),
        todo: "look at keys, expiry and what is invalidated on Cache; after a deployment compare the keys".to_owned(),
        ..f
    });
    found.into_iter().collect()
}

/// The service's own pool: in use, and requests that wait for it.
pub fn pool(look: &Look<'_>) -> Vec<Finding> {
    let share = read(look, "pool");
    let waiting = read(look, "requests-waiting");
    let worst = [&share, &waiting]
        .into_iter()
        .flatten()
        .filter_map(|panel| panel.severity().map(|severity| (severity, panel)))
        .max_by(|a, b| a.0.cmp(&b.0));
    let Some((severity, panel)) = worst else { return Vec::new() };
    let queue = waiting.as_ref().map_or(0.0, |w| w.value);
    let mut said = Vec::new();
    if let Some(share) = &share {
        // Of those that were opened, that is; how many may be, no server tells.
        let opened = if share.candidate.is_some_and(|c| c.unjudged) { " of the opened" } else { "" };
        said.push(format!("{}{opened} in use", share.text()));
    }
    if queue > 0.0 {
        said.push(format!("{} requests wait for a connection", short_count(queue)));
    }
    let found = beyond(Kind::Pool, panel, queue).map(|f| Finding {
        severity,
        fact: format!("pool: {}", said.join(", ")),
        evidence: panel.source(),
        todo: "what holds its connections stands beside it; a larger pool helps only if the server has room".to_owned(),
        ..f
    });
    found.into_iter().collect()
}

/// How a series grew.
pub struct Grown<'a> {
    series: &'a Series,
    /// Bytes an hour.
    pub an_hour: f64,
    /// Bytes in all.
    pub by: f64,
    /// Within how many seconds.
    pub span_s: f64,
    now: f64,
}

/// The series that grows most; none where none does, or only by what an allocator breathes.
pub fn steepest<'a>(panel: &Read<'a>) -> Option<Grown<'a>> {
    let grown = panel.series.iter().filter_map(|series| {
        let (grown, span_s, now) = growth(series)?;
        Some(Grown { series, an_hour: grown / span_s * HOUR_S, by: grown, span_s, now })
    });
    grown.max_by(|a, b| a.by.total_cmp(&b.by)).filter(|most| most.by >= LEAST_GROWTH)
}

/// Memory that grows from the first to the last third of the span.
pub fn memory(look: &Look<'_>) -> Vec<Finding> {
    let Some(panel) = read(look, "memory") else { return Vec::new() };
    let Some(Grown { series, an_hour, by: grown, span_s, now }) = steepest(&panel) else { return Vec::new() };
    if an_hour < look.limits.memory_growth {
        return Vec::new();
    }
    let name = ServerText::from(series.name.as_str()).head(40);
    let of = if name.is_empty() { "the service".to_owned() } else { name };
    vec![Finding {
        severity: if an_hour >= look.limits.memory_growth * 10.0 { Severity::Warning } else { Severity::Notice },
        fact: format!("memory of {of} grows by {} an hour, now {}", bytes(an_hour), bytes(now)),
        evidence: format!("{} more within {:.0} min, {}", bytes(grown), span_s / 60.0, panel.source()),
        todo: "compare with the last deployment; restart one instance before the kernel picks it".to_owned(),
        since: before(panel.seen, Some(span_s)),
        harm: Harm { now: 0.0, coming: (an_hour / 1.1e11).clamp(0.1, 0.9) },
        ..Finding::of(Kind::Memory, series.name.clone(), panel.seen, panel.target())
    }]
}

/// How much a series grew, within how many seconds, and what it is now: over its whole span, or else lately, so that a
/// leak is not hidden for a third of the span by the calm before it.
fn growth(series: &Series) -> Option<(f64, f64, f64)> {
    let points: Vec<(f64, f64)> = series.points.iter().filter_map(|(t, v)| Some((*t, (*v)?))).collect();
    let end = points.last()?.0;
    let recent = points.iter().position(|p| p.0 >= end - RECENT_S).and_then(|from| points.get(from..));
    grown(&points).filter(|(by, ..)| *by >= LEAST_GROWTH).or_else(|| recent.and_then(grown))
}

/// The same over all of these points. Only where no value of the last third is as low as the highest of the first: a wave
/// is no growth.
fn grown(points: &[(f64, f64)]) -> Option<(f64, f64, f64)> {
    let third = points.len() / 3;
    let (first, last) = (points.first()?, points.last()?);
    let span_s = last.0 - first.0;
    let high = points.iter().take(third).map(|p| p.1).reduce(f64::max)?;
    let low = points.iter().rev().take(third).map(|p| p.1).reduce(f64::min)?;
    (span_s >= LEAST_SPAN_S && low > high).then_some((last.1 - first.1, span_s, last.1))
}

/// Targets that Prometheus cannot read: what is measured there is not seen.
pub fn targets(look: &Look<'_>) -> Vec<Finding> {
    let Some((targets, seen)) = look.world.targets.value.as_ref() else { return Vec::new() };
    let down = targets.iter().filter(|t| !t.up).map(|t| {
        let words = ServerText::new(t.error.clone()).head(120);
        let credentials = words.contains("401") || words.contains("403");
        Finding {
            severity: if credentials { Severity::Notice } else { Severity::Warning },
            fact: format!(
                "Prometheus cannot read {} of job {}",
                ServerText::from(t.instance.as_str()).head(60),
                ServerText::from(t.job.as_str()).head(40)
            ),
            evidence: if words.is_empty() { "no reason was given".to_owned() } else { words },
            todo: if credentials {
                "give Prometheus the credentials of its /metrics: it may run well".to_owned()
            } else {
                "see whether that process runs; its panels are blind until then".to_owned()
            },
            harm: Harm { now: 0.0, coming: 0.4 },
            ..Finding::of(Kind::TargetDown, format!("{} {}", t.job, t.instance), *seen, Target::Tab(Tab::Latency))
        }
    });
    down.collect()
}

fn per_second(look: &Look<'_>) -> String {
    throughput(look).map_or_else(String::new, |rate| format!("{} requests/s · ", short_count(rate)))
}
