//! The service's metrics under FraiseQL 2.19's names, labels and buckets; it must not invent a value.
use super::operation::Failure;
use super::pool::Gauge;
use super::statements::Costly;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Upper bounds of FraiseQL 2's buckets, in seconds; what takes longer than the last is only in `+Inf`.
const BUCKETS: [f64; 11] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

/// All that was counted.
#[derive(Debug, Default)]
pub struct Metrics(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    operations: BTreeMap<&'static str, Operation>,
    http: Histogram,
    responses: [u64; 3],
    validation_errors: u64,
    parse_errors: u64,
    cache_hits: u64,
    cache_misses: u64,
    cache_invalidations: u64,
    cache_entries: i64,
    cache_bytes: i64,
    costly: Vec<Costly>,
}

#[derive(Debug, Default)]
struct Operation {
    time: Histogram,
    errors: u64,
}

#[derive(Debug, Default)]
struct Histogram {
    buckets: [u64; BUCKETS.len()],
    count: u64,
    sum: f64,
}

impl Histogram {
    fn observe(&mut self, took: Duration) {
        let seconds = took.as_secs_f64();
        for (bucket, bound) in self.buckets.iter_mut().zip(BUCKETS) {
            if seconds <= bound {
                *bucket += 1;
            }
        }
        self.count += 1;
        self.sum += seconds;
    }

    fn write(&self, text: &mut String, name: &str, labels: &str) {
        let comma = if labels.is_empty() { "" } else { "," };
        let braces = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
        for (count, bound) in self.buckets.iter().zip(BUCKETS) {
            line(text, &format!("{name}_bucket{{{labels}{comma}le=\"{bound}\"}}"), count);
        }
        line(text, &format!("{name}_bucket{{{labels}{comma}le=\"+Inf\"}}"), self.count);
        line(text, &format!("{name}_sum{braces}"), format!("{:.6}", self.sum));
        line(text, &format!("{name}_count{braces}"), self.count);
    }
}

impl Metrics {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A query was executed.
    pub fn query(&self, operation: &'static str, took: Duration, succeeded: bool) {
        let mut counts = self.counts();
        let of = counts.operations.entry(operation).or_default();
        of.time.observe(took);
        of.errors += u64::from(!succeeded);
    }

    /// A request was refused before any query.
    pub fn refused(&self, failure: &Failure) {
        let mut counts = self.counts();
        match failure {
            Failure::Parse(_) => counts.parse_errors += 1,
            Failure::Validation(_) => counts.validation_errors += 1,
            Failure::Execution(_) => {}
        }
    }

    /// An HTTP request was answered.
    pub fn http(&self, status: u16, took: Duration) {
        let mut counts = self.counts();
        counts.http.observe(took);
        match status {
            200..300 => counts.responses[0] += 1,
            400..500 => counts.responses[1] += 1,
            500.. => counts.responses[2] += 1,
            _ => {}
        }
    }

    /// The result cache was asked.
    pub fn cache(&self, hit: bool) {
        let mut counts = self.counts();
        counts.cache_hits += u64::from(hit);
        counts.cache_misses += u64::from(!hit);
    }

    /// So many cached results were thrown away because what they hold has changed.
    pub fn invalidated(&self, entries: u64) {
        self.counts().cache_invalidations += entries;
    }

    /// The cache holds so much.
    pub fn cached(&self, entries: i64, bytes: i64) {
        let mut counts = self.counts();
        counts.cache_entries = entries;
        counts.cache_bytes = bytes;
    }

    /// The costliest statements.
    pub fn costly(&self, costly: Vec<Costly>) {
        self.counts().costly = costly;
    }

    /// The exposition.
    pub fn text(&self, pool: &Gauge) -> String {
        let counts = self.counts();
        let mut text = String::new();
        counts.graphql(&mut text);
        counts.cache(&mut text);
        for (name, help, value) in [
            ("total", "Total connections in pool", pool.total),
            ("idle", "Idle (available) connections", pool.idle),
            ("active", "Active (in-use) connections", pool.active),
        ] {
            single(&mut text, "gauge", &format!("fraiseql_db_pool_connections_{name}"), help, value);
        }
        single(
            &mut text,
            "gauge",
            "fraiseql_db_pool_requests_waiting",
            "Requests waiting for a connection",
            pool.waiting,
        );
        counts.costly_statements(&mut text);
        counts.durations(&mut text);
        process(&mut text);
        text
    }
}

impl Counts {
    fn graphql(&self, text: &mut String) {
        let refused = self.validation_errors + self.parse_errors;
        let executed: u64 = self.operations.values().map(|of| of.time.count).sum();
        let failed: u64 = self.operations.values().map(|of| of.errors).sum();
        let seconds: f64 = self.operations.values().map(|of| of.time.sum).sum();
        let total = executed + refused;
        for (name, help, value) in [
            ("graphql_queries_total", "Total GraphQL queries executed", total),
            ("graphql_queries_success", "Total successful GraphQL queries", executed - failed),
            ("graphql_queries_error", "Total failed GraphQL queries", failed + refused),
            ("validation_errors_total", "Total validation errors", self.validation_errors),
            ("parse_errors_total", "Total parse errors", self.parse_errors),
            ("execution_errors_total", "Total execution errors", failed),
            ("http_requests_total", "Total HTTP requests", self.http.count),
            ("http_responses_2xx", "Total 2xx HTTP responses", self.responses[0]),
            ("http_responses_4xx", "Total 4xx HTTP responses", self.responses[1]),
            ("http_responses_5xx", "Total 5xx HTTP responses", self.responses[2]),
        ] {
            single(text, "counter", &format!("fraiseql_{name}"), help, value);
        }
        single(
            text,
            "gauge",
            "fraiseql_graphql_query_duration_ms",
            "Average query execution time in milliseconds",
            ratio(seconds * 1000.0, executed),
        );
    }

    fn cache(&self, text: &mut String) {
        let asked = self.cache_hits + self.cache_misses;
        for (kind, name, help, value) in [
            ("counter", "hits_total", "Query-result cache lookups served from the cache", self.cache_hits.to_string()),
            (
                "counter",
                "misses_total",
                "Query-result cache lookups that reached the database",
                self.cache_misses.to_string(),
            ),
            (
                "gauge",
                "hit_ratio",
                "Query-result cache hit ratio (0-1)",
                format!("{:.3}", ratio(count(self.cache_hits), asked)),
            ),
            ("gauge", "entries", "Entries held by the query-result cache", self.cache_entries.to_string()),
            (
                "counter",
                "invalidations_total",
                "Query-result cache invalidations",
                self.cache_invalidations.to_string(),
            ),
            ("gauge", "memory_bytes", "Estimated memory held by the query-result cache", self.cache_bytes.to_string()),
        ] {
            single(text, kind, &format!("fraiseql_cache_{name}"), help, value);
        }
    }

    fn costly_statements(&self, text: &mut String) {
        type Read = fn(&Costly) -> String;
        let columns: [(&str, &str, Read); 4] = [
            ("query_exec_seconds", "Cumulative execution time per query (from DB stats extension)", |of| {
                format!("{:.6}", of.total)
            }),
            ("query_calls", "Total call count per query (from DB stats extension)", |of| of.calls.to_string()),
            ("query_mean_exec_seconds", "Mean execution time per query (from DB stats extension)", |of| {
                format!("{:.6}", of.mean)
            }),
            ("cache_hit_ratio", "Buffer cache hit ratio per query (0-1, from DB stats extension)", |of| {
                format!("{:.4}", of.hits)
            }),
        ];
        for (name, help, read) in columns {
            head(text, "gauge", &format!("fraiseql_db_{name}"), help);
            for of in &self.costly {
                let query = of.text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
                line(text, &format!("fraiseql_db_{name}{{queryid=\"{}\",query=\"{query}\"}}", of.id), read(of));
            }
        }
    }

    fn durations(&self, text: &mut String) {
        head(text, "histogram", "fraiseql_query_duration_seconds", "Per-operation query duration histogram");
        for (name, of) in &self.operations {
            of.time.write(text, "fraiseql_query_duration_seconds", &format!("operation=\"{name}\""));
        }
        head(text, "counter", "fraiseql_query_errors_total", "Per-operation query error count");
        for (name, of) in &self.operations {
            line(text, &format!("fraiseql_query_errors_total{{operation=\"{name}\"}}"), of.errors);
        }
        head(text, "histogram", "fraiseql_http_request_duration_seconds", "HTTP request duration in seconds");
        self.http.write(text, "fraiseql_http_request_duration_seconds", "");
    }
}

/// What FraiseQL itself does not export, but a platform's exporter usually does under the same job: this process, by its own /proc.
fn process(text: &mut String) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let resident =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse::<u64>().ok());
    if let Some(kilobytes) = resident {
        single(text, "gauge", "process_resident_memory_bytes", "Resident memory size in bytes.", kilobytes * 1024);
    }
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // User and system time are the 14th and 15th field, in hundredths of a second on every Linux; the name ends with the parenthesis.
    let after = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: Vec<f64> = after.split_whitespace().skip(11).take(2).filter_map(|field| field.parse().ok()).collect();
    if let [user, system] = ticks[..] {
        let seconds = (user + system) / 100.0;
        single(
            text,
            "counter",
            "process_cpu_seconds_total",
            "Total user and system CPU time spent in seconds.",
            seconds,
        );
    }
}

fn head(text: &mut String, kind: &str, name: &str, help: &str) {
    let gap = if text.is_empty() { "" } else { "\n" };
    let _infallible = write!(text, "{gap}# HELP {name} {help}\n# TYPE {name} {kind}\n");
}

fn line(text: &mut String, series: &str, value: impl std::fmt::Display) {
    let _infallible = writeln!(text, "{series} {value}");
}

fn single(text: &mut String, kind: &str, name: &str, help: &str, value: impl std::fmt::Display) {
    head(text, kind, name, help);
    line(text, name, value);
}

fn ratio(part: f64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part / count(whole) }
}

#[expect(clippy::cast_precision_loss, reason = "a counter of a lab that lives an hour stays far below 2^52")]
fn count(number: u64) -> f64 {
    number as f64
}
