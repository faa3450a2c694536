//! The small service on the shop: HTTP in, PostgreSQL behind a pool of its own, FraiseQL's metrics; it must report nothing that
//! it has not measured.
mod health;
mod metrics;
mod operation;
mod pool;
mod statements;

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use metrics::Metrics;
use operation::{Failure, Request};
use pool::Pool;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// What the lab tells its service at its start.
#[derive(clap::Args)]
pub struct Arguments {
    /// The port on 127.0.0.1 to listen on.
    #[arg(long)]
    listen: u16,
    /// The port of the primary.
    #[arg(long)]
    postgres: u16,
    /// How many connections its pool may open.
    #[arg(long, default_value_t = 16)]
    pool: usize,
}

/// How the service is deployed; a scenario changes it on standard input, as a bad release would.
#[derive(Clone, Copy, Debug)]
pub struct Deployment {
    /// How long a cached result is good for, in seconds.
    pub ttl: f64,
    /// Whether expired entries are swept out.
    pub sweep: bool,
    /// Whether the key of a cached result holds the visitor too, so that nobody ever finds what another one left.
    pub key_per_visitor: bool,
    /// MiB that leak each second.
    pub leak: usize,
}

const GOOD: Deployment = Deployment { ttl: 300.0, sweep: true, key_per_visitor: false, leak: 0 };

/// A leak ends here, in MiB: enough to be seen, little enough to share a machine with.
const LEAK_MOST: usize = 384;

/// All that a request needs.
#[derive(Debug)]
pub struct Service {
    /// The connections.
    pub pool: Arc<Pool>,
    /// What was counted.
    pub metrics: Metrics,
    deployment: Mutex<Deployment>,
    leaked: Mutex<Vec<Vec<u8>>>,
}

impl Service {
    /// How it is deployed now.
    pub fn deployment(&self) -> Deployment {
        *self.deployment.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Serves until standard input ends: whoever started the service holds its other end.
pub async fn run(arguments: Arguments) -> Result<()> {
    let service = Arc::new(Service {
        pool: Arc::new(Pool::new(arguments.postgres, arguments.pool)),
        metrics: Metrics::default(),
        deployment: Mutex::new(GOOD),
        leaked: Mutex::default(),
    });
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", arguments.listen))
        .await
        .with_context(|| format!("port {}", arguments.listen))?;
    let router = Router::new()
        .route("/graphql", post(graphql))
        .route("/health", get(health::health))
        .route("/readiness", get(health::readiness))
        .route("/live", get(health::live))
        .route("/v1/health", get(health::healthy))
        .route("/v1/ready", get(health::ready))
        .route("/metrics", get(exposition))
        .with_state(Arc::clone(&service));
    tokio::spawn(every(Duration::from_secs(5), Arc::clone(&service), sweep));
    tokio::spawn(every(Duration::from_secs(5), Arc::clone(&service), statements::look));
    tokio::spawn(leak(Arc::clone(&service)));
    tokio::select! {
        ended = std::future::IntoFuture::into_future(axum::serve(listener, router)) => ended.context("serve"),
        () = obey(&service) => Ok(()),
    }
}

/// Reads the deployment, as JSON, a line each time that it changes.
async fn obey(service: &Service) {
    let mut lines = crate::lines::read();
    while let Some(line) = lines.recv().await {
        let change: Value = serde_json::from_str(&line).unwrap_or_default();
        let mut deployment = service.deployment.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *deployment = Deployment {
            ttl: change["ttl"].as_f64().unwrap_or(GOOD.ttl),
            sweep: change["sweep"].as_bool().unwrap_or(GOOD.sweep),
            key_per_visitor: change["key_per_visitor"].as_bool().unwrap_or(GOOD.key_per_visitor),
            leak: change["leak"].as_u64().and_then(|leak| usize::try_from(leak).ok()).unwrap_or(GOOD.leak),
        };
        if deployment.leak == 0 {
            service.leaked.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clear();
        }
    }
}

async fn every<F>(pause: Duration, service: Arc<Service>, act: impl Fn(Arc<Service>) -> F)
where
    F: Future<Output = Result<()>>,
{
    loop {
        if let Err(failure) = act(Arc::clone(&service)).await {
            eprintln!("service: {failure:#}");
        }
        tokio::time::sleep(pause).await;
    }
}

/// What nothing in FraiseQL schedules, and what a good deployment therefore does itself.
async fn sweep(service: Arc<Service>) -> Result<()> {
    if service.deployment().sweep {
        let lease = service.pool.lease().await?;
        lease.client()?.execute("DELETE FROM fraiseql_cache WHERE expires_at <= NOW()", &[]).await?;
    }
    Ok(())
}

async fn leak(service: Arc<Service>) {
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let megabytes = service.deployment().leak;
        let mut leaked = service.leaked.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for _ in 0..megabytes {
            if leaked.len() < LEAK_MOST {
                // Touched, so that it is resident.
                leaked.push(vec![1; 1 << 20]);
            }
        }
    }
}

async fn graphql(State(service): State<Arc<Service>>, body: Bytes) -> Response {
    let arrived = Instant::now();
    let (status, answer) = match Request::read(&body) {
        Ok(request) => {
            // A task of its own: a client that gives up does not end the statement that it asked for, and the pool's connection
            // comes back only when the server has answered.
            let task = tokio::spawn(operation::answer(Arc::clone(&service), request));
            match task.await {
                Ok(Ok(data)) => (StatusCode::OK, json!({ "data": data })),
                Ok(Err(failure)) => (StatusCode::OK, errors(&failure)),
                Err(failure) => (StatusCode::INTERNAL_SERVER_ERROR, json!({ "errors": [failure.to_string()] })),
            }
        }
        Err(failure) => {
            service.metrics.refused(&failure);
            let status = if matches!(failure, Failure::Parse(_)) { StatusCode::BAD_REQUEST } else { StatusCode::OK };
            (status, errors(&failure))
        }
    };
    service.metrics.http(status.as_u16(), arrived.elapsed());
    (status, axum::Json(answer)).into_response()
}

fn errors(failure: &Failure) -> Value {
    json!({ "data": null, "errors": [{ "message": failure.to_string() }] })
}

async fn exposition(State(service): State<Arc<Service>>) -> Response {
    let arrived = Instant::now();
    let text = service.metrics.text(&service.pool.gauge());
    service.metrics.http(200, arrived.elapsed());
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}
