//! Many tables and many sessions: what a question costs then. What takes long must not run where only the short tests are wanted.
use super::asking::{Asking, ask, by, client, primary, queue, run};
use pgtriage::model::relation::RelationOrder;
use pgtriage::model::{Question, Snapshot};
use std::time::Duration;

/// Twice what was measured on two shared cores (14 ms and 60 ms): a change of plan costs seconds.
const SESSIONS_WITHIN: Duration = Duration::from_millis(100);
const TABLES_WITHIN: Duration = Duration::from_millis(400);

/// The quickest of several answers: the machine may be busy with something else.
async fn quickest(uri: &str, question: Question) -> Duration {
    let mut asking = Asking::of(uri, std::slice::from_ref(&question));
    let mut best = Duration::MAX;
    for _ in 0..6 {
        let sample = asking.sample(&question).await;
        assert!(sample.answer.is_ok(), "{:?}", sample.answer);
        best = best.min(sample.took);
    }
    best
}

async fn much(major: u32) {
    if !crate::lab::long() {
        return;
    }
    let Some(lab) = primary(major) else { return };
    let uri = lab.uri("postgres");
    let admin = client(&uri).await;
    run(&admin, "CREATE SCHEMA many").await;
    for part in 0..10 {
        run(&admin, &format!(
            "DO $$ BEGIN FOR i IN 1..1000 LOOP \
             EXECUTE format('CREATE TABLE many.t{part}_%s (id int PRIMARY KEY, b text)', i); \
             EXECUTE format('INSERT INTO many.t{part}_%s SELECT g, ''x'' FROM generate_series(1, 20 + %s %% 50) g', i, i); \
             END LOOP; END $$"
        )).await;
    }
    run(&admin, "ANALYZE").await;
    for order in RelationOrder::ALL {
        let took = quickest(&uri, by(order)).await;
        eprintln!("{major}, 10 000 tables by {order:?}: {took:?}");
        assert!(took < TABLES_WITHIN, "{order:?}: {took:?}");
    }
    let Ok(Snapshot::Relations(answer)) = ask(&uri, by(RelationOrder::Dead)).await else { panic!("an answer") };
    assert!(answer.total > 20_000, "tables and their TOAST tables: {}", answer.total);

    // One root, and everybody else behind it in the queue of one row.
    let mut crowd = Vec::new();
    let root = client(&uri).await;
    run(&root, "BEGIN; UPDATE products SET stock = stock WHERE id = 1").await;
    for _ in 0..80 {
        let waiter = client(&uri).await;
        crowd.push(tokio::spawn(async move {
            let _ended_with_the_test = waiter.batch_execute("UPDATE products SET stock = stock WHERE id = 1").await;
        }));
    }
    let took = quickest(&uri, Question::Sessions).await;
    eprintln!("{major}, 80 waiters on one row: {took:?}");
    assert!(took < SESSIONS_WITHIN, "{took:?}");
}

#[tokio::test]
async fn ten_thousand_tables_and_a_crowd_on_one_row_are_cheap_to_look_at_on_13() {
    much(13).await;
}

#[tokio::test]
async fn ten_thousand_tables_and_a_crowd_on_one_row_are_cheap_to_look_at_on_18() {
    much(18).await;
}

/// Eighty who lock rows of thirty tables, and one who waits for a row: nobody has told the planner how many locks there are.
async fn writers(major: u32) {
    let Some(lab) = primary(major) else { return };
    let uri = lab.uri("postgres");
    let admin = client(&uri).await;
    let tables: Vec<String> = (0..30).map(|n| format!("w{n}")).collect();
    for table in &tables {
        run(&admin, &format!("CREATE TABLE {table} (n int)")).await;
    }
    let write = format!("BEGIN; SELECT txid_current(); LOCK TABLE {} IN ROW SHARE MODE", tables.join(", "));
    let mut crowd = Vec::new();
    for _ in 0..80 {
        let writer = client(&uri).await;
        run(&writer, &write).await;
        crowd.push(writer);
    }
    run(&crowd[0], "UPDATE products SET stock = stock WHERE id = 1").await;
    let waiting = queue(client(&uri).await, "DELETE FROM products WHERE id = 1", &admin).await;
    let took = quickest(&uri, Question::Sessions).await;
    eprintln!("{major}, 80 who write: {took:?}");
    assert!(took < SESSIONS_WITHIN, "{took:?}");
    waiting.abort();
}

#[tokio::test]
async fn a_crowd_that_locks_rows_of_many_tables_is_cheap_to_look_at_on_13() {
    writers(13).await;
}

#[tokio::test]
async fn a_crowd_that_locks_rows_of_many_tables_is_cheap_to_look_at_on_15() {
    writers(15).await;
}

#[tokio::test]
async fn a_crowd_that_locks_rows_of_many_tables_is_cheap_to_look_at_on_18() {
    writers(18).await;
}
