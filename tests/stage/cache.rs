//! The cache table in each of its states.

use pgtriage::model::cache::{CacheContents, CacheState, CacheTable, CacheTarget, CacheView, Lookups};

/// The table in that state, with counters of its look-ups.
pub fn table(state: CacheState) -> CacheTable {
    CacheTable {
        table: "fraiseql_cache".into(),
        database: "shop".into(),
        state,
        lookups: Some(Lookups { calls: 912_000, rows: 688_000, hidden: 0 }),
        lookups_error: None,
        target: Some(Box::new(CacheTarget {
            oid: 16_500,
            schema: "public".into(),
            name: "fraiseql_cache".into(),
            kind: 'r',
            clock: "2025-11-24 03:14:07.000001+00".to_owned(),
            may_remove: true,
            triggers: 0,
            references: 0,
            row_security: false,
        })),
    }
}

/// A readable one.
pub fn read() -> CacheTable {
    table(CacheState::Read(CacheContents {
        rows: 48_210,
        expired: 31_007,
        bytes: Some(912 << 20),
        views: vec![view("v_order", 30_000, 25_000), view("v_product", 15_210, 6_000), view("v_cart", 3_000, 7)],
        sampled: false,
    }))
}

/// One whose expired rows are removed in time.
pub fn calm() -> CacheTable {
    table(CacheState::Read(CacheContents {
        rows: 48_210,
        expired: 7,
        bytes: Some(912 << 20),
        ..CacheContents::default()
    }))
}

/// The counters two seconds before.
pub fn earlier() -> CacheTable {
    CacheTable { lookups: Some(Lookups { calls: 911_800, rows: 687_868, hidden: 0 }), ..read() }
}

fn view(name: &str, rows: i64, expired: i64) -> CacheView {
    CacheView { view: name.into(), rows, expired, bytes: rows * 19_000 }
}

/// Every state, with a name for it.
pub fn states() -> Vec<(&'static str, CacheTable)> {
    let denied =
        CacheState::Denied { cure: "GRANT SELECT ON fraiseql_cache TO oncall".to_owned(), bytes: Some(912 << 20) };
    vec![
        ("no table", CacheTable { lookups: None, target: None, ..table(CacheState::NoTable) }),
        ("denied", CacheTable { lookups: Some(Lookups { calls: 0, rows: 0, hidden: 40 }), ..table(denied) }),
        ("unlogged on a standby", table(CacheState::UnloggedOnStandby)),
        ("empty", table(CacheState::Read(CacheContents { bytes: Some(8192), ..CacheContents::default() }))),
        ("locked", table(CacheState::Read(CacheContents { rows: 9, sampled: true, ..CacheContents::default() }))),
    ]
}
