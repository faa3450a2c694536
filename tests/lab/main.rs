//! The lab: a real PostgreSQL primary and standby, a real Prometheus, a small real service with traffic, and incidents on
//! demand; it must never touch a server, a file or a process that it did not make itself.
#![expect(clippy::print_stdout, reason = "standard output is the lab's protocol: one JSON line for each command")]

mod account;
mod bench;
mod cluster;
mod control;
mod demo;
mod folder;
mod lines;
mod monitoring;
mod pooler;
mod port;
mod process;
mod programs;
mod scenario;
mod service;
mod session;
mod traffic;

use anyhow::{Context, Result};
use bench::Setup;
use clap::{Parser, Subcommand};
use programs::{Library, Part};
use serde_json::json;

/// A real PostgreSQL with its surroundings, and incidents on it, for trying and testing pgtriage.
#[derive(Parser)]
#[command(name = "lab")]
struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Start everything, print one JSON line, then answer commands from standard input, one JSON line each.
    Serve(Setup),
    /// Start everything, run the console (or another command) on it in this terminal, and stop everything when it ends.
    Demo(demo::Demo),
    /// Find or fetch the programs and say where they are.
    Bins {
        /// Majors of PostgreSQL to have ready; all of 13, 15 and 18 unless told.
        #[arg(long = "postgres", value_name = "MAJOR")]
        majors: Vec<u32>,
    },
    /// List the scenarios.
    Scenarios,
    /// The small service itself; `serve` starts it.
    #[command(hide = true)]
    Service(service::Arguments),
}

fn main() -> Result<()> {
    // The HTTP client wants one to be chosen, though all is plain HTTP on loopback. It fails only if another was chosen before.
    let _chosen = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .worker_threads(2)
        .build()
        .context("the runtime does not start")?;
    let ended = runtime.block_on(run(Arguments::parse().action));
    // Standard input is read by a thread that may still sit in its read.
    runtime.shutdown_background();
    ended
}

async fn run(action: Action) -> Result<()> {
    match action {
        Action::Serve(setup) => control::serve(setup).await,
        Action::Demo(wanted) => demo::run(wanted).await,
        Action::Bins { majors } => bins(&majors).await,
        Action::Scenarios => {
            for scenario in scenario::ALL {
                println!("{:22} {}", scenario.name, scenario.about);
            }
            Ok(())
        }
        Action::Service(arguments) => service::run(arguments).await,
    }
}

async fn bins(majors: &[u32]) -> Result<()> {
    let majors = if majors.is_empty() { &[13, 15, 18] } else { majors };
    let majors = majors.to_vec();
    let found = tokio::task::spawn_blocking(move || -> Result<serde_json::Value> {
        let library = Library::open()?;
        let mut postgres = serde_json::Map::new();
        for major in majors {
            postgres.insert(major.to_string(), json!(library.postgres(Some(major))?.bin));
        }
        Ok(json!({
            "postgres": postgres,
            "psql": library.psql()?,
            "prometheus": library.program(Part::Prometheus)?,
            "postgres_exporter": library.program(Part::Exporter)?,
            "pgbouncer": library.program(Part::Pgbouncer)?,
            "victoriametrics": library.program(Part::VictoriaMetrics)?,
        }))
    })
    .await??;
    println!("{found}");
    Ok(())
}
