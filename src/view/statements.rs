//! 9 Statements: what was counted and since when, what cannot be told and why, and the list.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use super::theme::Theme;
use super::words::Said;
use super::{footer, lines, list, words};
use crate::app::App;
use crate::app::tab::statements::is_own;
use crate::model::Tone;
use crate::model::statement::{StatementOrder, Statements};
use crate::model::unit::{Age, counted, short_count};

/// Draws the tab.
pub fn draw(app: &App, theme: Theme, area: Rect, frame: &mut Frame) {
    let head = head(app, theme, usize::from(area.height / 3).max(1));
    let [top, body] =
        Layout::vertical([Constraint::Length(u16::try_from(head.len()).unwrap_or(1)), Constraint::Fill(1)]).areas(area);
    lines::draw(head, theme, top, frame);
    let standing = words::standing(&app.world().statements, words::slow_beat(app), app);
    if !app.statements.is_empty() {
        list::draw(&app.statements, standing.is_some(), theme, body, frame);
        return;
    }
    let (text, tone) = match (standing, app.statements.total()) {
        (Some(said), _) => said,
        (None, 0) => ("no statement has ended since the counters began".to_owned(), Tone::Faint),
        (None, n) => {
            (format!("none of {n} statements passes the filter `{}`; Esc clears it", app.filter_text()), Tone::Notice)
        }
    };
    footer::draw_reason(&text, tone, theme, body, frame);
}

fn head(app: &App, theme: Theme, most: usize) -> Vec<Line<'static>> {
    let latest = &app.world().statements;
    let Some(statements) = latest.get() else { return Vec::new() };
    let mut lines = vec![summary(app, statements, theme)];
    let mut said: Vec<Said> = words::standing(latest, words::slow_beat(app), app).into_iter().collect();
    said.extend(remarks(app, statements));
    lines.extend(said.into_iter().map(|(text, tone)| Line::styled(theme.plain(&text), theme.style(tone))));
    lines.truncate(most.max(1));
    lines
}

fn summary(app: &App, s: &Statements, theme: Theme) -> Line<'static> {
    let listed = s.entries.len();
    let told = s.all.entries - s.hidden.entries;
    let count = if i64::try_from(listed).is_ok_and(|n| n < told) {
        format!("{listed} of {told} statements, the first by {}", order_name(s.order))
    } else {
        counted(listed, "statement")
    };
    let count = words::filtered(app, app.statements.len(), app.statements.total())
        .map_or(count.clone(), |f| format!("{f} · {count}"));
    let since = s.info.as_ref().and_then(|i| i.reset_s).map_or_else(
        || " · since the counters were reset, which this version does not date".to_owned(),
        |age| format!(" · counted for {}", Age(age).short()),
    );
    let interval = &app.world().statements_interval;
    let now = match interval.sum() {
        Some(r) => {
            format!(
                " · over the last {:.1}s: {} ms/s, {} calls/s",
                interval.seconds,
                short_count(r.ms),
                short_count(r.calls)
            )
        }
        None if interval.reset => String::new(),
        None => " · rates come with the next answer".to_owned(),
    };
    Line::from(vec![Span::styled(count, theme.title()), Span::raw(theme.plain(&format!("{since}{now}")))])
}

/// What keeps the figures from being the whole truth, the gravest first.
fn remarks(app: &App, s: &Statements) -> Vec<Said> {
    let mut out: Vec<Said> = Vec::new();
    let mut say = |text: String, tone| out.push((text, tone));
    let world = app.world();
    let interval = &world.statements_interval;
    if interval.reset {
        let ago = s
            .info
            .as_ref()
            .and_then(|i| i.reset_s)
            .map_or_else(String::new, |age| format!(" {} ago", Age(age).short()));
        say(
            format!("the counters were reset{ago}: figures are since then, rates come with the next answer"),
            Tone::Warning,
        );
    }
    if s.track == "none" {
        say("pg_stat_statements.track = none: nothing is counted now".to_owned(), Tone::Warning);
    }
    if s.hidden.entries > 0 {
        let share = if s.all.total_ms > 0.0 { s.hidden.total_ms / s.all.total_ms * 100.0 } else { 0.0 };
        let text = format!(
            "{} hidden, {share:.0}% of the time: GRANT pg_read_all_stats TO {}",
            match s.hidden.entries {
                1 => "1 statement of another role is".to_owned(),
                n => format!("{n} statements of other roles are"),
            },
            words::role(app)
        );
        say(text, Tone::Warning);
    }
    if let Some(error) = &s.texts_error {
        say(crate::model::ServerText::new(format!("texts could not be read: {error}")).escaped(), Tone::Warning);
    }
    if interval.evictions.is_some_and(|n| n > 0) {
        let max = s.max.map_or_else(String::new, |m| format!(" = {m}"));
        let text = format!(
            "entries are thrown out for new ones ({} since the last look): raise pg_stat_statements.max{max}; what \
             was thrown out is in no figure",
            times(interval.evictions.unwrap_or(0))
        );
        say(text, Tone::Warning);
    } else if let Some(info) = s.info.as_ref().filter(|i| i.dealloc > 0) {
        say(
            format!(
                "entries were thrown out {} since the server's start: figures miss what they held",
                times(info.dealloc)
            ),
            Tone::Notice,
        );
    }
    if interval.restarted > 0 {
        say(
            format!(
                "{} counted anew since the last look and {} no rate",
                words::verbed(interval.restarted, "statement", ("was", "were")),
                if interval.restarted == 1 { "has" } else { "have" }
            ),
            Tone::Notice,
        );
    }
    let own: Vec<_> = s.entries.iter().filter(|e| is_own(e, s, world, app.setup.plan_user.as_ref())).collect();
    if !own.is_empty() {
        // Where none has a rate yet there is nothing to add up: the sum of nothing is no cost of nothing.
        let ms = own.iter().filter_map(|e| interval.rates(e.key)).map(|r| r.ms).reduce(|sum, ms| sum + ms);
        let cost = ms.map_or_else(String::new, |ms| format!(", {} ms/s", short_count(ms)));
        say(format!("{} of this console's own are left out{cost}", own.len()), Tone::Faint);
    }
    out
}

fn times(n: i64) -> String {
    if n == 1 { "once".to_owned() } else { format!("{n} times") }
}

fn order_name(order: StatementOrder) -> &'static str {
    match order {
        StatementOrder::Total => "total time",
        StatementOrder::Mean => "mean time",
        StatementOrder::Calls => "calls",
        StatementOrder::Rows => "rows",
        StatementOrder::Read => "blocks read",
        StatementOrder::Temp => "temporary blocks",
        StatementOrder::Wal => "WAL",
    }
}
