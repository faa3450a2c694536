//! What Tables says where a figure is not known, or where a vacuum could not help.

use pgtriage::model::relation::{Relation, Relations, VacuumProgress};

use crate::stage::{Stage, locks, server, tables};

fn showing(relations: Relations) -> Stage {
    let mut stage = Stage::new().up().server(server()).sessions(locks::pile_up()).relations(relations);
    stage.press("5");
    stage
}

#[test]
fn who_holds_back_the_vacuum_is_named_where_a_table_waits_for_one() {
    let mut stage = showing(tables::relations());
    let screen = stage.wide();
    assert!(screen.contains("holds back what a vacuum may remove"), "{screen}");
    let calm: Vec<Relation> = tables::relations().rows.into_iter().map(|r| Relation { dead: 0, ..r }).collect();
    let screen = showing(Relations { rows: calm, ..tables::relations() }).wide();
    assert!(!screen.contains("holds back"), "nothing is due: {screen}");
}

#[test]
fn a_table_that_was_never_counted_has_no_size_rather_than_none() {
    let fresh = Relation {
        bytes: 0,
        tuples: None,
        autovacuum_s: None,
        autoanalyze_s: None,
        ..tables::table(16_500, "fresh", 0, 0)
    };
    let counted = Relation { bytes: 0, tuples: Some(0.0), ..fresh.clone() };
    let size = |relation: Relation| {
        let mut stage = showing(Relations { rows: vec![relation], total: 1, ..tables::relations() });
        stage.press("Enter");
        stage.wide()
    };
    let screen = size(fresh);
    assert!(screen.contains("not known: relpages is 0 before the first vacuum"), "{screen}");
    let screen = size(counted);
    assert!(screen.contains("0 B (0 bytes) by relpages"), "{screen}");
}

#[test]
fn vacuums_that_find_no_room_are_counted() {
    let one = tables::relations().vacuums.remove(0);
    let vacuums = (0..30).map(|n| VacuumProgress { pid: 6001 + n, ..one.clone() }).collect();
    let screen = showing(Relations { vacuums, ..tables::relations() }).wide();
    assert!(screen.contains("more of such lines"), "{screen}");
}
