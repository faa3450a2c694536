//! Lines of text in the room that there is: what is cut says so, what must be read whole is broken at blanks.
//!
//! Knows nothing of what the lines say.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::theme::Theme;

/// Draws lines one below the other. Those that have no room are left out.
pub fn draw(lines: Vec<Line<'static>>, theme: Theme, area: Rect, frame: &mut Frame) {
    for (i, line) in lines.into_iter().take(usize::from(area.height)).enumerate() {
        let y = area.y + u16::try_from(i).unwrap_or(0);
        draw_one(line, theme, Rect { y, height: 1, ..area }, frame);
    }
}

/// Draws one line into the first line of `area`; where it is cut its last cell says so. All text of the screen passes
/// here or through a list's cells, in what the terminal can show.
pub fn draw_one(mut line: Line<'static>, theme: Theme, area: Rect, frame: &mut Frame) {
    let area = Rect { height: area.height.min(1), ..area };
    for span in &mut line.spans {
        span.content = theme.plain(&span.content).into();
    }
    let cut = line.width() > usize::from(area.width);
    frame.render_widget(line, area);
    if cut {
        mark_cut(theme, area, frame.buffer_mut());
    }
}

/// Puts the mark of a cut into the last cell of the line.
pub fn mark_cut(theme: Theme, line: Rect, buffer: &mut Buffer) {
    if line.is_empty() {
        return;
    }
    let last = line.right() - 1;
    // A wide character covers the cell behind it: the mark must stand in its place, not under it.
    let covered = last > line.x && buffer.cell((last - 1, line.y)).is_some_and(|c| c.symbol().width() > 1);
    let at = if covered { last - 1 } else { last };
    if covered && let Some(cell) = buffer.cell_mut((last, line.y)) {
        cell.set_symbol(" ");
    }
    if let Some(cell) = buffer.cell_mut((at, line.y)) {
        cell.set_symbol(theme.cut());
    }
}

/// A name in so many cells, whatever the width of its characters.
#[must_use]
pub fn padded(name: &str, cells: usize) -> String {
    let name = super::words::shortened(name, cells);
    let pad = " ".repeat(cells.saturating_sub(name.width()));
    format!("{name}{pad}")
}

/// Breaks a text into lines of at most `width` cells, at blanks where there are some.
#[must_use]
pub fn folded(text: &str, width: usize) -> Vec<String> {
    let width = width.max(2);
    let mut out = Vec::new();
    let (mut line, mut used) = (String::new(), 0);
    for word in text.split(' ') {
        if used > 0 && used + 1 + word.width() > width {
            out.push(std::mem::take(&mut line));
            used = 0;
        }
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        for c in word.chars() {
            let wide = c.width().unwrap_or(0);
            if used + wide > width {
                out.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push(c);
            used += wide;
        }
    }
    out.push(line);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_broken_at_blanks_and_where_there_are_none_at_the_edge() {
        assert_eq!(folded("one two three", 7), ["one two", "three"]);
        assert_eq!(folded("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(folded("漢字漢字", 5), ["漢字", "漢字"]);
        assert_eq!(folded("", 5), [""]);
    }
}
