//! The audit log, where processes share it and where one is killed.

use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use pgtriage::effect::audit::{Audit, AuditError, Console, Entry, EventKind};
use pgtriage::message::Outcome;

use super::bench::{Hands, approved_cancel, connect, lines, pid, session, until_active};
use super::road::{Passage, road};
use crate::audit::{limited, verified};
use crate::lab::{Lab, PRIMARY};

/// Where a process started by a test finds its log and its server.
pub(super) const LOG: &str = "PGTRIAGE_TEST_LOG";
pub(super) const DIRECT: &str = "PGTRIAGE_TEST_DIRECT";
pub(super) const ROAD: &str = "PGTRIAGE_TEST_ROAD";
pub(super) const TARGET: &str = "PGTRIAGE_TEST_TARGET";

/// Runs one of the ignored tests below as a process of its own.
pub(super) fn process(test: &str, variables: &[(&str, &str)]) -> Child {
    let mut command = Command::new(std::env::current_exe().expect("this test has a path"));
    command.args(["--ignored", "--exact", test, "--nocapture"]).envs(variables.iter().copied());
    command.stdout(std::process::Stdio::null()).spawn().expect("this test runs again")
}

fn entry(line: u32) -> Entry {
    let json = serde_json::json!({
        "v": 1, "time": "2025-11-24T03:14:07.000000Z", "id": format!("{}-{line}", std::process::id()), "event": "refused",
        "console": Console::default(), "server": { "place": "", "database": "", "role": "" },
        "identity": { "started": "", "system_identifier": null, "in_recovery": false },
        "target": { "action": "cancel", "pid": 1, "backend_start": null, "query_start": null,
                    "who": { "user": null, "database": null, "application": "", "client": null },
                    "query": "x".repeat(line as usize * 40) },
        "refusal": "a test",
    });
    serde_json::from_value(json).expect("a line")
}

#[tokio::test]
#[ignore = "run by two_processes_share_one_log as a process of its own"]
async fn writes_two_hundred_lines() {
    let Some(log) = std::env::var_os(LOG) else { return };
    let audit = Audit::new(Path::new(&log), Console::default());
    let give_up = Instant::now() + Duration::from_secs(60);
    for line in 0..200 {
        // Who polls for the lock may miss it for long while the other one writes on.
        while let Err(failure) = audit.append(&entry(line)).await {
            assert!(matches!(failure, AuditError::Locked(_)) && Instant::now() < give_up, "{failure}");
        }
    }
}

#[test]
fn two_processes_share_one_log_and_every_line_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.jsonl");
    let variables = [(LOG, log.to_str().unwrap())];
    let writers = [(); 2].map(|()| process("actions::log::writes_two_hundred_lines", &variables));
    for mut writer in writers {
        assert!(writer.wait().unwrap().success());
    }
    let ids: std::collections::HashSet<_> = lines(&log).into_iter().map(|line| line.id).collect();
    assert_eq!(ids.len(), 400);
    let (code, said) = verified(&log);
    assert!(code == Some(0) && said.starts_with("400 lines, ") && said.contains(": chain whole"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by a_full_disk as a process of its own, whose files may not grow beyond a limit"]
async fn is_refused_by_a_full_disk() {
    let variable = |name| std::env::var(name).ok();
    let (Some(log), Some(direct), Some(target)) = (variable(LOG), variable(DIRECT), variable(TARGET)) else { return };
    let watcher = connect(&direct).await;
    let mut hands = Hands::ready(&variable(ROAD).expect("a road"), Path::new(&log)).await;
    let approved = approved_cancel(&watcher, target.parse().expect("a pid")).await;
    let Outcome::NotSent(why) = hands.take(approved).await else { panic!("sent without its line") };
    assert!(why.contains("audit log") && why.contains("File too large"), "{why}");
    hands.handle.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_in_the_middle_of_the_line_sends_nothing_and_leaves_whole_lines() {
    let Some(lab) = Lab::start(PRIMARY) else { return };
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.jsonl");
    let (direct, road) = (lab.uri("postgres"), lab.uri("oncall"));
    let watcher = connect(&direct).await;
    let victim = connect(&lab.uri("shop_api")).await;
    let pid = pid(&victim).await;
    let running = tokio::spawn(async move { victim.batch_execute("SELECT pg_sleep(60)").await });
    until_active(&watcher, pid, "SELECT pg_sleep(60)").await;
    // There is room for a part of the next line only: 16 kB less some bytes are taken.
    let audit = Audit::new(&log, Console::default());
    let size = || std::fs::metadata(&log).map_or(0, |file| file.len());
    while size() < (16 << 10) - 600 {
        audit.append(&entry(0)).await.unwrap();
    }
    let before = std::fs::read(&log).unwrap();
    assert!(before.len() < (16 << 10) - 50, "{}", before.len());
    let target = pid.to_string();
    let variables = [(LOG, log.to_str().unwrap()), (DIRECT, &direct), (ROAD, &road), (TARGET, &target)];
    assert!(limited("actions::log::is_refused_by_a_full_disk", 16, &variables).success());
    assert_eq!(std::fs::read(&log).unwrap(), before);
    assert_eq!(verified(&log).0, Some(0));
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!running.is_finished(), "nothing was sent");
    // With room for it, the same action is taken.
    let mut hands = Hands::ready(&road, &log).await;
    assert!(matches!(hands.take(approved_cancel(&watcher, pid).await).await, Outcome::Done(_)));
    hands.handle.finish().await;
    assert!(running.await.unwrap().is_err());
    assert_eq!(verified(&log).0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by a_killed_console as a process of its own"]
async fn cancels_and_waits() {
    let variable = |name| std::env::var(name).ok();
    let (Some(log), Some(direct), Some(road), Some(target)) =
        (variable(LOG), variable(DIRECT), variable(ROAD), variable(TARGET))
    else {
        return;
    };
    let watcher = connect(&direct).await;
    let mut hands = Hands::ready(&road, Path::new(&log)).await;
    let approved = approved_cancel(&watcher, target.parse().expect("a pid")).await;
    hands.take(approved).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_killed_in_the_middle_leaves_the_intent_and_no_outcome() {
    let Some(lab) = Lab::start(PRIMARY) else { return };
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.jsonl");
    let direct = lab.uri("postgres");
    let watcher = connect(&direct).await;
    let victim = connect(&lab.uri("shop_api")).await;
    let pid = pid(&victim).await;
    let running = tokio::spawn(async move { victim.batch_execute("SELECT pg_sleep(60)").await });
    until_active(&watcher, pid, "SELECT pg_sleep(60)").await;
    // The statement is held on its way: what warms the writer names another session.
    let start = session(&watcher, pid).await.backend_start.unwrap();
    let port = lab.facts.pointer("/primary/port").and_then(serde_json::Value::as_u64).unwrap();
    let (proxy, _set) = road(u16::try_from(port).unwrap(), start, Passage::Held).await;
    let road = format!("postgresql://oncall@{proxy}/shop?sslmode=disable");
    let target = pid.to_string();
    let variables = [(LOG, log.to_str().unwrap()), (DIRECT, &direct), (ROAD, &road), (TARGET, &target)];
    let mut console = process("actions::log::cancels_and_waits", &variables);
    for _ in 0..3000 {
        if std::fs::read_to_string(&log).is_ok_and(|text| text.ends_with('\n')) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    console.kill().unwrap();
    console.wait().unwrap();
    let told: Vec<EventKind> = lines(&log).iter().map(|line| line.event).collect();
    assert_eq!(told, [EventKind::Intent]);
    assert!(!running.is_finished());
    running.abort();
}
