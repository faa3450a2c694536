//! The server as a whole, look after look: counters that move as on a server that is well, and those that a story moves.

use pgtriage::message::Event;
use pgtriage::model::activity::{Activity, Archiver, Bounds, Checkpoints, Database, Part, WalDirectory};
use pgtriage::model::{Question, Sample, Snapshot};
use std::time::Duration;

use super::Stage;

/// A look at that second of the server's clock, after so many seconds of ordinary work.
pub fn look(seconds: u32) -> Activity {
    let n = i64::from(seconds);
    let database = |oid, name: Option<&str>, share| Database {
        oid,
        name: name.map(Into::into),
        commits: 9_000_000 + n * share,
        rollbacks: 12_000 + n * share / 100,
        deadlocks: 4,
        temp_files: 310,
        temp_bytes: 9 << 30,
        reset_s: Some(1.7e9),
        ..Database::default()
    };
    Activity {
        at_s: 1.8e9 + f64::from(seconds),
        started: "2025-11-12T01:02:03.456789Z".to_owned(),
        in_recovery: false,
        checkpoints: Checkpoints { timed: 4_100, requested: 31, write_ms: 9e6, sync_ms: 4e4, reset_s: Some(1.7e9) },
        archiver: Archiver {
            on: true,
            archived: 51_200 + n / 60,
            failed: 3,
            last_archived: Some("000000010000000300000060".to_owned()),
            last_archived_s: Some(21.0),
            last_failed: Some("000000010000000100000012".to_owned()),
            last_failed_s: Some(4e6),
            reset_s: Some(1.7e9),
            ..Archiver::default()
        },
        wal_at: Some((3 << 32) + n * 300_000),
        bounds: Bounds {
            checkpoint_timeout_s: 300.0,
            max_wal_size: 1 << 30,
            wal_keep_size: 0,
            work_mem: "4MB".to_owned(),
            streaming_delay: "30s".to_owned(),
            feedback: false,
        },
        wal_directory: Some(WalDirectory { bytes: 640 << 20, ready: 0 }),
        databases: Part::Read(vec![
            database(16_384, Some("shop"), 80),
            database(5, Some("postgres"), 1),
            database(0, None, 0),
        ]),
        prepared: Part::Read(Vec::new()),
        subscriptions: Part::Read(Vec::new()),
        partitioned: Part::Read(Vec::new()),
        limited: Part::Read(Vec::new()),
        io: Part::Read(Vec::new()),
    }
}

/// The counters of `shop` in a look.
pub fn shop(look: &mut Activity) -> &mut Database {
    let Part::Read(rows) = &mut look.databases else { panic!("they were read") };
    &mut rows[0]
}

/// A look comes. It costs nothing here, so that what other screens say of our own cost is theirs.
pub fn take(stage: &mut Stage, activity: Activity) {
    let answer = Ok(Snapshot::Activity(Box::new(activity)));
    let sample = Sample { question: Question::Activity, at: stage.now(), took: Duration::ZERO, answer };
    stage.event(Event::Sample(sample));
}

/// Looks come every ten seconds for a minute, each changed by what happened until then: the first, by nothing.
pub fn minute(stage: &mut Stage, change: impl Fn(&mut Activity, i64)) {
    for step in 0..=6 {
        let mut now = look(1000 + 10 * u32::try_from(step).unwrap());
        change(&mut now, step);
        stage.pass(10_000);
        take(stage, now);
        // The sessions go on meanwhile.
        stage.see_again();
    }
}
