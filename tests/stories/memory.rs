//! Memory of hosts and containers: how much is in use, what the kernel ended for want of it, and what is not judged.

use pgtriage::diagnose::health::ItemKey;
use pgtriage::diagnose::{Kind, Severity};
use pgtriage::model::health::State;
use pgtriage::model::panel::Reading;

use super::findings::{ended, in_use};
use super::health::item;
use super::runbooks::{fact, figure, why};
use crate::stage::{Stage, charts};

/// How bad it is, with the words of it; none where nothing is wrong.
fn told(stage: &Stage) -> Option<(Severity, String)> {
    stage.app.triage.diagnosis.findings.first().map(|f| {
        assert_eq!(f.kind(), Kind::MemoryShort);
        (f.severity, format!("{} | {}", f.fact, f.evidence))
    })
}

fn story(used: fn(f64) -> f64, kills: fn(f64) -> f64) -> Option<(Severity, String)> {
    let mut stage = Stage::calm();
    in_use(&mut stage, used);
    ended(&mut stage, kills);
    told(&stage)
}

#[test]
fn memory_that_runs_short_is_worse_the_less_is_left_and_worst_where_the_kernel_ends_processes() {
    assert_eq!(story(|_| 0.79, |_| 3.0), None, "what was ended before is over");
    let (severity, said) = story(|_| 0.85, |_| 3.0).unwrap();
    assert_eq!((severity, said.contains("db1:9100: 85 % of its memory is in use")), (Severity::Notice, true), "{said}");
    assert_eq!(story(|_| 0.96, |_| 0.0).unwrap().0, Severity::Warning);
    // 15 minutes are on the axis: the last came five minutes ago.
    let kills = |x: f64| {
        if x < 0.5 {
            3.0
        } else if x < 2.0 / 3.0 {
            4.0
        } else {
            6.0
        }
    };
    let (severity, said) = story(|_| 0.4, kills).unwrap();
    assert_eq!(severity, Severity::Warning);
    let wanted =
        "the kernel ended 3 processes on db1:9100 for want of memory, the last 5m ago | now 40 % of its memory";
    assert!(said.starts_with(wanted), "{said}");
    assert_eq!(story(|_| 0.85, kills).unwrap().0, Severity::Critical, "the next one is near");
    assert_eq!(story(|_| 0.4, |x| if x < 0.9 { 3.0 } else { 0.0 }), None, "a reboot counts from 0");
    let (_, said) = story(|_| 0.4, |x| if x < 0.9 { 3.0 } else { 1.0 }).unwrap();
    assert!(said.starts_with("the kernel ended 1 process on db1:9100"), "{said}");
}

#[test]
fn since_when_it_is_short_is_told_by_the_series_itself() {
    let mut stage = Stage::calm();
    in_use(&mut stage, |x| if x < 2.0 / 3.0 { 0.5 } else { 0.9 });
    let finding = stage.finding(Kind::MemoryShort);
    let long = stage.now().duration_since(finding.since.unwrap()).as_secs();
    assert!((295..=305).contains(&long), "{long}");
    assert_eq!(finding.target.tab(), pgtriage::command::Tab::Latency);
    assert_eq!(finding.runbook(), Some("memory-pressure"));
}

#[test]
fn the_health_of_the_memory_is_no_better_than_that_of_the_host() {
    let mut stage = Stage::calm();
    let memory = |stage: &Stage| item(stage, &ItemKey::Memory);
    assert_eq!(memory(&stage).state, Some(State::Ok));
    in_use(&mut stage, |_| 0.85);
    assert_eq!((memory(&stage).state, memory(&stage).text.as_str()), (Some(State::Degraded), "401 MB, short"));
    ended(&mut stage, f64::ceil);
    assert_eq!(memory(&stage).state, Some(State::Failing));
    // FraiseQL exports no memory of its own.
    charts::give(&mut stage, "memory", Ok(charts::answer(Reading::NoSeries)));
    assert_eq!((memory(&stage).state, memory(&stage).text.as_str()), (Some(State::Failing), "short"));
}

#[test]
fn hosts_that_may_be_anybodys_are_shown_and_not_judged() {
    let mut stage = Stage::calm();
    for (id, figure) in [("memory-used", 0.99), ("oom-kills", 7.0)] {
        let series = vec![charts::series("app-7:9100", move |x| Some(figure * x.ceil()))];
        charts::give(&mut stage, id, Ok(charts::answer(Reading::Values { candidate: 2, series })));
    }
    assert_eq!(stage.kinds(), []);
    let unchecked = &stage.app.triage.diagnosis.unchecked;
    let [one] = unchecked.as_slice() else { panic!("{unchecked:#?}") };
    assert!(one.what.starts_with("memory in use, processes ended for want of memory"), "{one:?}");
    assert_eq!(why(&stage, "memory_used").1, "have Prometheus read node_exporter on the server's host");
    // Of the server's own hosts they are.
    let series = vec![charts::series("app-7:9100", |_| Some(0.99))];
    charts::give(&mut stage, "memory-used", Ok(charts::answer(Reading::Values { candidate: 1, series })));
    assert_eq!(stage.kinds(), [Kind::MemoryShort]);
}

#[test]
fn the_runbook_of_memory_judges_its_signs_or_says_what_would_bring_them() {
    let mut stage = Stage::calm();
    in_use(&mut stage, |_| 0.85);
    ended(&mut stage, |x| if x < 0.5 { 0.0 } else { 2.0 });
    stage.press("1 r");
    let screen = super::runbooks::words(&mut stage);
    assert!(screen.contains("✓ Over 80 % of the memory is used 85 %"), "{screen}");
    assert!(screen.contains("✓ A process ran out of memory 2"), "{screen}");
    in_use(&mut stage, |_| 0.5);
    ended(&mut stage, |_| 2.0);
    let screen = super::runbooks::words(&mut stage);
    assert!(screen.contains("✗ Over 80 % of the memory is used 50 %"), "{screen}");
    assert!(screen.contains("✗ A process ran out of memory 0"), "{screen}");
    for id in ["memory-used", "oom-kills"] {
        charts::give(&mut stage, id, Ok(charts::answer(Reading::NoSeries)));
    }
    let screen = super::runbooks::words(&mut stage);
    assert!(screen.contains("? Over 80 % of the memory is used not known: no such series"), "{screen}");
    assert!(screen.contains("read node_exporter on the server's host"), "{screen}");
}

#[test]
fn facts_of_disks_are_those_of_the_one_that_is_full_first() {
    let mut stage = Stage::calm();
    let disks = |figure: fn(f64) -> f64| {
        charts::values(vec![
            charts::series("db1:9100 /", |_| Some(9e9)),
            charts::series("db1:9100 /pg", move |x| Some(figure(x))),
        ])
    };
    charts::give(&mut stage, "disk-free", Ok(disks(|x| 8e9 - x * 2e9)));
    assert!((figure(&stage, "disk_free") - 6e9).abs() < 1.0);
    // 2 GB in 15 minutes.
    assert!((figure(&stage, "disk_full_in") - 2700.0).abs() < 1.0);
    assert_eq!(fact(&stage, "disk_full_in").unwrap().note, "db1:9100 /pg");
    charts::give(&mut stage, "disk-free", Ok(disks(|_| 8e9)));
    assert_eq!(figure(&stage, "disk_full_in").to_string(), "inf");
    let used = vec![charts::series("db1:9100 /", |_| Some(0.2)), charts::series("db1:9100 /pg", |_| Some(0.9))];
    charts::give(&mut stage, "disk-used", Ok(charts::values(used)));
    let value = fact(&stage, "disk_used").unwrap();
    assert!((value.figure - 0.9).abs() < 1e-9 && value.note.starts_with("db1:9100 /pg, by node_exporter"), "{value:?}");
    charts::give(&mut stage, "disk-used", Ok(charts::answer(Reading::NoSeries)));
    assert_eq!(why(&stage, "disk_used").1, "have Prometheus read node_exporter on the server's host");
}
