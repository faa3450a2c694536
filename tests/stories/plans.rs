//! Plans: what is asked for and when it is asked about first, what is said where there is none, what the keys do.

use pgtriage::app::mode::{Mode, PlanStage, Subject};
use pgtriage::keymap::Chord;
use pgtriage::message::{Effect, Event};
use pgtriage::model::server::{Rights, Server};
use pgtriage::model::session::State;
use pgtriage::model::{ProbeError, ServerText};

use crate::stage::plans::{answer, asked, plan, stage};
use crate::stage::{Stage, locks, server, statements};

/// Statements, on the one that takes most of the time, whose plan is asked for by another role than ours.
fn on_statements() -> Stage {
    let mut stage = stage();
    stage.press("9 s");
    stage.type_text("ms/s");
    stage.press("Enter g");
    assert_eq!(stage.app.current_statement().map(|r| r.statement.key.query), Some(statements::HOT));
    stage
}

fn opened(stage: &Stage) -> Option<PlanStage> {
    if let Mode::Plan(view) = &stage.app.mode { Some(view.stage) } else { None }
}

#[test]
fn another_roles_statement_is_asked_about_first_and_says_whose_functions_would_run() {
    let mut stage = on_statements();
    assert_eq!(stage.press("e"), []);
    assert_eq!(asked(&stage), None, "nothing is asked of the server before the answer");
    let screen = stage.wide();
    assert!(screen.contains("Plan a statement of shop_api in shop as planner? It is not run"), "{screen}");
    assert_eq!(stage.press("Esc"), []);
    assert!(asked(&stage).is_none() && opened(&stage).is_none());

    stage.press("e y");
    let of = asked(&stage).expect("asked for");
    assert_eq!((of.database, of.author), (Some("shop".into()), Some("shop_api".into())));
    assert!(of.text.raw().starts_with("SELECT * FROM orders WHERE status = $1"));
    assert!(of.normalized, "its constants are gone");
}

#[test]
fn an_answer_that_was_typed_before_the_question_was_on_the_screen_does_not_count() {
    let mut stage = on_statements();
    stage.burst("e y");
    assert!(matches!(opened(&stage), Some(PlanStage::Asks(_))));
    assert_eq!(asked(&stage), None);
    stage.press("y");
    assert!(asked(&stage).is_some());

    let mut small = on_statements();
    small.event(Event::Resized { width: 20, height: 4 });
    small.press("e y");
    assert_eq!(asked(&small), None, "nor one in a window where nobody could read it");
}

#[test]
fn our_own_statement_is_planned_without_a_question() {
    let mut stage = Stage::incident();
    stage = stage.server(Server { user: "shop_api".into(), rights: Rights::default(), ..server() });
    stage.press("9 s");
    stage.type_text("ms/s");
    stage.press("Enter g e");
    assert!(asked(&stage).is_some());
}

#[test]
fn the_costliest_node_and_a_large_table_read_whole_are_marked_and_the_plan_is_called_what_it_is() {
    let mut stage = on_statements();
    stage.press("e y");
    assert!(stage.wide().contains("asking for"), "{}", stage.wide());
    answer(&mut stage, Ok(plan()));
    let screen = stage.wide();
    for words in [
        "Plan · estimated, not run · generic plan: for any values of the parameters",
        "planner in shop · PostgreSQL 15 · planned in 0.4 ms",
        "along search_path \"$user\", public · that of shop_api's session may differ",
        "work_mem = 64MB",
        "!  81%  1.5k    └ Seq Scan on public.orders o · reads all of 1.2 GB",
        "Filter: (o.status = $1)",
        "└ Index Scan using customers_pkey on public.customers",
    ] {
        assert!(screen.contains(words), "{words}\n{screen}");
    }
    let [Effect::Copy(text)] = &stage.press("y")[..] else { panic!("a copy") };
    assert!(text.starts_with("Limit  (cost=88110.55..88112.30 rows=15 width=52)\n  ->  Nested Loop Left"), "{text}");
    let [Effect::Copy(sql)] = &stage.press("Y")[..] else { panic!("a copy") };
    assert!(sql.starts_with("BEGIN READ ONLY;\nPREPARE pgtriage_plan AS SELECT * FROM orders"), "before 16: {sql}");
    assert!(opened(&stage).is_some(), "copying leaves it open");
    stage.press("Esc");
    assert!(matches!(stage.app.mode, Mode::Normal));
}

#[test]
fn asked_again_the_old_answer_is_not_shown_for_a_new_one() {
    let mut stage = on_statements();
    stage.press("e y");
    answer(&mut stage, Ok(plan()));
    stage.press("e");
    assert!(!stage.wide().contains("Seq Scan") && stage.wide().contains("asking for"), "{}", stage.wide());
    answer(&mut stage, Err(ProbeError::Locked("pid 5120 holds ACCESS EXCLUSIVE on public.orders".to_owned())));
    let screen = stage.wide();
    assert!(screen.contains("no plan: gave up behind a lock: pid 5120 holds ACCESS EXCLUSIVE"), "{screen}");
    assert!(screen.contains("y copies why · Y the SQL, to run as another role · e asks again"), "{screen}");
}

#[test]
fn from_a_sessions_detail_one_comes_back_to_it() {
    let mut stage = stage();
    stage.press("2 /");
    stage.type_text("pid:4802");
    stage.press("Enter Enter e");
    assert!(stage.wide().contains("Plan a statement of "), "{}", stage.wide());
    stage.press("y Esc");
    assert!(matches!(&stage.app.mode, Mode::Detail { of: Subject::Session(key), .. } if key.pid == locks::UPDATE));
}

#[test]
fn who_may_do_too_much_is_not_asked_but_told_with_the_sql_to_copy() {
    let mut stage = Stage::incident();
    stage.press("2 /");
    stage.type_text("pid:4802");
    stage.press("Enter e");
    assert!(asked(&stage).is_some(), "the server says why: no question is worth asking");
    answer(&mut stage, Err(ProbeError::Absent("not planned as oncall: pg_signal_backend".to_owned())));
    assert!(stage.wide().contains("no plan: not planned as oncall"), "{}", stage.wide());
    let why = "not planned as oncall: pg_signal_backend".to_owned();
    assert_eq!(stage.press("y"), [Effect::Copy(why)], "a GRANT in it is not typed by hand");
    let [Effect::Copy(sql)] = &stage.press("Y")[..] else { panic!("a copy") };
    assert!(sql.starts_with("BEGIN READ ONLY;\nEXPLAIN (VERBOSE true") && sql.ends_with("ROLLBACK;\n"), "{sql}");
}

#[test]
fn with_a_login_for_plans_it_is_asked_about_as_that_role_whatever_the_consoles_own_may() {
    let with_login = || {
        let stage = Stage::with(|setup| setup.plan_user = Some("oncall_plan".into())).filled();
        let rights = Rights { superuser: true, signal_backend: true, ..server().rights };
        let mut stage = stage.server(Server { rights, ..server() });
        stage.press("2 /");
        stage.type_text("pid:4802");
        stage.press("Enter");
        stage
    };
    let mut stage = with_login();
    stage.press("e");
    assert_eq!(asked(&stage), None, "it will not be refused, so that the question counts");
    let screen = stage.wide();
    for words in [" as oncall_plan? It is not run", "or others wrote, and they can read what oncall_plan"] {
        assert!(screen.contains(words), "{screen}");
    }
    stage.press("y");
    assert!(asked(&stage).is_some());

    // Its own statements need no question; the console's own role's do, since another role plans them.
    for (author, asks) in [("oncall_plan", false), ("oncall", true)] {
        let mut stage = with_login();
        let mut sessions = locks::pile_up();
        for session in &mut sessions.rows {
            session.user = Some(author.into());
        }
        stage.see(sessions);
        stage.press("e");
        assert_eq!(asked(&stage).is_none(), asks, "{author}: {}", stage.wide());
    }
}

#[test]
fn what_has_no_plan_is_said_and_nothing_is_asked() {
    let long = format!("SELECT {}", "x".repeat(1100));
    for (query, words) in [
        ("COMMIT", "only SELECT, INSERT, UPDATE"),
        ("SELECT 1; DROP TABLE orders", "several statements"),
        ("SELECT 'a", "ends in the middle"),
        (long.as_str(), "cut by the server at track_activity_query_size = 1024"),
        ("", "there is no statement"),
    ] {
        let mut stage = stage();
        let mut sessions = locks::pile_up();
        for session in &mut sessions.rows {
            session.query = ServerText::from(query);
            session.state = session.state.map(|_| State::Active);
        }
        stage.see(sessions);
        stage.press("2 /");
        stage.type_text("pid:4802");
        stage.press("Enter e");
        assert_eq!((asked(&stage), opened(&stage)), (None, None), "{query}");
        assert!(stage.last_line().contains(words), "{query}: {}", stage.last_line());
    }
    let mut hidden = stage();
    hidden.see(locks::hidden());
    hidden.press("2 G e");
    assert_eq!(asked(&hidden), None);
}

#[test]
fn why_a_statement_has_no_plan_is_not_said_of_the_next_one() {
    let showing = |stage: &mut Stage, query: &str| {
        let mut sessions = locks::pile_up();
        for session in &mut sessions.rows {
            session.query = query.into();
            session.state = session.state.map(|_| State::Active);
        }
        stage.see(sessions);
    };
    let mut stage = stage();
    showing(&mut stage, "SELECT 1; DROP TABLE orders");
    stage.press("2 e");
    assert!(stage.last_line().contains("several statements"), "{}", stage.last_line());
    showing(&mut stage, "SELECT 1");
    stage.press("e");
    assert!(stage.wide().contains("Plan a statement of"), "{}", stage.wide());
    assert!(!stage.last_line().contains("no plan"), "{}", stage.last_line());
    stage.press("y");
    assert_eq!(asked(&stage).map(|of| of.normalized), Some(false), "a session's text has its constants");

    showing(&mut stage, "SELECT 1; DROP TABLE orders");
    stage.press("Esc e j");
    assert!(!stage.last_line().contains("no plan"), "{}", stage.last_line());
}

#[test]
fn an_observer_may_see_a_plan_and_it_writes_nothing() {
    let mut stage = Stage::read_only().filled();
    stage = stage.server(Server { user: "planner".into(), rights: Rights::default(), ..server() });
    stage.press("9 e y");
    assert!(asked(&stage).is_some());
    assert_eq!(stage.app.update(Event::Key { chord: Chord::char('X'), at: stage.now() }), []);
}
