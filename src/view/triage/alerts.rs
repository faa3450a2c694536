//! The alerts at a glance: sign, name and word; below what is acute its figure, its time, and who has taken it.
//!
//! What nobody can see is not quiet: it has a row, and a reason.

use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::super::theme::Theme;
use super::super::{lines as text, words};
use crate::app::App;
use crate::diagnose::alert::board::{Level, Row, Side, Standing};
use crate::model::unit::Age;
use crate::model::{Latest, ProbeError, ServerText, Timestamp, Tone, seconds_between};

/// The rows of the box, in so many cells; none where no rule is evaluated by anybody.
pub fn lines(app: &App, theme: Theme, width: usize) -> Vec<Line<'static>> {
    if app.setup.prometheus.is_none() {
        return vec![Line::styled(" no Prometheus is named", theme.style(Tone::Faint))];
    }
    let board = app.alerts();
    let mut out = Vec::new();
    // Where Prometheus is away all rows have one reason: it is read once.
    let mut told = Vec::new();
    for row in board.rows() {
        out.extend(block(app, &row, &mut told, theme, width));
    }
    let (waiting, quiet) = (board.waiting(), board.quiet());
    let mut add = |sign: &str, words: String, tone| {
        let words = words::shortened(&theme.plain(&words), width.saturating_sub(3));
        out.push(Line::styled(format!(" {} {words}", theme.plain(sign)), theme.style(tone)));
    };
    if waiting > 0 {
        add("?", format!("{waiting} not evaluated yet"), Tone::Faint);
    }
    if quiet > 0 {
        add("✓", format!("{quiet} quiet"), Tone::Good);
    }
    for (whose, why) in [("Prometheus' own", failed(&board.others)), ("silences", failed(&board.silences))] {
        if let Some((why, since)) = why {
            let long = Age(seconds_between(since, app.shown_now())).short();
            add("?", format!("{whose}: {long} unknown: {why}"), Tone::Warning);
        }
    }
    out
}

/// The same in one line, for a screen without room for a box; nothing where there is nothing to say.
pub fn line(app: &App, theme: Theme) -> Option<Line<'static>> {
    app.setup.prometheus.as_ref()?;
    let board = app.alerts();
    let rows = board.rows();
    let count = |holds: fn(&Row) -> bool| rows.iter().filter(|row| holds(row)).count();
    let worst = rows.iter().filter(|row| row.standing == Standing::Firing).map(|row| row.level).max();
    let acknowledged = count(|row| row.is_burning() && row.acknowledged);
    let parts = [
        (count(|r| r.standing == Standing::Firing), "●", "firing", worst.map_or(Tone::Plain, Level::tone)),
        (acknowledged, "·", "acknowledged", Tone::Notice),
        (count(|r| r.standing == Standing::Pending), "◐", "pending", Tone::Notice),
        (count(|r| matches!(r.standing, Standing::Unknown { .. })), "?", "unknown", Tone::Warning),
        (count(|r| matches!(r.standing, Standing::Odd(_))), "?", "without a figure", Tone::Faint),
        (board.waiting(), "?", "not evaluated yet", Tone::Faint),
        (board.quiet(), "✓", "quiet", Tone::Good),
    ];
    let mut spans = Vec::new();
    for (count, sign, word, tone) in parts.into_iter().filter(|part| part.0 > 0) {
        spans.push(Span::raw(if spans.is_empty() { "alerts " } else { " " }));
        spans.push(Span::styled(theme.plain(&format!("{sign} {count} {word}")), theme.style(tone)));
    }
    (!spans.is_empty()).then(|| Line::from(spans))
}

/// One alert: its line, and what is to be said of it below.
fn block(app: &App, row: &Row, told: &mut Vec<String>, theme: Theme, width: usize) -> Vec<Line<'static>> {
    let (sign, tone) = look(row);
    let word = theme.plain(row.word());
    let room = width.saturating_sub(word.width() + 5);
    let name = ServerText::from(row.name.as_str()).head(60);
    let name = text::padded(&theme.plain(&name), room);
    let mut out = vec![Line::from(vec![
        Span::styled(format!(" {} ", theme.plain(sign)), theme.style(tone)),
        Span::raw(format!("{name} ")),
        Span::styled(word, theme.style(tone)),
    ])];
    let below = below(app, row, told);
    if !below.is_empty() {
        let folded = text::folded(&theme.plain(&below.join(" · ")), width.saturating_sub(3));
        out.extend(folded.into_iter().map(|l| Line::styled(format!("   {l}"), theme.style(Tone::Faint))));
    }
    out
}

/// The sign and the tone of where it stands.
pub(in crate::view) fn look(row: &Row) -> (&'static str, Tone) {
    let taken = row.acknowledged || row.silenced.is_some();
    match &row.standing {
        Standing::Firing if taken => ("●", Tone::Notice),
        Standing::Firing => ("●", row.level.tone()),
        Standing::Pending => ("◐", Tone::Notice),
        Standing::Unknown { .. } => ("?", Tone::Warning),
        Standing::Odd(_) => ("?", Tone::Faint),
        Standing::Resolved => ("✓", Tone::Good),
    }
}

fn below(app: &App, row: &Row, told: &mut Vec<String>) -> Vec<String> {
    let mut said = Vec::new();
    if row.acknowledged {
        said.push("acknowledged".to_owned());
    }
    if let Some(silence) = &row.silenced {
        let until =
            silence.until.map_or_else(String::new, |at| format!(" until {}", words::time_of_day(at, app.local_time)));
        said.push(format!("silenced{until} by {}", ServerText::from(silence.by.as_str()).head(30)));
    }
    let acute = matches!(row.standing, Standing::Firing | Standing::Pending);
    if acute {
        said.push(level(row.level).to_owned());
        said.extend(row.figure());
    }
    said.extend(time(app, row));
    if let Standing::Unknown { why, .. } = &row.standing {
        let why = reason(why);
        if !told.contains(&why) {
            said.push(why.clone());
            told.push(why);
        }
    }
    match row.side {
        Side::Ours => {}
        Side::Prometheus => said.push("Prometheus' own".to_owned()),
        Side::Both => said.push("in Prometheus too".to_owned()),
    }
    said
}

/// How bad it is, in a word.
pub(in crate::view) fn level(level: Level) -> &'static str {
    match level {
        Level::Critical => "critical",
        Level::Warning => "warning",
        Level::Info => "info",
    }
}

/// `8m` of what fires, `4m/10m` of what is pending, and for how long nobody can see it.
fn time(app: &App, row: &Row) -> Option<String> {
    let age = |at: Timestamp| Age(seconds_between(at, app.shown_now())).short();
    match &row.standing {
        Standing::Firing | Standing::Resolved => row.turned_at.or(row.active_at).map(age),
        Standing::Pending => row.active_at.map(|at| format!("{}/{}", age(at), Age(row.hold_s).short())),
        Standing::Unknown { was, since, .. } => Some(match was {
            Some(was) => format!("{} for {}", before(*was), age(*since)),
            None => format!("for {}", age(*since)),
        }),
        Standing::Odd(_) => None,
    }
}

fn before(was: crate::diagnose::alert::state::State) -> &'static str {
    use crate::diagnose::alert::state::State;
    match was {
        State::Firing => "fired before,",
        State::Pending => "pending before,",
        State::Resolved => "resolved before,",
    }
}

/// Why there is no newer answer, and since when.
fn failed<T>(latest: &Latest<T>) -> Option<(String, Timestamp)> {
    latest.error.as_ref().map(|(why, since)| (reason(why), *since))
}

fn reason(why: &ProbeError) -> String {
    words::shortened(&ServerText::new(why.to_string()).head(200), 100)
}
