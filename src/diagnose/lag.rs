//! How late standbys are: one judgement, for the findings, the box of health and the list of standbys.
//!
//! It finds nothing, and says nothing of one that is gone.

use super::finding::Severity;
use super::history::Replay;
use super::limits::Limits;
use super::words::of_i64;
use crate::model::replica::{Replica, Standby};
use crate::model::unit::Age;
use crate::model::{Timestamp, seconds_between};

/// Bytes behind from which on a lag in time is more than the pause between two commits.
pub(super) const LEAST_BYTES: i64 = 1 << 20;

/// How grave the distance of a standby is; none where it is none to speak of, or is not known. Bytes decide, since the lag in
/// time stands still while replay is paused, and is a pause between two commits where few bytes wait; but where replay was
/// seen to stand still before any, that is worth a look.
#[must_use]
pub fn of(r: &Replica, limits: &Limits) -> Option<Severity> {
    let total = r.total?;
    let old = total >= LEAST_BYTES && r.replay_s.is_some_and(|s| s >= limits.replica_lag);
    let stands = r.stands_s >= limits.replica_lag;
    match () {
        () if of_i64(total) >= limits.replica_bytes_far => Some(Severity::Critical),
        () if of_i64(total) >= limits.replica_bytes || old || (stands && total >= LEAST_BYTES) => {
            Some(Severity::Warning)
        }
        () if stands => Some(Severity::Notice),
        () => None,
    }
}

/// How this server is as a standby, the gravest; times in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Own {
    /// No WAL receiver runs, and what it replayed last is old.
    Deaf,
    /// No WAL receiver runs, and what it replayed last is so young: it follows an archive (`restore_command`), or has just
    /// lost its upstream.
    Fetches(f64),
    /// There is one, which has heard nothing for so long.
    Silent(f64),
    /// Replay is paused.
    Paused,
    /// It replays so late.
    Late(f64),
    /// It has heard nothing for so long: too short to be sure of anything.
    Quiet(f64),
    /// So far behind, which is not late.
    Behind(f64),
    /// The last commit that it replayed is so old, and it is not late: nothing committed since, or one long transaction is
    /// loaded.
    KeepsUp(f64),
    /// The server hides the receiver from our role.
    Hidden,
    /// Not known: the receiver does not stream, or nothing was replayed yet.
    Unknown,
}

impl Own {
    /// Judges `standby`, seen at `seen`, whose replay moves as `replay` says.
    #[must_use]
    pub fn of(standby: &Standby, seen: Timestamp, replay: Option<&Replay>, limits: &Limits) -> Self {
        let quiet = standby.heard_s.filter(|s| *s >= limits.replica_lag);
        if standby.receiver.is_none() && !standby.receiver_hidden {
            // Paused it replays nothing more, whoever it hears.
            let young = standby.last_replay_s.filter(|old| *old < limits.replica_lag && !standby.paused);
            return young.map_or(Self::Deaf, Self::Fetches);
        }
        match (standby.lag_s, quiet) {
            (_, Some(heard)) if heard >= limits.replica_lag * 2.0 => Self::Silent(heard),
            _ if standby.paused => Self::Paused,
            _ if standby.receiver_hidden => Self::Hidden,
            (Some(lag), _) if lag >= limits.replica_lag && is_late(standby, seen, replay, limits) => Self::Late(lag),
            (_, Some(heard)) => Self::Quiet(heard),
            (Some(lag), None) if lag >= limits.replica_lag => Self::KeepsUp(lag),
            (Some(lag), None) => Self::Behind(lag),
            (None, None) => Self::Unknown,
        }
    }

    /// It in a few words.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Deaf => "receives nothing".to_owned(),
            Self::Fetches(_) => "no receiver".to_owned(),
            Self::Silent(s) | Self::Quiet(s) => format!("hears nothing {}", Age(s).short()),
            Self::Paused => "replay is paused".to_owned(),
            Self::Late(s) => format!("{} late", Age(s).short()),
            Self::Behind(s) => format!("{} behind", Age(s).short()),
            Self::KeepsUp(_) => "keeps up".to_owned(),
            Self::Hidden => "receiver hidden".to_owned(),
            Self::Unknown => "lag unknown".to_owned(),
        }
    }

    /// How grave that is; none where it is well, or not known.
    #[must_use]
    pub fn severity(self) -> Option<Severity> {
        match self {
            Self::Deaf | Self::Silent(_) => Some(Severity::Critical),
            Self::Paused | Self::Late(_) => Some(Severity::Warning),
            Self::Fetches(_) => Some(Severity::Notice),
            Self::Quiet(_) | Self::Behind(_) | Self::KeepsUp(_) | Self::Hidden | Self::Unknown => None,
        }
    }

    /// True where it is not known how it is.
    #[must_use]
    pub fn is_unknown(self) -> bool {
        matches!(self, Self::Quiet(_) | Self::Hidden | Self::Unknown)
    }
}

/// Whether the age of the last commit that was replayed is a lag at all: while one long transaction is loaded, or nothing
/// commits, it grows on a standby that is level. Replay is late where it stands still before what it has received, where
/// what it comes to is that old, or where much waits.
fn is_late(standby: &Standby, seen: Timestamp, replay: Option<&Replay>, limits: &Limits) -> bool {
    let Some(gap) = standby.gap else { return true };
    let stands = replay.is_some_and(|r| seconds_between(r.stands, seen) >= limits.replica_lag);
    let old = replay.is_some_and(|r| r.commits) && gap >= LEAST_BYTES;
    gap > 0 && (stands || old || of_i64(gap) >= limits.replica_bytes)
}
