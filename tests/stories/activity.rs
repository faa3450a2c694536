//! The server as a whole: what the figures of the vitals are, what several findings say of one trouble, and what must not
//! raise an alarm.

use std::time::Duration;

use pgtriage::command::Tab;
use pgtriage::diagnose::{Kind, Severity};
use pgtriage::model::activity::{Activity, Part, Subscription, WalDirectory};
use pgtriage::model::panel::Reading;
use pgtriage::model::session::{Prepared, Session, Wait};
use pgtriage::model::{Cadence, ProbeError, Question, Snapshot};

use super::findings::{cancels, forgotten, partitioned, refuses, spills, subscription, swells};
use crate::stage::{Stage, activity, cache, charts, locks, replication};

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
    let with_slot = |bytes| {
        let mut slots = replication::calm();
        slots.slots.push(replication::slot("warehouse", false, bytes));
        slots
    };
    let stage = stage.replication(with_slot(13 << 30));
    assert!(stage.finding(Kind::WalKept).evidence.starts_with("slot warehouse retains 13 GB"));
    // What is written between the looks at the slots and at the directory is kept as well.
    let mut stage = stage.replication(with_slot(6 << 30));
    assert!(stage.finding(Kind::WalKept).evidence.starts_with("neither a slot nor"));
    for step in 1..=2 {
        let mut later = activity::look(2_000 + 10 * step);
        full(&mut later, 0);
        later.wal_at = later.wal_at.map(|at| at + (i64::from(step) << 30));
        stage.pass(10_000);
        activity::take(&mut stage, later);
    }
    assert!(stage.finding(Kind::WalKept).evidence.starts_with("slot warehouse retains 6.0 GB"));
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

#[test]
fn a_wait_that_is_usual_or_of_a_moment_is_no_jump() {
    let reading = |n: i32| {
        let wait = Wait { class: "IO".to_owned(), event: "DataFileRead".to_owned() };
        let row = |i| Session { wait: Some(wait.clone()), ..locks::session(6_000 + i, 0.2, "SELECT 1") };
        locks::calm_but((0..n).map(row).collect())
    };
    let told = |counts: &[i32]| {
        let mut stage = Stage::calm();
        for count in counts {
            stage.see(reading(*count));
            stage.pass(4_000);
        }
        stage.kinds().contains(&Kind::Waits)
    };
    let (few, many) = ([1; 60], [10; 4]);
    assert!(told(&[&few[..], &many].concat()));
    assert!(!told(&[10; 64]), "that is how it always is");
    assert!(!told(&[&few[..], &[10, 1, 1, 1]].concat()), "that was a moment");
    assert!(!told(&[&few[..10], &many].concat()), "what is usual is not known yet");
    assert!(!told(&[&few[..], &[3; 4]].concat()), "three are nothing to speak of");
}

#[test]
fn a_prepared_transaction_is_told_once_as_the_blocker_where_it_blocks() {
    let mut stage = Stage::calm();
    activity::minute(&mut stage, |look, _| look.prepared = Part::Read(vec![forgotten()]));
    assert_eq!(stage.finding(Kind::Prepared).remedy.as_deref(), Some("ROLLBACK PREPARED 'tx''42';"));
    let waiter =
        locks::behind(locks::session(4_802, 90.0, "UPDATE orders SET x = 1"), &[0], "transactionid", "ShareLock");
    let mut held = locks::calm_but(vec![waiter]);
    let (gid, owner, database) = ("tx'42".into(), "shop".into(), "shop".into());
    held.prepared.push(Prepared { gid, owner, database, age_s: 11_000.0, waiters: vec![4_802], exact: true });
    stage.see(held);
    assert_eq!(stage.kinds(), [Kind::Blocker]);
}

#[test]
fn a_subscription_that_does_not_run_is_told_from_one_that_cannot_be_seen() {
    let story = |change: fn(&mut Subscription)| {
        let mut stage = Stage::calm();
        activity::minute(&mut stage, |look, _| {
            let mut one = subscription(3);
            change(&mut one);
            look.subscriptions = Part::Read(vec![one]);
        });
        let found = stage.app.triage.diagnosis.findings.first().map(|f| f.fact.clone());
        // In that minute nothing of Prometheus came.
        let unchecked = stage.app.triage.diagnosis.unchecked.iter().filter(|u| u.why != "its figure is old");
        (found, unchecked.map(|u| u.what.clone()).collect::<Vec<_>>())
    };
    assert_eq!(story(|_| {}), (None, vec![]), "errors of another time");
    let stopped = story(|s| s.worker = None);
    assert_eq!(stopped.0.as_deref(), Some("subscription warehouse is enabled and has no worker, for 1m at least"));
    let hidden = story(|s| (s.worker, s.hidden) = (None, true));
    assert_eq!(hidden, (None, vec!["whether 1 subscription run".to_owned()]));
    let disabled = story(|s| (s.worker, s.enabled, s.apply_errors) = (None, false, Some(0)));
    assert_eq!(disabled.0, None, "somebody wanted it so");
    let by_error = story(|s| (s.worker, s.enabled) = (None, false));
    assert_eq!(by_error.0.as_deref(), Some("subscription warehouse is disabled, and has failed before"));
    let deaf = story(|s| s.heard_s = Some(200.0));
    assert_eq!(deaf.0.as_deref(), Some("subscription warehouse has heard nothing from its publisher for 3m"));
}

#[test]
fn error_tracking_without_a_partition_refuses_every_row() {
    let story = |rows: &[(i64, Option<f64>)]| {
        let mut stage = Stage::calm();
        activity::minute(&mut stage, |look, _| {
            look.partitioned = Part::Read(rows.iter().map(|(n, ends)| partitioned(*n, *ends)).collect());
        });
        stage.app.triage.diagnosis.findings.first().map(|f| (f.severity, f.fact.clone()))
    };
    assert_eq!(story(&[(3, Some(30.0 * 86_400.0))]), None);
    assert_eq!(story(&[(1, None)]), None, "of a bound that cannot be read nothing is claimed");
    let none = "public.tb_error_occurrence has no partition: every row is refused".to_owned();
    assert_eq!(story(&[(3, Some(30.0)), (0, None)]), Some((Severity::Warning, none)));
    let over = "the last partition of public.tb_error_occurrence ended 1m ago: every row is refused".to_owned();
    assert_eq!(story(&[(3, Some(-90.0))]), Some((Severity::Warning, over)));
}

#[test]
fn the_cache_table_that_may_not_be_read_is_not_checked_with_its_grant() {
    let mut stage = Stage::calm();
    let (_, denied) = cache::states().remove(1);
    stage.take(Question::CacheTable, Ok(Snapshot::CacheTable(denied)));
    let unchecked = &stage.app.triage.diagnosis.unchecked;
    assert!(unchecked.iter().any(|u| u.cure == "GRANT SELECT ON fraiseql_cache TO oncall"), "{unchecked:#?}");
    // Whoever grants it sees it taken up where it was missed; on other tabs nobody waits for it.
    let pace = |stage: &Stage| {
        let wanted = stage.app.demand().wanted;
        wanted.into_iter().find(|w| w.question == Question::CacheTable).map(|w| w.cadence)
    };
    let every = |seconds| Some(Cadence::Every(Duration::from_secs(seconds)));
    assert_eq!(pace(&stage), every(300));
    stage.press("1");
    assert_eq!(pace(&stage), every(20));
    stage.take(Question::CacheTable, Ok(Snapshot::CacheTable(cache::read())));
    assert_eq!(pace(&stage), every(300));
}

#[test]
fn a_disk_that_comes_and_goes_does_not_fill_and_one_that_fills_says_when() {
    let story = |f: fn(f64) -> Option<f64>| {
        let mut stage = Stage::calm();
        charts::figures_of(&mut stage, "disk-free", f);
        stage.app.triage.diagnosis.findings.first().map(|f| (f.severity, f.fact.clone()))
    };
    assert_eq!(story(|x| Some(3e9 - (x * 20.0).sin().abs() * 1e9)), None);
    assert_eq!(story(|x| Some(9e10 - x * 1e8)), None, "in nine days");
    assert_eq!(story(|x| Some(3e9 + x * 1e9)), None);
    let (severity, fact) = story(|x| Some(2e10 - x * 1e9)).unwrap();
    assert!(severity == Severity::Warning && fact.contains("is full at 07:59Z (in 4h)"), "{fact}");
    // Disks of hosts that may be anybody's are shown and not judged.
    let mut stage = Stage::calm();
    let full = vec![charts::series("app-7:9100 /", |_| Some(5e7))];
    let anybodys = charts::answer(Reading::Values { candidate: 1, series: full });
    charts::give(&mut stage, "disk-free", Ok(anybodys));
    assert_eq!(stage.kinds(), []);
    let unchecked =
        |stage: &Stage| stage.app.triage.diagnosis.unchecked.iter().map(|u| u.cure.clone()).collect::<Vec<_>>();
    assert_eq!(unchecked(&stage), ["look at Latency"]);
    charts::give(&mut stage, "disk-free", Ok(charts::answer(Reading::NoSeries)));
    assert_eq!(unchecked(&stage), ["have Prometheus read node_exporter on the server's host"]);
    let (severity, fact) = story(|_| Some(5e7)).unwrap();
    assert!(severity == Severity::Critical && fact.contains("has only 48 MB left"), "{fact}");
}

#[test]
fn an_exporter_is_only_called_blind_while_the_server_answers_us() {
    let mut stage = Stage::calm();
    super::findings::blind(&mut stage);
    assert_eq!(stage.kinds(), [Kind::ExporterBlind]);
    stage.take(Question::Sessions, Err(ProbeError::TimedOut(2)));
    assert!(!stage.kinds().contains(&Kind::ExporterBlind), "{:?}", stage.kinds());
}
