//! Locks: no question waits behind one, and what cannot be read because of one is said. It must not test the forest.
use super::asking::{Asking, ask, client, primary, queue, relations, run, sessions, with_database};
use pgtriage::model::cache::CacheState;
use pgtriage::model::relation::{RelationKey, RelationOrder};
use pgtriage::model::session::State;
use pgtriage::model::{ProbeError, Question, ServerText, Snapshot};
use std::time::{Duration, Instant};

async fn exclusive_locks(major: u32) {
    let Some(lab) = primary(major) else { return };
    let uri = lab.uri("postgres");
    let watcher = client(&uri).await;

    // Held.
    let holder = client(&uri).await;
    run(&holder, "BEGIN; LOCK TABLE orders, fraiseql_cache IN ACCESS EXCLUSIVE MODE").await;
    let began = Instant::now();
    let answer = relations(&uri, RelationOrder::Size).await;
    // Connecting and three other questions are in it.
    assert!(began.elapsed() < Duration::from_secs(1), "the tables took {:?}", began.elapsed());
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
}
