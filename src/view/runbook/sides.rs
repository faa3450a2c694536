//! What stands beside the steps: causes with what speaks for them, growth where its trigger is measured, whom to call.

use ratatui::text::Line;

use super::{Page, not_known};
use crate::diagnose::runbook::{Condition, Runbook, State, Value};
use crate::model::Tone;

/// All of it.
pub fn lines(page: &Page<'_>, book: &Runbook, selected: bool) -> Vec<Line<'static>> {
    let look = page.app.shown_look();
    let style = if selected { page.theme.selected() } else { page.theme.title() };
    let mut out = vec![Line::styled("Causes", style)];
    for cause in &book.causes {
        let judged = cause.sign.map(|sign| (sign, sign.judge(&look)));
        let (mark, tone) = judged.as_ref().map_or((" ", Tone::Plain), |(_, (state, _))| page.mark(state));
        let words = judged.as_ref().map_or_else(String::new, |(sign, judged)| said(page, sign, judged));
        out.extend(page.told(&format!("{mark} "), &format!("{}{words}", cause.says), page.style(tone)));
        for paragraph in &cause.text {
            out.extend(page.told("  ", paragraph, page.style(Tone::Faint)));
        }
    }
    out.push(Line::default());
    out.push(Line::styled("Growing", page.theme.title()));
    let (mut offered, mut unknown) = (0, 0);
    for scaling in &book.scaling {
        let judged = scaling.when.judge(&look);
        match &judged.0 {
            State::Met => {
                offered += 1;
                let words = format!("{}{}", scaling.says, said(page, &scaling.when, &judged));
                let (mark, _) = page.mark(&judged.0);
                out.extend(page.told(&format!("{mark} "), &words, page.style(Tone::Notice)));
                for paragraph in &scaling.text {
                    out.extend(page.told("  ", paragraph, page.style(Tone::Plain)));
                }
            }
            State::NotMet => {}
            State::Unknown(_) => unknown += 1,
        }
    }
    if offered == 0 {
        let left = if unknown == 0 { String::new() } else { format!("; of {unknown} it is not known") };
        let words = format!("none of its {} triggers is measured now{left}", book.scaling.len());
        out.extend(page.told("  ", &words, page.style(Tone::Faint)));
    }
    if !book.escalation.is_empty() {
        out.push(Line::default());
        out.push(Line::styled("Whom to call", page.theme.title()));
        for paragraph in &book.escalation {
            out.extend(page.told("  ", paragraph, page.style(Tone::Plain)));
        }
    }
    let origin = book.origin.as_ref().map_or_else(|| "built in".to_owned(), |file| format!("from {file}"));
    out.extend(page.told("  ", &format!("runbook {}, {origin}", book.id), page.style(Tone::Faint)));
    out
}

/// The same as one line, where the cursor is elsewhere.
pub fn folded_up(page: &Page<'_>, book: &Runbook) -> Line<'static> {
    let look = page.app.shown_look();
    let met = |sign: &Condition| sign.judge(&look).0 == State::Met;
    let causes = book.causes.iter().filter_map(|c| c.sign).filter(met).count();
    let growing = book.scaling.iter().map(|s| s.when).filter(met).count();
    let words = format!("   {causes} of {} causes likely · growing: {growing} · whom to call", book.causes.len());
    Line::styled(page.theme.plain(&words), page.style(Tone::Faint))
}

/// The value that speaks for or against it, or why there is none.
fn said(page: &Page<'_>, sign: &Condition, (state, value): &(State, Option<Value>)) -> String {
    match (state, value) {
        (State::Unknown(unknown), _) => format!(" ({})", not_known(unknown)),
        (State::NotMet, Some(value)) => format!(" ({}; not {})", page.value(sign.fact, value), sign.shown()),
        (State::Met, Some(value)) => format!(" ({})", page.value(sign.fact, value)),
        (_, None) => String::new(),
    }
}
