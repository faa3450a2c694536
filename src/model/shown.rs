//! An open text that is longer than its room: how much of it a frame showed, and how much of it was seen.
//!
//! It counts lines and knows nothing of what they say. Where a text may only be answered by whoever could have read it,
//! this is what says so: it believes frames, not keys.

use serde::{Deserialize, Serialize};

/// What a frame showed of a text, in its lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// Lines above the first one shown.
    pub above: usize,
    /// Lines shown.
    pub rows: usize,
    /// How many of the text, from its first on, must be seen before it is answered.
    pub must: usize,
    /// Lines of the whole text.
    pub of: usize,
}

impl Shown {
    /// Lines below the last one shown.
    #[must_use]
    pub fn below(self) -> usize {
        self.of.saturating_sub(self.above + self.rows)
    }
}

/// A move through a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scroll {
    /// One line up.
    Up,
    /// One line down.
    Down,
    /// As many lines up as are shown.
    PageUp,
    /// As many lines down as are shown.
    PageDown,
    /// To the first line.
    First,
    /// To the last line.
    Last,
}

impl Scroll {
    /// Lines that are scrolled away after it, where `above` were and a page has `page`; what there is bounds it elsewhere.
    #[must_use]
    pub fn from(self, above: usize, page: usize) -> usize {
        match self {
            Self::Up => above.saturating_sub(1),
            Self::Down => above.saturating_add(1),
            Self::PageUp => above.saturating_sub(page.max(1)),
            Self::PageDown => above.saturating_add(page.max(1)),
            Self::First => 0,
            // Far below any text, and far from an overflow.
            Self::Last => usize::MAX / 2,
        }
    }
}

/// What was seen of a text so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    above: usize,
    /// How many lines, from the first on, have been on the screen.
    upto: usize,
    last: Option<Shown>,
}

impl Seen {
    /// Lines that are scrolled away.
    #[must_use]
    pub fn above(&self) -> usize {
        self.above
    }

    /// True once every line that must be seen has been on the screen.
    #[must_use]
    pub fn is_enough(&self) -> bool {
        self.last.is_some_and(|last| self.upto >= last.must)
    }

    /// True where every line that must be seen will have been on the screen with a frame that shows this much.
    #[must_use]
    pub fn is_enough_with(&self, shown: Shown) -> bool {
        let mut with = self.clone();
        with.take(shown);
        with.is_enough()
    }

    /// A frame was flushed that showed this much. A text that is folded anew begins anew.
    pub fn take(&mut self, shown: Shown) {
        if self.last.is_some_and(|last| (last.must, last.of) != (shown.must, shown.of)) {
            self.upto = 0;
        }
        if shown.above <= self.upto {
            self.upto = self.upto.max(shown.above + shown.rows);
        }
        self.above = shown.above;
        self.last = Some(shown);
    }

    /// Moves on: never past a line that no frame has shown yet, however fast the keys come; never beyond the end.
    pub fn scroll(&mut self, by: Scroll) {
        let Some(last) = self.last else { return };
        let end = last.of.saturating_sub(last.rows);
        self.above = by.from(self.above, last.rows).min(self.upto).min(end);
    }

    /// The window has another size: the lines will be others.
    pub fn forget(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(above: usize) -> Shown {
        Shown { above, rows: 4, must: 10, of: 12 }
    }

    #[test]
    fn a_text_is_seen_once_frames_have_shown_every_line_that_must_be() {
        let mut seen = Seen::default();
        assert!(!seen.is_enough(), "no frame, nothing seen");
        seen.take(shown(0));
        for (above, enough) in [(4, false), (8, true)] {
            seen.scroll(Scroll::PageDown);
            assert_eq!(seen.above(), above);
            assert!(!seen.is_enough(), "a key alone shows nothing");
            seen.take(shown(above));
            assert_eq!(seen.is_enough(), enough, "{above}");
        }
        seen.scroll(Scroll::Down);
        assert_eq!(seen.above(), 8, "there is no more");
        seen.scroll(Scroll::First);
        seen.take(shown(0));
        assert!(seen.is_enough(), "what was seen stays seen");
    }

    #[test]
    fn keys_that_come_faster_than_frames_leave_no_line_out() {
        let mut seen = Seen::default();
        seen.scroll(Scroll::Last);
        assert_eq!(seen.above(), 0, "before the first frame there is nothing to move through");
        seen.take(shown(0));
        for by in [Scroll::PageDown, Scroll::PageDown, Scroll::Last] {
            seen.scroll(by);
            assert_eq!(seen.above(), 4);
        }
        // A frame behind a gap is none of the lines before it.
        seen.take(shown(8));
        assert!(!seen.is_enough());
    }

    #[test]
    fn what_was_seen_in_another_size_does_not_count() {
        let mut seen = Seen::default();
        let whole = Shown { above: 0, rows: 10, must: 10, of: 10 };
        seen.take(whole);
        assert!(seen.is_enough());
        seen.take(Shown { must: 30, of: 30, ..whole });
        assert!(!seen.is_enough(), "the same words in more lines");
        seen.forget();
        assert!(!seen.is_enough());
    }
}
