//! Tables of the shop: one that churns, one whose vacuum is held back, one that autovacuum was turned off for.

use pgtriage::model::relation::{BloatEstimate, DatabaseRights, DatabaseTotals, Relation, Relations, VacuumProgress};

/// The table that churns.
pub const ORDERS: u32 = 16_412;

/// A table with some rows, of which so many are dead.
pub fn table(oid: u32, name: &str, live: i64, dead: i64) -> Relation {
    #[expect(clippy::cast_precision_loss, reason = "counts of a fixture")]
    let rows = (live + dead) as f64;
    let bytes = (live + dead) * 220;
    Relation {
        oid,
        schema: "public".into(),
        name: name.into(),
        kind: 'r',
        toast_of: None,
        bytes,
        tuples: Some(rows),
        live,
        dead,
        modified: dead / 3,
        inserted: 0,
        vacuum_s: None,
        autovacuum_s: Some(7_260.0),
        analyze_s: None,
        autoanalyze_s: Some(3_700.0),
        seq_scan: 120,
        seq_rows: 480_000,
        idx_scan: 9_400_000,
        autovacuum_on: true,
        vacuum_threshold: 50.0 + 0.2 * rows,
        insert_threshold: Some(1000.0 + 0.2 * rows),
        analyze_threshold: 50.0 + 0.1 * rows,
        xid_age: Some(41_000_000),
        mxid_age: Some(1_200),
        freeze_max_age: 200_000_000,
        bloat: (bytes > 1 << 20).then_some(BloatEstimate {
            real_bytes: bytes,
            wasted_bytes: dead * 200,
            complete: true,
        }),
        locked: false,
        barred: None,
        rights: None,
        indexes: 2,
        index_bytes: 96 << 20,
    }
}

/// The tables of the database `shop`.
pub fn relations() -> Relations {
    let rows = vec![
        Relation { locked: true, ..table(ORDERS, "orders", 1_210_000, 1_890_000) },
        table(16_430, "order_items", 6_400_000, 310_000),
        Relation { autovacuum_on: false, vacuum_s: Some(4_000_000.0), ..table(16_440, "carts", 52_000, 41_000) },
        Relation { autovacuum_s: None, bloat: None, tuples: None, ..table(16_450, "customers", 90_000, 0) },
        Relation { xid_age: Some(212_000_000), ..table(16_460, "ledger", 40_000_000, 900) },
        Relation { schema: "audit".into(), ..table(16_470, "events_2025_11", 2_000_000, 12_000) },
        Relation {
            kind: 't',
            toast_of: Some("orders".into()),
            schema: "pg_toast".into(),
            ..table(16_415, "pg_toast_16412", 300_000, 9_000)
        },
    ];
    Relations {
        database: "shop".into(),
        whole: Some(DatabaseRights { oid: 16_384, vacuum: true }),
        total: 7,
        not_estimable: 3,
        vacuums: vec![VacuumProgress {
            pid: 6001,
            database: "shop".into(),
            oid: 16_430,
            phase: "scanning heap".to_owned(),
            blocks: 180_000,
            scanned: 61_000,
            vacuumed: 0,
            index_passes: 0,
            auto: true,
            wraparound: false,
            running_s: Some(94.0),
        }],
        databases: vec![database("shop", Some(61 << 30)), database("billing", Some(2 << 30)), database("vault", None)],
        in_recovery: false,
        autovacuum: true,
        counted: true,
        autovacuum_workers: 3,
        rows,
        ..Relations::default()
    }
}

/// Totals of a database.
pub fn database(name: &str, bytes: Option<i64>) -> DatabaseTotals {
    DatabaseTotals {
        name: name.into(),
        bytes,
        backends: 44,
        xid_age: 41_000_000,
        mxid_age: 1_200,
        xid_forced_at: Some(200_000_000),
        mxid_forced_at: Some(400_000_000),
        deadlocks: 2,
        temp_bytes: 3 << 30,
        connectable: true,
    }
}

/// Tables that are well, in the one database.
pub fn calm() -> Relations {
    Relations {
        rows: vec![table(ORDERS, "orders", 1_210_000, 4_000), table(16_430, "order_items", 6_400_000, 31_000)],
        total: 2,
        not_estimable: 0,
        vacuums: Vec::new(),
        databases: vec![database("shop", Some(61 << 30))],
        ..relations()
    }
}

/// Calm, and this table.
pub fn calm_but(row: Relation) -> Relations {
    let mut relations = calm();
    relations.rows.push(row);
    relations
}
