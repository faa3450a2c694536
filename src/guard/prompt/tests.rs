//! Which keys answer a question, and that nothing else does.

use super::super::{Policy, Verdict, fixture, judge};
use super::*;
use crate::model::World;
use crate::model::relation::Relation;
use crate::model::session::{Session, State};

mod random;

/// A frame that shows all of it.
const WHOLE: Shown = Shown { above: 0, rows: 10, must: 8, of: 10 };

const TAB: Chord = Chord::plain(Key::Tab);
const Y: Chord = Chord::char('y');
const ENTER: Chord = Chord::plain(Key::Enter);

/// Millisecond `ms` of the test's time.
fn ms(ms: i64) -> Timestamp {
    fixture::at(10) + jiff::SignedDuration::from_millis(ms)
}

fn world() -> World {
    fixture::world(vec![fixture::active(4711)])
}

fn light(scene: &Scene<'_>) -> Box<Prompt> {
    open(Write::cancel(&fixture::active(4711), &fixture::server()), scene)
}

fn open(write: Write, scene: &Scene<'_>) -> Box<Prompt> {
    match judge(write, scene) {
        Verdict::Confirm(prompt) => prompt,
        Verdict::Refuse(refusal) => panic!("{}", refusal.sentence()),
    }
}

fn shown(scene: &Scene<'_>) -> Box<Prompt> {
    let mut prompt = light(scene);
    prompt.drawn(ms(0), WHOLE);
    prompt
}

fn waiting(answer: Answer) -> Box<Prompt> {
    match answer {
        Answer::Waiting(prompt) => prompt,
        ended @ (Answer::Approved(_) | Answer::Declined | Answer::Refused(..)) => panic!("{ended:?}"),
    }
}

#[test]
fn y_confirms_once_the_question_has_been_on_the_screen_long_enough_to_be_read() {
    let world = world();
    let scene = fixture::scene(&world);
    let Answer::Approved(approved) = shown(&scene).answer(Y, ms(300), &scene) else { panic!("not approved") };
    assert_eq!((approved.shown(), approved.at()), (ms(0), ms(300)));
    assert_eq!(approved.by(), &Confirm::Key(Y));
    assert!(matches!(approved.write(), Write::Cancel { session, .. } if session.pid == 4711));
}

#[test]
fn a_key_typed_before_the_question_was_drawn_or_right_after_does_not_count() {
    let world = world();
    let scene = fixture::scene(&world);
    let prompt = waiting(light(&scene).answer(Y, ms(5_000), &scene));
    assert_eq!(prompt.shown, None);
    let prompt = waiting(shown(&scene).answer(Y, ms(299), &scene));
    waiting(prompt.answer(Y, ms(-5_000), &scene));
}

#[test]
fn only_the_first_frame_counts_so_that_redrawing_does_not_push_the_answer_back() {
    let world = world();
    let scene = fixture::scene(&world);
    let mut prompt = shown(&scene);
    prompt.drawn(ms(290), WHOLE);
    assert!(matches!(prompt.answer(Y, ms(310), &scene), Answer::Approved(_)));
}

#[test]
fn enter_and_every_other_key_leave_a_light_question_open() {
    let world = world();
    let scene = fixture::scene(&world);
    let mut prompt = shown(&scene);
    let control_y = Chord { control: true, ..Y };
    let others = [ENTER, Chord::char('Y'), Chord::char(' '), Chord::char('x'), control_y, Chord::plain(Key::Tab)];
    for chord in others {
        prompt = waiting(prompt.answer(chord, ms(1_000), &scene));
    }
}

#[test]
fn the_key_that_opened_the_question_never_answers_it_yes() {
    let world = world();
    let scene = Scene { opened_by: Y, ..fixture::scene(&world) };
    let prompt = waiting(shown(&scene).answer(Y, ms(1_000), &scene));
    assert_eq!(prompt.hint(), "Y yes · Esc no");
    assert!(matches!(prompt.answer(Chord::char('Y'), ms(1_000), &scene), Answer::Approved(_)));
}

#[test]
fn declining_counts_at_any_time_even_before_the_question_is_drawn() {
    let world = world();
    let scene = fixture::scene(&world);
    let control_c = Chord { control: true, ..Chord::char('c') };
    for chord in [Chord::plain(Key::Esc), Chord::char('n'), Chord::char('q'), control_c] {
        assert_eq!(light(&scene).answer(chord, ms(0), &scene), Answer::Declined);
    }
}

#[test]
fn what_became_true_while_the_question_was_open_voids_it() {
    let before = world();
    let prompt = || shown(&fixture::scene(&before));
    let gone = fixture::world(Vec::new());
    let frozen = Scene { frozen: true, ..fixture::scene(&before) };
    let observer = Scene { policy: Policy::Observer, ..fixture::scene(&before) };
    let cases = [
        (fixture::scene(&gone), Refusal::SessionGone { pid: 4711 }),
        (frozen, Refusal::Frozen),
        (observer, Refusal::ReadOnly),
    ];
    for (scene, expected) in cases {
        assert_eq!(prompt().objection(&scene), Some(expected.clone()));
        let Answer::Refused(refusal, write) = prompt().answer(Y, ms(1_000), &scene) else { panic!("not refused") };
        assert_eq!((refusal, &write), (expected, prompt().write()));
    }
}

/// A question about a table so large that it is confirmed by name.
fn heavy() -> (World, Write) {
    let relation = Relation { bytes: 1 << 40, name: "any".into(), ..fixture::relation() };
    let write = Write::vacuum(&relation, &"shop".into(), &fixture::server());
    let mut relations = fixture::relations();
    relations.rows[0] = relation;
    let mut world = fixture::world(Vec::new());
    fixture::take_relations(&mut world, relations);
    (world, write)
}

fn type_in(mut prompt: Box<Prompt>, text: &str, scene: &Scene<'_>) -> Box<Prompt> {
    for c in text.chars() {
        prompt = waiting(prompt.answer(Chord::char(c), ms(1_000), scene));
    }
    prompt
}

#[test]
fn a_heavy_action_wants_its_name_typed_and_enter_is_inert_until_it_is_exact() {
    let (world, write) = heavy();
    let scene = fixture::scene(&world);
    let mut prompt = open(write, &scene);
    prompt.drawn(ms(0), WHOLE);
    for wrong in ["", "public.an", "y", "x"] {
        prompt = type_in(prompt, wrong, &scene);
        prompt = waiting(prompt.answer(ENTER, ms(1_000), &scene));
        for _ in wrong.chars() {
            prompt = waiting(prompt.answer(Chord::plain(Key::Backspace), ms(1_000), &scene));
        }
    }
    // The name holds n and y: neither declines nor confirms here.
    prompt = type_in(prompt, "public.any", &scene);
    assert_eq!(
        (prompt.typed(), prompt.hint().as_str()),
        ("public.any", "type public.any and Enter to confirm · Esc no")
    );
    assert!(matches!(prompt.answer(ENTER, ms(1_000), &scene), Answer::Approved(_)));
}

#[test]
fn text_typed_ahead_does_not_enter_a_heavy_question() {
    let (world, write) = heavy();
    let scene = fixture::scene(&world);
    let mut prompt = open(write, &scene);
    for c in "public.any".chars() {
        prompt = waiting(prompt.answer(Chord::char(c), ms(0), &scene));
    }
    prompt.drawn(ms(0), WHOLE);
    assert_eq!(prompt.typed(), "");
    waiting(prompt.answer(ENTER, ms(1_000), &scene));
}

/// A question before a termination.
fn termination() -> (World, Write) {
    let root = Session { state: Some(State::IdleInTransaction), ..fixture::active(4711) };
    let write = Write::terminate(&root, &fixture::server());
    (fixture::world(vec![root]), write)
}

#[test]
fn a_termination_wants_the_pid_typed_and_the_key_that_opened_it_is_but_a_letter() {
    let (world, write) = termination();
    let scene = Scene { opened_by: Chord::char('X'), ..fixture::scene(&world) };
    let mut prompt = open(write, &scene);
    prompt.drawn(ms(0), WHOLE);
    for key in [ENTER, Y, ENTER, Chord::char('X'), ENTER] {
        prompt = waiting(prompt.answer(key, ms(1_000), &scene));
    }
    for _ in 0..2 {
        prompt = waiting(prompt.answer(Chord::plain(Key::Backspace), ms(1_000), &scene));
    }
    for text in ["471", "1"] {
        prompt = waiting(prompt.answer(ENTER, ms(1_000), &scene));
        prompt = type_in(prompt, text, &scene);
    }
    let Answer::Approved(approved) = prompt.answer(ENTER, ms(1_000), &scene) else { panic!("not approved") };
    assert_eq!(approved.by(), &Confirm::Type("4711".to_owned()));
    assert!(matches!(approved.write(), Write::Terminate { session, .. } if session.pid == 4711));
}

#[test]
fn a_reason_is_typed_beside_the_answer_and_goes_with_the_approval() {
    let world = world();
    let scene = fixture::scene(&world);
    // What would confirm or decline is text there.
    let mut prompt = type_in(waiting(shown(&scene).answer(TAB, ms(1_000), &scene)), "any query: yes", &scene);
    assert!(prompt.reason().is_open() && prompt.reason().text() == "any query: yes");
    prompt = waiting(prompt.answer(ENTER, ms(1_000), &scene));
    assert!(!prompt.reason().is_open());
    // A burst that goes on behind the reason confirms nothing, nor does it before its frame was read.
    prompt = waiting(prompt.answer(Y, ms(1_001), &scene));
    prompt = waiting(prompt.answer(Y, ms(5_000), &scene));
    prompt.drawn(ms(5_000), WHOLE);
    prompt = waiting(prompt.answer(Y, ms(5_299), &scene));
    let Answer::Approved(approved) = prompt.answer(Y, ms(5_300), &scene) else { panic!("not approved") };
    assert_eq!((approved.reason(), approved.shown()), (Some("any query: yes"), ms(0)));
    let Answer::Approved(approved) = shown(&scene).answer(Y, ms(1_000), &scene) else { panic!("not approved") };
    assert_eq!(approved.reason(), None, "nobody has to");
}

#[test]
fn esc_declines_from_within_the_reason_and_the_typed_name_stays_while_it_is_typed() {
    let (world, write) = termination();
    let scene = fixture::scene(&world);
    let mut prompt = open(write, &scene);
    prompt.drawn(ms(0), WHOLE);
    prompt = waiting(type_in(prompt, "4711", &scene).answer(TAB, ms(1_000), &scene));
    prompt = waiting(type_in(prompt, "12", &scene).answer(TAB, ms(1_000), &scene));
    assert_eq!((prompt.typed(), prompt.reason().text()), ("4711", "12"));
    prompt = waiting(prompt.answer(TAB, ms(2_000), &scene));
    assert_eq!(prompt.answer(Chord::plain(Key::Esc), ms(2_000), &scene), Answer::Declined);
}

#[test]
fn an_action_that_needs_a_reason_asks_for_it_instead_of_going() {
    let world = world();
    let scene = Scene { require_reason: true, ..fixture::scene(&world) };
    let mut prompt = shown(&scene);
    for text in ["", "ab", " "] {
        prompt = waiting(prompt.answer(Y, ms(1_000), &scene));
        assert!(prompt.reason().is_open(), "what is missing is asked for");
        prompt = waiting(type_in(prompt, text, &scene).answer(ENTER, ms(1_000), &scene));
        prompt.drawn(ms(0), WHOLE);
    }
    prompt = waiting(prompt.answer(TAB, ms(1_000), &scene));
    prompt = waiting(type_in(prompt, "c", &scene).answer(ENTER, ms(1_000), &scene));
    prompt.drawn(ms(2_000), WHOLE);
    let Answer::Approved(approved) = prompt.answer(Y, ms(2_300), &scene) else { panic!("not approved") };
    assert_eq!(approved.reason(), Some("ab c"));
}
