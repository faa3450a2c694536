//! A step: one line, and unfolded its text, live values, and what its keys do.

use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::super::words;
use super::Page;
use crate::app::runbook::{Mark, StepOutcome};
use crate::command::{Command, Reach, Tab};
use crate::diagnose::runbook::Step;
use crate::model::{ServerText, Tone};

/// Lines of a screen's body from which on there are enough of them.
const ENOUGH_LINES: usize = 12;

/// Lines of a text to copy that are shown at least.
const LEAST_COPY: usize = 2;

/// The step of that index.
pub fn lines(page: &Page<'_>, (at, step): (usize, &Step), mark: Option<&Mark>, selected: bool) -> Vec<Line<'static>> {
    let name = page.theme.plain(&format!("{:>2} {}", at + 1, step.title));
    let (ended, tone) = mark.map_or((String::new(), Tone::Plain), |mark| ended(page, mark));
    let room = page.width.saturating_sub(ended.width() + 2);
    let name = words::shortened(&name, room.max(2));
    let gap = " ".repeat(page.width.saturating_sub(name.width() + ended.width()));
    let style = if selected { page.theme.selected() } else { page.style(Tone::Plain) };
    let mut out = vec![Line::from(vec![
        Span::styled(page.theme.plain(&name), style),
        Span::styled(gap, if selected { style } else { page.style(Tone::Plain) }),
        Span::styled(ended, page.style(tone)),
    ])];
    if !selected {
        return out;
    }
    if let Some(words) = mark.and_then(|mark| mark.words.as_deref()) {
        out.extend(page.told("   ", &ServerText::from(words).escaped(), page.style(tone)));
    }
    let text = step.text.iter().flat_map(|paragraph| page.told("   ", paragraph, page.style(Tone::Plain))).collect();
    // Where little is seen at once, the figures and the keys come before the reasons.
    let parts = if page.height < ENOUGH_LINES {
        [keys(page, step), figures(page, step), text, copied(page, step)]
    } else {
        [text, figures(page, step), keys(page, step), copied(page, step)]
    };
    out.extend(parts.into_iter().flatten());
    out
}

/// Its facts with their values, and the finding that it is about.
fn figures(page: &Page<'_>, step: &Step) -> Vec<Line<'static>> {
    let mut out = Vec::new();
    let look = page.app.shown_look();
    for fact in &step.show {
        let known = fact.read(&look);
        let (mark, tone) = if known.is_ok() { ("   ", Tone::Notice) } else { (" ? ", Tone::Faint) };
        let words = format!("{} {}", fact.name.replace('_', " "), page.fact(fact, &known));
        out.extend(page.told(mark, &words, page.style(tone)));
    }
    if let Some(finding) = page.app.step_finding(step) {
        let tone = finding.severity.tone();
        let mark = format!("{:<3}", page.theme.mark(tone));
        out.extend(page.told(&mark, &finding.fact, page.style(tone)));
    }
    out
}

/// How a step ended, and when.
fn ended(page: &Page<'_>, mark: &Mark) -> (String, Tone) {
    let tone = match mark.outcome {
        StepOutcome::Done => Tone::Good,
        StepOutcome::Skipped => Tone::Faint,
        StepOutcome::Failed => Tone::Warning,
    };
    (format!("{} {}", mark.outcome.word(), words::time_of_day(mark.at, page.app.local_time)), tone)
}

/// What the keys of a step do.
fn keys(page: &Page<'_>, step: &Step) -> Vec<Line<'static>> {
    let app = page.app;
    let mut said = Vec::new();
    let tab = app.step_finding(step).map(|finding| finding.target.tab()).or(step.tab);
    if let Some(tab) = tab.filter(|tab| *tab != Tab::Triage || app.step_finding(step).is_some()) {
        said.push(format!("{} {}", app.key_of(Command::ShowEvidence), tab.title()));
    }
    if let Some(command) = app.step_command(step) {
        let brief = command.spec().brief;
        match app.step_key(command) {
            Some(key) if command.spec().reach > Reach::Reads => said.push(format!("{key} {brief} (asks first)")),
            Some(key) => said.push(format!("{key} {brief}")),
            None if app.step_is_barred(command) => said.push(format!("{brief}: not from here, read-only")),
            None => said.push(format!("{brief}: no key is bound to it")),
        }
    }
    if said.is_empty() { Vec::new() } else { page.told(" → ", &said.join(" · "), page.style(Tone::Good)) }
}

/// What is copied, with its risk, and how it begins.
fn copied(page: &Page<'_>, step: &Step) -> Vec<Line<'static>> {
    let mut out = Vec::new();
    if let Some(copy) = &step.copy {
        let key = page.app.key_of(Command::CopyQuery);
        let words = format!("{key} copies: {}. Risk: {}", copy.what, copy.risk);
        out.extend(page.told(" → ", &words, page.style(Tone::Good)));
        let most = (page.height / 4).max(LEAST_COPY);
        let text = ServerText::from(copy.text.as_str()).escaped_lines();
        let more = text.len().saturating_sub(most);
        for line in text.iter().take(most) {
            let room = page.width.saturating_sub(5);
            let line = words::shortened(&page.theme.plain(line), room);
            out.push(Line::styled(page.theme.plain(&format!("   │ {line}")), page.style(Tone::Faint)));
        }
        if more > 0 {
            out.push(Line::styled(page.theme.plain(&format!("   │ … {more} more")), page.style(Tone::Faint)));
        }
    }
    out
}
