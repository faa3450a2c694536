//! Who reads and writes, by kind of process: `pg_stat_io`, which `PostgreSQL` has from 16 on.

use serde::{Deserialize, Serialize};

use super::delta::{grown, same_reset};
use crate::model::text::ServerText;

/// What one kind of process has read and written.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Io {
    /// `backend_type`, such as `client backend`.
    pub who: ServerText,
    /// WAL, and not relations; counted from 18 on.
    pub wal: bool,
    /// Bytes read, from the kernel's cache or from a disk.
    pub read: i64,
    /// Bytes written, files that grew among them.
    pub written: i64,
    /// Milliseconds that the reads took; 0 where nobody measures it.
    pub read_ms: f64,
    /// Milliseconds that the writes took, with `fsync`.
    pub write_ms: f64,
    /// When these counters began, in seconds since the epoch.
    pub reset_s: Option<f64>,
}

impl Io {
    /// The difference to a look before; none where the counters began anew.
    fn since(&self, before: &Self) -> Option<Self> {
        let more = |old: f64, new: f64| Some(new - old).filter(|ms| *ms >= 0.0);
        if !same_reset(before.reset_s, self.reset_s) {
            return None;
        }
        Some(Self {
            who: self.who.clone(),
            wal: self.wal,
            read: grown(before.read, self.read)?,
            written: grown(before.written, self.written)?,
            read_ms: more(before.read_ms, self.read_ms)?,
            write_ms: more(before.write_ms, self.write_ms)?,
            reset_s: self.reset_s,
        })
    }
}

/// What each did between two looks; none where nothing can be compared, as before 16.
#[must_use]
pub fn between(before: &[Io], now: &[Io]) -> Option<Vec<Io>> {
    let rows = now.iter().filter_map(|new| {
        let old = before.iter().find(|old| old.who == new.who && old.wal == new.wal)?;
        new.since(old)
    });
    let compared: Vec<Io> = rows.collect();
    (!compared.is_empty())
        .then(|| compared.into_iter().filter(|io| io.read > 0 || io.written > 0 || io.write_ms > 0.0).collect())
}
