//! Who holds others up: the roots of the lock graph, and strong locks that are only waited for.
//!
//! A wait that is shorter than the limit is traffic, and no finding.

use std::collections::BTreeSet;

use super::finding::{Finding, Harm, Kind, Severity, Target};
use super::rule::Look;
use super::words::{counted, doing, literal, statement, subject, who};
use crate::command::{Command, Tab};
use crate::model::ServerText;
use crate::model::lock::LockGraph;
use crate::model::session::{Prepared, Session, State};
use crate::model::unit::Age;

/// Queues that are named at most: behind the first, the others are details of the Locks tab.
const MOST_QUEUES: usize = 3;

/// How long the sessions behind somebody wait.
struct Waiting {
    count: usize,
    /// Added up, in session-seconds.
    total_s: f64,
    longest_s: f64,
    /// True where the server does not say how long one of them has waited: it counts as long enough to be named.
    unknown: bool,
}

impl Waiting {
    fn of(look: &Look<'_>, pids: &BTreeSet<i32>) -> Self {
        let rows = look.world.sessions.get().map_or(&[][..], |s| s.rows.as_slice());
        let waits = rows.iter().filter(|s| pids.contains(&s.pid)).map(waited_s);
        let mut waiting = Self { count: pids.len(), total_s: 0.0, longest_s: 0.0, unknown: false };
        for waited in waits {
            waiting.total_s += waited.unwrap_or(0.0);
            waiting.longest_s = waiting.longest_s.max(waited.unwrap_or(look.limits.blocked));
            waiting.unknown |= waited.is_none();
        }
        waiting
    }

    fn longest(&self) -> String {
        if self.unknown {
            "for how long is not known".to_owned()
        } else {
            format!("longest {}", Age(self.longest_s).short())
        }
    }

    fn severity(&self, look: &Look<'_>) -> Severity {
        if self.total_s >= look.limits.blocked_harm { Severity::Critical } else { Severity::Warning }
    }
}

/// None where `track_activities` is off and the server, up to 13, does not time the wait itself.
fn waited_s(s: &Session) -> Option<f64> {
    s.waits_for.as_ref().and_then(|w| w.waited_s).or(s.query_s).map(|waited| waited.max(0.0))
}

/// Sessions and prepared transactions that others wait for, and that wait for nobody.
pub fn roots(look: &Look<'_>) -> Vec<Finding> {
    let Some((sessions, seen)) = look.sessions() else { return Vec::new() };
    // Each prepared transaction is a root of its own.
    let split = look.world.graph.pids().contains(&0).then(|| LockGraph::split(sessions));
    let graph = split.as_ref().unwrap_or(&look.world.graph);
    let mut found = Vec::new();
    for pid in graph.roots() {
        let waiting = Waiting::of(look, &graph.blocks(pid));
        if waiting.longest_s < look.limits.blocked {
            continue;
        }
        let frees = graph.weight(pid).freed();
        let root = look.session(pid);
        let target = root.map_or(Target::Tab(Tab::Locks), |s| Target::Session { tab: Tab::Locks, key: s.key() });
        let name = root.map_or_else(|| pid.to_string(), |s| subject(&s.key()));
        let mut finding = Finding {
            severity: waiting.severity(look),
            since: super::words::before(seen, (!waiting.unknown).then_some(waiting.longest_s)),
            harm: Harm { now: waiting.total_s, coming: 1.0 },
            ..Finding::of(Kind::Blocker, name, seen, target)
        };
        let blocks = format!("blocks {}, {}", counted(waiting.count, "session"), waiting.longest());
        match root {
            Some(s) => {
                finding.fact = format!("{pid} {} {blocks}", doing(s));
                finding.evidence = format!("{}{}", who(s), statement(s));
                advise(&mut finding, s, &frees);
            }
            None if pid <= 0 => {
                let at = usize::try_from(-1 - i64::from(pid)).ok();
                prepared(&mut finding, at.and_then(|at| sessions.prepared.get(at)), &blocks);
            }
            None => {
                finding.fact = format!("pid {pid} {blocks}");
                "it is not among the sessions that the server shows".clone_into(&mut finding.evidence);
                "look for it on the server: it may have ended between two answers".clone_into(&mut finding.todo);
            }
        }
        found.push(finding);
    }
    found
}

/// What helps: a cancel ends a statement, nothing but a termination ends an idle transaction.
fn advise(finding: &mut Finding, s: &Session, frees: &str) {
    let frees = format!("frees {frees}");
    if s.prevents_wraparound() {
        "it prevents wraparound: let it end. Cancel the strongest lock that queues behind it"
            .clone_into(&mut finding.todo);
        return;
    }
    if !s.is_client() && !s.hidden {
        let kind = s.backend_type.as_deref().unwrap_or("process");
        finding.todo = match kind {
            "startup" => "the lock was taken on the primary: end its holder there".to_owned(),
            "autovacuum worker" => "it gives way by itself after deadlock_timeout".to_owned(),
            other => format!("it is a {}: no session to cancel", ServerText::from(other).head(30)),
        };
        return;
    }
    if s.awaits_standby() {
        finding.todo = format!(
            "it {} here and holds its locks until a standby confirms: see who it waits for on Replication",
            s.done_here()
        );
        return;
    }
    let written = if s.xid.is_some() { "; what it may have written rolls back" } else { "" };
    match s.state {
        Some(State::IdleInTransaction | State::IdleInTransactionAborted) => {
            finding.action = Some(Command::TerminateBackend);
            finding.todo = format!("cancel cannot help an idle session: terminate it ({frees}{written})");
        }
        Some(State::Active | State::Fastpath) => {
            finding.action = Some(Command::CancelBackend);
            finding.todo = format!("cancel its statement ({frees}{written})");
        }
        Some(State::Idle) => {
            finding.action = Some(Command::TerminateBackend);
            finding.todo = format!(
                "it holds a lock of its session, without a transaction: terminate it, a cancel cannot help ({frees})"
            );
        }
        Some(State::Starting | State::Disabled) | None => {
            finding.action = Some(Command::TerminateBackend);
            finding.todo = format!("what it does is not to be seen; terminating it {frees}");
        }
    }
}

fn prepared(finding: &mut Finding, which: Option<&Prepared>, blocks: &str) {
    let Some(p) = which else {
        finding.fact = format!("a prepared transaction {blocks}");
        "pg_prepared_xacts names it".clone_into(&mut finding.evidence);
        "COMMIT PREPARED or ROLLBACK PREPARED it".clone_into(&mut finding.todo);
        return;
    };
    finding.key.subject = format!("prepared {}", p.gid.raw());
    finding.target = Target::Prepared(p.gid.clone());
    finding.fact = format!("prepared transaction {} {blocks}", p.gid.head(40));
    finding.evidence = format!(
        "prepared by {} in {} {} ago: it has no session, and outlives a restart",
        p.owner.head(24),
        p.database.head(24),
        Age(p.age_s).short()
    );
    finding.todo = format!(
        "its coordinator should COMMIT PREPARED it; else ROLLBACK PREPARED, as {} in {}, undoes its part alone",
        p.owner.head(24),
        p.database.head(24)
    );
    // What is shown of an identifier in another encoding is a guess, and no SQL to run.
    finding.remedy = p.exact.then(|| format!("ROLLBACK PREPARED {};", literal(p.gid.raw())));
}

/// Strong locks that are only waited for: where a queue starts that one cancel dissolves.
pub fn queues(look: &Look<'_>) -> Vec<Finding> {
    let Some((sessions, seen)) = look.sessions() else { return Vec::new() };
    let graph = &look.world.graph;
    let mut found = Vec::new();
    for s in sessions.rows.iter().filter(|s| !s.blocked_by.is_empty() && is_strong(s)) {
        let frees = graph.frees(s.pid);
        let waiting = Waiting::of(look, &frees);
        if frees.is_empty() || waiting.longest_s < look.limits.blocked {
            continue;
        }
        let Some(wants) = &s.waits_for else { continue };
        let mode = ServerText::from(wants.mode.trim_end_matches("Lock")).head(24);
        let on = wants.relation.as_ref().map_or_else(String::new, |r| format!(" on {}", r.head(40)));
        found.push(Finding {
            severity: waiting.severity(look),
            fact: format!(
                "{} only waits for {mode}{on}, and {} queue behind it",
                s.pid,
                counted(waiting.count, "session")
            ),
            evidence: format!("{}{}", who(s), statement(s)),
            todo: format!(
                "cancel it: the {} go on at once, whoever blocks it; try it again later with a lock_timeout",
                waiting.count
            ),
            since: super::words::before(seen, waited_s(s)),
            harm: Harm { now: waiting.total_s, coming: 1.0 },
            action: Some(Command::CancelBackend),
            ..Finding::of(Kind::Queue, subject(&s.key()), seen, Target::Session { tab: Tab::Locks, key: s.key() })
        });
    }
    found.sort_by(Finding::rank);
    found.truncate(MOST_QUEUES);
    found
}

/// A lock on a relation that ordinary reads or writes queue behind.
fn is_strong(s: &Session) -> bool {
    s.waits_for.as_ref().is_some_and(|w| {
        w.locktype == "relation"
            && matches!(
                w.mode.as_str(),
                "ShareUpdateExclusiveLock"
                    | "ShareLock"
                    | "ShareRowExclusiveLock"
                    | "ExclusiveLock"
                    | "AccessExclusiveLock"
            )
    })
}

/// The sessions that a finding of this theme is about: other themes do not name them again.
pub fn named(look: &Look<'_>) -> BTreeSet<i32> {
    let graph = &look.world.graph;
    let long = |pid: &i32| Waiting::of(look, &graph.blocks(*pid)).longest_s >= look.limits.blocked;
    graph.roots().into_iter().filter(long).collect()
}
