//! Small windows: whatever does not fit is reached by the keys that move, and nothing is answered that was not seen.

use pgtriage::app::mode::{Mode, PlanStage};
use pgtriage::command::{Place, SPECS};
use pgtriage::guard::Prompt;
use pgtriage::message::{Effect, Event};

use crate::stage::{SIZES, Stage};

/// On the incident in a window of a telephone.
fn small() -> Stage {
    let mut stage = Stage::incident();
    stage.event(Event::Resized { width: 40, height: 10 });
    stage
}

fn asked(stage: &Stage) -> Option<&Prompt> {
    if let Mode::Ask(prompt) = &stage.app.mode { Some(prompt) } else { None }
}

fn acts(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Write { .. }))
}

/// The words of a screen, whatever lines and frames they were broken into.
fn words(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || "│┌┐└┘─".contains(c))
        .filter(|w| !w.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The four lines of a question's text on a telephone's screen.
fn inside(screen: &str) -> Vec<String> {
    screen.lines().skip(3).take(4).map(|line| line.trim_matches('│').trim().to_owned()).collect()
}

/// The screens on the way down.
fn all_the_way(stage: &mut Stage, key: &str) -> Vec<String> {
    let mut seen = vec![stage.screen(40, 10)];
    for _ in 0..200 {
        if !seen.last().is_some_and(|screen| screen.contains('↓')) {
            break;
        }
        stage.press(key);
        seen.push(stage.screen(40, 10));
    }
    seen
}

#[test]
fn a_question_longer_than_its_window_is_answered_only_once_its_last_fact_was_on_the_screen() {
    for key in ["PgDn", "j", "Down"] {
        let mut stage = small();
        stage.press("j j x");
        let (mut seen, mut keys) = (inside(&stage.screen(40, 10)), 0);
        while asked(&stage).is_some_and(|prompt| !prompt.seen().is_enough()) {
            let screen = stage.screen(40, 10);
            assert!(!screen.contains("yes, do it") && screen.contains("PgDn to read on"), "{screen}");
            let frame = screen.lines().nth(8).unwrap_or_default();
            assert!(frame.contains("↓") && frame.contains("to read first) ┘"), "{screen}");
            assert_eq!(stage.press("y"), [], "not everything was on the screen yet: {screen}");
            let before = asked(&stage).map_or(0, |prompt| prompt.seen().above());
            stage.press(key);
            // Only what is new: a line that stays is none twice.
            let new = asked(&stage).map_or(0, |prompt| prompt.seen().above()) - before;
            let now = inside(&stage.screen(40, 10));
            seen.extend(now.into_iter().skip(4 - new));
            keys += 1;
            assert!(keys < 40, "it comes to an end");
        }
        let seen = seen.concat().replace(' ', "");
        let facts = asked(&stage).map(|prompt| {
            let rows = prompt.rows().iter().filter(|r| r.label != "runs").map(|r| &r.text);
            prompt.warnings().iter().chain(rows).map(|t| t.replace(' ', "")).collect::<Vec<_>>()
        });
        for fact in facts.expect("it is still asked") {
            assert!(seen.contains(&fact), "{key}: {fact} in {seen}");
        }
        let screen = stage.screen(40, 10);
        assert!(screen.contains("y yes, do it"), "{screen}");
        assert!(acts(&stage.press("y")), "{key}: read to the end, it can be answered");
    }
}

#[test]
fn keys_that_come_in_one_burst_read_nothing() {
    let mut stage = small();
    stage.press("j j x");
    assert_eq!(stage.burst("PgDn PgDn PgDn PgDn G y"), []);
    assert_eq!(stage.press("y"), [], "one page further, and no more");
    assert!(asked(&stage).is_some_and(|prompt| !prompt.seen().is_enough()));
    // What was seen in a larger window is not what one sees in a smaller one.
    stage.event(Event::Resized { width: 160, height: 45 });
    stage.drawn();
    assert!(asked(&stage).is_some_and(|prompt| prompt.seen().is_enough()));
    stage.event(Event::Resized { width: 40, height: 10 });
    stage.drawn();
    assert_eq!(stage.press("y"), []);
}

#[test]
fn where_an_answer_is_typed_letters_are_its_own_and_come_after_the_last_fact() {
    let mut stage = small();
    stage.press("X");
    stage.press("j 4 7 1 1 Enter");
    assert_eq!(asked(&stage).map(Prompt::typed), Some(""), "what is typed over lines not read goes nowhere");
    for _ in 0..10 {
        stage.press("PgDn");
    }
    stage.press("j k");
    assert_eq!(asked(&stage).map(Prompt::typed), Some("jk"));
    stage.press("Backspace Backspace Up 4 7 Down 1 1");
    let screen = stage.screen(40, 10);
    assert!(screen.contains("type 4711 and Enter: 4711_   Esc no") && screen.contains("↑"), "{screen}");
    stage.event(Event::Resized { width: 40, height: 10 });
    stage.drawn();
    for _ in 0..10 {
        stage.press("PgDn");
    }
    assert!(acts(&stage.press("Enter")));
}

#[test]
fn a_list_of_many_is_looked_through_after_what_is_said_of_all() {
    let mut stage = small();
    stage.press("M x");
    let text = all_the_way(&mut stage, "PgDn").join("\n");
    for part in ["left out", "undoes", "frees", "logged", "runs", "5200"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let listed = asked(&stage).map_or(0, |prompt| prompt.listed().len());
    let pids: Vec<i32> = asked(&stage).into_iter().flat_map(Prompt::listed).map(|row| row.pid).collect();
    assert!(listed > 30 && pids.iter().all(|pid| text.contains(&pid.to_string())), "{text}");
}

#[test]
fn the_question_before_a_plan_is_read_before_it_is_answered() {
    let mut stage = crate::stage::plans::stage();
    stage.press("9 s");
    stage.type_text("ms/s");
    stage.press("Enter g");
    stage.event(Event::Resized { width: 40, height: 10 });
    stage.press("e y");
    let stage_of = |stage: &Stage| if let Mode::Plan(view) = &stage.app.mode { Some(view.stage) } else { None };
    assert_eq!(stage_of(&stage), Some(PlanStage::Asks(None)), "{}", stage.screen(40, 10));
    assert!(stage.screen(40, 10).contains("PgDn: "), "{}", stage.screen(40, 10));
    stage.press("PgDn");
    let screen = stage.screen(40, 10);
    assert!(screen.contains("y plans it"), "{screen}");
    stage.press("y");
    assert!(matches!(stage_of(&stage), Some(PlanStage::Asked(_))));
}

#[test]
fn every_word_of_the_help_can_be_read_in_every_window() {
    for (width, height) in SIZES {
        let mut stage = Stage::incident();
        stage.event(Event::Resized { width, height });
        stage.press("?");
        let mut seen = vec![stage.screen(width, height)];
        for _ in 0..200 {
            stage.press("j");
            seen.push(stage.screen(width, height));
        }
        let last = stage.screen(width, height);
        stage.press("k");
        assert!(height > 40 || stage.screen(width, height) != last, "beyond the end no key is lost");
        let text = words(&seen.join("\n"));
        let boxed = |line: &str| line.split_once('│').and_then(|(_, rest)| Some(rest.rsplit_once('│')?.0.to_owned()));
        let cut = seen.iter().flat_map(|screen| screen.lines()).filter_map(boxed).find(|line| line.contains('…'));
        assert_eq!(cut, None);
        for spec in SPECS.iter().filter(|s| s.place == Place::Everywhere && stage.app.offers(s.command)) {
            // Its last words: what is cut is cut there.
            let end: Vec<&str> = spec.help.split(' ').rev().take(2).collect();
            assert!(end.iter().all(|word| text.contains(word)), "{width}×{height}: {}", spec.help);
        }
    }
}

/// What the footer offers, with its key, that asks before it acts.
const ASKS: [(&str, &str); 7] = [
    ("x", "cancel"),
    ("X", "terminate"),
    ("v", "vacuum"),
    ("a", "analyze"),
    ("R", "reindex"),
    ("D", "drop invalid"),
    ("V", "vacuum all"),
];

#[test]
fn a_key_that_the_footer_offers_is_not_only_refused_there() {
    let mut offered = 0;
    for keys in ["1", "2", "3", "4", "5", "5 o", "5 o o", "6", "7", "8", "9"] {
        let mut stage = Stage::incident();
        stage.press(keys);
        for row in 0..25 {
            // What was said last stands in its place.
            stage.app.notice = None;
            let foot = stage.last_line();
            let foot = format!("  {}  ", foot.split("own cost").next().unwrap_or_default());
            for (key, brief) in ASKS.iter().filter(|(key, brief)| foot.contains(&format!("  {key} {brief}  "))) {
                offered += 1;
                let effects = stage.press(key);
                assert!(asked(&stage).is_some(), "{keys}, row {row}: {key} {brief}: {effects:?} {}", stage.wide());
                stage.press("Esc");
            }
            stage.press("j");
        }
    }
    assert!(offered > 50, "{offered}");
}

#[test]
fn at_a_root_that_idles_in_its_transaction_the_footer_offers_what_can_help() {
    let mut stage = small();
    stage.press("4");
    let foot = |stage: &mut Stage| stage.screen(40, 10).lines().last().map(str::to_owned).unwrap_or_default();
    let root = foot(&mut stage);
    assert!(root.contains("X terminate") && !root.contains("x cancel"), "{root}");
    stage.press("j j");
    let alter = foot(&mut stage);
    assert!(alter.contains("x cancel") && !alter.contains("X terminate"), "{alter}");
    stage.press("Space");
    let frozen = foot(&mut stage);
    assert!(!frozen.contains("cancel"), "nothing runs from a frozen screen: {frozen}");
}
