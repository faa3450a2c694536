//! A TOML text with the name of its file: errors that say where, and the name that was probably meant.
//!
//! It knows nothing of what the text is about; the settings use it too.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

/// A text and the name of the file that it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source<'a> {
    /// As the user would name it.
    pub name: &'a str,
    /// What it holds.
    pub text: &'a str,
}

/// What is wrong with a file, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {message}")]
pub struct SourceError {
    /// The file's name.
    pub file: String,
    /// Its line, counted from 1.
    pub line: usize,
    /// A sentence.
    pub message: String,
}

impl<'a> Source<'a> {
    /// The text as TOML that knows its places.
    ///
    /// # Errors
    /// Where it is not TOML.
    pub fn parse(self) -> Result<DeTable<'a>, SourceError> {
        DeTable::parse(self.text).map(Spanned::into_inner).map_err(|e| {
            let span = e.span().unwrap_or_default();
            let message = match (e.message(), self.text.get(span.clone())) {
                ("duplicate key", Some(key)) => format!("{} is there twice", key.trim_matches('"')),
                (message, _) => format!("this is not TOML: {message}"),
            };
            self.error_at(&span, message)
        })
    }

    /// An error at that place of the text.
    #[must_use]
    pub fn error_at(self, span: &Range<usize>, message: impl Into<String>) -> SourceError {
        self.error_on(self.line_of(span), message)
    }

    /// An error on that line.
    #[must_use]
    pub fn error_on(self, line: usize, message: impl Into<String>) -> SourceError {
        SourceError { file: self.name.to_owned(), line, message: message.into() }
    }

    /// The line that a place of the text is on, counted from 1.
    #[must_use]
    pub fn line_of(self, span: &Range<usize>) -> usize {
        self.text.bytes().take(span.start).filter(|b| *b == b'\n').count() + 1
    }
}

/// The entries of a table in the order of the file; the table itself is sorted by name.
#[must_use]
pub fn in_order<'t, 'a>(table: &'t DeTable<'a>) -> Vec<(&'t Spanned<DeString<'a>>, &'t Spanned<DeValue<'a>>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

/// `; did you mean …?` where a name is near enough, else nothing.
pub fn did_you_mean<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> String {
    nearest(word, names).map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

/// The name that differs from `word` by the fewest slips: one in three letters at most, or the word is no slip of it.
pub fn nearest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    names
        .map(|name| (strsim::damerau_levenshtein(&word, &name.to_lowercase()), name))
        .filter(|(slips, name)| *slips <= (name.chars().count().max(3)) / 3)
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_name_and_another_word_finds_none() {
        let names = ["cancel-backend", "cancel-job", "quit", "help"];
        let table = [
            ("cancel-backed", Some("cancel-backend")),
            ("Quit", Some("quit")),
            ("qiut", Some("quit")),
            ("hlep", Some("help")),
            ("terminate", None),
            ("", None),
        ];
        for (word, name) in table {
            assert_eq!(nearest(word, names.into_iter()), name, "{word}");
        }
    }

    #[test]
    fn an_error_names_file_and_line() {
        let source = Source { name: "mine.toml", text: "a = 1\n\nb = nonsense\n" };
        let error = source.parse().map(|_| ()).unwrap_err();
        assert_eq!((error.file.as_str(), error.line), ("mine.toml", 3));
        assert!(error.to_string().starts_with("mine.toml:3: this is not TOML: "), "{error}");
    }

    #[test]
    fn a_key_that_is_there_twice_is_named() {
        let source = Source { name: "mine.toml", text: "[everywhere]\n\"x\" = 'a'\nx = 'b'\n" };
        assert_eq!(source.parse().map(|_| ()).unwrap_err().to_string(), "mine.toml:3: x is there twice");
    }
}
