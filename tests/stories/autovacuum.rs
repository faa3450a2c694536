//! What is said of vacuums and of tables that were not looked at: the cost limit, the cut of the list, and how old figures are.

use pgtriage::app::mode::Mode;
use pgtriage::diagnose::{Finding, Kind};
use pgtriage::model::relation::{Relation, RelationOrder, Relations, VacuumProgress};
use pgtriage::model::session::{Session, Wait};
use pgtriage::model::{Question, Snapshot};

use super::findings::{churned, relations, sessions};
use crate::stage::{Stage, indexes, locks, settings, tables};

/// The worker that vacuums `carts`, asleep in its cost delay or not.
fn worker(asleep: bool) -> Session {
    let event = if asleep { ("Timeout", "VacuumDelay") } else { ("IO", "DataFileRead") };
    let wait = Some(Wait { class: event.0.to_owned(), event: event.1.to_owned() });
    Session { wait, ..locks::background(6_001, "autovacuum worker") }
}

/// Six hours of a vacuum of `carts`.
fn long(auto: bool) -> Relations {
    let works = tables::relations().vacuums.remove(0);
    let works = VacuumProgress { oid: 16_440, auto, running_s: Some(6.0 * 3600.0), ..works };
    Relations { vacuums: vec![works], ..tables::calm_but(churned()) }
}

/// What is said after looks at which the worker slept or did not.
fn looked(looks: &[bool], auto: bool) -> Finding {
    let mut stage = Stage::calm();
    let Snapshot::Settings(mut known) = settings::known() else { panic!("settings") };
    for (name, value) in [("autovacuum_vacuum_cost_limit", "-1"), ("vacuum_cost_limit", "200")] {
        let row = known.rows[0].clone();
        known.rows.push(pgtriage::model::setting::Setting { name: name.to_owned(), value: value.to_owned(), ..row });
    }
    stage.take(Question::Settings, Ok(Snapshot::Settings(known)));
    for asleep in looks {
        sessions(&mut stage, vec![worker(*asleep)]);
        stage.pass(1_000);
    }
    relations(&mut stage, long(auto));
    stage.finding(Kind::DeadRows).clone()
}

#[test]
fn a_vacuum_that_sleeps_for_most_of_its_time_is_held_back_by_its_cost_limit_and_one_look_is_told_as_one() {
    let often: Vec<bool> = (0..20).map(|look| look % 4 != 0).collect();
    let found = looked(&often, true);
    let held = "a vacuum works on it for 6h, held back by its cost limit: it slept at 15 of 20 looks";
    assert!(found.fact.ends_with(held), "{}", found.fact);
    assert!(found.todo.contains("a higher autovacuum_vacuum_cost_limit or a lower autovacuum_vacuum_cost_delay"));
    let sql = "ALTER SYSTEM SET autovacuum_vacuum_cost_limit = 1000; SELECT pg_reload_conf();";
    assert_eq!((found.action, found.remedy.as_deref()), (None, Some(sql)));

    let once = looked(&[true], true);
    assert!(once.fact.ends_with("works on it for 6h, and sleeps in its cost delay now"), "{}", once.fact);
    let seldom: Vec<bool> = (0..20).map(|look| look % 4 == 0).collect();
    for looks in [vec![false], seldom] {
        let found = looked(&looks, true);
        assert!(found.fact.ends_with("a vacuum works on it for 6h") && found.remedy.is_none(), "{found:?}");
    }
    let by_hand = looked(&often, false);
    assert!(by_hand.todo.contains("vacuum_cost_delay of the session") && by_hand.remedy.is_none(), "{by_hand:?}");
}

#[test]
fn tables_that_were_not_looked_at_are_told_with_how_many_were() {
    let mut stage = Stage::calm();
    relations(&mut stage, Relations { total: 4_312, ..tables::calm() });
    let diagnosis = &stage.app.triage.diagnosis;
    let left = diagnosis.unchecked.iter().find(|u| u.what == "4310 of 4312 tables");
    let left = left.unwrap_or_else(|| panic!("{:?}", diagnosis.unchecked));
    assert_eq!(left.why, "the ones with the fewest dead rows and scans");
    assert!(diagnosis.checked.iter().any(|c| c.starts_with("2 of 4312 tables")), "{:?}", diagnosis.checked);
    relations(&mut stage, tables::calm());
    let diagnosis = &stage.app.triage.diagnosis;
    assert!(diagnosis.unchecked.iter().all(|u| !u.why.contains("fewest dead rows")), "all of them were read");
    assert!(diagnosis.checked.iter().any(|c| c.starts_with("2 tables")), "{:?}", diagnosis.checked);
}

#[test]
fn what_is_found_does_not_depend_on_how_the_tables_are_sorted() {
    let mut stage = Stage::calm();
    let fullest = tables::calm_but(churned()).rows;
    let by_name = Relations { order: RelationOrder::Name, dead: fullest, total: 4_312, ..tables::calm() };
    stage.press("5");
    relations(&mut stage, by_name);
    assert!(!stage.wide().contains(" carts "), "the list is the first by name");
    assert!(stage.finding(Kind::DeadRows).fact.starts_with("carts: 77 % dead rows"));
    // It can be vacuumed from its finding as it is, with its size and age before the question, and be looked at.
    stage.press("1 g v");
    let screen = stage.wide();
    assert!(matches!(stage.app.mode, Mode::Ask(_)), "{screen}");
    assert!(screen.contains("carts") && screen.contains("holds"), "{screen}");
    stage.press("Esc 5");
    // From the finding the list is ranked so that it holds the table.
    stage.press("s");
    stage.type_text("table");
    stage.press("Enter");
    let asks = |stage: &Stage, order| {
        let question = Question::Relations { database: None, order };
        stage.app.demand().wanted.iter().any(|w| w.question == question)
    };
    assert!(asks(&stage, RelationOrder::Name));
    stage.press("1 g Enter");
    assert!(asks(&stage, RelationOrder::Dead), "{}", stage.wide());
}

#[test]
fn what_was_so_long_ago_when_it_was_asked_is_told_as_of_now() {
    let mut stage = Stage::calm();
    let mut young = indexes::indexes();
    young.counted_s = 7.2;
    let stage_of = Stage::calm().indexes(young);
    let told = |stage: &Stage| {
        let unchecked = &stage.app.triage.diagnosis.unchecked;
        unchecked.iter().find(|u| u.what == "dead rows from before").map(|u| u.why.clone()).expect("it is told")
    };
    let mut counted = stage_of;
    assert!(told(&counted).starts_with("rows were counted for 7.2s only"), "{}", told(&counted));
    counted.wait(50);
    sessions(&mut counted, Vec::new());
    assert!(told(&counted).starts_with("rows were counted for 57s only"), "{}", told(&counted));

    relations(&mut stage, tables::calm_but(Relation { autovacuum_s: Some(0.9), ..churned() }));
    assert!(stage.finding(Kind::DeadRows).fact.contains("vacuumed 0.9s ago: they are newer"));
    stage.wait(50);
    sessions(&mut stage, Vec::new());
    let finding = stage.finding(Kind::DeadRows);
    assert!(finding.fact.contains("vacuumed 50s ago: they are newer"), "{}", finding.fact);
    assert!(finding.evidence.contains("last vacuumed 50s ago"), "{}", finding.evidence);
}
