//! One statement: whether a text is a single one that can be planned, and the words that ask for its plan.
//!
//! The text is hostile: whoever may connect chose it. So it is read with PostgreSQL's own rules for comments, strings,
//! dollar quotes and names, it must begin with one of eight words, and nothing may stand behind it. This is the first of
//! three gates: the server takes no second statement in the extended protocol that the plan is asked in, and the options
//! in parentheses leave `EXPLAIN` no room for a word of the text: where it said `ANALYZE` there would be a syntax error.

use std::collections::BTreeSet;

use super::lexer::{BLANKS, Lexer, Token};
use super::named::{Named, Reader};

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
    /// The tables that it surely names, and what it does with each.
    pub tables: Vec<Named>,
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
        let mut reader = Reader::default();
        while let Some(token) = lexer.next()? {
            reader.take(&token);
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
                Token::Open
                | Token::Bracket
                | Token::Close
                | Token::Comma
                | Token::Dot
                | Token::Star
                | Token::Other => {}
            }
        }
        let verb = verb.ok_or(Unfit::Empty)?;
        let text: String = lexer.chars.iter().take(end.unwrap_or(lexer.chars.len())).skip(start).collect();
        // Not what Unicode calls blank: to PostgreSQL a no-break space is a letter.
        Ok(Self { text: text.trim_matches(BLANKS).to_owned(), verb, parameters, words, tables: reader.tables() })
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
