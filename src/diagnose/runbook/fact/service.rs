//! Facts of the service, from Prometheus' panels. Not asked, no series, NaN, old and refused are said apart.

use super::super::super::rule::Look;
use super::super::super::service::{Grown, LEAST_SPAN_S, Read, read, steepest};
use super::super::super::sight;
use super::super::super::words::{figure, of_i64};
use super::{Known, Unknown, Value, fresh, fresh_elsewhere, sessions};
use crate::model::baseline::median;
use crate::model::cache::Lookups;
use crate::model::panel::Series;
use crate::model::unit::{Age, Bytes, short_count};
use crate::model::{ServerText, Timestamp, seconds_between};

/// Older answers, in seconds, are none of now.
const LATE_S: f64 = 90.0;

/// A rise is told from a span of at least this, in seconds: less is the breath of traffic.
const LEAST_RISE_S: f64 = 300.0;

/// A wait for a lock from which on requests wait for the lock rather than for the pool, in seconds.
const LONG_WAIT_S: f64 = 1.0;

/// Look-ups between two answers from which on their hits are a share.
const LEAST_LOOKUPS: i64 = 20;

/// A panel with figures, or why it has none.
pub(super) fn panel<'a>(look: &Look<'a>, id: &str) -> Result<Read<'a>, Unknown> {
    if !look.prometheus {
        return Err(Unknown::of("no Prometheus is named", "--prometheus URL"));
    }
    if !look.panels.iter().any(|p| p.id == id) {
        return Err(Unknown::of(format!("the panels have no `{id}`"), "the built-in panels do"));
    }
    let Some(latest) = look.world.panels.get(id) else { return Err(Unknown::of("not asked yet", "")) };
    if let Some(why) = sight::blind(latest, look) {
        return Err(Unknown::of(why, unread(look)));
    }
    let found = read(look, id).ok_or_else(|| match latest.age_s(look.now) {
        Some(age) if age >= LATE_S / 2.0 => Unknown::of(format!("the last answer is {} old", Age(age).short()), ""),
        Some(_) | None => Unknown::of("no value now: the series ended", unread(look)),
    })?;
    match found.candidate.filter(|c| c.unjudged) {
        Some(candidate) => {
            let note = candidate.note.as_deref().unwrap_or("not a figure of now");
            Err(Unknown::of(format!("{}: {}", found.text(), ServerText::from(note).head(100)), ""))
        }
        None => Ok(found),
    }
}

/// The target that Prometheus cannot read, where there is one: its series are missing because of that.
fn unread(look: &Look<'_>) -> String {
    let down = look.world.targets.get().and_then(|targets| targets.iter().find(|t| !t.up));
    down.map_or_else(String::new, |t| {
        let instance = ServerText::from(t.instance.as_str()).head(60);
        format!("Prometheus cannot read {instance}: {}", ServerText::from(t.error.as_str()).head(100))
    })
}

/// The newest figure of a panel.
fn newest(look: &Look<'_>, id: &str) -> Known {
    let found = panel(look, id)?;
    let source = found.source();
    let clipped = found.candidate.and_then(|c| c.clipped_at).filter(|top| found.value >= top * 0.999);
    let at_least = clipped.map(|top| Unknown::of(format!("the source counts everything above {top} s as {top} s"), ""));
    Ok(Value { at_least, ..Value::of(found.value, found.seen) }.note(source))
}

/// What was usual a week before.
fn before(look: &Look<'_>, id: &str) -> Known {
    if !look.prometheus {
        return Err(Unknown::of("no Prometheus is named", "--prometheus URL"));
    }
    let spec = look.panels.iter().find(|p| p.id == id);
    let none = || Unknown::of("nothing is known of a week ago", "Prometheus must keep more than a week");
    let latest = look.world.panels_before.get(id).ok_or_else(|| Unknown::of("not asked yet", ""))?;
    let (answer, seen) = fresh_elsewhere(latest, look, f64::INFINITY)?;
    let usual = median(answer, spec.is_some_and(|s| s.low_is_bad)).ok_or_else(none)?;
    Ok(Value::of(usual, seen).note("median a week ago"))
}

pub fn p95(look: &Look<'_>) -> Known {
    newest(look, "p95")
}

pub fn p99(look: &Look<'_>) -> Known {
    newest(look, "p99")
}

pub fn p95_times_before(look: &Look<'_>) -> Known {
    let (now, usual) = (p95(look)?, before(look, "p95")?);
    if usual.figure <= 0.0 {
        return Err(Unknown::of("there was no traffic a week ago", ""));
    }
    Ok(Value { figure: now.figure / usual.figure, note: "of the median a week ago".to_owned(), ..now })
}

pub fn requests(look: &Look<'_>) -> Known {
    newest(look, "throughput")
}

pub fn error_share(look: &Look<'_>) -> Known {
    newest(look, "error-ratio")
}

pub fn error_share_rise(look: &Look<'_>) -> Known {
    let found = panel(look, "error-ratio")?;
    let rises = found.series.iter().filter_map(rise);
    let most = rises.max_by(|a, b| a.0.total_cmp(&b.0));
    let (rise, span_s) = most.ok_or_else(|| too_little(found.series, LEAST_RISE_S))?;
    Ok(Value::of(rise, found.seen).note(format!("within {:.0} min", span_s / 60.0)))
}

/// By how much the mean of the last third of a series is above that of its first, and the seconds that it spans.
fn rise(series: &Series) -> Option<(f64, f64)> {
    let points: Vec<(f64, f64)> = series.points.iter().filter_map(|(t, v)| Some((*t, (*v)?))).collect();
    let span_s = points.last()?.0 - points.first()?.0;
    let third = points.len() / 3;
    let mean = |part: &mut dyn Iterator<Item = &(f64, f64)>| part.map(|p| p.1).sum::<f64>() / figure(third);
    let (first, last) = (mean(&mut points.iter().take(third)), mean(&mut points.iter().rev().take(third)));
    (span_s >= LEAST_RISE_S && third > 0).then_some((last - first, span_s))
}

fn too_little(series: &[Series], wanted_s: f64) -> Unknown {
    let span = |s: &Series| Some(s.points.last()?.0 - s.points.first()?.0);
    let longest = series.iter().filter_map(span).fold(0.0, f64::max);
    let why = format!("too short a past: {} of {}", Age(longest).short(), Age(wanted_s).short());
    Unknown::of(why, "")
}

pub fn statement_time(look: &Look<'_>) -> Known {
    newest(look, "db-time")
}

pub fn pool_share(look: &Look<'_>) -> Known {
    newest(look, "pool")
}

pub fn pool_waiting(look: &Look<'_>) -> Known {
    newest(look, "requests-waiting")
}

pub fn pool_short(look: &Look<'_>) -> Known {
    let waiting = pool_waiting(look)?;
    let (blocked, longest) = (sessions::blocked_sessions(look)?, sessions::longest_wait(look)?);
    if waiting.figure > 0.0 && longest.figure >= LONG_WAIT_S {
        let note = format!("{} wait for locks, and hold their connections meanwhile", short_count(blocked.figure));
        return Ok(Value { figure: 0.0, ..waiting }.note(note));
    }
    Ok(waiting)
}

pub fn hit_share(look: &Look<'_>) -> Known {
    let by_metrics = newest(look, "cache-hit-ratio");
    match &by_metrics {
        Ok(_) => by_metrics,
        // Metrics first; but what they cannot tell the statements may.
        Err(_) => by_lookups(look).or(by_metrics),
    }
}

/// Hits among the look-ups between the last two answers about the cache table: a hit returns one row, a miss none.
fn by_lookups(look: &Look<'_>) -> Known {
    let (cache, at) = fresh(&look.world.cache, look, LATE_S)?;
    let (Some(now), Some((before, then))) = (cache.lookups, look.world.cache_before) else {
        return Err(Unknown::of("no look-ups were counted", ""));
    };
    let Lookups { calls, rows, .. } = now;
    let (calls, rows) = (calls - before.calls, rows - before.rows);
    if calls < LEAST_LOOKUPS || rows < 0 {
        return Err(Unknown::of("too few look-ups between two answers", ""));
    }
    let note = format!("{rows} of {calls} look-ups in {}", Age(seconds_between(then, at)).short());
    Ok(Value::of(of_i64(rows) / of_i64(calls), at).note(note))
}

pub fn hit_share_before(look: &Look<'_>) -> Known {
    before(look, "cache-hit-ratio")
}

pub fn hit_share_lost(look: &Look<'_>) -> Known {
    let (now, usual) = (newest(look, "cache-hit-ratio")?, hit_share_before(look)?);
    Ok(Value { figure: usual.figure - now.figure, note: "of the median a week ago".to_owned(), ..now })
}

/// Growth by the hour; nothing that grows is 0, too short a past is not known.
fn growth(look: &Look<'_>, id: &str) -> Known {
    let found = panel(look, id)?;
    if let Some(Grown { an_hour, by: grown, span_s, .. }) = steepest(&found) {
        #[expect(clippy::cast_possible_truncation, reason = "bytes beyond 2^63 saturate")]
        let more = Bytes(grown as i64).short();
        return Ok(Value::of(an_hour, found.seen).note(format!("{more} more within {:.0} min", span_s / 60.0)));
    }
    let long =
        |s: &Series| matches!((s.points.first(), s.points.last()), (Some(a), Some(b)) if b.0 - a.0 >= LEAST_SPAN_S);
    if found.series.iter().any(long) {
        Ok(Value::of(0.0, found.seen).note("no steady growth"))
    } else {
        Err(too_little(found.series, LEAST_SPAN_S))
    }
}

pub fn cache_growth(look: &Look<'_>) -> Known {
    growth(look, "cache-size")
}

pub fn memory(look: &Look<'_>) -> Known {
    newest(look, "memory")
}

pub fn memory_growth(look: &Look<'_>) -> Known {
    growth(look, "memory")
}

pub fn cpu(look: &Look<'_>) -> Known {
    newest(look, "cpu")
}

pub fn targets_down(look: &Look<'_>) -> Known {
    if !look.prometheus {
        return Err(Unknown::of("no Prometheus is named", "--prometheus URL"));
    }
    let (targets, seen): (&Vec<_>, Timestamp) = fresh_elsewhere(&look.world.targets, look, LATE_S)?;
    let down = targets.iter().filter(|t| !t.up).count();
    Ok(Value::of(figure(down), seen).note(unread(look)))
}
