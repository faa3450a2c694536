//! What a key does to a server, and above all what it does not.

use std::time::Duration;

use pgtriage::app::Setup;
use pgtriage::app::mode::Mode;
use pgtriage::command::Reach;
use pgtriage::guard::{Care, Kind, Pattern, Policy, Protected, Task, Write};
use pgtriage::keymap::Chord;
use pgtriage::message::{ActionStep, Effect, Event, Outcome};
use pgtriage::model::server::Server;
use pgtriage::model::session::State;

use crate::stage::{Stage, drawn, hostile, locks, server, tables};

/// The actions among the effects.
fn writes(effects: &[Effect]) -> Vec<&Write> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Write { approved, .. } => Some(approved.write()),
            Effect::Look { .. }
            | Effect::RecordRefusal { .. }
            | Effect::StopJob { .. }
            | Effect::Copy(_)
            | Effect::Bell
            | Effect::Title(_)
            | Effect::Quit => None,
        })
        .collect()
}

fn cancels(effects: &[Effect]) -> Vec<i32> {
    writes(effects)
        .into_iter()
        .map(|write| match write {
            Write::Cancel { session, .. } => session.pid,
            Write::Terminate { .. }
            | Write::Bulk(_)
            | Write::Maintain { .. }
            | Write::ExpireCache { .. }
            | Write::Setting { .. }
            | Write::Reload { .. } => {
                panic!("no cancel")
            }
        })
        .collect()
}

fn refusal(effects: &[Effect]) -> &str {
    match effects {
        [Effect::RecordRefusal { refusal, .. }] => refusal,
        other => panic!("no refusal: {other:?}"),
    }
}

#[test]
fn the_queued_alter_table_is_cancelled_in_four_keys() {
    let mut stage = Stage::incident();
    assert_eq!(stage.press("j j x"), []);
    let screen = stage.wide();
    assert!(screen.contains("Cancel the statement of backend 5120?"), "{screen}");
    assert!(screen.contains("35 waiting sessions"), "{screen}");
    let effects = stage.press("y");
    assert_eq!(cancels(&effects), [locks::ALTER]);
    stage.news(1, ActionStep::Ended(Outcome::Done("the signal was sent".to_owned())));
    assert!(stage.last_line().contains("cancel 5120: the signal was sent"));
    stage.news(1, ActionStep::Verified { gone: true, after_ms: 140 });
    stage.see(locks::flowing());
    let screen = stage.wide();
    assert!(screen.contains("cancel 5120: the statement ended after 0.1 s"), "{screen}");
    assert!(screen.contains("1 waiting for a lock"), "{screen}");
}

#[test]
fn a_y_that_was_typed_in_one_burst_with_the_x_confirms_nothing() {
    let mut stage = Stage::incident();
    stage.press("j j");
    assert_eq!(stage.burst("x y y"), []);
    assert!(matches!(stage.app.mode, Mode::Ask(_)), "the question is open, and was not answered");
    assert_eq!(stage.burst("y").len(), 1, "half a second after its frame it can be");
}

#[test]
fn a_y_a_tenth_of_a_second_after_the_question_appeared_was_meant_for_something_else() {
    let mut stage = Stage::incident();
    stage.press("j j x");
    assert_eq!(stage.type_text("y"), []);
    assert!(matches!(stage.app.mode, Mode::Ask(_)));
}

#[test]
fn a_question_that_the_window_has_no_room_for_cannot_be_answered_until_it_has() {
    for (width, height) in [(160, 1), (160, 3), (160, 7), (29, 45), (1, 1)] {
        let mut stage = Stage::incident();
        stage.press("j j");
        stage.event(Event::Resized { width, height });
        assert_eq!(stage.press("x y y"), [], "{width}×{height}");
        assert!(matches!(stage.app.mode, Mode::Ask(_)));
        stage.event(Event::Resized { width: 80, height: 24 });
        stage.drawn();
        assert_eq!(cancels(&stage.press("y")), [locks::ALTER], "enlarged, it can be read and answered");
    }
}

#[test]
fn a_clock_set_back_makes_no_key_deliberate() {
    let mut stage = Stage::incident();
    stage.press("j j");
    let hour_ago = stage.now() - Duration::from_secs(3600);
    let mut key = |chord: char, ms: u64| {
        let at = hour_ago + Duration::from_millis(ms);
        let effects = stage.app.update(Event::Key { chord: Chord::char(chord), at });
        let shown = drawn(&stage.app, 160, 45).1;
        stage.event(Event::Drawn { at, shown });
        effects
    };
    assert_eq!(key('x', 0), []);
    assert_eq!(key('y', 50), [], "typed in one burst with the x");
    assert_eq!(cancels(&key('y', 400)), [locks::ALTER]);
}

#[test]
fn what_a_vacuum_came_to_is_still_there_when_somebody_looks_up() {
    let mut stage = Stage::incident();
    stage.press("5 j j v y");
    stage.news(1, ActionStep::Started { pid: Some(9_001) });
    stage.news(1, ActionStep::Ended(Outcome::TimedOut("gave up after 2 s behind a lock".to_owned())));
    stage.wait(3600);
    assert!(stage.last_line().contains("gave up after 2 s behind a lock"), "{}", stage.last_line());
    stage.press("j");
    assert!(!stage.last_line().contains("gave up"), "a key puts it away");
}

#[test]
fn a_held_key_enter_and_space_confirm_nothing() {
    let mut stage = Stage::incident();
    assert_eq!(stage.press("j j x x x x Enter Enter Space Y Tab j"), []);
    assert!(matches!(stage.app.mode, Mode::Ask(_)));
    assert_eq!(stage.press("Esc"), []);
    assert!(matches!(stage.app.mode, Mode::Normal));
    assert!(stage.last_line().contains("nothing was done"));
}

#[test]
fn read_only_takes_no_action_by_the_keys_that_act_otherwise() {
    let keys =
        ["j j x y", "3 j j x y", "5 j j v y", "j j Enter x y", "j j : c a n c e l Enter y", "5 b K", "X 4 7 1 1 Enter"];
    let run = |new: fn() -> Stage| -> Vec<usize> {
        keys.iter().map(|keys| writes(&new().filled().press(keys)).len()).collect()
    };
    assert_eq!(run(Stage::read_only), [0; 7]);
    assert_eq!(run(Stage::new), [1, 1, 1, 1, 1, 0, 1], "the same keys act where acting is allowed");
}

#[test]
fn read_only_is_refused_by_the_guard_even_where_a_keymap_binds_the_key() {
    let mut stage = Stage::with(|setup: &mut Setup| setup.policy = pgtriage::guard::Policy::Observer).filled();
    let effects = stage.press("j j x y");
    assert_eq!(writes(&effects).len(), 0);
    assert!(stage.wide().contains("READ-ONLY"));
}

#[test]
fn an_operator_cancels_and_is_told_why_nothing_heavier_is_to_be_had() {
    let new = || {
        let operate = |setup: &mut Setup| {
            setup.policy = Policy::Operator;
            setup.policy_by = Some("/etc/pgtriage/config.toml:3".to_owned());
            setup.keymap = setup.keymap.clone().within(Reach::Writes);
        };
        Stage::with(operate).filled()
    };
    let mut stage = new();
    assert_eq!(cancels(&stage.press("j j x y")), [locks::ALTER]);
    let mut stage = new();
    let tried = stage.press("j j X");
    assert!(matches!(stage.app.mode, Mode::Normal));
    let [Effect::RecordRefusal { write: Write::Terminate { session, .. }, refusal: words }] = &tried[..] else {
        panic!("{tried:?}")
    };
    assert!(session.pid == locks::ALTER && stage.last_line().contains(words.as_str()), "{words}");
    let why = "operator (/etc/pgtriage/config.toml:3): light actions only, no terminate";
    assert!(stage.last_line().contains(why), "{}", stage.last_line());
    let screen = stage.wide();
    assert!(screen.contains("OPERATOR") && !screen.contains("READ-ONLY"), "{screen}");
    assert!(!screen.contains("X terminates"), "it is not offered either: {screen}");
    // Where a keymap binds it all the same, the guard refuses.
    let mut stage = Stage::with(|setup: &mut Setup| setup.policy = Policy::Operator).filled();
    assert!(refusal(&stage.press("X")).contains("the policy `operator` allows light actions only"));
}

#[test]
fn a_key_of_an_action_says_why_it_does_nothing_in_read_only_mode() {
    let mut stage = Stage::read_only().filled();
    assert_eq!(stage.press("j j x"), []);
    let said = stage.last_line();
    assert!(said.contains("read-only (--read-only): no cancel, nor any other action"), "{said}");
    assert!(stage.screen(160, 45).contains("READ-ONLY"));
}

#[test]
fn a_reason_that_is_required_is_asked_for_in_every_size_and_travels_with_the_action() {
    for (width, height) in [(160, 45), (80, 24), (40, 10), (30, 8)] {
        let mut stage = Stage::with(|setup: &mut Setup| setup.require_reason = true).filled();
        stage.press("j j");
        stage.event(Event::Resized { width, height });
        assert_eq!(stage.press("x"), []);
        assert!(stage.screen(width, height).contains("Tab: it needs one"), "{}", stage.screen(width, height));
        // What has no room is read on first.
        while matches!(&stage.app.mode, Mode::Ask(prompt) if !prompt.seen().is_enough()) {
            stage.press("PgDn");
        }
        assert_eq!(stage.press("y"), [], "{width}×{height}");
        assert!(stage.app.takes_text(), "what is pasted now is text");
        stage.type_text("query of a deploy");
        let screen = stage.screen(width, height);
        assert!(screen.contains("y of a deploy_"), "{screen}");
        assert_eq!(stage.burst("Enter y"), [], "typed on in one burst");
        let effects = stage.press("y");
        let Some(Effect::Write { approved, .. }) = effects.first() else { panic!("{effects:?}") };
        assert_eq!(approved.reason(), Some("query of a deploy"));
    }
}

#[test]
fn a_protected_role_is_left_alone_and_a_delicate_one_is_asked_about_by_name() {
    let with = |care| {
        let rule = |setup: &mut Setup| {
            let pattern = Pattern::new("dep.*").unwrap();
            let by = "/etc/pgtriage/config.toml:2".to_owned();
            setup.protected = vec![Protected { kind: Kind::Role, care, pattern, by }];
        };
        Stage::with(rule).filled()
    };
    let mut stage = with(Care::Refused);
    let effects = stage.press("j j x");
    assert!(refusal(&effects).contains("is protected (/etc/pgtriage/config.toml:2): it is left alone"), "{effects:?}");
    let mut stage = with(Care::Typed);
    assert_eq!(stage.press("j j x y Enter Backspace"), []);
    assert!(stage.wide().contains("one is careful (/etc/pgtriage/config.toml:2)"), "{}", stage.wide());
    assert_eq!(cancels(&stage.press("5 1 2 0 Enter")), [locks::ALTER]);
}

#[test]
fn acting_on_a_frozen_screen_is_refused() {
    let mut stage = Stage::incident();
    let effects = stage.press("j j Space x");
    assert!(refusal(&effects).contains("frozen"));
    assert!(matches!(stage.app.mode, Mode::Normal));
    assert_eq!(cancels(&stage.press("Space x y")), [locks::ALTER], "live again, it can be done");
}

#[test]
fn a_screen_frozen_while_the_question_is_open_cannot_happen_but_a_server_that_goes_voids_it() {
    let mut stage = Stage::incident();
    stage.press("j j x");
    hostile::lost(&mut stage);
    let effects = stage.press("y");
    assert!(refusal(&effects).contains("not connected"), "{effects:?}");
}

#[test]
fn a_server_that_restarted_under_the_question_voids_it() {
    let mut stage = Stage::incident();
    stage.press("j j x");
    let mut stage = stage.server(Server { started: "2025-11-24 03:14:10+00".to_owned(), ..server() });
    assert!(refusal(&stage.press("y")).contains("not the server that was asked about"));
}

#[test]
fn a_selected_session_that_vanishes_leaves_nothing_to_act_on() {
    let mut stage = Stage::incident();
    stage.press("j j");
    stage.see(locks::flowing());
    assert_eq!(stage.press("x"), []);
    assert!(stage.last_line().contains("gone"), "{}", stage.last_line());
    assert_eq!(stage.press("y"), []);
    assert!(matches!(stage.app.mode, Mode::Normal), "the neighbour was not asked about");
}

#[test]
fn a_session_that_ends_under_its_question_is_not_signalled() {
    let mut stage = Stage::incident();
    stage.press("j j x");
    stage.see(locks::flowing());
    assert!(refusal(&stage.press("y")).contains("5120 is gone"));
}

#[test]
fn the_idle_root_cannot_be_cancelled_and_the_refusal_says_why() {
    let mut stage = Stage::incident();
    let effects = stage.press("x");
    let sentence = refusal(&effects).to_owned();
    for part in ["4711 is idle in a transaction", "cancel cannot help", "blocks 37", "free"] {
        assert!(sentence.contains(part), "{sentence}");
    }
    for (width, height) in [(160, 45), (80, 24)] {
        let screen: String = stage.screen(width, height).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(screen.contains(&sentence), "the whole sentence is on the screen at {width}×{height}:\n{screen}");
    }
}

fn terminations(effects: &[Effect]) -> Vec<i32> {
    let pids = writes(effects).into_iter().map(|write| match write {
        Write::Terminate { session, .. } => session.pid,
        Write::Cancel { .. }
        | Write::Bulk(_)
        | Write::Maintain { .. }
        | Write::ExpireCache { .. }
        | Write::Setting { .. }
        | Write::Reload { .. } => {
            panic!("no termination")
        }
    });
    pids.collect()
}

#[test]
fn the_idle_root_is_terminated_by_five_keys_and_everybody_flows_again() {
    let mut stage = Stage::incident();
    let effects = stage.press("x");
    assert!(refusal(&effects).contains("cancel cannot help"));
    assert!(stage.last_line().contains("X terminates it"), "{}", stage.last_line());
    assert_eq!(stage.press("X"), []);
    let screen = stage.wide();
    for part in ["Terminate backend 4711?", "xid 8812345", "37 waiting sessions", "FATAL 57P01", "type 4711 and Enter"]
    {
        assert!(screen.contains(part), "{part}: {screen}");
    }
    assert_eq!(terminations(&stage.press("4 7 1 1 Enter")), [locks::ROOT]);
    stage.news(1, ActionStep::Ended(Outcome::Done("the session has ended".to_owned())));
    assert!(stage.last_line().contains("terminate 4711: the session has ended"));
    stage.news(1, ActionStep::Verified { gone: true, after_ms: 210 });
    assert!(stage.last_line().contains("terminate 4711: gone after 0.2 s"), "{}", stage.last_line());
}

#[test]
fn a_termination_names_the_transaction_that_was_on_the_screen() {
    let effects = Stage::incident().press("X 4 7 1 1 Enter");
    let write = writes(&effects)[0];
    let Write::Terminate { session, xact_start, state, query, waits, .. } = write else { panic!("{write:?}") };
    assert_eq!((session, xact_start), (&locks::key(locks::ROOT), &locks::root().xact_start));
    assert_eq!((state, query, *waits), (&locks::root().state, &locks::root().query, true));
}

#[test]
fn nothing_but_the_pid_typed_into_its_question_terminates() {
    for keys in ["X Enter", "X Enter Enter y Enter X Enter", "X 4 7 1 Enter", "X 4 7 1 1 1 Enter", "X 4 8 0 2 Enter"] {
        let mut stage = Stage::incident();
        assert_eq!(stage.press(keys), [], "{keys}");
        assert!(matches!(stage.app.mode, Mode::Ask(_)), "{keys}");
        assert_eq!(stage.press("Esc"), []);
        assert!(stage.last_line().contains("nothing was done"));
    }
    let mut stage = Stage::incident();
    assert_eq!(stage.burst("X 4 7 1 1 Enter"), [], "typed before the question could be read");
    assert!(matches!(stage.app.mode, Mode::Ask(_)));
    assert_eq!(stage.press("Enter"), [], "and nothing of it was kept");
    assert_eq!(terminations(&stage.press("4 7 1 1 Enter")), [locks::ROOT]);
}

#[test]
fn a_statement_is_not_terminated_until_a_cancel_of_it_visibly_failed() {
    let mut stage = Stage::incident();
    let effects = stage.press("j j X");
    assert!(refusal(&effects).contains("cancel it first"), "{effects:?}");
    assert!(stage.last_line().contains("x cancels it"), "{}", stage.last_line());
    assert_eq!(cancels(&stage.press("x y")), [locks::ALTER]);
    stage.news(1, ActionStep::Ended(Outcome::Done("signal sent".to_owned())));
    assert!(refusal(&stage.press("X")).contains("cancel it first"), "signalled is not failed");
    stage.news(1, ActionStep::Verified { gone: false, after_ms: 3_010 });
    let said = stage.last_line();
    assert!(said.contains("still runs 3.0 s after the cancel; X terminates it"), "{said}");
    assert_eq!(stage.press("X"), []);
    assert!(stage.wide().contains("Terminate backend 5120?"));
    assert_eq!(terminations(&stage.press("5 1 2 0 Enter")), [locks::ALTER]);
    // Another statement of another session is not freed by it.
    assert!(refusal(&stage.press("j X")).contains("cancel it first"));
}

#[test]
fn a_session_that_goes_on_under_its_question_is_not_terminated() {
    let mut stage = Stage::incident();
    stage.press("X 4 7 1 1");
    let mut sessions = locks::pile_up();
    sessions.rows[0].state = Some(State::Active);
    stage.see(sessions);
    assert!(refusal(&stage.press("Enter")).contains("4711 has gone on"));
}

#[test]
fn an_idle_client_frees_but_its_slot_and_what_is_no_client_is_left_alone() {
    let mut stage = Stage::incident();
    stage.press("/");
    stage.type_text("4000");
    assert_eq!(stage.press("Enter X"), []);
    let screen = stage.wide();
    assert!(screen.contains("Terminate backend 4000?") && screen.contains("only its slot"), "{screen}");
    for (pid, why) in [("903", "walsender"), ("901", "no client")] {
        let mut stage = Stage::incident();
        stage.press("/");
        stage.type_text(pid);
        let effects = stage.press("Enter X");
        assert!(refusal(&effects).contains(why), "{effects:?}");
    }
}

#[test]
fn read_only_names_no_key_that_terminates_and_has_none() {
    let mut stage = Stage::read_only().filled();
    let screen = stage.wide();
    assert!(screen.contains("cancel cannot help") && !screen.contains("terminates"), "{screen}");
    assert_eq!(stage.press("X 4 7 1 1 Enter"), []);
    assert!(Stage::incident().wide().contains("cancel cannot help, X terminates"));
}

#[test]
fn on_a_production_server_a_y_confirms_nothing_and_what_is_typed_does() {
    let new = || Stage::with(|setup: &mut Setup| setup.production = true).filled();
    let mut stage = new();
    assert_eq!(stage.press("j j x y Enter"), []);
    assert!(matches!(stage.app.mode, Mode::Ask(_)));
    assert_eq!(cancels(&stage.press("Backspace 5 1 2 0 Enter")), [locks::ALTER]);
    let mut stage = new();
    assert_eq!(stage.press("5 v y Enter Backspace"), []);
    assert_eq!(stage.type_text("public.orders"), []);
    assert!(matches!(writes(&stage.press("Enter")).as_slice(), [Write::Maintain { .. }]));
}

#[test]
fn a_vacuum_runs_as_a_job_that_can_be_stopped_and_that_quitting_asks_about() {
    let mut stage = Stage::incident();
    let effects = stage.press("5 j j v y");
    assert!(matches!(writes(&effects).as_slice(), [Write::Maintain { .. }]), "{effects:?}");
    stage.news(1, ActionStep::Started { pid: Some(9_001) });
    assert_eq!(stage.press("j v"), [], "one job at a time");
    assert!(stage.last_line().contains("still runs"), "{}", stage.last_line());
    assert_eq!(stage.press("q"), []);
    assert!(stage.wide().contains("still runs. Leaving cancels it."));
    assert_eq!(stage.press("n"), [], "staying");
    assert_eq!(stage.press("K"), [Effect::StopJob { id: 1 }]);
    stage.news(1, ActionStep::Ended(Outcome::Cancelled("after 4s".to_owned())));
    assert!(stage.last_line().contains("stopped"));
    assert_eq!(stage.press("K"), [], "nothing runs any more");
    assert_eq!(stage.press("q"), [Effect::Quit], "and leaving asks no more");
}

#[test]
fn a_table_is_analyzed_after_a_question_and_the_log_knows_it_by_its_task() {
    let mut stage = Stage::incident();
    assert_eq!(stage.press("5 j j a"), []);
    assert!(stage.wide().contains("ANALYZE public.carts?"), "{}", stage.wide());
    let effects = stage.press("y");
    assert!(matches!(writes(&effects).as_slice(), [Write::Maintain { task: Task::Analyze, .. }]), "{effects:?}");
    assert!(stage.last_line().contains("analyze public.carts: sending"), "{}", stage.last_line());
}

#[test]
fn a_reindex_and_a_vacuum_of_the_database_want_their_names_typed() {
    let mut stage = Stage::incident();
    assert_eq!(stage.press("5 j j R y Enter Backspace"), []);
    assert_eq!(stage.type_text("public.carts"), []);
    let effects = stage.press("Enter");
    assert!(matches!(writes(&effects).as_slice(), [Write::Maintain { task: Task::Reindex, .. }]), "{effects:?}");
    stage.news(1, ActionStep::Ended(Outcome::Done("finished in 4s".to_owned())));
    assert_eq!(stage.press("V y Enter Backspace"), []);
    assert_eq!(stage.type_text("shop"), []);
    let effects = stage.press("Enter");
    let [write] = writes(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!(write.statement().sql, "VACUUM (ANALYZE, PARALLEL 0, SKIP_LOCKED)");
    assert_eq!(write.shown(), "vacuum shop");
}

#[test]
fn leaving_a_running_job_takes_a_deliberate_answer() {
    let mut stage = Stage::incident();
    stage.press("5 j j v y");
    assert_eq!(stage.press("q Enter"), []);
    assert_eq!(stage.press("q y"), [Effect::Quit]);
}

#[test]
fn a_table_under_an_autovacuum_is_left_alone() {
    let mut stage = Stage::incident();
    stage.press("5 /");
    stage.type_text("order_items");
    let effects = stage.press("Enter v");
    assert!(refusal(&effects).contains("autovacuum (6001) works on it"), "{effects:?}");
}

#[test]
fn an_action_is_approved_for_the_identity_that_was_on_the_screen() {
    let mut stage = Stage::incident();
    let effects = stage.press("j j x y");
    let write = writes(&effects)[0];
    let Write::Cancel { session, query_start, query, server: at, .. } = write else { panic!("{write:?}") };
    assert_eq!(*session, locks::key(locks::ALTER));
    assert_eq!(*query_start, locks::alter().query_start);
    assert_eq!(*query, locks::alter().query);
    assert_eq!(at.started, server().started);
    let effects = Stage::incident().press("5 v y");
    let table = writes(&effects).first().and_then(|write| write.table()).expect("a vacuum");
    assert_eq!((table.key.oid, table.key.database.raw()), (tables::ORDERS, "shop"));
}
