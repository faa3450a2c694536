//! One row in full: exact figures, locks, and the whole text.

mod alert;
mod figures;
mod health;
mod index;
mod progress;
mod remedy;
mod replica;
mod session;
mod statement;
mod table;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthChar;

use super::lines;
use super::theme::Theme;
use crate::app::App;
use crate::app::mode::Subject;
use crate::model::{ServerText, Tone};
use crate::table::Row;

/// Cells of a label and the blank behind it.
const LABEL: usize = 11;

/// Draws the detail of `of`.
pub fn draw(app: &App, of: &Subject, scroll: usize, theme: Theme, area: Rect, frame: &mut Frame) {
    let shown = match of {
        Subject::Session(key) => match app.session_row(key) {
            Some(row) => session::lines(app, row, of, theme),
            None => gone(&format!("session {} is gone", key.pid), theme),
        },
        Subject::Table(key) => match app.table_row(key) {
            Some(row) => table::lines(app, row, theme),
            None => gone("the table is no longer in the list", theme),
        },
        Subject::Index(key) => match app.indexes.all().iter().find(|r| r.key() == *key) {
            Some(row) => index::lines(app, row, theme),
            None => gone("the index is no longer in the list", theme),
        },
        Subject::Progress(key) => match app.current_progress() {
            Some(row) => progress::lines(app, row, theme),
            None => gone(&format!("what {} was at has ended", key.pid), theme),
        },
        Subject::Replica(key) => match app.replicas.all().iter().find(|r| r.key() == *key) {
            Some(row) => [replica::lines(row, theme), remedy::lines(app, of, theme)].concat(),
            None => gone("the standby is no longer in the list", theme),
        },
        Subject::Prepared(gid) => match remedy::lines(app, of, theme) {
            lines if lines.is_empty() => {
                gone(&format!("prepared transaction '{}' blocks nobody now", gid.head(60)), theme)
            }
            lines => lines,
        },
        Subject::Statement(key) => match app.statements.all().iter().find(|r| r.key() == *key) {
            Some(row) => statement::lines(app, row, theme),
            None => gone("the statement is no longer in the list", theme),
        },
        Subject::Alert(labels) => match app.alerts().row(labels) {
            Some(row) => alert::lines(app, &row, theme),
            None => gone("the alert is over, and no longer remembered", theme),
        },
        Subject::Health(key) => health::lines(app, key.as_ref(), theme),
        Subject::Figures(key) => figures::lines(app, key, theme),
        Subject::Remedies => remedy::lines(app, of, theme),
    };
    let wrapped = wrap(shown, usize::from(area.width));
    let top = scroll.min(wrapped.len().saturating_sub(usize::from(area.height)));
    lines::draw(wrapped.into_iter().skip(top).collect(), theme, area, frame);
}

fn gone(text: &str, theme: Theme) -> Vec<Line<'static>> {
    vec![Line::styled(text.to_owned(), theme.style(Tone::Notice))]
}

pub(super) fn fact(label: &str, value: impl Into<String>, tone: Tone, theme: Theme) -> Line<'static> {
    Line::from(vec![
        Span::styled(format!("{label:<LABEL$}"), theme.style(Tone::Faint)),
        Span::styled(theme.plain(&value.into()), theme.style(tone)),
    ])
}

fn name(text: Option<&ServerText>) -> String {
    text.map_or_else(|| "(none)".to_owned(), ServerText::escaped)
}

/// Breaks lines that are too wide, at blanks where there are some; what follows stands under the value, so that one sees
/// where a fact began.
pub(super) fn wrap(lines: Vec<Line<'static>>, width: usize) -> Vec<Line<'static>> {
    let width = width.max(8);
    let mut out = Vec::new();
    for line in lines {
        if line.width() <= width {
            out.push(line);
            continue;
        }
        let style = line.style;
        let is_fact = line.spans.len() > 1;
        let indent = if is_fact && width >= 60 { LABEL } else { 2 };
        let cells: Vec<(char, Style)> =
            line.spans.iter().flat_map(|s| s.content.chars().map(|c| (c, s.style))).collect();
        let mut rest = cells.as_slice();
        let mut first = true;
        while !rest.is_empty() {
            let room = if first { width } else { width - indent };
            let (row, after) = rest.split_at(break_at(rest, room, first && is_fact));
            let row = row.iter().rev().skip_while(|(c, _)| *c == ' ').copied().collect::<Vec<_>>();
            let margin = if first { 0 } else { indent };
            out.push(styled(" ".repeat(margin), row.into_iter().rev()).style(style));
            rest = after;
            while let Some(((' ', _), tail)) = rest.split_first() {
                rest = tail;
            }
            first = false;
        }
    }
    out
}

/// How many characters go into `room` cells: up to the last blank, or as many as fit. At least one.
fn break_at(cells: &[(char, Style)], room: usize, labelled: bool) -> usize {
    let mut used = 0;
    let fit = cells.iter().take_while(|(c, _)| {
        used += c.width().unwrap_or(0);
        used <= room
    });
    let fit = fit.count();
    if fit == cells.len() {
        return fit;
    }
    // A blank in the label, or in the indentation of a statement, is no place to break.
    let least = if labelled { LABEL } else { room / 3 };
    let blank = (least..=fit).rev().find(|at| cells.get(*at).is_some_and(|(c, _)| *c == ' '));
    blank.unwrap_or(fit).max(1)
}

fn styled(margin: String, cells: impl Iterator<Item = (char, Style)>) -> Line<'static> {
    let mut spans = vec![Span::raw(margin)];
    for (c, style) in cells {
        match spans.last_mut() {
            Some(span) if span.style == style => span.content.to_mut().push(c),
            Some(_) | None => spans.push(Span::styled(c.to_string(), style)),
        }
    }
    Line::from(spans)
}
