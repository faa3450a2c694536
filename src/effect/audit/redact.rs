//! Passwords in a text that is kept: what stands where SQL, JSON, connection strings and addresses have one is left out.
//!
//! It leaves out too much rather than too little, and knows no other secret: a key in an `INSERT` stays.
//!
//! From the word `password` on every literal goes, up to the next `;`, `AND` or `OR`: `crypt('x', …)`, `=> 'x'` and
//! `set_config('app.password', 'x')` have nothing else in common. Within a literal everything after the word goes. Where
//! the text cannot be told apart for certain, as one that was cut off, everything after the word goes as well.

mod pieces;

use regex::{Captures, Regex};

use pieces::{OPENING, PREFIXES, Piece, pieces};

/// What stands in place of what was left out.
const LEFT_OUT: &str = "…";

/// The word; `passwords` and `password_encryption` are others.
const WORD: &str = r"(?i)\w*(?:password|passwd|passphrase)(?:_?hash|_?digest|_?confirmation|\d+)?\b";

/// The text without passwords.
pub(super) fn redacted(text: &str) -> String {
    // Making the expressions takes milliseconds, and a signal to ninety sessions has ninety texts on each of its lines:
    // they kept the signal waiting for longer than the server took.
    if !may_hold_one(text) {
        return text.to_owned();
    }
    // Each is an expression: the tests use them all. Without one nothing may be kept.
    Expressions::new().map_or_else(|_| LEFT_OUT.to_owned(), |expressions| expressions.redacted(text))
}

/// False where none of the expressions can match: each needs `pass`, or the `://` of an address. `ſ` is an `s` to an
/// expression that does not mind the case.
fn may_hold_one(text: &str) -> bool {
    text.contains("://") || text.contains('ſ') || text.to_lowercase().contains("pass")
}

struct Expressions {
    word: Regex,
    /// What may open a piece.
    opening: Regex,
    /// `password=x`, without quotation marks.
    bare: Regex,
    /// What ends a word's reach.
    end: Regex,
    /// A literal stands before its word: `'x' = password`, `crypt('x', password)`.
    before: Regex,
    /// `postgres://user:x@db`, up to the last `@`; one that was cut off ends with the text.
    address: Regex,
}

impl Expressions {
    fn new() -> Result<Self, regex::Error> {
        let word = WORD.trim_start_matches("(?i)");
        Ok(Self {
            word: Regex::new(WORD)?,
            opening: Regex::new(OPENING)?,
            bare: Regex::new(&format!(r#"(?i)({word}\s*(?::=|=>|[=:])\s*)[^\s'"$(),;:=>…][^\s'"(),;]*"#))?,
            end: Regex::new(r"(?i);|\b(?:and|or)\b")?,
            before: Regex::new(&format!(r"(?i)^\s*(?:(?:=|<>|!=)\s*[\w.]*?{word}|,\s*[\w.]*?{word}\s*\))"))?,
            address: Regex::new(r#"(://[^\s:/@'"]*:)(?:[^\s'"]+@|[^\s@'"]+\z)"#)?,
        })
    }

    fn redacted(&self, text: &str) -> String {
        let out = match self.word.find(text) {
            None => text.to_owned(),
            Some(_) => {
                pieces(text, &self.opening, &self.word).map_or_else(|| self.cut(text).0, |pieces| self.walked(&pieces))
            }
        };
        let address = |found: &Captures<'_>| {
            let end = if found.get(0).is_some_and(|all| all.as_str().ends_with('@')) { "@" } else { "" };
            format!("{}{LEFT_OUT}{end}", found.get(1).map_or("", |head| head.as_str()))
        };
        self.address.replace_all(&out, address).into_owned()
    }

    fn walked(&self, pieces: &[Piece<'_>]) -> String {
        let mut out = String::new();
        // True within a word's reach; the code before this piece; where the literal before it begins, and its stand-in.
        let (mut reached, mut code) = (false, "");
        let mut literal: Option<(usize, String)> = None;
        for piece in pieces {
            match *piece {
                Piece::Code(text) => {
                    if let Some((at, instead)) = literal.take().filter(|_| self.before.is_match(text)) {
                        out.truncate(at);
                        out.push_str(&instead);
                    }
                    out.push_str(&self.bared(text));
                    reached = self.reaches(reached, text);
                    code = text;
                    continue;
                }
                Piece::Comment(text) => {
                    let (kept, named) = self.cut(text);
                    out.push_str(&kept);
                    if kept != text && text.starts_with("/*") {
                        out.push_str("*/");
                    }
                    reached |= named;
                    continue;
                }
                Piece::Name(text) => {
                    let is_value = reached && code.trim_end().ends_with(['=', ':', '>', '[']);
                    let (kept, named) = if is_value { (LEFT_OUT.to_owned(), false) } else { self.cut(text) };
                    out.extend(["\"", kept.as_str(), "\""]);
                    reached |= named;
                }
                Piece::Literal { open, text, close } => {
                    let (kept, named) = if reached { (LEFT_OUT.to_owned(), false) } else { self.cut(text) };
                    literal = Some((out.len(), [open, LEFT_OUT, close].concat()));
                    out.extend([open, kept.as_str(), close]);
                    reached |= named;
                }
            }
            code = "";
        }
        out
    }

    /// The text up to the first such word, and whether there is one.
    fn cut(&self, text: &str) -> (String, bool) {
        let Some(word) = self.word.find(text) else { return (text.to_owned(), false) };
        let kept = text.get(..word.end()).unwrap_or_default();
        (if kept == text { kept.to_owned() } else { format!("{kept}{LEFT_OUT}") }, true)
    }

    /// Code without values that stand bare; `password = crypt(` calls a function, and `E` is a literal's.
    fn bared(&self, code: &str) -> String {
        let bare = |found: &Captures<'_>| {
            let (Some(all), Some(head)) = (found.get(0), found.get(1)) else { return LEFT_OUT.to_owned() };
            let is_call = code.get(all.end()..).is_some_and(|rest| rest.trim_start().starts_with('('));
            let value = code.get(head.end()..all.end()).unwrap_or_default();
            let is_prefix = PREFIXES.iter().any(|prefix| value.eq_ignore_ascii_case(prefix));
            if is_call || is_prefix { all.as_str().to_owned() } else { format!("{}{LEFT_OUT}", head.as_str()) }
        };
        self.bare.replace_all(code, bare).into_owned()
    }

    /// Whether a word reaches beyond this code.
    fn reaches(&self, before: bool, code: &str) -> bool {
        let last = |expression: &Regex| expression.find_iter(code).last().map(|found| found.start());
        match (last(&self.word), last(&self.end)) {
            (Some(word), end) => end.is_none_or(|end| end < word),
            (None, Some(_)) => false,
            (None, None) => before,
        }
    }
}

#[cfg(test)]
mod tests;
