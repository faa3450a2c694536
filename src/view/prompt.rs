//! The question before an action: what will be sent, whom it hits, how to say yes.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::theme::Theme;
use super::{picker, words};
use crate::app::App;
use crate::guard::{Confirm, Prompt};
use crate::model::Tone;

/// Draws the question. Where there is little room the rows are cut, never the way to answer.
pub fn draw(prompt: &Prompt, theme: Theme, area: Rect, frame: &mut Frame) {
    let mut lines: Vec<Line<'static>> = Vec::new();
    let width = usize::from(area.width.min(100)).saturating_sub(4);
    for warning in prompt.warnings() {
        lines.extend(
            words::folded(&format!("! {warning}"), width)
                .into_iter()
                .map(|l| Line::styled(theme.plain(&l), theme.style(Tone::Warning))),
        );
    }
    // The statement comes last: it is the longest, and the one whose tail can be missed.
    let (statement, others): (Vec<_>, Vec<_>) = prompt.rows().iter().partition(|r| r.label == "runs");
    for row in others.into_iter().chain(statement) {
        for (i, part) in words::folded(&row.text, width.saturating_sub(9)).into_iter().enumerate() {
            let label = if i == 0 { row.label } else { "" };
            lines.push(Line::from(vec![
                Span::styled(format!("{label:<9}"), theme.style(Tone::Faint)),
                Span::raw(theme.plain(&part)),
            ]));
        }
    }
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(4);
    let inner = picker::framed(prompt.title(), 100, height, theme, area, frame);
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    if inner.height == 0 {
        return;
    }
    let room = usize::from(inner.height.saturating_sub(1));
    let cut = lines.len() > room;
    for (i, line) in lines.into_iter().take(room).enumerate() {
        let y = inner.y + u16::try_from(i).unwrap_or(0);
        let at = Rect { y, height: 1, ..inner };
        frame.render_widget(line, at);
        if cut && i + 1 == room {
            let more = theme.plain(" …");
            let x = at.x + at.width.saturating_sub(2);
            frame.render_widget(Span::raw(more), Rect { x, width: at.width.min(2), ..at });
        }
    }
    let y = inner.y + inner.height - 1;
    frame.render_widget(answer(prompt, theme).right_aligned(), Rect { y, height: 1, ..inner });
}

fn answer(prompt: &Prompt, theme: Theme) -> Line<'static> {
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

/// Draws the question before leaving while a job runs.
pub fn draw_leave(app: &App, theme: Theme, area: Rect, frame: &mut Frame) {
    let label = app.running_job().map_or_else(|| "A job".to_owned(), |j| j.label.clone());
    let inner = picker::framed("Leave?", 70, 5, theme, area, frame);
    let text =
        [format!("{label} still runs. Leaving cancels it."), String::new(), "y leave   any other key stay".to_owned()];
    for (i, line) in text.into_iter().take(usize::from(inner.height)).enumerate() {
        let y = inner.y + u16::try_from(i).unwrap_or(0);
        frame.render_widget(Line::raw(format!(" {line}")), Rect { y, height: 1, ..inner });
    }
}
