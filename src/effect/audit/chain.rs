//! The chain: each line opens with the SHA-256 of the line before it, over its bytes without the line end.
//!
//! It finds what the next line is to carry, and what a line carries. It writes nothing, and the caller holds the lock.
//!
//! The hash stands first in a line, so that one torn by a crash has most likely kept it. There is no key: whoever can
//! write the file can also write a new chain from some line on to the end, or cut the end off. Only a hash of the last
//! line that was kept elsewhere tells that.

use std::fs::File;
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::FileExt;

use serde::Deserialize;
use sha2::{Digest, Sha256};

/// What the first line of a file carries in place of a hash.
pub(super) const FIRST: &str = "first";

/// The longest line, in bytes: a query makes 100 kB at the most, a server's notices can add to that.
pub(super) const LONGEST: u64 = 16 << 20;

/// How much of the end is read at first; enough for nearly every line.
const WINDOW: u64 = 32 << 10;

const OPENING: &str = "{\"previous\":\"";

/// The end of the file: what the next line is put after.
pub(super) struct Tail {
    /// What the next line carries.
    pub(super) previous: String,
    /// True where the last writer died within its line. That line stays, and is hashed as it is.
    pub(super) torn: bool,
}

/// Reads the last line of a file of `end` bytes, from its end.
pub(super) fn tail(file: &File, end: u64) -> Result<Tail> {
    if end == 0 {
        return Ok(Tail { previous: FIRST.to_owned(), torn: false });
    }
    let mut window = WINDOW;
    loop {
        let start = end.saturating_sub(window);
        let mut bytes = vec![0; usize::try_from(end - start).map_err(Error::other)?];
        file.read_exact_at(&mut bytes, start)?;
        let torn = bytes.last() != Some(&b'\n');
        let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let line = match line.iter().rposition(|b| *b == b'\n') {
            Some(at) => line.get(at + 1..),
            None if start == 0 => Some(line),
            None => None,
        };
        match line {
            Some(line) => return Ok(Tail { previous: hash(line), torn }),
            None if window > LONGEST => {
                return Err(Error::new(ErrorKind::InvalidData, "its last line is longer than any of this program's"));
            }
            None => window = (window * 8).min(LONGEST + 1),
        }
    }
}

/// The hash of a line, given without its line end.
pub(super) fn hash(line: &[u8]) -> String {
    let digest = Sha256::digest(line);
    digest.iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = std::fmt::Write::write_fmt(&mut hex, format_args!("{byte:02x}"));
        hex
    })
}

/// The line that puts `json`, an object, after `tail`.
pub(super) fn linked(tail: &Tail, json: &str) -> Vec<u8> {
    let torn = if tail.torn { "\n" } else { "" };
    let fields = json.strip_prefix('{').unwrap_or(json);
    format!("{torn}{OPENING}{}\",{fields}\n", tail.previous).into_bytes()
}

/// True where a line begins as every one of a log does.
pub(super) fn is_opened(line: &[u8]) -> bool {
    line.starts_with(OPENING.as_bytes())
}

/// What a line carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Carried {
    /// The hash of the line before it.
    Hash(String),
    /// The word of a first line.
    First,
    /// Nothing, though it is whole.
    Nothing,
    /// It begins as a line of this log, and was torn before the hash ends.
    Torn,
    /// It is no line of a log.
    Foreign,
}

#[derive(Deserialize)]
struct Linked {
    #[serde(default)]
    previous: Option<String>,
}

impl Carried {
    /// Reads it from a line, which may have been torn.
    pub(super) fn by(line: &[u8]) -> Self {
        match serde_json::from_slice::<Linked>(line) {
            Ok(Linked { previous: Some(word) }) => Self::of(word),
            Ok(Linked { previous: None }) => Self::Nothing,
            Err(_) => Self::by_torn(line).unwrap_or_else(|| Self::by_opening(line)),
        }
    }

    fn by_torn(line: &[u8]) -> Option<Self> {
        let rest = line.strip_prefix(OPENING.as_bytes())?;
        let word = rest.split(|b| *b == b'"').next().filter(|word| word.len() < rest.len())?;
        Some(Self::of(String::from_utf8(word.to_vec()).ok()?))
    }

    fn by_opening(line: &[u8]) -> Self {
        let is_torn = is_opened(line) || (!line.is_empty() && OPENING.as_bytes().starts_with(line));
        if is_torn { Self::Torn } else { Self::Foreign }
    }

    fn of(word: String) -> Self {
        if word == FIRST { Self::First } else { Self::Hash(word) }
    }
}
