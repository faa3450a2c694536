//! A story for each kind of finding: on a server that is well one thing goes wrong, and that is what is found.
//!
//! Without its rule each of them fails: nothing else finds that kind.

use std::collections::BTreeSet;
use std::time::Duration;

use pgtriage::app::part::Part as List;
use pgtriage::command::{Command, Tab};
use pgtriage::diagnose::health::ItemKey;
use pgtriage::diagnose::{Kind, Severity};
use pgtriage::model::activity::{
    Activity, Holder, Limited, Part, Partitioned, PreparedTransaction, Subscription, WalDirectory,
};
use pgtriage::model::health::State;
use pgtriage::model::index::{Builder, Indexes};
use pgtriage::model::panel::{PanelAnswer, Reading};
use pgtriage::model::relation::{Barrier, BloatEstimate, Relation, Relations};
use pgtriage::model::replica::{Replica, Replication, Slot, Standby};
use pgtriage::model::server::Server;
use pgtriage::model::session::{Prepared, Session, State as SessionState, Wait};
use pgtriage::model::world::{LinkFacts, Tls};
use pgtriage::model::{Cadence, Link, ProbeError, Question, Snapshot, Tone};

use super::health::{crowded, green, no_redis, not_ready, queue};
use crate::stage::{Stage, activity, alerts, cache, charts, indexes, locks, replication, server, tables};

/// A kind, what goes wrong, how bad that is, and words of the fact.
pub type Story = (Kind, fn(&mut Stage), Severity, &'static str);

use Severity::{Critical, Notice, Warning};

pub const STORIES: &[Story] = &[
    (Kind::ServerLost, lose, Critical, "no connection to db1:5432 for 8.0s"),
    (Kind::NoAnswer, hang, Critical, "does not say who is connected, for 10s"),
    (Kind::Restarted, restarts, Warning, "the server restarted 13s ago (it had been up 12d)"),
    (Kind::Blocker, pile_up, Critical, "4711 idle in transaction 12m blocks 37 sessions, longest 11m"),
    (Kind::Queue, pile_up, Critical, "5120 only waits for AccessExclusive on orders, and 35 sessions queue behind it"),
    (Kind::IdleTransaction, idle, Warning, "4711 idle in transaction 6m"),
    (Kind::LongTransaction, batch, Notice, "1 session of a transaction open over 15m, oldest 6000 for 33m"),
    (
        Kind::Horizon,
        horizon,
        Warning,
        "4711 idle in transaction holds the horizon for 12m: vacuum removes no row of 1 table",
    ),
    (Kind::SlowStatements, slow, Warning, "4 statements run longer than 30s, longest 6003 for 1m"),
    (Kind::BusyStatements, busy, Warning, "12 statements run longer than 5.0s, longest 17s"),
    (
        Kind::Connections,
        exhausted,
        Critical,
        "97 of 97 connections are taken (100 %), none is left for an ordinary role",
    ),
    (
        Kind::ConnectionLimit,
        limited,
        Critical,
        "role shop: 10 of its 10 connections are taken (CONNECTION LIMIT), the next one is refused",
    ),
    (
        Kind::Latency,
        |s| charts::figures_of(s, "p95", |_| Some(4.1)),
        Warning,
        "p95 latency 4.1 s (limit 2.0 s), ×82 the baseline (50 ms, simple-crud)",
    ),
    (
        Kind::Errors,
        |s| charts::figures_of(s, "error-ratio", |_| Some(0.08)),
        Critical,
        "8.0% of the answers are errors",
    ),
    (
        Kind::HitRatio,
        |s| charts::figures_of(s, "cache-hit-ratio", |_| Some(0.66)),
        Warning,
        "cache hits 66.0% (limit 70.0%), −24 pts from the baseline (90.0%, simple-crud)",
    ),
    (Kind::Pool, waiting, Warning, "pool: 90.0% in use, 4 requests wait for a connection"),
    (
        Kind::Memory,
        |s| charts::figures_of(s, "memory", |x| Some(4e8 + x * 4e8)),
        Warning,
        "memory of the service grows by 1.5 GB an hour",
    ),
    (Kind::MemoryShort, |s| in_use(s, |x| 0.7 + x * 0.27), Warning, "db1:9100: 97 % of its memory is in use"),
    (
        Kind::ProcessorShort,
        short_of_cores,
        Warning,
        "97 % of its cores are in use, and somebody waits for one 62 % of the time",
    ),
    (Kind::IoWaits, short_of_disks, Warning, "somebody waits for I/O 80 % of the time, with it 6 of 6 active sessions"),
    (Kind::TargetDown, target_down, Warning, "Prometheus cannot read app-2:8080 of job fraiseql"),
    (
        Kind::SyncWait,
        unconfirmed,
        Critical,
        "3 sessions have committed here and wait for a synchronous standby, longest statement 50s",
    ),
    (Kind::ReplicaGone, gone, Warning, "replica-2 vanished"),
    (Kind::ReplicaLag, lag, Critical, "replica-3 is 3.0 GB behind, replays 6m late"),
    (Kind::SlotLost, slot_lost, Critical, "slot warehouse has lost its WAL"),
    (Kind::SlotRetains, slot_kept, Warning, "slot warehouse has no reader and retains 14 GB"),
    (
        Kind::ReplayPaused,
        |s| standby(s, |own| own.paused = true),
        Warning,
        "replay is paused on this standby: 40 MB received",
    ),
    (
        Kind::StandbyBehind,
        |s| standby(s, |own| own.receiver = None),
        Critical,
        "this standby receives nothing: its last transaction is 3m old",
    ),
    (
        Kind::AutovacuumOff,
        |s| relations(s, Relations { autovacuum: false, ..tables::calm() }),
        Warning,
        "autovacuum is off for the whole server",
    ),
    (
        Kind::DeadRows,
        |s| relations(s, tables::calm_but(churned())),
        Warning,
        "carts: 77 % dead rows (41k), autovacuum is due and has not come",
    ),
    (Kind::Bloat, wasteful, Notice, "events wastes about 3.0 GB (75 % of its file)"),
    (
        Kind::InvalidIndex,
        |s| s.index_wrong(indexes::LEFTOVER),
        Warning,
        "index orders_created_ccnew is INVALID, and nobody builds it",
    ),
    (
        Kind::DuplicateIndex,
        |s| s.index_wrong(indexes::DUPLICATE),
        Notice,
        "index orders_customer_2 (96 MB) is the same as orders_customer",
    ),
    (
        Kind::UnusedIndex,
        |s| s.index_wrong(indexes::UNUSED),
        Notice,
        "index orders_note (1.4 GB) has had no scan in 12d",
    ),
    (
        Kind::MissingIndex,
        scanned,
        Notice,
        "events (1.6 GB) is read from end to end: 1.6G rows a minute by sequential scans",
    ),
    (Kind::Wraparound, old, Warning, "database shop: transaction ids are 1.5G old, 70 % of the way to the stop"),
    (Kind::Alert, |s| alerts::others(s, "DiskFull"), Warning, "alert DiskFull fires"),
    (Kind::Service, not_ready, Critical, "app-1:8000 is failing for 12s: 503 not_ready: database failed: couldn't get"),
    (Kind::BlindHealth, green, Warning, "app-1:8000 answers 200, and the database has been gone for 8.0s"),
    (Kind::Dependency, no_redis, Warning, "redis is down for 0.0s: connection refused"),
    (Kind::PoolerQueue, queue, Warning, "31 clients wait at pgbouncer for shop/shop_api, the first for 7.2s: "),
    (Kind::PoolerClients, crowded, Warning, "pgbouncer has 190 clients of 200"),
    (
        Kind::Archive,
        |s| activity::minute(s, refuses),
        Warning,
        "the archive refuses WAL: 9 attempts failed, the last 5.0s ago on 000000010000000300000061",
    ),
    (Kind::WalKept, |s| activity::minute(s, swells), Warning, "pg_wal holds 4.4 GB, 3.4 GB more than the settings ask"),
    (
        Kind::Checkpoints,
        |s| activity::minute(s, |look, n| look.checkpoints.requested += n),
        Warning,
        "checkpoints come every 10s, 6 of the last 6 by force, not by time",
    ),
    (
        Kind::TempFiles,
        |s| activity::minute(s, spills),
        Notice,
        "temporary files: 354 MB a minute in the last 1m, 12 files, most in database shop",
    ),
    (
        Kind::Deadlocks,
        |s| activity::minute(s, |look, n| activity::shop(look).deadlocks += n),
        Notice,
        "6 deadlocks in the last 1m, most in database shop",
    ),
    (Kind::Conflicts, |s| activity::minute(s, cancels), Warning, "replay cancelled 18 queries here in the last 1m"),
    (
        Kind::Disk,
        |s| charts::figures_of(s, "disk-free", |x| Some(3e9 - x * 1e9)),
        Critical,
        "is full at 03:44Z (in 30m) at this rate, 1.9 GB left",
    ),
    (Kind::ExporterBlind, blind, Warning, "postgres_exporter cannot reach the server, which answers us"),
    (Kind::Waits, jump, Notice, "10 sessions wait on IO:DataFileRead, where 1 did before"),
    (
        Kind::Prepared,
        |s| activity::minute(s, |look, _| look.prepared = Part::Read(vec![forgotten()])),
        Warning,
        "transaction tx'42 was prepared 3h ago and not ended",
    ),
    (
        Kind::Subscription,
        |s| activity::minute(s, |look, n| look.subscriptions = Part::Read(vec![subscription(n)])),
        Warning,
        "subscription warehouse fails: 6 errors within five minutes",
    ),
    (
        Kind::CacheBacklog,
        |s| s.take(Question::CacheTable, Ok(Snapshot::CacheTable(cache::read()))),
        Notice,
        "cache table fraiseql_cache: 31k of 48k rows have expired (64 %)",
    ),
    (
        Kind::Partitions,
        |s| activity::minute(s, |look, _| look.partitioned = Part::Read(vec![partitioned(3, Some(2.5 * 86_400.0))])),
        Notice,
        "the last partition of public.tb_error_occurrence ends in 2d",
    ),
    (Kind::OwnCost, costly, Notice, "our own questions take 20 % of one server process's time"),
    (Kind::Gap, gap, Notice, "nothing was seen for 2m in the last half hour"),
];

pub fn sessions(stage: &mut Stage, rows: Vec<Session>) {
    stage.see(locks::calm_but(rows));
}

/// The same sessions for over a minute.
pub fn sessions_for(stage: &mut Stage, rows: &[Session]) {
    for _ in 0..18 {
        sessions(stage, rows.to_vec());
        stage.pass(4_000);
    }
    sessions(stage, rows.to_vec());
}

/// All cores of the server's host are in use, and somebody waits for one.
pub fn short_of_cores(stage: &mut Stage) {
    charts::figures_of(stage, "cpu-used", |x| Some(if x > 0.75 { 0.97 } else { 0.3 }));
    charts::figures_of(stage, "cpu-waiting", |_| Some(0.62));
}

/// The server's host waits for its disks, and sessions with it.
pub fn short_of_disks(stage: &mut Stage) {
    let wait = Wait { class: "IO".to_owned(), event: "DataFileRead".to_owned() };
    let reads = (0..6).map(|i| Session { wait: Some(wait.clone()), ..locks::session(6_000 + i, 0.2, "SELECT 1") });
    sessions_for(stage, &reads.collect::<Vec<_>>());
    charts::figures_of(stage, "io-waiting", |_| Some(0.8));
}

pub fn relations(stage: &mut Stage, relations: Relations) {
    let question = Question::Relations { database: None, order: relations.order };
    stage.take(question, Ok(Snapshot::Relations(Box::new(relations))));
}

pub fn replicated(stage: &mut Stage, replication: Replication) {
    stage.take(Question::Replication, Ok(Snapshot::Replication(Box::new(replication))));
}

pub fn lose(stage: &mut Stage) {
    let link = Link::Connecting {
        place: "db1:5432".to_owned(),
        since: stage.now(),
        attempt: 3,
        last_error: Some("connection refused".to_owned()),
        retry_at: Some(stage.now() + Duration::from_secs(12)),
    };
    stage.event(pgtriage::message::Event::Link(link));
    stage.wait(8);
}

pub fn hang(stage: &mut Stage) {
    stage.take(Question::Sessions, Err(ProbeError::TimedOut(2)));
    stage.wait(10);
}

pub fn pile_up(stage: &mut Stage) {
    stage.see(locks::pile_up());
}

/// Three commits wait for a standby that nobody has connected.
pub fn unconfirmed(stage: &mut Stage) {
    replicated(stage, Replication { sync_names: Some("nobody".into()), ..Replication::default() });
    sessions(stage, (0..3).map(|i| locks::unconfirmed(6_000 + i, 50.0 - f64::from(i))).collect());
}

pub fn idle(stage: &mut Stage) {
    sessions(stage, vec![Session { xact_s: Some(400.0), state_s: Some(399.0), ..locks::root() }]);
}

pub fn batch(stage: &mut Stage) {
    sessions(stage, vec![Session { xact_s: Some(2_000.0), ..locks::session(6_000, 3.0, "UPDATE carts SET x = 1") }]);
}

/// The exporter's metrics are gone, and its `pg_up` is 0.
pub fn blind(stage: &mut Stage) {
    let says = Some("postgres_exporter cannot reach its server (pg_up is 0)".to_owned());
    charts::give(stage, "connections", Ok(PanelAnswer { unmeasured: says, ..charts::answer(Reading::NoSeries) }));
}

/// For four minutes one session reads from the disk, then ten do.
pub fn jump(stage: &mut Stage) {
    let wait = Wait { class: "IO".to_owned(), event: "DataFileRead".to_owned() };
    for look in 0..70 {
        let reading = if look < 66 { 1 } else { 10 };
        let rows =
            (0..reading).map(|i| Session { wait: Some(wait.clone()), ..locks::session(6_000 + i, 0.2, "SELECT 1") });
        sessions(stage, rows.collect());
        stage.pass(4_000);
    }
}

/// A transaction that was prepared three hours ago.
pub fn forgotten() -> PreparedTransaction {
    let (gid, owner, database) = ("tx'42".into(), "shop".into(), "shop".into());
    PreparedTransaction { gid, exact: true, owner, database, age_s: 11_000.0, xid: None, xid_age: None }
}

/// A subscription that runs, after so many errors.
pub fn subscription(errors: i64) -> Subscription {
    Subscription {
        oid: 17_000,
        name: "warehouse".into(),
        database: "shop".into(),
        enabled: true,
        worker: Some(7_100),
        heard_s: Some(0.4),
        apply_errors: Some(errors),
        sync_errors: Some(0),
        ..Subscription::default()
    }
}

/// A table of error tracking.
pub fn partitioned(partitions: i64, ends_s: Option<f64>) -> Partitioned {
    let (schema, name) = ("public".into(), "tb_error_occurrence".into());
    Partitioned { oid: 17_100, schema, name, partitions, ends_s, endless: false }
}

/// So much of the memory of the server's host is in use.
pub fn in_use(stage: &mut Stage, f: fn(f64) -> f64) {
    charts::give(stage, "memory-used", Ok(charts::values(vec![charts::series("db1:9100", |x| Some(f(x)))])));
}

/// The kernel of the server's host has ended so many processes since its boot.
pub fn ended(stage: &mut Stage, f: fn(f64) -> f64) {
    charts::give(stage, "oom-kills", Ok(charts::values(vec![charts::series("db1:9100", |x| Some(f(x)))])));
}

/// The archive has refused everything for a while.
pub fn refuses(look: &mut Activity, n: i64) {
    look.archiver.failed += n;
    look.archiver.last_failed = Some("000000010000000300000061".to_owned());
    (look.archiver.last_failed_s, look.archiver.last_archived_s) = (Some(5.0), Some(3000.0));
}

/// The directory of the WAL grows by 640 MB each ten seconds.
pub fn swells(look: &mut Activity, n: i64) {
    look.wal_directory = look.wal_directory.map(|w| WalDirectory { bytes: w.bytes + (n << 20) * 640, ..w });
}

/// Two files of 32 MB each ten seconds.
pub fn spills(look: &mut Activity, n: i64) {
    activity::shop(look).temp_files += n * 2;
    activity::shop(look).temp_bytes += n << 26;
}

/// On a standby replay cancels three queries each ten seconds.
pub fn cancels(look: &mut Activity, n: i64) {
    look.in_recovery = true;
    activity::shop(look).conflicts.snapshot += 2 * n;
    activity::shop(look).conflicts.lock += n;
}

/// A table that is due for a vacuum, more than half of it dead.
pub fn churned() -> Relation {
    tables::table(16_440, "carts", 12_000, 41_000)
}

pub fn horizon(stage: &mut Stage) {
    let held = Session { xid: None, xmin_age: Some(18_000), ..locks::root() };
    sessions(stage, vec![held]);
    relations(stage, tables::calm_but(Relation { autovacuum_s: Some(20.0), ..churned() }));
}

pub fn slow(stage: &mut Stage) {
    let rows = (0..4).map(|i| locks::session(6_000 + i, 31.0 + f64::from(i) * 20.0, "SELECT pg_sleep(1800)"));
    sessions(stage, rows.collect());
}

pub fn busy(stage: &mut Stage) {
    let wait = Wait { class: "IO".to_owned(), event: "DataFileRead".to_owned() };
    let rows = (0..12).map(|i| Session {
        wait: Some(wait.clone()),
        ..locks::session(6_000 + i, 6.0 + f64::from(i), "SELECT * FROM orders")
    });
    sessions(stage, rows.collect());
}

pub fn exhausted(stage: &mut Stage) {
    // Of 97 that ordinary roles can have six are the service's, and two our own.
    let rows = (0..89).map(|i| Session { application: "batch-import".into(), ..locks::idle(6_000 + i, 300.0) });
    sessions(stage, rows.collect());
}

/// A limit of a role or a database.
pub fn limit_of(holder: Holder, name: &str, limit: i64) -> Limited {
    Limited { holder, name: name.into(), exact: true, limit }
}

/// These limits are set, and the server is looked at.
pub fn with_limits(stage: &mut Stage, limited: Vec<Limited>) {
    activity::take(stage, Activity { limited: Part::Read(limited), ..activity::look(10) });
}

/// The service's role may have ten connections, and has them.
pub fn limited(stage: &mut Stage) {
    with_limits(stage, vec![limit_of(Holder::Role, "shop", 10)]);
    sessions(stage, service(10));
}

/// So many connections of the service, with those that a calm server has.
fn service(count: i32) -> Vec<Session> {
    let there = locks::calm().rows.iter().filter(|s| s.is_client() && s.user == Some("shop".into())).count();
    let more = count - i32::try_from(there).unwrap();
    (0..more).map(|i| locks::idle(6_000 + i, 300.0)).collect()
}

/// The server is gone for eight seconds, and answers again three seconds after its start.
pub fn restarts(stage: &mut Stage) {
    lose(stage);
    stage.event(pgtriage::message::Event::Link(Link::Up(LinkFacts {
        place: "db1:5432".to_owned(),
        tls: Tls::Verified,
        pooled: false,
        since: stage.now(),
    })));
    again(stage, "2025-11-24 03:14:13+00", 3.0);
    stage.see_again();
    stage.wait(10);
}

/// The server says since when it runs.
fn again(stage: &mut Stage, started: &str, uptime_s: f64) {
    let server = Server { started: started.to_owned(), uptime_s, ..server() };
    stage.take(Question::Server, Ok(Snapshot::Server(Box::new(server))));
}

fn waiting(stage: &mut Stage) {
    charts::figures_of(stage, "pool", |_| Some(0.9));
    charts::figures_of(stage, "requests-waiting", |_| Some(4.0));
}

fn target_down(stage: &mut Stage) {
    let targets = vec![charts::target("fraiseql", "app-2:8080", "connection refused")];
    stage.take(Question::Targets, Ok(Snapshot::Targets(targets)));
}

pub fn gone(stage: &mut Stage) {
    let mut both = replication::calm();
    both.replicas.push(replication::replica("replica-2", 7_022, 0));
    replicated(stage, both);
    replicated(stage, replication::calm());
}

pub fn lag(stage: &mut Stage) {
    let mut behind = replication::calm();
    behind.replicas.push(replication::replica("replica-3", 7_023, 3 << 30));
    replicated(stage, behind);
}

pub fn slot_kept(stage: &mut Stage) {
    let mut kept = replication::calm();
    let slot = replication::slot("warehouse", false, 14 << 30);
    kept.slots.push(Slot { kind: "logical".to_owned(), ..slot });
    replicated(stage, kept);
}

fn slot_lost(stage: &mut Stage) {
    let mut lost = replication::calm();
    let slot = replication::slot("warehouse", false, 0);
    lost.slots.push(Slot { retained: None, wal_status: Some("lost".to_owned()), ..slot });
    replicated(stage, lost);
}

fn standby(stage: &mut Stage, change: impl FnOnce(&mut Standby)) {
    let mut own = Standby {
        paused: false,
        receive_lsn: Some("3/E0000000".to_owned()),
        replay_lsn: Some("3/DD800000".to_owned()),
        gap: Some(40 << 20),
        lag_s: Some(0.2),
        last_replay_s: Some(200.0),
        receiver_hidden: false,
        receiver: Some("streaming".to_owned()),
        sender: Some("db1".into()),
        sender_port: Some(5432),
        slot: Some("replica_1".into()),
        heard_s: Some(0.3),
    };
    change(&mut own);
    let standby = Replication { replicas: Vec::new(), slots: Vec::new(), standby: Some(own), ..replication::calm() };
    replicated(stage, standby);
}

pub fn wasteful(stage: &mut Stage) {
    let estimate = BloatEstimate { real_bytes: 4 << 30, wasted_bytes: 3 << 30, complete: true };
    let events = Relation { bloat: Some(estimate), ..tables::table(16_450, "events", 8_000_000, 0) };
    relations(stage, tables::calm_but(events));
}

pub fn scanned(stage: &mut Stage) {
    let events = tables::table(16_450, "events", 8_000_000, 0);
    relations(stage, tables::calm_but(events.clone()));
    stage.wait(120);
    let later = Relation { seq_scan: events.seq_scan + 400, seq_rows: events.seq_rows + 400 * 8_000_000, ..events };
    relations(stage, tables::calm_but(later));
}

pub fn old(stage: &mut Stage) {
    let mut databases = tables::calm();
    databases.databases[0].xid_age = 1_500_000_000;
    relations(stage, databases);
}

pub fn costly(stage: &mut Stage) {
    // For so long that it is no longer the questions of the start.
    for _ in 0..35 {
        stage.pass(960);
        let took = Duration::from_millis(200);
        stage.event(pgtriage::message::Event::Sample(pgtriage::model::Sample {
            question: Question::Sessions,
            at: stage.now(),
            took,
            answer: Ok(Snapshot::Sessions(locks::calm())),
        }));
        stage.pass(40);
    }
}

fn gap(stage: &mut Stage) {
    stage.wait(150);
    let then = stage.now();
    stage.see(locks::calm());
    assert!(stage.now() > then);
}

#[test]
fn a_server_that_is_well_has_no_finding_and_one_line_that_says_what_was_looked_at() {
    let mut stage = Stage::calm();
    assert_eq!(stage.kinds(), []);
    assert_eq!(stage.app.triage.diagnosis.unchecked, []);
    stage.press("1");
    let screen = stage.wide();
    assert!(screen.contains("✓ nothing is wrong with what was looked at: 9 sessions and their locks"), "{screen}");
    assert!(screen.contains("2 tables and 4 indexes of shop · 1 standby, 1"), "{screen}");
    assert!(!screen.contains('‼'), "{screen}");
}

#[test]
fn each_kind_is_found_where_it_is_and_only_there() {
    for (kind, go_wrong, severity, words) in STORIES {
        let mut stage = Stage::calm();
        go_wrong(&mut stage);
        let finding = stage.finding(*kind);
        assert!(finding.fact.contains(words), "{kind:?}: {}", finding.fact);
        assert_eq!(finding.severity, *severity, "{kind:?}: {}", finding.fact);
        assert!(!finding.evidence.is_empty() && !finding.todo.is_empty(), "{finding:#?}");
        assert!(finding.since.is_some_and(|since| since <= stage.now()), "{finding:#?}");
    }
}

#[test]
fn every_kind_has_its_story() {
    let told: BTreeSet<Kind> = STORIES.iter().map(|s| s.0).collect();
    let untold: Vec<&Kind> = Kind::ALL.iter().filter(|k| !told.contains(k)).collect();
    assert!(untold.is_empty(), "{untold:?}");
}

#[test]
fn what_helps_a_blocker_follows_from_what_it_does() {
    let with = |root: Session| {
        let waiter = locks::behind(
            locks::session(4_802, 90.0, "UPDATE orders SET x = 1"),
            &[root.pid],
            "transactionid",
            "ShareLock",
        );
        let mut stage = Stage::calm();
        sessions(&mut stage, vec![root, waiter]);
        let finding = stage.finding(Kind::Blocker).clone();
        (finding.action, finding.todo)
    };
    let (action, todo) = with(locks::root());
    assert_eq!(action, Some(Command::TerminateBackend));
    assert!(todo.contains("cancel cannot help an idle session"), "{todo}");
    let (action, todo) = with(locks::session(4_711, 95.0, "UPDATE orders SET x = 2"));
    assert_eq!(
        (action, todo.starts_with("cancel its statement (frees 1")),
        (Some(Command::CancelBackend), true),
        "{todo}"
    );
    let mut worker = locks::background(4_711, "autovacuum worker");
    worker.query = "autovacuum: VACUUM public.orders (to prevent wraparound)".into();
    let (action, todo) = with(worker);
    assert_eq!((action, todo.contains("prevents wraparound: let it end")), (None, true), "{todo}");
}

#[test]
fn a_prepared_transaction_that_blocks_is_named_with_the_sql_that_ends_it() {
    let waiter =
        locks::behind(locks::session(4_802, 90.0, "UPDATE orders SET x = 1"), &[0], "transactionid", "ShareLock");
    let mut held = locks::calm_but(vec![waiter]);
    let gid = "tx'42".into();
    held.prepared.push(Prepared {
        gid,
        owner: "shop".into(),
        database: "shop".into(),
        age_s: 700.0,
        waiters: vec![4_802],
        exact: true,
    });
    let mut stage = Stage::calm();
    stage.see(held);
    let finding = stage.finding(Kind::Blocker);
    assert_eq!(finding.remedy.as_deref(), Some("ROLLBACK PREPARED 'tx''42';"));
    assert_eq!(finding.action, None);
    assert!(finding.fact.contains("prepared transaction tx'42 blocks 1 session"), "{}", finding.fact);
}

#[test]
fn of_two_prepared_transactions_each_is_named_with_whom_it_blocks_and_leads_to_its_row() {
    let behind = |pid| locks::behind(locks::session(pid, 90.0, "UPDATE x"), &[0], "transactionid", "ShareLock");
    let mut held = locks::calm_but((0..4).map(|i| behind(4_802 + i)).collect());
    for (gid, waiters) in [("one", vec![4_802]), ("two", vec![4_803, 4_804, 4_805])] {
        let (owner, database) = ("shop".into(), "shop".into());
        held.prepared.push(Prepared { gid: gid.into(), owner, database, age_s: 700.0, waiters, exact: true });
    }
    let mut stage = Stage::calm();
    stage.see(held);
    let found: Vec<_> =
        stage.app.triage.diagnosis.findings.iter().filter(|f| f.kind() == Kind::Blocker).cloned().collect();
    let told: Vec<_> = found.iter().map(|f| (f.fact.as_str(), f.remedy.as_deref().unwrap())).collect();
    assert_eq!(
        told,
        [
            ("prepared transaction two blocks 3 sessions, longest 1m", "ROLLBACK PREPARED 'two';"),
            ("prepared transaction one blocks 1 session, longest 1m", "ROLLBACK PREPARED 'one';"),
        ]
    );
    stage.press("1 Enter");
    assert_eq!(stage.app.tab, Tab::Locks);
    let current = stage.app.locks.current().map(|row| row.key.clone());
    assert_eq!(current, Some(pgtriage::app::tab::locks::LockKey::Prepared("two".into())));
}

#[test]
fn an_idle_session_that_holds_a_lock_of_its_own_is_named_as_that() {
    let holder = locks::idle(4_711, 90.0);
    let waiter = locks::behind(locks::session(4_802, 60.0, "SELECT 1"), &[4_711], "advisory", "ExclusiveLock");
    let mut stage = Stage::calm();
    sessions(&mut stage, vec![holder, waiter]);
    let finding = stage.finding(Kind::Blocker);
    assert_eq!(finding.action, Some(Command::TerminateBackend));
    assert!(finding.todo.starts_with("it holds a lock of its session, without a transaction"), "{}", finding.todo);
}

#[test]
fn a_commit_that_waits_for_a_standby_is_no_slow_statement_and_offers_no_cancel() {
    let mut stage = Stage::calm();
    unconfirmed(&mut stage);
    assert!(!stage.kinds().contains(&Kind::SlowStatements), "{:?}", stage.kinds());
    let finding = stage.finding(Kind::SyncWait);
    assert_eq!(finding.action, None);
    assert!(
        finding.evidence.starts_with("synchronous_standby_names = nobody, and no standby is connected"),
        "{}",
        finding.evidence
    );
    assert!(finding.remedy.as_deref().is_some_and(|sql| sql.contains("synchronous_standby_names = ''")));
    // One that is connected, and slow: nobody is to be taken out.
    let slow = Replica { sync_state: Some("sync".to_owned()), ..replication::replica("replica-1", 7_021, 0) };
    let world = Replication { replicas: vec![slow], sync_names: Some("replica-1".into()), ..Replication::default() };
    replicated(&mut stage, world);
    let finding = stage.finding(Kind::SyncWait);
    assert!(finding.evidence.contains("synchronous now: replica-1"), "{}", finding.evidence);
    assert!(finding.todo.starts_with("look at replica-1"), "{}", finding.todo);
    assert_eq!(finding.remedy, None);
    // Who blocks others meanwhile has nothing to lose, and is not to be cancelled.
    let waiter = locks::behind(locks::session(4_802, 60.0, "SELECT 1"), &[6_000], "transactionid", "ShareLock");
    sessions(&mut stage, vec![locks::unconfirmed(6_000, 50.0), waiter]);
    let finding = stage.finding(Kind::Blocker);
    assert_eq!(finding.action, None);
    assert!(finding.todo.starts_with("it has committed here and holds its locks"), "{}", finding.todo);
}

#[test]
fn what_is_expected_to_run_for_long_is_not_slow_and_its_transaction_is_still_told() {
    for query in [
        "COPY public.orders TO stdout",
        "/* nightly */ create unique index on orders (id)",
        "REFRESH MATERIALIZED VIEW m",
    ] {
        let mut stage = Stage::calm();
        sessions(&mut stage, vec![locks::session(6_000, 600.0, query)]);
        assert_eq!(stage.kinds(), [], "{query}");
        sessions(&mut stage, vec![locks::session(6_000, 2_000.0, query)]);
        assert_eq!(stage.kinds(), [Kind::LongTransaction], "{query}");
    }
}

#[test]
fn multixact_ids_are_held_to_their_own_age() {
    let told = |xid_age: i64, mxid_age: i64| {
        let mut stage = Stage::calm();
        let mut all = tables::calm();
        let database = &mut all.databases[0];
        (database.xid_age, database.mxid_age) = (xid_age, mxid_age);
        (database.xid_forced_at, database.mxid_forced_at) = (Some(200_000_000), Some(400_000_000));
        relations(&mut stage, all);
        let found = stage.app.triage.diagnosis.findings.iter();
        found.map(|f| (f.severity, f.fact.clone(), f.evidence.clone())).collect::<Vec<_>>()
    };
    assert_eq!(told(100_000_000, 500_000_000), []);
    let found = told(100_000_000, 900_000_000);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].0, found[0].1.contains("multixact ids are 900M old")), (Warning, true), "{found:?}");
    assert!(found[0].2.ends_with("a vacuum is forced at 400M"), "{found:?}");
    let found = told(320_000_000, 350_000_000);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].1.contains("transaction ids are 320M old") && found[0].2.ends_with("forced at 200M"), "{found:?}");
    assert_eq!(told(1_500_000_000, 1_500_000_000).len(), 2, "each is named");
}

#[test]
fn a_wait_of_a_moment_is_traffic_and_a_blocker_is_not_also_an_idle_transaction() {
    let mut stage = Stage::calm();
    let moment = locks::behind(locks::session(4_802, 0.4, "UPDATE x"), &[6_000], "transactionid", "ShareLock");
    sessions(&mut stage, vec![locks::session(6_000, 0.5, "UPDATE x"), moment]);
    assert_eq!(stage.kinds(), []);
    pile_up(&mut stage);
    assert!(!stage.kinds().contains(&Kind::IdleTransaction), "{:?}", stage.kinds());
}

fn barrier(pid: Option<i32>, others: i64) -> Barrier {
    Barrier { pid, mode: "ShareUpdateExclusiveLock".to_owned(), others }
}

#[test]
fn the_reason_why_autovacuum_does_not_help_is_the_tables_own() {
    let reason = |change: fn(&mut Relations)| {
        let mut stage = Stage::calm();
        let mut all = tables::calm_but(churned());
        change(&mut all);
        relations(&mut stage, all);
        stage.finding(Kind::DeadRows).fact.clone()
    };
    let off = reason(|all| all.rows.last_mut().unwrap().autovacuum_on = false);
    assert!(off.contains("autovacuum is off for it"), "{off}");
    let locked = reason(|all| all.rows.last_mut().unwrap().locked = true);
    assert!(locked.contains("a lock on the table keeps vacuum out"), "{locked}");
    let unseen = reason(|all| all.rows.last_mut().unwrap().barred = Some(barrier(Some(4_802), 1)));
    assert!(unseen.ends_with("a lock of 4802 and 1 other keeps vacuum out"), "{unseen}");
    let prepared = reason(|all| all.rows.last_mut().unwrap().barred = Some(barrier(None, 0)));
    assert!(prepared.ends_with("a lock of a prepared transaction keeps vacuum out"), "{prepared}");
    let busy = reason(|all| all.vacuums = vec![tables::relations().vacuums.remove(0); 3]);
    assert!(busy.contains("all 3 autovacuum workers are busy elsewhere"), "{busy}");
    let works = reason(|all| {
        all.vacuums = tables::relations().vacuums;
        all.vacuums[0].oid = 16_440;
    });
    assert!(works.contains("a vacuum works on it for 1m"), "{works}");
    let newer = reason(|all| all.rows.last_mut().unwrap().autovacuum_s = Some(0.8));
    assert!(newer.contains("vacuumed 0.8s ago: they are newer, or were still needed"), "{newer}");
    let mut stage = Stage::calm();
    let young = Session { xact_s: Some(53.0), xmin_age: Some(18_000), ..locks::root() };
    sessions(&mut stage, vec![young]);
    relations(&mut stage, tables::calm_but(Relation { autovacuum_s: Some(0.8), ..churned() }));
    let finding = stage.finding(Kind::DeadRows);
    assert!(finding.fact.contains("vacuumed 0.8s ago in vain: 4711 has an older transaction"), "{}", finding.fact);
    assert_eq!(finding.action, None, "a vacuum would remove nothing");
    let mut stage = Stage::calm();
    horizon(&mut stage);
    let finding = stage.finding(Kind::DeadRows);
    assert!(finding.fact.contains("vacuum in vain: 4711 holds the horizon"), "{}", finding.fact);
    assert_eq!(finding.action, None, "a vacuum would remove nothing");
    assert_eq!(stage.kinds(), [Kind::Horizon, Kind::DeadRows], "the cause goes first");
}

#[test]
fn who_keeps_vacuum_out_by_a_lock_is_named_with_what_ends_it_and_no_vacuum_is_offered() {
    let told = |session: Session| {
        let mut stage = Stage::calm();
        let lock = Barrier { pid: Some(session.pid), mode: "ShareLock".to_owned(), others: 0 };
        sessions(&mut stage, vec![session]);
        relations(&mut stage, tables::calm_but(Relation { barred: Some(lock), ..churned() }));
        let finding = stage.finding(Kind::DeadRows).clone();
        assert_eq!((finding.severity, finding.action), (Warning, None), "{finding:?}");
        assert!(finding.fact.contains("a lock of 6000 keeps vacuum out"), "{}", finding.fact);
        (finding.evidence, finding.todo)
    };
    let (evidence, todo) = told(locks::session(6_000, 40.0, "CREATE INDEX carts_at ON carts (at)"));
    assert!(evidence.starts_with("ShareLock of shop@shop from 10.0.3.7 app=api, active 40s"), "{evidence}");
    assert!(evidence.contains("runs: CREATE INDEX") && evidence.contains("autovacuum begins at"), "{evidence}");
    assert!(todo.starts_with("let what 6000 does end, or cancel it"), "{todo}");
    let idle = Session {
        state: Some(SessionState::IdleInTransaction),
        xmin: None,
        ..locks::session(6_000, 40.0, "ANALYZE carts")
    };
    let (_, todo) = told(Session { xmin_age: None, ..idle });
    assert!(todo.starts_with("end the transaction of 6000, idle in transaction 40s: terminate it"), "{todo}");
}

#[test]
fn where_nothing_is_counted_the_setting_that_is_off_is_named_and_its_silence_is_told() {
    let mut stage = Stage::calm();
    relations(&mut stage, Relations { autovacuum: false, counted: false, ..tables::calm() });
    let finding = stage.finding(Kind::AutovacuumOff);
    assert!(finding.fact.starts_with("track_counts is off for the whole server"), "{}", finding.fact);
    assert_eq!(finding.remedy.as_deref(), Some("ALTER SYSTEM SET track_counts = on; SELECT pg_reload_conf();"));
    let unchecked = &stage.app.triage.diagnosis.unchecked;
    assert!(unchecked.iter().any(|u| u.what == "new dead rows, deadlocks, temporary files"), "{unchecked:#?}");
}

#[test]
fn a_forced_vacuum_that_is_late_by_a_low_limit_is_worth_a_look_and_what_cannot_be_vacuumed_by_hand_says_so() {
    let aged = |xid_age, connectable| {
        let mut stage = Stage::calm();
        let mut all = tables::calm();
        all.databases[0].xid_forced_at = Some(100_000);
        (all.databases[0].xid_age, all.databases[0].connectable) = (xid_age, connectable);
        relations(&mut stage, all);
        let finding = stage.finding(Kind::Wraparound);
        (finding.severity, finding.todo.clone())
    };
    assert_eq!(aged(250_000, true).0, Notice, "two thousand million are left");
    assert_eq!(aged(300_000_000, true).0, Warning);
    assert!(aged(300_000_000, true).1.ends_with("VACUUM them in order of age"));
    assert!(aged(300_000_000, false).1.starts_with("nobody may connect to it"), "{}", aged(300_000_000, false).1);
}

#[test]
fn a_standby_that_replays_one_long_load_is_level_and_one_that_stands_still_is_late() {
    let looks = |gap: i64, moves: bool, commit_s: fn(f64) -> f64| {
        let mut stage = Stage::calm();
        for n in 0..20 {
            let at = f64::from(n) * 2.0;
            standby(&mut stage, |own| {
                (own.gap, own.lag_s, own.last_replay_s) = (Some(gap), Some(commit_s(at)), Some(commit_s(at)));
                own.replay_lsn = Some(format!("3/DD80{:04}", if moves { n } else { 0 }));
            });
            stage.pass(2_000);
        }
        let late = stage.kinds().contains(&Kind::StandbyBehind);
        // The box beside the findings, and the tab, say the same.
        let own = stage.app.triage.diagnosis.health.iter().find(|item| item.key == ItemKey::Standby).unwrap().clone();
        assert_eq!(own.state, Some(if late { State::Degraded } else { State::Ok }), "{own:?}");
        let words = if late { " late" } else { "keeps up" };
        assert!(own.text.ends_with(words), "{}", own.text);
        stage.press("6");
        assert!(stage.wide().contains(&format!("  {} · last replayed commit ", own.text)), "{}", stage.wide());
        late
    };
    let grows = |at: f64| 20.0 + at;
    assert!(!looks(12 << 20, true, grows), "no commit comes, and replay moves with what is loaded");
    assert!(looks(120, false, grows), "it stands still before what has come");
    assert!(!looks(0, false, grows), "nothing has come");
    assert!(looks(12 << 20, true, |_| 50.0), "what it comes to is that old");
    assert!(looks(80 << 20, true, grows), "much waits");
}

/// The finding that says how it is to be a standby, the box, and what is not known as such.
#[test]
fn the_box_of_health_and_the_findings_judge_this_standby_alike() {
    type Change = fn(&mut Standby);
    let states: [(Change, &str, State, Option<Kind>); 12] = [
        (|_| {}, "0.2s behind", State::Ok, None),
        (|own| own.receiver = None, "receives nothing", State::Failing, Some(Kind::StandbyBehind)),
        (
            |own| (own.receiver, own.last_replay_s) = (None, None),
            "receives nothing",
            State::Failing,
            Some(Kind::StandbyBehind),
        ),
        // Fed by restore_command alone.
        (
            |own| (own.receiver, own.last_replay_s, own.lag_s, own.gap) = (None, Some(2.2), None, None),
            "no receiver",
            State::Degraded,
            Some(Kind::StandbyBehind),
        ),
        (|own| own.heard_s = Some(61.0), "hears nothing 1m", State::Failing, Some(Kind::StandbyBehind)),
        (|own| own.paused = true, "replay is paused", State::Degraded, Some(Kind::ReplayPaused)),
        (|own| (own.gap, own.lag_s) = (None, Some(40.0)), "40s late", State::Degraded, Some(Kind::StandbyBehind)),
        (|own| (own.gap, own.lag_s) = (Some(0), Some(40.0)), "keeps up", State::Ok, None),
        // Level with what it has received, but what is that worth?
        (
            |own| (own.heard_s, own.lag_s, own.gap) = (Some(45.0), Some(40.0), Some(0)),
            "hears nothing 45s",
            State::Unknown,
            None,
        ),
        (|own| (own.receiver, own.lag_s) = (Some("waiting".to_owned()), None), "lag unknown", State::Unknown, None),
        (
            |own| (own.receiver, own.receiver_hidden, own.lag_s, own.heard_s) = (None, true, None, None),
            "receiver hidden",
            State::Unknown,
            None,
        ),
        (
            |own| (own.paused, own.receiver) = (true, None),
            "receives nothing",
            State::Failing,
            Some(Kind::StandbyBehind),
        ),
    ];
    for (change, text, state, kind) in states {
        let mut stage = Stage::calm();
        standby(&mut stage, change);
        let health = &stage.app.triage.diagnosis.health;
        let own = health.iter().find(|item| item.key == ItemKey::Standby).unwrap();
        assert_eq!((own.text.as_str(), own.state), (text, Some(state)));
        let found = [Kind::StandbyBehind, Kind::ReplayPaused].into_iter().find(|kind| stage.kinds().contains(kind));
        assert_eq!(found, kind, "{text}");
        if text == "no receiver" {
            let finding = stage.finding(Kind::StandbyBehind);
            assert_eq!(finding.fact, "no WAL receiver runs on this standby; its last transaction is 2.2s old");
            assert!(finding.severity == Notice && finding.todo.starts_with("well where it follows an archive"));
        }
    }
}

#[test]
fn a_standby_that_was_gone_before_the_console_came_is_missed_where_it_is_known_how_many_there_should_be() {
    let mut stage = Stage::with(|setup| setup.watchlist.standbys = Some(2)).up().at_peace();
    let finding = stage.finding(Kind::ReplicaGone);
    assert_eq!(finding.fact, "1 of 2 standbys here: 1 gone before this console came");
    let item = stage.app.triage.diagnosis.health.iter().find(|item| item.key == ItemKey::Standbys).unwrap();
    assert_eq!((item.text.as_str(), item.state), ("1 of 2, 1 missing", Some(State::Degraded)));
    assert_eq!(finding.severity, Warning);
    for _ in 0..8 {
        stage.wait(5);
        replicated(&mut stage, replication::calm());
    }
    assert_eq!(stage.finding(Kind::ReplicaGone).severity, Critical, "no restart takes so long");
    let mut both = replication::calm();
    both.replicas.push(replication::replica("replica-2", 7_022, 0));
    replicated(&mut stage, both);
    assert_eq!(stage.kinds(), []);
    // One that was seen is told by its name, and not twice.
    replicated(&mut stage, replication::calm());
    let found = stage.app.triage.diagnosis.findings.iter().filter(|f| f.kind() == Kind::ReplicaGone);
    assert_eq!(found.map(|f| f.fact.contains("replica-2 vanished")).collect::<Vec<_>>(), [true]);
    let unsaid = Stage::with(|setup| setup.watchlist.standbys = None).up().at_peace();
    let told = unsaid.app.triage.diagnosis.unchecked.iter().any(|u| u.what == "how many standbys there should be");
    assert!(told);
}

#[test]
fn a_standby_whose_replay_stands_still_is_late_however_little_waits() {
    let mut stage = Stage::calm();
    let looks = |stage: &mut Stage, lsn: fn(u32) -> String, bytes| {
        for n in 0..10 {
            stage.pass(5_000);
            let mut all = replication::calm();
            let one = Replica { replay_s: Some(f64::from(n) * 5.0), ..replication::replica("replica-3", 7_023, bytes) };
            all.replicas.push(Replica { replay_lsn: Some(lsn(n)), ..one });
            replicated(stage, all);
        }
        let found = stage.app.triage.diagnosis.findings.iter().find(|f| f.kind() == Kind::ReplicaLag);
        found.map(|f| (f.severity, f.fact.clone()))
    };
    assert_eq!(looks(&mut stage, |n| format!("3/E00000{n:02}"), 900), None, "it moves");
    assert_eq!(looks(&mut stage, |_| "3/E0000000".to_owned(), 0), None, "nothing waits");
    let paused = looks(&mut stage, |_| "3/E0000000".to_owned(), 25_000);
    assert_eq!(paused, Some((Notice, "replica-3 is 24 kB behind, has replayed nothing for 45s".to_owned())));
    let much = looks(&mut stage, |_| "3/E0000000".to_owned(), 2 << 20);
    assert_eq!(much.map(|(severity, _)| severity), Some(Warning));
}

#[test]
fn the_box_of_health_says_that_no_standby_is_synchronous_where_one_is_asked_for() {
    let mut stage = Stage::calm();
    replicated(&mut stage, Replication { sync_names: Some("replica-9".into()), ..replication::calm() });
    let item = stage.app.triage.diagnosis.health.iter().find(|item| item.key == ItemKey::Standbys).unwrap();
    assert_eq!((item.text.as_str(), item.state), ("1 of 1, none sync", Some(State::Degraded)));
}

#[test]
fn the_box_of_health_and_the_list_judge_standbys_as_the_findings_do() {
    let replica = |name: &str, bytes, replay_s| Replica { replay_s, ..replication::replica(name, 7_023, bytes) };
    let hidden = Replica { hidden: true, total: None, ..replica("", 0, None) };
    for (change, text, state, severity) in [
        (replica("replica-3", 3 << 30, Some(412.0)), "2 of 2, 1 behind", State::Failing, Some(Critical)),
        (replica("replica-3", 100 << 20, None), "2 of 2, 1 behind", State::Degraded, Some(Warning)),
        (replica("replica-3", 10 << 20, Some(40.0)), "2 of 2, 1 behind", State::Degraded, Some(Warning)),
        // The pause between two commits, where next to nothing waits.
        (replica("replica-3", 900, Some(40.0)), "2 of 2", State::Ok, None),
        (hidden, "2 of 2, 1 hidden", State::Unknown, None),
    ] {
        let mut stage = Stage::calm();
        let mut all = replication::calm();
        all.replicas.push(change);
        replicated(&mut stage, all);
        let item = stage.app.triage.diagnosis.health.iter().find(|item| item.key == ItemKey::Standbys).unwrap();
        assert_eq!((item.text.as_str(), item.state), (text, Some(state)));
        let found = stage.kinds().contains(&Kind::ReplicaLag).then(|| stage.finding(Kind::ReplicaLag).severity);
        assert_eq!(found, severity, "{text}");
        let row = stage.app.replicas.all().iter().find(|row| row.replica.pid == 7_023).unwrap();
        let tone = severity.map_or(Tone::Plain, Severity::tone);
        assert_eq!(row.tone(), tone, "{text}");
    }
    // A cascade: it is one, and has one.
    let mut stage = Stage::calm();
    standby(&mut stage, |own| own.gap = Some(0));
    let own = stage.app.world().replication.get().unwrap().standby.clone();
    let replicas = vec![replication::replica("replica-9", 7_029, 3 << 30)];
    replicated(&mut stage, Replication { standby: own, replicas, ..replication::calm() });
    let health = &stage.app.triage.diagnosis.health;
    let of = |key| health.iter().find(|item| item.key == key).map(|item| (item.text.as_str(), item.state));
    assert_eq!(of(ItemKey::Standby), Some(("0.2s behind", Some(State::Ok))));
    assert_eq!(of(ItemKey::Standbys), Some(("1 missing, 1 behind", Some(State::Failing))));
}

#[test]
fn a_slot_that_can_still_be_saved_is_not_offered_to_be_dropped() {
    let offered = |status: &str| {
        let mut stage = Stage::calm();
        let mut all = replication::calm();
        all.slots.push(Slot { wal_status: Some(status.to_owned()), ..replication::slot("cdc", false, 9 << 20) });
        replicated(&mut stage, all);
        stage.finding(Kind::SlotLost).remedy.clone()
    };
    assert_eq!(offered("unreserved"), None);
    assert_eq!(offered("lost").as_deref(), Some("SELECT pg_drop_replication_slot('cdc');"));
}

#[test]
fn who_waits_for_a_time_that_the_server_does_not_tell_is_blocked_all_the_same() {
    let mut stage = Stage::calm();
    // Up to 13, with track_activities off.
    let waits =
        Session { query_s: None, xact_s: None, state: Some(SessionState::Disabled), ..locks::session(5_000, 0.0, "") };
    let root =
        Session { query_s: None, xact_s: None, state: Some(SessionState::Disabled), ..locks::session(4_711, 0.0, "") };
    sessions(&mut stage, vec![root, locks::behind(waits, &[4_711], "transactionid", "ShareLock")]);
    let finding = stage.finding(Kind::Blocker);
    assert!(finding.fact.contains("blocks 1 session, for how long is not known"), "{}", finding.fact);
    assert_eq!((finding.severity, finding.action), (Warning, Some(Command::TerminateBackend)));
}

#[test]
fn since_when_something_is_so_is_remembered_and_a_moment_away_does_not_count() {
    let mut stage = Stage::calm();
    exhausted(&mut stage);
    let first = stage.finding(Kind::Connections).since;
    stage.see(locks::calm());
    assert_eq!(stage.kinds(), []);
    stage.wait(10);
    exhausted(&mut stage);
    assert_eq!(stage.finding(Kind::Connections).since, first, "ten seconds are no absence");
    stage.see(locks::calm());
    stage.wait(40);
    exhausted(&mut stage);
    assert!(stage.finding(Kind::Connections).since > first);
}

#[test]
fn a_role_that_sees_little_is_told_what_it_misses_and_what_would_cure_it() {
    let mut stage = Stage::calm();
    stage.see(locks::hidden());
    let plain = Server { user: "plain".into(), ..server() };
    let mut stage = stage.server(plain);
    let unchecked = stage.app.triage.diagnosis.unchecked.clone();
    let hidden = unchecked.iter().find(|u| u.cure == "GRANT pg_monitor TO plain");
    assert!(hidden.is_some_and(|u| u.why.contains("are hidden from plain")), "{unchecked:#?}");
    stage.press("1");
    let screen = stage.wide();
    assert!(screen.contains("? not checked: what other roles' sessions do"), "{screen}");
    let standby = Relations { in_recovery: true, not_estimable: 3, ..tables::calm() };
    relations(&mut stage, standby);
    let unchecked = &stage.app.triage.diagnosis.unchecked;
    assert!(unchecked.iter().any(|u| u.why == "a standby's statistics are its own"), "{unchecked:#?}");
    assert!(unchecked.iter().any(|u| u.cure == "GRANT pg_read_all_data TO plain"), "{unchecked:#?}");
    let stage = Stage::with(|setup| setup.prometheus = None).up().at_peace();
    assert!(stage.app.triage.diagnosis.unchecked.iter().any(|u| u.cure == "--prometheus URL"));
}

#[test]
fn of_the_findings_the_worst_is_first_and_what_only_shows_harm_comes_after_its_cause() {
    let mut stage = Stage::calm();
    pile_up(&mut stage);
    charts::figures_of(&mut stage, "error-ratio", |_| Some(0.5));
    charts::figures_of(&mut stage, "p95", |_| Some(4.0));
    lag(&mut stage);
    let kinds = stage.kinds();
    assert_eq!(kinds.first(), Some(&Kind::Blocker), "{kinds:?}");
    let place = |kind| kinds.iter().position(|k| *k == kind).unwrap();
    assert!(place(Kind::Queue) < place(Kind::Errors), "{kinds:?}");
    assert!(place(Kind::Errors) < place(Kind::Latency), "critical before warning: {kinds:?}");
}

#[test]
fn the_slot_of_a_standby_that_was_gone_before_we_came_is_a_warning_however_little_it_retains() {
    let severity_of = |slot: Slot| {
        let mut stage = Stage::calm();
        let mut orphaned = replication::calm();
        orphaned.slots.push(slot);
        replicated(&mut stage, orphaned);
        let finding = stage.finding(Kind::SlotRetains);
        assert!(finding.todo.contains("bring its reader back"), "{finding:#?}");
        finding.severity
    };
    let slot = Slot { inactive_s: Some(36.0), ..replication::slot("standby1", false, 39 << 20) };
    assert_eq!(severity_of(slot.clone()), Warning);
    assert_eq!(severity_of(Slot { inactive_s: Some(5.0), ..slot.clone() }), Notice, "a restart");
    assert_eq!(severity_of(Slot { kind: "logical".to_owned(), ..slot }), Notice, "who reads it may come once a day");
}

#[test]
fn a_leak_that_began_minutes_ago_is_not_hidden_by_the_calm_before_it() {
    let mut stage = Stage::calm();
    // x runs from 0 to 1 over a quarter of an hour: calm for eleven minutes, then a leak.
    charts::figures_of(&mut stage, "memory", |x| Some(4e8 + (x - 0.75).max(0.0) * 4e9));
    let finding = stage.finding(Kind::Memory);
    assert!(finding.evidence.contains("within 5 min"), "{}", finding.evidence);
    let mut stage = Stage::calm();
    charts::figures_of(&mut stage, "memory", |x| Some(4e8 + (x * 20.0).sin() * 1e8));
    assert!(!stage.kinds().contains(&Kind::Memory), "a wave is no growth");
}

#[test]
fn a_figure_is_held_against_what_was_usual_a_week_ago_or_that_nothing_is_known_of_it_is_said() {
    let mut stage = Stage::calm();
    charts::figures_of(&mut stage, "p95", |_| Some(4.1));
    assert!(stage.finding(Kind::Latency).evidence.starts_with("no baseline from a week ago · "));
    charts::before(&mut stage, "p95", charts::values(vec![charts::series("", |_| Some(0.055))]));
    let evidence = &stage.finding(Kind::Latency).evidence;
    assert!(evidence.starts_with("×75 since a week ago (55 ms) · "), "{evidence}");
}

#[test]
fn what_is_far_from_its_baseline_is_worth_a_look_within_its_limits_too() {
    let told = |id: &str, now: f64, week: Option<f64>| {
        let mut stage = Stage::calm();
        charts::figures_of(&mut stage, id, |_| Some(now));
        if let Some(week) = week {
            charts::before(&mut stage, id, charts::values(vec![charts::series("", |_| Some(week))]));
        }
        stage.app.triage.diagnosis.findings.iter().map(|f| (f.severity, f.fact.clone())).collect::<Vec<_>>()
    };
    let (far, usual) = (told("p95", 1.9, None), told("p95", 0.15, None));
    assert_eq!(far, [(Notice, "p95 latency 1.9 s (limit 2.0 s), ×38 the baseline (50 ms, simple-crud)".to_owned())]);
    assert_eq!(usual, []);
    assert_eq!(told("p95", 0.15, Some(0.03)).len(), 1, "five times of a week ago");
    assert_eq!(told("p95", 0.05, Some(0.005)), [], "nobody feels that");
    assert_eq!(told("cache-hit-ratio", 0.71, Some(0.95)).len(), 1);
    assert_eq!(told("cache-hit-ratio", 0.85, Some(0.95)), []);
}

#[test]
fn a_figure_that_is_held_to_no_limit_is_not_checked_and_not_counted_as_looked_at() {
    let words = |stage: &Stage, what: &str| {
        let found = stage.app.triage.diagnosis.unchecked.iter().find(|u| u.what.contains(what));
        found.map(|u| (u.why.clone(), u.cure.clone()))
    };
    let metrics = |stage: &Stage| {
        let said = stage.app.triage.diagnosis.checked.iter().find(|c| c.ends_with("from Prometheus")).cloned();
        said.and_then(|said| said.split(' ').next()?.parse::<usize>().ok()).unwrap_or(0)
    };
    let mut stage = Stage::calm();
    let before = metrics(&stage);
    assert_eq!(words(&stage, "Cache hit"), None);
    // Of three look-ups a minute no ratio is judged.
    charts::give(&mut stage, "cache-requests", Ok(charts::values(vec![charts::series("requests", |_| Some(0.05))])));
    let (why, _) = words(&stage, "Cache hit").expect("it is told");
    assert_eq!(why, "3 look-ups within a minute are too few");
    assert_eq!(metrics(&stage), before - 1);
    // A pool of which nobody knows how large it may be.
    let spec = stage.app.setup.panels.iter().find(|p| p.id == "pool").unwrap();
    let unjudged = spec.candidates.iter().position(|c| c.unjudged).expect("one that is not judged");
    let mut answer = charts::values(vec![charts::series("", |_| Some(0.5))]);
    if let Reading::Values { candidate, .. } = &mut answer.reading {
        *candidate = unjudged;
    }
    charts::give(&mut stage, "pool", Ok(answer));
    let told = words(&stage, "ool").expect("it is told");
    assert_eq!(told, ("of how much it is a part, no server tells".to_owned(), "--pool-max N".to_owned()));
    assert_eq!(metrics(&stage), before - 2);
}

#[test]
fn our_own_cost_is_not_judged_by_the_first_questions() {
    let mut stage = Stage::calm();
    for _ in 0..10 {
        stage.pass(1_000);
        stage.event(pgtriage::message::Event::Sample(pgtriage::model::Sample {
            question: Question::Sessions,
            at: stage.now(),
            took: Duration::from_millis(200),
            answer: Ok(Snapshot::Sessions(locks::calm())),
        }));
    }
    assert!(!stage.kinds().contains(&Kind::OwnCost));
}

#[test]
fn attempts_to_connect_are_no_questions_that_the_server_answered() {
    let mut stage = Stage::calm();
    for _ in 0..20 {
        stage.wait(2);
        stage.event(pgtriage::message::Event::Sample(pgtriage::model::Sample {
            question: Question::Sessions,
            at: stage.now(),
            took: Duration::from_millis(900),
            answer: Err(ProbeError::Unreachable("sorry, too many clients already".to_owned())),
        }));
    }
    assert!(stage.app.world().own_cost_ms_per_s(stage.now()) < 5.0, "{}", stage.last_line());
    assert!(!stage.kinds().contains(&Kind::OwnCost));
}

#[test]
fn a_server_without_a_slot_for_us_is_told_as_that() {
    let mut stage = Stage::calm();
    let now = stage.now();
    let words = "connection to server at \"db1\", port 5432 failed: FATAL: sorry, too many clients already";
    stage.event(pgtriage::message::Event::Link(Link::Connecting {
        place: "db1:5432".to_owned(),
        since: now,
        attempt: 2,
        last_error: Some(words.to_owned()),
        retry_at: None,
    }));
    stage.wait(8);
    let finding = stage.finding(Kind::ServerLost);
    assert_eq!(finding.fact, "no connection to db1:5432 for 8.0s: every slot is taken");
    assert!(finding.todo.contains("stop, or restart, the client that took the slots"), "{finding:#?}");
    stage.press("1");
    assert!(stage.wide().contains("connections ✗ every slot is taken"), "{}", stage.wide());
    let cut_off: Vec<_> =
        stage.app.triage.diagnosis.unchecked.iter().filter(|u| u.why.contains("no connection")).collect();
    assert_eq!(cut_off.len(), 1, "one reason is told once: {cut_off:#?}");
    assert_eq!(cut_off[0].why, "no connection for 8.0s; what is shown of it is from before");
}

#[test]
fn a_limit_of_the_database_or_of_our_role_is_told_as_that() {
    let lost = |says: &str| {
        let mut stage = Stage::calm();
        let now = stage.now();
        stage.event(pgtriage::message::Event::Link(Link::Connecting {
            place: "db1:5432".to_owned(),
            since: now,
            attempt: 2,
            last_error: Some(format!("connection to server at \"db1\", port 5432 failed: FATAL: {says}")),
            retry_at: None,
        }));
        stage.pass(1_000);
        stage.finding(Kind::ServerLost).clone()
    };
    let database = lost("too many connections for database \"shop\"");
    assert!(database.fact.ends_with(": its CONNECTION LIMIT is reached"), "{database:#?}");
    assert!(database.todo.contains("look from another database"), "{database:#?}");
    let role = lost("too many connections for role \"oncall\"");
    assert!(role.fact.ends_with(": our role's CONNECTION LIMIT is reached"), "{role:#?}");
}

#[test]
fn from_a_full_server_enter_lists_the_idle_sessions_of_who_took_it_and_they_are_ended_together() {
    let mut stage = Stage::calm();
    let mut rows: Vec<Session> =
        (0..86).map(|i| Session { application: "batch \"import".into(), ..locks::idle(6_000 + i, 300.0) }).collect();
    sessions(&mut stage, rows.clone());
    stage.press("1 Enter");
    let listed = |stage: &Stage| stage.app.connections.len();
    assert_eq!(listed(&stage), 86 + 6, "a name that no filter can hold is left out of it, and who idles stays");
    for session in &mut rows {
        session.application = "batch import".into();
    }
    rows.extend((0..3).map(|i| locks::session(7_000 + i, 1.0, "SELECT 1")));
    let mut stage = Stage::calm();
    sessions(&mut stage, rows);
    stage.press("1 Enter");
    assert_eq!(stage.app.tab, pgtriage::command::Tab::Connections);
    assert_eq!(listed(&stage), 86, "{}", stage.wide());
    stage.press("M X");
    assert!(stage.wide().contains("terminate 86"), "{}", stage.wide());
}

#[test]
fn an_idle_session_of_the_largest_application_is_what_a_full_server_offers_to_end() {
    let mut stage = Stage::calm();
    exhausted(&mut stage);
    let finding = stage.finding(Kind::Connections);
    assert!(finding.evidence.contains("most by app batch-import: 89 sessions, 89 idle"), "{}", finding.evidence);
    assert_eq!(finding.action, Some(Command::TerminateBackend));
    let pid = finding.target.session().map(|key| key.pid);
    assert!(pid.is_some_and(|pid| (6_000..6_089).contains(&pid)), "{pid:?}");
}

#[test]
fn an_index_leads_to_its_row_in_the_indexes_and_a_table_back_to_the_tables() {
    let mut stage = Stage::calm();
    stage.index_wrong(indexes::UNUSED);
    stage.press("1 Enter");
    assert_eq!((stage.app.tab, stage.app.part), (Tab::Tables, List::Indexes));
    assert_eq!(stage.app.current_index().unwrap().index.oid, indexes::UNUSED);
    scanned(&mut stage);
    stage.index_wrong(indexes::PRIMARY);
    stage.press("1 Enter");
    assert_eq!((stage.app.tab, stage.app.part), (Tab::Tables, List::Tables));
    assert_eq!(stage.app.current_table().unwrap().relation.name.raw(), "events");
}

#[test]
fn a_leftover_is_dropped_from_its_finding() {
    let mut stage = Stage::calm();
    stage.index_wrong(indexes::LEFTOVER);
    stage.press("1 D");
    let screen = stage.wide();
    assert!(screen.contains("DROP the invalid index public.orders_created_ccnew?"), "{screen}");
}

#[test]
fn many_indexes_are_one_finding_of_a_kind_that_names_the_worst_and_counts_the_rest() {
    let mut answer = indexes::calm();
    for (n, megabytes) in [(1, 70), (2, 900), (3, 80)] {
        answer.rows.push(indexes::index(18_000 + n, &format!("idle_{n}"), "note", megabytes, 0));
    }
    answer.faults.unused = 3;
    let stage = Stage::calm().indexes(answer.clone());
    assert_eq!(stage.kinds(), [Kind::UnusedIndex]);
    let fact = stage.finding(Kind::UnusedIndex).fact.clone();
    assert_eq!(fact, "index idle_2 (900 MB) has had no scan in 12d (and 2 more)");
    answer.faults.unused = 300;
    let stage = Stage::calm().indexes(answer);
    assert!(stage.finding(Kind::UnusedIndex).fact.ends_with("(and at least 2 more)"));
}

#[test]
fn no_index_is_called_wrong_on_less_than_knowledge() {
    let wrong = |change: fn(&mut Indexes)| {
        let mut answer = indexes::indexes();
        answer.rows.retain(|i| i.oid != indexes::DUPLICATE);
        change(&mut answer);
        let stage = Stage::calm().indexes(answer);
        let blind: Vec<String> = stage.app.triage.diagnosis.unchecked.iter().map(|u| u.what.clone()).collect();
        (stage.kinds(), blind.join(", "))
    };
    let both = vec![Kind::InvalidIndex, Kind::UnusedIndex];
    assert_eq!(wrong(|_| {}), (both, String::new()));
    let left = vec![Kind::InvalidIndex];
    let unused = "unused indexes".to_owned();
    assert_eq!(wrong(|i| i.counted_s = 3_600.0), (left.clone(), unused.clone()));
    assert_eq!(wrong(|i| i.counted = false), (left, unused));
    let standby = "invalid, duplicate and unused indexes".to_owned();
    assert_eq!(wrong(|i| i.in_recovery = true), (Vec::new(), standby));
    let built = wrong(|i| {
        i.rows[0].builder = Some(Builder { pid: 6100, this: None, drops: false });
        i.rows.retain(|i| i.oid != indexes::UNUSED);
    });
    assert_eq!(built, (Vec::new(), String::new()), "perhaps it is being built");
    let needed = wrong(|i| {
        i.rows.retain(|i| i.oid == indexes::UNUSED);
        i.rows[0].needed.unique = true;
    });
    assert_eq!(needed, (Vec::new(), String::new()), "a key is needed without scans");
}

#[test]
fn counters_that_were_reset_are_no_scans() {
    let mut stage = Stage::calm();
    let events = tables::table(16_450, "events", 8_000_000, 0);
    let worn = Relation { seq_scan: 9_000, seq_rows: 72_000_000_000, ..events.clone() };
    relations(&mut stage, tables::calm_but(worn));
    stage.wait(120);
    relations(&mut stage, tables::calm_but(events));
    assert!(!stage.kinds().contains(&Kind::MissingIndex));
}

#[test]
fn indexes_are_asked_for_on_every_tab_and_seldom() {
    let mut stage = Stage::calm();
    let pace = |stage: &Stage| {
        stage.app.demand().wanted.into_iter().find_map(|w| match (w.question, w.cadence) {
            (Question::Indexes { .. }, Cadence::Every(every)) => Some(every.as_secs()),
            _ => None,
        })
    };
    for (keys, seconds) in [("1", 60), ("2", 300), ("5", 300), ("o", 10), ("6", 300)] {
        stage.press(keys);
        assert_eq!(pace(&stage), Some(seconds), "{keys}");
    }
}

#[test]
fn of_a_holder_whose_age_is_hidden_nothing_is_claimed_and_that_is_said() {
    let mut stage = Stage::calm();
    let seen = Session { xid: None, xmin_age: Some(18_000), ..locks::root() };
    let hidden = Session { hidden: true, state: None, xact_s: None, query_s: None, ..seen.clone() };
    sessions(&mut stage, vec![hidden]);
    relations(&mut stage, tables::calm_but(churned()));
    assert!(!stage.kinds().contains(&Kind::Horizon), "{:?}", stage.kinds());
    let finding = stage.finding(Kind::DeadRows);
    assert!(finding.fact.ends_with("whether 4711 makes vacuum vain is hidden"), "{finding:#?}");
    assert_eq!((finding.severity, finding.action), (Notice, None));
    // Where it is not hidden it is told.
    sessions(&mut stage, vec![seen]);
    assert!(stage.finding(Kind::DeadRows).fact.ends_with("vacuum in vain: 4711 holds the horizon"));
}

#[test]
fn connections_that_wait_for_a_lock_are_freed_by_who_holds_it_not_by_a_smaller_pool() {
    let mut stage = Stage::calm();
    let waiter =
        |i| locks::behind(locks::session(6_000 + i, 40.0, "SELECT 1"), &[locks::ROOT], "relation", "AccessShareLock");
    let rows = std::iter::once(locks::root()).chain((0..88).map(waiter)).collect();
    sessions(&mut stage, rows);
    let finding = stage.finding(Kind::Connections);
    assert_eq!(finding.todo, "88 of them wait for a lock: see in Locks for whom, and end that");
    assert_eq!((finding.action, finding.target.tab()), (None, Tab::Locks), "an idle one holds up nobody");
    assert_eq!(stage.kinds().first(), Some(&Kind::Blocker));
}

#[test]
fn a_statement_that_blocks_others_is_told_once() {
    let mut stage = Stage::calm();
    let long = locks::session(6_000, 56.0, "UPDATE hot SET n = n");
    let waiter = locks::behind(locks::session(6_001, 40.0, "SELECT 1"), &[6_000], "relation", "AccessShareLock");
    sessions(&mut stage, vec![long.clone(), waiter]);
    assert_eq!(stage.finding(Kind::Blocker).target.session().map(|key| key.pid), Some(6_000));
    assert!(!stage.kinds().contains(&Kind::SlowStatements), "{:?}", stage.kinds());
    let others = || [locks::session(6_002, 45.0, "SELECT 2"), locks::session(6_003, 40.0, "SELECT 3")];
    let waiter = locks::behind(locks::session(6_001, 40.0, "SELECT 1"), &[6_000], "relation", "AccessShareLock");
    sessions(&mut stage, [long.clone(), waiter].into_iter().chain(others()).collect());
    let fact = &stage.finding(Kind::SlowStatements).fact;
    assert_eq!(fact, "2 other statements run longer than 30s, longest 6002 for 45s");
    sessions(&mut stage, std::iter::once(long).chain(others()).collect());
    let fact = &stage.finding(Kind::SlowStatements).fact;
    assert_eq!(fact, "3 statements run longer than 30s, longest 6000 for 56s");
}

#[test]
fn while_the_screen_is_frozen_nothing_begins_anew() {
    let mut stage = Stage::calm();
    let slow = |stage: &mut Stage| charts::figures_of(stage, "p95", |_| Some(4.0));
    slow(&mut stage);
    let first = stage.finding(Kind::Latency).since;
    stage.press("Space");
    stage.wait(60);
    // Of the window only what is later is left.
    slow(&mut stage);
    stage.press("Space");
    slow(&mut stage);
    stage.wait(1);
    assert_eq!(stage.finding(Kind::Latency).since, first);
}
