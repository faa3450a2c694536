//! Statements that take minutes for different reasons, and a transaction that someone left open; nobody waits for a lock.
use super::Scenario;
use super::cast::{Cast, Part};
use crate::bench::Bench;
use anyhow::Result;
use serde_json::{Value, json};
use std::process::{Command, Stdio};

pub const SCENARIO: Scenario = Scenario {
    name: "slow-queries",
    about: "exports and reports that run for minutes, and a transaction left open by the back office",
    begin: |bench, cast| Box::pin(begin(bench, cast)),
    end: |bench| Box::pin(end(bench)),
};

/// Asks another system for each row, as such functions do: 20 ms a row, hardly any processor time.
const TAX: &str =
    "CREATE OR REPLACE FUNCTION sales_tax(amount numeric, country text) RETURNS numeric LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_sleep(0.02); RETURN amount * CASE country WHEN 'CH' THEN 0.081 ELSE 0.2 END; END $$";

const BY_COUNTRY: &str = "SELECT c.country, count(*) AS orders, sum(sales_tax(o.total, c.country)) AS tax
FROM orders o JOIN customers c ON c.id = o.customer_id
WHERE o.created_at > now() - interval '90 days'
GROUP BY c.country ORDER BY tax DESC";

/// Two products bought at the same time, without the condition that would have made it quick.
const TOGETHER: &str = "SELECT a.product_id, b.product_id, count(*) AS together
FROM order_items a JOIN order_items b ON a.product_id < b.product_id
GROUP BY 1, 2 ORDER BY together DESC LIMIT 20";

async fn begin(bench: &mut Bench, cast: &mut Cast) -> Result<Value> {
    let door = bench.primary.door();
    door.admin().await?.run(TAX).await?;
    let reporting = |application| Part { user: "reporting", application };
    cast.once(&door, reporting("tax-report"), BY_COUNTRY).await?;
    let heavy = cast.once(&door, reporting("recommendations"), TOGETHER).await?;
    // It takes a whole core if one is free, and must not take it from anybody.
    Command::new("renice")
        .args(["-n", "19", "-p", &heavy.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    for line in
        ["SELECT pg_sleep(1800) /* nightly stock export */", "SELECT pg_sleep(1800) /* nightly customer export */"]
    {
        cast.once(&door, reporting("export"), line).await?;
    }
    let backoffice = Part { user: "shop_worker", application: "backoffice" };
    let lines = ["BEGIN", "SELECT id, name, email FROM customers WHERE id = 42 FOR UPDATE"];
    cast.hold(&door, backoffice, &lines).await?;
    Ok(json!({ "running": 4, "idle_in_transaction": 1 }))
}

async fn end(bench: &mut Bench) -> Result<()> {
    let admin = bench.primary.door().admin().await?;
    admin.run("DROP FUNCTION IF EXISTS sales_tax(numeric, text)").await
}
