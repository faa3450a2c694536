//! A runbook in the place of the findings: what betrays it with live values, its steps with the current one unfolded,
//! causes, growth, and whom to call.
//!
//! What a sign comes to is `diagnose`'s; here are only marks and lines.

mod sides;
mod step;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::lines;
use super::theme::Theme;
use crate::app::App;
use crate::app::runbook::Spot;
use crate::diagnose::runbook::{FactSpec, Known, Runbook, State, Unknown, Value, Watch};
use crate::model::unit::Age;
use crate::model::{Tone, seconds_between};

/// Columns from which on causes, growth and escalation stand beside the steps.
const WIDE: u16 = 120;

/// Columns of sentences and values side by side; with fewer they follow each other.
const TABLE: usize = 70;

/// An answer older than this, in seconds, is told with its age.
const OLD_S: f64 = 20.0;

/// Lines of one part of it, and what of them the cursor is on.
struct Block {
    spot: Spot,
    lines: Vec<Line<'static>>,
}

/// Draws it.
pub fn draw(app: &App, book: &Runbook, theme: Theme, area: Rect, frame: &mut Frame) {
    let wide = area.width >= WIDE;
    let left = if wide { Rect { width: area.width * 3 / 5, ..area } } else { area };
    let progress = app.runbook_progress();
    let page = Page { app, theme, width: usize::from(left.width), height: usize::from(left.height) };
    let mut blocks = vec![Block { spot: Spot::Head, lines: head(&page, book, progress.spot == Spot::Head) }];
    for (at, one) in book.steps.iter().enumerate() {
        let selected = progress.spot == Spot::Step(at);
        let lines = step::lines(&page, (at, one), progress.marks.get(&at), selected);
        blocks.push(Block { spot: Spot::Step(at), lines });
    }
    let on_end = progress.spot == Spot::End;
    if wide {
        let x = left.right() + 2;
        let right = Rect { x, width: area.right().saturating_sub(x), ..area };
        let page = Page { width: usize::from(right.width), ..page };
        let shown = Block { spot: Spot::End, lines: sides::lines(&page, book, on_end) };
        let scroll = if on_end { progress.scroll } else { 0 };
        scrolled(vec![shown], Spot::End, scroll, theme, right, frame);
    } else {
        let lines = if on_end { sides::lines(&page, book, true) } else { vec![sides::folded_up(&page, book)] };
        blocks.push(Block { spot: Spot::End, lines });
    }
    let scroll = if wide && on_end { 0 } else { progress.scroll };
    scrolled(blocks, progress.spot, scroll, theme, left, frame);
}

/// What lines are made with.
#[derive(Clone, Copy)]
struct Page<'a> {
    app: &'a App,
    theme: Theme,
    width: usize,
    height: usize,
}

impl Page<'_> {
    /// A text in as many lines as it needs; the first begins with `mark`, the others below its end.
    fn told(&self, mark: &str, text: &str, style: Style) -> Vec<Line<'static>> {
        let indent = mark.width();
        let shown = lines::folded(&self.theme.plain(text), self.width.saturating_sub(indent));
        let line = |(at, text): (usize, String)| {
            let margin = if at == 0 { self.theme.plain(mark) } else { " ".repeat(indent) };
            Line::from(vec![Span::styled(margin, style), Span::styled(text, style)])
        };
        shown.into_iter().enumerate().map(line).collect()
    }

    fn style(&self, tone: Tone) -> Style {
        self.theme.style(tone)
    }

    /// The mark of what a sign came to, and how loud it is. It says the same without colour, and in ASCII.
    fn mark(&self, state: &State) -> (&'static str, Tone) {
        match state {
            State::Met if self.theme.is_ascii() => ("+", Tone::Warning),
            State::Met => ("✓", Tone::Warning),
            State::NotMet if self.theme.is_ascii() => ("-", Tone::Faint),
            State::NotMet => ("✗", Tone::Faint),
            State::Unknown(_) => ("?", Tone::Notice),
        }
    }

    /// A value with what it is about, and how old it is where it is not of now.
    fn value(&self, fact: &FactSpec, value: &Value) -> String {
        let least = if value.at_least.is_some() { "≥" } else { "" };
        let note = if value.note.is_empty() { String::new() } else { format!(" · {}", value.note) };
        let age = seconds_between(value.seen, self.app.shown_now());
        let old = if age > OLD_S { format!(" · {} old", Age(age).short()) } else { String::new() };
        format!("{least}{}{note}{old}", fact.unit.shown(value.figure))
    }

    /// A fact in words: its value, or why there is none.
    fn fact(&self, fact: &FactSpec, known: &Known) -> String {
        match known {
            Ok(value) => self.value(fact, value),
            Err(unknown) => not_known(unknown),
        }
    }
}

/// Why something is not known, and its cure.
fn not_known(unknown: &Unknown) -> String {
    let cure = if unknown.cure.is_empty() { String::new() } else { format!(" → {}", unknown.cure) };
    format!("not known: {}{cure}", unknown.why)
}

/// Title, summary, and what betrays it.
fn head(page: &Page<'_>, book: &Runbook, selected: bool) -> Vec<Line<'static>> {
    let look = page.app.shown_look();
    let tally = book.tally(&look).shown();
    let title = page.theme.plain(&book.title);
    let style = if selected { page.theme.selected() } else { page.theme.title() };
    let mut out = if title.width() + tally.width() + 2 <= page.width {
        let gap = " ".repeat(page.width - title.width() - tally.width());
        vec![Line::from(vec![Span::styled(title, style), Span::raw(gap), Span::styled(tally, page.style(Tone::Plain))])]
    } else {
        [page.told("", &book.title, style), page.told("", &tally, page.style(Tone::Plain))].concat()
    };
    if page.height >= 18 {
        out.extend(page.told("", &book.summary, page.style(Tone::Faint)));
    }
    let longest = book.detect.iter().map(|sign| page.theme.plain(&sign.says).width()).max().unwrap_or(0);
    for sign in &book.detect {
        let (state, value) = sign.watch.judge(&look);
        let (mark, tone) = page.mark(&state);
        let limit = match &sign.watch {
            Watch::Measured(condition) => format!(" ({})", condition.shown()),
            Watch::Elsewhere(_) => String::new(),
        };
        let words = match (&state, &sign.watch, &value) {
            (State::Unknown(unknown), Watch::Measured(condition), Some(value)) => {
                format!("{}, {}{limit}", page.value(condition.fact, value), not_known(unknown))
            }
            (State::Unknown(unknown), ..) => format!("{}{limit}", not_known(unknown)),
            (_, Watch::Measured(condition), Some(value)) => {
                format!("{}{limit}", page.value(condition.fact, value))
            }
            _ => String::new(),
        };
        out.extend(sign_lines(page, (mark, tone), &sign.says, &words, longest));
    }
    out
}

/// A sentence and its value: side by side where there is room, else one after the other.
fn sign_lines(
    page: &Page<'_>,
    (mark, tone): (&str, Tone),
    says: &str,
    words: &str,
    longest: usize,
) -> Vec<Line<'static>> {
    let beside = longest + 4 + 20 <= page.width && page.width >= TABLE;
    if !beside {
        return page.told(&format!("{mark} "), &format!("{says}: {words}"), page.style(tone));
    }
    let says = page.theme.plain(says);
    let label = format!("{mark} {says}{}  ", " ".repeat(longest.saturating_sub(says.width())));
    page.told(&label, words, page.style(tone))
}

/// Draws blocks one below the other, so that the one with the cursor is seen, or begins at the top.
fn scrolled(blocks: Vec<Block>, on: Spot, scroll: i32, theme: Theme, area: Rect, frame: &mut Frame) {
    let room = usize::from(area.height);
    let before: usize = blocks.iter().take_while(|b| b.spot != on).map(|b| b.lines.len()).sum();
    let own = blocks.iter().find(|b| b.spot == on).map_or(0, |b| b.lines.len());
    let all: Vec<Line<'static>> = blocks.into_iter().flat_map(|b| b.lines).collect();
    // The line that says how many more there are takes one.
    let fits = if all.len() > room { room.saturating_sub(1) } else { room };
    let base = (before + own).saturating_sub(fits).min(before);
    let offset = usize::try_from(scroll.unsigned_abs()).unwrap_or(usize::MAX);
    let top = if scroll < 0 { base.saturating_sub(offset) } else { base.saturating_add(offset) };
    let top = top.min(all.len().saturating_sub(room));
    let hidden = all.len().saturating_sub(top + room);
    let mut shown: Vec<Line<'static>> = all.into_iter().skip(top).take(room).collect();
    if hidden > 0 && room > 1 {
        shown.truncate(room - 1);
        shown.push(Line::styled(theme.plain(&format!("… {} more lines", hidden + 1)), theme.style(Tone::Faint)));
    }
    lines::draw(shown, theme, area, frame);
}
