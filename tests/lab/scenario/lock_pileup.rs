//! A worker that forgot to commit, a migration queued behind it, and every reader of the table queued behind that; cancelling the
//! migration lets the readers flow again, ending the worker frees all.
use super::Scenario;
use super::cast::{Cast, Part};
use crate::bench::Bench;
use anyhow::Result;
use serde_json::{Value, json};
use std::time::Duration;

/// How many readers come, and come back.
const READERS: u32 = 32;

pub const SCENARIO: Scenario = Scenario {
    name: "lock-pileup",
    about: "an idle transaction holds a row; an ALTER TABLE queues behind it, and 32 readers behind that",
    begin: |bench, cast| Box::pin(begin(bench, cast)),
    end: |bench| Box::pin(end(bench)),
};

async fn begin(bench: &mut Bench, cast: &mut Cast) -> Result<Value> {
    let door = bench.primary.door();
    let admin = door.admin().await?;
    let waiting = |application: &str| {
        format!(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = '{application}'"
        )
    };
    let patience = Duration::from_secs(20);
    let worker = Part { user: "shop_worker", application: "worker" };
    cast.hold(&door, worker, &["BEGIN", "UPDATE orders SET status = 'packing' WHERE id = 4711"]).await?;
    let fulfilment = Part { user: "shop_worker", application: "fulfilment" };
    let update = "UPDATE orders SET status = 'shipped', updated_at = now() WHERE id = 4711";
    cast.once(&door, fulfilment, update).await?;
    admin.reaches(&waiting("fulfilment"), 1, patience).await?;
    let migration = Part { user: "shop_owner", application: "migration" };
    cast.once(&door, migration, "ALTER TABLE orders ADD COLUMN discount_code text").await?;
    admin.reaches(&waiting("migration"), 1, patience).await?;
    let storefront = Part { user: "shop_api", application: "storefront" };
    for reader in 1..=READERS {
        let line = format!(
            "SELECT id, status, total FROM orders WHERE customer_id = {reader} ORDER BY created_at DESC LIMIT 20"
        );
        cast.again(&door, storefront, line, Duration::from_millis(400));
    }
    admin.reaches(&waiting("storefront"), READERS.into(), patience).await?;
    Ok(json!({ "readers": READERS, "root": "worker", "queued": "migration" }))
}

async fn end(bench: &mut Bench) -> Result<()> {
    let admin = bench.primary.door().admin().await?;
    // It is there if the worker was ended and the migration therefore went through.
    admin.run("ALTER TABLE orders DROP COLUMN IF EXISTS discount_code").await
}
