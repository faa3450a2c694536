//! Replication as seen from this server: its standbys, its slots, and its own upstream where it is a standby.

use serde::{Deserialize, Serialize};

use super::text::ServerText;

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
    /// Age of the horizon that it holds by feedback, in transactions.
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
    /// WAL kept for it, in bytes.
    pub retained: Option<i64>,
    /// `wal_status`: reserved, extended, unreserved, lost.
    pub wal_status: Option<String>,
    /// Bytes that may still be written before it is in danger; none where `max_slot_wal_keep_size` is -1.
    pub safe: Option<i64>,
    /// Age of its xmin in transactions.
    pub xmin_age: Option<i64>,
    /// Age of its `catalog_xmin`.
    pub catalog_xmin_age: Option<i64>,
    /// Seconds inactive (17 and later).
    pub inactive_s: Option<f64>,
    /// Why it was invalidated (17 and later), or `conflicting` (16).
    pub invalidation: Option<String>,
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
}
