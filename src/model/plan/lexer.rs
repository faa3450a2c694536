//! PostgreSQL's own rules for comments, strings, dollar quotes and names.

use super::one::Unfit;

/// What PostgreSQL calls blank.
pub(super) const BLANKS: [char; 6] = [' ', '\t', '\n', '\r', '\u{b}', '\u{c}'];

/// What must be told apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A word without quotes, folded.
    Word(String),
    /// A quoted name.
    Name(String),
    /// `$n`.
    Parameter(u32),
    /// `;`
    End,
    /// `(`
    Open,
    /// `[`
    Bracket,
    /// `)` or `]`
    Close,
    /// `,`
    Comma,
    /// `.`
    Dot,
    /// `*`
    Star,
    /// A string, a number, an operator.
    Other,
}

/// PostgreSQL's lexer (`scan.l`), as far as it decides where a statement ends. Strings are read as with
/// `standard_conforming_strings = on`, which the session that asks sets.
pub(super) struct Lexer {
    pub(super) chars: Vec<char>,
    pub(super) at: usize,
}

impl Lexer {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    pub(super) fn next(&mut self) -> Result<Option<Token>, Unfit> {
        self.skip_blanks()?;
        let Some(c) = self.peek(0) else { return Ok(None) };
        let token = match (c, self.peek(1)) {
            (';', _) => self.single(Token::End),
            ('(', _) => self.single(Token::Open),
            ('[', _) => self.single(Token::Bracket),
            (')' | ']', _) => self.single(Token::Close),
            (',', _) => self.single(Token::Comma),
            ('.', _) => self.single(Token::Dot),
            ('*', _) => self.single(Token::Star),
            ('\'', _) => self.string(1, '\'', Escapes::None)?,
            ('e' | 'E', Some('\'')) => self.string(2, '\'', Escapes::Backslash)?,
            ('b' | 'B' | 'x' | 'X' | 'n' | 'N', Some('\'')) => self.string(2, '\'', Escapes::None)?,
            ('u' | 'U', Some('&')) if matches!(self.peek(2), Some('\'' | '"')) => {
                let quote = self.peek(2).unwrap_or('\'');
                self.string(3, quote, Escapes::None)?
            }
            ('"', _) => self.string(1, '"', Escapes::None)?,
            ('$', Some('0'..='9')) => self.parameter(),
            ('$', _) => self.dollar()?,
            (c, _) if starts_word(c) => self.word(),
            ('0'..='9', _) => {
                // Letters behind a number begin a token of their own: `1e'…'` was a string before 15.
                while self.peek(0).is_some_and(|c| c.is_ascii_digit()) {
                    self.at += 1;
                }
                Token::Other
            }
            _ => self.single(Token::Other),
        };
        Ok(Some(token))
    }

    fn single(&mut self, token: Token) -> Token {
        self.at += 1;
        token
    }

    fn skip_blanks(&mut self) -> Result<(), Unfit> {
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some(blank), _) if BLANKS.contains(&blank) => self.at += 1,
                (Some('-'), Some('-')) => self.skip_line(),
                (Some('/'), Some('*')) => self.skip_comment()?,
                _ => return Ok(()),
            }
        }
    }

    fn skip_line(&mut self) {
        while self.peek(0).is_some_and(|c| c != '\n' && c != '\r') {
            self.at += 1;
        }
    }

    /// Comments of this kind nest.
    fn skip_comment(&mut self) -> Result<(), Unfit> {
        let mut depth = 0_usize;
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some('/'), Some('*')) => {
                    depth += 1;
                    self.at += 2;
                }
                (Some('*'), Some('/')) => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        return Ok(());
                    }
                }
                (Some(_), _) => self.at += 1,
                (None, _) => return Err(Unfit::Unfinished),
            }
        }
    }

    /// A string or a quoted name whose first quote is the last of `open` characters.
    fn string(&mut self, open: usize, quote: char, escapes: Escapes) -> Result<Token, Unfit> {
        self.at += open;
        let mut inside = String::new();
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some('\\'), _) if escapes == Escapes::Backslash => self.at += 2,
                (Some(c), Some(next)) if c == quote && next == quote => {
                    inside.push(quote);
                    self.at += 2;
                }
                (Some(c), _) if c == quote => {
                    self.at += 1;
                    if escapes == Escapes::None || !self.goes_on() {
                        return Ok(if quote == '"' { Token::Name(inside) } else { Token::Other });
                    }
                }
                (Some(c), _) => {
                    inside.push(c);
                    self.at += 1;
                }
                (None, _) => return Err(Unfit::Unfinished),
            }
        }
    }

    /// True where a string goes on in a later line: there its backslashes still escape. The quote is taken.
    fn goes_on(&mut self) -> bool {
        let from = self.at;
        let mut line_end = false;
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some(' ' | '\t' | '\u{b}' | '\u{c}'), _) => self.at += 1,
                (Some('\n' | '\r'), _) => {
                    line_end = true;
                    self.at += 1;
                }
                (Some('-'), Some('-')) => self.skip_line(),
                (Some('\''), _) if line_end => {
                    self.at += 1;
                    return true;
                }
                _ => {
                    self.at = from;
                    return false;
                }
            }
        }
    }

    fn parameter(&mut self) -> Token {
        self.at += 1;
        let mut number = 0_u32;
        while let Some(digit) = self.peek(0).and_then(|c| c.to_digit(10)) {
            number = number.saturating_mul(10).saturating_add(digit);
            self.at += 1;
        }
        Token::Parameter(number)
    }

    /// `$$…$$`, `$tag$…$tag$`; a dollar that begins neither is a character of its own.
    fn dollar(&mut self) -> Result<Token, Unfit> {
        let mut length = 1;
        while let Some(c) = self.peek(length) {
            let in_tag = if length == 1 { starts_word(c) } else { starts_word(c) || c.is_ascii_digit() };
            if !in_tag {
                break;
            }
            length += 1;
        }
        if self.peek(length) != Some('$') {
            return Ok(self.single(Token::Other));
        }
        let tag: Vec<char> = self.chars.iter().skip(self.at).take(length + 1).copied().collect();
        self.at += tag.len();
        while self.at < self.chars.len() {
            if self.chars.iter().skip(self.at).take(tag.len()).eq(tag.iter()) {
                self.at += tag.len();
                return Ok(Token::Other);
            }
            self.at += 1;
        }
        Err(Unfit::Unfinished)
    }

    fn word(&mut self) -> Token {
        let mut word = String::new();
        while let Some(c) = self.peek(0).filter(|c| starts_word(*c) || c.is_ascii_digit() || *c == '$') {
            word.push(c.to_ascii_lowercase());
            self.at += 1;
        }
        Token::Word(word)
    }
}

/// What a backslash means in a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Escapes {
    None,
    Backslash,
}

/// Every character beyond ASCII is a letter to PostgreSQL, a no-break space, too.
fn starts_word(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || !c.is_ascii()
}
