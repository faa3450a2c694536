//! What an error of a plan means, by what the catalog knows: whose lock it is, which right is missing on which table, along
//! which path names were looked up.
//!
//! A `GRANT` is typed at night by somebody who trusts it. So it is one for a table that the statement surely names, in the
//! schema that is written or that the path leads to first, and for a right that it surely needs; else it is said that this
//! cannot be told.

use std::collections::BTreeSet;

use crate::model::plan::PlanOf;
use crate::model::plan::named::{Named, Right};
use crate::model::plan::one::One;
use crate::model::{ProbeError, ServerText};
use crate::postgres::Rows;

use super::super::row::{Row, rows_of};
use super::super::seat::Seat;
use super::super::sql::{self, Value, identifier};

/// What stands between words in a list of them: no name holds it.
const BETWEEN: &str = "\u{1f}";

/// What there is to know of the tables with one of these names in a schema that is among the words, or on the path.
pub(super) async fn tables(
    seat: &mut Seat,
    words: BTreeSet<String>,
    path: &[String],
    author: Option<&ServerText>,
) -> Result<Rows, ProbeError> {
    let words: Vec<String> = words.into_iter().filter(|word| !word.contains('\0')).collect();
    let (words, path) = (words.join(BETWEEN), path.join(BETWEEN));
    let author = author.map_or("", ServerText::raw);
    let values = [("words", Value::Text(&words)), ("path", Value::Text(&path)), ("author", Value::Text(author))];
    seat.ask(sql::PLAN_TABLES, &values).await
}

/// The schemas of a `search_path`, in the order that names are looked up in them.
fn schemas(path: &str, role: &str) -> Vec<String> {
    let (mut out, mut name, mut quoted) = (Vec::new(), String::new(), false);
    for c in path.chars().chain([',']) {
        match c {
            // Two of them in quotes are one.
            '"' => {
                quoted = !quoted;
                name.push(c);
            }
            ',' if !quoted => out.push(std::mem::take(&mut name)),
            c => name.push(c),
        }
    }
    let plain = |written: String| {
        let written = written.trim();
        match written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            Some(inside) => inside.replace("\"\"", "\""),
            None => written.to_ascii_lowercase(),
        }
    };
    let mut out: Vec<String> = out.into_iter().map(plain).filter(|name| !name.is_empty()).collect();
    for name in out.iter_mut().filter(|name| *name == "$user") {
        role.clone_into(name);
    }
    if !out.iter().any(|name| name == "pg_catalog") {
        out.insert(0, "pg_catalog".to_owned());
    }
    out
}

/// What was asked for, as whom.
pub(super) struct Asked<'a> {
    pub(super) of: &'a PlanOf,
    pub(super) one: &'a One,
    pub(super) role: &'a ServerText,
    pub(super) path: &'a ServerText,
}

impl Asked<'_> {
    /// The error with what the catalog knows about it.
    pub(super) async fn explained(&self, seat: &mut Seat, error: ProbeError) -> ProbeError {
        match error {
            ProbeError::Locked(words) => {
                let holders = self.tables(seat).await.and_then(|rows| read_holders(&rows)).unwrap_or_default();
                ProbeError::Locked(if holders.is_empty() { words } else { holders.join("; ") })
            }
            ProbeError::Denied { cure } => {
                let found = self.tables(seat).await.and_then(|rows| Ok((self.grants(&rows, &cure)?, rows)));
                let Ok((grants, rows)) = found else { return ProbeError::Denied { cure } };
                if !grants.is_empty() {
                    return ProbeError::Denied { cure: grants.join("; ") };
                }
                let name = rows_of(&rows).find_map(|row| {
                    let names = row.text("name").ok()?.is_some_and(|name| speaks_of(&cure, name));
                    names.then(|| row.text("quoted").ok().flatten().map(str::to_owned)).flatten()
                });
                let cure = match name {
                    Some(name) => format!(
                        "{cure}; what to grant where cannot be told from the text: \\dp *.{name} in psql shows who may do what"
                    ),
                    None => cure,
                };
                ProbeError::Denied { cure }
            }
            // syntax_error.
            ProbeError::Refused { code, message } if code == "42601" && self.is_without_constants(&message) => {
                ProbeError::Absent(format!(
                    "pg_stat_statements keeps $n for this statement's constants, one of them where PostgreSQL takes only a \
                     constant, as after interval or date: the text of Statements cannot be planned, but the same statement \
                     can, on Connections or Slow while it runs there ({message}, {code})"
                ))
            }
            // indeterminate_datatype, of a parameter.
            ProbeError::Refused { code, message } if code == "42P18" => {
                ProbeError::Absent(format!("{message}: nothing in the text says what it is"))
            }
            // No such table, function, schema or column.
            ProbeError::Refused { code, message } if ["42P01", "42883", "3F000", "42703"].contains(&code.as_str()) => {
                // A schema on the path that our role may not enter is passed over without a word.
                let rows = self.tables(seat).await;
                let mut grants = rows.and_then(|rows| self.grants(&rows, &message)).unwrap_or_default();
                if !grants.iter().any(|grant| grant.starts_with("GRANT USAGE")) {
                    grants.clear();
                }
                let hidden = if grants.is_empty() { "" } else { "; or it is hidden: " };
                let (path, grants) = (self.path.raw(), grants.join("; "));
                let message = format!(
                    "{message}; names were looked up along search_path {path}, its author's session may have another{hidden}{grants}"
                );
                ProbeError::Refused { code, message }
            }
            ProbeError::Unreachable(_)
            | ProbeError::TimedOut(_)
            | ProbeError::Absent(_)
            | ProbeError::Unauthorized(_)
            | ProbeError::Refused { .. }
            | ProbeError::Faulty(_)
            | ProbeError::Shape(_) => error,
        }
    }

    async fn tables(&self, seat: &mut Seat) -> Result<Rows, ProbeError> {
        let path = schemas(self.path.raw(), self.role.raw());
        tables(seat, self.one.words.clone(), &path, self.of.author.as_ref()).await
    }

    /// True where it is about a `$n` that stands for a constant: `interval $1`.
    fn is_without_constants(&self, message: &str) -> bool {
        let names = |number: u32| speaks_of(message, &format!("${number}"));
        self.of.normalized && (1..=self.one.parameters).any(names)
    }

    /// The rights that are missing on the tables that both the text and the server's words name.
    fn grants(&self, rows: &Rows, words: &str) -> Result<Vec<String>, ProbeError> {
        let to = identifier(self.role.raw()).unwrap_or_default();
        let mut out = BTreeSet::new();
        for named in &self.one.tables {
            let Some(row) = meant(rows, named)? else { continue };
            let (schema, table) =
                (row.text("quoted_schema")?.unwrap_or_default(), row.text("quoted")?.unwrap_or_default());
            let of_table = speaks_of(words, &named.name);
            if !of_table && !named.schema.as_ref().is_some_and(|schema| speaks_of(words, schema)) {
                continue;
            }
            let enters = row.flag("enters")?;
            if !enters {
                out.insert(format!("GRANT USAGE ON SCHEMA {schema} TO {to}"));
            }
            let (held, whole) = (row.text("held")?.unwrap_or_default(), row.text("whole")?.unwrap_or_default());
            let has = |held: &str, right: Right| held.split(',').any(|word| word == right.word());
            let mut missing: Vec<Right> = named.rights.iter().copied().filter(|right| !has(held, *right)).collect();
            // Where all that is surely needed is there, it is denied for what it reads of the rows that it changes.
            let all = named.rights.iter().all(|right| has(whole, *right));
            let only = self.one.tables.iter().filter(|other| other.name == named.name).count() == 1;
            if all && only && enters && of_table && !has(held, Right::Select) {
                missing.push(Right::Select);
            }
            if !missing.is_empty() {
                let rights = missing.into_iter().map(Right::word).collect::<Vec<_>>().join(", ");
                out.insert(format!("GRANT {rights} ON {schema}.{table} TO {to}"));
            }
        }
        Ok(out.into_iter().collect())
    }
}

/// The table that a name stands for: that of its schema, or else the first on the path, as for the server: of the schemas
/// that our role may enter, and if there is none, of those that the author may, or the only one.
fn meant<'a>(rows: &'a Rows, named: &Named) -> Result<Option<Row<'a>>, ProbeError> {
    let mut found = Vec::new();
    for row in rows_of(rows) {
        if row.text("name")? != Some(&named.name) {
            continue;
        }
        match &named.schema {
            Some(schema) if row.text("schema")? == Some(schema) => return Ok(Some(row)),
            Some(_) => {}
            None => found.extend(row.number::<i32>("place")?.map(|place| (place, row))),
        }
    }
    found.sort_by_key(|(place, _)| *place);
    let first = |may: &str| found.iter().position(|(_, row)| row.flag(may).unwrap_or(false));
    let at = first("enters").or_else(|| first("author_enters")).or((found.len() == 1).then_some(0));
    Ok(at.map(|at| found.swap_remove(at).1))
}

/// True where the server's words hold this name, and not only as a part of another.
fn speaks_of(words: &str, name: &str) -> bool {
    let in_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    !name.is_empty()
        && words.match_indices(name).any(|(at, _)| {
            let (before, after) = (words.get(..at), words.get(at + name.len()..));
            !before.and_then(|text| text.chars().next_back()).is_some_and(in_word)
                && !after.and_then(|text| text.chars().next()).is_some_and(in_word)
        })
}

fn read_holders(rows: &Rows) -> Result<Vec<String>, ProbeError> {
    let mut out = Vec::new();
    for row in rows_of(rows) {
        if let Some(pid) = row.number::<i32>("pid")? {
            let verb = if row.flag("granted")? { "holds" } else { "awaits" };
            let (schema, name) = (row.plain("schema")?.unwrap_or_default(), row.plain("name")?.unwrap_or_default());
            out.push(format!("pid {pid} {verb} ACCESS EXCLUSIVE on {}.{}", schema.raw(), name.raw()));
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::{schemas, speaks_of};

    #[test]
    fn a_search_path_is_read_as_the_server_reads_it() {
        let path = "\"$user\", Public,\"a, \"\"b\", \"\"";
        assert_eq!(schemas(path, "joe"), ["pg_catalog", "joe", "public", "a, \"b"]);
        assert_eq!(schemas("app, pg_catalog", "joe"), ["app", "pg_catalog"]);
    }

    #[test]
    fn a_name_is_not_found_in_a_longer_one() {
        assert!(speaks_of("keine Berechtigung für Tabelle »orders«", "orders"));
        assert!(speaks_of("syntax error at or near \"$1\"", "$1"));
        assert!(!speaks_of("syntax error at or near \"$12\"", "$1"));
        assert!(!speaks_of("permission denied for table old_orders", "orders"));
    }
}
