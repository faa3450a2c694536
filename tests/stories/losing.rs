//! What the screen says when it cannot see: no connection, old data, missing rights. Never that all is well.

use std::time::Duration;

use pgtriage::diagnose::Kind;
use pgtriage::message::Event;
use pgtriage::model::server::Server;
use pgtriage::model::session::{Sessions, State};
use pgtriage::model::world::{LinkFacts, Tls};
use pgtriage::model::{Link, ProbeError, Question, Sample, Snapshot};

use crate::stage::{Stage, locks, tables};

const ALL_CLEAR: &str = "no statement and no idle transaction";

fn lose(stage: &mut Stage, words: &str) {
    let link = Link::Connecting {
        place: "db1:5432".to_owned(),
        since: stage.now(),
        attempt: 3,
        last_error: Some(words.to_owned()),
        retry_at: Some(stage.now() + Duration::from_secs(4)),
    };
    stage.event(Event::Link(link));
    for question in [Question::Sessions, Question::Replication] {
        stage.take(question, Err(ProbeError::Unreachable(words.to_owned())));
    }
}

#[test]
fn a_lost_connection_keeps_the_rows_and_says_their_age_and_the_reason() {
    let mut stage = Stage::incident();
    lose(&mut stage, "the database system is shutting down");
    stage.wait(8);
    for keys in ["2", "3", "6"] {
        stage.press(keys);
        for (width, height) in [(160, 45), (80, 24)] {
            let screen = stage.screen(width, height);
            assert!(screen.contains("the database system is shutting down"), "{screen}");
            assert!(screen.contains("no connection"), "{screen}");
            assert!(screen.contains(" old"), "the age of the rows:\n{screen}");
            assert!(!screen.contains("live"), "{screen}");
        }
    }
    stage.press("2");
    let buffer = stage.buffer(160, 45);
    let row = (0..45).find(|y| (0..160).any(|x| buffer[(x, *y)].symbol() == "5") && line(&buffer, *y).contains("5200"));
    let y = row.expect("the reader's row is still there");
    let faint = (0..160)
        .filter(|x| buffer[(*x, y)].symbol() != " ")
        .all(|x| buffer[(x, y)].fg == ratatui::style::Color::DarkGray);
    assert!(faint, "an old row is dimmed");
}

fn line(buffer: &ratatui::buffer::Buffer, y: u16) -> String {
    (0..buffer.area.width).map(|x| buffer[(x, y)].symbol()).collect()
}

#[test]
fn no_all_clear_is_said_of_what_is_old() {
    let mut stage = Stage::incident();
    stage.see(Sessions::default());
    stage.press("3");
    assert!(stage.wide().contains(ALL_CLEAR), "{}", stage.wide());
    stage.wait(30);
    assert!(!stage.wide().contains(ALL_CLEAR), "no answer for half a minute:\n{}", stage.wide());
    stage.see(Sessions::default());
    lose(&mut stage, "connection refused");
    assert!(!stage.wide().contains(ALL_CLEAR), "{}", stage.wide());
}

#[test]
fn no_all_clear_is_said_before_the_first_answer() {
    let mut stage = Stage::new();
    for keys in ["2", "3", "5", "6", "7", "8"] {
        stage.press(keys);
        let screen = stage.wide();
        for calm in [ALL_CLEAR, "no other session", "has no tables", "no standby is connected"] {
            assert!(!screen.contains(calm), "{screen}");
        }
    }
}

#[test]
fn hidden_rows_are_said_loudly_with_the_grant_that_cures_them() {
    let mut stage = Stage::incident();
    stage.see(locks::hidden());
    for (width, height) in [(160, 45), (80, 24)] {
        let screen = stage.screen(width, height);
        assert!(screen.contains("47 of 48 sessions are hidden from oncall: GRANT pg_monitor TO oncall"), "{screen}");
    }
    let mut only = locks::hidden();
    only.rows.retain(|s| s.hidden);
    stage.see(only);
    stage.press("3");
    let screen = stage.wide();
    assert!(!screen.contains(ALL_CLEAR), "{screen}");
    assert!(screen.contains("sessions are hidden from this role"), "{screen}");
}

#[test]
fn the_all_clear_of_slow_is_said_only_where_all_was_seen() {
    let mut stage = Stage::incident();
    let mut calm = locks::flowing();
    calm.rows.retain(|s| s.pid < locks::ROOT && s.pid != locks::REPORT);
    stage.see(calm);
    stage.press("3");
    assert!(stage.wide().contains(ALL_CLEAR), "{}", stage.wide());
    let mut mute = locks::flowing();
    mute.rows.retain(|s| s.pid < locks::ROOT && s.pid != locks::REPORT);
    mute.rows.iter_mut().for_each(|s| s.state = Some(State::Disabled));
    stage.see(mute);
    let screen = stage.wide();
    assert!(!screen.contains(ALL_CLEAR) && screen.contains("track_activities is off for them"), "{screen}");
}

#[test]
fn a_text_of_which_only_the_head_was_read_says_so() {
    let server = Server { query_size: 1 << 20, ..crate::stage::server() };
    for (state, bytes) in [(State::Active, 16_384), (State::Idle, 2048)] {
        for (length, cut) in [(bytes, true), (bytes - 100, false)] {
            let mut stage = Stage::incident().server(server.clone());
            let mut sessions = locks::flowing();
            sessions.rows.truncate(1);
            sessions.rows[0].state = Some(state);
            sessions.rows[0].query = "x".repeat(length).as_str().into();
            stage.see(sessions);
            stage.press("Enter");
            let screen = stage.wide();
            assert_eq!(screen.contains(&format!("cut: no more than {bytes} bytes")), cut, "{length}\n{screen}");
        }
    }
}

#[test]
fn after_a_failover_to_another_host_nothing_of_the_old_server_is_shown_as_the_new_ones() {
    let facts = |place: &str| LinkFacts {
        place: place.to_owned(),
        tls: Tls::Verified,
        pooled: false,
        since: crate::stage::start(),
    };
    let mut stage = Stage::incident();
    stage.press("6");
    assert!(stage.wide().contains("MISSING"), "{}", stage.wide());
    lose(&mut stage, "connection refused");
    stage.event(Event::Link(Link::Up(facts("db1:5432"))));
    assert!(stage.wide().contains("MISSING"), "the same server, back again: what was missing still is");
    lose(&mut stage, "connection refused");
    assert!(stage.wide().contains("MISSING"), "kept while nobody answers");
    stage.event(Event::Link(Link::Up(facts("db2:5432"))));
    let screen = stage.wide();
    assert!(screen.contains("another server answers now: db2:5432") && !screen.contains("MISSING"), "{screen}");
    for tab in ["2", "3", "5", "6"] {
        stage.press(tab);
        let screen = stage.wide();
        assert!(!screen.contains("orders") && !screen.contains("waiting for a lock"), "{screen}");
        assert!(screen.contains("waiting for the first answer"), "{screen}");
    }
    assert_eq!(stage.press("2 x y"), [], "and nothing of it can be acted on");
}

#[test]
fn the_key_that_connects_again_raises_the_number_that_the_road_watches() {
    let mut stage = Stage::incident();
    let before = stage.app.demand().reconnect;
    stage.press("c c");
    assert_eq!(stage.app.demand().reconnect, before + 2);
}

#[test]
fn while_connecting_the_screen_says_where_and_how_long_and_keys_answer() {
    let mut stage = Stage::new();
    let link = Link::Connecting {
        place: "db1:5432".to_owned(),
        since: stage.now(),
        attempt: 1,
        last_error: None,
        retry_at: None,
    };
    stage.event(Event::Link(link));
    stage.wait(2);
    for (width, height) in crate::stage::SIZES {
        assert!(
            stage.screen(width, height).contains("connecting to db1:5432, 2.0s"),
            "{}",
            stage.screen(width, height)
        );
    }
    assert_eq!(stage.press("q"), [pgtriage::message::Effect::Quit]);
}

#[test]
fn each_panel_says_what_it_cannot_see_in_its_own_words() {
    let mut stage = Stage::incident();
    stage.press("7");
    let screen = stage.wide();
    for words in ["NaN (no traffic)", "credentials refused", "0.0%", "not measured", "target down"] {
        assert!(screen.contains(words), "{words}:\n{screen}");
    }
    stage.press("8");
    let screen = stage.wide();
    assert!(screen.contains("connection refused"), "{screen}");
}

#[test]
fn a_table_list_that_gave_up_behind_a_lock_says_so_and_keeps_its_rows() {
    let mut stage = Stage::incident();
    stage.press("5");
    let question = Question::Relations { database: None, order: tables::relations().order };
    stage.take(question, Err(ProbeError::Locked("public.orders".to_owned())));
    let screen = stage.wide();
    assert!(screen.contains("gave up behind a lock: public.orders"), "{screen}");
    assert!(screen.contains("order_items"), "{screen}");
}

#[test]
fn a_writer_without_a_connection_is_said() {
    let mut stage = Stage::incident();
    stage.event(Event::Writer(pgtriage::message::WriterState::Down("no slot was free".to_owned())));
    assert!(stage.wide().contains("cannot act"));
}

#[test]
fn a_question_that_rests_because_its_answers_are_slow_is_not_called_unanswered() {
    let slow = |stage: &mut Stage| {
        let answer = Ok(Snapshot::Sessions(Sessions::default()));
        let sample =
            Sample { question: Question::Sessions, at: stage.now(), took: Duration::from_millis(1_500), answer };
        stage.event(Event::Sample(sample));
    };
    let mut stage = Stage::calm();
    for _ in 0..3 {
        slow(&mut stage);
        stage.wait(14);
    }
    let screen = stage.wide();
    assert!(screen.contains("● live") && !screen.contains("no answer"), "{screen}");
    assert!(!stage.kinds().contains(&Kind::Gap), "{screen}");
    stage.wait(20);
    assert!(stage.wide().contains("! no answer for"), "longer than it rests: {}", stage.wide());
}
