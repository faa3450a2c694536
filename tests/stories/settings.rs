//! Settings by keys: the list, a new value, query logging, the way back.

use pgtriage::app::mode::Mode;
use pgtriage::guard::Write;
use pgtriage::message::{Effect, Event};
use pgtriage::model::setting::{Change, Entry, History};

use crate::stage::settings::{known, not_ours, of_a_standby, with};
use crate::stage::{Stage, server};

fn incident() -> Stage {
    let mut stage = Stage::incident();
    stage.take(pgtriage::model::Question::Settings, Ok(known()));
    stage
}

fn sent(effects: &[Effect]) -> (String, Entry, Option<String>) {
    match effects {
        [Effect::Write { approved, .. }] => match approved.write() {
            Write::Setting { name, to, undoes, .. } => (name.clone(), to.clone(), undoes.clone()),
            other @ (Write::Cancel { .. }
            | Write::Terminate { .. }
            | Write::Bulk(_)
            | Write::Maintain { .. }
            | Write::ExpireCache { .. }
            | Write::Reload { .. }) => {
                panic!("{other:?}")
            }
        },
        other => panic!("{other:?}"),
    }
}

/// Types the answer to an open question, slowly enough.
fn answer(stage: &mut Stage, text: &str) -> Vec<Effect> {
    stage.drawn();
    stage.pass(500);
    stage.type_text(text);
    stage.press("Enter")
}

/// A change that was made by an earlier console.
fn earlier(to: &str) -> History {
    let change = Change {
        id: "1-1-1".to_owned(),
        time: "2025-11-24T02:00:00.000000Z".to_owned(),
        who: "bob@jump".to_owned(),
        place: "db1:5432".to_owned(),
        system_identifier: server().system_identifier,
        in_recovery: false,
        name: "log_min_duration_statement".to_owned(),
        was: Entry::Text("7s".into()),
        to: Entry::Text(to.into()),
        known: true,
    };
    History { changes: vec![change], since: Some("2025-11-24T02:00:00.000000Z".to_owned()), trouble: None }
}

#[test]
fn query_logging_is_two_keys_and_its_name() {
    let mut stage = incident();
    assert_eq!(stage.press("L Enter"), []);
    let screen = stage.wide();
    assert!(screen.contains("-1 → 1s") && screen.contains("personal data"), "{screen}");
    let (name, to, undoes) = sent(&answer(&mut stage, "log_min_duration_statement"));
    assert_eq!((name.as_str(), to, undoes), ("log_min_duration_statement", Entry::Text("1s".into()), None));
}

#[test]
fn a_wrong_value_never_becomes_a_question() {
    let mut stage = incident();
    stage.press("P");
    stage.type_text("work_mem");
    stage.press("Enter");
    stage.type_text("12 parsecs");
    assert_eq!(stage.press("Enter"), []);
    assert!(matches!(stage.app.mode, Mode::Settings(_)));
    let screen = stage.wide();
    assert!(screen.contains("it wants a number and one of TB, GB, MB, kB, B"), "{screen}");
    stage.press("C-u");
    stage.type_text("0.5GB");
    stage.press("Enter");
    assert!(stage.wide().contains("4MB → 512MB"), "as the server writes it");
    assert_eq!(sent(&answer(&mut stage, "work_mem")).1, Entry::Text("512MB".into()));
}

#[test]
fn a_setting_outside_the_catalogue_gets_no_question_no_line_in_the_log_and_shows_no_password() {
    let mut stage = Stage::incident();
    stage.take(pgtriage::model::Question::Settings, Ok(of_a_standby("hunter2")));
    stage.press("P");
    stage.type_text("primary");
    let listed = stage.wide();
    assert!(listed.contains("primary_conninfo is not changed from here"), "{listed}");
    assert!(!listed.contains("Enter new value"), "{listed}");
    assert_eq!(stage.press("Enter"), []);
    assert!(matches!(&stage.app.mode, Mode::Settings(board) if board.edit.is_none()));
    let opened = stage.wide();
    stage.type_text("default");
    assert_eq!(stage.press("Enter"), [], "nothing that could be recorded");
    for screen in [listed, opened, stage.wide()] {
        assert!(!screen.contains("hunter2") && !screen.contains("user=rep"), "{screen}");
    }
    // One of the catalogue takes the same keys.
    stage.press("C-u");
    stage.type_text("work_mem");
    stage.press("Enter");
    stage.type_text("8MB");
    stage.press("Enter");
    assert!(matches!(stage.app.mode, Mode::Ask(_)), "{}", stage.wide());
}

#[test]
fn an_observer_sees_the_list_and_types_no_value() {
    let mut stage = Stage::read_only().filled();
    stage.take(pgtriage::model::Question::Settings, Ok(known()));
    stage.press("P Enter");
    assert!(matches!(&stage.app.mode, Mode::Settings(board) if board.edit.is_none()));
    assert!(stage.wide().contains("read-only: nothing is changed"));
    stage.press("Esc L C-r");
    assert!(matches!(stage.app.mode, Mode::Normal), "these keys do nothing");
}

#[test]
fn logging_that_an_earlier_console_turned_on_is_told_and_put_back_as_it_was() {
    let mut stage = incident();
    assert!(!stage.wide().contains("LOGGING"));
    stage.take(pgtriage::model::Question::Settings, Ok(with("log_min_duration_statement", "1000", "1s")));
    stage.event(Event::History(earlier("1s")));
    let screen = stage.wide();
    assert!(screen.lines().next().is_some_and(|line| line.contains("LOGGING ≥1s")), "{screen}");
    stage.press("P");
    assert!(stage.wide().contains("ours, was '7s'"));
    stage.press("Esc L");
    assert!(stage.wide().contains("Set log_min_duration_statement back"), "{}", stage.wide());
    let (_, to, undoes) = sent(&answer(&mut stage, "log_min_duration_statement"));
    assert_eq!((to, undoes), (Entry::Text("7s".into()), Some("1-1-1".to_owned())));
}

#[test]
fn what_somebody_else_wrote_since_is_told_and_not_overwritten() {
    let mut stage = incident();
    stage.take(pgtriage::model::Question::Settings, Ok(with("log_min_duration_statement", "3000", "3s")));
    stage.event(Event::History(earlier("1s")));
    assert_eq!(stage.press("L"), []);
    assert!(matches!(stage.app.mode, Mode::Normal), "no question");
    assert!(stage.wide().contains("was changed by somebody else since"), "{}", stage.wide());
}

#[test]
fn logging_that_no_log_of_ours_tells_of_is_told_and_not_guessed_at() {
    let mut stage = incident();
    stage.take(pgtriage::model::Question::Settings, Ok(with("log_min_duration_statement", "1000", "1s")));
    assert!(stage.wide().contains("LOGGING ≥1s"));
    assert_eq!(stage.press("L"), []);
    assert!(matches!(stage.app.mode, Mode::Normal), "no question");
    assert!(stage.wide().contains("queries are logged already"), "{}", stage.wide());
}

#[test]
fn a_log_that_cannot_be_read_says_so_in_the_list() {
    let mut stage = incident();
    let trouble = Some("audit log: permission denied".to_owned());
    stage.event(Event::History(History { trouble, ..History::default() }));
    stage.press("P");
    assert!(stage.wide().contains("what was changed from here is not fully known: audit log: permission denied"));
}

#[test]
fn the_files_are_read_again_by_a_question_of_its_own() {
    let mut stage = incident();
    stage.press("P C-r");
    assert!(stage.wide().contains("Have the server read its configuration files again?"));
    let effects = answer(&mut stage, "reload");
    assert!(
        matches!(effects.as_slice(), [Effect::Write { approved, .. }] if matches!(approved.write(), Write::Reload { .. }))
    );
}

#[test]
fn whoever_may_not_change_a_setting_is_told_before_a_value_is_typed() {
    let mut stage = incident();
    stage.take(pgtriage::model::Question::Settings, Ok(not_ours()));
    let effects = stage.press("L");
    assert!(matches!(stage.app.mode, Mode::Normal), "no value is asked for");
    let told = "our role may not change log_min_duration_statement: ";
    assert!(
        matches!(&effects[..], [Effect::RecordRefusal { refusal, .. }] if refusal.starts_with(told)),
        "{effects:?}"
    );
    assert!(stage.last_line().contains(told) || stage.wide().contains(told), "{}", stage.wide());

    stage.press("P Enter");
    stage.type_text("1s");
    let Mode::Settings(board) = &stage.app.mode else { panic!("{}", stage.wide()) };
    assert!(board.edit.is_none(), "Enter opens no line to type in");
    stage.press("Backspace Backspace");
    let screen = stage.wide();
    assert!(screen.contains(told) && !screen.contains("Enter new value"), "{screen}");
}

#[test]
fn the_value_and_the_guides_are_kept_apart() {
    let mut stage = incident();
    stage.press("P");
    let screen = stage.wide();
    assert!(screen.contains(" · guide: 1s · logs each statement"), "{screen}");
}
