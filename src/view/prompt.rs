//! The question before an action: what will be sent, whom it hits, how to say yes.

mod bulk;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;
use unicode_width::UnicodeWidthStr;

use super::lines::folded;
use super::theme::Theme;
use super::{lines, picker, words};
use crate::app::App;
use crate::guard::{Confirm, Prompt, Reason};
use crate::model::{ServerText, Tone};

/// Cells of a label and the blank behind it.
const LABEL: usize = 8;

/// Cells that a question needs at most: longer lines are harder to read.
const WIDEST: u16 = 100;

/// Draws the question. Where there is little room each part keeps one line; the way to answer is never cut.
pub fn draw(prompt: &Prompt, theme: Theme, area: Rect, frame: &mut Frame) {
    if !prompt.listed().is_empty() {
        return bulk::draw(prompt, theme, area, frame);
    }
    let width = usize::from(area.width.min(WIDEST)).saturating_sub(4);
    let room = usize::from(area.height.saturating_sub(3));
    let (statement, others): (Vec<_>, Vec<_>) = prompt.rows().iter().partition(|r| r.label == "runs");
    let warnings = prompt.warnings().iter().map(|w| ("!", w.as_str()));
    let said: Vec<(&str, &str)> = warnings.chain(others.into_iter().map(|r| (r.label, r.text.as_str()))).collect();
    let mut rows: Vec<Line<'static>> = said.iter().flat_map(|(l, t)| part(l, t, width, theme)).collect();
    if rows.len() > room {
        // What is done and whom it frees weighs more than an address that is broken into three lines.
        rows = said.iter().map(|(l, t)| labelled(l, (*t).to_owned(), theme)).collect();
    }
    // The statement comes last: it is the longest, and the one whose tail can be missed.
    rows.extend(statement.into_iter().flat_map(|r| part(r.label, &r.text, width, theme)));
    let height = u16::try_from(rows.len()).unwrap_or(u16::MAX).saturating_add(5);
    let inner = picker::framed(prompt.title(), WIDEST, height, theme, area, frame);
    let inner = Rect { x: inner.x + inner.width.min(1), width: inner.width.saturating_sub(2), ..inner };
    if inner.height == 0 {
        return;
    }
    // The reason gives way to what is asked, unless it is typed, or missing.
    let reason = prompt.reason();
    let pressing = reason.is_open() || reason.is_required() || !reason.text().is_empty();
    let below = 1 + u16::from(inner.height > if pressing { 1 } else { ROOMY });
    let at = Rect { height: inner.height - below, ..inner };
    let cut = rows.len() > usize::from(at.height);
    lines::draw(rows, theme, at, frame);
    if cut && at.height > 0 {
        lines::mark_cut(theme, Rect { y: at.bottom() - 1, height: 1, ..at }, frame.buffer_mut());
    }
    if below > 1 {
        let line = Rect { y: at.bottom(), height: 1, ..inner };
        lines::draw_one(reason_line(reason, usize::from(inner.width), theme), theme, line, frame);
    }
    let y = inner.y + inner.height - 1;
    lines::draw_one(answer(prompt, theme).right_aligned(), theme, Rect { y, height: 1, ..inner }, frame);
}

/// Lines within the frame from which on there is one for a reason that nobody has to give.
const ROOMY: u16 = 6;

/// The reason: its end, where all of it has no room; how to give one, where there is none.
fn reason_line(reason: &Reason, width: usize, theme: Theme) -> Line<'static> {
    let shown = theme.plain(&ServerText::from(reason.text()).escaped());
    let room = width.saturating_sub(LABEL + 1);
    let mut from = shown.len();
    for (at, _) in shown.char_indices().rev() {
        if shown.get(at..).is_none_or(|tail| tail.width() > room) {
            break;
        }
        from = at;
    }
    let tail = shown.get(from..).unwrap_or_default().to_owned();
    let text = match (reason.is_open(), reason.is_enough()) {
        (true, _) => Span::styled(format!("{tail}_"), theme.key()),
        (false, false) => Span::styled("Tab: it needs one", theme.style(Tone::Warning)),
        (false, true) if tail.is_empty() => Span::styled("Tab to give one", theme.style(Tone::Faint)),
        (false, true) => Span::raw(tail),
    };
    Line::from(vec![Span::styled(format!("{:<LABEL$}", "reason"), theme.style(Tone::Faint)), text])
}

/// A part of the question, broken into lines.
fn part(label: &str, text: &str, width: usize, theme: Theme) -> Vec<Line<'static>> {
    let folded = folded(&theme.plain(text), width.saturating_sub(LABEL));
    folded.into_iter().enumerate().map(|(i, t)| labelled(if i == 0 { label } else { "" }, t, theme)).collect()
}

fn labelled(label: &str, text: String, theme: Theme) -> Line<'static> {
    let warns = label == "!";
    let label = Span::styled(format!("{label:<LABEL$}"), theme.style(if warns { Tone::Warning } else { Tone::Faint }));
    Line::from(vec![label, Span::styled(text, theme.style(if warns { Tone::Warning } else { Tone::Plain }))])
}

fn answer(prompt: &Prompt, theme: Theme) -> Line<'static> {
    if prompt.reason().is_open() {
        return Line::from(vec![
            Span::styled("Enter", theme.key()),
            Span::raw(" to the answer   "),
            Span::styled("Esc", theme.key()),
            Span::raw(" no"),
        ]);
    }
    match prompt.confirm() {
        Confirm::Key(chord) => Line::from(vec![
            Span::styled(chord.to_string(), theme.key()),
            Span::raw(" yes, do it   "),
            Span::styled("Esc", theme.key()),
            Span::raw(" no"),
        ]),
        Confirm::Type(name) => Line::from(vec![
            Span::raw(format!("type {} and Enter: ", words::shortened(name, 40))),
            Span::styled(format!("{}_", prompt.typed()), theme.key()),
            Span::raw("   "),
            Span::styled("Esc", theme.key()),
            Span::raw(" no"),
        ]),
    }
}

/// Says that the window has no room for the question; it cannot be answered then.
pub fn draw_no_room(theme: Theme, area: Rect, frame: &mut Frame) {
    frame.render_widget(Clear, area);
    let text = "too small to ask: enlarge, or Esc";
    let folded = folded(text, usize::from(area.width)).into_iter();
    lines::draw(folded.map(|l| Line::styled(l, theme.style(Tone::Warning))).collect(), theme, area, frame);
}

/// Draws the question before leaving while a job runs.
pub fn draw_leave(app: &App, theme: Theme, area: Rect, frame: &mut Frame) {
    let label = app.running_job().map_or_else(|| "A job".to_owned(), |j| j.label.clone());
    let inner = picker::framed("Leave?", 70, 5, theme, area, frame);
    let last = inner.height.saturating_sub(1);
    let text = format!("{label} still runs. Leaving cancels it.");
    let shown = folded(&theme.plain(&text), usize::from(inner.width.saturating_sub(1)));
    let shown = shown.into_iter().map(|line| Line::raw(format!(" {line}"))).collect();
    lines::draw(shown, theme, Rect { height: last, ..inner }, frame);
    let answer = Line::from(vec![Span::styled(" y", theme.key()), Span::raw(" leave   any other key stays")]);
    lines::draw_one(answer, theme, Rect { y: inner.y + last, height: inner.height.min(1), ..inner }, frame);
}
