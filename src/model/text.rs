//! Text that a server sent: kept raw, shown escaped.
//!
//! A query may hold any byte that its author liked, terminal control sequences among them. Filters, copies and
//! actions need the text as it is; a screen must never get it. So there is no `Display`: showing goes through
//! [`ServerText::escaped`], the one place where hostile characters become visible.

use std::borrow::Cow;
use std::fmt::Write;

use serde::{Deserialize, Serialize};

/// A name or a text as the server sent it.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ServerText(String);

impl ServerText {
    /// Keeps `raw` as it is.
    pub fn new(raw: impl Into<String>) -> Self {
        Self(raw.into())
    }

    /// The text as the server sent it: to compare, to filter, to copy. Never to be drawn.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// True where there is no text at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One line that is safe to draw: white space folded to single blanks, everything else that could move the cursor,
    /// reorder the line or hide in it written as a visible escape.
    #[must_use]
    pub fn escaped(&self) -> String {
        escaped_line(&self.0, usize::MAX)
    }

    /// As [`ServerText::escaped`], but of the first `most` characters only, with `…` where more follow: a table needs the
    /// head of a text only, and a megabyte of SQL must not be walked for forty cells.
    #[must_use]
    pub fn head(&self, most: usize) -> String {
        escaped_line(&self.0, most)
    }

    /// The text line by line, each safe to draw; line ends are kept, tabs become four blanks.
    #[must_use]
    pub fn escaped_lines(&self) -> Vec<String> {
        self.0.replace("\r\n", "\n").split('\n').map(|line| escaped_inline(&line.replace('\t', "    "))).collect()
    }
}

impl From<&str> for ServerText {
    fn from(raw: &str) -> Self {
        Self(raw.to_owned())
    }
}

/// A text as it may go to a clipboard, and how many characters were left out of it: the control characters (C0, DEL and
/// C1), which a terminal obeys when it is pasted there. Line ends and tabs stay, a CR before a line end goes uncounted.
#[must_use]
pub fn pasteable(text: &str) -> (String, usize) {
    let text = text.replace("\r\n", "\n");
    let kept: String = text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    let left_out = text.chars().count() - kept.chars().count();
    (kept, left_out)
}

fn escaped_line(raw: &str, most: usize) -> String {
    let mut out = String::with_capacity(raw.len().min(most.saturating_mul(4)).min(4096));
    let mut blank = true;
    for (taken, c) in raw.chars().enumerate() {
        if taken >= most {
            // What follows is not hidden without a word: a DELETE may go on with a WHERE.
            if raw.chars().skip(taken).any(|c| !c.is_whitespace()) {
                out.truncate(out.trim_end().len());
                out.push('…');
            }
            break;
        }
        if matches!(c, ' ' | '\n' | '\r' | '\t') {
            if !blank {
                out.push(' ');
            }
            blank = true;
        } else {
            push_shown(&mut out, c);
            blank = false;
        }
    }
    if out.ends_with(' ') {
        out.pop();
    }
    out
}

/// `text` with everything that a terminal would obey written as a visible escape, and nothing else changed: the last
/// gate before the screen, for words of a server that are kept as plain strings.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_hostile) { Cow::Owned(escaped_inline(text)) } else { Cow::Borrowed(text) }
}

fn escaped_inline(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    for c in raw.chars() {
        push_shown(&mut out, c);
    }
    out
}

/// Writes `c` so that a terminal only ever prints it.
fn push_shown(out: &mut String, c: char) {
    if is_hostile(c) {
        let code = u32::from(c);
        if code <= 0xff {
            let _ = write!(out, "\\x{code:02x}");
        } else {
            let _ = write!(out, "\\u{{{code:x}}}");
        }
    } else {
        out.push(c);
    }
}

/// C0 and C1 controls, DEL, bidirectional controls, zero-width characters, line and paragraph separators, tags and
/// other invisible format characters: what moves a cursor, turns a line round, or hides in it.
#[must_use]
pub fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            0x00ad                      // soft hyphen
            | 0x034f                    // combining grapheme joiner
            | 0x061c                    // Arabic letter mark
            | 0x115f | 0x1160           // Hangul fillers: wide and invisible
            | 0x17b4 | 0x17b5
            | 0x180b..=0x180f           // Mongolian selectors and vowel separator
            | 0x200b..=0x200f           // zero width, directional marks
            | 0x2028..=0x202e           // separators, embeddings, overrides
            | 0x2060..=0x206f           // word joiner, isolates, deprecated format characters
            | 0x3164 | 0xffa0           // Hangul fillers
            | 0xfe00..=0xfe0f           // variation selectors
            | 0xfeff                    // byte order mark
            | 0xfff0..=0xfffb           // interlinear annotation
            | 0x1d173..=0x1d17a
            | 0xe0000..=0xe0fff         // tags, further selectors
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_sequences_become_visible_and_nothing_of_them_is_lost() {
        let text = ServerText::from("/*\u{1b}[2J\u{1b}]0;owned\u{7}*/ select\u{9b}1\u{7f}");
        assert_eq!(text.escaped(), "/*\\x1b[2J\\x1b]0;owned\\x07*/ select\\x9b1\\x7f");
        assert!(text.raw().contains('\u{1b}'));
    }

    #[test]
    fn a_line_cannot_be_turned_round_or_hide_characters() {
        let text = ServerText::from("a\u{202e}b\u{200b}c\u{2066}d\u{feff}e\u{e0041}f");
        assert_eq!(text.escaped(), "a\\u{202e}b\\u{200b}c\\u{2066}d\\u{feff}e\\u{e0041}f");
    }

    #[test]
    fn white_space_folds_and_other_scripts_stay() {
        assert_eq!(ServerText::from("  select\n\t 'é 漢字'  \r\n").escaped(), "select 'é 漢字'");
    }

    #[test]
    fn the_head_stops_after_that_many_characters() {
        assert_eq!(ServerText::from("select   1").head(9), "select…", "what follows is not hidden without a sign");
        assert_eq!(ServerText::from("select   1").head(6), "select…");
        assert_eq!(ServerText::from("select   ").head(6), "select");
        assert_eq!(ServerText::from("select   1").head(10), "select 1");
    }

    #[test]
    fn lines_are_kept_for_the_detail() {
        assert_eq!(ServerText::from("a\r\n\tb\u{8}").escaped_lines(), ["a", "    b\\x08"]);
    }

    #[test]
    fn what_is_pasted_can_break_out_of_no_terminal() {
        let text = "a\u{1b}[201~; rm -rf ~\r\nb\tc\rd\u{9b}1m\u{7f}\0é\u{202e}";
        assert_eq!(pasteable(text), ("a[201~; rm -rf ~\nb\tcd1mé\u{202e}".to_owned(), 5));
        assert_eq!(pasteable("SELECT 1;\n"), ("SELECT 1;\n".to_owned(), 0));
    }
}
