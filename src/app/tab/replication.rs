//! 6 Replication: each standby's distance at every stage; those seen before and gone; slots; our own upstream.

use super::{age_cell, text_cell, text_key};
use crate::diagnose::slot;
use crate::diagnose::{Limits, Severity, lag};
use crate::model::replica::{Replica, ReplicaKey, Replication, Slot};
use crate::model::unit::{Age, Bytes};
use crate::model::{ServerText, Timestamp, Tone, World, seconds_between};
use crate::table::{Cell, Column, Direction, Measure, Row, SortKey, Width};

/// A standby: connected, or seen before and gone.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplicaRow {
    /// Its row, or its last one.
    pub replica: Replica,
    /// Seconds since it was last seen, where it is gone.
    pub missing_s: Option<f64>,
    /// How grave its distance is, as the findings judge it.
    pub grave: Option<Severity>,
}

impl Row for ReplicaRow {
    type Key = ReplicaKey;

    fn key(&self) -> ReplicaKey {
        self.replica.key()
    }
}

impl ReplicaRow {
    /// The standbys that are here and those that are gone.
    #[must_use]
    pub fn all(replication: &Replication, world: &World, limits: &Limits, now: Timestamp) -> Vec<Self> {
        let here = replication.replicas.iter();
        let here = here.map(|r| Self { replica: r.clone(), missing_s: None, grave: lag::of(r, limits) });
        let gone = world.missing.values().map(|m| Self {
            replica: m.last.clone(),
            missing_s: Some(seconds_between(m.seen, now)),
            grave: None,
        });
        here.chain(gone).collect()
    }

    /// How loud the row is.
    #[must_use]
    pub fn tone(&self) -> Tone {
        let r = &self.replica;
        if self.missing_s.is_some() {
            return Tone::Critical;
        }
        if let Some(severity) = self.grave {
            severity.tone()
        } else if r.state.as_deref().is_some_and(|s| s != "streaming") {
            Tone::Notice
        } else {
            Tone::Plain
        }
    }

    fn state_cell(&self) -> Cell {
        match (self.missing_s, &self.replica.state) {
            (Some(s), _) => Cell::toned(format!("MISSING {}", Age(s).short()), Tone::Critical),
            (None, Some(state)) => Cell::toned(ServerText::from(state.as_str()).head(16), self.tone()),
            (None, None) if self.replica.hidden => Cell::toned("hidden", Tone::Notice),
            (None, None) => Cell::none(),
        }
    }

    /// A distance or lag while it is here. Of one that is gone nothing is known but its last position: a `0 B` from
    /// before it went would read as all well.
    fn present<T>(&self, figure: Option<T>) -> Option<T> {
        figure.filter(|_| self.missing_s.is_none())
    }

    fn bytes(&self, figure: Option<i64>) -> Cell {
        self.present(figure).map_or_else(Cell::none, |b| Cell::toned(Bytes(b).short(), self.tone()))
    }
}

/// The slots with how loud each is, as the findings judge it; the worst first, then the one that keeps most.
#[must_use]
pub fn slots<'a>(replication: &'a Replication, limits: &Limits) -> Vec<(&'a Slot, Tone)> {
    let tone = |slot: &Slot| slot::of(slot, limits).map_or(Tone::Plain, |condition| condition.severity().tone());
    let mut slots: Vec<(&Slot, Tone)> = replication.slots.iter().map(|slot| (slot, tone(slot))).collect();
    slots.sort_by_key(|(slot, tone)| std::cmp::Reverse((*tone, slot.retained.unwrap_or(0))));
    slots
}

#[expect(clippy::cast_precision_loss, reason = "bytes, to sort by")]
fn key(figure: Option<i64>) -> SortKey {
    SortKey::number(figure.map(|b| b as f64))
}

fn shown(text: Option<&str>) -> String {
    text.map_or_else(String::new, |t| ServerText::from(t).head(40))
}

macro_rules! stage {
    ($name:literal, $title:literal, $doc:literal, $rank:literal, $width:literal, $field:ident) => {
        Column {
            name: $name,
            title: $title,
            doc: $doc,
            width: Width::Fixed($width),
            rank: $rank,
            cell: |r: &ReplicaRow| r.bytes(r.replica.$field),
            key: |r: &ReplicaRow| key(r.present(r.replica.$field)),
            measure: Measure::Bytes,
            ..Column::FIGURE
        }
    };
}

macro_rules! lag {
    ($name:literal, $title:literal, $doc:literal, $rank:literal, $field:ident) => {
        Column {
            name: $name,
            title: $title,
            doc: $doc,
            width: Width::Fixed(6),
            rank: $rank,
            cell: |r: &ReplicaRow| age_cell(r.present(r.replica.$field), Tone::Plain),
            key: |r: &ReplicaRow| SortKey::number(r.present(r.replica.$field)),
            ..Column::AGE
        }
    };
}

/// Columns of the standbys.
pub const COLUMNS: &[Column<ReplicaRow>] = &[
    Column {
        name: "standby",
        title: "standby",
        doc: "application_name of the standby",
        width: Width::Rest(12),
        cell: |r| text_cell(Some(&r.replica.application), r.tone()),
        key: |r| text_key(Some(&r.replica.application)),
        ..Column::TEXT
    },
    Column {
        name: "state",
        title: "state",
        doc: "state of its walsender, or since when it is gone",
        width: Width::Fit(9, 14),
        cell: ReplicaRow::state_cell,
        key: |r| match (&r.missing_s, &r.replica.state) {
            (Some(_), _) => SortKey::Text("MISSING".to_owned()),
            (None, Some(state)) => SortKey::Text(state.clone()),
            (None, None) => SortKey::Unknown,
        },
        ..Column::TEXT
    },
    stage!("total", "behind", "all WAL not yet replayed there", 0, 8, total),
    stage!("unsent", "unsent", "WAL written here, not yet sent", 2, 7, unsent),
    stage!("unwritten", "in flight", "sent, not yet written there", 3, 9, unwritten),
    stage!("unflushed", "unflushed", "written there, not yet flushed", 3, 9, unflushed),
    stage!("unreplayed", "unreplayed", "flushed there, not yet replayed", 2, 10, unreplayed),
    lag!("write_lag", "write", "write_lag; empty when idle and caught up", 4, write_s),
    lag!("flush_lag", "flush", "flush_lag; empty when idle and caught up", 4, flush_s),
    lag!("replay_lag", "replay", "replay_lag; stands still while replay is paused, so bytes decide", 1, replay_s),
    Column {
        name: "sync",
        title: "sync",
        doc: "sync_state",
        width: Width::Fit(4, 9),
        rank: 3,
        cell: |r| Cell::toned(shown(r.replica.sync_state.as_deref()), Tone::Faint),
        key: |r| r.replica.sync_state.clone().map_or(SortKey::Unknown, SortKey::Text),
        ..Column::TEXT
    },
    Column {
        name: "slot",
        title: "slot",
        doc: "the slot that it streams from",
        width: Width::Fit(4, 20),
        rank: 2,
        cell: |r| text_cell(r.replica.slot.as_ref(), Tone::Faint),
        key: |r| text_key(r.replica.slot.as_ref()),
        ..Column::TEXT
    },
    Column {
        name: "client",
        title: "client",
        doc: "its address",
        width: Width::Fit(0, 15),
        rank: 5,
        cell: |r| Cell::toned(shown(r.replica.client.as_deref()), Tone::Faint),
        key: |r| r.replica.client.clone().map_or(SortKey::Unknown, SortKey::Text),
        ..Column::TEXT
    },
    Column {
        name: "heard",
        title: "heard",
        doc: "since it last reported",
        width: Width::Fixed(5),
        rank: 4,
        cell: |r| age_cell(r.present(r.replica.reply_s), Tone::Faint),
        key: |r| SortKey::number(r.present(r.replica.reply_s)),
        ..Column::AGE
    },
    Column {
        name: "replayed",
        title: "replayed to",
        doc: "replay_lsn; for a standby that is gone, the last one seen",
        width: Width::Fit(4, 14),
        rank: 4,
        first: Direction::Descending,
        cell: |r| Cell::toned(shown(r.replica.replay_lsn.as_deref()), Tone::Faint),
        key: |r| r.replica.replay_lsn.clone().map_or(SortKey::Unknown, SortKey::Text),
        ..Column::TEXT
    },
];
