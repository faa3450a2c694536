//! Runbooks in the console: which one is open, where its cursor is, what became of its steps, and what its keys do.
//!
//! A runbook acts on nothing: the command that a step offers is run as everywhere, and asks as everywhere.

mod ask;
mod record;

pub(super) use record::told;
pub use record::{Mark, StepOutcome};

use std::collections::BTreeMap;

use super::App;
use super::mode::{Choice, Input, Mode, Pick, Picker};
use crate::command::{Command, Place, Reach, Tab};
use crate::diagnose::runbook::{Runbook, Step};
use crate::diagnose::{Finding, Look, Target};
use crate::guard::Policy;
use crate::keymap::{Chord, Step as Keys};
use crate::message::Effect;
use crate::model::{ServerText, Tone};

/// Lines of a screen from which on the cursor begins on the first step: with fewer one would not see what betrays it.
const TALL: u16 = 20;

/// What the cursor of a runbook is on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spot {
    /// Its head: what betrays it.
    #[default]
    Head,
    /// A step, by its index.
    Step(usize),
    /// Its end: causes, growth, whom to call.
    End,
}

/// How far one is in a runbook.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// Where the cursor is.
    pub spot: Spot,
    /// Lines scrolled from where the cursor is seen.
    pub scroll: i32,
    /// What became of its steps, by their index.
    pub marks: BTreeMap<usize, Mark>,
}

/// All runbooks.
#[derive(Debug, Default)]
pub struct Runbooks {
    books: Vec<Runbook>,
    /// The one that stands in the place of the findings, by its index.
    open: Option<usize>,
    /// The one that was open when a step, or a tab's key, led away.
    left: Option<usize>,
    /// How far one is, by the index of the runbook.
    progress: BTreeMap<usize, Progress>,
    /// The step whose action is being asked about.
    asked: Option<StepRef>,
    /// Actions that were taken from a step.
    acted: BTreeMap<u64, StepRef>,
}

/// A step: the indices of its runbook and of itself.
type StepRef = (usize, usize);

impl Runbooks {
    /// These, none of them open.
    #[must_use]
    pub fn of(books: Vec<Runbook>) -> Self {
        Self { books, ..Self::default() }
    }
}

impl App {
    /// The runbook that is on the screen.
    #[must_use]
    pub fn runbook(&self) -> Option<&Runbook> {
        if self.tab == Tab::Triage { self.runbooks.books.get(self.runbooks.open?) } else { None }
    }

    /// How far one is in it.
    #[must_use]
    pub fn runbook_progress(&self) -> Progress {
        self.runbooks.open.and_then(|at| self.runbooks.progress.get(&at)).cloned().unwrap_or_default()
    }

    /// The step that the cursor is on.
    #[must_use]
    pub fn current_step(&self) -> Option<&Step> {
        let Spot::Step(at) = self.runbook_progress().spot else { return None };
        self.runbook()?.steps.get(at)
    }

    /// All that facts are read from: what the screen shows, also while it is frozen.
    #[must_use]
    pub fn shown_look(&self) -> Look<'_> {
        Look {
            world: self.world(),
            history: &self.triage.history,
            limits: &self.triage.limits,
            panels: &self.setup.panels,
            workload: self.setup.workload.as_ref(),
            alerts: self.alerts(),
            watchlist: &self.setup.watchlist,
            prometheus: self.setup.prometheus.is_some(),
            now: self.shown_now(),
        }
    }

    /// The finding that a step is about: of its kinds the first that is there.
    #[must_use]
    pub fn step_finding(&self, step: &Step) -> Option<&Finding> {
        let findings = &self.triage.diagnosis.findings;
        step.findings.iter().find_map(|kind| findings.iter().find(|f| f.kind() == *kind))
    }

    /// What a step offers to do: its command, else what helps against its finding.
    #[must_use]
    pub fn step_command(&self, step: &Step) -> Option<Command> {
        step.command.or_else(|| self.step_finding(step)?.action)
    }

    /// The key of what a step offers; none where the policy does not allow it.
    #[must_use]
    pub fn step_key(&self, command: Command) -> Option<String> {
        self.setup.keymap.chords_of(command, home(command)).first().map(ToString::to_string)
    }

    /// The finding that a command means: that of the open runbook's step, else the selected one.
    #[must_use]
    pub fn meant_finding(&self) -> Option<&Finding> {
        match self.runbook() {
            Some(_) => self.step_finding(self.current_step()?),
            None => self.current_finding(),
        }
    }

    /// The runbook of a finding: of an alert the one that its annotation names; else one of your own of which a step is
    /// about such a finding; else the built-in one that it belongs to.
    #[must_use]
    pub fn runbook_of(&self, finding: &Finding) -> Option<&Runbook> {
        let books = &self.runbooks.books;
        let named = |id: &str| books.iter().find(|book| book.id == id);
        if let Target::Alert(labels) = &finding.target {
            return named(self.alerts().row(labels)?.annotations.get("runbook")?);
        }
        let about = |book: &&Runbook| book.steps.iter().any(|step| step.findings.contains(&finding.kind()));
        let own = books.iter().filter(|book| book.origin.is_some()).find(about);
        own.or_else(|| named(finding.runbook()?))
    }

    /// The runbook of the selected finding; from elsewhere the one that was left; else the list.
    pub(super) fn open_runbook(&mut self) {
        let selected = self.current_finding().filter(|_| self.tab == Tab::Triage);
        let id = selected.and_then(|finding| self.runbook_of(finding)).map(|book| book.id.clone());
        let of_finding = id.and_then(|id| self.runbooks.books.iter().position(|book| book.id == id));
        let left = self.runbooks.left.filter(|_| selected.is_none());
        match of_finding.or(left).filter(|_| self.runbook().is_none()) {
            Some(at) => self.show_runbook(at),
            None => self.list_runbooks(),
        }
    }

    /// The list, the one with the most signs met first.
    fn list_runbooks(&mut self) {
        let look = self.shown_look();
        let mut books: Vec<_> = self.runbooks.books.iter().enumerate().map(|(at, b)| (at, b, b.tally(&look))).collect();
        books.sort_by(|a, b| b.2.met.cmp(&a.2.met).then(a.0.cmp(&b.0)));
        let choices = books.into_iter().map(|(at, book, tally)| Choice {
            name: ServerText::from(book.title.as_str()).head(60),
            note: format!("{} · {}", tally.shown(), ServerText::from(book.summary.as_str()).head(200)),
            pick: Pick::Runbook(at),
        });
        let choices = choices.collect();
        self.mode = Mode::Pick(Picker { title: "Runbooks", input: Input::default(), choices, at: 0 });
    }

    pub(super) fn show_runbook(&mut self, at: usize) {
        let Some(title) = self.runbooks.books.get(at).map(|book| book.title.clone()) else { return };
        self.tab = Tab::Triage;
        self.mode = Mode::Normal;
        self.runbooks.open = Some(at);
        self.runbooks.left = None;
        if !self.runbooks.progress.contains_key(&at) {
            let spot = if self.size.1 >= TALL { Spot::Step(0) } else { Spot::Head };
            self.runbooks.progress.insert(at, Progress { spot, ..Progress::default() });
            self.note(format!("runbook {title}: opened"));
        }
    }

    /// A key that the keymap has on another tab only, where the step offers what it runs.
    pub(super) fn runbook_chord(&mut self, chord: Chord) -> Option<Vec<Effect>> {
        let command = self.step_command(self.current_step()?)?;
        let here = self.setup.keymap.step(Tab::Triage, &self.pending, chord);
        if here != Keys::Unbound || home(command) == Tab::Triage {
            return None;
        }
        match self.setup.keymap.step(home(command), &self.pending, chord) {
            Keys::Run(run) if run == command => {
                self.pending.clear();
                self.opened_by = chord;
                Some(self.act_on_step(command))
            }
            Keys::Barred(barred) if barred == command => {
                self.pending.clear();
                Some(self.barred(command))
            }
            Keys::Run(_) | Keys::Barred(_) | Keys::Pending(_) | Keys::Unbound => None,
        }
    }

    /// What a command does while a runbook is open; none where that is what it always does.
    #[expect(clippy::wildcard_enum_match_arm, reason = "every other command does what it always does")]
    pub(super) fn run_in_runbook(&mut self, command: Command) -> Option<Vec<Effect>> {
        self.runbook()?;
        match command {
            Command::SelectNext => self.step_runbook(1),
            Command::SelectPrevious => self.step_runbook(-1),
            Command::SelectFirst => self.go_in_runbook(|_| Spot::Head),
            Command::SelectLast => self.go_in_runbook(|_| Spot::End),
            Command::PageDown => self.scroll_runbook(1),
            Command::PageUp => self.scroll_runbook(-1),
            Command::ShowEvidence => self.go_from_step(),
            Command::StepDone => self.mark_step(StepOutcome::Done),
            Command::StepSkipped => self.mark_step(StepOutcome::Skipped),
            Command::StepFailed => self.mark_step(StepOutcome::Failed),
            Command::CopyQuery => return Some(self.copy_of_step()),
            Command::CopyRow => return Some(self.copy_step()),
            Command::Back => {
                self.runbooks.open = None;
                self.runbooks.left = None;
            }
            _ => {
                let offered = self.current_step().and_then(|step| self.step_command(step)) == Some(command);
                if offered {
                    return Some(self.act_on_step(command));
                }
                if command.spec().reach == Reach::Reads {
                    return None;
                }
                // What would be hit is not on the screen.
                let brief = command.spec().brief;
                let back = self.key_of(Command::Back);
                self.say(format!("this step offers no {brief}: {back} leads back to the findings"), Tone::Notice);
            }
        }
        Some(Vec::new())
    }

    pub(super) fn needs_runbook(&mut self) {
        let key = self.key_of(Command::Runbook);
        self.say(format!("this marks the step of a runbook: {key} opens one"), Tone::Faint);
    }

    /// A tab that is shown hides the runbook; the key of runbooks leads back.
    pub(super) fn leave_runbook(&mut self) {
        if let Some(at) = self.runbooks.open.take() {
            self.runbooks.left = Some(at);
        }
    }

    fn act_on_step(&mut self, command: Command) -> Vec<Effect> {
        if let (Some(book), Spot::Step(step)) = (self.runbooks.open, self.runbook_progress().spot) {
            self.runbooks.asked = Some((book, step));
        }
        self.run_here(command)
    }

    /// What was asked about from a step is that no more, once nothing is asked.
    pub(super) fn forget_step(&mut self) {
        if self.look.is_none() && !matches!(self.mode, Mode::Ask(_) | Mode::Settings(_)) {
            self.runbooks.asked = None;
        }
    }

    fn go_in_runbook(&mut self, to: impl FnOnce(Spot) -> Spot) {
        if let Some(progress) = self.runbooks.open.and_then(|at| self.runbooks.progress.get_mut(&at)) {
            progress.spot = to(progress.spot);
            progress.scroll = 0;
        }
    }

    fn step_runbook(&mut self, by: isize) {
        let steps = self.runbook().map_or(0, |book| book.steps.len());
        self.go_in_runbook(|spot| {
            let at = match spot {
                Spot::Head => 0,
                Spot::Step(at) => at + 1,
                Spot::End => steps + 1,
            };
            match at.saturating_add_signed(by) {
                0 => Spot::Head,
                at if at <= steps => Spot::Step(at - 1),
                _ => Spot::End,
            }
        });
    }

    fn scroll_runbook(&mut self, by: i32) {
        let page = i32::from(self.size.1.saturating_sub(6)).max(1);
        if let Some(progress) = self.runbooks.open.and_then(|at| self.runbooks.progress.get_mut(&at)) {
            progress.scroll = progress.scroll.saturating_add(by * page);
        }
    }

    /// Goes where the step is to be looked at: to its finding's row, else to its tab and panel.
    fn go_from_step(&mut self) {
        let Some(step) = self.current_step() else {
            self.step_runbook(1);
            return;
        };
        let (tab, panel) = (step.tab, step.panel.clone());
        if self.step_finding(step).is_some() {
            self.show_evidence();
            self.leave_runbook();
        } else if let Some(tab) = tab {
            self.leave_runbook();
            self.tab = tab;
            if let Some(id) = panel {
                self.select_panel(&id);
            }
        } else {
            self.say("this step leads nowhere: it is done elsewhere", Tone::Faint);
        }
    }

    fn copy_of_step(&mut self) -> Vec<Effect> {
        let copy = self.current_step().and_then(|step| step.copy.clone());
        match copy {
            Some(copy) => self.copy(Some(copy.text), &copy.what),
            None => self.copy(None, ""),
        }
    }

    /// The step as text, to be pasted elsewhere.
    fn copy_step(&mut self) -> Vec<Effect> {
        let text = self.current_step().map(|step| {
            let look = self.shown_look();
            let shown = step.show.iter().map(|fact| match fact.read(&look) {
                Ok(value) => format!("{} = {} {}", fact.name, fact.unit.shown(value.figure), value.note),
                Err(unknown) => format!("{}: not known: {}", fact.name, unknown.why),
            });
            let lines = std::iter::once(step.title.clone()).chain(step.text.iter().cloned()).chain(shown);
            lines.collect::<Vec<_>>().join("\n  ")
        });
        self.copy(text, "step")
    }

    /// True where the policy allows no key of that command.
    #[must_use]
    pub fn step_is_barred(&self, command: Command) -> bool {
        command.spec().reach > Reach::Reads
            && self.setup.policy != Policy::Admin
            && self.setup.keymap.chords_of(command, home(command)).is_empty()
    }
}

/// The tab whose keys a step's command has: Triage, where it is offered there.
fn home(command: Command) -> Tab {
    match command.spec().place {
        Place::Tabs([first, ..]) if !command.spec().place.holds(Tab::Triage) => *first,
        Place::Everywhere | Place::Tabs(_) => Tab::Triage,
    }
}
