//! A world for the tests of this module: a server, sessions, a table. Nothing else uses it.

use crate::keymap::Chord;
use crate::model::horizon::Patience;
use crate::model::question::{Question, Sample, Snapshot};
use crate::model::relation::{Relation, RelationKey, RelationOrder, Relations};
use crate::model::server::Server;
use crate::model::session::{Session, Sessions, State};
use crate::model::setting::{Entry, Files, Kind, Setting, Settings};
use crate::model::world::{Link, LinkFacts, Tls};
use crate::model::{Timestamp, World};

use super::{Named, Object, Policy, Scene};

/// Second `s` of the test's time.
pub fn at(s: i64) -> Timestamp {
    Timestamp::from_second(1_764_000_000 + s).unwrap()
}

pub fn server() -> Server {
    Server {
        version_num: 150_018,
        started: "2025-11-01 10:00:00.123456+00".to_owned(),
        system_identifier: Some("7300000000000000001".to_owned()),
        database: "shop".into(),
        user: "oncall".into(),
        ..Server::default()
    }
}

/// A client backend that runs a statement.
pub fn active(pid: i32) -> Session {
    Session {
        pid,
        leader: None,
        database: Some("shop".into()),
        user: Some("shop".into()),
        application: "worker".into(),
        client: Some("10.0.3.9".to_owned()),
        client_port: Some(50_112),
        backend_type: Some("client backend".to_owned()),
        state: Some(State::Active),
        wait: None,
        query_id: None,
        xid: None,
        xmin: None,
        xmin_age: None,
        backend_start: Some(format!("2025-11-24 03:01:55.{pid:06}+00")),
        xact_start: Some("2025-11-24 03:02:04.000001+00".to_owned()),
        query_start: Some("2025-11-24 03:02:05.000001+00".to_owned()),
        backend_s: Some(732.0),
        xact_s: Some(723.0),
        query_s: Some(722.0),
        state_s: Some(722.0),
        query: "UPDATE orders SET total = 1".into(),
        hidden: false,
        blocked_by: Vec::new(),
        blockers: 0,
        waits_for: None,
        holds: None,
    }
}

/// The same, waiting behind others.
pub fn waiting(pid: i32, blocked_by: &[i32]) -> Session {
    Session { blocked_by: blocked_by.to_vec(), blockers: blocked_by.len(), ..active(pid) }
}

pub fn relation() -> Relation {
    Relation {
        oid: 16_412,
        schema: "public".into(),
        name: "orders".into(),
        kind: 'r',
        toast_of: None,
        bytes: 1 << 30,
        tuples: Some(1_000_000.0),
        live: 600_000,
        dead: 400_000,
        modified: 0,
        inserted: 0,
        vacuum_s: None,
        autovacuum_s: Some(7200.0),
        analyze_s: None,
        autoanalyze_s: None,
        seq_scan: 0,
        seq_rows: 0,
        idx_scan: 0,
        autovacuum_on: true,
        vacuum_threshold: 120_050.0,
        insert_threshold: None,
        analyze_threshold: 60_050.0,
        xid_age: None,
        mxid_age: None,
        freeze_max_age: 200_000_000,
        bloat: None,
        locked: false,
        barred: None,
        rights: None,
        indexes: 3,
        index_bytes: 300 << 20,
    }
}

/// An index of that table.
pub fn index() -> Object {
    let named = |oid, name: &str, kind| Named {
        key: RelationKey { database: "shop".into(), oid },
        schema: "public".into(),
        name: name.into(),
        kind,
    };
    Object::Index { index: named(16_418, "orders_pkey", 'i'), table: named(16_412, "orders", 'r') }
}

pub fn relations() -> Relations {
    Relations { database: "shop".into(), rows: vec![relation()], total: 1, autovacuum: true, ..Relations::default() }
}

/// A setting of the fixture.
pub fn setting(name: &str) -> Setting {
    settings().get(name).unwrap().clone()
}

/// Four settings, all as the server came, seen by a role that may change them.
pub fn settings() -> Settings {
    let of = |name: &str, (value, unit): (&str, Option<&str>), kind, context: &str| Setting {
        name: name.to_owned(),
        value: value.to_owned(),
        unit: unit.map(str::to_owned),
        kind,
        context: context.to_owned(),
        source: "default".to_owned(),
        file: None,
        boot: Some(value.to_owned()),
        min: (kind == Kind::Integer).then(|| "-1".to_owned()),
        max: (kind == Kind::Integer).then(|| "2147483647".to_owned()),
        words: if kind == Kind::Enum { ["none", "ddl", "mod", "all"].map(str::to_owned).to_vec() } else { Vec::new() },
        pending_restart: false,
        may_alter: true,
        entry: Entry::Absent,
        exact: true,
        error: None,
        overrides: Vec::new(),
    };
    let rows = vec![
        of("log_min_duration_statement", ("-1", Some("ms")), Kind::Integer, "superuser"),
        of("log_statement", ("none", None), Kind::Enum, "superuser"),
        of("max_connections", ("100", None), Kind::Integer, "postmaster"),
        of("work_mem", ("4096", Some("kB")), Kind::Integer, "user"),
    ];
    Settings { rows, files: Files::Read, errors: Vec::new(), may_reload: true, alter_off: false, managed: None }
}

pub fn take(world: &mut World, question: Question, snapshot: Snapshot) {
    let answer = Ok(snapshot);
    world.take(Sample { question, at: at(0), took: std::time::Duration::from_millis(2), answer });
}

pub fn take_sessions(world: &mut World, rows: Vec<Session>) {
    take(world, Question::Sessions, Snapshot::Sessions(Sessions { rows, ..Sessions::default() }));
}

pub fn take_relations(world: &mut World, relations: Relations) {
    let question = Question::Relations { database: None, order: RelationOrder::Dead };
    take(world, question, Snapshot::Relations(Box::new(relations)));
}

/// A connected world with these sessions and one table.
pub fn world(rows: Vec<Session>) -> World {
    let facts = LinkFacts { place: "db1:5432".to_owned(), tls: Tls::Verified, pooled: false, since: at(-60) };
    let mut world = World { link: Some(Link::Up(facts)), ..World::default() };
    take(&mut world, Question::Server, Snapshot::Server(Box::new(server())));
    take_sessions(&mut world, rows);
    take_relations(&mut world, relations());
    world
}

pub fn scene(world: &World) -> Scene<'_> {
    Scene {
        world,
        policy: Policy::Admin,
        now: at(1),
        frozen: false,
        opened_by: Chord::char('x'),
        jobs: &[],
        own_pids: &[],
        deaf: &[],
        production: false,
        protected: &[],
        require_reason: false,
        looked: None,
        insists: None,
        cannot_act: None,
        logged_as: "alice",
        patience: Patience { seconds: 60.0, transactions: 100_000.0 },
    }
}
