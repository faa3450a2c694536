//! May this run? The one gate between a key and a server: every action is judged here, and only here is an
//! [`Approved`] made.
//!
//! Pure, without a clock: it looks at the world as it is on the screen. The server looks again, in the statement itself.

mod bulk;
mod cure;
mod look;
mod maintenance;
mod pattern;
mod preview;
mod prompt;
mod protection;
mod refusal;
mod remedy;
mod rule;
mod setting;
mod statement;
mod twice;
mod weight;
mod write;

use serde::Serialize;

use crate::keymap::Chord;
use crate::model::horizon::Patience;
use crate::model::session::SessionKey;
use crate::model::setting::Setting;
use crate::model::{Timestamp, World};

pub use bulk::{BULK_MOST, Bulk, BulkTarget, LeftOut, Signal};
pub use cure::{Owner, cure};
pub use look::{Looked, Seen, needs_look};
pub use maintenance::{Named, Object, Task};
pub use pattern::Pattern;
pub use prompt::{Answer, Confirm, DELIBERATE, Listed, Prompt, Reason, Row};
pub use protection::{Care, Kind, Protected};
pub use refusal::Refusal;
pub use remedy::Remedy;
pub use setting::{Wish, alter_cure, files_cure, reload_cure};
pub use statement::{EXPIRE_BATCH, Statement, array, role_name};
pub use weight::{Policy, Weight};
pub use write::{ServerIdentity, StatementKey, Who, Write};

/// What an action is judged by: the world as the console knows it, and the console's own state.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// All that is known of the target; the newest sample, not the one that a frozen screen shows.
    pub world: &'a World,
    /// What may be done at all.
    pub policy: Policy,
    /// Now.
    pub now: Timestamp,
    /// True while the screen does not show the present: the eye may be on something that is no longer so.
    pub frozen: bool,
    /// The chord that asked for the action; it can never confirm it.
    pub opened_by: Chord,
    /// The jobs of this console that run.
    pub jobs: &'a [Write],
    /// Pids of our own connections and jobs, as far as they are known.
    pub own_pids: &'a [i32],
    /// Statements that still ran seconds after a cancel of ours: here terminating may be what is left.
    pub deaf: &'a [StatementKey],
    /// True where the target was marked as production: each question is then a typed one.
    pub production: bool,
    /// Names that are left alone, or asked about by name.
    pub protected: &'a [Protected],
    /// True where an action needs a reason.
    pub require_reason: bool,
    /// What the writer saw of the targets by itself, where it was asked to look.
    pub looked: Option<&'a Looked>,
    /// The session that was asked for a second time, after it was said why one should not.
    pub insists: Option<&'a SessionKey>,
    /// Why the writer could not act now.
    pub cannot_act: Option<&'a str>,
    /// As whom and where the action will be logged, such as `alice, in ~/.local/state/pgtriage/audit.jsonl`.
    pub logged_as: &'a str,
    /// From when on it is worth a word that somebody holds the horizon.
    pub patience: Patience,
}

/// What becomes of an action that was asked for.
#[derive(Debug, PartialEq)]
pub enum Verdict {
    /// It may run once this question is answered.
    Confirm(Box<Prompt>),
    /// It does not run.
    Refuse(Refusal),
}

/// Judges an action. The rules are tried in the order of their table and the first that objects is the one that is
/// told: what concerns all actions first, then whether the target is there, then what it is.
#[must_use]
pub fn judge(write: Write, scene: &Scene<'_>) -> Verdict {
    let write = bulk::narrowed(write, scene);
    match rule::objection(&write, scene) {
        Some(refusal) => Verdict::Refuse(refusal),
        None => Verdict::Confirm(Box::new(Prompt::new(write, scene))),
    }
}

/// Why an action would be refused as things are; none where a question would come of it, or the writer would have to look
/// first, or asking twice would do. For what is offered: it makes no question.
#[must_use]
pub fn objection(write: &Write, scene: &Scene<'_>) -> Option<Refusal> {
    let refusal = rule::objection(write, scene).filter(|refusal| !refusal.asks_twice())?;
    (!needs_look(write, scene)).then_some(refusal)
}

/// Why nobody may change that setting from here, whatever the value: to be told before one is typed.
#[must_use]
pub fn unchangeable(setting: &Setting, scene: &Scene<'_>) -> Option<Refusal> {
    let server = scene.world.server.get()?;
    rule::whatever_the_value(&Write::setting(setting, &Wish::Reset, server), scene)
}

/// An action that was judged, asked about and confirmed. Only this module makes one, and it cannot be copied or read
/// from a file: whoever holds one came through the gate.
///
/// ```compile_fail,E0451
/// fn forged(real: pgtriage::guard::Approved) -> pgtriage::guard::Approved {
///     pgtriage::guard::Approved { ..real }
/// }
/// ```
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Approved {
    write: Write,
    shown: Timestamp,
    at: Timestamp,
    by: Confirm,
    reason: Option<String>,
}

impl Approved {
    /// What was approved.
    #[must_use]
    pub fn write(&self) -> &Write {
        &self.write
    }

    /// When its question was first on the screen.
    #[must_use]
    pub fn shown(&self) -> Timestamp {
        self.shown
    }

    /// When it was confirmed.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// By what it was confirmed.
    #[must_use]
    pub fn by(&self) -> &Confirm {
        &self.by
    }

    /// Why, in the words of who confirmed it; raw.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }
}

#[cfg(test)]
mod fixture;
