//! Every form of answer that real servers gave, others' forms, and what no health answer is.

use super::*;

fn heard(status: u16, body: &str) -> Heard {
    Heard { status, body: read(body.as_bytes()) }
}

fn reply(path: &str, answer: Result<Heard, ProbeError>) -> Reply {
    Reply { path: path.to_owned(), took_ms: 1.0, answer }
}

/// What FraiseQL 1.31.1 and 2.19.0 answer, well and with their database stopped.
const V2_WELL: &str = r#"{"status":"healthy","database":{"connected":true,"database_type":"PostgreSQL","active_connections":0,"idle_connections":2},"capabilities":{"observers":{"compiled_in":true,"started":true,"serving":true,"healthy":true},"arrow":{"compiled_in":false}},"version":"2.19.0","schema_hash":"36189f"}"#;
const V2_DOWN: &str = r#"{"status":"unhealthy","database":{"connected":false,"database_type":"PostgreSQL","active_connections":0,"idle_connections":0},"version":"2.19.0"}"#;
const V1_DOWN: &str = r#"{"status":"not_ready","checks":{"database":"failed: couldn't get a connection after 30.00 sec","schema":"ok"},"timestamp":1795558505.86}"#;

#[test]
fn every_form_of_both_generations_says_what_it_says() {
    use State::{Degraded, Failing, Ok, Unknown};
    let table = [
        (200, r#"{"status":"healthy","service":"fraiseql"}"#, Ok, "healthy"),
        (200, r#"{"status":"alive"}"#, Ok, "alive"),
        (200, r#"{"status":"ready"}"#, Ok, "ready"),
        (200, r#"{"status":"ready","checks":{"database":"ok","schema":"ok"},"timestamp":1.5}"#, Ok, "ready"),
        (503, V1_DOWN, Failing, "503 not_ready: database failed: couldn't get a connection after 30.00 sec"),
        (
            503,
            r#"{"status":"not_ready","reason":"Database connection unavailable"}"#,
            Failing,
            "503 not_ready: Database connection unavailable",
        ),
        (200, V2_WELL, Ok, "healthy"),
        (503, V2_DOWN, Failing, "503 unhealthy: database not connected"),
        (
            200,
            r#"{"status":"degraded","checks":{"cache":{"status":"warning","message":"hit rate 41 %","metadata":{"x":1}},"database":{"status":"healthy","message":"2 ms"}}}"#,
            Degraded,
            "degraded: cache hit rate 41 %",
        ),
        (
            200,
            r#"{"status":"degraded","capabilities":{"observers":{"compiled_in":true,"started":true,"serving":false}}}"#,
            Degraded,
            "degraded: observers started, not serving",
        ),
        (
            200,
            r#"{"status":"unhealthy","checks":{"database":"healthy","cache":"critical","memory":"ok"},"timestamp":"x"}"#,
            Failing,
            "unhealthy: cache critical",
        ),
        // A good word over a bad part is believed no more than half.
        (200, r#"{"status":"healthy","database":{"connected":false}}"#, Degraded, "healthy: database not connected"),
        // Others.
        (
            200,
            r#"{"status":"UP","components":{"db":{"status":"UP"},"disk":{"status":"DOWN"}}}"#,
            Degraded,
            "UP: disk DOWN",
        ),
        (
            200,
            r#"{"status":"pass","checks":{"db:time":[{"status":"pass"},{"status":"fail","output":"6 s"}]}}"#,
            Degraded,
            "pass: db:time 6 s",
        ),
        (200, r#"{"checks":[{"name":"mail","status":"down","error":"refused"}]}"#, Failing, "mail refused"),
        (200, r#"{"healthy":false}"#, Failing, "unhealthy"),
        (200, r#"{"ready":false,"reason":"migrating"}"#, Failing, "not_ready: migrating"),
        (200, r#"{"status":"banana"}"#, Unknown, "banana"),
        (200, r#"{"version":"1.2.3"}"#, Ok, "answers 200"),
        (200, "", Ok, "answers 200"),
        (204, "", Ok, "answers 204"),
        (200, "OK\n", Ok, "OK"),
        (200, "\"unhealthy\"", Failing, "unhealthy"),
        (200, "false", Failing, "false"),
        (200, "[1,2]", Ok, "[1,2]"),
        (200, "<!doctype html><html>sign in</html>", Unknown, "a page, no health answer"),
        // What was cut off, or is broken, says nothing.
        (200, r#"{"status":"healthy""#, Unknown, r#"{"status":"healthy""#),
        (404, r#"{"detail":"Not Found"}"#, Unknown, "404 Not Found"),
        (429, "", Degraded, "answers 429"),
        (500, "Internal Server Error", Failing, "500 Internal Server Error"),
        (503, r#"{"status":"healthy"}"#, Failing, "503 healthy"),
        (101, "", Unknown, "answers 101"),
    ];
    for (status, body, state, said) in table {
        let heard = heard(status, body);
        assert_eq!(heard.state(), state, "{status} {body}");
        assert_eq!(reply("/", std::result::Result::Ok(heard)).said().raw(), said, "{status} {body}");
    }
}

#[test]
fn the_database_is_what_the_checks_name_so_and_nothing_else() {
    let of = |body: &str| Health { replies: vec![reply("/", Ok(heard(200, body)))] }.database();
    assert_eq!(of(V2_WELL), Some(State::Ok));
    assert_eq!(of(V2_DOWN), Some(State::Failing));
    assert_eq!(of(V1_DOWN), Some(State::Failing));
    assert_eq!(of(r#"{"status":"healthy","service":"fraiseql"}"#), None);
    assert_eq!(of(r#"{"status":"ok","checks":{"db:responseTime":[{"status":"pass"}]}}"#), Some(State::Ok));
    assert_eq!(of(r#"{"status":"ok","checks":{"dbt":"ok"}}"#), None);
}

#[test]
fn the_worst_reply_counts_and_of_equals_the_first() {
    let health = Health {
        replies: vec![
            reply("/ready", Err(ProbeError::TimedOut(3))),
            reply("/health", Ok(heard(200, r#"{"status":"healthy","service":"fraiseql"}"#))),
            reply("/other", Ok(heard(503, ""))),
        ],
    };
    assert_eq!(health.state(), State::Failing);
    assert_eq!(health.worst().unwrap().path, "/ready");
    assert_eq!(health.worst().unwrap().said().raw(), "no answer within 3 s");
    assert_eq!(Health::default().state(), State::Unknown);
}

#[test]
fn version_and_schema_are_kept() {
    let health = Health { replies: vec![reply("/health", Ok(heard(200, V2_WELL)))] };
    let (version, schema) = health.serves();
    assert_eq!((version.unwrap().raw(), schema.unwrap().raw()), ("2.19.0", "36189f"));
}

#[test]
fn silence_is_a_failure_and_a_shut_door_says_nothing_of_what_is_behind_it() {
    let table = [
        (ProbeError::TimedOut(3), State::Failing),
        (ProbeError::Unreachable("refused".to_owned()), State::Failing),
        (ProbeError::Shape("no HTTP".to_owned()), State::Failing),
        (ProbeError::Unauthorized("app:80".to_owned()), State::Unknown),
        (ProbeError::Absent("none of /ready, /health".to_owned()), State::Unknown),
        (ProbeError::Refused { code: "301".to_owned(), message: "elsewhere".to_owned() }, State::Unknown),
    ];
    for (error, state) in table {
        assert_eq!(State::of_error(&error), state, "{error}");
    }
}

#[test]
fn a_body_that_is_made_to_hurt_is_kept_short_and_raw() {
    let many = (0..5000).fold(String::new(), |all, i| all + "\"c" + &i.to_string() + "\":\"failed\",");
    let Body::Json(told) = read(format!("{{\"checks\":{{{many}\"z\":1}}}}").as_bytes()) else { panic!("JSON") };
    assert!(told.checks.len() <= 64);
    let long = format!("{{\"status\":\"{}\"}}", "x".repeat(100_000));
    assert!(heard(200, &long).state() == State::Unknown);
    // Deeper than any reader goes: no JSON, and no stack that overflows.
    assert!(matches!(read("[".repeat(100_000).as_bytes()), Body::Text(_)));
    let deep = format!("{}1{}", "{\"checks\":".repeat(100), "}".repeat(100));
    assert!(matches!(read(deep.as_bytes()), Body::Json(_)));
    // Raw here; the screen escapes it.
    let hostile = heard(200, "{\"status\":\"\\u001b[31mok\"}");
    assert_eq!(hostile.state(), State::Unknown);
    assert_eq!(reply("/", Ok(hostile)).said().escaped(), "\\x1b[31mok");
    assert!(matches!(read(&[0xff, 0xfe, 0x00]), Body::Text(_)));
}

#[test]
fn since_when_and_when_it_was_well_last() {
    let at = |s: i64| Timestamp::from_second(s).unwrap();
    let judge = |state: &State| *state;
    let mut watched = Watched::<State>::default();
    watched.take(Ok(State::Ok), at(10), judge);
    watched.take(Ok(State::Ok), at(20), judge);
    assert_eq!((watched.state, watched.since, watched.well), (State::Ok, Some(at(10)), Some(at(20))));
    watched.take(Err(ProbeError::TimedOut(3)), at(30), judge);
    // Another reason for the same state does not make it younger.
    watched.take(Err(ProbeError::Unreachable("refused".to_owned())), at(40), judge);
    assert_eq!((watched.state, watched.since, watched.well), (State::Failing, Some(at(30)), Some(at(20))));
    assert_eq!(watched.answer(), None);
    watched.take(Ok(State::Degraded), at(50), judge);
    assert_eq!((watched.state, watched.since), (State::Degraded, Some(at(50))));
    assert_eq!(watched.answer(), Some(&State::Degraded));
}
