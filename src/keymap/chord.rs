//! The names of chords and sequences, read and written: `x`, `C-c`, `A-x`, `S-Tab`, `Space`, `g g`.
//!
//! A name that no terminal sends is refused with the reason, so that a keymap cannot hold a key that never comes.

use std::fmt;
use std::str::FromStr;

use super::{Chord, Key};

/// Names of the keys that are not a character; the first of a key is the one that is written.
const NAMES: &[(&str, Key)] = &[
    ("Space", Key::Char(' ')),
    ("Enter", Key::Enter),
    ("Return", Key::Enter),
    ("Esc", Key::Esc),
    ("Escape", Key::Esc),
    ("Tab", Key::Tab),
    ("S-Tab", Key::BackTab),
    ("Backspace", Key::Backspace),
    ("Del", Key::Delete),
    ("Delete", Key::Delete),
    ("Up", Key::Up),
    ("Down", Key::Down),
    ("Left", Key::Left),
    ("Right", Key::Right),
    ("Home", Key::Home),
    ("End", Key::End),
    ("PgUp", Key::PageUp),
    ("PageUp", Key::PageUp),
    ("PgDn", Key::PageDown),
    ("PageDown", Key::PageDown),
];

/// Why a name is not a chord or a sequence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ChordError(String);

impl Chord {
    /// The key alone.
    #[must_use]
    pub const fn plain(key: Key) -> Self {
        Self { key, control: false, alt: false }
    }

    /// The character alone.
    #[must_use]
    pub const fn char(c: char) -> Self {
        Self::plain(Key::Char(c))
    }

    /// The character with Control.
    #[must_use]
    pub const fn control(c: char) -> Self {
        Self { key: Key::Char(c), control: true, alt: false }
    }

    /// The same chord as the byte that a terminal makes of it: Control knows no case (`C-X` is 0x18, as `C-x`), and
    /// `C-i`, `C-m` and `C-[` are the bytes of Tab, Enter and Esc.
    #[must_use]
    pub fn as_terminals_send_it(self) -> Self {
        if !self.control {
            return self;
        }
        let Key::Char(c) = self.key else { return self };
        let bare = |key| Self { key, control: false, alt: self.alt };
        match c.to_ascii_lowercase() {
            'i' => bare(Key::Tab),
            'm' => bare(Key::Enter),
            '[' => bare(Key::Esc),
            c => Self { key: Key::Char(c), ..self },
        }
    }
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.control {
            f.write_str("C-")?;
        }
        if self.alt {
            f.write_str("A-")?;
        }
        if let Some((name, _)) = NAMES.iter().find(|(_, key)| *key == self.key) {
            return f.write_str(name);
        }
        if let Key::F(n) = self.key {
            return write!(f, "F{n}");
        }
        if let Key::Char(c) = self.key {
            return write!(f, "{c}");
        }
        // Every other key has a name above; the test of names would miss one here.
        write!(f, "{:?}", self.key)
    }
}

impl FromStr for Chord {
    type Err = ChordError;

    fn from_str(name: &str) -> Result<Self, ChordError> {
        let (mut control, mut alt, mut rest) = (false, false, name);
        loop {
            // A lone `-` after the prefix would leave nothing to press: `A--` is Alt and minus, `A-` is nothing.
            if let Some(r) = rest.strip_prefix("C-").filter(|r| !r.is_empty()) {
                (control, rest) = (true, r);
            } else if let Some(r) = rest.strip_prefix("A-").filter(|r| !r.is_empty()) {
                (alt, rest) = (true, r);
            } else {
                break;
            }
        }
        let chord = Self { key: key_named(name, rest)?, control, alt }.as_terminals_send_it();
        if !chord.control {
            return Ok(chord);
        }
        match chord.key {
            Key::Char(c) if c.is_ascii_lowercase() || c == ' ' => Ok(chord),
            Key::Char(c) => Err(ChordError(format!(
                "no terminal sends `{name}`: Control goes with the letters a to z and with Space, not with `{c}`"
            ))),
            Key::Enter | Key::Esc | Key::Tab | Key::BackTab | Key::Backspace => {
                Err(ChordError(format!("terminals do not tell `{name}` from `{}`", Chord::plain(chord.key))))
            }
            Key::Delete
            | Key::Up
            | Key::Down
            | Key::Left
            | Key::Right
            | Key::Home
            | Key::End
            | Key::PageUp
            | Key::PageDown
            | Key::F(_) => Ok(chord),
        }
    }
}

/// The key of `rest`, which is `name` without its Control and Alt.
fn key_named(name: &str, rest: &str) -> Result<Key, ChordError> {
    let mut chars = rest.chars();
    if let (Some(c), None) = (chars.next(), chars.next()) {
        if c == ' ' || c.is_control() {
            return Err(ChordError(
                "a blank or a control character is not a key; write `Space`, `Tab`, `Enter`".into(),
            ));
        }
        return Ok(Key::Char(c));
    }
    if let Some((_, key)) = NAMES.iter().find(|(n, _)| n.eq_ignore_ascii_case(rest)) {
        return Ok(*key);
    }
    if let Some(n) = rest.strip_prefix(['F', 'f']).and_then(|n| n.parse().ok()).filter(|n| (1..=24).contains(n)) {
        return Ok(Key::F(n));
    }
    if rest.starts_with("S-") {
        return Err(ChordError(format!("`{name}`: Shift is in the character itself (`X`), and only `S-Tab` is a key")));
    }
    let names = NAMES.iter().map(|(n, _)| *n);
    let meant = super::source::did_you_mean(rest, names);
    Err(ChordError(format!("`{name}` is no key{meant}")))
}

/// One chord, or two that are pressed one after the other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(Vec<Chord>);

impl Sequence {
    /// Its chords; one or two.
    #[must_use]
    pub fn chords(&self) -> &[Chord] {
        &self.0
    }

    /// True where a keyboard could not tell the two apart in time: they are equal, or one begins the other.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0) || other.0.starts_with(&self.0)
    }
}

impl From<Chord> for Sequence {
    fn from(chord: Chord) -> Self {
        Self(vec![chord])
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, chord) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            write!(f, "{chord}")?;
        }
        Ok(())
    }
}

impl FromStr for Sequence {
    type Err = ChordError;

    fn from_str(text: &str) -> Result<Self, ChordError> {
        let chords: Vec<Chord> = text.split_ascii_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        match chords.len() {
            1 | 2 => Ok(Self(chords)),
            0 => Err(ChordError("a key has a name; the blank key is `Space`".into())),
            // Two are what the box of what comes next can show in one go.
            n => Err(ChordError(format!("`{text}` is {n} keys long; a sequence has two at most"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_and_written_the_same() {
        let same = [
            "x",
            "X",
            "é",
            "-",
            "/",
            "<",
            "`",
            "|",
            "C-c",
            "A-x",
            "A-X",
            "A-<",
            "A--",
            "C-A-d",
            "C-Space",
            "Space",
            "A-Space",
            "Enter",
            "A-Enter",
            "Esc",
            "Tab",
            "S-Tab",
            "Backspace",
            "Del",
            "Up",
            "Down",
            "Left",
            "Right",
            "Home",
            "End",
            "PgUp",
            "PgDn",
            "C-PgDn",
            "F1",
            "F12",
            "g g",
            "C-x C-c",
            "Space v",
        ];
        for name in same {
            assert_eq!(name.parse::<Sequence>().map(|s| s.to_string()), Ok(name.to_owned()));
        }
    }

    #[test]
    fn other_spellings_come_to_the_same_chord() {
        let pairs = [
            ("C-X", "C-x"),
            ("A-C-d", "C-A-d"),
            ("enter", "Enter"),
            ("PageDown", "PgDn"),
            ("Escape", "Esc"),
            ("C-m", "Enter"),
            ("C-I", "Tab"),
            ("C-[", "Esc"),
            ("f5", "F5"),
            ("g  g", "g g"),
        ];
        for (written, meant) in pairs {
            assert_eq!(written.parse::<Sequence>(), meant.parse::<Sequence>(), "{written}");
        }
    }

    #[test]
    fn a_name_that_no_terminal_sends_is_refused_with_the_reason() {
        let table = [
            ("C-1", "no terminal sends `C-1`: Control goes with the letters a to z and with Space, not with `1`"),
            ("C-Enter", "terminals do not tell `C-Enter` from `Enter`"),
            ("S-x", "`S-x`: Shift is in the character itself (`X`), and only `S-Tab` is a key"),
            ("S-Up", "`S-Up`: Shift is in the character itself (`X`), and only `S-Tab` is a key"),
            ("Entr", "`Entr` is no key; did you mean `Enter`?"),
            ("F99", "`F99` is no key"),
            ("C-", "`C-` is no key"),
            ("", "a key has a name; the blank key is `Space`"),
            ("a b c", "`a b c` is 3 keys long; a sequence has two at most"),
        ];
        for (name, message) in table {
            assert_eq!(name.parse::<Sequence>(), Err(ChordError(message.into())), "{name}");
        }
    }
}
