//! What a vacuum of ours came to: in vain or not, who holds what it left, and that its table is asked anew at once.

use pgtriage::message::{ActionStep, Outcome};
use pgtriage::model::relation::{ExactBloat, Relation, RelationKey, Relations};
use pgtriage::model::session::Session;
use pgtriage::model::{Cadence, Question, Snapshot};

use crate::stage::{Stage, locks, server, tables};

/// How often the tables are asked for, in milliseconds.
fn asked(stage: &Stage) -> u128 {
    let wanted = stage.app.demand().wanted;
    let every = wanted.iter().find_map(|w| match (&w.question, w.cadence) {
        (Question::Relations { .. }, Cadence::Every(every)) => Some(every.as_millis()),
        _ => None,
    });
    every.expect("the tables are asked for")
}

/// What the screen says after a vacuum of `carts` that found and left so many dead rows.
fn vacuumed(stage: &mut Stage, before: i64, after: i64) -> String {
    stage.press("5 j j v y");
    stage.news(1, ActionStep::Started { pid: Some(9_001) });
    stage.news(1, ActionStep::DeadRows { before, after });
    let words = format!("finished in 0.139 s; {before} dead rows before, {after} still there");
    stage.news(1, ActionStep::Ended(Outcome::Done(words)));
    stage.wide()
}

#[test]
fn a_vacuum_in_vain_is_said_with_who_holds_the_horizon_and_the_table_is_asked_anew() {
    let mut stage = Stage::incident();
    let screen = vacuumed(&mut stage, 192_998, 192_998);
    let held = "192998 dead rows before, 192998 still there: 4711 holds the horizon (idle in transaction, open 12m)";
    assert!(screen.contains(held), "{screen}");
    assert_eq!(asked(&stage), 1000, "its row is from before");
    stage.wait(1);
    let mut stage = stage.relations(tables::relations());
    assert_eq!(asked(&stage), 5000, "once it was answered, as often as ever");
    stage.press("1");
    assert_eq!(asked(&stage), 15_000);
}

#[test]
fn a_vacuum_that_left_a_few_rows_of_many_blames_nobody() {
    for (before, after) in [(192_998, 12_000), (900, 900), (5_000, 0)] {
        let screen = vacuumed(&mut Stage::incident(), before, after);
        assert!(screen.contains("finished in 0.139 s") && !screen.contains("still there: "), "{before}: {screen}");
    }
}

#[test]
fn who_came_after_the_vacuum_is_not_blamed_for_what_it_left() {
    let young = |seconds| Session {
        xact_s: Some(seconds),
        xmin: Some("1".into()),
        xmin_age: Some(5),
        ..locks::session(41, seconds, "SELECT 1")
    };
    let with = |sessions| Stage::new().up().server(server()).sessions(sessions).relations(tables::relations());
    let screen = vacuumed(&mut with(locks::calm_but(vec![young(20.0)])), 9_000, 9_000);
    assert!(screen.contains("still there: 41 holds the horizon (active, open 20s)"), "{screen}");
    let screen = vacuumed(&mut with(locks::calm_but(vec![young(0.0)])), 9_000, 9_000);
    assert!(!screen.contains("41 holds"), "{screen}");
    assert!(screen.contains("still there: who holds the horizon is not seen"), "{screen}");
}

/// The list of tables with `carts` measured at 44 MB, when it has that many bytes by relpages.
fn measured(bytes: i64) -> Stage {
    let carts = Relation { bytes, ..tables::table(16_440, "carts", 52_000, 41_000) };
    let list = Relations { rows: vec![carts], total: 1, ..tables::relations() };
    let mut stage = Stage::new().up().server(server()).sessions(locks::calm()).relations(list.clone());
    let exact = ExactBloat {
        key: RelationKey { database: list.database.clone(), oid: 16_440 },
        table_bytes: 44 << 20,
        scanned_percent: 100.0,
        dead_bytes: 1 << 20,
        dead: 9_000,
        free_bytes: 40 << 20,
        free_percent: 91.0,
    };
    stage.take(Question::ExactBloat(exact.key.clone()), Ok(Snapshot::ExactBloat(exact)));
    stage.wait(300);
    let mut stage = stage.relations(list);
    stage.press("5");
    stage
}

#[test]
fn an_exact_figure_has_its_age_and_no_share_of_a_size_that_it_was_not_measured_at() {
    let mut stage = measured(44 << 20);
    let screen = stage.wide();
    assert!(screen.contains("41 MB 93% 5m"), "{screen}");
    let mut grown = measured(67 << 20);
    let screen = grown.wide();
    assert!(screen.contains("67 MB") && screen.contains("41 MB of 44 MB 5m") && !screen.contains("93%"), "{screen}");
    grown.press("Enter");
    let screen = grown.wide();
    assert!(screen.contains("93.2% of 44 MB") && screen.contains("5m ago); by relpages it now has 67 MB"), "{screen}");
    // Nor is it found by a share that is none.
    for (stage, found) in [(&mut stage, 1), (&mut grown, 0)] {
        stage.press("Esc / C-u");
        stage.type_text("exact>90%");
        stage.press("Enter");
        assert_eq!(stage.app.tables.len(), found);
    }
}
