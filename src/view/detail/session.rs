//! A session in full: who, what, since when, its locks, its statement.

use ratatui::text::Line;

use super::{fact, name, remedy};
use crate::app::App;
use crate::app::mode::Subject;
use crate::app::tab::connections::SessionRow;
use crate::model::lock::at_most;
use crate::model::session::State;
use crate::model::unit::{Age, counted};
use crate::model::{ServerText, Tone};
use crate::table::Row;
use crate::view::theme::Theme;
use crate::view::words;

/// A longer text is not laid out: formatting is for what one reads.
const FORMATTED_BYTES: usize = 16 * 1024;

/// The lines of its detail.
pub fn lines(app: &App, row: &SessionRow, subject: &Subject, theme: Theme) -> Vec<Line<'static>> {
    let s = &row.session;
    let graph = &app.world().graph;
    let kind = s.backend_type.as_deref().unwrap_or("backend of a hidden kind");
    let mut lines = vec![Line::styled(format!("pid {} · {kind}", s.pid), theme.title())];
    if let Some((text, tone)) = words::freshness(&app.world().sessions, app.refresh.as_secs_f64(), app) {
        lines.push(Line::styled(text, theme.style(tone)));
    }
    let mut add = |label: &str, value: String, tone: Tone| lines.push(fact(label, value, tone, theme));
    let client = match (&s.client, s.client_port) {
        (Some(addr), Some(port)) => format!("{addr}:{port}"),
        (Some(addr), None) => addr.clone(),
        (None, _) => "local socket".to_owned(),
    };
    add(
        "who",
        format!("{}@{} · app {} · {client}", name(s.user.as_ref()), name(s.database.as_ref()), s.application.escaped()),
        Tone::Plain,
    );
    let state = s.state.map_or("(unknown)", State::word);
    add("state", format!("{state} for {}", s.state_s.map_or("?".to_owned(), |a| Age(a).exact())), row.tone());
    let ages = [("connected", s.backend_s), ("transaction", s.xact_s), ("statement", s.query_s)];
    let ages: Vec<String> = ages.iter().filter_map(|(n, a)| a.map(|a| format!("{n} {}", Age(a).exact()))).collect();
    add("ages", ages.join(" · "), Tone::Plain);
    let written = match (&s.xid, &s.xmin) {
        // A lock of a row takes a number, too.
        (Some(xid), _) => format!("may have written, or locked rows (xid {xid})"),
        (None, Some(_)) => "has not written".to_owned(),
        (None, None) => "holds no snapshot, has not written".to_owned(),
    };
    let horizon = s.xmin_age.map_or_else(String::new, |a| format!(" · holds the xmin horizon {a} transactions back"));
    add("writes", format!("{written}{horizon}"), Tone::Plain);
    if let Some(wait) = &s.wait {
        let lock = s.waits_for.as_ref().map_or_else(String::new, |l| {
            let on = l.relation.as_ref().map_or_else(String::new, |r| format!(" on {}", r.escaped()));
            let waited = l.waited_s.map_or_else(String::new, |w| format!(", {}", Age(w).exact()));
            format!(" · {} ({}){on}{waited}", l.mode, l.locktype)
        });
        add(
            "waits for",
            format!("{}:{}{lock}", wait.class, wait.event),
            if wait.is_lock() { Tone::Warning } else { Tone::Plain },
        );
    }
    if !s.blocked_by.is_empty() {
        let list: Vec<String> = s
            .blocked_by
            .iter()
            .take(12)
            .map(|p| if *p == 0 { "a prepared transaction".to_owned() } else { p.to_string() })
            .collect();
        let more = s.blockers.saturating_sub(list.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        add("behind", format!("{}{more}", list.join(", ")), Tone::Warning);
    }
    if row.blocks > 0 {
        add(
            "holds up",
            format!(
                "{}, {} directly; {} could go on if this one went",
                counted(row.blocks, "session"),
                graph.waiters_of(s.pid).len(),
                at_most(row.frees, row.unsure)
            ),
            Tone::Critical,
        );
    }
    if let Some(id) = s.query_id {
        add("query id", id.to_string(), Tone::Faint);
    }
    if let Some(leader) = s.leader {
        add("leader", leader.to_string(), Tone::Plain);
    }
    lines.extend(remedy::lines(app, subject, theme));
    locks(app, row, theme, &mut lines);
    lines.push(Line::default());
    let last = if s.is_active() { "statement" } else { "last statement" };
    let note = app.text_cut(s).map_or_else(String::new, |cut| format!(" ({cut})"));
    lines.push(Line::styled(format!("{last}{note}"), theme.style(Tone::Faint)));
    if s.hidden {
        lines.push(Line::styled("hidden from this role: GRANT pg_monitor", theme.style(Tone::Warning)));
    } else {
        lines.extend(formatted(&s.query).into_iter().map(|l| Line::raw(theme.plain(&l))));
    }
    lines
}

fn locks(app: &App, row: &SessionRow, theme: Theme, lines: &mut Vec<Line<'static>>) {
    lines.push(Line::default());
    let Some((_, latest)) = app.world().locks.as_ref().filter(|(key, _)| *key == row.key()) else {
        lines.push(Line::styled("locks: asking", theme.style(Tone::Faint)));
        return;
    };
    if let Some((text, tone)) = words::freshness(latest, app.refresh.as_secs_f64(), app) {
        lines.push(Line::styled(format!("locks: {text}"), theme.style(tone)));
    }
    let Some(held) = latest.get() else { return };
    let waiting = held.iter().filter(|l| !l.granted).count();
    lines.push(Line::styled(
        format!("locks: {} held, {waiting} awaited", held.len() - waiting),
        theme.style(Tone::Faint),
    ));
    let mut sorted: Vec<_> = held.iter().collect();
    sorted.sort_by_key(|l| (l.granted, l.locktype != "relation"));
    for lock in sorted.iter().take(16) {
        let (word, tone) = if lock.granted { ("holds", Tone::Plain) } else { ("awaits", Tone::Warning) };
        let waited = lock.waited_s.map_or_else(String::new, |w| format!("  {}", Age(w).exact()));
        let text = format!("  {word:<7}{:<26}{:<14}{}{waited}", lock.mode, lock.locktype, lock.object.escaped());
        lines.push(Line::styled(theme.plain(&text), theme.style(tone)));
    }
    if sorted.len() > 16 {
        lines.push(Line::styled(format!("  and {} more", sorted.len() - 16), theme.style(Tone::Faint)));
    }
}

/// The text laid out for reading: as its author broke it, or broken at its clauses where it is one long line.
pub(super) fn formatted(query: &ServerText) -> Vec<String> {
    let raw = query.raw();
    if raw.contains('\n') || raw.len() > FORMATTED_BYTES {
        return query.escaped_lines();
    }
    let options = sqlformat::FormatOptions { lines_between_queries: 1, ..sqlformat::FormatOptions::default() };
    ServerText::new(sqlformat::format(raw, &sqlformat::QueryParams::None, &options)).escaped_lines()
}
