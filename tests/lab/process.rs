//! Starting, signalling and watching processes; it must not decide which ones.
use crate::account::Account;
use crate::folder::Folder;
use crate::programs;
use anyhow::{Context, Result, bail};
use std::fs::OpenOptions;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

/// How long is waited for what comes by itself: on a machine with much else to do a start takes a multiple of its time.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// See [`Folder::command`].
pub fn prepare(folder: &Folder, name: &str, program: &Path, account: Account) -> Result<Command> {
    let path = folder.log(name);
    let log = OpenOptions::new().create(true).append(true).open(&path).with_context(|| path.display().to_string())?;
    folder.account().own(&path)?;
    let mut command = Command::new("setsid");
    command
        .arg(program)
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .env("LC_ALL", "C.UTF-8")
        .env("HOME", folder.path());
    for (name, _) in std::env::vars_os() {
        // What the caller has set for his own psql must not reach our servers.
        if name.to_str().is_some_and(|name| name.starts_with("PG")) {
            command.env_remove(&name);
        }
    }
    programs::with_libraries(&mut command, program);
    account.apply(&mut command);
    Ok(command)
}

/// Runs `command` to its end; its failure carries the end of its log.
pub async fn complete(mut command: Command, log: &Path) -> Result<()> {
    let status = tokio::task::spawn_blocking(move || command.status()).await?.context("it does not start")?;
    if !status.success() {
        bail!("{status}: {}", tail(log));
    }
    Ok(())
}

/// Waits until something listens on `port` of loopback; `log` explains when nothing does.
pub async fn listening(port: u16, patience: Duration, log: &Path) -> Result<()> {
    let deadline = Instant::now() + patience;
    while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        if Instant::now() > deadline {
            bail!("nothing listens on port {port} after {patience:?}: {}", tail(log));
        }
        sleep(Duration::from_millis(30)).await;
    }
    Ok(())
}

/// The last lines of a log.
pub fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(8)..].join("\n")
}

/// Sends a signal (`STOP`, `CONT`, `INT`, …) to all of `pids`; those that are gone are passed over.
pub fn signal(name: &str, pids: &[u32]) -> Result<()> {
    if pids.is_empty() {
        return Ok(());
    }
    // The shell's own kill: the program of that name is not everywhere.
    Command::new("sh")
        .args(["-c", "kill \"$@\"", "kill"])
        .arg(format!("-{name}"))
        .args(pids.iter().map(ToString::to_string))
        .stderr(Stdio::null())
        .status()
        .context("sh")?;
    Ok(())
}

/// The processes whose parent is `parent`.
pub fn children(parent: u32) -> Result<Vec<u32>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let Ok(pid) = entry?.file_name().to_string_lossy().parse::<u32>() else {
            continue;
        };
        // The name in parentheses may itself hold spaces and parentheses: the numbers start after the last one.
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let after = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        if after.split_whitespace().nth(1) == Some(parent.to_string().as_str()) {
            found.push(pid);
        }
    }
    Ok(found)
}
