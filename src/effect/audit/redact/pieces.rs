//! A text of SQL in pieces: code, comments, quoted names and literals.
//!
//! It judges nothing. Where another reading of the text is possible it gives none: a piece taken for another would show
//! what is to be left out.

use regex::Regex;

/// A piece of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// What is none of the others.
    Code(&'a str),
    /// With its `--` or `/*` and `*/`.
    Comment(&'a str),
    /// Between quotation marks: a name, or a text of JSON.
    Name(&'a str),
    /// Between `'` or `$tag$`.
    Literal {
        /// What opens it.
        open: &'a str,
        /// What stands in it, as it is written.
        text: &'a str,
        /// What closes it.
        close: &'a str,
    },
}

/// What may stand before a literal and belongs to it.
pub(super) const PREFIXES: [&str; 5] = ["e", "n", "b", "x", "u&"];

/// What may open a piece.
pub(super) const OPENING: &str = r#"--|/\*|"|'|\$(?:[^\W\d]\w*)?\$"#;

/// The pieces; none where they cannot be told for certain: where one does not end, where `\'` ends a literal or does not
/// by a setting of the server, where an apostrophe follows a word other than `word`, as in prose.
pub(super) fn pieces<'a>(text: &'a str, opening: &Regex, word: &Regex) -> Option<Vec<Piece<'a>>> {
    let mut out = Vec::new();
    let (mut from, mut at) = (0, 0);
    while let Some(found) = opening.find_at(text, at) {
        let code = text.get(from..found.start())?;
        let rest = text.get(found.end()..)?;
        let glued = glued(code);
        let open = found.as_str();
        if open.starts_with('$') && !glued.is_empty() {
            // A name may hold it.
            at = found.start() + 1;
            continue;
        }
        let (piece, length) = match open {
            "--" => {
                let length = rest.find('\n').unwrap_or(rest.len());
                (Piece::Comment(text.get(found.start()..found.end() + length)?), length)
            }
            "/*" => {
                let length = rest.find("*/")?;
                let inside = rest.get(..length)?;
                // Comments nest.
                if inside.contains("/*") {
                    return None;
                }
                (Piece::Comment(text.get(found.start()..found.end() + length + 2)?), length + 2)
            }
            "\"" => {
                let length = rest.find('"')?;
                let inside = rest.get(..length)?;
                if inside.ends_with('\\') {
                    return None;
                }
                (Piece::Name(inside), length + 1)
            }
            "'" => {
                let escapes = glued.eq_ignore_ascii_case("e");
                let is_prefix = PREFIXES.iter().any(|prefix| glued.eq_ignore_ascii_case(prefix));
                let is_word = word.find(glued).is_some_and(|found| found.as_str() == glued);
                if !glued.is_empty() && !is_prefix && !is_word {
                    return None;
                }
                let length = literal(rest, escapes)?;
                (Piece::Literal { open, text: rest.get(..length)?, close: open }, length + 1)
            }
            tag => {
                let length = rest.find(tag)?;
                (Piece::Literal { open, text: rest.get(..length)?, close: open }, length + tag.len())
            }
        };
        if !code.is_empty() {
            out.push(Piece::Code(code));
        }
        out.push(piece);
        from = found.end() + length;
        at = from;
    }
    out.extend(text.get(from..).filter(|code| !code.is_empty()).map(Piece::Code));
    Some(out)
}

/// The word that ends with the code.
fn glued(code: &str) -> &str {
    code.rsplit(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '$' | '&'))).next().unwrap_or_default()
}

/// Bytes up to the `'` that ends a literal.
fn literal(rest: &str, escapes: bool) -> Option<usize> {
    let mut chars = rest.char_indices().peekable();
    let mut before = None;
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' if escapes => drop(chars.next()?),
            '\'' if before == Some('\\') => return None,
            // Two are one in the text.
            '\'' if chars.next_if(|(_, next)| *next == '\'').is_none() => return Some(at),
            _ => {}
        }
        before = (!escapes).then_some(c);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::WORD;
    use super::*;

    fn told(text: &str) -> Option<String> {
        let pieces = pieces(text, &Regex::new(OPENING).unwrap(), &Regex::new(WORD).unwrap())?;
        let one = |piece: &Piece<'_>| match piece {
            Piece::Code(text) => format!("c<{text}>"),
            Piece::Comment(text) => format!("k<{text}>"),
            Piece::Name(text) => format!("n<{text}>"),
            Piece::Literal { text, .. } => format!("l<{text}>"),
        };
        Some(pieces.iter().map(one).collect())
    }

    #[test]
    fn a_text_is_told_apart_as_the_server_does() {
        for (text, pieces) in [
            ("a 'b''c' d", "c<a >l<b''c>c< d>"),
            (r"E'a\'b'", r"c<E>l<a\'b>"),
            ("$$a'b$$ $x$ $$ $x$", "l<a'b>c< >l< $$ >"),
            ("a$b$ $1 'x'", "c<a$b$ $1 >l<x>"),
            ("\"n'\" -- it's\n'x'/* ' */", "n<n'>c< >k<-- it's>c<\n>l<x>k</* ' */>"),
            ("U&'x' PASSWORD'y'", "c<U&>l<x>c< PASSWORD>l<y>"),
            ("", ""),
        ] {
            assert_eq!(told(text).as_deref(), Some(pieces), "{text}");
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_not_told_apart() {
        for text in ["'a", "$x$ a", "\"a", "/* a", "/* /* */ '*/", r"'a\' b", "can't 'x'", r#""a\"b""#, r"E'a\"] {
            assert_eq!(told(text), None, "{text}");
        }
    }
}
