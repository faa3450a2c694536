//! The lab keeps its promises: real servers, real incidents, nothing left behind; it must not test the console.
use crate::lab::{Lab, PRIMARY, SERVERS, Wanted, long, program};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tokio_postgres::{Client, NoTls};

async fn connect(uri: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(uri, NoTls).await.expect("the server lets one in");
    tokio::spawn(connection);
    client
}

async fn number(client: &Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).await.expect(sql).get(0)
}

/// Asks until the answer is at least `least`: what is asked for happens in the server's own time.
async fn reaches(client: &Client, sql: &str, least: i64) -> i64 {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let now = number(client, sql).await;
        if now >= least || Instant::now() > deadline {
            assert!(now >= least, "{now} instead of {least}: {sql}");
            return now;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Who waits for a lock. After a second each wakes once to look for a deadlock, and waits for nothing then.
fn waiting(application: &str) -> String {
    format!(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = '{application}'"
    )
}

fn alive(pid: u64) -> bool {
    // A process that ended and was not waited for still has its number, but no program.
    std::fs::read_link(format!("/proc/{pid}/exe")).is_ok()
}

fn pids(lab: &Lab) -> Vec<u64> {
    ["/primary/pid", "/standby/pid", "/service/pid"]
        .iter()
        .filter_map(|pointer| lab.facts.pointer(pointer)?.as_u64())
        .collect()
}

fn gone_within(seconds: u64, folder: &Path, pids: &[u64]) -> bool {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    while folder.exists() || pids.iter().any(|pid| alive(*pid)) {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    true
}

async fn get(url: &str) -> String {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    client.get(url).send().await.expect(url).text().await.expect(url)
}

fn choose_provider() {
    // One for the whole process, whichever test comes first.
    let _already = rustls::crypto::ring::default_provider().install_default();
}

#[tokio::test]
async fn the_lab_starts_a_primary_with_a_streaming_standby_and_stops_without_a_trace() {
    let Some(lab) = Lab::start(SERVERS) else { return };
    let (folder, pids) = (lab.folder(), pids(&lab));
    assert_eq!(pids.len(), 2);
    assert!(pids.iter().all(|pid| alive(*pid)));
    let standby = connect(&lab.standby_uri("plain")).await;
    assert_eq!(number(&standby, "SELECT pg_is_in_recovery()::int::int8").await, 1);
    let primary = connect(&lab.uri("monitor")).await;
    assert_eq!(number(&primary, "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'").await, 1);
    drop((primary, standby));
    assert!(lab.log("standby").contains("started streaming WAL"));
    assert!(lab.stop());
    assert!(gone_within(0, &folder, &pids));
}

#[tokio::test]
async fn a_lab_that_is_killed_leaves_no_process_and_no_folder() {
    let Some(mut lab) = Lab::start(SERVERS) else { return };
    let (folder, pids) = (lab.folder(), pids(&lab));
    // Also frozen servers, which hear no ordinary signal.
    lab.command("freeze-primary");
    lab.process().kill().expect("kill -9");
    assert!(gone_within(15, &folder, &pids), "{pids:?} {}", folder.display());
}

#[test]
fn a_lab_whose_parent_is_killed_leaves_no_process_and_no_folder() {
    // The folder is known before the lab is killed, since it lies in one of our own.
    if std::env::var_os("PGTRIAGE_LAB").is_none() {
        let _loudly = Lab::start(PRIMARY);
        return;
    }
    let own = tempfile::tempdir().expect("a folder");
    std::fs::set_permissions(own.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).expect("chmod");
    let mut shell = Command::new("sh")
        .args(["-c", "\"$0\" serve --without=standby,prometheus,service >ready; exit"])
        .arg(program())
        .current_dir(own.path())
        .env("TMPDIR", own.path())
        .stdin(Stdio::piped())
        .spawn()
        .expect("a shell");
    // Not the end of its input is what must end the lab.
    let _held = shell.stdin.take();
    let ready = || std::fs::read_to_string(own.path().join("ready")).unwrap_or_default();
    let deadline = Instant::now() + Duration::from_secs(60);
    while !ready().ends_with('\n') {
        assert!(Instant::now() < deadline, "the lab does not start");
        std::thread::sleep(Duration::from_millis(50));
    }
    let facts: serde_json::Value = serde_json::from_str(&ready()).expect("JSON");
    let folder = Path::new(facts["folder"].as_str().expect("a folder")).to_owned();
    assert!(folder.exists());
    shell.kill().expect("kill -9");
    shell.wait().expect("its end");
    let pid = facts["primary"]["pid"].as_u64().expect("a pid");
    assert!(gone_within(15, &folder, &[pid]), "{}", folder.display());
}

#[tokio::test]
async fn a_lock_pileup_is_a_root_an_update_a_queued_migration_and_thirty_two_readers() {
    let Some(mut lab) = Lab::start(PRIMARY) else { return };
    lab.command("scenario lock-pileup");
    let admin = connect(&lab.uri("postgres")).await;
    let root =
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'worker' AND state = 'idle in transaction'";
    assert_eq!(number(&admin, root).await, 1);
    assert_eq!(reaches(&admin, &waiting("storefront"), 32).await, 32);
    let behind = "SELECT count(*) FROM pg_stat_activity r, pg_stat_activity m WHERE m.application_name = 'migration' \
                  AND r.application_name = 'storefront' AND m.pid = ANY (pg_blocking_pids(r.pid))";
    assert_eq!(number(&admin, behind).await, 32);
}

#[tokio::test]
async fn cancelling_the_queued_migration_lets_the_readers_flow_and_it_is_not_tried_again() {
    let Some(lab) = Lab::start(Wanted { scenario: Some("lock-pileup"), ..PRIMARY }) else { return };
    let oncall = connect(&lab.uri("oncall")).await;
    let cancel = "SELECT pg_cancel_backend(pid)::int::int8 FROM pg_stat_activity WHERE application_name = 'migration'";
    assert_eq!(number(&oncall, cancel).await, 1);
    let flowing = "SELECT (count(*) FILTER (WHERE wait_event_type = 'Lock') = 0)::int::int8 FROM pg_stat_activity \
                   WHERE application_name IN ('storefront', 'migration')";
    reaches(&oncall, flowing, 1).await;
    let fresh = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'storefront' AND query_start > now() - interval '1 second'";
    reaches(&oncall, fresh, 20).await;
    assert_eq!(reaches(&oncall, &waiting("fulfilment"), 1).await, 1, "the root still holds its row");
}

#[tokio::test]
async fn every_scenario_begins_and_leaves_the_shop_as_it_was() {
    every_scenario(None).await;
}

#[tokio::test]
async fn every_scenario_begins_and_ends_on_every_major() {
    if long() {
        for major in 13..=18 {
            every_scenario(Some(major)).await;
        }
    }
}

async fn every_scenario(postgres: Option<u32>) {
    let Some(mut lab) = Lab::start(Wanted { postgres, without: &["prometheus"], ..Wanted::default() }) else { return };
    let shop = "SELECT hashtext(string_agg(relname || relnatts || coalesce(relacl::text, ''), ',' ORDER BY relname))::int8 \
                FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i')";
    let alone = "SELECT (count(*) = 0)::int::int8 FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() \
                    AND usename NOT IN ('shop_api') AND application_name <> ''";
    let before = number(&connect(&lab.uri("postgres")).await, shop).await;
    for scenario in [
        "lock-pileup",
        "slow-queries",
        "bloat",
        "replica-lag",
        "replica-gone",
        "cache-collapse",
        "connections-exhausted",
        "memory-pressure",
    ] {
        lab.command(&format!("scenario {scenario}"));
        assert_eq!(lab.command("state")["state"]["scenario"], scenario);
        lab.command("calm");
        let admin = connect(&lab.uri("postgres")).await;
        assert_eq!(number(&admin, shop).await, before, "{scenario}");
        reaches(&admin, alone, 1).await;
    }
}

#[tokio::test]
async fn when_connections_are_exhausted_not_even_a_superuser_comes_in() {
    let Some(mut lab) = Lab::start(PRIMARY) else { return };
    let inside = connect(&lab.uri("oncall")).await;
    lab.command("scenario connections-exhausted");
    for role in ["plain", "postgres"] {
        let refused = tokio_postgres::connect(&lab.uri(role), NoTls).await.err().expect(role);
        assert_eq!(refused.code().map(tokio_postgres::error::SqlState::code), Some("53300"), "{role}");
    }
    assert!(
        number(&inside, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'batch-import'").await > 90
    );
}

#[tokio::test]
async fn servers_that_stop_come_back_on_the_same_port() {
    let Some(mut lab) = Lab::start(SERVERS) else { return };
    for how in ["immediate", "fast"] {
        lab.command(&format!("stop-primary {how}"));
        assert!(tokio_postgres::connect(&lab.uri("plain"), NoTls).await.is_err());
        assert_eq!(lab.command("state")["state"]["primary"], false);
        lab.command("start-primary");
        connect(&lab.uri("plain")).await;
    }
    lab.command("stop-standby");
    assert!(tokio_postgres::connect(&lab.standby_uri("plain"), NoTls).await.is_err());
    lab.command("start-standby");
    connect(&lab.standby_uri("plain")).await;
    assert_eq!(lab.try_command("make-coffee")["ok"], false);
}

#[tokio::test]
async fn the_password_of_the_role_scram_is_needed_and_right() {
    let Some(lab) = Lab::start(PRIMARY) else { return };
    let uri = lab.uri("scram");
    connect(&uri).await;
    assert!(tokio_postgres::connect(&uri.replace("lab%20secret", "guess"), NoTls).await.is_err());
}

#[tokio::test]
async fn prometheus_scrapes_every_target_and_the_service_speaks_with_the_names_of_fraiseql() {
    choose_provider();
    let Some(mut lab) = Lab::start(Wanted::default()) else { return };
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let up = get(&format!("{}/api/v1/query?query=sum(up)", lab.prometheus())).await;
        if up.contains("\"4\"") {
            break;
        }
        assert!(Instant::now() < deadline, "two exporters, the service and Prometheus: {up}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(get(&format!("{}/health", lab.service())).await.contains("\"healthy\""));
    lab.command("scenario lock-pileup");
    let deadline = Instant::now() + Duration::from_secs(60);
    let text = loop {
        let text = get(&format!("{}/metrics", lab.service())).await;
        let waiting = text.lines().find_map(|line| line.strip_prefix("fraiseql_db_pool_requests_waiting "));
        if waiting.is_some_and(|value| value != "0") {
            break text;
        }
        assert!(Instant::now() < deadline, "nobody waits for the pool");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let names: BTreeSet<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    for name in [
        "fraiseql_graphql_queries_total",
        "fraiseql_graphql_queries_error",
        "fraiseql_http_requests_total",
        "fraiseql_cache_hits_total",
        "fraiseql_cache_misses_total",
        "fraiseql_db_pool_connections_active",
        "fraiseql_query_duration_seconds",
        "process_resident_memory_bytes",
        "process_cpu_seconds_total",
    ] {
        assert!(names.contains(name), "{name}");
    }
    assert!(text.contains("fraiseql_query_duration_seconds_bucket{operation=\"OrderList\",le=\"5\"}"));
    lab.command("stop-prometheus");
    lab.command("start-prometheus");
}
