//! What became of each session of an action on several: one line each, and who is still there.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::theme::Theme;
use super::{lines, picker};
use crate::app::update::{outcome_word, outcome_words};
use crate::app::{Action, App};
use crate::guard::{Bulk, BulkTarget, Signal, Write};
use crate::message::{EachOutcome, Outcome};
use crate::model::{ServerText, Tone};

/// Draws the outcome of the action with that number.
pub fn draw(app: &App, id: u64, scroll: usize, theme: Theme, area: Rect, frame: &mut Frame) {
    let Some((action, Write::Bulk(bulk))) = app.actions.iter().find(|a| a.id == id).map(|a| (a, &a.write)) else {
        return;
    };
    let shown = content(action, bulk, theme);
    let height = u16::try_from(shown.len()).unwrap_or(u16::MAX).saturating_add(2);
    let inner = picker::framed(&action.label, 100, height, theme, area, frame);
    let rows = usize::from(inner.height);
    let top = scroll.min(shown.len().saturating_sub(rows));
    let more = shown.len().saturating_sub(top + rows);
    let mut shown: Vec<Line<'static>> = shown.into_iter().skip(top).take(rows).collect();
    if more > 0 && rows > 1 {
        shown.truncate(rows - 1);
        shown.push(Line::styled(format!("… {} more lines", more + 1), theme.style(Tone::Faint)));
    }
    lines::draw(
        shown,
        theme,
        Rect { x: inner.x + inner.width.min(1), width: inner.width.saturating_sub(1), ..inner },
        frame,
    );
}

fn content(action: &Action, bulk: &Bulk, theme: Theme) -> Vec<Line<'static>> {
    let mut out = Vec::new();
    let mut say = |(text, tone): (String, Tone)| {
        let text = ServerText::new(text).escaped();
        let text = text.strip_prefix(&format!("{}: ", action.label)).map_or(text.clone(), str::to_owned);
        out.push(Line::styled(text, theme.style(tone)));
    };
    say(action.outcome.as_ref().map_or_else(|| ("sending".to_owned(), Tone::Faint), |o| outcome_words("", o)));
    if let Some(verified) = &action.verified {
        say(verified.clone());
    }
    let each = match &action.outcome {
        Some(Outcome::Each(each)) => each.as_slice(),
        Some(_) | None => &[],
    };
    for (at, target) in bulk.targets.iter().enumerate() {
        out.push(line(target, each.get(at), (action, bulk.signal), theme));
    }
    for left in &bulk.left_out {
        out.push(row(left.pid, &format!("left out: {}", left.why), Tone::Faint, &left.who.shown(), theme));
    }
    out
}

fn line(
    target: &BulkTarget,
    each: Option<&EachOutcome>,
    (action, signal): (&Action, Signal),
    theme: Theme,
) -> Line<'static> {
    let who = format!("{} · {}", target.who.shown(), target.query.head(120));
    let Some(each) = each else { return row(target.session.pid, "", Tone::Faint, &who, theme) };
    let (word, tone) = match (&each.outcome, &action.left) {
        (Outcome::Done(_), Some(left)) if left.contains(&target.statement()) => match signal {
            Signal::Cancel => ("still runs".to_owned(), Tone::Warning),
            Signal::Terminate => ("still there".to_owned(), Tone::Warning),
        },
        (Outcome::Done(_), Some(_)) => ("gone".to_owned(), Tone::Good),
        (Outcome::Done(_), None) => ("signal sent".to_owned(), Tone::Plain),
        (Outcome::Gone, _) => (outcome_word(&each.outcome).to_owned(), Tone::Notice),
        (Outcome::Changed(now), _) => (format!("not sent: {now}"), Tone::Warning),
        (Outcome::Denied { message, cure }, _) => (format!("not permitted: {message}: {cure}"), Tone::Critical),
        (
            Outcome::Each(_)
            | Outcome::Written(_)
            | Outcome::Skipped(_)
            | Outcome::TimedOut(_)
            | Outcome::Cancelled(_)
            | Outcome::Refused(_)
            | Outcome::NotSent(_)
            | Outcome::Unknown(_),
            _,
        ) => (outcome_word(&each.outcome).to_owned(), Tone::Critical),
    };
    row(each.pid, &word, tone, &who, theme)
}

/// `   4711  gone          shop@shop, app=worker … · UPDATE …`
fn row(pid: i32, word: &str, tone: Tone, who: &str, theme: Theme) -> Line<'static> {
    let word = ServerText::from(word).escaped();
    Line::from(vec![
        Span::styled(format!("{pid:>7} "), theme.style(Tone::Plain)),
        Span::styled(format!("{word:<20} "), theme.style(tone)),
        Span::styled(who.to_owned(), theme.style(Tone::Faint)),
    ])
}
