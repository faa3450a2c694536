//! A release that puts the visitor into the cache key: nothing is ever found, entries pile up, and nobody sweeps them out.
use super::Scenario;
use super::cast::Cast;
use crate::bench::Bench;
use anyhow::{Context, Result};
use serde_json::{Value, json};

pub const SCENARIO: Scenario = Scenario {
    name: "cache-collapse",
    about: "every result is cached under a key of its own for 5 s: the hit ratio falls, expired entries pile up",
    begin: |bench, cast| Box::pin(begin(bench, cast)),
    end: |bench| Box::pin(end(bench)),
};

async fn begin(bench: &mut Bench, _: &mut Cast) -> Result<Value> {
    let deployment = json!({ "ttl": 5, "sweep": false, "key_per_visitor": true });
    let service = bench.service.as_mut().context("this lab has no service")?;
    service.deploy(&deployment).await?;
    Ok(json!({ "deployment": deployment }))
}

async fn end(bench: &mut Bench) -> Result<()> {
    let service = bench.service.as_mut().context("this lab has no service")?;
    service.deploy(&json!({})).await?;
    let admin = bench.primary.door().admin().await?;
    admin.run("DELETE FROM fraiseql_cache WHERE cache_key LIKE '%:visitor:%'").await
}
