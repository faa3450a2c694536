//! `pg_stat_statements`: whether it is there, the counters of all entries, and the texts of those whose text is not known yet.
//!
//! What the view has is told by the extension's version, not by the server's: an upgraded server keeps the old view until
//! somebody says `ALTER EXTENSION … UPDATE`. It computes no rate; that takes two answers.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::statement::{
    EntryKey, Statement, StatementOrder, StatementText, StatementTotals, Statements, StatementsInfo,
};
use crate::model::{ProbeError, ServerText};
use crate::postgres::Rows;

use super::own;
use super::row::{Row, first, rows_of};
use super::seat::Seat;
use super::sql::{self, Value};

/// Entries that are read at most: the default of `pg_stat_statements.max`. A list of counters of so many is 0.7 MB.
const MOST: i64 = 5000;

/// Texts that are asked for in one answer: a first look at a full table would otherwise bring megabytes at once.
const TEXTS_AT_ONCE: usize = 500;

/// The texts that one connection has brought; each is sent once.
#[derive(Debug, Default)]
pub struct Sent(BTreeSet<i64>);

/// The extension in one database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// Its schema.
    pub schema: ServerText,
    /// Its version, such as `1.10`.
    pub version: String,
    /// The major of PostgreSQL that came with this form of the view.
    pub form: i32,
    /// The database.
    pub database: ServerText,
}

/// Asks for the counters, by that order, and for texts that are not in `known`; those of the `writer` are ours, too.
///
/// # Errors
/// [`ProbeError::Absent`] where the extension is not installed here, not loaded, or too old; see [`ProbeError`] for the rest.
pub async fn ask(
    seat: &mut Seat,
    order: StatementOrder,
    known: &mut Sent,
    writer: &[&str],
) -> Result<Statements, ProbeError> {
    let extension = read_extension(&seat.ask(sql::STATEMENTS_SCHEMA, &[]).await?)?;
    let form = extension.form;
    let schema = ("schema", Value::Name(extension.schema.raw()));
    let context = seat.ask_as(form, sql::STATEMENTS_CONTEXT, &[schema]).await.map_err(unloaded)?;
    let info = seat.ask_as(form, sql::STATEMENTS_INFO, &[schema]).await?;
    let values = [schema, ("order", Value::Text(order.as_str())), ("limit", Value::Integer(MOST))];
    let entries = read_entries(&seat.ask_as(form, sql::STATEMENTS, &values).await?)?;
    let mut answer = read_context(&context, &info, &extension)?;
    answer.order = order;
    let named: BTreeSet<u32> = entries.iter().flat_map(|e| [e.key.user, e.key.database]).collect();
    if !named.is_empty() {
        let keys = joined(named);
        read_names(&seat.ask(sql::STATEMENTS_NAMES, &[("keys", Value::Text(&keys))]).await?, &mut answer)?;
    }
    // Whoever listens forgets the text of an entry that is no more, too.
    let present: BTreeSet<i64> = entries.iter().map(|e| e.key.query).collect();
    known.0.retain(|query| present.contains(query));
    let keys = joined(known.unknown(&entries));
    if !keys.is_empty() {
        match seat.ask(sql::STATEMENTS_TEXTS, &[schema, ("keys", Value::Text(&keys))]).await {
            Ok(rows) => answer.texts = read_texts(&rows, &own::openings(&[seat.major(), form], writer))?,
            Err(error @ (ProbeError::Unreachable(_) | ProbeError::TimedOut(_))) => return Err(error),
            // One text in an encoding that has no place in this database's fails them all; the figures stand.
            Err(error) => answer.texts_error = Some(error),
        }
    }
    known.0.extend(answer.texts.iter().map(|t| t.query));
    answer.entries = entries;
    Ok(answer)
}

/// As one text, so that the statement that takes them is always the same.
fn joined(keys: impl IntoIterator<Item = impl ToString>) -> String {
    keys.into_iter().map(|key| key.to_string()).collect::<Vec<_>>().join(",")
}

impl Sent {
    /// The first entries' keys whose texts were not sent.
    fn unknown(&self, entries: &[Statement]) -> BTreeSet<i64> {
        let mut unknown = BTreeSet::new();
        for query in entries.iter().map(|e| e.key.query).filter(|query| !self.0.contains(query)) {
            if unknown.len() == TEXTS_AT_ONCE {
                break;
            }
            unknown.insert(query);
        }
        unknown
    }
}

/// Reads the answer to `statements_schema.sql`.
///
/// # Errors
/// [`ProbeError::Absent`] with the cure, where it is not to be used here; [`ProbeError::Shape`] for an unreadable answer.
pub fn read_extension(rows: &Rows) -> Result<Extension, ProbeError> {
    let row = first(rows)?;
    let database = row.shown("database")?.unwrap_or_default();
    let loaded = row.flag("loaded")?;
    let (Some(schema), Some(version)) = (row.plain("schema")?, row.string("version")?) else {
        let name = database.escaped();
        return Err(ProbeError::Absent(if loaded {
            format!(
                "the server counts statements, but database {name} has no view of them: CREATE EXTENSION \
                 pg_stat_statements there, or connect to a database that has it"
            )
        } else {
            format!(
                "pg_stat_statements is not installed in database {name}: {NOT_LOADED}; then CREATE EXTENSION pg_stat_statements"
            )
        }));
    };
    if !loaded {
        return Err(ProbeError::Absent(format!("pg_stat_statements is installed, but not loaded: {NOT_LOADED}")));
    }
    let form = form_of(&version).ok_or_else(|| {
        ProbeError::Absent(format!(
            "pg_stat_statements {version} is too old to be read: ALTER EXTENSION pg_stat_statements UPDATE"
        ))
    })?;
    Ok(Extension { schema, version, form, database })
}

const NOT_LOADED: &str = "add it to shared_preload_libraries and restart the server";

/// The major of PostgreSQL that came with that version; versions that are newer than we know keep the newest form, as
/// columns are added far more often than renamed.
fn form_of(version: &str) -> Option<i32> {
    let minor: u32 = version.strip_prefix("1.")?.parse().ok()?;
    match minor {
        0..=2 => None,
        3..=7 => Some(12),
        8 => Some(13),
        9 => Some(14),
        10 => Some(15),
        11 => Some(17),
        _ => Some(18),
    }
}

/// Installed, but the library was not loaded at the server's start (`object_not_in_prerequisite_state`).
pub(super) fn unloaded(error: ProbeError) -> ProbeError {
    if matches!(&error, ProbeError::Refused { code, .. } if code == "55000") {
        return ProbeError::Absent(format!("pg_stat_statements is installed, but not loaded: {NOT_LOADED}"));
    }
    error
}

/// Reads the answers to `statements_context.sql` and `statements_info.sql`.
///
/// # Errors
/// [`ProbeError::Shape`] where a column is missing or unreadable.
pub fn read_context(context: &Rows, info: &Rows, extension: &Extension) -> Result<Statements, ProbeError> {
    let row = first(context)?;
    let info = first(info)?;
    let info = match info.number("dealloc")? {
        Some(dealloc) => {
            Some(StatementsInfo { dealloc, reset: info.string("reset")?, reset_s: info.number("reset_s")? })
        }
        None => None,
    };
    let totals = |entries, calls, total_ms| -> Result<StatementTotals, ProbeError> {
        Ok(StatementTotals { entries: row.need(entries)?, calls: row.need(calls)?, total_ms: row.need(total_ms)? })
    };
    Ok(Statements {
        database: extension.database.clone(),
        database_oid: row.need("database_oid")?,
        user_oid: row.need("user_oid")?,
        extension: extension.version.clone(),
        at_s: row.need("at_s")?,
        order: StatementOrder::Total,
        entries: Vec::new(),
        all: totals("entries", "calls", "total_ms")?,
        hidden: totals("hidden", "hidden_calls", "hidden_ms")?,
        info,
        max: row.number("max")?,
        track: row.string("track")?.unwrap_or_default(),
        io_timing: row.flag("io_timing")?,
        planning: row.flag("planning")?,
        block_size: row.need("block_size")?,
        users: BTreeMap::new(),
        databases: BTreeMap::new(),
        texts: Vec::new(),
        texts_error: None,
    })
}

/// Reads the answer to `statements.sql`.
///
/// # Errors
/// [`ProbeError::Shape`] where a column is missing or unreadable.
pub fn read_entries(rows: &Rows) -> Result<Vec<Statement>, ProbeError> {
    rows_of(rows).map(|row| entry(&row)).collect()
}

fn entry(row: &Row<'_>) -> Result<Statement, ProbeError> {
    let key = EntryKey {
        user: row.need("userid")?,
        database: row.need("dbid")?,
        query: row.need("queryid")?,
        toplevel: row.flag("toplevel")?,
    };
    Ok(Statement {
        key,
        calls: row.need("calls")?,
        rows: row.need("rows")?,
        total_ms: row.need("total_exec_time")?,
        min_ms: row.need("min_exec_time")?,
        max_ms: row.need("max_exec_time")?,
        stddev_ms: row.need("stddev_exec_time")?,
        plan_ms: row.number("total_plan_time")?,
        hit: row.need("hit")?,
        read: row.need("read")?,
        dirtied: row.need("dirtied")?,
        written: row.need("written")?,
        temp: row.need("temp")?,
        read_ms: row.need("read_ms")?,
        write_ms: row.need("write_ms")?,
        wal_bytes: row.number("wal_bytes")?,
        wal_fpi: row.number("wal_fpi")?,
        jit_ms: row.number("jit_ms")?,
        since: row.number("since")?,
        minmax_since: row.number("minmax_since")?,
    })
}

fn read_names(rows: &Rows, answer: &mut Statements) -> Result<(), ProbeError> {
    for row in rows_of(rows) {
        let (oid, name) = (row.need("oid")?, row.shown("name")?.unwrap_or_default());
        if row.text("kind")? == Some("role") {
            answer.users.insert(oid, name);
        } else {
            answer.databases.insert(oid, name);
        }
    }
    Ok(())
}

/// Reads the answer to `statements_texts.sql`; a text that begins as one of ours does is one of ours.
///
/// # Errors
/// [`ProbeError::Shape`] where a column is missing or unreadable.
pub fn read_texts(rows: &Rows, openings: &[String]) -> Result<Vec<StatementText>, ProbeError> {
    rows_of(rows)
        .map(|row| {
            let text = row.plain("query")?.unwrap_or_default();
            let own = openings.iter().any(|opening| text.raw().starts_with(opening));
            Ok(StatementText { query: row.need("queryid")?, cut: row.flag("cut")?, own, text })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_of_the_view_follows_the_extensions_version() {
        let forms: Vec<Option<i32>> =
            ["1.2", "1.4", "1.8", "1.9", "1.10", "1.11", "1.12", "1.13", "2.0"].map(form_of).into();
        assert_eq!(forms, [None, Some(12), Some(13), Some(14), Some(15), Some(17), Some(18), Some(18), None]);
    }

    fn schema(cells: [Option<&str>; 4]) -> Rows {
        Rows::made_up(&["schema", "version", "loaded", "database"], &[&cells])
    }

    #[test]
    fn what_is_missing_is_named_with_its_cure() {
        let said = |cells| read_extension(&schema(cells)).unwrap_err().to_string();
        let wrong = said([None, None, Some("t"), Some("postgres")]);
        assert!(wrong.contains("database postgres has no view") && wrong.contains("CREATE EXTENSION"), "{wrong}");
        let never = said([None, None, Some("f"), Some("shop")]);
        assert!(never.contains("not installed") && never.contains("shared_preload_libraries"), "{never}");
        let unloaded = said([Some("public"), Some("1.10"), Some("f"), Some("shop")]);
        assert!(unloaded.contains("not loaded") && unloaded.contains("restart"), "{unloaded}");
        let old = said([Some("public"), Some("1.2"), Some("t"), Some("shop")]);
        assert!(old.contains("ALTER EXTENSION"), "{old}");
    }
}
