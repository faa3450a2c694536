//! Templates of labels and annotations: the part of Prometheus' that rule files live by.
//!
//! Actions of `$value`, `$labels.x`, texts, numbers and a pipeline of known functions are rendered. A text that holds
//! any other action is shown as it was written, whole: half a sentence would be read as a whole one.

mod check;
mod scan;

use super::{format, humanize};
use crate::model::alert::Labels;

/// What a template is rendered with.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// `$labels`: those of the series.
    pub labels: &'a Labels,
    /// `$value`.
    pub value: f64,
}

/// A value inside an action.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A float.
    Number(f64),
    /// An integer that stands in the template.
    Whole(i64),
    /// A text.
    Text(String),
}

impl Value {
    /// As a number: what the `humanize` family takes. None for a text that is none.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Number(value) => Some(*value),
            #[expect(clippy::cast_precision_loss, reason = "as Go converts it")]
            Self::Whole(n) => Some(*n as f64),
            Self::Text(text) => text.parse().ok(),
        }
    }
}

/// A text that came of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The text.
    pub text: String,
    /// True where it is the template itself, since something in it is not known here.
    pub verbatim: bool,
}

/// What Prometheus refuses in a template, in its words; none where it takes it. What it takes may still be more than can
/// be rendered here.
#[must_use]
pub fn fault(template: &str) -> Option<String> {
    check::fault(template)
}

/// Renders a template.
#[must_use]
pub fn render(template: &str, context: Context<'_>) -> Rendered {
    match scan::pieces(template).and_then(|pieces| whole(&pieces, context)) {
        Some(text) => Rendered { text, verbatim: false },
        None => Rendered { text: template.to_owned(), verbatim: true },
    }
}

fn whole(pieces: &[scan::Piece], context: Context<'_>) -> Option<String> {
    let mut out = String::new();
    for piece in pieces {
        match piece {
            scan::Piece::Text(text) => out.push_str(text),
            scan::Piece::Action(stages) => match pipeline(stages, context)? {
                Value::Text(text) => out.push_str(&text),
                Value::Number(value) => out.push_str(&format::plain(value)),
                Value::Whole(n) => out.push_str(&n.to_string()),
            },
        }
    }
    Some(out)
}

/// Each stage gets what the one before it gave as its last argument.
fn pipeline(stages: &[Vec<scan::Word>], context: Context<'_>) -> Option<Value> {
    let mut piped: Option<Value> = None;
    for stage in stages {
        let (head, rest) = stage.split_first()?;
        piped = Some(match head {
            scan::Word::Name(name) => {
                let mut arguments = rest.iter().map(|w| operand(w, context)).collect::<Option<Vec<_>>>()?;
                arguments.extend(piped.take());
                call(name, &arguments)?
            }
            // An operand is no function: nothing can be piped into it.
            scan::Word::Value | scan::Word::Label(_) | scan::Word::Text(_) | scan::Word::Number(_)
                if rest.is_empty() && piped.is_none() =>
            {
                operand(head, context)?
            }
            scan::Word::Value | scan::Word::Label(_) | scan::Word::Text(_) | scan::Word::Number(_) => return None,
        });
    }
    piped
}

fn operand(word: &scan::Word, context: Context<'_>) -> Option<Value> {
    match word {
        scan::Word::Value => Some(Value::Number(context.value)),
        scan::Word::Label(name) => Some(Value::Text(context.labels.get(name).cloned().unwrap_or_default())),
        scan::Word::Text(text) => Some(Value::Text(text.clone())),
        scan::Word::Number(number) => Some(number.clone()),
        scan::Word::Name(_) => None,
    }
}

fn call(name: &str, arguments: &[Value]) -> Option<Value> {
    let text = Value::Text;
    let humanized = |how: fn(f64) -> String| match arguments {
        [value] => value.number().map(|v| text(how(v))),
        _ => None,
    };
    match (name, arguments) {
        ("humanize", _) => humanized(humanize::decimal),
        ("humanize1024", _) => humanized(humanize::binary),
        ("humanizeDuration", _) => humanized(humanize::duration),
        ("humanizePercentage", _) => humanized(humanize::percentage),
        ("humanizeTimestamp", [value]) => humanize::timestamp(value.number()?).map(text),
        ("printf", [Value::Text(format), rest @ ..]) => format::printf(format, rest).map(text),
        ("toUpper", [Value::Text(t)]) => Some(text(t.to_uppercase())),
        ("toLower", [Value::Text(t)]) => Some(text(t.to_lowercase())),
        _ => None,
    }
}

#[cfg(test)]
#[path = "template/tests.rs"]
mod tests;
