//! The lab's service in both generations, with its database and without, and a real pgbouncer: its queues, its rights,
//! and that it is alive after a command that hung.

use std::time::Duration;

use pgtriage::model::health::{Health, State};
use pgtriage::model::pooler::Pooler;
use pgtriage::model::{ProbeError, Snapshot};
use pgtriage::postgres::{Conninfo, Given, Process, resolve};

use super::{Probe, endpoint, nothing};
use crate::lab::{Lab, Wanted};

const SERVICE: Wanted = Wanted { without: &["standby", "prometheus"], with: &["pgbouncer"], ..crate::lab::PRIMARY };

async fn lab() -> Option<Lab> {
    tokio::task::spawn_blocking(|| Lab::start(SERVICE)).await.unwrap()
}

fn told(answer: &Result<Snapshot, ProbeError>) -> &Health {
    if let Ok(Snapshot::Health(health)) = answer { health } else { panic!("{answer:?}") }
}

fn console(lab: &Lab, user: &str) -> Conninfo {
    let port = lab.facts.pointer("/pgbouncer/port").and_then(serde_json::Value::as_u64).unwrap();
    let dbname = Some(format!("host=127.0.0.1 port={port} user={user} dbname=pgbouncer"));
    resolve(&Given { dbname, ..Given::default() }, &Process).unwrap()
}

fn pools(answer: &Result<Snapshot, ProbeError>) -> &Pooler {
    if let Ok(Snapshot::Pooler(pooler)) = answer { pooler } else { panic!("{answer:?}") }
}

#[tokio::test]
async fn both_generations_are_well_with_their_database_and_say_so_when_it_is_gone() {
    let Some(mut lab) = lab().await else { return };
    let base = lab.service();
    let mut second = Probe::start(&endpoint(&base), None);
    let mut first = Probe::start(&endpoint(&format!("{base}/v1/")), None);
    let seen = second.next().await;
    let paths = |health: &Health| health.replies.iter().map(|r| r.path.clone()).collect::<Vec<_>>();
    assert_eq!(paths(told(&seen.answer)), ["/readiness", "/health"]);
    assert_eq!((told(&seen.answer).state(), told(&seen.answer).database()), (State::Ok, Some(State::Ok)));
    assert!(told(&seen.answer).serves().0.is_some());
    let seen = first.next().await;
    assert_eq!(paths(told(&seen.answer)), ["/v1/ready", "/v1/health"]);
    assert_eq!((told(&seen.answer).state(), told(&seen.answer).database()), (State::Ok, Some(State::Ok)));

    let mut lab = tokio::task::spawn_blocking(move || {
        lab.command("stop-primary immediate");
        lab
    })
    .await
    .unwrap();
    let failing = |answer: &Result<Snapshot, ProbeError>| told(answer).state() == State::Failing;
    let seen = second.until(failing).await;
    assert_eq!(told(&seen.answer).database(), Some(State::Failing));
    assert!(
        told(&seen.answer).worst().unwrap().said().raw().starts_with("503 not_ready: Database connection"),
        "{seen:?}"
    );
    // The first generation waits for its pool for half a minute: we do not.
    let seen = first.until(failing).await;
    let health = told(&seen.answer);
    assert_eq!(health.replies[0].answer, Err(ProbeError::TimedOut(1)));
    assert_eq!(health.replies[1].state(), State::Ok, "its /health looks at nothing");

    lab = tokio::task::spawn_blocking(move || {
        lab.command("start-primary");
        lab
    })
    .await
    .unwrap();
    for probe in [&mut first, &mut second] {
        probe.again();
        probe.until(|answer| told(answer).state() == State::Ok).await;
    }
    let stopped = tokio::task::spawn_blocking(move || {
        lab.command("stop-service");
        lab
    })
    .await
    .unwrap();
    let seen = second.until(Result::is_err).await;
    assert!(matches!(seen.answer, Err(ProbeError::Unreachable(_))), "{seen:?}");
    tokio::task::spawn_blocking(move || stopped.stop()).await.unwrap();
}

#[tokio::test]
async fn pgbouncers_queue_is_seen_with_its_length_and_its_wait_and_who_may_not_look_is_told_the_cure() {
    let Some(lab) = lab().await else { return };
    let mut probe = Probe::start(&nothing(), Some(console(&lab, "monitor")));
    let calm = probe.next().await;
    let calm = pools(&calm.answer);
    assert!(calm.version.raw().contains("PgBouncer"), "{calm:?}");
    assert_eq!((calm.max_clients, calm.waiting()), (Some(200), 0));

    // Seven clients sleep in a pool of five.
    let uri = lab.text("/pgbouncer/uris/shop_api");
    let mut sleepers = Vec::new();
    for _ in 0..7 {
        let uri = uri.clone();
        sleepers.push(tokio::spawn(async move {
            let (client, connection) = tokio_postgres::connect(&uri, tokio_postgres::NoTls).await.unwrap();
            tokio::spawn(connection);
            client.simple_query("SELECT pg_sleep(4)").await.map(|_| ())
        }));
    }
    let waits = |answer: &Result<Snapshot, ProbeError>| {
        pools(answer).worst().is_some_and(|p| p.clients_waiting == 2 && p.max_wait_s >= 1.0)
    };
    let seen = probe.until(waits).await;
    let pool = pools(&seen.answer).worst().unwrap().clone();
    assert_eq!((pool.database.raw(), pool.user.raw(), pool.mode.raw()), ("shop", "shop_api", "transaction"));
    assert_eq!((pool.servers_active, pool.size, pool.is_full()), (5, Some(5), true));
    assert_eq!(pools(&seen.answer).clients.map(|n| n >= 7), Some(true));
    for sleeper in sleepers {
        sleeper.await.unwrap().unwrap();
    }
    probe.until(|answer| pools(answer).waiting() == 0).await;

    let mut stranger = Probe::start(&nothing(), Some(console(&lab, "reporting")));
    let refused = stranger.next().await.answer.unwrap_err();
    let cure = "stats_users = reporting in pgbouncer.ini, then RELOAD";
    assert_eq!(refused, ProbeError::Denied { cure: cure.to_owned() });

    // A console that hangs is dropped; no cancel request is sent to it, and it lives on.
    let pid = pid(&lab);
    signal("-STOP", pid);
    let seen = probe.until(Result::is_err).await;
    assert_eq!(seen.answer, Err(ProbeError::TimedOut(3)));
    signal("-CONT", pid);
    probe.again();
    probe.until(Result::is_ok).await;
    let log = std::fs::read_to_string(lab.text("/pgbouncer/log")).unwrap();
    assert!(!log.to_lowercase().contains("cancel"), "{log}");
    tokio::time::timeout(Duration::from_secs(20), tokio::task::spawn_blocking(move || lab.stop()))
        .await
        .unwrap()
        .unwrap();
}

/// The process that listens on pgbouncer's port, by its own word.
fn pid(lab: &Lab) -> u32 {
    let folder = lab.folder();
    let found = std::fs::read_dir("/proc").unwrap().flatten().find_map(|entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        let line = std::fs::read(entry.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).into_owned();
        let ours = line.contains(folder.to_str()?) && line.contains("pgbouncer.ini");
        let name = std::fs::read_to_string(entry.path().join("comm")).ok()?;
        (ours && name.trim() == "pgbouncer").then_some(pid)
    });
    found.expect("pgbouncer runs")
}

fn signal(what: &str, pid: u32) {
    let status = std::process::Command::new("kill").args([what, &pid.to_string()]).status().unwrap();
    assert!(status.success());
}
