//! An alert in full: its state, its rule with the expression that answered, labels, annotations, and its past.

use ratatui::text::Line;

use super::fact;
use crate::app::App;
use crate::command::Command;
use crate::diagnose::alert::board::{Row, Side, Standing};
use crate::diagnose::alert::print::pace;
use crate::diagnose::alert::state::State;
use crate::model::alert::Labels;
use crate::model::unit::Age;
use crate::model::{ServerText, Timestamp, Tone, seconds_between};
use crate::view::theme::Theme;
use crate::view::triage::{level, look};
use crate::view::words::time_of_day;

/// The lines of its detail.
pub fn lines(app: &App, row: &Row, theme: Theme) -> Vec<Line<'static>> {
    let title = format!("alert {}", ServerText::from(row.name.as_str()).escaped());
    let mut lines = vec![Line::styled(theme.plain(&title), theme.title())];
    state(app, row, theme, &mut lines);
    rule(app, row, theme, &mut lines);
    named("label", &row.labels, &[], theme, &mut lines);
    named("annotation", &row.annotations, &row.verbatim, theme, &mut lines);
    for (at, what) in row.changes.iter().rev() {
        let word = match what {
            State::Pending => "pending",
            State::Firing => "firing",
            State::Resolved => "resolved",
        };
        lines.push(fact("history", format!("{word} at {}", time_of_day(*at, app.local_time)), Tone::Faint, theme));
    }
    lines
}

/// `03:04:11Z, 8m12s ago`.
fn moment(app: &App, at: Timestamp) -> String {
    let ago = Age(seconds_between(at, app.shown_now())).exact();
    format!("{}, {ago} ago", time_of_day(at, app.local_time))
}

fn state(app: &App, row: &Row, theme: Theme, lines: &mut Vec<Line<'static>>) {
    let mut add = |label: &str, value: String, tone: Tone| lines.push(fact(label, value, tone, theme));
    let (sign, tone) = look(row);
    add("state", format!("{sign} {} ({})", row.word(), level(row.level)), tone);
    if let Standing::Unknown { why, since, .. } = &row.standing {
        add("why", format!("{} · since {}", ServerText::new(why.to_string()).escaped(), moment(app, *since)), tone);
    }
    let key = app.key_of(Command::Acknowledge);
    if row.acknowledged {
        add("taken", format!("acknowledged in this console, until resolved ({key} takes it back)"), Tone::Notice);
    } else if row.is_burning() {
        add("taken", format!("not acknowledged ({key} does, in this console only)"), Tone::Plain);
    }
    if let Some(silence) = &row.silenced {
        let until = silence.until.map_or_else(|| "no end".to_owned(), |at| time_of_day(at, app.local_time));
        let text = |text: &str| ServerText::from(text).escaped();
        add("silenced", format!("until {until} by {}: {}", text(&silence.by), text(&silence.comment)), Tone::Notice);
    }
    if let Some(value) = row.value {
        add("value", value.to_string(), Tone::Plain);
    }
    if let Some(at) = row.active_at {
        let longer = if row.since_we_look { "; it held already when we looked first" } else { "" };
        add("holds", format!("since {}{longer}", moment(app, at)), Tone::Plain);
    }
    match (&row.standing, row.turned_at) {
        (Standing::Resolved, Some(at)) => add("resolved", moment(app, at), Tone::Good),
        (_, Some(at)) => add("fires", format!("since {}", moment(app, at)), Tone::Plain),
        (_, None) => {}
    }
    if row.hold_s > 0.0 {
        add("for", Age(row.hold_s).exact(), Tone::Plain);
    }
    if let Some(at) = row.kept_since {
        add("kept", format!("firing by keep_firing_for since {}", moment(app, at)), Tone::Notice);
    }
}

fn rule(app: &App, row: &Row, theme: Theme, lines: &mut Vec<Line<'static>>) {
    let board = app.alerts();
    let mut add = |label: &str, value: String, tone: Tone| lines.push(fact(label, value, tone, theme));
    let text = |text: &str| ServerText::from(text).escaped();
    let by = match row.side {
        Side::Ours => "this console",
        Side::Prometheus => "Prometheus",
        Side::Both => "this console and Prometheus",
    };
    let at = board.seen(row).map_or_else(|| "never".to_owned(), |at| moment(app, at));
    add("evaluated", format!("by {by}, {at}"), Tone::Plain);
    if let Some((group, rule, state)) = board.rule_of(row) {
        add("rule", format!("{}, group {}, line {}", text(&group.origin), text(&group.name), rule.line), Tone::Plain);
        if !group.interval_given {
            add("pace", pace(group), Tone::Faint);
        }
        for (index, source) in rule.sources.iter().enumerate() {
            let answers = if rule.sources.len() > 1 && state.source == Some(index) { " (answers)" } else { "" };
            let named =
                if source.name.is_empty() { String::new() } else { format!("{}{answers}: ", text(&source.name)) };
            let tone = if state.source == Some(index) { Tone::Plain } else { Tone::Faint };
            add("expr", format!("{named}{}", text(&source.expr)), tone);
            if let (Some(note), Some(_)) = (&source.note, state.source.filter(|s| *s == index)) {
                add("note", text(note), Tone::Faint);
            }
        }
        for refused in &state.refused {
            add("refused", text(refused), Tone::Warning);
        }
        if let Some(doubt) = &rule.doubt {
            add("doubt", text(doubt), Tone::Warning);
        }
        return;
    }
    let rules = board.others.get().map_or(&[][..], |others| &others.rules);
    for rule in rules.iter().filter(|rule| rule.name == row.name) {
        add("rule", format!("group {}", text(&rule.group)), Tone::Plain);
        add("expr", text(&rule.expr), Tone::Plain);
        if let Some(error) = &rule.error {
            add("error", text(error), Tone::Warning);
        }
    }
}

/// Names with values; those in `verbatim` are templates that were not rendered.
fn named(label: &str, all: &Labels, verbatim: &[String], theme: Theme, lines: &mut Vec<Line<'static>>) {
    for (name, value) in all {
        let raw = if verbatim.contains(name) { " (as written)" } else { "" };
        let value = ServerText::new(format!("{name}={value}")).escaped();
        lines.push(fact(label, format!("{value}{raw}"), Tone::Plain, theme));
    }
}
