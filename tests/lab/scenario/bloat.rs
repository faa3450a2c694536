//! A report's transaction holds the horizon while carts are rewritten: autovacuum runs, and removes nothing.
use super::Scenario;
use super::cast::{Cast, Part};
use crate::bench::Bench;
use anyhow::Result;
use serde_json::{Value, json};
use std::time::Duration;

pub const SCENARIO: Scenario = Scenario {
    name: "bloat",
    about: "a long REPEATABLE READ transaction holds the horizon while the table carts churns",
    begin: |bench, cast| Box::pin(begin(bench, cast)),
    end: |bench| Box::pin(end(bench)),
};

/// 1 000 of the 10 000 carts each half second, until the table is 200 MB.
const CHURN: &str = "DO $$ BEGIN
IF pg_relation_size('carts') < 200e6 THEN
  UPDATE carts SET contents = repeat(substr(md5(random()::text), 1, 1), 200), updated_at = now()
  WHERE id % 10 = extract(second FROM clock_timestamp())::int % 10;
END IF; END $$";

async fn begin(bench: &mut Bench, cast: &mut Cast) -> Result<Value> {
    let door = bench.primary.door();
    let report = Part { user: "reporting", application: "month-end-report" };
    let lines = ["BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT count(*), sum(total) FROM orders"];
    cast.hold(&door, report, &lines).await?;
    let sync = Part { user: "shop_worker", application: "cart-sync" };
    let session = cast.enter(&door, sync).await?;
    session.run("UPDATE carts SET updated_at = now()").await?;
    session.run("UPDATE carts SET updated_at = now()").await?;
    cast.keep(session);
    cast.again(&door, sync, CHURN.to_owned(), Duration::from_millis(500));
    let admin = door.admin().await?;
    let dead = "SELECT coalesce(pg_stat_get_dead_tuples('carts'::regclass), 0)";
    admin.reaches(dead, 15_000, Duration::from_secs(20)).await?;
    Ok(json!({ "table": "carts", "dead": admin.number(dead).await?, "holder": "month-end-report" }))
}

async fn end(bench: &mut Bench) -> Result<()> {
    bench.primary.door().admin().await?.run("VACUUM (FULL, ANALYZE) carts").await
}
