//! What each key does: chords and sequences of them, the files that bind them to commands, and the look-up of a key
//! that was pressed.
//!
//! It knows commands by name and place, and nothing of what they do; it reads no file by itself.

mod chord;
mod markdown;
mod read;
mod rules;
pub mod source;

use serde::{Deserialize, Serialize};

pub use chord::{ChordError, Sequence};
pub use markdown::keys_markdown;

use self::source::{Source, SourceError};
use crate::command::{Command, Reach, Tab};

/// The keymaps that the program carries: name and text, commented so that a copy of it can be changed.
pub const EMBEDDED: [(&str, &str); 3] = [
    ("default", include_str!("../keymaps/default.toml")),
    ("vim", include_str!("../keymaps/vim.toml")),
    ("emacs", include_str!("../keymaps/emacs.toml")),
];

/// A key without its modifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Key {
    /// A printable character, upper case where Shift made it so.
    Char(char),
    /// Return.
    Enter,
    /// Escape.
    Esc,
    /// Tab.
    Tab,
    /// Shift and Tab.
    BackTab,
    /// Backspace.
    Backspace,
    /// Delete.
    Delete,
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
    /// Arrow left.
    Left,
    /// Arrow right.
    Right,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// A function key.
    F(u8),
}

/// A key with Control or Alt. Shift is in the character itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Chord {
    /// The key.
    pub key: Key,
    /// With Control.
    pub control: bool,
    /// With Alt.
    pub alt: bool,
}

/// What a key came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// It completes this command.
    Run(Command),
    /// It begins a sequence: these keys go on, to these commands.
    Pending(Vec<(Chord, Command)>),
    /// It would run this command, which is not to be had: it reaches further than what is allowed.
    Barred(Command),
    /// It does nothing here; what was pending is over.
    Unbound,
}

/// A sequence and the command that it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The keys.
    pub sequence: Sequence,
    /// The command.
    pub command: Command,
}

/// The bindings of every tab: a tab's own first, then those of everywhere that it does not replace.
///
/// A sequence has two chords at most, so one list per tab answers as a trie would, and keeps the order of the file:
/// the first sequence of a command is the one that help and footer show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keymap {
    tabs: Vec<(Tab, Vec<Binding>)>,
    /// What was bound and is not to be had: kept to say so to whoever presses it.
    barred: Vec<(Tab, Vec<Binding>)>,
}

impl Keymap {
    /// The embedded keymap of that name; none where there is no such name.
    ///
    /// # Errors
    /// Never for the embedded files as they are: a test reads each of them.
    #[must_use]
    pub fn named(name: &str) -> Option<Result<Self, SourceError>> {
        let (_, text) = EMBEDDED.iter().find(|(n, _)| *n == name)?;
        Some(Self::read(Source { name: &format!("keymaps/{name}.toml"), text }))
    }

    /// Reads a keymap file.
    ///
    /// # Errors
    /// With file and line: what is not TOML, names no section, key or command, binds a key twice or where its command
    /// does not belong, puts a command that writes on a key with another use, or leaves no key to quit.
    pub fn read(source: Source<'_>) -> Result<Self, SourceError> {
        let sections = read::sections(source)?;
        let tabs = sections.compose();
        rules::check(source, &tabs)?;
        let tabs = tabs.into_iter().map(|(tab, entries)| (tab, read::bindings(entries))).collect();
        Ok(Self { tabs, barred: Vec::new() })
    }

    /// The keymap without the commands that reach further: their keys run nothing.
    #[must_use]
    pub fn within(mut self, reach: Reach) -> Self {
        for (tab, bindings) in &mut self.tabs {
            let barred = bindings.extract_if(.., |b| b.command.spec().reach > reach).collect();
            self.barred.push((*tab, barred));
        }
        self
    }

    /// What `chord` does on `tab` after the chords that are `pending`.
    #[must_use]
    pub fn step(&self, tab: Tab, pending: &[Chord], chord: Chord) -> Step {
        let mut typed = pending.to_vec();
        typed.push(chord.as_terminals_send_it());
        let mut next = Vec::new();
        for Binding { sequence, command } in self.bindings(tab) {
            match sequence.chords().strip_prefix(typed.as_slice()) {
                Some([]) => return Step::Run(*command),
                Some([first, ..]) => next.push((*first, *command)),
                None => {}
            }
        }
        if !next.is_empty() {
            return Step::Pending(next);
        }
        let mut barred = self.barred.iter().filter(|(t, _)| *t == tab).flat_map(|(_, bindings)| bindings);
        let barred = barred.find(|b| b.sequence.chords() == typed);
        barred.map_or(Step::Unbound, |b| Step::Barred(b.command))
    }

    /// All bindings of `tab`, in the order of the file.
    #[must_use]
    pub fn bindings(&self, tab: Tab) -> &[Binding] {
        self.tabs.iter().find(|(t, _)| *t == tab).map_or(&[], |(_, bindings)| bindings.as_slice())
    }

    /// The sequences that run `command` on `tab`; the one to show comes first.
    #[must_use]
    pub fn chords_of(&self, command: Command, tab: Tab) -> Vec<Sequence> {
        self.bindings(tab).iter().filter(|b| b.command == command).map(|b| b.sequence.clone()).collect()
    }
}

#[cfg(test)]
mod tests;
