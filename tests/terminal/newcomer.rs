//! A newcomer on a real incident, by keys alone: sees the cause, cancels the culprit, and sees the readers flow.

use std::time::{Duration, Instant};

use super::driver::{Console, ESC, PLAIN, Start, WIDE};
use super::scene::Scene;
use serde_json::Value;

const STUCK: &str =
    "(SELECT count(*) FROM pg_stat_activity WHERE application_name = 'storefront' AND wait_event_type = 'Lock')";

/// The lines of the log, once there are so many: the console tells of an end before the line is written. The last one may
/// be there in part.
fn audit(console: &Console, count: usize) -> Vec<Value> {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let text = std::fs::read_to_string(console.state("audit.jsonl")).unwrap_or_default();
        let (whole, _) = text.rsplit_once('\n').unwrap_or_default();
        let lines: Vec<Value> = whole.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
        if lines.len() >= count || Instant::now() > deadline {
            return lines;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn by_keys_alone_the_queued_migration_is_found_and_cancelled_and_the_readers_flow() {
    let Some(mut scene) = Scene::small() else { return };
    scene.play("lock-pileup");
    let sql = scene.sql("postgres");
    let pid = sql.text("SELECT pid FROM pg_stat_activity WHERE application_name = 'migration'").expect("it waits");
    let mut console = Start::with(&[&scene.uri("oncall")]).size(WIDE).open();
    // The first screen names both, without a key.
    console.until("holds up 34, frees 34.*idle in tx.*cancel cannot help", 10);
    console.until(&format!("! {pid} queues 32, frees 32 if cancelled.*AccessExcl.* on orders"), 5);
    console.keys("/ALTER\r");
    console.until("(?m)^.*ALTER TABLE orders ADD COLUMN", 5);
    console.until_not("SELECT id, status, total", 5);
    console.keys("x");
    console.until(&format!("(?i)cancel .*{pid}"), 5);
    console.until("(?s)ALTER TABLE orders ADD\\W+COLUMN discount_code", 5);
    console.until("frees.*32", 5);
    console.say_yes();
    console.until("the statement ended after", 10);
    sql.until(&format!("{STUCK} = 0"), 5);
    console.keys(ESC);
    console.until("1 waiting for a lock", 10);
    console.until_not("queues 32", 5);
    let lines = audit(&console, 3);
    let events: Vec<_> = lines.iter().filter_map(|line| line["event"].as_str()).collect();
    assert_eq!(events, ["intent", "outcome", "verified"], "{lines:#?}");
    assert!(lines.iter().all(|line| line["id"] == lines[0]["id"]));
    assert!(lines[0].to_string().contains(&pid), "{}", lines[0]);
    console.leave();
}

#[test]
fn an_idle_transaction_is_not_cancelled_and_the_screen_says_why() {
    let Some(mut scene) = Scene::small() else { return };
    scene.play("lock-pileup");
    let log = scene.lab().log("primary").len();
    let sql = scene.sql("postgres");
    sql.log_statements(true);
    let worker = sql.text("SELECT pid FROM pg_stat_activity WHERE application_name = 'worker'").expect("it idles");
    let mut console = Start::with(&[&scene.uri("oncall")]).size(PLAIN).open();
    console.until("holds up 34", 10);
    console.keys("/worker\r");
    console.until("idle in tx", 5);
    console.keys("x");
    // To its last word, also in a narrow terminal.
    console.until("(?s)cancel\\s+cannot\\s+help.*must\\s+be\\s+terminated.*it\\s+blocks\\s+34", 5);
    console.keys("y");
    console.keys("\r");
    console.keys(ESC);
    console.until("34 waiti", 5);
    let refused = audit(&console, 1);
    assert_eq!(refused.len(), 1, "{refused:#?}");
    assert_eq!(refused[0]["event"], "refused");
    console.leave();
    sql.log_statements(false);
    assert_eq!(sql.number("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'worker'"), 1);
    let sent = scene.log_since(log);
    assert!(sent.contains("pgtriage/writer"), "the writer was there");
    assert!(!sent.contains(&format!("$1 = '{worker}'")), "{sent}");
}
