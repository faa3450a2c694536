//! The first two lines: whom we talk to and with what rights, which time the screen shows; the tabs and where it burns.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::theme::Theme;
use super::{lines, words};
use crate::app::App;
use crate::command::Tab;
use crate::guard::Policy;
use crate::message::WriterState;
use crate::model::unit::Age;
use crate::model::world::{Link, Tls};
use crate::model::{Tone, seconds_between};

/// Own cost in milliseconds of answers per second from which on the pace is a slower one than the chosen one.
const SLOWED: f64 = 90.0;

/// One part of the first line, with how soon it gives way when there is no room: the highest first.
struct Part {
    text: String,
    style: Style,
    rank: u8,
}

/// A name cut to less than this names nothing.
const SHORTEST_NAME: u16 = 6;

/// Draws the first line.
pub fn draw_identity(app: &App, theme: Theme, area: Rect, frame: &mut Frame) {
    let left = identity(app, theme);
    let right = clock(app, theme, area.width);
    let width = usize::from(area.width);
    let mut rank = u8::MAX;
    loop {
        let l = line(&left, rank);
        let r = line(&right, rank);
        let need = l.width() + r.width() + usize::from(r.width() > 0);
        if need <= width || rank == 0 {
            let at = area.width.saturating_sub(u16::try_from(r.width()).unwrap_or(0));
            // Where even this is too much, what the screen's time is goes before whose screen it is.
            let room = if need <= width { area.width } else { at.saturating_sub(1) };
            let named = Rect { width: if room < SHORTEST_NAME { 0 } else { room }, ..area };
            lines::draw_one(l, theme, named, frame);
            lines::draw_one(r, theme, Rect { x: area.x + at, width: area.width - at, ..area }, frame);
            return;
        }
        rank = left.iter().chain(&right).map(|p| p.rank).filter(|r| *r < rank).max().unwrap_or(0);
    }
}

fn line(parts: &[Part], below: u8) -> Line<'static> {
    let mut spans = Vec::new();
    for part in parts.iter().filter(|p| p.rank < below || p.rank == 0) {
        if !spans.is_empty() {
            spans.push(Span::raw("  "));
        }
        spans.push(Span::styled(part.text.clone(), part.style));
    }
    Line::from(spans)
}

fn identity(app: &App, theme: Theme) -> Vec<Part> {
    let world = app.world();
    let mut parts = vec![Part { text: "pgtriage".to_owned(), style: theme.title(), rank: 9 }];
    let mut push = |text: String, tone: Tone, rank: u8| {
        parts.push(Part { text: theme.plain(&text), style: theme.style(tone), rank });
    };
    match world.server.get() {
        Some(server) => {
            let name =
                if server.cluster_name.is_empty() { app.setup.target.clone() } else { server.cluster_name.head(30) };
            let role = if server.in_recovery { "standby" } else { "primary" };
            let version = server.version.head(40);
            let version = version.split(' ').next().unwrap_or_default().to_owned();
            push(name, if app.setup.production { Tone::Critical } else { Tone::Plain }, 0);
            push(format!("{role} {version}"), if server.in_recovery { Tone::Notice } else { Tone::Plain }, 3);
            let since = world.server.age_s(app.shown_now()).unwrap_or(0.0);
            // Whether it still is, nobody knows while it does not answer.
            if matches!(world.link, Some(Link::Up(_))) {
                push(format!("up {}", Age(server.uptime_s + since).short()), Tone::Faint, 7);
            }
            push(format!("db {} as {}", server.database.head(24), server.user.head(24)), Tone::Faint, 6);
        }
        None => push(app.setup.target.clone(), if app.setup.production { Tone::Critical } else { Tone::Plain }, 0),
    }
    if app.setup.policy == Policy::Observer {
        let style = theme.selected().patch(theme.style(Tone::Notice));
        parts.push(Part { text: " READ-ONLY ".to_owned(), style, rank: 1 });
    } else {
        if app.setup.policy == Policy::Operator {
            parts.push(Part { text: "OPERATOR".to_owned(), style: theme.style(Tone::Notice), rank: 4 });
        }
        if let WriterState::Down(_) = &app.writer {
            parts.push(Part { text: "cannot act".to_owned(), style: theme.style(Tone::Warning), rank: 2 });
        }
    }
    if let Some(logged) = app.query_logging() {
        let text = theme.plain(&format!("LOGGING {logged}"));
        parts.push(Part { text, style: theme.style(Tone::Warning), rank: 2 });
    }
    if let Some(Link::Up(facts)) = &world.link {
        let (text, tone) = match facts.tls {
            Tls::Local => ("socket", Tone::Faint),
            Tls::None => ("TLS none", Tone::Faint),
            Tls::Unverified => ("TLS unverified", Tone::Notice),
            Tls::ChainVerified => ("TLS verified (ca)", Tone::Faint),
            Tls::Verified => ("TLS verified", Tone::Faint),
        };
        parts.push(Part { text: text.to_owned(), style: theme.style(tone), rank: 8 });
        if facts.pooled {
            parts.push(Part { text: "POOLER".to_owned(), style: theme.style(Tone::Warning), rank: 4 });
        }
    }
    parts
}

fn clock(app: &App, theme: Theme, width: u16) -> Vec<Part> {
    let world = app.world();
    let state = if let Some(since) = app.frozen_since() {
        let age = Age(seconds_between(since, app.now)).short();
        Part { text: theme.plain(&format!("⏸ frozen {age}")), style: theme.style(Tone::Warning), rank: 0 }
    } else {
        match &world.link {
            Some(Link::Up(_)) => {
                let stale = world.sessions.age_s(app.now).unwrap_or(0.0);
                // The tabs without sessions ask for them every five seconds only.
                let late = match app.tab {
                    Tab::Connections | Tab::Slow | Tab::Locks | Tab::Triage => words::late(app.refresh.as_secs_f64()),
                    Tab::Tables | Tab::Replication | Tab::Latency | Tab::Cache | Tab::Statements => {
                        words::slow_beat(app) * 2.0
                    }
                };
                let late = late.max(words::rested(&world.sessions));
                if world.sessions.error.is_some() || stale > late {
                    let text = format!("! no answer for {}", Age(stale).short());
                    Part { text, style: theme.style(Tone::Warning), rank: 0 }
                } else {
                    // The probes rest nine times as long as an answer took: then the pace is not the chosen one.
                    let slowed = if world.own_cost_ms_per_s(app.now) > SLOWED { ", slowed" } else { "" };
                    let text = theme.plain(&format!("● live {}s{slowed}", app.refresh.as_secs_f64()));
                    Part { text, style: theme.style(Tone::Good), rank: 0 }
                }
            }
            other => {
                let (text, tone) = words::link(other.as_ref(), app.now, width >= 100 || world.server.get().is_none());
                Part { text: theme.plain(&text), style: theme.style(tone), rank: 0 }
            }
        }
    };
    let time = words::time_of_day(app.shown_now(), app.local_time);
    vec![state, Part { text: time, style: theme.style(Tone::Faint), rank: 5 }]
}

/// Draws the line of tabs: each with its key, and what burns on it.
pub fn draw_tabs(app: &App, theme: Theme, area: Rect, frame: &mut Frame) {
    // Where not all titles fit only the open tab keeps its own.
    let full = tabs(app, theme, Titles::All);
    let line = if full.width() <= usize::from(area.width) { full } else { tabs(app, theme, Titles::Current) };
    lines::draw_one(line, theme, area, frame);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Titles {
    All,
    Current,
}

fn tabs(app: &App, theme: Theme, titles: Titles) -> Line<'static> {
    let mut spans = Vec::new();
    for tab in Tab::ALL {
        if !spans.is_empty() {
            spans.push(Span::raw(if titles == Titles::All { "  " } else { " " }));
        }
        let current = tab == app.tab;
        let title = if titles == Titles::All || current {
            format!("{} {}", tab.number(), tab.title())
        } else {
            tab.number().to_string()
        };
        let style = if current { theme.selected().patch(theme.title()) } else { Style::new() };
        spans.push(Span::styled(title, style));
        let (tone, count) = burning(app, tab);
        if count > 0 {
            spans.push(Span::styled(format!("{}{count}", theme.mark(tone)), theme.style(tone)));
        }
    }
    Line::from(spans)
}

/// What burns on a tab: of the findings whose evidence is there, how bad the worst is, and how many are that bad.
fn burning(app: &App, tab: Tab) -> (Tone, usize) {
    let burning = app.triage.diagnosis.burning(|f| tab == Tab::Triage || f.target.tab() == tab);
    burning.map_or((Tone::Plain, 0), |(severity, count)| (severity.tone(), count))
}
