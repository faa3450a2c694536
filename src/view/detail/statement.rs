//! An entry of `pg_stat_statements` in full: all its figures, and its text.

use ratatui::text::Line;

use super::{fact, name, session};
use crate::app::App;
use crate::app::tab::statements::{StatementRow, short_ms};
use crate::model::Tone;
use crate::model::statement::Statement;
use crate::model::unit::{Age, Bytes, short_count};
use crate::view::theme::Theme;

/// The lines of its detail.
pub fn lines(app: &App, row: &StatementRow, theme: Theme) -> Vec<Line<'static>> {
    let s = &row.statement;
    let world = app.world();
    let nested = if s.key.toplevel { "" } else { " · ran inside a function" };
    let mut lines = vec![Line::styled(theme.plain(&format!("queryid {}{nested}", s.key.query)), theme.title())];
    let mut add = |label: &str, value: String, tone: Tone| lines.push(fact(label, value, tone, theme));
    add("who", format!("{}@{}", name(row.user.as_ref()), name(row.database.as_ref())), Tone::Plain);
    let share = row.share.map_or_else(String::new, |x| format!(" · {:.1}% of all statements' time", x * 100.0));
    add("total", format!("{} in {} calls{share}", short_ms(s.total_ms), s.calls), Tone::Plain);
    add(
        "one call",
        format!(
            "mean {} · shortest {} · longest {} · deviation {}",
            s.mean_ms().map_or_else(|| "?".to_owned(), short_ms),
            short_ms(s.min_ms),
            short_ms(s.max_ms),
            short_ms(s.stddev_ms)
        ),
        Tone::Plain,
    );
    let interval = &world.statements_interval;
    let now = match row.rates {
        Some(r) => format!(
            "{} ms/s · {} calls/s · {} rows/s, over the last {:.1}s{}",
            short_count(r.ms),
            short_count(r.calls),
            short_count(r.rows),
            interval.seconds,
            row.share_now.map_or_else(String::new, |x| format!(" · {:.1}% of the time", x * 100.0))
        ),
        None if interval.reset => "the counters were reset: rates come with the next answer".to_owned(),
        None if interval.seconds > 0.0 => "counted anew since the last look: no rate".to_owned(),
        None => "rates come with the next answer".to_owned(),
    };
    add("now", now, row.tone());
    for (label, value) in figures(app, row) {
        add(label, value, Tone::Plain);
    }
    if let Some(latest) = world.statements.get() {
        for (label, value) in since(s, latest.at_s) {
            add(label, value, Tone::Faint);
        }
    }
    lines.push(Line::default());
    match world.statement_texts.get(&s.key.query) {
        Some(text) => {
            let cut = if text.cut { " (cut: no more than 16384 characters of a text are read)" } else { "" };
            lines.push(Line::styled(format!("statement, constants replaced{cut}"), theme.style(Tone::Faint)));
            lines.extend(session::formatted(&text.text).into_iter().map(|l| Line::raw(theme.plain(&l))));
        }
        None => lines.push(Line::styled("its text was not read yet", theme.style(Tone::Faint))),
    }
    lines
}

fn figures(app: &App, row: &StatementRow) -> Vec<(&'static str, String)> {
    let s = &row.statement;
    let bytes = |blocks: i64| Bytes(blocks.saturating_mul(row.block)).short();
    let latest = app.world().statements.get();
    let off = |on: bool, setting: &str| if on { String::new() } else { format!(" ({setting} is off: not measured)") };
    let io = off(latest.is_some_and(|l| l.io_timing), "track_io_timing");
    let plan = off(latest.is_some_and(|l| l.planning), "pg_stat_statements.track_planning");
    let per_call = if s.calls > 0 {
        #[expect(clippy::cast_precision_loss, reason = "an average")]
        let rows = s.rows as f64 / s.calls as f64;
        format!(", {} a call", short_count(rows))
    } else {
        String::new()
    };
    let hit = s.hit_ratio().map_or_else(String::new, |h| format!(" · {:.1}% in the buffers", h * 100.0));
    let mut out = vec![
        ("rows", format!("{}{per_call}", s.rows)),
        (
            "blocks",
            format!(
                "{} found, {} read, {} dirtied, {} written{hit}",
                bytes(s.hit),
                bytes(s.read),
                bytes(s.dirtied),
                bytes(s.written)
            ),
        ),
        ("I/O time", format!("reading {}, writing {}{io}", short_ms(s.read_ms), short_ms(s.write_ms))),
        ("temporary", format!("{} read and written", bytes(s.temp))),
    ];
    if let Some(ms) = s.plan_ms {
        out.push(("planning", format!("{}{plan}", short_ms(ms))));
    }
    if let (Some(wal), Some(fpi)) = (s.wal_bytes, s.wal_fpi) {
        #[expect(clippy::cast_possible_truncation, reason = "bytes, shown in three digits")]
        let wal = Bytes(wal as i64).short();
        out.push(("WAL", format!("{wal}, {fpi} full-page images")));
    }
    if let Some(ms) = s.jit_ms.filter(|ms| *ms > 0.0) {
        out.push(("JIT", short_ms(ms)));
    }
    out
}

fn since(s: &Statement, at_s: f64) -> Vec<(&'static str, String)> {
    let Some(since) = s.since else { return Vec::new() };
    let minmax = s.minmax_since.filter(|m| (m - since).abs() > 1.0);
    let minmax = minmax.map_or_else(String::new, |m| format!(" · shortest and longest for {}", Age(at_s - m).short()));
    vec![("counted", format!("for {}{minmax}", Age(at_s - since).exact()))]
}
