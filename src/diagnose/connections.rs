//! The server's connections against what ordinary roles can have.
//!
//! Up to 17 the server does not show those that still log in: the figure can be too small, not too large.

use std::collections::BTreeMap;

use super::finding::{Finding, Harm, Kind, Severity, Target};
use super::rule::Look;
use super::words::{counted, figure, of_i64, percent};
use crate::command::{Command, Tab};
use crate::model::ServerText;
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
    let (group, of_app) = largest(&clients);
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
    let target = oldest.map_or(Target::Tab(Tab::Connections), |s| Target::Sessions {
        key: s.key(),
        filter: format!("state:/^idle$/{}", group.filter()),
    });
    vec![Finding {
        severity: if share >= look.limits.connections_full { Severity::Critical } else { Severity::Warning },
        fact: format!("{used} of {slots} connections are taken ({}), {left}", percent(share)),
        evidence: format!(
            "max_connections {} less {reserve} reserved · most by {}: {}, {} idle",
            server.max_connections,
            group.words(),
            counted(of_app.len(), "session"),
            idle.len()
        ),
        todo: if idle.is_empty() {
            "end what runs for nobody; then a pooler, or a smaller pool in each client".to_owned()
        } else {
            "Enter lists the idle ones: mark them and terminate; then a pooler, or idle_session_timeout (14 and later)"
                .to_owned()
        },
        since: None,
        // Full, every new client is hit; nobody counts those, so as many as are in stand for them.
        harm: Harm { now: if full { figure(used) * 60.0 } else { 0.0 }, coming: share.min(1.0) },
        action: oldest.map(|_| Command::TerminateBackend),
        ..Finding::of(Kind::Connections, "", seen, target)
    }]
}

/// Who a session belongs to: its application, or its role where it names none.
#[derive(PartialEq, Eq, PartialOrd, Ord, Default)]
enum Group<'a> {
    #[default]
    Nobody,
    Application(&'a str),
    Role(&'a str),
}

impl<'a> Group<'a> {
    fn of(session: &'a Session) -> Self {
        match &session.user {
            _ if !session.application.is_empty() => Self::Application(session.application.raw()),
            Some(user) => Self::Role(user.raw()),
            None => Self::Nobody,
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Nobody => "roles that are not shown".to_owned(),
            Self::Application(name) => format!("app {}", ServerText::from(*name).head(24)),
            Self::Role(name) => format!("role {}", ServerText::from(*name).head(24)),
        }
    }

    /// The term of a filter that lists it; none where a filter cannot hold the name.
    fn filter(&self) -> String {
        match self {
            Self::Application(name) | Self::Role(name) if name.contains(['"', '\\']) => String::new(),
            Self::Application(name) => format!(" app:\"{name}\""),
            Self::Role(name) => format!(" user:\"{name}\" app:/^$/"),
            Self::Nobody => String::new(),
        }
    }
}

/// Who has the most sessions.
fn largest<'a>(clients: &[&'a Session]) -> (Group<'a>, Vec<&'a Session>) {
    let mut groups: BTreeMap<Group<'a>, Vec<&Session>> = BTreeMap::new();
    for s in clients {
        groups.entry(Group::of(s)).or_default().push(s);
    }
    groups.into_iter().max_by(|a, b| a.1.len().cmp(&b.1.len()).then(b.0.cmp(&a.0))).unwrap_or_default()
}
