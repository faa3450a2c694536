//! What became of a runbook's steps: marked by a key, or by the outcome of the action that was taken from them; and the
//! lines of it in the timeline.

use super::{App, Spot, StepRef};
use crate::message::{ActionStep, Outcome};
use crate::model::timeline::TimelineEntry;
use crate::model::{Timestamp, Tone};

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepOutcome {
    /// It was done.
    Done,
    /// It was left out.
    Skipped,
    /// It did not help, or did not work.
    Failed,
}

impl StepOutcome {
    /// In a word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        }
    }
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// How it ended.
    pub outcome: StepOutcome,
    /// When.
    pub at: Timestamp,
    /// What its action came to, where one was taken from it.
    pub words: Option<String>,
}

impl App {
    /// Writes a line into the timeline.
    pub(in crate::app) fn note(&mut self, what: String) {
        self.timeline.push(TimelineEntry { at: self.now, what });
    }

    /// Marks the current step and goes to the next one; the same mark again is taken back.
    pub(super) fn mark_step(&mut self, outcome: StepOutcome) {
        let (Some(book), Spot::Step(step)) = (self.runbooks.open, self.runbook_progress().spot) else {
            self.say("the cursor is on no step of a runbook", Tone::Faint);
            return;
        };
        let name = self.step_name((book, step));
        let at = self.now;
        let Some(progress) = self.runbooks.progress.get_mut(&book) else { return };
        if progress.marks.get(&step).is_some_and(|mark| mark.outcome == outcome) {
            progress.marks.remove(&step);
            self.note(format!("{name}: no longer {}", outcome.word()));
            return;
        }
        progress.marks.insert(step, Mark { outcome, at, words: None });
        self.note(format!("{name}: {}", outcome.word()));
        self.step_runbook(1);
    }

    /// `runbook Memory pressure, step 3 (Hunt the leak)`.
    fn step_name(&self, (book, step): StepRef) -> String {
        let book = self.runbooks.books.get(book);
        let title = book.map_or("", |b| b.title.as_str());
        let name = book.and_then(|b| b.steps.get(step)).map_or("", |s| s.title.as_str());
        format!("runbook {title}, step {} ({name})", step + 1)
    }

    /// An action was approved: if a step asked for it, what comes of it is that step's.
    pub(in crate::app) fn step_acts(&mut self, id: u64, label: &str) {
        if let Some(step) = self.runbooks.asked.take() {
            let name = self.step_name(step);
            self.runbooks.acted.insert(id, step);
            self.note(format!("{name}: {label}: confirmed"));
        }
    }

    /// There is news of an action: the step that it was taken from is marked by that.
    pub(in crate::app) fn step_told(&mut self, id: u64, told: Told, words: &str) {
        let Some(step) = self.runbooks.acted.get(&id).copied() else { return };
        let Told::Words(outcome) = told else { return };
        let at = self.now;
        if let Some(progress) = self.runbooks.progress.get_mut(&step.0) {
            let before = progress.marks.get(&step.1).map(|mark| mark.outcome);
            if let Some(outcome) = outcome.or(before) {
                progress.marks.insert(step.1, Mark { outcome, at, words: Some(words.to_owned()) });
            }
        }
        let name = self.step_name(step);
        self.note(format!("{name}: {words}"));
    }
}

/// What news of an action tells of its step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// Nothing that is over.
    Nothing,
    /// Something to be written down, and perhaps how it ended.
    Words(Option<StepOutcome>),
}

/// What that news tells of the action's step.
pub fn told(news: &ActionStep) -> Told {
    let gone = |gone: bool| Told::Words(Some(if gone { StepOutcome::Done } else { StepOutcome::Failed }));
    match news {
        ActionStep::Started { .. }
        | ActionStep::Progress(_)
        | ActionStep::DeadRows { .. }
        | ActionStep::Went { .. } => Told::Nothing,
        ActionStep::Ended(outcome) => Told::Words(Some(of_outcome(outcome))),
        ActionStep::Verified { gone: seen, .. } => gone(*seen),
        ActionStep::VerifiedEach { left, .. } => gone(left.is_empty()),
        ActionStep::Unverified(_) | ActionStep::Unlogged(_) | ActionStep::Uncopied(_) => Told::Words(None),
    }
}

/// What an action's outcome means for the step that it was taken from: done is what the server did.
fn of_outcome(outcome: &Outcome) -> StepOutcome {
    let done = match outcome {
        // What was to go has gone.
        Outcome::Done(_) | Outcome::Gone => true,
        Outcome::Each(each) => each.iter().all(|one| matches!(one.outcome, Outcome::Done(_) | Outcome::Gone)),
        Outcome::Written(_)
        | Outcome::Changed(_)
        | Outcome::Skipped(_)
        | Outcome::Denied { .. }
        | Outcome::TimedOut(_)
        | Outcome::Cancelled(_)
        | Outcome::Refused(_)
        | Outcome::NotSent(_)
        | Outcome::Unknown(_) => false,
    };
    if done { StepOutcome::Done } else { StepOutcome::Failed }
}
