//! The question before an action: what will be sent, whom it hits, how to say yes.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;
use unicode_width::UnicodeWidthStr;

use super::lines::folded;
use super::theme::Theme;
use super::{lines, picker};
use crate::app::App;
use crate::guard::{Confirm, Listed, Prompt, Reason};
use crate::model::{ServerText, Shown, Tone};

/// Cells of a label and the blank behind it.
const LABEL: usize = 8;

/// Cells that a question needs at most: longer lines are harder to read.
const WIDEST: u16 = 100;

/// Draws the question, and says how much of it. What does not fit is scrolled; the way to answer is never cut, and is
/// shown once every fact has been on the screen.
pub fn draw(prompt: &Prompt, theme: Theme, area: Rect, frame: &mut Frame) -> Option<Shown> {
    let width = usize::from(area.width.min(WIDEST)).saturating_sub(4);
    let (rows, must) = text(prompt, theme, width);
    let answers = answer(prompt, theme, width);
    let height = rows.len() + answers.len() + 4;
    let height = u16::try_from(height).unwrap_or(u16::MAX);
    let framed = picker::framed(prompt.title(), WIDEST, height, theme, area, frame);
    let inner = Rect { x: framed.x + framed.width.min(1), width: framed.width.saturating_sub(2), ..framed };
    // The reason gives way to what is asked, unless it is typed, or missing.
    let reason = prompt.reason();
    let pressing = reason.is_open() || reason.is_required() || !reason.text().is_empty();
    let answered = u16::try_from(answers.len()).unwrap_or(1).min(inner.height.saturating_sub(1));
    let reasoned = u16::from(inner.height - answered > if pressing { 1 } else { ROOMY });
    let at = Rect { height: inner.height - answered - reasoned, ..inner };
    if at.height == 0 {
        return None;
    }
    let shown = Shown { must, ..picker::scrolled(rows, prompt.seen().above(), theme, at, frame) };
    let enough = prompt.seen().is_enough_with(shown);
    picker::mark_more(Shown { must: if enough { 0 } else { must }, ..shown }, theme, framed, frame);
    let line = Rect { y: at.bottom(), height: reasoned, ..inner };
    if reasoned > 0 {
        lines::draw_one(reason_line(reason, usize::from(inner.width), theme), theme, line, frame);
    }
    let answers = if enough { answers } else { vec![read_on(theme)] };
    lines::draw(answers, theme, Rect { y: line.bottom(), height: answered, ..inner }, frame);
    Some(shown)
}

/// The lines of a question: what one should know, what is done and to whom, the list of a bulk action, the statement. The
/// statement comes last: it is the longest, and the one whose tail can be missed. With them, how many of the first ones
/// are facts that must be seen before it is answered; the list can be long, and is there to be looked through.
fn text(prompt: &Prompt, theme: Theme, width: usize) -> (Vec<Line<'static>>, usize) {
    let (statement, others): (Vec<_>, Vec<_>) = prompt.rows().iter().partition(|r| r.label == "runs");
    let warnings = prompt.warnings().iter().map(|w| ("!", w.as_str()));
    let said = warnings.chain(others.into_iter().map(|r| (r.label, r.text.as_str())));
    let mut rows: Vec<Line<'static>> = said.flat_map(|(l, t)| part(l, t, width, theme)).collect();
    let must = rows.len();
    rows.extend(prompt.listed().iter().map(|row| listed(row, theme)));
    rows.extend(statement.into_iter().flat_map(|r| part(r.label, &r.text, width, theme)));
    (rows, must)
}

/// One session on the list of a bulk action.
fn listed(row: &Listed, theme: Theme) -> Line<'static> {
    let pid = Span::styled(format!("{:>7} ", row.pid), theme.style(Tone::Plain));
    let (text, tone) = match &row.left_out {
        Some(why) => (format!("left out: {why}"), Tone::Warning),
        None => (row.text.clone(), Tone::Plain),
    };
    Line::from(vec![pid, Span::styled(text, theme.style(tone))])
}

/// Lines within the frame from which on there is one for a reason that nobody has to give.
const ROOMY: u16 = 6;

/// The reason: its end, where all of it has no room; how to give one, where there is none.
fn reason_line(reason: &Reason, width: usize, theme: Theme) -> Line<'static> {
    let shown = theme.plain(&ServerText::from(reason.text()).escaped());
    let tail = tail(&shown, width.saturating_sub(LABEL + 1));
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

/// How to answer, in one line, or in as many as a long name needs.
fn answer(prompt: &Prompt, theme: Theme, width: usize) -> Vec<Line<'static>> {
    let no = [Span::raw("   "), Span::styled("Esc", theme.key()), Span::raw(" no")];
    let said = |spans: Vec<Span<'static>>| Line::from([spans, no.to_vec()].concat()).right_aligned();
    if prompt.reason().is_open() {
        return vec![said(vec![Span::styled("Enter", theme.key()), Span::raw(" to the answer")])];
    }
    match prompt.confirm() {
        Confirm::Key(chord) => {
            vec![said(vec![Span::styled(chord.to_string(), theme.key()), Span::raw(" yes, do it")])]
        }
        Confirm::Type(name) => {
            let typed = Span::styled(format!("{}_", theme.plain(prompt.typed())), theme.key());
            let line = said(vec![Span::raw(format!("type {name} and Enter: ")), typed]);
            if line.width() <= width {
                return vec![line];
            }
            let asked = lines::folded(&theme.plain(&format!("type {name} and Enter, or Esc: no")), width);
            let typed = tail(&theme.plain(prompt.typed()), width.saturating_sub(3));
            let typed = Line::from(vec![Span::raw("> "), Span::styled(format!("{typed}_"), theme.key())]);
            asked.into_iter().map(Line::raw).chain([typed]).collect()
        }
    }
}

/// What stands in place of the answer while there are facts that no frame has shown.
fn read_on(theme: Theme) -> Line<'static> {
    let keys = [("PgDn", " to read on   "), ("Esc", " no")];
    let spans = keys.into_iter().flat_map(|(key, text)| [Span::styled(key, theme.key()), Span::raw(text)]);
    spans.collect::<Line<'static>>().right_aligned()
}

/// The end of a text, where all of it has no room.
fn tail(text: &str, room: usize) -> String {
    let mut from = text.len();
    for (at, _) in text.char_indices().rev() {
        if text.get(at..).is_none_or(|tail| tail.width() > room) {
            break;
        }
        from = at;
    }
    text.get(from..).unwrap_or_default().to_owned()
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
