//! The screen of a terminal as the view's own kind of cells, so that a picture can be made of it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

/// That screen.
pub fn of(screen: &vt100::Screen) -> Buffer {
    let (lines, columns) = screen.size();
    let mut buffer = Buffer::empty(Rect::new(0, 0, columns.get(), lines.get()));
    for (y, x) in (0..lines.get()).flat_map(|y| (0..columns.get()).map(move |x| (y, x))) {
        let Some(cell) = screen.cell(y, x).filter(|cell| cell.has_contents() || cell.inverse()) else { continue };
        let mut style = Style::new().fg(colour(cell.fgcolor())).bg(colour(cell.bgcolor()));
        for (on, modifier) in [(cell.bold(), Modifier::BOLD), (cell.inverse(), Modifier::REVERSED)] {
            style = if on { style.add_modifier(modifier) } else { style };
        }
        let text = if cell.has_contents() { cell.contents() } else { " " };
        buffer[(x, y)].set_symbol(text).set_style(style);
    }
    buffer
}

fn colour(colour: vt100::Color) -> Color {
    match colour {
        vt100::Color::Default => Color::Reset,
        // ratatui sends the sixteen colours by their numbers.
        vt100::Color::Idx(1) => Color::Red,
        vt100::Color::Idx(2) => Color::Green,
        vt100::Color::Idx(3) => Color::Yellow,
        vt100::Color::Idx(4) => Color::Blue,
        vt100::Color::Idx(5) => Color::Magenta,
        vt100::Color::Idx(6) => Color::Cyan,
        vt100::Color::Idx(8) => Color::DarkGray,
        vt100::Color::Idx(other) => Color::Indexed(other),
        vt100::Color::Rgb(r, g, b) => Color::Rgb(r, g, b),
    }
}
