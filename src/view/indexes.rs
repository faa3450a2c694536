//! 5 Tables, its indexes: which database, since when scans are counted and what they are worth, and the list.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::part::Empty;
use super::theme::Theme;
use super::words::Said;
use super::{part, words};
use crate::app::App;
use crate::model::Tone;
use crate::model::index::{IndexOrder, Indexes};
use crate::model::unit::Age;

/// Seconds between two answers while they are on the screen.
const BEAT_S: f64 = 10.0;

/// Draws the list and what is to be said of it.
pub fn draw(app: &App, theme: Theme, area: Rect, frame: &mut Frame) {
    let body = part::draw_head(head(app, theme, area), theme, area, frame);
    let standing = words::standing(&app.world().indexes, beat(app), app);
    let nothing = ("this database has no indexes of its own".to_owned(), Tone::Faint);
    part::draw_list(&app.indexes, Empty { standing, nothing, noun: "indexes" }, theme, body, frame);
}

fn beat(app: &App) -> f64 {
    words::slow_beat(app).max(BEAT_S)
}

fn head(app: &App, theme: Theme, area: Rect) -> Vec<Line<'static>> {
    let most = usize::from(area.height / 3).max(1);
    let latest = &app.world().indexes;
    let Some(indexes) = latest.get() else { return part::headed(app, theme, area, Line::default()) };
    let mut lines = part::headed(app, theme, area, summary(app, indexes, theme));
    let mut said: Vec<Said> = words::standing(latest, beat(app), app).into_iter().collect();
    said.extend(worth(app, indexes));
    lines.extend(said.into_iter().map(|(text, tone)| Line::styled(theme.plain(&text), theme.style(tone))));
    lines.truncate(most);
    lines
}

fn summary(app: &App, i: &Indexes, theme: Theme) -> Line<'static> {
    let shown = i64::try_from(i.rows.len()).unwrap_or(i64::MAX);
    let count = if shown < i.total {
        format!("{shown} of {} indexes, the first by {} and those that are wrong", i.total, order_name(i.order))
    } else {
        format!("{} index{}", i.total, if i.total == 1 { "" } else { "es" })
    };
    let filtered = words::filtered(app, app.indexes.len(), app.indexes.total());
    let count = filtered.map_or(count.clone(), |f| format!("{f} · {count}"));
    let asked = app.database.as_ref().filter(|d| **d != i.database);
    let switching = asked.map_or_else(String::new, |d| format!(" · asking {}", d.head(24)));
    let mut spans = vec![Span::styled(format!("database {}", i.database.head(40)), theme.title())];
    spans.push(Span::raw(theme.plain(&format!(" · {count}{switching}"))));
    let f = i.faults;
    if f.invalid > 0 {
        spans.push(Span::styled(theme.plain(&format!(" · {} INVALID", f.invalid)), theme.style(Tone::Warning)));
    }
    if f.duplicate > 0 {
        spans.push(Span::styled(theme.plain(&format!(" · {} twice", f.duplicate)), theme.style(Tone::Notice)));
    }
    let unused = format!(" · {} without a scan", f.unused);
    if f.unused > 0 && i.counted {
        spans.push(Span::raw(theme.plain(&unused)));
    }
    Line::from(spans)
}

/// What a count of scans is worth here.
fn worth(app: &App, i: &Indexes) -> Vec<Said> {
    if !i.counted {
        return vec![("track_counts is off: no scan is counted".to_owned(), Tone::Warning)];
    }
    let age = Age(i.counted_s).short();
    let since = if i.reset_known {
        format!("scans counted for {age}, since the statistics were reset")
    } else {
        format!("scans counted for {age} at least, since the server's start; no reset is known")
    };
    let since = if i.counted_s < app.triage.limits.index_unused {
        format!("{since}: too short to call an index unused")
    } else {
        since
    };
    if i.in_recovery {
        let text = format!("standby: its scans are its own, the primary's are not seen here; {since}");
        return vec![(text, Tone::Notice)];
    }
    let standbys = app.world().replication.get().map_or(0, |r| r.replicas.len());
    match standbys {
        0 => vec![(since, Tone::Faint)],
        1 => vec![(format!("{since}; scans on the standby are not seen here"), Tone::Notice)],
        n => vec![(format!("{since}; scans on the {n} standbys are not seen here"), Tone::Notice)],
    }
}

fn order_name(order: IndexOrder) -> &'static str {
    match order {
        IndexOrder::Faults => "what is wrong",
        IndexOrder::Size => "size",
        IndexOrder::Scans => "fewest scans",
        IndexOrder::Used => "most scans",
        IndexOrder::Table => "table",
        IndexOrder::Name => "name",
    }
}
