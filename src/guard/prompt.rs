//! The question before an action: what it shows, and which key answers it.
//!
//! It has no clock: the times of frames and keys come from outside. It cannot be copied, and answering it consumes it,
//! so that one question yields one approval at most.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::keymap::{Chord, Key};
use crate::model::Timestamp;

use super::{Approved, Refusal, Scene, Statement, Weight, Write, bulk, preview, rule, weight};

/// How long a question must have been on the screen before a key can answer it. On a slow link keys typed before the
/// question was there arrive in one burst right after it (with bpytop this killed the wrong process); nobody reads a
/// question and answers it in less.
pub const DELIBERATE: Duration = Duration::from_millis(300);

/// The most that the typed answer holds: more than any name that is asked for.
const TYPED_MOST: usize = 160;

/// Lines that a page of a bulk action's list moves on: what fits even where little does.
const PAGE: isize = 5;

/// What confirms a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Confirm {
    /// This key: for an action that undoes little.
    Key(Chord),
    /// This text and then Enter: for a heavy one.
    Type(String),
}

/// One line of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// A word.
    pub label: &'static str,
    /// What is said of it; safe to draw.
    pub text: String,
}

/// One session on the list of a bulk action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its pid.
    pub pid: i32,
    /// Who, since when, what; safe to draw.
    pub text: String,
    /// Why it is left out; none where it is signalled.
    pub left_out: Option<String>,
}

/// A question. Only [`super::judge`] makes one.
#[derive(Debug, PartialEq)]
pub struct Prompt {
    write: Write,
    title: String,
    rows: Vec<Row>,
    listed: Vec<Listed>,
    scroll: usize,
    warnings: Vec<String>,
    confirm: Confirm,
    opened_by: Chord,
    typed: String,
    shown: Option<Timestamp>,
}

/// What a key did to a question.
#[derive(Debug, PartialEq)]
pub enum Answer {
    /// It was confirmed.
    Approved(Approved),
    /// It was declined.
    Declined,
    /// It was confirmed, but what was allowed when it was asked no longer is.
    Refused(Refusal, Write),
    /// It is still open.
    Waiting(Box<Prompt>),
}

impl Prompt {
    /// Asks about an action that no rule objects to.
    pub(super) fn new(write: Write, scene: &Scene<'_>) -> Self {
        let preview = preview::of(&write, scene);
        let typed = scene.production || weight::of(&write, scene) == Weight::Heavy;
        let confirm = if typed { Confirm::Type(preview.name) } else { Confirm::Key(light_key(scene.opened_by)) };
        Self {
            write,
            title: preview.title,
            rows: preview.rows,
            listed: preview.listed,
            scroll: 0,
            warnings: preview.warnings,
            confirm,
            opened_by: scene.opened_by,
            typed: String::new(),
            shown: None,
        }
    }

    /// The action.
    #[must_use]
    pub fn write(&self) -> &Write {
        &self.write
    }

    /// The statement that will be sent, whole.
    #[must_use]
    pub fn statement(&self) -> Statement {
        self.write.statement()
    }

    /// The question itself; safe to draw.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What it will do and to whom, line by line.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Who is on the list of a bulk action, in the order of the screen, then who is left out of it; empty for others.
    #[must_use]
    pub fn listed(&self) -> &[Listed] {
        &self.listed
    }

    /// How many of them were scrolled away.
    #[must_use]
    pub fn scroll(&self) -> usize {
        self.scroll
    }

    /// What one should know before; safe to draw.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// What confirms it.
    #[must_use]
    pub fn confirm(&self) -> &Confirm {
        &self.confirm
    }

    /// What has been typed so far, where it is confirmed by a text.
    #[must_use]
    pub fn typed(&self) -> &str {
        &self.typed
    }

    /// How to answer: `y yes · Esc no`.
    #[must_use]
    pub fn hint(&self) -> String {
        match &self.confirm {
            Confirm::Key(Chord { key: Key::Char(c), .. }) => format!("{c} yes · Esc no"),
            Confirm::Key(chord) => format!("{chord:?} yes · Esc no"),
            Confirm::Type(text) => format!("type {text} and Enter to confirm · Esc no"),
        }
    }

    /// A frame that shows the question was flushed to the terminal at `at`; only the first one counts.
    pub fn drawn(&mut self, at: Timestamp) {
        if self.shown.is_none() {
            self.shown = Some(at);
        }
    }

    /// What would refuse the action by now: to be said while the question is still open.
    #[must_use]
    pub fn objection(&self, scene: &Scene<'_>) -> Option<Refusal> {
        rule::objection(&bulk::narrowed(self.write.clone(), scene), scene)
    }

    /// Takes a key that was read at `at`. Declining counts at any time. A confirmation counts only once the question has
    /// been on the screen for [`DELIBERATE`], and all rules are asked again with what is known by then: a server that
    /// restarted, a target that ended or a screen frozen in between void the question.
    #[must_use]
    pub fn answer(mut self: Box<Self>, chord: Chord, at: Timestamp, scene: &Scene<'_>) -> Answer {
        if self.declines(chord) {
            return Answer::Declined;
        }
        if self.scrolls(chord) {
            return Answer::Waiting(self);
        }
        let Some(shown) = self.shown.filter(|shown| since(*shown, at) >= Some(DELIBERATE)) else {
            return Answer::Waiting(self);
        };
        if !self.confirms(chord) {
            return Answer::Waiting(self);
        }
        // Whoever ended meanwhile is left out; nobody is added to what was confirmed.
        let write = bulk::narrowed(self.write, scene);
        match rule::objection(&write, scene) {
            Some(refusal) => Answer::Refused(refusal, write),
            None => Answer::Approved(Approved { write, shown, at, by: self.confirm }),
        }
    }

    /// Esc and Control-C always; `n` and `q` where no text is typed that may hold them.
    fn declines(&self, chord: Chord) -> bool {
        let control_c = Chord { key: Key::Char('c'), control: true, alt: false };
        let word = matches!(self.confirm, Confirm::Key(_)) && (chord == Chord::char('n') || chord == Chord::char('q'));
        chord == Chord::plain(Key::Esc) || chord == control_c || word
    }

    /// Moves through the list of a bulk action; true where the key was one for that.
    fn scrolls(&mut self, chord: Chord) -> bool {
        let last = self.listed.len().saturating_sub(1);
        let moves = [(Key::Up, -1), (Key::Down, 1), (Key::PageUp, -PAGE), (Key::PageDown, PAGE)];
        let Some((_, by)) = moves.into_iter().find(|(key, _)| chord == Chord::plain(*key)) else { return false };
        self.scroll = self.scroll.saturating_add_signed(by).min(last);
        true
    }

    /// Takes the key in; true if it completes the confirmation. The chord that opened the question confirms nothing by
    /// itself, since a held key repeats.
    fn confirms(&mut self, chord: Chord) -> bool {
        match &self.confirm {
            Confirm::Key(key) => chord == *key && chord != self.opened_by,
            Confirm::Type(text) => {
                match chord {
                    Chord { key: Key::Char(c), control: false, alt: false } if self.typed.len() < TYPED_MOST => {
                        self.typed.push(c);
                    }
                    Chord { key: Key::Backspace, .. } => {
                        self.typed.pop();
                    }
                    Chord { key: Key::Enter, control: false, alt: false } => return self.typed == *text,
                    _ => {}
                }
                false
            }
        }
    }
}

/// `y`, or `Y` where a keymap put the action itself on `y`.
fn light_key(opened_by: Chord) -> Chord {
    let y = Chord::char('y');
    if opened_by == y { Chord::char('Y') } else { y }
}

/// Time from `shown` to `at`; none where the clock was set back in between.
fn since(shown: Timestamp, at: Timestamp) -> Option<Duration> {
    Duration::try_from(at.duration_since(shown)).ok()
}

#[cfg(test)]
mod tests;
