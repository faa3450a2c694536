//! Whatever is pressed, whatever the server sends, however small the window: no panic, no hostile character on the
//! screen, no action that was not asked about.

use pgtriage::app::mode::Mode;
use pgtriage::guard::Confirm;
use pgtriage::keymap::{Chord, Key};
use pgtriage::message::{ActionStep, Effect, Event, Outcome};
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use proptest::test_runner::Config;
use ratatui::buffer::Buffer;

use crate::stage::{Stage, draw, drawn, hostile, ink, locks};

/// What may happen.
#[derive(Debug, Clone, Copy)]
enum Step {
    Key(Chord),
    Draw(u16, u16),
    Wait(u64),
    Pile,
    Flow,
    Hidden,
    Hostile,
    Lost,
    News(u64, bool),
    /// What the open question wants typed is typed, and Enter pressed.
    Comply,
}

fn key() -> impl Strategy<Value = Chord> {
    let bound: Vec<Chord> =
        "2 3 5 6 7 8 e e Tab S-Tab j Down k g G PgDn PgUp Enter Esc / s S y Y Space . , c Z : ? x x x X X v \
                             v K b d o < > Left Right Backspace Del Home End C-u C-w C-c n Enter Esc Esc"
            .split_whitespace()
            .map(|k| k.parse().unwrap())
            .collect();
    prop_oneof![
        12 => proptest::sample::select(bound),
        2 => any::<char>().prop_map(Chord::char),
        1 => (any::<char>(), any::<bool>(), any::<bool>())
            .prop_map(|(c, control, alt)| Chord { key: Key::Char(c), control, alt }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        24 => key().prop_map(Step::Key),
        6 => (1_u16..201, 1_u16..61).prop_map(|(w, h)| Step::Draw(w, h)),
        4 => (1_u16..30, 1_u16..9).prop_map(|(w, h)| Step::Draw(w, h)),
        2 => (0_u64..70).prop_map(Step::Wait),
        1 => Just(Step::Pile),
        1 => Just(Step::Flow),
        1 => Just(Step::Hidden),
        2 => Just(Step::Hostile),
        1 => Just(Step::Lost),
        2 => (1_u64..4, any::<bool>()).prop_map(|(id, end)| Step::News(id, end)),
        4 => Just(Step::Comply),
    ]
}

/// Characters that a terminal would obey, that turn a line round, or that hide in it.
fn obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn assert_clean(buffer: &Buffer) {
    for (i, cell) in buffer.content.iter().enumerate() {
        assert!(!cell.symbol().chars().any(obeyed), "cell {i}: {:?}", cell.symbol());
    }
}

struct Play {
    stage: Stage,
    /// The question that is on the screen, if one was drawn.
    drawn: bool,
}

impl Play {
    fn new(stage: Stage) -> Self {
        Self { stage, drawn: false }
    }

    fn run(&mut self, step: Step) -> Vec<Effect> {
        match step {
            Step::Key(chord) => {
                self.stage.pass(400);
                let now = self.stage.now();
                let asked = matches!(self.stage.app.mode, Mode::Ask(_));
                let effects = self.stage.app.update(Event::Key { chord, at: now });
                if effects.iter().any(|e| matches!(e, Effect::Write { .. })) {
                    assert!(asked && self.drawn, "an action without a question on the screen");
                    assert!(chord == Chord::char('y') || chord == Chord::plain(Key::Enter), "confirmed by {chord}");
                }
                if !matches!(self.stage.app.mode, Mode::Ask(_)) || !asked {
                    self.drawn = false;
                }
                return effects;
            }
            Step::Draw(width, height) => {
                self.stage.event(Event::Resized { width, height });
                let (buffer, shown) = drawn(&self.stage.app, width, height);
                assert_clean(&buffer);
                self.stage.event(Event::Drawn { at: self.stage.now(), shown });
                // Not that it was open: that it could be read.
                let shown = ink::text(&buffer);
                let legible = shown.contains("yes, do it") || shown.contains("type ");
                self.drawn |= matches!(self.stage.app.mode, Mode::Ask(_)) && legible;
            }
            Step::Wait(seconds) => self.stage.wait(seconds),
            Step::Pile => self.stage.see(locks::pile_up()),
            Step::Flow => self.stage.see(locks::flowing()),
            Step::Hidden => self.stage.see(locks::hidden()),
            Step::Hostile => hostile::feed(&mut self.stage),
            Step::Lost => hostile::lost(&mut self.stage),
            Step::News(id, true) => {
                let words = hostile::TEXTS.concat();
                self.stage.news(id, ActionStep::Ended(Outcome::Denied { message: words.clone(), cure: words }));
            }
            Step::Comply => {
                let Mode::Ask(prompt) = &self.stage.app.mode else { return Vec::new() };
                let Confirm::Type(wanted) = prompt.confirm().clone() else { return Vec::new() };
                let keys = wanted.chars().map(Chord::char).chain([Chord::plain(Key::Enter)]);
                return keys.flat_map(|chord| self.run(Step::Key(chord))).collect();
            }
            Step::News(id, false) => self.stage.news(id, ActionStep::Started { pid: Some(9001) }),
        }
        Vec::new()
    }
}

proptest! {
    #![proptest_config(Config { cases: 32, failure_persistence: None, ..Config::default() })]

    #[test]
    fn no_order_of_keys_samples_and_sizes_panics_or_acts_unasked(
        hostile_from_the_start in any::<bool>(),
        steps in proptest::collection::vec(step(), 1..50),
    ) {
        let stage = if hostile_from_the_start { hostile::incident(Stage::new()) } else { Stage::incident() };
        let mut play = Play::new(stage);
        for step in steps {
            play.run(step);
        }
        play.run(Step::Draw(160, 45));
    }

    #[test]
    fn in_read_only_mode_no_order_of_keys_acts(steps in proptest::collection::vec(step(), 1..50)) {
        let mut play = Play::new(Stage::read_only().filled());
        for step in steps {
            for effect in play.run(step) {
                let harmless = matches!(effect, Effect::Copy(_) | Effect::Quit);
                assert!(harmless, "{effect:?}");
            }
        }
    }
}

#[test]
fn every_tab_and_mode_is_clean_and_stands_in_every_small_window() {
    for tab in ["2", "3", "5", "6", "7", "8"] {
        for more in
            ["", "Enter", "j Enter j j j", "?", "s", ":", "/", "x", "j x", "j j x", "X", "v", "b", "d", "Space", "G"]
        {
            let mut stage = hostile::incident(Stage::new());
            stage.press(&format!("{tab} {more}"));
            for lost in [false, true] {
                if lost {
                    hostile::lost(&mut stage);
                }
                let sizes = [1, 2, 7, 12].into_iter().flat_map(|w| [1, 2, 3, 5, 9].map(|h| (w, h)));
                for (width, height) in sizes.chain([(40, 10), (80, 24), (160, 45), (200, 60), (200, 1), (1, 60)]) {
                    assert_clean(&draw(&stage.app, width, height));
                }
            }
        }
    }
}

#[test]
fn hostile_texts_are_shown_escaped_not_left_out() {
    let mut stage = hostile::incident(Stage::new());
    let screen = stage.wide();
    assert!(screen.contains("\\x1b[2J") && screen.contains("\\u{202e}"), "{screen}");
}
