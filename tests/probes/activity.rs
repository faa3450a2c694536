//! The server as a whole on real servers: troubles that are made, and what is found of them. It must not test sentences.
use super::asking::{Asking, client, primary, run};
use crate::lab::Lab;
use crate::stage::Stage;
use pgtriage::diagnose::Kind;
use pgtriage::message::Event;
use pgtriage::model::activity::{Activity, Part};
use pgtriage::model::{Question, Snapshot};
use std::time::{Duration, Instant};
use tokio_postgres::Client;

/// Time for two busy cores to make some trouble and to see it.
pub const PATIENCE: Duration = Duration::from_secs(180);

pub async fn restarted(lab: &mut Lab, settings: &[&str]) {
    let admin = client(&lab.uri("postgres")).await;
    for setting in settings {
        run(&admin, &format!("ALTER SYSTEM SET {setting}")).await;
    }
    drop(admin);
    lab.command("stop-primary fast");
    lab.command("start-primary");
}

/// Two transactions that wait for each other: one of them fails.
async fn deadlock(uri: &str) {
    let (a, b) = (client(uri).await, client(uri).await);
    for (session, id) in [(&a, 1), (&b, 2)] {
        run(session, "SET deadlock_timeout = '10ms'").await;
        run(session, &format!("BEGIN; UPDATE products SET stock = stock WHERE id = {id}")).await;
    }
    let (one, other) = tokio::join!(
        a.batch_execute("UPDATE products SET stock = stock WHERE id = 2"),
        b.batch_execute("UPDATE products SET stock = stock WHERE id = 1"),
    );
    let codes: Vec<_> = [one, other].into_iter().filter_map(|r| r.err()?.code().cloned()).collect();
    assert_eq!(codes, [tokio_postgres::error::SqlState::T_R_DEADLOCK_DETECTED]);
}

/// Much WAL, and a sort that spills.
async fn work(admin: &Client) {
    run(admin, "INSERT INTO heavy SELECT g, repeat('x', 1000) FROM generate_series(1, 40000) g").await;
    run(admin, "SET work_mem = '64kB'").await;
    run(admin, "SELECT count(*) FROM (SELECT g FROM generate_series(1, 600000) g ORDER BY g DESC) s").await;
    run(admin, "SELECT pg_switch_wal()").await;
}

async fn found(major: u32) {
    let Some(mut lab) = primary(major) else { return };
    restarted(
        &mut lab,
        &[
            "archive_mode = on",
            "archive_command = 'false'",
            "max_wal_size = '32MB'",
            "min_wal_size = '32MB'",
            "max_prepared_transactions = 5",
        ],
    )
    .await;
    let uri = lab.uri("postgres");
    let admin = client(&uri).await;
    run(&admin, "CREATE TABLE heavy (a int, b text)").await;
    run(&admin, "SELECT pg_stat_reset_shared('archiver'), pg_stat_reset_shared('bgwriter')").await;

    let mut asking = Asking::of(&lab.uri("monitor"), &[Question::Activity]);
    let mut stage = Stage::with(|setup| setup.limits.wal_excess = f64::from(64 << 20)).up();
    let wanted = [Kind::Archive, Kind::WalKept, Kind::Checkpoints, Kind::TempFiles, Kind::Deadlocks];
    let began = Instant::now();
    let mut deadlocked = false;
    loop {
        let sample = asking.sample(&Question::Activity).await;
        assert!(sample.answer.is_ok(), "{:?}", sample.answer);
        stage.event(Event::Sample(sample));
        let missing: Vec<Kind> = wanted.into_iter().filter(|kind| !stage.kinds().contains(kind)).collect();
        if missing.is_empty() {
            break;
        }
        assert!(began.elapsed() < PATIENCE, "{missing:?} is not found on {major}: {:#?}", stage.app.live().activity);
        if !deadlocked {
            deadlock(&uri).await;
            deadlocked = true;
        }
        work(&admin).await;
    }
    for kind in wanted {
        let finding = stage.finding(kind);
        eprintln!("{major}: {} | {} | {}", finding.fact, finding.evidence, finding.todo);
    }
    // Both say that the archive is why.
    assert!(stage.finding(Kind::WalKept).evidence.starts_with("the archive does not take it"));
    let activity = stage.app.live().activity.get().expect("an answer");
    assert!(activity.wal_directory.is_some_and(|w| w.bytes > 32 << 20 && w.ready > 0), "{activity:?}");
    assert!(stage.app.live().activity_delta.as_ref().and_then(pgtriage::model::activity::delta::Delta::tps).is_some());
}

#[tokio::test]
async fn an_archive_that_fails_checkpoints_temporary_files_and_deadlocks_are_found_on_13() {
    found(13).await;
}

#[tokio::test]
async fn an_archive_that_fails_checkpoints_temporary_files_and_deadlocks_are_found_on_15() {
    found(15).await;
}

#[tokio::test]
async fn an_archive_that_fails_checkpoints_temporary_files_and_deadlocks_are_found_on_18() {
    found(18).await;
}

async fn look(uri: &str) -> Activity {
    match super::asking::ask(uri, Question::Activity).await {
        Ok(Snapshot::Activity(activity)) => *activity,
        other => panic!("{other:?}"),
    }
}

async fn as_roles(major: u32) {
    let Some(mut lab) = primary(major) else { return };
    restarted(&mut lab, &["max_prepared_transactions = 5"]).await;
    let admin = client(&lab.uri("postgres")).await;
    run(&admin, "BEGIN; UPDATE products SET stock = 1 WHERE id = 1; PREPARE TRANSACTION 'it''s \\ odd'").await;
    run(&admin, "CREATE TABLE tb_error_occurrence (at timestamptz) PARTITION BY RANGE (at)").await;
    run(
        &admin,
        "CREATE TABLE tb_error_then PARTITION OF tb_error_occurrence FOR VALUES FROM ('2001-01-01') TO ('2001-02-01')",
    )
    .await;
    run(&admin, "CREATE TABLE otel_traces (at date) PARTITION BY RANGE (at)").await;
    run(&admin, "CREATE TABLE otel_ever PARTITION OF otel_traces FOR VALUES FROM ('2001-01-01') TO ('infinity')").await;
    run(&admin, "CREATE TABLE tb_error_text (at text) PARTITION BY RANGE (at)").await;
    run(&admin, "CREATE TABLE tb_error_odd PARTITION OF tb_error_text FOR VALUES FROM ('2001-a') TO ('2001-b)')").await;
    run(&admin, "CREATE SUBSCRIPTION \"su'b\" CONNECTION 'host=127.0.0.1 port=1 dbname=x' PUBLICATION p WITH (connect = false, slot_name = s)").await;
    run(&admin, "ALTER SUBSCRIPTION \"su'b\" ENABLE").await;
    // Its partitions are looked at without waiting for a lock on them.
    run(&admin, "BEGIN; LOCK TABLE tb_error_occurrence, tb_error_then, otel_traces IN ACCESS EXCLUSIVE MODE").await;
    for role in ["plain", "monitor", "postgres"] {
        let seen = look(&lab.uri(role)).await;
        assert_eq!(seen.wal_directory.is_some(), role != "plain", "{role} on {major}");
        assert!(
            seen.databases.rows().iter().any(|d| d.name.as_ref().is_some_and(|n| n.raw() == "shop") && d.commits > 0)
        );
        let prepared = &seen.prepared.rows()[0];
        assert_eq!(
            (prepared.gid.raw(), prepared.owner.raw(), prepared.database.raw()),
            ("it's \\ odd", "postgres", "shop")
        );
        assert!(prepared.exact && prepared.age_s < 60.0);
        let [sub] = seen.subscriptions.rows() else { panic!("{role} on {major}: {:?}", seen.subscriptions) };
        assert_eq!(
            (sub.name.raw(), sub.database.raw(), sub.enabled, sub.hidden),
            ("su'b", "shop", true, role == "plain")
        );
        assert_eq!(sub.apply_errors.is_some(), major >= 15);
        let Part::Read(partitioned) = &seen.partitioned else { panic!("{role} on {major}: {:?}", seen.partitioned) };
        let told: Vec<_> = partitioned
            .iter()
            .map(|p| (p.name.raw(), p.partitions, p.endless, p.ends_s.is_some_and(|s| s < -7e8)))
            .collect();
        assert_eq!(
            told,
            [("otel_traces", 1, true, false), ("tb_error_occurrence", 1, false, true)],
            "{role} on {major}"
        );
    }
    forgotten(&lab, major).await;
    run(&admin, "ROLLBACK; ALTER SUBSCRIPTION \"su'b\" DISABLE; ALTER SUBSCRIPTION \"su'b\" SET (slot_name = NONE); DROP SUBSCRIPTION \"su'b\"").await;
}

/// Of that a role that sees workers is told: a subscription whose publisher is not there, partitions that have ended, and a
/// transaction that was prepared.
async fn forgotten(lab: &Lab, major: u32) {
    let mut asking = Asking::of(&lab.uri("monitor"), &[Question::Activity]);
    let mut stage = Stage::with(|setup| setup.limits.prepared = 0.5).up();
    let began = Instant::now();
    while ![Kind::Subscription, Kind::Partitions, Kind::Prepared].iter().all(|kind| stage.kinds().contains(kind)) {
        stage.event(Event::Sample(asking.sample(&Question::Activity).await));
        assert!(began.elapsed() < PATIENCE, "{:?} on {major}: {:#?}", stage.kinds(), stage.app.live().activity);
    }
    let prepared = stage.finding(Kind::Prepared);
    assert!(prepared.fact.contains("it's \\ odd") && prepared.remedy.is_some(), "{prepared:#?}");
    assert!(stage.finding(Kind::Partitions).fact.starts_with("the last partition of public.tb_error_occurrence ended"));
}

#[tokio::test]
async fn each_role_sees_the_same_but_for_what_it_may_not_on_13() {
    as_roles(13).await;
}

#[tokio::test]
async fn each_role_sees_the_same_but_for_what_it_may_not_on_15() {
    as_roles(15).await;
}

#[tokio::test]
async fn each_role_sees_the_same_but_for_what_it_may_not_on_18() {
    as_roles(18).await;
}

/// What client backends have read, written, and written of WAL, as a role without rights sees it.
async fn flows(uri: &str) -> Option<(i64, i64, i64)> {
    let seen = look(uri).await;
    let Part::Read(rows) = &seen.io else { panic!("{:?}", seen.io) };
    let own: Vec<_> = rows.iter().filter(|io| io.who.raw() == "client backend").collect();
    let sum = |of: fn(&&&pgtriage::model::activity::io::Io) -> i64| own.iter().map(|io| of(&io)).sum();
    (!rows.is_empty()).then(|| {
        (
            sum(|io| io.read),
            sum(|io| if io.wal { 0 } else { io.written }),
            sum(|io| if io.wal { io.written } else { 0 }),
        )
    })
}

async fn who_reads_and_writes(major: u32) {
    let Some(lab) = primary(major) else { return };
    let admin = client(&lab.uri("postgres")).await;
    let plain = lab.uri("plain");
    let before = flows(&plain).await;
    // 9 MB at least, and more than fits into a ring of buffers: each scan reads it again.
    run(&admin, "CREATE TABLE wide AS SELECT g, repeat('x', 500) AS filler FROM generate_series(1, 18000) g").await;
    run(&admin, "SELECT count(*) FROM wide").await;
    // Others' counters are seen once they have been idle for a moment, or their session has ended.
    drop(admin);
    let began = Instant::now();
    loop {
        let now = flows(&plain).await;
        match (before, now) {
            (None, None) if major < 16 => return,
            (Some(before), Some(now)) if major >= 16 => {
                let (read, written, wal) = (now.0 - before.0, now.1 - before.1, now.2 - before.2);
                if written >= 9 << 20 && (major < 18 || wal > 1 << 20) {
                    assert!(read >= 0 && written < 100 << 20, "{read} {written} {wal} on {major}");
                    return;
                }
                assert!(began.elapsed() < PATIENCE, "{read} {written} {wal} on {major}");
            }
            other => panic!("{other:?} on {major}"),
        }
    }
}

#[tokio::test]
async fn before_16_nobody_counts_who_reads_and_writes() {
    who_reads_and_writes(15).await;
}

#[tokio::test]
async fn who_reads_and_writes_is_counted_in_bytes_on_18() {
    who_reads_and_writes(18).await;
}
