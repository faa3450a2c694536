//! The cache table and its look-ups: whether it is there, what is in it, and how often the service found what it looked for.
//!
//! It reads no cached value and no more pages of a big table than of a small one.

use crate::model::cache::{CacheContents, CacheState, CacheTable, CacheTarget, CacheView, Lookups};
use crate::model::{ProbeError, ServerText};
use crate::postgres::Rows;

use super::row::{first, rows_of};
use super::seat::Seat;
use super::sql::{self, Value, identifier};
use super::statements::{read_extension, unloaded};

/// Asks for the cache table, its contents and its look-ups.
///
/// # Errors
/// [`ProbeError::Locked`] where somebody holds or awaits an exclusive lock on the table; see [`ProbeError`] for the rest.
pub async fn ask(seat: &mut Seat, table: &str) -> Result<CacheTable, ProbeError> {
    let name = TableName::parse(table);
    let values = [("schema", Value::Text(&name.schema)), ("name", Value::Text(&name.name))];
    let rows = seat.ask(sql::CACHE, &values).await?;
    let target = read_target(&rows)?;
    let state = match read_sight(&rows)? {
        Sight::Nowhere => CacheState::NoTable,
        Sight::Closed(_, state) => state,
        Sight::Readable(found) => CacheState::Read(contents(seat, &found).await?),
    };
    let (lookups, lookups_error) = match lookups(seat, &name.name).await {
        Ok(lookups) => (Some(lookups), None),
        Err(error @ (ProbeError::Unreachable(_) | ProbeError::TimedOut(_))) => return Err(error),
        Err(error) => (None, Some(error)),
    };
    let context = seat.ask(sql::RELATIONS_CONTEXT, &[]).await?;
    let database = first(&context)?.shown("database")?.unwrap_or_default();
    Ok(CacheTable { table: table.into(), database, state, lookups, lookups_error, target })
}

async fn contents(seat: &mut Seat, found: &Found) -> Result<CacheContents, ProbeError> {
    if found.locked {
        return Err(ProbeError::Locked(format!(
            "somebody holds or awaits ACCESS EXCLUSIVE on {}",
            found.name.escaped()
        )));
    }
    let (bytes, heap) = read_size(&seat.ask(sql::CACHE_SIZE, &[("oid", Value::Integer(i64::from(found.oid)))]).await?)?;
    let percent = percent(heap);
    let values = [
        ("schema", Value::Name(found.schema.raw())),
        ("name", Value::Name(found.name.raw())),
        ("percent", Value::Real(percent)),
    ];
    read_contents(&seat.ask(sql::CACHE_CONTENTS, &values).await?, percent, bytes)
}

async fn lookups(seat: &mut Seat, name: &str) -> Result<Lookups, ProbeError> {
    let extension = read_extension(&seat.ask(sql::STATEMENTS_SCHEMA, &[]).await?)?;
    let pattern = pattern(name);
    let values = [("schema", Value::Name(extension.schema.raw())), ("pattern", Value::Text(&pattern))];
    read_lookups(&seat.ask(sql::CACHE_LOOKUPS, &values).await.map_err(unloaded)?)
}

/// Pages of the table that are read at most: 64 MB, about 50 ms from memory.
const MOST_PAGES: f64 = 8192.0;

/// The table's name as configured, split as PostgreSQL would: folded to lower case unless quoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableName {
    /// The schema, empty where none was given.
    pub schema: String,
    /// The table.
    pub name: String,
}

impl TableName {
    /// Reads `name`, `schema.name`, `"Odd.Name"`. Never fails: what it cannot split is taken for a name.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut parts = vec![String::new()];
        let mut quoted = false;
        let mut chars = text.trim().chars().peekable();
        while let Some(c) = chars.next() {
            let Some(part) = parts.last_mut() else { break };
            match c {
                '"' if quoted && chars.peek() == Some(&'"') => {
                    chars.next();
                    part.push('"');
                }
                '"' => quoted = !quoted,
                '.' if !quoted => parts.push(String::new()),
                other if quoted => part.push(other),
                other => part.extend(other.to_lowercase()),
            }
        }
        match <[String; 2]>::try_from(parts) {
            Ok([schema, name]) => Self { schema, name },
            Err(parts) => Self { schema: String::new(), name: parts.join(".") },
        }
    }
}

/// A cache table that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// OID.
    pub oid: u32,
    /// Schema.
    pub schema: ServerText,
    /// Name.
    pub name: ServerText,
    /// Bytes by `relpages`.
    pub bytes: i64,
    /// Somebody holds or awaits an exclusive lock on it, its TOAST table or an index.
    pub locked: bool,
}

/// What `cache.sql` says.
#[derive(Debug, Clone, PartialEq)]
pub enum Sight {
    /// The table is there and may be read.
    Readable(Found),
    /// It is there, and that is all; the state is final but for its size.
    Closed(Found, CacheState),
    /// There is no such table.
    Nowhere,
}

/// Reads the answer to `cache.sql`.
///
/// # Errors
/// [`ProbeError::Shape`] where a column is missing or unreadable, or where the table is no cache table.
pub fn read_sight(rows: &Rows) -> Result<Sight, ProbeError> {
    let Some(row) = rows_of(rows).next() else { return Ok(Sight::Nowhere) };
    let found = Found {
        oid: row.need("oid")?,
        schema: row.plain("schema")?.unwrap_or_default(),
        name: row.plain("name")?.unwrap_or_default(),
        bytes: row.need("bytes")?,
        locked: row.flag("locked")?,
    };
    if row.flag("unreadable")? {
        return Ok(Sight::Closed(found, CacheState::UnloggedOnStandby));
    }
    let (may_use, may_select) = (row.flag("may_use")?, row.flag("may_select")?);
    if !may_use || !may_select {
        let user = row.shown("user")?.unwrap_or_default();
        let cure = grant_select(&found, may_use, may_select, &user);
        let bytes = Some(found.bytes);
        return Ok(Sight::Closed(found, CacheState::Denied { cure, bytes }));
    }
    if !row.flag("shaped")? {
        return Err(ProbeError::Shape(format!(
            "{} has no columns cache_key, cache_value, expires_at",
            found.name.escaped()
        )));
    }
    Ok(Sight::Readable(found))
}

/// Reads the table itself from the answer to `cache.sql`.
///
/// # Errors
/// [`ProbeError::Shape`] where a column is missing or unreadable.
pub fn read_target(rows: &Rows) -> Result<Option<Box<CacheTarget>>, ProbeError> {
    let Some(row) = rows_of(rows).next() else { return Ok(None) };
    Ok(Some(Box::new(CacheTarget {
        oid: row.need("oid")?,
        schema: row.plain("schema")?.unwrap_or_default(),
        name: row.plain("name")?.unwrap_or_default(),
        kind: row.text("kind")?.and_then(|kind| kind.chars().next()).unwrap_or('r'),
        clock: row.string("clock")?.unwrap_or_default(),
        may_remove: row.flag("may_remove")?,
        triggers: row.need("triggers")?,
        references: row.need("references")?,
        row_security: row.flag("row_security")?,
    })))
}

fn grant_select(found: &Found, may_use: bool, may_select: bool, user: &ServerText) -> String {
    let [schema, name, user] =
        [found.schema.raw(), found.name.raw(), user.raw()].map(|text| identifier(text).unwrap_or_default());
    let mut grants = Vec::new();
    if !may_use {
        grants.push(format!("GRANT USAGE ON SCHEMA {schema} TO {user}"));
    }
    if !may_select {
        grants.push(format!("GRANT SELECT ON {schema}.{name} TO {user}"));
    }
    grants.join("; ")
}

/// Reads the answer to `cache_size.sql`: all bytes, and those of the heap.
///
/// # Errors
/// [`ProbeError::Shape`] where a column is missing or unreadable.
pub fn read_size(rows: &Rows) -> Result<(Option<i64>, i64), ProbeError> {
    let row = first(rows)?;
    Ok((row.number("bytes")?, row.number("heap_bytes")?.unwrap_or(0)))
}

/// The part of the table to read, in percent, for a heap of so many bytes.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a share of a size")]
pub fn percent(heap_bytes: i64) -> f64 {
    let pages = heap_bytes as f64 / 8192.0;
    if pages <= MOST_PAGES { 100.0 } else { (MOST_PAGES / pages * 100.0).max(0.001) }
}

/// Reads the answer to `cache_contents.sql`, of which `percent` was read.
///
/// # Errors
/// [`ProbeError::Shape`] where a column is missing or unreadable.
pub fn read_contents(rows: &Rows, percent: f64, bytes: Option<i64>) -> Result<CacheContents, ProbeError> {
    let mut contents = CacheContents { bytes, sampled: percent < 100.0, ..CacheContents::default() };
    for row in rows_of(rows) {
        let [counted, expired, size] = [row.need("rows")?, row.need("expired")?, row.need("bytes")?];
        let [counted, expired, size] = [counted, expired, size].map(|figure: i64| scaled(figure, percent));
        if row.flag("is_total")? {
            contents.rows = counted;
            contents.expired = expired;
        } else {
            let view = row.plain("view")?.unwrap_or_default();
            contents.views.push(CacheView { view, rows: counted, expired, bytes: size });
        }
    }
    Ok(contents)
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "an estimate from a sample")]
fn scaled(figure: i64, percent: f64) -> i64 {
    if percent < 100.0 { (figure as f64 * 100.0 / percent).round() as i64 } else { figure }
}

/// Reads the answer to `cache_lookups.sql`.
///
/// # Errors
/// [`ProbeError::Shape`] where a column is missing or unreadable.
pub fn read_lookups(rows: &Rows) -> Result<Lookups, ProbeError> {
    let row = first(rows)?;
    Ok(Lookups { calls: row.need("calls")?, rows: row.need("rows")?, hidden: row.need("hidden")? })
}

/// A regular expression that matches the table's name as it stands in a statement, bare or quoted.
#[must_use]
pub fn pattern(name: &str) -> String {
    let mut pattern = String::new();
    for c in name.chars() {
        if !c.is_alphanumeric() && c != '_' {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    format!("{pattern}\"?(\\s|$)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_name_is_split_as_postgresql_would() {
        let split = |text: &str| {
            let TableName { schema, name } = TableName::parse(text);
            (schema, name)
        };
        assert_eq!(split("Fraiseql_Cache"), (String::new(), "fraiseql_cache".to_owned()));
        assert_eq!(split("app.Cache"), ("app".to_owned(), "cache".to_owned()));
        assert_eq!(split("\"App\".\"the \"\"c.ache\""), ("App".to_owned(), "the \"c.ache".to_owned()));
        assert_eq!(split("a.b.c"), (String::new(), "a.b.c".to_owned()));
    }

    #[test]
    fn a_big_table_is_read_in_part_and_the_figures_are_scaled_up() {
        assert!((percent(1 << 20) - 100.0).abs() < f64::EPSILON);
        let part = percent(8192 * 81_920);
        assert!((part - 10.0).abs() < 1e-9);
        assert_eq!(scaled(5, part), 50);
        assert_eq!(scaled(5, 100.0), 5);
    }

    #[test]
    fn a_name_is_matched_literally() {
        assert_eq!(pattern("c.1"), "c\\.1\"?(\\s|$)");
        assert_eq!(pattern("fraiseql_cache"), "fraiseql_cache\"?(\\s|$)");
    }
}
