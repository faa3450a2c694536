//! Work on the shop's server that tells how far it is: one of each kind, in two databases.

use pgtriage::model::progress::figures::{Analyze, Backup, Copy, IndexBuild, Rewrite, Vacuum};
use pgtriage::model::progress::{Place, Progress, Running, Work};
use pgtriage::model::session::{Session, Sessions, Wait};

use super::locks;

/// An autovacuum worker that prevents wraparound.
pub const WRAPAROUND: i32 = 6001;
/// A CREATE INDEX CONCURRENTLY that waits for the transaction of [`locks::ROOT`].
pub const BUILD: i32 = 6100;
/// The walsender of a base backup.
pub const BACKUP: i32 = 6200;
/// A COPY in another database.
pub const COPY: i32 = 6300;
/// A VACUUM FULL.
pub const REWRITE: i32 = 6400;
/// An ANALYZE behind [`locks::ROOT`].
pub const ANALYZE: i32 = 6500;

/// What `pid` is at for so many seconds.
pub fn at_work(pid: i32, work: Work, phase: &str, seconds: f64) -> Progress {
    Progress {
        pid,
        backend_start: locks::key(pid).backend_start,
        database: Some("shop".into()),
        relation: Some(place(16_412, "orders")),
        index: None,
        command: None,
        phase: Some(phase.to_owned()),
        work,
        hidden: false,
        auto: false,
        wraparound: false,
        age_s: Some(seconds),
        wait: None,
        blocked_by: Vec::new(),
        pace: None,
    }
}

/// A vacuum of `ledger` that scanned so many of its blocks.
pub fn wraparound(scanned: i64) -> Progress {
    let figures = Vacuum {
        heap_blks_total: 1_146_000,
        heap_blks_scanned: scanned,
        index_vacuum_count: 2,
        max_dead_tuple_bytes: Some(64 << 20),
        dead_tuple_bytes: Some(12 << 20),
        num_dead_item_ids: Some(310_000),
        indexes_total: Some(0),
        indexes_processed: Some(0),
        delay_time: Some(1_200_000.0),
        ..Vacuum::default()
    };
    Progress {
        auto: true,
        wraparound: true,
        relation: Some(place(16_460, "ledger")),
        wait: Some(wait("Timeout", "VacuumDelay")),
        ..at_work(WRAPAROUND, Work::Vacuum(figures), "scanning heap", 5_400.0)
    }
}

fn place(oid: u32, name: &str) -> Place {
    Place { oid, here: true, name: Some(name.into()) }
}

fn wait(class: &str, event: &str) -> Wait {
    Wait { class: class.to_owned(), event: event.to_owned() }
}

/// One of each kind.
pub fn running() -> Running {
    let lockers =
        IndexBuild { lockers_total: 3, lockers_done: 1, current_locker_pid: locks::ROOT, ..IndexBuild::default() };
    let backup = Backup {
        backup_total: Some(40 << 30),
        backup_streamed: 6_100 << 20,
        tablespaces_total: 1,
        tablespaces_streamed: 0,
    };
    let copy = Copy {
        kind: Some("FILE".to_owned()),
        bytes_processed: 410 << 20,
        bytes_total: 1_000 << 20,
        tuples_processed: 3_100_000,
        ..Copy::default()
    };
    let written = Rewrite { heap_tuples_scanned: 2_000_000, heap_tuples_written: 1_210_000, ..Rewrite::default() };
    let sample = Analyze { sample_blks_total: 30_000, sample_blks_scanned: 7_500, ..Analyze::default() };
    let rows = vec![
        wraparound(711_000),
        Progress {
            command: Some("CREATE INDEX CONCURRENTLY".to_owned()),
            relation: Some(place(16_430, "order_items")),
            index: Some(place(17_002, "order_items_sku")),
            wait: Some(wait("Lock", "virtualxid")),
            blocked_by: vec![locks::ROOT],
            ..at_work(BUILD, Work::CreateIndex(lockers), "waiting for writers before build", 610.0)
        },
        Progress {
            database: None,
            relation: None,
            wait: Some(wait("Timeout", "BaseBackupThrottle")),
            ..at_work(BACKUP, Work::BaseBackup(backup), "streaming database files", 900.0)
        },
        Progress {
            database: Some("crm".into()),
            relation: Some(Place { oid: 16_999, here: false, name: None }),
            command: Some("COPY FROM".to_owned()),
            phase: None,
            wait: Some(wait("IO", "DataFileExtend")),
            ..at_work(COPY, Work::Copy(copy), "", 95.0)
        },
        Progress {
            command: Some("VACUUM FULL".to_owned()),
            relation: Some(place(16_470, "audit.events_2025_11")),
            ..at_work(REWRITE, Work::Cluster(written), "writing new heap", 240.0)
        },
        Progress {
            relation: Some(place(16_440, "carts")),
            ..at_work(ANALYZE, Work::Analyze(sample), "acquiring sample rows", 12.0)
        },
    ];
    Running { rows, hidden: 0 }
}

/// The sessions that do it.
pub fn sessions() -> Sessions {
    let worker = Session {
        query: "autovacuum: VACUUM public.ledger (to prevent wraparound)".into(),
        xact_s: Some(5_400.0),
        query_s: Some(5_400.0),
        ..locks::background(WRAPAROUND, "autovacuum worker")
    };
    let sql = "CREATE INDEX CONCURRENTLY order_items_sku ON order_items (sku)";
    locks::calm_but(vec![
        locks::root(),
        worker,
        locks::behind(locks::session(BUILD, 610.0, sql), &[locks::ROOT], "virtualxid", "ShareLock"),
        Session { query: "BASE_BACKUP".into(), ..locks::background(BACKUP, "walsender") },
        Session {
            database: Some("crm".into()),
            ..locks::session(COPY, 95.0, "COPY contacts FROM '/srv/contacts.csv'")
        },
        locks::session(REWRITE, 240.0, "VACUUM FULL audit.events_2025_11"),
        locks::session(ANALYZE, 12.0, "ANALYZE carts"),
    ])
}
