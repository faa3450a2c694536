//! The list of a question about several sessions: as much of it as there is room for, and how much there is beyond.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::super::theme::Theme;
use super::super::{lines, picker};
use super::{LABEL, WIDEST, answer, labelled, part};
use crate::guard::{Listed, Prompt};
use crate::model::Tone;

/// Lines of the list that stay where there is little room: what is said in sum gives way to whom it hits.
const LEAST: usize = 2;

/// Lines of the list that come before what is said in sum is told in full.
const MANY: usize = 10;

/// Draws the question. Where there is little room what is said in sum keeps one line each, so that the list has the rest.
pub fn draw(prompt: &Prompt, theme: Theme, area: Rect, frame: &mut Frame) {
    let listed = prompt.listed();
    let mut said = said(prompt, theme, area);
    let height = u16::try_from(said.len() + listed.len() + 3).unwrap_or(u16::MAX);
    let inner = picker::framed(prompt.title(), WIDEST, height, theme, area, frame);
    let inner = Rect { x: inner.x + inner.width.min(1), width: inner.width.saturating_sub(2), ..inner };
    if inner.height == 0 {
        return;
    }
    let room = usize::from(inner.height - 1);
    said.truncate(room.saturating_sub(LEAST.min(listed.len())));
    let rows = room - said.len();
    let top = prompt.scroll().min(listed.len().saturating_sub(rows));
    let below = listed.len().saturating_sub(top + rows);
    said.extend(listed.iter().skip(top).take(rows).map(|row| line(row, theme)));
    if (below > 0 || top > 0) && rows > 1 {
        let text = format!("{:<LABEL$}{}-{} of {}: arrows, PgDn", "", top + 1, top + rows - 1, listed.len());
        said.truncate(room - 1);
        said.push(Line::styled(text, theme.style(Tone::Notice)));
    }
    lines::draw(said, theme, Rect { height: inner.height - 1, ..inner }, frame);
    let y = inner.y + inner.height - 1;
    lines::draw_one(answer(prompt, theme).right_aligned(), theme, Rect { y, height: 1, ..inner }, frame);
}

/// What is said in sum: in full where that leaves room for the list, else one line for each. The statement holds the whole
/// list once more: one line of it.
fn said(prompt: &Prompt, theme: Theme, area: Rect) -> Vec<Line<'static>> {
    let warnings = prompt.warnings().iter().map(|w| ("!", w.as_str()));
    let all: Vec<(&str, &str)> = warnings.chain(prompt.rows().iter().map(|r| (r.label, r.text.as_str()))).collect();
    let width = usize::from(area.width.min(WIDEST)).saturating_sub(4);
    let full = |(label, text): &(&str, &str)| match *label {
        "runs" => vec![labelled(label, (*text).to_owned(), theme)],
        _ => part(label, text, width, theme),
    };
    let full: Vec<Line<'static>> = all.iter().flat_map(full).collect();
    if full.len() + prompt.listed().len().min(MANY) + 3 <= usize::from(area.height) {
        return full;
    }
    all.into_iter().map(|(label, text)| labelled(label, text.to_owned(), theme)).collect()
}

fn line(row: &Listed, theme: Theme) -> Line<'static> {
    let pid = Span::styled(format!("{:>7} ", row.pid), theme.style(Tone::Plain));
    let (text, tone) = match &row.left_out {
        Some(why) => (format!("left out: {why}"), Tone::Warning),
        None => (row.text.clone(), Tone::Plain),
    };
    Line::from(vec![pid, Span::styled(text, theme.style(tone))])
}
