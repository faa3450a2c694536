//! What became of each session of an action on several: one line each, and who is still there.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::theme::Theme;
use super::{picker, words};
use crate::app::App;
use crate::app::action::Action;
use crate::app::update::{outcome_word, outcome_words, seconds};
use crate::guard::{Bulk, BulkTarget, Signal, Write};
use crate::message::{EachOutcome, Outcome};
use crate::model::{ServerText, Shown, Timestamp, Tone, seconds_between};

/// Draws the outcome of the action with that number.
pub fn draw(app: &App, id: u64, scroll: usize, theme: Theme, area: Rect, frame: &mut Frame) -> Option<Shown> {
    let Some((action, Write::Bulk(bulk))) = app.actions.iter().find(|a| a.id == id).map(|a| (a, &a.write)) else {
        return None;
    };
    let shown = content(action, bulk, app, theme);
    let height = u16::try_from(shown.len()).unwrap_or(u16::MAX).saturating_add(2);
    let inner = picker::framed(&action.label, 100, height, theme, area, frame);
    let inside = Rect { x: inner.x + inner.width.min(1), width: inner.width.saturating_sub(1), ..inner };
    let shown = picker::scrolled(shown, scroll, theme, inside, frame);
    picker::mark_more(shown, theme, inner, frame);
    Some(shown)
}

fn content(action: &Action, bulk: &Bulk, app: &App, theme: Theme) -> Vec<Line<'static>> {
    let mut out = Vec::new();
    let mut say = |(text, tone): (String, Tone)| {
        let text = ServerText::new(text).escaped();
        let text = text.strip_prefix(&format!("{}: ", action.label)).map_or(text.clone(), str::to_owned);
        out.push(Line::styled(text, theme.style(tone)));
    };
    say(action.outcome.as_ref().map_or_else(|| sending(action, bulk, app), |o| outcome_words(&action.label, o)));
    if let Some(verified) = &action.verified {
        say(verified.clone());
    }
    let each = action.outcome.as_ref().map_or(&[][..], Outcome::each);
    for (at, target) in bulk.targets.iter().enumerate() {
        out.push(line(target, each.get(at), (action, bulk.signal), theme));
    }
    for left in &bulk.left_out {
        out.push(row(left.pid, &format!("left out: {}", left.why), Tone::Faint, &left.who.shown(), theme));
    }
    out
}

/// What is being done while nobody has an outcome yet, and since when.
fn sending(action: &Action, bulk: &Bulk, app: &App) -> (String, Tone) {
    let since = |at: Timestamp| {
        let ago = seconds_between(at, app.now).max(0.0).floor();
        format!("{ago:.0} s ago, at {}", words::time_of_day(at, app.local_time))
    };
    let text = match action.started {
        // No line, no action.
        None => format!("confirmed {}: the connection is tried, the audit log written", since(action.at)),
        Some(at) => format!(
            "sent {}: one statement for {}, answered when it is through",
            since(at),
            if bulk.targets.len() == 1 { "one session".to_owned() } else { format!("all {}", bulk.targets.len()) }
        ),
    };
    (text, Tone::Notice)
}

fn line(
    target: &BulkTarget,
    each: Option<&EachOutcome>,
    (action, signal): (&Action, Signal),
    theme: Theme,
) -> Line<'static> {
    let who = format!("{} · {}", target.who.shown(), target.query.head(120));
    let Some(each) = each else { return row(target.session.pid, "", Tone::Faint, &who, theme) };
    let statement = target.statement();
    let gone = if signal == Signal::Cancel { "ended" } else { "gone" };
    let went = action.went.iter().find(|(key, _)| *key == statement).map(|(_, ms)| *ms);
    let (word, tone) = match (&each.outcome, &action.left) {
        (Outcome::Done(_), Some(left)) if left.contains(&statement) => match signal {
            Signal::Cancel => ("still runs".to_owned(), Tone::Warning),
            Signal::Terminate => ("still there".to_owned(), Tone::Warning),
        },
        (Outcome::Done(_), left) if went.is_some() || left.is_some() => {
            (went.map_or_else(|| gone.to_owned(), |ms| format!("{gone} within {}", seconds(ms))), Tone::Good)
        }
        (Outcome::Done(_), _) => ("signal sent".to_owned(), Tone::Plain),
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
