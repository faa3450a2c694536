//! Owns `Params`, the keyword → value pairs of a connection before they mean anything, and reads the `key=value` form.
//!
//! It must not look at the environment or at files: it knows text only, as libpq's `conninfo_parse` does.

use super::conninfo::ConninfoError;
use super::keyword::keyword;
use std::collections::BTreeMap;

/// Values by keyword. A value that was given as empty is present: it hides the environment's, as in libpq.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Params(BTreeMap<&'static str, String>);

impl Params {
    /// The value of a keyword, empty or not.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The value of a keyword unless it is absent or empty.
    pub fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// Sets a value over any earlier one; `requiressl` is libpq's old spelling of two `sslmode`s.
    ///
    /// # Errors
    /// An unknown keyword is refused with psql's words.
    pub fn set(&mut self, name: &str, value: impl Into<String>) -> Result<(), ConninfoError> {
        let mut value = value.into();
        let mut name = name;
        if name == "requiressl" {
            name = "sslmode";
            value = String::from(if value.starts_with('1') { "require" } else { "prefer" });
        }
        let row = keyword(name).ok_or_else(|| ConninfoError::UnknownOption(name.to_owned()))?;
        self.0.insert(row.name, value);
        Ok(())
    }

    /// Sets a value where there is none yet.
    ///
    /// # Errors
    /// An unknown keyword is refused.
    pub fn set_default(&mut self, name: &str, value: impl Into<String>) -> Result<(), ConninfoError> {
        if self.get(name).is_none() { self.set(name, value) } else { Ok(()) }
    }

    /// Lays `over` over these values: where both speak, `over` is right.
    pub fn overlay(&mut self, over: Self) {
        self.0.extend(over.0);
    }

    /// All pairs, by name.
    #[cfg(test)]
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// Reads `host=db1 user='a b'`.
    ///
    /// # Errors
    /// The three refusals of libpq: a missing `=`, an open quote, an unknown keyword.
    pub fn from_words(text: &str) -> Result<Self, ConninfoError> {
        let mut params = Self::default();
        let mut chars = text.chars().peekable();
        loop {
            while chars.next_if(|c| is_space(*c)).is_some() {}
            if chars.peek().is_none() {
                return Ok(params);
            }
            let mut name = String::new();
            while let Some(c) = chars.next_if(|c| *c != '=' && !is_space(*c)) {
                name.push(c);
            }
            while chars.next_if(|c| is_space(*c)).is_some() {}
            if chars.next_if_eq(&'=').is_none() {
                return Err(ConninfoError::MissingEquals(name));
            }
            while chars.next_if(|c| is_space(*c)).is_some() {}
            let quoted = chars.next_if_eq(&'\'').is_some();
            let mut value = String::new();
            loop {
                match chars.next() {
                    None if quoted => return Err(ConninfoError::OpenQuote),
                    None => break,
                    Some('\'') if quoted => break,
                    Some(c) if !quoted && is_space(c) => break,
                    Some('\\') => value.extend(chars.next()),
                    Some(c) => value.push(c),
                }
            }
            params.set(&name, value)?;
        }
    }
}

/// C's `isspace` in the C locale.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(&'static str, String)> {
        Params::from_words(text).expect("readable").iter().map(|(n, v)| (n, v.to_owned())).collect()
    }

    #[test]
    fn words_may_be_quoted_escaped_and_spaced() {
        assert_eq!(
            read(r"host = db1  dbname='a \'b\' \\' user=x\ y port="),
            [
                ("dbname", r"a 'b' \".to_owned()),
                ("host", "db1".to_owned()),
                ("port", String::new()),
                ("user", "x y".to_owned())
            ]
        );
        assert_eq!(read("   "), []);
    }

    #[test]
    fn the_last_of_two_equal_keywords_wins() {
        assert_eq!(read("port=1 port=2"), [("port", "2".to_owned())]);
    }

    #[test]
    fn refusals_are_those_of_libpq() {
        let refusal = |text| Params::from_words(text).expect_err("refused").to_string();
        assert_eq!(refusal("host=a nonsense"), r#"missing "=" after "nonsense" in connection info string"#);
        assert_eq!(refusal("host='a"), "unterminated quoted string in connection info string");
        assert_eq!(refusal("hots=a"), r#"invalid connection option "hots""#);
    }

    #[test]
    fn requiressl_is_the_old_spelling_of_sslmode() {
        assert_eq!(read("requiressl=1"), [("sslmode", "require".to_owned())]);
        assert_eq!(read("requiressl=0"), [("sslmode", "prefer".to_owned())]);
    }
}
