//! A screen as SVG: one text per run of cells with one style, in the colours of a dark terminal.

use std::fmt::Write;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

/// Width and height of a cell in pixels; the text is stretched to it, so that any monospaced font fits.
const CELL: (usize, usize) = (8, 17);

const PAPER: &str = "#101116";
const INK: &str = "#d2d4dc";

/// The picture of that screen.
pub fn of(buffer: &Buffer) -> String {
    let (columns, lines) = (usize::from(buffer.area.width), usize::from(buffer.area.height));
    let (width, height) = (columns * CELL.0 + 16, lines * CELL.1 + 16);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"DejaVu Sans Mono, Menlo, Consolas, monospace\" font-size=\"13\" xml:space=\"preserve\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"{PAPER}\"/>\n"
    );
    for y in 0..buffer.area.height {
        let mut x = 0;
        while x < buffer.area.width {
            let start = x;
            let style = look(&buffer[(x, y)]);
            let mut text = String::new();
            while x < buffer.area.width && look(&buffer[(x, y)]) == style {
                text.push_str(buffer[(x, y)].symbol());
                x += 1;
            }
            run(&mut out, &text, &style, (usize::from(start), usize::from(y), usize::from(x - start)));
        }
    }
    out.push_str("</svg>\n");
    out
}

/// A run of braille as the dots that it stands for: not every monospaced font has them. None for other text.
fn braille(text: &str, (left, top): (usize, usize), ink: &str) -> Option<String> {
    const DOTS: [(usize, usize); 8] = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)];
    if !text.chars().all(|c| c == ' ' || ('\u{2800}'..='\u{28ff}').contains(&c)) {
        return None;
    }
    let mut path = String::new();
    for (i, c) in text.chars().enumerate().filter(|(_, c)| *c != ' ') {
        let bits = u32::from(c) - 0x2800;
        for (_, (dx, dy)) in DOTS.iter().enumerate().filter(|(bit, _)| bits >> bit & 1 == 1) {
            write!(path, "M{} {}h3v3h-3z", left + i * CELL.0 + dx * 4, top + dy * 4 + 1).unwrap();
        }
    }
    Some(format!("<path fill=\"{ink}\" d=\"{path}\"/>\n"))
}

#[derive(PartialEq)]
struct Look {
    ink: &'static str,
    paper: &'static str,
    bold: bool,
}

fn look(cell: &Cell) -> Look {
    let ink = colour(cell.fg).unwrap_or(INK);
    let paper = colour(cell.bg).unwrap_or(PAPER);
    let bold = cell.modifier.contains(Modifier::BOLD);
    if cell.modifier.contains(Modifier::REVERSED) {
        Look { ink: paper, paper: ink, bold }
    } else {
        Look { ink, paper, bold }
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the view uses no others")]
fn colour(colour: Color) -> Option<&'static str> {
    Some(match colour {
        Color::Red => "#e05c5c",
        Color::Green => "#62b56c",
        Color::Yellow => "#d7a63a",
        Color::Blue => "#6f95ea",
        Color::Magenta => "#bf72cf",
        Color::Cyan => "#4fb8c9",
        Color::DarkGray => "#7d808c",
        _ => return None,
    })
}

fn run(out: &mut String, text: &str, look: &Look, (x, y, cells): (usize, usize, usize)) {
    let (left, top) = (x * CELL.0 + 8, y * CELL.1 + 8);
    let width = cells * CELL.0;
    if look.paper != PAPER {
        writeln!(
            out,
            "<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{}\" fill=\"{}\"/>",
            CELL.1, look.paper
        )
        .unwrap();
    }
    if text.trim().is_empty() {
        return;
    }
    if let Some(dots) = braille(text, (left, top), look.ink) {
        out.push_str(&dots);
        return;
    }
    let before = text.chars().take_while(|c| *c == ' ').count();
    let shown = text.trim();
    let length = shown.chars().count() * CELL.0;
    let left = left + before * CELL.0;
    let weight = if look.bold { " font-weight=\"bold\"" } else { "" };
    let escaped = shown.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    writeln!(
        out,
        "<text x=\"{left}\" y=\"{}\" textLength=\"{length}\" fill=\"{}\"{weight}>{escaped}</text>",
        top + 13,
        look.ink
    )
    .unwrap();
}
