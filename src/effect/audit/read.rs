//! Reading the log back: its entries one by one, and whether the chain over them is whole.
//!
//! It changes nothing and keeps no writer waiting: the lock is held only to learn how much of the file is whole lines.

use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::time::{Duration, Instant};

use super::chain::{self, Carried, LONGEST};
use super::{AuditError, Entry, LOCK_PATIENCE, failed};

/// What the chain tells of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chain {
    /// How many lines there are.
    pub lines: u64,
    /// Lines that are no entries: torn by a crash, or of a version to come.
    pub unreadable: Vec<u64>,
    /// Where it breaks first.
    pub broken: Option<Break>,
    /// The hash of the last line: kept elsewhere, it tells whether the end was cut off later.
    pub last: Option<String>,
}

/// A line that does not follow the one before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Break {
    /// Its number, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub why: Why,
}

/// Why a line does not follow the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It is the first one, and was not written as one.
    Headless,
    /// It was written as the first line of a file.
    Restarted,
    /// It carries no hash.
    Unhashed,
    /// It is no line of a log, nor the beginning of one.
    Foreign,
    /// It was written after a line that stands elsewhere, at this number.
    Elsewhere(u64),
    /// It was written after a line that is not here.
    Missing,
}

/// Gives each entry with the number of its line to `each`, and says what the chain tells.
///
/// # Errors
/// Where the file cannot be read, or is no file, or holds a line longer than any that this program writes.
pub fn walk(path: &Path, mut each: impl FnMut(u64, Entry)) -> Result<Chain, AuditError> {
    let failed = failed(path);
    // Opening a pipe would wait for its other end.
    if !std::fs::metadata(path).map_err(&failed)?.is_file() {
        return Err(AuditError::NotAFile(path.to_path_buf()));
    }
    let file = File::open(path).map_err(&failed)?;
    let length = settled(&file).map_err(&failed)?;
    let mut reader = BufReader::new(file).take(length);
    let mut walk = Walk::default();
    loop {
        let mut line = Vec::new();
        (&mut reader).take(LONGEST + 1).read_until(b'\n', &mut line).map_err(&failed)?;
        if line.is_empty() {
            return Ok(walk.end());
        }
        let line = line.strip_suffix(b"\n").unwrap_or(&line);
        if line.len() as u64 > LONGEST {
            return Err(AuditError::Long(path.to_path_buf()));
        }
        walk.step(line);
        match serde_json::from_slice(line) {
            Ok(entry) => each(walk.chain.lines, entry),
            Err(_) => walk.chain.unreadable.push(walk.chain.lines),
        }
    }
}

/// The length of the file while nobody writes to it. Where a writer hangs, or the file lies where nothing can be locked,
/// it is read as far as it is there.
fn settled(file: &File) -> std::io::Result<u64> {
    let since = Instant::now();
    while let Err(TryLockError::WouldBlock) = file.try_lock_shared()
        && since.elapsed() < LOCK_PATIENCE
    {
        std::thread::sleep(Duration::from_millis(2));
    }
    let length = file.metadata()?.len();
    // Without a lock there is nothing to give back.
    let _ = file.unlock();
    Ok(length)
}

/// The chain so far.
#[derive(Default)]
struct Walk {
    chain: Chain,
    /// Where the line of each hash stands.
    seen: HashMap<String, u64>,
    /// True once a line began as one of a log does.
    begun: bool,
    /// The hash that the line which breaks the chain carries.
    wanted: Option<String>,
}

impl Walk {
    fn step(&mut self, line: &[u8]) {
        self.chain.lines += 1;
        let (number, carried) = (self.chain.lines, Carried::by(line));
        let why = match &carried {
            Carried::First if number > 1 => Some(Why::Restarted),
            Carried::Hash(_) if number == 1 => Some(Why::Headless),
            Carried::Hash(hash) if self.chain.last.as_ref() != Some(hash) => Some(Why::Missing),
            Carried::Nothing => Some(Why::Unhashed),
            Carried::Foreign => Some(Why::Foreign),
            Carried::First | Carried::Hash(_) | Carried::Torn => None,
        };
        self.begun |= chain::is_opened(line);
        if let (Some(why), None) = (why, &self.chain.broken) {
            self.chain.broken = Some(Break { line: number, why });
            self.wanted = if let Carried::Hash(hash) = carried { Some(hash) } else { None };
        }
        let hash = chain::hash(line);
        self.seen.entry(hash.clone()).or_insert(number);
        self.chain.last = Some(hash);
    }

    /// The whole chain. Only here is it known whether a line that is missed stands elsewhere.
    fn end(mut self) -> Chain {
        // One byte that a crash left, or a file of something else: nothing here says that it is a log.
        if self.chain.lines > 0 && !self.begun && self.chain.broken.is_none() {
            self.chain.broken = Some(Break { line: 1, why: Why::Foreign });
        }
        if let Some(Break { why: why @ Why::Missing, .. }) = &mut self.chain.broken
            && let Some(at) = self.wanted.and_then(|hash| self.seen.get(&hash).copied())
        {
            *why = Why::Elsewhere(at);
        }
        self.chain
    }
}
