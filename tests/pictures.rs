//! The pictures of the README: real incidents of the lab, recorded once as events, drawn by the program's own view.
//!
//! A picture that differs from what the view draws today fails; `PGTRIAGE_BLESS=1` writes them anew, and
//! `PGTRIAGE_RECORD=1` (with a lab) records the incidents anew, which takes a quarter of an hour. The pictures called
//! `dissolve` are of the program in a terminal: `terminal::pileup` takes them under `PGTRIAGE_RECORD=run`.

mod record;
pub mod svg;

use std::fs;
use std::path::{Path, PathBuf};

use pgtriage::app::{App, Display, Setup};
use pgtriage::diagnose::Limits;
use pgtriage::guard::Policy;
use pgtriage::keymap::{Chord, Keymap};
use pgtriage::message::{Event, WriterState};
use pgtriage::model::{Timestamp, panel};
use pgtriage::view;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

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
    Picture { scene: "bloat", name: "tables", keys: "5" },
    Picture { scene: "replica-gone", name: "replication", keys: "6" },
    Picture { scene: "cache-collapse", name: "cache", keys: "8" },
];

/// A console as the pictures show it, at that time.
pub fn console(now: Timestamp) -> App {
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
        target: "shop".to_owned(),
        production: false,
        protected: Vec::new(),
        require_reason: false,
        warnings: Vec::new(),
        logged_as: "alice, in ~/.local/state/pgtriage/audit.jsonl".to_owned(),
        prometheus: Some("http://127.0.0.1:9090".to_owned()),
        runbooks: pgtriage::diagnose::runbook::builtin().unwrap(),
        alerting: pgtriage::app::alerts::Alerting::default(),
        watchlist: pgtriage::model::health::Watchlist::default(),
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

fn drawn(picture: &Picture) -> String {
    let events = scene(picture.scene);
    let last = events.iter().filter_map(time_of).max().unwrap();
    let mut app = console(last);
    for event in events {
        app.update(event);
    }
    app.update(Event::Tick { at: last });
    for word in picture.keys.split_whitespace() {
        let chord: Chord = word.parse().unwrap();
        app.update(Event::Key { chord, at: last });
    }
    let mut terminal = Terminal::new(TestBackend::new(160, 45)).unwrap();
    terminal.draw(|frame| view::draw(&app, frame)).unwrap();
    svg::of(terminal.backend().buffer())
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
