//! The screen as a function of the state: `draw(&App, &mut Frame)`.
//!
//! Nothing is remembered between frames, and nothing is asked or decided here. Text from a server is drawn only
//! through its escaped forms.

pub mod chart;
pub mod connections;
pub mod detail;
pub mod footer;
pub mod header;
pub mod help;
pub mod indexes;
pub mod lines;
pub mod list;
pub mod locks;
pub mod outcome;
pub mod panels;
pub mod part;
pub mod picker;
pub mod plan;
pub mod progress;
pub mod prompt;
pub mod replication;
pub mod runbook;
pub mod settings;
pub mod statements;
pub mod tables;
pub mod theme;
pub mod triage;
pub mod words;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};

use crate::app::App;
use crate::app::mode::Mode;
use crate::app::part::Part;
use crate::command::Tab;
use crate::model::Shown;
use theme::Theme;

/// Draws the whole screen. A window of no use (a line, a column) gets what fits; no size panics. Returns how much it
/// shows of an open text that may be longer than its room; none where none is open, or nothing of it can be read.
pub fn draw(app: &App, frame: &mut Frame) -> Option<Shown> {
    let area = frame.area();
    if area.width == 0 || area.height == 0 {
        return None;
    }
    let theme = Theme::of(app.setup.display);
    // With little height the tabs give way before the body, the body before the first line.
    let tabs = u16::from(area.height >= 4);
    let foot = if area.height >= 3 { footer::height(app, theme, area) } else { 0 };
    let [head, tab_line, body, last] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(tabs),
        Constraint::Fill(1),
        Constraint::Length(foot),
    ])
    .areas(area);
    header::draw_identity(app, theme, head, frame);
    header::draw_tabs(app, theme, tab_line, frame);
    let of_body = draw_body(app, theme, body, frame);
    footer::draw(app, theme, last, frame);
    match &app.mode {
        Mode::Ask(prompt) if app.has_room_to_ask() => return prompt::draw(prompt, theme, body, frame),
        Mode::Ask(_) => prompt::draw_no_room(theme, body, frame),
        Mode::Pick(picker) => picker::draw(picker, theme, body, frame),
        Mode::Settings(board) => settings::draw(app, board, theme, body, frame),
        Mode::Help { scroll } => return Some(help::draw(app, *scroll, theme, body, frame)),
        Mode::Outcome { id, scroll } => return outcome::draw(app, *id, *scroll, theme, body, frame),
        Mode::Leave => prompt::draw_leave(app, theme, body, frame),
        Mode::Normal | Mode::Plan(_) => return of_body,
        Mode::Filter { .. } | Mode::Detail { .. } => {}
    }
    None
}

fn draw_body(app: &App, theme: Theme, area: Rect, frame: &mut Frame) -> Option<Shown> {
    if area.height == 0 {
        return None;
    }
    if let Mode::Detail { of, scroll } = &app.mode {
        detail::draw(app, of, *scroll, theme, area, frame);
        return None;
    }
    if let Mode::Plan(view) = &app.mode {
        return Some(plan::draw(app, view, theme, area, frame));
    }
    match app.tab {
        Tab::Triage => match app.runbook() {
            Some(book) => runbook::draw(app, book, theme, area, frame),
            None => return Some(triage::draw(app, theme, area, frame)),
        },
        Tab::Connections | Tab::Slow => connections::draw(app, theme, area, frame),
        Tab::Locks => locks::draw(app, theme, area, frame),
        Tab::Tables => match app.part {
            Part::Tables => tables::draw(app, theme, area, frame),
            Part::Indexes => indexes::draw(app, theme, area, frame),
            Part::Progress => progress::draw(app, theme, area, frame),
        },
        Tab::Replication => replication::draw(app, theme, area, frame),
        Tab::Statements => statements::draw(app, theme, area, frame),
        Tab::Latency | Tab::Cache => panels::draw(app, theme, area, frame),
    }
    None
}
