//! A finding in full: its words, the statement that helps, and the figures that it rests on as they are now.

use ratatui::text::Line;

use super::fact;
use crate::app::App;
use crate::command::Command;
use crate::diagnose::FindingKey;
use crate::diagnose::figures::Figure;
use crate::model::unit::Age;
use crate::model::{ServerText, Tone, seconds_between};
use crate::view::theme::Theme;
use crate::view::words::time_of_day;

/// The lines of its detail.
pub fn lines(app: &App, key: &FindingKey, theme: Theme) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let found = app.triage.diagnosis.findings.iter().find(|finding| finding.key == *key);
    if let Some(finding) = found {
        lines.push(Line::styled(theme.plain(&finding.fact), theme.style(finding.severity.tone())));
        let mut add = |label: &str, value: String| lines.push(fact(label, value, Tone::Plain, theme));
        add("evidence", finding.evidence.clone());
        add("to do", finding.todo.clone());
        if let Some(sql) = &finding.remedy {
            let copies = app.key_of(Command::CopyQuery);
            let copies = if copies.is_empty() { copies } else { format!(" ({copies} copies it)") };
            add("SQL", format!("{}{copies}", ServerText::from(sql.as_str()).escaped()));
        }
        let ago = Age(seconds_between(finding.seen, app.shown_now())).exact();
        add("seen", format!("{}, {ago} ago", time_of_day(finding.seen, app.local_time)));
    } else {
        lines.push(Line::styled("it is over; what follows is how it is now", theme.style(Tone::Notice)));
    }
    let figures = app.figures_of(key);
    if figures.is_empty() {
        lines.push(Line::styled("nothing of its figures is known any more", theme.style(Tone::Notice)));
    }
    for figure in figures {
        match figure {
            Figure::Title(text) => {
                lines.push(Line::default());
                lines.push(Line::styled(theme.plain(&text), theme.title()));
            }
            Figure::Line { label, text, tone } => lines.push(fact(label, text, tone, theme)),
        }
    }
    lines
}
