//! What may be open above a tab: an input, a picker, a detail, help, a question. One at a time.

use crate::command::Command;
use crate::diagnose::FindingKey;
use crate::diagnose::health::ItemKey;
use crate::guard::Prompt;
use crate::keymap::{Chord, Key};
use crate::model::alert::Labels;
use crate::model::plan::PlanOf;
use crate::model::plan::one::One;
use crate::model::relation::RelationKey;
use crate::model::session::SessionKey;
use crate::model::{Seen, ServerText, Shown, Timestamp};

/// What is open.
#[derive(Debug, Default)]
pub enum Mode {
    /// Nothing: keys are commands.
    #[default]
    Normal,
    /// The filter is being typed.
    Filter {
        /// What was typed.
        input: Input,
        /// What is wrong with it.
        error: Option<String>,
    },
    /// One of several is being chosen.
    Pick(Picker),
    /// A row in full.
    Detail {
        /// Which.
        of: Subject,
        /// Lines scrolled.
        scroll: usize,
    },
    /// The keys.
    Help {
        /// Lines scrolled.
        scroll: usize,
    },
    /// The server's settings.
    Settings(Board),
    /// The plan of a statement.
    Plan(PlanView),
    /// What became of each target of a bulk action.
    Outcome {
        /// The action's number.
        id: u64,
        /// Lines scrolled.
        scroll: usize,
    },
    /// A question before an action.
    Ask(Box<Prompt>),
    /// A question before leaving while a job runs.
    Leave,
}

/// A plan that is shown, or asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanView {
    /// Of which statement.
    pub of: PlanOf,
    /// Its one statement, as it was read.
    pub one: One,
    /// How far it is.
    pub stage: PlanStage,
    /// Lines scrolled.
    pub scroll: usize,
    /// What was seen of the question.
    pub seen: Seen,
    /// The detail that it was opened from, and its scroll.
    pub under: Option<(Subject, usize)>,
}

impl PlanView {
    /// A frame showed this much. The question may be answered once all of it was on the screen; what came of it scrolls no
    /// further than it goes.
    pub(super) fn drawn(&mut self, at: Timestamp, shown: Shown) {
        match &mut self.stage {
            PlanStage::Asks(since) => {
                self.seen.take(shown);
                if self.seen.is_enough() {
                    since.get_or_insert(at);
                }
            }
            PlanStage::Asked(_) => self.scroll = shown.above,
        }
    }
}

/// How far a plan is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanStage {
    /// Another role's statement: whether it may be planned is asked; since when all of the question was on the screen.
    Asks(Option<Timestamp>),
    /// The server was asked at this time.
    Asked(Timestamp),
}

/// The list of settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Board {
    /// What was typed to narrow it.
    pub input: Input,
    /// The name that the cursor is on; none: the first.
    pub at: Option<String>,
    /// A new value that is being typed.
    pub edit: Option<Edit>,
}

/// A new value of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The setting.
    pub name: String,
    /// What was typed.
    pub input: Input,
    /// What it wants instead.
    pub error: Option<String>,
}

/// Whose detail is shown: an identity, so that it follows its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A session.
    Session(SessionKey),
    /// A table.
    Table(RelationKey),
    /// An index.
    Index(RelationKey),
    /// A prepared transaction, by its identifier.
    Prepared(ServerText),
    /// A standby.
    Replica(crate::model::replica::ReplicaKey),
    /// An entry of `pg_stat_statements`.
    Statement(crate::model::statement::EntryKey),
    /// Work that tells how far it is, by its backend.
    Progress(SessionKey),
    /// An alert, by its labels.
    Alert(Labels),
    /// The health: one item of it, or all.
    Health(Option<ItemKey>),
    /// The figures that a finding rests on.
    Figures(FindingKey),
    /// What no action fits in this server's own replication, where no standby is in the list.
    Remedies,
}

/// A line of text being typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Input {
    text: String,
    /// Position of the cursor in characters.
    at: usize,
}

impl Input {
    /// An input that holds `text`, the cursor behind it.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self { text: text.to_owned(), at: text.chars().count() }
    }

    /// What was typed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Position of the cursor in characters.
    #[must_use]
    pub fn cursor(&self) -> usize {
        self.at
    }

    /// Takes a key; true where it was one for a line of text.
    pub fn take(&mut self, chord: Chord) -> bool {
        match (chord.key, chord.control, chord.alt) {
            (Key::Char('u'), true, false) => {
                self.text = self.text.chars().skip(self.at).collect();
                self.at = 0;
            }
            (Key::Char('a'), true, false) | (Key::Home, ..) => self.at = 0,
            (Key::Char('e'), true, false) | (Key::End, ..) => self.at = self.text.chars().count(),
            (Key::Char('w'), true, false) => self.cut_word(),
            (Key::Char(c), false, false) => {
                let byte = self.byte(self.at);
                self.text.insert(byte, c);
                self.at += 1;
            }
            (Key::Backspace, ..) if self.at > 0 => {
                self.at -= 1;
                let byte = self.byte(self.at);
                self.text.remove(byte);
            }
            (Key::Delete, ..) if self.at < self.text.chars().count() => {
                let byte = self.byte(self.at);
                self.text.remove(byte);
            }
            (Key::Left, ..) => self.at = self.at.saturating_sub(1),
            (Key::Right, ..) => self.at = (self.at + 1).min(self.text.chars().count()),
            _ => return false,
        }
        true
    }

    fn cut_word(&mut self) {
        let before: Vec<char> = self.text.chars().take(self.at).collect();
        let mut end = before.len();
        while end > 0 && before.get(end - 1).is_some_and(|c| c.is_whitespace()) {
            end -= 1;
        }
        while end > 0 && before.get(end - 1).is_some_and(|c| !c.is_whitespace()) {
            end -= 1;
        }
        self.text = before.iter().take(end).copied().chain(self.text.chars().skip(self.at)).collect();
        self.at = end;
    }

    fn byte(&self, at: usize) -> usize {
        self.text.char_indices().nth(at).map_or(self.text.len(), |(i, _)| i)
    }
}

/// What is being chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct Picker {
    /// The question.
    pub title: &'static str,
    /// What was typed to narrow it.
    pub input: Input,
    /// What can be chosen.
    pub choices: Vec<Choice>,
    /// Which of the matching ones the cursor is on.
    pub at: usize,
}

/// One choice.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// Its name.
    pub name: String,
    /// What it means, or its key.
    pub note: String,
    /// What choosing it does.
    pub pick: Pick,
}

/// What a choice does.
#[derive(Debug, Clone, PartialEq)]
pub enum Pick {
    /// Sort by the column at that index.
    Sort(usize),
    /// Look at that database.
    Database(ServerText),
    /// Run that command.
    Run(Command),
    /// Copy that text, called so.
    Copy(String, &'static str),
    /// Open that runbook, by its index.
    Runbook(usize),
    /// Open the alert with these labels.
    Alert(Labels),
    /// Acknowledge the alert with these labels, or take that back.
    Acknowledge(Labels),
    /// Acknowledge every alert that fires.
    AcknowledgeAll,
}

impl Picker {
    /// The choices that match what was typed: all its characters, in their order.
    #[must_use]
    pub fn matching(&self) -> Vec<&Choice> {
        let needle = self.input.text().to_lowercase();
        let mut hits: Vec<(usize, &Choice)> = self
            .choices
            .iter()
            .filter_map(|c| {
                let name = c.name.to_lowercase();
                if name.contains(&needle) {
                    Some((0, c))
                } else if in_order(&needle, &name) {
                    Some((1, c))
                } else if c.note.to_lowercase().contains(&needle) {
                    Some((2, c))
                } else {
                    None
                }
            })
            .collect();
        hits.sort_by_key(|(rank, _)| *rank);
        hits.into_iter().map(|(_, c)| c).collect()
    }
}

fn in_order(needle: &str, name: &str) -> bool {
    let mut chars = name.chars();
    needle.chars().filter(|c| !c.is_whitespace()).all(|n| chars.any(|c| c == n))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &[Chord]) -> Input {
        let mut input = Input::default();
        for key in keys {
            input.take(*key);
        }
        input
    }

    #[test]
    fn a_line_is_edited_by_characters_not_bytes() {
        let mut input = Input::of("é漢x");
        input.take(Chord::plain(Key::Left));
        input.take(Chord::plain(Key::Backspace));
        assert_eq!(input.text(), "éx");
        input.take(Chord::plain(Key::Home));
        input.take(Chord::plain(Key::Delete));
        assert_eq!(input.text(), "x");
        let mut words = Input::of("one two ");
        words.take(Chord { key: Key::Char('w'), control: true, alt: false });
        assert_eq!(words.text(), "one ");
        words.take(Chord { key: Key::Char('u'), control: true, alt: false });
        assert_eq!(words.text(), "");
    }

    #[test]
    fn keys_that_are_no_text_are_left_to_others() {
        assert_eq!(typed(&[Chord::char('a'), Chord::plain(Key::Enter)]).text(), "a");
        assert!(!Input::default().take(Chord::plain(Key::Esc)));
    }
}
