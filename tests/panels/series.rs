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

/// What `node_exporter` says of a host: of the room on its disks (one is read-only, one is no disk), and of its memory, as
/// 1.5.0 said it on a machine of 24 GB, with another count of ended processes.
const NODE: &str = "node_filesystem_avail_bytes{device=\"/dev/vda1\",fstype=\"ext4\",mountpoint=\"/\"} 9.1e+10\n\
    node_filesystem_avail_bytes{device=\"/dev/vdb\",fstype=\"xfs\",mountpoint=\"/var/lib/postgresql\"} 3.2e+09\n\
    node_filesystem_avail_bytes{device=\"/dev/vdc\",fstype=\"ext4\",mountpoint=\"/media\"} 0\n\
    node_filesystem_avail_bytes{device=\"tmpfs\",fstype=\"tmpfs\",mountpoint=\"/run\"} 1.2e+08\n\
    node_filesystem_size_bytes{device=\"/dev/vda1\",fstype=\"ext4\",mountpoint=\"/\"} 1.3e+11\n\
    node_filesystem_size_bytes{device=\"/dev/vdb\",fstype=\"xfs\",mountpoint=\"/var/lib/postgresql\"} 3.2e+10\n\
    node_filesystem_size_bytes{device=\"/dev/vdc\",fstype=\"ext4\",mountpoint=\"/media\"} 4e+09\n\
    node_memory_MemAvailable_bytes 1.8150617088e+10\n\
    node_memory_MemFree_bytes 8.197828608e+09\n\
    node_memory_MemTotal_bytes 2.5276059648e+10\n\
    node_vmstat_oom_kill 2\n\
    node_filesystem_readonly{device=\"/dev/vda1\",fstype=\"ext4\",mountpoint=\"/\"} 0\n\
    node_filesystem_readonly{device=\"/dev/vdc\",fstype=\"ext4\",mountpoint=\"/media\"} 1\n";

/// What it says of the host's processor and disks, as much more of it at each scrape, one a second: of two cores 60 % and
/// 20 % are used; a volume, the disk below it, one that does nothing, and a file that is mounted.
const BUSY: &str = "node_cpu_seconds_total{cpu=\"0\",mode=\"idle\"} 0.05\n\
    node_cpu_seconds_total{cpu=\"0\",mode=\"iowait\"} 0.05\n\
    node_cpu_seconds_total{cpu=\"0\",mode=\"user\"} 0.1\n\
    node_cpu_seconds_total{cpu=\"0\",mode=\"system\"} 0.03\n\
    node_cpu_seconds_total{cpu=\"0\",mode=\"steal\"} 0.02\n\
    node_cpu_seconds_total{cpu=\"1\",mode=\"idle\"} 0.15\n\
    node_cpu_seconds_total{cpu=\"1\",mode=\"iowait\"} 0.05\n\
    node_cpu_seconds_total{cpu=\"1\",mode=\"user\"} 0.05\n\
    node_pressure_cpu_waiting_seconds_total 0.05\n\
    node_pressure_io_waiting_seconds_total 0.1\n\
    node_disk_io_time_seconds_total{device=\"vda\"} 0.2\n\
    node_disk_io_time_seconds_total{device=\"vdb\"} 0\n\
    node_disk_io_time_seconds_total{device=\"loop0\"} 0.25\n\
    node_disk_read_time_seconds_total{device=\"vda\"} 0.3\n\
    node_disk_read_time_seconds_total{device=\"vdb\"} 0\n\
    node_disk_read_time_seconds_total{device=\"dm-0\"} 9\n\
    node_disk_reads_completed_total{device=\"vda\"} 100\n\
    node_disk_reads_completed_total{device=\"vdb\"} 0\n\
    node_disk_reads_completed_total{device=\"dm-0\"} 100\n\
    node_disk_write_time_seconds_total{device=\"vda\"} 0.1\n\
    node_disk_write_time_seconds_total{device=\"vdb\"} 0\n\
    node_disk_write_time_seconds_total{device=\"dm-0\"} 9\n\
    node_disk_writes_completed_total{device=\"vda\"} 100\n\
    node_disk_writes_completed_total{device=\"vdb\"} 0\n\
    node_disk_writes_completed_total{device=\"dm-0\"} 100\n";

/// The processor of a service's containers, likewise: one that has used up its limit in 3 of 5 periods, and one of another
/// service.
const THROTTLED: &str = "container_cpu_cfs_periods_total{container=\"shop-api\",namespace=\"shop\",pod=\"shop-api-a\"} 2.5\n\
    container_cpu_cfs_throttled_periods_total{container=\"shop-api\",namespace=\"shop\",pod=\"shop-api-a\"} 1.5\n\
    container_cpu_cfs_periods_total{container=\"billing\",namespace=\"shop\",pod=\"billing-a\"} 2.5\n\
    container_cpu_cfs_throttled_periods_total{container=\"billing\",namespace=\"shop\",pod=\"billing-a\"} 2.5\n\
    container_cpu_usage_seconds_total{container=\"shop-api\",cpu=\"total\",namespace=\"shop\",pod=\"shop-api-a\"} 0.1\n\
    container_cpu_usage_seconds_total{container=\"shop-api\",cpu=\"total\",namespace=\"shop\",pod=\"shop-api-b\"} 0.25\n\
    container_cpu_usage_seconds_total{container=\"shop-api\",cpu=\"total\",namespace=\"shop\",pod=\"shop-api-c\"} 0.25\n\
    container_spec_cpu_quota{container=\"shop-api\",namespace=\"shop\",pod=\"shop-api-a\"} 50000\n\
    container_spec_cpu_period{container=\"shop-api\",namespace=\"shop\",pod=\"shop-api-a\"} 100000\n\
    container_spec_cpu_period{container=\"shop-api\",namespace=\"shop\",pod=\"shop-api-c\"} 100000\n";

/// What cAdvisor says of a service's containers: one with a limit, one whose limit only Kubernetes' objects tell, one with
/// none; a pod's own sum, which is no container; and another service.
const CONTAINERS: &str = "container_memory_working_set_bytes{container=\"shop-api\",namespace=\"shop\",pod=\"shop-api-a\"} 4.5e+08\n\
    container_memory_working_set_bytes{container=\"shop-api\",namespace=\"shop\",pod=\"shop-api-b\"} 3e+08\n\
    container_memory_working_set_bytes{container=\"shop-api\",namespace=\"shop\",pod=\"shop-api-c\"} 9e+08\n\
    container_memory_working_set_bytes{container=\"\",namespace=\"shop\",pod=\"shop-api-a\"} 4.6e+08\n\
    container_memory_working_set_bytes{container=\"billing\",namespace=\"shop\",pod=\"billing-a\"} 5e+08\n\
    container_spec_memory_limit_bytes{container=\"shop-api\",namespace=\"shop\",pod=\"shop-api-a\"} 5e+08\n\
    container_spec_memory_limit_bytes{container=\"shop-api\",namespace=\"shop\",pod=\"shop-api-b\"} 0\n\
    container_spec_memory_limit_bytes{container=\"shop-api\",namespace=\"shop\",pod=\"shop-api-c\"} 0\n\
    container_spec_memory_limit_bytes{container=\"billing\",namespace=\"shop\",pod=\"billing-a\"} 5e+08\n\
    kube_pod_container_resource_limits{container=\"shop-api\",namespace=\"shop\",pod=\"shop-api-b\",resource=\"memory\",unit=\"byte\"} 6e+08\n\
    kube_pod_container_resource_limits{container=\"shop-api\",namespace=\"shop\",pod=\"shop-api-b\",resource=\"cpu\",unit=\"core\"} 2\n\
    container_oom_events_total{container=\"shop-api\",namespace=\"shop\",pod=\"shop-api-a\"} 1\n\
    container_oom_events_total{container=\"shop-api\",namespace=\"shop\",pod=\"shop-api-c\"} 0\n\
    container_oom_events_total{container=\"billing\",namespace=\"shop\",pod=\"billing-a\"} 5\n";

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
    let paths = [
        "v1",
        "v1-idle",
        "v2",
        "v2-idle",
        "v2-old",
        "collapsed",
        "acme",
        "postgres",
        "down",
        "node",
        "busy",
        "cadvisor",
        "throttled",
        "locked",
    ];
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
        .route("/busy", growing(BUSY))
        .route("/cadvisor", get(async || CONTAINERS))
        .route("/throttled", growing(THROTTLED))
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
