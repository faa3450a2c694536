//! What a look costs the server: `PGTRIAGE_LAB=all cargo bench --bench looks`, once `cargo build --release --example lab`
//! has built the servers' lab. Processor time of our backend for each statement that is asked at the beat, as text that is
//! parsed and planned anew and as a plan that is kept, and bytes of the answer; on 13, 15 and 18, with idle sessions and
//! with a queue. It measures and judges nothing; compare runs on one machine.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a program that prints figures and fails loudly"
)]

#[path = "support/lab.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod lab;

use std::time::Duration;

use lab::{Lab, PRIMARY, Wanted};
use pgtriage::postgres::{Given, Lane, Link, Process, Rows, SessionSettings, connect, resolve};
use pgtriage::probe::sql::{self, Script, Value};
use tokio_postgres::{Client, NoTls};

const ROUNDS: usize = 30;
/// Looks between two readings of the clock.
const LOOKS: u32 = 5;
const PATIENCE: Duration = Duration::from_secs(10);

/// What Triage asks at the beat, and how often in a minute at the default pace.
const BEAT: [(Script, f64); 12] = [
    (sql::SESSIONS, 30.0),
    (sql::SESSIONS_NOJOIN, 0.0),
    (sql::REPLICATION, 12.0),
    (sql::SLOTS, 12.0),
    (sql::STANDBY, 12.0),
    (sql::ACTIVITY, 12.0),
    (sql::ACTIVITY_WAL, 12.0),
    (sql::ACTIVITY_DATABASES, 12.0),
    (sql::ACTIVITY_PREPARED, 12.0),
    (sql::ACTIVITY_SUBSCRIPTIONS, 12.0),
    (sql::ACTIVITY_PARTITIONS, 12.0),
    (sql::SERVER, 4.0),
];

#[tokio::main]
async fn main() {
    for major in [13, 15, 18] {
        let Some(mut lab) = Lab::start(Wanted { postgres: Some(major), ..PRIMARY }) else { return };
        let admin = client(&lab.uri("postgres")).await;
        admin.batch_execute("ALTER SYSTEM SET max_connections = 700").await.unwrap();
        drop(admin);
        lab.command("stop-primary");
        lab.command("start-primary");
        for (idle, waiting) in [(200, 3), (493, 3), (100, 400)] {
            println!("\n{major}: {idle} idle, {waiting} wait for a row");
            measure(&lab, i32::try_from(major).unwrap(), idle, waiting).await;
        }
    }
}

async fn client(uri: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(uri, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn measure(lab: &Lab, major: i32, idle: usize, waiting: i64) {
    let uri = lab.uri("shop_api");
    let mut sessions = Vec::new();
    for _ in 0..idle {
        let session = client(&uri).await;
        session
            .batch_execute("SELECT id, status, total FROM orders WHERE customer_id = 4711 ORDER BY id DESC LIMIT 20")
            .await
            .unwrap();
        sessions.push(session);
    }
    let holder = client(&uri).await;
    let hot = "UPDATE orders SET status = status WHERE id = (SELECT min(id) FROM orders)";
    holder.batch_execute("BEGIN").await.unwrap();
    holder.batch_execute(hot).await.unwrap();
    for _ in 0..waiting {
        let waiter = client(&uri).await;
        tokio::spawn(async move { waiter.batch_execute(hot).await });
    }
    let admin = client(&lab.uri("postgres")).await;
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    while admin.query_one(waits, &[]).await.unwrap().get::<_, i64>(0) < waiting {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Until the texts are old enough to be known.
    tokio::time::sleep(Duration::from_secs(9)).await;

    let settings = SessionSettings { statement_timeout: PATIENCE, ..SessionSettings::of(Lane::Fast, "bench") };
    let given = Given { words: vec![lab.uri("oncall")], ..Given::default() };
    let mut link = connect(&resolve(&given, &Process).unwrap(), Lane::Fast, &settings).await.unwrap();
    println!("{:>24} {:>9} {:>9} {:>9}", "", "anew, ms", "kept, ms", "bytes");
    let floor = "SELECT count(*) FROM pg_stat_get_activity(NULL)";
    row(&mut link, "floor", "floor", floor).await;
    let (mut anew, mut kept) = (0.0, 0.0);
    for (script, a_minute) in BEAT {
        let text = script.render(major, &[("known", Value::Integer(8))]).unwrap();
        let (first, again) = row(&mut link, script.name, script.name, &text).await;
        anew += first * a_minute;
        kept += again * a_minute;
    }
    let all = sql::SESSIONS.render(major, &[("known", Value::Integer(1_000_000_000))]).unwrap();
    row(&mut link, "sessions with all texts", "all", &all).await;
    println!("{:>24} {anew:>9.1} {kept:>9.1}", "a minute of Triage");
    link.close().await;
}

async fn row(link: &mut Link, name: &str, of: &'static str, text: &str) -> (f64, f64) {
    let mut costs = [Vec::new(), Vec::new()];
    let mut bytes = 0;
    for _ in 0..ROUNDS {
        for (way, costs) in costs.iter_mut().enumerate() {
            let before = cpu_ms(link);
            for _ in 0..LOOKS {
                let rows =
                    if way == 0 { link.read(text, PATIENCE).await } else { link.read_again(of, text, PATIENCE).await };
                bytes = size(&rows.unwrap());
            }
            // The figure is brought up to date when the backend goes to sleep.
            tokio::time::sleep(Duration::from_millis(2)).await;
            costs.push((cpu_ms(link) - before) / f64::from(LOOKS));
        }
    }
    // A machine that is busy with something else makes some dearer, and none cheaper.
    let [anew, kept] = costs.map(|mut costs| {
        costs.sort_by(f64::total_cmp);
        costs[costs.len() / 10]
    });
    println!("{name:>24} {anew:>9.2} {kept:>9.2} {bytes:>9}");
    (anew, kept)
}

/// Processor time that our backend has had; the server is on this machine.
fn cpu_ms(link: &Link) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{}/schedstat", link.facts().pid)).unwrap();
    text.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1e6
}

fn size(rows: &Rows) -> usize {
    let value =
        |row: &pgtriage::postgres::Row<'_>, column: &String| row.opt_text(column).unwrap().map_or(0, str::len) + 4;
    rows.iter().map(|row| 7 + rows.columns().iter().map(|column| value(&row, column)).sum::<usize>()).sum()
}
