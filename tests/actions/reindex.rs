//! Reindexing, and dropping what a failed one left.

use std::time::Duration;

use pgtriage::effect::Request;
use pgtriage::guard::{Approved, Named, Object, Task, Write};
use pgtriage::message::Outcome;
use pgtriage::model::index::{Fault, IndexOrder, Indexes};
use pgtriage::model::relation::RelationKey;
use pgtriage::model::{Question, Sample, ServerText, Snapshot, Timestamp};
use tokio_postgres::Client;

use super::bench::{Hands, approve, connect, server, text, until, world};
use super::maintain::approved_task;
use crate::lab::{Lab, PRIMARY, SERVERS, Wanted};
use crate::probes::asking::ask;

const TABLE: &str = "SET ROLE shop_owner;
    CREATE TABLE big (id int PRIMARY KEY, filler text);
    INSERT INTO big SELECT i, repeat('x', 50) FROM generate_series(1, 5000) i;
    CREATE INDEX \"big \"\"odd\" ON big (filler);
    RESET ROLE";

pub async fn named(client: &Client, oid: u32) -> Named {
    let sql = "SELECT n.nspname::text, c.relname::text, c.relkind::text, current_database()::text FROM pg_class c
               JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1";
    let row = client.query_one(sql, &[&oid]).await.expect("the relation");
    Named {
        key: RelationKey { database: ServerText::new(row.get::<_, String>(3)), oid },
        schema: ServerText::new(row.get::<_, String>(0)),
        name: ServerText::new(row.get::<_, String>(1)),
        kind: row.get::<_, &str>(2).chars().next().unwrap(),
    }
}

/// An approved task done to the index of that name.
async fn approved_index(watcher: &Client, task: Task, name: &str) -> Approved {
    let sql = "SELECT i.indexrelid, i.indrelid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
               WHERE c.relname = $1";
    let row = watcher.query_one(sql, &[&name]).await.expect("the index");
    let target = Object::Index { index: named(watcher, row.get(0)).await, table: named(watcher, row.get(1)).await };
    let facts = server(watcher).await;
    approve(Write::maintain(task, target, &facts), &world(&facts, Vec::new()))
}

async fn file(watcher: &Client, name: &str) -> Option<String> {
    text(watcher, &format!("SELECT relfilenode::text FROM pg_class WHERE relname = '{name}'")).await
}

/// The indexes of the table that are not valid.
async fn invalid(watcher: &Client) -> Option<String> {
    let sql = "SELECT string_agg(indexrelid::regclass::text, ', ') FROM pg_index
               WHERE indrelid = 'big'::regclass AND NOT indisvalid";
    text(watcher, sql).await
}

fn changed(outcome: &Outcome, words: &str) {
    assert!(matches!(outcome, Outcome::Changed(said) if said.contains(words)), "{outcome:?}, not: {words}");
}

async fn each_outcome_is_what_the_server_did(major: u32) {
    let Some(lab) = Lab::start(Wanted { postgres: Some(major), ..SERVERS }) else { return };
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.jsonl");
    let watcher = connect(&lab.uri("postgres")).await;
    watcher.batch_execute(TABLE).await.unwrap();
    let mut hands = Hands::ready(&lab.uri("oncall"), &log).await;

    // Done: the owner's member before 17, pg_maintain from then on; then a superuser.
    let before = file(&watcher, "big_pkey").await;
    let outcome = hands.take(approved_task(&watcher, Task::Reindex, "big").await).await;
    assert!(matches!(&outcome, Outcome::Done(words) if words.starts_with("finished in")), "{outcome:?}");
    let after = file(&watcher, "big_pkey").await;
    assert_ne!(after, before, "it has another file now");
    let outcome = hands.take(approved_index(&watcher, Task::Reindex, "big \"odd").await).await;
    assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    let mut root = Hands::ready(&lab.uri("postgres"), &log).await;
    let outcome = root.take(approved_index(&watcher, Task::Reindex, "big_pkey").await).await;
    assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");

    // Renamed, replaced, gone: nothing is sent.
    let renamed = approved_index(&watcher, Task::Reindex, "big \"odd").await;
    watcher.batch_execute("ALTER INDEX \"big \"\"odd\" RENAME TO plain_index").await.unwrap();
    changed(&hands.take(renamed).await, "it is now public.plain_index; nothing was sent");
    let gone = approved_index(&watcher, Task::Reindex, "plain_index").await;
    watcher.batch_execute("DROP INDEX plain_index; CREATE INDEX plain_index ON big (filler)").await.unwrap();
    assert_eq!(hands.take(gone).await, Outcome::Gone);

    // Without the right to it.
    let mut observer = Hands::ready(&lab.uri("monitor"), &log).await;
    let Outcome::Denied { cure, .. } = observer.take(approved_task(&watcher, Task::Reindex, "big").await).await else {
        panic!("not denied");
    };
    let expected = if major >= 17 { "GRANT MAINTAIN ON public.big TO monitor" } else { "GRANT shop_owner TO monitor" };
    assert_eq!(cure, expected);

    // On a standby the server is another one than was asked about.
    let mut elsewhere = Hands::ready(&lab.standby_uri("oncall"), &log).await;
    changed(&elsewhere.take(approved_task(&watcher, Task::Reindex, "big").await).await, "or is another one");

    what_is_left_is_said_and_dropped(&lab, &watcher, &mut hands, &log).await;
}

async fn what_is_left_is_said_and_dropped(lab: &Lab, watcher: &Client, hands: &mut Hands, log: &std::path::Path) {
    // A transaction that has written to the table: the build waits for it, and gives up.
    let holder = connect(&lab.uri("shop_owner")).await;
    holder.batch_execute("BEGIN; INSERT INTO big VALUES (-1, '')").await.unwrap();
    let outcome = hands.take(approved_index(watcher, Task::Reindex, "big_pkey").await).await;
    let left = invalid(watcher).await.expect("an invalid index");
    assert_eq!(left, "big_pkey_ccnew");
    let expected = "gave up after it had waited 10 s for a transaction that began before it; not valid on its table now, \
                    to be dropped: big_pkey_ccnew";
    assert_eq!(outcome, Outcome::TimedOut(expected.to_owned()));

    // Somebody builds an index of the table: neither a second one nor the drop of what looks like a leftover. The builder
    // gives up after 10 s, so whoever meets it is ready before.
    let mut root = Hands::ready(&lab.uri("postgres"), log).await;
    let mut owner = Hands::ready(&lab.uri("shop_owner"), log).await;
    let id = hands.ask(approved_index(watcher, Task::Reindex, "plain_index").await);
    let builder = hands.started().await;
    until(watcher, &format!("EXISTS (SELECT FROM pg_stat_progress_create_index WHERE pid = {builder})")).await;
    let other = owner.take(approved_index(watcher, Task::Reindex, "big_pkey").await).await;
    // The owner may not see how far others are, but sees their locks.
    changed(&other, &format!("{builder} holds ShareUpdateExclusiveLock on its table; nothing was sent"));
    changed(
        &owner.take(approved_index(watcher, Task::DropInvalid, "big_pkey_ccnew").await).await,
        &format!("{builder} holds ShareUpdateExclusiveLock on its table; nothing was sent"),
    );
    changed(
        &root.take(approved_index(watcher, Task::DropInvalid, "big_pkey_ccnew").await).await,
        &format!("{builder} builds an index of its table; nothing was sent"),
    );
    changed(
        &root.take(approved_task(watcher, Task::VacuumAnalyze, "big").await).await,
        &format!("{builder} builds an index of it; nothing was sent"),
    );

    // Stopped: what it leaves is named.
    hands.handle.ask(Request::StopJob { id }).unwrap();
    let Outcome::Cancelled(words) = hands.ended().await else { panic!("not cancelled") };
    assert_eq!(words, "not valid on its table now, to be dropped: big_pkey_ccnew, plain_index_ccnew");

    // Somebody drops it already, and waits: so it is invalid, and no leftover.
    let dropper = connect(&lab.uri("postgres")).await;
    let pid: i32 = dropper.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
    watcher.batch_execute("CREATE TABLE lesser (a int); CREATE INDEX lesser_a ON lesser (a)").await.unwrap();
    let writer = connect(&lab.uri("postgres")).await;
    writer.batch_execute("BEGIN; INSERT INTO lesser VALUES (1)").await.unwrap();
    tokio::spawn(async move { dropper.batch_execute("DROP INDEX CONCURRENTLY lesser_a").await });
    until(watcher, "NOT (SELECT indisvalid FROM pg_index WHERE indexrelid = 'lesser_a'::regclass)").await;
    changed(
        &root.take(approved_index(watcher, Task::DropInvalid, "lesser_a").await).await,
        &format!("{pid} drops it already; nothing was sent"),
    );
    writer.batch_execute("ROLLBACK").await.unwrap();
    until(watcher, "to_regclass('lesser_a') IS NULL").await;

    // The leftover is dropped once nobody uses the table; what is valid is not, nor by whom it does not belong to.
    holder.batch_execute("ROLLBACK").await.unwrap();
    let mut observer = Hands::ready(&lab.uri("monitor"), log).await;
    let denied = observer.take(approved_index(watcher, Task::DropInvalid, "big_pkey_ccnew").await).await;
    assert!(matches!(&denied, Outcome::Denied { cure, .. } if cure == "GRANT shop_owner TO monitor"), "{denied:?}");
    let gone = approved_index(watcher, Task::DropInvalid, "big_pkey_ccnew").await;
    for name in ["big_pkey_ccnew", "plain_index_ccnew"] {
        let outcome = owner.take(approved_index(watcher, Task::DropInvalid, name).await).await;
        assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    }
    assert_eq!(invalid(watcher).await, None);
    assert_eq!(owner.take(gone).await, Outcome::Gone);
    for name in ["big_pkey", "plain_index"] {
        changed(
            &owner.take(approved_index(watcher, Task::DropInvalid, name).await).await,
            "it is valid; nothing was sent",
        );
    }

    // One that is not valid, but that a constraint or a partitioned index stands on.
    let (oid, kept) =
        ("(SELECT 'big_pkey'::regclass::oid)", approved_index(watcher, Task::DropInvalid, "big_pkey").await);
    watcher.batch_execute(&format!("UPDATE pg_index SET indisvalid = false WHERE indexrelid = {oid}")).await.unwrap();
    changed(&root.take(kept).await, "a constraint needs it; nothing was sent");
    watcher.batch_execute(&format!("UPDATE pg_index SET indisvalid = true WHERE indexrelid = {oid}")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn each_outcome_of_a_reindex_is_what_the_server_did_on_13() {
    each_outcome_is_what_the_server_did(13).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_outcome_of_a_reindex_is_what_the_server_did_on_15() {
    each_outcome_is_what_the_server_did(15).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_outcome_of_a_reindex_is_what_the_server_did_on_18() {
    each_outcome_is_what_the_server_did(18).await;
}

/// The indexes as the list has them.
async fn listed(lab: &Lab) -> Indexes {
    let question = Question::Indexes { database: None, order: IndexOrder::Faults };
    match ask(&lab.uri("shop_owner"), question).await {
        Ok(Snapshot::Indexes(indexes)) => *indexes,
        other => panic!("{other:?}"),
    }
}

async fn from_the_list_to_a_clean_list(major: u32) {
    let Some(lab) = Lab::start(Wanted { postgres: Some(major), ..PRIMARY }) else { return };
    let folder = tempfile::tempdir().unwrap();
    let watcher = connect(&lab.uri("postgres")).await;
    let failed = "SET ROLE shop_owner; CREATE TABLE twice (a int); INSERT INTO twice VALUES (1), (1); RESET ROLE";
    watcher.batch_execute(failed).await.unwrap();
    let owner = connect(&lab.uri("shop_owner")).await;
    owner.batch_execute("CREATE UNIQUE INDEX CONCURRENTLY twice_a ON twice (a)").await.expect_err("1 is there twice");
    // A client hears of a failure before its session has let go of the locks; not of what comes next.
    owner.batch_execute("SELECT 1").await.unwrap();

    let found = listed(&lab).await;
    let left = found.rows.iter().find(|i| i.name.raw() == "twice_a").expect("it is listed");
    assert_eq!((left.fault(), found.faults.invalid), (Some(Fault::Leftover), 1));
    let facts = server(&watcher).await;
    let mut known = world(&facts, Vec::new());
    known.take(Sample {
        question: Question::Indexes { database: None, order: IndexOrder::Faults },
        at: Timestamp::now(),
        took: Duration::ZERO,
        answer: Ok(Snapshot::Indexes(Box::new(found.clone()))),
    });
    let write = Write::maintain(Task::DropInvalid, Object::index_of(&found.database, left), &facts);
    let mut hands = Hands::ready(&lab.uri("shop_owner"), &folder.path().join("audit.jsonl")).await;
    let outcome = hands.take(approve(write, &known)).await;
    assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    let clean = listed(&lab).await;
    assert!(clean.faults.invalid == 0 && clean.rows.iter().all(|i| i.name.raw() != "twice_a"), "{clean:?}");
    let log = std::fs::read_to_string(folder.path().join("audit.jsonl")).unwrap();
    assert!(log.contains("DROP INDEX CONCURRENTLY"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_failed_build_left_is_listed_dropped_and_gone_from_the_list_on_13() {
    from_the_list_to_a_clean_list(13).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_failed_build_left_is_listed_dropped_and_gone_from_the_list_on_15() {
    from_the_list_to_a_clean_list(15).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_failed_build_left_is_listed_dropped_and_gone_from_the_list_on_18() {
    from_the_list_to_a_clean_list(18).await;
}
