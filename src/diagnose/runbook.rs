//! Runbooks: what betrays a kind of trouble, step by step what to do about it, its causes, and when to grow.
//!
//! A runbook is text and conditions on facts; it is judged here and acts nowhere. What it offers to do is a command,
//! which asks as it does everywhere.

pub mod fact;
mod file;

#[cfg(test)]
mod tests;

pub use fact::{Asks, FACTS, FactSpec, Known, Unknown, Value, facts_markdown};
pub use file::{builtin, parse, with_own};

use super::finding::Kind;
use super::rule::Look;
use crate::command::{Command, Tab};

/// How a fact is held against a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Test {
    /// Larger.
    Above,
    /// As large, or larger.
    AtLeast,
    /// Smaller.
    Below,
    /// As small, or smaller.
    AtMost,
}

impl Test {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Above, Self::AtLeast, Self::Below, Self::AtMost];

    /// Its word before a figure.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Above => "above",
            Self::AtLeast => "at least",
            Self::Below => "below",
            Self::AtMost => "at most",
        }
    }

    fn holds(self, figure: f64, limit: f64) -> bool {
        match self {
            Self::Above => figure > limit,
            Self::AtLeast => figure >= limit,
            Self::Below => figure < limit,
            Self::AtMost => figure <= limit,
        }
    }

    /// True where a larger figure can only make it more true.
    fn is_upwards(self) -> bool {
        matches!(self, Self::Above | Self::AtLeast)
    }
}

/// A condition on a fact.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Condition {
    /// The fact.
    pub fact: &'static FactSpec,
    /// How it is compared.
    pub test: Test,
    /// With what, in the fact's unit.
    pub limit: f64,
}

/// What a condition came to.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// It holds.
    Met,
    /// It does not hold.
    NotMet,
    /// That is not known, for this reason.
    Unknown(Unknown),
}

impl Condition {
    /// What it comes to, with the value that was looked at, where there is one.
    #[must_use]
    pub fn judge(&self, look: &Look<'_>) -> (State, Option<Value>) {
        match self.fact.read(look) {
            Ok(value) => (self.state_of(&value), Some(value)),
            Err(unknown) => (State::Unknown(unknown), None),
        }
    }

    /// A value that is known to be no smaller only decides in one direction.
    fn state_of(&self, value: &Value) -> State {
        let holds = self.test.holds(value.figure, self.limit);
        match &value.at_least {
            Some(doubt) if holds != self.test.is_upwards() => State::Unknown(doubt.clone()),
            Some(_) | None if holds => State::Met,
            Some(_) | None => State::NotMet,
        }
    }

    /// `above 80 %`.
    #[must_use]
    pub fn shown(&self) -> String {
        format!("{} {}", self.test.word(), self.fact.unit.shown(self.limit))
    }
}

/// What is looked at for a sentence.
#[derive(Debug, Clone, PartialEq)]
pub enum Watch {
    /// A fact.
    Measured(Condition),
    /// Nothing that this console sees: why, and where to look.
    Elsewhere(String),
}

impl Watch {
    /// What it comes to.
    #[must_use]
    pub fn judge(&self, look: &Look<'_>) -> (State, Option<Value>) {
        match self {
            Self::Measured(condition) => condition.judge(look),
            Self::Elsewhere(place) => (State::Unknown(Unknown::of("not seen by this console", place.clone())), None),
        }
    }
}

/// A sentence that is met, not met, or not known.
#[derive(Debug, Clone, PartialEq)]
pub struct Sign {
    /// The sentence.
    pub says: String,
    /// What decides it.
    pub watch: Watch,
}

/// A text to copy: no key of this console does what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyText {
    /// What it is: `SQL`, `shell`, `Python`.
    pub what: String,
    /// What it costs or breaks.
    pub risk: String,
    /// It, raw.
    pub text: String,
}

/// One step.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What to do, in a few words.
    pub title: String,
    /// How and why, paragraph by paragraph.
    pub text: Vec<String>,
    /// Facts that are shown with their values.
    pub show: Vec<&'static FactSpec>,
    /// The findings that it is about; the first that is there is led to and acted on.
    pub findings: Vec<Kind>,
    /// Where to look, unless a finding leads elsewhere.
    pub tab: Option<Tab>,
    /// The panel to select there.
    pub panel: Option<String>,
    /// What is offered to be done.
    pub command: Option<Command>,
    /// What is offered to be copied.
    pub copy: Option<CopyText>,
}

/// A cause, with what speaks for it where that can be measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Cause {
    /// In a few words.
    pub says: String,
    /// More of it.
    pub text: Vec<String>,
    /// What speaks for it.
    pub sign: Option<Condition>,
}

/// How to grow, offered when its trigger is measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Scaling {
    /// In a few words.
    pub says: String,
    /// How.
    pub text: Vec<String>,
    /// The trigger.
    pub when: Condition,
}

/// A runbook.
#[derive(Debug, Clone, PartialEq)]
pub struct Runbook {
    /// Its name: what a finding belongs to.
    pub id: String,
    /// Its title.
    pub title: String,
    /// One or two sentences.
    pub summary: String,
    /// The file that it is from; none for a built-in one.
    pub origin: Option<String>,
    /// What betrays it.
    pub detect: Vec<Sign>,
    /// What to do.
    pub steps: Vec<Step>,
    /// What may be behind it.
    pub causes: Vec<Cause>,
    /// How to grow.
    pub scaling: Vec<Scaling>,
    /// Whom to call, and when.
    pub escalation: Vec<String>,
}

/// How many of a runbook's signs are met, not met, not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Met.
    pub met: usize,
    /// Not met.
    pub not_met: usize,
    /// Not known.
    pub unknown: usize,
}

impl Tally {
    /// `2 of 3 met, 1 unknown`.
    #[must_use]
    pub fn shown(self) -> String {
        let all = self.met + self.not_met + self.unknown;
        let unknown = if self.unknown > 0 { format!(", {} unknown", self.unknown) } else { String::new() };
        format!("{} of {all} met{unknown}", self.met)
    }
}

impl Runbook {
    /// How many of its signs are met.
    #[must_use]
    pub fn tally(&self, look: &Look<'_>) -> Tally {
        let mut tally = Tally::default();
        for sign in &self.detect {
            match sign.watch.judge(look).0 {
                State::Met => tally.met += 1,
                State::NotMet => tally.not_met += 1,
                State::Unknown(_) => tally.unknown += 1,
            }
        }
        tally
    }

    /// Every fact that it names.
    pub fn facts(&self) -> impl Iterator<Item = &'static FactSpec> + '_ {
        let signs = self.detect.iter().filter_map(|sign| match &sign.watch {
            Watch::Measured(condition) => Some(condition.fact),
            Watch::Elsewhere(_) => None,
        });
        let steps = self.steps.iter().flat_map(|step| step.show.iter().copied());
        let causes = self.causes.iter().filter_map(|cause| cause.sign.map(|sign| sign.fact));
        signs.chain(steps).chain(causes).chain(self.scaling.iter().map(|scaling| scaling.when.fact))
    }
}
