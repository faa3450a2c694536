//! The audit log as text: whether its chain is whole, and what was done.
//!
//! It only reads. Whatever stands in the log may come from a query's author, so every word of it is escaped.

mod action;

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr as _;

use crate::config::{AuditLook, AuditRequest};
use crate::effect::audit::AuditError;
use crate::effect::audit::read::{Break, Chain, Why, walk};

use action::{Action, Actions};

/// An answer for standard output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its lines.
    pub text: String,
    /// False where it was asked whether the log is whole, and it is not.
    pub whole: bool,
}

/// Looks at the log as was asked.
///
/// # Errors
/// Where it cannot be read.
pub fn answer(request: &AuditRequest) -> Result<Answer, AuditError> {
    let mut actions = Actions::default();
    let chain = walk(&request.file, |line, entry| actions.take(line, &entry))?;
    Ok(match request.look {
        AuditLook::Verify => Answer { text: verified(&chain, &actions), whole: chain.broken.is_none() },
        AuditLook::Show { last } => Answer { text: shown(&chain, actions.list(), last), whole: true },
    })
}

fn verified(chain: &Chain, actions: &Actions) -> String {
    let mut out = match &chain.broken {
        Some(at) => format!("{}\n", broken(at)),
        None => String::new(),
    };
    let _ = write!(out, "{}", counted(chain.lines));
    if let Some((first, last)) = actions.times() {
        let _ = write!(out, ", {first} to {last}");
    }
    let _ = match (&chain.broken, &chain.last) {
        (Some(_), _) => write!(out, ": chain broken"),
        (None, Some(hash)) => write!(
            out,
            ": chain whole, the last line's SHA-256 is {hash}\nwhether lines were cut off the end only a copy tells: syslog's \
             (audit_syslog), or that SHA-256 noted elsewhere"
        ),
        (None, None) => write!(out, ": nothing was recorded yet"),
    };
    out.push('\n');
    for line in &chain.unreadable {
        let _ = writeln!(out, "line {line}: unreadable: torn by a crash, or of another version");
    }
    for action in actions.list().iter().filter(|action| action.is_unknown()) {
        let Action { line, time, what, target, place, .. } = action;
        let _ = writeln!(out, "line {line}: {time}: {what} {target} at {place}: no outcome: unknown");
    }
    out
}

fn counted(lines: u64) -> String {
    if lines == 1 { "1 line".to_owned() } else { format!("{lines} lines") }
}

/// The sentence for a break.
fn broken(at: &Break) -> String {
    let Break { line, why } = at;
    let before = line - 1;
    match why {
        Why::Headless => format!("line {line}: it was not written as the first line: what stood before it was removed"),
        Why::Restarted => {
            format!("line {line}: it was written as the first line of a log, and does not follow line {before}")
        }
        Why::Unhashed => format!("line {line}: it has no hash: it was inserted or changed, or this is no audit log"),
        Why::Foreign => format!("line {line}: it is no line of an audit log, nor the beginning of one"),
        Why::Elsewhere(at) if at < line => format!(
            "line {line}: it was written after line {at}, not after line {before}: it was moved here, or what stands \
             between was inserted"
        ),
        Why::Elsewhere(at) => {
            format!("line {line}: it was written after line {at}, not after line {before}: one of them was moved")
        }
        Why::Missing => format!(
            "line {line}: it was not written after line {before} as that stands here: line {before} was changed or \
             inserted, lines between them were removed, or this line was changed"
        ),
    }
}

const HEAD: [&str; 7] = ["time", "who", "place", "action", "target", "outcome", "reason"];

fn shown(chain: &Chain, actions: &[Action], last: Option<usize>) -> String {
    let skipped = last.map_or(0, |last| actions.len().saturating_sub(last));
    let rows: Vec<[String; 7]> = actions.iter().skip(skipped).map(Action::cells).collect();
    let mut widths = HEAD.map(str::len);
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }
    let mut out = String::new();
    for row in std::iter::once(&HEAD.map(str::to_owned)).chain(&rows) {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            let _ = write!(line, "{cell}{}  ", " ".repeat(width - cell.width()));
        }
        let _ = writeln!(out, "{}", line.trim_end());
    }
    if !chain.unreadable.is_empty() {
        let _ = writeln!(
            out,
            "{} unreadable: torn by a crash, or of another version",
            counted(chain.unreadable.len() as u64)
        );
    }
    if let Some(at) = &chain.broken {
        let _ = writeln!(out, "the chain of hashes is broken: {}", broken(at));
    }
    out
}

#[cfg(test)]
mod tests;
