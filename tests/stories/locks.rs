//! Locks: the forest as it changes its shape, what is folded, what is said where nobody waits, and what keys do there.

use pgtriage::app::tab::locks::LockKey;
use pgtriage::command::{Command, Tab};
use pgtriage::diagnose::Kind;
use pgtriage::message::Effect;
use pgtriage::model::session::{Prepared, Session, Sessions, State, Wait};
use pgtriage::model::{Question, Snapshot};

use crate::stage::{Stage, locks};

/// The console on Locks, over these sessions.
fn on(sessions: Sessions) -> Stage {
    let mut stage = Stage::incident();
    stage.see(sessions);
    stage.press("4");
    stage
}

fn only(rows: Vec<Session>) -> Sessions {
    Sessions { rows, ..Sessions::default() }
}

/// The first column of the forest, line by line.
fn forest(stage: &mut Stage) -> Vec<String> {
    let cell = stage.app.locks.columns()[0].cell;
    stage.app.locks.window(0, usize::MAX).map(|row| cell(row).text.trim_start().to_owned()).collect()
}

fn selected(stage: &Stage) -> Option<i32> {
    match &stage.app.locks.current()?.key {
        LockKey::Session(key) => Some(key.pid),
        LockKey::Alike(_) | LockKey::Prepared(_) | LockKey::Circle(_) | LockKey::Unseen(_) => None,
    }
}

/// A holder of an advisory lock, idle in its transaction for so long.
fn holder(pid: i32, seconds: f64) -> Session {
    Session { state: Some(State::IdleInTransaction), ..locks::session(pid, seconds, "SELECT pg_advisory_xact_lock(1)") }
}

#[test]
fn the_root_and_the_head_of_the_queue_stand_on_the_first_screen_in_every_size() {
    let mut stage = on(locks::pile_up());
    assert_eq!(forest(&mut stage), ["4711", "└─ 4802", "└─ 5120 +1", "└─ 35 readers"]);
    for (width, height) in crate::stage::SIZES {
        let screen = stage.screen(width, height);
        for word in ["4711", "5120 +1", "35 readers", "terminate", "cancel", "queue starts at 5120"] {
            assert!(screen.contains(word), "{word} at {width}×{height}:\n{screen}");
        }
    }
}

#[test]
fn alike_waiters_are_unfolded_and_folded_by_the_same_key() {
    let mut stage = on(locks::pile_up());
    stage.press("G Enter");
    assert_eq!(stage.app.locks.len(), 4 + 35);
    stage.press("j j");
    assert_eq!(selected(&stage), Some(locks::READER + 1));
    stage.press("k k Enter");
    assert_eq!(stage.app.locks.len(), 4);
}

#[test]
fn a_selected_session_is_never_lost_in_a_fold() {
    let mut stage = on(locks::pile_up());
    stage.press("G Enter j j j");
    let pid = selected(&stage).expect("a reader");
    stage.app.unfolded.clear();
    stage.see(locks::pile_up());
    assert_eq!(selected(&stage), Some(pid), "the group that holds it stays open");
}

#[test]
fn the_selection_follows_its_session_while_the_forest_changes_its_shape() {
    let mut stage = on(locks::pile_up());
    stage.press("j j");
    assert_eq!(selected(&stage), Some(locks::ALTER));
    // Another root, worse than the first, comes above it.
    let mut later = locks::pile_up();
    later.rows.push(holder(9000, 9_000.0));
    later.rows.extend((1..=9).map(|i| {
        locks::behind(
            locks::session(9000 + i, 8_000.0, "SELECT pg_advisory_lock(1)"),
            &[9000],
            "advisory",
            "ExclusiveLock",
        )
    }));
    stage.see(later);
    assert_eq!(forest(&mut stage)[..2], ["9000", "└─ 9 waiters"]);
    assert_eq!(selected(&stage), Some(locks::ALTER));
    stage.press("x");
    assert!(stage.wide().contains("Cancel the statement of backend 5120?"), "{}", stage.wide());
    stage.press("Esc");
    // It is gone: the key must not fall upon its neighbour.
    stage.see(locks::flowing());
    assert_eq!(stage.press("x"), []);
    assert!(stage.last_line().contains("gone"), "{}", stage.last_line());
}

#[test]
fn the_right_action_takes_five_keys() {
    let mut stage = on(locks::pile_up());
    let effects = stage.press("j j x y");
    assert!(matches!(&effects[..], [Effect::Write { approved, .. }] if approved.write().shown().contains("5120")));
    let mut stage = on(locks::pile_up());
    stage.press("X");
    assert!(stage.wide().contains("Terminate backend 4711?"), "{}", stage.wide());
    stage.pass(500);
    stage.type_text("4711");
    let effects = stage.press("Enter");
    assert!(matches!(&effects[..], [Effect::Write { approved, .. }] if approved.write().shown().contains("4711")));
}

#[test]
fn a_key_that_signals_says_why_it_does_not_on_a_row_that_is_no_session() {
    let mut stage = on(locks::pile_up());
    assert_eq!(stage.press("G x"), []);
    assert!(stage.last_line().contains("Enter gives each its line"), "{}", stage.last_line());
    let behind = locks::behind(locks::session(1, 60.0, "UPDATE t SET n = 1"), &[77], "relation", "RowExclusiveLock");
    let mut stage = on(only(vec![behind]));
    assert_eq!(forest(&mut stage), ["77", "└─ 1"]);
    assert_eq!(stage.press("X"), []);
    assert!(stage.last_line().contains("gone, or one of our own"), "{}", stage.last_line());
}

#[test]
fn read_only_mode_has_the_forest_and_no_key_that_acts() {
    let mut stage = Stage::read_only().filled();
    stage.press("4");
    assert_eq!(stage.press("x X j j x"), []);
    assert!(!stage.wide().contains("x cancel"), "{}", stage.wide());
}

#[test]
fn a_filter_finds_who_is_folded_and_another_order_is_a_plain_list() {
    let mut stage = on(locks::pile_up());
    stage.press("/");
    stage.type_text("5210");
    stage.press("Enter");
    assert_eq!(forest(&mut stage), ["5210"]);
    assert!(stage.wide().contains("filter 5210: 1 of 38"), "{}", stage.wide());
    stage.press("Esc");
    assert_eq!(stage.app.locks.len(), 4);
    stage.press("s");
    stage.type_text("age");
    stage.press("Enter");
    assert_eq!(stage.app.locks.len(), 38);
    assert_eq!(forest(&mut stage)[..3], ["4711", "4802", "5120 +1"]);
    stage.press("s");
    stage.type_text("forest");
    stage.press("Enter S");
    assert_eq!(forest(&mut stage)[0], "4711", "a forest is not turned upside down");
}

#[test]
fn an_all_clear_says_how_many_were_looked_at_and_none_is_given_where_some_are_hidden() {
    let mut calm = locks::flowing();
    calm.rows.retain(|s| s.blocked_by.is_empty());
    let count = calm.rows.len();
    let mut stage = on(calm);
    assert!(stage.wide().contains(&format!("nobody waits for a lock ({count} sessions looked at")), "{}", stage.wide());
    let mut hidden = locks::hidden();
    hidden.rows.iter_mut().for_each(|s| s.blocked_by.clear());
    let mut stage = on(hidden);
    let screen = stage.wide();
    assert!(screen.contains("are hidden from this role") && screen.contains("GRANT pg_monitor"), "{screen}");
    assert!(!screen.contains("nobody waits for a lock ("), "{screen}");
    let mut stage = on(locks::pile_up());
    stage.wait(60);
    assert!(stage.wide().contains("old: no answer since"), "{}", stage.wide());
}

#[test]
fn a_deadlock_is_shown_as_a_circle_with_whom_it_holds_up() {
    let wait = |pid: i32, by: &[i32]| {
        locks::behind(locks::session(pid, 0.5, "UPDATE t SET n = n + 1"), by, "transactionid", "ShareLock")
    };
    let mut stage = on(only(vec![wait(1, &[2]), wait(2, &[1]), wait(3, &[2])]));
    let lines = forest(&mut stage);
    assert_eq!(lines[0], "deadlock of 2");
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(lines.iter().any(|l| l.ends_with("─ 3")), "{lines:?}");
    let screen = stage.wide();
    assert!(screen.contains("1, 2: the server ends one after deadlock_timeout"), "{screen}");
}

#[test]
fn a_hot_row_is_one_line_however_deep_its_queue_is() {
    let mut rows = vec![locks::root()];
    rows.push(locks::behind(
        locks::session(1, 500.0, "UPDATE orders SET n = 1"),
        &[locks::ROOT],
        "transactionid",
        "ShareLock",
    ));
    for pid in 2..=300 {
        let blockers: Vec<i32> = (1..pid).collect();
        let update = locks::session(pid, 500.0 - f64::from(pid), "UPDATE orders SET n = 1");
        rows.push(locks::behind(update, &blockers, "tuple", "ExclusiveLock"));
    }
    let mut stage = on(only(rows));
    assert_eq!(forest(&mut stage), ["4711", "└─ 1", "└─ 299 waiters"]);
    let root = stage.app.locks.window(0, 1).next().unwrap().clone();
    assert_eq!((root.blocks, root.frees), (300, 300));
}

#[test]
fn who_must_not_be_ended_is_marked_so() {
    let waiter = |by: i32| {
        locks::behind(locks::session(1, 60.0, "ALTER TABLE t ADD n int"), &[by], "relation", "AccessExclusiveLock")
    };
    let vacuum = Session {
        backend_type: Some("autovacuum worker".into()),
        state: Some(State::Active),
        query: "autovacuum: VACUUM public.t (to prevent wraparound)".into(),
        ..locks::session(50, 900.0, "")
    };
    let mut stage = on(only(vec![vacuum, waiter(50)]));
    let screen = stage.wide();
    assert!(screen.contains("wraparound") && screen.contains("leave it"), "{screen}");
    let mut stage = on(only(vec![locks::background(60, "startup"), waiter(60)]));
    assert!(stage.wide().contains("▸ primary"), "{}", stage.wide());
}

#[test]
fn replay_that_waits_for_queries_is_said_though_no_lock_tells_of_it() {
    let mut startup = locks::background(60, "startup");
    startup.wait = Some(Wait { class: "IPC".into(), event: "RecoveryConflictSnapshot".into() });
    let mut stage = on(only(vec![startup]));
    assert!(stage.wide().contains("replay waits (RecoveryConflictSnapshot)"), "{}", stage.wide());
}

#[test]
fn the_tab_carries_its_roots_from_everywhere_and_asks_at_the_visible_pace() {
    let mut stage = Stage::incident();
    stage.press("7");
    assert!(stage.wide().contains("4 Locks‼2"), "{}", stage.wide());
    stage.press("4");
    assert_eq!(stage.app.tab, Tab::Locks);
    let sessions = stage.app.demand().wanted.into_iter().find(|w| w.question == pgtriage::model::Question::Sessions);
    assert_eq!(sessions.map(|w| w.cadence), Some(pgtriage::model::Cadence::Every(std::time::Duration::from_secs(2))));
}

#[test]
fn the_row_and_its_statement_are_copied() {
    let mut stage = on(locks::pile_up());
    let effects = stage.press("j j y");
    assert!(
        matches!(&effects[..], [Effect::Copy(text)] if text.contains("5120") && text.contains("waits AccessExclusive orders")),
        "{effects:?}"
    );
    let effects = stage.press("Y");
    assert!(matches!(&effects[..], [Effect::Copy(text)] if text.starts_with("ALTER TABLE orders")), "{effects:?}");
}

/// A transaction prepared in the shop that these wait for.
fn prepared(gid: &str, age_s: f64, waiters: &[i32]) -> Prepared {
    let (owner, database) = ("shop_worker".into(), "shop".into());
    Prepared { gid: gid.into(), owner, database, age_s, waiters: waiters.to_vec(), exact: true }
}

#[test]
fn each_prepared_transaction_is_a_root_of_its_own_and_gives_the_sql_that_ends_it() {
    let waiter = |pid: i32| {
        locks::behind(locks::session(pid, 60.0, "UPDATE orders SET n = 1"), &[0], "transactionid", "ShareLock")
    };
    let mut sessions = only(vec![waiter(1), waiter(2), waiter(3)]);
    sessions.prepared =
        vec![prepared("half", 900.0, &[1, 2]), prepared("it's", 90.0, &[3]), prepared("calm", 9.0, &[])];
    let mut stage = on(sessions);
    assert_eq!(forest(&mut stage), ["prepared", "├─ 1", "└─ 2", "prepared", "└─ 3"]);
    let screen = stage.wide();
    assert!(
        screen.contains("'half' in shop") && screen.contains("shop_worker@shop") && !screen.contains("calm"),
        "{screen}"
    );
    assert!(screen.contains("15m") && screen.contains("▸ SQL"), "{screen}");
    stage.press("j j j");
    assert_eq!(stage.press("X"), []);
    assert!(stage.last_line().contains("only SQL ends it"), "{}", stage.last_line());
    assert_eq!(stage.press("Y"), [Effect::Copy("ROLLBACK PREPARED 'it''s';".to_owned())]);
    stage.press("Enter");
    let screen = stage.wide();
    assert!(screen.contains("ROLLBACK PREPARED 'it''s'") && screen.contains("other half of a distributed"), "{screen}");
    assert_eq!(stage.press("Y Enter"), [Effect::Copy("ROLLBACK PREPARED 'it''s';".to_owned())]);
}

#[test]
fn sessions_are_marked_where_they_have_a_line_and_a_folded_one_is_not_hit() {
    let mut stage = on(locks::pile_up());
    stage.press("j m m");
    assert_eq!(forest(&mut stage), ["4711", "└─ *4802", "└─ *5120 +1", "└─ 35 readers"]);
    stage.press("x");
    let screen = stage.wide();
    assert!(screen.contains("4802") && screen.contains("5120") && screen.contains("cancel 2"), "{screen}");
}

#[test]
fn what_is_said_of_one_row_goes_when_another_is_selected() {
    let mut stage = Stage::incident();
    stage.press("4 g x");
    let said = stage.app.notice.clone().map_or_else(String::new, |notice| notice.text);
    assert!(said.contains("a cancel cannot help") || said.contains("idle in a transaction"), "{said}");
    stage.press("j");
    assert_eq!(stage.app.notice, None);
}

#[test]
fn no_finding_offers_a_key_that_our_role_may_not_use() {
    let of = |superusers: &[&str]| {
        let mut stage = Stage::incident();
        let root = locks::root();
        let mut server = crate::stage::server();
        server.superusers = superusers.iter().map(|_| root.user.clone().unwrap()).collect();
        stage.take(Question::Server, Ok(Snapshot::Server(Box::new(server))));
        let found = stage.finding(Kind::Blocker);
        (found.action, found.todo.clone())
    };
    assert_eq!(of(&[]).0, Some(Command::TerminateBackend));
    let (action, todo) = of(&["postgres"]);
    assert_eq!(action, None);
    assert!(todo.ends_with("only a superuser may: oncall is none"), "{todo}");
}

#[test]
fn whom_a_root_frees_is_at_most_so_many_where_others_may_share_the_row() {
    let root =
        Session { state: Some(State::IdleInTransaction), ..locks::session(100, 700.0, "SELECT FROM t FOR SHARE") };
    let waits =
        |pid, by| locks::behind(locks::session(pid, 60.0, "UPDATE t SET a = 1"), &[by], "transactionid", "ShareLock");
    let mut first = waits(101, 100);
    let frees = |stage: &Stage| {
        let column = stage.app.locks.columns().iter().find(|c| c.name == "frees").unwrap();
        (column.cell)(stage.app.locks.all().first().unwrap()).text
    };
    for (shared, cell, words) in [(false, "2", "(frees 2"), (true, "≤2", "(frees at most 2")] {
        first.waits_for.as_mut().unwrap().shared = shared;
        let mut stage = on(only(vec![root.clone(), first.clone(), waits(102, 101)]));
        assert_eq!(frees(&stage), cell);
        assert!(stage.finding(Kind::Blocker).todo.contains(words), "{}", stage.finding(Kind::Blocker).todo);
        stage.press("2");
        let most = if shared { "at most " } else { "" };
        assert!(stage.wide().contains(&format!("100 holds up 2, frees {most}2")), "{}", stage.wide());
    }
    // Two who are both named: neither frees anybody alone.
    let both = locks::behind(
        locks::session(103, 60.0, "ALTER TABLE t ADD b int"),
        &[100, 104],
        "relation",
        "AccessExclusiveLock",
    );
    let stage = on(only(vec![root.clone(), Session { pid: 104, ..root }, both]));
    assert_eq!(frees(&stage), "0");
}
