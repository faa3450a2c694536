//! The last line: what just happened, or the keys that work here and now; and our own cost.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::theme::Theme;
use super::words;
use crate::app::App;
use crate::app::mode::Mode;
use crate::command::{Command, Tab};
use crate::model::Tone;

/// Draws the last line.
pub fn draw(app: &App, theme: Theme, area: Rect, frame: &mut Frame) {
    if area.height == 0 {
        return;
    }
    if let Mode::Filter { input, error } = &app.mode {
        let mut spans = vec![Span::styled("/", theme.key()), Span::raw(input.text().to_owned())];
        if let Some(error) = error {
            spans.push(Span::styled(format!("   {error}"), theme.style(Tone::Warning)));
        } else {
            spans.push(Span::styled(theme.plain("   ⏎ keep  Esc clear"), theme.style(Tone::Faint)));
        }
        frame.render_widget(Line::from(spans), area);
        let before: String = input.text().chars().take(input.cursor()).collect();
        let x = 1 + Span::raw(before).width();
        let x = u16::try_from(x).unwrap_or(u16::MAX).min(area.width.saturating_sub(1));
        frame.set_cursor_position((area.x + x, area.y));
        return;
    }
    if app.notice.is_some() {
        for (i, line) in notice(app, theme, area.width).into_iter().take(usize::from(area.height)).enumerate() {
            let y = area.y + u16::try_from(i).unwrap_or(0);
            frame.render_widget(line, Rect { y, height: 1, ..area });
        }
        return;
    }
    let cost = cost(app);
    let room = usize::from(area.width);
    let keys = keys(app, theme, room.saturating_sub(if room >= 100 { cost.chars().count() + 2 } else { 0 }));
    let used = keys.width();
    frame.render_widget(keys, area);
    if used + cost.chars().count() + 2 <= room {
        let width = u16::try_from(cost.chars().count()).unwrap_or(0);
        let at = Rect { x: area.x + area.width - width, width, ..area };
        frame.render_widget(Span::styled(theme.plain(&cost), theme.style(Tone::Faint)), at);
    }
}

/// The lines that the foot of the screen takes: one, and as many as what happened needs to be said to its end.
#[must_use]
pub fn height(app: &App, theme: Theme, area: Rect) -> u16 {
    let lines = u16::try_from(notice(app, theme, area.width).len()).unwrap_or(1);
    lines.min(area.height / 3).max(1)
}

fn notice(app: &App, theme: Theme, width: u16) -> Vec<Line<'static>> {
    let Some(notice) = app.notice.as_ref().filter(|_| !matches!(app.mode, Mode::Filter { .. })) else {
        return Vec::new();
    };
    let mark = theme.mark(notice.tone);
    let gap = if mark.is_empty() { "" } else { " " };
    let lines = words::folded(&format!("{mark}{gap}{}", notice.text), usize::from(width));
    lines.into_iter().map(|line| Line::styled(theme.plain(&line), theme.style(notice.tone))).collect()
}

fn cost(app: &App) -> String {
    let world = app.live();
    let own = world.sessions.get().map_or(0, |s| s.own);
    let ms = world.own_cost_ms_per_s(app.now);
    format!("own cost {ms:.1} ms/s · {own} conns")
}

/// The commands worth a place in the footer, most useful first. What is not bound (read-only) is not shown.
fn offered(app: &App) -> &'static [Command] {
    if matches!(app.mode, Mode::Detail { .. }) {
        return &[
            Command::Back,
            Command::SelectNext,
            Command::CancelBackend,
            Command::VacuumAnalyze,
            Command::ExactBloat,
            Command::CopyQuery,
            Command::Help,
        ];
    }
    match app.tab {
        Tab::Connections => &[
            Command::OpenDetail,
            Command::CancelBackend,
            Command::Filter,
            Command::PickSort,
            Command::CopyQuery,
            Command::Freeze,
            Command::Palette,
            Command::Help,
            Command::Quit,
        ],
        Tab::Slow => &[
            Command::OpenDetail,
            Command::CancelBackend,
            Command::LowerThreshold,
            Command::RaiseThreshold,
            Command::Filter,
            Command::PickSort,
            Command::CopyQuery,
            Command::Freeze,
            Command::Help,
            Command::Quit,
        ],
        Tab::Tables => &[
            Command::OpenDetail,
            Command::VacuumAnalyze,
            Command::ExactBloat,
            Command::SwitchDatabase,
            Command::Filter,
            Command::PickSort,
            Command::CancelJob,
            Command::Help,
            Command::Quit,
        ],
        Tab::Replication => &[
            Command::OpenDetail,
            Command::Filter,
            Command::PickSort,
            Command::CopyRow,
            Command::Freeze,
            Command::Help,
            Command::Quit,
        ],
        Tab::Latency | Tab::Cache => {
            &[Command::NextPanel, Command::Freeze, Command::Faster, Command::Slower, Command::Help, Command::Quit]
        }
    }
}

fn keys(app: &App, theme: Theme, room: usize) -> Line<'static> {
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut used = 0;
    if !app.pending.is_empty() {
        let typed: Vec<String> = app.pending.iter().map(ToString::to_string).collect();
        spans.push(Span::styled(format!("{} … ", typed.join(" ")), theme.style(Tone::Notice)));
    }
    for command in offered(app) {
        if !app.offers(*command) || (*command == Command::CancelJob && app.running_job().is_none()) {
            continue;
        }
        let key = theme.plain(&app.key_of(*command));
        let brief = command.spec().brief;
        let need = key.chars().count() + brief.len() + 3;
        if used + need > room + 2 {
            break;
        }
        used += need;
        spans.push(Span::styled(key, theme.key()));
        spans.push(Span::raw(format!(" {brief}  ")));
    }
    Line::from(spans)
}

/// A line that stands where an empty list would: why it is empty.
pub fn draw_reason(text: &str, tone: Tone, theme: Theme, area: Rect, frame: &mut Frame) {
    let width = usize::from(area.width).saturating_sub(2);
    let shown = words::shortened(&theme.plain(text), width.max(1));
    let line = Rect { height: area.height.min(1), ..area };
    frame.render_widget(Line::from(vec![Span::raw(" "), Span::styled(shown, theme.style(tone))]), line);
}
