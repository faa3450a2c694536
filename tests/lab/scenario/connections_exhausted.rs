//! A batch job that leaks connections until the server has none left, not even the superusers' reserve; who is in stays in.
use super::Scenario;
use super::cast::{Cast, Part};
use crate::bench::Bench;
use crate::process::PATIENCE;
use anyhow::{Error, Result, ensure};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use tokio_postgres::error::SqlState;

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
        let deadline = Instant::now() + PATIENCE;
        loop {
            match cast.enter(&door, part).await {
                Ok(session) => {
                    session.run("SELECT id FROM orders WHERE status = 'paid' LIMIT 1").await?;
                    cast.keep(session);
                    *taken += 1;
                }
                Err(failure) if is_full(&failure) => break,
                // A login that took too long says nothing of the slots, and gives back the one that it had.
                Err(failure) => {
                    ensure!(Instant::now() < deadline, failure);
                    sleep(Duration::from_millis(500)).await;
                }
            }
        }
    }
    Ok(json!({ "sessions": taken[0], "reserved_sessions": taken[1] }))
}

fn is_full(failure: &Error) -> bool {
    let refusal = failure.downcast_ref::<tokio_postgres::Error>();
    refusal.and_then(tokio_postgres::Error::code) == Some(&SqlState::TOO_MANY_CONNECTIONS)
}
