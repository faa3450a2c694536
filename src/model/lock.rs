//! The graph of who waits for whom: a waiter may have several blockers, so it is no tree.
//!
//! It knows pids and edges, not what the sessions do; [`forest`] lays it out for reading.

mod components;
pub mod forest;
mod queue;
mod weight;

use std::collections::{BTreeMap, BTreeSet};

use super::session::{Session, Sessions};
use components::Components;
pub use queue::queue_starts;
use weight::Doubts;
pub use weight::{Weight, at_most};

/// Edges from a waiter to its blockers, and back. Pid 0 stands for prepared transactions.
///
/// A hot row with 400 waiters has 25 000 edges even after the server cut each list, and every session is asked how many
/// it holds up on every sample: so pids are numbered once, walks go over plain lists, and all are weighed together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockGraph {
    /// All pids that wait or block, ascending; the position is the pid's number.
    pids: Vec<i32>,
    /// By number: whom it waits for, as pids.
    blockers: Vec<Vec<i32>>,
    /// By number: who waits for it, as pids and as numbers.
    waiters: Vec<Vec<i32>>,
    behind: Vec<Vec<usize>>,
    /// By number: true where its list of blockers was cut.
    cut: Vec<bool>,
    /// By number: true where it may have a blocker that the server does not name.
    shared: Vec<bool>,
    /// By number: how many it holds up, and how many could go on without it.
    weights: Vec<Weight>,
    /// Circles of waiters, each ascending: a deadlock, for as long as the server needs to see it.
    circles: Vec<Vec<i32>>,
}

impl LockGraph {
    /// Takes the edges from the sessions of one snapshot. A parallel worker waits for its leader's statement and under
    /// its leader's pid, as `pg_blocking_pids` names it where it blocks.
    #[must_use]
    pub fn of(sessions: &[Session]) -> Self {
        Self::naming(sessions, |_| Vec::new())
    }

    /// The same with each prepared transaction under a number of its own, where it is known which of them blocks whom:
    /// -1 stands for the first of `prepared`, -2 for the second.
    #[must_use]
    pub fn split(sessions: &Sessions) -> Self {
        let numbered = |session: &Session| {
            let before = sessions.prepared_before(session);
            let places = sessions.prepared.iter().zip(1_i32..).filter(|(p, _)| before.contains(p));
            places.map(|(_, place)| -place).collect()
        };
        Self::naming(&sessions.rows, numbered)
    }

    /// `prepared` names what blocks a session as pid 0; it stays 0 where nothing is named.
    fn naming(sessions: &[Session], prepared: impl Fn(&Session) -> Vec<i32>) -> Self {
        let mut edges: BTreeMap<i32, (Vec<i32>, bool)> = BTreeMap::new();
        for s in sessions.iter().filter(|s| !s.blocked_by.is_empty()) {
            let pid = s.leader.unwrap_or(s.pid);
            let (list, cut) = edges.entry(pid).or_default();
            let named = prepared(s);
            let hidden = |blocker: &&i32| **blocker == pid || (**blocker == 0 && !named.is_empty());
            list.extend(s.blocked_by.iter().filter(|blocker| !hidden(blocker)));
            list.extend(&named);
            *cut |= s.blockers > s.blocked_by.len();
        }
        let sharing = sessions.iter().filter(|s| s.waits_for.as_ref().is_some_and(|lock| lock.shared));
        let shared = sharing.map(|s| s.leader.unwrap_or(s.pid)).collect();
        Self::with(edges.iter().map(|(pid, (list, cut))| (*pid, list.as_slice(), *cut)), &shared)
    }

    fn with<'a>(edges: impl Iterator<Item = (i32, &'a [i32], bool)> + Clone, shared: &BTreeSet<i32>) -> Self {
        let mut pids: Vec<i32> = edges.clone().flat_map(|(pid, list, _)| list.iter().copied().chain([pid])).collect();
        pids.sort_unstable();
        pids.dedup();
        let count = pids.len();
        let shared = pids.iter().map(|pid| shared.contains(pid)).collect();
        let mut graph = Self {
            pids,
            shared,
            blockers: vec![Vec::new(); count],
            waiters: vec![Vec::new(); count],
            behind: vec![Vec::new(); count],
            cut: vec![false; count],
            weights: Vec::new(),
            circles: Vec::new(),
        };
        let mut ahead: Vec<Vec<usize>> = vec![Vec::new(); count];
        for (pid, list, cut) in edges {
            let Some(number) = graph.number(pid) else { continue };
            let mut list = list.to_vec();
            list.sort_unstable();
            list.dedup();
            for blocker in &list {
                if let Some(at) = graph.number(*blocker) {
                    push(&mut graph.waiters, at, pid);
                    push(&mut graph.behind, at, number);
                    push(&mut ahead, number, at);
                }
            }
            set(&mut graph.blockers, number, list);
            set(&mut graph.cut, number, cut);
        }
        let components = Components::of(&ahead);
        graph.circles = components.circles().map(|c| c.iter().filter_map(|n| graph.pid(*n)).collect()).collect();
        graph.weights = weight::all(&ahead, &graph.behind, graph.doubts(), &components);
        graph
    }

    fn doubts(&self) -> Doubts<'_> {
        Doubts { cut: &self.cut, shared: &self.shared }
    }

    fn number(&self, pid: i32) -> Option<usize> {
        self.pids.binary_search(&pid).ok()
    }

    fn pid(&self, number: usize) -> Option<i32> {
        self.pids.get(number).copied()
    }

    /// True where nobody waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pids.is_empty()
    }

    /// Who blocks `pid` directly.
    #[must_use]
    pub fn blockers_of(&self, pid: i32) -> &[i32] {
        self.number(pid).and_then(|n| self.blockers.get(n)).map_or(&[], Vec::as_slice)
    }

    /// Who waits for `pid` directly.
    #[must_use]
    pub fn waiters_of(&self, pid: i32) -> &[i32] {
        self.number(pid).and_then(|n| self.waiters.get(n)).map_or(&[], Vec::as_slice)
    }

    /// How many wait behind `pid`, and how many of them it alone keeps; reckoned once for all pids.
    #[must_use]
    pub fn weight(&self, pid: i32) -> Weight {
        self.number(pid).and_then(|n| self.weights.get(n)).copied().unwrap_or_default()
    }

    /// Circles of sessions that wait for each other, each ascending. The server ends one of them after
    /// `deadlock_timeout`.
    #[must_use]
    pub fn circles(&self) -> &[Vec<i32>] {
        &self.circles
    }

    /// All that wait or block, ascending.
    #[must_use]
    pub fn pids(&self) -> &[i32] {
        &self.pids
    }

    /// Everybody who waits behind `pid`, directly or through others.
    #[must_use]
    pub fn blocks(&self, pid: i32) -> BTreeSet<i32> {
        let mut seen = vec![false; self.pids.len()];
        let Some(start) = self.number(pid) else { return BTreeSet::new() };
        set(&mut seen, start, true);
        let mut open = vec![start];
        let mut found = Vec::new();
        while let Some(at) = open.pop() {
            for waiter in self.behind.get(at).into_iter().flatten() {
                if seen.get(*waiter) == Some(&false) {
                    set(&mut seen, *waiter, true);
                    found.push(*waiter);
                    open.push(*waiter);
                }
            }
        }
        found.into_iter().filter_map(|n| self.pid(n)).collect()
    }

    /// The waiters that depend on no remaining blocker once `pid` is gone, assuming that freed ones finish: those of whom
    /// every chain of blockers ends in it. A waiter whose list of blockers was cut is never counted: the figure may be too
    /// small. It is too large only where [`Self::unsure`] says so.
    #[must_use]
    pub fn frees(&self, pid: i32) -> BTreeSet<i32> {
        self.frees_all(&[pid])
    }

    /// True where one of these may have a blocker beside those that the server names: of several who share a lock on a row
    /// it names one to each waiter, and the next once that one is gone.
    #[must_use]
    pub fn unsure(&self, freed: &BTreeSet<i32>) -> bool {
        freed.iter().filter_map(|pid| self.number(*pid)).any(|n| self.shared.get(n) == Some(&true))
    }

    /// The waiters that depend on no remaining blocker once all of `pids` are gone; none of them counts as freed.
    #[must_use]
    pub fn frees_all(&self, pids: &[i32]) -> BTreeSet<i32> {
        // How many blockers each still waits for; who reaches none is free. Each edge is walked once.
        let mut left: Vec<usize> = self.blockers.iter().map(Vec::len).collect();
        let mut gone = vec![false; self.pids.len()];
        let mut open: Vec<usize> = pids.iter().filter_map(|pid| self.number(*pid)).collect();
        for start in &open {
            set(&mut gone, *start, true);
        }
        let mut found = Vec::new();
        while let Some(at) = open.pop() {
            for waiter in self.behind.get(at).into_iter().flatten() {
                let Some(remaining) = left.get_mut(*waiter) else { continue };
                *remaining = remaining.saturating_sub(1);
                let free = *remaining == 0 && self.cut.get(*waiter) == Some(&false);
                if free && gone.get(*waiter) == Some(&false) {
                    set(&mut gone, *waiter, true);
                    found.push(*waiter);
                    open.push(*waiter);
                }
            }
        }
        found.into_iter().filter_map(|n| self.pid(n)).collect()
    }

    /// Those who block somebody and wait for nobody: where to begin. Most waiters first, then by pid.
    #[must_use]
    pub fn roots(&self) -> Vec<i32> {
        let mut roots: Vec<(usize, i32)> = (0..self.pids.len())
            .filter(|n| self.blockers.get(*n).is_some_and(Vec::is_empty))
            .filter_map(|n| self.pid(n))
            .map(|pid| (self.weight(pid).blocks, pid))
            .collect();
        roots.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        roots.into_iter().map(|(_, pid)| pid).collect()
    }
}

fn push<T>(lists: &mut [Vec<T>], at: usize, value: T) {
    if let Some(list) = lists.get_mut(at) {
        list.push(value);
    }
}

fn set<T>(list: &mut [T], at: usize, value: T) {
    if let Some(place) = list.get_mut(at) {
        *place = value;
    }
}

#[cfg(test)]
mod tests;
