//! Keys: what is open takes them first; what remains is looked up in the keymap and run as a command.

use super::App;
use super::mode::{Input, Mode, Subject};
use super::pace::Pace;
use super::part::Part;
use super::tab::slow::{Step as Threshold, stepped};
use crate::command::{Command, Tab};
use crate::guard::{Signal, Task};
use crate::keymap::{Chord, Key, Step};
use crate::message::Effect;
use crate::model::{Scroll, Timestamp, Tone};

impl App {
    pub(super) fn press(&mut self, chord: Chord, at: Timestamp) -> Vec<Effect> {
        self.remember_once(at);
        self.forget_step();
        if self.waits_for_look(chord) { Vec::new() } else { self.pressed(chord, at) }
    }

    fn pressed(&mut self, chord: Chord, at: Timestamp) -> Vec<Effect> {
        if self.notice_is_old() {
            self.notice = None;
        }
        match std::mem::take(&mut self.mode) {
            Mode::Normal => self.command(chord),
            Mode::Filter { input, .. } => self.type_filter(chord, input),
            Mode::Pick(picker) => self.choose(chord, picker),
            Mode::Detail { of, scroll } => {
                let top = self.scrolled(chord, scroll);
                self.mode = Mode::Detail { of, scroll: top.unwrap_or(scroll) };
                if top.is_some() { Vec::new() } else { self.command(chord) }
            }
            Mode::Help { scroll } => {
                match self.scrolled(chord, scroll) {
                    Some(scroll) => self.mode = Mode::Help { scroll },
                    // Any other key only closes the help: nobody presses a key there to act.
                    None => self.mode = Mode::Normal,
                }
                Vec::new()
            }
            Mode::Settings(board) => self.settings_key(chord, board),
            Mode::Plan(view) => self.plan_key(view, chord, at),
            Mode::Outcome { id, scroll } => {
                // Any other key only closes it: whoever still types the answer must not act with it.
                self.mode = self.scrolled(chord, scroll).map_or(Mode::Normal, |scroll| Mode::Outcome { id, scroll });
                Vec::new()
            }
            Mode::Ask(prompt) => self.answer(prompt, chord, at),
            Mode::Leave => {
                let yes = chord == Chord::char('y') || (chord.control && chord.key == Key::Char('c'));
                if yes { vec![Effect::Quit] } else { Vec::new() }
            }
        }
    }

    /// Scrolls an open text; none where the key is not one that moves.
    pub(super) fn scrolled(&self, chord: Chord, scroll: usize) -> Option<usize> {
        let page = usize::from(self.size.1.saturating_sub(6));
        self.moves(chord).map(|by| by.from(scroll, page))
    }

    /// How a key moves through an open text: as it moves through a list.
    #[expect(clippy::wildcard_enum_match_arm, reason = "every other command is none that scrolls")]
    pub(super) fn moves(&self, chord: Chord) -> Option<Scroll> {
        let Step::Run(command) = self.setup.keymap.step(self.tab, &self.pending, chord) else { return None };
        match command {
            Command::SelectNext => Some(Scroll::Down),
            Command::SelectPrevious => Some(Scroll::Up),
            Command::PageDown => Some(Scroll::PageDown),
            Command::PageUp => Some(Scroll::PageUp),
            Command::SelectFirst => Some(Scroll::First),
            Command::SelectLast => Some(Scroll::Last),
            _ => None,
        }
    }

    fn command(&mut self, chord: Chord) -> Vec<Effect> {
        if let Some(effects) = self.runbook_chord(chord) {
            return effects;
        }
        match self.setup.keymap.step(self.tab, &self.pending, chord) {
            Step::Run(command) => {
                self.pending.clear();
                self.opened_by = chord;
                self.run(command)
            }
            Step::Pending(_) => {
                self.pending.push(chord);
                Vec::new()
            }
            Step::Barred(command) => {
                self.pending.clear();
                self.barred(command)
            }
            Step::Unbound => {
                self.pending.clear();
                Vec::new()
            }
        }
    }

    pub(super) fn run(&mut self, command: Command) -> Vec<Effect> {
        self.leave_row(command);
        self.run_in_runbook(command).unwrap_or_else(|| self.run_here(command))
    }

    /// Runs a command as it is without a runbook.
    pub(super) fn run_here(&mut self, command: Command) -> Vec<Effect> {
        // A detail that is open stays open only for what belongs to it.
        let keeps_detail = matches!(
            command,
            Command::CancelBackend
                | Command::TerminateBackend
                | Command::VacuumAnalyze
                | Command::Analyze
                | Command::Reindex
                | Command::DropInvalidIndex
                | Command::VacuumDatabase
                | Command::CancelJob
                | Command::ExactBloat
                | Command::ShowPlan
                | Command::CopyRow
                | Command::CopyQuery
                | Command::Freeze
                | Command::Faster
                | Command::Slower
                | Command::Reconnect
                | Command::ToggleZone
                | Command::Acknowledge
        );
        let in_detail = matches!(self.mode, Mode::Detail { .. });
        if in_detail && !keeps_detail {
            self.mode = Mode::Normal;
        }
        match command {
            Command::ShowTriage => self.show(Tab::Triage),
            Command::ShowConnections => self.show(Tab::Connections),
            Command::ShowSlow => self.show(Tab::Slow),
            Command::ShowLocks => self.show(Tab::Locks),
            Command::ShowTables => self.show(Tab::Tables),
            Command::ShowReplication => self.show(Tab::Replication),
            Command::ShowLatency => self.show(Tab::Latency),
            Command::ShowCache => self.show(Tab::Cache),
            Command::ShowStatements => self.show(Tab::Statements),
            Command::NextTab => self.show(neighbour(self.tab, 1)),
            Command::PreviousTab => self.show(neighbour(self.tab, Tab::ALL.len() - 1)),
            Command::CancelBackend => return self.ask_signal(Signal::Cancel),
            Command::TerminateBackend => return self.ask_signal(Signal::Terminate),
            Command::VacuumAnalyze => return self.ask_maintenance(Task::VacuumAnalyze),
            Command::Analyze => return self.ask_maintenance(Task::Analyze),
            Command::ExpireCache => return self.ask_expiry(),
            Command::Reindex => return self.ask_maintenance(Task::Reindex),
            Command::DropInvalidIndex => return self.ask_maintenance(Task::DropInvalid),
            Command::VacuumDatabase => return self.ask_vacuum_database(),
            Command::CancelJob => return self.stop_job(),
            Command::ExactBloat => self.measure_bloat(),
            Command::ShowPlan => self.open_plan(),
            Command::ShowEvidence => self.show_evidence(),
            Command::Acknowledge => return self.acknowledge_or_list(),
            Command::ShowHealth => self.mode = Mode::Detail { of: Subject::Health(None), scroll: 0 },
            Command::Runbook => self.open_runbook(),
            Command::StepDone | Command::StepSkipped | Command::StepFailed => self.needs_runbook(),
            Command::ServerSettings => self.open_settings(),
            Command::QueryLogging => return self.toggle_query_logging(),
            Command::ReloadConfiguration => return self.ask_reload(),
            Command::OpenDetail if !in_detail => self.open_detail(),
            Command::OpenDetail => {}
            Command::Back if in_detail => {}
            Command::Back if self.filter_text().is_empty() => self.clear_marks(),
            Command::Back => self.clear_filter(),
            Command::Mark => self.toggle_mark(),
            Command::MarkAll => self.toggle_marks(),
            Command::ShowOutcome => self.open_outcome(),
            Command::Filter => {
                self.mode = Mode::Filter { input: Input::of(self.filter_text()), error: None };
            }
            Command::PickSort => self.pick_sort(),
            Command::ReverseSort => self.reverse_sort(),
            Command::RaiseThreshold => self.threshold(Threshold::Longer),
            Command::LowerThreshold => self.threshold(Threshold::Shorter),
            Command::NextView => self.next_part(),
            Command::SwitchDatabase => self.pick_database(),
            Command::SelectNext | Command::NextPanel => self.step(1),
            Command::SelectPrevious | Command::PreviousPanel => self.step(-1),
            Command::SelectFirst => self.select_at(0),
            Command::SelectLast => self.select_at(usize::MAX),
            Command::PageDown => self.step(self.page()),
            Command::PageUp => self.step(-self.page()),
            Command::CopyRow => return self.copy_row(),
            Command::CopyQuery => return self.copy_query(),
            Command::Freeze => self.toggle_freeze(),
            Command::Faster => self.pace(Pace::Faster),
            Command::Slower => self.pace(Pace::Slower),
            Command::Reconnect => {
                self.reconnect += 1;
                self.say("connecting again", Tone::Faint);
            }
            Command::ToggleZone => self.local_time = !self.local_time,
            Command::Palette => self.open_palette(),
            Command::Help => self.mode = Mode::Help { scroll: 0 },
            Command::Quit => {
                if self.running_job().is_some() {
                    self.mode = Mode::Leave;
                } else {
                    return vec![Effect::Quit];
                }
            }
        }
        Vec::new()
    }

    fn show(&mut self, tab: Tab) {
        self.leave_runbook();
        self.tab = tab;
        self.mode = Mode::Normal;
    }

    fn page(&self) -> isize {
        isize::try_from(self.size.1.saturating_sub(8)).unwrap_or(1).max(1)
    }

    fn open_detail(&mut self) {
        use crate::table::Row;
        let subject = match self.tab {
            Tab::Connections => self.connections.current().map(|r| Subject::Session(r.key())),
            Tab::Slow => self.slow.current().map(|r| Subject::Session(r.key())),
            Tab::Locks => match self.open_lock() {
                Some(subject) => Some(subject),
                None => return,
            },
            Tab::Tables => match self.part {
                Part::Tables => self.tables.current().map(|r| Subject::Table(r.key())),
                Part::Indexes => self.indexes.current().map(|r| Subject::Index(r.key())),
                Part::Progress => self.progress.current().map(|r| Subject::Progress(r.key())),
            },
            Tab::Replication => match self.replicas.current() {
                Some(row) => Some(Subject::Replica(row.key())),
                None => (!self.remedies_of(&Subject::Remedies).is_empty()).then_some(Subject::Remedies),
            },
            Tab::Statements => self.statements.current().map(|r| Subject::Statement(r.key())),
            Tab::Latency | Tab::Cache | Tab::Triage => None,
        };
        match subject {
            Some(of) => {
                // The cursor is pinned to what is looked at, so that closing the detail finds it again.
                self.step(0);
                self.mode = Mode::Detail { of, scroll: 0 };
            }
            None => self.say("no row is selected", Tone::Faint),
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "every other key is one for the line of text")]
    fn type_filter(&mut self, chord: Chord, mut input: Input) -> Vec<Effect> {
        match chord.key {
            Key::Esc => self.clear_filter(),
            Key::Char('c') if chord.control => self.clear_filter(),
            Key::Enter => {
                if let Err(error) = self.apply_filter(input.text()) {
                    self.mode = Mode::Filter { input, error: Some(error) };
                }
            }
            _ => {
                input.take(chord);
                // While a term is half typed the last filter that could be read stays.
                let error = self.apply_filter(input.text()).err();
                self.mode = Mode::Filter { input, error };
            }
        }
        Vec::new()
    }

    fn threshold(&mut self, which: Threshold) {
        self.slow_after_s = stepped(self.slow_after_s, which);
        self.rebuild_sessions();
    }

    fn toggle_freeze(&mut self) {
        if self.frozen.take().is_some() {
            self.frozen_alerts = None;
            self.say("live again", Tone::Faint);
        } else {
            self.frozen = Some((Box::new(self.world.clone()), self.now));
            self.frozen_alerts = Some(Box::new(self.board.clone()));
        }
        self.rebuild();
    }
}

fn neighbour(tab: Tab, by: usize) -> Tab {
    let at = Tab::ALL.iter().position(|t| *t == tab).unwrap_or(0);
    Tab::ALL.get((at + by) % Tab::ALL.len()).copied().unwrap_or(tab)
}
