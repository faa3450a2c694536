//! The built-in panels against a real Prometheus: which source answers for which version of the service, and what is
//! no answer. Runs where `PGTRIAGE_LAB` is set; the program is the lab's own, unless `PGTRIAGE_PROMETHEUS` names one.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Stdio;
use std::time::Duration;

use pgtriage::model::panel::{PanelAnswer, PanelSpec, Reading, defaults};
use pgtriage::model::{Cadence, Demand, ProbeError, Question, Snapshot, Wanted};
use pgtriage::probe::Report;
use pgtriage::probe::prometheus::{Prometheus, PrometheusSettings};
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep};

use super::series;

/// The Prometheus that the lab found or unpacked.
fn the_labs_own() -> std::ffi::OsString {
    let bins = std::process::Command::new(crate::lab::program()).arg("bins").output().unwrap();
    let bins: serde_json::Value = serde_json::from_slice(&bins.stdout).unwrap();
    bins["prometheus"].as_str().unwrap().into()
}

/// A running Prometheus; it ends with the test.
struct Lab {
    url: String,
    _child: Child,
    _folder: tempfile::TempDir,
}

impl Lab {
    /// None, said loudly, where the lab is not wanted.
    async fn start() -> Option<Self> {
        if std::env::var_os("PGTRIAGE_LAB").is_none() {
            eprintln!("SKIPPED: PGTRIAGE_LAB is not set, so no real Prometheus was asked");
            return None;
        }
        let service = series::serve().await;
        let folder = tempfile::tempdir().unwrap();
        let mut config = "global:\n  scrape_interval: 1s\n  scrape_timeout: 1s\nscrape_configs:\n".to_owned();
        for (job, path) in series::jobs() {
            writeln!(
                config,
                "- job_name: {job}\n  metrics_path: {path}\n  static_configs: [{{targets: ['{service}']}}]"
            )
            .unwrap();
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        writeln!(config, "- job_name: prometheus\n  static_configs: [{{targets: ['127.0.0.1:{port}']}}]").unwrap();
        let file = folder.path().join("prometheus.yml");
        std::fs::write(&file, config).unwrap();
        let program = std::env::var_os("PGTRIAGE_PROMETHEUS").unwrap_or_else(the_labs_own);
        let child = Command::new(program)
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("the program that the lab named can be run");
        let lab = Self { url: format!("http://127.0.0.1:{port}"), _child: child, _folder: folder };
        lab.wait_for_a_rate().await;
        Some(lab)
    }

    /// Five scrapes of every job: then each rate has its two samples, also where one scrape failed.
    async fn wait_for_a_rate(&self) {
        let prometheus = self.of(None);
        let text = "[[panel]]\nid = 'a'\ntitle = 'A'\ntab = 'cache'\n[[panel.candidates]]\nname = 'n'\n\
                    expr = 'min(count_over_time(up[1m])) > 4'\n";
        let ready = pgtriage::model::panel::parse(text, "test").unwrap().remove(0);
        let begun = Instant::now();
        loop {
            let answer = prometheus.panel(&ready, 10, 1).await;
            if answer.as_ref().is_ok_and(|a| matches!(a.reading, Reading::Values { .. })) {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "{answer:?}");
            sleep(Duration::from_millis(100)).await;
        }
    }

    fn of(&self, job: Option<&str>) -> Prometheus {
        self.with(|settings| settings.job = job.map(str::to_owned))
    }

    fn with(&self, change: impl FnOnce(&mut PrometheusSettings)) -> Prometheus {
        let mut settings = PrometheusSettings::new(&self.url);
        settings.postgres_job = Some("postgres".into());
        change(&mut settings);
        Prometheus::new(settings).unwrap()
    }
}

async fn ask(prometheus: &Prometheus, spec: &PanelSpec) -> PanelAnswer {
    prometheus.panel(spec, 30, 1).await.unwrap_or_else(|error| panic!("{}: {error}", spec.id))
}

/// What an answer is, in a few words: the source and its last value, or why there is none.
fn words(spec: &PanelSpec, answer: &PanelAnswer) -> String {
    match &answer.reading {
        Reading::Values { candidate, series } => {
            let values: Vec<String> = series
                .iter()
                .map(|s| {
                    let value = s.last().flatten().map_or("NaN".to_owned(), |v| format!("{v:.3}"));
                    if s.name.is_empty() { value } else { format!("{}={value}", s.name) }
                })
                .collect();
            format!("{}: {}", spec.candidates[*candidate].name, values.join(" "))
        }
        Reading::NotANumber { candidate } => format!("{}: NaN", spec.candidates[*candidate].name),
        Reading::NoSeries => answer.unmeasured.clone().unwrap_or_else(|| "no series".to_owned()),
    }
}

async fn all(prometheus: &Prometheus) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for spec in defaults().unwrap() {
        let answer = ask(prometheus, &spec).await;
        found.insert(spec.id.clone(), words(&spec, &answer));
    }
    found
}

fn expect(found: &BTreeMap<String, String>, expected: &[(&str, &str)]) {
    for (id, begins) in expected {
        assert!(found[*id].starts_with(begins), "{id}: {} is not {begins}; all: {found:#?}", found[*id]);
    }
}

#[tokio::test]
async fn every_version_of_the_service_is_read_from_its_best_source() {
    let Some(lab) = Lab::start().await else { return };

    let v2 = all(&lab.with(|s| (s.job, s.pool_max) = (Some("v2".into()), Some(20)))).await;
    expect(
        &v2,
        &[
            ("p50", "v2 queries: 0.00"),
            ("p95", "v2 queries: 0.0"),
            ("p99", "v2 queries: 0.0"),
            ("throughput", "GraphQL queries: "),
            ("error-ratio", "v2 GraphQL errors: 0.286"),
            ("p95-by-operation", "v2 queries: ListUsers=0.0"),
            ("errors-by-operation", "v2 GraphQL errors: ListUsers=0.000 __anonymous__=1.000"),
            ("db-time", "v2 top five statements: 0.0"),
            ("slow-statements", "v2 queries: 0.000"),
            ("pool", "v2 pool: 0.000"),
            ("requests-waiting", "v2 pool: 0.000"),
            ("memory", "no series"),
            ("cpu", "no series"),
            ("connections", "postgres_exporter: active=5.000 idle in transaction=1.000"),
            ("cache-hit-ratio", "cache counters: 0.800"),
            ("cache-requests", "cache counters: hits="),
            ("cache-entries", "v2 result cache: 1.000"),
            ("cache-size", "v2 result cache: 192.000"),
        ],
    );

    let v1 = all(&lab.of(Some("v1"))).await;
    expect(
        &v1,
        &[
            ("p50", "v1 HTTP on /graphql: 0.00"),
            ("p95", "v1 HTTP on /graphql: 0.0"),
            ("throughput", "v1 HTTP on /graphql: "),
            ("error-ratio", "v1 HTTP 5xx: 0.0"),
            ("p95-by-operation", "v1 HTTP by path: /"),
            ("errors-by-operation", "v1 HTTP 5xx by path: /"),
            ("db-time", "no series"),
            ("slow-statements", "v1 HTTP on /graphql: 0.000"),
            ("pool", "v1 exports pool gauges that nothing sets"),
            ("requests-waiting", "no series"),
            ("cache-hit-ratio", "no series"),
            ("cache-requests", "no series"),
        ],
    );
}

#[tokio::test]
async fn nan_zero_and_nothing_are_told_apart_and_a_dead_counter_is_no_answer() {
    let Some(lab) = Lab::start().await else { return };

    let idle = all(&lab.of(Some("v2-idle"))).await;
    expect(
        &idle,
        &[
            ("p95", "v2 queries: NaN"),
            ("throughput", "GraphQL queries: 0.000"),
            ("error-ratio", "v2 GraphQL errors: NaN"),
            ("errors-by-operation", "v2 GraphQL errors: NaN"),
            ("slow-statements", "v2 queries: 0.000"),
            ("cache-hit-ratio", "cache counters: NaN"),
            ("cache-requests", "cache counters: hits=0.000 requests=0.000"),
            ("pool", "v2 pool, of opened connections: 0.000"),
        ],
    );
    let idle = all(&lab.of(Some("v1-idle"))).await;
    expect(&idle, &[("p95", "v1 HTTP on /graphql: NaN"), ("throughput", "v1 HTTP on /graphql: 0.000")]);

    let old = all(&lab.of(Some("v2-old"))).await;
    let never = "this version's cache counters never count";
    expect(&old, &[("cache-hit-ratio", never), ("cache-requests", never), ("error-ratio", "v2 GraphQL errors: 0.286")]);
    expect(&old, &[("db-time", "this version exports database counters that never count")]);

    let collapsed = all(&lab.of(Some("collapsed"))).await;
    expect(&collapsed, &[("cache-hit-ratio", "cache counters: 0.000")]);
    expect(&collapsed, &[("cache-requests", "cache counters: hits=0.000 requests=")]);

    let acme = lab.with(|s| (s.job, s.prefix) = (Some("acme".into()), "acme".into()));
    expect(&all(&acme).await, &[("throughput", "GraphQL queries: 0.000"), ("cache-size", "v2 result cache: 192")]);

    let nowhere = all(&lab.of(Some("nowhere"))).await;
    expect(&nowhere, &[("p95", "no series"), ("throughput", "no series"), ("memory", "no series")]);
}

#[tokio::test]
async fn room_on_disks_is_that_of_disks_that_can_be_written_and_a_blind_exporter_says_so() {
    let Some(lab) = Lab::start().await else { return };
    let spec = |id: &str| defaults().unwrap().into_iter().find(|spec| spec.id == id).unwrap();
    let disks = spec("disk-free");
    let answer = ask(&lab.of(None), &disks).await;
    let mut found: Vec<(String, Option<f64>)> =
        answer.reading.series().iter().map(|s| (s.name.clone(), s.last().flatten())).collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let mounted: Vec<(&str, Option<f64>)> =
        found.iter().map(|(name, v)| (name.split(' ').nth(1).unwrap(), *v)).collect();
    assert_eq!(mounted, [("/", Some(9.1e10)), ("/var/lib/postgresql", Some(3.2e9))], "{found:?}");

    let of_postgres = ask(&lab.with(|s| s.postgres_job = Some("postgres".into())), &disks).await;
    assert!(words(&disks, &of_postgres).starts_with("node_exporter beside postgres_exporter: "), "the same host");
    let of_nobody = ask(&lab.with(|s| s.postgres_job = Some("node".into())), &disks).await;
    assert!(words(&disks, &of_nobody).starts_with("node_exporter: "), "no exporter of that job has a host");

    let connections = spec("connections");
    let of = |job: &str| lab.with(|s| s.postgres_job = Some(job.into()));
    assert!(words(&connections, &ask(&of("postgres"), &connections).await).starts_with("postgres_exporter: active=5"));
    let down = ask(&of("down"), &connections).await;
    assert_eq!(down.unmeasured.as_deref(), Some("postgres_exporter cannot reach its server (pg_up is 0)"));
    assert_eq!(ask(&of("node"), &connections).await.unmeasured, None, "there is no exporter at all");
}

#[tokio::test]
async fn memory_in_use_is_that_of_the_servers_host_and_of_the_services_containers_by_their_limits() {
    let Some(lab) = Lab::start().await else { return };
    let spec = |id: &str| defaults().unwrap().into_iter().find(|spec| spec.id == id).unwrap();
    let (used, kills, disks) = (spec("memory-used"), spec("oom-kills"), spec("disk-used"));
    let answer = ask(&lab.of(None), &disks).await;
    let shown = words(&disks, &answer);
    assert!(shown.contains(" /=0.300") && shown.contains(" /var/lib/postgresql=0.900"), "{shown}");
    assert!(!shown.contains("media"), "what is read-only does not fill: {shown}");

    // No job is named: the host that postgres_exporter runs on. (24 GB, of which 17 are available.)
    let host = "node_exporter beside postgres_exporter: 127.0.0.1:";
    let answer = words(&used, &ask(&lab.of(None), &used).await);
    assert!(answer.starts_with(host) && answer.ends_with("=0.282"), "{answer}");
    let answer = words(&kills, &ask(&lab.of(None), &kills).await);
    assert!(answer.starts_with(host) && answer.ends_with("=2.000"), "{answer}");
    // Of a named one its containers, too: by their own limit, or by that of Kubernetes, or not.
    let shop = |s: &mut PrometheusSettings| s.job = Some("shop-api".into());
    let answer = words(&used, &ask(&lab.with(shop), &used).await);
    assert!(answer.starts_with("node_exporter and containers: "), "{answer}");
    for part in ["=0.282", "shop-api-a=0.900", "shop-api-b=0.500"] {
        assert!(answer.contains(part), "{part}: {answer}");
    }
    assert!(!answer.contains("shop-api-c") && !answer.contains("billing"), "{answer}");
    let answer = words(&kills, &ask(&lab.with(shop), &kills).await);
    assert!(
        answer.contains("=2.000") && answer.contains("shop-api-a=1.000") && !answer.contains("billing"),
        "{answer}"
    );
    // The service's own host counts by its requests.
    let service = |s: &mut PrometheusSettings| (s.job, s.postgres_job) = (Some("v1".into()), Some("nobody".into()));
    let answer = words(&used, &ask(&lab.with(service), &used).await);
    assert!(answer.starts_with("node_exporter and containers: 127.0.0.1:") && answer.ends_with("=0.282"), "{answer}");
    // Of a host of which nothing tells whose it is nothing is claimed.
    let anybody = lab.with(|s| s.postgres_job = Some("node".into()));
    for (spec, value) in [(&used, "=0.282"), (&kills, "=2.000")] {
        let prefixed = lab.with(|s| (s.prefix, s.postgres_job) = ("nobody".into(), Some("node".into())));
        let answer = ask(&prefixed, spec).await;
        assert!(words(spec, &answer).starts_with("node_exporter: 127.0.0.1:"), "{}", words(spec, &answer));
        assert!(words(spec, &answer).ends_with(value), "{}", words(spec, &answer));
        let Reading::Values { candidate, .. } = answer.reading else { panic!("values") };
        assert!(spec.candidates[candidate].unjudged);
    }
    let answer = words(&used, &ask(&anybody, &used).await);
    assert!(answer.starts_with(host), "the service runs there: {answer}");
}

/// What a series of an answer is now.
fn newest(answer: &PanelAnswer, of: &str) -> f64 {
    let found = answer.reading.series().iter().find(|s| s.name.contains(of));
    found.and_then(|s| s.last().flatten()).unwrap_or_else(|| panic!("{of}: {:#?}", answer.reading))
}

#[tokio::test]
async fn the_processor_is_used_where_it_is_neither_idle_nor_waits_for_a_disk_and_pressure_comes_before_busy_disks() {
    let Some(lab) = Lab::start().await else { return };
    let spec = |id: &str| defaults().unwrap().into_iter().find(|spec| spec.id == id).unwrap();
    let beside = |spec: &PanelSpec, answer: &PanelAnswer, by: &str| {
        let answer = words(spec, answer);
        assert!(answer.starts_with(&format!("{by}: 127.0.0.1:")) && !answer.contains("pod"), "{answer}");
    };
    // The counters are younger than the window: a quotient of rates is right all the same.
    let used = spec("cpu-used");
    let answer = ask(&lab.of(None), &used).await;
    beside(&used, &answer, "node_exporter beside postgres_exporter");
    assert!((newest(&answer, "127.0.0.1") - 0.4).abs() < 0.001, "{}", words(&used, &answer));
    let waiting = spec("cpu-waiting");
    let answer = ask(&lab.of(None), &waiting).await;
    beside(&waiting, &answer, "node_exporter beside postgres_exporter");
    let pressure = newest(&answer, "127.0.0.1");
    assert!(pressure > 0.0 && pressure < 0.1, "{pressure}");
    let cores = spec("cores");
    let answer = ask(&lab.of(None), &cores).await;
    beside(&cores, &answer, "node_exporter beside postgres_exporter");
    assert!((newest(&answer, "127.0.0.1") - 2.0).abs() < 1e-9);
    let disks = spec("disk-time");
    let answer = ask(&lab.of(None), &disks).await;
    assert!((newest(&answer, "vda") - 0.002).abs() < 0.000_1, "{}", words(&disks, &answer));
    assert!(!words(&disks, &answer).contains("dm-"), "the disk below it has the requests: {}", words(&disks, &answer));

    let io = spec("io-waiting");
    let answer = ask(&lab.of(None), &io).await;
    beside(&io, &answer, "pressure beside postgres_exporter");
    let pressure = newest(&answer, "127.0.0.1");
    let without = PanelSpec { candidates: io.candidates.iter().skip(1).cloned().collect(), ..io.clone() };
    let answer = ask(&lab.of(None), &without).await;
    beside(&without, &answer, "busy disk beside postgres_exporter");
    // Twice as long as somebody waits; what is mounted from a file would be busy longer.
    let busy = newest(&answer, "127.0.0.1");
    assert!((busy / pressure - 2.0).abs() < 0.3, "{busy} of {pressure}");

    let shop = |s: &mut PrometheusSettings| s.job = Some("shop-api".into());
    let answer = ask(&lab.with(shop), &waiting).await;
    assert!((newest(&answer, "pod shop-api-a") - 0.6).abs() < 0.001, "{}", words(&waiting, &answer));
    assert!(!words(&waiting, &answer).contains("billing"), "{}", words(&waiting, &answer));
    let answer = ask(&lab.with(shop), &used).await;
    let (own, kubernetes) = (newest(&answer, "pod shop-api-a"), newest(&answer, "pod shop-api-b"));
    // 0.1 of half a core, and a quarter of two.
    assert!(own > 0.0 && (own / kubernetes - 1.6).abs() < 0.2, "{own} and {kubernetes}");
    assert!(!words(&used, &answer).contains("shop-api-c"), "it has no limit: {}", words(&used, &answer));
    // Whose host it is nothing tells.
    let anybody = lab.with(|s| (s.prefix, s.postgres_job) = ("nobody".into(), Some("busy".into())));
    for spec in [&used, &waiting, &cores, &io, &disks] {
        let Reading::Values { candidate, .. } = ask(&anybody, spec).await.reading else { panic!("{}", spec.id) };
        assert!(spec.candidates[candidate].unjudged, "{}", spec.id);
    }
    // A kernel that tells no pressure is told from an exporter that is not there.
    let mut old = waiting.clone();
    for candidate in &mut old.candidates {
        candidate.expr = candidate.expr.replace("node_pressure_cpu", "node_pressure_gone");
    }
    let answer = ask(&lab.of(None), &old).await;
    assert!(answer.unmeasured.is_some_and(|says| says.contains("psi=1")), "{:?}", answer.reading);
}

#[tokio::test]
async fn memory_is_never_that_of_a_process_nobody_named() {
    let Some(lab) = Lab::start().await else { return };
    let memory = defaults().unwrap().into_iter().find(|spec| spec.id == "memory").unwrap();
    let answer = ask(&lab.of(None), &memory).await;
    assert_eq!(words(&memory, &answer), "no series");
    assert_eq!(answer.notes, ["some sources need `job` to be set"]);
    let answer = ask(&lab.of(Some("prometheus")), &memory).await;
    assert!(words(&memory, &answer).starts_with("process of the job: 127.0.0.1:"), "{}", words(&memory, &answer));
}

#[tokio::test]
async fn prometheus_can_parse_every_candidate_and_every_telltale() {
    let Some(lab) = Lab::start().await else { return };
    let prometheus = lab.with(|s| (s.job, s.pool_max) = (Some("v2".into()), Some(20)));
    for spec in defaults().unwrap() {
        let telltales = spec.telltales.iter().map(|t| (t.says.clone(), t.expr.clone()));
        let candidates = spec.candidates.iter().map(|c| (c.name.clone(), c.expr.clone()));
        for (name, expr) in candidates.chain(telltales) {
            let mut alone = spec.clone();
            alone.candidates.truncate(1);
            alone.candidates[0].expr = expr;
            let answer = prometheus.panel(&alone, 900, 10).await;
            assert!(answer.is_ok(), "{} / {name}: {answer:?}", spec.id);
        }
    }
    let mut broken = defaults().unwrap().remove(0);
    broken.candidates.truncate(1);
    broken.candidates[0].expr = "sum(".into();
    let refused = prometheus.panel(&broken, 900, 10).await;
    assert!(matches!(refused, Err(ProbeError::Refused { .. })), "the check can fail: {refused:?}");
}

#[tokio::test]
async fn targets_tell_which_scrape_failed_and_why() {
    let Some(lab) = Lab::start().await else { return };
    let targets = lab.of(None).targets().await.unwrap();
    assert_eq!(targets[0].job, "locked", "what is down comes first");
    assert!(targets[0].error.contains("401"), "{}", targets[0].error);
    for target in targets.iter().skip(1) {
        assert!(target.up && target.error.is_empty(), "{target:?}");
        assert!(target.interval_s.is_some_and(|s| (s - 1.0).abs() < 0.05), "{target:?}");
    }
}

#[tokio::test]
async fn the_task_learns_how_often_the_service_is_scraped_and_looks_back_no_further() {
    let Some(lab) = Lab::start().await else { return };
    let question = Question::Panel { id: "throughput".into(), span_s: 30, step_s: 1 };
    let cadence = Cadence::Every(Duration::from_secs(1));
    let demand = Demand { wanted: vec![Wanted { question: question.clone(), cadence }], reconnect: 0 };
    let (_wants, wanted) = watch::channel(demand);
    let (report, mut reports) = mpsc::channel(8);
    tokio::spawn(lab.of(Some("v2")).run(defaults().unwrap(), wanted, report));
    while let Some(Report::Sample(sample)) = reports.recv().await {
        if sample.question == question {
            let Ok(Snapshot::Panel(answer)) = sample.answer else { panic!("{:?}", sample.answer) };
            assert!(answer.expr.contains("[10s]"), "{}", answer.expr);
            return;
        }
    }
    panic!("the task ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_usual_is_asked_of_the_same_hour_a_week_ago() {
    let Some(lab) = Lab::start().await else { return };
    // Each point's value is its own time, so that the answer tells when it was taken.
    let text = "[[panel]]\nid = 'when'\ntitle = 'When'\ntab = 'cache'\n[[panel.candidates]]\nname = 'clock'\nexpr = 'time()'\n";
    let panels = pgtriage::model::panel::parse(text, "test").unwrap();
    let axis = |before: bool| {
        let id = "when".to_owned();
        if before {
            Question::PanelBefore { id, span_s: 60, step_s: 5 }
        } else {
            Question::Panel { id, span_s: 60, step_s: 5 }
        }
    };
    let cadence = Cadence::Every(Duration::from_secs(1));
    let wanted = [false, true].map(|before| Wanted { question: axis(before), cadence }).into();
    let (_wants, demand) = watch::channel(Demand { wanted, reconnect: 0 });
    let (report, mut reports) = mpsc::channel(16);
    tokio::spawn(lab.of(None).run(panels, demand, report));
    let mut last = BTreeMap::new();
    while last.len() < 2 {
        let Some(Report::Sample(sample)) = reports.recv().await else { panic!("a report") };
        let before = matches!(sample.question, Question::PanelBefore { .. });
        if let Ok(Snapshot::Panel(answer)) = sample.answer {
            last.insert(before, answer);
        }
    }
    let value = |before: bool| last[&before].reading.series()[0].last().flatten().unwrap();
    let week = f64::from(pgtriage::model::baseline::WEEK_S);
    assert!((value(false) - value(true) - week).abs() <= 10.0, "{} and {}", value(false), value(true));
}
