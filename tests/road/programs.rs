//! Finds psql and a server's programs: installed, or in the cache that the lab filled; it must not fetch anything.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A psql that runs.
pub fn psql() -> Option<PathBuf> {
    [PathBuf::from("psql"), cache().join("psql")].into_iter().find(|program| runs(program))
}

/// The folder of `initdb`, `pg_ctl` and `postgres`: of the major that `PGTRIAGE_ROAD` names, else an installed
/// one before one of the cache, and the newest of them.
pub fn server() -> Option<PathBuf> {
    let wanted = std::env::var("PGTRIAGE_ROAD").ok();
    let majors: Vec<String> = match wanted {
        Some(major) => vec![major],
        None => (13..=18).rev().map(|major| major.to_string()).collect(),
    };
    let installed = majors.iter().map(|major| PathBuf::from(format!("/usr/lib/postgresql/{major}/bin")));
    let cached = majors.iter().map(|major| cache().join(format!("npm/{major}/package/native/bin")));
    installed.chain(cached).find(|folder| runs(&folder.join("initdb")) && runs(&folder.join("postgres")))
}

/// Where the lab keeps what it fetched; root's home is closed to the account that runs the servers.
fn cache() -> PathBuf {
    let named = std::env::var_os("XDG_CACHE_HOME").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache");
    let base = named.unwrap_or_else(|| if is_root() { PathBuf::from("/var/cache") } else { home() });
    base.join("pgtriage-lab")
}

/// Whether the tests run as root, as whom PostgreSQL refuses to run.
pub fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

fn runs(program: &Path) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}
