//! The indexes of Tables: how one gets there, what is said of each, and what a count of scans is worth.

use std::time::Duration;

use pgtriage::app::mode::Mode;
use pgtriage::app::part::Part;
use pgtriage::diagnose::Kind;
use pgtriage::guard::{Object, Task, Write};
use pgtriage::message::{ActionStep, Effect, Outcome};
use pgtriage::model::index::{Builder, FaultCounts, Index, IndexOrder, Indexes, Partitions, Validity};
use pgtriage::model::{Cadence, ProbeError, Question, Snapshot};

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
    answer.rows[1].builder = Some(Builder { pid: 6100, this: None, drops: false });
    answer.rows[0].builder = Some(Builder { pid: 6100, this: Some(false), drops: false });
    let screen = showing(answer).wide();
    let line = line_of(&screen, "order_items_sku");
    assert!(line.contains("INVALID, perhaps being built by 6100"), "{line}");
    let line = line_of(&screen, "orders_created_ccnew");
    assert!(line.contains("INVALID leftover"), "another one is being built: {line}");
}

#[test]
fn what_somebody_drops_is_no_leftover_not_in_the_list_not_as_a_finding_and_not_for_the_key() {
    let dropped = |this| {
        let mut answer = indexes::indexes();
        answer.rows[0].builder = Some(Builder { pid: 6100, this, drops: true });
        answer
    };
    let mut stage = showing(dropped(Some(true)));
    let line = line_of(&stage.wide(), "orders_created_ccnew");
    assert!(line.contains("INVALID, being dropped by 6100"), "{line}");
    assert!(!stage.kinds().contains(&Kind::InvalidIndex));
    stage.press("/");
    stage.type_text("index:ccnew");
    stage.press("Enter");
    let effects = stage.press("D");
    assert!(refused(&effects).contains("6100 drops orders_created_ccnew already"), "{effects:?}");
    stage.press("Enter");
    assert!(stage.wide().contains("INVALID: 6100 drops it, and waits for transactions that use its table"));
    let mut unsure = showing(dropped(None));
    let line = line_of(&unsure.wide(), "orders_created_ccnew");
    assert!(line.contains("INVALID, perhaps being dropped by 6100"), "{line}");
    assert!(!unsure.kinds().contains(&Kind::InvalidIndex), "what may be dropped is none to speak of yet");
    assert!(showing(indexes::indexes()).kinds().contains(&Kind::InvalidIndex), "without that it is one");
}

#[test]
fn the_index_of_a_partitioned_table_says_which_partitions_keep_it_invalid_and_what_makes_it_valid() {
    let three = Partitions { all: 3, attached: 1, lacking: "events_2, events_3".into(), ..Partitions::default() };
    let many = Partitions { all: 9, attached: 2, lacking: "events_3, events_4, events_5".into(), ..three.clone() };
    let unfit = Partitions { attached: 3, invalid: 1, lacking: "".into(), ..three.clone() };
    let late = Partitions { invalid: 0, ..unfit.clone() };
    let foreign = Partitions { attached: 2, foreign: 1, lacking: "events_3".into(), ..three.clone() };
    for (parts, state, fact, evidence, todo) in [
        (
            three,
            "INVALID, 1 of 3 partitions attached",
            "2 of 3 partitions have no index attached",
            "without: events_2, events_3",
            "build it on those CONCURRENTLY, then ALTER INDEX … ATTACH PARTITION each",
        ),
        (many, "2 of 9 partitions", "7 of 9 partitions have", "events_5 and 4 more", "build it on those CONCURRENTLY"),
        (
            unfit,
            "INVALID, as is 1 of 3 attached",
            "of the 3 indexes of its partitions 1 is not valid",
            "queries use the parts that are there",
            "REINDEX those that are not valid",
        ),
        (late, "INVALID, though all are attached", "of all 3 partitions are attached", "queries use", "once more"),
        (foreign, "2 of 3", "1 of 3 partitions has no index", "without: events_3", "a foreign table can have no index"),
    ] {
        let mut stage = showing(indexes::partitioned(parts, false));
        let line = line_of(&stage.wide(), "events_at");
        assert!(line.contains(state) && !line.contains("built"), "{line}");
        let finding = stage.finding(Kind::InvalidIndex).clone();
        assert!(finding.fact.starts_with("partitioned index events_at is INVALID: "), "{}", finding.fact);
        assert!(finding.fact.contains(fact) && finding.evidence.contains(evidence), "{finding:?}");
        assert!(finding.todo.contains(todo), "{}", finding.todo);
        assert_eq!((finding.action, &finding.remedy), (None, &None), "to drop it would drop those of its partitions");
        stage.press("/");
        stage.type_text("index:events_at");
        stage.press("Enter");
        for key in ["D", "R"] {
            assert!(refused(&stage.press(key)).contains("act on the indexes of its partitions"));
        }
        stage.press("Enter");
        let screen = stage.wide();
        assert!(screen.contains("no REINDEX makes it valid") && !screen.contains("nobody builds it"), "{screen}");
    }
    let unique = indexes::partitioned(Partitions { all: 3, ..Partitions::default() }, true);
    let stage = showing(unique);
    let evidence = &stage.finding(Kind::InvalidIndex).evidence;
    assert!(evidence.contains("no ON CONFLICT and no foreign key can rest on it"), "{evidence}");
}

#[test]
fn what_a_reindex_left_is_dropped_and_nothing_is_built_again() {
    for (name, todo, detail) in [
        (
            "orders_created_ccold",
            "drop it, nothing else: a REINDEX CONCURRENTLY has replaced it",
            "has replaced it, and did not end",
        ),
        ("orders_created_ccold12", "drop it, nothing else", "has replaced it, and did not end"),
        ("orders_created_ccnew1", "what it was to replace stands as before", "that did not end left it"),
        ("orders_created", "drop it, then build it again", "nobody builds it"),
    ] {
        let row =
            Index { validity: Validity::Invalid, ..indexes::index(indexes::LEFTOVER, name, "created_at", 410, 0) };
        let answer = Indexes { faults: FaultCounts { invalid: 1, ..FaultCounts::default() }, ..indexes::calm_but(row) };
        let mut stage = showing(answer);
        let finding = stage.finding(Kind::InvalidIndex).clone();
        assert!(finding.todo.contains(todo) && finding.remedy.is_some(), "{name}: {finding:?}");
        stage.press("/");
        stage.type_text(&format!("index:{name}"));
        stage.press("Enter Enter");
        let screen = stage.wide();
        assert!(screen.contains(detail), "{screen}");
    }
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

#[test]
fn the_detail_asks_for_the_definition_which_is_copied_and_tells_why_it_has_none() {
    let mut stage = showing(indexes::indexes());
    let asked = |stage: &Stage| {
        stage.app.demand().wanted.into_iter().find(|w| matches!(w.question, Question::IndexDefinition { .. }))
    };
    assert_eq!(asked(&stage), None, "not of a list");
    assert_eq!(stage.press("Y"), [Effect::Copy("public.orders_created_ccnew".to_owned())]);
    stage.press("Enter");
    let question = asked(&stage).expect("it is asked for").question;
    assert_eq!(question, Question::IndexDefinition { database: None, oid: indexes::LEFTOVER });
    assert!(stage.wide().contains("made by    asking"));
    let locked = ProbeError::Locked("somebody holds or awaits ACCESS EXCLUSIVE on its table".to_owned());
    stage.take(question.clone(), Err(locked));
    let screen = stage.wide();
    assert!(screen.contains("somebody holds or awaits ACCESS EXCLUSIVE on its table"), "{screen}");
    assert_eq!(stage.press("Y"), [Effect::Copy("public.orders_created_ccnew".to_owned())]);
    let sql = "CREATE INDEX orders_created_ccnew ON public.orders USING btree (created_at)";
    stage.take(question, Ok(Snapshot::IndexDefinition(sql.into())));
    assert!(stage.wide().contains(sql));
    assert_eq!(stage.press("Y"), [Effect::Copy(format!("{sql};"))]);
    stage.press("Esc j Enter");
    assert!(!stage.wide().contains(sql), "it is another one's");
    assert_eq!(stage.press("Y"), [Effect::Copy("public.order_items_sku".to_owned())]);
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
