//! A batch job that leaks connections until the server has none left, not even the superusers' reserve; who is in stays in.
use super::Scenario;
use super::cast::{Cast, Part};
use crate::bench::Bench;
use anyhow::Result;
use serde_json::{Value, json};

pub const SCENARIO: Scenario = Scenario {
    name: "connections-exhausted",
    about: "idle sessions of a batch job take every slot, the superusers' reserve too",
    begin: |bench, cast| Box::pin(begin(bench, cast)),
    end: |_| Box::pin(async { Ok(()) }),
};

async fn begin(bench: &mut Bench, cast: &mut Cast) -> Result<Value> {
    let door = bench.primary.door();
    let mut taken = [0_usize; 2];
    let parts = ["shop_worker", "postgres"].map(|user| Part { user, application: "batch-import" });
    for (part, taken) in parts.into_iter().zip(&mut taken) {
        while let Ok(session) = cast.enter(&door, part).await {
            session.run("SELECT id FROM orders WHERE status = 'paid' LIMIT 1").await?;
            cast.keep(session);
            *taken += 1;
        }
    }
    Ok(json!({ "sessions": taken[0], "reserved_sessions": taken[1] }))
}
