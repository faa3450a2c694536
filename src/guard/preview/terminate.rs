//! What the question before a termination says.

use crate::model::session::{Session, State};
use crate::model::unit::Age;

use super::super::twice;
use super::{Preview, Row, Scene, Target, doing, frees, signal_warnings, transaction, who, written};

/// Describes the termination of backend `pid`. A client loses its session.
pub(super) fn of(pid: i32, target: &Target<'_>, scene: &Scene<'_>) -> Preview {
    let rows = vec![
        Row { label: "who", text: who(target) },
        Row { label: "doing", text: target.found.and_then(|s| idling(s, target)).unwrap_or_else(|| doing(target)) },
        Row { label: "undoes", text: undoes(target.found) },
        Row { label: "frees", text: freed(pid, target.found, scene) },
    ];
    Preview {
        title: format!("Terminate backend {pid}?"),
        rows,
        listed: Vec::new(),
        warnings: signal_warnings(target, scene),
        name: pid.to_string(),
    }
}

/// `idle in transaction 12m02s; last: UPDATE orders SET …`; none of a session that runs a statement.
fn idling(session: &Session, target: &Target<'_>) -> Option<String> {
    let state = session.state.filter(|_| !session.is_active())?;
    let since = session.state_s.map_or_else(String::new, |s| format!(" {}", Age(s).exact()));
    let last = if target.query.is_empty() { "nothing so far".to_owned() } else { target.query.head(200) };
    Some(format!("{}{since}; last: {last}", state.word()))
}

/// What the client loses. Whatever it held for the session goes as well: temporary tables, advisory locks, `LISTEN`.
fn undoes(found: Option<&Session>) -> String {
    if let Some(loss) = found.and_then(twice::loss) {
        return loss.to_owned();
    }
    if let Some(session) = found.filter(|session| session.awaits_standby()) {
        return format!("{}; its client is warned of that (57P01) and loses the session", written(session));
    }
    let lost = match found {
        Some(session) if session.state == Some(State::Idle) => "no transaction is open".to_owned(),
        Some(session) if session.is_active() => format!("the statement and {}", transaction(session)),
        Some(session) => transaction(session),
        None => "its transaction".to_owned(),
    };
    format!("{lost}; its client sees FATAL 57P01 and loses the session with all that belongs to it")
}

/// A session that is idle and in nobody's way holds a slot and nothing else.
fn freed(pid: i32, found: Option<&Session>, scene: &Scene<'_>) -> String {
    let idle = found.is_some_and(|session| session.state == Some(State::Idle));
    if idle && scene.world.graph.blocks(pid).is_empty() {
        return "only its slot: it holds no transaction and nobody waits behind it".to_owned();
    }
    frees(pid, scene.world)
}
