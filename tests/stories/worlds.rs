//! Whatever a server and a Prometheus answer, in whatever order and with whatever clock: looking at it never panics, what
//! is found is in order and told once, says something, leads somewhere, and can be drawn. And of errors alone nothing is
//! claimed.

use std::collections::BTreeSet;
use std::time::Duration;

use pgtriage::command::Tab;
use pgtriage::diagnose::figures::Figure;
use pgtriage::diagnose::{Finding, Kind, Target};
use pgtriage::message::Event;
use pgtriage::model::activity::{
    Activity, Database, Holder, Limited, Part, PreparedTransaction, Subscription, WalDirectory,
};
use pgtriage::model::cache::{CacheContents, CacheState};
use pgtriage::model::panel::Reading;
use pgtriage::model::relation::{BloatEstimate, Relation, Relations};
use pgtriage::model::replica::{Replication, Standby};
use pgtriage::model::server::Server;
use pgtriage::model::session::{Session, Sessions, State, Wait};
use pgtriage::model::{Link, ProbeError, Question, Sample, ServerText, Snapshot, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRng, TestRunner};

use super::findings::{forgotten, partitioned, subscription};
use crate::stage::hostile::TEXTS;
use crate::stage::{Stage, activity, cache, charts, locks, replication, server, start, tables};

const WORLDS: u32 = 120;

/// No text of a finding is longer, in characters: a few names of forty, a statement of 160 and the words between.
const LONGEST: usize = 700;

/// What comes.
#[derive(Debug, Clone)]
enum Step {
    Sessions(Vec<Session>),
    Relations(Vec<Relation>, Odd),
    Replication(Odd),
    Activity(Odd),
    Cache(Odd),
    Server(Odd),
    Panel(usize, Vec<f64>),
    Targets(usize),
    Error(usize, ProbeError),
    Lost,
    Up,
    /// Seconds, also backwards.
    Clock(i64),
}

/// Figures and a text that no server should send, and some do.
#[derive(Debug, Clone)]
struct Odd {
    whole: [i64; 4],
    real: [f64; 3],
    text: &'static str,
    flag: bool,
}

fn whole() -> impl Strategy<Value = i64> {
    prop_oneof![
        4 => 0_i64..100_000,
        2 => prop::sample::select(vec![0, 1, -1, i64::MAX, i64::MIN, 1 << 31, 1 << 62]),
        1 => any::<i64>(),
    ]
}

fn real() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => 0.0_f64..5000.0,
        2 => prop::sample::select(vec![0.0, -0.0, -1.0, 1e-300, 1e300, f64::MAX, f64::NAN, f64::INFINITY, f64::NEG_INFINITY]),
        1 => any::<f64>(),
    ]
}

fn text() -> impl Strategy<Value = &'static str> {
    prop::sample::select([TEXTS.as_slice(), &["", "shop", "autovacuum: VACUUM x (to prevent wraparound)"]].concat())
}

fn odd() -> impl Strategy<Value = Odd> {
    (prop::array::uniform4(whole()), prop::array::uniform3(real()), text(), any::<bool>())
        .prop_map(|(whole, real, text, flag)| Odd { whole, real, text, flag })
}

/// Few pids, so that two may claim one, wait for each other, and for themselves.
fn session() -> impl Strategy<Value = Session> {
    let state = prop::option::of(prop::sample::select(vec![
        State::Active,
        State::Idle,
        State::IdleInTransaction,
        State::IdleInTransactionAborted,
        State::Disabled,
        State::Starting,
    ]));
    let kind =
        prop::option::of(prop::sample::select(vec!["client backend", "autovacuum worker", "startup", "walsender"]));
    (0_i32..8, state, kind, prop::collection::vec(0_i32..8, 0..3), odd(), any::<bool>()).prop_map(
        |(pid, state, kind, blocked_by, odd, waits)| {
            let base = locks::session(pid, odd.real[0], odd.text);
            let base = if waits && !blocked_by.is_empty() {
                locks::behind(base, &blocked_by, "relation", "AccessExclusiveLock")
            } else {
                base
            };
            Session {
                state,
                backend_type: kind.map(str::to_owned),
                user: Some(odd.text.into()),
                application: odd.text.into(),
                client: Some("10.0.3.7".to_owned()),
                xact_s: Some(odd.real[1]),
                query_s: odd.flag.then_some(odd.real[2]),
                xmin_age: Some(odd.whole[0]),
                hidden: odd.flag,
                wait: waits.then(|| Wait { class: "IO".to_owned(), event: odd.text.to_owned() }),
                ..base
            }
        },
    )
}

fn relation() -> impl Strategy<Value = Relation> {
    (0_u32..5, odd()).prop_map(|(oid, odd)| {
        let base = tables::table(oid, odd.text, 10, 10);
        Relation {
            bytes: odd.whole[0],
            live: odd.whole[1],
            dead: odd.whole[2],
            autovacuum_s: Some(odd.real[0]),
            vacuum_threshold: odd.real[1],
            autovacuum_on: odd.flag,
            bloat: Some(BloatEstimate { real_bytes: odd.whole[3], wasted_bytes: odd.whole[2], complete: true }),
            ..base
        }
    })
}

fn error() -> impl Strategy<Value = ProbeError> {
    let any = text().prop_flat_map(|text| {
        prop::sample::select(vec![
            ProbeError::Unreachable(text.to_owned()),
            ProbeError::TimedOut(2),
            ProbeError::Locked(text.to_owned()),
            ProbeError::Denied { cure: "GRANT pg_monitor TO plain".to_owned() },
            ProbeError::Absent(text.to_owned()),
            ProbeError::Refused { code: "XX000".to_owned(), message: text.repeat(100) },
            ProbeError::Shape(text.to_owned()),
        ])
    });
    any.boxed()
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop::collection::vec(session(), 0..12).prop_map(Step::Sessions),
        2 => (prop::collection::vec(relation(), 0..6), odd()).prop_map(|(rows, odd)| Step::Relations(rows, odd)),
        2 => odd().prop_map(Step::Replication),
        4 => odd().prop_map(Step::Activity),
        1 => odd().prop_map(Step::Cache),
        1 => odd().prop_map(Step::Server),
        3 => (0_usize..20, prop::collection::vec(real(), 0..9)).prop_map(|(id, figures)| Step::Panel(id, figures)),
        1 => (0_usize..20).prop_map(Step::Targets),
        2 => (0_usize..8, error()).prop_map(|(question, error)| Step::Error(question, error)),
        1 => Just(Step::Lost),
        1 => Just(Step::Up),
        3 => prop_oneof![0_i64..400, -4000_i64..4000].prop_map(Step::Clock),
    ]
}

fn questions(stage: &Stage) -> Vec<Question> {
    let order = tables::calm().order;
    let panel = stage.app.setup.panels[0].id.clone();
    vec![
        Question::Server,
        Question::Sessions,
        Question::Relations { database: None, order },
        Question::Replication,
        Question::Activity,
        Question::CacheTable,
        Question::Targets,
        Question::Panel { id: panel, span_s: 900, step_s: 5 },
    ]
}

fn play(stage: &mut Stage, clock: &mut Timestamp, step: Step) {
    let answer = |question, answer, at| Event::Sample(Sample { question, at, took: Duration::from_millis(2), answer });
    let event = match step {
        Step::Sessions(rows) => {
            let hidden = rows.iter().filter(|s| s.hidden).count();
            let sessions = Sessions { rows, hidden, ..locks::calm() };
            answer(Question::Sessions, Ok(Snapshot::Sessions(sessions)), *clock)
        }
        Step::Relations(rows, odd) => {
            let mut all = Relations { rows, database: odd.text.into(), in_recovery: odd.flag, ..tables::calm() };
            for database in &mut all.databases {
                (database.xid_age, database.mxid_age) = (odd.whole[0], odd.whole[1]);
                database.name = odd.text.into();
            }
            let question = Question::Relations { database: None, order: all.order };
            answer(question, Ok(Snapshot::Relations(Box::new(all))), *clock)
        }
        Step::Replication(odd) => {
            let seen = Snapshot::Replication(Box::new(replicated(&odd)));
            answer(Question::Replication, Ok(seen), *clock)
        }
        Step::Activity(odd) => answer(Question::Activity, Ok(Snapshot::Activity(Box::new(whole_server(&odd)))), *clock),
        Step::Cache(odd) => {
            let contents = CacheContents {
                rows: odd.whole[0],
                expired: odd.whole[1],
                bytes: Some(odd.whole[2]),
                ..CacheContents::default()
            };
            answer(Question::CacheTable, Ok(Snapshot::CacheTable(cache::table(CacheState::Read(contents)))), *clock)
        }
        Step::Server(odd) => {
            let (max_connections, superuser_reserved) = (odd.whole[0] % 1000, odd.whole[1] % 1000);
            let server = Server { user: odd.text.into(), max_connections, superuser_reserved, ..server() };
            answer(Question::Server, Ok(Snapshot::Server(Box::new(server))), *clock)
        }
        Step::Panel(id, figures) => {
            let panels = &stage.app.setup.panels;
            let id = panels[id % panels.len()].id.clone();
            let nth = |x: f64| (0_u8..9).rev().find(|i| f64::from(*i) <= x * 8.0).map_or(0, usize::from);
            let at = |x: f64| figures.get(nth(x)).copied().filter(|v| !v.is_nan());
            let panel = charts::answer(Reading::Values { candidate: 0, series: vec![charts::series(TEXTS[0], at)] });
            answer(Question::Panel { id, span_s: 900, step_s: 5 }, Ok(Snapshot::Panel(panel)), *clock)
        }
        Step::Targets(n) => {
            let down = (0..n).map(|i| charts::target(TEXTS[i % 3], TEXTS[i % 2], TEXTS[i % 5])).collect();
            answer(Question::Targets, Ok(Snapshot::Targets(down)), *clock)
        }
        Step::Error(question, error) => {
            let all = questions(stage);
            answer(all[question % all.len()].clone(), Err(error), *clock)
        }
        Step::Lost => Event::Link(Link::Connecting {
            place: TEXTS[1].to_owned(),
            since: *clock,
            attempt: 3,
            last_error: Some(TEXTS[2].to_owned()),
            retry_at: None,
        }),
        Step::Up => {
            let up = Stage::new().up();
            Event::Link(up.app.live().link.clone().unwrap())
        }
        Step::Clock(seconds) => {
            *clock += Duration::from_secs(seconds.max(0).unsigned_abs());
            *clock -= Duration::from_secs(seconds.min(0).unsigned_abs());
            Event::Tick { at: *clock }
        }
    };
    stage.event(event);
}

fn replicated(odd: &Odd) -> Replication {
    let mut all = replication::after();
    for replica in &mut all.replicas {
        replica.application = odd.text.into();
        (replica.total, replica.unreplayed, replica.xmin_age) =
            (Some(odd.whole[0]), Some(odd.whole[1]), Some(odd.whole[2]));
        replica.replay_s = Some(odd.real[0]);
    }
    for slot in &mut all.slots {
        slot.name = odd.text.into();
        (slot.retained, slot.xmin_age, slot.inactive_s) = (Some(odd.whole[3]), Some(odd.whole[0]), Some(odd.real[1]));
        slot.active = odd.flag;
    }
    if odd.flag {
        all.standby = Some(Standby {
            paused: odd.flag,
            receive_lsn: None,
            replay_lsn: None,
            gap: Some(odd.whole[1]),
            lag_s: Some(odd.real[0]),
            last_replay_s: Some(odd.real[1]),
            receiver_hidden: false,
            receiver: Some(odd.text.to_owned()),
            sender: Some(odd.text.into()),
            sender_port: None,
            slot: None,
            heard_s: Some(odd.real[2]),
        });
    }
    all
}

fn whole_server(odd: &Odd) -> Activity {
    let [a, b, c, d] = odd.whole;
    let mut all = activity::look(u32::try_from(a.rem_euclid(900)).unwrap_or(0));
    all.at_s += if odd.flag { 0.0 } else { odd.real[0] };
    (all.checkpoints.requested, all.checkpoints.timed, all.checkpoints.write_ms) = (b, c, odd.real[1]);
    (all.archiver.failed, all.archiver.last_failed_s, all.archiver.without_command) = (d, Some(odd.real[0]), odd.flag);
    all.wal_at = Some(b);
    all.wal_directory = Some(WalDirectory { bytes: c, ready: d });
    (all.bounds.max_wal_size, all.bounds.wal_keep_size) = (d, a);
    all.bounds.checkpoint_timeout_s = odd.real[2];
    let database = |oid| Database {
        oid,
        name: Some(odd.text.into()),
        commits: a,
        rollbacks: b,
        deadlocks: c,
        temp_files: d,
        temp_bytes: a,
        ..Database::default()
    };
    all.databases = Part::Read(vec![database(1), database(1), database(2)]);
    let gid: ServerText = odd.text.into();
    all.prepared = Part::Read(vec![PreparedTransaction { gid, age_s: odd.real[1], ..forgotten() }]);
    let one = Subscription {
        name: odd.text.into(),
        heard_s: Some(odd.real[2]),
        worker: odd.flag.then_some(1),
        ..subscription(b)
    };
    all.subscriptions = Part::Read(vec![one.clone(), one]);
    all.partitioned = Part::Read(vec![partitioned(c, Some(odd.real[0]))]);
    let one = Limited { holder: Holder::Role, name: odd.text.into(), exact: odd.flag, limit: a };
    all.limited = Part::Read(vec![one.clone(), Limited { holder: Holder::Database, limit: b, ..one }]);
    all.in_recovery = odd.flag && a % 2 == 0;
    all
}

/// What must hold of every look.
fn sound(stage: &Stage) -> Result<(), TestCaseError> {
    let diagnosis = &stage.app.triage.diagnosis;
    let sorted = diagnosis.findings.windows(2).all(|two| two[0].rank(&two[1]) != std::cmp::Ordering::Greater);
    prop_assert!(sorted, "the worst is first: {:#?}", diagnosis.findings);
    let keys: BTreeSet<_> = diagnosis.findings.iter().map(|f| &f.key).collect();
    prop_assert_eq!(keys.len(), diagnosis.findings.len(), "each is told once: {:#?}", diagnosis.findings);
    for finding in &diagnosis.findings {
        for text in [&finding.fact, &finding.evidence, &finding.todo] {
            prop_assert!(!text.trim().is_empty(), "it says nothing: {finding:#?}");
            prop_assert!(text.chars().count() <= LONGEST, "{} characters: {text}", text.chars().count());
            prop_assert!(drawable(text), "it cannot be drawn: {text:?}");
        }
        prop_assert!(leads_somewhere(stage, finding), "{finding:#?}");
        for figure in stage.app.figures_of(&finding.key) {
            let (Figure::Title(text) | Figure::Line { text, .. }) = &figure;
            prop_assert!(drawable(text) && text.chars().count() <= LONGEST, "{figure:?}");
        }
    }
    for unchecked in &diagnosis.unchecked {
        prop_assert!(!unchecked.what.is_empty() && !unchecked.why.is_empty(), "{unchecked:?}");
        prop_assert!(drawable(&unchecked.what) && drawable(&unchecked.why), "{unchecked:?}");
        prop_assert!(unchecked.why.chars().count() <= LONGEST, "{unchecked:?}");
    }
    Ok(())
}

fn drawable(text: &str) -> bool {
    !text.chars().any(|c| {
        c.is_control() || matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    })
}

/// What a tab shows as a whole, in its head or in all its rows: for anything else a row, or figures, are to be named.
const SHOWN_BY_A_TAB: &[(Kind, &[Tab])] = &[
    (Kind::ServerLost, &[Tab::Connections]),
    (Kind::NoAnswer, &[Tab::Connections]),
    (Kind::Connections, &[Tab::Connections]),
    (Kind::ConnectionLimit, &[Tab::Connections]),
    (Kind::Waits, &[Tab::Connections]),
    (Kind::PoolerQueue, &[Tab::Connections, Tab::Slow, Tab::Locks]),
    (Kind::Blocker, &[Tab::Locks]),
    (Kind::AutovacuumOff, &[Tab::Tables]),
    (Kind::ReplayPaused, &[Tab::Replication]),
    (Kind::StandbyBehind, &[Tab::Replication]),
    (Kind::CacheBacklog, &[Tab::Cache]),
    (Kind::TargetDown, &[Tab::Latency]),
];

fn leads_somewhere(stage: &Stage, finding: &Finding) -> bool {
    let world = stage.app.live();
    match &finding.target {
        Target::Session { key, .. } | Target::Sessions { key, .. } => {
            world.sessions.get().is_some_and(|s| s.rows.iter().any(|r| r.key() == *key))
        }
        Target::Table(key) => world.relations.get().is_some_and(|r| r.rows.iter().any(|t| t.oid == key.oid)),
        Target::Index(key) => world.indexes.get().is_some_and(|i| i.find(key).is_some()),
        Target::Replica(key) => {
            let here = world.replication.get().is_some_and(|r| r.replicas.iter().any(|r| r.key() == *key));
            here || world.missing.contains_key(key)
        }
        Target::Prepared(gid) => world.sessions.get().is_some_and(|s| s.prepared.iter().any(|p| p.gid == *gid)),
        Target::Panel { id, .. } => stage.app.setup.panels.iter().any(|p| p.id == *id),
        Target::Health(key) => stage.app.triage.diagnosis.health.iter().any(|item| item.key == *key),
        Target::Alert(_) => true,
        Target::Figures(_) => !stage.app.figures_of(&finding.key).is_empty(),
        Target::Ranked(column) => {
            let here = world.relations.get().is_some_and(|r| r.database.raw() == finding.key.subject);
            here && stage.app.tables.columns().iter().any(|c| c.name == column)
        }
        Target::Tab(tab) => SHOWN_BY_A_TAB.iter().any(|(kind, tabs)| *kind == finding.kind() && tabs.contains(tab)),
    }
}

#[test]
fn whatever_is_answered_what_is_found_is_in_order_told_once_and_can_be_drawn() {
    let config = Config { cases: WORLDS, failure_persistence: None, max_shrink_iters: 300, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config.clone(), TestRng::deterministic_rng(config.rng_algorithm));
    let mut kinds = BTreeSet::new();
    let told = std::cell::RefCell::new(&mut kinds);
    let steps = prop::collection::vec(step(), 1..40);
    let outcome = runner.run(&steps, |steps| {
        let mut stage = Stage::new().up();
        let mut clock = start() + Duration::from_secs(1);
        for step in steps {
            play(&mut stage, &mut clock, step);
            sound(&stage)?;
            told.borrow_mut().extend(stage.kinds());
        }
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    // It is no proof of anything where nothing is found.
    assert!(kinds.len() > 25, "{kinds:?}");
}

#[test]
fn of_errors_alone_nothing_is_claimed() {
    let config = Config { cases: 60, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config.clone(), TestRng::deterministic_rng(config.rng_algorithm));
    let outcome = runner.run(&prop::collection::vec(error(), 8), |errors| {
        let mut stage = Stage::new();
        for (question, error) in questions(&stage).into_iter().zip(errors) {
            stage.take(question, Err(error));
        }
        stage.wait(3);
        sound(&stage)?;
        prop_assert_eq!(stage.kinds(), vec![]);
        prop_assert!(stage.app.triage.diagnosis.checked.is_empty());
        let unchecked: Vec<&str> = stage.app.triage.diagnosis.unchecked.iter().map(|u| u.what.as_str()).collect();
        for theme in ["sessions", "tables", "standbys", "checkpoints"] {
            prop_assert!(unchecked.iter().any(|what| what.starts_with(theme)), "{theme}: {unchecked:?}");
        }
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}
