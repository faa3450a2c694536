//! One row of an answer, read column by column with the name of what is wrong where something is.
//!
//! All values arrive as text (the simple protocol); bytes of unknown encoding arrive escaped and become text here, once.

use std::str::FromStr;

use crate::model::{ProbeError, ServerText};
use crate::postgres::{self, Rows};

/// A row of [`Rows`].
#[derive(Debug, Clone, Copy)]
pub struct Row<'a>(postgres::Row<'a>);

/// All rows of an answer.
pub fn rows_of(rows: &Rows) -> impl Iterator<Item = Row<'_>> {
    rows.iter().map(Row)
}

/// The first row of an answer that always has one.
///
/// # Errors
/// [`ProbeError::Shape`] where there is none.
pub fn first(rows: &Rows) -> Result<Row<'_>, ProbeError> {
    rows_of(rows).next().ok_or_else(|| ProbeError::Shape("no row".to_owned()))
}

impl<'a> Row<'a> {
    /// A value as the server wrote it; none for NULL.
    ///
    /// # Errors
    /// [`ProbeError::Shape`] where there is no such column.
    pub fn text(&self, column: &str) -> Result<Option<&'a str>, ProbeError> {
        self.0.opt_text(column).map_err(|error| ProbeError::Shape(error.to_string()))
    }

    /// As [`Row::text`], owned.
    ///
    /// # Errors
    /// [`ProbeError::Shape`] where there is no such column.
    pub fn string(&self, column: &str) -> Result<Option<String>, ProbeError> {
        Ok(self.text(column)?.map(str::to_owned))
    }

    /// A name or text that the server converted to our encoding.
    ///
    /// # Errors
    /// [`ProbeError::Shape`] where there is no such column.
    pub fn plain(&self, column: &str) -> Result<Option<ServerText>, ProbeError> {
        Ok(self.text(column)?.map(ServerText::from))
    }

    /// A name or text that the statement sent as `encode(…, 'escape')`, since it may be in any encoding.
    ///
    /// # Errors
    /// [`ProbeError::Shape`] where there is no such column.
    pub fn shown(&self, column: &str) -> Result<Option<ServerText>, ProbeError> {
        Ok(self.text(column)?.map(|escaped| ServerText::new(decoded(unescaped(escaped)))))
    }

    /// True where what [`Row::shown`] gives for that column is what the server has, not a guess at its encoding.
    ///
    /// # Errors
    /// [`ProbeError::Shape`] where there is no such column.
    pub fn is_exact(&self, column: &str) -> Result<bool, ProbeError> {
        Ok(self.text(column)?.is_none_or(|escaped| String::from_utf8(unescaped(escaped)).is_ok()))
    }

    /// A number; none for NULL.
    ///
    /// # Errors
    /// [`ProbeError::Shape`] where there is no such column, or no such number.
    pub fn number<T: FromStr>(&self, column: &str) -> Result<Option<T>, ProbeError> {
        match self.text(column)? {
            None => Ok(None),
            Some(text) => match text.parse() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(ProbeError::Shape(format!("{column} = {text}"))),
            },
        }
    }

    /// A number that is never NULL.
    ///
    /// # Errors
    /// [`ProbeError::Shape`] where it is NULL, not there or no such number.
    pub fn need<T: FromStr>(&self, column: &str) -> Result<T, ProbeError> {
        self.number(column)?.ok_or_else(|| ProbeError::Shape(format!("{column} is null")))
    }

    /// A truth value; NULL is false.
    ///
    /// # Errors
    /// [`ProbeError::Shape`] where there is no such column, or no truth value.
    pub fn flag(&self, column: &str) -> Result<bool, ProbeError> {
        match self.text(column)? {
            Some("t") => Ok(true),
            Some("f") | None => Ok(false),
            Some(other) => Err(ProbeError::Shape(format!("{column} = {other}"))),
        }
    }
}

/// The bytes behind PostgreSQL's `escape` format: `\\` for a backslash, `\ooo` for a zero or a byte above 127.
#[must_use]
pub fn unescaped(escaped: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(escaped.len());
    let mut rest = escaped.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        match rest.next() {
            Some(first @ b'0'..=b'3') => {
                let [second, third] = [rest.next(), rest.next()].map(|d| d.unwrap_or(b'0').wrapping_sub(b'0') & 7);
                bytes.push((first - b'0') << 6 | second << 3 | third);
            }
            Some(other) => bytes.push(other),
            None => {}
        }
    }
    bytes
}

/// Text of unknown encoding: UTF-8 where it is that, but for a last character that was cut; else each byte as in LATIN1,
/// the encoding of most other databases, which loses nothing and makes Western texts readable.
#[must_use]
pub fn decoded(bytes: Vec<u8>) -> String {
    let error = match String::from_utf8(bytes) {
        Ok(text) => return text,
        Err(error) => error,
    };
    let valid = error.utf8_error().valid_up_to();
    // A text cut at track_activity_query_size or by our own limit may end in the middle of a character; a LATIN1 text may
    // end in an accented letter, but then hardly has another letter of two bytes before it.
    let cut = error.utf8_error().error_len().is_none();
    let mut bytes = error.into_bytes();
    let others = bytes.iter().take(valid).any(|b| !b.is_ascii());
    if cut && (others || valid + 1 < bytes.len()) {
        bytes.truncate(valid);
        return String::from_utf8(bytes).unwrap_or_default();
    }
    bytes.into_iter().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_bytes_come_back_as_they_were() {
        assert_eq!(unescaped("a\\\\n\\351\\000"), b"a\\n\xe9\0");
        assert_eq!(unescaped("\\"), b"");
    }

    #[test]
    fn a_text_is_utf8_where_it_can_be_and_latin1_otherwise() {
        assert_eq!(decoded("caf\u{e9} 漢".into()), "caf\u{e9} 漢");
        assert_eq!(decoded(b"caf\xe9 x".to_vec()), "caf\u{e9} x");
        assert_eq!(decoded(b"caf\xe9".to_vec()), "caf\u{e9}", "a LATIN1 text may end so");
    }

    #[test]
    fn a_character_that_was_cut_does_not_spoil_the_text() {
        assert_eq!(decoded(b"caf\xc3\xa9 \xe6".to_vec()), "caf\u{e9} ");
        assert_eq!(decoded(b"plain \xe6\xbc".to_vec()), "plain ");
    }
}
