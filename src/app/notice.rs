//! The line that says what just happened: what puts it there, and how long it stays.

use super::App;
use crate::command::Command;
use crate::message::WriterState;
use crate::model::{ServerText, Timestamp, Tone, seconds_between};

/// A line that says what just happened; it goes when another key is pressed after a while.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// The words, safe to draw.
    pub text: String,
    /// How loud.
    pub tone: Tone,
    /// Since when.
    pub at: Timestamp,
    /// True where it is about what is selected: it goes with the selection.
    pub of_row: bool,
}

impl App {
    pub(super) fn say(&mut self, text: impl Into<String>, tone: Tone) {
        // It may carry a server's words.
        let text = ServerText::new(text).escaped();
        self.notice = Some(Notice { text, tone, at: self.now, of_row: false });
    }

    /// Says something of what is selected.
    pub(super) fn say_of_row(&mut self, text: impl Into<String>, tone: Tone) {
        self.say(text, tone);
        if let Some(notice) = &mut self.notice {
            notice.of_row = true;
        }
    }

    /// What was said of a row is not said of the next one.
    pub(super) fn leave_row(&mut self, command: Command) {
        let leaves = matches!(
            command,
            Command::SelectNext
                | Command::SelectPrevious
                | Command::SelectFirst
                | Command::SelectLast
                | Command::PageDown
                | Command::PageUp
        );
        if leaves {
            self.leave_said();
        }
    }

    /// What was said of a row is over.
    pub(super) fn leave_said(&mut self) {
        if self.notice.as_ref().is_some_and(|notice| notice.of_row) {
            self.notice = None;
        }
    }

    /// A notice is old once it was there long enough to be read; a key then clears it.
    pub(super) fn notice_is_old(&self) -> bool {
        self.notice.as_ref().is_some_and(|n| seconds_between(n.at, self.now) > 4.0)
    }

    /// What only echoed a key goes by itself. What an action came to, or why there was none, stays until a key: a vacuum
    /// may end while nobody looks, and this is the only place of the screen that tells how.
    pub(super) fn forget_notice(&mut self) {
        if self.notice_is_old() && self.notice.as_ref().is_some_and(|n| n.tone == Tone::Faint) {
            self.notice = None;
        }
    }

    /// Why nothing can be done is said when that begins, or as soon as nothing else is being said: what a key did a moment
    /// ago is read first.
    pub(super) fn say_writer(&mut self) {
        if let WriterState::Down(why) = &self.writer
            && self.writer_unsaid
            && self.notice.is_none()
        {
            let words = format!("cannot act: {why}");
            self.writer_unsaid = false;
            self.say(words, Tone::Warning);
        }
    }
}
