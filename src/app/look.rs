//! Where the list is too old to ask by, the writer looks at the target before anybody is asked: what waits for that look,
//! and what comes of it.
//!
//! The look itself is the writer's; whether one is needed is the guard's to say.

use super::App;
use super::mode::Mode;
use crate::guard::{Looked, Signal, Write};
use crate::keymap::{Chord, Key};
use crate::message::Effect;
use crate::model::session::SessionKey;
use crate::model::{Timestamp, Tone, seconds_between};

/// An action that waits for the writer's look.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Look {
    id: u64,
    write: Write,
    opened_by: Chord,
    insists: bool,
}

/// A session that was refused with a reason that asking twice overrides, and the words that said so.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Once {
    session: SessionKey,
    signal: Signal,
    said: String,
    at: Timestamp,
}

/// How long the reason must have been there before the same key counts as a second one: a held key repeats.
const READ_S: f64 = 0.3;

impl Once {
    /// Remembers that `write` was refused with the words `said`.
    pub(super) fn of(write: &Write, said: &str, at: Timestamp) -> Option<Self> {
        let (session, signal) = target(write)?;
        Some(Self { session: session.clone(), signal, said: said.to_owned(), at })
    }

    /// True for the same signal to the same session.
    pub(super) fn is_of(&self, write: &Write) -> bool {
        target(write) == Some((&self.session, self.signal))
    }
}

/// Which signal to which session, of an action that is one.
fn target(write: &Write) -> Option<(&SessionKey, Signal)> {
    match write {
        Write::Cancel { session, .. } => Some((session, Signal::Cancel)),
        Write::Terminate { session, .. } => Some((session, Signal::Terminate)),
        Write::Bulk(_)
        | Write::Maintain { .. }
        | Write::Setting { .. }
        | Write::Reload { .. }
        | Write::ExpireCache { .. } => None,
    }
}

impl App {
    /// Before a key is taken: the reason that was given stands only for the very next one, and only while it is there.
    pub(super) fn remember_once(&mut self, at: Timestamp) {
        let stands = |once: &Once| {
            self.notice.as_ref().is_some_and(|notice| notice.text == once.said)
                && seconds_between(once.at, at) >= READ_S
        };
        self.insists = self.once.take().filter(stands);
    }

    /// Asks the writer to look first.
    pub(super) fn look_first(&mut self, write: Write, insists: bool) -> Vec<Effect> {
        self.looks += 1;
        let id = self.looks;
        self.say(
            format!("looking at it by the writer's own connection before {} … Esc drops it", write.shown()),
            Tone::Notice,
        );
        self.look = Some(Look { id, write: write.clone(), opened_by: self.opened_by, insists });
        vec![Effect::Look { id, write }]
    }

    /// A key while the writer looks: Esc drops the action, the key that asked for it is patience lost, and any other key does
    /// what it always does and drops it as well: nobody is asked over something else. True where nothing is left to do.
    pub(super) fn waits_for_look(&mut self, chord: Chord) -> bool {
        let Some(look) = self.look.take() else { return false };
        let control_c = Chord { key: Key::Char('c'), control: true, alt: false };
        if chord == look.opened_by {
            self.look = Some(look);
            return true;
        }
        let esc = chord == Chord::plain(Key::Esc) || chord == control_c;
        self.say(format!("{}: dropped, nobody was asked", look.write.shown()), Tone::Faint);
        esc
    }

    /// The writer looked: the action is judged by what it saw. A refusal goes to the log at once.
    pub(super) fn looked(&mut self, id: u64, looked: &Looked) -> Vec<Effect> {
        self.now = self.now.max(looked.at);
        let Some(look) = self.look.take_if(|look| look.id == id) else { return Vec::new() };
        if !matches!(self.mode, Mode::Normal | Mode::Detail { .. }) {
            return Vec::new();
        }
        self.opened_by = look.opened_by;
        self.judged(look.write, Some(looked), look.insists)
    }
}
