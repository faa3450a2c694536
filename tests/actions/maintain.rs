//! Vacuuming a table.

use std::time::Duration;

use pgtriage::effect::Request;
use pgtriage::effect::audit::EventKind;
use pgtriage::guard::{Approved, Write};
use pgtriage::message::Outcome;
use pgtriage::model::ServerText;
use pgtriage::model::relation::Relation;
use tokio_postgres::Client;

use super::bench::{Hands, approve, connect, last_action, lines, server, text, until, world};
use crate::lab::{Lab, PRIMARY, Wanted};

/// What the console would know of one table through `client`.
async fn relation(client: &Client, name: &str) -> Relation {
    let sql = "SELECT c.oid, n.nspname::text, c.relname::text, c.relkind::text FROM pg_class c
               JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relname = $1";
    let row = client.query_one(sql, &[&name]).await.expect("the table");
    Relation {
        oid: row.get(0),
        schema: ServerText::new(row.get::<_, String>(1)),
        name: ServerText::new(row.get::<_, String>(2)),
        kind: row.get::<_, &str>(3).chars().next().unwrap(),
        toast_of: None,
        bytes: 0,
        tuples: None,
        live: 0,
        dead: 0,
        modified: 0,
        inserted: 0,
        vacuum_s: None,
        autovacuum_s: None,
        analyze_s: None,
        autoanalyze_s: None,
        seq_scan: 0,
        seq_rows: 0,
        idx_scan: 0,
        autovacuum_on: true,
        vacuum_threshold: 0.0,
        insert_threshold: None,
        analyze_threshold: 0.0,
        xid_age: None,
        mxid_age: None,
        freeze_max_age: 0,
        bloat: None,
        locked: false,
    }
}

/// An approved vacuum of that table of the database that `watcher` is in.
async fn approved_vacuum(watcher: &Client, name: &str) -> Approved {
    let facts = server(watcher).await;
    let database = text(watcher, "SELECT current_database()::text").await.unwrap();
    let write = Write::vacuum(&relation(watcher, name).await, &database.as_str().into(), &facts);
    approve(write, &world(&facts, Vec::new()))
}

/// Makes the vacuums of our role crawl, so that one can be met at work: 100 ms of sleep for each page touched.
async fn crawl(owner: &Client, role: &str, on: bool) {
    let sql = if on {
        format!("ALTER ROLE {role} SET vacuum_cost_delay = '100ms'; ALTER ROLE {role} SET vacuum_cost_limit = 1")
    } else {
        format!("ALTER ROLE {role} RESET vacuum_cost_delay; ALTER ROLE {role} RESET vacuum_cost_limit")
    };
    owner.batch_execute(&sql).await.unwrap();
}

/// A table of `shop_owner`'s with so many pages and dead rows that a crawling vacuum takes minutes.
const BIG: &str = "SET ROLE shop_owner;
    CREATE TABLE big (id int, filler text) WITH (autovacuum_enabled = off);
    INSERT INTO big SELECT i, repeat('x', 500) FROM generate_series(1, 20000) i;
    DELETE FROM big WHERE id % 2 = 0;
    CREATE TABLE \"odd \"\"name.\né\" (id int);
    RESET ROLE";

async fn each_outcome_is_what_the_server_did(major: u32) {
    let Some(lab) = Lab::start(Wanted { postgres: Some(major), ..PRIMARY }) else { return };
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.jsonl");
    let watcher = connect(&lab.uri("postgres")).await;
    watcher.batch_execute(BIG).await.unwrap();
    let mut hands = Hands::ready(&lab.uri("oncall"), &log).await;

    // Done, whatever the table's name holds, and in whichever database it is.
    for name in ["big", "odd \"name.\né"] {
        let outcome = hands.take(approved_vacuum(&watcher, name).await).await;
        assert!(matches!(&outcome, Outcome::Done(words) if words.starts_with("finished in")), "{outcome:?}");
        let oid = relation(&watcher, name).await.oid;
        until(&watcher, &format!("pg_stat_get_last_vacuum_time({oid}) IS NOT NULL")).await;
        until(&watcher, &format!("pg_stat_get_last_analyze_time({oid}) IS NOT NULL")).await;
    }
    let billing = connect(&lab.uri("postgres").replace("/shop", "/billing")).await;
    let outcome = hands.take(approved_vacuum(&billing, "payments").await).await;
    assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    let oid = relation(&billing, "payments").await.oid;
    until(&billing, &format!("pg_stat_get_last_vacuum_time({oid}) IS NOT NULL")).await;
    assert_eq!(lines(&log).last().map(|line| line.server.database.clone()).as_deref(), Some("billing"));

    // Renamed, replaced, gone: nothing is sent.
    let renamed = approved_vacuum(&watcher, "odd \"name.\né").await;
    watcher.batch_execute("ALTER TABLE \"odd \"\"name.\né\" RENAME TO plain_name").await.unwrap();
    let expected = Outcome::Changed("it is now public.plain_name; nothing was sent".to_owned());
    assert_eq!(hands.take(renamed).await, expected);
    let gone = approved_vacuum(&watcher, "plain_name").await;
    watcher.batch_execute("DROP TABLE plain_name; CREATE TABLE plain_name (id int)").await.unwrap();
    assert_eq!(hands.take(gone).await, Outcome::Gone, "another table of that name is not the target");

    // Behind a lock: it gives up soon, and says whose.
    let holder = connect(&lab.uri("shop_owner")).await;
    holder.batch_execute("BEGIN; LOCK TABLE big IN SHARE MODE").await.unwrap();
    let pid = super::bench::pid(&holder).await;
    let expected = format!("gave up after 2 s behind a lock of {pid} (ShareLock)");
    assert_eq!(hands.take(approved_vacuum(&watcher, "big").await).await, Outcome::TimedOut(expected));
    holder.batch_execute("ROLLBACK").await.unwrap();

    // Stopped at work.
    crawl(&watcher, "oncall", true).await;
    let id = hands.ask(approved_vacuum(&watcher, "big").await);
    let pid = hands.started().await;
    until(&watcher, &format!("EXISTS (SELECT FROM pg_stat_progress_vacuum WHERE pid = {pid})")).await;
    hands.handle.ask(Request::StopJob { id }).unwrap();
    assert_eq!(hands.ended().await, Outcome::Cancelled);

    // Stopped before it has begun.
    let id = hands.ask(approved_vacuum(&watcher, "big").await);
    hands.handle.ask(Request::StopJob { id }).unwrap();
    assert_eq!(hands.ended().await, Outcome::Cancelled);

    // Somebody vacuums it already, seen by the job though not on the screen.
    hands.ask(approved_vacuum(&watcher, "big").await);
    let pid = hands.started().await;
    until(&watcher, &format!("EXISTS (SELECT FROM pg_stat_progress_vacuum WHERE pid = {pid})")).await;
    let expected = Outcome::Changed(format!("{pid} vacuums it already; nothing was sent"));
    assert_eq!(hands.take(approved_vacuum(&watcher, "big").await).await, expected);

    // Its session is ended by somebody else: what was done by then is not said.
    text(&watcher, &format!("SELECT pg_terminate_backend({pid})::text")).await;
    let outcome = hands.ended().await;
    assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");

    // The console ends while it works: it is cancelled, and the outcome is in the log.
    hands.ask(approved_vacuum(&watcher, "big").await);
    let pid = hands.started().await;
    until(&watcher, &format!("EXISTS (SELECT FROM pg_stat_progress_vacuum WHERE pid = {pid})")).await;
    hands.handle.finish().await;
    assert_eq!(last_action(&log), [(EventKind::Intent, None), (EventKind::Outcome, Some("cancelled".to_owned()))]);
    until(&watcher, &format!("NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = {pid})")).await;

    // Without the right to it, the server succeeds with a warning: that is no success.
    let mut hands = Hands::ready(&lab.uri("monitor"), &log).await;
    let outcome = hands.take(approved_vacuum(&watcher, "orders").await).await;
    let Outcome::Denied { cure, message } = outcome else { panic!("{outcome:?}") };
    let expected = if major >= 17 { "GRANT pg_maintain TO monitor" } else { "GRANT shop_owner TO monitor" };
    assert_eq!(cure, expected, "{message}");
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(lines(&log).last().is_some_and(|line| line.notices.iter().any(|n| n.starts_with("WARNING"))));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_outcome_of_a_vacuum_is_what_the_server_did_on_13() {
    each_outcome_is_what_the_server_did(13).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_outcome_of_a_vacuum_is_what_the_server_did_on_15() {
    each_outcome_is_what_the_server_did(15).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_outcome_of_a_vacuum_is_what_the_server_did_on_18() {
    each_outcome_is_what_the_server_did(18).await;
}
