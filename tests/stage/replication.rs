//! Standbys: one that is healthy, one that lags, and one that was here and is gone while its slot keeps WAL.

use pgtriage::model::replica::{Replica, Replication, Slot};

/// A standby that is so many bytes behind.
pub fn replica(name: &str, pid: i32, behind: i64) -> Replica {
    Replica {
        pid,
        user: Some("replicator".into()),
        application: name.into(),
        client: Some(format!("10.0.3.{}", pid % 100)),
        state: Some("streaming".to_owned()),
        sync_state: Some("async".to_owned()),
        slot: Some(name.replace('-', "_").as_str().into()),
        unsent: Some(0),
        unwritten: Some(0),
        unflushed: Some(behind / 10),
        unreplayed: Some(behind - behind / 10),
        total: Some(behind),
        write_s: None,
        flush_s: None,
        replay_s: (behind > 0).then_some(412.0),
        reply_s: Some(0.4),
        replay_lsn: Some("3/A0000D8".to_owned()),
        stands_s: 0.0,
        xmin: None,
        xmin_age: None,
        hidden: false,
    }
}

/// A slot that keeps so much.
pub fn slot(name: &str, active: bool, retained: i64) -> Slot {
    Slot {
        name: name.into(),
        kind: "physical".to_owned(),
        database: None,
        active,
        retained: Some(retained),
        wal_status: Some(if retained > 1 << 30 { "extended" } else { "reserved" }.to_owned()),
        safe: None,
        xmin: None,
        xmin_age: None,
        catalog_xmin_age: None,
        inactive_s: None,
        invalidation: None,
    }
}

/// All three are here.
pub fn before() -> Replication {
    let mut all = after();
    all.replicas.push(replica("replica-2", 7_022, 40 << 20));
    all
}

/// The second is gone.
pub fn after() -> Replication {
    Replication {
        replicas: vec![replica("replica-1", 7_021, 0), replica("replica-3", 7_023, 3 << 30)],
        slots: vec![
            slot("replica_1", true, 96),
            slot("replica_2", false, 14 << 30),
            slot("replica_3", true, 3 << 30),
            Slot {
                kind: "logical".to_owned(),
                database: Some("shop".into()),
                catalog_xmin_age: Some(120_000),
                ..slot("warehouse_cdc", true, 24 << 20)
            },
        ],
        standby: None,
        lsn: Some("3/E0000000".to_owned()),
        slot_keep_mb: Some(-1),
        sync_names: Some("".into()),
    }
}

/// One standby, and it is here.
pub fn calm() -> Replication {
    Replication { replicas: vec![replica("replica-1", 7_021, 0)], slots: vec![slot("replica_1", true, 96)], ..after() }
}
