//! Any keys at any times: nothing is approved but by the answer that was asked for. The expectation is kept apart from the
//! code under test.

use proptest::prelude::*;

use super::*;

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
                prompt.drawn(ms(now), WHOLE);
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
                prompt.drawn(ms(now), WHOLE);
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
                prompt.drawn(ms(now), WHOLE);
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
