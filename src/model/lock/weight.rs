//! How much each session holds up: reckoned for all of them together, since a list shows it for every row.
//!
//! One walk per session over a hot row of 400 waiters took 31 ms a sample. Here the sets of who waits behind are built
//! from the ends of the queues towards its heads, as bits, each edge once.

use super::components::Components;

/// What goes with one session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Weight {
    /// Who waits behind it, directly or through others.
    pub blocks: usize,
    /// How many of them could go on if it went: see [`LockGraph::frees`](super::LockGraph::frees).
    pub frees: usize,
    /// True where it may be fewer: one of them waits for a row that others may lock, too.
    pub unsure: bool,
}

impl Weight {
    /// How many it frees: `37`, or `at most 37`.
    #[must_use]
    pub fn freed(self) -> String {
        at_most(self.frees, self.unsure)
    }
}

/// `37`, or `at most 37` where that is `unsure`.
#[must_use]
pub fn at_most(count: usize, unsure: bool) -> String {
    if unsure { format!("at most {count}") } else { count.to_string() }
}

/// What is not known of each, by number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Doubts<'a> {
    /// True where its list of blockers was cut.
    pub cut: &'a [bool],
    /// True where it may have a blocker that the server does not name.
    pub shared: &'a [bool],
}

/// By number. `ahead` and `behind` are the edges in both directions.
pub(super) fn all(
    ahead: &[Vec<usize>],
    behind: &[Vec<usize>],
    doubts: Doubts<'_>,
    components: &Components,
) -> Vec<Weight> {
    let mut weights = vec![Weight::default(); ahead.len()];
    let words = ahead.len().div_ceil(64);
    let mut reach: Vec<Vec<u64>> = vec![Vec::new(); components.all().len()];
    // The last waits for the others: its set is complete before theirs are begun.
    for (at, members) in components.all().iter().enumerate().rev() {
        let mut set = vec![0_u64; words];
        for waiter in members.iter().filter_map(|m| behind.get(*m)).flatten() {
            mark(&mut set, *waiter);
            if let Some(further) = reach.get(components.number(*waiter)) {
                set.iter_mut().zip(further).for_each(|(mine, theirs)| *mine |= theirs);
            }
        }
        let count: usize = set.iter().map(|w| w.count_ones() as usize).sum();
        // In a circle each waits behind itself, too.
        let itself = usize::from(members.len() > 1);
        for member in members {
            if let Some(weight) = weights.get_mut(*member) {
                weight.blocks = count - itself;
            }
        }
        if let Some(place) = reach.get_mut(at) {
            *place = set;
        }
    }
    let mut left: Vec<usize> = ahead.iter().map(Vec::len).collect();
    for (number, weight) in weights.iter_mut().enumerate().filter(|(_, w)| w.blocks > 0) {
        (weight.frees, weight.unsure) = freed(number, behind, doubts, &mut left);
    }
    weights
}

fn mark(set: &mut [u64], bit: usize) {
    if let Some(word) = set.get_mut(bit / 64) {
        *word |= 1 << (bit % 64);
    }
}

/// How many could go on without `start`, and whether it may be fewer. `left` counts each one's blockers, and is found again as it was given.
fn freed(start: usize, behind: &[Vec<usize>], doubts: Doubts<'_>, left: &mut [usize]) -> (usize, bool) {
    let mut open = vec![start];
    let mut walked = 0;
    // Who goes on stays in the list; who was only counted down is counted up again in the end.
    while let Some(at) = open.get(walked).copied() {
        walked += 1;
        for waiter in behind.get(at).into_iter().flatten() {
            let Some(remaining) = left.get_mut(*waiter) else { continue };
            *remaining = remaining.saturating_sub(1);
            if *remaining == 0 && *waiter != start && doubts.cut.get(*waiter) == Some(&false) {
                open.push(*waiter);
            }
        }
    }
    for waiter in open.iter().filter_map(|at| behind.get(*at)).flatten() {
        if let Some(remaining) = left.get_mut(*waiter) {
            *remaining += 1;
        }
    }
    let unsure = open.iter().skip(1).any(|at| doubts.shared.get(*at) == Some(&true));
    (open.len() - 1, unsure)
}
