//! The names of the lists of Tables, the one that is shown in brackets, in front of what a list says of itself.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use super::theme::Theme;
use super::words::Said;
use super::{footer, lines, list};
use crate::app::App;
use crate::app::part::Part;
use crate::command::Command;
use crate::model::ServerText;
use crate::model::Tone;
use crate::table::{Listing, Row};

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

/// Draws the lines above a list, and gives the room below them.
pub fn draw_head(head: Vec<Line<'static>>, theme: Theme, area: Rect, frame: &mut Frame) -> Rect {
    let height = u16::try_from(head.len()).unwrap_or(1);
    let [top, body] = Layout::vertical([Constraint::Length(height), Constraint::Fill(1)]).areas(area);
    lines::draw(head, theme, top, frame);
    body
}

/// What stands in the place of a list that shows no row.
pub struct Empty {
    /// Why the rows are old, or there is no answer.
    pub standing: Option<Said>,
    /// What is said where the server has none.
    pub nothing: Said,
    /// What the rows are.
    pub noun: &'static str,
}

/// Draws a list, or why it shows no row.
pub fn draw_list<R: Row>(listing: &Listing<R>, empty: Empty, theme: Theme, area: Rect, frame: &mut Frame) {
    if !listing.is_empty() {
        list::draw(listing, empty.standing.is_some(), theme, area, frame);
        return;
    }
    let filter = ServerText::from(listing.filter().text()).escaped();
    let (text, tone) = match (empty.standing, listing.total()) {
        (Some(said), _) => said,
        (None, 0) => empty.nothing,
        (None, n) => (format!("none of {n} {} passes the filter `{filter}`; Esc clears it", empty.noun), Tone::Notice),
    };
    footer::draw_reason(&text, tone, theme, area, frame);
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
