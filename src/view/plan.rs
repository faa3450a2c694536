//! The plan of a statement, or the question before it is made: what it is, the tree with each node's own share of the cost,
//! and how large the tables are that are read whole.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::detail::{fact, wrap};
use super::theme::Theme;
use super::{lines, picker};
use crate::app::App;
use crate::app::mode::{PlanStage, PlanView};
use crate::command::Command;
use crate::model::plan::{Placed, Plan};
use crate::model::unit::{Age, Bytes, short_count};
use crate::model::{ProbeError, ServerText, Shown, Timestamp, Tone, seconds_between};

/// From this size on a table that is read whole is marked: more than a busy server keeps in its buffers for one statement.
const LARGE: i64 = 64 * 1024 * 1024;

/// Cells before a node's name: mark, share, rows, and blanks.
const FIGURES: usize = 13;

/// Draws it in place of the tab, and says how much of it.
pub fn draw(app: &App, view: &PlanView, theme: Theme, area: Rect, frame: &mut Frame) -> Shown {
    let width = usize::from(area.width);
    let shown = match (view.stage, app.plan_answer(view)) {
        (PlanStage::Asks(_), _) => return ask(app, view, theme, area, frame),
        (PlanStage::Asked(_), Some(Ok(plan))) => {
            // Lines of the tree are cut at the edge, not broken: their figures stand in front.
            [wrap(head(app, view, plan, theme), width), tree(plan, theme, width)].concat()
        }
        (PlanStage::Asked(_), Some(Err(error))) => {
            let mut shown = failure(app, view, error, theme);
            if wrap(shown.clone(), width).len() > usize::from(area.height) {
                // Of what has no room the keys come before the reason, which is long, and scrolls.
                shown.swap(1, 2);
            }
            wrap(shown, width)
        }
        (PlanStage::Asked(at), None) => wrap(waiting(app, view, at, theme), width),
    };
    picker::scrolled(shown, view.scroll, theme, area, frame)
}

/// Draws the question. The way to answer stands below what is asked; where that is longer than its room it keeps its
/// place at the bottom, and comes once the question was read.
fn ask(app: &App, view: &PlanView, theme: Theme, area: Rect, frame: &mut Frame) -> Shown {
    let width = usize::from(area.width);
    let (asked, statement) = (wrap(question(app, view, theme), width), wrap(vec![statement(view, theme)], width));
    let must = asked.len();
    let keys = |text: &str| -> Vec<Line<'static>> {
        lines::folded(&theme.plain(text), width).into_iter().map(|l| Line::styled(l, theme.key())).collect()
    };
    let copy = app.key_of(Command::CopyQuery);
    let answers = keys(&format!("y plans it · {copy} copies the SQL · any other key: no"));
    let whole = Shown { above: 0, rows: must + statement.len(), must, of: must + statement.len() };
    if whole.of + answers.len() <= usize::from(area.height) {
        lines::draw([asked, answers, statement].concat(), theme, area, frame);
        return whole;
    }
    let below = u16::try_from(answers.len()).unwrap_or(u16::MAX).min(area.height.saturating_sub(1));
    let text = Rect { height: area.height - below, ..area };
    let shown = picker::scrolled([asked, statement].concat(), view.seen.above(), theme, text, frame);
    let shown = Shown { must, ..shown };
    let more = format!("PgDn: {} more lines · any other key: no", shown.below());
    let answers = if view.seen.is_enough_with(shown) { answers } else { keys(&more) };
    lines::draw(answers, theme, Rect { y: text.bottom(), height: below, ..area }, frame);
    shown
}

fn waiting(app: &App, view: &PlanView, asked: Timestamp, theme: Theme) -> Vec<Line<'static>> {
    let waited = Age(seconds_between(asked, app.now)).short();
    let text = format!("asking for {waited}: planning may take 3 s, a new connection some more");
    vec![title(theme), Line::styled(text, theme.style(Tone::Faint)), statement(view, theme)]
}

fn title(theme: Theme) -> Line<'static> {
    Line::styled("Plan", theme.title())
}

fn statement(view: &PlanView, theme: Theme) -> Line<'static> {
    fact("of", view.of.text.head(400), Tone::Plain, theme)
}

/// The question: whose functions would run, with whose rights.
fn question(app: &App, view: &PlanView, theme: Theme) -> Vec<Line<'static>> {
    let ours = app.plans_as().map_or_else(|| "our role".to_owned(), |role| role.head(63));
    let author = view.of.author.as_ref().map_or_else(|| "another role".to_owned(), |author| author.head(63));
    let database = view.of.database.as_ref().map_or_else(String::new, |database| format!(" in {}", database.head(63)));
    vec![
        title(theme),
        Line::styled(
            format!(
                "Plan a statement of {author}{database} as {ours}? It is not run; but planning may run functions that \
                 {author} or others wrote, and they can read what {ours} can. The transaction reads only, is rolled back, \
                 and ends after 3 s."
            ),
            theme.style(Tone::Notice),
        ),
    ]
}

fn failure(app: &App, view: &PlanView, error: &ProbeError, theme: Theme) -> Vec<Line<'static>> {
    let [copy, sql, again] =
        [Command::CopyRow, Command::CopyQuery, Command::ShowPlan].map(|command| app.key_of(command));
    let words = format!("no plan: {}", ServerText::new(error.to_string()).escaped());
    vec![
        title(theme),
        Line::styled(theme.plain(&words), theme.style(Tone::Warning)),
        Line::styled(
            theme.plain(&format!("{copy} copies why · {sql} the SQL, to run as another role · {again} asks again")),
            theme.key(),
        ),
        statement(view, theme),
    ]
}

fn head(app: &App, view: &PlanView, plan: &Plan, theme: Theme) -> Vec<Line<'static>> {
    let mut out = vec![Line::styled(theme.plain(&format!("Plan · {}", plan.nature())), theme.title())];
    out.push(statement(view, theme));
    let planning = plan.planning_ms.map_or_else(String::new, |ms| format!(" · planned in {ms:.1} ms"));
    let by = format!("{} in {} · PostgreSQL {}{planning}", plan.role.head(63), plan.database.head(63), plan.major);
    out.push(fact("as", by, Tone::Plain, theme));
    let (path, author) = (plan.search_path.escaped(), view.of.author.as_ref().filter(|author| **author != plan.role));
    let differs =
        author.map_or_else(String::new, |author| format!(" · that of {}'s session may differ", author.head(63)));
    out.push(fact("names", format!("along search_path {path}{differs}"), Tone::Faint, theme));
    if !plan.settings.is_empty() {
        let settings = plan.settings.iter().map(|(name, value)| format!("{name} = {}", value.raw()));
        let settings = ServerText::new(settings.collect::<Vec<_>>().join(", ")).escaped();
        out.push(fact("settings", settings, Tone::Faint, theme));
    }
    let keys = format!("{} copies it · {} the SQL", app.key_of(Command::CopyRow), app.key_of(Command::CopyQuery));
    out.push(Line::styled(theme.plain(&keys), theme.style(Tone::Faint)));
    out.push(Line::default());
    out
}

fn tree(plan: &Plan, theme: Theme, width: usize) -> Vec<Line<'static>> {
    let placed = plan.shares();
    let costliest = plan.costliest();
    let mut out = vec![Line::styled("  cost   rows  node (its own share of the whole cost)", theme.style(Tone::Faint))];
    for (at, one) in placed.iter().enumerate() {
        out.push(node_line(plan, one, costliest == Some(at), theme));
        // Where it is deep the conditions keep half of the line.
        let margin = " ".repeat((FIGURES + 2 * one.depth + 2).min(width / 2));
        for (label, value) in &one.node.facts {
            let text = format!("{}: {}", ServerText::from(label.as_str()).head(60), value.head(1000));
            let folded = lines::folded(&theme.plain(&text), width.saturating_sub(margin.len()).max(8));
            out.extend(folded.into_iter().map(|l| Line::styled(format!("{margin}{l}"), theme.style(Tone::Faint))));
        }
    }
    out
}

/// `! 72%   30k  └ Seq Scan on public.orders · reads all of 1.2 GB`
fn node_line(plan: &Plan, one: &Placed<'_>, costliest: bool, theme: Theme) -> Line<'static> {
    let share = one.share.map_or_else(|| "?".to_owned(), |share| format!("{:.0}%", share * 100.0));
    let (mark, tone) = if costliest { (theme.mark(Tone::Warning), Tone::Warning) } else { (" ", Tone::Plain) };
    let branch = if one.depth == 0 { String::new() } else { format!("{}└ ", "  ".repeat(one.depth - 1)) };
    let bytes = plan.bytes_of(one.node).filter(|_| one.node.reads_all());
    let (whole, loud) = match bytes {
        Some(bytes) => (format!(" · reads all of {}", Bytes(bytes).short()), bytes >= LARGE),
        None => (String::new(), false),
    };
    let head = ServerText::new(one.node.head()).head(300);
    Line::from(vec![
        Span::styled(format!("{mark:1}{share:>5}"), theme.style(tone)),
        Span::styled(format!("{:>6}  ", short_count(one.node.rows)), theme.style(Tone::Plain)),
        Span::styled(theme.plain(&format!("{branch}{head}")), theme.style(tone)),
        Span::styled(theme.plain(&whole), theme.style(if loud { Tone::Warning } else { Tone::Faint })),
    ])
}
