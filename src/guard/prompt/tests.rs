//! Which keys answer a question, and that nothing else does.

use proptest::prelude::*;

use super::super::{Policy, Verdict, fixture, judge};
use super::*;
use crate::model::World;
use crate::model::relation::Relation;
use crate::model::session::{Session, State};

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
    prompt.drawn(ms(0));
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
    prompt.drawn(ms(290));
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
    prompt.drawn(ms(0));
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
    prompt.drawn(ms(0));
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
    prompt.drawn(ms(0));
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

/// What can happen to an open question.
#[derive(Debug, Clone)]
enum Step {
    Wait(i64),
    Draw,
    Press(Chord),
    Freeze(bool),
    EndTarget,
}

fn step() -> impl Strategy<Value = Step> {
    let chord = prop_oneof![
        4 => Just(Y),
        2 => Just(ENTER),
        2 => Just(Chord::char('x')),
        1 => Just(Chord::char('Y')),
        1 => any::<(char, bool, bool)>().prop_map(|(c, control, alt)| Chord { key: Key::Char(c), control, alt }),
    ];
    prop_oneof![
        3 => (0_i64..400).prop_map(Step::Wait),
        2 => Just(Step::Draw),
        4 => chord.prop_map(Step::Press),
        1 => any::<bool>().prop_map(Step::Freeze),
        1 => Just(Step::EndTarget),
    ]
}

/// Plays the steps from the opening of a question to its end. Beside it runs the expectation, kept apart from the
/// code under test: was there a first frame, how long ago, and is the world still so?
fn play(steps: &[Step], policy: Policy, opened_by: Chord) -> (bool, bool) {
    let (with, without) = (world(), fixture::world(Vec::new()));
    let (mut now, mut first_frame, mut frozen, mut there) = (0, None, false, true);
    let scene =
        |frozen, there| Scene { policy, frozen, opened_by, ..fixture::scene(if there { &with } else { &without }) };
    let write = Write::cancel(&fixture::active(4711), &fixture::server());
    let Verdict::Confirm(mut prompt) = judge(write, &scene(false, true)) else { return (false, false) };
    for step in steps {
        match step {
            Step::Wait(by) => now += by,
            Step::Draw => {
                prompt.drawn(ms(now));
                first_frame = first_frame.or(Some(now));
            }
            Step::Freeze(is) => frozen = *is,
            Step::EndTarget => there = false,
            Step::Press(chord) => {
                let read = first_frame.is_some_and(|frame| now - frame >= 300);
                let yes = if opened_by == Y { Chord::char('Y') } else { Y };
                let expected = read && *chord == yes && *chord != opened_by && !frozen && there;
                match prompt.answer(*chord, ms(now), &scene(frozen, there)) {
                    Answer::Approved(_) => return (true, expected),
                    Answer::Waiting(open) if !expected => prompt = open,
                    Answer::Waiting(_) | Answer::Declined | Answer::Refused(..) => return (false, expected),
                }
            }
        }
    }
    (false, false)
}

/// Plays the steps on the question before a termination. The expectation is kept apart from the code under test: what a
/// line of text would hold by then.
fn play_typed(steps: &[Step], policy: Policy) -> (bool, bool) {
    let ((with, write), without) = (termination(), fixture::world(Vec::new()));
    let (mut now, mut first_frame, mut frozen, mut there) = (0, None, false, true);
    let mut text = String::new();
    let scene = |frozen, there| Scene { policy, frozen, ..fixture::scene(if there { &with } else { &without }) };
    let Verdict::Confirm(mut prompt) = judge(write, &scene(false, true)) else { return (false, false) };
    for step in steps {
        match step {
            Step::Wait(by) => now += by,
            Step::Draw => {
                prompt.drawn(ms(now));
                first_frame = first_frame.or(Some(now));
            }
            Step::Freeze(is) => frozen = *is,
            Step::EndTarget => there = false,
            Step::Press(chord) => {
                let read = first_frame.is_some_and(|frame| now - frame >= 300);
                let plain = !chord.control && !chord.alt;
                let entered = read && *chord == ENTER && text == "4711";
                if let (Key::Char(c), true, true) = (chord.key, read && plain, text.len() < TYPED_MOST) {
                    text.push(c);
                } else if read && chord.key == Key::Backspace {
                    text.pop();
                }
                match prompt.answer(*chord, ms(now), &scene(frozen, there)) {
                    Answer::Approved(_) => return (true, entered && !frozen && there),
                    Answer::Waiting(open) if !entered => prompt = open,
                    Answer::Waiting(_) | Answer::Declined | Answer::Refused(..) => {
                        return (false, entered && !frozen && there);
                    }
                }
            }
        }
    }
    (false, false)
}

/// The pid's digits more often than chance would have them.
fn digit_step() -> impl Strategy<Value = Step> {
    let digit = prop_oneof![1 => Just('4'), 1 => Just('7'), 2 => Just('1')];
    let key = prop_oneof![3 => digit.prop_map(Chord::char), 1 => Just(Chord::plain(Key::Backspace)), 1 => Just(ENTER)];
    prop_oneof![2 => step(), 3 => key.prop_map(Step::Press)]
}

const TAB: Chord = Chord::plain(Key::Tab);

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
    prompt.drawn(ms(5_000));
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
    prompt.drawn(ms(0));
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
        prompt.drawn(ms(0));
    }
    prompt = waiting(prompt.answer(TAB, ms(1_000), &scene));
    prompt = waiting(type_in(prompt, "c", &scene).answer(ENTER, ms(1_000), &scene));
    prompt.drawn(ms(2_000));
    let Answer::Approved(approved) = prompt.answer(Y, ms(2_300), &scene) else { panic!("not approved") };
    assert_eq!(approved.reason(), Some("ab c"));
}

/// Plays the steps on a question with a reason. The expectation is kept apart from the code under test: where the keys
/// go, what the reason holds by then, and since which frame a key counts.
fn play_reason(steps: &[Step], required: bool) -> (bool, bool) {
    let world = world();
    let scene = Scene { require_reason: required, ..fixture::scene(&world) };
    let (mut now, mut first, mut frame): (i64, Option<i64>, Option<i64>) = (0, None, None);
    let (mut typing, mut reason) = (false, String::new());
    let mut prompt = light(&scene);
    for step in steps {
        match step {
            Step::Wait(by) => now += by,
            Step::Draw => {
                prompt.drawn(ms(now));
                (first, frame) = (first.or(Some(now)), frame.or(Some(now)));
            }
            Step::Freeze(_) | Step::EndTarget => {}
            Step::Press(chord) => {
                let read = |frame: Option<i64>| frame.is_some_and(|frame| now - frame >= 300);
                let enough = !required || reason.chars().filter(|c| !c.is_whitespace()).count() >= 3;
                let confirmed = !typing && read(first) && read(frame) && *chord == Y;
                if read(first) && typing {
                    match chord {
                        Chord { key: Key::Enter | Key::Tab, control: false, alt: false } => typing = false,
                        Chord { key: Key::Char('u'), control: true, alt: false } => reason.clear(),
                        Chord { key: Key::Char('w'), control: true, alt: false } => return (false, false),
                        Chord { key: Key::Char(c), control: false, alt: false } => reason.push(*c),
                        _ => {}
                    }
                    frame = None;
                } else if read(first) && (*chord == TAB || (confirmed && !enough)) {
                    typing = true;
                }
                match prompt.answer(*chord, ms(now), &scene) {
                    Answer::Approved(approved) => {
                        let text = Some(reason.trim()).filter(|text| !text.is_empty());
                        return (true, confirmed && enough && approved.reason() == text);
                    }
                    Answer::Waiting(open) => prompt = open,
                    Answer::Declined | Answer::Refused(..) => return (false, confirmed && enough),
                }
                assert_eq!(prompt.reason().is_open(), typing);
                if confirmed && enough {
                    return (false, true);
                }
            }
        }
    }
    (false, false)
}

/// Tabs and returns more often than chance would have them, and time for a frame to be read.
fn reason_step() -> impl Strategy<Value = Step> {
    let key = prop_oneof![2 => Just(TAB), 2 => Just(ENTER), 3 => Just(Y)];
    prop_oneof![3 => step(), 3 => key.prop_map(Step::Press), 1 => Just(Step::Wait(300)), 1 => Just(Step::Draw)]
}

proptest! {
    #[test]
    fn no_key_confirms_while_a_reason_is_typed_nor_before_the_frame_after_it_was_read(
        steps in prop::collection::vec(reason_step(), 0..40),
        required in any::<bool>(),
    ) {
        let begun = [Step::Draw, Step::Wait(300)].into_iter();
        let steps: Vec<Step> = begun.chain(steps).collect();
        let (approved, expected) = play_reason(&steps, required);
        prop_assert_eq!(approved, expected);
        // A reason, a frame, a deliberate key: that always goes.
        let text = "yes".chars().map(Chord::char);
        let keys = std::iter::once(TAB).chain(text).chain([ENTER]).map(Step::Press);
        let begun = [Step::Draw, Step::Wait(300)].into_iter();
        let whole = begun.chain(keys).chain([Step::Draw, Step::Wait(300), Step::Press(Y)]).collect::<Vec<_>>();
        prop_assert_eq!(play_reason(&whole, required), (true, true));
    }

    #[test]
    fn a_termination_is_approved_by_nothing_but_its_pid_and_enter(
        steps in prop::collection::vec(digit_step(), 0..24),
        typed in any::<bool>(),
    ) {
        // Half of the time a person begins as one should, and the rest happens on top of that.
        let begun = [Step::Draw, Step::Wait(300)].into_iter();
        let begun = begun.chain("4711".chars().map(|c| Step::Press(Chord::char(c)))).filter(|_| typed);
        let steps: Vec<Step> = begun.chain(steps).collect();
        let (approved, expected) = play_typed(&steps, Policy::Admin);
        prop_assert_eq!(approved, expected);
        let right = [Step::Draw, Step::Wait(300)].into_iter();
        let right = right.chain("4711".chars().map(|c| Step::Press(Chord::char(c)))).chain([Step::Press(ENTER)]);
        let right: Vec<Step> = right.collect();
        prop_assert!(play_typed(&right, Policy::Admin).0);
        prop_assert!(!play_typed(&[right, steps].concat(), Policy::Observer).0);
    }

    #[test]
    fn nothing_is_approved_without_a_question_that_was_shown_and_a_deliberate_key(
        steps in prop::collection::vec(step(), 0..24),
        opened_by in prop_oneof![Just(Chord::char('x')), Just(Y), Just(ENTER)],
    ) {
        let (approved, expected) = play(&steps, Policy::Admin, opened_by);
        prop_assert_eq!(approved, expected);
    }

    #[test]
    fn nothing_is_approved_read_only_or_frozen_while_the_same_keys_do_approve_when_allowed(
        noise in prop::collection::vec(step(), 0..12),
    ) {
        // Keys that leave the question open, then those that confirm it.
        let harmless = |s: &Step| match s {
            Step::Press(c) => !matches!(c.key, Key::Char('n' | 'q' | 'c')),
            Step::Wait(_) | Step::Draw => true,
            Step::Freeze(_) | Step::EndTarget => false,
        };
        let confirm = [Step::Draw, Step::Wait(300), Step::Press(Y)];
        let steps: Vec<Step> = noise.into_iter().filter(harmless).chain(confirm).collect();
        let frozen: Vec<Step> = std::iter::once(Step::Freeze(true)).chain(steps.clone()).collect();
        let opener = Chord::char('x');
        prop_assert!(play(&steps, Policy::Admin, opener).0);
        prop_assert!(!play(&steps, Policy::Observer, opener).0);
        prop_assert!(!play(&frozen, Policy::Admin, opener).0);
    }
}
