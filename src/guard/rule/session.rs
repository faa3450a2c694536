//! The rules for signalling a session, whichever the signal: there, visible, and a client's.

use crate::model::session::State;

use super::super::{Refusal, Write, twice};
use super::Case;

/// The list leaves our own sessions out; a pid that is known to be ours is refused all the same.
pub(super) fn own(case: &Case<'_>) -> Option<Refusal> {
    let pid = case.pid().filter(|pid| case.scene.own_pids.contains(pid))?;
    Some(Refusal::OwnSession { pid })
}

/// Gone, or its pid given to another session: the key holds both the pid and the start.
pub(super) fn gone(case: &Case<'_>) -> Option<Refusal> {
    let pid = case.pid()?;
    case.session().is_none().then_some(Refusal::SessionGone { pid })
}

pub(super) fn parallel_worker(case: &Case<'_>) -> Option<Refusal> {
    let session = case.session()?;
    let worker = session.leader.is_some_and(|leader| leader != session.pid)
        || session.backend_type.as_deref() == Some("parallel worker");
    worker.then_some(Refusal::ParallelWorker { pid: session.pid, leader: session.leader })
}

/// Without the timestamps the statement that re-checks identity compares with NULL and never fires, even for a role that
/// may signal (`pg_signal_backend` alone shows none of them): better refused here, with what is missing.
pub(super) fn hidden(case: &Case<'_>) -> Option<Refusal> {
    let session = case.session()?;
    // A process of the server has no query_start even where everything is visible, and an idle session may never have
    // run a statement.
    let client = session.backend_type.as_deref() == Some("client backend")
        && (session.is_active() || matches!(case.write, Write::Cancel { .. }));
    let blind = session.hidden || session.backend_start.is_none() || (client && session.query_start.is_none());
    let role = case.server()?.user.clone();
    blind.then_some(Refusal::Hidden { pid: session.pid, role })
}

/// The server would refuse it as well, but only once the answer was typed.
pub(super) fn superusers(case: &Case<'_>) -> Option<Refusal> {
    let (session, server) = (case.session()?, case.server()?);
    server.is_out_of_reach(session).then(|| Refusal::Superusers { pid: session.pid, role: server.user.clone() })
}

/// It is started again at once, from the beginning: nothing is gained by either signal.
pub(super) fn wraparound(case: &Case<'_>) -> Option<Refusal> {
    let session = case.session()?;
    session.prevents_wraparound().then_some(Refusal::PreventsWraparound { pid: session.pid })
}

/// No client, yet nothing that the server needs to go on: not unless asked twice.
pub(super) fn asked_once(case: &Case<'_>) -> Option<Refusal> {
    let session = case.session()?;
    let refusal = twice::reservation(session)?;
    (case.scene.insists != Some(&session.key())).then_some(refusal)
}

/// Everything else that is no client: checkpointer, launchers, and whatever else the server needs.
pub(super) fn background(case: &Case<'_>) -> Option<Refusal> {
    let session = case.session()?;
    let kind = session.backend_type.clone().unwrap_or_else(|| "unknown".to_owned());
    let never = !session.is_client() && twice::reservation(session).is_none();
    never.then_some(Refusal::Background { pid: session.pid, kind })
}

/// Logging in, `track_activities` off, or a state that this version has no word for: the server could not tell
/// what it does from what it did.
pub(super) fn state_unknown(case: &Case<'_>) -> Option<Refusal> {
    let session = case.session()?;
    let state = session.state.map_or("unknown", State::word).to_owned();
    let idle = session.state == Some(State::Idle) || session.state.is_some_and(State::is_idle_in_transaction);
    let known = session.is_active() || (idle && matches!(case.write, Write::Terminate { .. }));
    (!known && !twice::is_worker(session)).then_some(Refusal::StateUnknown { pid: session.pid, state })
}
