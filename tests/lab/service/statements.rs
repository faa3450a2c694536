//! The slowest statements and the cache's size, read now and then by a session of its own; it must not take a connection of the pool.
use super::Service;
use anyhow::{Context, Result};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// One of the five statements that took most time in all.
#[derive(Clone, Debug)]
pub struct Costly {
    /// `pg_stat_statements.queryid`.
    pub id: i64,
    /// The first 80 characters of its text.
    pub text: String,
    /// Calls.
    pub calls: i64,
    /// Seconds in all.
    pub total: f64,
    /// Seconds for each call.
    pub mean: f64,
    /// Share of blocks found in shared buffers, 0 to 1.
    pub hits: f64,
}

const COSTLY: &str = "SELECT queryid, left(regexp_replace(query, '\\s+', ' ', 'g'), 80), calls, total_exec_time / 1000, mean_exec_time / 1000, \
     (shared_blks_hit / greatest(shared_blks_hit + shared_blks_read, 1)::float8) \
     FROM pg_stat_statements WHERE queryid IS NOT NULL AND query IS NOT NULL ORDER BY total_exec_time DESC LIMIT 5";
const CACHE: &str = "SELECT count(*), pg_total_relation_size('fraiseql_cache') FROM fraiseql_cache";

/// Reads them.
pub async fn look(service: Arc<Service>) -> Result<()> {
    let read = async {
        let session = service.pool.aside().await?;
        let rows = session.client.query(COSTLY, &[]).await.context("pg_stat_statements")?;
        let costly = rows.iter().map(|row| {
            anyhow::Ok(Costly {
                id: row.try_get(0)?,
                text: row.try_get(1)?,
                calls: row.try_get(2)?,
                total: row.try_get(3)?,
                mean: row.try_get(4)?,
                hits: row.try_get(5)?,
            })
        });
        service.metrics.costly(costly.collect::<Result<_>>()?);
        let cache = session.client.query_one(CACHE, &[]).await.context("fraiseql_cache")?;
        service.metrics.cached(cache.try_get(0)?, cache.try_get(1)?);
        Ok(())
    };
    timeout(Duration::from_secs(4), read).await.context("no answer in 4 s")?
}
