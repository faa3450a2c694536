//! The question before an action: what it shows, and which key answers it.
//!
//! It has no clock: the times of frames and keys come from outside. It cannot be copied, and answering it consumes it,
//! so that one question yields one approval at most.

mod reason;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::keymap::{Chord, Key};
use crate::model::session::SessionKey;
use crate::model::{Scroll, Seen, ServerText, Shown, Timestamp};

pub use reason::Reason;

use super::protection::{self, Care};
use super::{Approved, Looked, Refusal, Scene, Statement, Weight, Write, bulk, preview, rule, weight};

/// How long a question must have been on the screen before a key can answer it. On a slow link keys typed before the
/// question was there arrive in one burst right after it (with bpytop this killed the wrong process); nobody reads a
/// question and answers it in less.
pub const DELIBERATE: Duration = Duration::from_millis(300);

/// The most that the typed answer holds: more than any name that is asked for.
const TYPED_MOST: usize = 160;

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
    warnings: Vec<String>,
    confirm: Confirm,
    opened_by: Chord,
    typed: String,
    reason: Reason,
    /// What the writer saw before it was asked, and whether it was asked for twice: what it is judged by to the end.
    looked: Option<Looked>,
    insists: Option<SessionKey>,
    /// What was seen of it so far.
    seen: Seen,
    /// The first frame that showed it.
    shown: Option<Timestamp>,
    /// The frame since which it can be answered: the one that showed the last of its facts, or the first after the reason
    /// was typed.
    armed: Option<Timestamp>,
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
        let careful = protection::hit(&write, scene, Care::Typed).map(|(rule, name)| {
            format!("with the {} {} one is careful ({})", rule.kind.word(), name.head(64), rule.by)
        });
        let typed = scene.production || careful.is_some() || weight::of(&write, scene) == Weight::Heavy;
        let cannot = scene.cannot_act.map(|why| {
            format!("cannot act now: {}; it is tried once more when you confirm", ServerText::from(why).head(200))
        });
        let confirm = if typed { Confirm::Type(preview.name) } else { Confirm::Key(light_key(scene.opened_by)) };
        Self {
            write,
            title: preview.title,
            rows: preview.rows,
            listed: preview.listed,
            warnings: cannot.into_iter().chain(careful).chain(preview.warnings).collect(),
            confirm,
            opened_by: scene.opened_by,
            typed: String::new(),
            reason: Reason::new(scene.require_reason),
            looked: scene.look().cloned(),
            insists: scene.insists.cloned(),
            seen: Seen::default(),
            shown: None,
            armed: None,
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

    /// What was seen of it: lines that were scrolled away, and whether the last fact has been on the screen.
    #[must_use]
    pub fn seen(&self) -> &Seen {
        &self.seen
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

    /// Why, as far as it is typed.
    #[must_use]
    pub fn reason(&self) -> &Reason {
        &self.reason
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

    /// A frame that shows so much of the question was flushed to the terminal at `at`. It can be answered since the first
    /// one with which all facts have been on the screen, and anew since the first one after the reason was typed.
    pub fn drawn(&mut self, at: Timestamp, shown: Shown) {
        self.shown.get_or_insert(at);
        self.seen.take(shown);
        if self.seen.is_enough() {
            self.armed.get_or_insert(at);
        } else {
            self.armed = None;
        }
    }

    /// The window has another size: what was seen in the old one counts no more.
    pub fn resized(&mut self) {
        self.seen.forget();
        self.armed = None;
    }

    /// Moves through its lines.
    pub fn scroll(&mut self, by: Scroll) {
        self.seen.scroll(by);
    }

    /// True where this key means nothing to the question, so that it may move through it as through a list.
    #[must_use]
    pub fn leaves(&self, chord: Chord) -> bool {
        let Confirm::Key(yes) = &self.confirm else { return false };
        !self.reason.is_open() && chord != *yes && chord != Chord::plain(Key::Tab) && !self.declines(chord)
    }

    /// What would refuse the action by now: to be said while the question is still open.
    #[must_use]
    pub fn objection(&self, scene: &Scene<'_>) -> Option<Refusal> {
        let scene = Scene { looked: self.looked.as_ref(), insists: self.insists.as_ref(), ..*scene };
        rule::objection(&bulk::narrowed(self.write.clone(), &scene), &scene)
    }

    /// Takes a key that was read at `at`. Declining counts at any time. A confirmation counts only once every fact of the
    /// question has been on the screen, the last of them for [`DELIBERATE`], and all rules are asked again with what is known
    /// by then: a server that restarted, a target that ended or a screen frozen in between void the question.
    ///
    /// Tab leads to the reason and back, Enter back. While it is typed nothing confirms, and after it the question must
    /// have been on the screen anew: a text pasted into the reason with its line ends may go on with a `y`.
    #[must_use]
    pub fn answer(mut self: Box<Self>, chord: Chord, at: Timestamp, scene: &Scene<'_>) -> Answer {
        if self.declines(chord) {
            return Answer::Declined;
        }
        if self.scrolls(chord) {
            return Answer::Waiting(self);
        }
        let Some(shown) = self.shown.filter(|shown| since(Some(*shown), at) >= Some(DELIBERATE)) else {
            return Answer::Waiting(self);
        };
        if self.reason.is_open() {
            self.reason.take(chord);
            self.armed = None;
            return Answer::Waiting(self);
        }
        if chord == Chord::plain(Key::Tab) {
            self.reason.open();
            return Answer::Waiting(self);
        }
        if !self.seen.is_enough() || since(self.armed, at) < Some(DELIBERATE) || !self.confirms(chord) {
            return Answer::Waiting(self);
        }
        if !self.reason.is_enough() {
            // What is missing is asked for.
            self.reason.open();
            return Answer::Waiting(self);
        }
        // Whoever ended meanwhile is left out; nobody is added to what was confirmed.
        let scene = Scene { looked: self.looked.as_ref(), insists: self.insists.as_ref(), ..*scene };
        let write = bulk::narrowed(self.write, &scene);
        if let Some(refusal) = rule::objection(&write, &scene) {
            return Answer::Refused(refusal, write);
        }
        let reason = self.reason.given();
        Answer::Approved(Approved { write, shown, at, by: self.confirm, reason })
    }

    /// Esc and Control-C always; `n` and `q` where no text is typed that may hold them.
    fn declines(&self, chord: Chord) -> bool {
        let control_c = Chord { key: Key::Char('c'), control: true, alt: false };
        let words = matches!(self.confirm, Confirm::Key(_)) && !self.reason.is_open();
        let word = words && (chord == Chord::char('n') || chord == Chord::char('q'));
        chord == Chord::plain(Key::Esc) || chord == control_c || word
    }

    /// Moves with the keys that are no letters, also while text is typed; true where the key was one for that.
    fn scrolls(&mut self, chord: Chord) -> bool {
        let moves = [
            (Key::Up, Scroll::Up),
            (Key::Down, Scroll::Down),
            (Key::PageUp, Scroll::PageUp),
            (Key::PageDown, Scroll::PageDown),
        ];
        let by = moves.into_iter().find(|(key, _)| chord == Chord::plain(*key));
        if let Some((_, by)) = by {
            self.scroll(by);
        }
        by.is_some()
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

/// Time from the frame to `at`; none without one, and where the clock was set back in between.
fn since(frame: Option<Timestamp>, at: Timestamp) -> Option<Duration> {
    Duration::try_from(at.duration_since(frame?)).ok()
}

#[cfg(test)]
mod tests;
