//! `pg_stat_statements` on real servers: every form of the view, what a role sees, resets, evictions, a full table. It must
//! not look at how a rate is computed; that is the model's.
use super::asking::{Asking, ask, client, primary, run, with_database};
use pgtriage::model::statement::{Statement, StatementOrder, Statements};
use pgtriage::model::{ProbeError, Question, Sample, Snapshot, World};
use std::time::{Duration, Instant};

const BY_TOTAL: Question = Question::Statements { order: StatementOrder::Total };

/// Half a second was measured on two shared cores for a full table with 500 of its texts, the rest is for a busier machine.
/// A look that read the view once for each entry would take minutes.
const FULL_WITHIN: Duration = Duration::from_secs(4);

fn read(sample: &Sample) -> &Statements {
    match &sample.answer {
        Ok(Snapshot::Statements(statements)) => statements,
        other => panic!("{other:?}"),
    }
}

async fn look(uri: &str) -> Statements {
    match ask(uri, BY_TOTAL).await {
        Ok(Snapshot::Statements(statements)) => *statements,
        other => panic!("{other:?}"),
    }
}

async fn refused(uri: &str) -> ProbeError {
    ask(uri, BY_TOTAL).await.expect_err("there is nothing to read")
}

/// The entry whose text begins so.
fn found<'a>(statements: &'a Statements, text: &str) -> Option<&'a Statement> {
    let query = statements.texts.iter().find(|t| t.text.raw().starts_with(text))?.query;
    statements.entries.iter().find(|e| e.key.query == query)
}

async fn everything(major: u32, version: &str, dated: bool) {
    let Some(mut lab) = primary(major) else { return };
    lab.command("calm");
    let (admin, monitor, plain) = (lab.uri("postgres"), lab.uri("monitor"), lab.uri("plain"));
    let worker = client(&admin).await;
    for _ in 0..5 {
        run(&worker, "SELECT 42 AS counted_by_the_test FROM customers LIMIT 3").await;
    }
    let all = look(&monitor).await;
    assert_eq!((all.extension.as_str(), all.info.is_some(), all.hidden.entries), (version, dated, 0));
    let entry = found(&all, "SELECT $1 AS counted_by_the_test").expect("normalized, and read");
    assert_eq!((entry.calls, entry.rows, entry.key.database), (5, 15, all.database_oid));
    assert_eq!(all.users[&entry.key.user].raw(), "postgres");
    assert!(entry.total_ms > 0.0 && entry.max_ms >= entry.min_ms && entry.hit > 0);

    let some = look(&plain).await;
    assert!(some.hidden.entries > 20 && some.hidden.total_ms > 0.0, "{:?}", some.hidden);
    assert!(some.entries.iter().all(|e| e.key.user == some.user_oid), "only its own are told apart");
    assert!(found(&some, "SELECT $1 AS counted_by_the_test").is_none());
    assert!(some.all.entries >= all.all.entries, "but all are counted");

    // One console, two looks: its own statements are known as such, texts come once, and there are rates.
    let mut world = World::default();
    let mut asking = Asking::of(&monitor, &[BY_TOTAL]);
    let first = asking.sample(&BY_TOTAL).await;
    assert!(read(&first).texts.len() > 20);
    world.take(first);
    run(&worker, "SELECT 42 AS counted_by_the_test FROM customers LIMIT 3").await;
    let key = found(&all, "SELECT $1 AS counted_by_the_test").expect("as before").key;
    let give_up = Instant::now() + super::activity::PATIENCE;
    let second = loop {
        let sample = asking.sample(&BY_TOTAL).await;
        assert!(read(&sample).texts.len() < 20, "only those that are new: {}", read(&sample).texts.len());
        if read(&sample).entries.iter().any(|e| e.key == key && e.calls == 6) {
            break sample;
        }
        // It was asked while that statement still ran.
        assert!(Instant::now() < give_up, "the sixth call is never counted");
        world.take(sample);
    };
    world.take(second);
    let own = world.statement_texts.values().filter(|t| t.own).count();
    assert!(own >= 6, "ours are told from others': {own}");
    let ours = |e: &&Statement| e.key.user == world.statements.get().map_or(0, |s| s.user_oid);
    let texts = world.statements.get().into_iter().flat_map(|s| s.entries.iter().filter(ours));
    let strange: Vec<_> = texts
        .filter_map(|e| world.statement_texts.get(&e.key.query))
        .filter(|t| !t.own && t.text.raw().starts_with("SELECT"))
        .collect();
    assert!(strange.is_empty(), "this role asks nothing else: {strange:?}");
    let rates = world.statements_interval.rates(key).expect("a rate");
    assert!(rates.calls > 0.0 && (rates.calls * world.statements_interval.seconds - 1.0).abs() < 0.01, "{rates:?}");

    run(&worker, "SELECT pg_stat_statements_reset()").await;
    let after = asking.sample_with(&BY_TOTAL, |s| read(s).all.calls < all.all.calls).await;
    world.take(after);
    assert!(world.statements_interval.reset && world.statements_interval.sum().is_none(), "a reset has no rates");
    world.take(asking.sample(&BY_TOTAL).await);
    assert!(!world.statements_interval.reset && world.statements_interval.sum().is_some(), "and rates come back");

    let words = refused(&with_database(&admin, "postgres")).await.to_string();
    assert!(words.contains("database postgres has no view") && words.contains("CREATE EXTENSION"), "{words}");
}

#[tokio::test]
async fn entries_rates_rights_and_resets_on_13() {
    everything(13, "1.8", false).await;
}

#[tokio::test]
async fn entries_rates_rights_and_resets_on_15() {
    everything(15, "1.10", true).await;
}

#[tokio::test]
async fn entries_rates_rights_and_resets_on_18() {
    everything(18, "1.12", true).await;
}

#[tokio::test]
async fn an_older_form_of_the_view_is_read_as_it_is() {
    let Some(lab) = primary(18) else { return };
    let admin = lab.uri("postgres");
    let worker = client(&admin).await;
    for version in ["1.4", "1.6", "1.7", "1.8", "1.9", "1.10", "1.11"] {
        let made =
            format!("DROP EXTENSION pg_stat_statements; CREATE EXTENSION pg_stat_statements VERSION '{version}'");
        run(&worker, &made).await;
        for order in StatementOrder::ALL {
            match ask(&admin, Question::Statements { order }).await {
                Ok(Snapshot::Statements(s)) => {
                    assert_eq!(s.extension, version);
                    assert!(s.entries.iter().any(|e| e.total_ms > 0.0) && !s.texts.is_empty(), "{version} {order:?}");
                }
                other => panic!("{version} {order:?}: {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn a_full_table_is_bounded_and_its_evictions_are_told() {
    let Some(lab) = primary(18) else { return };
    let uri = lab.uri("postgres");
    let worker = client(&uri).await;
    // Operators are part of what tells statements apart, names and constants are not; a text of half a kilobyte is an
    // ordinary one.
    let fill = |from: i32, to: i32| {
        format!(
            "DO $$ BEGIN FOR i IN {from}..{to} LOOP EXECUTE format('SELECT x%s /* %s */ FROM (SELECT 1 AS x) t', \
             (SELECT string_agg(CASE WHEN (i >> b) & 1 = 1 THEN '+x' ELSE '-x' END, '') FROM generate_series(0, 12) b), \
             repeat('text ', 100)); END LOOP; END $$"
        )
    };
    run(&worker, "SELECT pg_stat_statements_reset()").await;
    run(&worker, "SET pg_stat_statements.track = 'all'").await;
    run(&worker, &fill(1, 5200)).await;
    let mut world = World::default();
    let mut asking = Asking::of(&uri, &[BY_TOTAL]);
    let first = asking.sample(&BY_TOTAL).await;
    let (entries, texts) = (read(&first).entries.len(), read(&first).texts.len());
    assert!((4000..=5000).contains(&entries), "{entries}");
    assert_eq!(texts, 500, "no more texts at once");
    world.take(first);
    let mut best = Duration::MAX;
    while world.statement_texts.len() < entries / 2 {
        let sample = asking.sample(&BY_TOTAL).await;
        best = best.min(sample.took);
        world.take(sample);
    }
    eprintln!("{entries} entries, of which 500 with their text: {best:?}");
    assert!(best < FULL_WITHIN, "{best:?}");
    let before = world.statements.get().and_then(|s| s.info.as_ref()).map_or(0, |i| i.dealloc);
    assert!(before > 0, "there was no room for all");
    run(&worker, &fill(6000, 8000)).await;
    world.take(asking.sample_with(&BY_TOTAL, |s| read(s).info.as_ref().is_some_and(|i| i.dealloc > before)).await);
    assert!(world.statements_interval.evictions.is_some_and(|n| n > 0));
    assert!(!world.statements_interval.reset);
}
