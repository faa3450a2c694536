//! Cancelling a statement.

use std::time::Duration;

use pgtriage::effect::audit::EventKind;
use pgtriage::guard::{Refusal, Verdict, Write, judge};
use pgtriage::message::{ActionStep, Outcome, WriterState};
use pgtriage::model::server::Server;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::bench::{
    Hands, approve, approved_cancel, connect, last_action, lines, pid, scene, server, session, text, until,
    until_active, until_logged, world,
};
use super::road::{Passage, road};
use crate::lab::{Lab, PRIMARY, SERVERS, Wanted};

const LONG: &str = "SELECT pg_sleep(60)";

/// A session that runs a statement until it is cancelled.
struct Victim {
    pid: i32,
    running: tokio::task::JoinHandle<(Client, Option<SqlState>)>,
}

impl Victim {
    async fn run(uri: &str, watcher: &Client, query: &'static str) -> Self {
        let client = connect(uri).await;
        let pid = pid(&client).await;
        let victim = Self::go_on(client, pid, query);
        until_active(watcher, pid, query).await;
        victim
    }

    fn go_on(client: Client, pid: i32, query: &'static str) -> Self {
        let running = tokio::spawn(async move {
            let ended = client.batch_execute(query).await;
            (client, ended.err().and_then(|error| error.code().cloned()))
        });
        Self { pid, running }
    }

    /// The session, and how its statement ended.
    async fn end(self) -> (Client, Option<SqlState>) {
        tokio::time::timeout(Duration::from_secs(10), self.running).await.expect("it ended").expect("no panic")
    }

    fn still_runs(&self) -> bool {
        !self.running.is_finished()
    }
}

/// Each outcome in turn, on one server, since each needs but a moment of it.
async fn each_outcome_is_what_the_server_did(major: u32) {
    let Some(lab) = Lab::start(Wanted { postgres: Some(major), ..PRIMARY }) else { return };
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.jsonl");
    let watcher = connect(&lab.uri("postgres")).await;
    let shop = lab.uri("shop_api");
    let mut hands = Hands::ready(&lab.uri("oncall"), &log).await;

    // Allowed: signalled, gone, and all of it in the log.
    let victim = Victim::run(&shop, &watcher, LONG).await;
    let approved = approved_cancel(&watcher, victim.pid).await;
    hands.ask(approved);
    assert_eq!(hands.step().await, ActionStep::Started { pid: None });
    assert_eq!(hands.step().await, ActionStep::Ended(Outcome::Done("signal sent".to_owned())));
    let ActionStep::Verified { gone: true, after_ms } = hands.step().await else { panic!("not gone") };
    assert!(after_ms >= 200, "{after_ms}");
    let (client, ended) = victim.end().await;
    assert_eq!(ended, Some(SqlState::QUERY_CANCELED));
    logged(&hands).await;

    // The statement ended and the same session runs another: nothing is sent, and that one runs on.
    for _ in 0..10 {
        let victim = Victim::run(&shop, &watcher, LONG).await;
        let approved = approved_cancel(&watcher, victim.pid).await;
        text(&watcher, &format!("SELECT pg_cancel_backend({})::text", victim.pid)).await;
        let pid = victim.pid;
        let innocent = Victim::go_on(victim.end().await.0, pid, "SELECT pg_sleep(59)");
        until_active(&watcher, pid, "SELECT pg_sleep(59)").await;
        let outcome = hands.take(approved).await;
        let expected = "that statement has ended; it now runs another";
        assert_eq!(outcome, Outcome::Changed(expected.to_owned()));
        assert!(innocent.still_runs());
        text(&watcher, &format!("SELECT pg_terminate_backend({pid})::text")).await;
        assert_eq!(innocent.end().await.1, Some(SqlState::ADMIN_SHUTDOWN), "ended by the test, not cancelled");
    }

    // The statement ended and its session sits idle.
    let victim = Victim::run(&shop, &watcher, LONG).await;
    let approved = approved_cancel(&watcher, victim.pid).await;
    text(&watcher, &format!("SELECT pg_cancel_backend({})::text", victim.pid)).await;
    let pid = victim.pid;
    let (idle, _) = victim.end().await;
    // The client hears of the end before the server has noted it.
    until(&watcher, &format!("EXISTS (SELECT FROM pg_stat_activity WHERE pid = {pid} AND state = 'idle')")).await;
    let expected = Outcome::Changed("that statement has ended; it is now idle".to_owned());
    assert_eq!(hands.take(approved).await, expected);
    drop(idle);

    // The session went away; and: its pid was given to a later one.
    let victim = Victim::run(&shop, &watcher, LONG).await;
    let approved = approved_cancel(&watcher, victim.pid).await;
    text(&watcher, &format!("SELECT pg_terminate_backend({})::text", victim.pid)).await;
    let pid = victim.pid;
    victim.end().await;
    until(&watcher, &format!("NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = {pid})")).await;
    assert_eq!(hands.take(approved).await, Outcome::Gone);
    let victim = Victim::run(&shop, &watcher, LONG).await;
    let facts = server(&watcher).await;
    let mut earlier = session(&watcher, victim.pid).await;
    earlier.backend_start = Some("2020-01-01 00:00:00+00".to_owned());
    let write = Write::cancel(&earlier, &facts);
    assert_eq!(hands.take(approve(write, &world(&facts, vec![earlier]))).await, Outcome::Gone);

    // Another server than the one that was asked about, by each of its marks.
    let marks = [
        Server { started: "2020-01-01 00:00:00+00".to_owned(), ..facts.clone() },
        Server { in_recovery: true, ..facts.clone() },
        Server { system_identifier: Some("1".to_owned()), ..facts.clone() },
    ];
    for other in marks {
        let session = session(&watcher, victim.pid).await;
        let write = Write::cancel(&session, &other);
        let outcome = hands.take(approve(write, &world(&other, vec![session]))).await;
        let Outcome::Changed(words) = outcome else { panic!("{outcome:?}") };
        assert!(words.contains("another one"), "{words}");
    }
    assert!(victim.still_runs());
    // The same target, all marks right: the writer would have.
    assert!(matches!(hands.take(approved_cancel(&watcher, victim.pid).await).await, Outcome::Done(_)));
    assert_eq!(victim.end().await.1, Some(SqlState::QUERY_CANCELED));

    // A superuser's statement, for a role that may signal all others.
    let victim = Victim::run(&lab.uri("postgres"), &watcher, LONG).await;
    let outcome = hands.take(approved_cancel(&watcher, victim.pid).await).await;
    let Outcome::Denied { cure, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(cure, "only a superuser may cancel a superuser's statement");
    assert!(victim.still_runs());
    hands.handle.finish().await;

    // A role that sees and may not signal; one that does not even see is refused before anything is asked.
    let shopper = Victim::run(&shop, &watcher, LONG).await;
    let mut hands = Hands::ready(&lab.uri("monitor"), &log).await;
    let outcome = hands.take(approved_cancel(&watcher, shopper.pid).await).await;
    let Outcome::Denied { cure, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(cure, "GRANT pg_signal_backend TO monitor");
    let plain = connect(&lab.uri("plain")).await;
    let (facts, hidden) = (server(&plain).await, session(&plain, shopper.pid).await);
    assert!(hidden.hidden);
    let verdict = judge(Write::cancel(&hidden, &facts), &scene(&world(&facts, vec![hidden])));
    let expected = Refusal::Hidden { pid: shopper.pid, role: "plain".into() };
    assert_eq!(verdict, Verdict::Refuse(expected));
    assert!(shopper.still_runs());
    drop(client);
}

/// The log of the first action: who, on what, with which statement, and how it ended.
async fn logged(hands: &Hands) {
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
    assert_eq!((intent.console.user.as_str(), intent.server.role.as_str()), ("alice", "oncall"));
    assert!(intent.sql.is_some_and(|sql| sql.contains("pg_cancel_backend")));
    assert_eq!(intent.confirmed.map(|c| c.by).as_deref(), Some("key y"));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_outcome_of_a_cancel_is_what_the_server_did_on_13() {
    each_outcome_is_what_the_server_did(13).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_outcome_of_a_cancel_is_what_the_server_did_on_15() {
    each_outcome_is_what_the_server_did(15).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_outcome_of_a_cancel_is_what_the_server_did_on_18() {
    each_outcome_is_what_the_server_did(18).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_superuser_cancels_a_superusers_statement_on_a_standby() {
    for major in [13, 15, 18] {
        let Some(lab) = Lab::start(Wanted { postgres: Some(major), ..SERVERS }) else { return };
        let folder = tempfile::tempdir().unwrap();
        let uri = lab.standby_uri("postgres");
        let watcher = connect(&uri).await;
        assert!(server(&watcher).await.in_recovery);
        let mut hands = Hands::ready(&uri, &folder.path().join("audit.jsonl")).await;
        let victim = Victim::run(&uri, &watcher, LONG).await;
        let outcome = hands.take(approved_cancel(&watcher, victim.pid).await).await;
        assert_eq!(outcome, Outcome::Done("signal sent".to_owned()));
        assert_eq!(victim.end().await.1, Some(SqlState::QUERY_CANCELED));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_ignores_the_signal_is_said_to_run_on() {
    let Some(lab) = Lab::start(PRIMARY) else { return };
    let folder = tempfile::tempdir().unwrap();
    let watcher = connect(&lab.uri("postgres")).await;
    let mut hands = Hands::ready(&lab.uri("oncall"), &folder.path().join("audit.jsonl")).await;
    let deaf =
        "DO $$ BEGIN LOOP BEGIN PERFORM pg_sleep(1); EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$";
    let client = connect(&lab.uri("shop_api")).await;
    let pid = pid(&client).await;
    let deaf = Victim::go_on(client, pid, deaf);
    super::bench::until(
        &watcher,
        &format!("EXISTS (SELECT FROM pg_stat_activity WHERE pid = {pid} AND wait_event = 'PgSleep')"),
    )
    .await;
    assert!(matches!(hands.take(approved_cancel(&watcher, pid).await).await, Outcome::Done(_)));
    let ActionStep::Verified { gone: false, after_ms } = hands.step().await else { panic!("gone") };
    assert!(after_ms >= 3_000, "{after_ms}");
    assert!(deaf.still_runs());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warm_writer_works_while_the_catalogs_of_roles_and_databases_are_locked() {
    let Some(lab) = Lab::start(PRIMARY) else { return };
    let folder = tempfile::tempdir().unwrap();
    let watcher = connect(&lab.uri("postgres")).await;
    let locker = connect(&lab.uri("postgres")).await;
    let victim = Victim::run(&lab.uri("shop_api"), &watcher, LONG).await;
    let mut hands = Hands::ready(&lab.uri("oncall"), &folder.path().join("audit.jsonl")).await;
    let approved = approved_cancel(&watcher, victim.pid).await;
    locker.batch_execute("BEGIN; LOCK TABLE pg_authid, pg_database IN ACCESS EXCLUSIVE MODE").await.unwrap();
    assert_eq!(hands.take(approved).await, Outcome::Done("signal sent".to_owned()));
    assert_eq!(victim.end().await.1, Some(SqlState::QUERY_CANCELED));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_between_question_and_answer_voids_the_action() {
    let Some(mut lab) = Lab::start(PRIMARY) else { return };
    let folder = tempfile::tempdir().unwrap();
    let watcher = connect(&lab.uri("postgres")).await;
    let mut hands = Hands::ready(&lab.uri("oncall"), &folder.path().join("audit.jsonl")).await;
    let victim = Victim::run(&lab.uri("shop_api"), &watcher, LONG).await;
    let approved = approved_cancel(&watcher, victim.pid).await;
    lab.command("stop-primary immediate");
    assert!(matches!(hands.state().await, WriterState::Down(_)), "it says so by itself");
    lab.command("start-primary");
    while hands.state().await != WriterState::Ready {}
    let outcome = hands.take(approved).await;
    let Outcome::Changed(words) = outcome else { panic!("{outcome:?}") };
    assert!(words.contains("restarted"), "{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_server_an_action_is_not_sent_and_not_kept_for_later() {
    let Some(mut lab) = Lab::start(PRIMARY) else { return };
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.jsonl");
    let watcher = connect(&lab.uri("postgres")).await;
    let mut hands = Hands::ready(&lab.uri("oncall"), &log).await;
    let victim = Victim::run(&lab.uri("shop_api"), &watcher, LONG).await;
    let approved = approved_cancel(&watcher, victim.pid).await;
    lab.command("stop-primary immediate");
    let outcome = hands.take(approved).await;
    assert!(matches!(outcome, Outcome::NotSent(_)), "{outcome:?}");
    lab.command("start-primary");
    while hands.state().await != WriterState::Ready {}
    hands.handle.finish().await;
    assert_eq!(last_action(&log), [(EventKind::Intent, None), (EventKind::Outcome, Some("not sent".to_owned()))]);
    assert!(!lab.log("primary").contains("canceling statement due to user request"));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_audit_line_cannot_be_written_nothing_is_sent() {
    let Some(lab) = Lab::start(PRIMARY) else { return };
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let log = folder.path().join("file/audit.jsonl");
    let watcher = connect(&lab.uri("postgres")).await;
    let mut hands = Hands::start(&lab.uri("oncall"), &log);
    let WriterState::Down(why) = hands.state().await else { panic!("ready without a log") };
    assert!(why.contains("audit"), "{why}");
    let victim = Victim::run(&lab.uri("shop_api"), &watcher, LONG).await;
    let outcome = hands.take(approved_cancel(&watcher, victim.pid).await).await;
    let Outcome::NotSent(why) = outcome else { panic!("{outcome:?}") };
    assert!(why.contains("audit"), "{why}");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(victim.still_runs());
    // The same action, once there is a log.
    std::fs::remove_file(folder.path().join("file")).unwrap();
    assert!(matches!(hands.take(approved_cancel(&watcher, victim.pid).await).await, Outcome::Done(_)));
    victim.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_lost_after_the_statement_was_sent_leaves_the_outcome_unknown_and_is_not_tried_again() {
    let Some(lab) = Lab::start(PRIMARY) else { return };
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.jsonl");
    let watcher = connect(&lab.uri("postgres")).await;
    let port = lab.facts.pointer("/primary/port").and_then(serde_json::Value::as_u64).unwrap();
    let (proxy, set) = road(u16::try_from(port).unwrap(), "pg_cancel_backend".to_owned(), Passage::Open).await;
    let uri = format!("postgresql://oncall@{proxy}/shop?sslmode=disable");
    let mut hands = Hands::ready(&uri, &log).await;
    for (cut, reached) in [(Passage::CutBefore, false), (Passage::CutAfter, true)] {
        let victim = Victim::run(&lab.uri("shop_api"), &watcher, LONG).await;
        let approved = approved_cancel(&watcher, victim.pid).await;
        set.send_replace(cut);
        let outcome = hands.take(approved).await;
        set.send_replace(Passage::Open);
        assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
        while hands.state().await != WriterState::Ready {}
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(victim.still_runs(), !reached, "not sent a second time");
        until_logged(&log, EventKind::Outcome).await;
        assert_eq!(last_action(&log).last(), Some(&(EventKind::Outcome, Some("unknown".to_owned()))));
        text(&watcher, &format!("SELECT pg_terminate_backend({})::text", victim.pid)).await;
    }
}
