//! The keys of this tab, from the table of commands and the keymap.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::theme::Theme;
use super::{lines, picker};
use crate::app::App;
use crate::command::{Place, SPECS, Spec};
use crate::guard::Policy;
use crate::model::{Shown, Tone};

/// Cells that the help needs at most: longer lines are harder to read.
const WIDEST: u16 = 120;

/// Cells of the keys: where there is room, and where there is little.
const KEYS: [usize; 2] = [16, 8];

/// Cells of a line from which on there is room.
const ROOMY: usize = 60;

/// Draws the help, and says how much of it.
pub fn draw(app: &App, scroll: usize, theme: Theme, area: Rect, frame: &mut Frame) -> Shown {
    let shown = content(app, theme, usize::from(area.width.min(WIDEST).saturating_sub(2)));
    let height = u16::try_from(shown.len()).unwrap_or(u16::MAX).saturating_add(2);
    let title = format!("Keys of {}", app.tab.title());
    let inner = picker::framed(&title, WIDEST, height, theme, area, frame);
    let shown = picker::scrolled(shown, scroll, theme, inner, frame);
    picker::mark_more(shown, theme, inner, frame);
    shown
}

fn content(app: &App, theme: Theme, width: usize) -> Vec<Line<'static>> {
    let mut out = Vec::new();
    let mut section = |title: &'static str, here: bool| {
        out.push(Line::styled(title, theme.title()));
        let specs = SPECS.iter().filter(|s| (s.place != Place::Everywhere) == here && app.offers(s.command));
        out.extend(specs.flat_map(|spec| entry(app, spec, theme, width)));
    };
    section("On this tab", true);
    section("Everywhere", false);
    let by = app.setup.policy_by.as_ref().map_or_else(String::new, |by| format!(" ({by})"));
    let bound = match app.setup.policy {
        Policy::Observer => "Read-only: no writer was built, and no key acts",
        Policy::Operator => "Operator: light actions only, such as a cancel",
        Policy::Admin => return out,
    };
    let bound = lines::folded(&theme.plain(&format!("{bound}{by}.")), width);
    out.extend(bound.into_iter().map(|l| Line::styled(l, theme.style(Tone::Notice))));
    out
}

/// The keys of a command and what it does, both broken into lines within their own cells.
fn entry(app: &App, spec: &Spec, theme: Theme, width: usize) -> Vec<Line<'static>> {
    let [roomy, little] = KEYS;
    let room = if width >= ROOMY { roomy } else { little };
    let keys: Vec<String> = app.setup.keymap.chords_of(spec.command, app.tab).iter().map(ToString::to_string).collect();
    let mut keys = lines::folded(&theme.plain(&keys.join(", ")), room).into_iter();
    let mut said = lines::folded(&theme.plain(spec.help), width.saturating_sub(room + 2)).into_iter();
    let mut out = Vec::new();
    loop {
        let (key, text) = (keys.next(), said.next());
        if key.is_none() && text.is_none() {
            return out;
        }
        out.push(Line::from(vec![
            Span::styled(format!(" {:<room$}", key.unwrap_or_default()), theme.key()),
            Span::raw(format!(" {}", text.unwrap_or_default())),
        ]));
    }
}
