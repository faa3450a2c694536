//! The server's connections against what ordinary roles can have, and those of a role or a database against its limit.
//!
//! Up to 17 the server does not show those that still log in: the figure can be too small, not too large.

use std::collections::BTreeMap;

use super::finding::{Finding, Harm, Kind, Severity, Target};
use super::rule::Look;
use super::words::{counted, doing, figure, of_i64, percent, quoted};
use crate::command::{Command, Tab};
use crate::model::ServerText;
use crate::model::activity::{Holder, Limited};
use crate::model::session::{Session, Sessions, State};

/// A limit below this is mostly one that is meant to be reached, as by a job that must not run twice.
const FEW: i64 = 5;

/// So many limits that are reached are told at most, the worst first.
const MOST: usize = 5;

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
    let idle = idle(&of_app);
    let full = figure(used) >= of_i64(slots);
    let reserve = server.max_connections - slots;
    let left = if full {
        "none is left for an ordinary role".to_owned()
    } else {
        format!("{} left", of_i64(slots) - figure(used))
    };
    // Where most of them wait for a lock, who holds it is the cause, and is told first.
    let waiting = clients.iter().filter(|s| !s.blocked_by.is_empty()).count();
    let held_up = if waiting * 2 >= used { waiting } else { 0 };
    let oldest = idle.first();
    let target = if held_up > 0 { Target::Tab(Tab::Locks) } else { listed(oldest, &group.filter()) };
    vec![Finding {
        severity: if share >= look.limits.connections_full { Severity::Critical } else { Severity::Warning },
        fact: format!("{used} of {slots} connections are taken ({}), {left}", percent(share)),
        evidence: format!(
            "max_connections {} less {reserve} reserved · most by {}: {}, {}",
            server.max_connections,
            group.words(),
            counted(of_app.len(), "session"),
            idle_words(&of_app)
        ),
        todo: if held_up > 0 {
            format!("{held_up} of them wait for a lock: see in Locks for whom, and end that")
        } else if idle.is_empty() {
            "end what runs for nobody; then a pooler, or a smaller pool in each client".to_owned()
        } else {
            "Enter lists the idle ones: mark them and terminate; then a pooler, or idle_session_timeout (14 and later)"
                .to_owned()
        },
        since: None,
        // Full, every new client is hit; nobody counts those, so as many as are in stand for them.
        harm: Harm { now: if full { figure(used - held_up) * 60.0 } else { 0.0 }, coming: share.min(1.0) },
        // Who is idle holds up none of them.
        action: oldest.filter(|_| held_up == 0).map(|_| Command::TerminateBackend),
        ..Finding::of(Kind::Connections, "", seen, target)
    }]
}

/// Those that do nothing and hold nothing open, the longest idle first.
fn idle<'a>(sessions: &[&'a Session]) -> Vec<&'a Session> {
    let mut idle: Vec<&Session> = sessions.iter().copied().filter(|s| s.state == Some(State::Idle)).collect();
    let idle_s = |s: &Session| s.state_s.unwrap_or(0.0);
    idle.sort_by(|a, b| idle_s(b).total_cmp(&idle_s(a)).then(a.pid.cmp(&b.pid)));
    idle
}

/// How many of them are idle, or that nobody may know.
fn idle_words(of: &[&Session]) -> String {
    if of.iter().any(|s| s.hidden) { "who is idle is hidden".to_owned() } else { format!("{} idle", idle(of).len()) }
}

/// The idle ones among those that a filter lists.
fn listed(oldest: Option<&&Session>, filter: &str) -> Target {
    oldest.map_or(Target::Tab(Tab::Connections), |s| Target::Sessions {
        key: s.key(),
        filter: format!("state:/^idle$/{filter}"),
    })
}

/// Connections of a role, or of a database, used up or nearly: who has the limit is refused while others still get in.
///
/// The server counts as we do: clients, a superuser's in a database among them, and no walsender (13, 15, 18).
pub fn limited(look: &Look<'_>) -> Vec<Finding> {
    let (Some((sessions, seen)), Some(activity)) = (look.sessions(), look.world.activity.get()) else {
        return Vec::new();
    };
    let mut found: Vec<Taken<'_>> = activity
        .limited
        .rows()
        .iter()
        .map(|limited| Taken::of(limited, sessions))
        .filter(|taken| !taken.clients.is_empty() && taken.share() >= look.limits.connections)
        .collect();
    found.sort_by(|a, b| b.share().total_cmp(&a.share()).then(b.used().cmp(&a.used())));
    let untold = found.len().saturating_sub(MOST);
    found.truncate(MOST);
    let last = found.len();
    let with = |(at, taken): (usize, &Taken<'_>)| {
        let more = if untold > 0 && at + 1 == last { format!(" (and {untold} more like it)") } else { String::new() };
        let finding = taken.finding(look, seen);
        Finding { fact: format!("{}{more}", finding.fact), ..finding }
    };
    found.iter().enumerate().map(with).collect()
}

/// The connections of a role or a database that has a limit.
struct Taken<'a> {
    limited: &'a Limited,
    clients: Vec<&'a Session>,
    ours: usize,
}

impl<'a> Taken<'a> {
    fn of(limited: &'a Limited, sessions: &'a Sessions) -> Self {
        let holds = |user: Option<&ServerText>, database: Option<&ServerText>| {
            let name = match limited.holder {
                Holder::Role => user,
                Holder::Database => database,
            };
            name == Some(&limited.name)
        };
        let clients = sessions.rows.iter().filter(|s| s.is_client());
        Self {
            limited,
            clients: clients.filter(|s| holds(s.user.as_ref(), s.database.as_ref())).collect(),
            ours: sessions.ours.iter().filter(|o| holds(o.user.as_ref(), o.database.as_ref())).count(),
        }
    }

    fn used(&self) -> usize {
        self.clients.len() + self.ours
    }

    fn share(&self) -> f64 {
        // A limit of 0 was set under those who are in: no more get in, as with a limit that is reached.
        if self.limited.limit <= 0 { 1.0 } else { figure(self.used()) / of_i64(self.limited.limit) }
    }

    fn finding(&self, look: &Look<'_>, seen: crate::model::Timestamp) -> Finding {
        let (limit, used, share) = (self.limited.limit, self.used(), self.share());
        let (holder, sql, column) = match self.limited.holder {
            Holder::Role => ("role", "ROLE", "user"),
            Holder::Database => ("database", "DATABASE", "db"),
        };
        let name = self.limited.name.head(40);
        let raw = self.limited.name.raw();
        let left = if share >= 1.0 { ", the next one is refused" } else { "" };
        let idle = idle(&self.clients);
        let (group, most) = largest(&self.clients);
        let longest = idle.first().map_or_else(String::new, |s| format!(", the longest {}", doing(s)));
        let ours = if self.ours > 0 { format!(" · {} ours", self.ours) } else { String::new() };
        let wider = limit.saturating_add((limit / 2).max(FEW));
        let exact = self.limited.exact;
        let copy = if exact { format!("copy the SQL that raises it to {wider}") } else { "raise it".to_owned() };
        let place =
            if look.world.activity.get().is_some_and(|a| a.in_recovery) { ", to be run on the primary" } else { "" };
        let end = if idle.is_empty() { "end what runs for nobody" } else { "Enter lists the idle ones: end them" };
        Finding {
            severity: match share {
                _ if limit < FEW => Severity::Notice,
                share if share >= look.limits.connections_full => Severity::Critical,
                _ => Severity::Warning,
            },
            fact: format!("{holder} {name}: {used} of its {limit} connections are taken (CONNECTION LIMIT){left}"),
            evidence: format!(
                "most by {}: {} · {}{longest}{ours}",
                group.words(),
                counted(most.len(), "session"),
                idle_words(&self.clients)
            ),
            todo: format!("{end}, or {copy}{place}; then a smaller pool in its clients"),
            remedy: exact.then(|| format!("ALTER {sql} {} CONNECTION LIMIT {wider};", quoted(raw))),
            harm: Harm { now: if share >= 1.0 { figure(used) * 60.0 } else { 0.0 }, coming: share.min(1.0) },
            action: idle.first().map(|_| Command::TerminateBackend),
            ..Finding::of(
                Kind::ConnectionLimit,
                format!("{holder} {raw}"),
                seen,
                listed(idle.first(), &term(column, raw)),
            )
        }
    }
}

/// A term of a filter that lists that name; none where a filter cannot hold it.
fn term(column: &str, name: &str) -> String {
    if name.contains(['"', '\\']) { String::new() } else { format!(" {column}:\"{name}\"") }
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
            Self::Application(name) => term("app", name),
            Self::Role(name) if term("user", name).is_empty() => String::new(),
            Self::Role(name) => format!("{} app:/^$/", term("user", name)),
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
