//! The audit log: one JSON line before each statement that changes anything, one after it, one for each refusal.
//!
//! Several consoles share one file: a line is appended whole, under an exclusive lock of the file, and is on disk before
//! [`Audit::append`] returns. It never edits or removes what another wrote, and never decides whether an action runs.
//!
//! The file is opened anew for each line, so that a log that was rotated away is not written to. The lock is held while
//! the end of the file is looked at, since each line carries the hash of the one before it.

mod chain;
pub mod changes;
mod copy;
mod ended;
mod line;
mod maintained;
pub mod read;
mod redact;

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::config::Syslog;
use crate::model::Timestamp;
use crate::model::setting::History;

use chain::LONGEST;
pub use ended::{Ended, EndedRow};
pub(in crate::effect) use line::Head;
pub use line::{Confirmation, Console, Entry, EventKind, Place, Target};
pub use maintained::Maintained;

/// How long to wait for another console's lock. It holds it for one line and one flush, some milliseconds.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);

/// How long an action waits for its line. A disk that hangs must not hang the console: the action is then not taken.
const DISK_PATIENCE: Duration = Duration::from_secs(5);

/// Why a line is not in the log.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The file or its directory cannot be had.
    #[error("audit log {path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is a pipe, a device or a directory: a line in it is on no disk.
    #[error("audit log {0}: not a regular file")]
    NotAFile(PathBuf),
    /// Another process holds its lock.
    #[error("audit log {0}: locked by another process for more than 2 s")]
    Locked(PathBuf),
    /// The disk does not answer.
    #[error("audit log {0}: not on disk within 5 s")]
    Slow(PathBuf),
    /// A line is longer than any that is written or read.
    #[error("audit log {0}: a line of more than 16 MiB")]
    Long(PathBuf),
    /// The system's log did not take the copy of a line that is in the file.
    #[error("audit log: no copy in the system's log, {socket}: {source}")]
    Uncopied {
        /// Where it would listen.
        socket: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The line could not be written as JSON.
    #[error("audit log: {0}")]
    Json(#[from] serde_json::Error),
}

/// The audit log of one console.
#[derive(Debug, Clone)]
pub struct Audit {
    path: Arc<Path>,
    console: Arc<Console>,
    syslog: Syslog,
    socket: Arc<Path>,
}

impl Audit {
    /// A log at `path`, written by `console`. Nothing is opened yet.
    #[must_use]
    pub fn new(path: &Path, console: Console) -> Self {
        Self {
            path: path.into(),
            console: Arc::new(console),
            syslog: Syslog::Off,
            socket: Path::new("/dev/log").into(),
        }
    }

    /// The same, with a copy of each line for whoever listens at `socket`.
    #[must_use]
    pub fn copied_to(self, syslog: Syslog, socket: &Path) -> Self {
        Self { syslog, socket: socket.into(), ..self }
    }

    /// Who writes it.
    #[must_use]
    pub fn console(&self) -> &Console {
        &self.console
    }

    /// What the log tells of settings that were changed and not changed back.
    pub async fn history(&self) -> History {
        let path = Arc::clone(&self.path);
        let read = tokio::task::spawn_blocking(move || changes::history(&path));
        match tokio::time::timeout(DISK_PATIENCE, read).await {
            Ok(Ok(history)) => history,
            Ok(Err(join)) => History { trouble: Some(join.to_string()), ..History::default() },
            Err(_) => History {
                trouble: Some(format!("audit log {}: not read within 5 s", self.path.display())),
                ..History::default()
            },
        }
    }

    /// Makes the file where there is none and opens it for writing, without adding a line: so that a log that cannot be
    /// written is known before the first action.
    ///
    /// # Errors
    /// Where the file cannot be had, and where nobody listens for a copy that is required.
    pub async fn check(&self) -> Result<(), AuditError> {
        let this = self.clone();
        let work = move || {
            open(&this.path)?;
            let copy = if this.syslog == Syslog::Required { copy::knock(&this.socket).map(drop) } else { Ok(()) };
            copy.map_err(|source| this.uncopied(source))
        };
        self.bounded(&Abandoned::default(), work).await
    }

    /// Appends a line and returns once it is on disk, and copied where that is wanted; with the reason why it is not
    /// copied, where it can do without.
    ///
    /// # Errors
    /// Where the line is not on disk, or not known to be; nothing of it is then left in the file, if the file system
    /// allows that. And where it has no copy and must have one: then it is on disk.
    pub async fn append(&self, entry: &Entry) -> Result<Option<String>, AuditError> {
        let json = plain(&serde_json::to_string(entry)?);
        let (this, abandoned) = (self.clone(), Abandoned::default());
        // What was done is true however late; what is about to be done is not, once it was given up.
        let given_up = if entry.event == EventKind::Intent { abandoned.clone() } else { Abandoned::default() };
        let work = move || {
            let line = append(&this.path, &json, &given_up)?;
            match this.copy(&line) {
                Ok(()) => Ok(None),
                Err(source) if this.syslog == Syslog::Required => Err(this.uncopied(source)),
                Err(source) => Ok(Some(format!("{}: {source}", this.socket.display()))),
            }
        };
        self.bounded(&abandoned, work).await
    }

    /// Copies a line, given without its line end.
    fn copy(&self, line: &[u8]) -> std::io::Result<()> {
        if self.syslog == Syslog::Off {
            return Ok(());
        }
        let (hash, text) = (chain::hash(line), String::from_utf8_lossy(line));
        copy::send(&self.socket, &copy::message(Timestamp::now(), self.console.pid, &hash, &text))
    }

    fn uncopied(&self, source: std::io::Error) -> AuditError {
        AuditError::Uncopied { socket: self.socket.to_path_buf(), source }
    }

    /// Runs blocking file work beside the console, for as long as it may take. It cannot be stopped: what goes on then is
    /// told so.
    async fn bounded<T, F>(&self, abandoned: &Abandoned, work: F) -> Result<T, AuditError>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, AuditError> + Send + 'static,
    {
        match tokio::time::timeout(DISK_PATIENCE, tokio::task::spawn_blocking(work)).await {
            Ok(Ok(done)) => done,
            Ok(Err(join)) => Err(failed(&self.path)(std::io::Error::other(join))),
            Err(_) => {
                abandoned.0.store(true, Ordering::SeqCst);
                Err(AuditError::Slow(self.path.to_path_buf()))
            }
        }
    }
}

/// True once nobody waits for a line any more. Looked at under the file's lock: whatever is written of the action after
/// that stands behind the line, or the line is not written.
#[derive(Debug, Clone, Default)]
struct Abandoned(Arc<AtomicBool>);

/// A line that can be printed: whoever looks at the log with `cat` must not run what a query's author put into it. JSON
/// escapes the controls of ASCII only; outside of its strings there is nothing beyond ASCII, so the rest may be escaped
/// here.
fn plain(json: &str) -> String {
    let mut line = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() || c.is_alphanumeric() {
            line.push(c);
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                let _ = std::fmt::Write::write_fmt(&mut line, format_args!("\\u{unit:04x}"));
            }
        }
    }
    line
}

fn failed(path: &Path) -> impl Fn(std::io::Error) -> AuditError + '_ {
    |source| AuditError::File { path: path.to_path_buf(), source }
}

/// Opens the file, making it (0600) and its directory (0700) where they do not exist. What exists keeps its mode: an
/// administrator may have shared it with a group on purpose.
fn open(path: &Path) -> Result<File, AuditError> {
    let directory = path.parent().filter(|d| !d.as_os_str().is_empty());
    if let Some(directory) = directory {
        DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed(path))?;
    }
    let fresh = !path.exists();
    let file = OpenOptions::new().create(true).append(true).read(true).mode(0o600).open(path).map_err(failed(path))?;
    if !file.metadata().map_err(failed(path))?.is_file() {
        return Err(AuditError::NotAFile(path.to_path_buf()));
    }
    if let (true, Some(directory)) = (fresh, directory) {
        // The name of a new file survives a crash only once its directory is on disk too.
        File::open(directory).and_then(|d| d.sync_all()).map_err(failed(path))?;
    }
    Ok(file)
}

/// Appends a line, unless it was abandoned; returns it without its line end.
fn append(path: &Path, json: &str, abandoned: &Abandoned) -> Result<Vec<u8>, AuditError> {
    let file = open_locked(path)?;
    if abandoned.0.load(Ordering::SeqCst) {
        return Err(AuditError::Slow(path.to_path_buf()));
    }
    let end = file.metadata().map_err(failed(path))?.len();
    let line = chain::linked(&chain::tail(&file, end).map_err(failed(path))?, json);
    if line.len() as u64 > LONGEST {
        return Err(AuditError::Long(path.to_path_buf()));
    }
    write_line(&file, &line).map_err(|source| {
        // A line cut short, on a full disk for one, would spoil the next one. Where even this fails, the next writer
        // begins on a line of its own.
        let _ = file.set_len(end);
        failed(path)(source)
    })?;
    Ok(line.trim_ascii().to_vec())
}

/// Opens and locks the file that is at `path` now: one rotated away between opening and locking is let go.
fn open_locked(path: &Path) -> Result<File, AuditError> {
    let since = Instant::now();
    loop {
        let file = open(path)?;
        while let Err(busy) = file.try_lock() {
            match busy {
                TryLockError::WouldBlock if since.elapsed() < LOCK_PATIENCE => {
                    std::thread::sleep(Duration::from_millis(2));
                }
                TryLockError::WouldBlock => return Err(AuditError::Locked(path.to_path_buf())),
                TryLockError::Error(source) => return Err(failed(path)(source)),
            }
        }
        let held = file.metadata().map_err(failed(path))?;
        let there = std::fs::metadata(path).map_err(failed(path))?;
        if (held.dev(), held.ino()) == (there.dev(), there.ino()) {
            return Ok(file);
        }
        if since.elapsed() >= LOCK_PATIENCE {
            return Err(AuditError::Locked(path.to_path_buf()));
        }
    }
}

/// One write for the whole line, which is on disk then.
fn write_line(mut file: &File, line: &[u8]) -> std::io::Result<()> {
    file.write_all(line)?;
    file.sync_all()
}

#[cfg(test)]
mod tests;
