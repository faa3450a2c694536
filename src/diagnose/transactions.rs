//! Transactions that are open for long: those whose client does nothing, and those that work.
//!
//! Who is named as a blocker or as the holder of the horizon is not named again here.

use super::finding::{Finding, Harm, Kind, Severity, Target};
use super::rule::Look;
use super::words::{before, counted, statement, who};
use super::{blockers, horizon};
use crate::command::{Command, Tab};
use crate::model::session::{Session, State};
use crate::model::unit::Age;

/// The sessions that `which` lets through and no other finding names, the oldest transaction first.
fn open<'a>(look: &Look<'a>, which: impl Fn(&Session) -> bool) -> Vec<(&'a Session, f64)> {
    let Some((sessions, _)) = look.sessions() else { return Vec::new() };
    let mut named = blockers::named(look);
    named.extend(horizon::named(look));
    let mut rows: Vec<(&Session, f64)> = sessions
        .rows
        .iter()
        .filter(|s| s.is_client() && s.leader.is_none() && s.blocked_by.is_empty())
        .filter(|s| !named.contains(&s.pid) && which(s))
        .filter_map(|s| s.xact_s.map(|age| (s, age)))
        .collect();
    rows.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.pid.cmp(&b.0.pid)));
    rows
}

/// Transactions whose clients do nothing.
pub fn idle(look: &Look<'_>) -> Vec<Finding> {
    let mut rows = open(look, |s| s.state.is_some_and(State::is_idle_in_transaction));
    rows.retain(|r| r.1 >= look.limits.idle_transaction);
    let (Some((oldest, age)), Some((_, seen))) = (rows.first().copied(), look.sessions()) else { return Vec::new() };
    let long = age >= look.limits.idle_transaction_long;
    let fact = if rows.len() == 1 {
        format!("{} idle in transaction {}", oldest.pid, Age(age).short())
    } else {
        format!(
            "{} idle in transaction, oldest {} for {}",
            counted(rows.len(), "session"),
            oldest.pid,
            Age(age).short()
        )
    };
    vec![Finding {
        severity: if long { Severity::Warning } else { Severity::Notice },
        fact,
        evidence: format!("{}{}", who(oldest), statement(oldest)),
        todo: "it holds its locks and the horizon; ask its owner, or terminate it: a cancel cannot help".to_owned(),
        since: before(seen, Some(age)),
        harm: Harm { now: 0.0, coming: 0.5 },
        action: Some(Command::TerminateBackend),
        ..Finding::of(Kind::IdleTransaction, "", seen, Target::Session { tab: Tab::Slow, key: oldest.key() })
    }]
}

/// Transactions that work for long, statement after statement: one long statement is a slow statement.
pub fn long(look: &Look<'_>) -> Vec<Finding> {
    let mut rows = open(look, |s| s.is_active() && s.query_s.is_some_and(|q| q < look.limits.slow));
    rows.retain(|r| r.1 >= look.limits.long_transaction);
    let (Some((oldest, age)), Some((_, seen))) = (rows.first().copied(), look.sessions()) else { return Vec::new() };
    let fact = format!(
        "{} of a transaction open over {}, oldest {} for {}",
        counted(rows.len(), "session"),
        Age(look.limits.long_transaction).short(),
        oldest.pid,
        Age(age).short()
    );
    vec![Finding {
        fact,
        evidence: format!("{}{}", who(oldest), statement(oldest)),
        todo: "a job that commits in batches holds less; ask its owner before anything is cancelled".to_owned(),
        since: before(seen, Some(age)),
        harm: Harm { now: 0.0, coming: 0.2 },
        ..Finding::of(Kind::LongTransaction, "", seen, Target::Session { tab: Tab::Connections, key: oldest.key() })
    }]
}
