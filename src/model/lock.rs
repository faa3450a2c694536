//! The graph of who waits for whom: a waiter may have several blockers, so it is no tree.

use std::collections::{BTreeMap, BTreeSet};

use super::session::Session;

/// Edges from a waiter to its blockers, and back. Pid 0 stands for prepared transactions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockGraph {
    blockers: BTreeMap<i32, Vec<i32>>,
    waiters: BTreeMap<i32, Vec<i32>>,
    cut: BTreeSet<i32>,
}

impl LockGraph {
    /// Takes the edges from the sessions of one snapshot.
    #[must_use]
    pub fn of(sessions: &[Session]) -> Self {
        let mut graph = Self::default();
        for session in sessions.iter().filter(|s| !s.blocked_by.is_empty()) {
            let mut list = session.blocked_by.clone();
            list.sort_unstable();
            list.dedup();
            if session.blockers > session.blocked_by.len() {
                graph.cut.insert(session.pid);
            }
            for blocker in &list {
                graph.waiters.entry(*blocker).or_default().push(session.pid);
            }
            graph.blockers.insert(session.pid, list);
        }
        graph
    }

    /// True where nobody waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.blockers.is_empty()
    }

    /// How many wait in all.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.blockers.len()
    }

    /// Who blocks `pid` directly.
    #[must_use]
    pub fn blockers_of(&self, pid: i32) -> &[i32] {
        self.blockers.get(&pid).map_or(&[], Vec::as_slice)
    }

    /// Who waits for `pid` directly.
    #[must_use]
    pub fn waiters_of(&self, pid: i32) -> &[i32] {
        self.waiters.get(&pid).map_or(&[], Vec::as_slice)
    }

    /// Everybody who waits behind `pid`, directly or through others.
    #[must_use]
    pub fn blocks(&self, pid: i32) -> BTreeSet<i32> {
        let mut behind = BTreeSet::new();
        let mut open = vec![pid];
        while let Some(at) = open.pop() {
            for waiter in self.waiters_of(at) {
                if *waiter != pid && behind.insert(*waiter) {
                    open.push(*waiter);
                }
            }
        }
        behind
    }

    /// The waiters that depend on no remaining blocker once `pid` is gone, assuming that freed ones finish. A waiter
    /// whose list of blockers was cut is never counted: the figure may be too small, not too large.
    #[must_use]
    pub fn frees(&self, pid: i32) -> BTreeSet<i32> {
        let mut gone = BTreeSet::from([pid]);
        let mut open = vec![pid];
        while let Some(at) = open.pop() {
            for waiter in self.waiters_of(at) {
                let free = !self.cut.contains(waiter) && self.blockers_of(*waiter).iter().all(|b| gone.contains(b));
                if free && gone.insert(*waiter) {
                    open.push(*waiter);
                }
            }
        }
        gone.remove(&pid);
        gone
    }

    /// Those who block somebody and wait for nobody: where to begin. Most waiters first, then by pid.
    #[must_use]
    pub fn roots(&self) -> Vec<i32> {
        let mut roots: Vec<(usize, i32)> = self
            .waiters
            .keys()
            .filter(|pid| !self.blockers.contains_key(pid))
            .map(|pid| (self.blocks(*pid).len(), *pid))
            .collect();
        roots.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        roots.into_iter().map(|(_, pid)| pid).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[(i32, &[i32])]) -> LockGraph {
        let mut graph = LockGraph::default();
        for (waiter, blockers) in edges {
            for blocker in *blockers {
                graph.waiters.entry(*blocker).or_default().push(*waiter);
            }
            graph.blockers.insert(*waiter, blockers.to_vec());
        }
        graph
    }

    #[test]
    fn a_queued_alter_table_frees_the_readers_but_not_the_update_beside_it() {
        // 1 idle in transaction; 2 an UPDATE of the same row; 3 ALTER TABLE behind both; 4, 5 readers behind 3.
        let g = graph(&[(2, &[1]), (3, &[1, 2]), (4, &[3]), (5, &[3])]);
        assert_eq!(g.roots(), [1]);
        assert_eq!(g.blocks(1).len(), 4);
        assert_eq!(g.frees(1).len(), 4);
        assert_eq!(g.blocks(3), BTreeSet::from([4, 5]));
        assert_eq!(g.frees(3), BTreeSet::from([4, 5]));
        assert_eq!(g.frees(2), BTreeSet::new(), "1 still blocks the ALTER TABLE");
    }

    #[test]
    fn a_waiter_with_two_roots_is_not_freed_by_one_of_them() {
        let g = graph(&[(3, &[1, 2])]);
        assert_eq!(g.roots(), [1, 2]);
        assert_eq!(g.frees(1), BTreeSet::new());
        assert_eq!(g.blocks(1), BTreeSet::from([3]));
    }

    #[test]
    fn a_cycle_ends_the_walk() {
        let g = graph(&[(1, &[2]), (2, &[1])]);
        assert_eq!(g.blocks(1), BTreeSet::from([2]));
        assert!(g.roots().is_empty());
    }

    #[test]
    fn a_cut_list_of_blockers_never_promises_freedom() {
        let mut g = graph(&[(2, &[1])]);
        g.cut.insert(2);
        assert_eq!(g.frees(1), BTreeSet::new());
    }
}
