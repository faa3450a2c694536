//! Answers of Prometheus in each of their states: values, a gap, NaN, no series, zero, unreachable, 401.

use pgtriage::model::baseline::WEEK_S;
use pgtriage::model::panel::{PanelAnswer, Reading, ScrapeTarget, Series};
use std::time::Duration;

use pgtriage::message::Event;
use pgtriage::model::{ProbeError, Question, Sample, Snapshot};

use super::{Stage, start};

const STEP: f64 = 5.0;
const POINTS: u32 = 181;

/// A series that follows `f` from 0 at the left to 1 at the right; none is NaN.
pub fn series(name: &str, f: impl Fn(f64) -> Option<f64>) -> Series {
    let points = (0..POINTS).map(|i| (begin() + f64::from(i) * STEP, f(f64::from(i) / f64::from(POINTS - 1))));
    Series { name: name.to_owned(), points: points.collect() }
}

#[expect(clippy::cast_precision_loss, reason = "seconds since the epoch")]
fn begin() -> f64 {
    start().as_second() as f64 - 900.0
}

/// An answer that reads so.
pub fn answer(reading: Reading) -> PanelAnswer {
    PanelAnswer {
        start: begin(),
        end: begin() + 900.0,
        step: STEP,
        reading,
        refused: Vec::new(),
        expr: String::new(),
        notes: Vec::new(),
        unmeasured: None,
    }
}

/// These series.
pub fn values(series: Vec<Series>) -> PanelAnswer {
    answer(Reading::Values { candidate: 0, series })
}

/// Quiet until two thirds, then up to the top.
fn ramp(quiet: f64, top: f64) -> impl Fn(f64) -> Option<f64> {
    move |x| Some(if x < 0.66 { quiet } else { quiet + (top - quiet) * (x - 0.66) / 0.34 })
}

/// Answers every panel of the built-in file.
pub fn feed(stage: &mut Stage) {
    let targets = vec![
        target("fraiseql", "app-1:8080", ""),
        target("fraiseql", "app-2:8080", "server returned HTTP status 401 Unauthorized"),
    ];
    stage.take(Question::Targets, Ok(Snapshot::Targets(targets)));
    let ids: Vec<String> = stage.app.setup.panels.iter().map(|p| p.id.clone()).collect();
    for id in ids {
        let refused = match id.as_str() {
            "connections" => Some(ProbeError::Unauthorized("http://prom:9090".to_owned())),
            "cache-requests" => Some(ProbeError::Unreachable("connection refused".to_owned())),
            _ => None,
        };
        let answer = match id.as_str() {
            "p95" => values(vec![series("", ramp(0.048, 4.1))]),
            "p99" => values(vec![series("", ramp(0.090, 5.0))]),
            "p50" => values(vec![series("", ramp(0.012, 0.9))]),
            "throughput" => values(vec![series("", |x| Some(if x < 0.66 { 420.0 } else { 210.0 }))]),
            "error-ratio" => values(vec![series("", |_| Some(0.0))]),
            "p95-by-operation" => values(vec![
                series("order", ramp(0.06, 4.6)),
                series("product", |_| Some(0.031)),
                series("cart", |x| (!(0.4..=0.6).contains(&x)).then_some(0.044)),
            ]),
            "errors-by-operation" => answer(Reading::NotANumber { candidate: 0 }),
            "db-time" => PanelAnswer {
                unmeasured: Some("the service exports this histogram and never counts with it".to_owned()),
                ..answer(Reading::NoSeries)
            },
            "slow-statements" | "cpu" | "cache-size" => answer(Reading::NoSeries),
            "pool" => values(vec![series("", ramp(0.4, 0.96))]),
            "requests-waiting" => values(vec![series("", ramp(0.0, 12.0))]),
            "memory" => values(vec![series("app-1", ramp(4.0e8, 6.0e8)), series("app-2", |_| Some(4.2e8))]),
            "disk-free" => values(vec![series("db1:9100 /var/lib/postgresql", |_| Some(9e10))]),
            "disk-used" => values(vec![series("db1:9100 /var/lib/postgresql", |_| Some(0.41))]),
            "memory-used" => values(vec![series("db1:9100", |_| Some(0.62)), series("app-1:9100", |_| Some(0.48))]),
            "oom-kills" => values(vec![series("db1:9100", |_| Some(0.0)), series("app-1:9100", |_| Some(0.0))]),
            "cpu-used" => values(vec![series("db1:9100", ramp(0.31, 0.64)), series("app-1:9100", |_| Some(0.22))]),
            "cpu-waiting" => values(vec![series("db1:9100", |_| Some(0.03)), series("app-1:9100", |_| Some(0.01))]),
            "cores" => values(vec![series("db1:9100", |_| Some(8.0))]),
            "io-waiting" => values(vec![series("db1:9100", ramp(0.02, 0.11))]),
            "disk-time" => values(vec![series("db1:9100 nvme0n1", |_| Some(0.000_4))]),
            "cache-hit-ratio" => values(vec![series("", |x| Some(if x < 0.5 { 0.93 } else { 0.66 }))]),
            _ => values(vec![series("", |_| Some(48_210.0))]),
        };
        give(stage, &id, refused.map_or(Ok(answer), Err));
    }
    before(stage, "p95", values(vec![series("", |x| Some(0.045 + x * 0.01))]));
    before(stage, "throughput", values(vec![series("", |_| Some(400.0))]));
}

/// Answers one panel as it was a week ago.
pub fn before(stage: &mut Stage, id: &str, answer: PanelAnswer) {
    let ago = f64::from(WEEK_S);
    let reading = match answer.reading {
        Reading::Values { candidate, series } => {
            let back = |s: Series| Series { points: s.points.iter().map(|(t, v)| (t - ago, *v)).collect(), ..s };
            Reading::Values { candidate, series: series.into_iter().map(back).collect() }
        }
        empty @ (Reading::NotANumber { .. } | Reading::NoSeries) => empty,
    };
    let answer = PanelAnswer { start: answer.start - ago, end: answer.end - ago, reading, ..answer };
    let question = Question::PanelBefore { id: id.to_owned(), span_s: 900, step_s: 5 };
    let answer = Ok(Snapshot::Panel(answer));
    stage.event(Event::Sample(Sample { question, at: stage.now(), took: Duration::ZERO, answer }));
}

/// Answers the panels that findings come from with figures that are well.
pub fn calm(stage: &mut Stage) {
    stage.take(Question::Targets, Ok(Snapshot::Targets(vec![target("fraiseql", "app-1:8080", "")])));
    let figures = [
        ("p95", 0.048),
        ("error-ratio", 0.0),
        ("throughput", 420.0),
        ("cache-hit-ratio", 0.93),
        ("pool", 0.4),
        ("requests-waiting", 0.0),
        ("memory", 4.2e8),
        ("disk-free", 9e10),
        ("memory-used", 0.62),
        ("oom-kills", 0.0),
        ("connections", 48.0),
        ("cpu-used", 0.35),
        ("cpu-waiting", 0.02),
        ("cores", 8.0),
        ("io-waiting", 0.03),
        ("disk-time", 0.000_4),
    ];
    for (id, figure) in figures {
        figures_of(stage, id, move |_| Some(figure));
    }
}

/// Answers one panel with a series that follows `f` from 0 at the left to 1 at the right.
pub fn figures_of(stage: &mut Stage, id: &str, f: impl Fn(f64) -> Option<f64>) {
    give(stage, id, Ok(values(vec![series("", f)])));
}

/// Answers one panel.
pub fn give(stage: &mut Stage, id: &str, answer: Result<PanelAnswer, ProbeError>) {
    let question = Question::Panel { id: id.to_owned(), span_s: 900, step_s: 5 };
    stage.take(question, answer.map(Snapshot::Panel));
}

/// A scrape target; one with an error is down.
pub fn target(job: &str, instance: &str, error: &str) -> ScrapeTarget {
    ScrapeTarget {
        job: job.to_owned(),
        instance: instance.to_owned(),
        up: error.is_empty(),
        error: error.to_owned(),
        interval_s: Some(15.0),
    }
}
