//! What no action fits: where its statement is shown, and which key copies it.

use pgtriage::message::Effect;
use pgtriage::model::replica::{Replication, Standby};
use pgtriage::model::session::Prepared;

use crate::stage::{Stage, locks, replication};

fn prepared(gid: &str, database: &str, waiters: &[i32]) -> Prepared {
    Prepared {
        gid: gid.into(),
        owner: "shop".into(),
        database: database.into(),
        age_s: 723.0,
        waiters: waiters.to_vec(),
        exact: true,
    }
}

/// The pile-up, but behind a prepared transaction; the detail of who waits for it is open.
fn waiter_behind(prepared: Vec<Prepared>) -> Stage {
    let mut sessions = locks::pile_up();
    let waiter = sessions.rows.iter_mut().find(|s| s.pid == locks::ALTER).unwrap();
    (waiter.blocked_by, waiter.blockers) = (vec![0], 1);
    sessions.prepared = prepared;
    let mut stage = Stage::incident();
    stage.see(sessions);
    stage.press("/");
    stage.type_text(&locks::ALTER.to_string());
    stage.press("Enter Enter");
    stage
}

#[test]
fn a_waiter_behind_a_prepared_transaction_shows_the_sql_that_ends_it_and_copies_it() {
    let mut stage =
        waiter_behind(vec![prepared("elsewhere", "shop", &[]), prepared("it's\u{1b}[2J", "shop", &[locks::ALTER])]);
    let screen = stage.wide();
    assert!(screen.contains("ROLLBACK PREPARED E'it''s\\x1b[2J';"), "{screen}");
    assert!(screen.contains("in database shop, as shop or a superuser"), "{screen}");
    assert!(screen.contains("the other half of a distributed transaction"), "{screen}");
    assert!(!screen.contains("elsewhere"), "one that holds nothing that is awaited\n{screen}");
    assert_eq!(stage.press("Y"), [], "asks which: the SQL or the session's own statement");
    let effects = stage.press("Enter");
    assert_eq!(effects, [Effect::Copy("ROLLBACK PREPARED E'it''s\\x1b[2J';".to_owned())]);
}

#[test]
fn the_waiters_own_statement_can_still_be_copied() {
    let mut stage = waiter_behind(vec![prepared("a", "shop", &[locks::ALTER])]);
    assert_eq!(stage.press("Y Down Enter"), [Effect::Copy(locks::alter().query.raw().to_owned())]);
}

#[test]
fn where_it_was_not_seen_which_of_several_blocks_all_of_the_database_are_named_as_candidates() {
    let all = vec![prepared("one", "shop", &[]), prepared("two", "shop", &[]), prepared("far", "other", &[])];
    let screen = waiter_behind(all).wide();
    assert!(screen.contains("one or more of these 2"), "{screen}");
    assert!(screen.contains("'one'") && screen.contains("'two'") && !screen.contains("'far'"), "{screen}");
}

#[test]
fn an_identifier_that_is_a_guess_is_said_and_not_copied() {
    let guess = Prepared { exact: false, ..prepared("caf\u{c3}", "shop", &[locks::ALTER]) };
    let mut stage = waiter_behind(vec![guess]);
    assert!(stage.wide().contains("its identifier is not UTF-8"), "{}", stage.wide());
    assert_eq!(stage.press("Y"), [Effect::Copy(locks::alter().query.raw().to_owned())]);
}

#[test]
fn a_standby_that_is_gone_shows_how_to_drop_its_slot() {
    let mut stage = Stage::incident();
    assert!(stage.press("6").is_empty());
    assert!(stage.wide().contains("Enter: the SQL that drops an inactive one"), "{}", stage.wide());
    stage.press("/");
    stage.type_text("replica-2");
    stage.press("Enter Enter");
    let screen = stage.wide();
    assert!(screen.contains("SELECT pg_drop_replication_slot('replica_2');"), "{screen}");
    assert!(screen.contains("it must find the WAL in an archive or be rebuilt"), "{screen}");
    assert!(!screen.contains("'replica_1'"), "an active one is not offered\n{screen}");
    let sql = "SELECT pg_drop_replication_slot('replica_2');".to_owned();
    assert_eq!(stage.press("Y Enter"), [Effect::Copy(sql)]);
}

/// This server as a standby whose replay is paused.
fn paused() -> Standby {
    Standby {
        paused: true,
        receive_lsn: None,
        replay_lsn: None,
        gap: Some(3 << 30),
        lag_s: None,
        last_replay_s: None,
        receiver_hidden: false,
        receiver: None,
        sender: None,
        sender_port: None,
        slot: None,
        heard_s: None,
    }
}

#[test]
fn a_standby_without_standbys_of_its_own_opens_what_resumes_its_replay() {
    let paused = Replication { standby: Some(paused()), ..Replication::default() };
    let mut stage = Stage::new().up().replication(paused);
    stage.press("6");
    assert!(stage.wide().contains("REPLAY PAUSED (Enter: the SQL that resumes it)"), "{}", stage.wide());
    stage.press("Enter");
    let screen = stage.wide();
    assert!(screen.contains("goes on to promote this server") && screen.contains("3.0 GB wait"), "{screen}");
    assert_eq!(stage.press("Y Enter"), [Effect::Copy("SELECT pg_wal_replay_resume();".to_owned())]);
    // Where nothing is in the way there is nothing to open.
    let mut calm = Stage::new().up().replication(Replication { slots: Vec::new(), ..replication::after() });
    calm.press("6 Enter");
    assert!(!calm.wide().contains("what no action here does"), "{}", calm.wide());
}

#[test]
fn a_name_in_the_box_of_health_does_not_touch_its_sign_and_one_standby_is_one() {
    let own = Replication { standby: Some(paused()), ..Replication::default() };
    let mut stage = Stage::calm().replication(own);
    stage.press("1");
    let screen = stage.wide();
    assert!(screen.contains("│  standby     ✗ receives nothing"), "{screen}");
    let mut hidden = replication::calm();
    hidden.replicas.truncate(1);
    hidden.replicas.iter_mut().for_each(|replica| replica.hidden = true);
    let mut stage = Stage::calm().replication(hidden);
    stage.press("6");
    assert!(stage.wide().contains("! 1 standby is hidden from oncall"), "{}", stage.wide());
}
