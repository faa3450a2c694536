//! One row of an answer, read column by column with the name of what is wrong where something is.
//!
//! All values arrive as text (the simple protocol); bytes of unknown encoding arrive escaped and become text here, once.

use std::str::FromStr;

use crate::model::{ProbeError, ServerText};
use crate::postgres::{self, Rows, decoded, unescaped};

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

/// Reads `1,2,3`; each pid once, in the order given.
///
/// # Errors
/// [`ProbeError::Shape`] where one is no number.
pub fn pids(list: &str) -> Result<Vec<i32>, ProbeError> {
    let mut pids: Vec<i32> = Vec::new();
    for word in list.split(',').filter(|w| !w.is_empty()) {
        let pid = word.parse().map_err(|_| ProbeError::Shape(format!("blocked_by: {list}")))?;
        if !pids.contains(&pid) {
            pids.push(pid);
        }
    }
    Ok(pids)
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
