//! 7 Latency and 8 Cache: a grid of charts on one time axis, or one line per panel where there is no room.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::chart::{self, Chart};
use super::lines::padded;
use super::theme::Theme;
use super::{lines, words};
use crate::app::App;
use crate::app::tab::panels::{Glance, glance, shown};
use crate::command::Tab;
use crate::model::baseline::{Beside, WEEK_S, beside};
use crate::model::cache::{CacheState, CacheTable};
use crate::model::panel::{PanelAnswer, PanelSpec, Reading, Series};
use crate::model::unit::{Bytes, short_count};
use crate::model::{ServerText, Tone, seconds_between};

/// Lines that a chart needs to say anything: its title, four lines of plot, its foot.
const PANEL_HEIGHT: u16 = 6;

/// Lines that a chart never needs more than, however large the screen.
const TALLEST: u16 = 14;

/// Draws the tab.
pub fn draw(app: &App, theme: Theme, area: Rect, frame: &mut Frame) {
    let mut head = sources(app, theme);
    if app.tab == Tab::Cache {
        head.extend(cache_table(app, theme, area.height));
    }
    let most = if app.setup.prometheus.is_some() { area.height / 2 } else { area.height };
    let height = u16::try_from(head.len()).unwrap_or(0).min(most);
    lines::draw(head, theme, Rect { height, ..area }, frame);
    let body = Rect { y: area.y + height, height: area.height - height, ..area };
    if app.setup.prometheus.is_none() {
        return;
    }
    let specs: Vec<&PanelSpec> = app.visible_panels().collect();
    let columns: u16 = match body.width {
        120.. => 3,
        70.. => 2,
        _ => 1,
    };
    let rows = u16::try_from(specs.len()).unwrap_or(1).div_ceil(columns).max(1);
    let selected = app.panel.get(usize::from(app.tab == Tab::Cache)).copied().unwrap_or(0);
    // The selected panel in words takes a line below the charts, where they are not the poorer for it.
    let told = u16::from(body.height >= 24 || body.height > PANEL_HEIGHT && !body.height.is_multiple_of(PANEL_HEIGHT));
    if let Some(spec) = specs.get(selected).filter(|_| told > 0 && body.width >= 50) {
        let at = Rect { y: body.bottom() - 1, height: 1, ..body };
        lines::draw_one(told_of(app, spec, theme), theme, at, frame);
    }
    let body = if body.width >= 50 { Rect { height: body.height - told, ..body } } else { body };
    let visible_rows = (body.height / PANEL_HEIGHT).min(rows);
    if visible_rows == 0 || body.width < 50 {
        draw_glances(app, &specs, selected, theme, body, frame);
        return;
    }
    // The page of rows that holds the selected panel.
    let selected_row = u16::try_from(selected).unwrap_or(0) / columns;
    let first = selected_row / visible_rows * visible_rows;
    // A chart taller than it is wide says no more than a low one.
    let height = (body.height / visible_rows).min(TALLEST);
    for row in first..(first + visible_rows).min(rows) {
        let y = body.y + (row - first) * height;
        for column in 0..columns {
            let index = usize::from(row * columns + column);
            let Some(spec) = specs.get(index) else { break };
            let x0 = body.width * column / columns;
            let x1 = body.width * (column + 1) / columns;
            let gap = u16::from(column + 1 < columns);
            let at = Rect { x: body.x + x0, y, width: x1 - x0 - gap, height };
            draw_panel(app, spec, index == selected, theme, at, frame);
        }
    }
}

/// What is to be said of Prometheus itself: not named, unreachable, targets down.
fn sources(app: &App, theme: Theme) -> Vec<Line<'static>> {
    let Some(url) = &app.setup.prometheus else {
        let text = "no Prometheus is named: start with --prometheus URL to see latency, errors, pool and cache metrics";
        return vec![Line::styled(text, theme.style(Tone::Notice))];
    };
    let world = app.world();
    let mut lines = Vec::new();
    if let Some((text, tone)) = words::freshness(&world.targets, 15.0, app)
        && world.targets.error.is_some()
    {
        lines.push(Line::styled(
            theme.plain(&format!("Prometheus {}: {text}", ServerText::from(url.as_str()).head(80))),
            theme.style(tone),
        ));
    }
    if let Some(targets) = world.targets.get() {
        for target in targets.iter().filter(|t| !t.up).take(3) {
            let text = format!("target down: {} {}: {}", target.job, target.instance, target.error);
            lines.push(Line::styled(theme.plain(&ServerText::new(text).escaped()), theme.style(Tone::Warning)));
        }
    }
    lines
}

fn draw_panel(app: &App, spec: &PanelSpec, selected: bool, theme: Theme, area: Rect, frame: &mut Frame) {
    let latest = app.world().panels.get(&spec.id);
    let Glance { text, tone: loud, why } = glance(spec, latest);
    let stale = latest.and_then(|l| words::freshness(l, words::slow_beat(app), app)).filter(|_| why.is_none());
    let compared = beside_of(app, spec).first().and_then(|b| Some(format!("  {} {}", b.stands.as_ref()?, b.of)));
    let compared = compared.filter(|_| why.is_none()).unwrap_or_default();
    let title_style = if selected { theme.selected() } else { theme.title() };
    let value_style = theme.style(if stale.is_some() { Tone::Faint } else { loud });
    let head = Line::from(vec![
        Span::styled(theme.plain(&spec.title), title_style),
        Span::raw("  "),
        Span::styled(theme.plain(&format!("{}{text}", theme.mark(loud))), value_style),
        Span::styled(theme.plain(&compared), theme.style(Tone::Faint)),
    ]);
    lines::draw_one(head, theme, area, frame);
    let plot = Rect { y: area.y + 1, height: area.height.saturating_sub(2), ..area };
    if let Some(why) = why {
        let muted = theme.style(if loud >= Tone::Notice { loud } else { Tone::Faint });
        let folded = lines::folded(&theme.plain(&why), usize::from(plot.width));
        lines::draw(folded.into_iter().map(|l| Line::styled(l, muted)).collect(), theme, plot, frame);
    }
    let Some(answer) = latest.and_then(crate::model::Latest::get) else { return };
    let mut foot: Vec<Span<'static>> = Vec::new();
    if let Some((text, tone)) = &stale {
        foot.push(Span::styled(theme.plain(&format!("{text}  ")), theme.style(*tone)));
    }
    match &answer.reading {
        Reading::Values { candidate, series } => {
            let past = past_of(app, spec).filter(|past| is_of(&past.reading, *candidate));
            let chart = Chart {
                series,
                span: (answer.start, answer.end),
                step: answer.step,
                unit: spec.unit,
                usual: app.setup.workload.as_ref().zip(spec.figure).and_then(|(w, figure)| w.value(figure)),
                before: past.map_or(&[], |past| past.reading.series()),
                ago: f64::from(WEEK_S),
            };
            chart::draw(&chart, theme, plot, frame);
            foot.extend(legend(series, spec, theme));
            if let Some(c) = spec.candidates.get(*candidate) {
                foot.push(Span::styled(theme.plain(&c.name), theme.style(Tone::Faint)));
            }
        }
        Reading::NoSeries | Reading::NotANumber { .. } => {
            if let Some(refused) = answer.refused.first() {
                let text = theme.plain(&ServerText::from(refused.as_str()).head(200));
                foot.push(Span::styled(text, theme.style(Tone::Warning)));
            }
        }
    }
    let foot = Line::from(foot);
    let row = Rect { y: area.y + area.height - 1, height: 1, ..area };
    let ends = [answer.start, answer.end].map(|s| words::minute_of_day(s, app.local_time));
    let axis = if theme.is_ascii() { ends.join("-") } else { ends.join("–") };
    let room = row.width.saturating_sub(u16::try_from(axis.width()).unwrap_or(0));
    let fits = foot.width() + 2 <= usize::from(room);
    lines::draw_one(foot, theme, row, frame);
    if fits && matches!(answer.reading, Reading::Values { .. }) {
        let at = Rect { x: row.x + room, width: row.width - room, ..row };
        lines::draw_one(Line::styled(axis, theme.style(Tone::Faint)), theme, at, frame);
    }
}

fn past_of<'a>(app: &'a App, spec: &PanelSpec) -> Option<&'a PanelAnswer> {
    app.world().panels_before.get(&spec.id).and_then(crate::model::Latest::get)
}

fn is_of(reading: &Reading, by: usize) -> bool {
    matches!(reading, Reading::Values { candidate, .. } if *candidate == by)
}

/// What the panel's newest figure is held against.
fn beside_of(app: &App, spec: &PanelSpec) -> Vec<Beside> {
    let now = app.world().panels.get(&spec.id).and_then(crate::model::Latest::get);
    beside(spec, now, past_of(app, spec), app.setup.workload.as_ref())
}

/// Names and newest values, where a panel has several series: the largest first, since the end of the line is what has no
/// room; zeros behind it, and last what has no value now.
fn legend(series: &[Series], spec: &PanelSpec, theme: Theme) -> Vec<Span<'static>> {
    let newest = |s: &Series| s.last().flatten();
    let one = |(i, s): (usize, &Series)| {
        let last = newest(s).map_or_else(String::new, |v| format!(" {}", shown(v, spec.unit, None)));
        let name = ServerText::from(s.name.as_str()).head(24);
        Span::styled(theme.plain(&format!("{name}{last}  ")), chart::legend_style(i, series.len(), theme))
    };
    if series.len() < 2 {
        return Vec::new();
    }
    // Each keeps the colour of its line.
    let mut ranked: Vec<(usize, &Series)> = series.iter().enumerate().collect();
    ranked.sort_by(|(_, a), (_, b)| match (newest(a), newest(b)) {
        (Some(a), Some(b)) => b.total_cmp(&a),
        (a, b) => b.is_some().cmp(&a.is_some()),
    });
    ranked.into_iter().map(one).collect()
}

/// The selected panel in words: which source answered, what it cannot see, what stands beside the values.
fn told_of(app: &App, spec: &PanelSpec, theme: Theme) -> Line<'static> {
    let mut parts = Vec::new();
    if let Some(answer) = app.world().panels.get(&spec.id).and_then(crate::model::Latest::get) {
        parts.push(format!("last {:.0} min", (answer.end - answer.start) / 60.0));
        match &answer.reading {
            Reading::Values { candidate, .. } | Reading::NotANumber { candidate } => {
                if let Some(c) = spec.candidates.get(*candidate) {
                    parts.push(format!("from {}", c.name));
                    parts.extend(c.note.clone());
                }
            }
            Reading::NoSeries => {
                let tried: Vec<&str> = spec.candidates.iter().map(|c| c.name.as_str()).collect();
                parts.push(format!("tried {}", tried.join(", ")));
            }
        }
        let beside = beside_of(app, spec);
        if beside.is_empty() && matches!(answer.reading, Reading::Values { .. }) {
            parts.push("no baseline: nothing from a week ago".to_owned());
        }
        parts.extend(beside.iter().map(|b| {
            let stands = b.stands.as_ref().map_or_else(String::new, |s| format!(" ({s})"));
            format!("{} {}{stands}", b.of, shown(b.usual, spec.unit, None))
        }));
        parts.extend(answer.notes.iter().chain(&answer.refused).cloned());
    }
    let text = parts.iter().map(|p| ServerText::from(p.as_str()).head(200)).collect::<Vec<_>>().join(" · ");
    Line::from(vec![
        Span::styled(theme.plain(&format!("{}  ", spec.title)), theme.title()),
        Span::styled(theme.plain(&text), theme.style(Tone::Faint)),
    ])
}

/// One line per panel.
fn draw_glances(app: &App, specs: &[&PanelSpec], selected: usize, theme: Theme, area: Rect, frame: &mut Frame) {
    let rows = usize::from(area.height);
    let start = crate::table::page_start(selected, rows, specs.len());
    for (i, spec) in specs.iter().enumerate().skip(start).take(rows) {
        let Glance { text, tone, why } = glance(spec, app.world().panels.get(&spec.id));
        let y = area.y + u16::try_from(i - start).unwrap_or(0);
        let title = words::shortened(&theme.plain(&spec.title), 18);
        let why = why.map_or_else(String::new, |why| format!(": {why}"));
        let text = theme.plain(&format!("{}{text}{why}", theme.mark(tone)));
        let mut line = Line::from(vec![Span::raw(format!("{title:<18} ")), Span::styled(text, theme.style(tone))]);
        if i == selected {
            line = line.style(theme.selected());
        }
        lines::draw_one(line, theme, Rect { y, height: 1, ..area }, frame);
    }
}

/// What SQL knows of the cache, where metrics may know nothing.
fn cache_table(app: &App, theme: Theme, height: u16) -> Vec<Line<'static>> {
    let latest = &app.world().cache;
    let mut lines = Vec::new();
    if let Some((text, tone)) = words::standing(latest, words::slow_beat(app), app) {
        lines.push(Line::styled(theme.plain(&format!("cache table: {text}")), theme.style(tone)));
    }
    let Some(cache) = latest.get() else { return lines };
    let (text, tone) = contents(cache);
    lines.push(Line::from(vec![
        Span::styled("cache table  ", theme.title()),
        Span::styled(theme.plain(&text), theme.style(tone)),
    ]));
    lines.push(lookups(app, cache, theme));
    if let CacheState::Read(c) = &cache.state {
        for view in c.views.iter().take(usize::from(height / 8)) {
            let text = format!(
                "  {}  {:>6} entries  {:>6} expired  {:>7}",
                padded(&view.view.head(40), 28),
                count(view.rows),
                count(view.expired),
                Bytes(view.bytes).short()
            );
            lines.push(Line::styled(theme.plain(&text), theme.style(Tone::Faint)));
        }
    }
    lines
}

fn contents(cache: &CacheTable) -> (String, Tone) {
    let name = cache.table.head(60);
    match &cache.state {
        CacheState::NoTable => (
            format!(
                "no table {name} in database {}: normal where the cache lives in the service's memory",
                cache.database.head(40)
            ),
            Tone::Faint,
        ),
        CacheState::Denied { cure, bytes } => {
            let size = bytes.map_or_else(String::new, |b| format!("{}; ", Bytes(b).short()));
            (format!("{name}: {size}no permission: {}", ServerText::from(cure.as_str()).escaped()), Tone::Warning)
        }
        CacheState::UnloggedOnStandby => {
            (format!("{name} is unlogged: a standby cannot read it; connect to the primary"), Tone::Notice)
        }
        CacheState::Read(c) => {
            let share = if c.rows > 0 { c.expired.saturating_mul(100) / c.rows } else { 0 };
            let size = c.bytes.map_or_else(|| "size unknown (locked)".to_owned(), |b| Bytes(b).short());
            let sampled = if c.sampled { " (counted in part)" } else { "" };
            let tone = if c.expired > 10_000 || (share >= 50 && c.rows >= 1000) { Tone::Warning } else { Tone::Plain };
            (
                format!(
                    "{name}: {} entries{sampled} · {} expired, not removed ({share}%) · {size}",
                    count(c.rows),
                    count(c.expired)
                ),
                tone,
            )
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a count, shown in three digits")]
fn count(n: i64) -> String {
    short_count(n as f64)
}

fn lookups(app: &App, cache: &CacheTable, theme: Theme) -> Line<'static> {
    let title = Span::styled("look-ups     ", theme.title());
    let Some(now) = &cache.lookups else {
        let why =
            cache.lookups_error.as_ref().map_or_else(|| "no statement looks it up".to_owned(), ToString::to_string);
        let tone = if cache.lookups_error.is_some() { Tone::Notice } else { Tone::Faint };
        return Line::from(vec![title, Span::styled(theme.plain(&format!("not counted: {why}")), theme.style(tone))]);
    };
    let percent = |rows: i64, calls: i64| {
        #[expect(clippy::cast_precision_loss, reason = "a ratio of counts")]
        let share = rows as f64 / calls as f64 * 100.0;
        format!("{share:.1}% hits")
    };
    let since = match (&app.world().cache_before, &app.world().cache.value) {
        (Some((before, then)), Some((_, at))) if now.calls >= before.calls => {
            let calls = now.calls - before.calls;
            let over = seconds_between(*then, *at);
            if calls > 0 {
                format!("{} of {} in the last {over:.0} s", percent(now.rows - before.rows, calls), count(calls))
            } else {
                format!("no look-up in the last {over:.0} s")
            }
        }
        (Some(_), Some(_)) => "the counters were reset".to_owned(),
        (None, _) | (_, None) => "first look: no rate yet".to_owned(),
    };
    let total = if now.calls > 0 {
        format!("{} of {} since the reset", percent(now.rows, now.calls), count(now.calls))
    } else {
        "none since the reset".to_owned()
    };
    let hidden = if now.hidden > 0 {
        format!(
            " · {} hidden from this role",
            words::are(usize::try_from(now.hidden).unwrap_or(usize::MAX), "statement")
        )
    } else {
        String::new()
    };
    Line::from(vec![title, Span::raw(theme.plain(&format!("{since} · {total} (from pg_stat_statements){hidden}")))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_legend_begins_with_the_largest_and_each_keeps_the_colour_of_its_line() {
        let specs = crate::model::panel::defaults().unwrap_or_default();
        let spec = specs.iter().find(|spec| spec.id == "connections");
        let theme = Theme::of(crate::app::Display { colour: true, ascii: false });
        let one = |name: &str, last: Option<f64>| Series { name: name.to_owned(), points: vec![(0.0, last)] };
        let series =
            [one("fastpath", Some(0.0)), one("disabled", None), one("active", Some(3.0)), one("idle", Some(40.0))];
        let legend = spec.map(|spec| legend(&series, spec, theme)).unwrap_or_default();
        let names: Vec<&str> = legend.iter().map(|span| span.content.trim()).collect();
        assert_eq!(names, ["idle 40", "active 3", "fastpath 0", "disabled"]);
        assert_eq!(legend.first().map(|span| span.style), Some(chart::legend_style(3, 4, theme)));
    }
}
