//! Health at a glance: the server's answer, connections, standbys, autovacuum, Prometheus. One row each.
//!
//! What is not known says so; it never reads as well.

use ratatui::text::{Line, Span};

use super::super::lines::padded;
use super::super::theme::Theme;
use crate::app::App;
use crate::model::unit::Age;
use crate::model::world::Link;
use crate::model::{Tone, seconds_between};

/// One thing and how it is.
struct Row {
    name: &'static str,
    text: String,
    tone: Tone,
}

/// Cells of the names.
const NAME: usize = 12;

/// The rows of the box, in so many cells.
pub fn lines(app: &App, theme: Theme, width: usize) -> Vec<Line<'static>> {
    let line = |row: Row| {
        let text = super::super::words::shortened(&theme.plain(&row.text), width.saturating_sub(NAME + 3));
        Line::from(vec![
            Span::raw(format!(" {}", padded(row.name, NAME))),
            Span::styled(format!("{:<2}{text}", mark(theme, row.tone)), theme.style(row.tone)),
        ])
    };
    rows(app).into_iter().map(line).collect()
}

/// The same in one line, for a screen without room for a box: what is not well comes first.
pub fn line(app: &App, theme: Theme) -> Line<'static> {
    let mut rows = rows(app);
    rows.sort_by_key(|row| std::cmp::Reverse(row.tone));
    let mut spans = Vec::new();
    for row in rows {
        if !spans.is_empty() {
            spans.push(Span::styled(theme.plain(" · "), theme.style(Tone::Faint)));
        }
        spans.push(Span::raw(format!("{} ", row.name)));
        spans
            .push(Span::styled(theme.plain(&format!("{} {}", mark(theme, row.tone), row.text)), theme.style(row.tone)));
    }
    Line::from(spans)
}

fn mark(theme: Theme, tone: Tone) -> &'static str {
    match tone {
        Tone::Good if theme.is_ascii() => "ok",
        Tone::Good => "✓",
        Tone::Plain | Tone::Faint => "?",
        Tone::Notice | Tone::Warning | Tone::Critical => theme.mark(tone),
    }
}

fn rows(app: &App) -> Vec<Row> {
    let mut rows = vec![server(app), connections(app), standbys(app), autovacuum(app)];
    rows.extend(prometheus(app));
    rows
}

fn row(name: &'static str, text: impl Into<String>, tone: Tone) -> Row {
    Row { name, text: text.into(), tone }
}

fn server(app: &App) -> Row {
    let world = app.world();
    let now = app.shown_now();
    match &world.link {
        Some(Link::Up(_)) => {}
        Some(Link::Connecting { since, .. }) => {
            let long = Age(seconds_between(*since, now)).short();
            return row("server", format!("no connection {long}"), Tone::Critical);
        }
        None => return row("server", "not asked yet", Tone::Faint),
    }
    if let Some((_, since)) = &world.sessions.error {
        let long = Age(seconds_between(*since, now)).short();
        return row("server", format!("no answer {long}"), Tone::Critical);
    }
    match app.triage.history.beats().next_back() {
        Some((_, beat)) => {
            let tone = if beat.took_ms < 500.0 { Tone::Good } else { Tone::Warning };
            row("server", format!("answers in {:.1} ms", beat.took_ms), tone)
        }
        None => row("server", "no answer yet", Tone::Faint),
    }
}

fn connections(app: &App) -> Row {
    let world = app.world();
    let (Some(sessions), Some(server)) = (world.sessions.get(), world.server.get()) else {
        return row("connections", "not known yet", Tone::Faint);
    };
    let used = i64::try_from(app.totals.clients + sessions.own).unwrap_or(i64::MAX);
    let slots = server.ordinary_slots();
    #[expect(clippy::cast_precision_loss, reason = "a share of connections")]
    let share = used as f64 / slots.max(1) as f64;
    let limits = &app.setup.limits;
    let tone = match () {
        () if share >= limits.connections_full => Tone::Critical,
        () if share >= limits.connections => Tone::Warning,
        () => Tone::Good,
    };
    row("connections", format!("{used} of {slots}, {} active", app.totals.active), tone)
}

fn standbys(app: &App) -> Row {
    let world = app.world();
    let Some(replication) = world.replication.get() else {
        return row("standbys", "not known yet", Tone::Faint);
    };
    let (here, gone) = (replication.replicas.len(), world.missing.len());
    if let Some(standby) = &replication.standby {
        let (text, tone) = match (&standby.receiver, standby.paused) {
            (_, true) => ("replay is paused".to_owned(), Tone::Warning),
            (Some(_), false) => (
                standby.lag_s.map_or_else(|| "lag unknown".to_owned(), |s| format!("{} behind", Age(s).short())),
                Tone::Good,
            ),
            (None, false) if standby.receiver_hidden => ("receiver hidden".to_owned(), Tone::Faint),
            (None, false) => ("receives nothing".to_owned(), Tone::Critical),
        };
        return row("this standby", text, tone);
    }
    match (here, gone) {
        (0, 0) => row("standbys", "none", Tone::Faint),
        (here, 0) => row("standbys", format!("{here} of {here}"), Tone::Good),
        (here, gone) => row("standbys", format!("{here} of {}, {gone} gone", here + gone), Tone::Critical),
    }
}

fn autovacuum(app: &App) -> Row {
    let world = app.world();
    let Some(sessions) = world.sessions.get() else { return row("autovacuum", "not known yet", Tone::Faint) };
    if sessions.hidden > 0 {
        return row("autovacuum", "hidden from this role", Tone::Faint);
    }
    let busy = sessions.rows.iter().filter(|s| s.backend_type.as_deref() == Some("autovacuum worker")).count();
    match world.relations.get() {
        Some(r) if r.in_recovery => row("autovacuum", "none on a standby", Tone::Faint),
        Some(r) if !r.autovacuum => row("autovacuum", "is off", Tone::Warning),
        Some(r) => row("autovacuum", format!("{busy} of {} at work", r.autovacuum_workers), Tone::Good),
        None => row("autovacuum", format!("{busy} at work"), Tone::Good),
    }
}

fn prometheus(app: &App) -> Option<Row> {
    app.setup.prometheus.as_ref()?;
    let targets = &app.world().targets;
    if let Some((_, since)) = &targets.error {
        let long = Age(seconds_between(*since, app.shown_now())).short();
        return Some(row("prometheus", format!("no answer {long}"), Tone::Critical));
    }
    let Some(all) = targets.get() else { return Some(row("prometheus", "not asked yet", Tone::Faint)) };
    let up = all.iter().filter(|t| t.up).count();
    let tone = if up == all.len() { Tone::Good } else { Tone::Warning };
    Some(row("prometheus", format!("reads {up} of {} targets", all.len()), tone))
}
