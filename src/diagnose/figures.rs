//! The figures that a finding rests on, where no row of a tab shows them: for a view of their own.
//!
//! Facts of the last samples and of the last minutes. It judges nothing, and gives no advice.

mod own;
mod server;
mod upkeep;
mod wal;

use super::finding::{FindingKey, Kind};
use super::rule::Look;
use super::words::counted;
use crate::model::Tone;
use crate::model::unit::Age;

/// A line of them. Its texts are safe to draw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Figure {
    /// What the lines below it are about.
    Title(String),
    /// A figure.
    Line {
        /// What it is, in ten characters at most.
        label: &'static str,
        /// The figure, and its unit.
        text: String,
        /// How loud it is.
        tone: Tone,
    },
}

/// Rows of one sort that are listed at most: what finds no room is counted.
const MOST_ROWS: usize = 20;

type Read = fn(&Look<'_>, &FindingKey) -> Vec<Figure>;

/// The kinds of findings that have such figures.
const READ: &[(Kind, Read)] = &[
    (Kind::Restarted, own::restarted),
    (Kind::OwnCost, own::cost),
    (Kind::Gap, own::gaps),
    (Kind::Horizon, upkeep::horizon),
    (Kind::Prepared, upkeep::prepared),
    (Kind::Subscription, upkeep::subscriptions),
    (Kind::Partitions, upkeep::partitions),
    (Kind::Wraparound, upkeep::ages),
    (Kind::SlotLost, wal::slot),
    (Kind::SlotRetains, wal::slot),
    (Kind::Archive, wal::archive),
    (Kind::WalKept, wal::kept),
    (Kind::Checkpoints, server::checkpoints),
    (Kind::TempFiles, server::temp_files),
    (Kind::Deadlocks, server::deadlocks),
    (Kind::Conflicts, server::conflicts),
];

/// The figures behind a finding as they are now, also once it is over; empty where nothing of them was read, and for a kind
/// whose evidence is the row of a tab.
#[must_use]
pub fn of(look: &Look<'_>, key: &FindingKey) -> Vec<Figure> {
    READ.iter().find(|(kind, _)| *kind == key.kind).map_or_else(Vec::new, |(_, read)| read(look, key))
}

fn title(text: impl Into<String>) -> Figure {
    Figure::Title(text.into())
}

fn line(label: &'static str, text: impl Into<String>) -> Figure {
    Figure::Line { label, text: text.into(), tone: Tone::Plain }
}

fn loud(label: &'static str, text: impl Into<String>, tone: Tone) -> Figure {
    Figure::Line { label, text: text.into(), tone }
}

/// `3 errors`; a count below zero, which no server should send, is none.
fn many(count: i64, one: &str) -> String {
    counted(usize::try_from(count).unwrap_or(0), one)
}

/// `12m ago`, or `never`.
fn ago(seconds: Option<f64>) -> String {
    seconds.map_or_else(|| "never".to_owned(), |s| format!("{} ago", Age(s).short()))
}

/// How many of `all` were left out of a list, as its last line.
fn rest(all: usize, into: &mut Vec<Figure>) {
    if all > MOST_ROWS {
        into.push(loud("", format!("and {} more", all - MOST_ROWS), Tone::Faint));
    }
}
