//! Vacuuming and analyzing.

use pgtriage::effect::Request;
use pgtriage::effect::audit::EventKind;
use pgtriage::guard::{Approved, Object, Task, Write};
use pgtriage::message::{ActionStep, Outcome};
use pgtriage::model::ServerText;
use pgtriage::model::relation::Relation;
use tokio_postgres::Client;

use super::bench::{Hands, approve, connect, last_action, last_line, lines, server, text, until, until_logged, world};
use crate::lab::{Lab, PRIMARY, Wanted};

/// What the console would know of one table through `client`.
pub async fn relation(client: &Client, name: &str) -> Relation {
    let sql = "SELECT c.oid, n.nspname::text, c.relname::text, c.relkind::text FROM pg_class c
               JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relname = $1";
    let row = client.query_one(sql, &[&name]).await.expect("the table");
    Relation {
        oid: row.get(0),
        schema: ServerText::new(row.get::<_, String>(1)),
        name: ServerText::new(row.get::<_, String>(2)),
        kind: row.get::<_, &str>(3).chars().next().unwrap(),
        toast_of: None,
        bytes: 0,
        tuples: None,
        live: 0,
        dead: 0,
        modified: 0,
        inserted: 0,
        vacuum_s: None,
        autovacuum_s: None,
        analyze_s: None,
        autoanalyze_s: None,
        seq_scan: 0,
        seq_rows: 0,
        idx_scan: 0,
        autovacuum_on: true,
        vacuum_threshold: 0.0,
        insert_threshold: None,
        analyze_threshold: 0.0,
        xid_age: None,
        mxid_age: None,
        freeze_max_age: 0,
        bloat: None,
        locked: false,
        barred: None,
        rights: None,
        indexes: 2,
        index_bytes: 96 << 20,
    }
}

/// An approved task done to that table of the database that `watcher` is in.
pub async fn approved_task(watcher: &Client, task: Task, name: &str) -> Approved {
    let facts = server(watcher).await;
    let database = text(watcher, "SELECT current_database()::text").await.unwrap();
    let target = Object::table_of(&database.as_str().into(), &relation(watcher, name).await);
    approve(Write::maintain(task, target, &facts), &world(&facts, Vec::new()))
}

/// An approved vacuum of that table of the database that `watcher` is in.
async fn approved_vacuum(watcher: &Client, name: &str) -> Approved {
    approved_task(watcher, Task::VacuumAnalyze, name).await
}

/// Makes the vacuums of our role crawl, so that one can be met at work: 100 ms of sleep for each page touched.
async fn crawl(owner: &Client, role: &str, on: bool) {
    let sql = if on {
        format!("ALTER ROLE {role} SET vacuum_cost_delay = '100ms'; ALTER ROLE {role} SET vacuum_cost_limit = 1")
    } else {
        format!("ALTER ROLE {role} RESET vacuum_cost_delay; ALTER ROLE {role} RESET vacuum_cost_limit")
    };
    owner.batch_execute(&sql).await.unwrap();
}

/// A table of `shop_owner`'s with so many pages and dead rows that a crawling vacuum takes minutes.
const BIG: &str = "SET ROLE shop_owner;
    CREATE TABLE big (id int, filler text) WITH (autovacuum_enabled = off);
    INSERT INTO big SELECT i, repeat('x', 500) FROM generate_series(1, 20000) i;
    DELETE FROM big WHERE id % 2 = 0;
    CREATE TABLE \"odd \"\"name.\né\" (id int);
    RESET ROLE";

async fn each_outcome_is_what_the_server_did(major: u32) {
    let Some(lab) = Lab::start(Wanted { postgres: Some(major), ..PRIMARY }) else { return };
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.jsonl");
    let watcher = connect(&lab.uri("postgres")).await;
    watcher.batch_execute(BIG).await.unwrap();
    let mut hands = Hands::ready(&lab.uri("oncall"), &log).await;

    // Done, whatever the table's name holds, and in whichever database it is.
    for name in ["big", "odd \"name.\né"] {
        let outcome = hands.take(approved_vacuum(&watcher, name).await).await;
        assert!(matches!(&outcome, Outcome::Done(words) if words.starts_with("finished in")), "{outcome:?}");
        let oid = relation(&watcher, name).await.oid;
        until(&watcher, &format!("pg_stat_get_last_vacuum_time({oid}) IS NOT NULL")).await;
        until(&watcher, &format!("pg_stat_get_last_analyze_time({oid}) IS NOT NULL")).await;
    }
    let billing = connect(&lab.uri("postgres").replace("/shop", "/billing")).await;
    let outcome = hands.take(approved_vacuum(&billing, "payments").await).await;
    assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
    let oid = relation(&billing, "payments").await.oid;
    until(&billing, &format!("pg_stat_get_last_vacuum_time({oid}) IS NOT NULL")).await;
    last_line(&log, |line| line.server.database == "billing" && line.outcome.is_some()).await;

    // In vain: somebody's snapshot is older than the deaths.
    let vain = "SET ROLE shop_owner; CREATE TABLE vain (id int) WITH (autovacuum_enabled = off);
        INSERT INTO vain SELECT generate_series(1, 9000); RESET ROLE";
    watcher.batch_execute(vain).await.unwrap();
    let holder = connect(&lab.uri("postgres")).await;
    holder.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM vain").await.unwrap();
    watcher.batch_execute("DELETE FROM vain WHERE id <= 5000").await.unwrap();
    let oid = relation(&watcher, "vain").await.oid;
    until(&watcher, &format!("pg_stat_get_dead_tuples({oid}) = 5000")).await;
    hands.ask(approved_vacuum(&watcher, "vain").await);
    hands.started().await;
    assert_eq!(hands.step().await, ActionStep::DeadRows { before: 5000, after: 5000 });
    let Outcome::Done(words) = hands.ended().await else { panic!("not done") };
    assert!(words.ends_with(" s; 5000 dead rows before, 5000 still there"), "{words}");
    holder.batch_execute("ROLLBACK").await.unwrap();
    let Outcome::Done(words) = hands.take(approved_vacuum(&watcher, "vain").await).await else { panic!("not done") };
    assert!(words.ends_with(" s; 5000 dead rows before, none now"), "{words}");

    // Renamed, replaced, gone: nothing is sent.
    let renamed = approved_vacuum(&watcher, "odd \"name.\né").await;
    watcher.batch_execute("ALTER TABLE \"odd \"\"name.\né\" RENAME TO plain_name").await.unwrap();
    let expected = Outcome::Changed("it is now public.plain_name; nothing was sent".to_owned());
    assert_eq!(hands.take(renamed).await, expected);
    let gone = approved_vacuum(&watcher, "plain_name").await;
    watcher.batch_execute("DROP TABLE plain_name; CREATE TABLE plain_name (id int)").await.unwrap();
    assert_eq!(hands.take(gone).await, Outcome::Gone, "another table of that name is not the target");

    // Behind a lock: it gives up soon, and says whose.
    let holder = connect(&lab.uri("shop_owner")).await;
    holder.batch_execute("BEGIN; LOCK TABLE big IN SHARE MODE").await.unwrap();
    let pid = super::bench::pid(&holder).await;
    let expected = format!("gave up after 2 s behind a lock of {pid} (ShareLock)");
    assert_eq!(hands.take(approved_vacuum(&watcher, "big").await).await, Outcome::TimedOut(expected));
    holder.batch_execute("ROLLBACK").await.unwrap();

    // Stopped at work.
    crawl(&watcher, "oncall", true).await;
    let id = hands.ask(approved_vacuum(&watcher, "big").await);
    let pid = hands.started().await;
    until(&watcher, &format!("EXISTS (SELECT FROM pg_stat_progress_vacuum WHERE pid = {pid})")).await;
    hands.handle.ask(Request::StopJob { id }).unwrap();
    let outcome = hands.ended().await;
    assert!(matches!(&outcome, Outcome::Cancelled(words) if words.starts_with("after ")), "{outcome:?}");
    until_logged(&log, EventKind::Outcome).await;
    let stop = lines(&log).into_iter().rfind(|line| line.event == EventKind::Stop).expect("a line of the stop");
    assert_eq!(stop.stop.as_deref(), Some("by a key"));
    assert_eq!(last_action(&log).len(), 3, "intent, stop, outcome");

    // Stopped before it has begun.
    let id = hands.ask(approved_vacuum(&watcher, "big").await);
    hands.handle.ask(Request::StopJob { id }).unwrap();
    let outcome = hands.ended().await;
    assert!(matches!(outcome, Outcome::Cancelled(_)), "{outcome:?}");

    // Somebody vacuums it already, seen by the job though not on the screen.
    hands.ask(approved_vacuum(&watcher, "big").await);
    let pid = hands.started().await;
    until(&watcher, &format!("EXISTS (SELECT FROM pg_stat_progress_vacuum WHERE pid = {pid})")).await;
    let expected = Outcome::Changed(format!("{pid} vacuums it already; nothing was sent"));
    assert_eq!(hands.take(approved_vacuum(&watcher, "big").await).await, expected);

    // Its session is ended by somebody else: what was done by then is not said.
    text(&watcher, &format!("SELECT pg_terminate_backend({pid})::text")).await;
    let outcome = hands.ended().await;
    assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");

    // The console ends while it works: it is cancelled, and the outcome is in the log.
    hands.ask(approved_vacuum(&watcher, "big").await);
    let pid = hands.started().await;
    until(&watcher, &format!("EXISTS (SELECT FROM pg_stat_progress_vacuum WHERE pid = {pid})")).await;
    hands.handle.finish().await;
    let cancelled = (EventKind::Outcome, Some("cancelled".to_owned()));
    assert_eq!(last_action(&log), [(EventKind::Intent, None), (EventKind::Stop, None), cancelled]);
    until(&watcher, &format!("NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = {pid})")).await;

    // Without the right to it, the server succeeds with a warning: that is no success.
    let mut hands = Hands::ready(&lab.uri("monitor"), &log).await;
    let outcome = hands.take(approved_vacuum(&watcher, "orders").await).await;
    let Outcome::Denied { cure, message } = outcome else { panic!("{outcome:?}") };
    let expected =
        if major >= 17 { "GRANT MAINTAIN ON public.orders TO monitor" } else { "GRANT shop_owner TO monitor" };
    assert_eq!(cure, expected, "{message}");
    last_line(&log, |line| line.notices.iter().any(|n| n.starts_with("WARNING"))).await;
    let analyzed = hands.take(approved_task(&watcher, Task::Analyze, "orders").await).await;
    assert!(matches!(&analyzed, Outcome::Denied { cure, .. } if cure == expected), "{analyzed:?}");
    if major >= 17 {
        // The right to one table is enough for it.
        watcher.batch_execute("GRANT MAINTAIN ON orders TO monitor").await.unwrap();
        for task in [Task::VacuumAnalyze, Task::Analyze] {
            let outcome = hands.take(approved_task(&watcher, task, "orders").await).await;
            assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
        }
    }
}

/// A table whose analyze takes seconds in a session of ours, and whose vacuum does not: an index on an expression that
/// only ANALYZE computes.
const SLOW: &str = "SET ROLE shop_owner;
    CREATE FUNCTION crawl(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$
    BEGIN
      IF current_setting('application_name') LIKE 'pgtriage%' THEN PERFORM pg_sleep(0.05); END IF;
      RETURN $1;
    END $$;
    CREATE TABLE slow (id int) WITH (autovacuum_enabled = off);
    CREATE INDEX ON slow (crawl(id));
    INSERT INTO slow SELECT generate_series(1, 500);
    DELETE FROM slow WHERE id % 2 = 0;
    CREATE TABLE small (id int, filler text) WITH (autovacuum_enabled = off);
    INSERT INTO small SELECT i, repeat('x', 500) FROM generate_series(1, 300) i;
    DELETE FROM small WHERE id % 2 = 0;
    RESET ROLE";

/// What is said of a vacuum that ended between its halves.
const HALF: &str = "the table was vacuumed before that, its analyze is not done";

async fn a_vacuum_that_ends_in_its_analyze_says_what_is_done(major: u32) {
    let Some(lab) = Lab::start(Wanted { postgres: Some(major), ..PRIMARY }) else { return };
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.jsonl");
    let watcher = connect(&lab.uri("postgres")).await;
    watcher.batch_execute(SLOW).await.unwrap();
    let mut hands = Hands::ready(&lab.uri("oncall"), &log).await;

    // Stopped by us, and then by somebody else.
    for ours in [true, false] {
        let id = hands.ask(approved_vacuum(&watcher, "slow").await);
        let pid = hands.started().await;
        until(&watcher, &format!("EXISTS (SELECT FROM pg_stat_progress_analyze WHERE pid = {pid})")).await;
        if ours {
            hands.handle.ask(Request::StopJob { id }).unwrap();
            assert_eq!(hands.ended().await, Outcome::Cancelled(HALF.to_owned()));
        } else {
            text(&watcher, &format!("SELECT pg_cancel_backend({pid})::text")).await;
            let outcome = hands.ended().await;
            assert!(matches!(&outcome, Outcome::Refused(words) if words.ends_with(HALF)), "{outcome:?}");
        }
    }

    // Somebody who queued behind the vacuum has the table before the analyze does.
    crawl(&watcher, "oncall", true).await;
    // He is in before: the vacuum takes but a few seconds.
    let holder = connect(&lab.uri("shop_owner")).await;
    let holding = super::bench::pid(&holder).await;
    hands.ask(approved_vacuum(&watcher, "small").await);
    let pid = hands.started().await;
    until(&watcher, &format!("EXISTS (SELECT FROM pg_stat_progress_vacuum WHERE pid = {pid})")).await;
    holder.batch_execute("BEGIN; LOCK TABLE small IN SHARE MODE").await.unwrap();
    let expected = format!("gave up after 2 s behind a lock of {holding} (ShareLock); {HALF}");
    assert_eq!(hands.ended().await, Outcome::TimedOut(expected));

    // One that gave up before the table was vacuumed at all says nothing of halves.
    let outcome = hands.take(approved_vacuum(&watcher, "small").await).await;
    assert_eq!(outcome, Outcome::TimedOut(format!("gave up after 2 s behind a lock of {holding} (ShareLock)")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vacuum_that_ends_in_its_analyze_says_what_is_done_on_13() {
    a_vacuum_that_ends_in_its_analyze_says_what_is_done(13).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vacuum_that_ends_in_its_analyze_says_what_is_done_on_18() {
    a_vacuum_that_ends_in_its_analyze_says_what_is_done(18).await;
}

async fn a_whole_database_is_vacuumed_but_for_what_is_locked(major: u32) {
    let Some(lab) = Lab::start(Wanted { postgres: Some(major), ..PRIMARY }) else { return };
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.jsonl");
    let watcher = connect(&lab.uri("postgres")).await;
    let facts = server(&watcher).await;
    let oid = watcher.query_one("SELECT oid FROM pg_database WHERE datname = 'shop'", &[]).await.unwrap().get(0);
    let approved = |name: &str, oid| {
        let target = Object::Database { name: name.into(), oid };
        approve(Write::maintain(Task::VacuumAnalyze, target, &facts), &world(&facts, Vec::new()))
    };
    let mut hands = Hands::ready(&lab.uri("postgres"), &log).await;
    let outcome = hands.take(approved("shop", oid)).await;
    assert!(matches!(&outcome, Outcome::Done(words) if !words.contains("not vacuumed")), "{outcome:?}");
    until(&watcher, "pg_stat_get_last_vacuum_time('orders'::regclass) IS NOT NULL").await;

    let holder = connect(&lab.uri("shop_owner")).await;
    holder.batch_execute("BEGIN; LOCK TABLE orders IN SHARE MODE").await.unwrap();
    let outcome = hands.take(approved("shop", oid)).await;
    let Outcome::Done(words) = &outcome else { panic!("{outcome:?}") };
    assert!(
        words.ends_with("1 not vacuumed, locked by somebody or without the right to them: public.orders"),
        "{words}"
    );
    holder.batch_execute("ROLLBACK").await.unwrap();

    // Another database of that name is not the target.
    let outcome = hands.take(approved("shop", oid + 1)).await;
    assert!(matches!(&outcome, Outcome::Changed(words) if words.contains("another one")), "{outcome:?}");
    let outcome = hands.take(approved("nowhere", oid)).await;
    assert!(matches!(&outcome, Outcome::NotSent(words) if words.contains("nowhere")), "{outcome:?}");

    // Each table that our role may not vacuum is skipped: that is no success.
    let mut hands = Hands::ready(&lab.uri("monitor"), &log).await;
    let Outcome::Denied { cure, message } = hands.take(approved("shop", oid)).await else { panic!("not denied") };
    let before = "only the owner of database shop or a superuser may vacuum all of it";
    assert_eq!(cure, if major >= 17 { "GRANT pg_maintain TO monitor" } else { before }, "{message}");
    last_line(&log, |line| line.outcome.is_some() && line.notices.len() <= 51).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_database_is_vacuumed_but_for_what_is_locked_on_13() {
    a_whole_database_is_vacuumed_but_for_what_is_locked(13).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_database_is_vacuumed_but_for_what_is_locked_on_15() {
    a_whole_database_is_vacuumed_but_for_what_is_locked(15).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_database_is_vacuumed_but_for_what_is_locked_on_18() {
    a_whole_database_is_vacuumed_but_for_what_is_locked(18).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_outcome_of_a_vacuum_is_what_the_server_did_on_13() {
    each_outcome_is_what_the_server_did(13).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_outcome_of_a_vacuum_is_what_the_server_did_on_15() {
    each_outcome_is_what_the_server_did(15).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_outcome_of_a_vacuum_is_what_the_server_did_on_18() {
    each_outcome_is_what_the_server_did(18).await;
}
