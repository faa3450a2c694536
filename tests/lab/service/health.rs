//! Health as FraiseQL 2 answers it; it must not borrow from the pool, so that a full pool is not taken for a dead database.
use super::Service;
use crate::session::Session;
use anyhow::{Context, Result};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
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
    });
    (code, Json(body))
}

async fn ask(service: &Service) -> Result<()> {
    let look = async {
        let session: Session = service.pool.aside().await?;
        session.number("SELECT 1::int8").await
    };
    timeout(Duration::from_secs(2), look).await.context("no answer in 2 s")??;
    Ok(())
}
