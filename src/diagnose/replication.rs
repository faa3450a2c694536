//! The standbys and slots of this server: one that is gone, one that is behind, WAL that is kept or lost, a slot that is
//! invalid.

use super::finding::{Finding, FindingKey, Harm, Kind, Severity, Target};
use super::lag;
use super::limits::Limits;
use super::rule::Look;
use super::slot::{self, Condition};
use super::words::{before, counted, literal, of_i64};
use crate::command::Tab;
use crate::model::replica::{Invalid, Replica, Replication, Slot};
use crate::model::unit::{Age, Bytes};
use crate::model::{ServerText, Timestamp, seconds_between};

fn name(r: &Replica) -> String {
    if r.application.is_empty() { "a standby".to_owned() } else { r.application.head(40) }
}

fn slots<'a>(look: &Look<'a>) -> &'a [Slot] {
    look.world.replication.get().map_or(&[], |r| r.slots.as_slice())
}

/// How grave it is that one is gone which was seen last at `seen`: a while is a restart.
pub fn away(look: &Look<'_>, seen: Timestamp) -> Severity {
    let long = seconds_between(seen, look.now) >= look.limits.replica_gone;
    if long { Severity::Critical } else { Severity::Warning }
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
            severity: self::away(look, missing.seen),
            fact: format!("{} vanished {} ago{keeps}", name(r), Age(away).short()),
            evidence: format!(
                "{from}last seen {}{at}",
                r.state.as_deref().map_or_else(|| "here".to_owned(), |s| ServerText::from(s).head(16))
            ),
            todo: match slot {
                Some(slot) if slot.invalid().is_some() => {
                    "bring it back: its slot is invalid, and keeps nothing for it any more".to_owned()
                }
                Some(_) => {
                    "bring it back; if it never returns, dropping its slot frees the WAL and costs it a new base backup"
                        .to_owned()
                }
                None => "bring it back before the WAL that it needs is recycled: it has no slot".to_owned(),
            },
            remedy: slot
                .filter(|s| !s.active && s.invalid().is_none())
                .map(|s| format!("SELECT pg_drop_replication_slot({});", literal(s.name.raw()))),
            since: Some(missing.seen),
            harm: Harm { now: away, coming: 0.8 },
            ..Finding::of(Kind::ReplicaGone, key.0.clone(), *seen, Target::Replica(key.clone()))
        }
    });
    missing.collect()
}

/// What is no standby: a subscriber, or a backup.
fn is_other(replication: &Replication, r: &Replica) -> bool {
    let slot = replication.slots.iter().find(|s| r.slot.as_ref() == Some(&s.name));
    slot.is_some_and(|s| s.kind == "logical") || r.state.as_deref() == Some("backup")
}

/// How many standbys there should be that were never seen, and how grave that is; none where it is not known how many there
/// should be.
pub fn never_seen(look: &Look<'_>) -> Option<(usize, Severity)> {
    let replication = look.world.replication.get().filter(|r| r.standby.is_none())?;
    let wanted = usize::try_from(look.watchlist.standbys?).unwrap_or(usize::MAX);
    let here = replication.replicas.iter().filter(|r| !is_other(replication, r)).count();
    let vanished = look.world.missing.values().filter(|m| !is_other(replication, &m.last)).count();
    let since = look.history.first_found(&unseen_key()).unwrap_or(look.now);
    Some((wanted.saturating_sub(here + vanished), away(look, since))).filter(|(never, _)| *never > 0)
}

fn unseen_key() -> FindingKey {
    FindingKey { kind: Kind::ReplicaGone, subject: "never seen".to_owned() }
}

/// Standbys that were gone before this console came: fewer are here than there should be, and none of them was seen.
pub fn fewer(look: &Look<'_>) -> Vec<Finding> {
    let Some((replication, seen)) = look.world.replication.value.as_ref() else { return Vec::new() };
    let (Some((never, severity)), Some(wanted)) = (never_seen(look), look.watchlist.standbys) else {
        return Vec::new();
    };
    let here: Vec<String> = replication.replicas.iter().filter(|r| !is_other(replication, r)).map(name).collect();
    let wanted = counted(usize::try_from(wanted).unwrap_or(usize::MAX), "standby");
    let key = unseen_key();
    vec![Finding {
        severity,
        fact: format!("{} of {wanted} here: {never} gone before this console came", here.len()),
        evidence: if here.is_empty() {
            "none is connected".to_owned()
        } else {
            format!("connected: {}", here.join(", "))
        },
        todo: "see which one is missing, and bring it back; its slot, if it has one, keeps WAL meanwhile".to_owned(),
        harm: Harm { now: 0.0, coming: 0.8 },
        ..Finding::of(key.kind, key.subject, *seen, Target::Tab(Tab::Replication))
    }]
}

/// Standbys that are behind.
pub fn behind(look: &Look<'_>) -> Vec<Finding> {
    let Some((replication, seen)) = look.world.replication.value.as_ref() else { return Vec::new() };
    let behind = replication.replicas.iter().filter_map(|r| {
        let (severity, total) = (lag::of(r, look.limits)?, r.total?);
        let lag = if r.stands_s >= look.limits.replica_lag {
            format!(", has replayed nothing for {}", Age(r.stands_s).short())
        } else {
            r.replay_s.map_or_else(String::new, |s| format!(", replays {} late", Age(s).short()))
        };
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
            "there: is replay paused (pg_wal_replay_resume) or delayed (recovery_min_apply_delay), or does a query hold it up?",
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
        .filter_map(|slot| {
            lost(slot, *seen, look.limits).or_else(|| if known(slot) { None } else { kept(look, slot, *seen) })
        })
        .collect()
}

fn drop_it(slot: &Slot) -> Option<String> {
    (!slot.active).then(|| format!("SELECT pg_drop_replication_slot({});", literal(slot.name.raw())))
}

fn lost(slot: &Slot, seen: Timestamp, limits: &Limits) -> Option<Finding> {
    let name = slot.name.head(40);
    let condition = slot::of(slot, limits)?;
    // A slot that is still good is not dropped by the SQL of a finding that asks to save it.
    let (fact, todo, remedy) = match condition {
        Condition::Invalid(why) => {
            let (what, todo) = broken(slot, why);
            (format!("slot {name} {what}"), todo, drop_it(slot))
        }
        Condition::Endangered => (
            format!("slot {name} is about to lose its WAL: the next checkpoint may remove it"),
            "bring its reader back now, or raise max_slot_wal_keep_size",
            None,
        ),
        Condition::Retains(_) => return None,
    };
    let status = slot.invalidation.as_ref().map_or_else(
        || format!("wal_status {}", slot.wal_status.as_deref().unwrap_or_default()),
        |reason| format!("invalidation reason {}", ServerText::from(reason.as_str()).head(40)),
    );
    Some(Finding {
        severity: condition.severity(),
        fact,
        evidence: format!("{} slot, {}, {status}", ServerText::from(slot.kind.as_str()).head(16), activity(slot)),
        todo: todo.to_owned(),
        remedy,
        since: before(seen, slot.inactive_s),
        harm: Harm { now: 1.0, coming: 1.0 },
        ..Finding::of(Kind::SlotLost, slot.name.raw(), seen, Target::Figures(Tab::Replication))
    })
}

/// What is the matter with a slot that is invalid, and what is to be done.
fn broken(slot: &Slot, why: Invalid<'_>) -> (String, &'static str) {
    let logical = slot.kind == "logical";
    let again = if logical {
        "drop the slot; its reader needs a new one and a new copy"
    } else {
        "drop the slot; its standby needs the WAL from an archive, or a new base backup"
    };
    let (what, todo) = match why {
        Invalid::Wal => ("has lost its WAL: its reader cannot go on", again),
        Invalid::Idle => (
            "is invalid: nobody read from it for longer than idle_replication_slot_timeout",
            if logical {
                again
            } else {
                "drop it and make it anew: its standby goes on if the WAL that it needs is still there"
            },
        ),
        Invalid::Rows => (
            "is invalid: rows that it needs were removed on the primary",
            "drop it; its reader needs a new one and a new copy. hot_standby_feedback, through a slot on the primary, keeps such rows",
        ),
        Invalid::WalLevel => (
            "is invalid: wal_level of the primary was less than logical",
            "set wal_level = logical there; then drop the slot: its reader needs a new one and a new copy",
        ),
        Invalid::Conflict => (
            "is invalid: rows that it needs were removed on the primary, or wal_level there was less than logical",
            "drop it; its reader needs a new one and a new copy. See wal_level of the primary and hot_standby_feedback here",
        ),
        Invalid::Other(reason) => {
            return (format!("is invalid ({}): its reader cannot go on", ServerText::from(reason).head(40)), again);
        }
    };
    (what.to_owned(), todo)
}

fn kept(look: &Look<'_>, slot: &Slot, seen: Timestamp) -> Option<Finding> {
    let retained = slot.retained?;
    let Condition::Retains(severity) = slot::of(slot, look.limits)? else { return None };
    let behind = |r: &Replica| {
        r.slot.as_ref() == Some(&slot.name) && r.total.is_some_and(|b| of_i64(b) >= look.limits.replica_bytes)
    };
    // What an active one keeps is what its standby is behind, which has been said.
    if slot.active && look.world.replication.get().is_some_and(|r| r.replicas.iter().any(behind)) {
        return None;
    }
    Some(Finding {
        severity,
        fact: format!("slot {} {} and retains {}", slot.name.head(40), activity(slot), Bytes(retained).short()),
        evidence: slot::bound(look.world.replication.get().and_then(|r| r.slot_keep_mb)),
        todo: if slot.active {
            "its reader is too slow: look there"
        } else {
            "bring its reader back; if it never returns, dropping the slot frees the WAL"
        }
        .to_owned(),
        remedy: drop_it(slot),
        since: before(seen, slot.inactive_s),
        harm: Harm { now: 0.0, coming: if severity == Severity::Notice { 0.1 } else { 0.7 } },
        ..Finding::of(Kind::SlotRetains, slot.name.raw(), seen, Target::Figures(Tab::Replication))
    })
}

/// Who reads from a slot: `has no reader for 3h`.
pub fn activity(slot: &Slot) -> String {
    match (slot.active, slot.inactive_s) {
        (true, _) => "is read".to_owned(),
        (false, Some(s)) => format!("has no reader for {}", Age(s).short()),
        (false, None) => "has no reader".to_owned(),
    }
}
