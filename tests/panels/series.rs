//! Metrics endpoints for a real Prometheus: the dumps of real servers, with counters that grow at every scrape.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;

/// FraiseQL 1.31.1, instrumented by nobody.
pub const V1: &str = include_str!("../fixtures/fraiseql-1.31.1-metrics.txt");

/// FraiseQL 2.19.0 with a result cache.
pub const V2: &str = include_str!("../fixtures/fraiseql-2.19.0-metrics.txt");

/// The counters of FraiseQL 2.0–2.15 that nothing adds to, and its ratio that is 0 for ever.
const V2_OLD: &str = "fraiseql_graphql_queries_total 7\nfraiseql_graphql_queries_error 2\nfraiseql_cache_hits 0\n\
    fraiseql_cache_misses 0\nfraiseql_cache_hit_ratio 0.000\nfraiseql_database_queries_total 0\n";

/// A cache that has collapsed before its first hit: Python's client has no hit counter then.
const COLLAPSED: &str = "fraiseql_cache_misses_total{cache_type=\"query\"} 9\n";

/// What `postgres_exporter` 0.11.1 says of the sessions.
const POSTGRES: &str = "pg_up 1\n\
    pg_stat_activity_count{datname=\"shop\",server=\"a\",state=\"active\"} 3\n\
    pg_stat_activity_count{datname=\"jobs\",server=\"a\",state=\"active\"} 2\n\
    pg_stat_activity_count{datname=\"shop\",server=\"a\",state=\"idle in transaction\"} 1\n";

/// What `node_exporter` 1.8 says of the room on a host's disks; one is read-only, one is no disk.
const NODE: &str = "node_filesystem_avail_bytes{device=\"/dev/vda1\",fstype=\"ext4\",mountpoint=\"/\"} 9.1e+10\n\
    node_filesystem_avail_bytes{device=\"/dev/vdb\",fstype=\"xfs\",mountpoint=\"/var/lib/postgresql\"} 3.2e+09\n\
    node_filesystem_avail_bytes{device=\"/dev/vdc\",fstype=\"ext4\",mountpoint=\"/media\"} 0\n\
    node_filesystem_avail_bytes{device=\"tmpfs\",fstype=\"tmpfs\",mountpoint=\"/run\"} 1.2e+08\n\
    node_filesystem_readonly{device=\"/dev/vda1\",fstype=\"ext4\",mountpoint=\"/\"} 0\n\
    node_filesystem_readonly{device=\"/dev/vdc\",fstype=\"ext4\",mountpoint=\"/media\"} 1\n";

/// What `postgres_exporter` says while its server is down, or refuses it.
const DOWN: &str = "pg_up 0\n";

/// Gauges in type or name that are running totals in fact, and counters without `_total`.
const GROWING: [&str; 4] = [
    "fraiseql_graphql_queries_success",
    "fraiseql_graphql_queries_error",
    "fraiseql_db_query_exec_seconds",
    "fraiseql_db_query_calls",
];

/// The jobs that a Prometheus is told to scrape, by the path of their metrics.
pub fn jobs() -> BTreeMap<&'static str, String> {
    let paths = ["v1", "v1-idle", "v2", "v2-idle", "v2-old", "collapsed", "acme", "postgres", "down", "node", "locked"];
    paths.into_iter().map(|job| (job, format!("/{job}"))).collect()
}

/// Serves all jobs.
pub async fn serve() -> SocketAddr {
    let growing = |text: &'static str| {
        let scrapes = std::sync::Arc::new(AtomicU64::new(0));
        get(move || {
            let n = scrapes.fetch_add(1, Ordering::SeqCst) + 1;
            async move { grown(text, n) }
        })
    };
    let router = Router::new()
        .route("/v1", growing(V1))
        .route("/v1-idle", get(async || V1))
        .route("/v2", growing(V2))
        .route("/v2-idle", get(async || V2))
        .route("/v2-old", growing(V2_OLD))
        .route("/collapsed", growing(COLLAPSED))
        .route("/acme", get(async || V2.replace("fraiseql_", "acme_")))
        .route("/postgres", get(async || POSTGRES))
        .route("/down", get(async || DOWN))
        .route("/node", get(async || NODE))
        .route("/locked", get(async || StatusCode::UNAUTHORIZED));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// The dump as it would be after `n` times its traffic.
fn grown(text: &str, n: u64) -> String {
    let lines = text.lines().map(|line| {
        let Some((series, value)) = line.rsplit_once(' ') else { return line.to_owned() };
        let name = series.split('{').next().unwrap_or(series);
        let gauge = ["fraiseql_db_connections_total", "fraiseql_db_pool_connections_total"].contains(&name);
        let counts =
            GROWING.contains(&name) || ["_total", "_bucket", "_sum", "_count"].iter().any(|e| name.ends_with(e));
        if line.starts_with('#') || gauge || !counts {
            return line.to_owned();
        }
        #[expect(clippy::cast_precision_loss, reason = "a test scrapes a few hundred times")]
        let value = value.parse::<f64>().unwrap() * n as f64;
        format!("{series} {value}")
    });
    lines.map(|line| line + "\n").collect()
}
