//! What stands beside the database: what its answers become on Triage, and what is held against what we know ourselves.

use pgtriage::command::Tab;
use pgtriage::diagnose::health::{Item, ItemKey};
use pgtriage::diagnose::{Kind, Severity, Target};
use pgtriage::message::Effect;
use pgtriage::model::health::{State, Watchlist};
use pgtriage::model::pooler::Pool;
use pgtriage::model::session::{Session, State as SessionState};
use pgtriage::model::{ProbeError, Snapshot};

use super::findings::{hang, lose, pile_up, sessions};
use crate::stage::health::{
    APP_1, APP_2, V1_HEALTH, V1_NOT_READY, V2_HEALTH, answers, dependency, pooler, reply, shows, silent,
};
use crate::stage::{Stage, charts, hostile, locks};

/// The first instance loses its database for twelve seconds.
pub fn not_ready(stage: &mut Stage) {
    let replies = || vec![reply("/ready", 503, V1_NOT_READY, 30.0), reply("/health", 200, V1_HEALTH, 1.0)];
    answers(stage, APP_1, replies());
    stage.wait(12);
    answers(stage, APP_1, replies());
}

/// The database is gone, and `/health` of FraiseQL 1 still says that all is well.
pub fn green(stage: &mut Stage) {
    lose(stage);
    answers(stage, APP_1, vec![reply("/health", 200, V1_HEALTH, 1.0)]);
}

/// Redis refuses.
pub fn no_redis(stage: &mut Stage) {
    dependency(stage, "redis", Err(ProbeError::Unreachable("connection refused".to_owned())));
}

/// Clients queue, the first of them for seven seconds.
pub fn queue(stage: &mut Stage) {
    queue_for(stage, 7.2);
}

/// Clients queue, the first of them for so long.
pub fn queue_for(stage: &mut Stage, seconds: f64) {
    let mut seen = pooler();
    let pool = &mut seen.pools[0];
    (pool.clients_waiting, pool.max_wait_s, pool.servers_active, pool.servers_idle) = (31, seconds, 20, 0);
    shows(stage, seen);
}

/// Nearly as many clients as pgbouncer takes.
pub fn crowded(stage: &mut Stage) {
    let mut seen = pooler();
    seen.clients = Some(190);
    shows(stage, seen);
}

pub fn item(stage: &Stage, key: &ItemKey) -> Item {
    let found = stage.app.triage.diagnosis.health.iter().find(|item| item.key == *key);
    found.unwrap_or_else(|| panic!("no {key:?}")).clone()
}

fn of(stage: &Stage, address: &str) -> Item {
    item(stage, &ItemKey::Endpoint(address.to_owned()))
}

#[test]
fn what_is_not_configured_is_no_row_and_is_told_with_the_option_that_cures_it() {
    let mut stage = Stage::with(|setup| setup.watchlist = Watchlist::default()).up().at_peace();
    let keys: Vec<ItemKey> = stage.app.triage.diagnosis.health.iter().map(|item| item.key.clone()).collect();
    let beside = |key: &ItemKey| matches!(key, ItemKey::Endpoint(_) | ItemKey::Dependency(_) | ItemKey::Pooler);
    assert!(!keys.iter().any(beside), "{keys:?}");
    let cures: Vec<&str> = stage.app.triage.diagnosis.unchecked.iter().map(|u| u.cure.as_str()).collect();
    assert!(cures.contains(&"--health URL, [[dependency]]"), "{cures:?}");
    assert!(stage.app.demand().wanted.iter().all(|w| !format!("{:?}", w.question).starts_with("Health")));
    stage.press("1");
    assert!(stage.wide().contains("not checked: the service's own health"), "{}", stage.wide());
}

#[test]
fn what_was_never_asked_is_unknown_and_so_is_a_door_that_is_shut() {
    let stage = Stage::new().up();
    assert_eq!((of(&stage, APP_1).state, of(&stage, APP_1).text), (Some(State::Unknown), "not asked yet".to_owned()));
    let table = [
        (ProbeError::Unauthorized("answers 401".to_owned()), "--health-token-file FILE"),
        (ProbeError::Refused { code: "TLS".to_owned(), message: "UnknownIssuer".to_owned() }, "--health-ca FILE"),
        (ProbeError::Absent("answers 404: no such path".to_owned()), ""),
    ];
    for (error, cure) in table {
        let mut stage = Stage::calm();
        silent(&mut stage, APP_1, error.clone());
        assert_eq!(of(&stage, APP_1).state, Some(State::Unknown), "{error}");
        assert_eq!(stage.kinds(), [], "it may be well: {error}");
        let unchecked = &stage.app.triage.diagnosis.unchecked;
        let said = unchecked.iter().find(|u| u.what == "health of app-1:8000").unwrap();
        assert_eq!(said.cure, cure, "{error}");
    }
    let mut stage = Stage::calm();
    let cure = "stats_users = oncall in pgbouncer.ini, then RELOAD".to_owned();
    stage.take(pgtriage::model::Question::Pooler, Err(ProbeError::Denied { cure: cure.clone() }));
    assert_eq!(item(&stage, &ItemKey::Pooler).state, Some(State::Unknown));
    assert!(stage.app.triage.diagnosis.unchecked.iter().any(|u| u.cure == cure));
}

#[test]
fn a_word_that_is_old_is_none_of_now() {
    let mut stage = Stage::calm();
    no_redis(&mut stage);
    assert_eq!(stage.kinds(), [Kind::Dependency]);
    stage.wait(70);
    let old = item(&stage, &ItemKey::Dependency("redis".to_owned()));
    assert_eq!(old.state, Some(State::Unknown));
    assert!(old.text.starts_with("no word for 1m"), "{}", old.text);
    assert!(!stage.kinds().contains(&Kind::Dependency), "{:?}", stage.kinds());
}

#[test]
fn a_timeout_is_a_failure_with_its_time_and_with_since_when() {
    let mut stage = Stage::calm();
    let began = stage.now();
    silent(&mut stage, APP_2, ProbeError::TimedOut(3));
    let young = stage.finding(Kind::Service).clone();
    assert_eq!(young.severity, Severity::Warning, "it may be a restart");
    assert!(young.fact.contains("app-2:8000 is failing") && young.fact.contains("no answer within 3 s"), "{young:#?}");
    assert!(young.evidence.contains("well last at 03:14"), "{}", young.evidence);
    assert!(young.todo.contains("waits for its pool"), "{}", young.todo);
    stage.wait(11);
    silent(&mut stage, APP_2, ProbeError::Unreachable("connection refused".to_owned()));
    let old = stage.finding(Kind::Service);
    assert_eq!(old.severity, Severity::Critical);
    assert!(old.since.is_some_and(|since| since == began), "another reason, one failure");
    let row = of(&stage, APP_2);
    assert_eq!(row.state, Some(State::Failing));
    assert!(row.text.starts_with("11s "), "what must not be cut off comes first: {}", row.text);
}

#[test]
fn ten_instances_that_fail_alike_are_one_trouble() {
    let addresses: Vec<String> = (0..10).map(|n| format!("http://app-{n}:8000/")).collect();
    let list = Watchlist { endpoints: addresses.clone(), ..Watchlist::default() };
    let mut stage = Stage::with(|setup| setup.watchlist = list).up().at_peace();
    for address in &addresses {
        silent(&mut stage, address, ProbeError::TimedOut(3));
    }
    assert_eq!(stage.kinds(), [Kind::Service]);
    let found = stage.finding(Kind::Service);
    assert!(found.fact.contains("10 of 10 instances are failing"), "{}", found.fact);
    assert!(
        found.evidence.contains("app-0:8000, app-1:8000, app-2:8000, app-3:8000, 6 instances more"),
        "{}",
        found.evidence
    );
}

#[test]
fn a_blocker_stands_above_what_the_application_says_of_it() {
    let mut stage = Stage::calm();
    pile_up(&mut stage);
    not_ready(&mut stage);
    stage.see(locks::pile_up());
    let kinds = stage.kinds();
    let place = |kind| kinds.iter().position(|k| *k == kind).unwrap();
    assert!(place(Kind::Blocker) < place(Kind::Service), "{kinds:?}");
    assert!(place(Kind::Service) < kinds.len() - 1, "{kinds:?}");
}

#[test]
fn a_two_hundred_over_a_database_that_is_gone_is_no_green_light() {
    for gone in [lose as fn(&mut Stage), hang] {
        let mut stage = Stage::calm();
        gone(&mut stage);
        assert!(!stage.kinds().contains(&Kind::BlindHealth), "what was heard before says nothing of after");
        answers(&mut stage, APP_1, vec![reply("/health", 200, V1_HEALTH, 1.0)]);
        assert!(stage.finding(Kind::BlindHealth).fact.starts_with("app-1:8000 answers 200"));
        let row = of(&stage, APP_1);
        assert_eq!((row.state, row.text.as_str()), (Some(State::Degraded), "well, its database gone"));
        // One that looks at its database and reaches it says something of our own way there.
        answers(&mut stage, APP_1, vec![reply("/ready", 503, V1_NOT_READY, 1.0)]);
        answers(&mut stage, APP_2, vec![reply("/health", 200, V2_HEALTH, 1.0)]);
        let seeing = stage.finding(Kind::BlindHealth);
        assert!(seeing.fact.starts_with("app-2:8000 says that its database is well; this console"), "{}", seeing.fact);
        assert_eq!(seeing.severity, Severity::Notice);
        assert_eq!(of(&stage, APP_2).text, "says its database is well");
    }
}

/// Sessions of the pool's user.
fn pooled(count: i32, change: impl Fn(&mut Session)) -> Vec<Session> {
    let one = |n: i32| {
        let mut s = locks::session(8_000 + n, 0.1, "SELECT 1");
        (s.user, s.database) = (Some("shop_api".into()), Some("shop".into()));
        change(&mut s);
        s
    };
    (0..count).map(one).collect()
}

#[test]
fn a_queue_says_whether_the_pool_is_too_small_or_the_server_too_slow() {
    let reason = |rows: Vec<Session>, change: fn(&mut Pool)| {
        let mut stage = Stage::calm();
        sessions(&mut stage, rows);
        let mut seen = pooler();
        let pool = &mut seen.pools[0];
        (pool.clients_waiting, pool.max_wait_s, pool.servers_active, pool.servers_idle) = (31, 7.2, 20, 0);
        change(pool);
        shows(&mut stage, seen);
        let found = stage.finding(Kind::PoolerQueue);
        (found.fact.split_once("7.2s: ").unwrap().1.to_owned(), found.target.clone())
    };
    let long = pooled(20, |s| s.query_s = Some(12.0));
    assert_eq!(
        reason(long, |_| {}),
        ("the server is slow, 20 of 20 sessions run longer than 1.0s".to_owned(), Target::Tab(Tab::Slow))
    );
    let locked = pooled(20, |s| {
        s.query_s = Some(12.0);
        s.blocked_by = vec![4_711];
    });
    assert_eq!(
        reason(locked, |_| {}),
        ("the server is slow, 20 of 20 sessions wait for locks".to_owned(), Target::Tab(Tab::Locks))
    );
    let idle = pooled(20, |s| s.state = Some(SessionState::IdleInTransaction));
    assert!(reason(idle, |_| {}).0.starts_with("the application holds it, 20 of 20 sessions idle in transaction"));
    let short = reason(pooled(20, |_| {}), |_| {});
    assert!(short.0.starts_with("the pool is too small"), "{short:?}");
    assert_eq!(short.1, Target::Health(ItemKey::Pooler));
    // What is not seen is not told.
    assert_eq!(reason(Vec::new(), |_| {}).0, "its pool is full");
    assert_eq!(reason(Vec::new(), |p| p.paused = true).0, "the database is paused there");
    assert_eq!(reason(Vec::new(), |p| p.servers_active = 0).0, "it has no server connection");
    assert_eq!(reason(Vec::new(), |p| p.servers_active = 5).0, "its pool is not full, and gets no more connections");
}

#[test]
fn enter_on_a_finding_and_the_key_open_the_health_in_full() {
    let mut stage = Stage::calm();
    not_ready(&mut stage);
    stage.press("1 Enter");
    let screen = stage.wide();
    for words in [
        "app-1:8000",
        "✗ failing: ",
        "503 not_ready: database failed: couldn't get a connection after 30.00 sec",
        "check      database: failing failed: couldn't get a connection after 30.00 sec",
        "check      schema: ok ok",
        "well last",
    ] {
        assert!(screen.contains(words), "{words}\n{screen}");
    }
    assert!(!screen.contains("redis"), "{screen}");
    let effects = stage.press("y");
    assert!(matches!(effects.as_slice(), [Effect::Copy(text)] if text.contains("503 not_ready")), "{effects:?}");
    stage.press("Esc h");
    let screen = stage.screen(160, 80);
    for words in ["database", "app-2:8000", "redis", "pgbouncer", "shop as shop_api: nobody waits", "36189f"] {
        assert!(screen.contains(words), "{words}\n{screen}");
    }
    assert_eq!(stage.press("x"), [], "the health is about no session");
}

#[test]
fn on_a_narrow_screen_what_is_not_well_comes_first_and_on_a_telephones_alone() {
    let mut stage = Stage::calm();
    no_redis(&mut stage);
    stage.press("1");
    let screen = stage.screen(80, 24);
    let line = screen.lines().find(|line| line.contains("redis ✗")).unwrap_or_else(|| panic!("{screen}"));
    assert!(line.trim_start().starts_with("redis ✗"), "{screen}");
    assert!(screen.contains("database ✓ answers in"), "{screen}");
    let screen = stage.screen(40, 10);
    assert!(screen.contains("redis ✗") && !screen.contains("database ✓"), "{screen}");
    let mut stage = Stage::calm();
    stage.press("1");
    let screen = stage.screen(40, 10);
    assert!(!screen.contains('✗') && !screen.contains("redis"), "{screen}");
}

#[test]
fn an_answer_of_another_kind_than_was_asked_for_is_a_failure_and_no_panic() {
    let mut stage = Stage::calm();
    let question = pgtriage::model::Question::Health { endpoint: APP_1.to_owned() };
    stage.take(question, Ok(Snapshot::Targets(Vec::new())));
    assert_eq!(of(&stage, APP_1).state, Some(State::Failing));
}

#[test]
fn what_was_well_before_the_server_went_is_no_green_light() {
    let mut stage = Stage::calm();
    stage.press("1");
    hostile::lost(&mut stage);
    stage.wait(20);
    for key in [ItemKey::Connections, ItemKey::Standbys, ItemKey::Autovacuum] {
        let item = item(&stage, &key);
        assert_eq!(item.state, Some(State::Unknown), "{item:?}");
        assert!(item.text.contains("s ago: "), "{item:?}");
    }
    let screen = stage.wide();
    assert!(screen.contains("none 21s ago") && screen.contains("82 21s ago"), "{screen}");
    assert!(!screen.lines().next().unwrap_or_default().contains(" up "), "whether it is up, nobody knows\n{screen}");
}

#[test]
fn a_hit_ratio_of_a_few_look_ups_is_shown_and_not_judged() {
    let mut stage = Stage::calm();
    charts::give(&mut stage, "cache-requests", Ok(charts::values(vec![charts::series("requests", |_| Some(0.2))])));
    charts::figures_of(&mut stage, "cache-hit-ratio", |_| Some(0.28));
    assert_eq!(stage.kinds(), []);
    let cache = item(&stage, &ItemKey::Cache);
    assert_eq!((cache.state, cache.text.as_str()), (None, "28.0% hits of 12/min"));
}
