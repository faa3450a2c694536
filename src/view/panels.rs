//! 7 Latency and 8 Cache: a grid of charts on one time axis, or one line per panel where there is no room.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::chart::{self, Chart};
use super::tables::draw_lines;
use super::theme::Theme;
use super::words;
use crate::app::App;
use crate::app::tab::panels::{Glance, glance, shown};
use crate::command::Tab;
use crate::model::cache::{CacheState, CacheTable};
use crate::model::panel::{PanelSpec, Reading};
use crate::model::unit::Bytes;
use crate::model::{Tone, seconds_between};

/// Lines that a chart needs to say anything: its title, four lines of plot, its foot.
const PANEL_HEIGHT: u16 = 6;

/// Draws the tab.
pub fn draw(app: &App, theme: Theme, area: Rect, frame: &mut Frame) {
    let mut head = sources(app, theme);
    if app.tab == Tab::Cache {
        head.extend(cache_table(app, theme, area.height));
    }
    let lines = u16::try_from(head.len()).unwrap_or(0).min(area.height / 2);
    draw_lines(head, Rect { height: lines, ..area }, frame);
    let body = Rect { y: area.y + lines, height: area.height - lines, ..area };
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
    let visible_rows = (body.height / PANEL_HEIGHT).min(rows);
    if visible_rows == 0 || body.width < 50 {
        draw_glances(app, &specs, selected, theme, body, frame);
        return;
    }
    // The page of rows that holds the selected panel.
    let selected_row = u16::try_from(selected).unwrap_or(0) / columns;
    let first = selected_row / visible_rows * visible_rows;
    let height = body.height / visible_rows;
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
        lines.push(Line::styled(theme.plain(&format!("Prometheus {url}: {text}")), theme.style(tone)));
    }
    if let Some(targets) = world.targets.get() {
        for target in targets.iter().filter(|t| !t.up).take(3) {
            let text = format!("target down: {} {}: {}", target.job, target.instance, target.error);
            lines.push(Line::styled(
                theme.plain(&crate::model::ServerText::new(text).escaped()),
                theme.style(Tone::Warning),
            ));
        }
    }
    lines
}

fn draw_panel(app: &App, spec: &PanelSpec, selected: bool, theme: Theme, area: Rect, frame: &mut Frame) {
    let latest = app.world().panels.get(&spec.id);
    let Glance { text, tone } = glance(spec, latest);
    let stale = latest.and_then(|l| words::freshness(l, 5.0, app));
    let title_style = if selected { theme.selected() } else { theme.title() };
    let value_style = theme.style(if stale.is_some() { Tone::Faint } else { tone });
    let mark = theme.mark(tone);
    let title = Line::from(vec![
        Span::styled(spec.title.clone(), title_style),
        Span::raw("  "),
        Span::styled(theme.plain(&format!("{mark}{text}")), value_style),
    ]);
    frame.render_widget(title, Rect { height: 1, ..area });
    let foot_y = area.y + area.height - 1;
    let foot_at = Rect { y: foot_y, height: 1, ..area };
    let plot = Rect { y: area.y + 1, height: area.height.saturating_sub(2), ..area };
    let Some(answer) = latest.and_then(crate::model::Latest::get) else { return };
    match &answer.reading {
        Reading::Values { candidate, series } => {
            let chart = Chart { series, span: (answer.start, answer.end), step: answer.step, unit: spec.unit };
            chart::draw(&chart, theme, plot, frame);
            let mut spans = Vec::new();
            if let Some((text, tone)) = &stale {
                spans.push(Span::styled(theme.plain(&format!("{text}  ")), theme.style(*tone)));
            }
            if series.len() > 1 {
                for (i, s) in series.iter().enumerate() {
                    let last =
                        s.last().flatten().map_or_else(String::new, |v| format!(" {}", shown(v, spec.unit, None)));
                    let name = crate::model::ServerText::new(s.name.clone()).head(24);
                    spans.push(Span::styled(
                        theme.plain(&format!("{name}{last}  ")),
                        chart::legend_style(i, series.len(), theme),
                    ));
                }
            }
            if let Some(c) = spec.candidates.get(*candidate) {
                let note = c.note.as_ref().map_or_else(String::new, |n| format!(" ({n})"));
                spans.push(Span::styled(theme.plain(&format!("{}{note}", c.name)), theme.style(Tone::Faint)));
            }
            for note in &answer.notes {
                spans.push(Span::styled(theme.plain(&format!("  {note}")), theme.style(Tone::Notice)));
            }
            frame.render_widget(fitted(Line::from(spans), usize::from(area.width)), foot_at);
        }
        Reading::NotANumber { candidate } => {
            let source = spec.candidates.get(*candidate).map_or("", |c| c.name.as_str());
            let text =
                format!("every value is NaN in the last {:.0} min: {source}", (answer.end - answer.start) / 60.0);
            frame.render_widget(
                Span::styled(theme.plain(&text), theme.style(Tone::Faint)),
                Rect { height: 1.min(plot.height), ..plot },
            );
        }
        Reading::NoSeries => {
            let tried: Vec<&str> = spec.candidates.iter().map(|c| c.name.as_str()).collect();
            let text = format!("tried {}", tried.join(", "));
            frame.render_widget(
                Span::styled(theme.plain(&text), theme.style(Tone::Faint)),
                Rect { height: 1.min(plot.height), ..plot },
            );
            if let Some(refused) = answer.refused.first() {
                frame.render_widget(Span::styled(theme.plain(refused), theme.style(Tone::Warning)), foot_at);
            }
        }
    }
}

/// The line cut to `width`, with the mark of a cut.
fn fitted(line: Line<'static>, width: usize) -> Line<'static> {
    if line.width() <= width {
        return line;
    }
    let mut left = width.saturating_sub(1);
    let mut out = Vec::new();
    for span in line.spans {
        let have = span.content.chars().count();
        if have > left {
            out.push(Span::styled(words::shortened(&span.content, left + 1), span.style));
            break;
        }
        left -= have;
        out.push(span);
    }
    Line::from(out)
}

/// One line per panel.
fn draw_glances(app: &App, specs: &[&PanelSpec], selected: usize, theme: Theme, area: Rect, frame: &mut Frame) {
    let rows = usize::from(area.height);
    let start = crate::table::page_start(selected, rows);
    for (i, spec) in specs.iter().enumerate().skip(start).take(rows) {
        let Glance { text, tone } = glance(spec, app.world().panels.get(&spec.id));
        let y = area.y + u16::try_from(i - start).unwrap_or(0);
        let title = words::shortened(&spec.title, 18);
        let mut line =
            Line::from(vec![Span::raw(format!("{title:<18} ")), Span::styled(theme.plain(&text), theme.style(tone))]);
        if i == selected {
            line = line.style(theme.selected());
        }
        frame.render_widget(line, Rect { y, height: 1, ..area });
    }
}

/// What SQL knows of the cache, where metrics may know nothing.
fn cache_table(app: &App, theme: Theme, height: u16) -> Vec<Line<'static>> {
    let latest = &app.world().cache;
    let mut lines = Vec::new();
    if let Some((text, tone)) = words::freshness(latest, 5.0, app) {
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
                "  {:<28} {:>8} entries  {:>8} expired  {:>9}",
                view.view.head(28),
                view.rows,
                view.expired,
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
            (format!("{name}: {size}no permission to read it: {cure}"), Tone::Warning)
        }
        CacheState::UnloggedOnStandby => {
            (format!("{name} is unlogged: a standby cannot read it; connect to the primary"), Tone::Notice)
        }
        CacheState::Read(c) => {
            let share = if c.rows > 0 { c.expired * 100 / c.rows } else { 0 };
            let size = c.bytes.map_or_else(|| "size unknown (locked)".to_owned(), |b| Bytes(b).short());
            let sampled = if c.sampled { " (counted in part)" } else { "" };
            let tone = if c.expired > 10_000 || (share >= 50 && c.rows >= 1000) { Tone::Warning } else { Tone::Plain };
            (
                format!(
                    "{name}: {} entries{sampled} · {} expired and not removed ({share}%) · {size}",
                    c.rows, c.expired
                ),
                tone,
            )
        }
    }
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
                format!("{} of {calls} look-ups in the last {over:.0} s", percent(now.rows - before.rows, calls))
            } else {
                format!("no look-up in the last {over:.0} s")
            }
        }
        (Some(_), Some(_)) => "the counters were reset".to_owned(),
        (None, _) | (_, None) => "first look: no rate yet".to_owned(),
    };
    let total = if now.calls > 0 {
        format!("{} of {} since the reset", percent(now.rows, now.calls), now.calls)
    } else {
        "none since the reset".to_owned()
    };
    let hidden =
        if now.hidden > 0 { format!(" · {} statements are hidden from this role", now.hidden) } else { String::new() };
    Line::from(vec![title, Span::raw(theme.plain(&format!("{since} · {total} (from pg_stat_statements){hidden}")))])
}
