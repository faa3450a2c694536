//! Records incidents of the lab as events, for the pictures: a quarter of an hour of life, with one incident after the
//! other, so that the charts have a past.

use std::fs;
use std::time::{Duration, Instant};

use pgtriage::app::App;
use pgtriage::command::Tab;
use pgtriage::keymap::Chord;
use pgtriage::message::Event;
use pgtriage::model::{Demand, Snapshot, Timestamp, panel};
use pgtriage::postgres::{Given, OwnPids, Process, resolve};
use pgtriage::probe::prometheus::{Prometheus, PrometheusSettings};
use pgtriage::probe::{PostgresProbe, Report};
use tokio::sync::{mpsc, watch};

use crate::lab::{Lab, Wanted};

/// A scenario, for how long it runs before the recording, and the tabs that are recorded of it.
const INCIDENTS: &[(&str, u64, &[Tab])] = &[
    ("calm", 420, &[]),
    ("cache-collapse", 75, &[Tab::Cache]),
    ("calm", 60, &[]),
    ("bloat", 75, &[Tab::Tables]),
    ("calm", 45, &[]),
    ("replica-gone", 45, &[Tab::Replication]),
    ("calm", 60, &[]),
    ("lock-pileup", 75, &[Tab::Connections, Tab::Latency]),
];

#[tokio::test(flavor = "multi_thread")]
async fn incidents_are_recorded_anew_where_that_is_asked_for() {
    let Ok(only) = std::env::var("PGTRIAGE_RECORD") else { return };
    let mut lab = Lab::start(Wanted::default()).expect("PGTRIAGE_LAB must be set to record");
    let (demand, wanted) = watch::channel(Demand::default());
    let (report, mut reports) = mpsc::channel(64);
    let given = Given { words: vec![lab.uri("oncall")], ..Given::default() };
    let probe = PostgresProbe {
        conninfo: resolve(&given, &Process).unwrap(),
        os_user: "alice".to_owned(),
        own: OwnPids::default(),
        cache_table: "fraiseql_cache".to_owned(),
    };
    tokio::spawn(probe.run(wanted.clone(), report.clone()));
    let prometheus =
        PrometheusSettings { job: Some("fraiseql".to_owned()), ..PrometheusSettings::new(lab.prometheus()) };
    let prometheus = Prometheus::new(prometheus).unwrap();
    tokio::spawn(prometheus.run(panel::defaults().unwrap(), wanted, report));
    let mut app = super::console(Timestamp::now());
    fs::create_dir_all(super::here("tests/fixtures/incidents")).unwrap();
    // Who the server is and that it is connected was said before the incident began.
    let mut past = Vec::new();
    for (scenario, seconds, tabs) in INCIDENTS {
        // `PGTRIAGE_RECORD=replica-gone` records that one alone, after a short calm.
        if only != "1" && only != *scenario && *scenario != "calm" {
            continue;
        }
        let seconds = if only != "1" && *scenario == "calm" { &15 } else { seconds };
        lab.command(if *scenario == "calm" { "calm".to_owned() } else { format!("scenario {scenario}") }.as_str());
        past.extend(listen(&mut app, &mut reports, &demand, Duration::from_secs(*seconds)).await);
        // So was which standbys there are, without which nobody misses one.
        let standbys = past.iter().position(has_standbys).map(|at| past.remove(at));
        past.retain(|e| matches!(e, Event::Link(_)));
        past.extend(standbys);
        for tab in *tabs {
            app.update(Event::Key { chord: Chord::char(tab.number()), at: Timestamp::now() });
            past.extend(listen(&mut app, &mut reports, &demand, Duration::from_secs(17)).await);
        }
        if !tabs.is_empty() {
            let path = super::here(&format!("tests/fixtures/incidents/{scenario}.jsonl"));
            fs::write(path, newest(&past)).unwrap();
        }
    }
}

fn has_standbys(event: &Event) -> bool {
    let Event::Sample(sample) = event else { return false };
    matches!(&sample.answer, Ok(Snapshot::Replication(r)) if !r.replicas.is_empty())
}

async fn listen(
    app: &mut App,
    reports: &mut mpsc::Receiver<Report>,
    demand: &watch::Sender<Demand>,
    long: Duration,
) -> Vec<Event> {
    let end = Instant::now() + long;
    let mut heard = Vec::new();
    demand.send_replace(app.demand());
    while let Some(left) = end.checked_duration_since(Instant::now()) {
        let Ok(Some(report)) = tokio::time::timeout(left, reports.recv()).await else { break };
        let event = match report {
            Report::Sample(sample) => Event::Sample(sample),
            Report::Link(link) => Event::Link(link),
        };
        heard.push(event.clone());
        app.update(event);
        demand.send_replace(app.demand());
    }
    heard
}

/// The last answer to each question, and the last two of those that are compared with the one before.
fn newest(events: &[Event]) -> String {
    let key = |event: &Event| {
        if let Event::Sample(sample) = event { format!("{:?}", sample.question) } else { String::new() }
    };
    let mut out = String::new();
    for (i, event) in events.iter().enumerate() {
        let later = events.iter().skip(i + 1).filter(|e| key(e) == key(event)).count();
        let kept = if matches!(key(event).as_str(), "CacheTable" | "Replication") { 2 } else { 1 };
        if later < kept || (has_standbys(event) && i < 3) {
            out.push_str(&serde_json::to_string(event).unwrap());
            out.push('\n');
        }
    }
    out
}
