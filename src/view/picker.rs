//! A choice among several: sort columns, databases, commands.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear};
use unicode_width::UnicodeWidthStr;

use super::theme::Theme;
use super::{lines, words};
use crate::app::mode::Picker;
use crate::model::{Shown, Tone};
use crate::table::page_start;

/// A box in the middle of `area`, cleared and framed; returns its inside.
pub fn framed(title: &str, width: u16, height: u16, theme: Theme, area: Rect, frame: &mut Frame) -> Rect {
    let width = width.min(area.width);
    let height = height.min(area.height);
    let x = area.x + (area.width - width) / 2;
    let y = area.y + (area.height - height) / 3;
    let at = Rect { x, y, width, height };
    frame.render_widget(Clear, at);
    let mut block = Block::bordered().title(Span::styled(format!(" {} ", theme.plain(title)), theme.title()));
    if theme.is_ascii() {
        block = block.border_set(ASCII);
    }
    let inner = block.inner(at);
    frame.render_widget(block, at);
    inner
}

/// Says on the frame below `inner` how many lines of its text are above and below those shown, and how many of them must be
/// seen first where that is not all.
pub fn mark_more(shown: Shown, theme: Theme, inner: Rect, frame: &mut Frame) {
    let first = shown.must.saturating_sub(shown.above + shown.rows);
    let first = if (1..shown.below()).contains(&first) { format!("({first} to read first) ") } else { String::new() };
    // On a telephone's frame there is room for one word.
    let text = match (shown.above, shown.below()) {
        (0, 0) => String::new(),
        (0, below) => format!(" ↓ {below} more {first}"),
        (above, 0) => format!(" ↑ {above} more "),
        (above, below) => format!(" ↑ {above}  ↓ {below} more {first}"),
    };
    let text = theme.plain(&text);
    let width = u16::try_from(text.width()).unwrap_or(u16::MAX).min(inner.width);
    let at = Rect { x: inner.right() - width, y: inner.bottom(), width, height: 1 };
    if width > 0 && frame.area().contains(at.as_position()) {
        lines::draw_one(Line::styled(text, theme.style(Tone::Notice)), theme, at, frame);
    }
}

/// Draws a text that may be longer than `inner`, `above` lines of it scrolled away, and says on the frame how much more
/// there is.
pub fn scrolled(text: Vec<Line<'static>>, above: usize, theme: Theme, inner: Rect, frame: &mut Frame) -> Shown {
    let (of, room) = (text.len(), usize::from(inner.height));
    let above = above.min(of.saturating_sub(room));
    let shown = Shown { above, rows: room.min(of - above), must: of, of };
    lines::draw(text.into_iter().skip(above).collect(), theme, inner, frame);
    shown
}

/// A frame of ASCII.
const ASCII: ratatui::symbols::border::Set = ratatui::symbols::border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};

/// Draws the picker.
pub fn draw(picker: &Picker, theme: Theme, area: Rect, frame: &mut Frame) {
    let matching = picker.matching();
    let height = u16::try_from(picker.choices.len()).unwrap_or(u16::MAX).saturating_add(3);
    let inner = framed(picker.title, 84, height, theme, area, frame);
    if inner.height == 0 {
        return;
    }
    let input = Line::from(vec![Span::styled("> ", theme.key()), Span::raw(theme.plain(picker.input.text()))]);
    lines::draw_one(input, theme, inner, frame);
    let before: String = picker.input.text().chars().take(picker.input.cursor()).collect();
    let x = u16::try_from(2 + theme.plain(&before).width()).unwrap_or(u16::MAX).min(inner.width.saturating_sub(1));
    frame.set_cursor_position((inner.x + x, inner.y));
    let rows = usize::from(inner.height - 1);
    if matching.is_empty() && rows > 0 {
        let at = Rect { y: inner.y + 1, height: 1, ..inner };
        lines::draw_one(Line::styled("nothing matches", theme.style(Tone::Faint)), theme, at, frame);
    }
    let start = page_start(picker.at, rows, matching.len());
    let name_width = matching.iter().map(|c| c.name.chars().count()).max().unwrap_or(0).min(34);
    for (i, choice) in matching.into_iter().enumerate().skip(start).take(rows) {
        let y = inner.y + 1 + u16::try_from(i - start).unwrap_or(0);
        let at = Rect { y, height: 1, ..inner };
        let name = words::shortened(&theme.plain(&choice.name), name_width);
        let mut line = Line::from(vec![
            Span::raw(format!("{name:<name_width$}  ")),
            Span::styled(
                theme.plain(&choice.note),
                theme.style(if i == picker.at { Tone::Plain } else { Tone::Faint }),
            ),
        ]);
        if i == picker.at {
            line = line.style(theme.selected());
        }
        lines::draw_one(line, theme, at, frame);
    }
}
