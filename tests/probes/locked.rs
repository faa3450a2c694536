//! Locks: no question waits behind one, and what cannot be read because of one is said. It must not test the forest.
use super::asking::{Asking, ask, client, primary, queue, relations, run, sessions, with_database};
use pgtriage::model::cache::CacheState;
use pgtriage::model::lock::LockGraph;
use pgtriage::model::relation::{RelationKey, RelationOrder};
use pgtriage::model::session::{Session, State};
use pgtriage::model::{ProbeError, Question, ServerText, Snapshot};
use pgtriage::probe::sql::{SESSIONS_NOJOIN, Value};
use std::time::{Duration, Instant};
use tokio_postgres::{Client, SimpleQueryMessage};

async fn exclusive_locks(major: u32) {
    let Some(lab) = primary(major) else { return };
    let uri = lab.uri("postgres");
    let watcher = client(&uri).await;

    // Held.
    let holder = client(&uri).await;
    run(&holder, "BEGIN; LOCK TABLE orders, fraiseql_cache IN ACCESS EXCLUSIVE MODE").await;
    let began = Instant::now();
    let answer = relations(&uri, RelationOrder::Size).await;
    // Connecting and three other questions are in it; who waited for the lock would do so for the lane's 15 s.
    assert!(began.elapsed() < Duration::from_secs(6), "the tables took {:?}", began.elapsed());
    let locked: Vec<&str> = answer.rows.iter().filter(|r| r.locked).map(|r| r.name.raw()).collect();
    assert!(locked.contains(&"orders") && locked.contains(&"fraiseql_cache"), "{locked:?}");
    assert!(!locked.contains(&"customers"));

    let oid = answer.rows.iter().find(|r| r.name.raw() == "orders").expect("the table").oid;
    let exact = Question::ExactBloat(RelationKey { database: "shop".into(), oid });
    assert!(matches!(ask(&uri, exact.clone()).await, Err(ProbeError::Locked(_))));
    assert!(matches!(ask(&uri, Question::CacheTable).await, Err(ProbeError::Locked(_))));
    run(&holder, "ROLLBACK").await;

    // Only queued: it would make us wait just the same.
    run(&holder, "BEGIN; SELECT FROM orders LIMIT 1").await;
    let waiting = queue(client(&uri).await, "ALTER TABLE orders ADD COLUMN note text", &watcher).await;
    let answer = relations(&uri, RelationOrder::Size).await;
    assert!(answer.rows.iter().any(|r| r.name.raw() == "orders" && r.locked));
    assert!(matches!(ask(&uri, exact.clone()).await, Err(ProbeError::Locked(_))));

    // And who waits for whom is in the sessions.
    let seen = sessions(&uri).await;
    let waiter = seen.rows.iter().find(|s| s.query.raw().starts_with("ALTER TABLE")).expect("the waiter");
    let wait = waiter.waits_for.as_ref().expect("what it waits for");
    assert_eq!((wait.mode.as_str(), wait.locktype.as_str()), ("AccessExclusiveLock", "relation"));
    assert_eq!(wait.relation.as_ref().map(ServerText::raw), Some("orders"));
    assert!(wait.waited_s.is_some_and(|s| (0.0..20.0).contains(&s)));
    assert_eq!((waiter.blocked_by.len(), waiter.blockers), (1, 1));
    let root = seen.rows.iter().find(|s| s.pid == waiter.blocked_by[0]).expect("the root");
    assert!(root.state.is_some_and(State::is_idle_in_transaction));
    let held = match ask(&uri, Question::SessionLocks(root.key())).await {
        Ok(Snapshot::SessionLocks(held)) => held,
        other => panic!("{other:?}"),
    };
    assert!(held.iter().any(|l| l.object.raw() == "orders" && l.mode == "AccessShareLock" && l.granted), "{held:?}");

    run(&holder, "ROLLBACK").await;
    waiting.await.expect("the ALTER TABLE ended");
    let Ok(Snapshot::ExactBloat(exact)) = ask(&uri, exact).await else { panic!("it can be measured again") };
    assert!(exact.table_bytes > 0 && exact.scanned_percent >= 0.0);
    let Ok(Snapshot::CacheTable(cache)) = ask(&uri, Question::CacheTable).await else { panic!("it can be read again") };
    let CacheState::Read(contents) = cache.state else { panic!("{:?}", cache.state) };
    assert_eq!((contents.rows, contents.sampled), (300, false));
    assert_eq!(contents.views.first().map(|v| (v.view.raw(), v.rows)), Some(("product", 300)));
}

#[tokio::test]
async fn nothing_waits_behind_an_exclusive_lock_on_13() {
    exclusive_locks(13).await;
}

#[tokio::test]
async fn nothing_waits_behind_an_exclusive_lock_on_18() {
    exclusive_locks(18).await;
}

/// Who keeps vacuum out of that table, as the list says: the pid, the mode and how many others.
async fn barred(uri: &str, name: &str) -> Option<(Option<i32>, String, i64)> {
    let answer = relations(uri, RelationOrder::Name).await;
    let row = answer.rows.iter().find(|r| r.name.raw() == name).expect("the table");
    row.barred.as_ref().map(|b| (b.pid, b.mode.clone(), b.others))
}

async fn pid(client: &Client) -> i32 {
    client.query_one("SELECT pg_backend_pid()", &[]).await.expect("an answer").get(0)
}

async fn kept_out(major: u32) {
    let Some(lab) = primary(major) else { return };
    // Whoever may see nothing of others still sees their locks.
    let (uri, plain) = (lab.uri("postgres"), lab.uri("plain"));
    let holder = client(&uri).await;
    let own = pid(&holder).await;
    assert_eq!(barred(&uri, "orders").await, None);
    for mode in ["ROW EXCLUSIVE", "ACCESS SHARE"] {
        run(&holder, &format!("BEGIN; LOCK TABLE orders IN {mode} MODE")).await;
        assert_eq!(barred(&uri, "orders").await, None, "{mode} on {major} lets vacuum in");
        run(&holder, "ROLLBACK").await;
    }
    let modes =
        ["ShareUpdateExclusiveLock", "ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"];
    let words = ["SHARE UPDATE EXCLUSIVE", "SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE"];
    for (mode, word) in modes.into_iter().zip(words) {
        run(&holder, &format!("BEGIN; LOCK TABLE orders IN {word} MODE")).await;
        for uri in [&uri, &plain] {
            assert_eq!(barred(uri, "orders").await, Some((Some(own), mode.to_owned(), 0)), "on {major}");
        }
        let answer = relations(&uri, RelationOrder::Name).await;
        let locked: Vec<&str> = answer.rows.iter().filter(|r| r.locked).map(|r| r.name.raw()).collect();
        assert_eq!(locked, if mode == "AccessExclusiveLock" { vec!["orders"] } else { vec![] }, "{mode} on {major}");
        assert_eq!(answer.rows.iter().filter(|r| r.barred.is_some()).count(), 1, "{mode} on {major}");
        run(&holder, "ROLLBACK").await;
    }
    // After ANALYZE the lock stays to the transaction's end; two may build an index at once.
    run(&holder, "BEGIN; ANALYZE orders").await;
    assert_eq!(barred(&uri, "orders").await, Some((Some(own), modes[0].to_owned(), 0)), "on {major}");
    run(&holder, "ROLLBACK; BEGIN; CREATE INDEX kept_out ON orders (id)").await;
    let other = client(&uri).await;
    run(&other, "BEGIN; LOCK TABLE orders IN SHARE MODE").await;
    let first = own.min(pid(&other).await);
    let Some((by, mode, others)) = barred(&uri, "orders").await else { panic!("on {major}: two builds bar nobody") };
    assert_eq!((by, others), (Some(first), 1), "on {major}: {mode}");
    run(&holder, "ROLLBACK").await;
    run(&other, "ROLLBACK").await;

    // A vacuum is not kept out by itself, nor is it said of who only waits.
    let large = "CREATE TABLE large WITH (autovacuum_enabled = off) AS
                 SELECT g, repeat('x', 500) AS b FROM generate_series(1, 20000) g";
    run(&other, large).await;
    let vacuum = client(&uri).await;
    let worker = pid(&vacuum).await;
    run(&vacuum, "SET vacuum_cost_delay = 100; SET vacuum_cost_limit = 1").await;
    let at_work = tokio::spawn(async move { vacuum.batch_execute("VACUUM large").await });
    let began = Instant::now();
    while relations(&uri, RelationOrder::Name).await.vacuums.iter().all(|v| v.pid != worker) {
        assert!(began.elapsed() < Duration::from_secs(20) && !at_work.is_finished(), "the vacuum works on {major}");
    }
    for uri in [&uri, &plain] {
        assert_eq!(barred(uri, "large").await, None, "on {major}: the vacuum that works is no reason");
    }
    run(&holder, &format!("SELECT pg_cancel_backend({worker})")).await;
    assert!(at_work.await.expect("it ended").is_err());
    run(&holder, "BEGIN; SELECT FROM orders LIMIT 1").await;
    let waiting = queue(client(&uri).await, "ALTER TABLE orders ADD COLUMN more text", &other).await;
    let answer = relations(&uri, RelationOrder::Name).await;
    assert!(answer.rows.iter().any(|r| r.locked && r.barred.is_none()), "on {major}");
    run(&holder, "ROLLBACK").await;
    waiting.await.expect("the ALTER TABLE ended");
}

#[tokio::test]
async fn who_holds_a_lock_that_keeps_vacuum_out_is_named_on_13() {
    kept_out(13).await;
}

#[tokio::test]
async fn who_holds_a_lock_that_keeps_vacuum_out_is_named_on_15() {
    kept_out(15).await;
}

#[tokio::test]
async fn who_holds_a_lock_that_keeps_vacuum_out_is_named_on_18() {
    kept_out(18).await;
}

#[tokio::test]
async fn sessions_come_with_their_names_while_a_catalog_of_names_is_locked() {
    let Some(lab) = primary(15) else { return };
    let uri = lab.uri("postgres");
    let watched = client(&with_database(&uri, "shop")).await;
    run(&watched, "SET application_name = 'watched'").await;
    for catalog in ["pg_authid", "pg_database", "pg_class"] {
        let holder = client(&uri).await;
        let mut asking = Asking::of(&uri, &[Question::Sessions]);
        asking.sample_with(&Question::Sessions, |s| s.answer.is_ok()).await;
        run(&holder, &format!("BEGIN; LOCK TABLE pg_catalog.{catalog} IN ACCESS EXCLUSIVE MODE")).await;
        for _ in 0..4 {
            let sample = asking.sample(&Question::Sessions).await;
            assert!(sample.took < Duration::from_secs(1), "{catalog}: {:?}", sample.took);
            let Ok(Snapshot::Sessions(sessions)) = sample.answer else { panic!("{catalog}: {:?}", sample.answer) };
            let session = sessions.rows.iter().find(|s| s.application.raw() == "watched").expect("the session");
            assert_eq!(session.user.as_ref().map(ServerText::raw), Some("postgres"), "{catalog}");
            assert_eq!(session.database.as_ref().map(ServerText::raw), Some("shop"), "{catalog}");
        }
        run(&holder, "ROLLBACK").await;
    }
}

#[tokio::test]
async fn a_waiter_with_many_blockers_shows_the_first_and_their_true_number() {
    let Some(lab) = primary(18) else { return };
    let uri = lab.uri("postgres");
    let watcher = client(&uri).await;
    let mut readers = Vec::new();
    for _ in 0..70 {
        let reader = client(&uri).await;
        run(&reader, "BEGIN; SELECT FROM carts LIMIT 1").await;
        readers.push(reader);
    }
    let waiting = queue(client(&uri).await, "TRUNCATE carts", &watcher).await;
    let seen = sessions(&uri).await;
    let waiter = seen.rows.iter().find(|s| s.query.raw().starts_with("TRUNCATE")).expect("the waiter");
    assert_eq!((waiter.blocked_by.len(), waiter.blockers), (64, 70));
    waiting.abort();
}

#[tokio::test]
async fn a_prepared_transaction_blocks_as_pid_0_and_is_named() {
    let Some(mut lab) = primary(18) else { return };
    let uri = lab.uri("postgres");
    {
        let admin = client(&uri).await;
        admin.batch_execute("ALTER SYSTEM SET max_prepared_transactions = 5").await.expect("a setting");
    }
    lab.command("stop-primary fast");
    lab.command("start-primary");
    let (holder, watcher) = (client(&uri).await, client(&uri).await);
    run(&holder, "BEGIN; UPDATE products SET stock = 1 WHERE id = 1; PREPARE TRANSACTION 'it''s \\ odd'").await;
    let waiting = queue(client(&uri).await, "UPDATE products SET stock = 2 WHERE id = 1", &watcher).await;
    let seen = sessions(&uri).await;
    let waiter = seen.rows.iter().find(|s| !s.blocked_by.is_empty()).expect("the waiter");
    assert_eq!(waiter.blocked_by, [0]);
    let prepared = seen.prepared.first().expect("the prepared transaction");
    assert_eq!(
        (prepared.gid.raw(), prepared.owner.raw(), prepared.database.raw()),
        ("it's \\ odd", "postgres", "shop")
    );
    assert!(prepared.age_s < 20.0);
    run(&holder, "ROLLBACK PREPARED 'it''s \\ odd'").await;
    waiting.await.expect("the UPDATE went on");

    // It shares a row as others do.
    let key = format!("{KEY}; PREPARE TRANSACTION 'row'");
    assert_eq!(freed(18, &uri, &[UPDATE, &key], &[LOCK]).await, "at most 1");
}

/// What is said of whom the first of these frees, while the others wait for a row, and whether both questions say it.
async fn freed(major: u32, uri: &str, holders: &[&str], waits: &[&'static str]) -> String {
    let watcher = client(uri).await;
    let mut held = Vec::new();
    for sql in holders {
        let holder = client(uri).await;
        run(&holder, &format!("BEGIN; {sql}")).await;
        held.push(holder);
    }
    let mut waiting = Vec::new();
    for sql in waits {
        waiting.push(queue(client(uri).await, sql, &watcher).await);
    }
    let seen = sessions(uri).await;
    let first = |s: &&Session| s.waits_for.as_ref().is_some_and(|lock| lock.locktype == "transactionid");
    let waiter = seen.rows.iter().find(first).expect("the first in the queue");
    assert_eq!(waiter.blocked_by.len(), 1, "the server names one: {waiter:?}");
    let words = LockGraph::of(&seen.rows).weight(waiter.blocked_by[0]).freed();
    let doubted = |s: &&Session| s.waits_for.as_ref().is_some_and(|lock| lock.shared);
    let doubted: Vec<String> = seen.rows.iter().filter(doubted).map(|s| s.pid.to_string()).collect();
    assert_eq!(doubted_without_names(major, &watcher).await, doubted, "{major}: {holders:?}, {waits:?}");
    for (holder, sql) in held.iter().zip(holders) {
        run(holder, if sql.contains("PREPARE") { "ROLLBACK PREPARED 'row'" } else { "ROLLBACK" }).await;
    }
    for waiting in waiting {
        waiting.await.expect("it goes on once nobody locks the row");
    }
    words
}

/// The pids whose blockers may be more than are named, as the question without names says.
async fn doubted_without_names(major: u32, watcher: &Client) -> Vec<String> {
    let values = [("known", Value::Integer(0))];
    let statement = SESSIONS_NOJOIN.render(i32::try_from(major).unwrap(), &values).expect("a statement");
    let messages = watcher.simple_query(&statement).await.expect("an answer");
    let rows = messages.iter().filter_map(|m| if let SimpleQueryMessage::Row(row) = m { Some(row) } else { None });
    let doubted = rows.filter(|row| row.get("shared") == Some("t")).filter_map(|row| row.get("pid"));
    let mut pids: Vec<i32> = doubted.map(|pid| pid.parse().expect("a pid")).collect();
    pids.sort_unstable();
    pids.iter().map(ToString::to_string).collect()
}

const UPDATE: &str = "UPDATE products SET stock = stock WHERE id = 1";
const LOCK: &str = "SELECT FROM products WHERE id = 1 FOR UPDATE";
const SHARE: &str = "SELECT FROM products WHERE id = 1 FOR SHARE";
const KEY: &str = "SELECT FROM products WHERE id = 1 FOR KEY SHARE";

async fn sharers(major: u32) {
    let Some(lab) = primary(major) else { return };
    let uri = lab.uri("postgres");
    let said = async |holders: &[&str], waits: &[&'static str]| freed(major, &uri, holders, waits).await;
    assert_eq!(said(&[SHARE], &[UPDATE]).await, "1", "{major}: it is alone");
    assert_eq!(said(&[SHARE, SHARE], &[UPDATE]).await, "at most 1", "{major}: the other one is not named");
    // Who has written the row does not share it, whoever locks others of the table.
    let other = "SELECT FROM products WHERE id = 2 FOR UPDATE";
    assert_eq!(said(&[UPDATE, other], &[UPDATE]).await, "1", "{major}");
    // One updated the row and one has its key, by itself or by a foreign key: who wants all of it waits for both.
    let line = "INSERT INTO order_items VALUES (1, 900, 1, 1)";
    for key in [KEY, line] {
        assert_eq!(said(&[UPDATE, key], &[LOCK]).await, "at most 1", "{major}: {key}");
        assert_eq!(said(&[key, UPDATE], &[LOCK]).await, "at most 1", "{major}: {key} first");
        // And be it in the second place, where the first does not mind the key.
        assert_eq!(said(&[UPDATE, key], &[UPDATE, LOCK]).await, "at most 2", "{major}: {key}");
        assert_eq!(said(&[UPDATE, key], &[UPDATE, UPDATE]).await, "2", "{major}: {key} stops no update");
        assert_eq!(said(&[UPDATE, key], &[SHARE]).await, "1", "{major}: {key} goes with a share");
    }
    // A pile-up on a row that one has written, whatever they want; and keys that wait for one who has all of the row.
    assert_eq!(said(&[UPDATE], &[UPDATE, LOCK, UPDATE, LOCK]).await, "4", "{major}");
    assert_eq!(said(&[UPDATE, "UPDATE products SET stock = 1 WHERE id = 2"], &[LOCK]).await, "1", "{major}");
    assert_eq!(said(&[LOCK, other], &[KEY, KEY]).await, "2", "{major}");
}

#[tokio::test]
async fn whoever_shares_a_row_with_another_is_not_said_to_free_its_waiters_on_13() {
    sharers(13).await;
}

#[tokio::test]
async fn whoever_shares_a_row_with_another_is_not_said_to_free_its_waiters_on_15() {
    sharers(15).await;
}

#[tokio::test]
async fn whoever_shares_a_row_with_another_is_not_said_to_free_its_waiters_on_18() {
    sharers(18).await;
}
