//! The line that says what just happened: what puts it there, and how long it stays.

use super::App;
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
}

impl App {
    pub(super) fn say(&mut self, text: impl Into<String>, tone: Tone) {
        // It may carry a server's words.
        let text = ServerText::new(text).escaped();
        self.notice = Some(Notice { text, tone, at: self.now });
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
}
