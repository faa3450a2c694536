//! The graph of who waits for whom: a waiter may have several blockers, so it is no tree.

use std::collections::BTreeSet;

use super::session::Session;

/// Edges from a waiter to its blockers, and back. Pid 0 stands for prepared transactions.
///
/// A hot row with 400 waiters has 25 000 edges even after the server cut each list, and every waiter is asked how many
/// it holds up on every sample: so pids are numbered once, and walks go over plain lists.
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
}

impl LockGraph {
    /// Takes the edges from the sessions of one snapshot.
    #[must_use]
    pub fn of(sessions: &[Session]) -> Self {
        let waiting = sessions.iter().filter(|s| !s.blocked_by.is_empty());
        Self::with(waiting.map(|s| (s.pid, s.blocked_by.as_slice(), s.blockers > s.blocked_by.len())))
    }

    fn with<'a>(edges: impl Iterator<Item = (i32, &'a [i32], bool)> + Clone) -> Self {
        let mut pids: Vec<i32> = edges.clone().flat_map(|(pid, list, _)| list.iter().copied().chain([pid])).collect();
        pids.sort_unstable();
        pids.dedup();
        let count = pids.len();
        let mut graph = Self {
            pids,
            blockers: vec![Vec::new(); count],
            waiters: vec![Vec::new(); count],
            behind: vec![Vec::new(); count],
            cut: vec![false; count],
        };
        for (pid, list, cut) in edges {
            let Some(number) = graph.number(pid) else { continue };
            let mut list = list.to_vec();
            list.sort_unstable();
            list.dedup();
            for blocker in &list {
                if let Some(at) = graph.number(*blocker) {
                    push(&mut graph.waiters, at, pid);
                    push(&mut graph.behind, at, number);
                }
            }
            set(&mut graph.blockers, number, list);
            set(&mut graph.cut, number, cut);
        }
        graph
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

    /// The waiters that depend on no remaining blocker once `pid` is gone, assuming that freed ones finish. A waiter
    /// whose list of blockers was cut is never counted: the figure may be too small, not too large.
    #[must_use]
    pub fn frees(&self, pid: i32) -> BTreeSet<i32> {
        self.frees_all(&[pid])
    }

    /// The same once all of `pids` are gone; none of them counts as freed.
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
            .map(|pid| (self.blocks(pid).len(), pid))
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
mod tests {
    use super::*;

    fn graph(edges: &[(i32, &[i32])]) -> LockGraph {
        LockGraph::with(edges.iter().map(|(pid, list)| (*pid, *list, false)))
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
        let g = LockGraph::with([(2, [1].as_slice(), true)].into_iter());
        assert_eq!(g.frees(1), BTreeSet::new());
        assert_eq!(g.blocks(1), BTreeSet::from([2]));
    }
}
