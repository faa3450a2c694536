//! 5 Tables, its progress: who is at work that tells how far it is, of all databases, and what could not be seen of it.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::part::Empty;
use super::theme::Theme;
use super::words::Said;
use super::{part, words};
use crate::app::App;
use crate::model::Tone;
use crate::model::progress::Running;

/// Draws the list and what is to be said of it.
pub fn draw(app: &App, theme: Theme, area: Rect, frame: &mut Frame) {
    let body = part::draw_head(head(app, theme, area), theme, area, frame);
    let empty = Empty { standing: standing(app), nothing: (nothing(app), Tone::Good), noun: "rows" };
    part::draw_list(&app.progress, empty, theme, body, frame);
}

fn standing(app: &App) -> Option<Said> {
    words::standing(&app.world().progress, app.refresh.as_secs_f64(), app)
}

/// COPY tells how far it is since 14.
fn tells_copies(app: &App) -> bool {
    app.world().server.get().is_some_and(|s| s.major() >= 14)
}

fn nothing(app: &App) -> String {
    let copy = if tells_copies(app) { ", base backup or COPY" } else { " or base backup" };
    format!("no VACUUM, ANALYZE, index build, CLUSTER{copy} runs on this server")
}

fn head(app: &App, theme: Theme, area: Rect) -> Vec<Line<'static>> {
    let most = usize::from(area.height / 3).max(1);
    let Some(running) = app.world().progress.get() else { return part::headed(app, theme, area, Line::default()) };
    let mut lines = part::headed(app, theme, area, summary(app, running, theme));
    let mut said: Vec<Said> = standing(app).into_iter().collect();
    if running.hidden > 0 {
        let role = words::role(app);
        let text = format!("! GRANT pg_monitor TO {role}: of {} it is hidden what they do", running.hidden);
        said.push((text, Tone::Warning));
    }
    if let Some(text) = nameless(app, running) {
        said.push((text, Tone::Faint));
    }
    lines.extend(said.into_iter().map(|(text, tone)| Line::styled(theme.plain(&text), theme.style(tone))));
    lines.truncate(most);
    lines
}

fn summary(app: &App, running: &Running, theme: Theme) -> Line<'static> {
    let auto = running.rows.iter().filter(|p| p.auto).count();
    let waiting = running.rows.iter().filter(|p| !p.blocked_by.is_empty() || p.locker().is_some()).count();
    let wraparound = running.rows.iter().filter(|p| p.wraparound).count();
    let mut spans = vec![Span::styled("the whole server", theme.title())];
    let mut push = |text: String, tone: Tone| {
        spans.push(Span::styled(theme.plain(&format!(" · {text}")), theme.style(tone)));
    };
    if let Some(text) = words::filtered(app, app.progress.len(), app.progress.total()) {
        push(text, Tone::Notice);
    }
    push(format!("{} at work", running.rows.len()), Tone::Plain);
    if auto > 0 {
        push(format!("{auto} of autovacuum"), Tone::Plain);
    }
    if wraparound > 0 {
        push(format!("{wraparound} to prevent wraparound"), Tone::Notice);
    }
    if waiting > 0 {
        push(format!("{waiting} held up by others"), Tone::Warning);
    }
    if !tells_copies(app) {
        push("a COPY tells nothing before 14".to_owned(), Tone::Faint);
    }
    Line::from(spans)
}

/// Why some relations are only numbers.
fn nameless(app: &App, running: &Running) -> Option<String> {
    let places = || running.rows.iter().filter_map(|p| p.relation.as_ref());
    if places().any(|place| place.here && place.name.is_none()) {
        return Some("names of relations could not be looked up: their catalog is locked".to_owned());
    }
    let database = &app.world().server.get()?.database;
    places()
        .any(|place| !place.here)
        .then(|| format!("names of relations are known here only in {}", database.head(40)))
}
