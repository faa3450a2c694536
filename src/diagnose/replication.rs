//! The standbys and slots of this server: one that is gone, one that is behind, WAL that is kept or lost.

use super::finding::{Finding, Harm, Kind, Severity, Target};
use super::rule::Look;
use super::words::{before, literal, of_i64};
use crate::command::Tab;
use crate::model::replica::{Replica, Slot};
use crate::model::unit::{Age, Bytes};
use crate::model::{ServerText, seconds_between};

/// Bytes behind from which on a lag in time is more than the pause between two commits.
const LEAST_BYTES: i64 = 1 << 20;

fn name(r: &Replica) -> String {
    if r.application.is_empty() { "a standby".to_owned() } else { r.application.head(40) }
}

fn slots<'a>(look: &Look<'a>) -> &'a [Slot] {
    look.world.replication.get().map_or(&[], |r| r.slots.as_slice())
}

/// Standbys that were here and are gone; with what their slots keep meanwhile.
pub fn gone(look: &Look<'_>) -> Vec<Finding> {
    let Some((_, seen)) = look.world.replication.value.as_ref() else { return Vec::new() };
    let missing = look.world.missing.iter().map(|(key, missing)| {
        let r = &missing.last;
        let away = seconds_between(missing.seen, look.now);
        let slot = slots(look).iter().find(|s| r.slot.as_ref() == Some(&s.name));
        let keeps = slot
            .and_then(|s| s.retained)
            .map_or_else(String::new, |b| format!("; its slot retains {}", Bytes(b).short()));
        let from =
            r.client.as_deref().map_or_else(String::new, |c| format!("from {} · ", ServerText::from(c).head(40)));
        let at = r
            .replay_lsn
            .as_deref()
            .map_or_else(String::new, |l| format!(" · replayed to {}", ServerText::from(l).head(20)));
        Finding {
            severity: if away >= look.limits.replica_gone { Severity::Critical } else { Severity::Warning },
            fact: format!("{} vanished {} ago{keeps}", name(r), Age(away).short()),
            evidence: format!(
                "{from}last seen {}{at}",
                r.state.as_deref().map_or_else(|| "here".to_owned(), |s| ServerText::from(s).head(16))
            ),
            todo: match slot {
                Some(_) => {
                    "bring it back; if it never returns, dropping its slot frees the WAL and costs it a new base backup"
                        .to_owned()
                }
                None => "bring it back before the WAL that it needs is recycled: it has no slot".to_owned(),
            },
            remedy: slot
                .filter(|s| !s.active)
                .map(|s| format!("SELECT pg_drop_replication_slot({});", literal(s.name.raw()))),
            since: Some(missing.seen),
            harm: Harm { now: away, coming: 0.8 },
            ..Finding::of(Kind::ReplicaGone, key.0.clone(), *seen, Target::Replica(key.clone()))
        }
    });
    missing.collect()
}

/// Standbys that are behind: bytes decide, since the lag in time stands still while replay is paused.
pub fn behind(look: &Look<'_>) -> Vec<Finding> {
    let Some((replication, seen)) = look.world.replication.value.as_ref() else { return Vec::new() };
    let limits = look.limits;
    let behind = replication.replicas.iter().filter_map(|r| {
        let total = r.total?;
        let late = total >= LEAST_BYTES && r.replay_s.is_some_and(|s| s >= limits.replica_lag);
        let severity = match () {
            () if of_i64(total) >= limits.replica_bytes_far => Severity::Critical,
            () if of_i64(total) >= limits.replica_bytes || late => Severity::Warning,
            () => return None,
        };
        let lag = r.replay_s.map_or_else(String::new, |s| format!(", replays {} late", Age(s).short()));
        let (stage, todo) = stuck(r, total);
        Some(Finding {
            severity,
            fact: format!("{} is {} behind{lag}", name(r), Bytes(total).short()),
            evidence: stage,
            todo: todo.to_owned(),
            since: None,
            harm: Harm { now: r.replay_s.unwrap_or(0.0), coming: 0.7 },
            ..Finding::of(Kind::ReplicaLag, r.key().0, *seen, Target::Replica(r.key()))
        })
    });
    behind.collect()
}

/// At which stage most of the distance is, and what that means.
fn stuck(r: &Replica, total: i64) -> (String, &'static str) {
    let stages = [
        (
            r.unreplayed,
            "flushed there and not replayed",
            "there: is replay paused (pg_wal_replay_resume), or does a query hold it up?",
        ),
        (
            r.unsent,
            "not sent",
            "look at the network and at what this server writes: it makes WAL faster than it can send",
        ),
        (r.unflushed, "written there and not flushed", "look at the standby's disk"),
        (r.unwritten, "on the way", "look at the network"),
    ];
    let most = stages.into_iter().filter_map(|(bytes, what, todo)| bytes.map(|b| (b, what, todo))).max_by_key(|s| s.0);
    most.map_or_else(
        || (format!("{} in all", Bytes(total).short()), "see the stages on Replication"),
        |(bytes, what, todo)| (format!("{} of it {what}", Bytes(bytes).short()), todo),
    )
}

/// Slots that lose WAL, are about to, or keep much; those of a standby that is gone stand with it.
pub fn slots_kept(look: &Look<'_>) -> Vec<Finding> {
    let Some((replication, seen)) = look.world.replication.value.as_ref() else { return Vec::new() };
    let known = |slot: &Slot| look.world.missing.values().any(|m| m.last.slot.as_ref() == Some(&slot.name));
    replication
        .slots
        .iter()
        .filter_map(|slot| lost(slot, *seen).or_else(|| if known(slot) { None } else { kept(look, slot, *seen) }))
        .collect()
}

fn drop_it(slot: &Slot) -> Option<String> {
    (!slot.active).then(|| format!("SELECT pg_drop_replication_slot({});", literal(slot.name.raw())))
}

fn lost(slot: &Slot, seen: crate::model::Timestamp) -> Option<Finding> {
    let name = slot.name.head(40);
    let why = slot.invalidation.as_deref().map_or_else(String::new, |w| format!(" ({})", ServerText::from(w).head(40)));
    let (severity, fact, todo) = match slot.wal_status.as_deref() {
        Some("lost") => (
            Severity::Critical,
            format!("slot {name} has lost its WAL{why}: its reader cannot go on"),
            "its reader needs a new base backup or a new copy; then drop the slot",
        ),
        Some("unreserved") => (
            Severity::Critical,
            format!("slot {name} is about to lose its WAL{why}: the next checkpoint may remove it"),
            "bring its reader back now, or raise max_slot_wal_keep_size",
        ),
        _ => return None,
    };
    Some(Finding {
        severity,
        fact,
        evidence: format!(
            "{} slot, {}, wal_status {}",
            ServerText::from(slot.kind.as_str()).head(16),
            activity(slot),
            slot.wal_status.as_deref().unwrap_or_default()
        ),
        todo: todo.to_owned(),
        remedy: drop_it(slot),
        since: before(seen, slot.inactive_s),
        harm: Harm { now: 1.0, coming: 1.0 },
        ..Finding::of(Kind::SlotLost, slot.name.raw(), seen, Target::Tab(Tab::Replication))
    })
}

fn kept(look: &Look<'_>, slot: &Slot, seen: crate::model::Timestamp) -> Option<Finding> {
    let retained = slot.retained?;
    let much = of_i64(retained) >= look.limits.slot_bytes;
    let behind = |r: &Replica| {
        r.slot.as_ref() == Some(&slot.name) && r.total.is_some_and(|b| of_i64(b) >= look.limits.replica_bytes)
    };
    // What an active one keeps is what its standby is behind, which has been said.
    if slot.active && (!much || look.world.replication.get().is_some_and(|r| r.replicas.iter().any(behind))) {
        return None;
    }
    // A standby that was gone before we came has left nothing but its slot.
    let orphaned = slot.kind == "physical"
        && !slot.active
        && slot.inactive_s.map_or(retained >= LEAST_BYTES, |s| s >= look.limits.replica_gone);
    let unbounded = look.world.replication.get().and_then(|r| r.slot_keep_mb) == Some(-1);
    let limit = if unbounded {
        "nothing limits it (max_slot_wal_keep_size = -1): it can fill the disk"
    } else {
        "max_slot_wal_keep_size limits it"
    };
    Some(Finding {
        severity: if much || orphaned { Severity::Warning } else { Severity::Notice },
        fact: format!("slot {} {} and retains {}", slot.name.head(40), activity(slot), Bytes(retained).short()),
        evidence: limit.to_owned(),
        todo: if slot.active {
            "its reader is too slow: look there"
        } else {
            "bring its reader back; if it never returns, dropping the slot frees the WAL"
        }
        .to_owned(),
        remedy: drop_it(slot),
        since: before(seen, slot.inactive_s),
        harm: Harm { now: 0.0, coming: if much || orphaned { 0.7 } else { 0.1 } },
        ..Finding::of(Kind::SlotRetains, slot.name.raw(), seen, Target::Tab(Tab::Replication))
    })
}

fn activity(slot: &Slot) -> String {
    match (slot.active, slot.inactive_s) {
        (true, _) => "is read".to_owned(),
        (false, Some(s)) => format!("has no reader for {}", Age(s).short()),
        (false, None) => "has no reader".to_owned(),
    }
}
