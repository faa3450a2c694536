//! One PostgreSQL cluster in the lab's folder: made, started, stopped, frozen; it must not know what is in it.
use crate::folder::Folder;
use crate::process;
use crate::programs::Postgres;
use crate::session::Door;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::NoTls;

const SETTINGS: &str = include_str!("sql/postgresql.conf");
const ACCESS: &str = include_str!("sql/pg_hba.conf");

/// How a server is told to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Sessions are ended, then a checkpoint.
    Fast,
    /// As in a crash: recovery at the next start.
    Immediate,
}

/// A cluster and, while it runs, its postmaster.
#[derive(Debug)]
pub struct Cluster {
    /// `primary` or `standby`.
    pub name: &'static str,
    /// Its data directory.
    pub data: PathBuf,
    /// Its port on 127.0.0.1, the same over restarts.
    pub port: u16,
    postgres: Postgres,
    postmaster: Option<Child>,
}

impl Cluster {
    /// initdb, settings and access rules.
    pub async fn create(folder: &mut Folder, postgres: &Postgres, port: u16, sockets: &Path) -> Result<Self> {
        let data = folder.subfolder("primary", 0o700)?;
        let mut initdb = folder.command("initdb", &postgres.bin.join("initdb"))?;
        initdb
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"])
            .arg("--pgdata")
            .arg(&data);
        process::complete(initdb, &folder.log("initdb")).await.context("initdb")?;
        let cluster = Self { name: "primary", data, port, postgres: postgres.clone(), postmaster: None };
        cluster.configure(folder, sockets, "")?;
        folder.write("primary/pg_hba.conf", ACCESS)?;
        Ok(cluster)
    }

    /// A standby made of this cluster, which must be stopped, following it through `slot`.
    pub async fn standby(&self, folder: &mut Folder, port: u16, sockets: &Path, slot: &str) -> Result<Self> {
        let data = folder.path().join("standby");
        let mut copy = folder.command("copy", Path::new("/bin/cp"))?;
        copy.arg("-a").arg(&self.data).arg(&data);
        process::complete(copy, &folder.log("copy")).await.context("cp")?;
        let cluster = Self { name: "standby", data, port, postgres: self.postgres.clone(), postmaster: None };
        let following = format!(
            "primary_conninfo = 'host=127.0.0.1 port={} user=replicator application_name={slot}'\n\
             primary_slot_name = '{slot}'\nhot_standby_feedback = on\nwal_receiver_status_interval = 1s\n\
             wal_retrieve_retry_interval = 500ms\n",
            self.port
        );
        cluster.configure(folder, sockets, &following)?;
        folder.write("standby/standby.signal", "")?;
        Ok(cluster)
    }

    fn configure(&self, folder: &Folder, sockets: &Path, more: &str) -> Result<()> {
        let text =
            format!("{SETTINGS}\nport = {}\nunix_socket_directories = '{}'\n{more}", self.port, sockets.display());
        folder.write(&format!("{}/postgresql.auto.conf", self.name), "")?;
        folder.write(&format!("{}/postgresql.conf", self.name), &text)?;
        Ok(())
    }

    /// How to reach it.
    pub const fn door(&self) -> Door {
        Door { port: self.port }
    }

    /// Starts it and waits until it lets one in.
    pub async fn start(&mut self, folder: &mut Folder) -> Result<()> {
        if self.runs() {
            bail!("the {} runs already", self.name);
        }
        let log = folder.log(self.name);
        let mut command = Command::from(folder.command(self.name, &self.postgres.bin.join("postgres"))?);
        command.arg("-D").arg(&self.data);
        let mut postmaster = command.spawn().context("postgres")?;
        let deadline = Instant::now() + process::PATIENCE;
        let url = format!("host=127.0.0.1 port={} user=postgres dbname=postgres connect_timeout=2", self.port);
        while tokio_postgres::connect(&url, NoTls).await.is_err() {
            if let Some(status) = postmaster.try_wait()? {
                bail!("the {} ended with {status}: {}", self.name, process::tail(&log));
            }
            if Instant::now() > deadline {
                bail!("the {} lets nobody in: {}", self.name, process::tail(&log));
            }
            sleep(Duration::from_millis(30)).await;
        }
        self.postmaster = Some(postmaster);
        Ok(())
    }

    /// Stops it and waits for its end.
    pub async fn stop(&mut self, how: Stop) -> Result<()> {
        let Some(mut postmaster) = self.postmaster.take() else {
            bail!("the {} does not run", self.name);
        };
        if let Some(pid) = postmaster.id() {
            let signal = match how {
                Stop::Fast => "INT",
                Stop::Immediate => "QUIT",
            };
            process::signal(signal, &[pid])?;
        }
        if let Ok(status) = timeout(Duration::from_secs(30), postmaster.wait()).await {
            status?;
            return Ok(());
        }
        self.postmaster = Some(postmaster);
        bail!("the {} does not stop", self.name)
    }

    /// Stops (`STOP`) or wakes (`CONT`) the postmaster and all its children, without their knowing.
    pub fn signal_all(&self, name: &str) -> Result<usize> {
        let Some(postmaster) = self.postmaster.as_ref().and_then(Child::id) else {
            bail!("the {} does not run", self.name);
        };
        let mut pids = vec![postmaster];
        process::signal(name, &pids)?;
        // The stopped postmaster makes no more of them.
        pids.extend(process::children(postmaster)?);
        process::signal(name, &pids)?;
        Ok(pids.len())
    }

    /// Whether its postmaster is there.
    pub fn runs(&mut self) -> bool {
        self.postmaster.as_mut().is_some_and(|postmaster| matches!(postmaster.try_wait(), Ok(None)))
    }

    /// The postmaster's process.
    pub fn pid(&self) -> Option<u32> {
        self.postmaster.as_ref().and_then(Child::id)
    }
}
