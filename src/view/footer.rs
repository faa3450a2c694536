//! The last line: what just happened, or the keys that work here and now; and our own cost.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::lines;
use super::theme::Theme;
use crate::app::App;
use crate::app::mode::{Mode, PlanStage, Subject};
use crate::app::part::Part;
use crate::command::{Command, Tab};
use crate::model::{ServerText, Tone};

/// Lines that the footer takes: one, or as many as a sentence needs that must be read whole, up to half of the screen.
#[must_use]
pub fn height(app: &App, theme: Theme, screen: Rect) -> u16 {
    let needed = notice(app, theme, screen.width).map_or(1, |lines| lines.len());
    u16::try_from(needed).unwrap_or(u16::MAX).min(screen.height / 2).max(1)
}

/// What just happened, broken into lines; none while a filter is typed.
fn notice(app: &App, theme: Theme, width: u16) -> Option<Vec<Line<'static>>> {
    // Above an open question or picker one reads what is open.
    let notice =
        app.notice.as_ref().filter(|_| matches!(app.mode, Mode::Normal | Mode::Detail { .. } | Mode::Plan(_)))?;
    let mark = theme.mark(notice.tone);
    let gap = if mark.is_empty() { "" } else { " " };
    let text = theme.plain(&format!("{mark}{gap}{}", ServerText::from(notice.text.as_str()).escaped()));
    let style = theme.style(notice.tone);
    Some(lines::folded(&text, usize::from(width)).into_iter().map(|l| Line::styled(l, style)).collect())
}

/// Draws the last line.
pub fn draw(app: &App, theme: Theme, area: Rect, frame: &mut Frame) {
    if area.height == 0 {
        return;
    }
    if let Mode::Filter { input, error } = &app.mode {
        let mut spans = vec![Span::styled("/", theme.key()), Span::raw(theme.plain(input.text()))];
        if let Some(error) = error {
            spans.push(Span::styled(theme.plain(&format!("   {error}")), theme.style(Tone::Warning)));
        } else {
            spans.push(Span::styled(theme.plain("   ⏎ keep  Esc clear"), theme.style(Tone::Faint)));
        }
        lines::draw_one(Line::from(spans), theme, area, frame);
        let before: String = theme.plain(&input.text().chars().take(input.cursor()).collect::<String>());
        let x = 1 + Span::raw(before).width();
        let x = u16::try_from(x).unwrap_or(u16::MAX).min(area.width.saturating_sub(1));
        frame.set_cursor_position((area.x + x, area.y));
        return;
    }
    if let Some(notice) = notice(app, theme, area.width) {
        let cut = notice.len() > usize::from(area.height);
        lines::draw(notice, theme, area, frame);
        if cut {
            lines::mark_cut(theme, Rect { y: area.bottom() - 1, height: 1, ..area }, frame.buffer_mut());
        }
        return;
    }
    let cost = cost(app);
    let room = usize::from(area.width);
    let keys = keys(app, theme, room.saturating_sub(if room >= 100 { cost.chars().count() + 2 } else { 0 }));
    let used = keys.width();
    lines::draw_one(keys, theme, area, frame);
    if used + cost.chars().count() + 2 <= room {
        let width = u16::try_from(cost.chars().count()).unwrap_or(0);
        let at = Rect { x: area.x + area.width - width, width, ..area };
        lines::draw_one(Line::styled(cost, theme.style(Tone::Faint)), theme, at, frame);
    }
}

fn cost(app: &App) -> String {
    let world = app.live();
    let own = world.sessions.get().map_or(0, |s| s.own);
    let ms = world.own_cost_ms_per_s(app.now);
    format!("own cost {ms:.1} ms/s · {own} conns")
}

/// On Triage the action comes first that fits the selected finding; the others would only be refused.
const TRIAGE: [Command; 8] = [
    Command::ShowEvidence,
    Command::Runbook,
    Command::CopyQuery,
    Command::NextTab,
    Command::Freeze,
    Command::Palette,
    Command::Help,
    Command::Quit,
];

const fn with(action: Command) -> [Command; 9] {
    let [evidence, runbook, copy, next, freeze, palette, help, quit] = TRIAGE;
    [evidence, action, runbook, copy, next, freeze, palette, help, quit]
}

const TRIAGE_CANCEL: [Command; 9] = with(Command::CancelBackend);
const TRIAGE_TERMINATE: [Command; 9] = with(Command::TerminateBackend);
const TRIAGE_VACUUM: [Command; 9] = with(Command::VacuumAnalyze);
const TRIAGE_DROP: [Command; 9] = with(Command::DropInvalidIndex);
const TRIAGE_ACKNOWLEDGE: [Command; 9] = with(Command::Acknowledge);

/// What a runbook offers, beside what its step says itself.
const IN_RUNBOOK: &[Command] = &[
    Command::ShowEvidence,
    Command::StepDone,
    Command::StepSkipped,
    Command::StepFailed,
    Command::SelectNext,
    Command::Runbook,
    Command::Back,
    Command::PageDown,
    Command::Help,
    Command::Quit,
];

/// What Statements offers.
const ON_STATEMENTS: &[Command] = &[
    Command::OpenDetail,
    Command::ShowPlan,
    Command::Filter,
    Command::PickSort,
    Command::ReverseSort,
    Command::CopyQuery,
    Command::Freeze,
    Command::Help,
    Command::Quit,
];

/// What the tables of Tables offer.
const ON_TABLES: &[Command] = &[
    Command::OpenDetail,
    Command::NextView,
    Command::VacuumAnalyze,
    Command::Analyze,
    Command::ExactBloat,
    Command::SwitchDatabase,
    Command::Filter,
    Command::PickSort,
    Command::Reindex,
    Command::VacuumDatabase,
    Command::CancelJob,
    Command::Help,
    Command::Quit,
];

/// What the detail of a table offers.
const IN_TABLE: &[Command] = &[
    Command::Back,
    Command::SelectNext,
    Command::VacuumAnalyze,
    Command::Analyze,
    Command::ExactBloat,
    Command::CopyQuery,
    Command::Help,
];

/// What the progress on Tables offers.
const ON_PROGRESS: &[Command] = &[
    Command::OpenDetail,
    Command::NextView,
    Command::CancelBackend,
    Command::TerminateBackend,
    Command::CancelJob,
    Command::Filter,
    Command::PickSort,
    Command::CopyQuery,
    Command::Freeze,
    Command::Help,
    Command::Quit,
];

/// What the detail of one of them offers.
const IN_PROGRESS: &[Command] = &[
    Command::Back,
    Command::SelectNext,
    Command::CancelBackend,
    Command::TerminateBackend,
    Command::CancelJob,
    Command::CopyQuery,
    Command::Help,
];

/// What the indexes of Tables offer.
const ON_INDEXES: &[Command] = &[
    Command::OpenDetail,
    Command::NextView,
    Command::Reindex,
    Command::DropInvalidIndex,
    Command::SwitchDatabase,
    Command::Filter,
    Command::PickSort,
    Command::CopyQuery,
    Command::CancelJob,
    Command::Help,
    Command::Quit,
];

/// What an open alert offers.
const IN_ALERT: &[Command] =
    &[Command::Back, Command::SelectNext, Command::Acknowledge, Command::CopyRow, Command::CopyQuery, Command::Help];

/// What an open plan offers.
const IN_PLAN: &[Command] =
    &[Command::Back, Command::SelectNext, Command::CopyRow, Command::CopyQuery, Command::ShowPlan];

/// What an open detail offers.
fn in_detail(of: &Subject) -> &'static [Command] {
    match of {
        Subject::Alert(_) => IN_ALERT,
        Subject::Health(_) => {
            &[Command::Back, Command::SelectNext, Command::CopyRow, Command::Reconnect, Command::Help]
        }
        Subject::Figures(_) => {
            &[Command::Back, Command::SelectNext, Command::CopyRow, Command::CopyQuery, Command::Help]
        }
        Subject::Table(_) => IN_TABLE,
        Subject::Progress(_) => IN_PROGRESS,
        Subject::Index(_) => &[
            Command::Back,
            Command::SelectNext,
            Command::Reindex,
            Command::DropInvalidIndex,
            Command::CopyQuery,
            Command::Help,
        ],
        Subject::Session(_)
        | Subject::Prepared(_)
        | Subject::Replica(_)
        | Subject::Statement(_)
        | Subject::Remedies => &[
            Command::Back,
            Command::SelectNext,
            Command::CancelBackend,
            Command::TerminateBackend,
            Command::ShowPlan,
            Command::CopyQuery,
            Command::Help,
        ],
    }
}

/// The commands worth a place in the footer, most useful first. What is not bound (read-only) is not shown, nor what could
/// only be refused where the cursor is.
fn offered(app: &App) -> &'static [Command] {
    match &app.mode {
        Mode::Plan(_) => return IN_PLAN,
        Mode::Detail { of, .. } => return in_detail(of),
        Mode::Normal
        | Mode::Filter { .. }
        | Mode::Pick(_)
        | Mode::Help { .. }
        | Mode::Settings(_)
        | Mode::Outcome { .. }
        | Mode::Ask(_)
        | Mode::Leave => {}
    }
    match app.tab {
        Tab::Triage if app.runbook().is_some() => IN_RUNBOOK,
        Tab::Triage => match app.current_finding().and_then(|f| f.action) {
            Some(Command::TerminateBackend) => &TRIAGE_TERMINATE,
            Some(Command::VacuumAnalyze) => &TRIAGE_VACUUM,
            Some(Command::CancelBackend) => &TRIAGE_CANCEL,
            Some(Command::DropInvalidIndex) => &TRIAGE_DROP,
            Some(Command::Acknowledge) => &TRIAGE_ACKNOWLEDGE,
            Some(_) | None => &TRIAGE,
        },
        Tab::Connections | Tab::Locks => &[
            Command::OpenDetail,
            Command::CancelBackend,
            Command::TerminateBackend,
            Command::Filter,
            Command::ShowPlan,
            Command::Mark,
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
            Command::TerminateBackend,
            Command::LowerThreshold,
            Command::RaiseThreshold,
            Command::Filter,
            Command::ShowPlan,
            Command::Mark,
            Command::PickSort,
            Command::CopyQuery,
            Command::Freeze,
            Command::Help,
            Command::Quit,
        ],
        Tab::Tables if app.part == Part::Indexes => ON_INDEXES,
        Tab::Tables if app.part == Part::Progress => ON_PROGRESS,
        Tab::Tables => ON_TABLES,
        Tab::Replication => &[
            Command::OpenDetail,
            Command::Filter,
            Command::PickSort,
            Command::CopyRow,
            Command::Freeze,
            Command::Help,
            Command::Quit,
        ],
        Tab::Statements => ON_STATEMENTS,
        Tab::Cache => &[
            Command::NextPanel,
            Command::ExpireCache,
            Command::CancelJob,
            Command::Freeze,
            Command::Faster,
            Command::Slower,
            Command::Help,
            Command::Quit,
        ],
        Tab::Latency => {
            &[Command::NextPanel, Command::Freeze, Command::Faster, Command::Slower, Command::Help, Command::Quit]
        }
    }
}

/// What the keys do while something is open that takes them all.
fn hint(app: &App) -> Option<&'static str> {
    match &app.mode {
        Mode::Plan(view) if matches!(view.stage, PlanStage::Asks(_)) => Some(""),
        Mode::Help { .. } | Mode::Outcome { .. } => Some("moving keys scroll, any other key closes"),
        Mode::Pick(_) => Some("type to narrow, ↑ ↓ choose, Enter, Esc"),
        // The question itself says how to answer.
        Mode::Ask(_) | Mode::Leave | Mode::Settings(_) => Some(""),
        Mode::Normal | Mode::Filter { .. } | Mode::Detail { .. } | Mode::Plan(_) => None,
    }
}

fn keys(app: &App, theme: Theme, room: usize) -> Line<'static> {
    if let Some(hint) = hint(app) {
        return Line::styled(hint, theme.style(Tone::Faint));
    }
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut used = 0;
    if !app.pending.is_empty() {
        let typed: Vec<String> = app.pending.iter().map(ToString::to_string).collect();
        spans.push(Span::styled(format!("{} …", typed.join(" ")), theme.style(Tone::Notice)));
    }
    let mut help_waits = true;
    let width = |command: Command| theme.plain(&app.key_of(command)).width() + command.spec().brief.len() + 3;
    // Whoever does not know the keys must see the one that tells them: the others give way to it.
    let help = if app.offers(Command::Help) { width(Command::Help) } else { 0 };
    for command in offered(app) {
        if !app.offers(*command) || !app.fits(*command) {
            continue;
        }
        help_waits &= *command != Command::Help;
        let kept = if help_waits { help } else { 0 };
        if used + width(*command) + kept > room + 2 {
            continue;
        }
        used += width(*command);
        if !spans.is_empty() {
            spans.push(Span::raw("  "));
        }
        spans.push(Span::styled(theme.plain(&app.key_of(*command)), theme.key()));
        spans.push(Span::raw(format!(" {}", command.spec().brief)));
    }
    Line::from(spans)
}

/// Lines that stand where an empty list would: why it is empty.
pub fn draw_reason(text: &str, tone: Tone, theme: Theme, area: Rect, frame: &mut Frame) {
    let room = Rect { x: area.x + area.width.min(1), width: area.width.saturating_sub(1), ..area };
    let shown = lines::folded(&theme.plain(text), usize::from(room.width));
    lines::draw(shown.into_iter().map(|l| Line::styled(l, theme.style(tone))).collect(), theme, room, frame);
}
