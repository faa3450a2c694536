//! What happened between two looks at the counters: rates, and where there can be none.
//!
//! A counter that went down, a reset and an entry that was thrown out in between are said, never divided.

use std::collections::BTreeMap;

use super::{EntryKey, Statement, Statements};

/// What an entry did per second.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Rates {
    /// Calls that ended.
    pub calls: f64,
    /// Milliseconds of execution, of the calls that ended.
    pub ms: f64,
    /// Rows.
    pub rows: f64,
    /// Blocks read from outside the buffers.
    pub read: f64,
    /// Temporary blocks.
    pub temp: f64,
    /// Bytes of WAL.
    pub wal: Option<f64>,
}

/// The time between two looks.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Interval {
    /// Seconds, by the server's clock; zero where there was no earlier look.
    pub seconds: f64,
    /// All counters were reset in between.
    pub reset: bool,
    /// Rounds of eviction in between; none where the extension does not count them.
    pub evictions: Option<i64>,
    /// Entries whose own counters began anew: evicted and back, or reset alone.
    pub restarted: usize,
    rates: BTreeMap<EntryKey, Rates>,
}

impl Interval {
    /// Compares two looks.
    ///
    /// An entry that was not there before began within the interval, so all that it counts happened in it; but where the
    /// earlier list was cut, or counted anew since, that cannot be told, and there is no rate.
    #[must_use]
    pub fn between(before: &Statements, now: &Statements) -> Self {
        let seconds = now.at_s - before.at_s;
        let (old, new) = (before.info.as_ref(), now.info.as_ref());
        let evictions = old.zip(new).map(|(old, new)| (new.dealloc - old.dealloc).max(0));
        if seconds <= 0.0 || before.database_oid != now.database_oid {
            return Self::default();
        }
        let told = old.zip(new).is_some_and(|(old, new)| old.reset != new.reset);
        let known: BTreeMap<EntryKey, &Statement> = before.entries.iter().map(|e| (e.key, e)).collect();
        let restarted = now.entries.iter().filter(|e| known.get(&e.key).is_some_and(|old| began_anew(old, e))).count();
        let met = now.entries.iter().filter(|e| known.contains_key(&e.key)).count();
        // Without pg_stat_statements_info a reset shows only in this: all went down or away, and much was there.
        let guessed = new.is_none() && known.len() > 1 && restarted == met;
        if told || guessed {
            return Self { seconds, reset: true, evictions, restarted: 0, rates: BTreeMap::new() };
        }
        let complete =
            i64::try_from(before.entries.len()).is_ok_and(|sent| sent + before.hidden.entries >= before.all.entries);
        let rate = |entry: &Statement| match known.get(&entry.key) {
            Some(old) if began_anew(old, entry) => None,
            Some(old) => Some(per_second(entry, Some(old), seconds)),
            None if complete => Some(per_second(entry, None, seconds)),
            None => None,
        };
        let rates = now.entries.iter().filter_map(|e| Some((e.key, rate(e)?))).collect();
        Self { seconds, reset: false, evictions, restarted, rates }
    }

    /// What that entry did, where that can be told.
    #[must_use]
    pub fn rates(&self, key: EntryKey) -> Option<Rates> {
        self.rates.get(&key).copied()
    }

    /// What all entries did together; none where nothing can be told of any.
    #[must_use]
    pub fn sum(&self) -> Option<Rates> {
        (!self.rates.is_empty()).then(|| {
            self.rates.values().fold(Rates::default(), |sum, r| Rates {
                calls: sum.calls + r.calls,
                ms: sum.ms + r.ms,
                rows: sum.rows + r.rows,
                read: sum.read + r.read,
                temp: sum.temp + r.temp,
                wal: r.wal.map(|w| w + sum.wal.unwrap_or(0.0)).or(sum.wal),
            })
        })
    }
}

/// Counters only grow; the sum of times may lose a last digit.
fn began_anew(old: &Statement, now: &Statement) -> bool {
    let earlier = |old: Option<f64>, now: Option<f64>| old.zip(now).is_some_and(|(old, now)| (old - now).abs() > 1e-5);
    earlier(old.since, now.since)
        || now.calls < old.calls
        || now.rows < old.rows
        || now.read < old.read
        || now.temp < old.temp
        || now.total_ms < old.total_ms - 1e-6
}

#[expect(clippy::cast_precision_loss, reason = "differences of counters, as rates")]
fn per_second(now: &Statement, old: Option<&Statement>, seconds: f64) -> Rates {
    let count = |figure: fn(&Statement) -> i64| (figure(now) - old.map_or(0, figure)) as f64 / seconds;
    Rates {
        calls: count(|s| s.calls),
        ms: (now.total_ms - old.map_or(0.0, |o| o.total_ms)).max(0.0) / seconds,
        rows: count(|s| s.rows),
        read: count(|s| s.read),
        temp: count(|s| s.temp),
        wal: now.wal_bytes.map(|w| (w - old.and_then(|o| o.wal_bytes).unwrap_or(0.0)).max(0.0) / seconds),
    }
}

#[cfg(test)]
mod tests;
