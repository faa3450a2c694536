//! Replication as seen from this server: its standbys, its slots, and its own upstream where it is a standby.

use serde::{Deserialize, Serialize};

use super::text::ServerText;
use super::{Timestamp, seconds_between};

/// A standby's identity across reconnects: its slot, or its name and address.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReplicaKey(pub String);

/// One row of `pg_stat_replication`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Replica {
    /// The walsender's pid.
    pub pid: i32,
    /// Role; none where hidden.
    pub user: Option<ServerText>,
    /// `application_name`: the standby's name.
    pub application: ServerText,
    /// Its address; none for a Unix socket.
    pub client: Option<String>,
    /// `state`: startup, catchup, streaming, backup, stopping.
    pub state: Option<String>,
    /// `sync_state`: async, potential, sync, quorum.
    pub sync_state: Option<String>,
    /// The slot that it uses.
    pub slot: Option<ServerText>,
    /// WAL not yet sent, in bytes.
    pub unsent: Option<i64>,
    /// Sent, not yet written there.
    pub unwritten: Option<i64>,
    /// Written, not yet flushed.
    pub unflushed: Option<i64>,
    /// Flushed, not yet replayed.
    pub unreplayed: Option<i64>,
    /// All of it: current position less replayed position.
    pub total: Option<i64>,
    /// `write_lag` in seconds. It becomes null when idle and keeps its last value while replay is paused: bytes decide.
    pub write_s: Option<f64>,
    /// `flush_lag`.
    pub flush_s: Option<f64>,
    /// `replay_lag`.
    pub replay_s: Option<f64>,
    /// Seconds since it last reported.
    pub reply_s: Option<f64>,
    /// `replay_lsn`.
    pub replay_lsn: Option<String>,
    /// Seconds for which that has been seen to stand still before WAL that waits to be replayed.
    #[serde(default)]
    pub stands_s: f64,
    /// The horizon that it holds by feedback.
    #[serde(default)]
    pub xmin: Option<String>,
    /// Its age in transactions.
    pub xmin_age: Option<i64>,
    /// True where the server hid the row from our role.
    pub hidden: bool,
}

impl Replica {
    /// Its identity across reconnects.
    #[must_use]
    pub fn key(&self) -> ReplicaKey {
        match &self.slot {
            Some(slot) => ReplicaKey(format!("slot {}", slot.raw())),
            None => {
                ReplicaKey(format!("{} {}", self.application.raw(), self.client.as_deref().unwrap_or("local socket")))
            }
        }
    }
}

/// One row of `pg_replication_slots`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Slot {
    /// Name.
    pub name: ServerText,
    /// `physical` or `logical`.
    pub kind: String,
    /// Database of a logical slot.
    pub database: Option<ServerText>,
    /// True while somebody streams from it.
    pub active: bool,
    /// WAL kept for it, in bytes; none where it is invalid, since nothing is kept for it then.
    pub retained: Option<i64>,
    /// `wal_status`: reserved, extended, unreserved, lost.
    pub wal_status: Option<String>,
    /// Bytes that may still be written before it is in danger; none where `max_slot_wal_keep_size` is -1.
    pub safe: Option<i64>,
    /// Its `xmin`: the horizon that it holds; none where it is invalid.
    #[serde(default)]
    pub xmin: Option<String>,
    /// Age of its xmin in transactions.
    pub xmin_age: Option<i64>,
    /// Age of its `catalog_xmin`.
    pub catalog_xmin_age: Option<i64>,
    /// Seconds inactive (17 and later).
    pub inactive_s: Option<f64>,
    /// `invalidation_reason` (17 and later), or `conflicting` (16).
    pub invalidation: Option<String>,
}

/// Why a slot is invalid: its reader cannot go on from it, and nothing is kept for it any more. `wal_status` calls it lost
/// whatever the reason is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Invalid<'a> {
    /// `wal_removed`: WAL that it needs is gone (`max_slot_wal_keep_size`); the only reason before 16.
    Wal,
    /// `rows_removed`, on a standby: the primary removed rows that a logical reader needs.
    Rows,
    /// `wal_level_insufficient`, on a standby: the primary's `wal_level` was less than `logical`.
    WalLevel,
    /// One of these two: 16 does not tell which.
    Conflict,
    /// `idle_timeout`: nobody read from it for longer than `idle_replication_slot_timeout` (18).
    Idle,
    /// A reason that we do not know, as the server calls it.
    Other(&'a str),
}

impl Slot {
    /// Why it is invalid; none where it is good.
    #[must_use]
    pub fn invalid(&self) -> Option<Invalid<'_>> {
        match self.invalidation.as_deref() {
            Some("wal_removed") => Some(Invalid::Wal),
            Some("rows_removed") => Some(Invalid::Rows),
            Some("wal_level_insufficient") => Some(Invalid::WalLevel),
            Some("conflicting") => Some(Invalid::Conflict),
            Some("idle_timeout") => Some(Invalid::Idle),
            Some(other) => Some(Invalid::Other(other)),
            None => (self.wal_status.as_deref() == Some("lost")).then_some(Invalid::Wal),
        }
    }
}

/// The receiving side, on a standby.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Standby {
    /// True while replay is paused.
    pub paused: bool,
    /// Received position.
    pub receive_lsn: Option<String>,
    /// Replayed position.
    pub replay_lsn: Option<String>,
    /// Received, not yet replayed, in bytes.
    pub gap: Option<i64>,
    /// Seconds behind; none where it cannot be known (no live receiver).
    pub lag_s: Option<f64>,
    /// Seconds since the last replayed transaction was committed upstream: grows on an idle primary too.
    pub last_replay_s: Option<f64>,
    /// True where there is a WAL receiver whose state the server hid from our role: its lag is unknown, not zero.
    #[serde(default)]
    pub receiver_hidden: bool,
    /// `status` of the WAL receiver; none where there is none, or where it is hidden.
    pub receiver: Option<String>,
    /// Upstream host.
    pub sender: Option<ServerText>,
    /// Upstream port.
    pub sender_port: Option<i32>,
    /// The slot that it uses.
    pub slot: Option<ServerText>,
    /// Seconds since the upstream was last heard.
    pub heard_s: Option<f64>,
}

/// Replication at one moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Replication {
    /// Standbys connected to this server.
    pub replicas: Vec<Replica>,
    /// Its slots.
    pub slots: Vec<Slot>,
    /// Its own upstream, where it is a standby.
    pub standby: Option<Standby>,
    /// The position from which distances count.
    pub lsn: Option<String>,
    /// `max_slot_wal_keep_size` as a setting; -1 means no limit.
    pub slot_keep_mb: Option<i64>,
    /// `synchronous_standby_names`: whom commits wait for; empty for nobody.
    #[serde(default)]
    pub sync_names: Option<ServerText>,
}

impl Replication {
    /// With what the look before it adds: for how long each standby has replayed nothing of what waits.
    #[must_use]
    pub fn after(mut self, before: Option<&(Self, Timestamp)>, at: Timestamp) -> Self {
        let Some((before, then)) = before else { return self };
        let waits = |r: &Replica| r.total.is_some_and(|bytes| bytes > 0);
        for r in &mut self.replicas {
            let same = |b: &&Replica| b.pid == r.pid && b.replay_lsn == r.replay_lsn && waits(b) && waits(r);
            let stood = before.replicas.iter().find(same);
            r.stands_s = stood.map_or(0.0, |b| b.stands_s + seconds_between(*then, at).max(0.0));
        }
        self
    }

    /// True where commits wait for a synchronous standby, and none that is connected is one.
    #[must_use]
    pub fn lacks_sync(&self) -> bool {
        let asked = self.sync_names.as_ref().is_some_and(|names| !names.raw().trim().is_empty());
        let sync = |r: &Replica| r.hidden || matches!(r.sync_state.as_deref(), Some("sync" | "quorum"));
        asked && self.standby.is_none() && !self.replicas.iter().any(sync)
    }
}
