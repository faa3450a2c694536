//! 1 Triage: what is wrong, in order of harm, the selected finding in full; health and alerts beside it, vitals below.
//!
//! It finds nothing itself: `diagnose` did.

mod alerts;
mod findings;
mod health;
mod vitals;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use super::lines;
use super::theme::Theme;
use crate::app::App;
use crate::model::{Shown, Tone};

pub(super) use alerts::{level, look};
pub(super) use health::{mark, tone};

/// Columns of the boxes at the side.
const SIDE: u16 = 36;

/// Columns and lines from which on there is room for boxes at the side.
const ROOMY: (u16, u16) = (110, 16);

/// A box at the side: a title and what it says.
struct Side {
    title: &'static str,
    lines: Vec<Line<'static>>,
}

/// The boxes at the side, the first on top. What has nothing to say has no box.
fn sides(app: &App, theme: Theme) -> Vec<Side> {
    let health = Side { title: "Health", lines: health::lines(app, theme, usize::from(SIDE - 1)) };
    let alerts = Side { title: "Alerts", lines: alerts::lines(app, theme, usize::from(SIDE - 1)) };
    vec![health, alerts].into_iter().filter(|side| !side.lines.is_empty()).collect()
}

/// Draws the tab, and says how much it shows of what is to be scrolled through.
pub fn draw(app: &App, theme: Theme, area: Rect, frame: &mut Frame) -> Shown {
    let roomy = area.width >= ROOMY.0 && area.height >= ROOMY.1;
    let vitals = vitals::lines(app, theme, area.width);
    // On a telephone's screen the findings are all that matters.
    let most = if area.height < 10 { 1 } else { area.height / 4 };
    let height = u16::try_from(vitals.len()).unwrap_or(u16::MAX).min(most);
    let titled = u16::from(roomy);
    let [top, bottom] = Layout::vertical([Constraint::Fill(1), Constraint::Length(height + titled)]).areas(area);
    if roomy {
        let [left, gap, right] =
            Layout::horizontal([Constraint::Fill(1), Constraint::Length(2), Constraint::Length(SIDE)]).areas(top);
        title("What is wrong", theme, left, frame);
        let shown = findings::draw(app, theme, below(left), frame);
        bar(theme, gap, frame);
        let mut y = right.y;
        for mut side in sides(app, theme) {
            let room = right.bottom().saturating_sub(y);
            let height = u16::try_from(side.lines.len() + 1).unwrap_or(u16::MAX).min(room);
            let fit = usize::from(height).saturating_sub(1);
            if fit > 0 && side.lines.len() > fit {
                let hidden = side.lines.len() - (fit - 1);
                side.lines.truncate(fit - 1);
                side.lines.push(Line::styled(format!(" … {hidden} more lines"), theme.style(Tone::Faint)));
            }
            let at = Rect { y, height, ..right };
            title(side.title, theme, at, frame);
            lines::draw(side.lines, theme, below(at), frame);
            y += height + 1;
        }
        title("Vitals, last 30 min", theme, bottom, frame);
        lines::draw(vitals, theme, below(bottom), frame);
        return shown;
    }
    let alerts = alerts::line(app, theme);
    let (room, only_bad) = match area.height {
        16.. => (2, false),
        10.. => (1, false),
        // On a telephone's screen what is well says nothing.
        4.. => (1, true),
        _ => (0, true),
    };
    let mut beside = health::compact(app, theme, (usize::from(area.width), room), only_bad);
    // The alerts that fire are findings, too: their count gives way first.
    beside.extend(alerts.filter(|_| area.height >= 16));
    let height = u16::try_from(beside.len()).unwrap_or(0);
    let [list, state] = Layout::vertical([Constraint::Fill(1), Constraint::Length(height)]).areas(top);
    let shown = findings::draw(app, theme, list, frame);
    lines::draw(beside, theme, state, frame);
    lines::draw(vitals, theme, bottom, frame);
    shown
}

fn below(area: Rect) -> Rect {
    let head = area.height.min(1);
    Rect { y: area.y + head, height: area.height - head, ..area }
}

/// A title with a rule to the end of the line.
fn title(text: &'static str, theme: Theme, area: Rect, frame: &mut Frame) {
    if area.height == 0 {
        return;
    }
    let rule = if theme.is_ascii() { "-" } else { "─" };
    let rest = usize::from(area.width).saturating_sub(text.len() + 1);
    let line = Line::from(vec![
        Span::styled(text, theme.title()),
        Span::styled(format!(" {}", rule.repeat(rest)), theme.style(Tone::Faint)),
    ]);
    lines::draw_one(line, theme, Rect { height: 1, ..area }, frame);
}

fn bar(theme: Theme, area: Rect, frame: &mut Frame) {
    let bar = if theme.is_ascii() { "|" } else { "│" };
    for y in area.y..area.bottom() {
        frame.buffer_mut().set_stringn(area.x, y, bar, 1, theme.style(Tone::Faint));
    }
}
