//! CONNECTION LIMITs that are reached, on real servers: who is refused is named to a role without any right, and the SQL that
//! is offered lets the next one in. It must not test sentences.
use super::asking::{Asking, client, primary, run, with_database};
use crate::stage::Stage;
use pgtriage::diagnose::{Finding, Kind};
use pgtriage::message::Event;
use pgtriage::model::activity::Part;
use pgtriage::model::{Question, Snapshot};
use pgtriage::probe::Report;
use std::time::{Duration, Instant};
use tokio_postgres::NoTls;
use tokio_postgres::error::SqlState;

/// None where the server lets somebody in, else its words' code.
async fn refused(uri: &str) -> Option<SqlState> {
    tokio_postgres::connect(uri, NoTls).await.err().map(|e| e.code().cloned().expect("the server's own words"))
}

fn found(stage: &Stage) -> Vec<&Finding> {
    stage.app.triage.diagnosis.findings.iter().filter(|f| f.kind() == Kind::ConnectionLimit).collect()
}

/// Looks until so many limits are told.
async fn told(asking: &mut Asking, stage: &mut Stage, count: usize) {
    let began = Instant::now();
    while found(stage).len() != count {
        if let Report::Sample(sample) = asking.report().await {
            assert!(sample.answer.is_ok(), "{:?}", sample.answer);
            stage.event(Event::Sample(sample));
        }
        let activity = &stage.app.live().activity;
        assert!(began.elapsed() < super::activity::PATIENCE, "{:#?}, {activity:#?}", found(stage));
    }
}

async fn reached(major: u32) {
    let Some(lab) = primary(major) else { return };
    let admin = client(&lab.uri("postgres")).await;
    run(&admin, "ALTER ROLE \"reporting\" RENAME TO \"re\"\"port\"").await;
    run(&admin, "ALTER ROLE \"re\"\"port\" CONNECTION LIMIT 6; ALTER ROLE shop_owner CONNECTION LIMIT 0").await;
    run(&admin, "ALTER DATABASE billing CONNECTION LIMIT 5; ALTER ROLE postgres CONNECTION LIMIT 1").await;
    let role = lab.uri("postgres").replace("postgres@", "re%22port@");
    let billing = |user: &str| with_database(&lab.uri(user), "billing");

    let mut asking = Asking::of(&lab.uri("plain"), &[Question::Activity, Question::Sessions]);
    let mut stage = Stage::new().up();
    let mut clients = Vec::new();
    for _ in 0..6 {
        clients.push(client(&role).await);
    }
    // A superuser's counts in a database, though the limit is none for it.
    for user in ["postgres", "postgres", "monitor", "oncall", "shop_api"] {
        clients.push(client(&billing(user)).await);
    }
    assert_eq!(refused(&role).await, Some(SqlState::TOO_MANY_CONNECTIONS), "{major}");
    assert_eq!(refused(&billing("plain")).await, Some(SqlState::TOO_MANY_CONNECTIONS), "{major}");
    assert_eq!(refused(&billing("postgres")).await, None, "{major}");
    told(&mut asking, &mut stage, 2).await;
    for finding in found(&stage) {
        eprintln!("{major}: {} | {} | {}", finding.fact, finding.evidence, finding.todo);
    }
    let facts: Vec<&str> = found(&stage).iter().map(|f| f.fact.as_str()).collect();
    assert!(facts.iter().any(|f| f.contains("role re\"port: 6 of its 6")), "{major}: {facts:?}");
    assert!(facts.iter().any(|f| f.contains("database billing: 5 of its 5")), "{major}: {facts:?}");
    let offered: Vec<String> = found(&stage).iter().filter_map(|f| f.remedy.clone()).collect();
    assert_eq!(offered.len(), 2);
    for sql in offered {
        run(&admin, &sql).await;
    }
    assert_eq!(refused(&role).await, None, "{major}");
    assert_eq!(refused(&billing("plain")).await, None, "{major}");
    told(&mut asking, &mut stage, 0).await;

    // Behind a lock the rest of the answer comes all the same, and soon.
    run(&admin, "BEGIN; LOCK TABLE pg_catalog.pg_authid IN ACCESS EXCLUSIVE MODE").await;
    let locked = asking
        .sample_with(
            &Question::Activity,
            |s| matches!(&s.answer, Ok(Snapshot::Activity(a)) if matches!(a.limited, Part::Failed(_))),
        )
        .await;
    assert!(locked.took < Duration::from_secs(1), "{major}: {:?}", locked.took);
    run(&admin, "ROLLBACK").await;
}

#[tokio::test]
async fn a_limit_that_is_reached_is_told_and_raised_on_13() {
    reached(13).await;
}

#[tokio::test]
async fn a_limit_that_is_reached_is_told_and_raised_on_15() {
    reached(15).await;
}

#[tokio::test]
async fn a_limit_that_is_reached_is_told_and_raised_on_18() {
    reached(18).await;
}
