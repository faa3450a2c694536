//! A signal to several sessions on real servers: one statement, an outcome for each, each of them what the server did.

use std::time::Duration;

use pgtriage::effect::audit::{EventKind, Target};
use pgtriage::guard::{Approved, Signal, Write};
use pgtriage::message::{ActionStep, Outcome};
use pgtriage::model::server::Server;
use pgtriage::model::session::Session;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::bench::{
    Hands, approve, connect, last_action, lines, pid, server, session, text, until, until_active, world,
};
use crate::lab::{Lab, PRIMARY, Wanted};

type Ended = tokio::task::JoinHandle<(Client, Option<SqlState>)>;

/// A session that runs a statement until it is signalled.
async fn victim(uri: &str, watcher: &Client, query: &'static str) -> (i32, Ended) {
    let client = connect(uri).await;
    let pid = pid(&client).await;
    let running = tokio::spawn(async move {
        let ended = client.batch_execute(query).await;
        (client, ended.err().and_then(|error| error.code().cloned()))
    });
    until_active(watcher, pid, query).await;
    (pid, running)
}

async fn end(running: Ended) -> (Client, Option<SqlState>) {
    tokio::time::timeout(Duration::from_secs(10), running).await.expect("it ended").expect("no panic")
}

fn approved(signal: Signal, facts: &Server, sessions: &[Session]) -> Approved {
    approve(Write::bulk(signal, sessions, 0, facts), &world(facts, sessions.to_vec()))
}

fn each(outcome: Outcome) -> Vec<Outcome> {
    let Outcome::Each(each) = outcome else { panic!("{outcome:?}") };
    each.into_iter().map(|one| one.outcome).collect()
}

const LONG: &str = "SELECT pg_sleep(60)";
const OTHER: &str = "SELECT pg_sleep(59)";

/// One statement whose five targets each come to something else; then a termination of three.
async fn each_of_a_list_ends_as_the_server_says(major: u32) {
    let Some(lab) = Lab::start(Wanted { postgres: Some(major), ..PRIMARY }) else { return };
    let folder = tempfile::tempdir().unwrap();
    let watcher = connect(&lab.uri("postgres")).await;
    let facts = server(&watcher).await;
    let shop = lab.uri("shop_api");
    let mut hands = Hands::ready(&lab.uri("oncall"), &folder.path().join("audit.jsonl")).await;

    let (hit, hit_ends) = victim(&shop, &watcher, LONG).await;
    let (gone, gone_ends) = victim(&shop, &watcher, LONG).await;
    let (next, next_ends) = victim(&shop, &watcher, LONG).await;
    let (above, above_ends) = victim(&lab.uri("postgres"), &watcher, LONG).await;
    let (last, last_ends) = victim(&shop, &watcher, LONG).await;
    let mut seen = Vec::new();
    for pid in [hit, gone, next, above, last] {
        seen.push(session(&watcher, pid).await);
    }
    // Meanwhile one session goes away, and another begins its next statement.
    text(&watcher, &format!("SELECT pg_terminate_backend({gone})::text")).await;
    end(gone_ends).await;
    until(&watcher, &format!("NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = {gone})")).await;
    text(&watcher, &format!("SELECT pg_cancel_backend({next})::text")).await;
    let client = end(next_ends).await.0;
    let innocent = tokio::spawn(async move {
        let ended = client.batch_execute(OTHER).await;
        (client, ended.err().and_then(|error| error.code().cloned()))
    });
    until_active(&watcher, next, OTHER).await;

    let outcome = each(hands.take(approved(Signal::Cancel, &facts, &seen)).await);
    let done = || Outcome::Done("signal sent".to_owned());
    let changed = || Outcome::Changed("that statement has ended; it is now active".to_owned());
    let denied = Outcome::Denied {
        message: "its role has a superuser's rights".to_owned(),
        cure: "only a superuser may cancel a superuser's statement".to_owned(),
    };
    // The superuser's is in the middle: an error for it would have hidden what became of the others.
    assert_eq!(outcome, [done(), Outcome::Gone, changed(), denied, done()]);
    assert!(verified(&mut hands, 2).await.0.is_empty());
    assert_eq!(end(hit_ends).await.1, Some(SqlState::QUERY_CANCELED));
    assert_eq!(end(last_ends).await.1, Some(SqlState::QUERY_CANCELED));
    assert!(!innocent.is_finished() && !above_ends.is_finished());
    logged(&hands, &[hit, gone, next, above, last]).await;

    // Terminated: two that sit idle in a transaction, and one whose client went on.
    let mut sitting = Vec::new();
    for _ in 0..3 {
        let client = connect(&shop).await;
        client.batch_execute("BEGIN; SELECT 1").await.unwrap();
        sitting.push((pid(&client).await, client));
    }
    let mut seen = Vec::new();
    for (pid, _) in &sitting {
        until(&watcher, &format!("(SELECT state = 'idle in transaction' FROM pg_stat_activity WHERE pid = {pid})"))
            .await;
        seen.push(session(&watcher, *pid).await);
    }
    sitting[1].1.batch_execute("COMMIT; BEGIN; SELECT 2").await.unwrap();
    let outcome = each(hands.take(approved(Signal::Terminate, &facts, &seen)).await);
    let changed = Outcome::Changed("its client has gone on; it is now idle in transaction".to_owned());
    assert_eq!(outcome, [done(), changed, done()]);
    let (left, went) = verified(&mut hands, 2).await;
    assert_eq!((left, went), (vec![], vec![sitting[0].0, sitting[2].0]), "each is told when it has gone");
    assert_eq!(text(&sitting[1].1, "SELECT 'alive'").await.as_deref(), Some("alive"));
    assert!(
        sitting[0].1.simple_query("SELECT 1").await.is_err() && sitting[2].1.simple_query("SELECT 1").await.is_err()
    );

    // Another server than the one that was asked about: nothing is sent to anybody.
    let other = Server { started: "2020-01-01 00:00:00+00".to_owned(), ..facts.clone() };
    let one = session(&watcher, next).await;
    let outcome = each(hands.take(approved(Signal::Cancel, &other, &[one])).await);
    assert!(matches!(outcome.as_slice(), [Outcome::Changed(words)] if words.contains("another one")), "{outcome:?}");
    assert!(!innocent.is_finished());

    // What a role may see can be taken from it while somebody reads the question: that is not an end of anything.
    for (signal, pid) in [(Signal::Cancel, next), (Signal::Terminate, sitting[1].0)] {
        let one = session(&watcher, pid).await;
        let approved = approved(signal, &facts, &[one]);
        watcher.batch_execute("REVOKE pg_monitor FROM oncall").await.unwrap();
        let outcome = each(hands.take(approved).await);
        let hidden = "the server hides from us what it runs now; nothing was sent";
        assert_eq!(outcome, [Outcome::Changed(hidden.to_owned())]);
        watcher.batch_execute("GRANT pg_monitor TO oncall").await.unwrap();
    }
    assert!(!innocent.is_finished() && sitting[1].1.simple_query("SELECT 1").await.is_ok());
    hands.handle.finish().await;

    // A role that sees and may not signal.
    let mut hands = Hands::ready(&lab.uri("monitor"), &folder.path().join("monitor.jsonl")).await;
    let one = session(&watcher, next).await;
    let outcome = each(hands.take(approved(Signal::Cancel, &facts, &[one])).await);
    assert!(
        matches!(outcome.as_slice(), [Outcome::Denied { cure, .. }] if cure == "GRANT pg_signal_backend TO monitor")
    );
    assert!(!innocent.is_finished());
    hands.handle.finish().await;
}

/// Who was still there at the last look, and who was told to have gone until then.
async fn verified(hands: &mut Hands, signalled: usize) -> (Vec<i32>, Vec<i32>) {
    let mut went = Vec::new();
    loop {
        match hands.step().await {
            ActionStep::Went { of, gone, .. } => {
                assert_eq!(of, signalled);
                went.extend(gone.iter().map(|key| key.session.pid));
            }
            ActionStep::VerifiedEach { of, left, .. } => {
                assert_eq!(of, signalled);
                return (left.iter().map(|key| key.session.pid).collect(), went);
            }
            other @ (ActionStep::Started { .. }
            | ActionStep::Progress(_)
            | ActionStep::DeadRows { .. }
            | ActionStep::Ended(_)
            | ActionStep::Verified { .. }
            | ActionStep::Unverified(_)
            | ActionStep::Unlogged(_)
            | ActionStep::Uncopied(_)) => panic!("{other:?}"),
        }
    }
}

/// The log holds the whole list before, and what became of each after.
async fn logged(hands: &Hands, pids: &[i32]) {
    for _ in 0..1000 {
        if lines(&hands.log).len() == 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let told = last_action(&hands.log);
    let each = Some("each".to_owned());
    assert_eq!(told, [(EventKind::Intent, None), (EventKind::Outcome, each), (EventKind::Verified, None)]);
    let lines = lines(&hands.log);
    let Target::Bulk { targets, .. } = &lines[0].target else { panic!("{:?}", lines[0].target) };
    let listed: Vec<i32> = targets
        .iter()
        .map(|target| {
            let Target::Cancel { pid, .. } = target else { panic!("{target:?}") };
            *pid
        })
        .collect();
    assert_eq!(listed, pids);
    let rows = &lines[1].outcome.as_ref().unwrap().rows;
    let results: Vec<(i32, &str)> = rows.iter().map(|row| (row.pid, row.ended.result.as_str())).collect();
    let words = ["done", "gone", "changed", "denied", "done"];
    assert_eq!(results, pids.iter().copied().zip(words).collect::<Vec<_>>());
    assert_eq!((lines[2].gone, lines[2].left.as_slice()), (Some(true), [].as_slice()));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_a_list_ends_as_the_server_says_on_13() {
    each_of_a_list_ends_as_the_server_says(13).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_a_list_ends_as_the_server_says_on_15() {
    each_of_a_list_ends_as_the_server_says(15).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_a_list_ends_as_the_server_says_on_18() {
    each_of_a_list_ends_as_the_server_says(18).await;
}

/// A statement that does not listen for signals is told as one that still runs, by name.
#[tokio::test(flavor = "multi_thread")]
async fn whom_a_cancel_did_not_end_is_named() {
    let Some(lab) = Lab::start(PRIMARY) else { return };
    let folder = tempfile::tempdir().unwrap();
    let watcher = connect(&lab.uri("postgres")).await;
    let facts = server(&watcher).await;
    let mut hands = Hands::ready(&lab.uri("oncall"), &folder.path().join("audit.jsonl")).await;
    let stubborn =
        "DO $$ BEGIN LOOP BEGIN PERFORM pg_sleep(60); EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$";
    let (ends, ends_running) = victim(&lab.uri("shop_api"), &watcher, LONG).await;
    let client = connect(&lab.uri("shop_api")).await;
    let runs = pid(&client).await;
    let running = tokio::spawn(async move { client.batch_execute(stubborn).await.is_err() });
    until(
        &watcher,
        &format!("(SELECT state = 'active' AND wait_event = 'PgSleep' FROM pg_stat_activity WHERE pid = {runs})"),
    )
    .await;
    let seen = [session(&watcher, ends).await, session(&watcher, runs).await];
    let outcome = each(hands.take(approved(Signal::Cancel, &facts, &seen)).await);
    assert!(outcome.iter().all(|outcome| matches!(outcome, Outcome::Done(_))));
    let ActionStep::Went { of: 2, gone, after_ms } = hands.step().await else { panic!("not told who went") };
    assert_eq!(gone.iter().map(|key| key.session.pid).collect::<Vec<_>>(), [ends]);
    assert!(after_ms < 3_000, "before the last look: {after_ms}");
    let ActionStep::VerifiedEach { of: 2, left, after_ms } = hands.step().await else { panic!("not verified") };
    assert_eq!(left.iter().map(|key| key.session.pid).collect::<Vec<_>>(), [runs]);
    assert!(after_ms >= 3_000, "{after_ms}");
    assert_eq!(end(ends_running).await.1, Some(SqlState::QUERY_CANCELED));
    text(&watcher, &format!("SELECT pg_terminate_backend({runs})::text")).await;
    assert!(running.await.unwrap());
    hands.handle.finish().await;
}

/// As many idle sessions as an importer leaves behind: each is told once to have gone, none later than the last look.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_is_told_one_by_one() {
    const MANY: usize = 60;
    let Some(lab) = Lab::start(PRIMARY) else { return };
    let folder = tempfile::tempdir().unwrap();
    let watcher = connect(&lab.uri("postgres")).await;
    let facts = server(&watcher).await;
    let mut hands = Hands::ready(&lab.uri("oncall"), &folder.path().join("audit.jsonl")).await;
    let mut idle = Vec::new();
    for _ in 0..MANY {
        let client = connect(&lab.uri("shop_api")).await;
        let pid = pid(&client).await;
        idle.push((pid, client));
    }
    let mut seen = Vec::new();
    for (pid, _) in &idle {
        until(&watcher, &format!("(SELECT state = 'idle' FROM pg_stat_activity WHERE pid = {pid})")).await;
        seen.push(session(&watcher, *pid).await);
    }
    let since = std::time::Instant::now();
    let outcome = each(hands.take(approved(Signal::Terminate, &facts, &seen)).await);
    let answered = since.elapsed();
    assert!(outcome.iter().all(|outcome| *outcome == Outcome::Done("signal sent".to_owned())), "{outcome:?}");
    let (left, mut went) = verified(&mut hands, MANY).await;
    // The lines in the log once kept the signal waiting for five seconds, and each look as long: then all went at once.
    assert!(answered < Duration::from_secs(4), "{answered:?}");
    assert_eq!(left, Vec::<i32>::new());
    went.sort_unstable();
    let mut all: Vec<i32> = idle.iter().map(|(pid, _)| *pid).collect();
    all.sort_unstable();
    assert_eq!(went, all);
    hands.handle.finish().await;
}
