//! The names of the lists of Tables, the one that is shown in brackets, in front of what a list says of itself.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::theme::Theme;
use crate::app::App;
use crate::app::part::Part;
use crate::command::Command;
use crate::model::Tone;

/// Columns from which on the names stand on the line of the summary.
const ONE_LINE: u16 = 110;

/// Lines from which on they can have one of their own.
const TWO_LINES: u16 = 12;

/// Puts the names before the summary: on its line where that is wide, else on a line above.
#[must_use]
pub fn headed(app: &App, theme: Theme, area: Rect, summary: Line<'static>) -> Vec<Line<'static>> {
    let wide = area.width >= ONE_LINE;
    if wide || area.height < TWO_LINES {
        // On a telephone's terminal there is room for one name.
        let names = names(app, theme, |part| wide || part == app.part);
        let gap = std::iter::once(Span::raw(if wide { "  " } else { " " }));
        return vec![Line::from(names.into_iter().chain(gap).chain(summary.spans).collect::<Vec<_>>())];
    }
    vec![Line::from(names(app, theme, |_| true)), summary]
}

fn names(app: &App, theme: Theme, shown: impl Fn(Part) -> bool) -> Vec<Span<'static>> {
    let mut spans = vec![Span::styled(format!("{} ", app.key_of(Command::NextView)), theme.key())];
    for (nth, part) in Part::ALL.into_iter().filter(|part| shown(*part)).enumerate() {
        if nth > 0 {
            spans.push(Span::raw(" "));
        }
        spans.push(if app.part == part {
            Span::styled(format!("[{}]", part.title()), theme.title())
        } else {
            Span::styled(part.title(), theme.style(Tone::Faint))
        });
    }
    spans
}
