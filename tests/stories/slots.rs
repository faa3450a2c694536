//! Replication slots: why one is invalid is told as it is, and the list is as loud as the finding.

use pgtriage::app::tab::replication::slots;
use pgtriage::command::Command;
use pgtriage::diagnose::{Kind, Limits, Severity};
use pgtriage::model::Tone;
use pgtriage::model::replica::Slot;

use super::findings::replicated;
use crate::stage::{Stage, replication};

use Severity::{Critical, Notice, Warning};

/// As 16 and later send one that is invalid, after `slots.sql` has left out what is no longer kept for it.
fn invalid(kind: &str, reason: Option<&str>) -> Slot {
    Slot {
        kind: kind.to_owned(),
        retained: None,
        wal_status: Some("lost".to_owned()),
        invalidation: reason.map(str::to_owned),
        ..replication::slot("cdc", false, 0)
    }
}

fn with(limits: &Limits, slot: Slot) -> Stage {
    let mut stage = Stage::with(|setup| setup.limits = *limits).at_peace();
    let mut all = replication::calm();
    all.slots.push(slot);
    replicated(&mut stage, all);
    stage
}

#[test]
fn why_a_slot_is_invalid_is_told_as_the_server_knows_it() {
    for (kind, reason, severity, fact, todo, listed) in [
        (
            "physical",
            None,
            Critical,
            "has lost its WAL",
            "from an archive, or a new base backup",
            "WAL that it needs is gone",
        ),
        (
            "logical",
            Some("wal_removed"),
            Critical,
            "has lost its WAL",
            "a new one and a new copy",
            "WAL that it needs is gone",
        ),
        (
            "physical",
            Some("idle_timeout"),
            Warning,
            "idle_replication_slot_timeout",
            "make it anew",
            "idle for too long",
        ),
        ("logical", Some("idle_timeout"), Warning, "idle_replication_slot_timeout", "a new copy", "idle for too long"),
        (
            "logical",
            Some("rows_removed"),
            Critical,
            "rows that it needs were removed",
            "hot_standby_feedback",
            "rows that it",
        ),
        (
            "logical",
            Some("wal_level_insufficient"),
            Critical,
            "wal_level of the primary",
            "set wal_level",
            "wal_level was",
        ),
        (
            "logical",
            Some("conflicting"),
            Critical,
            "rows that it needs were removed on the primary, or wal_level",
            "See",
            "or wal",
        ),
        ("logical", Some("of_1\u{1b}9"), Critical, "is invalid (of_1\\x1b9)", "a new one and a new copy", "of_1\\x1b9"),
    ] {
        let mut stage = with(&Limits::default(), invalid(kind, reason));
        let finding = stage.finding(Kind::SlotLost);
        assert_eq!(finding.severity, severity, "{reason:?}");
        assert!(finding.fact.starts_with("slot cdc ") && finding.fact.contains(fact), "{}", finding.fact);
        assert_eq!(finding.fact.contains("WAL"), fact.contains("WAL"), "{}", finding.fact);
        assert!(finding.todo.contains(todo), "{}", finding.todo);
        assert!(finding.remedy.is_some(), "it may be dropped: nobody can go on from it");
        stage.press("6");
        let screen = stage.wide();
        let line = screen.lines().find(|line| line.contains(" cdc ")).unwrap_or_default();
        assert!(line.contains("INVALID: ") && line.contains(listed) && !line.contains("kept"), "{line}");
    }
}

#[test]
fn the_list_of_slots_is_as_loud_as_the_findings_by_the_same_limits() {
    let limit = |slot_bytes| Limits { slot_bytes, ..Limits::default() };
    let usual = Limits::default();
    let logical = |active, retained| Slot { kind: "logical".to_owned(), ..replication::slot("cdc", active, retained) };
    for (limits, slot, kind, severity) in [
        (usual, logical(true, 100 << 20), Kind::SlotRetains, None),
        (limit(50e6), logical(true, 100 << 20), Kind::SlotRetains, Some(Warning)),
        (usual, logical(false, 100 << 20), Kind::SlotRetains, Some(Notice)),
        (limit(50e6), logical(false, 100 << 20), Kind::SlotRetains, Some(Warning)),
        (usual, logical(true, 14 << 30), Kind::SlotRetains, Some(Warning)),
        (limit(1e12), logical(true, 14 << 30), Kind::SlotRetains, None),
        (usual, replication::slot("cdc", false, 2 << 20), Kind::SlotRetains, Some(Warning)),
        (usual, replication::slot("cdc", false, 900), Kind::SlotRetains, Some(Notice)),
        (
            Limits { replica_gone: 600.0, ..usual },
            Slot { inactive_s: Some(60.0), ..replication::slot("cdc", false, 2 << 20) },
            Kind::SlotRetains,
            Some(Notice),
        ),
        (usual, invalid("physical", None), Kind::SlotLost, Some(Critical)),
        (usual, Slot { wal_status: Some("unreserved".to_owned()), ..logical(true, 9) }, Kind::SlotLost, Some(Critical)),
    ] {
        let stage = with(&limits, slot.clone());
        let found = stage.kinds().contains(&kind).then(|| stage.finding(kind).severity);
        assert_eq!(found, severity, "{slot:?}");
        let all = stage.app.world().replication.get().unwrap();
        let rows = slots(all, &stage.app.triage.limits);
        let (_, tone) = rows.iter().find(|(s, _)| s.name.raw() == "cdc").unwrap();
        assert_eq!(*tone, severity.map_or(Tone::Plain, Severity::tone), "{slot:?}");
    }
}

#[test]
fn the_slot_of_a_standby_that_is_gone_promises_nothing_once_it_is_invalid() {
    let mut stage = Stage::calm();
    let mut both = replication::calm();
    both.replicas.push(replication::replica("replica-2", 7_022, 0));
    replicated(&mut stage, both);
    let slot = Slot { name: "replica_2".into(), ..invalid("physical", Some("idle_timeout")) };
    let mut one = replication::calm();
    one.slots.push(slot);
    replicated(&mut stage, one);
    let gone = stage.finding(Kind::ReplicaGone);
    assert!(gone.todo.contains("its slot is invalid") && gone.remedy.is_none(), "{gone:?}");
    assert!(!gone.fact.contains("retains") && gone.action != Some(Command::CancelBackend), "{gone:?}");
    assert!(stage.finding(Kind::SlotLost).fact.contains("idle_replication_slot_timeout"));
}

#[test]
fn what_bounds_the_wal_of_a_slot_is_told_as_far_as_it_is_known() {
    for (keep_mb, bound) in [
        (Some(-1), "nothing limits it (max_slot_wal_keep_size = -1): it can fill the disk"),
        (Some(2048), "max_slot_wal_keep_size limits it to 2.0 GB: beyond that the slot loses its WAL"),
        (Some(i64::MAX), "max_slot_wal_keep_size limits it to "),
        (None, "whether max_slot_wal_keep_size limits it is not known"),
    ] {
        let mut stage = Stage::calm();
        let mut all = replication::calm();
        all.slot_keep_mb = keep_mb;
        all.slots.push(replication::slot("warehouse", false, 14 << 30));
        replicated(&mut stage, all);
        let finding = stage.finding(Kind::SlotRetains);
        assert!(finding.evidence.starts_with(bound), "{keep_mb:?}: {}", finding.evidence);
    }
}
