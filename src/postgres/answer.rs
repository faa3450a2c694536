//! Owns the collecting of answers into `Rows`: of the simple protocol, and of one statement with typed parameters.
//!
//! It must not bound or retry anything; `link` does the first and nobody the second.

use super::rows::Rows;
use futures_util::TryStreamExt as _;
use std::pin::pin;
use std::sync::Arc;
use tokio_postgres::types::{FromSql, ToSql, Type};
use tokio_postgres::{Client, Error, Row, SimpleQueryMessage, SimpleQueryRow};

/// A parameter of a statement, with its type.
#[derive(Debug, Clone, PartialEq)]
pub enum Param {
    /// `text`; cast in the statement to what has no type here (`$2::text::timestamptz`).
    Text(Option<String>),
    /// `int4`, such as a process id.
    Int4(i32),
    /// `int8`.
    Int8(i64),
    /// `oid`.
    Oid(u32),
    /// `bool`.
    Bool(bool),
}

impl Param {
    fn typed(&self) -> (&(dyn ToSql + Sync), Type) {
        match self {
            Self::Text(value) => (value, Type::TEXT),
            Self::Int4(value) => (value, Type::INT4),
            Self::Int8(value) => (value, Type::INT8),
            Self::Oid(value) => (value, Type::OID),
            Self::Bool(value) => (value, Type::BOOL),
        }
    }
}

/// Why there are no rows.
#[derive(Debug)]
pub enum Trouble {
    Postgres(Error),
    Shape(String),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Postgres(error)
    }
}

/// Runs a text of one or more statements; the last one with columns answers.
pub async fn simple(client: &Client, text: &str) -> Result<Rows, Trouble> {
    let mut stream = pin!(client.simple_query_raw(text).await?);
    let mut answer = Rows::default();
    let mut is_open = false;
    while let Some(message) = stream.try_next().await? {
        if let SimpleQueryMessage::RowDescription(columns) = &message {
            answer = Rows::new(columns.iter().map(|column| column.name().to_owned()).collect());
            is_open = true;
        } else if let SimpleQueryMessage::Row(row) = &message {
            answer.push(texts(row)?);
        } else if let SimpleQueryMessage::CommandComplete(count) = message
            && (is_open || answer.columns().is_empty())
        {
            answer.affected = Some(count);
            is_open = false;
        }
    }
    Ok(answer)
}

fn texts(row: &SimpleQueryRow) -> Result<Vec<Option<String>>, Trouble> {
    let columns = row.columns().iter().enumerate();
    columns
        .map(|(at, column)| match row.try_get(at) {
            Ok(value) => Ok(value.map(str::to_owned)),
            Err(_) => Err(Trouble::Shape(format!("column \"{}\" is not UTF-8", column.name()))),
        })
        .collect()
}

/// Runs one statement with parameters: Parse, Bind, Execute and Sync in one packet, nothing kept on the server.
pub async fn typed(client: Arc<Client>, sql: String, params: Vec<Param>) -> Result<Rows, Trouble> {
    let typed = params.iter().map(Param::typed);
    let mut stream = pin!(client.query_typed_raw(&sql, typed).await?);
    let mut answer: Option<Rows> = None;
    while let Some(row) = stream.try_next().await? {
        let answer = answer
            .get_or_insert_with(|| Rows::new(row.columns().iter().map(|column| column.name().to_owned()).collect()));
        answer.push((0..row.len()).map(|at| cell(&row, at)).collect::<Result<_, _>>()?);
    }
    let mut answer = answer.unwrap_or_default();
    answer.affected = stream.rows_affected();
    Ok(answer)
}

/// A value of type `json`, which travels as its text in both formats.
struct Json(String);

impl<'a> FromSql<'a> for Json {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(std::str::from_utf8(raw)?.to_owned()))
    }

    fn accepts(of: &Type) -> bool {
        *of == Type::JSON
    }
}

/// The value as PostgreSQL prints it; types whose binary form is not known here are cast in the statement.
fn cell(row: &Row, at: usize) -> Result<Option<String>, Trouble> {
    let Some(column) = row.columns().get(at) else { return Ok(None) };
    let text = match *column.type_() {
        Type::BOOL => row.try_get::<_, Option<bool>>(at)?.map(|truth| if truth { "t" } else { "f" }.to_owned()),
        Type::INT2 => row.try_get::<_, Option<i16>>(at)?.map(|number| number.to_string()),
        Type::INT4 => row.try_get::<_, Option<i32>>(at)?.map(|number| number.to_string()),
        Type::INT8 => row.try_get::<_, Option<i64>>(at)?.map(|number| number.to_string()),
        Type::OID => row.try_get::<_, Option<u32>>(at)?.map(|number| number.to_string()),
        Type::FLOAT8 => row.try_get::<_, Option<f64>>(at)?.map(|number| number.to_string()),
        Type::TEXT | Type::VARCHAR | Type::NAME | Type::BPCHAR | Type::UNKNOWN => row.try_get(at)?,
        Type::JSON => row.try_get::<_, Option<Json>>(at)?.map(|json| json.0),
        // The answer of pg_sleep and its like.
        Type::VOID => Some(String::new()),
        ref other => {
            let (name, kind) = (column.name(), other.name());
            return Err(Trouble::Shape(format!("column \"{name}\" is of type {kind}: cast it to text")));
        }
    };
    Ok(text)
}
