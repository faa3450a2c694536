//! What Tables says where a figure is not known, or where a vacuum could not help.

use pgtriage::diagnose::Kind;
use pgtriage::model::relation::{Relation, RelationOrder, Relations, VacuumProgress};
use pgtriage::model::{Question, Snapshot};

use crate::stage::{Stage, locks, server, tables};

fn by(order: RelationOrder) -> Question {
    Question::Relations { database: None, order }
}

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

#[test]
fn tables_that_are_read_from_end_to_end_are_ranked_by_the_rows_that_were_read() {
    let mut stage = showing(Relations { total: 4_000, order: RelationOrder::Scanned, ..tables::relations() });
    for column in ["seq_rows", "seq_scan"] {
        stage.press("s");
        stage.type_text(column);
        stage.press("Enter");
        let asked = Question::Relations { database: None, order: RelationOrder::Scanned };
        assert!(stage.app.demand().wanted.iter().any(|w| w.question == asked), "{column}");
    }
    assert!(stage.wide().contains("of 4000 tables, the first by rows read by sequential scans"));
}

#[test]
fn a_table_that_is_only_read_is_found_and_shown_however_many_have_dead_rows() {
    let mut stage = Stage::calm();
    let events = tables::table(16_450, "events", 8_000_000, 0);
    let beside = |row: &Relation| Relations { total: 10_000, scanned: vec![row.clone()], ..tables::calm() };
    stage.take(by(RelationOrder::Dead), Ok(Snapshot::Relations(Box::new(beside(&events)))));
    stage.wait(120);
    let read = events.seq_rows + 400 * 8_000_000;
    let later = Relation { seq_scan: events.seq_scan + 400, seq_rows: read, ..events };
    stage.take(by(RelationOrder::Dead), Ok(Snapshot::Relations(Box::new(beside(&later)))));
    assert!(stage.finding(Kind::MissingIndex).fact.starts_with("events "));
    // No list holds it, until the server is asked for those that are read most.
    stage.press("5");
    assert!(!stage.wide().contains(" events "), "{}", stage.wide());
    stage.press("1");
    while stage.app.current_finding().is_some_and(|f| f.key.kind != Kind::MissingIndex) {
        stage.press("j");
    }
    stage.press("Enter");
    let asked = by(RelationOrder::Scanned);
    assert!(stage.app.demand().wanted.iter().any(|w| w.question == asked), "{}", stage.wide());
    let ranked = Relations { order: RelationOrder::Scanned, rows: vec![later], total: 10_000, ..tables::calm() };
    stage.take(asked, Ok(Snapshot::Relations(Box::new(ranked))));
    assert_eq!(stage.app.tables.current().map(|row| row.relation.oid), Some(16_450));
}
