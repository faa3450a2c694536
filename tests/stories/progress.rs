//! The progress on Tables: how one gets there, what is said of each piece of work, and what may be done to its backend.

use std::time::Duration;

use pgtriage::app::mode::Mode;
use pgtriage::app::part::Part;
use pgtriage::guard::Write;
use pgtriage::message::{ActionStep, Effect};
use pgtriage::model::progress::{Progress, Running};
use pgtriage::model::server::Server;
use pgtriage::model::{Cadence, Question, Snapshot};

use crate::stage::{Stage, locks, progress, server, tables};

fn told(stage: &mut Stage, running: Running) {
    stage.take(Question::Progress, Ok(Snapshot::Progress(running)));
}

/// The keys to the list, and an answer.
fn showing(running: Running) -> Stage {
    let mut stage = Stage::new().up().server(server()).sessions(progress::sessions()).relations(tables::calm());
    stage.press("5 o o");
    told(&mut stage, running);
    stage
}

fn line_of(screen: &str, name: &str) -> String {
    screen.lines().find(|line| line.contains(name)).unwrap_or_else(|| panic!("no {name} in {screen}")).to_owned()
}

fn wanted(stage: &Stage) -> Option<Duration> {
    stage.app.demand().wanted.into_iter().find_map(|w| match (w.question, w.cadence) {
        (Question::Progress, Cadence::Every(every)) => Some(every),
        _ => None,
    })
}

/// Selects the row of that pid.
fn select(stage: &mut Stage, pid: i32) {
    stage.press("g");
    while stage.app.progress.current().is_some_and(|row| row.progress.pid != pid) {
        stage.press("j");
    }
}

#[test]
fn the_key_goes_on_to_the_progress_and_it_is_asked_for_only_there() {
    let mut stage = showing(progress::running());
    assert_eq!(stage.app.part, Part::Progress);
    assert!(stage.wide().contains("tables indexes [progress]"));
    assert_eq!(wanted(&stage), Some(stage.app.refresh));
    stage.press("o");
    assert_eq!((stage.app.part, wanted(&stage)), (Part::Tables, None));
    stage.press("o o 1");
    assert_eq!(wanted(&stage), None, "not from other tabs");
}

#[test]
fn each_says_what_it_does_on_what_and_how_far_it_is() {
    let screen = showing(progress::running()).wide();
    for (pid, said) in [
        (progress::WRAPAROUND, &["VACUUM to prevent wraparound", "shop.ledger", "scanning heap", "62%"][..]),
        (progress::BUILD, &["CREATE INDEX CONCURRENTLY", "shop.order_items", "1 of 3 waited for", "behind 4711"]),
        (
            progress::BACKUP,
            &["base backup", "the whole server", "streaming database files", "14%", "BaseBackupThrottle"],
        ),
        (progress::COPY, &["COPY FROM", "crm, oid 16999", "41%"]),
        (progress::REWRITE, &["VACUUM FULL", "shop.audit.events_2025_11", "1.2M rows"]),
        (progress::ANALYZE, &["ANALYZE", "shop.carts", "25%"]),
    ] {
        let line = line_of(&screen, &pid.to_string());
        for word in said {
            assert!(line.contains(word), "{word}: {line}");
        }
    }
    assert!(screen.contains("6 at work · 1 of autovacuum · 1 to prevent wraparound · 1 held up by others"), "{screen}");
    assert!(screen.contains("names of relations are known here only in shop"), "{screen}");
    assert!(!line_of(&screen, "VACUUM FULL").contains('%'), "no share is invented");
}

#[test]
fn the_time_that_is_left_is_said_after_looks_that_differ_and_a_standstill_too() {
    let mut stage = showing(Running { rows: vec![progress::wraparound(711_000)], hidden: 0 });
    assert!(!stage.wide().contains('~'), "one look has no pace");
    for step in 1..4 {
        stage.pass(2_000);
        told(&mut stage, Running { rows: vec![progress::wraparound(711_000 + step * 2_000)], hidden: 0 });
    }
    let line = line_of(&stage.wide(), "shop.ledger");
    assert!(line.contains("~7m"), "429 000 blocks at nearly 1 000 a second: {line}");
    stage.press("Enter");
    let screen = stage.wide();
    assert!(screen.contains("(heap_blks_scanned of heap_blks_total)"), "{screen}");
    assert!(screen.contains("at that pace this phase ends in 7m"), "{screen}");
    stage.press("Esc");
    for _ in 0..6 {
        stage.pass(2_000);
        told(&mut stage, Running { rows: vec![progress::wraparound(717_000)], hidden: 0 });
    }
    let line = line_of(&stage.wide(), "shop.ledger");
    assert!(line.contains("still 1") && !line.contains('~'), "{line}");
}

#[test]
fn nobody_at_work_is_one_calm_line_and_says_what_a_version_cannot_tell() {
    let mut stage = showing(Running::default());
    let screen = stage.wide();
    assert!(
        screen.contains("no VACUUM, ANALYZE, index build, CLUSTER, base backup or COPY runs on this server"),
        "{screen}"
    );
    let mut stage = stage.server(Server { version_num: 130_023, ..server() });
    let screen = stage.wide();
    assert!(screen.contains("CLUSTER or base backup runs on this server"), "{screen}");
    assert!(screen.contains("a COPY tells nothing before 14"), "{screen}");
}

#[test]
fn what_is_hidden_is_counted_with_the_grant_and_is_no_zero() {
    let hidden = Progress {
        hidden: true,
        phase: None,
        relation: None,
        backend_start: None,
        age_s: None,
        ..progress::at_work(progress::ANALYZE, progress::wraparound(0).work, "", 0.0)
    };
    let mut stage = showing(Running { rows: vec![hidden], hidden: 1 });
    let screen = stage.wide();
    assert!(screen.contains("! GRANT pg_monitor TO oncall: of 1 it is hidden what they do"), "{screen}");
    let line = line_of(&screen, "shop, hidden");
    assert!(line.contains("hidden") && !line.contains('%'), "{line}");
    stage.press("Enter");
    assert!(stage.wide().contains("hidden from this role: GRANT pg_monitor TO oncall"));
}

#[test]
fn the_detail_says_who_stands_in_the_way_and_what_helps() {
    let mut stage = showing(progress::running());
    select(&mut stage, progress::BUILD);
    stage.press("Enter");
    let screen = stage.wide();
    for said in [
        "pid 6100 · CREATE INDEX CONCURRENTLY",
        "1 of 3 waited for (lockers_done of lockers_total)",
        "4711: idle in tx of shop@shop",
        "it goes on once the transaction that it waits for has ended",
        "CREATE INDEX CONCURRENTLY order_items_sku",
    ] {
        assert!(screen.contains(said), "{said}: {screen}");
    }
    stage.press("Esc");
    select(&mut stage, progress::WRAPAROUND);
    stage.press("Enter");
    let screen = stage.wide();
    for said in [
        "it sleeps for its cost delay: a higher autovacuum_vacuum_cost_limit",
        "more than one pass over the indexes: its dead rows did not fit",
        "20m00s for its cost delay",
        "let it run",
    ] {
        assert!(screen.contains(said), "{said}: {screen}");
    }
    told(&mut stage, Running::default());
    assert!(stage.wide().contains("what 6001 was at has ended"), "it stays open, and says so");
}

fn written(effects: &[Effect]) -> Option<(bool, i32)> {
    effects.iter().find_map(|effect| {
        let Effect::Write { approved, .. } = effect else { return None };
        match approved.write() {
            Write::Cancel { session, .. } => Some((false, session.pid)),
            Write::Terminate { session, .. } => Some((true, session.pid)),
            Write::Bulk(_)
            | Write::Maintain { .. }
            | Write::ExpireCache { .. }
            | Write::Setting { .. }
            | Write::Reload { .. } => None,
        }
    })
}

fn refused(effects: &[Effect]) -> &str {
    match effects {
        [Effect::RecordRefusal { refusal, .. }] => refusal,
        other => panic!("no refusal: {other:?}"),
    }
}

#[test]
fn its_backend_is_cancelled_as_on_connections() {
    for keys in ["x", "Enter x"] {
        let mut stage = showing(progress::running());
        select(&mut stage, progress::REWRITE);
        assert_eq!(stage.press(keys), []);
        assert!(stage.wide().contains("VACUUM FULL audit.events_2025_11"));
        stage.pass(1_000);
        stage.see_again();
        assert_eq!(written(&stage.press("y")), Some((false, progress::REWRITE)), "{keys}");
    }
}

#[test]
fn autovacuum_and_a_base_backup_are_refused_as_on_connections() {
    let mut stage = showing(progress::running());
    select(&mut stage, progress::WRAPAROUND);
    let effects = stage.press("x");
    assert!(refused(&effects).contains("wraparound"), "{effects:?}");
    select(&mut stage, progress::BACKUP);
    let effects = stage.press("X");
    assert!(refused(&effects).contains("6200 is a walsender"), "{effects:?}");
    assert!(matches!(stage.app.mode, Mode::Normal));
}

#[test]
fn our_own_job_is_stopped_by_its_own_key_and_by_no_signal() {
    let mut stage = showing(Running::default());
    stage.press("o v y");
    stage.pass(1_000);
    stage.press("y");
    stage.news(1, ActionStep::Started { pid: Some(progress::ANALYZE) });
    stage.press("o o");
    // The list of sessions leaves our own out.
    let mut sessions = progress::sessions();
    sessions.rows.retain(|s| s.pid != progress::ANALYZE);
    stage.see(sessions);
    told(&mut stage, progress::running());
    assert!(line_of(&stage.wide(), "6500").contains("ours: ANALYZE"));
    select(&mut stage, progress::ANALYZE);
    assert_eq!(stage.press("x"), []);
    assert!(stage.last_line().contains("6500 is our own job: K stops it"), "{}", stage.last_line());
    assert!(matches!(stage.press("K")[..], [Effect::StopJob { id: 1 }]));
}

#[test]
fn on_the_other_lists_the_keys_of_sessions_say_where_they_belong() {
    let mut stage = showing(progress::running());
    stage.press("o");
    for key in ["x", "X"] {
        assert_eq!(stage.press(key), []);
        assert!(stage.last_line().contains("no session is meant here"), "{}", stage.last_line());
    }
    stage.press("Enter x");
    assert!(matches!(stage.app.mode, Mode::Detail { .. } | Mode::Normal), "no question was asked");
}

#[test]
fn a_backend_that_ended_is_not_replaced_by_its_neighbour() {
    let mut stage = showing(progress::running());
    select(&mut stage, progress::REWRITE);
    let mut rest = progress::running();
    rest.rows.retain(|p| p.pid != progress::REWRITE);
    told(&mut stage, rest);
    assert_eq!(stage.press("x"), []);
    assert!(stage.last_line().contains("has ended: select another"), "{}", stage.last_line());
}

#[test]
fn an_observer_has_no_key_for_it() {
    let mut stage = Stage::read_only().filled();
    stage.press("5 o o");
    told(&mut stage, progress::running());
    assert_eq!(stage.press("x X"), []);
    assert!(matches!(stage.app.mode, Mode::Normal));
    assert!(locks::key(progress::BUILD).backend_start.is_some());
}
