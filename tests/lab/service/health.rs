//! Health as FraiseQL 2 answers it, and below `/v1` as FraiseQL 1 does; it must not borrow from the pool, so that a full pool is not taken for a dead database.
use super::Service;
use crate::session::Session;
use anyhow::{Context, Result};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};
use std::hash::{Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::time::timeout;

/// `/live`: this process answers.
pub async fn live() -> Json<Value> {
    Json(json!({ "status": "alive" }))
}

/// `/readiness`: the database answers.
pub async fn readiness(State(service): State<Arc<Service>>) -> (StatusCode, Json<Value>) {
    match ask(&service).await {
        Ok(()) => (StatusCode::OK, Json(json!({ "status": "ready" }))),
        Err(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            Json(json!({ "status": "not_ready", "reason": "Database connection unavailable" })),
        ),
    }
}

/// `/health`: both, with the pool in numbers.
pub async fn health(State(service): State<Arc<Service>>) -> (StatusCode, Json<Value>) {
    let connected = ask(&service).await.is_ok();
    let pool = service.pool.gauge();
    let (code, status) =
        if connected { (StatusCode::OK, "healthy") } else { (StatusCode::SERVICE_UNAVAILABLE, "unhealthy") };
    let body = json!({
        "status": status,
        "database": {
            "connected": connected,
            "database_type": "PostgreSQL",
            "active_connections": pool.active,
            "idle_connections": pool.idle,
        },
        "version": env!("CARGO_PKG_VERSION"),
        "schema_hash": schema(),
    });
    (code, Json(body))
}

/// `/v1/health`, as FraiseQL 1 answers: whatever becomes of its database.
pub async fn healthy() -> Json<Value> {
    Json(json!({ "status": "healthy", "service": "fraiseql" }))
}

/// How long FraiseQL 1 waits for its pool before it says that it is not ready.
const POOL_TIMEOUT: Duration = Duration::from_secs(30);

/// `/v1/ready`, as FraiseQL 1 answers: with its checks, and without its database only when its pool has given up.
pub async fn ready(State(service): State<Arc<Service>>) -> (StatusCode, Json<Value>) {
    let arrived = Instant::now();
    while ask(&service).await.is_err() {
        if arrived.elapsed() >= POOL_TIMEOUT {
            let database = format!("failed: couldn't get a connection after {:.2} sec", POOL_TIMEOUT.as_secs_f64());
            let code = StatusCode::SERVICE_UNAVAILABLE;
            return (code, Json(checks("not_ready", &database)));
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    (StatusCode::OK, Json(checks("ready", "ok")))
}

fn checks(status: &str, database: &str) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    json!({ "status": status, "checks": { "database": database, "schema": "ok" }, "timestamp": now })
}

/// What tells one schema from another: a hash of the one that the lab's database was made of.
fn schema() -> String {
    let mut hasher = std::hash::DefaultHasher::new();
    include_str!("../sql/shop.sql").hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

async fn ask(service: &Service) -> Result<()> {
    let look = async {
        let session: Session = service.pool.aside().await?;
        session.number("SELECT 1::int8").await
    };
    timeout(Duration::from_secs(2), look).await.context("no answer in 2 s")??;
    Ok(())
}
