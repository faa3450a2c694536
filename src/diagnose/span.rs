//! What the server as a whole did within the last minutes: the looks of a span of time added up.
//!
//! Time of which nothing is known counts for nothing, neither in what happened nor in how long it took.

use std::collections::BTreeMap;

use super::rule::Look;
use crate::model::activity::delta::{CheckpointDelta, Delta, Trouble};
use crate::model::activity::io::Io;
use crate::model::{ServerText, Timestamp, seconds_between};

/// The looks of a span.
pub struct Span<'a> {
    deltas: Vec<&'a Delta>,
    /// When the last of them ended.
    pub seen: Timestamp,
}

/// A sum, and the seconds in which it came together.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sum<T> {
    /// What.
    pub of: T,
    /// Seconds of which it is known.
    pub seconds: f64,
}

impl Sum<f64> {
    /// So much a minute.
    pub fn per_minute(self) -> f64 {
        if self.seconds > 0.0 { self.of / self.seconds * 60.0 } else { 0.0 }
    }
}

impl<'a> Span<'a> {
    /// The looks of the last seconds before the last answer; none where that is not known.
    pub fn last(look: &Look<'a>, seconds: f64) -> Option<Self> {
        let (_, seen) = look.world.activity.value.as_ref()?;
        let young = |at: Timestamp| seconds_between(at, *seen) <= seconds;
        let deltas: Vec<&Delta> = look.history.deltas().filter(|(at, _)| young(*at)).map(|(_, delta)| delta).collect();
        (!deltas.is_empty()).then_some(Self { deltas, seen: *seen })
    }

    fn sum<T>(&self, of: impl Fn(&'a Delta) -> Option<T>) -> Vec<Sum<T>> {
        self.deltas.iter().filter_map(|d| Some(Sum { of: of(d)?, seconds: d.seconds })).collect()
    }

    /// A figure added up.
    pub fn figure(&self, of: impl Fn(&'a Delta) -> Option<f64>) -> Sum<f64> {
        let add = |a: Sum<f64>, b: Sum<f64>| Sum { of: a.of + b.of, seconds: a.seconds + b.seconds };
        self.sum(of).into_iter().fold(Sum::default(), add)
    }

    /// Checkpoints.
    pub fn checkpoints(&self) -> Sum<CheckpointDelta> {
        self.sum(|d| d.checkpoints).into_iter().fold(Sum::default(), |a, b| Sum {
            of: CheckpointDelta {
                timed: a.of.timed.saturating_add(b.of.timed),
                requested: a.of.requested.saturating_add(b.of.requested),
                write_ms: a.of.write_ms + b.of.write_ms,
                sync_ms: a.of.sync_ms + b.of.sync_ms,
            },
            seconds: a.seconds + b.seconds,
        })
    }

    /// Who read and wrote how much.
    pub fn io(&self) -> Sum<Vec<Io>> {
        let mut all = Sum::<Vec<Io>>::default();
        for part in self.sum(|d| d.io.as_ref()) {
            all.seconds += part.seconds;
            for io in part.of {
                match all.of.iter_mut().find(|known| known.who == io.who && known.wal == io.wal) {
                    Some(known) => {
                        known.read = known.read.saturating_add(io.read);
                        known.written = known.written.saturating_add(io.written);
                        known.read_ms += io.read_ms;
                        known.write_ms += io.write_ms;
                    }
                    None => all.of.push(io.clone()),
                }
            }
        }
        all
    }

    /// The trouble of each database that had any.
    pub fn databases(&self) -> BTreeMap<&'a ServerText, Trouble> {
        let mut each: BTreeMap<&ServerText, Trouble> = BTreeMap::new();
        for (name, trouble) in self.sum(|d| d.databases.as_ref()).into_iter().flat_map(|part| &part.of.trouble) {
            let entry = each.entry(name).or_default();
            *entry = entry.and(*trouble);
        }
        each
    }

    /// The trouble of all databases, and of which of them the most, by that figure.
    pub fn trouble(&self, most: fn(&Trouble) -> i64) -> (Sum<Trouble>, Option<&'a ServerText>) {
        let mut all = Sum::<Trouble>::default();
        for part in self.sum(|d| d.databases.as_ref()) {
            all.seconds += part.seconds;
            all.of = part.of.trouble.iter().fold(all.of, |sum, (_, trouble)| sum.and(*trouble));
        }
        let each = self.databases();
        let worst = each.into_iter().filter(|(name, t)| !name.is_empty() && most(t) > 0).max_by_key(|(_, t)| most(t));
        (all, worst.map(|(name, _)| name))
    }
}
