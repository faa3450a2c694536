//! The same rules in a real Prometheus that scrapes what the lab runs, and in us, side by side while an incident comes:
//! each alert is pending, and fires, within one evaluation of the other's.

use std::collections::BTreeMap;
use std::time::Duration;

use pgtriage::diagnose::alert::board::{Board, Row, Side, Standing};
use pgtriage::diagnose::alert::state::State;
use pgtriage::diagnose::alert::{builtin::builtin, parse, print};
use pgtriage::model::alert::OtherState;
use pgtriage::model::panel::Variables;
use pgtriage::model::{Cadence, Demand, Question, Snapshot, Timestamp, Wanted};
use pgtriage::probe::Report;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, timeout};

use super::store::Store;
use crate::lab::{Lab, Wanted as Needs};

/// The built-in rules as they are printed, with seconds for minutes, and one more on PostgreSQL itself.
fn rules() -> String {
    let variables = Variables {
        job: Some("fraiseql".into()),
        postgres_job: Some("postgres".into()),
        prefix: "fraiseql".into(),
        pool_max: None,
        window_s: 10,
        host_window_s: 10,
        span_s: 900,
        step_s: 5,
    };
    let mut groups = builtin(&variables).unwrap();
    groups[0].interval = Duration::from_secs(1);
    for rule in &mut groups[0].rules {
        rule.hold = Duration::from_secs(3);
    }
    let text = print::yaml(&groups).replace("[300s]", "[10s]");
    let more = "  - alert: Waiting\n    expr: sum by (server) (pg_stat_activity_count{state=\"active\"}) > 8\n    for: 2s\n    labels: {severity: critical}\n    annotations: {summary: '{{ $value }} active on {{ $labels.server }}'}\n";
    format!("{text}{more}")
}

/// When each alert was first seen pending and firing: what it came to, by its labels.
type Times = BTreeMap<(String, &'static str), Timestamp>;

/// How often a side answered.
#[derive(Default)]
struct Pace {
    last: Option<Timestamp>,
    longest: Duration,
}

impl Pace {
    fn answered(&mut self, at: Timestamp) {
        if let Some(last) = self.last.replace(at) {
            self.longest = self.longest.max(at.duration_since(last).unsigned_abs());
        }
    }
}

#[tokio::test]
async fn an_incident_is_pending_and_fires_within_one_evaluation_of_prometheus_itself() {
    let wanted = Needs { without: &["standby"], ..Needs::default() };
    let Some(mut lab) = tokio::task::spawn_blocking(move || Lab::start(wanted)).await.unwrap() else { return };
    let config = std::fs::read_to_string(lab.folder().join("prometheus.yml")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rules.yml");
    std::fs::write(&file, rules()).unwrap();
    let config = config.replacen("global:\n", "global:\n  evaluation_interval: 1s\n", 1);
    let store = Store::start(folder, &format!("{config}rule_files: ['{}']\n", file.display()), &[]).await;

    let groups = parse(&rules(), "rules.yml").unwrap();
    let mut board = Board::new(groups.clone());
    let question = Question::Rules { group: groups[0].key.clone() };
    let every = |question, s| Wanted { question, cadence: Cadence::Every(Duration::from_millis(s)) };
    let demand = Demand { wanted: vec![every(question, 1000), every(Question::OtherAlerts, 250)], ..Demand::default() };
    let (_demand, wanted) = watch::channel(demand);
    let (report, mut reports) = mpsc::channel(64);
    let task = tokio::spawn(store.client().with_rules(groups).run(Vec::new(), wanted, report));
    // A few calm evaluations, so that rates exist and the first look is over.
    sleep(Duration::from_secs(6)).await;
    let (mut ours, mut theirs) = (Times::new(), Times::new());
    let (mut our_pace, mut their_pace) = (Pace::default(), Pace::default());
    let mut started = false;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(75) {
        if !started && begun.elapsed() > Duration::from_secs(3) {
            started = true;
            lab = tokio::task::spawn_blocking(move || {
                lab.command("scenario lock-pileup");
                lab
            })
            .await
            .unwrap();
        }
        let Ok(Some(Report::Sample(sample))) = timeout(Duration::from_secs(5), reports.recv()).await else { continue };
        let at = sample.at;
        match (sample.question, sample.answer) {
            (Question::Rules { group }, answer) => {
                if answer.is_ok() {
                    our_pace.answered(at);
                }
                let answer = answer.map(|a| {
                    let Snapshot::Rules(answer) = a else { panic!("{a:?}") };
                    answer
                });
                board.take(&group, &answer, at);
                for alert in board.groups.iter().flat_map(|g| &g.rules).flat_map(|r| r.alerts.values()) {
                    let word = match alert.state {
                        State::Pending => "pending",
                        State::Firing => "firing",
                        State::Resolved => continue,
                    };
                    ours.entry((format!("{:?}", alert.labels), word)).or_insert(at);
                }
            }
            (Question::OtherAlerts, Ok(Snapshot::OtherAlerts(others))) => {
                their_pace.answered(at);
                for alert in &others.alerts {
                    let word = if alert.state == OtherState::Firing { "firing" } else { "pending" };
                    theirs.entry((format!("{:?}", alert.labels), word)).or_insert(at);
                }
                board.take_others(Ok(others), at);
            }
            _ => {}
        }
        let firing = |times: &Times| times.keys().filter(|k| k.1 == "firing").count();
        if firing(&ours) >= 2 && firing(&theirs) >= 2 && ours.len() == theirs.len() {
            break;
        }
    }
    task.abort();
    let firing: Vec<_> = ours.keys().filter(|k| k.1 == "firing").collect();
    assert!(firing.len() >= 2, "an incident is seen: ours {:?}, theirs {:?}", ours.keys(), theirs.keys());
    // Whoever looks once a second is late by that until it is pending, and by that again until it fires; longer where the
    // machine let it look less often. An alert that is held as long again is later.
    let bound = our_pace.longest.max(their_pace.longest) * 2 + Duration::from_millis(500);
    for (key, then) in ours.iter().filter(|(k, _)| k.1 == "firing") {
        let other = theirs.get(key).unwrap_or_else(|| panic!("{key:?} is not Prometheus'"));
        let apart = then.duration_since(*other).unsigned_abs();
        assert!(apart <= bound, "{key:?}: {apart:?} apart, more than {bound:?}");
    }
    // The same alert on both sides is one row.
    let rows: Vec<Row> = board.rows();
    let both = rows.iter().filter(|r| r.standing == Standing::Firing && r.side == Side::Both).count();
    assert!(both >= 2, "{:?}", rows.iter().map(|r| (&r.name, r.side)).collect::<Vec<_>>());
    assert!(rows.iter().all(|r| r.side != Side::Prometheus || r.standing == Standing::Pending));
    tokio::task::spawn_blocking(move || lab.stop()).await.unwrap();
}

#[tokio::test]
async fn at_the_start_the_past_is_filled_in_from_prometheus() {
    if std::env::var_os("PGTRIAGE_LAB").is_none() {
        eprintln!("SKIPPED: PGTRIAGE_LAB is not set, so no real Prometheus was asked");
        return;
    }
    // Two hours of samples that end now; the condition holds for the last ten minutes.
    let now = Timestamp::now().as_second();
    let begin = (now - 7200) / 15 * 15;
    let steps = usize::try_from((now - begin) / 15).unwrap() + 1;
    let values = |from: usize| (0..steps).map(|s| Some(if s + from >= steps { 3.0 } else { 1.0 })).collect();
    let given = [
        super::store::Given { name: "load", labels: "instance=\"a\"", values: values(40) },
        super::store::Given { name: "load", labels: "instance=\"b\"", values: values(4) },
        super::store::Given { name: "load", labels: "instance=\"old\"", values: values(steps) },
    ];
    let store = Store::of(&given, begin).await;
    let text = "groups:\n- name: g\n  interval: 15s\n  rules:\n  - {alert: A, expr: load > 2, for: 5m}\n";
    let groups = parse(text, "r").unwrap();
    let mut board = Board::new(groups.clone());
    let wanted = Wanted {
        question: Question::Rules { group: groups[0].key.clone() },
        cadence: Cadence::Every(Duration::from_secs(15)),
    };
    let (_demand, demand) = watch::channel(Demand { wanted: vec![wanted], ..Demand::default() });
    let (report, mut reports) = mpsc::channel(64);
    let task = tokio::spawn(store.client().with_rules(groups).run(Vec::new(), demand, report));
    loop {
        let Some(Report::Sample(sample)) = reports.recv().await else { panic!("no answer") };
        if let (Question::Rules { group }, Ok(Snapshot::Rules(answer))) = (&sample.question, &sample.answer) {
            board.take(group, &Ok(answer.clone()), sample.at);
            break;
        }
    }
    task.abort();
    let alerts: BTreeMap<&str, _> =
        board.groups[0].rules[0].alerts.values().map(|a| (a.labels["instance"].as_str(), a)).collect();
    let age = |name: &str| now - alerts[name].active_at.as_second();
    assert_eq!(alerts["a"].state, State::Firing, "ten minutes are more than five, though we only came now");
    assert!((550..=620).contains(&age("a")), "{}", age("a"));
    assert_eq!(alerts["b"].state, State::Pending);
    assert!((30..=75).contains(&age("b")), "{}", age("b"));
    assert!(!alerts["a"].since_we_look && !alerts["b"].since_we_look);
    assert!(alerts["old"].since_we_look, "it held before the past that was asked for");
}
