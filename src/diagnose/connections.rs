//! The server's connections against what ordinary roles can have.
//!
//! Up to 17 the server does not show those that still log in: the figure can be too small, not too large.

use std::collections::BTreeMap;

use super::finding::{Finding, Harm, Kind, Severity, Target};
use super::rule::Look;
use super::words::{counted, figure, of_i64, percent};
use crate::command::{Command, Tab};
use crate::model::session::{Session, Sessions, State};

/// Connections that are taken, as far as the server shows them: the clients', ours among them.
pub fn taken(sessions: &Sessions) -> usize {
    sessions.rows.iter().filter(|s| s.is_client()).count() + sessions.own
}

/// Connections used up, or nearly.
pub fn used(look: &Look<'_>) -> Vec<Finding> {
    let (Some((sessions, seen)), Some(server)) = (look.sessions(), look.world.server.get()) else {
        return Vec::new();
    };
    let clients: Vec<&Session> = sessions.rows.iter().filter(|s| s.is_client()).collect();
    let used = taken(sessions);
    let slots = server.ordinary_slots();
    if slots <= 0 || figure(used) < of_i64(slots) * look.limits.connections {
        return Vec::new();
    }
    let share = figure(used) / of_i64(slots);
    let (app, of_app) = largest(&clients);
    let idle: Vec<&Session> = of_app.iter().copied().filter(|s| s.state == Some(State::Idle)).collect();
    let full = figure(used) >= of_i64(slots);
    let reserve = server.max_connections - slots;
    let left = if full {
        "none is left for an ordinary role".to_owned()
    } else {
        format!("{} left", of_i64(slots) - figure(used))
    };
    let oldest = idle.iter().max_by(|a, b| {
        let idle_s = |s: &Session| s.state_s.unwrap_or(0.0);
        idle_s(a).total_cmp(&idle_s(b)).then(b.pid.cmp(&a.pid))
    });
    let target =
        oldest.map_or(Target::Tab(Tab::Connections), |s| Target::Session { tab: Tab::Connections, key: s.key() });
    vec![Finding {
        severity: if share >= look.limits.connections_full { Severity::Critical } else { Severity::Warning },
        fact: format!("{used} of {slots} connections are taken ({}), {left}", percent(share)),
        evidence: format!(
            "max_connections {} less {reserve} reserved · most by {app}: {}, {} idle",
            server.max_connections,
            counted(of_app.len(), "session"),
            idle.len()
        ),
        todo:
            "terminate the idle sessions of whoever leaks them; then a pooler, or idle_session_timeout (14 and later)"
                .to_owned(),
        since: None,
        // Full, every new client is hit; nobody counts those, so as many as are in stand for them.
        harm: Harm { now: if full { figure(used) * 60.0 } else { 0.0 }, coming: share.min(1.0) },
        action: oldest.map(|_| Command::TerminateBackend),
        ..Finding::of(Kind::Connections, "", seen, target)
    }]
}

/// The application with the most sessions, by its role where it has no name.
fn largest<'a>(clients: &[&'a Session]) -> (String, Vec<&'a Session>) {
    let mut groups: BTreeMap<String, Vec<&Session>> = BTreeMap::new();
    for s in clients {
        let user = s.user.as_ref().map_or_else(|| "unknown".to_owned(), |u| u.head(24));
        let name =
            if s.application.is_empty() { format!("role {user}") } else { format!("app {}", s.application.head(24)) };
        groups.entry(name).or_default().push(s);
    }
    groups.into_iter().max_by(|a, b| a.1.len().cmp(&b.1.len()).then(b.0.cmp(&a.0))).unwrap_or_default()
}
