//! Recorded incidents of the lab, taken in as the console took them: the right thing is found first.

use std::path::Path;

use pgtriage::app::App;
use pgtriage::diagnose::{Kind, Severity};
use pgtriage::message::Event;
use pgtriage::model::Timestamp;

use crate::pictures;

/// The events of an incident, taken in; the console as it then is.
fn told(name: &str) -> App {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/incidents/{name}.jsonl"));
    let text = std::fs::read_to_string(path).unwrap();
    let events: Vec<Event> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let times = events.iter().filter_map(|e| if let Event::Sample(s) = e { Some(s.at) } else { None });
    let start: Timestamp = times.min().unwrap();
    let mut app = pictures::console(start, pictures::watched(&events));
    for event in events {
        app.update(event);
    }
    app
}

#[test]
fn in_each_recorded_incident_the_right_thing_is_found_first() {
    for (name, kind, words) in [
        ("lock-pileup", Kind::Blocker, "blocks 50 sessions"),
        ("bloat", Kind::Horizon, "holds the horizon"),
        ("replica-gone", Kind::ReplicaGone, "vanished"),
        ("cache-collapse", Kind::HitRatio, "cache hits"),
    ] {
        let app = told(name);
        let findings = &app.triage.diagnosis.findings;
        let first = findings.first().unwrap_or_else(|| panic!("{name}: nothing was found"));
        assert_eq!(first.kind(), kind, "{name}: {findings:#?}");
        assert!(first.fact.contains(words), "{name}: {}", first.fact);
        assert!(first.severity >= Severity::Warning, "{name}: {first:#?}");
    }
}

#[test]
fn the_same_events_give_the_same_findings() {
    let (one, other) = (told("lock-pileup"), told("lock-pileup"));
    assert_eq!(one.triage.diagnosis, other.triage.diagnosis);
}
