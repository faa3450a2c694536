//! The pickers: sort columns, databases, commands; what opens them and what choosing does.

use super::App;
use super::mode::{Choice, Input, Mode, Pick, Picker, Subject};
use crate::command::{Command, Reach, SPECS, Tab};
use crate::keymap::{Chord, Key};
use crate::message::Effect;
use crate::model::Tone;

impl App {
    pub(super) fn choose(&mut self, chord: Chord, mut picker: Picker) -> Vec<Effect> {
        let count = picker.matching().len();
        match (chord.key, chord.control) {
            (Key::Esc, _) | (Key::Char('c'), true) => return Vec::new(),
            (Key::Enter, _) => {
                let pick = picker.matching().get(picker.at).map(|c| c.pick.clone());
                return match pick {
                    Some(Pick::Sort(column)) => {
                        self.sort_by(column);
                        Vec::new()
                    }
                    Some(Pick::Database(name)) => {
                        self.database = Some(name);
                        Vec::new()
                    }
                    Some(Pick::Run(command)) => self.run(command),
                    Some(Pick::Copy(text, what)) => self.copy(Some(text), what),
                    Some(Pick::Alert(labels)) => {
                        self.mode = Mode::Detail { of: Subject::Alert(labels), scroll: 0 };
                        Vec::new()
                    }
                    Some(Pick::Runbook(at)) => {
                        self.show_runbook(at);
                        Vec::new()
                    }
                    Some(Pick::Acknowledge(labels)) => self.acknowledge(&labels),
                    Some(Pick::AcknowledgeAll) => self.acknowledge_all(),
                    None => Vec::new(),
                };
            }
            (Key::Down | Key::Tab, _) | (Key::Char('n'), true) => {
                picker.at = (picker.at + 1).min(count.saturating_sub(1));
            }
            (Key::Up | Key::BackTab, _) | (Key::Char('p'), true) => picker.at = picker.at.saturating_sub(1),
            _ => {
                if picker.input.take(chord) {
                    picker.at = 0;
                }
            }
        }
        self.mode = Mode::Pick(picker);
        Vec::new()
    }

    pub(super) fn pick_sort(&mut self) {
        // Findings have one order only.
        let Some(list) = self.list().filter(|_| self.tab != Tab::Triage) else { return };
        let (columns, sorted) = (list.column_docs(), list.sort().0);
        let choices = columns
            .into_iter()
            .enumerate()
            .map(|(i, (name, doc))| Choice { name: name.to_owned(), note: doc.to_owned(), pick: Pick::Sort(i) })
            .collect();
        self.mode = Mode::Pick(Picker { title: "Sort by", input: Input::default(), choices, at: sorted });
    }

    pub(super) fn pick_database(&mut self) {
        let Some(relations) = self.world().relations.get() else {
            self.say("the databases are not known yet", Tone::Faint);
            return;
        };
        let choices: Vec<Choice> = relations
            .databases
            .iter()
            .filter(|d| d.connectable)
            .map(|d| Choice {
                name: d.name.head(63),
                note: d
                    .bytes
                    .map_or_else(|| "size: no permission".to_owned(), |b| crate::model::unit::Bytes(b).short()),
                pick: Pick::Database(d.name.clone()),
            })
            .collect();
        self.mode = Mode::Pick(Picker { title: "Tables of database", input: Input::default(), choices, at: 0 });
    }

    pub(super) fn open_palette(&mut self) {
        let choices = SPECS
            .iter()
            .filter(|s| s.place.holds(self.tab) && s.command != Command::Palette)
            .filter(|s| s.reach == Reach::Reads || self.offers(s.command))
            .map(|s| Choice {
                name: s.name.to_owned(),
                note: format!("{:<8} {}", self.key_of(s.command), s.help),
                pick: Pick::Run(s.command),
            })
            .collect();
        self.mode = Mode::Pick(Picker { title: "Command", input: Input::default(), choices, at: 0 });
    }
}
