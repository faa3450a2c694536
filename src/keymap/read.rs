//! Reading a keymap file: its sections, what it inherits, and how both come together on a tab.
//!
//! It binds; whether a binding is a good idea is judged in `rules`.

use std::collections::BTreeMap;

use super::source::{Source, SourceError, did_you_mean, in_order};
use super::{Binding, EMBEDDED, Sequence};
use crate::command::{Command, Place, SPECS, Tab};

/// What a key is bound to where it is meant to do nothing.
const UNBOUND: &str = "unbound";

/// One line of a keymap file.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// The keys.
    pub sequence: Sequence,
    /// The command; none where the keys are to do nothing.
    pub command: Option<Command>,
    /// Its line; none where another file was inherited.
    pub line: Option<usize>,
}

/// The name of a part of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Section {
    /// `[everywhere]`.
    Everywhere,
    /// `[slow]` and its like.
    Of(Tab),
}

/// The sections of a file.
#[derive(Debug, Default)]
pub(super) struct Sections(BTreeMap<Section, Vec<Entry>>);

/// Reads the sections of a file and of what it inherits.
pub(super) fn sections(source: Source<'_>) -> Result<Sections, SourceError> {
    let document = source.parse()?;
    let mut own = Sections::default();
    let mut inherited = Sections::default();
    for (key, value) in in_order(&document) {
        let name: &str = key.get_ref();
        if name == "inherit" {
            let names = EMBEDDED.iter().map(|(n, _)| *n);
            let wanted = value.get_ref().as_str().unwrap_or_default();
            let Some((name, text)) = EMBEDDED.iter().find(|(n, _)| *n == wanted) else {
                let list = names.map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
                return Err(source.error_at(&value.span(), format!("`inherit` names one of {list}")));
            };
            inherited = sections(Source { name, text })?;
            continue;
        }
        let section = Section::all().find(|s| s.name() == name).ok_or_else(|| {
            let names: Vec<String> = Section::all().map(Section::name).collect();
            let meant = did_you_mean(name, names.iter().map(String::as_str).chain(["inherit"]));
            source.error_at(&key.span(), format!("no tab is called `{name}`{meant}"))
        })?;
        let Some(table) = value.get_ref().as_table() else {
            return Err(source.error_at(&key.span(), format!("`{name}` is a section: write [{name}]")));
        };
        let mut entries: Vec<Entry> = Vec::new();
        for (key, value) in in_order(table) {
            let line = source.line_of(&key.span());
            let sequence: Sequence =
                key.get_ref().parse().map_err(|e: super::ChordError| source.error_on(line, e.to_string()))?;
            let Some(command) = value.get_ref().as_str() else {
                return Err(source.error_on(line, format!("`{sequence}` is bound to the name of a command, in quotes")));
            };
            let command = command_named(source, line, command)?;
            if let Some(other) = entries.iter().find(|e| e.sequence.overlaps(&sequence)) {
                return Err(source.error_on(line, clash(&sequence, other)));
            }
            if let (Section::Of(tab), Some(command)) = (section, command) {
                belongs(source, line, tab, command)?;
            }
            entries.push(Entry { sequence, command, line: Some(line) });
        }
        own.0.insert(section, entries);
    }
    own.inherit(inherited);
    Ok(own)
}

impl Section {
    fn all() -> impl Iterator<Item = Self> {
        std::iter::once(Self::Everywhere).chain(Tab::ALL.map(Self::Of))
    }

    fn name(self) -> String {
        match self {
            Self::Everywhere => "everywhere".to_owned(),
            Self::Of(tab) => tab.title().to_lowercase(),
        }
    }
}

impl Sections {
    /// Adds what `base` binds, section by section, where this file does not bind the same keys.
    fn inherit(&mut self, base: Self) {
        for (section, entries) in base.0 {
            let own = self.0.entry(section).or_default();
            let kept: Vec<Entry> = entries
                .into_iter()
                .filter(|e| !own.iter().any(|o| hides(o, e)))
                .map(|e| Entry { line: None, ..e })
                .collect();
            own.extend(kept);
        }
    }

    /// The entries of each tab: its own section's, then those of everywhere which it offers and does not bind itself.
    pub(super) fn compose(&self) -> Vec<(Tab, Vec<Entry>)> {
        let section = |name| self.0.get(&name).map_or(&[][..], Vec::as_slice);
        Tab::ALL
            .into_iter()
            .map(|tab| {
                let own = section(Section::Of(tab));
                let shared = section(Section::Everywhere).iter().filter(|e| {
                    e.command.is_some_and(|c| c.spec().place.holds(tab)) && !own.iter().any(|o| hides(o, e))
                });
                (tab, own.iter().chain(shared).filter(|e| e.command.is_some()).cloned().collect())
            })
            .collect()
    }
}

/// The bindings of entries that bind something.
pub(super) fn bindings(entries: Vec<Entry>) -> Vec<Binding> {
    entries.into_iter().filter_map(|e| Some(Binding { sequence: e.sequence, command: e.command? })).collect()
}

/// True where `over` leaves no room for `under`. To unbind `g` says nothing about `g g`.
fn hides(over: &Entry, under: &Entry) -> bool {
    match over.command {
        Some(_) => over.sequence.overlaps(&under.sequence),
        None => over.sequence == under.sequence,
    }
}

fn clash(sequence: &Sequence, other: &Entry) -> String {
    let line = other.line.unwrap_or_default();
    if *sequence == other.sequence {
        format!("`{sequence}` is already bound on line {line}")
    } else {
        format!("`{sequence}` and `{}` (line {line}) begin with the same key: one could never be typed", other.sequence)
    }
}

fn command_named(source: Source<'_>, line: usize, name: &str) -> Result<Option<Command>, SourceError> {
    if name == UNBOUND {
        return Ok(None);
    }
    Command::named(name).map(Some).ok_or_else(|| {
        let names = SPECS.iter().map(|s| s.name).chain([UNBOUND]);
        source.error_on(line, format!("no command is called `{name}`{}", did_you_mean(name, names)))
    })
}

fn belongs(source: Source<'_>, line: usize, tab: Tab, command: Command) -> Result<(), SourceError> {
    match command.spec().place {
        Place::Tabs(tabs) if !tabs.contains(&tab) => {
            let tabs = tabs.iter().map(|t| t.title()).collect::<Vec<_>>().join(", ");
            let name = command.spec().name;
            Err(source.error_on(line, format!("`{name}` belongs to {tabs}, not to {}", tab.title())))
        }
        Place::Tabs(_) | Place::Everywhere => Ok(()),
    }
}
