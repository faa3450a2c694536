//! A real Prometheus for a test: on series that were given, or scraping what the lab runs.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command as Plain, Stdio};
use std::time::Duration;

use pgtriage::probe::prometheus::{Prometheus, PrometheusSettings};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

/// Seconds between two samples.
pub const STEP_S: i64 = 15;

/// A series: its metric with labels, and a value for each step; none is a sample that is missing.
pub struct Given {
    pub name: &'static str,
    pub labels: &'static str,
    pub values: Vec<Option<f64>>,
}

/// The programs of the lab: `prometheus`, and the `promtool` that comes in the same package.
pub fn program(name: &str) -> PathBuf {
    let bins = Plain::new(crate::lab::program()).arg("bins").output().unwrap();
    let bins: serde_json::Value = serde_json::from_slice(&bins.stdout).unwrap();
    Path::new(bins["prometheus"].as_str().unwrap()).with_file_name(name)
}

/// A running Prometheus; it ends with the test.
pub struct Store {
    pub url: String,
    pub folder: tempfile::TempDir,
    _child: Child,
}

impl Store {
    /// One that holds these series from `begin` (seconds since the epoch) on, written by promtool as blocks.
    pub async fn of(given: &[Given], begin: i64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut text = String::new();
        for series in given {
            for (step, value) in (0..).zip(&series.values) {
                if let Some(value) = value {
                    let value = if value.is_nan() { "NaN".to_owned() } else { value.to_string() };
                    writeln!(text, "{}{{{}}} {value} {}", series.name, series.labels, begin + step * STEP_S).unwrap();
                }
            }
        }
        text.push_str("# EOF\n");
        let samples = folder.path().join("samples.om");
        std::fs::write(&samples, text).unwrap();
        let data = folder.path().join("data");
        let made = Plain::new(program("promtool"))
            .args(["tsdb", "create-blocks-from", "openmetrics"])
            .args([&samples, &data])
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Self::start(folder, "global: {}\n", &[]).await
    }

    /// One with this configuration.
    pub async fn start(folder: tempfile::TempDir, config: &str, arguments: &[&str]) -> Self {
        let file = folder.path().join("prometheus.yml");
        std::fs::write(&file, config).unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(program("prometheus"))
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--storage.tsdb.retention.time=10y")
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let store = Self { url: format!("http://127.0.0.1:{port}"), folder, _child: child };
        let begun = Instant::now();
        // It listens before it has replayed its log, and answers 503 until then.
        while let Err(error) = store.client().others().await {
            assert!(begun.elapsed() < Duration::from_secs(60), "{error}");
            sleep(Duration::from_millis(100)).await;
        }
        store
    }

    /// Our client for it.
    pub fn client(&self) -> Prometheus {
        Prometheus::new(PrometheusSettings::new(&self.url)).unwrap()
    }
}
