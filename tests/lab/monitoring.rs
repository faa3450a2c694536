//! Prometheus (or `VictoriaMetrics` in its place) with one `postgres_exporter` for each server, and `node_exporter` where it is wanted; it must not measure anything itself.
use crate::folder::Folder;
use crate::port;
use crate::process;
use anyhow::{Context, Result, bail};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

/// Where a target is scraped: its job, a name for its instance, and its port.
#[derive(Clone, Debug)]
pub struct Target {
    /// The `job` label.
    pub job: &'static str,
    /// The `server` label.
    pub server: &'static str,
    /// Its port on 127.0.0.1.
    pub port: u16,
}

/// A running `postgres_exporter` or `node_exporter`; the reaper ends it.
#[derive(Debug)]
pub struct Exporter {
    /// What Prometheus is told.
    pub target: Target,
    _child: Child,
}

impl Exporter {
    /// Starts one for the server on `postgres`: one process each, since one for two answers an error page.
    pub async fn start(folder: &mut Folder, program: &Path, server: &'static str, postgres: u16) -> Result<Self> {
        let source = format!("postgresql://exporter@127.0.0.1:{postgres}/shop?sslmode=disable");
        Self::run(folder, program, ("postgres", server), &[("DATA_SOURCE_NAME", &source)]).await
    }

    /// Starts `node_exporter`: the hosts of all servers here are one.
    pub async fn of_host(folder: &mut Folder, program: &Path) -> Result<Self> {
        Self::run(folder, program, ("node", "host"), &[]).await
    }

    async fn run(
        folder: &mut Folder,
        program: &Path,
        (job, server): (&'static str, &'static str),
        environment: &[(&str, &str)],
    ) -> Result<Self> {
        let port = port::free()?;
        let name = format!("exporter-{server}");
        let mut command = Command::from(folder.command(&name, program)?);
        command.arg(format!("--web.listen-address=127.0.0.1:{port}")).envs(environment.iter().copied());
        let child = command.spawn().with_context(|| name.clone())?;
        process::listening(port, process::PATIENCE, &folder.log(&name)).await?;
        Ok(Self { target: Target { job, server, port }, _child: child })
    }
}

/// Which program keeps the series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Prometheus.
    Prometheus,
    /// `VictoriaMetrics`.
    VictoriaMetrics,
}

/// The store of series; it keeps its port and its data over a restart.
#[derive(Debug)]
pub struct Series {
    /// Which it is.
    pub kind: Kind,
    /// Its port on 127.0.0.1.
    pub port: u16,
    program: PathBuf,
    targets: usize,
    child: Option<Child>,
}

impl Series {
    /// Writes the configuration: every second, each server's exporter, the service, and the store itself.
    pub fn configure(folder: &Folder, kind: Kind, program: PathBuf, targets: &[Target]) -> Result<Self> {
        let port = port::free()?;
        let mut text = "global:\n  scrape_interval: 1s\n  scrape_timeout: 1s\nscrape_configs:\n".to_owned();
        let own = Target { job: "prometheus", server: "prometheus", port };
        let mut jobs: Vec<&str> = targets.iter().map(|target| target.job).collect();
        jobs.dedup();
        jobs.push(own.job);
        for job in jobs {
            writeln!(text, "  - job_name: {job}\n    static_configs:")?;
            for target in targets.iter().chain([&own]).filter(|target| target.job == job) {
                writeln!(
                    text,
                    "      - targets: ['127.0.0.1:{}']\n        labels: {{server: {}}}",
                    target.port, target.server
                )?;
            }
        }
        folder.write("prometheus.yml", &text)?;
        folder.subfolder("series", 0o700)?;
        Ok(Self { kind, port, program, targets: targets.len() + 1, child: None })
    }

    /// Where it answers.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Starts it and waits until it listens.
    pub async fn start(&mut self, folder: &mut Folder) -> Result<()> {
        if self.runs() {
            bail!("it runs already");
        }
        let mut command = Command::from(folder.command("prometheus", &self.program)?);
        let (config, data) = (folder.path().join("prometheus.yml"), folder.path().join("series"));
        let address = format!("127.0.0.1:{}", self.port);
        match self.kind {
            Kind::Prometheus => command
                .arg(format!("--config.file={}", config.display()))
                .arg(format!("--storage.tsdb.path={}", data.display()))
                .arg(format!("--web.listen-address={address}"))
                .args(["--storage.tsdb.retention.time=2h", "--storage.tsdb.min-block-duration=2h"]),
            Kind::VictoriaMetrics => command
                .arg(format!("-promscrape.config={}", config.display()))
                .arg(format!("-storageDataPath={}", data.display()))
                .arg(format!("-httpListenAddr={address}"))
                // Without it a query does not see the last 30 seconds.
                .args(["-search.latencyOffset=1s", "-memory.allowedBytes=128MB"]),
        };
        self.child = Some(command.spawn().context("prometheus")?);
        process::listening(self.port, process::PATIENCE, &folder.log("prometheus")).await
    }

    /// Waits until every target has been scraped once and was up.
    pub async fn complete(&self) -> Result<()> {
        let deadline = Instant::now() + process::PATIENCE;
        loop {
            let up = self.up().await.unwrap_or_default();
            if up >= self.targets {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("{up} of {} targets are up", self.targets);
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// How many targets are up.
    async fn up(&self) -> Result<usize> {
        let url = format!("{}/api/v1/query?query=up", self.url());
        let answer: serde_json::Value = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(2))
            .build()?
            .get(url)
            .send()
            .await?
            .json()
            .await?;
        let all = answer.pointer("/data/result").and_then(|list| list.as_array());
        Ok(all.map_or(0, |list| {
            list.iter().filter(|sample| sample.pointer("/value/1").is_some_and(|value| value == "1")).count()
        }))
    }

    /// Ends it, as a crash would.
    pub async fn stop(&mut self) -> Result<()> {
        let Some(mut child) = self.child.take() else {
            bail!("it does not run");
        };
        if let Some(pid) = child.id() {
            process::signal("TERM", &[pid])?;
        }
        child.wait().await?;
        Ok(())
    }

    /// Whether it is there.
    pub fn runs(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }
}
