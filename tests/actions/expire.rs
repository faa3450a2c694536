//! Removing the expired rows of the cache table.

use std::time::Duration;

use pgtriage::effect::Request;
use pgtriage::effect::audit::{EventKind, Target};
use pgtriage::guard::{Approved, Refusal, Verdict, Write, judge};
use pgtriage::message::{ActionStep, Outcome};
use pgtriage::model::cache::{CacheState, CacheTable};
use pgtriage::model::{Question, Sample, Snapshot, Timestamp, World};
use tokio_postgres::Client;

use super::bench::{Hands, approve, connect, last_action, lines, scene, server, text, until, until_logged, world};
use crate::lab::{Lab, PRIMARY, SERVERS, Wanted};
use crate::probes::asking::ask;

/// What the console would know of the cache table, by its own probe.
async fn cache(uri: &str) -> CacheTable {
    match ask(uri, Question::CacheTable).await {
        Ok(Snapshot::CacheTable(cache)) => cache,
        other => panic!("{other:?}"),
    }
}

/// The action and the world that it is judged in.
async fn asked(uri: &str) -> (Write, World) {
    let (facts, cache) = (server(&connect(uri).await).await, cache(uri).await);
    let write = Write::expire_cache(&cache, &facts).expect("a table");
    let mut world = world(&facts, Vec::new());
    let answer = Ok(Snapshot::CacheTable(cache));
    world.take(Sample { question: Question::CacheTable, at: Timestamp::now(), took: Duration::ZERO, answer });
    (write, world)
}

async fn approved(uri: &str) -> Approved {
    let (write, world) = asked(uri).await;
    approve(write, &world)
}

async fn refused(uri: &str) -> Refusal {
    let (write, world) = asked(uri).await;
    match judge(write, &scene(&world)) {
        Verdict::Refuse(refusal) => refusal,
        Verdict::Confirm(prompt) => panic!("{}", prompt.title()),
    }
}

async fn fill(client: &Client, rows: u32) {
    let sql = format!(
        "TRUNCATE fraiseql_cache;
         INSERT INTO fraiseql_cache SELECT 'x:old:' || i, '{{}}', now() - interval '1 minute' FROM generate_series(1, {rows}) i;
         INSERT INTO fraiseql_cache SELECT 'x:new:' || i, '{{}}', now() + interval '1 hour' FROM generate_series(1, 50) i"
    );
    client.batch_execute(&sql).await.unwrap();
}

async fn count(client: &Client, condition: &str) -> i64 {
    let sql = format!("SELECT count(*)::text FROM fraiseql_cache WHERE {condition}");
    text(client, &sql).await.unwrap().parse().unwrap()
}

/// That these rows were removed, and what is said of those left; `?` stands for a time of day.
fn told(words: &str, removed: &str, left: &str) {
    let (before, behind) = left.split_once('?').expect("a time");
    let begins = words.starts_with(&format!("{removed} in ")) && words.contains(&format!("; {before}"));
    assert!(begins && words.ends_with(behind), "{words}");
}

async fn each_outcome_is_what_the_server_did(major: u32) {
    let Some(lab) = Lab::start(Wanted { postgres: Some(major), ..PRIMARY }) else { return };
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.jsonl");
    let uri = lab.uri("postgres");
    let watcher = connect(&uri).await;
    let mut hands = Hands::ready(&uri, &log).await;

    // Allowed, while others lock three of the rows, write two anew, and add some that expire after the question.
    fill(&watcher, 5_500).await;
    let action = approved(&uri).await;
    let holder = connect(&uri).await;
    holder
        .batch_execute(
            "BEGIN; SELECT FROM fraiseql_cache WHERE cache_key IN ('x:old:7', 'x:old:8', 'x:old:9') FOR UPDATE",
        )
        .await
        .unwrap();
    watcher.batch_execute("UPDATE fraiseql_cache SET expires_at = now() + interval '1 hour' WHERE cache_key IN ('x:old:1', 'x:old:2');
        INSERT INTO fraiseql_cache SELECT 'x:late:' || i, '{}', now() FROM generate_series(1, 20) i").await.unwrap();
    let Outcome::Done(words) = hands.take(action).await else { panic!("not done") };
    told(
        &words,
        "removed 5495 rows in 6 batches",
        "3 of those that had expired at ?Z left: locked by others, or added since",
    );
    holder.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(count(&watcher, "cache_key LIKE 'x:new:%'").await, 50);
    assert_eq!(count(&watcher, "cache_key LIKE 'x:late:%'").await, 20);
    assert_eq!(count(&watcher, "cache_key LIKE 'x:old:%'").await, 5);
    until_logged(&log, EventKind::Outcome).await;
    assert_eq!(last_action(&log), [(EventKind::Intent, None), (EventKind::Outcome, Some("done".to_owned()))]);
    let first = &lines(&log)[0];
    assert!(matches!(&first.target, Target::Expire { most: 6000, table, .. } if table.name.raw() == "fraiseql_cache"));
    assert!(first.sql.as_ref().is_some_and(|sql| sql.contains("DELETE FROM \"public\".\"fraiseql_cache\"")));

    // The rest goes, and then nothing has expired.
    let Outcome::Done(words) = hands.take(approved(&uri).await).await else { panic!("not done") };
    told(&words, "removed 23 rows in 1 batch", "none of those that had expired at ?Z is left");
    assert_eq!(refused(&uri).await, Refusal::NothingExpired { name: "fraiseql_cache".into() });

    // No more than the question said, though more have expired than were counted.
    fill(&watcher, 900).await;
    let action = approved(&uri).await;
    fill(&watcher, 2_500).await;
    let Outcome::Done(words) = hands.take(action).await else { panic!("not done") };
    assert!(words.contains(" batch in ") && words.contains("1500 of those that had expired at "), "{words}");

    // Stopped between two batches.
    fill(&watcher, 60_000).await;
    let id = hands.ask(approved(&uri).await);
    while !matches!(hands.step().await, ActionStep::Progress(words) if words.starts_with("removed ")) {}
    hands.handle.ask(Request::StopJob { id }).unwrap();
    let Outcome::Done(words) = hands.ended().await else { panic!("not done") };
    assert!(words.starts_with("stopped: removed ") && words.contains(" of those that had expired at "), "{words}");
    assert!(count(&watcher, "cache_key LIKE 'x:old:%'").await > 0);

    // Behind a lock of the table: it gives up soon.
    let action = approved(&uri).await;
    holder.batch_execute("BEGIN; LOCK TABLE fraiseql_cache IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let outcome = hands.take(action).await;
    assert!(matches!(&outcome, Outcome::TimedOut(words) if words.contains("removed 0 rows")), "{outcome:?}");
    holder.batch_execute("ROLLBACK").await.unwrap();

    // Without the right: refused before the question, and by the server where it was taken away since.
    let oncall = lab.uri("oncall");
    watcher
        .batch_execute("GRANT SELECT ON fraiseql_cache TO oncall; REVOKE UPDATE, DELETE ON fraiseql_cache FROM oncall")
        .await
        .unwrap();
    let cure = "GRANT SELECT, UPDATE, DELETE ON \"public\".\"fraiseql_cache\" TO oncall".to_owned();
    assert_eq!(refused(&oncall).await, Refusal::MayNotRemove { cure: cure.clone() });
    watcher.batch_execute(&cure).await.unwrap();
    let mut its = Hands::ready(&oncall, &log).await;
    let action = approved(&oncall).await;
    watcher.batch_execute("REVOKE DELETE ON fraiseql_cache FROM oncall").await.unwrap();
    let outcome = its.take(action).await;
    assert!(matches!(&outcome, Outcome::Denied { cure: said, .. } if *said == cure), "{outcome:?}");

    // Another table by now: renamed, replaced, without its columns. No row of the new one goes, not even by the bare statement.
    fill(&watcher, 10).await;
    let actions = [approved(&uri).await, approved(&uri).await];
    let (write, _) = asked(&uri).await;
    watcher.batch_execute("ALTER TABLE fraiseql_cache RENAME TO old_cache;
        CREATE UNLOGGED TABLE fraiseql_cache (cache_key text PRIMARY KEY, cache_value jsonb NOT NULL, expires_at timestamptz NOT NULL)").await.unwrap();
    fill(&watcher, 10).await;
    let [renamed, gone] = actions;
    let expected = Outcome::Changed("it is now public.old_cache; nothing was sent".to_owned());
    assert_eq!(hands.take(renamed).await, expected);
    let mut statement = write.statement();
    for (at, value) in statement.parameters.drain(..).enumerate() {
        statement.sql = statement.sql.replace(&format!("${}", at + 1), &format!("'{}'", value.unwrap()));
    }
    watcher.batch_execute(&statement.sql).await.unwrap();
    assert_eq!(count(&watcher, "cache_key LIKE 'x:old:%'").await, 10);
    watcher.batch_execute("DROP TABLE old_cache").await.unwrap();
    assert_eq!(hands.take(gone).await, Outcome::Gone);
    let action = approved(&uri).await;
    watcher.batch_execute("ALTER TABLE fraiseql_cache ALTER expires_at TYPE timestamp").await.unwrap();
    let outcome = hands.take(action).await;
    assert!(matches!(&outcome, Outcome::Changed(words) if words.contains("columns")), "{outcome:?}");

    // A partitioned one is counted with its partitions, and left alone.
    watcher.batch_execute("DROP TABLE fraiseql_cache;
        CREATE TABLE fraiseql_cache (cache_key text, cache_value jsonb, expires_at timestamptz) PARTITION BY HASH (cache_key);
        CREATE TABLE part_0 PARTITION OF fraiseql_cache FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE part_1 PARTITION OF fraiseql_cache FOR VALUES WITH (MODULUS 2, REMAINDER 1)").await.unwrap();
    fill(&watcher, 1_000).await;
    let sizes = "SELECT (pg_total_relation_size('part_0') + pg_total_relation_size('part_1'))::text";
    let bytes = text(&watcher, sizes).await.unwrap().parse().unwrap();
    let CacheState::Read(contents) = cache(&uri).await.state else { panic!("not read") };
    assert_eq!((contents.rows, contents.expired, contents.bytes), (1_050, 1_000, Some(bytes)));
    assert_eq!(refused(&uri).await, Refusal::Partitioned { name: "fraiseql_cache".into() });
    until(&watcher, "NOT EXISTS (SELECT FROM pg_stat_activity WHERE query ILIKE '%SKIP LOCKED%' AND pid <> pg_backend_pid() AND state = 'active')").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_outcome_of_a_removal_of_expired_rows_is_what_the_server_did_on_13() {
    each_outcome_is_what_the_server_did(13).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_outcome_of_a_removal_of_expired_rows_is_what_the_server_did_on_15() {
    each_outcome_is_what_the_server_did(15).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_outcome_of_a_removal_of_expired_rows_is_what_the_server_did_on_18() {
    each_outcome_is_what_the_server_did(18).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_hangs_on_the_table_is_said_before_and_a_standby_removes_nothing() {
    let Some(lab) = Lab::start(Wanted { postgres: Some(15), ..SERVERS }) else { return };
    let uri = lab.uri("postgres");
    let watcher = connect(&uri).await;
    fill(&watcher, 10).await;
    let (write, world) = asked(&uri).await;
    let Verdict::Confirm(prompt) = judge(write, &scene(&world)) else { panic!("refused") };
    assert!(prompt.warnings().is_empty(), "{:?}", prompt.warnings());
    watcher
        .batch_execute(
            "CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END';
        CREATE TRIGGER noted AFTER DELETE ON fraiseql_cache FOR EACH ROW EXECUTE FUNCTION noted();
        CREATE UNLOGGED TABLE refers (k text REFERENCES fraiseql_cache)",
        )
        .await
        .unwrap();
    let (write, world) = asked(&uri).await;
    let Verdict::Confirm(prompt) = judge(write, &scene(&world)) else { panic!("refused") };
    let said = prompt.warnings().join("\n");
    assert!(said.contains("1 of its triggers") && said.contains("1 foreign keys refer to it"), "{said}");
    assert!(matches!(refused(&lab.standby_uri("postgres")).await, Refusal::Standby));
}
