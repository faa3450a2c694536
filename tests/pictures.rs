//! The pictures of the README: real incidents of the lab, recorded once as events, drawn by the program's own view.
//!
//! A picture that differs from what the view draws today fails; `PGTRIAGE_BLESS=1` writes them anew, and
//! `PGTRIAGE_RECORD=1` (with a lab) records the incidents anew, which takes a quarter of an hour. The pictures called
//! `dissolve` are of the program in a terminal: `terminal::pileup` takes them under `PGTRIAGE_RECORD=run`.

mod record;
pub mod svg;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use pgtriage::app::alerts::Alerting;
use pgtriage::app::{App, Display, Setup};
use pgtriage::diagnose::Limits;
use pgtriage::diagnose::alert::builtin::builtin;
use pgtriage::guard::Policy;
use pgtriage::keymap::{Chord, Keymap};
use pgtriage::message::{Event, WriterState};
use pgtriage::model::alert::RuleGroup;
use pgtriage::model::health::Watchlist;
use pgtriage::model::panel::Variables;
use pgtriage::model::{Question, Sample, Timestamp, panel};

use crate::stage;

/// What is recorded of one incident, and the keys that lead from the start to the picture.
pub struct Picture {
    /// The file of its events.
    pub scene: &'static str,
    /// The file of the picture.
    pub name: &'static str,
    /// Chords, blank between them.
    pub keys: &'static str,
}

const PICTURES: &[Picture] = &[
    Picture { scene: "lock-pileup", name: "triage", keys: "" },
    Picture { scene: "lock-pileup", name: "connections", keys: "2" },
    Picture { scene: "lock-pileup", name: "slow", keys: "3" },
    Picture { scene: "lock-pileup", name: "locks", keys: "4" },
    Picture { scene: "lock-pileup", name: "question", keys: "2 j j x" },
    Picture { scene: "lock-pileup", name: "detail", keys: "2 j j Enter" },
    Picture { scene: "lock-pileup", name: "latency", keys: "7" },
    Picture { scene: "lock-pileup", name: "runbook", keys: "r d" },
    Picture { scene: "lock-pileup", name: "health", keys: "h" },
    Picture { scene: "bloat", name: "tables", keys: "5" },
    Picture { scene: "bloat", name: "indexes", keys: "5 o" },
    Picture { scene: "replica-gone", name: "replication", keys: "6" },
    Picture { scene: "cache-collapse", name: "cache", keys: "8" },
    Picture { scene: "slow-queries", name: "plan", keys: "3 / t a x Enter e y" },
    Picture { scene: "slow-queries", name: "statements", keys: "9" },
];

/// As whom the lab makes plans for its `oncall`.
const PLAN_USER: &str = "oncall_plan";

/// The built-in rules, as the lab's service is called.
pub fn rules() -> Vec<RuleGroup> {
    let variables = Variables {
        job: Some("fraiseql".into()),
        postgres_job: None,
        prefix: "fraiseql".into(),
        pool_max: None,
        window_s: 60,
        host_window_s: 60,
        span_s: 900,
        step_s: 15,
    };
    builtin(&variables).unwrap()
}

/// What answered beside the database while that was recorded.
pub fn watched(events: &[Event]) -> Watchlist {
    let endpoint = |event: &Event| {
        let Event::Sample(Sample { question: Question::Health { endpoint }, .. }) = event else { return None };
        Some(endpoint.clone())
    };
    let endpoints: BTreeSet<String> = events.iter().filter_map(endpoint).collect();
    Watchlist { endpoints: endpoints.into_iter().collect(), standbys: Some(1), ..Watchlist::default() }
}

/// A console as the pictures show it, at that time.
pub fn console(now: Timestamp, watchlist: Watchlist) -> App {
    let mut app = App::new(Setup {
        refresh: std::time::Duration::from_secs(2),
        slow_after: std::time::Duration::from_secs(30),
        limits: Limits::default(),
        display: Display { colour: true, ascii: false },
        keymap: Keymap::named("default").unwrap().unwrap(),
        panels: panel::defaults().unwrap(),
        workload: None,
        policy: Policy::Admin,
        policy_by: None,
        plan_user: Some(PLAN_USER.into()),
        target: "shop".to_owned(),
        production: false,
        protected: Vec::new(),
        require_reason: false,
        warnings: Vec::new(),
        logged_as: "alice, in ~/.local/state/pgtriage/audit.jsonl".to_owned(),
        prometheus: Some("http://127.0.0.1:9090".to_owned()),
        runbooks: pgtriage::diagnose::runbook::builtin().unwrap(),
        alerting: Alerting { rules: rules(), ..Alerting::default() },
        watchlist,
        now,
    });
    app.update(Event::Resized { width: 160, height: 45 });
    app.update(Event::Writer(WriterState::Ready));
    app
}

/// A path below the project's top.
pub fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn scene(name: &str) -> Vec<Event> {
    let text = fs::read_to_string(here(&format!("tests/fixtures/incidents/{name}.jsonl"))).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn time_of(event: &Event) -> Option<Timestamp> {
    if let Event::Sample(sample) = event { Some(sample.at) } else { None }
}

fn is_plan(event: &Event) -> bool {
    matches!(event, Event::Sample(Sample { question: Question::Plan(_), .. }))
}

fn at(event: Event, at: Timestamp) -> Event {
    if let Event::Sample(sample) = event { Event::Sample(Sample { at, ..sample }) } else { event }
}

/// Presses a key, and draws what it led to.
fn press(app: &mut App, key: &str, at: Timestamp) {
    let chord: Chord = key.parse().unwrap();
    app.update(Event::Key { chord, at });
    let shown = stage::drawn(app, 160, 45).1;
    app.update(Event::Drawn { at, shown });
}

fn drawn(picture: &Picture) -> String {
    let events = scene(picture.scene);
    let last = events.iter().filter_map(time_of).max().unwrap();
    let mut app = console(last, watched(&events));
    // A plan is the answer to a key.
    let (plans, events): (Vec<_>, Vec<_>) = events.into_iter().partition(is_plan);
    for event in events {
        app.update(event);
    }
    app.update(Event::Tick { at: last });
    for key in picture.keys.split_whitespace() {
        press(&mut app, key, last);
    }
    for event in plans {
        app.update(at(event, last));
    }
    svg::of(&stage::draw(&app, 160, 45))
}

#[test]
fn the_pictures_of_the_readme_are_what_the_view_draws_of_a_recorded_incident() {
    let mut differing = Vec::new();
    for picture in PICTURES {
        let path = here(&format!("screenshots/{}.svg", picture.name));
        let now = drawn(picture);
        if std::env::var_os("PGTRIAGE_BLESS").is_some() {
            fs::write(&path, &now).unwrap();
        } else if fs::read_to_string(&path).ok().as_deref() != Some(now.as_str()) {
            differing.push(picture.name);
        }
    }
    assert!(differing.is_empty(), "look at them and run with PGTRIAGE_BLESS=1: {differing:?}");
}
