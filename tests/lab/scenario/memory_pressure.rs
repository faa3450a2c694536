//! A release of the service that leaks 2 MiB each second, up to 384 MiB.
use super::Scenario;
use super::cast::Cast;
use crate::bench::Bench;
use anyhow::{Context, Result};
use serde_json::{Value, json};

pub const SCENARIO: Scenario = Scenario {
    name: "memory-pressure",
    about: "the service's resident memory grows by 2 MiB a second",
    begin: |bench, cast| Box::pin(begin(bench, cast)),
    end: |bench| Box::pin(end(bench)),
};

async fn begin(bench: &mut Bench, _: &mut Cast) -> Result<Value> {
    let deployment = json!({ "leak": 2 });
    let service = bench.service.as_mut().context("this lab has no service")?;
    service.deploy(&deployment).await?;
    Ok(json!({ "deployment": deployment }))
}

async fn end(bench: &mut Bench) -> Result<()> {
    let service = bench.service.as_mut().context("this lab has no service")?;
    service.deploy(&json!({})).await
}
