//! Transactions that are open for long: those whose client does nothing, and those that work.
//!
//! Who is named as a blocker or as the holder of the horizon is not named again here.

use super::finding::{Finding, Harm, Kind, Severity, Target};
use super::rule::Look;
use super::words::{before, counted, silent_s, statement, who};
use super::{blockers, horizon, slow};
use crate::command::{Command, Tab};
use crate::model::horizon::counts;
use crate::model::session::{Session, State};
use crate::model::unit::Age;

/// The sessions that no other finding names, each with the seconds that `age` counts, the most first.
fn open<'a>(look: &Look<'a>, age: impl Fn(&Session) -> Option<f64>) -> Vec<(&'a Session, f64)> {
    let Some((sessions, _)) = look.sessions() else { return Vec::new() };
    let mut named = blockers::named(look);
    named.extend(horizon::named(look));
    let mut rows: Vec<(&Session, f64)> = sessions
        .rows
        .iter()
        .filter(|s| s.is_client() && s.leader.is_none() && s.blocked_by.is_empty())
        .filter(|s| !named.contains(&s.pid))
        .filter_map(|s| age(s).map(|age| (s, age)))
        .collect();
    rows.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.pid.cmp(&b.0.pid)));
    rows
}

/// For how long the client of an open transaction has said nothing.
fn silence(look: &Look<'_>, s: &Session) -> Option<f64> {
    let silent = silent_s(s).filter(|_| s.state.is_some_and(State::is_idle_in_transaction));
    silent.filter(|seconds| *seconds >= look.limits.idle_transaction)
}

/// Transactions whose clients do nothing.
pub fn idle(look: &Look<'_>) -> Vec<Finding> {
    let rows = open(look, |s| silence(look, s));
    let (Some((oldest, age)), Some((_, seen))) = (rows.first().copied(), look.sessions()) else { return Vec::new() };
    let long = age >= look.limits.idle_transaction_long;
    let fact = if rows.len() == 1 {
        format!("{} idle in transaction {}", oldest.pid, Age(age).short())
    } else {
        format!(
            "{} idle in transaction, longest {} for {}",
            counted(rows.len(), "session"),
            oldest.pid,
            Age(age).short()
        )
    };
    vec![Finding {
        severity: if long { Severity::Warning } else { Severity::Notice },
        fact,
        evidence: format!("{}{}", who(oldest), statement(oldest)),
        todo: format!(
            "it holds its locks{}; ask its owner, or terminate it: a cancel cannot help",
            if oldest.xmin_age.is_some() && counts(look.world) { " and the horizon" } else { "" }
        ),
        since: before(seen, Some(age)),
        harm: Harm { now: 0.0, coming: 0.5 },
        action: Some(Command::TerminateBackend),
        ..Finding::of(Kind::IdleTransaction, "", seen, Target::Session { tab: Tab::Slow, key: oldest.key() })
    }]
}

/// Transactions that work for long, statement after statement, or in one that is expected to: any other long statement is a
/// slow one.
pub fn long(look: &Look<'_>) -> Vec<Finding> {
    let at_work = |s: &Session| match s.state {
        Some(state) if state.is_idle_in_transaction() => silence(look, s).is_none(),
        _ if !s.is_active() || s.awaits_standby() => false,
        _ => slow::is_maintenance(s) || s.query_s.is_some_and(|q| q < look.limits.slow),
    };
    let rows = open(look, |s| s.xact_s.filter(|age| *age >= look.limits.long_transaction && at_work(s)));
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
