//! What stands beside the database on the stage: two instances of the application, redis, a mail service, pgbouncer.

use std::time::Duration;

use pgtriage::message::Event;
use pgtriage::model::health::{Body, Contact, Health, Heard, Reply, State, Watchlist, read};
use pgtriage::model::pooler::{Pool, Pooler};
use pgtriage::model::{ProbeError, Question, Sample, Snapshot};

use super::Stage;

/// The first instance: FraiseQL 1.
pub const APP_1: &str = "http://app-1:8000";
/// The second: FraiseQL 2.
pub const APP_2: &str = "http://app-2:8000";

/// `/health` of FraiseQL 1: it looks at nothing.
pub const V1_HEALTH: &str = r#"{"status":"healthy","service":"fraiseql"}"#;
/// `/ready` of FraiseQL 1.
pub const V1_READY: &str = r#"{"status":"ready","checks":{"database":"ok","schema":"ok"},"timestamp":1795558505.86}"#;
/// The same without its database.
pub const V1_NOT_READY: &str = r#"{"status":"not_ready","checks":{"database":"failed: couldn't get a connection after 30.00 sec","schema":"ok"},"timestamp":1795558505.86}"#;
/// `/health` of FraiseQL 2.
pub const V2_HEALTH: &str = r#"{"status":"healthy","database":{"connected":true,"database_type":"PostgreSQL","active_connections":0,"idle_connections":2},"capabilities":{"observers":{"compiled_in":true,"started":true,"serving":true,"healthy":true}},"version":"2.19.0","schema_hash":"36189f"}"#;

/// What is watched.
pub fn watchlist() -> Watchlist {
    Watchlist {
        endpoints: vec![APP_1.to_owned(), APP_2.to_owned()],
        dependencies: vec!["redis".to_owned(), "mail".to_owned()],
        pooler: Some("db1:6432".to_owned()),
        standbys: Some(1),
    }
}

/// A reply of a path.
pub fn reply(path: &str, status: u16, body: &str, took_ms: f64) -> Reply {
    Reply { path: path.to_owned(), took_ms, answer: Ok(Heard { status, body: read(body.as_bytes()) }) }
}

/// An answer comes, and no time goes by: what is beside the database answers beside all else.
fn give(stage: &mut Stage, question: Question, answer: Result<Snapshot, ProbeError>) {
    let sample = Sample { question, at: stage.now(), took: Duration::from_millis(3), answer };
    stage.event(Event::Sample(sample));
}

/// An endpoint answers that.
pub fn answers(stage: &mut Stage, endpoint: &str, replies: Vec<Reply>) {
    let question = Question::Health { endpoint: endpoint.to_owned() };
    give(stage, question, Ok(Snapshot::Health(Box::new(Health { replies }))));
}

/// An endpoint does not answer.
pub fn silent(stage: &mut Stage, endpoint: &str, why: ProbeError) {
    give(stage, Question::Health { endpoint: endpoint.to_owned() }, Err(why));
}

/// A dependency answers that, or does not.
pub fn dependency(stage: &mut Stage, name: &str, answer: Result<(State, &str), ProbeError>) {
    let contact = |(state, said): (State, &str)| Contact { state, said: said.into(), took_ms: 0.8 };
    let answer = answer.map(|told| Snapshot::Dependency(contact(told)));
    give(stage, Question::Dependency { name: name.to_owned() }, answer);
}

/// The pool of the shop, and a second one at rest.
pub fn pooler() -> Pooler {
    let shop = Pool {
        database: "shop".into(),
        user: "shop_api".into(),
        mode: "transaction".into(),
        clients_active: 14,
        servers_active: 2,
        servers_idle: 3,
        size: Some(20),
        ..Pool::default()
    };
    let billing = Pool { database: "billing".into(), user: "billing".into(), servers_active: 0, ..shop.clone() };
    Pooler { version: "PgBouncer 1.18.0".into(), pools: vec![shop, billing], clients: Some(30), max_clients: Some(200) }
}

/// pgbouncer shows that.
pub fn shows(stage: &mut Stage, pooler: Pooler) {
    give(stage, Question::Pooler, Ok(Snapshot::Pooler(Box::new(pooler))));
}

/// All of it is well.
pub fn calm(stage: &mut Stage) {
    answers(stage, APP_1, vec![reply("/ready", 200, V1_READY, 3.4), reply("/health", 200, V1_HEALTH, 1.1)]);
    answers(
        stage,
        APP_2,
        vec![reply("/readiness", 200, r#"{"status":"ready"}"#, 2.2), reply("/health", 200, V2_HEALTH, 2.6)],
    );
    dependency(stage, "redis", Ok((State::Ok, "+PONG")));
    dependency(stage, "mail", Ok((State::Ok, "answers 200")));
    shows(stage, pooler());
}

/// The incident: the first instance is not ready, redis is gone, and clients queue at pgbouncer.
pub fn feed(stage: &mut Stage) {
    calm(stage);
    answers(stage, APP_1, vec![reply("/ready", 503, V1_NOT_READY, 30.0), reply("/health", 200, V1_HEALTH, 1.1)]);
    dependency(stage, "redis", Err(ProbeError::Unreachable("connection refused".to_owned())));
    let mut seen = pooler();
    let shop = seen.pools.first_mut().unwrap();
    (shop.clients_waiting, shop.max_wait_s, shop.servers_active, shop.servers_idle) = (31, 7.2, 20, 0);
    shows(stage, seen);
}

/// Hostile words in every place where somebody else can put them.
pub fn hostile(stage: &mut Stage, texts: &[&str]) {
    let all = texts.concat();
    let json = serde_json::json!({
        "status": all, "reason": all, "version": all, "schema_hash": all,
        "checks": texts.iter().map(|t| ((*t).to_owned(), serde_json::json!({"status": "failed", "message": all})))
            .collect::<serde_json::Map<_, _>>(),
    });
    let mut bad = reply(&all, 503, &json.to_string(), 1.0);
    bad.path.clone_from(&all);
    answers(
        stage,
        APP_1,
        vec![
            bad,
            Reply {
                path: all.clone(),
                took_ms: f64::MAX,
                answer: Ok(Heard { status: 200, body: Body::Text(all.as_str().into()) }),
            },
        ],
    );
    silent(stage, APP_2, ProbeError::Refused { code: all.clone(), message: all.clone() });
    dependency(stage, "redis", Ok((State::Failing, &all)));
    dependency(stage, "mail", Err(ProbeError::Shape(all.clone())));
    let pools = texts.iter().map(|t| Pool {
        database: (*t).into(),
        user: (*t).into(),
        mode: (*t).into(),
        clients_waiting: i64::MAX / 100,
        servers_active: -1,
        max_wait_s: 1e12,
        size: Some(i64::MIN),
        ..Pool::default()
    });
    shows(
        stage,
        Pooler { version: all.as_str().into(), pools: pools.collect(), clients: Some(-1), max_clients: Some(0) },
    );
}
