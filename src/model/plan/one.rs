//! One statement: whether a text is a single one that can be planned, and the words that ask for its plan.
//!
//! The text is hostile: whoever may connect chose it. So it is read with PostgreSQL's own rules for comments, strings,
//! dollar quotes and names, it must begin with one of eight words, and nothing may stand behind it. This is the first of
//! three gates: the server takes no second statement in the extended protocol that the plan is asked in, and the options
//! in parentheses leave `EXPLAIN` no room for a word of the text: where it said `ANALYZE` there would be a syntax error.

use std::collections::BTreeSet;

/// The words that a statement with a plan begins with.
const PLANNED: [&str; 8] = ["select", "insert", "update", "delete", "merge", "values", "with", "table"];

/// The newest major without `EXPLAIN (GENERIC_PLAN)`.
const LAST_WITHOUT_GENERIC: i32 = 15;

/// A statement that can be planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct One {
    /// Its text, without what stands behind its end.
    pub text: String,
    /// The word that it begins with, in lower case.
    pub verb: &'static str,
    /// The highest `$n` in it; 0: none.
    pub parameters: u32,
    /// All names in it, as the server would fold them: words of the language among them.
    pub words: BTreeSet<String>,
}

/// Why a text is not a statement that can be planned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Nothing but blanks and comments.
    #[error("there is no statement")]
    Empty,
    /// A string, a name or a comment does not end.
    #[error("the text ends in the middle of a string, a name or a comment")]
    Unfinished,
    /// More than one statement.
    #[error("the text holds several statements: a plan is of one")]
    Several,
    /// Another kind of statement.
    #[error("only SELECT, INSERT, UPDATE, DELETE, MERGE, VALUES, TABLE and WITH have a plan")]
    Utility,
    /// Bytes that were no text here, or that no statement can hold.
    #[error("the text holds characters that could not be read")]
    Unreadable,
    /// `$70000`: the protocol has room for 65535.
    #[error("the text holds more parameters than a statement can have")]
    Parameters,
}

/// What makes the plan of a prepared statement one for any values.
const GENERIC: &str = "SET LOCAL plan_cache_mode = 'force_generic_plan'";

impl One {
    /// Reads a text.
    ///
    /// # Errors
    /// Why it has no plan.
    pub fn of(text: &str) -> Result<Self, Unfit> {
        if text.contains(['\0', '\u{fffd}']) {
            return Err(Unfit::Unreadable);
        }
        let mut lexer = Lexer { chars: text.chars().collect(), at: 0 };
        let (mut verb, mut start, mut end) = (None, 0, None);
        let (mut parameters, mut words) = (0, BTreeSet::new());
        while let Some(token) = lexer.next()? {
            match token {
                // An empty statement before it would be one to the server.
                Token::End if verb.is_none() => start = lexer.at,
                Token::End => end = end.or(Some(lexer.at - 1)),
                _ if end.is_some() => return Err(Unfit::Several),
                Token::Open if verb.is_none() => {}
                Token::Word(word) if verb.is_none() => {
                    verb = Some(*PLANNED.iter().find(|planned| **planned == word).ok_or(Unfit::Utility)?);
                }
                _ if verb.is_none() => return Err(Unfit::Utility),
                Token::Word(word) | Token::Name(word) => {
                    words.insert(word);
                }
                Token::Parameter(number) if number > u32::from(u16::MAX) => return Err(Unfit::Parameters),
                Token::Parameter(number) => parameters = parameters.max(number),
                Token::Open | Token::Other => {}
            }
        }
        let verb = verb.ok_or(Unfit::Empty)?;
        let text: String = lexer.chars.iter().take(end.unwrap_or(lexer.chars.len())).skip(start).collect();
        // Not what Unicode calls blank: to PostgreSQL a no-break space is a letter.
        Ok(Self { text: text.trim_matches(BLANKS).to_owned(), verb, parameters, words })
    }

    /// The statements that ask for its plan, each to be sent by itself, the last of which answers. The options stand in
    /// parentheses and `ANALYZE` is none of them. One with parameters is prepared, which no utility can be, and is explained
    /// as what runs it: `EXPLAIN (GENERIC_PLAN)` is of no use in the extended protocol, where its parameters want values.
    #[must_use]
    pub fn asking(&self) -> Vec<String> {
        const OPTIONS: &str = "FORMAT JSON, VERBOSE true, SETTINGS true, SUMMARY true";
        let text = &self.text;
        if self.parameters == 0 {
            return vec![format!("EXPLAIN ({OPTIONS}) {text}")];
        }
        vec![
            format!("PREPARE {NAME} AS {text}"),
            GENERIC.to_owned(),
            format!("EXPLAIN ({OPTIONS}) EXECUTE {NAME}({})", self.nulls()),
        ]
    }

    /// SQL that shows its plan in psql, in a transaction that can only read and is taken back.
    #[must_use]
    pub fn sql(&self, major: i32) -> String {
        // A line end: the text may end in a comment.
        let text = format!("{}\n;\n", self.text);
        let middle = if self.parameters == 0 {
            format!("EXPLAIN (VERBOSE true, SETTINGS true) {text}")
        } else if major > LAST_WITHOUT_GENERIC {
            format!("EXPLAIN (VERBOSE true, SETTINGS true, GENERIC_PLAN true) {text}")
        } else {
            let (generic, nulls) = (GENERIC, self.nulls());
            format!(
                "PREPARE {NAME} AS {text}{generic};\nEXPLAIN (VERBOSE true, SETTINGS true) EXECUTE {NAME}({nulls});\n\
                 DEALLOCATE {NAME};\n"
            )
        };
        format!("BEGIN READ ONLY;\n{middle}ROLLBACK;\n")
    }

    fn nulls(&self) -> String {
        vec!["NULL"; usize::try_from(self.parameters).unwrap_or(0)].join(", ")
    }
}

/// Name of a prepared statement that is only explained.
const NAME: &str = "pgtriage_plan";

/// What PostgreSQL calls blank.
const BLANKS: [char; 6] = [' ', '\t', '\n', '\r', '\u{b}', '\u{c}'];

/// What the gate must tell apart.
#[derive(Debug, PartialEq, Eq)]
enum Token {
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
    /// A string, a number, an operator.
    Other,
}

/// PostgreSQL's lexer (`scan.l`), as far as it decides where a statement ends. Strings are read as with
/// `standard_conforming_strings = on`, which the session that asks sets.
struct Lexer {
    chars: Vec<char>,
    at: usize,
}

impl Lexer {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn next(&mut self) -> Result<Option<Token>, Unfit> {
        self.skip_blanks()?;
        let Some(c) = self.peek(0) else { return Ok(None) };
        let token = match (c, self.peek(1)) {
            (';', _) => self.single(Token::End),
            ('(', _) => self.single(Token::Open),
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
