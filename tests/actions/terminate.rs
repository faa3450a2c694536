//! Terminating a session.

use std::time::{Duration, Instant};

use pgtriage::effect::audit::{EventKind, Target};
use pgtriage::guard::{Refusal, Scene, Verdict, Write, judge};
use pgtriage::message::{ActionStep, Outcome, WriterState};
use pgtriage::model::server::Server;
use tokio_postgres::Client;

use super::bench::{
    Hands, approve, approved_cancel, approved_termination, connect, last_action, lines, pid, scene, server, session,
    text, until, world,
};
use crate::lab::{Lab, PRIMARY, Wanted};

/// A session of that role that has written and sits idle in its transaction.
async fn sitting(uri: &str, watcher: &Client) -> (Client, i32) {
    let client = connect(uri).await;
    let pid = pid(&client).await;
    client.batch_execute("CREATE TEMP TABLE sat (n int); BEGIN; INSERT INTO sat VALUES (1)").await.unwrap();
    in_state(watcher, pid, "idle in transaction").await;
    (client, pid)
}

async fn in_state(watcher: &Client, pid: i32, state: &str) {
    until(watcher, &format!("EXISTS (SELECT FROM pg_stat_activity WHERE pid = {pid} AND state = '{state}')")).await;
}

async fn is_there(watcher: &Client, pid: i32) -> bool {
    let sql = format!("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = {pid})::text");
    text(watcher, &sql).await.as_deref() == Some("true")
}

/// What the server is expected to say where it did it: before 14 it cannot wait.
fn done(major: u32) -> Outcome {
    Outcome::Done(if major >= 14 { "the session has ended" } else { "signal sent" }.to_owned())
}

/// Each outcome in turn, on one server, since each needs but a moment of it.
async fn each_outcome_is_what_the_server_did(major: u32) {
    let Some(lab) = Lab::start(Wanted { postgres: Some(major), ..PRIMARY }) else { return };
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.jsonl");
    let watcher = connect(&lab.uri("postgres")).await;
    let shop = lab.uri("shop_api");
    let mut hands = Hands::ready(&lab.uri("oncall"), &log).await;

    // Allowed: ended, and all of it in the log.
    let (client, pid) = sitting(&shop, &watcher).await;
    hands.ask(approved_termination(&watcher, pid).await);
    assert_eq!(hands.step().await, ActionStep::Started { pid: None });
    assert_eq!(hands.step().await, ActionStep::Ended(done(major)));
    let ActionStep::Verified { gone: true, after_ms } = hands.step().await else { panic!("not gone") };
    assert!(after_ms >= 200, "{after_ms}");
    assert!(!is_there(&watcher, pid).await);
    assert!(client.batch_execute("SELECT 1").await.is_err());
    logged(&hands, pid).await;

    // In a failed transaction, and outside of one.
    let (client, pid) = sitting(&shop, &watcher).await;
    assert!(client.batch_execute("SELECT 1/0").await.is_err());
    in_state(&watcher, pid, "idle in transaction (aborted)").await;
    assert_eq!(hands.take(approved_termination(&watcher, pid).await).await, done(major));
    let (client, pid) = sitting(&shop, &watcher).await;
    client.batch_execute("COMMIT").await.unwrap();
    in_state(&watcher, pid, "idle").await;
    assert_eq!(hands.take(approved_termination(&watcher, pid).await).await, done(major));
    until(&watcher, &format!("NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = {pid})")).await;

    // Its client went on: to another statement, out of the transaction, into the next one. It stays each time.
    for (on, words) in [
        ("SELECT pg_sleep(59)", "its client has gone on; it now runs another statement"),
        ("COMMIT", "its client has gone on; it is now idle"),
        ("COMMIT; BEGIN; SELECT 1", "its client has gone on; it is now idle in transaction"),
        ("SELECT 1/0", "its client has gone on; it is now idle in transaction (aborted)"),
    ] {
        let (client, pid) = sitting(&shop, &watcher).await;
        let approved = approved_termination(&watcher, pid).await;
        let going = tokio::spawn(async move {
            let _ = client.batch_execute(on).await;
            client
        });
        until(&watcher, &format!("EXISTS (SELECT FROM pg_stat_activity WHERE pid = {pid} AND query = '{on}')")).await;
        if !on.contains("sleep") {
            until(&watcher, &format!("EXISTS (SELECT FROM pg_stat_activity WHERE pid = {pid} AND state <> 'active')"))
                .await;
        }
        assert_eq!(hands.take(approved).await, Outcome::Changed(words.to_owned()));
        assert!(is_there(&watcher, pid).await, "{on}");
        text(&watcher, &format!("SELECT pg_terminate_backend({pid})::text")).await;
        drop(going.await);
    }

    // The session went away; and: its pid was given to a later one.
    let (client, gone) = sitting(&shop, &watcher).await;
    let approved = approved_termination(&watcher, gone).await;
    drop(client);
    until(&watcher, &format!("NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = {gone})")).await;
    assert_eq!(hands.take(approved).await, Outcome::Gone);
    let (client, pid) = sitting(&shop, &watcher).await;
    let facts = server(&watcher).await;
    let mut earlier = session(&watcher, pid).await;
    earlier.backend_start = Some("2020-01-01 00:00:00+00".to_owned());
    let write = Write::terminate(&earlier, &facts);
    assert_eq!(hands.take(approve(write, &world(&facts, vec![earlier]))).await, Outcome::Gone);

    // Another server than the one that was asked about, by each of its marks.
    let marks = [
        Server { started: "2020-01-01 00:00:00+00".to_owned(), ..facts.clone() },
        Server { in_recovery: true, ..facts.clone() },
        Server { system_identifier: Some("1".to_owned()), ..facts.clone() },
    ];
    for other in marks {
        let session = session(&watcher, pid).await;
        let write = Write::terminate(&session, &other);
        let outcome = hands.take(approve(write, &world(&other, vec![session]))).await;
        let Outcome::Changed(words) = outcome else { panic!("{outcome:?}") };
        assert!(words.contains("another one"), "{words}");
    }
    client.batch_execute("SELECT 1").await.unwrap();

    // A superuser's session, for a role that may signal all others.
    let (superuser, its_pid) = sitting(&lab.uri("postgres"), &watcher).await;
    let outcome = hands.take(approved_termination(&watcher, its_pid).await).await;
    let Outcome::Denied { cure, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(cure, "only a superuser may terminate a superuser's session");
    superuser.batch_execute("SELECT 1").await.unwrap();
    hands.handle.finish().await;

    // A role that sees and may not signal; one that does not even see is refused before anything is asked.
    let mut hands = Hands::ready(&lab.uri("monitor"), &log).await;
    let outcome = hands.take(approved_termination(&watcher, pid).await).await;
    let Outcome::Denied { cure, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(cure, "GRANT pg_signal_backend TO monitor");
    let plain = connect(&lab.uri("plain")).await;
    let (facts, hidden) = (server(&plain).await, session(&plain, pid).await);
    assert!(hidden.hidden);
    let verdict = judge(Write::terminate(&hidden, &facts), &scene(&world(&facts, vec![hidden])));
    assert_eq!(verdict, Verdict::Refuse(Refusal::Hidden { pid, role: "plain".into() }));
    client.batch_execute("SELECT 1").await.unwrap();
}

/// The log of the first action: who, on what, with which statement, and how it ended.
async fn logged(hands: &Hands, victim: i32) {
    // The last line follows the last news.
    for _ in 0..1000 {
        if lines(&hands.log).len() == 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let told = last_action(&hands.log);
    let done = Some("done".to_owned());
    assert_eq!(told, [(EventKind::Intent, None), (EventKind::Outcome, done), (EventKind::Verified, None)]);
    let intent = lines(&hands.log).swap_remove(0);
    assert!(intent.sql.is_some_and(|sql| sql.contains("pg_terminate_backend")));
    assert_eq!(intent.confirmed.map(|c| c.by), Some(format!("typed {victim}")));
    let Target::Terminate { pid, state, .. } = intent.target else { panic!("{:?}", intent.target) };
    assert_eq!((pid, state.as_deref()), (victim, Some("idle in transaction")));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_outcome_of_a_termination_is_what_the_server_did_on_13() {
    each_outcome_is_what_the_server_did(13).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_outcome_of_a_termination_is_what_the_server_did_on_15() {
    each_outcome_is_what_the_server_did(15).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_outcome_of_a_termination_is_what_the_server_did_on_18() {
    each_outcome_is_what_the_server_did(18).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_between_question_and_answer_voids_a_termination() {
    for major in [13, 15, 18] {
        let Some(mut lab) = Lab::start(Wanted { postgres: Some(major), ..PRIMARY }) else { return };
        let folder = tempfile::tempdir().unwrap();
        let watcher = connect(&lab.uri("postgres")).await;
        let mut hands = Hands::ready(&lab.uri("oncall"), &folder.path().join("audit.jsonl")).await;
        let (_client, pid) = sitting(&lab.uri("shop_api"), &watcher).await;
        let approved = approved_termination(&watcher, pid).await;
        lab.command("stop-primary immediate");
        assert!(matches!(hands.state().await, WriterState::Down(_)), "it says so by itself");
        lab.command("start-primary");
        while hands.state().await != WriterState::Ready {}
        let outcome = hands.take(approved).await;
        let Outcome::Changed(words) = outcome else { panic!("{outcome:?}") };
        assert!(words.contains("restarted"), "{words}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_ignored_a_cancel_is_terminated() {
    for major in [13, 15, 18] {
        let Some(lab) = Lab::start(Wanted { postgres: Some(major), ..PRIMARY }) else { return };
        let folder = tempfile::tempdir().unwrap();
        let watcher = connect(&lab.uri("postgres")).await;
        let mut hands = Hands::ready(&lab.uri("oncall"), &folder.path().join("audit.jsonl")).await;
        let client = connect(&lab.uri("shop_api")).await;
        let pid = pid(&client).await;
        let deaf = "DO $$ BEGIN LOOP BEGIN PERFORM pg_sleep(1); EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; \
                    END $$";
        let running = tokio::spawn(async move { client.batch_execute(deaf).await });
        until(&watcher, &format!("EXISTS (SELECT FROM pg_stat_activity WHERE pid = {pid} AND wait_event = 'PgSleep')"))
            .await;
        let cancel = approved_cancel(&watcher, pid).await;
        let ignored = [cancel.write().cancelled().expect("a cancel")];
        assert!(matches!(hands.take(cancel).await, Outcome::Done(_)));
        let ActionStep::Verified { gone: false, .. } = hands.step().await else { panic!("gone") };
        let (facts, session) = (server(&watcher).await, session(&watcher, pid).await);
        let write = Write::terminate(&session, &facts);
        let world = world(&facts, vec![session]);
        let refused = judge(write.clone(), &scene(&world));
        assert_eq!(refused, Verdict::Refuse(Refusal::CancelFirst { pid }), "to whom nobody told of the cancel");
        let approved = super::bench::approve_in(write, &Scene { deaf: &ignored, ..scene(&world) });
        assert_eq!(hands.take(approved).await, done(major));
        let ActionStep::Verified { gone: true, .. } = hands.step().await else { panic!("not gone") };
        assert!(running.await.unwrap().is_err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_does_not_end_within_the_wait_is_said_to_be_signalled_and_is_looked_after() {
    for major in [15, 18] {
        let Some(lab) = Lab::start(Wanted { postgres: Some(major), ..PRIMARY }) else { return };
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("audit.jsonl");
        let watcher = connect(&lab.uri("postgres")).await;
        let mut hands = Hands::ready(&lab.uri("oncall"), &log).await;
        let (_client, pid) = sitting(&lab.uri("shop_api"), &watcher).await;
        let approved = approved_termination(&watcher, pid).await;
        // Stopped by the operating system, it hears no signal until it goes on.
        signal(pid, "STOP");
        let since = Instant::now();
        let outcome = hands.take(approved).await;
        assert_eq!(outcome, Outcome::TimedOut("the signal was sent; it did not end within 3 s".to_owned()));
        assert!(since.elapsed() >= Duration::from_secs(3));
        signal(pid, "CONT");
        let ActionStep::Verified { gone: true, after_ms } = hands.step().await else { panic!("not gone") };
        assert!(after_ms >= 3_000, "from the signal on: {after_ms}");
        hands.handle.finish().await;
        let warned = lines(&log).into_iter().flat_map(|line| line.notices).collect::<String>();
        assert!(warned.contains("did not terminate within 3000 milliseconds"), "{warned}");
    }
}

fn signal(pid: i32, name: &str) {
    let status = std::process::Command::new("kill").args([format!("-{name}"), pid.to_string()]).status();
    assert!(status.expect("kill").success());
}
