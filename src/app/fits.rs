//! Which commands would do something where the cursor is: a key that could only be refused there is not offered.
//!
//! It asks the guard what it would say, and nothing of it is told; a key that is pressed all the same says why not.

use super::App;
use super::mode::{Mode, Subject};
use crate::command::{Command, Tab};
use crate::diagnose::alert::board::Row;
use crate::guard::{Signal, Task, Write, objection};

impl App {
    /// True where the key of this command is worth offering here and now.
    #[expect(clippy::wildcard_enum_match_arm, reason = "every other command needs nothing that could be missing")]
    #[must_use]
    pub fn fits(&self, command: Command) -> bool {
        match command {
            Command::CancelBackend => self.signal_fits(Signal::Cancel),
            Command::TerminateBackend => self.signal_fits(Signal::Terminate),
            Command::VacuumAnalyze => self.job_fits(self.maintenance_meant(Task::VacuumAnalyze)),
            Command::Analyze => self.job_fits(self.maintenance_meant(Task::Analyze)),
            Command::Reindex => self.job_fits(self.maintenance_meant(Task::Reindex)),
            Command::DropInvalidIndex => self.job_fits(self.maintenance_meant(Task::DropInvalid)),
            Command::VacuumDatabase => self.job_fits(self.vacuum_meant().ok()),
            Command::ExpireCache => self.job_fits(self.expiry_meant()),
            Command::CancelJob => self.running_job().is_some(),
            Command::ExactBloat => self.current_table().is_some(),
            // In a runbook it leads to the step's own place.
            Command::ShowEvidence => self.runbook().is_some() || self.meant_finding().is_some(),
            Command::OpenDetail | Command::Mark => self.has_row(),
            Command::ShowPlan => matches!(self.mode, Mode::Plan(_)) || self.plan_of().is_ok(),
            Command::Acknowledge => self.acknowledgeable(),
            Command::CopyQuery if matches!(self.mode, Mode::Normal) => self.has_text(),
            _ => true,
        }
    }

    /// A signal to the selected session. What is marked is judged one by one where it is asked about.
    fn signal_fits(&self, signal: Signal) -> bool {
        match self.signal_meant(signal) {
            Some(Write::Bulk(_)) => true,
            Some(write) => self.passes(&write),
            None => false,
        }
    }

    /// Work that takes the one place of our jobs.
    fn job_fits(&self, write: Option<Write>) -> bool {
        self.running_job().is_none() && write.is_some_and(|write| self.passes(&write))
    }

    fn passes(&self, write: &Write) -> bool {
        objection(write, &self.scene(self.opened_by, &self.doings())).is_none()
    }

    /// True unless the list on the screen is empty, and nothing else can be opened there.
    fn has_row(&self) -> bool {
        let remedies = || self.tab == Tab::Replication && !self.remedies_of(&Subject::Remedies).is_empty();
        self.list().is_none_or(|list| !list.is_empty()) || remedies()
    }

    /// True but for an open alert that does not fire.
    fn acknowledgeable(&self) -> bool {
        let Mode::Detail { of: Subject::Alert(labels), .. } = &self.mode else { return true };
        self.alerts().row(labels).is_some_and(|row: Row| row.is_burning())
    }

    /// True unless the selected session has no text that could be copied.
    fn has_text(&self) -> bool {
        match self.tab {
            Tab::Connections | Tab::Slow => self.current_session().is_some_and(|row| !row.session.query.is_empty()),
            Tab::Triage | Tab::Locks | Tab::Tables | Tab::Replication | Tab::Latency | Tab::Cache | Tab::Statements => {
                true
            }
        }
    }
}
