//! What a keymap must not do, however much its author likes it: put a command that writes where a finger may land by
//! habit, or leave no way out.
//!
//! It judges composed tabs; where a line came from is `read`'s business.

use super::read::Entry;
use super::source::{Source, SourceError};
use super::{Chord, Key, Sequence};
use crate::command::{Command, Reach, Tab};

/// Keys that are pressed without a thought, and the one that answers the question before an action: a command that
/// writes on `y` would be asked for and confirmed by one press too long.
const NEVER_WRITE: [Chord; 6] = [
    Chord::plain(Key::Enter),
    Chord::plain(Key::Esc),
    Chord::plain(Key::Tab),
    Chord::plain(Key::BackTab),
    Chord::char(' '),
    Chord::char('y'),
];

/// A tab and an entry on it.
type Bound<'a> = (Tab, &'a Entry, Command);

/// Judges the tabs of a keymap.
pub(super) fn check(source: Source<'_>, tabs: &[(Tab, Vec<Entry>)]) -> Result<(), SourceError> {
    let bound: Vec<Bound<'_>> =
        tabs.iter().flat_map(|(tab, entries)| entries.iter().filter_map(|e| Some((*tab, e, e.command?)))).collect();
    for (tab, entry, command) in &bound {
        if command.spec().reach > Reach::Reads {
            thoughtless(source, entry, *command)?;
            alone(source, (*tab, entry, *command), &bound)?;
        }
    }
    for (tab, entries) in tabs {
        if !entries.iter().any(|e| e.command == Some(Command::Quit)) {
            return Err(source.error_on(1, format!("no key is bound to `quit` on {}", tab.title())));
        }
    }
    Ok(())
}

fn thoughtless(source: Source<'_>, entry: &Entry, command: Command) -> Result<(), SourceError> {
    let Some(chord) = entry.sequence.chords().iter().find(|c| NEVER_WRITE.contains(c)) else { return Ok(()) };
    let name = command.spec().name;
    Err(source
        .error_on(entry.line.unwrap_or(1), format!("`{name}` acts on a server; `{chord}` is never a key of that")))
}

/// A dangerous command's keys do nothing else on any tab: who mistakes the tab must not hit it.
fn alone(source: Source<'_>, writes: Bound<'_>, bound: &[Bound<'_>]) -> Result<(), SourceError> {
    let (tab, entry, command) = writes;
    let other = bound.iter().find(|(_, e, c)| *c != command && e.sequence.overlaps(&entry.sequence));
    let Some((other_tab, other, other_command)) = other else { return Ok(()) };
    let described = |sequence: &Sequence, command: Command, tab: Tab| {
        format!("`{sequence}` is `{}` on {}", command.spec().name, tab.title())
    };
    Err(source.error_on(
        other.line.or(entry.line).unwrap_or(1),
        format!(
            "{}, which acts on a server, so its key must do nothing else; but {}",
            described(&entry.sequence, command, tab),
            described(&other.sequence, *other_command, *other_tab)
        ),
    ))
}
