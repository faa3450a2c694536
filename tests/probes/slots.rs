//! Slots that are invalid, on real servers: the reason is told, and nothing is said to be kept for them. It must not test
//! how they are shown.
use super::asking::{ask, client, run};
use crate::lab::{Lab, PRIMARY, Wanted};
use pgtriage::model::replica::{Invalid, Slot};
use pgtriage::model::{Question, Snapshot};
use std::time::{Duration, Instant};

const LOST: &str =
    "SELECT count(*) FILTER (WHERE wal_status <> 'lost') = 0 FROM pg_replication_slots WHERE slot_name LIKE 'cdc%'";

async fn slots(uri: &str) -> Vec<Slot> {
    let Ok(Snapshot::Replication(answer)) = ask(uri, Question::Replication).await else { panic!("an answer") };
    answer.slots.into_iter().filter(|slot| slot.name.raw().starts_with("cdc")).collect()
}

/// A physical and a logical slot, invalid by that setting once `each` has been done often enough.
async fn invalidated(major: u32, setting: &str, each: &str) -> Option<Vec<Slot>> {
    let mut lab = Lab::start(Wanted { postgres: Some(major), ..PRIMARY })?;
    let uri = lab.uri("postgres");
    run(&client(&uri).await, "ALTER SYSTEM SET wal_level = logical").await;
    lab.command("stop-primary fast");
    lab.command("start-primary");
    let admin = client(&uri).await;
    run(&admin, "SELECT pg_create_physical_replication_slot('cdc_physical', true)").await;
    run(&admin, "SELECT pg_create_logical_replication_slot('cdc_logical', 'pgoutput')").await;
    let good = slots(&uri).await;
    assert!(good.iter().all(|s| s.retained.is_some() && s.invalid().is_none()), "{good:?}");
    assert!(good.iter().any(|s| s.catalog_xmin_age.is_some()), "{good:?}");
    run(&admin, &format!("ALTER SYSTEM SET {setting}")).await;
    run(&admin, "SELECT pg_reload_conf()").await;
    let give_up = Instant::now() + Duration::from_secs(60);
    while !admin.query_one(LOST, &[]).await.unwrap().get::<_, bool>(0) {
        assert!(Instant::now() < give_up, "{:?}", slots(&uri).await);
        run(&admin, each).await;
        run(&admin, "CHECKPOINT").await;
    }
    Some(slots(&uri).await)
}

fn is_all(slots: &[Slot], why: Invalid<'_>) {
    assert_eq!(slots.len(), 2);
    for slot in slots {
        assert_eq!(slot.invalid(), Some(why), "{slot:?}");
        assert_eq!((slot.retained, slot.xmin_age, slot.catalog_xmin_age), (None, None, None), "{slot:?}");
    }
}

async fn wal_removed(major: u32) {
    let written = "SELECT pg_switch_wal() FROM pg_logical_emit_message(false, 'x', 'y')";
    let Some(seen) = invalidated(major, "max_slot_wal_keep_size = '16MB'", written).await else { return };
    is_all(&seen, Invalid::Wal);
}

#[tokio::test]
async fn a_slot_whose_wal_is_gone_is_told_as_that_on_13() {
    wal_removed(13).await;
}

#[tokio::test]
async fn a_slot_whose_wal_is_gone_is_told_as_that_on_15() {
    wal_removed(15).await;
}

#[tokio::test]
async fn a_slot_whose_wal_is_gone_is_told_as_that_on_18() {
    wal_removed(18).await;
}

#[tokio::test]
async fn a_slot_that_was_idle_for_too_long_is_told_as_that_on_18() {
    // The server goes on to show their positions: what they would keep, if they were good.
    let Some(seen) = invalidated(18, "idle_replication_slot_timeout = '1s'", "SELECT pg_sleep(0.2)").await else {
        return;
    };
    is_all(&seen, Invalid::Idle);
}
