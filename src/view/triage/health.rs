//! Health at a glance: one row for each item of the diagnosis, or as many as fit on a line, what is not well first.
//!
//! It judges nothing: what is not known says so, and never reads as well.

use ratatui::text::{Line, Span};

use super::super::lines::padded;
use super::super::theme::Theme;
use super::super::words::shortened;
use crate::app::App;
use crate::diagnose::health::Item;
use crate::model::Tone;
use crate::model::health::State;

/// Cells of the names, with the blank behind them.
const NAME: usize = 12;

/// Rows of the box at most: the alerts stand below it.
const MOST: usize = 16;

/// How loud an item is shown.
pub(in crate::view) fn tone(state: Option<State>) -> Tone {
    state.map_or(Tone::Faint, State::tone)
}

/// The sign of a state.
pub(in crate::view) fn mark(state: Option<State>, theme: Theme) -> &'static str {
    match (state, theme.is_ascii()) {
        (Some(State::Ok), false) => "✓",
        (Some(State::Ok), true) => "ok",
        (Some(State::Unknown), _) => "?",
        (Some(State::Degraded), _) => "!",
        (Some(State::Failing), false) => "✗",
        (Some(State::Failing), true) => "XX",
        (None, false) => "·",
        (None, true) => "-",
    }
}

/// The rows of the box, in so many cells.
pub fn lines(app: &App, theme: Theme, width: usize) -> Vec<Line<'static>> {
    let items = &app.triage.diagnosis.health;
    let mut kept: Vec<&Item> = items.iter().collect();
    let mut left_out = 0;
    while kept.len() > MOST {
        // What is well gives way, the last first; where nothing is, the last of all.
        let at = kept.iter().rposition(|item| !item.is_bad() && item.state != Some(State::Unknown));
        kept.remove(at.unwrap_or(kept.len() - 1));
        left_out += 1;
    }
    let mut lines: Vec<Line<'static>> = kept.into_iter().map(|item| row(item, theme, width)).collect();
    if left_out > 0 {
        lines.push(Line::styled(theme.plain(&format!(" … {left_out} more")), theme.style(Tone::Faint)));
    }
    lines
}

fn row(item: &Item, theme: Theme, width: usize) -> Line<'static> {
    let sign = if theme.is_ascii() { 3 } else { 2 };
    let text = shortened(&theme.plain(&item.text), width.saturating_sub(NAME + 1 + sign));
    Line::from(vec![
        Span::raw(format!(" {} ", padded(&theme.plain(&item.name), NAME - 1))),
        Span::styled(format!("{:<sign$}{text}", mark(item.state, theme)), theme.style(tone(item.state))),
    ])
}

/// The same in at most so many lines of so many cells, for a screen without room for a box: what is not well comes
/// first and with all its words. Where nothing fits but what is bad, `only_bad` leaves the rest out.
pub fn compact(app: &App, theme: Theme, (width, most): (usize, usize), only_bad: bool) -> Vec<Line<'static>> {
    let mut items: Vec<&Item> = app.triage.diagnosis.health.iter().filter(|item| !only_bad || item.is_bad()).collect();
    // The failing before the degraded, then the unknown; what there is nothing to judge of, last.
    items.sort_by_key(|item| {
        std::cmp::Reverse(item.state.map_or(0, |state| if state == State::Ok { 1 } else { state as u8 + 2 }))
    });
    let mut lines: Vec<Line<'static>> = Vec::new();
    let mut left = items.into_iter().peekable();
    while lines.len() < most && left.peek().is_some() {
        let mut line = Line::default();
        while let Some(item) = left.peek() {
            let name = format!("{} ", theme.plain(&item.name));
            let text = theme.plain(&format!("{} {}", mark(item.state, theme), shortened(&item.text, 34)));
            let between = if line.spans.is_empty() { String::new() } else { theme.plain(" · ") };
            let [gap, named, said] = [
                Span::styled(between, theme.style(Tone::Faint)),
                Span::raw(name),
                Span::styled(text, theme.style(tone(item.state))),
            ];
            if !line.spans.is_empty() && line.width() + gap.width() + named.width() + said.width() > width {
                break;
            }
            line.spans.extend([gap, named, said]);
            left.next();
        }
        lines.push(line);
    }
    lines
}
