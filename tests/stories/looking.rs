//! Moving, filtering, sorting, opening, freezing, copying: what the screen answers, and what is asked for.

use std::time::Duration;

use pgtriage::command::Tab;
use pgtriage::message::Effect;
use pgtriage::model::session::Sessions;
use pgtriage::model::{Cadence, Question};

use crate::stage::{Stage, locks, tables};

/// Names of the questions that are wanted, with their pace in milliseconds.
fn wanted(stage: &Stage) -> Vec<(String, u128)> {
    stage
        .app
        .demand()
        .wanted
        .into_iter()
        .map(|w| {
            let name = if let Question::Panel { id, .. } = w.question {
                format!("panel {id}")
            } else {
                format!("{:?}", w.question).split([' ', '(', '{']).next().unwrap_or_default().to_owned()
            };
            let every = match w.cadence {
                Cadence::Every(d) => d.as_millis(),
                Cadence::Once(_) => 0,
            };
            (name, every)
        })
        .collect()
}

fn asks(stage: &Stage, name: &str) -> Option<u128> {
    wanted(stage).into_iter().find(|(n, _)| n == name).map(|(_, every)| every)
}

#[test]
fn each_tab_asks_for_what_it_shows_and_the_rest_slower_or_not_at_all() {
    let mut stage = Stage::incident();
    let named: Vec<(String, u128)> = wanted(&stage).into_iter().filter(|(n, _)| !n.starts_with("panel")).collect();
    let beside =
        [("Health", 15_000), ("Health", 15_000), ("Dependency", 15_000), ("Dependency", 15_000), ("Pooler", 15_000)];
    let paces = [
        ("Activity", 15_000),
        ("Settings", 30_000),
        ("Relations", 60_000),
        ("Indexes", 300_000),
        ("CacheTable", 300_000),
        ("Targets", 15_000),
        // What p95, errors and cache hits were a week ago.
        ("PanelBefore", 300_000),
        ("PanelBefore", 300_000),
        ("PanelBefore", 300_000),
        ("OtherAlerts", 15_000),
    ];
    let slowly = paces.map(|(name, every)| (name.to_owned(), every));
    assert_eq!(named[..3], [("Server".into(), 15_000), ("Sessions".into(), 2000), ("Replication".into(), 10_000)]);
    assert_eq!(named[3..13], slowly);
    assert_eq!(named[13..], beside.map(|(name, every)| (name.to_owned(), every)));
    assert_eq!(asks(&stage, "panel p95"), Some(15_000), "findings come from it on every tab");
    assert_eq!(asks(&stage, "panel p50"), None);
    stage.press("1");
    assert_eq!(asks(&stage, "Sessions"), Some(2000));
    assert_eq!(asks(&stage, "Relations"), Some(15_000));
    assert_eq!(asks(&stage, "Activity"), Some(5000), "the vitals come from it");
    assert_eq!(asks(&stage, "panel p95"), Some(5000));
    assert_eq!(asks(&stage, "Health"), Some(5000));
    assert_eq!(asks(&stage, "Pooler"), Some(5000));
    stage.press("P");
    assert_eq!(asks(&stage, "Settings"), Some(2000), "while they are open");
    stage.press("Esc");
    stage.press("3");
    assert_eq!(asks(&stage, "Sessions"), Some(2000));
    stage.press("5");
    assert_eq!(asks(&stage, "Sessions"), Some(5000));
    assert_eq!(asks(&stage, "Relations"), Some(5000));
    stage.press("6");
    assert_eq!(asks(&stage, "Replication"), Some(2000));
    assert_eq!(asks(&stage, "Relations"), Some(60_000));
    stage.press("7");
    assert_eq!(asks(&stage, "panel p95"), Some(5000));
    assert_eq!(asks(&stage, "panel cache-hit-ratio"), Some(15_000));
    assert_eq!(asks(&stage, "panel cache-size"), None);
    assert_eq!(asks(&stage, "Targets"), Some(15_000));
    assert_eq!(asks(&stage, "CacheTable"), Some(300_000), "for what has expired");
    stage.press("8");
    assert_eq!(asks(&stage, "panel cache-hit-ratio"), Some(5000));
    assert_eq!(asks(&stage, "CacheTable"), Some(5000));
}

#[test]
fn without_prometheus_no_panel_is_asked_and_the_tab_says_how_to_name_one() {
    let mut stage = Stage::with(|setup| setup.prometheus = None).filled();
    stage.press("7");
    assert!(wanted(&stage).iter().all(|(name, _)| !name.starts_with("panel") && name != "Targets"));
    assert!(stage.wide().contains("--prometheus URL"));
}

#[test]
fn a_detail_asks_for_the_locks_of_its_session_alone() {
    let mut stage = Stage::incident();
    stage.press("j j Enter");
    let questions: Vec<_> = stage.app.demand().wanted.into_iter().map(|w| w.question).collect();
    assert!(questions.contains(&Question::SessionLocks(locks::key(locks::ALTER))));
    stage.press("Esc");
    assert_eq!(asks(&stage, "SessionLocks"), None);
}

#[test]
fn a_detail_follows_its_session_and_says_when_it_is_gone() {
    let mut stage = Stage::incident();
    stage.press("j j Enter");
    let mut later = locks::pile_up();
    later.rows.reverse();
    later.rows.iter_mut().filter(|s| s.pid == locks::ALTER).for_each(|s| s.query_s = Some(7_300.0));
    stage.see(later);
    let screen = stage.wide();
    assert!(screen.contains("pid 5120") && screen.contains("statement 2h01m40s"), "{screen}");
    stage.see(locks::flowing());
    assert!(stage.wide().contains("5120 is gone"), "{}", stage.wide());
    assert_eq!(stage.press("x y"), [], "nothing can be done to it");
}

#[test]
fn a_pid_that_was_given_to_another_session_is_not_the_one_that_was_opened() {
    let mut stage = Stage::incident();
    stage.press("j j Enter");
    let mut later = locks::pile_up();
    later.rows.iter_mut().filter(|s| s.pid == locks::ALTER).for_each(|s| s.backend_start = Some("later".into()));
    stage.see(later);
    assert!(stage.wide().contains("5120 is gone"), "{}", stage.wide());
}

#[test]
fn the_filter_works_while_it_is_typed_and_says_what_is_wrong_with_it() {
    let mut stage = Stage::incident();
    stage.press("/");
    stage.type_text("user:deploy");
    assert!(stage.wide().contains("ALTER TABLE orders ADD"));
    assert_eq!(stage.app.connections.len(), 1);
    stage.press("C-u");
    assert_eq!(stage.app.connections.len(), stage.app.connections.total());
    stage.type_text("xact>so");
    assert!(stage.last_line().contains("`so` is no time"), "{}", stage.last_line());
    assert_eq!(stage.press("Enter"), []);
    assert!(stage.last_line().contains("`so` is no time"), "a filter that cannot be read is not kept");
    stage.press("C-u");
    stage.type_text("xact>10m !app:worker");
    stage.press("Enter");
    assert_eq!(stage.app.connections.len(), 1, "the UPDATE alone");
    stage.press("x");
    assert!(stage.wide().contains("backend 4802?"), "keys act on what the filter shows");
    stage.press("Esc Esc");
    assert_eq!(stage.app.connections.len(), stage.app.connections.total(), "Esc clears it");
}

#[test]
fn a_filter_stays_on_the_screen_while_it_hides_rows() {
    let mut stage = Stage::incident();
    stage.press("/");
    stage.type_text("app:metabase");
    stage.press("Enter");
    for (width, height) in [(160, 45), (80, 24), (40, 10)] {
        let screen = stage.screen(width, height);
        assert!(screen.contains("app:metabase"), "at {width}×{height}:\n{screen}");
    }
}

#[test]
fn nothing_that_passes_the_filter_is_said_and_is_no_all_clear() {
    let mut stage = Stage::incident();
    stage.press("3 /");
    stage.type_text("nothing-like-this");
    stage.press("Enter");
    let screen = stage.wide();
    assert!(screen.contains("none of 39 rows passes the filter `nothing-like-this`"), "{screen}");
    assert!(!screen.contains("no statement and no idle transaction"), "{screen}");
}

#[test]
fn the_sort_picker_sorts_by_what_is_picked_and_the_selection_follows_its_row() {
    let mut stage = Stage::incident();
    stage.press("j j s");
    assert!(stage.wide().contains("Sort by"));
    stage.type_text("pid");
    stage.press("Enter");
    let first = stage.app.connections.window(0, 1).next().map(|r| r.session.pid);
    assert_eq!(first, Some(901), "the lowest pid first");
    assert_eq!(stage.app.connections.current().map(|r| r.session.pid), Some(locks::ALTER));
    stage.press("S");
    let first = stage.app.connections.window(0, 1).next().map(|r| r.session.pid);
    assert_eq!(first, Some(locks::READER + 34));
}

#[test]
fn sorting_tables_by_size_asks_the_server_for_the_largest() {
    let mut stage = Stage::incident();
    stage.press("5 s");
    stage.type_text("size");
    stage.press("Enter");
    let order = stage
        .app
        .demand()
        .wanted
        .into_iter()
        .find_map(|w| if let Question::Relations { order, .. } = w.question { Some(order) } else { None });
    assert_eq!(order, Some(pgtriage::model::relation::RelationOrder::Size));
}

#[test]
fn a_frozen_screen_stands_still_while_samples_go_on() {
    let mut stage = Stage::incident();
    stage.press("Space");
    let body = |stage: &mut Stage| {
        let screen = stage.wide();
        screen.lines().skip(2).take(42).map(str::to_owned).collect::<Vec<_>>()
    };
    let before = body(&mut stage);
    stage.see(locks::flowing());
    stage.wait(41);
    assert_eq!(body(&mut stage), before);
    assert!(stage.wide().contains("frozen 41s"), "{}", stage.wide());
    stage.press("Space");
    let screen = stage.wide();
    assert!(!screen.contains("ALTER TABLE") && screen.contains("live"), "{screen}");
}

#[test]
fn the_database_switcher_changes_what_is_asked() {
    let mut stage = Stage::incident();
    stage.press("5 d");
    let screen = stage.wide();
    assert!(screen.contains("Tables of database") && screen.contains("billing"), "{screen}");
    stage.type_text("bill");
    stage.press("Enter");
    let wanted = stage.app.demand().wanted;
    assert!(
        wanted
            .iter()
            .any(|w| matches!(&w.question, Question::Relations { database: Some(d), .. } if d.raw() == "billing")),
        "{wanted:?}"
    );
    assert!(stage.wide().contains("asking billing"), "until the answer comes the old database stays named");
    let mut other = tables::relations();
    other.database = "billing".into();
    other.rows.truncate(1);
    let mut stage = stage.relations(other);
    assert!(stage.wide().contains("database billing"));
}

#[test]
fn the_threshold_keys_move_the_list_of_slow_ones() {
    let mut stage = Stage::incident();
    stage.press("3");
    assert_eq!(stage.app.slow.total(), 39);
    stage.press("> >");
    assert!(stage.wide().contains("over 5m"), "{}", stage.wide());
    assert_eq!(stage.app.slow.total(), 20);
    stage.press("< < < <");
    assert!(stage.wide().contains("over 5.0s"), "{}", stage.wide());
}

#[test]
fn what_is_copied_is_whole_but_for_what_a_terminal_would_obey() {
    let mut sessions = locks::pile_up();
    let text = format!("SELECT '\u{1b}[2J\u{202e}'\n{}", "x".repeat(5000));
    sessions.rows[0].query = text.as_str().into();
    let mut stage = Stage::incident();
    stage.see(sessions);
    assert_eq!(stage.press("Y"), [Effect::Copy(text.replace('\u{1b}', ""))]);
    assert!(stage.last_line().contains("1 control character left out"), "{}", stage.last_line());
    let effects = stage.press("y");
    let [Effect::Copy(row)] = effects.as_slice() else { panic!("{effects:?}") };
    assert!(row.contains("pid=4711") && row.contains("user=shop"), "{row}");
    assert_eq!(stage.press("5 Y"), [Effect::Copy("public.orders".to_owned())]);
}

#[test]
fn exact_bloat_is_asked_once_for_each_press() {
    let mut stage = Stage::incident();
    let once = |stage: &Stage| {
        stage.app.demand().wanted.into_iter().find_map(|w| match w.cadence {
            Cadence::Once(number) => Some(number),
            Cadence::Every(_) => None,
        })
    };
    stage.press("5");
    assert_eq!(once(&stage), None);
    stage.press("b");
    assert_eq!(once(&stage), Some(1));
    stage.wait(3);
    assert_eq!(once(&stage), Some(1));
    stage.press("b");
    assert_eq!(once(&stage), Some(2));
}

#[test]
fn faster_and_slower_change_the_pace_of_the_visible_tab() {
    let mut stage = Stage::incident();
    stage.press(".");
    assert_eq!(stage.app.refresh, Duration::from_secs(1));
    stage.press(", ,");
    assert_eq!(asks(&stage, "Sessions"), Some(5000));
}

#[test]
fn every_tab_is_reached_by_its_number_and_in_turn() {
    let mut stage = Stage::incident();
    for tab in Tab::ALL {
        stage.press(&tab.number().to_string());
        assert_eq!(stage.app.tab, tab);
    }
    stage.press("Tab");
    assert_eq!(stage.app.tab, Tab::Triage);
    stage.press("S-Tab");
    assert_eq!(stage.app.tab, Tab::Statements);
}

#[test]
fn the_palette_runs_a_command_by_its_name() {
    let mut stage = Stage::incident();
    stage.press(":");
    stage.type_text("show-tab");
    stage.press("Enter");
    assert_eq!(stage.app.tab, Tab::Tables);
}

#[test]
fn a_session_more_than_the_page_holds_is_reached_and_seen() {
    let mut stage = Stage::incident();
    stage.press("G");
    let last = stage.app.connections.current().map(|r| r.session.pid.to_string()).unwrap();
    for (width, height) in [(160, 45), (80, 24), (40, 10)] {
        let screen = stage.screen(width, height);
        assert!(screen.contains(&last), "{last} at {width}×{height}:\n{screen}");
    }
}

#[test]
fn an_empty_server_is_no_error() {
    let mut stage = Stage::incident();
    stage.see(Sessions::default());
    assert!(stage.wide().contains("no other session"));
}
