//! A bulk import that makes WAL, about 1 MB a second, for the incidents of replication; it stops by itself at 300 MB.
use super::cast::{Cast, Part};
use crate::bench::Bench;
use anyhow::Result;
use std::time::Duration;

const IMPORT: &str = "INSERT INTO events (kind, body)
SELECT 'import', repeat(md5(random()::text), 30) FROM generate_series(1, 300)
WHERE pg_relation_size('events') < 300e6";

/// Lets it run; gives the least bytes of WAL that exist once this has returned and did not before.
pub async fn run(bench: &Bench, cast: &mut Cast) -> Result<i64> {
    let door = bench.primary.door();
    let importer = Part { user: "shop_worker", application: "importer" };
    let admin = door.admin().await?;
    let written = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::int8";
    let before = admin.number(written).await?;
    cast.again(&door, importer, IMPORT.to_owned(), Duration::from_millis(300));
    let least = 500_000;
    admin.reaches(written, before + least, Duration::from_secs(20)).await?;
    Ok(least)
}

/// Takes away what it has brought.
pub async fn undo(bench: &Bench) -> Result<()> {
    bench.primary.door().admin().await?.run("TRUNCATE events").await
}
