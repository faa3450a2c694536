//! The tokens of an action, as Go's `text/template` parts it.
//!
//! It knows no names.

/// A token of an action.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Token<'a> {
    /// A function or a keyword.
    Word(&'a str),
    /// `$` and `$name`.
    Variable(&'a str),
    /// `.` and `.name`.
    Field,
    /// A text, a character or a number.
    Literal,
    /// `|`
    Pipe,
    /// `(`
    Open,
    /// `)`
    Close,
    /// `,`
    Comma,
    /// `:=` and `=`
    Assign,
}

/// The tokens of the action that begins here, and what stands behind its `}}`.
pub(super) fn tokens(action: &str) -> Result<(Vec<Token<'_>>, &str), String> {
    let mut tokens = Vec::new();
    let (mut text, mut depth) = (action, 0_usize);
    loop {
        let next = text.trim_start_matches(is_space);
        let trims = next.strip_prefix('-').filter(|_| next.len() < text.len()).and_then(|t| t.strip_prefix("}}"));
        if let Some(behind) = trims.or_else(|| next.strip_prefix("}}")) {
            return if depth == 0 { Ok((tokens, behind)) } else { Err("unclosed left paren".to_owned()) };
        }
        let Some(first) = next.chars().next() else { return Err("unclosed action".to_owned()) };
        let (token, length) = match first {
            '|' => (Token::Pipe, 1),
            ',' => (Token::Comma, 1),
            '=' => (Token::Assign, 1),
            ':' if next.starts_with(":=") => (Token::Assign, 2),
            ':' => return Err("expected :=".to_owned()),
            '(' => {
                depth += 1;
                (Token::Open, 1)
            }
            ')' => {
                depth = depth.checked_sub(1).ok_or("unexpected right paren")?;
                (Token::Close, 1)
            }
            '"' => (Token::Literal, quoted(next, '"', "unterminated quoted string")?),
            '\'' => (Token::Literal, character(next)?),
            '`' => match next.char_indices().skip(1).find(|(_, c)| *c == '`') {
                Some((at, _)) => (Token::Literal, at + 1),
                None => return Err("unterminated raw quoted string".to_owned()),
            },
            c if is_number(c, next) => (Token::Literal, number(next)?),
            '$' => {
                let length = named(next, 1)?;
                (Token::Variable(next.get(..length).unwrap_or_default()), length)
            }
            '.' => (Token::Field, named(next, 1)?),
            c if is_alphanumeric(c) => {
                let length = named(next, 0)?;
                (Token::Word(next.get(..length).unwrap_or_default()), length)
            }
            c if c.is_ascii_graphic() => return Err(format!("unexpected \"{c}\" in operand")),
            c => return Err(format!("unrecognized character in action: U+{:04X}", u32::from(c))),
        };
        tokens.push(token);
        text = next.get(length..).unwrap_or_default();
    }
}

/// A blank or the end of a line.
pub(super) fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn is_alphanumeric(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// The length of a name behind `sign` bytes. It must end where Go sees an end.
fn named(text: &str, sign: usize) -> Result<usize, String> {
    let name = text.get(sign..).unwrap_or_default();
    let length = name.find(|c| !is_alphanumeric(c)).unwrap_or(name.len());
    let behind = name.get(length..).unwrap_or_default();
    match behind.chars().next() {
        Some(c) if !is_space(c) && !matches!(c, '.' | ',' | '|' | ':' | ')' | '(' | '}') => {
            Err(format!("bad character U+{:04X} '{c}'", u32::from(c)))
        }
        Some(_) | None => Ok(sign + length),
    }
}

fn is_number(first: char, text: &str) -> bool {
    let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    matches!(first, '+' | '-') || first.is_ascii_digit() || (first == '.' && digit(text.chars().nth(1)))
}

fn number(text: &str) -> Result<usize, String> {
    let mut before = ' ';
    let end = text.find(|c: char| {
        let sign = matches!(c, '+' | '-') && (before == ' ' || matches!(before, 'e' | 'E' | 'p' | 'P'));
        before = c;
        !(is_alphanumeric(c) || c == '.' || sign)
    });
    let length = end.unwrap_or(text.len());
    let written = text.get(..length).unwrap_or_default();
    let plain = written.trim_start_matches(['+', '-']).replace('_', "").to_lowercase();
    let based = ["0x", "0b", "0o"].iter().any(|base| plain.starts_with(base));
    let figure = plain.trim_end_matches('i');
    let is_figure = figure.starts_with(|c: char| c.is_ascii_digit() || c == '.') && figure.parse::<f64>().is_ok();
    if based || is_figure { Ok(length) } else { Err(format!("bad number syntax: \"{written}\"")) }
}

/// The length of a text in quotes, whose escapes must be Go's.
fn quoted(text: &str, quote: char, open: &str) -> Result<usize, String> {
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            c if c == quote => return Ok(at + 1),
            '\n' => break,
            '\\' => match chars.next() {
                Some((_, c)) if c == quote || matches!(c, 'a' | 'b' | 'f' | 'n' | 'r' | 't' | 'v' | '\\') => {}
                Some((_, 'x' | 'u' | 'U' | '0'..='7')) => {}
                Some((_, '\n')) | None => break,
                Some((_, c)) => return Err(format!("invalid syntax: \"\\{c}\" is no escape in quotes")),
            },
            _ => {}
        }
    }
    Err(open.to_owned())
}

/// The length of a character in its quotes.
fn character(text: &str) -> Result<usize, String> {
    let length = quoted(text, '\'', "unterminated character constant")?;
    let written = text.get(..length).unwrap_or_default();
    if written.starts_with("'\\") || written.chars().count() == 3 {
        return Ok(length);
    }
    Err(format!("malformed character constant: {written}"))
}
