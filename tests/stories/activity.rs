//! The server as a whole: what the figures of the vitals are, what several findings say of one trouble, and what must not
//! raise an alarm.

use pgtriage::command::Tab;
use pgtriage::diagnose::Kind;
use pgtriage::model::activity::{Activity, Part, WalDirectory};
use pgtriage::model::session::{Session, Wait};
use pgtriage::model::{ProbeError, Question};

use super::findings::{cancels, refuses, spills, swells};
use crate::stage::{Stage, activity, locks, replication};

/// All of it goes wrong.
fn everything(look: &mut Activity, n: i64) {
    refuses(look, n);
    swells(look, n);
    spills(look, n);
    look.checkpoints.requested += n;
    activity::shop(look).deadlocks += n;
}

#[test]
fn transactions_a_second_are_among_the_vitals_from_the_second_look_on() {
    let mut stage = Stage::new().up().server(crate::stage::server()).sessions(locks::calm());
    stage.press("1");
    activity::take(&mut stage, activity::look(0));
    assert!(stage.wide().contains("tps one look so far"), "{}", stage.wide());
    activity::take(&mut stage, activity::look(10));
    // 80 and 1 committed, and a hundredth of the former rolled back.
    assert!(stage.wide().contains("▇ 82") || stage.wide().contains("█ 82"), "{}", stage.wide());
    stage.wait(60);
    assert!(stage.wide().contains("82 1m ago"), "{}", stage.wide());
}

#[test]
fn counters_that_begin_anew_raise_no_alarm() {
    let restarted: fn(&mut Activity, i64) = |look, n| {
        everything(look, n * 1000);
        look.started = format!("start {n}");
    };
    let promoted: fn(&mut Activity, i64) = |look, n| {
        everything(look, n * 1000);
        look.in_recovery = n % 2 == 1;
    };
    let reset: fn(&mut Activity, i64) = |look, n| {
        everything(look, n * 1000);
        let Part::Read(rows) = &mut look.databases else { return };
        for row in rows {
            row.reset_s = Some(1.8e9 + 1000.0 + 10.0 * f64::from(i32::try_from(n).unwrap()));
        }
        look.checkpoints.reset_s = Some(2e9 + 10.0 * f64::from(i32::try_from(n).unwrap()));
    };
    let back: fn(&mut Activity, i64) = |look, n| {
        everything(look, (7 - n) * 1000);
        look.at_s -= 20.0 * f64::from(i32::try_from(n).unwrap());
    };
    for (name, change) in [("restarted", restarted), ("promoted", promoted), ("reset", reset), ("back", back)] {
        let mut stage = Stage::calm();
        activity::minute(&mut stage, change);
        let told = [Kind::Checkpoints, Kind::TempFiles, Kind::Deadlocks, Kind::Conflicts];
        let found: Vec<Kind> = stage.kinds().into_iter().filter(|k| told.contains(k)).collect();
        assert_eq!(found, [], "{name}");
    }
    // The same without a break is all of it.
    let mut stage = Stage::calm();
    activity::minute(&mut stage, everything);
    for kind in [Kind::Checkpoints, Kind::TempFiles, Kind::Deadlocks, Kind::Archive, Kind::WalKept] {
        assert!(stage.kinds().contains(&kind), "{kind:?}: {:?}", stage.kinds());
    }
}

#[test]
fn trouble_that_is_over_is_no_finding_after_five_minutes() {
    let mut stage = Stage::calm();
    activity::minute(&mut stage, |look, n| activity::shop(look).deadlocks += n);
    assert!(stage.kinds().contains(&Kind::Deadlocks));
    for seconds in (1070..1400).step_by(10) {
        let mut now = activity::look(seconds);
        activity::shop(&mut now).deadlocks += 6;
        stage.pass(10_000);
        activity::take(&mut stage, now);
        stage.see_again();
    }
    assert!(!stage.kinds().contains(&Kind::Deadlocks), "{:?}", stage.kinds());
}

#[test]
fn who_spills_now_is_named_and_is_where_the_evidence_is() {
    let mut stage = Stage::calm();
    let wait = Wait { class: "IO".to_owned(), event: "BufFileWrite".to_owned() };
    stage.see(locks::calm_but(vec![Session {
        wait: Some(wait),
        ..locks::session(6_000, 9.0, "SELECT * FROM a ORDER BY b")
    }]));
    activity::minute(&mut stage, spills);
    let finding = stage.finding(Kind::TempFiles);
    assert!(finding.evidence.contains("work_mem 4MB · 6000 spills now: shop@shop"), "{}", finding.evidence);
    assert_eq!(finding.target.session().map(|key| key.pid), Some(6_000));
}

#[test]
fn an_archive_that_failed_once_and_works_again_is_no_finding() {
    let mut stage = Stage::calm();
    activity::minute(&mut stage, |look, n| {
        look.archiver.failed += n;
        (look.archiver.last_failed_s, look.archiver.last_archived_s) = (Some(30.0), Some(2.0));
    });
    assert!(!stage.kinds().contains(&Kind::Archive), "{:?}", stage.kinds());
    let mut silent = activity::look(2000);
    silent.archiver.without_command = true;
    activity::take(&mut stage, silent);
    assert!(stage.finding(Kind::Archive).fact.contains("says how: all WAL is kept"));
}

#[test]
fn why_wal_is_kept_is_told_as_far_as_it_can_be_seen() {
    let full: fn(&mut Activity, i64) = |look, _| look.wal_directory = Some(WalDirectory { bytes: 14 << 30, ready: 0 });
    let mut stage = Stage::calm();
    activity::minute(&mut stage, full);
    assert!(stage.finding(Kind::WalKept).evidence.starts_with("neither a slot nor the archive explains it"));
    let mut slots = replication::calm();
    slots.slots.push(replication::slot("warehouse", false, 13 << 30));
    let mut stage = stage.replication(slots);
    assert!(stage.finding(Kind::WalKept).evidence.starts_with("slot warehouse retains 13 GB"));
    activity::minute(&mut stage, |look, n| {
        full(look, n);
        refuses(look, n);
    });
    assert!(stage.finding(Kind::WalKept).evidence.starts_with("the archive does not take it"));
}

#[test]
fn the_reason_of_most_cancelled_queries_decides_what_is_advised() {
    let mut stage = Stage::calm();
    activity::minute(&mut stage, cancels);
    let finding = stage.finding(Kind::Conflicts);
    assert!(finding.todo.starts_with("hot_standby_feedback = on"), "{}", finding.todo);
    assert!(
        finding.evidence.contains("max_standby_streaming_delay 30s, hot_standby_feedback off"),
        "{}",
        finding.evidence
    );
}

#[test]
fn what_could_not_be_looked_at_is_said_part_by_part() {
    let mut stage = Stage::calm();
    let mut blind = activity::look(60);
    blind.wal_directory = None;
    blind.databases = Part::Failed(ProbeError::Locked("canceling statement due to lock timeout".to_owned()));
    activity::take(&mut stage, blind);
    let unchecked = stage.app.triage.diagnosis.unchecked.clone();
    let said =
        |what: &str| unchecked.iter().find(|u| u.what.contains(what)).unwrap_or_else(|| panic!("{unchecked:#?}"));
    assert_eq!(said("size of pg_wal").cure, "GRANT pg_monitor TO oncall");
    assert!(said("deadlocks").why.contains("gave up behind a lock"));
    stage.take(Question::Activity, Err(ProbeError::TimedOut(15)));
    let unchecked = &stage.app.triage.diagnosis.unchecked;
    assert!(unchecked.iter().any(|u| u.what.starts_with("checkpoints") && u.why.contains("no answer within 15 s")));
    assert_eq!(stage.app.tab, Tab::Connections);
}
