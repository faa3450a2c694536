//! Each incident of the lab from the start of the console to the right action: what Triage says first, how soon, and the keys.
//!
//! The moment at which the evidence is there is taken from the servers themselves, not from the console.

use std::time::{Duration, Instant};

use super::driver::{Console, Start, WIDE};
use super::scene::{Scene, Sql};

/// Two refreshes, and the time that a busy machine takes: after a slow answer a question rests for up to five seconds.
const SOON: Duration = Duration::from_secs(2 * 2 + 6);

/// A console that was open before anything went wrong.
fn opened(scene: &mut Scene, uri: &str) -> Console {
    let prometheus = scene.lab().prometheus();
    let arguments = [uri, "--prometheus", prometheus.as_str(), "--job", "fraiseql", "--config", "/dev/null"];
    let console = Start::with(&arguments).size(WIDE).open_on_triage();
    // Whatever ended before us may still be among what is told; nothing is wrong now. The standby was seen: what was never
    // here cannot vanish.
    console.until("(?s)1 Triage +2 Conn.*✓ answers.*standbys +✓ 1 of 1", 60);
    console
}

/// That the first finding is this one, at most so long after `crossed`.
fn first(console: &Console, finding: &str, crossed: Instant, soon: Duration) {
    let left = soon.saturating_sub(crossed.elapsed()).max(Duration::from_secs(1));
    // The line below the title, behind its mark.
    console.within(&format!("What is wrong[^\\n]*\\n[‼!·] {finding}"), left);
}

/// Asks Prometheus until the expression has such a value.
fn until_metric(prometheus: &str, expression: &str, wanted: impl Fn(f64) -> bool, seconds: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let _already = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let address = format!("{prometheus}/api/v1/query");
    let deadline = Instant::now() + Duration::from_secs(seconds);
    loop {
        let value = runtime.block_on(async {
            let answer = client.get(&address).query(&[("query", expression)]).send().await.ok()?;
            let json: serde_json::Value = serde_json::from_str(&answer.text().await.ok()?).ok()?;
            json.pointer("/data/result/0/value/1")?.as_str()?.parse::<f64>().ok()
        });
        if value.is_some_and(&wanted) {
            return;
        }
        assert!(Instant::now() < deadline, "{expression} is {value:?}");
        std::thread::sleep(Duration::from_millis(500));
    }
}

fn pid_of(sql: &Sql, app: &str) -> String {
    sql.text(&format!("SELECT pid FROM pg_stat_activity WHERE application_name = '{app}'")).expect("it is there")
}

#[test]
fn lock_pileup_is_named_within_two_refreshes_and_ended_by_one_key_and_a_pid() {
    let Some(mut scene) = Scene::whole() else { return };
    let uri = scene.uri("oncall");
    let mut console = opened(&mut scene, &uri);
    scene.play("lock-pileup");
    let sql = scene.sql("postgres");
    sql.until("(SELECT max(clock_timestamp() - waitstart) FROM pg_locks WHERE NOT granted) >= '2 s'", 20);
    let crossed = Instant::now();
    let root = pid_of(&sql, "worker");
    first(&console, &format!("{root} idle in transaction .* blocks 50 sessions"), crossed, SOON);
    console.keys("X");
    console.until(&format!("Terminate backend {root}"), 5);
    console.type_answer(&root);
    sql.until("(SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock') = 0", 10);
    console.until("gone after|the session has ended", 10);
    console.leave();
}

#[test]
fn slow_queries_are_named_within_two_refreshes_and_the_longest_is_cancelled_by_two_keys() {
    let Some(mut scene) = Scene::whole() else { return };
    let uri = scene.uri("oncall");
    let mut console = opened(&mut scene, &uri);
    scene.play("slow-queries");
    let sql = scene.sql("postgres");
    let oldest = "backend_type = 'client backend' AND state = 'active' AND pid <> pg_backend_pid()";
    sql.until(&format!("(SELECT max(now() - query_start) FROM pg_stat_activity WHERE {oldest}) >= '30 s'"), 60);
    let crossed = Instant::now();
    first(&console, "\\d+ statements? runs? longer than 30s", crossed, SOON);
    let longest = console.until("longest (\\d+) for", 5);
    let started = format!("SELECT query_start::text FROM pg_stat_activity WHERE pid = {longest} AND state = 'active'");
    let before = sql.text(&started).expect("it runs");
    console.keys("x");
    console.until(&format!("Cancel the statement of backend {longest}"), 5);
    console.say_yes();
    console.until("the statement ended after", 10);
    assert_ne!(sql.text(&started), Some(before), "that statement was cancelled");
    console.leave();
}

#[test]
fn bloat_is_named_by_who_holds_the_horizon_and_ended_by_one_key_and_a_pid() {
    let Some(mut scene) = Scene::whole() else { return };
    let uri = scene.uri("oncall");
    let mut console = opened(&mut scene, &uri);
    scene.play("bloat");
    let sql = scene.sql("postgres");
    let holder = pid_of(&sql, "month-end-report");
    sql.until(&format!("(SELECT now() - xact_start FROM pg_stat_activity WHERE pid = {holder}) >= '60 s'"), 90);
    let crossed = Instant::now();
    // The tables are looked at every 15 s while Triage is open.
    first(&console, &format!("{holder} idle in transaction"), crossed, Duration::from_secs(2 * 15));
    console.until(&format!("{holder} idle in transaction holds the horizon"), 30);
    console.keys("X");
    console.until(&format!("Terminate backend {holder}"), 5);
    console.type_answer(&holder);
    sql.until(&format!("NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = {holder})"), 10);
    console.until_not("holds the horizon", 30);
    console.leave();
}

#[test]
fn exhausted_connections_are_named_within_two_refreshes_and_the_leak_is_ended_by_three_keys_and_its_words() {
    let Some(mut scene) = Scene::whole() else { return };
    let uri = scene.uri("oncall");
    // Who is in stays in.
    let sql = scene.sql("postgres");
    let mut console = opened(&mut scene, &uri);
    scene.play("connections-exhausted");
    let crossed = Instant::now();
    first(&console, "\\d+ of 97 connections are taken \\(10\\d %\\)", crossed, SOON);
    console.keys("\r");
    console.until("(?s)app:\"batch-import\".*batch-import", 5);
    console.keys("M");
    console.keys("X");
    let words = console.until("(terminate \\d+) ", 5);
    // Those of a superuser are not ours to end, and the question says so.
    console.until("3 of the marked ones are left out", 5);
    console.type_answer(&words);
    let left = "FROM pg_stat_activity WHERE application_name = 'batch-import' AND usename";
    sql.until(&format!("(SELECT count(*) {left} = 'shop_worker') = 0"), 20);
    assert!(sql.number(&format!("SELECT count(*) {left} = 'postgres'")) > 0);
    console.until("\\d\\d signals sent", 20);
    console.keys(super::driver::ESC);
    console.until("1 Triage", 5);
    console.leave();
}

#[test]
fn a_lagging_replica_is_named_here_and_there_and_there_the_cure_is_one_key() {
    let Some(mut scene) = Scene::whole() else { return };
    let (uri, there) = (scene.uri("oncall"), scene.lab().standby_uri("oncall"));
    let console = opened(&mut scene, &uri);
    let mut standby = Start::with(&[&there, "--config", "/dev/null"]).size(WIDE).open_on_triage();
    standby.until("✓ answers", 20);
    scene.play("replica-lag");
    let paused = Instant::now();
    first(&standby, "replay is paused on this standby", paused, SOON);
    let sql = scene.sql("postgres");
    let behind = "(SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn) FROM pg_stat_replication) >= 67108864";
    sql.until(behind, 120);
    let crossed = Instant::now();
    first(&console, "standby1 is \\d+ MB behind", crossed, SOON);
    standby.keys("Y");
    // SELECT pg_wal_replay_resume(), in base64, as the terminal's clipboard takes it.
    standby.until_bytes(b"]52;c;U0VMRUNUIHBnX3dhbF9yZXBsYXlfcmVzdW1lKCk", 5);
    let log = Sql::open(&scene.lab().standby_uri("postgres"));
    log.run("SELECT pg_wal_replay_resume()");
    standby.until_not("replay is paused", 10);
    standby.leave();
    console.leave();
}

#[test]
fn a_replica_that_is_gone_is_named_within_two_refreshes_with_what_its_slot_keeps_and_the_sql() {
    let Some(mut scene) = Scene::whole() else { return };
    let uri = scene.uri("oncall");
    let mut console = opened(&mut scene, &uri);
    let sql = scene.sql("postgres");
    scene.play("replica-gone");
    sql.until("(SELECT count(*) FROM pg_stat_replication) = 0", 10);
    let crossed = Instant::now();
    first(&console, "standby1 vanished .*its slot retains", crossed, SOON);
    // It is critical once it is more than a restart.
    console.until("‼ standby1 vanished", 45);
    // Four keys: its row, that in full with the SQL and what it costs, what to copy, and that.
    console.keys("\r");
    console.until("standby1 +MISSING", 5);
    console.keys("\r");
    console.until("pg_drop_replication_slot", 5);
    console.keys("Y");
    console.until("(?s)Copy.*slot standby1, inactive", 5);
    console.keys("\r");
    // SELECT pg_drop_replication_slot('standby1'), in base64, as the terminal's clipboard takes it.
    console.until_bytes(b"]52;c;U0VMRUNUIHBnX2Ryb3BfcmVwbGljYXRpb25fc2xvdCgnc3RhbmRieTEn", 5);
    console.leave();
}

#[test]
fn a_collapsing_cache_is_named_and_its_expired_rows_are_removed_by_three_keys() {
    let Some(mut scene) = Scene::whole() else { return };
    let uri = scene.uri("oncall");
    let mut console = opened(&mut scene, &uri);
    scene.play("cache-collapse");
    // The panel's own window counts from there.
    let ratio = "sum(rate(fraiseql_cache_hits_total[5m])) / (sum(rate(fraiseql_cache_hits_total[5m])) \
                 + sum(rate(fraiseql_cache_misses_total[5m])))";
    until_metric(&scene.lab().prometheus(), ratio, |value| value < 0.7, 300);
    let crossed = Instant::now();
    // Panels are asked every five seconds while Triage is open.
    first(&console, "cache hits [0-6]?\\d\\.\\d%", crossed, Duration::from_secs(2 * 5 + 2));
    console.keys("\r");
    console.until("[1-9]\\d* expired, not removed", 40);
    let sql = scene.sql("postgres");
    sql.until("(SELECT count(*) FROM fraiseql_cache WHERE expires_at < now()) > 100", 60);
    console.keys("E");
    console.say_yes();
    console.until("(?:removed \\d+|\\d+[a-z ]* removed)", 60);
    console.leave();
}

#[test]
fn growing_memory_is_named_once_it_is_seen_and_one_key_shows_its_panel() {
    let Some(mut scene) = Scene::whole() else { return };
    let uri = scene.uri("oncall");
    let mut console = opened(&mut scene, &uri);
    scene.play("memory-pressure");
    until_metric(
        &scene.lab().prometheus(),
        "delta(process_resident_memory_bytes{job=\"fraiseql\"}[1m]) / 60 * 3600",
        |v| v > 1e9,
        180,
    );
    first(&console, "memory of \\S+ grows by", Instant::now(), Duration::from_secs(60));
    console.keys("\r");
    console.until("(?s)7 Latency.*Memory", 5);
    console.leave();
}

/// What a machine that is busy otherwise makes true: that an answer is late. Nothing of the server's own is among it.
const LATE: [&str; 5] =
    ["our own questions take", "nothing was seen for", "Prometheus cannot read", "p95 latency", "pool: "];

/// For so long a lab in which nothing has happened may raise nothing at all; what is late may be told, not as critical.
fn calm_for(seconds: u64) {
    let Some(lab) = crate::lab::Lab::start(crate::lab::Wanted::default()) else { return };
    let (uri, prometheus) = (lab.uri("oncall"), lab.prometheus());
    let arguments = [uri.as_str(), "--prometheus", &prometheus, "--job", "fraiseql", "--config", "/dev/null"];
    let console = Start::with(&arguments).size(WIDE).open_on_triage();
    console.until("✓ nothing is wrong with what was looked at", 30);
    let found = regex::Regex::new("(?m)^([‼!·]) (.*)$").expect("a pattern");
    let until = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < until {
        let screen = console.screen();
        let late = |words: &str| LATE.iter().any(|begin| words.starts_with(begin));
        let wrong = found.captures_iter(&screen).find(|line| &line[1] == "‼" || !late(&line[2]));
        assert!(wrong.is_none(), "{screen}");
        std::thread::sleep(Duration::from_millis(200));
    }
    console.leave();
}

#[test]
fn a_calm_server_raises_nothing() {
    calm_for(120);
}

#[test]
fn a_calm_server_raises_nothing_for_ten_minutes() {
    if crate::lab::long() {
        calm_for(600);
    }
}
