//! A list too old to ask by, and a session that is not signalled unless asked twice: what comes between the key and the
//! question, and that neither lets a key through.

use pgtriage::app::mode::Mode;
use pgtriage::guard::{Confirm, Looked, Seen, ServerIdentity, Write};
use pgtriage::message::{Effect, Event, WriterState};
use pgtriage::model::session::Session;
use pgtriage::model::{Link, ProbeError, Question};

use crate::stage::{Stage, locks, server};

/// The incident, whose reads are lost and whose list is 20 seconds old.
fn lost() -> Stage {
    let mut stage = Stage::incident();
    let last_error = Some("connection refused".to_owned());
    let (place, since) = ("db1:5432".to_owned(), stage.now());
    stage.event(Event::Link(Link::Connecting { place, since, attempt: 3, last_error, retry_at: None }));
    stage.take(Question::Sessions, Err(ProbeError::Unreachable("connection refused".to_owned())));
    stage.wait(20);
    stage
}

/// The number of the look that the writer is asked for.
fn look(effects: &[Effect]) -> u64 {
    match effects {
        [Effect::Look { id, .. }] => *id,
        other => panic!("no look: {other:?}"),
    }
}

/// The writer's answer, and what is to be done at once.
fn looked(stage: &mut Stage, id: u64, answer: Result<Seen, String>) -> Vec<Effect> {
    stage.pass(300);
    let effects = stage.app.update(Event::Looked { id, looked: Looked { at: stage.now(), answer } });
    stage.drawn();
    effects
}

fn saw(stage: &mut Stage, id: u64, sessions: Vec<Session>) -> Vec<Effect> {
    looked(stage, id, Ok(Seen { server: ServerIdentity::of(&server()), sessions }))
}

fn failed(stage: &mut Stage, id: u64) -> Vec<Effect> {
    looked(stage, id, Err("too many clients already".to_owned()))
}

fn asked(stage: &Stage) -> bool {
    matches!(stage.app.mode, Mode::Ask(_))
}

#[test]
fn where_the_reads_are_lost_the_writer_looks_before_the_question_and_the_rescue_goes_on() {
    let mut stage = lost();
    let id = look(&stage.press("j j x"));
    assert!(stage.last_line().contains("looking at it by the writer's own connection"), "{}", stage.last_line());
    assert!(!asked(&stage));
    saw(&mut stage, id, vec![locks::alter()]);
    let screen = stage.wide();
    assert!(screen.contains("Cancel the statement of backend 5120?"), "{screen}");
    assert!(screen.contains("looked just now by the writer's own connection"), "{screen}");
    let effects = stage.press("y");
    assert!(
        matches!(&effects[..], [Effect::Write { approved, .. }] if matches!(approved.write(), Write::Cancel { .. }))
    );
}

#[test]
fn an_old_list_is_looked_at_first_too_and_a_fresh_one_is_not() {
    let mut stage = Stage::incident();
    stage.wait(2);
    assert_eq!(stage.press("j j x"), []);
    assert!(asked(&stage));
    stage.press("Esc");
    stage.wait(7);
    look(&stage.press("x"));
}

#[test]
fn what_the_writer_saw_is_what_the_rules_judge() {
    let mut stage = lost();
    let id = look(&stage.press("j j x"));
    // The log has it now, not with a key that may never come.
    let logged = saw(&mut stage, id, vec![]);
    assert!(
        matches!(&logged[..], [Effect::RecordRefusal { refusal, .. }] if refusal.contains("is gone")),
        "{logged:?}"
    );
    assert!(!asked(&stage));
    assert!(stage.last_line().contains("5120 is gone"), "{}", stage.last_line());
    assert_eq!(stage.press("j"), []);
}

#[test]
fn where_the_writer_cannot_look_either_the_action_is_refused_with_the_reason() {
    let mut stage = lost();
    let id = look(&stage.press("j j x"));
    let logged = failed(&mut stage, id);
    assert!(matches!(&logged[..], [Effect::RecordRefusal { .. }]), "{logged:?}");
    assert!(!asked(&stage));
    assert!(stage.last_line().contains("could not look at it: too many clients already"), "{}", stage.last_line());
    assert!(!stage.press("y").iter().any(|effect| matches!(effect, Effect::Write { .. })));
}

#[test]
fn while_the_writer_looks_keys_answer_and_drop_the_action_so_that_nobody_is_asked_over_something_else() {
    for (key, keeps) in [("Esc", false), ("C-c", false), ("y", false), ("j", false), ("/", false), ("x", true)] {
        let mut stage = lost();
        let id = look(&stage.press("j j x"));
        let effects = stage.press(key);
        assert!(!effects.iter().any(|e| matches!(e, Effect::Write { .. } | Effect::Look { .. })), "{key}: {effects:?}");
        saw(&mut stage, id, vec![locks::alter()]);
        assert_eq!(asked(&stage), keeps, "{key}");
    }
}

#[test]
fn what_was_typed_ahead_of_the_question_confirms_nothing() {
    let mut stage = lost();
    stage.press("j j");
    let effects = stage.burst("x y y");
    assert!(!effects.iter().any(|e| matches!(e, Effect::Write { .. })), "{effects:?}");
    let id = look(&stage.press("x"));
    stage.pass(300);
    let seen = Seen { server: ServerIdentity::of(&server()), sessions: vec![locks::alter()] };
    stage.event(Event::Looked { id, looked: Looked { at: stage.now(), answer: Ok(seen) } });
    // The question is open, but no frame has shown it yet.
    assert_eq!(stage.type_text("y"), []);
    assert!(asked(&stage));
}

#[test]
fn several_marked_sessions_are_looked_at_together() {
    let mut stage = Stage::incident();
    stage.press("j j m j m");
    stage.wait(20);
    let id = look(&stage.press("x"));
    saw(&mut stage, id, vec![locks::alter()]);
    let Mode::Ask(prompt) = &stage.app.mode else { panic!("not asked: {}", stage.wide()) };
    let Write::Bulk(bulk) = prompt.write() else { panic!("no bulk") };
    assert_eq!((bulk.targets.len(), bulk.left_out.len()), (1, 1), "the other one is gone");
}

#[test]
fn why_nothing_can_be_done_is_said_before_it_is_tried_and_again_in_the_question() {
    let mut stage = Stage::incident();
    stage.event(Event::Writer(WriterState::Down("password authentication failed".to_owned())));
    assert!(stage.last_line().contains("cannot act: password authentication failed"), "{}", stage.last_line());
    stage.press("j j x");
    let screen = stage.wide();
    assert!(screen.contains("cannot act now: password authentication failed"), "{screen}");
}

#[test]
fn why_nothing_can_be_done_waits_until_what_a_key_did_was_read() {
    let mut stage = Stage::incident();
    stage.press("y");
    let echo = stage.last_line();
    assert!(echo.contains("sent to the terminal's clipboard"), "{echo}");
    stage.event(Event::Writer(WriterState::Down("password authentication failed".to_owned())));
    assert_eq!(stage.last_line(), echo);
    stage.wait(6);
    assert!(stage.last_line().contains("cannot act: password authentication failed"), "{}", stage.last_line());
    // Once is enough.
    stage.wait(6);
    stage.press("j");
    stage.wait(6);
    assert!(!stage.last_line().contains("cannot act"), "{}", stage.last_line());
}

/// The cursor on the walsender.
fn on_the_walsender() -> Stage {
    let mut stage = Stage::incident();
    stage.press("/");
    stage.type_text("pid:903");
    stage.press("Enter");
    stage
}

#[test]
fn a_walsender_is_asked_about_at_the_second_press_only_and_by_its_pid() {
    let mut stage = on_the_walsender();
    let first = stage.press("X");
    assert!(matches!(&first[..], [Effect::RecordRefusal { refusal, .. }] if refusal.contains("cut off a standby")));
    assert!(stage.last_line().contains("X again asks all the same"), "{}", stage.last_line());
    assert_eq!(stage.press("X"), []);
    let Mode::Ask(prompt) = &stage.app.mode else { panic!("not asked: {}", stage.wide()) };
    assert_eq!(prompt.confirm(), &Confirm::Type("903".to_owned()));
    assert!(stage.wide().contains("cut off a standby"), "{}", stage.wide());
    assert_eq!(stage.press("9 0 3"), []);
    assert_eq!(stage.press("Enter").len(), 1);
}

#[test]
fn neither_another_key_in_between_nor_another_signal_nor_a_held_key_is_a_second_press() {
    for keys in ["X j k X", "X x", "x X"] {
        let mut stage = on_the_walsender();
        stage.press(keys);
        assert!(!asked(&stage), "{keys}");
    }
    let mut stage = on_the_walsender();
    stage.burst("X X X");
    assert!(!asked(&stage), "a held key");
}

#[test]
fn a_second_press_counts_after_a_while_too_but_not_once_something_else_is_said() {
    let mut stage = on_the_walsender();
    stage.press("X");
    stage.wait(5);
    stage.see(locks::pile_up());
    stage.press("X");
    assert!(asked(&stage), "the reason still stood");
    let mut stage = on_the_walsender();
    stage.press("X r");
    stage.press("X");
    assert!(!asked(&stage));
}
