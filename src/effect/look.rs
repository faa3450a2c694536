//! A look at the targets of an action that nobody has been asked about yet, where the reads are too old to ask by.
//!
//! It reads only, and judges nothing of what it sees.

use std::time::Duration;

use crate::guard::{Seen, ServerIdentity, Who, Write};
use crate::model::ServerText;
use crate::model::session::{Session, State, Wait};
use crate::postgres::{AskError, Link, Row, Rows, decoded, unescaped};

use super::session::{ask, cell};

/// How long the server may take: it needs under a millisecond for one, 30 for a hundred.
const DEADLINE: Duration = Duration::from_secs(5);

/// Looks.
///
/// # Errors
/// See [`AskError`].
pub(super) async fn look(link: &mut Link, write: &Write) -> Result<Seen, AskError> {
    let Some(statement) = write.look() else { return Ok(seen(&Rows::default(), write)) };
    Ok(seen(&ask(link, &statement, DEADLINE).await?, write))
}

/// Reads the answer to `look_first.sql`. A session keeps its role and its database, so their names are those of the screen.
fn seen(rows: &Rows, write: &Write) -> Seen {
    let first = rows.first();
    let owned = |column| cell(first, column).map(str::to_owned);
    let server = ServerIdentity {
        started: owned("started").unwrap_or_default(),
        system_identifier: owned("system_identifier"),
        in_recovery: cell(first, "in_recovery") == Some("true"),
    };
    let of = |pid| who(write, pid);
    Seen { server, sessions: rows.iter().filter_map(|row| session(row, of)).collect() }
}

/// Whose session that was on the screen.
fn who(write: &Write, pid: i32) -> Option<&Who> {
    match write {
        Write::Cancel { session, who, .. } | Write::Terminate { session, who, .. } => {
            (session.pid == pid).then_some(who)
        }
        Write::Bulk(bulk) => bulk.targets.iter().find(|target| target.session.pid == pid).map(|target| &target.who),
        Write::Maintain { .. } | Write::Setting { .. } | Write::Reload { .. } | Write::ExpireCache { .. } => None,
    }
}

fn session<'w>(row: Row<'_>, who: impl Fn(i32) -> Option<&'w Who>) -> Option<Session> {
    let at = |column| cell(Some(row), column);
    let owned = |column| at(column).map(str::to_owned);
    let seconds = |column| at(column).and_then(|s| s.parse::<f64>().ok());
    let text = |column| ServerText::new(at(column).map(|escaped| decoded(unescaped(escaped))).unwrap_or_default());
    let pid = at("pid")?.parse().ok()?;
    let who = who(pid);
    Some(Session {
        pid,
        leader: at("leader").and_then(|pid| pid.parse().ok()),
        database: who.and_then(|who| who.database.clone()),
        user: who.and_then(|who| who.user.clone()),
        application: text("application"),
        client: None,
        client_port: None,
        backend_type: owned("backend_type"),
        state: at("state").and_then(State::parse),
        wait: owned("wait_event_type").zip(owned("wait_event")).map(|(class, event)| Wait { class, event }),
        query_id: None,
        xid: owned("xid"),
        xmin: owned("xmin"),
        xmin_age: None,
        backend_start: owned("backend_start"),
        xact_start: owned("xact_start"),
        query_start: owned("query_start"),
        backend_s: seconds("backend_s"),
        xact_s: seconds("xact_s"),
        query_s: seconds("query_s"),
        state_s: seconds("state_s"),
        query: text("query"),
        hidden: at("hidden") == Some("true"),
        blocked_by: Vec::new(),
        blockers: 0,
        waits_for: None,
        holds: None,
    })
}
