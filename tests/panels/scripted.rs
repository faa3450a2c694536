//! A server that speaks Prometheus' API by script: every way not to answer, and what the task makes of it.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use pgtriage::model::panel::{PanelAnswer, PanelSpec, Reading, parse};
use pgtriage::model::{Cadence, Demand, ProbeError, Question, Sample, Snapshot, Wanted};
use pgtriage::probe::Report;
use pgtriage::probe::prometheus::{BasicAuth, Prometheus, PrometheusSettings, Secret};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

const LONG: Duration = Duration::from_secs(20);

/// How the server behaves; its expressions are words that name an answer.
#[derive(Default)]
struct Script {
    hangs: AtomicBool,
    asked: AtomicUsize,
}

async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

async fn scripted(script: Arc<Script>) -> String {
    let api = Router::new()
        .route("/api/v1/query_range", get(answer))
        .route("/api/v1/query", get(answer))
        .route("/api/v1/targets", get(async || (StatusCode::NOT_FOUND, "no such page")))
        .with_state(script);
    serve(api).await
}

async fn answer(State(script): State<Arc<Script>>, uri: Uri, headers: HeaderMap) -> Response {
    script.asked.fetch_add(1, Ordering::SeqCst);
    if script.hangs.load(Ordering::SeqCst) {
        std::future::pending::<()>().await;
    }
    let expr = uri.query().unwrap_or("").split('&').find_map(|pair| pair.strip_prefix("query=")).unwrap_or("");
    let matrix = |values: &str| {
        json(StatusCode::OK, &format!(r#"{{"status":"success","data":{{"resultType":"matrix","result":[{values}]}}}}"#))
    };
    match expr {
        "nothing" => matrix(""),
        "nan" => matrix(r#"{"metric":{},"values":[[1,"NaN"]]}"#),
        "zero" => matrix(r#"{"metric":{},"values":[[1,"0"]]}"#),
        "one" => matrix(r#"{"metric":{},"values":[[1,"1"]]}"#),
        "up" => json(
            StatusCode::OK,
            r#"{"status":"success","data":{"resultType":"vector","result":[
                {"metric":{"job":"shop","instance":"a:1"},"value":[1,"0"]}]}}"#,
        ),
        "sign" => json(
            StatusCode::OK,
            r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"0"]}]}}"#,
        ),
        "partial" => json(
            StatusCode::OK,
            r#"{"status":"success","isPartial":true,"warnings":["store \u001b[1m2 is away"],
                "data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"1"]]}]}}"#,
        ),
        "bad" => json(
            StatusCode::BAD_REQUEST,
            r#"{"status":"error","errorType":"bad_data","error":"1:4: parse error: unexpected end of input"}"#,
        ),
        "slow" => json(
            StatusCode::SERVICE_UNAVAILABLE,
            r#"{"status":"error","errorType":"timeout","error":"query timed out in expression evaluation"}"#,
        ),
        "huge" => matrix(&format!(r#"{{"metric":{{"a":"{}"}},"values":[[1,"1"]]}}"#, "x".repeat(5 << 20))),
        "page" => ([(header::CONTENT_TYPE, "text/html")], "<html>sign in</html>").into_response(),
        "elsewhere" => Redirect::to("https://sso.example/login").into_response(),
        "bearer" if headers.get("authorization").is_some_and(|v| v == "Bearer s3cret") => {
            matrix(r#"{"metric":{},"values":[[1,"1"]]}"#)
        }
        "basic" if headers.get("authorization").is_some_and(|v| v == "Basic bWU6cEBzcw==") => {
            matrix(r#"{"metric":{},"values":[[1,"1"]]}"#)
        }
        "tenant" if headers.get("x-scope-orgid").is_some_and(|v| v == "shop") => {
            matrix(r#"{"metric":{},"values":[[1,"1"]]}"#)
        }
        _ => StatusCode::UNAUTHORIZED.into_response(),
    }
}

fn json(status: StatusCode, body: &str) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_owned()).into_response()
}

/// A panel whose candidates are these words.
fn panel(exprs: &[&str]) -> PanelSpec {
    named("a", exprs)
}

fn named(id: &str, exprs: &[&str]) -> PanelSpec {
    let mut text = format!("[[panel]]\nid = \"{id}\"\ntitle = \"A\"\ntab = \"latency\"\n");
    for expr in exprs {
        let _ = write!(text, "[[panel.candidates]]\nname = \"{expr}\"\nexpr = '{expr}'\n");
    }
    text.push_str("[[panel.telltales]]\nexpr = 'sign'\nsays = 'never counts'\n");
    parse(&text, "test").unwrap().remove(0)
}

fn at(url: &str) -> PrometheusSettings {
    PrometheusSettings { timeout: Duration::from_millis(1500), ..PrometheusSettings::new(url) }
}

async fn ask(settings: PrometheusSettings, exprs: &[&str]) -> Result<PanelAnswer, ProbeError> {
    Prometheus::new(settings).unwrap().panel(&panel(exprs), 60, 5).await
}

fn candidate(answer: &PanelAnswer) -> Option<usize> {
    match answer.reading {
        Reading::Values { candidate, .. } => Some(candidate),
        Reading::NotANumber { .. } | Reading::NoSeries => None,
    }
}

#[tokio::test]
async fn the_first_candidate_with_a_number_answers_and_a_zero_is_a_number() {
    let url = scripted(Arc::default()).await;
    let answer = ask(at(&url), &["nothing", "nan", "zero", "one"]).await.unwrap();
    assert_eq!(candidate(&answer), Some(2));
    assert_eq!((answer.expr.as_str(), answer.refused.len()), ("zero", 0));
}

#[tokio::test]
async fn nan_is_remembered_and_nothing_is_explained_by_its_telltale() {
    let url = scripted(Arc::default()).await;
    let answer = ask(at(&url), &["nothing", "nan", "nothing"]).await.unwrap();
    assert_eq!((answer.reading, answer.unmeasured), (Reading::NotANumber { candidate: 1 }, None));
    let answer = ask(at(&url), &["nothing"]).await.unwrap();
    assert_eq!((answer.reading, answer.unmeasured.as_deref()), (Reading::NoSeries, Some("never counts")));
}

#[tokio::test]
async fn a_refused_expression_is_noted_and_the_next_is_tried() {
    let url = scripted(Arc::default()).await;
    let answer = ask(at(&url), &["bad", "huge", "one"]).await.unwrap();
    assert_eq!(candidate(&answer), Some(2));
    assert_eq!(answer.refused[0], "bad: 1:4: parse error: unexpected end of input");
    assert!(answer.refused[1].contains("more than 4 MB"), "{:?}", answer.refused);
}

#[tokio::test]
async fn where_a_source_was_refused_nobody_says_that_there_is_no_series() {
    let url = scripted(Arc::default()).await;
    let error = ask(at(&url), &["bad", "nothing"]).await.unwrap_err();
    assert!(matches!(error, ProbeError::Refused { code, .. } if code == "400"));
}

#[tokio::test]
async fn every_way_not_to_answer_is_another_error() {
    let url = scripted(Arc::default()).await;
    let place = url.trim_start_matches("http://").to_owned();
    assert_eq!(ask(at(&url), &["bearer"]).await, Err(ProbeError::Unauthorized(place.clone())));
    assert_eq!(ask(at(&url), &["slow"]).await, Err(ProbeError::TimedOut(1)));
    assert_eq!(ask(at(&url), &["page"]).await, Err(ProbeError::Shape(format!("{place}: text/html, not JSON"))));
    let Err(ProbeError::Refused { code, message }) = ask(at(&url), &["elsewhere"]).await else { panic!("refused") };
    assert!(code == "303" && message.contains("https://sso.example/login"), "{code} {message}");

    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let Err(ProbeError::Unreachable(words)) = ask(at(&format!("http://{closed}")), &["one"]).await else {
        panic!("unreachable")
    };
    assert!(words.starts_with(&closed.to_string()) && words.contains("refused"), "{words}");
}

#[tokio::test]
async fn credentials_reach_the_server_in_each_form() {
    let url = scripted(Arc::default()).await;
    let bearer = PrometheusSettings { bearer: Some(Secret::new("s3cret\n")), ..at(&url) };
    assert!(ask(bearer, &["bearer"]).await.is_ok());
    let basic = Some(BasicAuth { user: "me".into(), password: Secret::new("p@ss") });
    assert!(ask(PrometheusSettings { basic, ..at(&url) }, &["basic"]).await.is_ok());
    assert!(ask(at(&url.replace("http://", "http://me:p%40ss@")), &["basic"]).await.is_ok());
    let headers = vec![("X-Scope-OrgID".to_owned(), Secret::new("shop"))];
    assert!(ask(PrometheusSettings { headers, ..at(&url) }, &["tenant"]).await.is_ok());
}

#[tokio::test]
async fn a_partial_answer_says_so_and_its_words_cannot_steer_the_terminal() {
    let url = scripted(Arc::default()).await;
    let answer = ask(at(&url), &["partial"]).await.unwrap();
    assert_eq!(answer.notes, ["store \\x1b[1m2 is away", "partial answer: a storage node is missing"]);
}

#[tokio::test]
async fn targets_come_from_up_where_there_is_no_list() {
    let url = scripted(Arc::default()).await;
    let targets = Prometheus::new(at(&url)).unwrap().targets().await.unwrap();
    assert_eq!((targets.len(), targets[0].up, targets[0].job.as_str()), (1, false, "shop"));
}

fn demand(ids: &[&str], reconnect: u64) -> Demand {
    let question = |id: &&str| Question::Panel { id: (*id).to_owned(), span_s: 60, step_s: 5 };
    let cadence = Cadence::Every(Duration::from_millis(50));
    Demand { wanted: ids.iter().map(|id| Wanted { question: question(id), cadence }).collect(), reconnect }
}

/// The next sample for a panel.
async fn next(reports: &mut mpsc::Receiver<Report>, wanted: &str) -> Sample {
    let found = timeout(LONG, async {
        loop {
            match reports.recv().await {
                Some(Report::Sample(sample)) => {
                    if matches!(&sample.question, Question::Panel { id, .. } if id == wanted) {
                        return sample;
                    }
                }
                Some(Report::Link(_)) => {}
                None => panic!("the task ended"),
            }
        }
    });
    found.await.expect("a sample in time")
}

#[tokio::test]
async fn a_server_that_hangs_is_said_in_every_panel_and_the_key_asks_again_at_once() {
    let script = Arc::new(Script::default());
    let url = scripted(Arc::clone(&script)).await;
    let settings = PrometheusSettings { timeout: Duration::from_secs(1), ..at(&url) };
    let (wants, wanted) = watch::channel(demand(&["a", "b"], 0));
    let (report, mut reports) = mpsc::channel(64);
    let panels = vec![named("a", &["one"]), named("b", &["zero"]), named("c", &["one"])];
    let task = tokio::spawn(Prometheus::new(settings).unwrap().run(panels, wanted, report));

    assert!(matches!(next(&mut reports, "a").await.answer, Ok(Snapshot::Panel(_))));
    assert!(next(&mut reports, "b").await.answer.is_ok());

    script.hangs.store(true, Ordering::SeqCst);
    while next(&mut reports, "a").await.answer.is_ok() {}
    while next(&mut reports, "b").await.answer.is_ok() {}
    wants.send_replace(demand(&["a", "b", "c"], 0));
    assert!(next(&mut reports, "c").await.answer.is_err(), "a panel opened meanwhile");

    // The third attempt in vain: the next one is four seconds away.
    let in_vain = timeout(LONG, async {
        loop {
            match reports.recv().await {
                Some(Report::Sample(sample)) if sample.answer.is_err() && sample.took > Duration::ZERO => return,
                Some(_) => {}
                None => panic!("the task ended"),
            }
        }
    });
    in_vain.await.expect("it is asked again");

    script.hangs.store(false, Ordering::SeqCst);
    wants.send_replace(demand(&["a", "b", "c"], 1));
    let asked_again = tokio::time::Instant::now();
    while next(&mut reports, "c").await.answer.is_err() {}
    assert!(asked_again.elapsed() < Duration::from_secs(3), "{:?}", asked_again.elapsed());

    drop(wants);
    timeout(LONG, task).await.expect("the task ends with its demand").unwrap();
}

#[tokio::test]
async fn an_unknown_panel_is_absent_and_delays_nothing() {
    let url = scripted(Arc::default()).await;
    let (_wants, wanted) = watch::channel(demand(&["nope", "a"], 0));
    let (report, mut reports) = mpsc::channel(64);
    tokio::spawn(Prometheus::new(at(&url)).unwrap().run(vec![named("a", &["one"])], wanted, report));
    assert_eq!(next(&mut reports, "nope").await.answer, Err(ProbeError::Absent("no panel `nope`".into())));
    assert!(next(&mut reports, "a").await.answer.is_ok());
}

#[tokio::test]
async fn a_better_candidate_is_not_asked_at_every_beat_once_it_had_nothing() {
    let script = Arc::new(Script::default());
    let url = scripted(Arc::clone(&script)).await;
    let (_wants, wanted) = watch::channel(demand(&["a"], 0));
    let (report, mut reports) = mpsc::channel(64);
    let panels = vec![named("a", &["nothing", "bad", "nothing", "one"])];
    tokio::spawn(Prometheus::new(at(&url)).unwrap().run(panels, wanted, report));
    let _ = next(&mut reports, "a").await;
    let before = script.asked.load(Ordering::SeqCst);
    for _ in 0..4 {
        let Ok(Snapshot::Panel(answer)) = next(&mut reports, "a").await.answer else { panic!("an answer") };
        assert_eq!((candidate(&answer), answer.refused.len()), (Some(3), 1), "the refusal stays beside it");
    }
    let asked = script.asked.load(Ordering::SeqCst) - before;
    assert!(asked <= 6, "{asked} requests for 4 answers");
}
