//! Whatever keys are pressed, in whatever order and at whatever pace: nothing is done without its question, and nothing at
//! all by a console that may not act or whose screen is frozen. The same sequences do act where that is allowed.

use std::cell::Cell;

use pgtriage::app::mode::Mode;
use pgtriage::command::{SPECS, Tab};
use pgtriage::guard::{Confirm, DELIBERATE, Looked, Policy, Seen, ServerIdentity, Write};
use pgtriage::keymap::{Chord, Key, Keymap};
use pgtriage::message::{Effect, Event};
use pgtriage::model::{Question, Snapshot, Timestamp, seconds_between};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRng, TestRunner};

use crate::stage::{Stage, cache, locks, server, settings, tables};

const SEQUENCES: u32 = 200;

/// What happens to a console.
#[derive(Debug, Clone)]
enum Step {
    /// A key, so many milliseconds after what was before it.
    Key(Chord, u64),
    /// The open question is answered as it asks to be, so many milliseconds after each other, with or without a frame before.
    Answer(u64, bool),
    /// Query logging is asked for with the value that is proposed: two keys.
    LogQueries,
    /// A frame is flushed.
    Frame,
    /// The sessions are looked at again: still piled up, or flowing.
    Sessions(bool),
    /// The tables are looked at again.
    Tables,
    /// The window changes.
    Resize(u16, u16),
}

/// Every chord that the default keymap knows on any tab, and some that it does not.
fn chords() -> Vec<Chord> {
    let keymap = Keymap::named("default").unwrap().unwrap();
    let bound = SPECS.iter().flat_map(|s| Tab::ALL.map(|tab| keymap.chords_of(s.command, tab))).flatten();
    let mut chords: Vec<Chord> = bound.filter_map(|keys| keys.to_string().parse().ok()).collect();
    chords.extend(['y', 'Y', 'n', '4', 'u'].map(Chord::char));
    chords.extend([Key::Enter, Key::Esc, Key::Backspace, Key::Tab].map(Chord::plain));
    chords.sort_unstable();
    chords.dedup();
    chords
}

/// Keys that act and their answers come more often than by chance, or no sequence would ever get so far.
fn step() -> impl Strategy<Value = Step> {
    let acting: Vec<Chord> = chords_that_write();
    prop_oneof![
        4 => (prop::sample::select(chords()), 0_u64..1200).prop_map(|(c, ms)| Step::Key(c, ms)),
        3 => (prop::sample::select(acting), 0_u64..1200).prop_map(|(c, ms)| Step::Key(c, ms)),
        // Most keys that act are those of Tables: the two that signal would drown among them.
        3 => (prop::sample::select(vec!['x', 'X']), 0_u64..1200).prop_map(|(c, ms)| Step::Key(Chord::char(c), ms)),
        4 => (0_u64..700, any::<bool>()).prop_map(|(ms, framed)| Step::Answer(ms, framed)),
        1 => Just(Step::LogQueries),
        2 => prop::sample::select(vec!['2', '3', '5', '8']).prop_map(|tab| Step::Key(Chord::char(tab), 100)),
        4 => Just(Step::Frame),
        1 => any::<bool>().prop_map(Step::Sessions),
        1 => Just(Step::Tables),
        1 => prop::sample::select(vec![(160, 45), (80, 24), (40, 10), (20, 5)]).prop_map(|(w, h)| Step::Resize(w, h)),
    ]
}

fn chords_that_write() -> Vec<Chord> {
    let keymap = Keymap::named("default").unwrap().unwrap();
    let acting = SPECS.iter().filter(|s| s.reach > pgtriage::command::Reach::Reads);
    let bound = acting.flat_map(|s| Tab::ALL.map(|tab| keymap.chords_of(s.command, tab))).flatten();
    let mut chords: Vec<Chord> = bound.filter_map(|keys| keys.to_string().parse().ok()).collect();
    chords.sort_unstable();
    chords.dedup();
    chords
}

/// What was asked about is what is done; of several sessions those that are still there.
fn covers(asked: &Write, done: &Write) -> bool {
    let (Write::Bulk(asked), Write::Bulk(done)) = (asked, done) else { return asked == done };
    asked.signal == done.signal && done.targets.iter().all(|target| asked.targets.contains(target))
}

/// A console, the frames that it showed, and what it did.
struct Run {
    stage: Stage,
    frames: Vec<Timestamp>,
    done: Vec<Write>,
    without_freeze: bool,
}

impl Run {
    fn of(stage: Stage, without_freeze: bool) -> Self {
        Self { stage, frames: Vec::new(), done: Vec::new(), without_freeze }
    }

    fn all(mut self, steps: &[Step]) -> Self {
        for step in steps {
            match step {
                Step::Key(chord, ms) => self.press(*chord, *ms),
                Step::Answer(ms, framed) => self.answer(*ms, *framed),
                Step::LogQueries => {
                    self.press(Chord::char('L'), 100);
                    self.press(Chord::plain(Key::Enter), 100);
                }
                Step::Frame => self.frame(),
                Step::Sessions(piled) => {
                    self.stage.see(if *piled { locks::pile_up() } else { locks::flowing() });
                }
                Step::Tables => {
                    let relations = tables::relations();
                    let question = Question::Relations { database: None, order: relations.order };
                    self.stage.take(question, Ok(Snapshot::Relations(Box::new(relations))));
                }
                Step::Resize(width, height) => self.stage.event(Event::Resized { width: *width, height: *height }),
            }
        }
        self
    }

    fn frame(&mut self) {
        let at = self.stage.now();
        // What a frame shows matters to a question alone; drawing all of them would take most of the time.
        if matches!(self.stage.app.mode, Mode::Ask(_)) {
            self.stage.drawn();
        } else {
            self.stage.event(Event::Drawn { at, shown: None });
        }
        self.frames.push(at);
    }

    fn answer(&mut self, ms: u64, framed: bool) {
        if framed {
            self.frame();
        }
        let Mode::Ask(prompt) = &self.stage.app.mode else { return };
        let keys = match prompt.confirm() {
            Confirm::Key(chord) => vec![*chord],
            Confirm::Type(text) => {
                // What was typed into it by chance is taken out first.
                let back = prompt.typed().chars().map(|_| Chord::plain(Key::Backspace));
                back.chain(text.chars().map(Chord::char)).chain([Chord::plain(Key::Enter)]).collect()
            }
        };
        for key in keys {
            self.press(key, ms);
        }
    }

    /// A key. What it does must have been asked about in a question that was on the screen long enough.
    fn press(&mut self, chord: Chord, ms: u64) {
        // The list of settings takes all keys; left open, it would be all that a sequence ever sees.
        while matches!(self.stage.app.mode, Mode::Settings(_)) && chord != Chord::plain(Key::Enter) {
            self.stage.app.update(Event::Key { chord: Chord::plain(Key::Esc), at: self.stage.now() });
        }
        if self.without_freeze && chord == Chord::char(' ') {
            return;
        }
        self.stage.pass(ms);
        let at = self.stage.now();
        let asked = if let Mode::Ask(prompt) = &self.stage.app.mode { Some(prompt.write().clone()) } else { None };
        for effect in self.stage.app.update(Event::Key { chord, at }) {
            if let Effect::Look { id, .. } = effect {
                let seen = Seen { server: ServerIdentity::of(&server()), sessions: locks::pile_up().rows };
                let looked = self.stage.app.update(Event::Looked { id, looked: Looked { at, answer: Ok(seen) } });
                assert!(looked.iter().all(|e| matches!(e, Effect::RecordRefusal { .. })), "{looked:?}");
            }
            let Effect::Write { approved, .. } = effect else { continue };
            assert!(asked.as_ref().is_some_and(|asked| covers(asked, approved.write())), "done without its question");
            assert!(self.frames.contains(&approved.shown()), "no frame showed the question");
            let read_s = seconds_between(approved.shown(), approved.at());
            assert!(read_s >= DELIBERATE.as_secs_f64(), "answered after {read_s} s");
            self.done.push(approved.write().clone());
        }
    }
}

/// A console in the middle of the incident, without its charts: they take long to feed and nothing can be done to them.
fn amid(stage: Stage) -> Stage {
    let stage = stage.up().server(server()).sessions(locks::pile_up()).relations(tables::relations());
    let mut stage = stage.cache(cache::read());
    stage.take(Question::Settings, Ok(settings::known()));
    stage
}

fn frozen() -> Stage {
    let mut stage = amid(Stage::new());
    stage.press("Space");
    assert!(stage.app.frozen_since().is_some());
    stage
}

#[test]
fn no_sequence_of_keys_acts_without_its_question_and_none_at_all_where_nothing_may_be_done() {
    // The same sequences each time: a failure is then a failure for everybody.
    let rng = TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha);
    let config = Config { cases: SEQUENCES, failure_persistence: None, ..Config::default() };
    let (signals, others, settings) = (Cell::new(0), Cell::new(0), Cell::new(0));
    TestRunner::new_with_rng(config, rng)
        .run(&prop::collection::vec(step(), 20..80), |steps| {
            let done = Run::of(amid(Stage::new()), false).all(&steps).done;
            let changes = |write: &Write| matches!(write, Write::Setting { .. } | Write::Reload { .. });
            signals.set(signals.get() + done.iter().filter(|w| !w.is_job() && !changes(w)).count());
            others.set(others.get() + done.iter().filter(|w| w.is_job() || changes(w)).count());
            settings.set(settings.get() + done.iter().filter(|w| matches!(w, Write::Setting { .. })).count());
            // By its keymap, and by the guard alone where a keymap binds the keys that act.
            let observers = vec![Stage::read_only(), Stage::with(|setup| setup.policy = Policy::Observer)];
            for observer in observers {
                assert_eq!(Run::of(amid(observer), false).all(&steps).done, [], "read-only");
            }
            assert_eq!(Run::of(frozen(), true).all(&steps).done, [], "frozen");
            Ok(())
        })
        .unwrap();
    assert!(signals.get() > 20, "only {} signals in all: the sequences prove nothing", signals.get());
    assert!(others.get() > 5, "only {} others in all: the sequences prove nothing", others.get());
    assert!(settings.get() > 0, "no setting in all: the sequences prove nothing of them");
}

#[test]
fn a_question_stays_unanswered_for_as_long_as_it_takes_to_read_it() {
    let mut run = Run::of(amid(Stage::new()), false);
    run.stage.press("j j x");
    run.frames.push(run.stage.now());
    run.press(Chord::char('y'), u64::try_from(DELIBERATE.as_millis()).unwrap() - 1);
    assert_eq!(run.done, []);
    run.stage.pass(1);
    run.press(Chord::char('y'), 0);
    assert_eq!(run.done.len(), 1);
}
