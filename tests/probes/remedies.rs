//! The statements that a person is given to copy, on real servers: each does what it says. It must not test how they are shown.
use super::asking::{ask, client, run, sessions};
use crate::lab::{Lab, PRIMARY, SERVERS, Wanted};
use pgtriage::guard::Remedy;
use pgtriage::model::replica::Replication;
use pgtriage::model::{Question, Snapshot};
use std::time::Duration;
use tokio_postgres::Client;

/// Identifiers that a careless text would break on.
const HOSTILE: [&str; 4] = ["it's", "\\'; DROP TABLE orders; --", "new\nline\u{1b}[2J\u{7}", "é\u{202e}漢\u{85}"];

async fn replication(uri: &str) -> Replication {
    let Ok(Snapshot::Replication(answer)) = ask(uri, Question::Replication).await else { panic!("an answer") };
    *answer
}

async fn count(client: &Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).await.expect(sql).get(0)
}

async fn slots_and_replay(major: u32) {
    let Some(lab) = Lab::start(Wanted { postgres: Some(major), ..SERVERS }) else { return };
    let uri = lab.uri("postgres");
    let admin = client(&uri).await;

    // A slot that nobody reads from, and none that somebody does.
    run(&admin, "SELECT pg_create_physical_replication_slot('left_behind', true)").await;
    let seen = replication(&uri).await;
    assert!(seen.slots.iter().any(|slot| slot.active), "{:?}", seen.slots);
    let [remedy] = &Remedy::replication(&seen, None)[..] else { panic!("{seen:?}") };
    let sql = remedy.sql.clone().expect("it can be written");
    run(&admin, &sql).await;
    assert_eq!(count(&admin, "SELECT count(*) FROM pg_replication_slots WHERE NOT active").await, 0);

    // Replay that is paused.
    let there = lab.standby_uri("postgres");
    let standby = client(&there).await;
    assert!(Remedy::replication(&replication(&there).await, None).is_empty());
    run(&standby, "SELECT pg_wal_replay_pause()").await;
    let seen = replication(&there).await;
    let [remedy] = &Remedy::replication(&seen, None)[..] else { panic!("{seen:?}") };
    run(&standby, remedy.sql.as_ref().expect("it can be written")).await;
    assert!(!standby.query_one("SELECT pg_is_wal_replay_paused()", &[]).await.unwrap().get::<_, bool>(0));
}

async fn prepared_transactions(major: u32) {
    let Some(mut lab) = Lab::start(Wanted { postgres: Some(major), ..PRIMARY }) else { return };
    let uri = lab.uri("postgres");
    run(&client(&uri).await, "ALTER SYSTEM SET max_prepared_transactions = 9").await;
    lab.command("stop-primary fast");
    lab.command("start-primary");
    let admin = client(&uri).await;

    // Who waits for which is seen, and each is ended by its own statement alone.
    for (i, gid) in HOSTILE.iter().enumerate() {
        let quoted = admin.query_one("SELECT quote_literal($1::text)", &[gid]).await.unwrap().get::<_, String>(0);
        let sql = format!("BEGIN; UPDATE products SET stock = 1 WHERE id = {}; PREPARE TRANSACTION {quoted}", i + 1);
        run(&admin, &sql).await;
    }
    let mut waiting = Vec::new();
    for id in 1..=HOSTILE.len() {
        let waiter = client(&uri).await;
        let pid: i32 = waiter.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
        let sql = format!("UPDATE products SET stock = 2 WHERE id = {id}");
        waiting.push((pid, tokio::spawn(async move { waiter.batch_execute(&sql).await })));
    }
    let blocked = "SELECT count(*) FROM pg_stat_activity WHERE 0 = ANY(pg_blocking_pids(pid))";
    while count(&admin, blocked).await < 4 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let seen = sessions(&uri).await;
    for ((pid, task), gid) in waiting.into_iter().zip(HOSTILE) {
        let waiter = seen.rows.iter().find(|s| s.pid == pid).expect("the waiter");
        let [prepared] = seen.prepared_before(waiter)[..] else { panic!("{:?}", seen.prepared) };
        assert_eq!(prepared.gid.raw(), gid);
        let sql = Remedy::prepared(prepared).sql.expect("it can be written");
        assert!(!sql.chars().any(char::is_control), "{sql:?}");
        let before = count(&admin, "SELECT count(*) FROM pg_prepared_xacts").await;
        // Whatever the server thinks of backslashes.
        let setting = if pid % 2 == 0 { "on" } else { "off" };
        run(&admin, &format!("SET standard_conforming_strings = {setting}")).await;
        run(&admin, &sql).await;
        assert_eq!(count(&admin, "SELECT count(*) FROM pg_prepared_xacts").await, before - 1);
        task.await.unwrap().expect("the waiter goes on");
    }
}

#[tokio::test]
async fn the_sql_that_ends_a_prepared_transaction_does_so_whatever_its_name_on_13() {
    prepared_transactions(13).await;
}

#[tokio::test]
async fn the_sql_that_drops_a_slot_and_that_resumes_replay_do_so_on_13() {
    slots_and_replay(13).await;
}

#[tokio::test]
async fn the_sql_that_ends_a_prepared_transaction_does_so_whatever_its_name_on_15() {
    prepared_transactions(15).await;
}

#[tokio::test]
async fn the_sql_that_drops_a_slot_and_that_resumes_replay_do_so_on_15() {
    slots_and_replay(15).await;
}

#[tokio::test]
async fn the_sql_that_ends_a_prepared_transaction_does_so_whatever_its_name_on_18() {
    prepared_transactions(18).await;
}

#[tokio::test]
async fn the_sql_that_drops_a_slot_and_that_resumes_replay_do_so_on_18() {
    slots_and_replay(18).await;
}
