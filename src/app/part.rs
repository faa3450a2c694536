//! Tables has several lists, one at a time: which one is shown, what is selected in it, and how it is asked for.

use super::App;
use super::mode::{Mode, Subject};
use super::tab::indexes::IndexRow;
use crate::command::Tab;
use crate::model::Question;
use crate::table::Row;

/// A list of Tables.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Part {
    /// The tables of a database.
    #[default]
    Tables,
    /// Its indexes.
    Indexes,
}

impl Part {
    /// All of them, in the order of the key.
    pub const ALL: [Self; 2] = [Self::Tables, Self::Indexes];

    /// Its name.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Tables => "tables",
            Self::Indexes => "indexes",
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

    /// The question that the indexes on the screen answer: ranked by the column that they are sorted by.
    pub(super) fn indexes_question(&self) -> Question {
        let (column, direction) = self.indexes.sort();
        let name = self.indexes.columns().get(column).map_or("", |c| c.name);
        Question::Indexes { database: self.database.clone(), order: super::tab::indexes::order_of(name, direction) }
    }
}
