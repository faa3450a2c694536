//! What is no client, signalled by who asked twice: an ordinary autovacuum worker, and the walsender of a standby.

use std::time::Duration;

use pgtriage::guard::{Refusal, Scene, Verdict, Write, judge};
use pgtriage::message::{ActionStep, Outcome};
use pgtriage::model::session::Session;
use tokio_postgres::Client;

use super::bench::{Hands, approve_in, connect, scene, server, session, text, until, world};
use crate::lab::{Lab, PRIMARY, SERVERS, Wanted};

/// Refused at first, then taken as it was asked for.
async fn taken_at_the_second_time(hands: &mut Hands, watcher: &Client, write: Write, seen: Session) -> Outcome {
    let facts = server(watcher).await;
    let key = seen.key();
    let world = world(&facts, vec![seen]);
    let verdict = judge(write.clone(), &scene(&world));
    assert!(matches!(&verdict, Verdict::Refuse(refusal) if refusal.asks_twice()), "{verdict:?}");
    let approved = approve_in(write, &Scene { insists: Some(&key), ..scene(&world) });
    hands.take(approved).await
}

async fn an_autovacuum_worker_is_cancelled(major: u32) {
    let Some(lab) = Lab::start(Wanted { postgres: Some(major), ..PRIMARY }) else { return };
    let folder = tempfile::tempdir().unwrap();
    let watcher = connect(&lab.uri("postgres")).await;
    // A table that autovacuum needs long for: it sleeps 100 ms for each of its pages.
    for sql in [
        "CREATE TABLE slowly AS SELECT i, repeat('x', 500) AS t FROM generate_series(1, 20000) i",
        "ALTER TABLE slowly SET (autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0,
             autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1)",
        "ALTER SYSTEM SET autovacuum_naptime = '1s'",
        "ALTER SYSTEM SET autovacuum = on",
        "SELECT pg_reload_conf()",
        "DELETE FROM slowly WHERE i % 2 = 0",
    ] {
        watcher.batch_execute(sql).await.expect(sql);
    }
    let worker = "SELECT pid::text FROM pg_stat_activity WHERE backend_type = 'autovacuum worker'
                  AND query LIKE 'autovacuum: %public.slowly%' AND query NOT LIKE '%wraparound%'";
    let mut found = None;
    for _ in 0..3_000 {
        found = text(&watcher, worker).await;
        if found.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let pid: i32 = found.expect("autovacuum comes").parse().unwrap();
    let seen = session(&watcher, pid).await;
    let write = Write::cancel(&seen, &server(&watcher).await);
    // It has no role, so that pg_signal_backend, which oncall has, does not reach it.
    let mut hands = Hands::ready(&lab.uri("oncall"), &folder.path().join("denied.jsonl")).await;
    let outcome = taken_at_the_second_time(&mut hands, &watcher, write.clone(), seen.clone()).await;
    let Outcome::Denied { cure, .. } = outcome else { panic!("{outcome:?}") };
    let before = "only a superuser may cancel an autovacuum worker";
    assert_eq!(cure, if major >= 18 { "GRANT pg_signal_autovacuum_worker TO oncall" } else { before });
    let mut hands = Hands::ready(&lab.uri("postgres"), &folder.path().join("audit.jsonl")).await;
    let outcome = taken_at_the_second_time(&mut hands, &watcher, write, seen).await;
    assert_eq!(outcome, Outcome::Done("signal sent".to_owned()));
    let ActionStep::Verified { gone: true, .. } = hands.step().await else { panic!("it runs on") };
    assert!(lab.log("primary").contains("canceling autovacuum task") || lab.log("primary").contains("user request"));
    hands.handle.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_autovacuum_worker_is_cancelled_by_who_asks_twice_on_13() {
    an_autovacuum_worker_is_cancelled(13).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_autovacuum_worker_is_cancelled_by_who_asks_twice_on_18() {
    an_autovacuum_worker_is_cancelled(18).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_walsender_is_terminated_by_who_asks_twice_and_its_standby_comes_back() {
    for major in [13, 18] {
        let Some(lab) = Lab::start(Wanted { postgres: Some(major), ..SERVERS }) else { return };
        let folder = tempfile::tempdir().unwrap();
        let watcher = connect(&lab.uri("postgres")).await;
        until(&watcher, "EXISTS (SELECT FROM pg_stat_replication WHERE state = 'streaming')").await;
        let pid = text(&watcher, "SELECT pid::text FROM pg_stat_replication").await.unwrap().parse().unwrap();
        let mut hands = Hands::ready(&lab.uri("postgres"), &folder.path().join("audit.jsonl")).await;
        let seen = session(&watcher, pid).await;
        assert_eq!(seen.backend_type.as_deref(), Some("walsender"));
        let write = Write::terminate(&seen, &server(&watcher).await);
        let outcome = taken_at_the_second_time(&mut hands, &watcher, write, seen).await;
        assert!(matches!(outcome, Outcome::Done(_)), "{major}: {outcome:?}");
        let back = format!("EXISTS (SELECT FROM pg_stat_replication WHERE state = 'streaming' AND pid <> {pid})");
        until(&watcher, &back).await;
        hands.handle.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_of_the_server_is_never_signalled() {
    let Some(lab) = Lab::start(PRIMARY) else { return };
    let watcher = connect(&lab.uri("postgres")).await;
    let facts = server(&watcher).await;
    let own = "SELECT pid FROM pg_stat_activity WHERE backend_type NOT IN ('client backend', 'autovacuum worker')";
    let rows = watcher.query(own, &[]).await.unwrap();
    assert!(rows.len() > 3, "{}", rows.len());
    for row in rows {
        let seen = session(&watcher, row.get(0)).await;
        let (key, kind) = (seen.key(), seen.backend_type.clone().unwrap());
        for write in [Write::cancel(&seen, &facts), Write::terminate(&seen, &facts)] {
            let world = world(&facts, vec![seen.clone()]);
            let verdict = judge(write, &Scene { insists: Some(&key), ..scene(&world) });
            let expected = Refusal::Background { pid: seen.pid, kind: kind.clone() };
            assert_eq!(verdict, Verdict::Refuse(expected), "{kind}");
        }
    }
}
