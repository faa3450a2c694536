//! Totals over the clients, by state, role, database and application: the head of Connections and Slow.

use std::collections::BTreeMap;

use crate::model::ServerText;
use crate::model::session::{Sessions, State, Wait};

/// A name and how many.
pub type Counts = Vec<(String, usize)>;

/// Totals over the clients, for the head of the tab.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Totals {
    /// Client backends.
    pub clients: usize,
    /// Active ones.
    pub active: usize,
    /// Idle in a transaction.
    pub idle_in_transaction: usize,
    /// Idle.
    pub idle: usize,
    /// Waiting for a lock.
    pub waiting: usize,
    /// Hidden from our role.
    pub hidden: usize,
    /// With `track_activities` off: nobody sees what they do, whatever the role.
    pub untracked: usize,
    /// By role, most first.
    pub users: Counts,
    /// By database.
    pub databases: Counts,
    /// By application.
    pub applications: Counts,
}

impl Totals {
    /// Counts the clients among the sessions.
    #[must_use]
    pub fn of(sessions: &Sessions) -> Self {
        let mut totals = Self { hidden: sessions.hidden, ..Self::default() };
        let mut users = BTreeMap::new();
        let mut databases = BTreeMap::new();
        let mut applications = BTreeMap::new();
        for s in sessions.rows.iter().filter(|s| s.is_client()) {
            totals.clients += 1;
            match s.state {
                Some(State::Active | State::Fastpath) => totals.active += 1,
                Some(State::IdleInTransaction | State::IdleInTransactionAborted) => totals.idle_in_transaction += 1,
                Some(State::Idle) => totals.idle += 1,
                Some(State::Disabled) => totals.untracked += 1,
                Some(State::Starting) | None => {}
            }
            totals.waiting += usize::from(!s.blocked_by.is_empty() || s.wait.as_ref().is_some_and(Wait::is_lock));
            count(&mut users, s.user.as_ref());
            count(&mut databases, s.database.as_ref());
            count(&mut applications, Some(&s.application));
        }
        totals.users = ranked(users);
        totals.databases = ranked(databases);
        totals.applications = ranked(applications);
        totals
    }
}

fn count(into: &mut BTreeMap<String, usize>, name: Option<&ServerText>) {
    let name = name.filter(|n| !n.is_empty()).map_or_else(|| "(none)".to_owned(), |n| n.head(24));
    *into.entry(name).or_default() += 1;
}

fn ranked(map: BTreeMap<String, usize>) -> Counts {
    let mut list: Counts = map.into_iter().collect();
    list.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    list
}
