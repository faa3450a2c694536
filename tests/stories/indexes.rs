//! The indexes of Tables: how one gets there, what is said of each, and what a count of scans is worth.

use std::time::Duration;

use pgtriage::app::mode::Mode;
use pgtriage::app::part::Part;
use pgtriage::guard::{Object, Task, Write};
use pgtriage::message::{ActionStep, Effect, Outcome};
use pgtriage::model::index::{Builder, Index, IndexOrder, Indexes};
use pgtriage::model::{Cadence, Question};

use crate::stage::{Stage, indexes, locks, replication, server, tables};

fn showing(answer: Indexes) -> Stage {
    let mut stage = Stage::new()
        .up()
        .server(server())
        .sessions(locks::calm())
        .relations(tables::calm())
        .replication(replication::calm())
        .indexes(answer);
    stage.press("5 o");
    stage
}

fn line_of(screen: &str, name: &str) -> String {
    screen.lines().find(|line| line.contains(name)).unwrap_or_else(|| panic!("no {name} in {screen}")).to_owned()
}

fn wanted(stage: &Stage) -> Option<(IndexOrder, Duration)> {
    stage.app.demand().wanted.into_iter().find_map(|w| match (w.question, w.cadence) {
        (Question::Indexes { order, .. }, Cadence::Every(every)) => Some((order, every)),
        _ => None,
    })
}

#[test]
fn a_key_goes_from_the_tables_to_the_indexes_and_around() {
    let mut stage = Stage::incident();
    stage.press("5");
    assert!(stage.wide().contains("[tables] indexes"));
    assert_eq!(stage.app.part, Part::Tables);
    stage.press("o");
    let screen = stage.wide();
    assert!(screen.contains("tables [indexes]"), "{screen}");
    assert!(screen.contains("INVALID leftover") && screen.contains("orders_created_ccnew"), "{screen}");
    for _ in 1..Part::ALL.len() {
        stage.press("o");
    }
    assert!(stage.wide().contains("[tables] indexes"));
}

#[test]
fn each_index_says_what_is_wrong_with_it() {
    let mut stage = showing(indexes::indexes());
    let screen = stage.wide();
    for (name, said) in [
        ("orders_created_ccnew", "INVALID leftover"),
        ("order_items_sku", "INVALID, being built by 6100"),
        ("orders_customer_2", "same as orders_customer"),
        ("orders_note", "unused for 12d"),
        ("orders_state ", "first columns of orders_state_created"),
        ("orders_pkey", "primary key"),
        ("orders_number", "unique"),
    ] {
        let line = line_of(&screen, name);
        assert!(line.contains(said), "{name}: {line}");
    }
    assert!(screen.contains("2 INVALID · 1 twice · 1 without a scan"), "{screen}");
    let top = screen.lines().position(|l| l.contains("orders_created_ccnew")).unwrap();
    assert!(top < screen.lines().position(|l| l.contains("orders_note")).unwrap(), "the gravest stands first");
}

#[test]
fn who_builds_may_be_hidden_and_then_it_is_only_perhaps() {
    let mut answer = indexes::indexes();
    answer.rows[1].builder = Some(Builder { pid: 6100, this: None });
    answer.rows[0].builder = Some(Builder { pid: 6100, this: Some(false) });
    let screen = showing(answer).wide();
    let line = line_of(&screen, "order_items_sku");
    assert!(line.contains("INVALID, perhaps being built by 6100"), "{line}");
    let line = line_of(&screen, "orders_created_ccnew");
    assert!(line.contains("INVALID leftover"), "another one is being built: {line}");
}

#[test]
fn no_scans_are_no_verdict_where_they_were_not_counted_for_long_or_not_here() {
    let line = |answer: Indexes| line_of(&showing(answer).wide(), "orders_note");
    let young = Indexes { counted_s: 3_600.0, ..indexes::indexes() };
    let said = line(young.clone());
    assert!(said.contains("no scan in 1h") && !said.contains("unused"), "{said}");
    assert!(showing(young).wide().contains("too short to call an index unused"));
    let standby = Indexes { in_recovery: true, ..indexes::indexes() };
    assert!(line(standby.clone()).contains("no scan here"));
    assert!(showing(standby).wide().contains("the primary's are not seen here"));
    let off = Indexes { counted: false, ..indexes::indexes() };
    assert!(line(off).contains("scans not counted"));
    let needed = Index { scans: 0, ..indexes::indexes().rows[5].clone() };
    let said = line_of(&showing(indexes::calm_but(Index { name: "other_pkey".into(), ..needed })).wide(), "other_pkey");
    assert!(said.contains("primary key") && !said.contains("unused"), "a key is needed without scans: {said}");
}

#[test]
fn on_a_primary_with_standbys_it_is_said_that_their_scans_are_not_seen() {
    let mut stage = showing(indexes::indexes()).replication(replication::before());
    let screen = stage.wide();
    assert!(screen.contains("standbys are not seen here"), "{screen}");
    let none = pgtriage::model::replica::Replication { replicas: Vec::new(), ..replication::calm() };
    let screen = showing(indexes::indexes()).replication(none).wide();
    assert!(!screen.contains("not seen here"), "{screen}");
}

#[test]
fn the_server_ranks_by_the_column_that_is_sorted_by() {
    let mut stage = showing(indexes::indexes());
    assert_eq!(wanted(&stage), Some((IndexOrder::Faults, Duration::from_secs(10))));
    stage.press("s");
    stage.type_text("scans");
    stage.press("Enter");
    assert_eq!(wanted(&stage).map(|w| w.0), Some(IndexOrder::Scans));
    stage.press("S");
    assert_eq!(wanted(&stage).map(|w| w.0), Some(IndexOrder::Used));
    let cut = Indexes { total: 20_000, order: IndexOrder::Size, ..indexes::indexes() };
    let screen = showing(cut).wide();
    assert!(screen.contains("9 of 20000 indexes, the first by size and those that are wrong"), "{screen}");
}

#[test]
fn a_filter_and_a_detail_belong_to_the_list_that_is_shown() {
    let mut stage = showing(indexes::indexes());
    stage.press("/");
    stage.type_text("state:invalid");
    stage.press("Enter");
    let screen = stage.wide();
    assert!(screen.contains("orders_created_ccnew") && !screen.contains("orders_pkey"), "{screen}");
    stage.press("Enter");
    let screen = stage.wide();
    assert!(
        screen.contains("INVALID, and nobody builds it: no query uses it, yet every write goes into it"),
        "{screen}"
    );
    stage.press("Esc o");
    assert_eq!(stage.app.filter_text(), "", "the tables have their own filter");
}

fn written(effects: &[Effect]) -> Option<(Task, u32)> {
    effects.iter().find_map(|effect| {
        let Effect::Write { approved, .. } = effect else { return None };
        let Write::Maintain { task, target: Object::Index { index, .. }, .. } = approved.write() else { return None };
        Some((*task, index.key.oid))
    })
}

fn refused(effects: &[Effect]) -> &str {
    match effects {
        [Effect::RecordRefusal { refusal, .. }] => refusal,
        other => panic!("no refusal: {other:?}"),
    }
}

#[test]
fn a_leftover_is_dropped_once_its_name_is_typed() {
    let mut stage = showing(indexes::indexes());
    assert_eq!(stage.press("D"), []);
    let screen = stage.wide();
    assert!(screen.contains("DROP the invalid index public.orders_created_ccnew?"), "{screen}");
    assert!(screen.contains("INVALID, writes go into it: btree (created_at), 410 MB, 0 scans"), "{screen}");
    assert_eq!(written(&stage.press("y Enter")), None, "no key alone drops anything");
    stage.press("Esc D");
    stage.pass(1_000);
    stage.type_text("public.orders_created_ccnew");
    assert_eq!(written(&stage.press("Enter")), Some((Task::DropInvalid, indexes::LEFTOVER)));
    stage.news(1, ActionStep::Ended(Outcome::Done("finished in 0.2 s".to_owned())));
    assert!(stage.last_line().contains("drop index public.orders_created_ccnew: finished in 0.2 s"));
}

#[test]
fn what_is_valid_or_being_built_is_not_dropped_and_that_is_recorded() {
    let mut stage = showing(indexes::indexes());
    let effects = stage.press("j D");
    assert!(refused(&effects).contains("6100 builds order_items_sku or another index of its table"), "{effects:?}");
    let effects = stage.press("j D");
    assert!(refused(&effects).contains("orders_customer_2 is valid"), "{effects:?}");
    assert!(matches!(stage.app.mode, Mode::Normal));
}

#[test]
fn the_selected_index_is_reindexed_and_not_its_table() {
    let mut stage = showing(indexes::indexes());
    stage.press("j j R");
    assert!(stage.wide().contains("REINDEX CONCURRENTLY public.orders_customer_2?"));
    stage.pass(1_000);
    stage.type_text("public.orders_customer_2");
    assert_eq!(written(&stage.press("Enter")), Some((Task::Reindex, indexes::DUPLICATE)));
}

#[test]
fn an_observer_has_no_key_for_it() {
    let mut stage = Stage::read_only().filled();
    stage.press("5 o");
    assert_eq!(stage.press("D R"), []);
    assert!(matches!(stage.app.mode, Mode::Normal));
}
