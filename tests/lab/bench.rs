//! Everything that a lab runs, started in order and described as JSON; it must not outlive its folder.
use crate::account::Account;
use crate::cluster::{Cluster, Stop};
use crate::folder::Folder;
use crate::monitoring::{Exporter, Kind, Series, Target};
use crate::pooler::Pooler;
use crate::port;
use crate::process;
use crate::programs::{Library, Part, Postgres};
use crate::scenario::Play;
use crate::traffic::Traffic;
use anyhow::{Context, Result};
use clap::ValueEnum;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, ChildStdin, Command};

/// The slot of the standby and its `application_name`.
const SLOT: &str = "standby1";

/// What to start.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Setup {
    /// The major of PostgreSQL: 13 to 18; the newest that is found unless told.
    #[arg(long, value_name = "MAJOR")]
    pub postgres: Option<u32>,
    /// The scenario to begin with.
    #[arg(long, default_value = "calm")]
    pub scenario: String,
    /// Parts to leave out.
    #[arg(long, value_delimiter = ',')]
    pub without: Vec<Optional>,
    /// Parts to add.
    #[arg(long, value_delimiter = ',')]
    pub with: Vec<Extra>,
}

/// What can be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Optional {
    /// The streaming standby.
    Standby,
    /// Prometheus and the exporters.
    Prometheus,
    /// The service and its traffic.
    Service,
}

/// What can be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Extra {
    /// pgbouncer in front of the primary.
    Pgbouncer,
    /// `node_exporter`, of the machine that all of it runs on.
    NodeExporter,
    /// `VictoriaMetrics` in Prometheus' place.
    #[value(name = "victoriametrics")]
    VictoriaMetrics,
}

impl Setup {
    fn wants(&self, part: Optional) -> bool {
        !self.without.contains(&part)
    }
}

/// A running lab. The folder comes last: it ends what the other fields have started.
#[derive(Debug)]
pub struct Bench {
    /// The scenario that plays.
    pub play: Option<Play>,
    /// The visitors of the service.
    pub traffic: Option<Traffic>,
    /// The service.
    pub service: Option<ServiceProcess>,
    /// The primary.
    pub primary: Cluster,
    /// The standby.
    pub standby: Option<Cluster>,
    /// Prometheus.
    pub series: Option<Series>,
    /// pgbouncer.
    pub pooler: Option<Pooler>,
    exporters: Vec<Exporter>,
    postgres: Postgres,
    psql: Option<PathBuf>,
    sockets: PathBuf,
    started: Instant,
    took: Duration,
    /// Where all of it works.
    pub folder: Folder,
}

/// The programs that a setup needs.
struct Programs {
    postgres: Postgres,
    psql: Option<PathBuf>,
    series: Option<(Kind, PathBuf, PathBuf)>,
    node_exporter: Option<PathBuf>,
    pgbouncer: Option<PathBuf>,
}

impl Programs {
    fn find(setup: &Setup) -> Result<Self> {
        let library = Library::open()?;
        let series = if setup.wants(Optional::Prometheus) {
            let (kind, part) = if setup.with.contains(&Extra::VictoriaMetrics) {
                (Kind::VictoriaMetrics, Part::VictoriaMetrics)
            } else {
                (Kind::Prometheus, Part::Prometheus)
            };
            Some((kind, library.program(part)?, library.program(Part::Exporter)?))
        } else {
            None
        };
        let extra = |extra, part| setup.with.contains(&extra).then(|| library.program(part)).transpose();
        Ok(Self {
            postgres: library.postgres(setup.postgres)?,
            psql: library.present_psql(),
            series,
            node_exporter: extra(Extra::NodeExporter, Part::NodeExporter)?,
            pgbouncer: extra(Extra::Pgbouncer, Part::Pgbouncer)?,
        })
    }
}

impl Bench {
    /// Starts everything and waits until it works.
    pub async fn start(setup: &Setup) -> Result<Self> {
        let wanted = setup.clone();
        let programs = tokio::task::spawn_blocking(move || Programs::find(&wanted)).await??;
        let started = Instant::now();
        let mut folder = Folder::create(Account::pick()?)?;
        let sockets = folder.subfolder("s", 0o755)?;
        let mut primary = Cluster::create(&mut folder, &programs.postgres, port::free()?, &sockets).await?;
        primary.start(&mut folder).await?;
        fill(&primary).await.context("filling the shop")?;
        let standby = if setup.wants(Optional::Standby) {
            Some(follow(&mut primary, &mut folder, &sockets).await.context("the standby")?)
        } else {
            None
        };
        let service = if setup.wants(Optional::Service) {
            Some(ServiceProcess::start(&mut folder, primary.port).await.context("the service")?)
        } else {
            None
        };
        let traffic = service.as_ref().map(|service| Traffic::start(&service.url())).transpose()?;
        let mut bench = Self {
            play: None,
            traffic,
            service,
            primary,
            standby,
            series: None,
            pooler: None,
            exporters: Vec::new(),
            postgres: programs.postgres,
            psql: programs.psql,
            sockets,
            started,
            took: Duration::ZERO,
            folder,
        };
        if let Some((kind, program, exporter)) = programs.series {
            bench.measure(kind, program, &exporter, programs.node_exporter.as_deref()).await.context("Prometheus")?;
        }
        if let Some(program) = programs.pgbouncer {
            bench.pooler = Some(Pooler::start(&mut bench.folder, &program, bench.primary.port).await?);
        }
        Play::begin(&mut bench, &setup.scenario).await?;
        bench.took = started.elapsed();
        Ok(bench)
    }

    async fn measure(
        &mut self,
        kind: Kind,
        program: PathBuf,
        exporter: &Path,
        node_exporter: Option<&Path>,
    ) -> Result<()> {
        let servers = [Some(&self.primary), self.standby.as_ref()];
        let servers: Vec<_> = servers.into_iter().flatten().map(|server| (server.name, server.port)).collect();
        let mut targets = Vec::new();
        for (name, port) in servers {
            let running = Exporter::start(&mut self.folder, exporter, name, port).await?;
            targets.push(running.target.clone());
            self.exporters.push(running);
        }
        if let Some(program) = node_exporter {
            let running = Exporter::of_host(&mut self.folder, program).await?;
            targets.push(running.target.clone());
            self.exporters.push(running);
        }
        if let Some(service) = &self.service {
            targets.push(Target { job: "fraiseql", server: "shop-api", port: service.port });
        }
        let mut series = Series::configure(&self.folder, kind, program, &targets)?;
        series.start(&mut self.folder).await?;
        series.complete().await?;
        self.series = Some(series);
        Ok(())
    }

    /// What a client must know: the line that `serve` prints.
    pub fn describe(&self) -> Value {
        json!({
            "ready": true,
            "pid": std::process::id(),
            "took_ms": self.took.as_millis(),
            "folder": self.folder.path(),
            "postgres": { "major": self.postgres.major, "bin": self.postgres.bin, "psql": self.psql },
            "primary": self.describe_cluster(&self.primary),
            "standby": self.standby.as_ref().map(|standby| self.describe_cluster(standby)),
            "pgbouncer": self.pooler.as_ref().map(|pooler| json!({
                "port": pooler.port,
                "uris": uris(pooler.port, "shop"),
                "admin": format!("postgresql://postgres@127.0.0.1:{}/pgbouncer", pooler.port),
                "log": self.folder.log("pgbouncer"),
            })),
            "prometheus": self.series.as_ref().map(|series| json!({
                "kind": match series.kind { Kind::Prometheus => "prometheus", Kind::VictoriaMetrics => "victoriametrics" },
                "url": series.url(),
                "log": self.folder.log("prometheus"),
            })),
            "service": self.service.as_ref().map(|service| json!({
                "url": service.url(),
                "pid": service.child.as_ref().and_then(Child::id),
                "log": self.folder.log("service"),
            })),
            "scenario": self.scenario(),
        })
    }

    fn describe_cluster(&self, cluster: &Cluster) -> Value {
        json!({
            "host": "127.0.0.1",
            "port": cluster.port,
            "pid": cluster.pid(),
            "sockets": self.sockets,
            "data": cluster.data,
            "log": self.folder.log(cluster.name),
            "uris": uris(cluster.port, "shop"),
        })
    }

    /// What runs now.
    pub fn state(&mut self) -> Value {
        json!({
            "scenario": self.scenario(),
            "age_s": self.started.elapsed().as_secs(),
            "primary": self.primary.runs(),
            "standby": self.standby.as_mut().is_some_and(Cluster::runs),
            "prometheus": self.series.as_mut().is_some_and(Series::runs),
            "service": self.service.as_mut().is_some_and(ServiceProcess::runs),
            "traffic": self.traffic.as_ref().map(Traffic::state),
        })
    }

    /// The name of the scenario that plays.
    pub fn scenario(&self) -> &'static str {
        self.play.as_ref().map_or("calm", Play::name)
    }

    /// Stops the standby's cluster, or starts it.
    pub async fn standby_runs(&mut self, wanted: bool) -> Result<()> {
        let standby = self.standby.as_mut().context("this lab has no standby")?;
        match (standby.runs(), wanted) {
            (true, false) => standby.stop(Stop::Fast).await,
            (false, true) => standby.start(&mut self.folder).await,
            _ => Ok(()),
        }
    }
}

/// One URI for each role; what each may do stands in `sql/roles.sql`.
fn uris(port: u16, database: &str) -> Value {
    let mut uris = serde_json::Map::new();
    for role in [
        "postgres",
        "plain",
        "monitor",
        "oncall",
        "oncall_plan",
        "seat",
        "shop_owner",
        "shop_api",
        "shop_worker",
        "reporting",
    ] {
        uris.insert(role.to_owned(), json!(format!("postgresql://{role}@127.0.0.1:{port}/{database}")));
    }
    uris.insert("scram".to_owned(), json!(format!("postgresql://scram:lab%20secret@127.0.0.1:{port}/{database}")));
    Value::Object(uris)
}

async fn fill(primary: &Cluster) -> Result<()> {
    let door = primary.door();
    let admin = door.open("postgres", "postgres", "lab").await?;
    admin.run(include_str!("sql/roles.sql")).await?;
    admin.run("CREATE DATABASE shop").await?;
    admin.run("CREATE DATABASE billing").await?;
    for (database, sql) in [("shop", include_str!("sql/shop.sql")), ("billing", include_str!("sql/billing.sql"))] {
        let admin = door.open("postgres", database, "lab").await?;
        admin.run(sql).await?;
        admin.run("VACUUM ANALYZE").await?;
    }
    admin.run("SELECT pg_create_physical_replication_slot('standby1')").await
}

async fn follow(primary: &mut Cluster, folder: &mut Folder, sockets: &Path) -> Result<Cluster> {
    primary.stop(Stop::Fast).await?;
    let mut standby = primary.standby(folder, port::free()?, sockets, SLOT).await?;
    primary.start(folder).await?;
    standby.start(folder).await?;
    let admin = primary.door().admin().await?;
    let streaming =
        "SELECT count(*) FROM pg_stat_replication WHERE application_name = 'standby1' AND state = 'streaming'";
    admin.reaches(streaming, 1, process::PATIENCE).await?;
    Ok(standby)
}

/// The service, as a process of its own, so that its memory and its processor time are its own.
#[derive(Debug)]
pub struct ServiceProcess {
    /// Its port on 127.0.0.1.
    pub port: u16,
    postgres: u16,
    orders: Option<ChildStdin>,
    child: Option<Child>,
}

impl ServiceProcess {
    async fn start(folder: &mut Folder, postgres: u16) -> Result<Self> {
        let mut service = Self { port: port::free()?, postgres, orders: None, child: None };
        service.resume(folder).await?;
        Ok(service)
    }

    /// Starts it again after [`Self::stop`].
    pub async fn resume(&mut self, folder: &mut Folder) -> Result<()> {
        anyhow::ensure!(!self.runs(), "the service runs already");
        let own = std::env::current_exe()?;
        let mut command = Command::from(folder.own_command("service", &own)?);
        command
            .arg("service")
            .arg(format!("--listen={}", self.port))
            .arg(format!("--postgres={}", self.postgres))
            .stdin(Stdio::piped());
        let mut child = command.spawn()?;
        self.orders = child.stdin.take();
        self.child = Some(child);
        process::listening(self.port, process::PATIENCE, &folder.log("service")).await
    }

    /// Changes how it is deployed, by a line of JSON; `{}` is as it should be.
    pub async fn deploy(&mut self, deployment: &Value) -> Result<()> {
        let orders = self.orders.as_mut().context("the service does not run")?;
        let line = format!("{deployment}\n");
        orders.write_all(line.as_bytes()).await.context("the service has gone")
    }

    /// Ends it.
    pub async fn stop(&mut self) -> Result<()> {
        drop(self.orders.take());
        let mut child = self.child.take().context("the service does not run")?;
        child.wait().await?;
        Ok(())
    }

    /// Whether it is there.
    pub fn runs(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// Where it answers.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}
