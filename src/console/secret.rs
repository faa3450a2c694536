//! A password typed at the console: no echo, no record, and every signal still heard, since it is read as keys are.
//!
//! It never becomes an event: what is typed here is on no tape and in no log.

use ratatui::Frame;
use ratatui::widgets::{Paragraph, Wrap};

use crate::keymap::{Chord, Key};
use crate::postgres::Secret;

/// Longer than any server takes: 1000 bytes were the limit before 14.
const LONGEST: usize = 10_000;

/// What is being typed.
#[derive(Default)]
pub struct Typing {
    text: String,
}

/// What a key came to.
pub enum Step {
    /// It is still being typed.
    More,
    /// It is complete.
    Done(Secret),
    /// The user leaves.
    Left,
}

impl Typing {
    /// Takes a key.
    pub fn take(&mut self, chord: Chord) -> Step {
        match (chord.key, chord.control, chord.alt) {
            (Key::Enter, ..) => return Step::Done(Secret::new(std::mem::take(&mut self.text))),
            (Key::Esc, ..) | (Key::Char('c' | 'd'), true, _) => return Step::Left,
            (Key::Char('u'), true, _) => self.text.clear(),
            (Key::Backspace, ..) => {
                self.text.pop();
            }
            (Key::Char(c), false, false) => self.paste(c.encode_utf8(&mut [0; 4])),
            _ => {}
        }
        Step::More
    }

    /// Takes what was pasted; the line end that often comes along is not part of a password.
    pub fn paste(&mut self, text: &str) {
        let room = LONGEST.saturating_sub(self.text.len());
        self.text.extend(text.chars().filter(|c| !c.is_control()).take(room));
    }
}

/// Draws the question, or that the answer is being tried.
pub fn draw(question: &str, tried: bool, frame: &mut Frame<'_>) {
    let hint =
        if tried { "Connecting; Esc leaves." } else { "It is not shown while you type. Enter connects, Esc leaves." };
    let text = format!("{question}\n\n{hint}");
    frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: false }), frame.area());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(typing: &mut Typing, text: &str) {
        for c in text.chars() {
            assert!(matches!(typing.take(Chord::char(c)), Step::More));
        }
    }

    #[test]
    fn a_password_is_edited_and_completed_and_a_pasted_line_end_is_not_part_of_it() {
        let mut typing = Typing::default();
        typed(&mut typing, "wrong");
        typing.take(Chord { key: Key::Char('u'), control: true, alt: false });
        typed(&mut typing, "lab q");
        typing.take(Chord::plain(Key::Backspace));
        typing.paste("secret\r\n");
        let Step::Done(secret) = typing.take(Chord::plain(Key::Enter)) else { panic!("not complete") };
        assert_eq!(secret.reveal(), "lab secret");
    }

    #[test]
    fn escape_and_control_c_leave() {
        assert!(matches!(Typing::default().take(Chord::plain(Key::Esc)), Step::Left));
        let control_c = Chord { key: Key::Char('c'), control: true, alt: false };
        assert!(matches!(Typing::default().take(control_c), Step::Left));
    }
}
