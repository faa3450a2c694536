//! What a refresh and a key cost inside the console, with 500 and 2 000 sessions: `cargo bench`. It measures and judges
//! nothing; compare runs on one machine.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a program that prints figures and fails loudly")]

use std::time::{Duration, Instant};

use pgtriage::app::{App, Display, Setup};
use pgtriage::diagnose::Limits;
use pgtriage::guard::Policy;
use pgtriage::keymap::{Chord, Keymap};
use pgtriage::message::Event;
use pgtriage::model::session::{Session, Sessions, State, Wait};
use pgtriage::model::{Question, Sample, Snapshot, Timestamp};
use pgtriage::view;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

const ROUNDS: u32 = 200;

fn main() {
    println!("{:>8} {:>8} {:>16} {:>16} {:>16}", "sessions", "waiting", "take a sample", "draw 160x45", "key and draw");
    for (sessions, waiting) in [(500, 0), (500, 400), (2000, 50)] {
        measure(sessions, waiting);
    }
}

fn measure(sessions: i32, waiting: i32) {
    let now = Timestamp::from_second(1_764_000_000).unwrap();
    let mut app = App::new(Setup {
        refresh: Duration::from_secs(2),
        slow_after: Duration::from_secs(30),
        limits: Limits::default(),
        display: Display { colour: true, ascii: false },
        keymap: Keymap::named("default").unwrap().unwrap(),
        panels: Vec::new(),
        workload: None,
        policy: Policy::Admin,
        policy_by: None,
        plan_user: None,
        target: "bench".to_owned(),
        production: false,
        protected: Vec::new(),
        require_reason: false,
        warnings: Vec::new(),
        logged_as: "bench".to_owned(),
        prometheus: None,
        runbooks: pgtriage::diagnose::runbook::builtin().unwrap(),
        alerting: pgtriage::app::alerts::Alerting::default(),
        watchlist: pgtriage::model::health::Watchlist::default(),
        now,
    });
    app.update(Event::Resized { width: 160, height: 45 });
    let mut terminal = Terminal::new(TestBackend::new(160, 45)).unwrap();
    let (mut take, mut draw, mut key) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    for round in 0..ROUNDS {
        let rows: Vec<Session> = (0..sessions).map(|i| session(i, round, waiting)).collect();
        let answer = Ok(Snapshot::Sessions(Sessions { rows, ..Sessions::default() }));
        let event = Event::Sample(Sample { question: Question::Sessions, at: now, took: Duration::ZERO, answer });
        take += timed(|| drop(app.update(event)));
        draw += timed(|| {
            terminal
                .draw(|f| {
                    let _ = view::draw(&app, f);
                })
                .unwrap();
        });
        key += timed(|| {
            app.update(Event::Key { chord: Chord::char('j'), at: now });
            terminal
                .draw(|f| {
                    let _ = view::draw(&app, f);
                })
                .unwrap();
        });
    }
    println!("{sessions:>8} {waiting:>8} {:>16.1?} {:>16.1?} {:>16.1?}", take / ROUNDS, draw / ROUNDS, key / ROUNDS);
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// One session; the first `waiting` queue on one row, each behind all before it (the first 64 of them are sent).
fn session(i: i32, round: u32, waiting: i32) -> Session {
    let waits = i > 0 && i < waiting;
    let age = f64::from(i) + f64::from(round);
    let blocked_by: Vec<i32> = if waits { (0..i.min(64)).collect() } else { Vec::new() };
    Session {
        pid: 1000 + i,
        leader: None,
        database: Some("shop".into()),
        user: Some("shop_api".into()),
        application: "storefront".into(),
        client: Some("10.0.3.9".to_owned()),
        client_port: Some(50_000 + i),
        backend_type: Some("client backend".to_owned()),
        state: Some(if waits || i % 10 == 0 { State::Active } else { State::Idle }),
        wait: Some(Wait { class: if waits { "Lock" } else { "Client" }.to_owned(), event: "ClientRead".to_owned() }),
        query_id: Some(i64::from(i)),
        xid: None,
        xmin: None,
        xmin_age: None,
        backend_start: Some(format!("2026-11-25 03:00:00.{i:06}+00")),
        xact_start: None,
        query_start: Some(format!("2026-11-25 03:10:00.{i:06}+00")),
        backend_s: Some(age + 600.0),
        xact_s: waits.then_some(age),
        query_s: Some(age),
        state_s: Some(age),
        query: "SELECT id, status, total FROM orders WHERE customer_id = $1 ORDER BY created_at DESC LIMIT 20".into(),
        hidden: false,
        blockers: usize::try_from(i).unwrap() * usize::from(waits),
        blocked_by: blocked_by.into_iter().map(|p| 1000 + p).collect(),
        waits_for: None,
        holds: None,
    }
}
