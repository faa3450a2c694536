//! The statement of each action: the one place from which the preview shows it and the writer takes it.
//!
//! The texts are files beside the writer. Nothing here sends anything.

use std::fmt::Write as _;

use crate::model::ServerText;

use crate::model::session::State;
use crate::model::setting::Entry;

use super::bulk::{Bulk, BulkTarget, Signal};
use super::maintenance::{Named, Object, Task};
use super::write::{ServerIdentity, Write};

const CANCEL: &str = include_str!("../effect/sql/cancel.sql");
const TERMINATE: &str = include_str!("../effect/sql/terminate.sql");
const EXPIRE: &str = include_str!("../effect/sql/expire.sql");
const EXPIRE_LEFT: &str = include_str!("../effect/sql/expire_left.sql");
const EXPIRE_CHECK: &str = include_str!("../effect/sql/expire_check.sql");
const SETTING: &str = include_str!("../effect/sql/setting.sql");
const RELOAD: &str = include_str!("../effect/sql/reload.sql");
const LOOK: &str = include_str!("../effect/sql/look_first.sql");
const CANCEL_MANY: &str = include_str!("../effect/sql/cancel_many.sql");
const TERMINATE_MANY: &str = include_str!("../effect/sql/terminate_many.sql");
const MAINTAIN_TABLE: &str = include_str!("../effect/sql/maintain_table.sql");
const MAINTAIN_INDEX: &str = include_str!("../effect/sql/maintain_index.sql");
const MAINTAIN_DATABASE: &str = include_str!("../effect/sql/maintain_database.sql");

/// Rows of the cache table that one transaction removes: some milliseconds of work, and about a megabyte of WAL at most.
pub const EXPIRE_BATCH: i64 = 1000;

/// Ends a line of SQL that stands there only where the server told its system identifier: a role that may not execute
/// `pg_control_system()` is refused even where the call is never reached.
const IDENTIFIER_TAG: &str = "--[identifier]";

/// Ends a line of SQL that stands there only where the server itself waits for the end of what it terminates (14 and
/// later): before that the function takes no time to wait.
const WAITS_TAG: &str = "--[>=14]";

/// Ends a line of SQL that stands there only where the configuration files could be read.
const FILES_TAG: &str = "--[files]";

/// A statement and the values of `$1`, `$2`, …, as text that the server casts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The text.
    pub sql: String,
    /// The values; `NULL` is one only for what a session may not have, such as a transaction.
    pub parameters: Vec<Option<String>>,
}

impl Statement {
    /// One line that is safe to draw: the text without comments, then the values.
    #[must_use]
    pub fn shown(&self) -> String {
        let mut out = self.sql.clone();
        for (at, value) in self.parameters.iter().enumerate() {
            out.push_str(if at == 0 { " · " } else { ", " });
            let value = value.as_deref().map_or("NULL".to_owned(), |v| format!("'{v}'"));
            let _ = write!(out, "${} = {value}", at + 1);
        }
        ServerText::new(out).escaped()
    }
}

impl Write {
    /// The statement that does it. For maintenance and for a setting this is the very text that the server has to write itself
    /// once it has checked the target by [`Write::check`]; where it writes another one, nothing is sent.
    #[must_use]
    pub fn statement(&self) -> Statement {
        match self {
            Self::Cancel { session, query_start, server, .. } => with_server(
                CANCEL,
                vec![Some(session.pid.to_string()), session.backend_start.clone(), query_start.clone()],
                server,
            ),
            Self::Terminate { session, xact_start, query_start, state, server, waits, .. } => {
                let text = if *waits { TERMINATE.to_owned() } else { without(TERMINATE, WAITS_TAG) };
                let parameters = vec![
                    Some(session.pid.to_string()),
                    session.backend_start.clone(),
                    xact_start.clone(),
                    state.map(|state| State::word(state).to_owned()),
                    query_start.clone(),
                ];
                with_server(&text, parameters, server)
            }
            Self::Bulk(bulk) => many(bulk),
            Self::Maintain { task, target, .. } => {
                Statement { sql: maintaining(*task, target), parameters: Vec::new() }
            }
            Self::ExpireCache { table, before, .. } => Statement {
                sql: on_table(EXPIRE, table),
                parameters: vec![Some(table.key.oid.to_string()), Some(before.clone()), Some(EXPIRE_BATCH.to_string())],
            },
            Self::Setting { name, to, .. } => {
                let sql = match to {
                    Entry::Text(text) => format!("ALTER SYSTEM SET {name} = {}", literal(text.raw())),
                    Entry::Absent | Entry::Unknown => format!("ALTER SYSTEM RESET {name}"),
                };
                Statement { sql, parameters: Vec::new() }
            }
            Self::Reload { server } => with_server(RELOAD, Vec::new(), server),
        }
    }

    /// What the writer asks before a question where the list is too old to ask by; none for what signals nobody. It reads only.
    #[must_use]
    pub fn look(&self) -> Option<Statement> {
        let pids: Vec<i32> = match self {
            Self::Cancel { session, .. } | Self::Terminate { session, .. } => vec![session.pid],
            Self::Bulk(bulk) => bulk.targets.iter().map(|target| target.session.pid).collect(),
            Self::Maintain { .. } | Self::Setting { .. } | Self::Reload { .. } | Self::ExpireCache { .. } => {
                return None;
            }
        };
        let known = self.server().system_identifier.is_some();
        let text = if known { LOOK.to_owned() } else { without(LOOK, IDENTIFIER_TAG) };
        Some(Statement { sql: bare(&text), parameters: vec![array(pids.iter().map(|pid| Some(pid.to_string())))] })
    }

    /// What is asked just before, on the same connection, where the statement cannot check its target itself.
    #[must_use]
    pub fn check(&self) -> Option<Statement> {
        match self {
            Self::Cancel { .. } | Self::Terminate { .. } | Self::Bulk(_) | Self::Reload { .. } => None,
            Self::ExpireCache { table: Named { key, schema, name, kind }, server, .. } => Some(with_server(
                EXPIRE_CHECK,
                vec![
                    Some(key.oid.to_string()),
                    Some(schema.raw().to_owned()),
                    Some(name.raw().to_owned()),
                    Some(kind.to_string()),
                ],
                server,
            )),
            Self::Setting { name, now, was, exact, to, server, .. } => {
                let text = if *exact { SETTING.to_owned() } else { without(SETTING, FILES_TAG) };
                let raw = |entry: &Entry| entry.text().map(|text| text.raw().to_owned());
                Some(with_server(&text, vec![Some(name.clone()), Some(now.clone()), raw(to), raw(was)], server))
            }
            Self::Maintain { task, target, server } => Some(match target {
                Object::Table(table) => with_server(MAINTAIN_TABLE, relation(*task, target, table), server),
                Object::Index { index, table } => {
                    let mut parameters = relation(*task, target, index);
                    parameters.push(Some(table.key.oid.to_string()));
                    with_server(MAINTAIN_INDEX, parameters, server)
                }
                Object::Database { name, oid } => {
                    let statement = maintaining(*task, target);
                    let parameters = vec![Some(oid.to_string()), Some(name.raw().to_owned()), Some(statement)];
                    with_server(MAINTAIN_DATABASE, parameters, server)
                }
            }),
        }
    }
}

impl Write {
    /// What is asked at the end: how much of what was to be removed is left.
    #[must_use]
    pub fn remainder(&self) -> Option<Statement> {
        match self {
            Self::ExpireCache { table, before, .. } => Some(Statement {
                sql: on_table(EXPIRE_LEFT, table),
                parameters: vec![Some(table.key.oid.to_string()), Some(before.clone())],
            }),
            Self::Cancel { .. }
            | Self::Terminate { .. }
            | Self::Bulk(_)
            | Self::Maintain { .. }
            | Self::Setting { .. }
            | Self::Reload { .. } => None,
        }
    }
}

/// The text without its comments, for that table.
fn on_table(text: &str, table: &Named) -> String {
    let name = format!("{}.{}", quoted(table.schema.raw()), quoted(table.name.raw()));
    let lines = text.lines().filter(|line| !line.starts_with("--"));
    lines.fold(String::new(), |text, line| text + line + "\n").replace("{table}", &name)
}

/// The statement that does `task` to `target`.
fn maintaining(task: Task, target: &Object) -> String {
    let verb = target.verb(task);
    match target {
        Object::Table(Named { schema, name, .. }) | Object::Index { index: Named { schema, name, .. }, .. } => {
            format!("{verb} {}.{}", quoted(schema.raw()), quoted(name.raw()))
        }
        Object::Database { .. } => verb.to_owned(),
    }
}

/// What the server compares a relation with, and the words that it puts before its name.
fn relation(task: Task, target: &Object, named: &Named) -> Vec<Option<String>> {
    vec![
        Some(named.key.oid.to_string()),
        Some(named.schema.raw().to_owned()),
        Some(named.name.raw().to_owned()),
        Some(named.kind.to_string()),
        Some(target.verb(task).to_owned()),
    ]
}

/// Adds the server's identity to the parameters, and keeps the line that checks the system identifier where it is known.
fn with_server(text: &str, mut parameters: Vec<Option<String>>, server: &ServerIdentity) -> Statement {
    parameters.push(Some(server.started.clone()));
    parameters.push(Some(server.in_recovery.to_string()));
    let known = server.system_identifier.is_some();
    if known {
        parameters.push(server.system_identifier.clone());
    }
    let text = if known { text.to_owned() } else { without(text, IDENTIFIER_TAG) };
    Statement { sql: bare(&text), parameters }
}

/// The text without its comments and tags.
fn bare(text: &str) -> String {
    let mut sql = String::with_capacity(text.len());
    for line in text.lines().filter(|line| !line.starts_with("--")) {
        let tag = [IDENTIFIER_TAG, WAITS_TAG, FILES_TAG].iter().find_map(|tag| line.strip_suffix(tag));
        sql.push_str(tag.map_or(line, str::trim_end));
        sql.push('\n');
    }
    sql
}

/// The one statement that signals a whole list: a column of the list in each parameter.
fn many(bulk: &Bulk) -> Statement {
    let column = |value: fn(&BulkTarget) -> Option<String>| array(bulk.targets.iter().map(value));
    let pids = column(|t| Some(t.session.pid.to_string()));
    let starts = column(|t| t.session.backend_start.clone());
    let queries = column(|t| t.query_start.clone());
    match bulk.signal {
        Signal::Cancel => with_server(CANCEL_MANY, vec![pids, starts, queries], &bulk.server),
        Signal::Terminate => {
            let transactions = column(|t| t.xact_start.clone());
            let states = column(|t| t.state.map(|state| State::word(state).to_owned()));
            with_server(TERMINATE_MANY, vec![pids, starts, transactions, states, queries], &bulk.server)
        }
    }
}

/// An array as PostgreSQL reads it: `{"a",NULL}`.
#[must_use]
pub fn array(values: impl Iterator<Item = Option<String>>) -> Option<String> {
    let quoted = |value: String| format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""));
    let elements: Vec<String> = values.map(|v| v.map_or_else(|| "NULL".to_owned(), quoted)).collect();
    Some(format!("{{{}}}", elements.join(",")))
}

/// The text without the lines that end in `tag`.
fn without(text: &str, tag: &str) -> String {
    text.lines().filter(|line| !line.ends_with(tag)).fold(String::new(), |text, line| text + line + "\n")
}

/// A name as SQL takes it whatever is in it. Always in quotation marks, as the server is made to write it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as `quote_literal` writes it.
fn literal(text: &str) -> String {
    let doubled = text.replace('\\', "\\\\").replace('\'', "''");
    if text.contains('\\') { format!("E'{doubled}'") } else { format!("'{doubled}'") }
}

/// A role's name to put into a `GRANT` that a person reads and copies: in quotation marks only where it needs them.
#[must_use]
pub fn role_name(role: &ServerText) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let raw = role.raw();
    if raw.chars().all(plain) && raw.starts_with(|c: char| c.is_ascii_lowercase() || c == '_') {
        raw.to_owned()
    } else {
        ServerText::new(quoted(raw)).escaped()
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    #[test]
    fn the_statement_keeps_the_line_of_the_system_identifier_only_where_it_is_known() {
        let (session, mut server) = (fixture::active(4711), fixture::server());
        let known = Write::cancel(&session, &server).statement();
        assert!(known.sql.contains("pg_control_system"));
        assert!(!known.sql.contains("--"), "{}", known.sql);
        assert_eq!(known.parameters.len(), 6);
        server.system_identifier = None;
        let unknown = Write::cancel(&session, &server).statement();
        assert!(!unknown.sql.contains("pg_control_system") && !unknown.sql.contains("$6"));
        assert_eq!(unknown.parameters.len(), 5);
    }

    #[test]
    fn every_parameter_of_a_statement_has_a_value() {
        let server = fixture::server();
        let cancel = Write::cancel(&fixture::active(4711), &server).statement();
        let vacuum = Write::vacuum(&fixture::relation(), &"shop".into(), &server).check().unwrap();
        let terminate = Write::terminate(&fixture::active(4711), &server).statement();
        let check = |task, target| Write::maintain(task, target, &server).check().unwrap();
        let index = check(Task::DropInvalid, fixture::index());
        let database = check(Task::VacuumAnalyze, Object::Database { name: "shop".into(), oid: 5 });
        for statement in [cancel, terminate, vacuum, index, database] {
            let most = statement.parameters.len();
            assert!(statement.sql.contains(&format!("${most}")) && !statement.sql.contains(&format!("${}", most + 1)));
            assert!(statement.parameters.iter().all(Option::is_some));
        }
    }

    #[test]
    fn the_signal_stands_in_the_select_list_never_in_where() {
        for (sql, signal) in [(CANCEL, "pg_cancel_backend("), (TERMINATE, "pg_terminate_backend(")] {
            let (list, rest) = sql.split_once("\nFROM ").unwrap();
            assert!(list.contains(signal) && !rest.contains(signal));
            assert!(!rest.contains("WHERE"));
        }
    }

    #[test]
    fn a_server_before_14_is_not_asked_to_wait() {
        let of = |version_num| {
            let server = crate::model::server::Server { version_num, ..fixture::server() };
            Write::terminate(&fixture::active(4711), &server).statement()
        };
        let (old, new) = (of(130_022), of(140_000));
        assert!(!old.sql.contains("3000") && new.sql.contains(", 3000\n"), "{}", new.sql);
        assert_eq!(old.parameters, new.parameters);
        for sql in [old.sql, new.sql] {
            assert!(sql.contains("pg_terminate_backend(a.pid") && !sql.contains("--"), "{sql}");
        }
    }

    #[test]
    fn a_session_outside_of_a_transaction_has_none_to_be_compared() {
        let idle =
            crate::model::session::Session { state: Some(State::Idle), xact_start: None, ..fixture::active(4711) };
        let statement = Write::terminate(&idle, &fixture::server()).statement();
        assert_eq!(statement.parameters.get(2..4), Some(&[None, Some("idle".to_owned())][..]));
        assert!(statement.shown().contains("$3 = NULL, $4 = 'idle'"));
    }

    #[test]
    fn a_name_with_quotation_marks_cannot_leave_them() {
        let mut relation = fixture::relation();
        relation.name = ServerText::from("a\"; DROP TABLE b; --");
        let sql = Write::vacuum(&relation, &"shop".into(), &fixture::server()).statement().sql;
        assert_eq!(sql, "VACUUM (ANALYZE, PARALLEL 0) \"public\".\"a\"\"; DROP TABLE b; --\"");
    }

    #[test]
    fn each_piece_of_maintenance_has_its_statement() {
        let table = || Object::table_of(&"shop".into(), &fixture::relation());
        let database = || Object::Database { name: "shop".into(), oid: 5 };
        let cases = [
            (Task::VacuumAnalyze, table(), "VACUUM (ANALYZE, PARALLEL 0) \"public\".\"orders\""),
            (Task::Analyze, table(), "ANALYZE \"public\".\"orders\""),
            (Task::Reindex, table(), "REINDEX TABLE CONCURRENTLY \"public\".\"orders\""),
            (Task::Reindex, fixture::index(), "REINDEX INDEX CONCURRENTLY \"public\".\"orders_pkey\""),
            (Task::DropInvalid, fixture::index(), "DROP INDEX CONCURRENTLY \"public\".\"orders_pkey\""),
            (Task::VacuumAnalyze, database(), "VACUUM (ANALYZE, PARALLEL 0, SKIP_LOCKED)"),
        ];
        for (task, target, expected) in cases {
            let write = Write::maintain(task, target, &fixture::server());
            assert_eq!(write.statement().sql, expected);
        }
    }

    #[test]
    fn a_role_is_quoted_only_where_it_must_be() {
        assert_eq!(role_name(&"oncall".into()), "oncall");
        assert_eq!(role_name(&"On\"Call".into()), "\"On\"\"Call\"");
        assert_eq!(role_name(&"9a".into()), "\"9a\"");
    }

    #[test]
    fn what_is_shown_has_the_values_and_no_comment() {
        let shown = Write::cancel(&fixture::active(4711), &fixture::server()).statement().shown();
        assert!(shown.starts_with("SELECT (CASE WHEN") && shown.contains("$1 = '4711', $2 = '2025-"), "{shown}");
        assert!(!shown.contains('\n'));
    }
}
