//! `pg_stat_statements` of the shop, twice, five seconds apart: one statement takes most of the time since a moment ago.

use pgtriage::model::statement::{
    EntryKey, Statement, StatementOrder, StatementText, StatementTotals, Statements, StatementsInfo,
};

/// The database shop, and a role each.
pub const SHOP: u32 = 16_400;
const API: u32 = 16_390;
const REPORTING: u32 = 16_391;
const ONCALL: u32 = 16_395;

/// `queryid` of the statement that takes most of the time now.
pub const HOT: i64 = -7_300_000_000_000_000_001;

const TEXTS: [(i64, u32, &str); 6] = [
    (HOT, API, "SELECT * FROM orders WHERE status = $1 ORDER BY created_at DESC LIMIT $2"),
    (2, API, "SELECT cache_value FROM fraiseql_cache WHERE cache_key = $1 AND expires_at > now()"),
    (3, API, "UPDATE products SET stock = stock - $1 WHERE id = $2"),
    (
        4,
        REPORTING,
        "SELECT date_trunc($1, o.created_at), sum(i.price) FROM orders o JOIN order_items i ON i.order_id = o.id\nGROUP BY $2",
    ),
    (5, REPORTING, "SELECT fk.\"order_id\" FROM ONLY \"public\".\"order_items\" fk"),
    (6, ONCALL, "SELECT a.pid, a.leader_pid FROM pg_catalog.pg_stat_activity a"),
];

/// An entry: calls, milliseconds of one, blocks read in all.
pub fn entry(query: i64, user: u32, calls: i64, each_ms: f64, read: i64) -> Statement {
    #[expect(clippy::cast_precision_loss, reason = "small counts")]
    let total_ms = calls as f64 * each_ms;
    Statement {
        key: EntryKey { user, database: SHOP, query, toplevel: query != 5 },
        calls,
        rows: calls * 20,
        total_ms,
        min_ms: each_ms / 10.0,
        max_ms: each_ms * 30.0,
        stddev_ms: each_ms / 2.0,
        plan_ms: Some(0.0),
        hit: read * 9,
        read,
        dirtied: 12,
        written: 0,
        temp: if query == 4 { 260_000 } else { 0 },
        read_ms: 0.0,
        write_ms: 0.0,
        wal_bytes: Some(if query == 3 { 9_400_000.0 } else { 0.0 }),
        wal_fpi: Some(0),
        jit_ms: Some(0.0),
        since: None,
        minmax_since: None,
    }
}

fn look(at_s: f64, entries: Vec<Statement>) -> Statements {
    let total_ms = entries.iter().map(|e| e.total_ms).sum();
    let calls = entries.iter().map(|e| e.calls).sum();
    let all = StatementTotals { entries: i64::try_from(entries.len()).unwrap(), calls, total_ms };
    Statements {
        database: "shop".into(),
        database_oid: SHOP,
        user_oid: ONCALL,
        extension: "1.10".to_owned(),
        at_s,
        order: StatementOrder::Total,
        entries,
        all,
        hidden: StatementTotals::default(),
        info: Some(StatementsInfo {
            dealloc: 0,
            reset: Some("2025-11-12T01:02:03".to_owned()),
            reset_s: Some(1_044_724.0),
        }),
        max: Some(5000),
        track: "all".to_owned(),
        io_timing: false,
        planning: false,
        block_size: 8192,
        users: [(API, "shop_api".into()), (REPORTING, "reporting".into()), (ONCALL, "oncall".into())].into(),
        databases: [(SHOP, "shop".into())].into(),
        texts: Vec::new(),
        texts_error: None,
    }
}

/// Before it got slow.
pub fn earlier() -> Statements {
    let entries = vec![
        entry(4, REPORTING, 310, 5200.0, 9_000_000),
        entry(2, API, 4_100_000, 0.06, 120),
        entry(3, API, 240_000, 0.9, 4000),
        entry(HOT, API, 9000, 4.0, 52_000),
        entry(5, REPORTING, 1, 38.0, 0),
        entry(6, ONCALL, 400, 5.0, 0),
    ];
    let texts = TEXTS.iter().map(|(query, _, text)| StatementText {
        query: *query,
        text: (*text).into(),
        cut: false,
        own: *query == 6,
    });
    Statements { texts: texts.collect(), ..look(1_764_000_000.0, entries) }
}

/// Five seconds later.
pub fn read() -> Statements {
    look(
        1_764_000_005.0,
        vec![
            entry(4, REPORTING, 310, 5200.0, 9_000_000),
            entry(2, API, 4_101_200, 0.06, 120),
            entry(3, API, 240_400, 0.9, 4010),
            Statement { total_ms: 47_200.0, ..entry(HOT, API, 9060, 4.0, 98_000) },
            entry(5, REPORTING, 1, 38.0, 0),
            entry(6, ONCALL, 402, 5.0, 0),
        ],
    )
}
