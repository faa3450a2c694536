//! All sessions, the locks of one of them, and prepared transactions: rows made into [`Sessions`].
//!
//! Nothing is left out in silence: our own sessions are counted, and so are rows whose content the server hid.

use std::collections::BTreeMap;

use tokio::time::{Duration, Instant};

use crate::model::session::{HeldLock, LockHold, LockWait, Ours, Prepared, Session, SessionKey, Sessions, State, Wait};
use crate::model::{ProbeError, ServerText};
use crate::postgres::{OwnPids, Rows};

use super::row::{Row, pids, rows_of};
use super::seat::{Seat, optional};
use super::sql::{self, Value};
use texts::Texts;

mod texts;

/// How long the names of databases and roles are left alone once their catalogs were found locked: each try costs a whole
/// `lock_timeout`.
const AVOID: Duration = Duration::from_secs(30);

/// What one answer leaves for the next.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory {
    names: Names,
    texts: Texts,
    nameless_until: Option<Instant>,
}

impl Memory {
    /// False while the catalogs of names were found locked a moment ago.
    #[must_use]
    pub fn may_ask_names(&self) -> bool {
        self.nameless_until.is_none_or(|until| until <= Instant::now())
    }

    /// Leaves the catalogs of names alone for a while.
    pub fn leave_names(&mut self) {
        self.nameless_until = Some(Instant::now() + AVOID);
    }

    /// For a new connection: whoever answers it, their sessions are others.
    pub fn forget_texts(&mut self) {
        self.texts = Texts::default();
    }
}

/// Names of databases and roles as they were last seen, for the time when their catalogs are locked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    databases: BTreeMap<u32, ServerText>,
    roles: BTreeMap<u32, ServerText>,
}

/// Asks for all sessions; where somebody holds a catalog of names, without them.
///
/// # Errors
/// See [`ProbeError`].
pub async fn ask(seat: &mut Seat, own: &OwnPids, memory: &mut Memory) -> Result<Sessions, ProbeError> {
    let known = memory.texts.known_s(Instant::now());
    let mut sessions = match look(seat, own, memory, known).await? {
        // The server's clock was set, or a session changed that we may see only now.
        Read { unknown: 1.., .. } if known != texts::ALL => look(seat, own, memory, texts::ALL).await?.sessions,
        read => read.sessions,
    };
    if blocked_by_prepared(&sessions)
        && let Some(rows) = optional(seat.ask(sql::PREPARED, &[]).await)?
    {
        sessions.prepared = read_prepared(&rows)?;
    }
    Ok(sessions)
}

/// Asks once, without the texts that stand for `known` seconds.
async fn look(seat: &mut Seat, own: &OwnPids, memory: &mut Memory, known: i64) -> Result<Read, ProbeError> {
    let began = Instant::now();
    let values = [("known", Value::Integer(known))];
    let named = memory.may_ask_names();
    let first = seat.ask(if named { sql::SESSIONS } else { sql::SESSIONS_NOJOIN }, &values).await;
    let rows = match first {
        Err(ProbeError::Locked(_)) if named => {
            memory.leave_names();
            seat.ask(sql::SESSIONS_NOJOIN, &values).await?
        }
        other => other?,
    };
    let read = read(&rows, own, memory)?;
    memory.texts.saw(&read.sessions.rows, began);
    Ok(read)
}

/// Asks for the locks of one session.
///
/// # Errors
/// [`ProbeError::Absent`] where the session is gone; see [`ProbeError`] for the rest.
pub async fn ask_locks(seat: &mut Seat, key: &SessionKey) -> Result<Vec<HeldLock>, ProbeError> {
    let start = key.backend_start.as_deref().unwrap_or_default();
    let values = [("pid", Value::Integer(i64::from(key.pid))), ("backend_start", Value::Text(start))];
    read_locks(&seat.ask(sql::SESSION_LOCKS, &values).await?)
}

/// An answer, and of how many sessions the text is neither in it nor known: it is empty.
#[derive(Debug, Default)]
struct Read {
    sessions: Sessions,
    unknown: usize,
}

/// Reads the answer to `sessions.sql` or `sessions_nojoin.sql`, in order of pid; our own rows are only counted.
fn read(rows: &Rows, own: &OwnPids, memory: &mut Memory) -> Result<Read, ProbeError> {
    let Memory { names, texts, .. } = memory;
    let mut sessions = Sessions::default();
    let mut unknown = 0;
    for row in rows_of(rows) {
        let pid: i32 = row.need("pid")?;
        if row.flag("self")? || own.contains(pid) {
            sessions.own += 1;
            sessions.ours.push(Ours {
                user: named(&row, "usesysid", "usename", &mut names.roles)?,
                database: named(&row, "datid", "datname", &mut names.databases)?,
            });
            continue;
        }
        let mut session = session(&row, pid, names)?;
        if row.text("query")?.is_none() {
            match texts.of(pid, session.backend_start.as_deref(), session.query_start.as_deref()) {
                Some(text) => session.query = text.clone(),
                None => unknown += 1,
            }
        }
        sessions.hidden += usize::from(session.hidden);
        sessions.rows.push(session);
    }
    sessions.rows.sort_by_key(|session| session.pid);
    Ok(Read { sessions, unknown })
}

fn session(row: &Row<'_>, pid: i32, names: &mut Names) -> Result<Session, ProbeError> {
    let wait = match (row.string("wait_event_type")?, row.string("wait_event")?) {
        (Some(class), Some(event)) => Some(Wait { class, event }),
        _ => None,
    };
    let blocked_by = pids(row.text("blocked_by")?.unwrap_or_default())?;
    // A parallel query blocks once for each of its workers, under its leader's pid.
    let blockers = row.number::<usize>("blockers")?.unwrap_or(0);
    let blockers = if blockers <= CUT { blocked_by.len() } else { blockers };
    Ok(Session {
        pid,
        leader: row.number("leader_pid")?,
        database: named(row, "datid", "datname", &mut names.databases)?,
        user: named(row, "usesysid", "usename", &mut names.roles)?,
        application: row.shown("application_name")?.unwrap_or_default(),
        client: row.string("client_addr")?,
        client_port: row.number("client_port")?,
        backend_type: row.string("backend_type")?,
        state: row.text("state")?.and_then(State::parse),
        waits_for: lock_wait(row)?,
        holds: lock_hold(row)?,
        wait,
        query_id: row.number("query_id")?,
        xid: row.string("backend_xid")?,
        xmin: row.string("backend_xmin")?,
        xmin_age: row.number("xmin_age")?,
        backend_start: row.string("backend_start")?,
        xact_start: row.string("xact_start")?,
        query_start: row.string("query_start")?,
        backend_s: row.number("backend_s")?,
        xact_s: row.number("xact_s")?,
        query_s: row.number("query_s")?,
        state_s: row.number("state_s")?,
        query: row.shown("query")?.unwrap_or_default(),
        hidden: row.flag("hidden")?,
        blocked_by,
        blockers,
    })
}

/// As many blockers of one waiter as `sessions.sql` sends.
const CUT: usize = 64;

/// The name that the row gives, else the one that its OID had when it was last seen.
fn named(
    row: &Row<'_>,
    oid: &'static str,
    name: &'static str,
    known: &mut BTreeMap<u32, ServerText>,
) -> Result<Option<ServerText>, ProbeError> {
    let Some(oid) = row.number::<u32>(oid)?.filter(|oid| *oid != 0) else {
        return row.shown(name);
    };
    let given = row.shown(name)?;
    if let Some(text) = &given
        && known.get(&oid) != Some(text)
    {
        known.insert(oid, text.clone());
    }
    Ok(given.or_else(|| known.get(&oid).cloned()))
}

fn lock_wait(row: &Row<'_>) -> Result<Option<LockWait>, ProbeError> {
    let (Some(locktype), Some(mode)) = (row.string("locktype")?, row.string("mode")?) else { return Ok(None) };
    let (relation, waited_s) = (row.shown("relation")?, row.number("waited_s")?);
    Ok(Some(LockWait { locktype, mode, relation, waited_s, shared: row.flag("shared")? }))
}

fn lock_hold(row: &Row<'_>) -> Result<Option<LockHold>, ProbeError> {
    let (Some(locktype), Some(mode)) = (row.string("held_locktype")?, row.string("held_mode")?) else {
        return Ok(None);
    };
    let locks = row.number("held")?.unwrap_or(1);
    Ok(Some(LockHold { locktype, mode, relation: row.shown("held_relation")?, locks }))
}

/// True where a prepared transaction, which has no pid, blocks somebody.
fn blocked_by_prepared(sessions: &Sessions) -> bool {
    sessions.rows.iter().any(|s| s.blocked_by.contains(&0))
}

/// Reads the answer to `prepared.sql`.
///
/// # Errors
/// [`ProbeError::Shape`] where a column is missing or unreadable.
pub fn read_prepared(rows: &Rows) -> Result<Vec<Prepared>, ProbeError> {
    rows_of(rows)
        .map(|row| {
            Ok(Prepared {
                gid: row.shown("gid")?.unwrap_or_default(),
                owner: row.shown("owner")?.unwrap_or_default(),
                database: row.shown("database")?.unwrap_or_default(),
                age_s: row.need("age_s")?,
                waiters: pids(row.text("waiters")?.unwrap_or_default())?,
                exact: row.is_exact("gid")?,
            })
        })
        .collect()
}

/// Reads the answer to `session_locks.sql`.
///
/// # Errors
/// [`ProbeError::Absent`] where the session is gone; [`ProbeError::Shape`] where a column is missing or unreadable.
pub fn read_locks(rows: &Rows) -> Result<Vec<HeldLock>, ProbeError> {
    let mut locks = Vec::new();
    let mut gone = true;
    for row in rows_of(rows) {
        gone = false;
        if let Some(locktype) = row.string("locktype")? {
            locks.push(HeldLock {
                locktype,
                mode: row.string("mode")?.unwrap_or_default(),
                granted: row.flag("granted")?,
                object: row.shown("object")?.unwrap_or_default(),
                waited_s: row.number("waited_s")?,
            });
        }
    }
    if gone { Err(ProbeError::Absent("the session is gone".to_owned())) } else { Ok(locks) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [&str; 38] = [
        "pid",
        "leader_pid",
        "datid",
        "usesysid",
        "datname",
        "usename",
        "application_name",
        "client_addr",
        "client_port",
        "backend_type",
        "state",
        "wait_event_type",
        "wait_event",
        "query_id",
        "backend_xid",
        "backend_xmin",
        "xmin_age",
        "backend_start",
        "xact_start",
        "query_start",
        "backend_s",
        "xact_s",
        "query_s",
        "state_s",
        "hidden",
        "self",
        "query",
        "blocked_by",
        "blockers",
        "locktype",
        "mode",
        "relation",
        "waited_s",
        "held_locktype",
        "held_mode",
        "held",
        "held_relation",
        "shared",
    ];

    fn answer(rows: &[&[(&str, &str)]]) -> Rows {
        let rows: Vec<Vec<Option<&str>>> = rows
            .iter()
            .map(|row| {
                COLUMNS.iter().map(|c| row.iter().find(|(name, _)| name == c).map(|(_, value)| *value)).collect()
            })
            .collect();
        let rows: Vec<&[Option<&str>]> = rows.iter().map(Vec::as_slice).collect();
        Rows::made_up(&COLUMNS, &rows)
    }

    fn read_all(rows: &[&[(&str, &str)]]) -> Sessions {
        read(&answer(rows), &OwnPids::default(), &mut Memory::default()).unwrap().sessions
    }

    #[test]
    fn a_hidden_row_is_kept_and_counted_and_its_own_asker_is_only_counted() {
        let sessions = read_all(&[&[("pid", "1"), ("hidden", "t")], &[("pid", "2"), ("self", "t")], &[("pid", "3")]]);
        assert_eq!((sessions.hidden, sessions.own), (1, 1));
        assert_eq!(sessions.rows.iter().map(|s| s.pid).collect::<Vec<_>>(), [1, 3]);
    }

    #[test]
    fn a_parallel_query_blocks_once_and_a_cut_list_keeps_its_true_number() {
        let sessions = read_all(&[
            &[("pid", "1"), ("blocked_by", "7,7,7,0"), ("blockers", "4")],
            &[("pid", "2"), ("blocked_by", "7,8"), ("blockers", "400")],
        ]);
        let blocked: Vec<_> = sessions.rows.iter().map(|s| (s.blocked_by.clone(), s.blockers)).collect();
        assert_eq!(blocked, [(vec![7, 0], 2), (vec![7, 8], 400)]);
        assert!(blocked_by_prepared(&sessions));
    }

    #[test]
    fn names_outlive_the_catalog_that_they_came_from() {
        let mut memory = Memory::default();
        let row =
            [("pid", "1"), ("datid", "5"), ("usesysid", "10"), ("datname", "sh\\303\\266p"), ("usename", "alice")];
        read(&answer(&[&row]), &OwnPids::default(), &mut memory).unwrap();
        let nameless = answer(&[&[("pid", "1"), ("datid", "5"), ("usesysid", "11")]]);
        let session = read(&nameless, &OwnPids::default(), &mut memory).unwrap().sessions.rows.remove(0);
        assert_eq!((session.database, session.user), (Some("sh\u{f6}p".into()), None));
    }

    #[test]
    fn a_text_that_was_not_sent_is_that_of_the_same_statement_of_the_same_session_and_of_no_other() {
        let mut memory = Memory::default();
        let starts = |backend, query| [("pid", "7"), ("backend_start", backend), ("query_start", query)];
        let sent = [&starts("b1", "q1")[..], &[("query", "SELECT 'a\\\\b'")]].concat();
        let first = read(&answer(&[&sent]), &OwnPids::default(), &mut memory).unwrap();
        memory.texts.saw(&first.sessions.rows, Instant::now());
        let again = |starts: &[(&str, &str)]| {
            let read = read(&answer(&[starts]), &OwnPids::default(), &mut memory.clone()).unwrap();
            (read.sessions.rows[0].query.clone(), read.unknown)
        };
        assert_eq!(again(&starts("b1", "q1")), ("SELECT 'a\\b'".into(), 0));
        for other in [starts("b2", "q1"), starts("b1", "q2")] {
            assert_eq!(again(&other), (ServerText::default(), 1));
        }
        // Where we may not see when a statement began, it is none that we know.
        assert_eq!(again(&[("pid", "7"), ("backend_start", "b1")]).1, 1);
        memory.forget_texts();
        let read = read(&answer(&[&starts("b1", "q1")]), &OwnPids::default(), &mut memory).unwrap();
        assert_eq!(read.unknown, 1);
    }

    #[test]
    fn who_has_asked_for_a_lock_awaits_it_also_while_it_looks_for_a_deadlock() {
        let lock = [("pid", "1"), ("locktype", "relation"), ("mode", "ShareLock"), ("waited_s", "1.5")];
        let waiting = [&lock[..], &[("wait_event_type", "Lock"), ("wait_event", "relation")]].concat();
        for row in [&lock[..], &waiting] {
            let found = read_all(&[row]).rows.remove(0).waits_for.unwrap();
            assert_eq!((found.mode.as_str(), found.waited_s), ("ShareLock", Some(1.5)));
        }
        assert_eq!(read_all(&[&[("pid", "1"), ("wait_event_type", "Lock")]]).rows[0].waits_for, None);
    }

    #[test]
    fn an_answer_of_another_shape_is_an_error_that_names_the_column() {
        let wrong = read(&answer(&[&[("pid", "x")]]), &OwnPids::default(), &mut Memory::default());
        assert!(matches!(wrong, Err(ProbeError::Shape(words)) if words.contains("pid")));
    }

    #[test]
    fn no_row_means_that_the_session_is_gone_and_an_empty_one_that_it_holds_nothing() {
        let columns = ["locktype", "mode", "granted", "object", "waited_s"];
        assert!(matches!(read_locks(&Rows::made_up(&columns, &[])), Err(ProbeError::Absent(_))));
        let empty = Rows::made_up(&columns, &[&[None, None, None, Some(""), None]]);
        assert_eq!(read_locks(&empty), Ok(Vec::new()));
    }
}
