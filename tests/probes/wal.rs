//! WAL on real servers: replayed against queries, kept for who does not take it, and refused by a subscription. It must not
//! test sentences.
use super::activity::{PATIENCE, restarted};
use super::asking::{Asking, client, primary, run};
use crate::lab::{Lab, SERVERS, Wanted};
use crate::stage::Stage;
use pgtriage::diagnose::{Finding, Kind};
use pgtriage::message::Event;
use pgtriage::model::Question;
use pgtriage::model::activity::Conflicts;
use pgtriage::probe::Report;
use std::time::{Duration, Instant};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

/// Looks until that is found, and does `stir` between two looks.
async fn find(asking: &mut Asking, stage: &mut Stage, kind: Kind, mut stir: impl AsyncFnMut()) -> Finding {
    let began = Instant::now();
    loop {
        if let Report::Sample(sample) = asking.report().await {
            assert!(sample.answer.is_ok(), "{:?}", sample.answer);
            stage.event(Event::Sample(sample));
        }
        if let Some(found) = stage.app.triage.diagnosis.findings.iter().find(|f| f.kind() == kind) {
            return found.clone();
        }
        let world = stage.app.live();
        assert!(began.elapsed() < PATIENCE, "{:?}: {:#?} {:#?}", stage.kinds(), world.activity, world.replication);
        stir().await;
    }
}

/// Asks until it is so.
async fn until(client: &Client, condition: &str) {
    let began = Instant::now();
    let sql = format!("SELECT coalesce(({condition}), false)");
    while !client.query_one(&sql, &[]).await.expect(condition).get::<_, bool>(0) {
        assert!(began.elapsed() < PATIENCE, "never so: {condition}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A query on the standby that the primary then makes impossible to go on with.
async fn fight(there: &str, primary: &Client, blow: &[&str]) {
    let (reader, watcher) = (client(there).await, client(there).await);
    let pid: i32 = reader.query_one("SELECT pg_backend_pid()", &[]).await.expect("an answer").get(0);
    let query = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM products; SELECT pg_sleep(50)";
    let reading = tokio::spawn(async move { reader.batch_execute(query).await });
    until(&watcher, &format!("SELECT wait_event = 'PgSleep' FROM pg_stat_get_activity({pid})")).await;
    for statement in blow {
        run(primary, statement).await;
    }
    let code = reading.await.expect("no panic").expect_err("it cannot go on").code().cloned();
    assert_eq!(code, Some(SqlState::T_R_SERIALIZATION_FAILURE));
}

/// How many queries were cancelled for one reason.
type Reason = fn(&Conflicts) -> i64;

async fn cancelled_by_replay(major: u32) {
    let Some(lab) = Lab::start(Wanted { postgres: Some(major), ..SERVERS }) else { return };
    let there = lab.standby_uri("postgres");
    let standby = client(&there).await;
    for setting in ["max_standby_streaming_delay = 0", "hot_standby_feedback = off"] {
        run(&standby, &format!("ALTER SYSTEM SET {setting}")).await;
    }
    run(&standby, "SELECT pg_reload_conf()").await;
    // Until the primary has heard that it need not keep rows for the standby.
    let primary = client(&lab.uri("postgres")).await;
    until(&primary, "SELECT xmin IS NULL FROM pg_replication_slots WHERE slot_name = 'standby1'").await;

    let blows: [(&[&str], Reason); 2] = [
        (&["UPDATE products SET stock = stock", "VACUUM products"], |c| c.snapshot),
        (&["BEGIN; LOCK TABLE products IN ACCESS EXCLUSIVE MODE; COMMIT"], |c| c.lock),
    ];
    for (blow, reason) in blows {
        let mut asking = Asking::of(&lab.standby_uri("monitor"), &[Question::Activity]);
        let mut stage = Stage::new().up();
        let finding =
            find(&mut asking, &mut stage, Kind::Conflicts, async || fight(&there, &primary, blow).await).await;
        eprintln!("{major}: {} | {} | {}", finding.fact, finding.evidence, finding.todo);
        let activity = stage.app.live().activity.get().expect("an answer");
        let counted: i64 = activity.databases.rows().iter().map(|d| reason(&d.conflicts)).sum();
        assert!(activity.in_recovery && counted > 0, "{:?}", activity.databases);
        assert!(finding.evidence.contains("hot_standby_feedback off"), "{}", finding.evidence);
    }
}

async fn kept_for_a_slot(major: u32) {
    let Some(mut lab) = primary(major) else { return };
    restarted(&mut lab, &["max_wal_size = '32MB'", "min_wal_size = '32MB'"]).await;
    let admin = client(&lab.uri("postgres")).await;
    run(&admin, "CREATE TABLE heavy (a int, b text)").await;
    run(&admin, "SELECT pg_create_physical_replication_slot('left_behind', true)").await;
    let mut asking = Asking::of(&lab.uri("monitor"), &[Question::Activity, Question::Replication]);
    let few = f64::from(64 << 20);
    let mut stage = Stage::with(|setup| (setup.limits.slot_bytes, setup.limits.wal_excess) = (few, few)).up();
    let write = async || {
        run(&admin, "INSERT INTO heavy SELECT g, repeat('x', 1000) FROM generate_series(1, 20000) g").await;
        run(&admin, "SELECT pg_switch_wal()").await;
        run(&admin, "CHECKPOINT").await;
    };
    for kind in [Kind::SlotRetains, Kind::WalKept] {
        let finding = find(&mut asking, &mut stage, kind, write).await;
        eprintln!("{major}: {} | {} | {}", finding.fact, finding.evidence, finding.todo);
        assert!(format!("{} {}", finding.fact, finding.evidence).contains("left_behind"), "{finding:#?}");
    }
    // Once nobody is to have it, it goes.
    run(&admin, "SELECT pg_drop_replication_slot('left_behind')").await;
    let began = Instant::now();
    while stage.kinds().iter().any(|kind| [Kind::SlotRetains, Kind::WalKept].contains(kind)) {
        assert!(began.elapsed() < PATIENCE, "{:?}", stage.kinds());
        run(&admin, "CHECKPOINT").await;
        if let Report::Sample(sample) = asking.report().await {
            stage.event(Event::Sample(sample));
        }
    }
}

async fn refused_by_a_subscription(major: u32) {
    let Some(mut lab) = primary(major) else { return };
    restarted(&mut lab, &["wal_level = logical", "wal_retrieve_retry_interval = '500ms'"]).await;
    let uri = lab.uri("postgres");
    let publisher = client(&super::asking::with_database(&uri, "billing")).await;
    let subscriber = client(&uri).await;
    run(&publisher, "CREATE TABLE sent (id int PRIMARY KEY); CREATE PUBLICATION p FOR TABLE sent").await;
    // By hand: to create it, a subscription within one server would wait for its own transaction.
    run(&publisher, "SELECT pg_create_logical_replication_slot('s', 'pgoutput')").await;
    // The row is there already, and the publisher sends it, too.
    run(&subscriber, "CREATE TABLE sent (id int PRIMARY KEY); INSERT INTO sent VALUES (1)").await;
    let connection = super::asking::with_database(&uri, "billing");
    run(
        &subscriber,
        &format!(
            "CREATE SUBSCRIPTION warehouse CONNECTION '{connection}' PUBLICATION p \
             WITH (create_slot = false, slot_name = 's', copy_data = false)"
        ),
    )
    .await;
    until(&subscriber, "SELECT pid IS NOT NULL FROM pg_stat_subscription WHERE subname = 'warehouse'").await;
    let mut asking = Asking::of(&lab.uri("monitor"), &[Question::Activity]);
    let mut stage = Stage::with(|setup| setup.limits.subscription = 2.0).up();
    while stage.app.live().activity.get().is_none() {
        if let Report::Sample(sample) = asking.report().await {
            stage.event(Event::Sample(sample));
        }
    }
    assert_eq!(stage.kinds(), [], "it runs");
    run(&publisher, "INSERT INTO sent VALUES (1)").await;
    let finding = find(&mut asking, &mut stage, Kind::Subscription, async || {}).await;
    eprintln!("{major}: {} | {} | {}", finding.fact, finding.evidence, finding.todo);
    // Before 15 nobody counts the errors, and a worker that fails is none that runs.
    assert_eq!(finding.fact.starts_with("subscription warehouse fails"), major >= 15, "{finding:#?}");
    run(&subscriber, "ALTER SUBSCRIPTION warehouse DISABLE; ALTER SUBSCRIPTION warehouse SET (slot_name = NONE)").await;
    run(&subscriber, "DROP SUBSCRIPTION warehouse").await;
}

#[tokio::test]
async fn queries_that_replay_cancels_are_found_on_the_standby_on_13() {
    cancelled_by_replay(13).await;
}

#[tokio::test]
async fn queries_that_replay_cancels_are_found_on_the_standby_on_15() {
    cancelled_by_replay(15).await;
}

#[tokio::test]
async fn queries_that_replay_cancels_are_found_on_the_standby_on_18() {
    cancelled_by_replay(18).await;
}

#[tokio::test]
async fn wal_that_an_inactive_slot_keeps_is_found_until_it_is_dropped_on_13() {
    kept_for_a_slot(13).await;
}

#[tokio::test]
async fn wal_that_an_inactive_slot_keeps_is_found_until_it_is_dropped_on_15() {
    kept_for_a_slot(15).await;
}

#[tokio::test]
async fn wal_that_an_inactive_slot_keeps_is_found_until_it_is_dropped_on_18() {
    kept_for_a_slot(18).await;
}

#[tokio::test]
async fn a_subscription_that_fails_on_a_row_is_found_on_13() {
    refused_by_a_subscription(13).await;
}

#[tokio::test]
async fn a_subscription_that_fails_on_a_row_is_found_on_15() {
    refused_by_a_subscription(15).await;
}

#[tokio::test]
async fn a_subscription_that_fails_on_a_row_is_found_on_18() {
    refused_by_a_subscription(18).await;
}
