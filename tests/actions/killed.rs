//! What is on disk after a `kill -9` of the console or of the server, and after a disk that is full, in the middle of an
//! action: never a statement without its line, and nothing that nobody knows.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use pgtriage::effect::audit::EventKind;
use pgtriage::message::Outcome;
use tokio_postgres::Client;

use super::bench::{
    Hands, approved_cancel, approved_termination, connect, last_action, lines, pid, session, text, until, until_active,
};
use super::log::{DIRECT, LOG, ROAD, TARGET, process};
use super::road::{Passage, road};
use crate::audit::verified;
use crate::lab::{Lab, PRIMARY};

const LONG: &str = "SELECT pg_sleep(60)";

/// What `pgtriage audit show` prints of a log.
fn shown(log: &Path) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_pgtriage")).args(["audit", "show"]).arg(log).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Asserts that the log holds an intent without an outcome, and that both commands say so.
fn is_unknown(log: &Path) {
    let told: Vec<EventKind> = lines(log).iter().map(|line| line.event).collect();
    assert_eq!(told, [EventKind::Intent]);
    let (code, said) = verified(log);
    assert!(code == Some(0) && said.contains("chain whole") && said.contains("no outcome: unknown"), "{said}");
    assert!(shown(log).contains("no outcome: unknown"), "{}", shown(log));
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_killed_between_the_signal_and_its_outcome_leaves_the_intent_alone() {
    let Some(lab) = Lab::start(PRIMARY) else { return };
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.jsonl");
    let direct = lab.uri("postgres");
    let watcher = connect(&direct).await;
    let victim = connect(&lab.uri("shop_api")).await;
    let pid = pid(&victim).await;
    let running = tokio::spawn(async move { victim.batch_execute(LONG).await });
    until_active(&watcher, pid, LONG).await;
    // The statement arrives and its answer does not: only what warms the writer names another session.
    let start = session(&watcher, pid).await.backend_start.unwrap();
    let port = lab.facts.pointer("/primary/port").and_then(serde_json::Value::as_u64).unwrap();
    let (proxy, _set) = road(u16::try_from(port).unwrap(), start, Passage::Unanswered).await;
    let road = format!("postgresql://oncall@{proxy}/shop?sslmode=disable");
    let target = pid.to_string();
    let variables = [(LOG, log.to_str().unwrap()), (DIRECT, &direct), (ROAD, &road), (TARGET, &target)];
    let mut console = process("actions::log::cancels_and_waits", &variables);
    // The server did it; the console waits for the answer for 5 s and is killed long before.
    let ended = tokio::time::timeout(Duration::from_secs(30), running).await.expect("cancelled").unwrap();
    console.kill().unwrap();
    console.wait().unwrap();
    assert_eq!(ended.unwrap_err().code(), Some(&tokio_postgres::error::SqlState::QUERY_CANCELED));
    is_unknown(&log);
    // The next console goes on in the same chain.
    let mut hands = Hands::ready(&lab.uri("oncall"), &log).await;
    let idle = connect(&lab.uri("shop_api")).await;
    let next = self::pid(&idle).await;
    assert!(matches!(hands.take(approved_termination(&watcher, next).await).await, Outcome::Done(_)));
    hands.handle.finish().await;
    assert_eq!(verified(&log).0, Some(0));
    assert_eq!(shown(&log).matches("no outcome: unknown").count(), 1);
}

/// The process that the server's own tools know by that name.
async fn backend(watcher: &Client, lane: &str) -> String {
    let sql = format!("SELECT pid::text FROM pg_stat_activity WHERE application_name LIKE 'pgtriage%{lane}%'");
    text(watcher, &sql).await.expect("the writer's backend")
}

fn kill(pids: &[String]) {
    let status = Command::new("kill").arg("-9").args(pids).stderr(Stdio::null()).status();
    // One of them may have gone by itself.
    status.expect("kill runs");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_in_the_middle_leaves_an_outcome_that_is_said_to_be_unknown() {
    let Some(lab) = Lab::start(PRIMARY) else { return };
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.jsonl");
    let watcher = connect(&lab.uri("postgres")).await;
    let mut hands = Hands::ready(&lab.uri("oncall"), &log).await;
    let victim = connect(&lab.uri("shop_api")).await;
    let pid = pid(&victim).await;
    let approved = approved_termination(&watcher, pid).await;
    // A victim that is stopped hears no signal, so that the server is in the middle of its wait.
    assert!(Command::new("kill").args(["-STOP", &pid.to_string()]).status().unwrap().success());
    hands.ask(approved);
    until(
        &watcher,
        "EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE '%pg_terminate_backend%' AND state = 'active' \
                     AND pid <> pg_backend_pid() AND wait_event = 'BackendTermination')",
    )
    .await;
    let postmaster = text(&watcher, "SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)").await.unwrap();
    kill(&[postmaster, backend(&watcher, "writer").await, pid.to_string()]);
    let outcome = hands.ended().await;
    assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
    hands.handle.finish().await;
    let unknown = Some("unknown".to_owned());
    assert_eq!(last_action(&log), [(EventKind::Intent, None), (EventKind::Outcome, unknown)]);
    let (code, said) = verified(&log);
    assert!(code == Some(0) && said.contains("2 lines") && said.contains("chain whole"), "{said}");
    assert!(shown(&log).contains("unknown: "), "{}", shown(&log));
    lab.stop();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by a_disk_that_is_full as a process of its own, which alone sees that disk"]
async fn acts_with_its_log_on_a_full_disk() {
    let (Some(log), Some(direct), Some(target)) = (variable(LOG), variable(DIRECT), variable(TARGET)) else { return };
    let (log, target) = (PathBuf::from(log), target.parse().expect("a pid"));
    let ballast = log.with_file_name("ballast");
    let watcher = connect(&direct).await;
    let mut hands = Hands::ready(&variable(ROAD).expect("a road"), &log).await;
    // Everything there is: the last bytes one by one.
    let mut file = std::fs::File::create(&ballast).expect("a file");
    for size in [4096, 1] {
        while std::io::Write::write_all(&mut file, &vec![b'x'; size]).is_ok() {}
    }
    drop(file);
    let Outcome::NotSent(why) = hands.take(approved_cancel(&watcher, target).await).await else { panic!("sent") };
    assert!(why.contains("No space left on device"), "{why}");
    assert_eq!(std::fs::read(&log).expect("a log"), b"", "nothing of the line is left");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(still_runs(&watcher, target).await, "nothing was sent");
    std::fs::remove_file(&ballast).expect("the ballast goes");
    assert!(matches!(hands.take(approved_cancel(&watcher, target).await).await, Outcome::Done(_)));
    hands.handle.finish().await;
    let (code, said) = verified(&log);
    assert!(code == Some(0) && said.contains("chain whole"), "{said}");
}

async fn still_runs(watcher: &Client, pid: i32) -> bool {
    let sql = format!("SELECT (state = 'active')::text FROM pg_stat_activity WHERE pid = {pid}");
    text(watcher, &sql).await.as_deref() == Some("true")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_full_sends_nothing_and_once_there_is_room_the_same_action_goes() {
    // A disk of its own needs root, or a kernel that lets users have one in a name space.
    let own = ["--mount", "--map-root-user"];
    let probe = Command::new("unshare").args(own).args(["mount", "-t", "tmpfs", "none", "/mnt"]).output();
    if !probe.is_ok_and(|probe| probe.status.success()) {
        return eprintln!("skipped: a disk of its own cannot be mounted here");
    }
    let Some(lab) = Lab::start(PRIMARY) else { return };
    let folder = tempfile::tempdir().unwrap();
    let (direct, road) = (lab.uri("postgres"), lab.uri("oncall"));
    let watcher = connect(&direct).await;
    let victim = connect(&lab.uri("shop_api")).await;
    let pid = pid(&victim).await;
    let running = tokio::spawn(async move { victim.batch_execute(LONG).await });
    until_active(&watcher, pid, LONG).await;
    let log = folder.path().join("audit.jsonl");
    let target = pid.to_string();
    let mut console = Command::new("unshare");
    console.args(own).args(["sh", "-c", "mount -t tmpfs -o size=64k none \"$0\" && exec \"$@\""]).arg(folder.path());
    console.arg(std::env::current_exe().unwrap());
    console.args(["--ignored", "--exact", "actions::killed::acts_with_its_log_on_a_full_disk", "--nocapture"]);
    console.envs([(LOG, log.to_str().unwrap()), (DIRECT, &direct), (ROAD, &road), (TARGET, &target)]);
    assert!(console.stdout(Stdio::null()).status().unwrap().success());
    assert!(running.await.unwrap().is_err(), "cancelled once there was room");
}
