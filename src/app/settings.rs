//! The list of settings above a tab: what it shows, what a new value is typed for, what is undone.
//!
//! It changes nothing: a typed value becomes a question, as every action does.

use super::App;
use super::mode::{Board, Edit, Input, Mode};
use crate::command::Command;
use crate::guard::{Policy, Refusal, Wish, Write, unchangeable};
use crate::keymap::{Chord, Key, Step};
use crate::message::Effect;
use crate::model::setting::catalogue::{self, Known};
use crate::model::setting::{Change, Entry, QUERY_LOGGING, Setting};
use crate::model::{Tone, seconds_between};

/// The word that takes a change of ours back.
const UNDO: &str = "undo";

/// The threshold that `L` proposes: slow for nearly every service, and few statements are slower.
const SLOW: &str = "1s";

/// How long after a change the settings are looked at closely, in seconds.
const WATCHED_S: f64 = 15.0;

/// One line of the list.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// The setting.
    pub setting: &'a Setting,
    /// What it is good for, where it is offered.
    pub known: Option<&'static Known>,
    /// Our change of it that stands.
    pub change: Option<&'a Change>,
}

impl App {
    /// Our changes on the server that is shown.
    pub fn changes_here(&self) -> impl Iterator<Item = &Change> {
        let world = self.world();
        let server = world.server.get();
        let place = world.place.as_deref();
        self.history.changes.iter().filter(move |change| {
            let id = server.and_then(|server| server.system_identifier.as_deref());
            server.is_some_and(|server| change.is_of(place, id, server.in_recovery))
        })
    }

    /// The settings that the filter lets through: ours first, then in the catalogue's order, then the rest.
    #[must_use]
    pub fn settings_shown(&self, filter: &str) -> Vec<Line<'_>> {
        let Some(settings) = self.world().settings.get() else { return Vec::new() };
        let filter = filter.to_lowercase();
        let place = |name: &str| catalogue::KNOWN.iter().position(|known| known.name == name).unwrap_or(usize::MAX);
        let mut lines: Vec<Line<'_>> = settings
            .rows
            .iter()
            .map(|setting| Line {
                setting,
                known: catalogue::known(&setting.name),
                change: self.changes_here().find(|change| change.name == setting.name),
            })
            .filter(|line| {
                let group = line.known.map_or("", |known| known.group);
                [line.setting.name.as_str(), group].iter().any(|text| text.to_lowercase().contains(&filter))
            })
            .collect();
        lines.sort_by_key(|line| {
            let name = &line.setting.name;
            (line.change.is_none(), !name.starts_with(&filter), place(name))
        });
        lines
    }

    /// What of the queries is logged by somebody's `ALTER SYSTEM`, or may be as far as our log tells.
    #[must_use]
    pub fn query_logging(&self) -> Option<String> {
        match self.world().settings.get() {
            Some(settings) => settings.query_logging(),
            None => self.changes_here().find(|c| QUERY_LOGGING.contains(&c.name.as_str())).map(|_| "?".to_owned()),
        }
    }

    /// True for some seconds after a change of ours.
    pub(super) fn changed_a_setting(&self) -> bool {
        let last = self.actions.iter().rev().find(|action| action.write.session().is_none() && action.job.is_none());
        last.is_some_and(|action| seconds_between(action.at, self.now) < WATCHED_S)
    }

    pub(super) fn open_settings(&mut self) {
        self.mode = Mode::Settings(Board::default());
    }

    /// Proposes to log slow statements; to undo it where that was done from here.
    pub(super) fn toggle_query_logging(&mut self) -> Vec<Effect> {
        let Some(settings) = self.world().settings.get() else {
            self.say("the settings are not known yet", Tone::Warning);
            return Vec::new();
        };
        let [least, ..] = QUERY_LOGGING;
        let ours = QUERY_LOGGING.iter().find_map(|name| self.changes_here().find(|change| change.name == *name));
        if let Some(change) = ours.cloned() {
            return self.undo(&change);
        }
        if let Some(logged) = settings.query_logging() {
            let key = self.key_of(Command::ServerSettings);
            let text = format!(
                "queries are logged already ({logged}), but this console's log does not tell that it was turned on from \
                 here, nor what was set before: {key} lists the settings"
            );
            self.say(text, Tone::Warning);
            return Vec::new();
        }
        // Whoever may not is told so before a value is typed.
        if let (Some(setting), Some(server)) = (settings.get(least), self.world().server.get())
            && let Some(refusal) = self.unchangeable(setting)
        {
            let wish = Wish::read(setting, SLOW).unwrap_or(Wish::Reset);
            return self.refused(Write::setting(setting, &wish, server), &refusal);
        }
        let edit = Edit { name: least.to_owned(), input: Input::of(SLOW), error: None };
        self.mode = Mode::Settings(Board { at: Some(least.to_owned()), edit: Some(edit), ..Board::default() });
        Vec::new()
    }

    /// Asks to put back what stood before our change. What somebody else wrote since is told, and not overwritten.
    fn undo(&mut self, change: &Change) -> Vec<Effect> {
        let world = self.world();
        let (Some(settings), Some(server)) = (world.settings.get(), world.server.get()) else {
            self.say("the settings are not known yet", Tone::Warning);
            return Vec::new();
        };
        let name = &change.name;
        let Some(setting) = settings.get(name) else {
            self.say(format!("{name} is no setting that was read here"), Tone::Warning);
            return Vec::new();
        };
        if setting.entry != Entry::Unknown && setting.entry != change.to {
            let (now, to, was) = (setting.entry.shown(), change.to.shown(), change.was.shown());
            let said = format!(
                "{name} was changed by somebody else since: postgresql.auto.conf has {now}, we wrote {to}; what stood \
                 before ours: {was}. Type the value that is wanted"
            );
            self.say(said, Tone::Warning);
            return Vec::new();
        }
        if let Some(write) = Write::undo(setting, change, server) {
            return self.ask(write);
        }
        self.say(format!("what stood before for {name} is not known: type the value that is wanted"), Tone::Warning);
        Vec::new()
    }

    pub(super) fn ask_reload(&mut self) -> Vec<Effect> {
        let Some(server) = self.world().server.get() else {
            self.say("the server is not known yet: nothing can be done", Tone::Warning);
            return Vec::new();
        };
        let write = Write::reload(server);
        self.ask(write)
    }

    pub(super) fn settings_key(&mut self, chord: Chord, mut board: Board) -> Vec<Effect> {
        if let Some(edit) = board.edit.take() {
            return self.edit_key(chord, board, edit);
        }
        let names: Vec<String> =
            self.settings_shown(board.input.text()).iter().map(|line| line.setting.name.clone()).collect();
        let at = board.at.as_ref().and_then(|name| names.iter().position(|n| n == name)).unwrap_or(0);
        let go = |to: usize| names.get(to.min(names.len().saturating_sub(1))).cloned();
        let page = usize::from(self.size.1 / 2).max(1);
        match (chord.key, chord.control) {
            (Key::Esc, _) | (Key::Char('c'), true) => return Vec::new(),
            (Key::Enter, _) => board.edit = self.edit_of(go(at)),
            (Key::Down | Key::Tab, _) | (Key::Char('n'), true) => board.at = go(at + 1),
            (Key::Up | Key::BackTab, _) | (Key::Char('p'), true) => board.at = go(at.saturating_sub(1)),
            (Key::PageDown, _) => board.at = go(at + page),
            (Key::PageUp, _) => board.at = go(at.saturating_sub(page)),
            _ if self.setup.keymap.step(self.tab, &[], chord) == Step::Run(Command::ReloadConfiguration)
                && chord.control =>
            {
                return self.ask_reload();
            }
            _ => {
                if board.input.take(chord) {
                    board.at = None;
                }
            }
        }
        self.mode = Mode::Settings(board);
        Vec::new()
    }

    /// Why that setting cannot be changed from here, whatever the value, as far as that is known.
    #[must_use]
    pub fn unchangeable(&self, setting: &Setting) -> Option<Refusal> {
        if !setting.is_offered() || self.setup.policy == Policy::Observer {
            return (!setting.is_offered()).then(|| Refusal::SettingNotOffered { name: setting.name.clone() });
        }
        unchangeable(setting, &self.scene(self.opened_by, &self.doings()))
    }

    /// The line in which a new value is typed; none where there is nothing to be changed.
    fn edit_of(&self, name: Option<String>) -> Option<Edit> {
        let name = name?;
        if self.setup.policy == Policy::Observer {
            return None;
        }
        let setting = self.world().settings.get().and_then(|settings| settings.get(&name));
        // Why not stands below the list.
        if setting.is_none_or(|setting| self.unchangeable(setting).is_some()) {
            return None;
        }
        Some(Edit { name, input: Input::default(), error: None })
    }

    fn edit_key(&mut self, chord: Chord, mut board: Board, mut edit: Edit) -> Vec<Effect> {
        let leave = chord.key == Key::Esc || (chord.key == Key::Char('c') && chord.control);
        if leave {
            self.mode = Mode::Settings(board);
            return Vec::new();
        }
        if chord.key != Key::Enter {
            edit.input.take(chord);
            edit.error = None;
        } else if edit.input.text().trim().eq_ignore_ascii_case(UNDO) {
            let change = self.changes_here().find(|change| change.name == edit.name).cloned();
            match change {
                Some(change) => return self.undo(&change),
                None => edit.error = Some("no change of ours stands".to_owned()),
            }
        } else {
            let world = self.world();
            let (Some(settings), Some(server)) = (world.settings.get(), world.server.get()) else {
                self.mode = Mode::Settings(board);
                return Vec::new();
            };
            let wish = match settings.get(&edit.name) {
                Some(setting) => {
                    Wish::read(setting, edit.input.text()).map(|wish| Write::setting(setting, &wish, server))
                }
                None => Err("it is no longer in the list".to_owned()),
            };
            match wish {
                Ok(write) => return self.ask(write),
                Err(wants) => edit.error = Some(wants),
            }
        }
        board.edit = Some(edit);
        self.mode = Mode::Settings(board);
        Vec::new()
    }
}
