//! A regular expression that a whole text must match: what the settings say of names.
//!
//! It looks at raw names, as the server has them, never at what is shown of them.

use regex::{Regex, RegexBuilder};
use serde::{Serialize, Serializer};

/// The longest expression, in bytes; a list of names is several expressions.
const LONGEST: usize = 1000;

/// The most memory that a compiled expression may take: `a{1000}{1000}` would take gigabytes.
const MOST_BYTES: usize = 1 << 20;

/// A regular expression that a text matches only from its first character to its last: `shop` is not `shop_owner`, and
/// `shop.*` is both. `.` stands for any character, a line end too, so that no name slips through `.*`.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: String,
    regex: Regex,
}

impl Pattern {
    /// Reads an expression.
    ///
    /// # Errors
    /// A sentence without its subject, where it is none, or too large a one.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("is empty".to_owned());
        }
        if text.len() > LONGEST {
            return Err(format!("has {} bytes, more than {LONGEST}", text.len()));
        }
        // By itself first: `a)|(b` is none, though between other brackets it would be.
        build(text)?;
        Ok(Self { text: text.to_owned(), regex: build(&format!(r"\A(?:{text})\z"))? })
    }

    /// True where the whole of `name` matches.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        self.regex.is_match(name)
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

fn build(text: &str) -> Result<Regex, String> {
    RegexBuilder::new(text).dot_matches_new_line(true).size_limit(MOST_BYTES).build().map_err(|e| {
        let e = e.to_string();
        let reason = e.lines().last().unwrap_or_default().trim_start_matches("error: ");
        format!("is no regular expression: {reason}")
    })
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_matches_as_a_whole_or_not_at_all() {
        let table = [
            ("shop", "shop", true),
            ("shop", "shop_owner", false),
            ("shop", "my shop", false),
            ("shop", "Shop", false),
            ("(?i)shop", "Shop", true),
            ("shop.*", "shop_owner", true),
            ("shop|crm", "crm", true),
            ("shop|crm", "crm2", false),
            ("a|ab", "ab", true),
            ("^shop$", "shop", true),
            (".*", "line\nline", true),
            (".+", "", false),
            ("shop", "shop\n", false),
            ("\u{202e}x", "\u{202e}x", true),
        ];
        for (text, name, expected) in table {
            assert_eq!(Pattern::new(text).unwrap().matches(name), expected, "{text} {name:?}");
        }
    }

    #[test]
    fn what_is_no_expression_or_too_large_a_one_is_refused_with_a_sentence() {
        let long = "a".repeat(LONGEST + 1);
        let table = [
            ("", "is empty"),
            ("shop(", "is no regular expression: unclosed group"),
            ("a)|(b", "is no regular expression: unopened group"),
            ("(?x)a # b", "is no regular expression: unclosed group"),
            ("a{1000}{1000}", "is no regular expression: Compiled regex exceeds size limit of 1048576 bytes."),
            (&long, "has 1001 bytes, more than 1000"),
        ];
        for (text, reason) in table {
            assert_eq!(Pattern::new(text).unwrap_err(), reason, "{text:.20}");
        }
    }
}
