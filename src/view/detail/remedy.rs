//! What no action fits, in full: the statement, where to run it, its risk.

use ratatui::text::Line;

use super::fact;
use crate::app::App;
use crate::app::mode::Subject;
use crate::command::Command;
use crate::model::{ServerText, Tone};
use crate::view::theme::Theme;

/// The lines about what stands in the way of `subject` and no action of ours fits; none where nothing does.
pub fn lines(app: &App, subject: &Subject, theme: Theme) -> Vec<Line<'static>> {
    let remedies = app.remedies_of(subject);
    let mut lines = Vec::new();
    if remedies.is_empty() {
        return lines;
    }
    let key = app.key_of(Command::CopyQuery);
    let copies = if key.is_empty() { String::new() } else { format!(" ({key} copies it)") };
    let one_of = match subject {
        Subject::Session(_) if remedies.len() > 1 => format!(": one or more of these {}", remedies.len()),
        Subject::Session(_)
        | Subject::Table(_)
        | Subject::Index(_)
        | Subject::Progress(_)
        | Subject::Prepared(_)
        | Subject::Replica(_)
        | Subject::Statement(_)
        | Subject::Alert(_)
        | Subject::Health(_)
        | Subject::Figures(_)
        | Subject::Remedies => String::new(),
    };
    lines.push(Line::default());
    lines.push(Line::styled(format!("what no action here does{copies}{one_of}"), theme.title()));
    for remedy in remedies {
        let mut add = |label: &str, value: String, tone: Tone| lines.push(fact(label, value, tone, theme));
        add("what", remedy.what, Tone::Warning);
        match remedy.sql {
            Ok(sql) => add("SQL", ServerText::from(sql.as_str()).escaped(), Tone::Plain),
            Err(why) => add("SQL", why, Tone::Warning),
        }
        add("run", remedy.place, Tone::Plain);
        add("risk", remedy.risk, Tone::Notice);
    }
    lines
}
