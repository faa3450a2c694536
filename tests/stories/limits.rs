//! Each limit moves its own rule: in a world where something is a finding by the default, it is none, or a lesser one,
//! by another limit.

use pgtriage::diagnose::Kind;
use pgtriage::diagnose::limits::LIMITS;
use pgtriage::model::activity::{Part, Subscription, WalDirectory};
use pgtriage::model::session::Session;
use pgtriage::model::{Question, Snapshot};

use super::findings::{
    batch, busy, cancels, churned, costly, exhausted, forgotten, gone, horizon, idle, in_use, jump, lag, limited,
    partitioned, pile_up, refuses, relations, replicated, scanned, sessions, short_of_cores, short_of_disks, slot_kept,
    slow, spills, subscription, swells, wasteful,
};
use super::health::{crowded, not_ready, queue, queue_for};
use crate::stage::{Stage, activity, cache, charts, indexes, locks, replication, tables};

/// A limit, another figure for it, what is found by the default, and in which world.
type Move = (&'static str, f64, Kind, fn(&mut Stage));

const MB: i64 = 1 << 20;

const MOVES: &[Move] = &[
    ("blocked", 1e6, Kind::Blocker, pile_up),
    ("blocked_harm", 1e9, Kind::Blocker, pile_up),
    ("slow", 1000.0, Kind::SlowStatements, slow),
    ("slow_many", 10.0, Kind::SlowStatements, slow),
    ("slow_long", 1000.0, Kind::SlowStatements, |s| sessions(s, vec![locks::session(6_000, 400.0, "SELECT 1")])),
    ("busy", 20.0, Kind::BusyStatements, busy),
    ("busy_many", 20.0, Kind::BusyStatements, busy),
    ("idle_transaction", 500.0, Kind::IdleTransaction, idle),
    ("idle_transaction_long", 500.0, Kind::IdleTransaction, idle),
    ("long_transaction", 3000.0, Kind::LongTransaction, batch),
    ("horizon", 1000.0, Kind::Horizon, horizon),
    ("horizon_age", 3e6, Kind::Horizon, |s| {
        sessions(s, vec![Session { xmin_age: Some(2_000_000), ..locks::root() }]);
    }),
    ("connections", 1.1, Kind::Connections, exhausted),
    ("connections", 1.1, Kind::ConnectionLimit, limited),
    ("connections_full", 1.1, Kind::Connections, exhausted),
    ("connections_full", 1.1, Kind::ConnectionLimit, limited),
    ("baseline_times", 100.0, Kind::Latency, |s| charts::figures_of(s, "p95", |_| Some(1.9))),
    ("baseline_points", 0.5, Kind::HitRatio, |s| {
        charts::figures_of(s, "cache-hit-ratio", |_| Some(0.71));
        charts::before(s, "cache-hit-ratio", charts::values(vec![charts::series("", |_| Some(0.95))]));
    }),
    ("memory_growth", 2e9, Kind::Memory, |s| charts::figures_of(s, "memory", |x| Some(4e8 + x * 4e8))),
    ("memory_used", 0.99, Kind::MemoryShort, |s| in_use(s, |_| 0.85)),
    ("host_short", 600.0, Kind::ProcessorShort, short_of_cores),
    ("cpu_used", 0.99, Kind::ProcessorShort, short_of_cores),
    ("cpu_waiting", 0.9, Kind::ProcessorShort, short_of_cores),
    ("io_waiting", 0.9, Kind::IoWaits, short_of_disks),
    ("io_sessions", 20.0, Kind::IoWaits, short_of_disks),
    ("replica_gone", 100.0, Kind::ReplicaGone, |s| {
        gone(s);
        s.wait(40);
        replicated(s, replication::calm());
    }),
    ("replica_bytes", 2e8, Kind::ReplicaLag, |s| behind(s, 100 * MB, None)),
    ("replica_bytes_far", 1e10, Kind::ReplicaLag, lag),
    ("replica_lag", 100.0, Kind::ReplicaLag, |s| behind(s, 10 * MB, Some(40.0))),
    ("slot_bytes", 2e10, Kind::SlotRetains, slot_kept),
    ("dead_rows", 50_000.0, Kind::DeadRows, |s| relations(s, tables::calm_but(churned()))),
    ("dead_share", 0.9, Kind::DeadRows, |s| relations(s, tables::calm_but(churned()))),
    ("dead_share_high", 0.9, Kind::DeadRows, |s| relations(s, tables::calm_but(churned()))),
    ("waste", 1e10, Kind::Bloat, wasteful),
    ("index_bytes", 2e9, Kind::UnusedIndex, |s| s.index_wrong(indexes::UNUSED)),
    ("index_unused", 2e6, Kind::UnusedIndex, |s| s.index_wrong(indexes::UNUSED)),
    ("scan_bytes", 1e10, Kind::MissingIndex, scanned),
    ("scan_rows", 1e10, Kind::MissingIndex, scanned),
    ("freeze_share", 3.0, Kind::Wraparound, |s| {
        let mut databases = tables::calm();
        databases.databases[0].xid_age = 400_000_000;
        relations(s, databases);
    }),
    ("unwell", 1000.0, Kind::Service, not_ready),
    ("pooler_wait", 60.0, Kind::PoolerQueue, queue),
    ("pooler_wait_long", 60.0, Kind::PoolerQueue, |s| queue_for(s, 20.0)),
    ("pooler_clients", 0.99, Kind::PoolerClients, crowded),
    ("checkpoint_interval", 5.0, Kind::Checkpoints, |s| activity::minute(s, |look, n| look.checkpoints.requested += n)),
    ("temp_bytes", 1e9, Kind::TempFiles, |s| activity::minute(s, spills)),
    ("deadlocks", 50.0, Kind::Deadlocks, |s| activity::minute(s, |look, n| activity::shop(look).deadlocks += n)),
    ("conflicts", 50.0, Kind::Conflicts, |s| activity::minute(s, cancels)),
    ("archive_ready", 500.0, Kind::Archive, |s| {
        activity::minute(s, |look, n| {
            refuses(look, n);
            look.wal_directory = look.wal_directory.map(|w| WalDirectory { ready: 100 + n, ..w });
        });
    }),
    ("wal_excess", 1e10, Kind::WalKept, |s| activity::minute(s, swells)),
    ("disk_full", 60.0, Kind::Disk, |s| charts::figures_of(s, "disk-free", |x| Some(3e9 - x * 1e9))),
    ("disk_free", 1e6, Kind::Disk, |s| charts::figures_of(s, "disk-free", |_| Some(5e8))),
    ("waits", 50.0, Kind::Waits, jump),
    ("prepared", 1e5, Kind::Prepared, |s| {
        activity::minute(s, |look, _| look.prepared = Part::Read(vec![forgotten()]));
    }),
    ("subscription", 300.0, Kind::Subscription, |s| {
        activity::minute(s, |look, _| {
            look.subscriptions = Part::Read(vec![Subscription { worker: None, ..subscription(0) }]);
        });
    }),
    ("cache_expired", 1e6, Kind::CacheBacklog, backlog),
    ("cache_expired_share", 0.9, Kind::CacheBacklog, backlog),
    ("cache_lookups", 1e6, Kind::HitRatio, |s| {
        charts::give(s, "cache-requests", Ok(charts::values(vec![charts::series("requests", |_| Some(2.0))])));
        charts::figures_of(s, "cache-hit-ratio", |_| Some(0.66));
    }),
    ("partitions", 3600.0, Kind::Partitions, |s| {
        activity::minute(s, |look, _| look.partitioned = Part::Read(vec![partitioned(3, Some(86_400.0))]));
    }),
    ("own_cost", 0.5, Kind::OwnCost, costly),
];

fn backlog(stage: &mut Stage) {
    stage.take(Question::CacheTable, Ok(Snapshot::CacheTable(cache::read())));
}

fn behind(stage: &mut Stage, bytes: i64, late_s: Option<f64>) {
    let mut all = replication::calm();
    let mut replica = replication::replica("replica-3", 7_023, bytes);
    replica.replay_s = late_s;
    all.replicas.push(replica);
    replicated(stage, all);
}

/// A server that is well, to a console that has the limit from its settings.
fn calm(limit: Option<(&str, f64)>) -> Stage {
    let stage = Stage::with(|setup| {
        let Some((name, figure)) = limit else { return };
        // What is slow is an option of its own, so that the key for it and the limit are one.
        if name == "slow" {
            setup.slow_after = std::time::Duration::from_secs_f64(figure);
        }
        let spec = LIMITS.iter().find(|s| s.name == name).unwrap();
        (spec.set)(&mut setup.limits, figure);
    });
    stage.up().at_peace()
}

#[test]
fn each_limit_moves_its_rule() {
    for (name, figure, kind, go_wrong) in MOVES {
        let mut by_default = calm(None);
        go_wrong(&mut by_default);
        let before = by_default.finding(*kind);
        let mut moved = calm(Some((name, *figure)));
        go_wrong(&mut moved);
        let after = moved.app.triage.diagnosis.findings.iter().find(|f| f.key == before.key);
        let lesser = after.is_none_or(|after| after.severity < before.severity);
        assert!(lesser, "{name} = {figure}: {before:#?}\n{after:#?}");
    }
}

#[test]
fn every_limit_has_its_move() {
    let mut names: Vec<&str> = MOVES.iter().map(|m| m.0).collect();
    names.dedup();
    assert_eq!(names, LIMITS.iter().map(|s| s.name).collect::<Vec<_>>());
}
