//! Health in full: every item, or one, with all that was heard of it, since when, and when it was well last.

use ratatui::text::Line;

use super::fact;
use crate::app::App;
use crate::diagnose::health::{Item, ItemKey};
use crate::model::unit::Age;
use crate::model::{Timestamp, Tone, seconds_between};
use crate::view::theme::Theme;
use crate::view::triage::{mark, tone};
use crate::view::words::time_of_day;

/// The lines of the detail: of one item, or of all.
pub fn lines(app: &App, of: Option<&ItemKey>, theme: Theme) -> Vec<Line<'static>> {
    let items = app.triage.diagnosis.health.iter().filter(|item| of.is_none_or(|key| item.key == *key));
    let mut lines = Vec::new();
    for item in items {
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        one(app, item, theme, &mut lines);
    }
    if lines.is_empty() {
        lines.push(Line::styled("it is not watched".to_owned(), theme.style(Tone::Notice)));
    }
    lines
}

fn one(app: &App, item: &Item, theme: Theme, lines: &mut Vec<Line<'static>>) {
    lines.push(Line::styled(theme.plain(&item.name), theme.title()));
    let word = item.state.map_or("nothing to judge", |state| state.word());
    let mut add = |label: &str, value: String, tone: Tone| lines.push(fact(label, value, tone, theme));
    add("state", format!("{} {word}: {}", mark(item.state, theme), item.text), tone(item.state));
    for (label, at) in [("since", item.since), ("well last", item.well)] {
        if let Some(at) = at {
            add(label, moment(app, at), Tone::Plain);
        }
    }
    for one in &item.facts {
        add(&one.label, one.text.clone(), one.state.map_or(Tone::Plain, |state| tone(Some(state))));
    }
}

/// `03:04:11Z, 8m12s ago`.
fn moment(app: &App, at: Timestamp) -> String {
    let ago = Age(seconds_between(at, app.shown_now())).exact();
    format!("{}, {ago} ago", time_of_day(at, app.local_time))
}
