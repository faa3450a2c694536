//! One row in full: exact figures, locks, and the whole text.

mod replica;
mod session;
mod table;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::lines;
use super::theme::Theme;
use crate::app::App;
use crate::app::mode::Subject;
use crate::model::{ServerText, Tone};
use crate::table::Row;

/// Draws the detail of `of`.
pub fn draw(app: &App, of: &Subject, scroll: usize, theme: Theme, area: Rect, frame: &mut Frame) {
    let shown = match of {
        Subject::Session(key) => match app.session_row(key) {
            Some(row) => session::lines(app, row, theme),
            None => gone(&format!("session {} is gone", key.pid), theme),
        },
        Subject::Table(key) => match app.tables.all().iter().find(|r| r.key() == *key) {
            Some(row) => table::lines(app, row, theme),
            None => gone("the table is no longer in the list", theme),
        },
        Subject::Replica(key) => match app.replicas.all().iter().find(|r| r.key() == *key) {
            Some(row) => replica::lines(row, theme),
            None => gone("the standby is no longer in the list", theme),
        },
    };
    let wrapped = wrap(shown, usize::from(area.width));
    let top = scroll.min(wrapped.len().saturating_sub(usize::from(area.height)));
    lines::draw(wrapped.into_iter().skip(top).collect(), theme, area, frame);
}

fn gone(text: &str, theme: Theme) -> Vec<Line<'static>> {
    vec![Line::styled(text.to_owned(), theme.style(Tone::Notice))]
}

fn fact(label: &str, value: impl Into<String>, tone: Tone, theme: Theme) -> Line<'static> {
    Line::from(vec![
        Span::styled(format!("{label:<11}"), theme.style(Tone::Faint)),
        Span::styled(theme.plain(&value.into()), theme.style(tone)),
    ])
}

fn name(text: Option<&ServerText>) -> String {
    text.map_or_else(|| "(none)".to_owned(), ServerText::escaped)
}

/// Breaks lines that are too wide; what follows is indented, so that one sees where a line began.
fn wrap(lines: Vec<Line<'static>>, width: usize) -> Vec<Line<'static>> {
    let width = width.max(8);
    let mut out = Vec::new();
    for line in lines {
        if line.width() <= width {
            out.push(line);
            continue;
        }
        let style = line.style;
        let mut row: Vec<Span<'static>> = Vec::new();
        let mut used = 0;
        for span in line.spans {
            let mut piece = String::new();
            for c in span.content.chars() {
                let w = unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
                if used + w > width {
                    row.push(Span::styled(std::mem::take(&mut piece), span.style));
                    out.push(Line::from(std::mem::take(&mut row)).style(style));
                    piece.push_str("  ");
                    used = 2;
                }
                piece.push(c);
                used += w;
            }
            row.push(Span::styled(piece, span.style));
        }
        out.push(Line::from(row).style(style));
    }
    out
}
