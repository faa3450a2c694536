//! Where the servers' programs are: installed, else unpacked as packages into the lab's own cache; it must never install
//! anything into the system, so that nothing starts, upgrades or restarts by itself.
mod debian;
mod npm;

use crate::account::is_root;
use anyhow::{Context, Result, bail};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The majors that pgtriage supports, newest first.
const MAJORS: [u32; 6] = [18, 17, 16, 15, 14, 13];
/// What is fetched when no PostgreSQL is found and none is asked for: Debian 12's.
const DEFAULT_MAJOR: u32 = 15;

/// One PostgreSQL.
#[derive(Clone, Debug)]
pub struct Postgres {
    /// The major version.
    pub major: u32,
    /// The folder with `initdb` and `postgres`.
    pub bin: PathBuf,
}

/// A program beside PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Prometheus.
    Prometheus,
    /// `postgres_exporter` of the Prometheus community.
    Exporter,
    /// `node_exporter`.
    NodeExporter,
    /// pgbouncer.
    Pgbouncer,
    /// `VictoriaMetrics`, single node.
    VictoriaMetrics,
}

impl Part {
    /// The name of its Debian package and of its program in it.
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Prometheus => ("prometheus", "prometheus"),
            Self::Exporter => ("prometheus-postgres-exporter", "prometheus-postgres-exporter"),
            Self::NodeExporter => ("prometheus-node-exporter", "prometheus-node-exporter"),
            Self::Pgbouncer => ("pgbouncer", "pgbouncer"),
            Self::VictoriaMetrics => ("victoria-metrics", "victoria-metrics"),
        }
    }
}

/// The programs, with the cache held: two labs that fetch at once wait for each other.
#[derive(Debug)]
pub struct Library {
    cache: PathBuf,
    installed: bool,
    _lock: File,
}

impl Library {
    /// Opens the cache and takes its lock. `PGTRIAGE_LAB_INSTALLED=no` overlooks what is installed.
    pub fn open() -> Result<Self> {
        let cache = cache();
        std::fs::create_dir_all(&cache).with_context(|| cache.display().to_string())?;
        let lock = File::create(cache.join("lock"))?;
        if lock.try_lock().is_err() {
            say("waiting for another lab that is fetching programs");
            lock.lock().context("the lock of the cache")?;
        }
        let installed = std::env::var_os("PGTRIAGE_LAB_INSTALLED").is_none_or(|value| value != "no");
        Ok(Self { cache, installed, _lock: lock })
    }

    /// The PostgreSQL of that major; without one the newest that is here already, else Debian's.
    pub fn postgres(&self, major: Option<u32>) -> Result<Postgres> {
        let Some(major) = major else {
            let newest = MAJORS.iter().find_map(|&major| self.present(major));
            return newest.map_or_else(|| self.postgres(Some(DEFAULT_MAJOR)), Ok);
        };
        if !MAJORS.contains(&major) {
            bail!("PostgreSQL {major}: the lab knows 13 to 18");
        }
        if let Some(found) = self.present(major) {
            return Ok(found);
        }
        let fetched = if major == DEFAULT_MAJOR {
            debian::fetch(&self.cache, &format!("postgresql-{major}")).or_else(|failure| {
                say(&format!("{failure:#}; another package instead"));
                npm::fetch(&self.cache, major)
            })
        } else {
            npm::fetch(&self.cache, major)
        };
        fetched.with_context(|| format!("PostgreSQL {major} cannot be fetched"))?;
        self.present(major).with_context(|| format!("PostgreSQL {major} was fetched but does not run"))
    }

    fn present(&self, major: u32) -> Option<Postgres> {
        let installed = PathBuf::from(format!("/usr/lib/postgresql/{major}/bin"));
        let unpacked =
            [debian::root(&self.cache).join(format!("usr/lib/postgresql/{major}/bin")), npm::bin(&self.cache, major)];
        self.installed
            .then_some(installed)
            .into_iter()
            .chain(unpacked)
            .find(|bin| runs(&bin.join("postgres")) && bin.join("initdb").exists())
            .map(|bin| Postgres { major, bin })
    }

    /// A program beside PostgreSQL.
    pub fn program(&self, part: Part) -> Result<PathBuf> {
        let (package, name) = part.names();
        if self.installed
            && let Some(found) = in_path(name)
        {
            return Ok(found);
        }
        let unpacked = ["bin", "sbin"].map(|bin| debian::root(&self.cache).join("usr").join(bin).join(name));
        if !unpacked.iter().any(|program| runs(program)) {
            debian::fetch(&self.cache, package).with_context(|| format!("{name} cannot be fetched"))?;
        }
        unpacked
            .into_iter()
            .find(|program| runs(program))
            .with_context(|| format!("{name} was fetched but does not run"))
    }

    /// A psql: an installed one, else one in the cache, started by a script that knows where its libraries are.
    pub fn psql(&self) -> Result<PathBuf> {
        if self.installed
            && let Some(found) = MAJORS
                .iter()
                .map(|major| PathBuf::from(format!("/usr/lib/postgresql/{major}/bin/psql")))
                .find(|psql| runs(psql))
                .or_else(|| in_path("psql").filter(|psql| runs(psql)))
        {
            return Ok(found);
        }
        let program = debian::root(&self.cache).join(format!("usr/lib/postgresql/{DEFAULT_MAJOR}/bin/psql"));
        if !runs(&program) {
            debian::fetch(&self.cache, &format!("postgresql-client-{DEFAULT_MAJOR}"))?;
        }
        let script = self.cache.join("psql");
        if !script.exists() {
            let libraries = debian::libraries(&self.cache);
            let text =
                format!("#!/bin/sh\nLD_LIBRARY_PATH='{}' exec '{}' \"$@\"\n", libraries.display(), program.display());
            std::fs::write(&script, text)?;
            std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
        }
        Ok(script)
    }

    /// A psql if one is here already.
    pub fn present_psql(&self) -> Option<PathBuf> {
        let script = self.cache.join("psql");
        let here = script.exists() || (self.installed && in_path("psql").is_some());
        here.then(|| self.psql().ok()).flatten()
    }
}

/// Gives `command` the libraries of the cache if its program came from there.
pub fn with_libraries(command: &mut Command, program: &Path) {
    if program.starts_with(debian::root(&cache())) {
        command.env("LD_LIBRARY_PATH", debian::libraries(&cache()));
    }
}

fn cache() -> PathBuf {
    // Root's home is closed to the account that runs the servers.
    let base = std::env::var_os("XDG_CACHE_HOME")
        .filter(|folder| !folder.is_empty())
        .map(PathBuf::from)
        .or_else(|| is_root().then(|| PathBuf::from("/var/cache")))
        .unwrap_or_else(|| PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache"));
    let cache = base.join("pgtriage-lab");
    cache.canonicalize().unwrap_or(cache)
}

fn runs(program: &Path) -> bool {
    if !program.exists() {
        return false;
    }
    let mut command = Command::new(program);
    with_libraries(&mut command, program);
    command.arg("--version").output().is_ok_and(|output| output.status.success())
}

fn in_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin")])
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
}

/// Says on standard error what is being fetched.
fn say(what: &str) {
    eprintln!("lab: {what}");
}

/// Runs a command to its end and gives its standard output; its failure carries its words.
fn output(command: &mut Command) -> Result<String> {
    let words = format!("{command:?}");
    let output =
        command.output().with_context(|| format!("{} cannot be run", command.get_program().to_string_lossy()))?;
    if !output.status.success() {
        bail!("{words}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
