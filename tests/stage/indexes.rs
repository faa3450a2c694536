//! Indexes of the shop: a leftover, one being built, two alike, one that is never used, and what is well.

use pgtriage::model::index::{
    Builder, Covered, FaultCounts, Index, IndexOrder, IndexRights, Indexes, Needed, Partitions, Validity,
};

use super::tables::ORDERS;

/// What a failed REINDEX left.
pub const LEFTOVER: u32 = 17_001;
/// What is being built.
pub const BUILDING: u32 = 17_002;
/// The same as another one.
pub const DUPLICATE: u32 = 17_003;
/// Large, and never used.
pub const UNUSED: u32 = 17_004;
/// The primary key.
pub const PRIMARY: u32 = 17_010;

/// A plain index of `orders`.
pub fn index(oid: u32, name: &str, columns: &str, megabytes: i64, scans: i64) -> Index {
    Index {
        oid,
        schema: "public".into(),
        name: name.into(),
        partitions: None,
        table_oid: ORDERS,
        table: "orders".into(),
        table_kind: 'r',
        toast_of: None,
        method: "btree".into(),
        columns: columns.into(),
        partial: false,
        bytes: megabytes << 20,
        validity: Validity::Valid,
        needed: Needed::default(),
        scans,
        last_scan_s: (scans > 0).then_some(4.0),
        entries_read: scans * 12,
        rows_fetched: scans * 9,
        writes: Some(3_400_000),
        covered: None,
        builder: None,
        locked: false,
        rights: IndexRights { owner: "shop_owner".into(), owner_is_superuser: false, reindex: true, drop: true },
    }
}

/// The indexes of the database `shop`.
pub fn indexes() -> Indexes {
    let unique = Needed { unique: true, ..Needed::default() };
    let rows = vec![
        Index { validity: Validity::Invalid, ..index(LEFTOVER, "orders_created_ccnew", "created_at", 410, 0) },
        Index {
            validity: Validity::NotReady,
            bytes: 0,
            builder: Some(Builder { pid: 6100, this: Some(true), drops: false }),
            table_oid: 16_430,
            table: "order_items".into(),
            ..index(BUILDING, "order_items_sku", "sku", 0, 0)
        },
        Index {
            covered: Some(Covered { by: "orders_customer".into(), same: true }),
            ..index(DUPLICATE, "orders_customer_2", "customer_id", 96, 41)
        },
        index(UNUSED, "orders_note", "note", 1_400, 0),
        Index {
            covered: Some(Covered { by: "orders_state_created".into(), same: false }),
            ..index(17_005, "orders_state", "state", 88, 1_204)
        },
        Index {
            needed: Needed { primary: true, constraint: true, ..unique },
            ..index(PRIMARY, "orders_pkey", "id", 220, 9_400_000)
        },
        Index { needed: unique, ..index(17_011, "orders_number", "number", 180, 12_000) },
        index(17_012, "orders_customer", "customer_id", 101, 88_000),
        Index { partial: true, ..index(17_013, "orders_state_created", "state, created_at", 140, 51_000) },
    ];
    Indexes {
        database: "shop".into(),
        order: IndexOrder::Faults,
        total: 9,
        faults: FaultCounts { invalid: 2, duplicate: 1, unused: 1 },
        counted_s: 1_044_724.0,
        reset_known: false,
        in_recovery: false,
        counted: true,
        rows,
    }
}

/// Indexes that are well.
pub fn calm() -> Indexes {
    let rows = indexes().rows.into_iter().filter(|i| i.fault().is_none()).collect();
    Indexes { rows, faults: FaultCounts::default(), total: 4, ..indexes() }
}

/// Calm, and this one.
pub fn calm_but(row: Index) -> Indexes {
    let mut indexes = calm();
    indexes.rows.push(row);
    indexes.total += 1;
    indexes
}

/// Calm, and an index of the partitioned table `events` that is not valid, as its partitions are so far.
pub fn partitioned(partitions: Partitions, unique: bool) -> Indexes {
    let index = Index {
        validity: Validity::Invalid,
        partitions: Some(partitions),
        table_oid: 16_500,
        table: "events".into(),
        table_kind: 'p',
        needed: Needed { unique, ..Needed::default() },
        ..index(17_020, "events_at", "at", 0, 0)
    };
    Indexes { faults: FaultCounts { invalid: 1, ..FaultCounts::default() }, ..calm_but(index) }
}
