//! Terminating one session: what the server's answer means, and whether the session has gone.
//!
//! Each outcome says what the server did. Nothing here is tried again.

use std::time::Duration;

use tokio::time::Instant;

use crate::guard::{ServerIdentity, Statement, Who, Write};
use crate::message::Outcome;
use crate::model::ServerText;
use crate::model::session::{SessionKey, State};
use crate::postgres::Link;

use super::cancel::{cure, failed, rehearsed, seen, shown, signalled, words};
use super::session::{ask, cell};

/// How long the server itself waits for the end of the session (14 and later); `terminate.sql` says the same.
const WAITS: Duration = Duration::from_secs(3);

/// How long the server may take over the guarded statement: what it waits, and what a busy machine takes beside.
const DEADLINE: Duration = Duration::from_secs(5);

/// From this version on the server waits.
const WAITS_SINCE: u32 = 140_000;

/// Runs the guarded statement once with a target that cannot be: no backend has pid 0, and no server started then.
///
/// # Errors
/// Where the statement does not work on this server.
pub(super) async fn rehearse(link: &mut Link) -> Result<(), String> {
    let never = || Some("-infinity".to_owned());
    let nobody = Write::Terminate {
        session: SessionKey { pid: 0, backend_start: never() },
        xact_start: never(),
        query_start: never(),
        state: Some(State::Idle),
        query: ServerText::default(),
        who: Who::default(),
        server: ServerIdentity { started: "-infinity".to_owned(), ..ServerIdentity::default() },
        waits: link.facts().version >= WAITS_SINCE,
    };
    rehearsed(send(link, &nobody).await.0)
}

/// Sends the guarded statement and says what came of it.
pub(super) async fn send(link: &mut Link, write: &Write) -> (Outcome, Vec<String>) {
    let Write::Terminate { waits, .. } = write else {
        return (Outcome::NotSent("no session to terminate".to_owned()), Vec::new());
    };
    let since = Instant::now();
    match ask(link, &write.statement(), DEADLINE).await {
        Ok(rows) => {
            let notices = rows.notices.iter().map(ToString::to_string).collect();
            let done = if *waits { "the session has ended" } else { "signal sent" };
            let outcome = match cell(rows.first(), "signaled") {
                Some("false") if *waits => not_ended(link, write, since.elapsed() >= WAITS).await,
                Some(_) | None => signalled(rows.first(), done, now_doing),
            };
            (outcome, notices)
        }
        Err(error) if error.is_privilege() => {
            let cure = cure(link, write, "terminate a superuser's session").await;
            (Outcome::Denied { message: shown(&words(&error)), cure }, Vec::new())
        }
        Err(error) => (failed(&error), Vec::new()),
    }
}

/// The server answers false both where no backend had that pid any more and where it waited in vain, and the words of its
/// warning depend on its language: whether the session is still there tells them apart.
async fn not_ended(link: &mut Link, write: &Write, waited: bool) -> Outcome {
    match (still_there(link, write).await, waited) {
        (Some(true), _) => {
            Outcome::TimedOut(format!("the signal was sent; it did not end within {} s", WAITS.as_secs()))
        }
        (Some(false), true) => Outcome::Done("the session has ended".to_owned()),
        (Some(false), false) => Outcome::Gone,
        (None, _) => Outcome::Unknown("the server waited for its end; whether it came could not be asked".to_owned()),
    }
}

fn now_doing(state: Option<&str>) -> String {
    match state {
        Some("active" | "fastpath function call") => "its client has gone on; it now runs another statement".to_owned(),
        Some(state) => format!("its client has gone on; it is now {}", shown(state)),
        None => "its client has gone on".to_owned(),
    }
}

/// Whether the session is still there; none where that could not be asked.
pub(super) async fn still_there(link: &mut Link, write: &Write) -> Option<bool> {
    let key = write.session()?;
    let parameters = vec![Some(key.pid.to_string()), key.backend_start.clone()];
    let sql = include_str!("sql/present.sql").to_owned();
    let rows = ask(link, &Statement { sql, parameters }, DEADLINE).await.ok()?;
    seen(rows.first(), "present")
}
