//! 4 Locks: how many wait and behind whom, and the forest.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use super::theme::Theme;
use super::{connections, footer, lines, list, words};
use crate::app::App;
use crate::app::tab::locks::{Advice, LockRow, Who};
use crate::command::Command;
use crate::model::session::Session;
use crate::model::unit::{Age, counted};
use crate::model::{ServerText, Tone};

/// Draws the tab.
pub fn draw(app: &App, theme: Theme, area: Rect, frame: &mut Frame) {
    let mut head = connections::caveats(app, theme, area);
    head.extend(replay(app, theme));
    if !app.locks.all().is_empty() {
        head.push(totals(app, theme));
    }
    let height = u16::try_from(head.len()).unwrap_or(u16::MAX).min(area.height / 2);
    let [top, body] = Layout::vertical([Constraint::Length(height), Constraint::Fill(1)]).areas(area);
    lines::draw(head, theme, top, frame);
    if app.locks.is_empty() {
        let (text, tone) = empty(app);
        footer::draw_reason(&text, tone, theme, body, frame);
        return;
    }
    let stale = words::standing(&app.world().sessions, app.refresh.as_secs_f64(), app).is_some();
    list::draw(&app.locks, stale, theme, body, frame);
}

/// Why there is no row: an all-clear is given only where everything was seen.
fn empty(app: &App) -> (String, Tone) {
    let world = app.world();
    if let Some(said) = words::standing(&world.sessions, app.refresh.as_secs_f64(), app) {
        return said;
    }
    let total = app.locks.total();
    if total > 0 {
        let text = format!("none of {total} rows passes the filter `{}`; Esc clears it", app.filter_text());
        return (text, Tone::Notice);
    }
    let looked = world.sessions.get().map_or(0, |s| s.rows.len());
    if app.totals.hidden > 0 {
        let text = format!(
            "nobody is seen to wait for a lock, but {} hidden from this role",
            words::are(app.totals.hidden, "session")
        );
        return (text, Tone::Warning);
    }
    let age = world.sessions.age_s(app.shown_now()).unwrap_or(0.0);
    let looked = counted(looked, "session");
    (format!("nobody waits for a lock ({looked} looked at {} ago)", Age(age.floor()).short()), Tone::Good)
}

/// Where a standby's replay waits for queries: no lock, and nobody can say for which of them.
fn replay(app: &App, theme: Theme) -> Option<Line<'static>> {
    let sessions = app.world().sessions.get()?;
    let event = sessions.rows.iter().find_map(conflict)?;
    let event = ServerText::from(event).head(40);
    let text =
        format!("! replay waits ({event}): queries on this standby hold it up, until max_standby_streaming_delay");
    Some(Line::styled(theme.plain(&text), theme.style(Tone::Warning)))
}

fn conflict(session: &Session) -> Option<&str> {
    let wait = session.wait.as_ref().filter(|_| session.backend_type.as_deref() == Some("startup"))?;
    wait.event.to_lowercase().starts_with("recoveryconflict").then_some(wait.event.as_str())
}

/// The figures that decide come first: a narrow screen cuts the rest.
fn totals(app: &App, theme: Theme) -> Line<'static> {
    let rows = app.locks.all();
    let roots: Vec<&LockRow> = rows.iter().filter(|r| r.root).collect();
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut push = |text: String, tone: Tone| {
        if !spans.is_empty() {
            spans.push(Span::styled(theme.plain(" · "), theme.style(Tone::Faint)));
        }
        spans.push(Span::styled(theme.plain(&text), theme.style(tone)));
    };
    if let Some(text) = words::filtered(app, app.locks.len(), app.locks.total()) {
        push(text, Tone::Notice);
    }
    if app.marked() > 0 {
        let seen = app.marked_visible().len();
        let hidden = app.marked() - seen;
        let hidden = if hidden > 0 { format!(" (+{hidden} not shown)") } else { String::new() };
        push(format!("*{seen} marked{hidden}"), Tone::Notice);
    }
    push(format!("{} wait", app.totals.waiting), Tone::Critical);
    if let Some(head) = rows.iter().find(|r| r.starts_queue) {
        let name = match &head.who {
            Who::Session(row) => row.session.pid.to_string(),
            Who::Alike { oldest, .. } => format!("{} and its like", oldest.session.pid),
            Who::Prepared(_) | Who::Circle(_) | Who::Unseen(_) => String::new(),
        };
        push(format!("queue starts at {name} ({} behind it{})", head.blocks, key(app, head)), Tone::Warning);
    }
    let plural = if roots.len() == 1 { "root" } else { "roots" };
    push(format!("{} {plural}", roots.len()), Tone::Plain);
    let oldest =
        app.connections.all().iter().filter_map(|r| r.session.waits_for.as_ref()?.waited_s).fold(0.0, f64::max);
    push(format!("longest wait {}", Age(oldest).short()), Tone::Plain);
    let looked = app.world().sessions.get().map_or(0, |s| s.rows.len());
    push(format!("{} looked at", counted(looked, "session")), Tone::Faint);
    Line::from(spans)
}

/// `, x on its row cancels it`: the key that helps there, where there is one.
fn key(app: &App, row: &LockRow) -> String {
    match row.advice() {
        Some(Advice::Cancel) if app.offers(Command::CancelBackend) => {
            format!(", {} on its row cancels it", app.key_of(Command::CancelBackend))
        }
        Some(_) | None => String::new(),
    }
}
