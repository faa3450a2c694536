//! A template taken apart: texts, and actions as pipelines of words.
//!
//! It renders nothing. What it does not know makes the whole template unknown.

use super::Value;

/// A part of a template.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    /// Text between actions.
    Text(String),
    /// `{{ … }}`: stages between `|`, each of words.
    Action(Vec<Vec<Word>>),
}

/// A word of an action.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Word {
    /// `$value`, `.Value`.
    Value,
    /// `$labels.x`, `.Labels.x`.
    Label(String),
    /// A text in quotes.
    Text(String),
    /// A number.
    Number(Value),
    /// The name of a function.
    Name(String),
}

/// Takes a template apart; none where something in it is not known here.
pub(super) fn pieces(template: &str) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut rest = template;
    let mut trim = false;
    while let Some((before, after)) = rest.split_once("{{") {
        let mut text = if trim { before.trim_start() } else { before };
        let body = end(after)?;
        let (mut action, following) = (after.get(..body)?, after.get(body + 2..)?);
        // `{{- ` and ` -}}` eat the white space around them.
        if let Some(inner) = action.strip_prefix('-').filter(|i| i.starts_with(char::is_whitespace)) {
            action = inner;
            text = text.trim_end();
        }
        trim = false;
        if let Some(inner) = action.strip_suffix('-').filter(|i| i.ends_with(char::is_whitespace)) {
            action = inner;
            trim = true;
        }
        pieces.push(Piece::Text(text.to_owned()));
        pieces.push(Piece::Action(stages(action)?));
        rest = following;
    }
    pieces.push(Piece::Text(if trim { rest.trim_start() } else { rest }.to_owned()));
    Some(pieces)
}

/// Where the action that begins here ends: at the `}}` that is in no quotes.
fn end(text: &str) -> Option<usize> {
    let mut quote: Option<char> = None;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match quote {
            Some('"') if c == '\\' => drop(chars.next()),
            Some(open) if c == open => quote = None,
            None if matches!(c, '"' | '`') => quote = Some(c),
            None if text.get(at..)?.starts_with("}}") => return Some(at),
            Some(_) | None => {}
        }
    }
    None
}

fn stages(action: &str) -> Option<Vec<Vec<Word>>> {
    let mut stages = vec![Vec::new()];
    let mut rest = action.trim_start();
    while let Some(c) = rest.chars().next() {
        match c {
            '|' => {
                stages.push(Vec::new());
                rest = rest.get(1..)?;
            }
            '"' => {
                let (text, after) = quoted(rest.get(1..)?)?;
                stages.last_mut()?.push(Word::Text(text));
                rest = after;
            }
            '`' => {
                let (text, after) = rest.get(1..)?.split_once('`')?;
                stages.last_mut()?.push(Word::Text(text.to_owned()));
                rest = after;
            }
            _ => {
                let length =
                    rest.find(|c: char| c.is_whitespace() || matches!(c, '|' | '"' | '`')).unwrap_or(rest.len());
                let (word, after) = rest.split_at_checked(length)?;
                stages.last_mut()?.push(plain(word)?);
                rest = after;
            }
        }
        rest = rest.trim_start();
    }
    stages.iter().all(|s| !s.is_empty()).then_some(stages)
}

fn quoted(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((out, text.get(at + 1..)?)),
            '\\' => match chars.next()?.1 {
                'n' => out.push('\n'),
                't' => out.push('\t'),
                c @ ('"' | '\\') => out.push(c),
                _ => return None,
            },
            c => out.push(c),
        }
    }
    None
}

fn plain(word: &str) -> Option<Word> {
    match word {
        "$value" | ".Value" => return Some(Word::Value),
        _ => {}
    }
    let name = |text: &str| {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
        (!text.is_empty() && text.chars().all(fits)).then(|| text.to_owned())
    };
    if let Some(label) = word.strip_prefix("$labels.").or_else(|| word.strip_prefix(".Labels.")) {
        return name(label).map(Word::Label);
    }
    if word.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
        let whole = word.parse::<i64>().ok().map(Value::Whole);
        return whole.or_else(|| word.parse::<f64>().ok().map(Value::Number)).map(Word::Number);
    }
    name(word).filter(|n| !n.starts_with(|c: char| c.is_ascii_digit())).map(Word::Name)
}
