//! Cancelling one statement: what the server's answer means, and whether the statement has gone.
//!
//! Each outcome says what the server did. Nothing here is tried again.

use std::time::Duration;

use crate::guard::{ServerIdentity, Statement, Who, Write, role_name};
use crate::message::Outcome;
use crate::model::ServerText;
use crate::model::session::SessionKey;
use crate::postgres::{AskError, Link, Row};

use super::session::{ask, cell};

/// How long the server may take over the guarded statement, which needs well under a millisecond.
const DEADLINE: Duration = Duration::from_secs(5);

/// Brings what the guarded statement looks up into the session's caches, so that it works while the catalogs of roles
/// are locked; again from time to time, since roles come and go. It doubles as a sign of life.
///
/// # Errors
/// The words of whoever refused.
pub(super) async fn warm(link: &mut Link) -> Result<(), String> {
    let sql = include_str!("sql/warm.sql").to_owned();
    match ask(link, &Statement { sql, parameters: Vec::new() }, DEADLINE).await {
        // A locked catalog is no reason to give up a session that has it cached.
        Err(error) if error.is_lost() || matches!(error, AskError::Deadline { .. }) => Err(error.to_string()),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Runs the guarded statement once with a target that cannot be: no backend has pid 0, and no server started then.
///
/// # Errors
/// Where the statement does not work on this server.
pub(super) async fn rehearse(link: &mut Link) -> Result<(), String> {
    let nobody = Write::Cancel {
        session: SessionKey { pid: 0, backend_start: Some("-infinity".to_owned()) },
        query_start: Some("-infinity".to_owned()),
        query: ServerText::default(),
        who: Who::default(),
        server: ServerIdentity { started: "-infinity".to_owned(), ..ServerIdentity::default() },
    };
    rehearsed(send(link, &nobody).await.0)
}

/// What a rehearsal came to: nobody was found, and nothing failed.
pub(super) fn rehearsed(outcome: Outcome) -> Result<(), String> {
    match outcome {
        Outcome::Changed(_) => Ok(()),
        Outcome::Unknown(why) | Outcome::Refused(why) | Outcome::NotSent(why) | Outcome::TimedOut(why) => Err(why),
        Outcome::Denied { message, .. } => Err(message),
        Outcome::Done(_)
        | Outcome::Written(_)
        | Outcome::Each(_)
        | Outcome::Gone
        | Outcome::Skipped(_)
        | Outcome::Cancelled(_) => Err("the guarded statement does not compare the server's start here".to_owned()),
    }
}

/// What is said where the server is not the one that was asked about.
pub(super) const OTHER_SERVER: &str = "the server restarted, was promoted, or is another one; nothing was sent";

/// What is said where our role may not see the session any more.
pub(super) const HIDDEN: &str = "the server hides from us what it runs now; nothing was sent";

/// Sends the guarded statement and says what came of it.
pub(super) async fn send(link: &mut Link, write: &Write) -> (Outcome, Vec<String>) {
    match ask(link, &write.statement(), DEADLINE).await {
        Ok(rows) => {
            let notices = rows.notices.iter().map(ToString::to_string).collect();
            (outcome(rows.first()), notices)
        }
        Err(error) if error.is_privilege() => {
            let cure = cure(link, write, "cancel a superuser's statement").await;
            (Outcome::Denied { message: shown(&words(&error)), cure }, Vec::new())
        }
        Err(error) => (failed(&error), Vec::new()),
    }
}

/// Reads the one row of `cancel.sql`.
fn outcome(row: Option<Row<'_>>) -> Outcome {
    signalled(row, "signal sent", now_doing)
}

/// Reads the one row of a guarded signal: `done` is what true stands for, `now_doing` tells from the state what a session
/// does that was not signalled for being no longer the same.
pub(super) fn signalled(row: Option<Row<'_>>, done: &str, now_doing: fn(Option<&str>) -> String) -> Outcome {
    let hidden = cell(row, "hidden") == Some("true");
    match (cell(row, "signaled"), cell(row, "same_server"), cell(row, "same_session")) {
        (Some("true"), ..) => Outcome::Done(done.to_owned()),
        (None, Some("true"), Some("true")) => Outcome::Changed(now_doing(cell(row, "state"))),
        (None, Some("true"), None) if hidden => Outcome::Changed(HIDDEN.to_owned()),
        // The server warned that no backend has that pid: it ended between the look and the signal. Or it was gone
        // before; or its pid belongs to a later one.
        (Some(_), ..) | (None, Some("true"), _) => Outcome::Gone,
        (None, ..) => Outcome::Changed(OTHER_SERVER.to_owned()),
    }
}

fn now_doing(state: Option<&str>) -> String {
    match state {
        Some("active" | "fastpath function call") => "that statement has ended; it now runs another".to_owned(),
        Some(state) => format!("that statement has ended; it is now {}", shown(state)),
        None => "that statement has ended".to_owned(),
    }
}

/// What a failure means for the action, apart from a missing privilege.
pub(super) fn failed(error: &AskError) -> Outcome {
    match error {
        // Stopped by a timeout or by somebody: before the signal or after it, nobody says.
        AskError::Server(_) if error.is_cancelled() => Outcome::Unknown(shown(&error.to_string())),
        // It waits for locks before it signals, never after.
        AskError::Server(_) if error.is_lock_timeout() => {
            Outcome::TimedOut("a catalog is locked exclusively; nothing was sent".to_owned())
        }
        AskError::Server(server) => Outcome::Refused(format!("{} ({})", shown(&words(error)), server.sqlstate)),
        AskError::Lost { .. } | AskError::Deadline { .. } | AskError::Shape(_) => {
            Outcome::Unknown(shown(&error.to_string()))
        }
        AskError::Busy => Outcome::NotSent(shown(&error.to_string())),
    }
}

/// What would have to be granted. The message says so too, but its words depend on version and language.
/// `what` is what only a superuser may do to a superuser.
pub(super) async fn cure(link: &mut Link, write: &Write, what: &str) -> String {
    let Some(key) = write.session() else { return String::new() };
    let sql = include_str!("sql/signal_rights.sql").to_owned();
    let asked = ask(link, &Statement { sql, parameters: vec![Some(key.pid.to_string())] }, DEADLINE).await;
    let rows = asked.unwrap_or_default();
    let row = rows.first();
    let role = cell(row, "role").map_or_else(|| "our role".to_owned(), |role| role_name(&role.into()));
    // No role's rights reach what has none.
    if cell(row, "target_has_role") == Some("false") {
        return if cell(row, "workers_may_be_granted") == Some("true") {
            format!("GRANT pg_signal_autovacuum_worker TO {role}")
        } else {
            "only a superuser may cancel an autovacuum worker".to_owned()
        };
    }
    if cell(row, "target_is_superuser") == Some("true") || cell(row, "may_signal") == Some("true") {
        format!("only a superuser may {what}")
    } else {
        format!("GRANT pg_signal_backend TO {role}")
    }
}

/// Whether the cancelled statement still runs; none where that could not be asked.
pub(super) async fn still_runs(link: &mut Link, write: &Write) -> Option<bool> {
    let Write::Cancel { session: key, query_start, .. } = write else { return None };
    let parameters = vec![Some(key.pid.to_string()), key.backend_start.clone(), query_start.clone()];
    let sql = include_str!("sql/look.sql").to_owned();
    let rows = ask(link, &Statement { sql, parameters }, DEADLINE).await.ok()?;
    seen(rows.first(), "running")
}

/// What a look says of a session: without a row it is gone; what is hidden from us may be there or not.
pub(super) fn seen(row: Option<Row<'_>>, column: &str) -> Option<bool> {
    if row.is_none() { Some(false) } else { cell(row, column).map(|there| there == "true") }
}

/// What the server said, without the severity in front.
pub(super) fn words(error: &AskError) -> String {
    match error {
        AskError::Server(server) => match &server.detail {
            Some(detail) => format!("{}: {detail}", server.message),
            None => server.message.clone(),
        },
        AskError::Lost { .. } | AskError::Deadline { .. } | AskError::Busy | AskError::Shape(_) => error.to_string(),
    }
}

/// The server's words, safe to draw.
pub(super) fn shown(words: &str) -> String {
    ServerText::from(words).head(400)
}
