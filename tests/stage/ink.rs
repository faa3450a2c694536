//! A buffer of cells as text: what is read, and how loud it is.

use std::fmt::Write;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

/// The text, blanks at the ends of lines left out.
pub fn text(buffer: &Buffer) -> String {
    lines(buffer).iter().map(|line| line.iter().map(|cell| cell.symbol()).collect::<String>()).fold(
        String::new(),
        |mut out, line| {
            out.push_str(line.trim_end());
            out.push('\n');
            out
        },
    )
}

/// The text with its styles: `⟨red bold:‼⟩`; plain text stands bare.
pub fn styled(buffer: &Buffer) -> String {
    let mut out = String::new();
    for line in lines(buffer) {
        let mut runs: Vec<(String, String)> = Vec::new();
        for cell in line {
            let style = name(cell);
            match runs.last_mut() {
                Some((last, text)) if *last == style => text.push_str(cell.symbol()),
                _ => runs.push((style, cell.symbol().to_owned())),
            }
        }
        let mut row = String::new();
        for (style, text) in runs {
            let bare = text.trim_end();
            if style.is_empty() || (bare.is_empty() && !style.contains("reversed")) {
                row.push_str(&text);
            } else {
                let _ = write!(row, "⟨{style}:{bare}⟩{}", " ".repeat(text.len() - bare.len()));
            }
        }
        out.push_str(row.trim_end());
        out.push('\n');
    }
    out
}

/// The cells of each line, without those that a wide character covers.
fn lines(buffer: &Buffer) -> Vec<Vec<&Cell>> {
    let width = usize::from(buffer.area.width);
    buffer
        .content
        .chunks(width.max(1))
        .map(|line| {
            let mut covered = 0;
            line.iter()
                .filter(|cell| {
                    if covered > 0 {
                        covered -= 1;
                        return false;
                    }
                    covered = cell.symbol().width().saturating_sub(1);
                    true
                })
                .collect()
        })
        .collect()
}

fn name(cell: &Cell) -> String {
    let colour = |c: Color, what: &str| {
        if c == Color::Reset { String::new() } else { format!("{what}{}", c.to_string().to_lowercase()) }
    };
    let mut words = vec![colour(cell.fg, ""), colour(cell.bg, "on ")];
    for (modifier, word) in [
        (Modifier::BOLD, "bold"),
        (Modifier::DIM, "dim"),
        (Modifier::UNDERLINED, "underlined"),
        (Modifier::REVERSED, "reversed"),
    ] {
        if cell.modifier.contains(modifier) {
            words.push(word.to_owned());
        }
    }
    words.retain(|w| !w.is_empty());
    words.join(" ")
}
