//! The SQL that a runbook gives to copy, on real servers: it runs as it is, for the role that the README grants.

use crate::lab::{Lab, PRIMARY, Wanted};
use pgtriage::diagnose::runbook::builtin;

use super::asking::{client, run};

async fn every_statement_runs(major: u32) {
    let Some(lab) = Lab::start(Wanted { postgres: Some(major), ..PRIMARY }) else { return };
    let mut texts = 0;
    for book in builtin().unwrap() {
        for copy in book.steps.iter().filter_map(|step| step.copy.as_ref()).filter(|copy| copy.what.starts_with("SQL"))
        {
            // A session of its own, as whoever pastes it has: what it says of rights is what it needs.
            let oncall = client(&lab.uri("oncall")).await;
            run(&oncall, "SET statement_timeout = '20s'").await;
            let answers = oncall.simple_query(&copy.text).await;
            assert!(answers.is_ok(), "{}, {}: {answers:?}\n{}", book.id, copy.what, copy.text);
            texts += 1;
        }
    }
    assert!(texts >= 3, "only {texts}");
}

#[tokio::test]
async fn the_sql_of_the_runbooks_runs_on_13() {
    every_statement_runs(13).await;
}

#[tokio::test]
async fn the_sql_of_the_runbooks_runs_on_15() {
    every_statement_runs(15).await;
}

#[tokio::test]
async fn the_sql_of_the_runbooks_runs_on_18() {
    every_statement_runs(18).await;
}
