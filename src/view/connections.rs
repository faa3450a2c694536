//! 2 Connections and 3 Slow: totals, who holds up whom, and the list of sessions.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::theme::Theme;
use super::{footer, lines, list, words};
use crate::app::App;
use crate::app::tab::connections::{Counts, SessionRow, short_mode};
use crate::command::{Command, Tab};
use crate::diagnose::{Kind, Severity};
use crate::model::lock::at_most;
use crate::model::session::State;
use crate::model::unit::{Age, counted};
use crate::model::{ServerText, Tone};

/// Draws the tab.
pub fn draw(app: &App, theme: Theme, area: Rect, frame: &mut Frame) {
    let head = head(app, theme, area);
    // The head never takes more than half of a small screen from the list.
    let height = u16::try_from(head.len()).unwrap_or(u16::MAX).min((area.height / 2).max(1));
    let [top, body] = Layout::vertical([Constraint::Length(height), Constraint::Fill(1)]).areas(area);
    lines::draw(head, theme, top, frame);
    let stale = words::standing(&app.world().sessions, app.refresh.as_secs_f64(), app).is_some();
    let listing = if app.tab == Tab::Slow { &app.slow } else { &app.connections };
    if listing.is_empty() {
        let (text, tone) = empty(app, listing.total());
        footer::draw_reason(&text, tone, theme, body, frame);
        return;
    }
    list::draw(listing, stale, theme, body, frame);
}

/// Why there is no row: an all-clear is given only where everything was seen.
fn empty(app: &App, total: usize) -> (String, Tone) {
    let world = app.world();
    if let Some(said) = words::standing(&world.sessions, app.refresh.as_secs_f64(), app) {
        return said;
    }
    if total > 0 {
        return (
            format!("none of {total} rows passes the filter `{}`; Esc clears it", app.filter_text()),
            Tone::Notice,
        );
    }
    if app.tab == Tab::Slow {
        let over = Age(app.slow_after_s).short();
        if app.totals.hidden > 0 {
            return (
                format!(
                    "none seen over {over}, but {} hidden from this role",
                    words::are(app.totals.hidden, "session")
                ),
                Tone::Warning,
            );
        }
        if app.totals.untracked > 0 {
            let text = format!(
                "none seen over {over}, but {} nothing: track_activities is off for them",
                words::verbed(app.totals.untracked, "session", ("reports", "report"))
            );
            return (text, Tone::Warning);
        }
        return (
            format!(
                "no statement and no idle transaction over {over} among {}",
                counted(app.totals.clients, "client session")
            ),
            Tone::Good,
        );
    }
    ("no other session".to_owned(), Tone::Faint)
}

/// What is to be known before the sessions are read: how old they are and why, and how many of them are hidden. Empty
/// while there are none.
pub(super) fn caveats(app: &App, theme: Theme, area: Rect) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let world = app.world();
    if world.sessions.get().is_none() {
        // The list says why there is nothing.
        return lines;
    }
    if let Some((text, tone)) = words::standing(&world.sessions, app.refresh.as_secs_f64(), app) {
        // The server's own words are worth a second line, not the whole screen.
        let most = if area.height >= 16 { 3 } else { 1 };
        let folded = lines::folded(&theme.plain(&text), usize::from(area.width));
        let style = theme.style(tone);
        if folded.len() > most {
            lines.push(Line::styled(theme.plain(&text), style));
        } else {
            lines.extend(folded.into_iter().map(|l| Line::styled(l, style)));
        }
    }
    if app.totals.hidden > 0 {
        let role = words::role(app);
        let text = format!(
            "! {} of {} {} hidden from {role}: GRANT pg_monitor TO {role}",
            app.totals.hidden,
            counted(world.sessions.get().map_or(0, |s| s.rows.len()), "session"),
            if app.totals.hidden == 1 { "is" } else { "are" },
        );
        // A narrow screen keeps the cure.
        let short = format!("! GRANT pg_monitor TO {role}: {} hidden", app.totals.hidden);
        let text = if text.width() > usize::from(area.width) { short } else { text };
        lines.push(Line::styled(theme.plain(&text), theme.style(Tone::Warning)));
    }
    lines
}

fn head(app: &App, theme: Theme, area: Rect) -> Vec<Line<'static>> {
    let mut lines = caveats(app, theme, area);
    if app.world().sessions.get().is_none() {
        return lines;
    }
    lines.push(totals(app, theme, area.width));
    if area.height >= 20 && area.width >= 100 && app.tab == Tab::Connections {
        lines.push(by(app, theme));
    }
    lines.extend(culprits(app, theme, if area.height >= 20 { 3 } else { 1 }));
    lines
}

/// The figures that decide come first: a narrow screen cuts the rest.
fn totals(app: &App, theme: Theme, width: u16) -> Line<'static> {
    let t = &app.totals;
    let mut spans = Vec::new();
    let mut push = |text: String, tone: Tone| {
        if !spans.is_empty() {
            spans.push(Span::styled(theme.plain(" · "), theme.style(Tone::Faint)));
        }
        spans.push(Span::styled(theme.plain(&text), theme.style(tone)));
    };
    let listing = if app.tab == Tab::Slow { &app.slow } else { &app.connections };
    if let Some(text) = words::filtered(app, listing.len(), listing.total()) {
        push(text, Tone::Notice);
    }
    if app.marked() > 0 {
        // Only what one sees is acted on: the others are told apart.
        let seen = app.marked_visible().len();
        let hidden = app.marked() - seen;
        let hidden = if hidden > 0 { format!(" (+{hidden} not shown)") } else { String::new() };
        push(format!("*{seen} marked{hidden}"), Tone::Notice);
    }
    if app.tab == Tab::Slow {
        push(format!("{} over {}", app.slow.total(), Age(app.slow_after_s).short()), Tone::Notice);
    }
    let limit = app.world().server.get().map(|s| (s.ordinary_slots(), s.max_connections));
    match limit {
        Some((ordinary, max)) => {
            let used = i64::try_from(t.clients).unwrap_or(i64::MAX).saturating_add(own(app));
            let tone = if used >= ordinary {
                Tone::Critical
            } else if used * 100 >= ordinary * 80 {
                Tone::Warning
            } else {
                Tone::Plain
            };
            let reserve = if width >= 100 { format!(" ({max} less reserve)") } else { String::new() };
            push(format!("{used} of {ordinary} slots{reserve}"), tone);
        }
        None => push(format!("{} clients", t.clients), Tone::Plain),
    }
    // Where sessions are hidden a nought is no all-clear.
    let (seen, calm) = if t.hidden > 0 { ("seen ", Tone::Warning) } else { ("", Tone::Good) };
    push(format!("{} {seen}waiting for a lock", t.waiting), if t.waiting > 0 { Tone::Critical } else { calm });
    push(
        format!("{} idle in tx", t.idle_in_transaction),
        if t.idle_in_transaction > 0 { Tone::Notice } else { Tone::Plain },
    );
    if t.hidden > 0 {
        // Of these nobody knows what they do: a count of the others must not pass for one of all.
        push(format!("{} unknown", t.hidden), Tone::Warning);
    }
    if t.untracked > 0 {
        push(format!("{} untracked", t.untracked), Tone::Warning);
    }
    let of_all = t.hidden == 0 && t.untracked == 0;
    if of_all || t.active > 0 {
        push(format!("{} active", t.active), Tone::Plain);
    }
    if of_all || t.idle > 0 {
        push(format!("{} idle", t.idle), Tone::Faint);
    }
    if own(app) > 0 && width >= 100 {
        push(format!("{} ours", own(app)), Tone::Faint);
    }
    Line::from(spans)
}

fn own(app: &App) -> i64 {
    app.world().sessions.get().map_or(0, |s| i64::try_from(s.own).unwrap_or(0))
}

fn by(app: &App, theme: Theme) -> Line<'static> {
    let t = &app.totals;
    let part = |name: &str, counts: &Counts| {
        let shown: Vec<String> =
            counts.iter().take(3).map(|(n, c)| format!("{} {c}", words::shortened(n, 14))).collect();
        let more = if counts.len() > 3 { format!(" +{}", counts.len() - 3) } else { String::new() };
        format!("{name} {}{more}", shown.join(", "))
    };
    let text = format!(
        "{} · {} · {}",
        part("by user", &t.users),
        part("by database", &t.databases),
        part("by application", &t.applications)
    );
    Line::styled(theme.plain(&text), theme.style(Tone::Faint))
}

/// Who holds up the others, and where the queue starts: one line each, with what helps.
fn culprits(app: &App, theme: Theme, most: usize) -> Vec<Line<'static>> {
    let graph = &app.world().graph;
    let rows = app.connections.all();
    let mut lines = Vec::new();
    for pid in graph.roots().into_iter().take(most.div_ceil(2)) {
        let weight = graph.weight(pid);
        let (behind, frees) = (weight.blocks, weight.freed());
        if pid == 0 {
            lines.push(prepared(app, theme, behind));
            continue;
        }
        let text = match rows.iter().find(|r| r.session.pid == pid) {
            Some(row) => {
                let advice = match row.session.state {
                    Some(State::IdleInTransaction | State::IdleInTransactionAborted) => {
                        format!(": cancel cannot help{}", terminates(app))
                    }
                    Some(State::Active | State::Fastpath) => ": cancel can help".to_owned(),
                    Some(State::Starting | State::Disabled | State::Idle) | None => String::new(),
                };
                let what = summary(row, &advice);
                let what = if what.is_empty() { what } else { format!(" · {what}") };
                format!("{pid} holds up {behind}, frees {frees}{what}")
            }
            None => format!("pid {pid} holds up {behind}; it is not among the sessions that we see"),
        };
        let (mark, tone) = harm(app, pid);
        lines.push(Line::styled(theme.plain(&format!("{mark} {text}")), theme.style(tone)));
    }
    if let Some(row) = queue_start(rows) {
        let (pid, blocks, frees) = (row.session.pid, row.blocks, at_most(row.frees, row.unsure));
        let what = summary(row, "");
        let what = if what.is_empty() { what } else { format!(" · {what}") };
        let text = format!("! {pid} queues {blocks}, frees {frees} if cancelled{what}");
        lines.push(Line::styled(theme.plain(&text), theme.style(Tone::Warning)));
    }
    lines.truncate(most.max(1));
    lines
}

/// How bad it is that this one holds up others, as Triage has it; a wait of a moment is no finding.
fn harm(app: &App, pid: i32) -> (&'static str, Tone) {
    let findings = &app.triage.diagnosis.findings;
    let found = findings.iter().find(|f| {
        f.kind() == Kind::Blocker && f.target.session().map_or(f.key.subject == pid.to_string(), |key| key.pid == pid)
    });
    match found.map(|f| f.severity) {
        Some(Severity::Critical) => ("‼", Tone::Critical),
        Some(Severity::Warning) => ("!", Tone::Warning),
        Some(Severity::Notice) | None => ("·", Tone::Notice),
    }
}

/// `, X terminates`: the key that helps where no cancel can; nothing where there is none.
fn terminates(app: &App) -> String {
    if app.offers(Command::TerminateBackend) {
        format!(", {} terminates", app.key_of(Command::TerminateBackend))
    } else {
        String::new()
    }
}

fn prepared(app: &App, theme: Theme, behind: usize) -> Line<'static> {
    let prepared = app.world().sessions.get().map_or(&[][..], |s| &s.prepared);
    let (blocking, others): (Vec<_>, Vec<_>) = prepared.iter().partition(|p| !p.waiters.is_empty());
    let shown = if blocking.is_empty() { others } else { blocking };
    let text = match shown.first() {
        Some(p) => format!(
            "‼ prepared transaction '{}' ({}, {}){} holds up {behind}: ROLLBACK PREPARED or COMMIT PREPARED in {}; a \
             waiter's detail has the SQL",
            p.gid.head(60),
            p.owner.head(24),
            Age(p.age_s).short(),
            if shown.len() > 1 { format!(" or one of {} more", shown.len() - 1) } else { String::new() },
            p.database.head(24),
        ),
        None => format!("‼ a prepared transaction holds up {behind}"),
    };
    Line::styled(theme.plain(&text), theme.style(Tone::Critical))
}

/// The session that itself only waits and would free the most if it went: where a queue behind a strong lock starts.
fn queue_start(rows: &[SessionRow]) -> Option<&SessionRow> {
    rows.iter().filter(|r| r.frees > 0 && !r.session.blocked_by.is_empty()).max_by_key(|r| r.frees)
}

/// What it does, what helps, who it is.
fn summary(row: &SessionRow, advice: &str) -> String {
    let s = &row.session;
    let state = s.state.map_or("", State::short);
    let age = if s.state.is_some_and(State::is_idle_in_transaction) { s.xact_s } else { s.query_s };
    let age = age.map_or_else(String::new, |a| format!(" {}", Age(a).short()));
    let app = if s.application.is_empty() { String::new() } else { format!(" · app={}", s.application.head(16)) };
    let wants = s.waits_for.as_ref().map_or_else(String::new, |w| {
        let on = w.relation.as_ref().map_or_else(String::new, |r| format!(" on {}", r.head(30)));
        format!(" wants {}{on}", ServerText::from(short_mode(&w.mode)).head(24))
    });
    format!("{state}{age}{wants}{advice}{app}").trim_start_matches(" · ").trim_start().to_owned()
}
