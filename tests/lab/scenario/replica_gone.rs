//! The standby is stopped while an import goes on: its row in `pg_stat_replication` vanishes, and its slot keeps the WAL.
use super::cast::Cast;
use super::{Scenario, importer};
use crate::bench::Bench;
use anyhow::Result;
use serde_json::{Value, json};

pub const SCENARIO: Scenario = Scenario {
    name: "replica-gone",
    about: "the standby is gone, and its slot retains WAL while an import writes",
    begin: |bench, cast| Box::pin(begin(bench, cast)),
    end: |bench| Box::pin(end(bench)),
};

async fn begin(bench: &mut Bench, cast: &mut Cast) -> Result<Value> {
    bench.standby_runs(false).await?;
    Ok(json!({ "retained_at_least": importer::run(bench, cast).await? }))
}

async fn end(bench: &mut Bench) -> Result<()> {
    bench.standby_runs(true).await?;
    importer::undo(bench).await
}
