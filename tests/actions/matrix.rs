//! Every action in every situation: what the guard lets through is sent to a real server, and the outcome is what the table
//! says. What happens between the question and the answer happens for real.

use std::time::Duration;

use pgtriage::guard::{Approved, Object, Policy, Refusal, Scene, Signal, Task, Verdict, Wish, Write, judge};
use pgtriage::message::{Outcome, WriterState};
use pgtriage::model::world::Link;
use pgtriage::model::{Question, Sample, Snapshot, Timestamp, World};
use tokio_postgres::Client;

use super::bench::{Hands, approve, connect, pid, scene, server, session, text, until, world};
use super::reindex::named;
use crate::lab::{Lab, Wanted};
use crate::probes::asking::ask;

/// An action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Cancel,
    Terminate,
    CancelMarked,
    TerminateMarked,
    Analyze,
    Vacuum,
    VacuumDatabase,
    ReindexTable,
    ReindexIndex,
    DropInvalid,
    Setting,
    Reload,
    Expire,
}

use Deed::*;

/// What the table expects: the outcome in the words of the audit log, or `-` where there is no such situation.
const TABLE: [(Deed, Expected); 13] = [
    //                 allowed, no right,  gone,      changed,   restarted, standby's  pooler's
    (Cancel, ["done", "denied", "gone", "changed", "changed", "done", "done"]),
    (Terminate, ["done", "denied", "gone", "changed", "changed", "done", "done"]),
    (CancelMarked, ["done", "denied", "gone", "changed", "changed", "done", "done"]),
    (TerminateMarked, ["done", "denied", "gone", "changed", "changed", "done", "done"]),
    (Analyze, ["done", "denied", "gone", "changed", "changed", "refused", "refused"]),
    (Vacuum, ["done", "denied", "gone", "changed", "changed", "refused", "refused"]),
    (VacuumDatabase, ["done", "denied", "-", "changed", "changed", "refused", "refused"]),
    (ReindexTable, ["done", "denied", "gone", "changed", "changed", "refused", "refused"]),
    (ReindexIndex, ["done", "denied", "gone", "changed", "changed", "refused", "refused"]),
    (DropInvalid, ["done", "denied", "gone", "changed", "changed", "refused", "refused"]),
    (Setting, ["done", "denied", "-", "changed", "changed", "done", "refused"]),
    (Reload, ["done", "denied", "-", "-", "changed", "done", "done"]),
    (Expire, ["done", "denied", "gone", "changed", "changed", "refused", "refused"]),
];

type Expected = [&'static str; 7];

/// An action, what it is judged in, and whom it is done to.
struct Case {
    deed: Deed,
    write: Write,
    world: World,
    /// Sessions to be signalled.
    victims: Vec<Victim>,
    /// The relation's name.
    name: String,
}

/// A session to be signalled, and how its client goes on.
enum Victim {
    /// It runs a statement, and another one when that is cancelled.
    Running(i32, tokio::task::JoinHandle<()>),
    /// It sits in its transaction.
    Sitting(i32, Client),
}

impl Victim {
    fn pid(&self) -> i32 {
        match self {
            Self::Running(pid, _) | Self::Sitting(pid, _) => *pid,
        }
    }
}

const LONG: &str = "SELECT pg_sleep(600)";
const OTHER: &str = "SELECT pg_sleep(599)";

async fn running(uri: &str, watcher: &Client) -> Victim {
    let client = connect(uri).await;
    let pid = pid(&client).await;
    let task = tokio::spawn(async move {
        for query in [LONG, OTHER] {
            let _cancelled = client.batch_execute(query).await;
        }
    });
    doing(watcher, pid, &format!("state = 'active' AND query = '{LONG}'")).await;
    Victim::Running(pid, task)
}

async fn sitting(uri: &str, watcher: &Client) -> Victim {
    let client = connect(uri).await;
    let pid = pid(&client).await;
    client.batch_execute("BEGIN; SELECT 1").await.unwrap();
    doing(watcher, pid, "state = 'idle in transaction'").await;
    Victim::Sitting(pid, client)
}

async fn doing(watcher: &Client, pid: i32, what: &str) {
    until(watcher, &format!("EXISTS (SELECT FROM pg_stat_activity WHERE pid = {pid} AND {what})")).await;
}

/// Servers, and what is done by whom.
struct Bench {
    /// A superuser that prepares and watches.
    watcher: Client,
    /// Where it is connected.
    root: String,
    /// Where the victims are.
    victims: String,
    made: u32,
}

impl Bench {
    async fn of(root: String, victims: String) -> Self {
        Self { watcher: connect(&root).await, root, victims, made: 0 }
    }

    /// A fresh target for the action, and the action as the console asks for it.
    async fn case(&mut self, deed: Deed) -> Case {
        self.made += 1;
        let name = format!("m{}_{deed:?}", self.made).to_lowercase();
        let victims = match deed {
            Cancel => vec![running(&self.victims, &self.watcher).await],
            CancelMarked => {
                vec![running(&self.victims, &self.watcher).await, running(&self.victims, &self.watcher).await]
            }
            Terminate => vec![sitting(&self.victims, &self.watcher).await],
            TerminateMarked => {
                vec![sitting(&self.victims, &self.watcher).await, sitting(&self.victims, &self.watcher).await]
            }
            Analyze | Vacuum | VacuumDatabase | ReindexTable | ReindexIndex | DropInvalid | Setting | Reload
            | Expire => Vec::new(),
        };
        let (write, world) = self.asked(deed, &name, &victims).await;
        Case { deed, write, world, victims, name }
    }

    async fn asked(&self, deed: Deed, name: &str, victims: &[Victim]) -> (Write, World) {
        let facts = server(&self.watcher).await;
        let mut sessions = Vec::new();
        for victim in victims {
            sessions.push(session(&self.watcher, victim.pid()).await);
        }
        let bare = || world(&facts, sessions.clone());
        let maintain = |task, target| (Write::maintain(task, target, &facts), bare());
        match deed {
            Cancel => (Write::cancel(&sessions[0], &facts), bare()),
            Terminate => (Write::terminate(&sessions[0], &facts), bare()),
            CancelMarked => (Write::bulk(Signal::Cancel, &sessions, 0, &facts), bare()),
            TerminateMarked => (Write::bulk(Signal::Terminate, &sessions, 0, &facts), bare()),
            Analyze => maintain(Task::Analyze, Object::Table(self.relation(name).await.0)),
            Vacuum => maintain(Task::VacuumAnalyze, Object::Table(self.relation(name).await.0)),
            ReindexTable => maintain(Task::Reindex, Object::Table(self.relation(name).await.0)),
            VacuumDatabase => {
                let sql = "SELECT oid FROM pg_database WHERE datname = current_database()";
                let oid = self.watcher.query_one(sql, &[]).await.unwrap().get(0);
                maintain(Task::VacuumAnalyze, Object::Database { name: "shop".into(), oid })
            }
            ReindexIndex | DropInvalid => {
                let (table, index) = self.relation(name).await;
                let task = if deed == DropInvalid { Task::DropInvalid } else { Task::Reindex };
                if deed == DropInvalid {
                    self.validity(name, false).await;
                }
                maintain(task, Object::Index { index, table })
            }
            Setting => {
                let mut world = bare();
                let settings = taken(&mut world, &self.root, Question::Settings).await;
                let Snapshot::Settings(settings) = settings else { panic!("no settings") };
                // Another value each time, so that each is a change.
                let row = settings.get("work_mem").expect("work_mem");
                let wish = Wish::read(row, &format!("{}MB", 8 + self.made)).expect("a value");
                (Write::setting(row, &wish, &facts), world)
            }
            Reload => {
                let mut world = bare();
                taken(&mut world, &self.root, Question::Settings).await;
                (Write::reload(&facts), world)
            }
            Expire => {
                let mut world = bare();
                self.expired().await;
                let cache = taken(&mut world, &self.root, Question::CacheTable).await;
                let Snapshot::CacheTable(cache) = cache else { panic!("no cache table") };
                (Write::expire_cache(&cache, &facts).expect("a table"), world)
            }
        }
    }

    /// A table with an index, made where this is a primary; on a standby one that is there.
    async fn relation(&self, name: &str) -> (pgtriage::guard::Named, pgtriage::guard::Named) {
        let standby = text(&self.watcher, "SELECT pg_is_in_recovery()::text").await.as_deref() == Some("true");
        let (table, index) = if standby {
            ("orders".to_owned(), "orders_pkey".to_owned())
        } else {
            (name.to_owned(), format!("{name}_i"))
        };
        if !standby {
            let sql = format!(
                "CREATE TABLE {table} AS SELECT i FROM generate_series(1, 100) i; CREATE INDEX {index} ON {table} (i);
                 ALTER TABLE {table} OWNER TO shop_owner"
            );
            self.watcher.batch_execute(&sql).await.unwrap();
        }
        let oid = |of: String| async move {
            self.watcher.query_one("SELECT $1::text::regclass::oid", &[&of]).await.unwrap().get::<_, u32>(0)
        };
        (named(&self.watcher, oid(table).await).await, named(&self.watcher, oid(index).await).await)
    }

    async fn validity(&self, name: &str, valid: bool) {
        let standby = text(&self.watcher, "SELECT pg_is_in_recovery()::text").await.as_deref() == Some("true");
        if !standby {
            let sql = format!("UPDATE pg_index SET indisvalid = {valid} WHERE indexrelid = '{name}_i'::regclass");
            self.watcher.batch_execute(&sql).await.unwrap();
        }
    }

    /// The cache table with rows that have expired; left as it is on a standby.
    async fn expired(&self) {
        let sql = "SELECT pg_is_in_recovery()::text";
        if text(&self.watcher, sql).await.as_deref() == Some("false") {
            let sql = "DROP TABLE IF EXISTS fraiseql_cache, fraiseql_old;
                CREATE UNLOGGED TABLE fraiseql_cache (cache_key text PRIMARY KEY, cache_value jsonb NOT NULL,
                                                      expires_at timestamptz NOT NULL);
                INSERT INTO fraiseql_cache SELECT 'x:old:' || i, '{}', now() - interval '1 minute'
                FROM generate_series(1, 20) i";
            self.watcher.batch_execute(sql).await.unwrap();
        }
    }

    /// The target goes.
    async fn remove(&self, case: &mut Case) {
        for victim in &case.victims {
            text(&self.watcher, &format!("SELECT pg_terminate_backend({})::text", victim.pid())).await;
            until(&self.watcher, &format!("NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = {})", victim.pid()))
                .await;
        }
        let sql = match case.deed {
            Expire => "DROP TABLE fraiseql_cache".to_owned(),
            Analyze | Vacuum | ReindexTable => format!("DROP TABLE {}", case.name),
            ReindexIndex | DropInvalid => format!("DROP INDEX {}_i", case.name),
            Cancel | Terminate | CancelMarked | TerminateMarked | VacuumDatabase | Setting | Reload => return,
        };
        self.watcher.batch_execute(&sql).await.unwrap();
    }

    /// The target becomes another.
    async fn change(&self, case: &mut Case) {
        for victim in &mut case.victims {
            match victim {
                Victim::Running(pid, _) => {
                    text(&self.watcher, &format!("SELECT pg_cancel_backend({pid})::text")).await;
                    doing(&self.watcher, *pid, &format!("state = 'active' AND query = '{OTHER}'")).await;
                }
                Victim::Sitting(pid, client) => {
                    client.batch_execute("COMMIT").await.unwrap();
                    doing(&self.watcher, *pid, "state = 'idle'").await;
                }
            }
        }
        let name = &case.name;
        let sql = match case.deed {
            Expire => "ALTER TABLE fraiseql_cache RENAME TO fraiseql_old".to_owned(),
            Analyze | Vacuum | ReindexTable => format!("ALTER TABLE {name} RENAME TO {name}_now"),
            ReindexIndex => format!("ALTER INDEX {name}_i RENAME TO {name}_now"),
            DropInvalid => return self.validity(name, true).await,
            Setting => {
                self.watcher.batch_execute("ALTER SYSTEM SET work_mem = '77MB'").await.unwrap();
                "SELECT pg_reload_conf()".to_owned()
            }
            VacuumDatabase => {
                // A database of that name and another OID is what a restored one looks like.
                let Write::Maintain { target: Object::Database { oid, .. }, .. } = &mut case.write else { return };
                *oid += 1;
                return;
            }
            Cancel | Terminate | CancelMarked | TerminateMarked | Reload => return,
        };
        self.watcher.batch_execute(&sql).await.unwrap();
        if case.deed == Setting {
            until(
                &self.watcher,
                "EXISTS (SELECT FROM pg_file_settings WHERE name = 'work_mem' AND setting = '77MB' AND applied)",
            )
            .await;
        }
    }

    /// What it left behind is taken away.
    async fn settle(&self, case: Case) {
        for victim in &case.victims {
            text(&self.watcher, &format!("SELECT pg_terminate_backend({})::text", victim.pid())).await;
            if let Victim::Running(_, task) = victim {
                task.abort();
            }
        }
        if case.deed == Setting {
            self.watcher.batch_execute("ALTER SYSTEM RESET work_mem").await.unwrap();
            self.watcher.batch_execute("SELECT pg_reload_conf()").await.unwrap();
        }
    }
}

/// Asks the server as the probes do, and takes the answer into the world.
async fn taken(world: &mut World, uri: &str, question: Question) -> Snapshot {
    let snapshot = ask(uri, question.clone()).await.expect("an answer");
    let answer = Ok(snapshot.clone());
    world.take(Sample { question, at: Timestamp::now(), took: Duration::ZERO, answer });
    snapshot
}

/// The outcome in the words of the audit log; that of all of a list, which is one and the same here.
fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Done(_) => "done",
        Outcome::Each(each) => {
            let mut words = each.iter().map(|one| word(&one.outcome));
            let first = words.next().unwrap_or("nobody");
            if words.all(|other| other == first) { first } else { "various" }
        }
        Outcome::Written(_) => "written",
        Outcome::Gone => "gone",
        Outcome::Changed(_) => "changed",
        Outcome::Skipped(_) => "skipped",
        Outcome::Denied { cure, .. } if !cure.is_empty() => "denied",
        Outcome::Denied { .. } => "denied without a cure",
        Outcome::TimedOut(_) => "timed out",
        Outcome::Cancelled(_) => "cancelled",
        Outcome::Refused(_) => "refused by the server",
        Outcome::NotSent(_) => "not sent",
        Outcome::Unknown(_) => "unknown",
    }
}

fn is(case: &Case, situation: &str, outcome: &Outcome, expected: &str) {
    assert_eq!(word(outcome), expected, "{:?}, {situation}: {outcome:?}", case.deed);
}

/// Nobody who may only look gets a question.
fn observed(case: &Case) {
    let observer = Scene { policy: Policy::Observer, ..scene(&case.world) };
    assert_eq!(judge(case.write.clone(), &observer), Verdict::Refuse(Refusal::ReadOnly), "{:?}", case.deed);
}

async fn taken_by(hands: &mut Hands, approved: Approved) -> Outcome {
    tokio::time::timeout(Duration::from_secs(30), hands.take(approved)).await.expect("an outcome")
}

async fn every_action_in_every_situation(major: u32) {
    let wanted =
        Wanted { postgres: Some(major), with: &["pgbouncer"], without: &["prometheus", "service"], scenario: None };
    let Some(mut lab) = Lab::start(wanted) else { return };
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.jsonl");
    let mut bench = Bench::of(lab.uri("postgres"), lab.uri("shop_api")).await;
    let mut root = Hands::ready(&lab.uri("postgres"), &log).await;
    let mut nobody = Hands::ready(&lab.uri("monitor"), &log).await;
    let port = lab.facts["pgbouncer"]["port"].as_u64().expect("a port");
    let mut pooled = Hands::ready(&format!("postgresql://postgres@127.0.0.1:{port}/shop"), &log).await;
    let mut there = Bench::of(lab.standby_uri("postgres"), lab.standby_uri("shop_api")).await;
    let mut elsewhere = Hands::ready(&lab.standby_uri("postgres"), &log).await;
    let mut at_restart = Vec::new();

    for (deed, [allowed, no_right, gone, changed, restarted, standby, pooler]) in TABLE {
        let case = bench.case(deed).await;
        observed(&case);
        let outcome = taken_by(&mut nobody, approve(case.write.clone(), &case.world)).await;
        is(&case, "no right", &outcome, no_right);
        let outcome = taken_by(&mut root, approve(case.write.clone(), &case.world)).await;
        is(&case, "allowed", &outcome, allowed);
        bench.settle(case).await;

        if gone != "-" {
            let mut case = bench.case(deed).await;
            let approved = approve(case.write.clone(), &case.world);
            bench.remove(&mut case).await;
            is(&case, "gone", &taken_by(&mut root, approved).await, gone);
            bench.settle(case).await;
        }
        if changed != "-" {
            let mut case = bench.case(deed).await;
            let before = approve(case.write.clone(), &case.world);
            bench.change(&mut case).await;
            let approved = if deed == VacuumDatabase { approve(case.write.clone(), &case.world) } else { before };
            is(&case, "changed", &taken_by(&mut root, approved).await, changed);
            bench.settle(case).await;
        }

        // A writer that is on the standby does not take the primary's action.
        let case = bench.case(deed).await;
        let outcome = taken_by(&mut elsewhere, approve(case.write.clone(), &case.world)).await;
        is(&case, "sent to the standby", &outcome, "changed");
        bench.settle(case).await;

        // The standby's own.
        let case = there.case(deed).await;
        match judge(case.write.clone(), &scene(&case.world)) {
            Verdict::Refuse(refusal) => assert_eq!((standby, refusal), ("refused", Refusal::Standby), "{deed:?}"),
            Verdict::Confirm(_) => {
                let outcome = taken_by(&mut elsewhere, approve(case.write.clone(), &case.world)).await;
                is(&case, "on the standby", &outcome, standby);
            }
        }
        there.settle(case).await;

        // Through a transaction pooler.
        let mut case = bench.case(deed).await;
        if let Some(Link::Up(facts)) = &mut case.world.link {
            facts.pooled = true;
        }
        match judge(case.write.clone(), &scene(&case.world)) {
            Verdict::Refuse(refusal) => {
                assert_eq!(pooler, "refused", "{deed:?}: {}", refusal.sentence());
                assert!(refusal.sentence().contains("pooler"), "{}", refusal.sentence());
            }
            Verdict::Confirm(_) => {
                let outcome = taken_by(&mut pooled, approve(case.write.clone(), &case.world)).await;
                is(&case, "through a pooler", &outcome, pooler);
            }
        }
        bench.settle(case).await;
        assert_eq!(restarted, "changed");
    }

    // Asked before a restart, answered after it.
    for (deed, _) in TABLE {
        let case = bench.case(deed).await;
        at_restart.push((approve(case.write.clone(), &case.world), case));
    }
    lab.command("stop-primary immediate");
    while !matches!(root.state().await, WriterState::Down(_)) {}
    lab.command("start-primary");
    while root.state().await != WriterState::Ready {}
    for (approved, case) in at_restart {
        is(&case, "restarted", &taken_by(&mut root, approved).await, "changed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_action_in_every_situation_on_13() {
    Box::pin(every_action_in_every_situation(13)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_action_in_every_situation_on_15() {
    Box::pin(every_action_in_every_situation(15)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_action_in_every_situation_on_18() {
    Box::pin(every_action_in_every_situation(18)).await;
}
