//! How a replication slot is: one judgement, for the findings and the list of slots.
//!
//! It finds nothing, and does not know which standby reads from which slot.

use super::finding::Severity;
use super::lag::LEAST_BYTES;
use super::limits::Limits;
use super::words::of_i64;
use crate::model::replica::{Invalid, Slot};
use crate::model::unit::Bytes;

/// What there is to say of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition<'a> {
    /// Its reader cannot go on from it.
    Invalid(Invalid<'a>),
    /// The next checkpoint may remove WAL that it needs.
    Endangered,
    /// It keeps WAL: for nobody, or much.
    Retains(Severity),
}

/// How `slot` is; none where there is nothing to say of it.
#[must_use]
pub fn of<'a>(slot: &'a Slot, limits: &Limits) -> Option<Condition<'a>> {
    if let Some(why) = slot.invalid() {
        return Some(Condition::Invalid(why));
    }
    if slot.wal_status.as_deref() == Some("unreserved") {
        return Some(Condition::Endangered);
    }
    let retained = slot.retained?;
    let much = of_i64(retained) >= limits.slot_bytes;
    if slot.active {
        return much.then_some(Condition::Retains(Severity::Warning));
    }
    // A standby that was gone before we came has left nothing but its slot.
    let orphaned =
        slot.kind == "physical" && slot.inactive_s.map_or(retained >= LEAST_BYTES, |s| s >= limits.replica_gone);
    Some(Condition::Retains(if much || orphaned { Severity::Warning } else { Severity::Notice }))
}

/// What bounds the WAL that a slot keeps: `keep_mb` is `max_slot_wal_keep_size` in MB, -1 for no limit; none where it was not
/// read.
#[must_use]
pub fn bound(keep_mb: Option<i64>) -> String {
    match keep_mb {
        Some(mb) if mb >= 0 => {
            let size = Bytes(mb.saturating_mul(1 << 20)).short();
            format!("max_slot_wal_keep_size limits it to {size}: beyond that the slot loses its WAL")
        }
        Some(_) => "nothing limits it (max_slot_wal_keep_size = -1): it can fill the disk".to_owned(),
        None => "whether max_slot_wal_keep_size limits it is not known".to_owned(),
    }
}

impl Condition<'_> {
    /// How grave that is. An idle timeout does what it was set for, to a slot that nobody had read from for long.
    #[must_use]
    pub fn severity(self) -> Severity {
        match self {
            Self::Invalid(Invalid::Idle) => Severity::Warning,
            Self::Invalid(_) | Self::Endangered => Severity::Critical,
            Self::Retains(severity) => severity,
        }
    }
}
