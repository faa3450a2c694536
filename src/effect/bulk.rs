//! A signal to several sessions: one statement, an outcome for each of them, and who of them is still there.
//!
//! Each outcome says what the server did. Nothing here is tried again.

use std::time::Duration;

use crate::guard::{Bulk, BulkTarget, ServerIdentity, Signal, Statement, Who, Write, array, role_name};
use crate::message::{EachOutcome, Outcome};
use crate::model::ServerText;
use crate::model::session::{SessionKey, State};
use crate::postgres::{AskError, Link, Row};

use super::cancel::{HIDDEN, OTHER_SERVER, failed, rehearsed, seen, shown, words};
use super::session::{ask, cell};

/// How long the server may take over the whole list: 30 ms for a hundred among 500 connections.
const DEADLINE: Duration = Duration::from_secs(5);

/// Runs the guarded statements once with a target that cannot be: no backend has pid 0, and no server started then.
///
/// # Errors
/// Where one of them does not work on this server.
pub(super) async fn rehearse(link: &mut Link) -> Result<(), String> {
    let never = || Some("-infinity".to_owned());
    for signal in [Signal::Cancel, Signal::Terminate] {
        let nobody = BulkTarget {
            session: SessionKey { pid: 0, backend_start: never() },
            xact_start: never(),
            query_start: never(),
            state: Some(State::Idle),
            query: ServerText::default(),
            who: Who::default(),
        };
        let server = ServerIdentity { started: "-infinity".to_owned(), ..ServerIdentity::default() };
        let bulk = Bulk { signal, targets: vec![nobody], left_out: Vec::new(), hidden: 0, server };
        let outcome = send(link, &bulk).await.0;
        let of_one =
            if let Outcome::Each(each) = &outcome { each.first().map(|one| one.outcome.clone()) } else { None };
        rehearsed(of_one.unwrap_or(outcome))?;
    }
    Ok(())
}

/// Sends the guarded statement and says what came of it for each.
pub(super) async fn send(link: &mut Link, bulk: &Bulk) -> (Outcome, Vec<String>) {
    match ask(link, &Write::Bulk(bulk.clone()).statement(), DEADLINE).await {
        Ok(rows) => {
            let notices = rows.notices.iter().map(ToString::to_string).collect();
            let each = bulk.targets.iter().enumerate().map(|(at, target)| {
                let row = rows.iter().find(|row| cell(Some(*row), "n") == Some((at + 1).to_string().as_str()));
                EachOutcome { pid: target.session.pid, outcome: outcome(row, bulk.signal) }
            });
            (Outcome::Each(each.collect()), notices)
        }
        // The statement asks for the rights first. Where they changed in between, some were signalled and some were not.
        Err(error) if error.is_privilege() => (Outcome::Unknown(shown(&words(&error))), Vec::new()),
        // Also behind a lock: of one target nothing was sent then, of many the first ones may have been.
        Err(error @ AskError::Server(_)) if !error.is_cancelled() => {
            (Outcome::Unknown(format!("some may have been signalled: {}", shown(&words(&error)))), Vec::new())
        }
        Err(error) => (failed(&error), Vec::new()),
    }
}

/// Reads one row of `cancel_many.sql` or `terminate_many.sql`.
fn outcome(row: Option<Row<'_>>, signal: Signal) -> Outcome {
    let Some(row) = row else { return Outcome::Unknown("the server gave no row for it".to_owned()) };
    let is = |column| cell(Some(row), column) == Some("true");
    match (cell(Some(row), "signaled"), is("same_server"), is("same_session"), is("same_target")) {
        (Some("true"), ..) => Outcome::Done("signal sent".to_owned()),
        (None, false, ..) => Outcome::Changed(OTHER_SERVER.to_owned()),
        (None, true, false, _) if is("hidden") => Outcome::Changed(HIDDEN.to_owned()),
        // It ended between the look and the signal; or before; or its pid belongs to a later one.
        (Some(_), ..) | (None, true, false, _) => Outcome::Gone,
        (None, true, true, false) => Outcome::Changed(now_doing(cell(Some(row), "state"), signal)),
        (None, true, true, true) => denied(row, signal),
    }
}

fn now_doing(state: Option<&str>, signal: Signal) -> String {
    let ended = match signal {
        Signal::Cancel => "that statement has ended",
        Signal::Terminate => "its client has gone on",
    };
    match state {
        Some(state) => format!("{ended}; it is now {}", shown(state)),
        None => ended.to_owned(),
    }
}

fn denied(row: Row<'_>, signal: Signal) -> Outcome {
    let role = cell(Some(row), "role").map_or_else(|| "our role".to_owned(), |role| role_name(&role.into()));
    let what = match signal {
        Signal::Cancel => "cancel a superuser's statement",
        Signal::Terminate => "terminate a superuser's session",
    };
    match cell(Some(row), "denied") {
        Some("superuser") => Outcome::Denied {
            message: "its role has a superuser's rights".to_owned(),
            cure: format!("only a superuser may {what}"),
        },
        Some(_) => Outcome::Denied {
            message: "not a role of ours".to_owned(),
            cure: format!("GRANT pg_signal_backend TO {role}"),
        },
        None => Outcome::Changed("it is our own session".to_owned()),
    }
}

/// Who of `targets` is still there, by its place among them; none where that could not be asked, or the server hides one.
pub(super) async fn still_there(link: &mut Link, signal: Signal, targets: &[BulkTarget]) -> Option<Vec<bool>> {
    let column = |value: &dyn Fn(&BulkTarget) -> Option<String>| array(targets.iter().map(value));
    let parameters = vec![
        column(&|t| Some(t.session.pid.to_string())),
        column(&|t| t.session.backend_start.clone()),
        column(&|t| t.query_start.clone().filter(|_| signal == Signal::Cancel)),
    ];
    let sql = include_str!("sql/look_many.sql").to_owned();
    let rows = ask(link, &Statement { sql, parameters }, DEADLINE).await.ok()?;
    let there = |at: usize| {
        let row = rows.iter().find(|row| cell(Some(*row), "n") == Some((at + 1).to_string().as_str()));
        seen(row.filter(|row| cell(Some(*row), "pid").is_some()), "there")
    };
    (0..targets.len()).map(there).collect()
}
