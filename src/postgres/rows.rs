//! Owns `Rows`, an answer as text, and its typed accessors by column name.
//!
//! It must never panic on what a server sent: a wrong name or an unreadable value is an error that names both.

use super::error::{AskError, ServerMessage};
use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;

/// The rows of one statement, every value as PostgreSQL prints it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    columns: Arc<[String]>,
    values: Vec<Vec<Option<String>>>,
    /// How many rows the command tag counted, such as the 3 of `UPDATE 3`.
    pub affected: Option<u64>,
    /// What the server said besides; a `WARNING` among it may mean that nothing was done.
    pub notices: Vec<ServerMessage>,
}

impl Rows {
    pub(super) fn new(columns: Vec<String>) -> Self {
        Self { columns: columns.into(), ..Self::default() }
    }

    /// An answer made up by a test.
    #[cfg(test)]
    pub(crate) fn made_up(columns: &[&str], rows: &[&[Option<&str>]]) -> Self {
        let owned = |row: &&[Option<&str>]| row.iter().map(|value| value.map(str::to_owned)).collect();
        let columns = columns.iter().map(|&column| column.to_owned()).collect();
        Self { values: rows.iter().map(owned).collect(), ..Self::new(columns) }
    }

    pub(super) fn push(&mut self, row: Vec<Option<String>>) {
        self.values.push(row);
    }

    /// The names of the columns.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The first row.
    #[must_use]
    pub fn first(&self) -> Option<Row<'_>> {
        self.iter().next()
    }

    /// All rows.
    #[must_use = "an iterator does nothing by itself"]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Row<'_>> {
        self.values.iter().map(|values| Row { columns: &self.columns, values })
    }

    /// Whether the server warned.
    #[must_use]
    pub fn has_warning(&self) -> bool {
        self.notices.iter().any(ServerMessage::is_warning)
    }
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    columns: &'a [String],
    values: &'a [Option<String>],
}

/// The accessors of one type: the value, and the value or NULL.
macro_rules! accessors {
    ($($name:ident, $opt:ident, $type:ty, $noun:literal;)*) => {$(
        #[doc = concat!("The column as ", $noun, ".\n\n# Errors\nNo such column, NULL, or no such value.")]
        pub fn $name(&self, column: &str) -> Result<$type, AskError> {
            parsed(column, self.text(column)?, $noun)
        }

        #[doc = concat!("The column as ", $noun, ", or NULL.\n\n# Errors\nNo such column, or no such value.")]
        pub fn $opt(&self, column: &str) -> Result<Option<$type>, AskError> {
            self.opt_text(column)?.map(|text| parsed(column, text, $noun)).transpose()
        }
    )*};
}

impl<'a> Row<'a> {
    accessors! {
        i32, opt_i32, i32, "a 32-bit number";
        i64, opt_i64, i64, "a 64-bit number";
        u32, opt_u32, u32, "an unsigned 32-bit number, such as an OID or an XID";
        u64, opt_u64, u64, "an unsigned 64-bit number";
        f64, opt_f64, f64, "a number";
    }

    /// The column as text, or NULL.
    ///
    /// # Errors
    /// No such column.
    pub fn opt_text(&self, column: &str) -> Result<Option<&'a str>, AskError> {
        let at = self.columns.iter().position(|name| name == column);
        match at.and_then(|at| self.values.get(at)) {
            Some(value) => Ok(value.as_deref()),
            None => Err(AskError::Shape(format!("the answer has no column \"{column}\""))),
        }
    }

    /// The column as text.
    ///
    /// # Errors
    /// No such column, or NULL.
    pub fn text(&self, column: &str) -> Result<&'a str, AskError> {
        self.opt_text(column)?.ok_or_else(|| AskError::Shape(format!("column \"{column}\" is NULL")))
    }

    /// The column as a boolean.
    ///
    /// # Errors
    /// No such column, NULL, or neither `t` nor `f`.
    pub fn bool(&self, column: &str) -> Result<bool, AskError> {
        truth(column, self.text(column)?)
    }

    /// The column as a boolean, or NULL.
    ///
    /// # Errors
    /// No such column, or neither `t` nor `f`.
    pub fn opt_bool(&self, column: &str) -> Result<Option<bool>, AskError> {
        self.opt_text(column)?.map(|text| truth(column, text)).transpose()
    }

    /// The text behind `encode(bytea, 'escape')`: what is not UTF-8 in it becomes U+FFFD.
    ///
    /// # Errors
    /// No such column, NULL, or a broken escape.
    pub fn escaped_bytes(&self, column: &str) -> Result<String, AskError> {
        unescaped(column, self.text(column)?)
    }

    /// As `escaped_bytes`, or NULL.
    ///
    /// # Errors
    /// No such column, or a broken escape.
    pub fn opt_escaped_bytes(&self, column: &str) -> Result<Option<String>, AskError> {
        self.opt_text(column)?.map(|text| unescaped(column, text)).transpose()
    }
}

fn wrong(column: &str, value: impl Display, noun: &str) -> AskError {
    AskError::Shape(format!("column \"{column}\" is not {noun}: \"{value}\""))
}

fn parsed<T: FromStr>(column: &str, text: &str, noun: &str) -> Result<T, AskError> {
    text.parse().map_err(|_| wrong(column, text, noun))
}

fn truth(column: &str, text: &str) -> Result<bool, AskError> {
    match text {
        "t" | "true" | "on" => Ok(true),
        "f" | "false" | "off" => Ok(false),
        other => Err(wrong(column, other, "a boolean")),
    }
}

/// bytea's escape format: `\\` is a backslash, `\ooo` a byte in octal, everything else itself.
fn unescaped(column: &str, text: &str) -> Result<String, AskError> {
    if !text.contains('\\') {
        return Ok(text.to_owned());
    }
    let broken = || wrong(column, text, "in bytea's escape format");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        let first = rest.next().ok_or_else(broken)?;
        if first == b'\\' {
            bytes.push(b'\\');
            continue;
        }
        let octal = [Some(first), rest.next(), rest.next()];
        let value = octal.into_iter().try_fold(0_u32, |value, digit| {
            digit.and_then(|digit| char::from(digit).to_digit(8)).map(|digit| value * 8 + digit)
        });
        bytes.push(value.and_then(|value| u8::try_from(value).ok()).ok_or_else(broken)?);
    }
    Ok(String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Rows {
        let mut rows = Rows::new(["n", "big", "t", "none", "e"].map(str::to_owned).to_vec());
        rows.push(
            ["-7", "18446744073709551615", "t"]
                .map(|v| Some(v.to_owned()))
                .into_iter()
                .chain([None, Some(r"a\\b\377\303\251".to_owned())])
                .collect(),
        );
        rows
    }

    #[test]
    fn values_are_read_by_name_and_type() {
        let rows = rows();
        let row = rows.first().expect("one row");
        assert_eq!(row.i32("n"), Ok(-7));
        assert_eq!(row.opt_f64("n"), Ok(Some(-7.0)));
        assert_eq!(row.u64("big"), Ok(u64::MAX));
        assert_eq!(row.bool("t"), Ok(true));
        assert_eq!(row.opt_i64("none"), Ok(None));
        assert_eq!(row.opt_text("none"), Ok(None));
    }

    #[test]
    fn a_wrong_name_null_and_an_unreadable_value_are_named() {
        let rows = rows();
        let row = rows.first().expect("one row");
        let said = |result: Result<u32, AskError>| result.expect_err("refused").to_string();
        assert_eq!(said(row.u32("nope")), r#"the answer has no column "nope""#);
        assert_eq!(said(row.u32("none")), r#"column "none" is NULL"#);
        assert_eq!(
            said(row.u32("n")),
            r#"column "n" is not an unsigned 32-bit number, such as an OID or an XID: "-7""#
        );
        assert!(row.bool("n").is_err());
    }

    #[test]
    fn bytes_that_are_no_utf8_are_marked_and_the_rest_is_kept() {
        let rows = rows();
        let row = rows.first().expect("one row");
        assert_eq!(row.escaped_bytes("e").as_deref(), Ok("a\\b\u{fffd}é"));
        assert_eq!(row.opt_escaped_bytes("none"), Ok(None));
        assert!(unescaped("x", r"\9").is_err());
        assert!(unescaped("x", r"\777").is_err());
        assert!(unescaped("x", "\\").is_err());
    }
}
