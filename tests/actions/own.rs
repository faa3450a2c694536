//! What the writer sends on its own account is known as ours, wherever the server counts it.

use pgtriage::guard::{Task, Write};
use pgtriage::message::{ActionStep, Outcome};
use pgtriage::model::statement::StatementOrder;
use pgtriage::model::{Question, Snapshot};

use super::bench::{Hands, approved_cancel, connect, pid, server, session, until_active};
use super::maintain::approved_task;
use crate::lab::{Lab, PRIMARY, Wanted};
use crate::probes::asking::ask;

const LONG: &str = "SELECT pg_sleep(60)";

async fn ours(major: u32) {
    let Some(lab) = Lab::start(Wanted { postgres: Some(major), ..PRIMARY }) else { return };
    let folder = tempfile::tempdir().unwrap();
    let watcher = connect(&lab.uri("postgres")).await;
    let uri = lab.uri("oncall");
    let mut hands = Hands::ready(&uri, &folder.path().join("audit.jsonl")).await;

    // The writer looks, cancels, sees that it is gone, and tries a vacuum.
    let victim = connect(&lab.uri("shop_api")).await;
    let victim_pid = pid(&victim).await;
    let runs = tokio::spawn(async move { victim.batch_execute(LONG).await.is_err() });
    until_active(&watcher, victim_pid, LONG).await;
    let write = Write::cancel(&session(&watcher, victim_pid).await, &server(&watcher).await);
    hands.look(&write).await;
    hands.ask(approved_cancel(&watcher, victim_pid).await);
    while !matches!(hands.step().await, ActionStep::Verified { gone: true, .. }) {}
    assert!(runs.await.unwrap());
    let vacuumed = hands.take(approved_task(&watcher, Task::VacuumAnalyze, "orders").await).await;
    assert_ne!(vacuumed, Outcome::Gone);

    let question = Question::Statements { order: StatementOrder::Calls };
    let Ok(Snapshot::Statements(seen)) = ask(&uri, question).await else { panic!("an answer") };
    let of_the_role = seen.entries.iter().filter(|e| e.key.user == seen.user_oid).map(|e| e.key.query);
    let queries: std::collections::BTreeSet<i64> = of_the_role.collect();
    let texts: Vec<_> = seen.texts.iter().filter(|t| queries.contains(&t.query)).collect();
    for sent in ["pg_cancel_backend(a.pid)", "AS running", "AS may_signal", "AS busy_with"] {
        let found = texts.iter().find(|t| t.text.raw().contains(sent));
        assert!(found.is_some_and(|t| t.own), "{sent} on {major}: {found:?}");
    }
    let asks = |text: &str| ["SELECT", "WITH", "--"].iter().any(|word| text.starts_with(word));
    let strange: Vec<_> =
        texts.iter().filter(|t| !t.own && asks(t.text.raw()) && t.text.raw() != "SELECT $1").collect();
    assert!(strange.is_empty(), "this role asks nothing else, on {major}: {strange:#?}");
}

#[tokio::test]
async fn what_the_writer_asks_is_no_statement_of_somebody_else_on_13() {
    ours(13).await;
}

#[tokio::test]
async fn what_the_writer_asks_is_no_statement_of_somebody_else_on_15() {
    ours(15).await;
}

#[tokio::test]
async fn what_the_writer_asks_is_no_statement_of_somebody_else_on_18() {
    ours(18).await;
}
