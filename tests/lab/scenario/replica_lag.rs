//! Replay is paused on the standby while an import goes on: bytes fall behind, and `replay_lag` in time says nothing of it.
use super::cast::Cast;
use super::{Scenario, importer};
use crate::bench::Bench;
use anyhow::{Context, Result};
use serde_json::{Value, json};

pub const SCENARIO: Scenario = Scenario {
    name: "replica-lag",
    about: "replay is paused on the standby while an import writes",
    begin: |bench, cast| Box::pin(begin(bench, cast)),
    end: |bench| Box::pin(end(bench)),
};

async fn begin(bench: &mut Bench, cast: &mut Cast) -> Result<Value> {
    let standby = bench.standby.as_ref().context("this lab has no standby")?;
    standby.door().admin().await?.run("SELECT pg_wal_replay_pause()").await?;
    Ok(json!({ "behind_at_least": importer::run(bench, cast).await? }))
}

async fn end(bench: &mut Bench) -> Result<()> {
    let standby = bench.standby.as_mut().context("this lab has no standby")?;
    if standby.runs() {
        standby.door().admin().await?.run("SELECT pg_wal_replay_resume()").await?;
    }
    importer::undo(bench).await
}
