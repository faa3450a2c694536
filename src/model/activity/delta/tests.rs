//! What two looks give, and what they must not give.

use super::super::{Archiver, Checkpoints, Part, Subscription, WalDirectory};
use super::*;

/// A look at that second, with counters that stand at so many times `n`.
fn look(at_s: f64, n: i64) -> Activity {
    let database = |oid, name: &str| Database {
        oid,
        name: Some(name.into()),
        commits: 1000 * n,
        rollbacks: 10 * n,
        deadlocks: n,
        temp_files: 2 * n,
        temp_bytes: 4096 * n,
        conflicts: Conflicts { snapshot: n, ..Conflicts::default() },
        reset_s: Some(50.0),
    };
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let ms = n as f64;
    Activity {
        at_s,
        started: "today".to_owned(),
        checkpoints: Checkpoints { timed: n, requested: 3 * n, write_ms: ms, sync_ms: ms, reset_s: None },
        archiver: Archiver { archived: 5 * n, failed: n, ..Archiver::default() },
        wal_at: Some(16_000_000 * n),
        wal_directory: Some(WalDirectory { bytes: 64_000_000 * n, ready: 0 }),
        databases: Part::Read(vec![database(1, "shop"), database(2, "crm")]),
        subscriptions: Part::Read(vec![Subscription {
            oid: 7,
            apply_errors: Some(n),
            sync_errors: Some(0),
            ..Subscription::default()
        }]),
        ..Activity::default()
    }
}

fn shop(look: &mut Activity) -> &mut Database {
    let Part::Read(rows) = &mut look.databases else { panic!("they were read") };
    &mut rows[0]
}

#[test]
fn two_looks_give_what_happened_between_them() {
    let delta = Delta::between(&look(100.0, 1), &look(110.0, 2)).unwrap();
    assert!((delta.seconds - 10.0).abs() < f64::EPSILON);
    let databases = delta.databases.unwrap();
    assert_eq!((databases.commits, databases.rollbacks), (2000, 20));
    assert_eq!(databases.trouble.len(), 2);
    assert_eq!(databases.trouble[0].1.temp_bytes, 4096);
    assert_eq!(delta.checkpoints.map(|c| (c.timed, c.requested)), Some((1, 3)));
    assert_eq!((delta.archived, delta.wal, delta.wal_directory), (Some((5, 1)), Some(16_000_000), Some(64_000_000)));
    assert_eq!(delta.subscription_errors, BTreeMap::from([(7, 1)]));
}

#[test]
fn another_start_another_role_and_another_time_cannot_be_compared() {
    let (before, now) = (look(100.0, 1), look(110.0, 2));
    let another = Activity { started: "tomorrow".to_owned(), ..now.clone() };
    let promoted = Activity { in_recovery: true, ..now.clone() };
    for changed in [another, promoted, look(100.0, 2), look(90.0, 2), look(100.0 + MOST_S + 1.0, 2), look(f64::NAN, 2)]
    {
        assert_eq!(Delta::between(&before, &changed), None, "{changed:?}");
    }
}

#[test]
fn counters_that_were_reset_give_nothing_and_the_others_go_on() {
    let before = look(100.0, 5);
    let mut now = look(110.0, 6);
    shop(&mut now).reset_s = Some(105.0);
    shop(&mut now).commits = 3;
    let databases = Delta::between(&before, &now).unwrap().databases.unwrap();
    assert_eq!((databases.commits, databases.trouble.len()), (1000, 1), "crm alone");

    // Of a crash or a statistics file that was lost no reset is told: counters stand lower, and that is told by them.
    let fallen = Delta::between(&before, &look(110.0, 1)).unwrap();
    assert_eq!(fallen.databases, None);
    assert_eq!((fallen.checkpoints, fallen.archived, fallen.wal), (None, None, None));
    assert!(fallen.subscription_errors.is_empty());

    let mut now = look(110.0, 6);
    (now.checkpoints.reset_s, now.archiver.reset_s) = (Some(105.0), Some(105.0));
    let delta = Delta::between(&before, &now).unwrap();
    assert_eq!((delta.checkpoints, delta.archived), (None, None));
    assert!(delta.databases.is_some());
}

#[test]
fn a_database_that_comes_or_goes_counts_for_nothing() {
    let (mut before, mut now) = (look(100.0, 1), look(110.0, 2));
    shop(&mut before).oid = 3;
    shop(&mut now).oid = 4;
    assert_eq!(Delta::between(&before, &now).unwrap().databases.unwrap().commits, 1000);
    now.databases = Part::Failed(crate::model::ProbeError::TimedOut(2));
    assert_eq!(Delta::between(&before, &now).unwrap().databases, None);
}
