//! Records incidents of the lab as events, for the pictures: a quarter of an hour of life, with one incident after the
//! other, so that the charts have a past.

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use pgtriage::app::App;
use pgtriage::config::{self, Endpoint};
use pgtriage::message::Event;
use pgtriage::model::{Demand, Snapshot, Timestamp, panel};
use pgtriage::postgres::{Given, OwnPids, Process, resolve, resolve_as};
use pgtriage::probe::health::HealthProbe;
use pgtriage::probe::prometheus::{Prometheus, PrometheusSettings};
use pgtriage::probe::{PostgresProbe, Report};
use tokio::sync::{mpsc, watch};

use crate::lab::{Lab, Wanted};

/// A scenario, for how long it runs before the recording, and the keys that are pressed while it is recorded.
const INCIDENTS: &[(&str, u64, &str)] = &[
    ("calm", 420, ""),
    ("cache-collapse", 75, "8"),
    ("calm", 60, ""),
    ("bloat", 75, "5 o"),
    ("calm", 45, ""),
    ("replica-gone", 45, "6"),
    ("calm", 60, ""),
    ("lock-pileup", 75, "2 7"),
    ("calm", 15, ""),
    ("slow-queries", 75, "3 / t a x Enter e y Esc Esc Esc 9"),
];

#[tokio::test(flavor = "multi_thread")]
async fn incidents_are_recorded_anew_where_that_is_asked_for() {
    let Ok(only) = std::env::var("PGTRIAGE_RECORD") else { return };
    let mut lab = Lab::start(Wanted::default()).expect("PGTRIAGE_LAB must be set to record");
    let (demand, wanted) = watch::channel(Demand::default());
    let (report, mut reports) = mpsc::channel(64);
    let given = Given { words: vec![lab.uri("oncall")], ..Given::default() };
    let plan_login = resolve_as(&given, (super::PLAN_USER, None), &Process).unwrap();
    let probe = PostgresProbe {
        conninfo: resolve(&given, &Process).unwrap(),
        plan_login: Some(plan_login),
        os_user: "alice".to_owned(),
        own: OwnPids::default(),
        cache_table: "fraiseql_cache".to_owned(),
        writer: pgtriage::effect::TEXTS,
    };
    tokio::spawn(probe.run(wanted.clone(), report.clone()));
    let prometheus =
        PrometheusSettings { job: Some("fraiseql".to_owned()), ..PrometheusSettings::new(lab.prometheus()) };
    let prometheus = Prometheus::new(prometheus).unwrap().with_rules(super::rules());
    let endpoints = vec![Endpoint { url: lab.service(), basic: None }];
    let beside = config::Health {
        endpoints,
        bearer: None,
        ca_pem: None,
        timeout: Duration::from_secs(5),
        dependencies: Vec::new(),
        pooler: None,
        standbys: Some(1),
    };
    tokio::spawn(HealthProbe::new(&beside, None, "alice").unwrap().run(wanted.clone(), report.clone()));
    tokio::spawn(prometheus.run(panel::defaults().unwrap(), wanted, report));
    let mut app = super::console(Timestamp::now(), beside.watchlist(None));
    fs::create_dir_all(super::here("tests/fixtures/incidents")).unwrap();
    // Who the server is and that it is connected was said before the incident began.
    let mut past = Vec::new();
    for (scenario, seconds, keys) in INCIDENTS {
        // `PGTRIAGE_RECORD=replica-gone` records that one alone, after a short calm.
        if only != "1" && only != *scenario && *scenario != "calm" {
            continue;
        }
        let seconds = if only != "1" && *scenario == "calm" { &15 } else { seconds };
        lab.command(if *scenario == "calm" { "calm".to_owned() } else { format!("scenario {scenario}") }.as_str());
        // So was which standbys there are, without which nobody misses one.
        let standbys = past.iter().position(has_standbys).map(|at| past.remove(at));
        past.retain(|e| matches!(e, Event::Link(_)));
        past.extend(standbys);
        super::press(&mut app, "1", Timestamp::now());
        past.extend(listen(&mut app, &mut reports, &demand, Duration::from_secs(*seconds)).await);
        for key in keys.split_whitespace() {
            super::press(&mut app, key, Timestamp::now());
            // A tab's panels are asked for one after the other; what else is pressed is answered at once, or in 3 s.
            let long = if key.parse::<u8>().is_ok() { 17 } else { 4 };
            past.extend(listen(&mut app, &mut reports, &demand, Duration::from_secs(long)).await);
        }
        if !keys.is_empty() {
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

/// The last answer to each question, the last two of those that are compared with the one before, and all of rules.
fn newest(events: &[Event]) -> String {
    let key = |event: &Event| {
        if let Event::Sample(sample) = event { format!("{:?}", sample.question) } else { String::new() }
    };
    let mut out = String::new();
    let mut heard = BTreeSet::new();
    for (i, event) in events.iter().enumerate() {
        let is_first = heard.insert(key(event));
        let later = events.iter().skip(i + 1).filter(|e| key(e) == key(event)).count();
        let kept = match &key(event) {
            k if ["CacheTable", "Replication", "Activity", "Statements"].iter().any(|two| k.starts_with(two)) => 2,
            // Since when an alert holds is told by all of them.
            k if k.starts_with("Rules") => usize::MAX,
            _ => 1,
        };
        // The text of a statement comes once.
        let has_texts = is_first && key(event).starts_with("Statements");
        if later < kept || has_texts || (has_standbys(event) && i < 3) {
            out.push_str(&serde_json::to_string(event).unwrap());
            out.push('\n');
        }
    }
    out
}
