//! Debian packages, fetched with apt-get and unpacked with dpkg into the cache; it must not install them, and needs no root.
use super::{output, say};
use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The root of what is unpacked.
pub fn root(cache: &Path) -> PathBuf {
    cache.join("debian")
}

/// The folder of the unpacked shared libraries.
pub fn libraries(cache: &Path) -> PathBuf {
    root(cache).join(format!("usr/lib/{}-linux-gnu", std::env::consts::ARCH))
}

/// Fetches and unpacks a package and those libraries that it needs and that are not installed.
pub fn fetch(cache: &Path, package: &str) -> Result<()> {
    let mut wanted = vec![package.to_owned()];
    let mut seen = BTreeSet::new();
    while let Some(name) = wanted.pop() {
        if !seen.insert(name.clone()) {
            continue;
        }
        say(&format!("unpacking the Debian package {name} into {} (it is not installed)", root(cache).display()));
        let archive = download(cache, &name)?;
        let needs = output(Command::new("dpkg-deb").arg("-f").arg(&archive).arg("Depends"))?;
        output(Command::new("dpkg").arg("-x").arg(&archive).arg(root(cache)))?;
        std::fs::remove_file(archive)?;
        wanted.extend(needs.split(',').filter_map(library).filter(|name| !installed(name)));
    }
    Ok(())
}

/// The package that a term of `Depends` names, if it is a shared library that a server needs to start.
fn library(term: &str) -> Option<String> {
    let name = term.split(['|', '(', ':']).next()?.trim();
    // JIT is off in the lab, and its compiler is larger than the rest together.
    let wanted = name.starts_with("lib")
        && !name.starts_with("libllvm")
        && !name.starts_with("libjs-")
        && !name.ends_with("-perl");
    wanted.then(|| name.to_owned())
}

fn installed(package: &str) -> bool {
    output(Command::new("dpkg-query").args(["-W", "-f", "${db:Status-Status}", package]))
        .is_ok_and(|status| status.trim() == "installed")
}

fn download(cache: &Path, package: &str) -> Result<PathBuf> {
    let folder = cache.join("download");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    let get = |options: &[String]| {
        output(Command::new("apt-get").args(options).args(["-q", "download", package]).current_dir(&folder))
    };
    if let Err(failure) = get(&[]) {
        // No lists yet, or old ones: newer ones of our own, for which nobody need be root.
        let lists = cache.join("apt");
        let options = [
            format!("-oDir::State::Lists={}", lists.join("lists").display()),
            format!("-oDir::Cache={}", lists.join("cache").display()),
            "-oAPT::Sandbox::User=".to_owned(),
        ];
        for part in ["lists/partial", "cache/archives/partial"] {
            std::fs::create_dir_all(lists.join(part))?;
        }
        if get(&options).is_err() {
            say("fetching the lists of Debian's packages into the cache");
            output(Command::new("apt-get").args(&options).args(["-q", "update"]))
                .with_context(|| format!("{failure:#}"))?;
            get(&options)?;
        }
    }
    std::fs::read_dir(&folder)?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "deb"))
        .with_context(|| format!("apt-get download left no package {package}"))
}
