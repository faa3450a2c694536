//! Tables has several lists, one at a time: which one is shown, what is selected in it, and how it is asked for.

use super::App;
use super::mode::{Mode, Subject};
use super::tab::indexes::IndexRow;
use super::tab::progress::ProgressRow;
use crate::command::{Command, Tab};
use crate::model::{Latest, Question, ServerText};
use crate::table::Row;

/// A list of Tables.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Part {
    /// The tables of a database.
    #[default]
    Tables,
    /// Its indexes.
    Indexes,
    /// Work of the whole server that tells how far it is.
    Progress,
}

impl Part {
    /// All of them, in the order of the key.
    pub const ALL: [Self; 3] = [Self::Tables, Self::Indexes, Self::Progress];

    /// Its name.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Tables => "tables",
            Self::Indexes => "indexes",
            Self::Progress => "progress",
        }
    }

    fn next(self) -> Self {
        let at = Self::ALL.iter().position(|part| *part == self).unwrap_or(0);
        Self::ALL.get((at + 1) % Self::ALL.len()).copied().unwrap_or_default()
    }
}

impl App {
    /// Goes to the next list of Tables.
    pub(super) fn next_part(&mut self) {
        self.part = self.part.next();
    }

    /// True where that list is the one on the screen.
    #[must_use]
    pub fn shows(&self, part: Part) -> bool {
        self.tab == Tab::Tables && self.part == part
    }

    /// The index that a command means: the one whose detail is open, or the selected one.
    #[must_use]
    pub fn current_index(&self) -> Option<&IndexRow> {
        if let Mode::Detail { of: Subject::Index(key), .. } = &self.mode {
            return self.indexes.all().iter().find(|r| r.key() == *key);
        }
        if self.tab == Tab::Triage && !matches!(self.mode, Mode::Detail { .. }) {
            let key = self.meant_finding()?.target.index()?;
            return self.indexes.all().iter().find(|r| r.key() == *key);
        }
        if self.shows(Part::Indexes) { self.indexes.current() } else { None }
    }

    /// The work that a command means: the one whose detail is open, or the selected one.
    #[must_use]
    pub fn current_progress(&self) -> Option<&ProgressRow> {
        if let Mode::Detail { of: Subject::Progress(key), .. } = &self.mode {
            return self.progress.all().iter().find(|r| r.key() == *key);
        }
        if self.shows(Part::Progress) { self.progress.current() } else { None }
    }

    /// Why no session of Tables can be signalled.
    pub(super) fn no_session_of_progress(&self) -> String {
        if !self.shows(Part::Progress) {
            return format!(
                "no session is meant here: who is at work stands in the progress ({})",
                self.key_of(Command::NextView)
            );
        }
        match self.current_progress() {
            Some(row) if row.ours => {
                format!("{} is our own job: {} stops it", row.progress.pid, self.key_of(Command::CancelJob))
            }
            Some(row) => {
                format!("{} is not in the list of sessions: it is gone, or was not seen yet", row.progress.pid)
            }
            None if self.progress.selection_is_gone() => "the selected one has ended: select another".to_owned(),
            None => "nothing is selected".to_owned(),
        }
    }

    /// The question for the statement that makes the index whose detail is open; none while another database is being
    /// switched to, whose index of that OID is another one.
    #[must_use]
    pub fn definition_question(&self) -> Option<Question> {
        let Mode::Detail { of: Subject::Index(key), .. } = &self.mode else { return None };
        let here = self.database.as_ref().is_none_or(|database| *database == key.database);
        here.then(|| Question::IndexDefinition { database: self.database.clone(), oid: key.oid })
    }

    /// What is known of it.
    #[must_use]
    pub fn definition(&self) -> Option<&Latest<ServerText>> {
        let question = self.definition_question()?;
        self.world().definition.as_ref().filter(|(asked, _)| *asked == question).map(|(_, latest)| latest)
    }

    /// The question that the indexes on the screen answer: ranked by the column that they are sorted by.
    pub(super) fn indexes_question(&self) -> Question {
        let (column, direction) = self.indexes.sort();
        let name = self.indexes.columns().get(column).map_or("", |c| c.name);
        Question::Indexes { database: self.database.clone(), order: super::tab::indexes::order_of(name, direction) }
    }
}
