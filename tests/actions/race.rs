//! A thousand cancels against backends that finish their statement and start the next one all the time.
//!
//! Each statement carries a number of its own, and the server's log tells which were cancelled: what it says is the truth
//! that the outcomes are held against. A statement that was cancelled and not asked about is an innocent one. The window
//! that remains lies inside the server, between the comparison and the moment the signal is heard; here statements end at
//! any moment, so that it is hit if it can be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use pgtriage::guard::Write;
use pgtriage::message::Outcome;
use tokio_postgres::Client;

use super::bench::{Hands, approve, connect, server, session, world};
use crate::lab::{Lab, PRIMARY, Wanted};

const CANCELS: usize = 1_000;
const BACKENDS: usize = 12;

/// Runs statements of some milliseconds one after the other, each with a number of its own, until told to stop.
async fn busy(uri: String, name: usize, stop: Arc<AtomicBool>) {
    let client = connect(&uri).await;
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        // 4 to 36 ms: many end between the look of the watcher and the signal, some at the very moment.
        let ms = 4.0 + f64::from(number % 64) / 2.0;
        // A cancelled one is an error, and the next one begins at once.
        let _ = client.batch_execute(&format!("SELECT pg_sleep({ms} / 1000.0) /* race-{name}-{number} */")).await;
        number += 1;
    }
}

/// `race-3-17` in a text.
fn tag(text: &str) -> Option<String> {
    let from = text.find("race-")?;
    let tag: String = text.chars().skip(from).take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    Some(tag)
}

/// The statements that the server's log says were cancelled on a user's request, by their tags.
fn cancelled(log: &str) -> BTreeSet<String> {
    let lines: Vec<&str> = log.lines().collect();
    let told = lines.iter().enumerate().filter(|(_, line)| line.contains("canceling statement due to user request"));
    // The statement follows, in a line of the same backend: the prefix of the lab's log has `[pid]`.
    told.filter_map(|(at, _)| {
        let after = lines.get(at + 1..)?.iter().take(200);
        let pid = lines.get(at)?.split_whitespace().find(|word| word.starts_with('[') || word.ends_with(']'));
        after
            .filter(|line| line.contains("STATEMENT:") && pid.is_none_or(|pid| line.contains(pid)))
            .find_map(|line| tag(line))
    })
    .collect()
}

async fn a_thousand_cancels(major: u32) {
    let Some(lab) = Lab::start(Wanted { postgres: Some(major), ..PRIMARY }) else { return };
    let folder = tempfile::tempdir().unwrap();
    let watcher = connect(&lab.uri("postgres")).await;
    let before = lab.log("primary").len();
    let mut hands = Hands::ready(&lab.uri("oncall"), &folder.path().join("audit.jsonl")).await;
    let stop = Arc::new(AtomicBool::new(false));
    let all: Vec<_> =
        (0..BACKENDS).map(|name| tokio::spawn(busy(lab.uri("shop_api"), name, Arc::clone(&stop)))).collect();
    let facts = server(&watcher).await;
    let mut asked: BTreeMap<String, Outcome> = BTreeMap::new();
    let mut count = 0;
    let since = Instant::now();
    while count < CANCELS && since.elapsed() < Duration::from_secs(50) {
        let Some(pid) = running(&watcher, count).await else { continue };
        let target = session(&watcher, pid).await;
        let (Some(tag), true) = (tag(target.query.raw()), target.is_active()) else { continue };
        let write = Write::cancel(&target, &facts);
        let outcome = hands.take(approve(write, &world(&facts, vec![target]))).await;
        // Asked about twice, a statement may be signalled the first time and be over the second.
        if !matches!(asked.get(&tag), Some(Outcome::Done(_))) {
            asked.insert(tag, outcome);
        }
        count += 1;
    }
    stop.store(true, Ordering::Relaxed);
    for one in all {
        one.await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let log = lab.log("primary");
    let truth = cancelled(log.get(before..).unwrap_or(&log));

    // Whoever was cancelled was asked about, and told as signalled.
    let signalled: BTreeSet<&String> =
        asked.iter().filter(|(_, outcome)| matches!(outcome, Outcome::Done(_))).map(|(tag, _)| tag).collect();
    let innocent: Vec<&String> = truth.iter().filter(|tag| !signalled.contains(tag)).collect();
    // A signal that came when the statement had just ended hits nothing: the next one is what would be the innocent.
    let missed = signalled.iter().filter(|tag| !truth.contains(**tag)).count();
    let figures = format!(
        "on {major}: {count} cancels, {} signalled, {} cancelled by the log, {missed} ended first, {} innocent",
        signalled.len(),
        truth.len(),
        innocent.len()
    );
    assert!(count >= CANCELS / 2 && truth.len() > 20, "too few to prove anything: {figures}");
    assert_eq!(innocent, Vec::<&String>::new(), "{figures}");
    hands.handle.finish().await;
}

/// A backend that runs one of the statements at this moment: each in its turn.
async fn running(watcher: &Client, turn: usize) -> Option<i32> {
    let sql =
        "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%race-%' AND pid <> pg_backend_pid()
               ORDER BY pid";
    let rows = watcher.query(sql, &[]).await.expect(sql);
    let pids: Vec<i32> = rows.iter().map(|row| row.get(0)).collect();
    pids.get(turn % pids.len().max(1)).copied()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_innocent_statement_is_cancelled_on_15() {
    a_thousand_cancels(15).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_innocent_statement_is_cancelled_on_18() {
    a_thousand_cancels(18).await;
}
