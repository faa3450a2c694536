//! Applications over HTTP: which paths are found, what is heard, and every way not to answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use pgtriage::config::{self, Road};
use pgtriage::model::health::{Body, Health, State};
use pgtriage::model::{ProbeError, Snapshot};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{Probe, ask, dependency, endpoint};

async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// A server that does with each connection whatever that is, once it has read the request.
async fn raw<F>(act: impl Fn(TcpStream) -> F + Send + Sync + 'static) -> String
where
    F: Future<Output = ()> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let act = Arc::new(act);
        while let Ok((mut stream, _)) = listener.accept().await {
            let act = Arc::clone(&act);
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 4096]).await;
                act(stream).await;
            });
        }
    });
    url
}

fn json(status: StatusCode, body: &'static str) -> Response {
    (status, [("content-type", "application/json")], body).into_response()
}

async fn health(told: &config::Health) -> Health {
    match ask(told).await {
        Ok(Snapshot::Health(health)) => *health,
        other => panic!("{other:?}"),
    }
}

fn paths(health: &Health) -> Vec<&str> {
    health.replies.iter().map(|reply| reply.path.as_str()).collect()
}

#[tokio::test]
async fn the_paths_of_either_generation_and_of_kubernetes_are_found_from_the_address_alone() {
    let well = || async { json(StatusCode::OK, r#"{"status":"ok"}"#) };
    let table: [(&[&str], &[&str]); 6] = [
        (&["/ready", "/health"], &["/ready", "/health"]),
        (&["/readiness", "/live", "/health"], &["/readiness", "/health"]),
        (&["/readyz", "/livez", "/healthz"], &["/readyz", "/healthz"]),
        (&["/health/ready", "/health/live"], &["/health/ready"]),
        (&["/startup"], &["/startup"]),
        (&["/live"], &["/live"]),
    ];
    for (has, asked) in table {
        let router = has.iter().fold(Router::new(), |router, path| router.route(path, get(well)));
        let url = serve(router).await;
        let found = health(&endpoint(&url)).await;
        assert_eq!(paths(&found), asked);
        assert_eq!(found.state(), State::Ok);
        assert!(found.took_ms() > 0.0);
    }
    let none = ask(&endpoint(&serve(Router::new()).await)).await.unwrap_err();
    assert!(matches!(&none, ProbeError::Absent(words) if words.contains("/ready, /readiness")), "{none}");
}

#[tokio::test]
async fn a_path_that_is_given_is_asked_and_no_other() {
    let router = Router::new()
        .route("/api/status", get(async || json(StatusCode::SERVICE_UNAVAILABLE, r#"{"status":"down"}"#)))
        .route("/ready", get(async || json(StatusCode::OK, r#"{"status":"ready"}"#)))
        .route("/api/ready", get(async || json(StatusCode::OK, r#"{"status":"ready"}"#)));
    let url = serve(router).await;
    let given = health(&endpoint(&format!("{url}/api/status"))).await;
    assert_eq!((paths(&given), given.state()), (vec!["/api/status"], State::Failing));
    let below = health(&endpoint(&format!("{url}/api/"))).await;
    assert_eq!(paths(&below), ["/api/ready"]);
    let missing = ask(&endpoint(&format!("{url}/nowhere"))).await.unwrap_err();
    assert!(matches!(&missing, ProbeError::Absent(words) if words.contains("404")), "{missing}");
}

#[tokio::test]
async fn a_ready_that_hangs_is_a_failure_with_its_time_beside_a_health_that_is_well() {
    let router = Router::new()
        .route("/ready", get(async || std::future::pending::<()>().await))
        .route("/health", get(async || json(StatusCode::OK, r#"{"status":"healthy","service":"fraiseql"}"#)));
    let url = serve(router).await;
    let mut probe = Probe::start(&endpoint(&url), None);
    for _ in 0..2 {
        let sample = probe.next().await;
        let Ok(Snapshot::Health(seen)) = sample.answer else { panic!("{sample:?}") };
        assert_eq!(paths(&seen), ["/ready", "/health"]);
        assert_eq!(seen.replies[0].answer, Err(ProbeError::TimedOut(1)));
        assert_eq!((seen.replies[1].state(), seen.state()), (State::Ok, State::Failing));
        assert!(seen.took_ms() >= 1000.0 && seen.took_ms() < 3000.0, "{}", seen.took_ms());
    }
}

#[tokio::test]
async fn every_way_not_to_answer_has_its_name_and_ends_in_time() {
    let hangs = raw(|stream| async move {
        let _held = stream;
        std::future::pending::<()>().await;
    })
    .await;
    // A byte at a time is no answer either.
    let trickles = raw(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n").await;
        while stream.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    let hangs_up = raw(|stream| async move { drop(stream) }).await;
    let resets = raw(|stream| async move {
        let _ = stream.set_zero_linger();
    })
    .await;
    let no_http = raw(|mut stream| async move {
        let _ = stream.write_all(b"-ERR unknown command\r\n").await;
    })
    .await;
    let unused = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let begun = Instant::now();
    for url in [&hangs, &trickles] {
        assert_eq!(ask(&endpoint(&format!("{url}/x"))).await, Err(ProbeError::TimedOut(1)), "{url}");
    }
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
    for url in [&hangs_up, &resets, &no_http, &unused] {
        let error = ask(&endpoint(&format!("{url}/x"))).await.unwrap_err();
        assert!(matches!(error, ProbeError::Unreachable(_)), "{url}: {error:?}");
        assert_eq!(State::of_error(&error), State::Failing);
    }
    // The same where the paths are to be found: nothing was heard, so nothing is learnt.
    assert!(matches!(ask(&endpoint(&unused)).await, Err(ProbeError::Unreachable(_))));
}

#[tokio::test]
async fn what_came_back_is_seen_soon_and_a_path_that_went_is_looked_for_anew() {
    let well = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&well);
    let router = Router::new().route(
        "/ready",
        get(move || {
            let well = seen.load(Ordering::SeqCst);
            async move {
                if well { json(StatusCode::OK, r#"{"status":"ready"}"#) } else { StatusCode::NOT_FOUND.into_response() }
            }
        }),
    );
    let router = router.route("/health", get(async || json(StatusCode::OK, r#"{"status":"healthy"}"#)));
    let url = serve(router).await;
    let mut probe = Probe::start(&endpoint(&url), None);
    let first = probe.next().await;
    assert!(matches!(&first.answer, Ok(Snapshot::Health(h)) if paths(h) == ["/health"]), "{first:?}");
    well.store(true, Ordering::SeqCst);
    // A path that is there keeps its word; the one that is new is found when one of those that were known is gone.
    let again = probe.next().await;
    assert!(matches!(&again.answer, Ok(Snapshot::Health(h)) if paths(h) == ["/health"]), "{again:?}");
}

#[tokio::test]
async fn redirects_pages_and_shut_doors_are_told_and_not_followed() {
    let followed = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&followed);
    let router = Router::new()
        .route("/moved", get(async || Redirect::permanent("/elsewhere")))
        .route(
            "/elsewhere",
            get(move || {
                seen.store(true, Ordering::SeqCst);
                async { "OK" }
            }),
        )
        .route("/page", get(async || ([("content-type", "text/html")], "<html>sign in</html>")))
        .route("/shut", get(async || StatusCode::UNAUTHORIZED))
        .route("/huge", get(async || "x".repeat(1 << 20)))
        .route(
            "/token",
            get(async |headers: HeaderMap| {
                let given = headers.get("authorization").is_some_and(|value| value == "Bearer s3cret");
                if given { json(StatusCode::OK, r#"{"status":"ok"}"#) } else { StatusCode::FORBIDDEN.into_response() }
            }),
        );
    let url = serve(router).await;
    let at = |path: &str| endpoint(&format!("{url}{path}"));
    let error = ask(&at("/moved")).await.unwrap_err();
    assert_eq!(error.to_string(), "points to /elsewhere: give that address (308)");
    assert!(!followed.load(Ordering::SeqCst));
    let page = health(&at("/page")).await;
    assert_eq!((page.state(), page.replies[0].said().raw()), (State::Unknown, "a page, no health answer"));
    assert!(matches!(ask(&at("/shut")).await, Err(ProbeError::Unauthorized(_))));
    let huge = health(&at("/huge")).await;
    assert!(matches!(&huge.replies[0].answer, Ok(heard) if heard.body == Body::TooLong), "{huge:?}");
    assert_eq!(huge.state(), State::Unknown);
    assert!(matches!(ask(&at("/token")).await, Err(ProbeError::Unauthorized(_))));
    let told = config::Health { bearer: Some(config::Secret::new("s3cret\n")), ..at("/token") };
    assert_eq!(health(&told).await.state(), State::Ok);
}

#[tokio::test]
async fn a_dependency_is_held_to_its_status_and_to_a_text_or_else_to_its_own_word() {
    let router = Router::new()
        .route("/teapot", get(async || (StatusCode::IM_A_TEAPOT, "short and stout")))
        .route("/sick", get(async || json(StatusCode::OK, r#"{"status":"unhealthy","reason":"quota"}"#)))
        .route("/moved", get(async || Redirect::temporary("/teapot")));
    let url = serve(router).await;
    let table = [
        ("/teapot", Some(418), Some("stout"), State::Ok, "answers 418"),
        ("/teapot", None, Some("stout"), State::Failing, "answers 418: short and stout"),
        ("/teapot", Some(418), Some("coffee"), State::Failing, "answers 418 without `coffee`: short and stout"),
        ("/sick", None, None, State::Failing, "unhealthy: quota"),
        ("/sick", Some(200), None, State::Ok, "answers 200"),
        ("/moved", Some(307), None, State::Ok, "answers 307"),
    ];
    for (path, status, expect, state, said) in table {
        let at = config::Endpoint { url: format!("{url}{path}"), basic: None };
        let answer = ask(&dependency(Road::Http { at, status }, expect)).await;
        let Ok(Snapshot::Dependency(contact)) = answer else { panic!("{path}: {answer:?}") };
        assert_eq!((contact.state, contact.said.raw()), (state, said), "{path}");
    }
}
