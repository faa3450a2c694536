//! `lab demo`: the lab, and the console on it in this terminal; it must not touch the terminal itself.
use crate::bench::{Bench, Extra, Setup};
use crate::control::Ends;
use crate::process;
use anyhow::{Context, Result, bail};
use std::time::Duration;
use tokio::process::Command;

/// What to show.
#[derive(Debug, clap::Args)]
pub struct Demo {
    /// The scenario (see `lab scenarios`).
    #[arg(default_value = "lock-pileup")]
    incident: String,
    /// The major of PostgreSQL: 13 to 18; the newest that is found unless told.
    #[arg(long, value_name = "MAJOR")]
    postgres: Option<u32>,
    /// A command to run in the console's place; PGHOST, PGPORT, PGUSER, PGDATABASE and `PROMETHEUS_URL` tell it where.
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

/// Starts all, runs the console in the foreground, and stops all when it ends.
pub async fn run(demo: Demo) -> Result<()> {
    let mut ends = Ends::watch()?;
    let with = vec![Extra::Pgbouncer];
    let setup = Setup { postgres: demo.postgres, scenario: demo.incident, with, ..Setup::default() };
    eprintln!("lab: starting a primary, a standby, Prometheus, pgbouncer and the service; then {}", setup.scenario);
    let bench = tokio::select! {
        bench = Bench::start(&setup) => bench?,
        () = ends.come() => bail!("ended before it was ready"),
    };
    let port = bench.primary.port;
    let url = bench.series.as_ref().map(crate::monitoring::Series::url).unwrap_or_default();
    // The kernel ends the console if we are killed: it would otherwise go on, and the servers be gone.
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "TERM", "--"]);
    if let Some((program, arguments)) = demo.command.split_first() {
        command.arg(program).args(arguments);
    } else {
        command.arg(console()?).arg(format!("host=127.0.0.1 port={port} user=oncall dbname=shop")).args([
            "--plan-user",
            "oncall_plan",
            "--prometheus",
            &url,
        ]);
        if let Some(service) = &bench.service {
            command.args(["--health", &service.url()]);
        }
        if bench.standby.is_some() {
            command.args(["--standbys", "1"]);
        }
        if let Some(pooler) = &bench.pooler {
            command.arg("--pgbouncer").arg(format!("host=127.0.0.1 port={} user=oncall", pooler.port));
        }
    }
    command
        .env("PGHOST", "127.0.0.1")
        .env("PGPORT", port.to_string())
        .env("PGUSER", "oncall")
        .env("PGDATABASE", "shop")
        .env("PROMETHEUS_URL", &url);
    eprintln!("lab: ready; everything ends and is removed with the console");
    let mut console = command.spawn().context("setpriv (of util-linux)")?;
    ends.leave_interrupts();
    tokio::select! {
        status = console.wait() => {
            let status = status?;
            if !status.success() {
                bail!("the console ended with {status}");
            }
        }
        () = ends.come() => {
            if let Some(pid) = console.id() {
                process::signal("TERM", &[pid])?;
            }
            // It gives the terminal back before it goes.
            let _ended = tokio::time::timeout(Duration::from_secs(5), console.wait()).await;
        }
    }
    Ok(())
}

/// The console that was built along with the lab.
fn console() -> Result<std::path::PathBuf> {
    let own = std::env::current_exe()?;
    let built = own.parent().and_then(|examples| examples.parent()).map(|folder| folder.join("pgtriage"));
    built
        .filter(|program| program.exists())
        .context("there is no pgtriage beside the lab: cargo build it in the same profile")
}
