//! The keys of this tab, from the table of commands and the keymap.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::theme::Theme;
use super::{lines, picker, words};
use crate::app::App;
use crate::command::{Place, SPECS};
use crate::guard::Policy;
use crate::model::Tone;

/// Draws the help.
pub fn draw(app: &App, scroll: usize, theme: Theme, area: Rect, frame: &mut Frame) {
    let shown = content(app, theme);
    let height = u16::try_from(shown.len()).unwrap_or(u16::MAX).saturating_add(2);
    let title = format!("Keys of {}", app.tab.title());
    let inner = picker::framed(&title, 92, height, theme, area, frame);
    let rows = usize::from(inner.height);
    let top = scroll.min(shown.len().saturating_sub(rows));
    let more = shown.len().saturating_sub(top + rows);
    for (i, line) in shown.into_iter().skip(top).take(rows).enumerate() {
        let y = inner.y + u16::try_from(i).unwrap_or(0);
        let last = i + 1 == rows && more > 0;
        let at = Rect { y, height: 1, ..inner };
        if last {
            let text = format!("… {} more lines", more + 1);
            lines::draw_one(Line::styled(text, theme.style(Tone::Faint)), theme, at, frame);
        } else {
            lines::draw_one(line, theme, at, frame);
        }
    }
}

fn content(app: &App, theme: Theme) -> Vec<Line<'static>> {
    let mut out = Vec::new();
    let mut section = |title: &'static str, here: bool| {
        out.push(Line::styled(title, theme.title()));
        for spec in SPECS.iter().filter(|s| (s.place != Place::Everywhere) == here && app.offers(s.command)) {
            let keys = app.setup.keymap.chords_of(spec.command, app.tab);
            let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
            out.push(Line::from(vec![
                Span::styled(format!(" {:<16}", words::shortened(&theme.plain(&keys.join(", ")), 16)), theme.key()),
                Span::raw(format!(" {}", spec.help)),
            ]));
        }
    };
    section("On this tab", true);
    section("Everywhere", false);
    let by = app.setup.policy_by.as_ref().map_or_else(String::new, |by| format!(" ({by})"));
    let bound = match app.setup.policy {
        Policy::Observer => "Read-only: no writer was built, and no key acts",
        Policy::Operator => "Operator: light actions only, such as a cancel",
        Policy::Admin => return out,
    };
    out.push(Line::styled(theme.plain(&format!("{bound}{by}.")), theme.style(Tone::Notice)));
    out
}
