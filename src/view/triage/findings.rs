//! The list of findings: one line each, the selected one with its evidence and what to do; then what was not checked.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::super::theme::Theme;
use super::super::{lines, words};
use crate::app::App;
use crate::app::tab::triage::FindingRow;
use crate::command::{Command, Reach};
use crate::diagnose::{Finding, Kind, Unchecked};
use crate::guard::Policy;
use crate::model::unit::Age;
use crate::model::world::Link;
use crate::model::{Shown, Tone, seconds_between};

/// Lines that the evidence of the selected finding takes at most; one where the screen has few.
const EVIDENCE_LINES: usize = 3;

/// Lines of a list from which on there are enough of them.
const ENOUGH_LINES: usize = 10;

/// From this age in seconds on, a finding from before the connection was lost says how old it is.
const OLD_S: f64 = 5.0;

/// Draws the list, and says how much of the lines from the selected finding on.
pub fn draw(app: &App, theme: Theme, area: Rect, frame: &mut Frame) -> Shown {
    let width = usize::from(area.width);
    let room = usize::from(area.height);
    let mut text = listed(app, theme, (width, room));
    text.extend(unchecked(app, theme, width));
    let of = text.len();
    let above = app.triage.below.min(of.saturating_sub(room));
    let shown = Shown { above, rows: room.min(of - above), must: of, of };
    let mut text: Vec<Line<'static>> = text.into_iter().skip(above).collect();
    if shown.below() > 0 && room > 0 {
        text.truncate(room - 1);
        text.push(Line::styled(format!("  … {} more lines", shown.below() + 1), theme.style(Tone::Faint)));
    }
    lines::draw(text, theme, area, frame);
    shown
}

/// The findings, from the first one on with which the selected one is seen whole; the all-clear where there are none.
fn listed(app: &App, theme: Theme, (width, room): (usize, usize)) -> Vec<Line<'static>> {
    let cursor = app.triage.findings.cursor();
    let rows: Vec<&FindingRow> = app.triage.findings.window(0, usize::MAX).collect();
    if rows.is_empty() {
        return calm(app, theme, width);
    }
    let blocks: Vec<Vec<Line<'static>>> = rows
        .iter()
        .enumerate()
        .map(|(at, row)| block(app, &row.finding, cursor == Some(at), theme, (width, room)))
        .collect();
    // The selected one is seen whole, or as much of it as there is room for.
    let place = app.triage.findings.place().min(blocks.len() - 1);
    let mut first = 0;
    let height = |from: usize| blocks.iter().take(place + 1).skip(from).map(Vec::len).sum::<usize>();
    // The last line may be taken by the count of those below.
    while first < place && height(first) >= room {
        first += 1;
    }
    let mut shown: Vec<Line<'static>> = blocks.into_iter().skip(first).flatten().collect();
    if app.triage.findings.selection_is_gone() {
        shown.push(Line::styled("  the selected finding is over", theme.style(Tone::Good)));
    }
    shown
}

/// One finding: its line, and where it is selected its evidence and what to do.
fn block(app: &App, finding: &Finding, selected: bool, theme: Theme, size: (usize, usize)) -> Vec<Line<'static>> {
    let (width, height) = size;
    let old = is_stale(app, finding);
    let tone = if old { Tone::Faint } else { finding.severity.tone() };
    let mark = format!("{:<2}", theme.mark(finding.severity.tone()));
    let since = since(app, finding, old, width);
    let room = width.saturating_sub(since.width() + 4);
    let fact = theme.plain(&finding.fact);
    let mut folded = if selected { lines::folded(&fact, room) } else { vec![words::shortened(&fact, room.max(2))] };
    let rest = folded.split_off(1.min(folded.len()));
    let head = folded.pop().unwrap_or_default();
    let pad = " ".repeat(room.saturating_sub(head.width()) + 2);
    let style = if selected { theme.selected() } else { theme.style(tone) };
    let mut out = vec![Line::from(vec![
        Span::styled(mark, theme.style(tone)),
        Span::styled(head, style),
        Span::styled(pad, if selected { style } else { Style::new() }),
        Span::styled(since, theme.style(Tone::Faint)),
    ])];
    out.extend(rest.into_iter().map(|l| Line::styled(format!("  {l}"), style)));
    if !selected {
        return out;
    }
    let inner = width.saturating_sub(4);
    let evidence = lines::folded(&theme.plain(&finding.evidence), inner);
    let most = if height < ENOUGH_LINES { 1 } else { EVIDENCE_LINES };
    let cut = evidence.len() > most;
    for (at, line) in evidence.into_iter().take(most).enumerate() {
        let more = if cut && at + 1 == most { theme.cut() } else { "" };
        out.push(Line::styled(format!("    {line}{more}"), theme.style(Tone::Plain)));
    }
    let todo = format!("→ {}{}", finding.todo, keys(app, finding));
    for (at, line) in lines::folded(&theme.plain(&todo), inner.saturating_sub(2)).into_iter().enumerate() {
        let indent = if at == 0 { "    " } else { "      " };
        out.push(Line::styled(format!("{indent}{line}"), theme.style(Tone::Good)));
    }
    out
}

/// The keys that do what is to be done.
fn keys(app: &App, finding: &Finding) -> String {
    let mut out = String::new();
    match finding.action {
        Some(action) if app.offers(action) && app.fits(action) => {
            out = format!(" · {} {}", app.key_of(action), action.spec().brief);
        }
        Some(action) if action.spec().reach > Reach::Reads && app.setup.policy == Policy::Observer => {
            " · read-only: not from here".clone_into(&mut out);
        }
        Some(_) | None => {}
    }
    if app.runbook_of(finding).is_some() && app.offers(Command::Runbook) {
        out = format!("{out} · {} runbook", app.key_of(Command::Runbook));
    }
    if finding.remedy.is_some() && app.offers(Command::CopyQuery) {
        out = format!("{out} · {} copies the SQL", app.key_of(Command::CopyQuery));
    }
    out
}

/// `since 03:02:11Z`, or how long where there is little room; how old the answer is where none comes any more.
fn since(app: &App, finding: &Finding, stale: bool, width: usize) -> String {
    let now = app.shown_now();
    if stale {
        return format!("{} old", Age(seconds_between(finding.seen, now)).short());
    }
    match finding.since {
        Some(since) if width >= 90 => format!("since {}", words::time_of_day(since, app.local_time)),
        Some(since) => Age(seconds_between(since, now)).short(),
        None => String::new(),
    }
}

/// True where the finding is from before the server was lost, or stopped answering.
fn is_stale(app: &App, finding: &Finding) -> bool {
    let world = app.world();
    let lost = !matches!(world.link, Some(Link::Up(_)) | None) || world.sessions.error.is_some();
    let old = seconds_between(finding.seen, app.shown_now()) > OLD_S;
    lost && old && !matches!(finding.kind(), Kind::ServerLost | Kind::NoAnswer)
}

/// The all-clear: what was looked at.
fn calm(app: &App, theme: Theme, width: usize) -> Vec<Line<'static>> {
    let checked = &app.triage.diagnosis.checked;
    if checked.is_empty() {
        return vec![Line::styled("  waiting for the first answers", theme.style(Tone::Faint))];
    }
    let mark = if theme.is_ascii() { "ok" } else { "✓" };
    let text = format!("{mark} nothing is wrong with what was looked at: {}", checked.join(" · "));
    folded(&text, "  ", Tone::Good, theme, width)
}

/// What could not be looked at, with its cure.
fn unchecked(app: &App, theme: Theme, width: usize) -> Vec<Line<'static>> {
    let mut out = Vec::new();
    for Unchecked { what, why, cure } in &app.triage.diagnosis.unchecked {
        let cure = if cure.is_empty() { String::new() } else { format!(" → {cure}") };
        out.extend(folded(&format!("? not checked: {what}: {why}{cure}"), "    ", Tone::Faint, theme, width));
    }
    if !out.is_empty() {
        out.insert(0, Line::default());
    }
    out
}

fn folded(text: &str, indent: &str, tone: Tone, theme: Theme, width: usize) -> Vec<Line<'static>> {
    let inner = lines::folded(&theme.plain(text), width.saturating_sub(indent.len()));
    let line = |(at, l): (usize, String)| {
        let text = if at == 0 { l } else { format!("{indent}{l}") };
        Line::styled(text, theme.style(tone))
    };
    inner.into_iter().enumerate().map(line).collect()
}
