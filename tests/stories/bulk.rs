//! Marks, and one action on several sessions: only what is marked *and* on the screen is asked about.

use pgtriage::app::mode::Mode;
use pgtriage::guard::{Bulk, Signal, Write};
use pgtriage::message::{ActionStep, EachOutcome, Effect, Outcome};
use pgtriage::model::session::{Session, Sessions};

use crate::stage::{Stage, locks};

/// The one bulk action among the effects.
fn bulk(effects: &[Effect]) -> &Bulk {
    let [Effect::Write { approved, .. }] = effects else { panic!("not one action: {effects:?}") };
    let Write::Bulk(bulk) = approved.write() else { panic!("no bulk action: {:?}", approved.write()) };
    bulk
}

fn pids(bulk: &Bulk) -> Vec<i32> {
    bulk.targets.iter().map(|target| target.session.pid).collect()
}

fn asks(stage: &Stage) -> bool {
    matches!(stage.app.mode, Mode::Ask(_))
}

/// Readers 5200…, and `others` before them.
fn list(others: &[Session], readers: i32) -> Sessions {
    let reader = |n: i32| locks::session(locks::READER + n, 40.0 + f64::from(n), "SELECT * FROM orders");
    Sessions { rows: others.iter().cloned().chain((0..readers).map(reader)).collect(), ..Sessions::default() }
}

fn calm(sessions: Sessions) -> Stage {
    Stage::new().up().server(crate::stage::server()).sessions(sessions)
}

#[test]
fn three_marked_sessions_are_cancelled_by_one_question_that_names_each() {
    let mut stage = calm(list(&[], 5));
    stage.press("m m m");
    assert!(stage.wide().contains("*3 marked"), "{}", stage.wide());
    assert_eq!(stage.press("x"), []);
    let screen = stage.wide();
    for part in ["Cancel 3 statements?", "5204", "5203", "5202", "type cancel 3 and Enter"] {
        assert!(screen.contains(part), "{part}: {screen}");
    }
    assert_eq!(stage.press("y Enter"), [], "no key confirms it, nor another text");
    stage.press("Backspace");
    let effects = stage.press("c a n c e l Space 3 Enter");
    let write = bulk(&effects);
    assert_eq!((write.signal, pids(write)), (Signal::Cancel, vec![5204, 5203, 5202]), "in the order of the screen");
}

#[test]
fn a_mark_that_the_filter_hides_is_not_part_of_it_and_the_question_says_so() {
    let report = locks::session(locks::REPORT, 30.0, "SELECT report()");
    let mut stage = calm(list(&[report], 3));
    stage.press("M");
    assert!(stage.wide().contains("*4 marked"));
    stage.press("/ o r d e r s Enter");
    assert!(stage.wide().contains("*3 marked (+1 not shown)"), "{}", stage.wide());
    stage.press("x");
    assert!(
        stage.wide().contains("1 more marked session is not on the screen and not part of this"),
        "{}",
        stage.wide()
    );
    let effects = stage.press("c a n c e l Space 3 Enter");
    assert_eq!((pids(bulk(&effects)), bulk(&effects).hidden), (vec![5202, 5201, 5200], 1));
}

#[test]
fn where_every_mark_is_hidden_the_selected_session_is_asked_about() {
    let mut stage = calm(list(&[locks::session(locks::REPORT, 300.0, "SELECT report()")], 2));
    stage.press("m / o r d e r s Enter g x");
    assert!(stage.wide().contains("Cancel the statement of backend 5201?"), "{}", stage.wide());
}

#[test]
fn the_threshold_of_slow_hides_marks_too() {
    let mut stage = calm(list(&[], 3));
    stage.press("3 M > x");
    assert!(!asks(&stage), "all 40 s old, the threshold is a minute: nothing is selected");
    stage.press("< x");
    assert!(stage.wide().contains("Cancel 3 statements?"), "{}", stage.wide());
}

#[test]
fn whom_a_rule_protects_is_on_the_list_as_left_out() {
    let mut stage = Stage::incident();
    stage.press("M x");
    let screen = stage.wide();
    assert!(asks(&stage), "{screen}");
    for part in ["left out", "reasons end the list"] {
        assert!(screen.contains(part), "{part}: {screen}");
    }
    // The end of the list is reached by its keys, which are no text.
    let mut seen = String::new();
    for _ in 0..20 {
        stage.press("PgDn");
        seen.push_str(&stage.wide());
    }
    assert!(seen.contains("4711 left out: 4711 is idle in a transaction"), "{seen}");
    assert!(stage.wide().contains("and Enter: _"), "nothing was typed by them: {}", stage.wide());
}

#[test]
fn whoever_ends_under_the_question_is_left_out_and_nobody_is_added() {
    let mut stage = calm(list(&[], 3));
    stage.press("M x");
    let mut rows = list(&[locks::session(7777, 90.0, "SELECT 1")], 3);
    rows.rows.retain(|session| session.pid != 5201);
    stage.see(rows);
    let effects = stage.press("c a n c e l Space 3 Enter");
    let write = bulk(&effects);
    assert_eq!(pids(write), [5202, 5200]);
    assert!(matches!(write.left_out.as_slice(), [left] if left.pid == 5201 && left.why == "5201 is gone"), "{write:?}");
}

#[test]
fn a_mark_follows_its_session_and_falls_away_with_it() {
    let mut stage = calm(list(&[], 3));
    stage.press("m S");
    assert_eq!(stage.app.marked_visible().len(), 1, "in another order it is on the same session");
    stage.see(list(&[], 2));
    assert_eq!(stage.app.marked(), 0);
    assert!(stage.last_line().contains("5202 is gone, and its mark with it"), "{}", stage.last_line());
    // A later session with the same pid is another one.
    stage.see(list(&[], 3));
    assert_eq!(stage.app.marked(), 0);
}

#[test]
fn a_later_session_with_a_marked_pid_is_not_marked() {
    let mut stage = calm(list(&[], 1));
    stage.press("m");
    let mut later = list(&[], 1);
    later.rows[0].backend_start = Some("2025-11-24 03:14:00+00".to_owned());
    stage.see(later);
    assert_eq!(stage.app.marked(), 0);
    assert_eq!(stage.press("x"), []);
    assert!(!stage.wide().contains("Cancel 1 statement?"));
}

#[test]
fn esc_closes_then_clears_the_filter_then_the_marks() {
    let mut stage = calm(list(&[], 3));
    stage.press("M / o r d e r s Enter x Esc");
    assert_eq!((asks(&stage), stage.app.marked(), stage.app.filter_text()), (false, 3, "orders"));
    stage.press("Esc");
    assert_eq!((stage.app.marked(), stage.app.filter_text()), (3, ""));
    stage.press("Esc");
    assert_eq!(stage.app.marked(), 0);
    assert!(stage.last_line().contains("3 marks taken away"), "{}", stage.last_line());
}

#[test]
fn a_second_press_takes_the_marks_away() {
    let mut stage = calm(list(&[], 3));
    stage.press("m k m");
    assert_eq!(stage.app.marked(), 0);
    stage.press("M");
    assert_eq!(stage.app.marked(), 3);
    stage.press("M");
    assert_eq!(stage.app.marked(), 0);
}

#[test]
fn more_than_a_hundred_are_refused() {
    let mut stage = calm(list(&[], 101));
    let effects = stage.press("M x");
    assert!(matches!(effects.as_slice(), [Effect::RecordRefusal { refusal, .. }] if refusal.contains("101 sessions")));
    assert!(!asks(&stage));
}

#[test]
fn an_open_detail_is_of_one_session_whatever_is_marked() {
    let mut stage = calm(list(&[], 3));
    stage.press("M g Enter x");
    assert!(stage.wide().contains("Cancel the statement of backend 5202?"), "{}", stage.wide());
}

#[test]
fn the_outcome_is_told_row_by_row_and_can_be_opened_again() {
    let mut stage = calm(list(&[], 3));
    stage.press("M x");
    stage.press("c a n c e l Space 3 Enter");
    let screen = stage.wide();
    assert!(
        screen.contains("confirmed 0 s ago, at 03:14:") && screen.contains("Z: the connection is tried"),
        "{screen}"
    );
    stage.news(1, ActionStep::Started { pid: None });
    stage.wait(4);
    let screen = stage.wide();
    assert!(screen.contains("sent 4 s ago, at 03:14:"), "{screen}");
    assert!(screen.contains("Z: one statement for all 3, answered when it is through"), "{screen}");
    let each = |pid, outcome| EachOutcome { pid, outcome };
    let done = || Outcome::Done("signal sent".to_owned());
    let ended = vec![
        each(5202, done()),
        each(5201, done()),
        each(5200, Outcome::Changed("that statement has ended; it is now idle".to_owned())),
    ];
    stage.news(1, ActionStep::Ended(Outcome::Each(ended)));
    let screen = stage.wide();
    for part in ["│ 2 signals sent, 1 no longer the same", "not sent: that statement has ended; it is now idle"] {
        assert!(screen.contains(part), "{part}: {screen}");
    }
    let left = vec![stage.app.actions[0].write.clone()];
    let Write::Bulk(list) = &left[0] else { panic!("{left:?}") };
    let (left, gone) = (vec![list.targets[1].statement()], vec![list.targets[0].statement()]);
    stage.news(1, ActionStep::Went { of: 2, gone, after_ms: 480 });
    let screen = stage.wide();
    assert!(screen.contains("1 of 2 ended within 0.5 s"), "{screen}");
    assert!(screen.lines().any(|line| line.contains("5202 ended within 0.5 s")), "{screen}");
    assert!(screen.lines().any(|line| line.contains("5201 signal sent")), "{screen}");
    stage.news(1, ActionStep::VerifiedEach { of: 2, left, after_ms: 3_010 });
    let screen = stage.wide();
    assert!(screen.contains("1 of 2 still run 3.0 s after the signal: 5201"), "{screen}");
    assert!(screen.lines().any(|line| line.contains("5202 ended within 0.5 s")), "{screen}");
    assert!(screen.lines().any(|line| line.contains("5201 still runs")), "{screen}");
    stage.press("Esc");
    assert!(matches!(stage.app.mode, Mode::Normal));
    stage.press("u");
    assert!(stage.wide().contains("5201 still runs"), "{}", stage.wide());
    // What a cancel did not end may be terminated, and nothing else of the list.
    stage.see(self::list(&[], 3));
    stage.press("Esc X");
    assert!(stage.wide().contains("Terminate 1 session?"), "{}", stage.wide());
}

#[test]
fn read_only_marks_and_asks_nothing() {
    let mut stage = Stage::read_only().up().server(crate::stage::server()).sessions(list(&[], 3));
    assert_eq!(stage.press("M x c a n c e l Space 3 Enter"), []);
    assert_eq!(stage.app.actions, []);
}

/// Numbers that look random and are the same in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

/// Whatever is marked, sorted, filtered, and whoever comes and goes: a bulk action hits sessions that were marked by hand,
/// are in the newest list and stood on the screen when it was asked for; no other.
#[test]
fn only_what_was_marked_and_stands_on_the_screen_is_hit() {
    const KEYS: [&str; 14] = ["m", "m", "m", "j", "k", "G", "g", "M", "S", "Esc", "/ a Enter", "/ b Enter", "2", "3"];
    let mut hit = 0;
    for seed in 0..150 {
        let mut dice = Dice(seed);
        let mut rows = || {
            let query = |n: i32| if n % 2 == 0 { "SELECT a" } else { "SELECT b" };
            let all = (0..12).map(|n| locks::session(5_000 + n, 40.0 + f64::from(n), query(n)));
            let there: Vec<Session> = all.filter(|_| dice.roll(5) > 0).collect();
            Sessions { rows: there, ..Sessions::default() }
        };
        let first = rows();
        let lists: Vec<Sessions> = (0..3).map(|_| rows()).collect();
        let mut stage = calm(first);
        for list in lists {
            for _ in 0..8 {
                stage.press(KEYS[dice.roll(KEYS.len())]);
            }
            stage.see(list);
        }
        let marked: Vec<i32> = stage.app.marked_visible().iter().map(|row| row.session.pid).collect();
        let there: Vec<i32> = stage.app.live().sessions.get().unwrap().rows.iter().map(|s| s.pid).collect();
        let screen = stage.wide();
        if marked.is_empty() {
            continue;
        }
        for pid in &marked {
            let row = screen.lines().find(|line| line.contains(&format!(" {pid} "))).unwrap_or_default();
            assert!(row.starts_with('*') && there.contains(pid), "seed {seed}, {pid}: {screen}");
        }
        let signs = screen.lines().filter(|line| line.starts_with("* ") || line.starts_with("*!")).count();
        assert_eq!(signs, marked.len(), "seed {seed}: every sign is one of them\n{screen}");
        stage.press("x");
        let number: Vec<String> = marked.len().to_string().chars().map(String::from).collect();
        let effects = stage.press(&format!("c a n c e l Space {} Enter", number.join(" ")));
        assert_eq!(pids(bulk(&effects)), marked, "seed {seed}");
        hit += 1;
    }
    assert!(hit > 40, "{hit} of 150 had something to hit");
}
