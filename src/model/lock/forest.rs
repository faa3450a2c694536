//! The lock graph laid out for reading: a forest of who waits behind whom.
//!
//! A waiter hangs under its deepest blocker and counts the others. Alike waiters are one node. It draws nothing and
//! knows nothing of who is selected.

use std::collections::{BTreeMap, BTreeSet};

use super::LockGraph;
use super::components::Components;
use super::queue::queue_starts;
use crate::model::session::Session;

/// So many alike waiters are worth one line instead of their own.
pub const FOLDED_FROM: usize = 3;

/// What stands at a place of the forest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A session, or a prepared transaction where the pid is 0.
    One(i32),
    /// Sessions that wait for the same kind of lock behind the same others, longest wait first.
    Alike(Vec<i32>),
    /// A circle: a deadlock that the server has not yet ended. Its members hang under it.
    Circle(Vec<i32>),
}

/// A place in the forest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Who.
    pub what: What,
    /// For each level down to this one: whether it is the last there. Empty for a root.
    pub rails: Vec<bool>,
    /// Further blockers, beside the one that it hangs under.
    pub more: usize,
    /// True where a queue starts: see [`queue_starts`].
    pub starts_queue: bool,
}

/// Lays the graph out, the root that costs most first: sessions behind it times the seconds that each waits.
#[must_use]
pub fn of(sessions: &[Session], graph: &LockGraph) -> Vec<Node> {
    let layout = Layout::of(sessions, graph);
    let mut nodes = Vec::new();
    // A stack, not a recursion: a queue may be thousands deep.
    let mut open: Vec<(usize, Vec<bool>)> = layout.roots().into_iter().rev().map(|root| (root, Vec::new())).collect();
    while let Some((at, rails)) = open.pop() {
        let children = layout.children(at);
        for (i, child) in children.iter().enumerate().rev() {
            let mut below = rails.clone();
            below.push(i + 1 == children.len());
            open.push((*child, below));
        }
        nodes.extend(layout.node(at, rails));
    }
    nodes
}

/// Seconds that a session has waited for its lock.
fn waited(session: &Session) -> f64 {
    let lock = session.waits_for.as_ref().and_then(|w| w.waited_s);
    lock.or(session.query_s).unwrap_or(0.0).max(0.0)
}

struct Layout<'a> {
    graph: &'a LockGraph,
    sessions: BTreeMap<i32, &'a Session>,
    /// The nodes; circles last.
    whats: Vec<What>,
    /// By node: the one that it hangs under.
    parents: Vec<Option<usize>>,
    /// By node: how many others it waits for.
    more: Vec<usize>,
    below: BTreeMap<usize, Vec<usize>>,
    starts: BTreeSet<i32>,
}

impl<'a> Layout<'a> {
    fn of(rows: &'a [Session], graph: &'a LockGraph) -> Self {
        let sessions: BTreeMap<i32, &Session> = rows.iter().map(|s| (s.pid, s)).collect();
        let mut whats = groups(graph, &sessions);
        let grouped: BTreeSet<i32> = whats.iter().flat_map(members).copied().collect();
        whats.extend(graph.pids().iter().filter(|pid| !grouped.contains(pid)).map(|pid| What::One(*pid)));
        let node_of: BTreeMap<i32, usize> =
            whats.iter().enumerate().flat_map(|(n, what)| members(what).iter().map(move |pid| (*pid, n))).collect();
        let ahead: Vec<Vec<usize>> =
            whats.iter().enumerate().map(|(n, what)| edges(n, what, graph, &node_of)).collect();
        let components = Components::of(&ahead);
        let mut layout = Self {
            more: ahead.iter().map(|list| list.len().saturating_sub(1)).collect(),
            parents: vec![None; ahead.len()],
            graph,
            sessions,
            whats,
            below: BTreeMap::new(),
            starts: queue_starts(rows, graph).into_iter().collect(),
        };
        layout.hang(&ahead, &components);
        layout
    }

    /// Hangs each node under its deepest blocker, and the members of a circle under one that stands for it.
    fn hang(&mut self, ahead: &[Vec<usize>], components: &Components) {
        let mut depth = vec![0_usize; ahead.len()];
        for nodes in components.all() {
            let inside: BTreeSet<usize> = nodes.iter().copied().collect();
            let outside = nodes.iter().filter_map(|n| ahead.get(*n)).flatten().copied().filter(|b| !inside.contains(b));
            let parent = outside.max_by_key(|b| (depth.get(*b).copied(), self.blocks(*b), std::cmp::Reverse(*b)));
            let mut own = parent.and_then(|p| depth.get(p)).map_or(0, |d| d + 1);
            let mut parent = parent;
            if nodes.len() > 1 {
                let mut circle: Vec<i32> =
                    nodes.iter().filter_map(|n| self.whats.get(*n)).flat_map(members).copied().collect();
                circle.sort_unstable();
                self.whats.push(What::Circle(circle));
                self.parents.push(parent);
                self.more.push(0);
                parent = Some(self.whats.len() - 1);
                own += 1;
            }
            for node in nodes {
                if let (Some(place), Some(under)) = (depth.get_mut(*node), self.parents.get_mut(*node)) {
                    (*place, *under) = (own, parent);
                }
            }
        }
        for (node, parent) in self.parents.iter().enumerate() {
            if let Some(parent) = parent {
                self.below.entry(*parent).or_default().push(node);
            }
        }
    }

    fn blocks(&self, node: usize) -> usize {
        let pids = self.whats.get(node).map_or(&[][..], members);
        pids.iter().map(|pid| self.graph.weight(*pid).blocks).max().unwrap_or(0)
    }

    fn roots(&self) -> Vec<usize> {
        let mut roots: Vec<(f64, usize)> =
            (0..self.whats.len()).filter(|n| self.parents.get(*n) == Some(&None)).map(|n| (self.cost(n), n)).collect();
        roots.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        roots.into_iter().map(|(_, n)| n).collect()
    }

    /// Seconds waited by all behind a node.
    fn cost(&self, node: usize) -> f64 {
        let pids = self.whats.get(node).map_or(&[][..], members);
        let behind: BTreeSet<i32> = pids.iter().flat_map(|pid| self.graph.blocks(*pid)).collect();
        behind.iter().filter_map(|pid| self.sessions.get(pid)).map(|s| waited(s)).sum()
    }

    /// Who hangs under a node, the one with the most behind it first, then the longest wait.
    fn children(&self, node: usize) -> Vec<usize> {
        let mut list = self.below.get(&node).cloned().unwrap_or_default();
        let longest = |n: usize| {
            let pids = self.whats.get(n).map_or(&[][..], members);
            pids.iter().filter_map(|pid| self.sessions.get(pid)).map(|s| waited(s)).fold(0.0, f64::max)
        };
        list.sort_by(|a, b| {
            let order = self.blocks(*b).cmp(&self.blocks(*a));
            order.then(longest(*b).total_cmp(&longest(*a))).then(a.cmp(b))
        });
        list
    }

    fn node(&self, at: usize, rails: Vec<bool>) -> Option<Node> {
        let what = self.whats.get(at)?.clone();
        let starts_queue = !matches!(what, What::Circle(_)) && members(&what).iter().any(|p| self.starts.contains(p));
        Some(Node { starts_queue, more: self.more.get(at).copied().unwrap_or(0), what, rails })
    }
}

fn members(what: &What) -> &[i32] {
    match what {
        What::One(pid) => std::slice::from_ref(pid),
        What::Alike(pids) | What::Circle(pids) => pids,
    }
}

/// The nodes that a node waits for, itself left out, ascending.
fn edges(node: usize, what: &What, graph: &LockGraph, node_of: &BTreeMap<i32, usize>) -> Vec<usize> {
    let blockers = members(what).iter().flat_map(|pid| graph.blockers_of(*pid));
    let nodes: BTreeSet<usize> = blockers.filter_map(|pid| node_of.get(pid)).copied().collect();
    nodes.into_iter().filter(|other| *other != node).collect()
}

/// What alike waiters have in common: the lock, its mode and relation, the statement's first word.
type Likeness = (String, String, Option<String>, String);

/// Waiters for the same kind of lock with the same blockers outside of their own number. A queue on a hot row, each
/// behind all before it, is one such group.
fn groups(graph: &LockGraph, sessions: &BTreeMap<i32, &Session>) -> Vec<What> {
    let in_circles: BTreeSet<i32> = graph.circles().iter().flatten().copied().collect();
    let mut alike: BTreeMap<Likeness, Vec<i32>> = BTreeMap::new();
    for pid in graph.pids().iter().filter(|pid| !in_circles.contains(pid) && !graph.blockers_of(**pid).is_empty()) {
        let Some(session) = sessions.get(pid) else { continue };
        let Some(lock) = &session.waits_for else { continue };
        let relation = lock.relation.as_ref().map(|r| r.raw().to_owned());
        let likeness = (lock.locktype.clone(), lock.mode.clone(), relation, first_word(session.query.raw()));
        alike.entry(likeness).or_default().push(*pid);
    }
    let mut found = Vec::new();
    for pids in alike.into_values().filter(|pids| pids.len() >= FOLDED_FROM) {
        let inside: BTreeSet<i32> = pids.iter().copied().collect();
        let mut by_blockers: BTreeMap<Vec<i32>, Vec<i32>> = BTreeMap::new();
        for pid in pids {
            let outside = graph.blockers_of(pid).iter().copied().filter(|b| !inside.contains(b)).collect();
            by_blockers.entry(outside).or_default().push(pid);
        }
        for (outside, mut pids) in by_blockers {
            if pids.len() >= FOLDED_FROM && !outside.is_empty() {
                let waited = |pid: &i32| sessions.get(pid).map_or(0.0, |s| waited(s));
                pids.sort_by(|a, b| waited(b).total_cmp(&waited(a)).then(a.cmp(b)));
                found.push(What::Alike(pids));
            }
        }
    }
    found
}

fn first_word(query: &str) -> String {
    let word = query.trim_start().chars().take_while(char::is_ascii_alphabetic).take(20);
    word.map(|c| c.to_ascii_uppercase()).collect()
}
