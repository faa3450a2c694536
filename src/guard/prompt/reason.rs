//! Why somebody acts, typed into the question: a line of text, and whether the keys go to it.
//!
//! No key confirms anything while they do.

use crate::keymap::{Chord, Key};

/// The longest reason, in characters: a line to find an action by, not a report.
const MOST: usize = 200;

/// A reason that is asked for has at least so many characters that are not blank: fewer say nothing.
const LEAST: usize = 3;

/// A reason, as far as it is typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reason {
    text: String,
    required: bool,
    open: bool,
}

impl Reason {
    pub(super) fn new(required: bool) -> Self {
        Self { required, ..Self::default() }
    }

    /// What was typed; raw.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// True where the action needs one.
    #[must_use]
    pub fn is_required(&self) -> bool {
        self.required
    }

    /// True while the keys go to it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// True where the action can go without more of it.
    #[must_use]
    pub fn is_enough(&self) -> bool {
        !self.required || self.text.chars().filter(|c| !c.is_whitespace()).count() >= LEAST
    }

    /// What is recorded.
    pub(super) fn given(&self) -> Option<String> {
        let text = self.text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    pub(super) fn open(&mut self) {
        self.open = true;
    }

    /// Takes a key while it is open.
    pub(super) fn take(&mut self, chord: Chord) {
        match chord {
            Chord { key: Key::Enter | Key::Tab | Key::BackTab, control: false, alt: false } => self.open = false,
            Chord { key: Key::Char('u'), control: true, alt: false } => self.text.clear(),
            Chord { key: Key::Char('w'), control: true, alt: false } => self.cut_word(),
            Chord { key: Key::Char(c), control: false, alt: false } if self.text.chars().count() < MOST => {
                self.text.push(c);
            }
            Chord { key: Key::Backspace, .. } => drop(self.text.pop()),
            _ => {}
        }
    }

    fn cut_word(&mut self) {
        let kept = self.text.trim_end().rfind(char::is_whitespace).map_or(0, |at| at + 1);
        // The blank may be of several bytes.
        let kept = (kept..=self.text.len()).find(|at| self.text.is_char_boundary(*at)).unwrap_or(0);
        self.text.truncate(kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(required: bool, text: &str) -> Reason {
        let mut reason = Reason { open: true, ..Reason::new(required) };
        text.chars().for_each(|c| reason.take(Chord::char(c)));
        reason
    }

    #[test]
    fn a_reason_that_is_asked_for_has_three_characters_that_say_something() {
        for (text, enough) in [("", false), ("ab", false), (" a  b ", false), ("a b c", true), ("漢字漢", true)] {
            assert_eq!(typed(true, text).is_enough(), enough, "{text:?}");
            assert!(typed(false, text).is_enough());
        }
        assert_eq!(typed(false, "  ").given(), None);
        assert_eq!(typed(false, " deploy stuck ").given().as_deref(), Some("deploy stuck"));
    }

    #[test]
    fn it_is_edited_by_characters_and_words_and_has_an_end() {
        let key = |c, control| Chord { key: Key::Char(c), control, alt: false };
        let mut reason = typed(false, "one two\u{3000}é漢");
        reason.take(Chord::plain(Key::Backspace));
        assert_eq!(reason.text(), "one two\u{3000}é");
        for left in ["one two\u{3000}", "one ", "", ""] {
            reason.take(key('w', true));
            assert_eq!(reason.text(), left);
        }
        let mut reason = typed(false, &"é".repeat(MOST + 5));
        assert_eq!(reason.text().chars().count(), MOST);
        reason.take(key('u', true));
        reason.take(Chord::plain(Key::Backspace));
        assert_eq!((reason.text(), reason.is_open()), ("", true));
        reason.take(Chord::plain(Key::Enter));
        assert!(!reason.is_open());
    }
}
