//! The graph by hand, and against brute force on small random graphs.

use super::*;

fn graph(edges: &[(i32, &[i32])]) -> LockGraph {
    sharing(edges, &[])
}

fn sharing(edges: &[(i32, &[i32])], shared: &[i32]) -> LockGraph {
    LockGraph::with(edges.iter().map(|(pid, list)| (*pid, *list, false)), &shared.iter().copied().collect())
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
    let g = LockGraph::with([(2, [1].as_slice(), true)].into_iter(), &BTreeSet::new());
    assert_eq!(g.frees(1), BTreeSet::new());
    assert_eq!(g.blocks(1), BTreeSet::from([2]));
}

#[test]
fn who_may_have_a_blocker_that_is_not_named_is_promised_to_nobody() {
    // 1 and another share a row that 2 wants; the server names 1. 3 waits for 2, 4 for a row that 1 alone has.
    let g = sharing(&[(2, &[1]), (3, &[2]), (4, &[1])], &[2]);
    assert_eq!((g.weight(1).freed().as_str(), g.weight(2).freed().as_str()), ("at most 3", "1"));
    assert!(g.unsure(&g.frees(1)) && !g.unsure(&g.frees(2)));
    assert_eq!(graph(&[(2, &[1])]).weight(1).freed(), "1");
}

#[test]
fn a_parallel_worker_waits_under_its_leader() {
    let waiter = |pid: i32, leader: Option<i32>, list: &[i32]| {
        let row = serde_json::json!({
            "pid": pid, "leader": leader, "application": "", "query": "", "hidden": false, "blocked_by": list,
            "blockers": list.len(),
        });
        serde_json::from_value::<Session>(row).unwrap()
    };
    let g = LockGraph::of(&[waiter(7, Some(5), &[1]), waiter(8, Some(5), &[1, 2]), waiter(9, None, &[5])]);
    assert_eq!(g.blockers_of(5), [1, 2]);
    assert_eq!(g.blocks(1), BTreeSet::from([5, 9]));
    assert_eq!(g.weight(5), Weight { blocks: 1, frees: 1, unsure: false });
}

/// A generator of its own: the core has no randomness, and a failure must come back by its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: i32) -> i32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i32::try_from((self.0 >> 33) % u64::try_from(sides).unwrap()).unwrap()
    }
}

fn random(seed: u64) -> Vec<(i32, Vec<i32>, bool)> {
    let mut dice = Dice(seed);
    let count = 2 + dice.roll(8);
    (1..=count)
        .map(|pid| {
            let blockers = (0..dice.roll(4)).map(|_| 1 + dice.roll(count)).filter(|b| *b != pid).collect();
            (pid, blockers, dice.roll(12) == 0)
        })
        .filter(|(_, list, _): &(i32, Vec<i32>, bool)| !list.is_empty())
        .collect()
}

/// Who could go on without `gone`, by trying: again and again whoever has no blocker left is let go.
fn let_go(edges: &[(i32, Vec<i32>, bool)], gone: i32) -> BTreeSet<i32> {
    let mut off = BTreeSet::from([gone]);
    loop {
        let next =
            edges.iter().find(|(pid, list, cut)| !off.contains(pid) && !cut && list.iter().all(|b| off.contains(b)));
        let Some((pid, ..)) = next else { break };
        off.insert(*pid);
    }
    off.remove(&gone);
    off
}

/// Who waits behind `pid`, by the definition: a direct waiter, or one who waits for one of them.
fn behind(edges: &[(i32, Vec<i32>, bool)], pid: i32) -> BTreeSet<i32> {
    let mut set = BTreeSet::new();
    for _ in edges {
        let more = edges.iter().filter(|(_, list, _)| list.iter().any(|b| *b == pid || set.contains(b)));
        let more: Vec<i32> = more.map(|e| e.0).collect();
        set.extend(more);
    }
    set.remove(&pid);
    set
}

#[test]
fn blocks_and_frees_are_those_of_brute_force_on_small_random_graphs() {
    let (mut circles, mut freeing) = (0, 0);
    for seed in 0..4000 {
        let edges = random(seed);
        let shared: BTreeSet<i32> = [1 + i32::try_from(seed % 10).unwrap()].into();
        let g = LockGraph::with(edges.iter().map(|(pid, list, cut)| (*pid, list.as_slice(), *cut)), &shared);
        circles += g.circles().len();
        for pid in 1..=10 {
            let (blocks, frees) = (behind(&edges, pid), let_go(&edges, pid));
            assert_eq!(g.blocks(pid), blocks, "seed {seed}: behind {pid} of {edges:?}");
            // Whom the target itself does not hold is no merit of its going: none of them waits for nothing.
            assert_eq!(g.frees(pid), frees, "seed {seed}: freed by {pid} of {edges:?}");
            // Who is freed only through one whose blockers are not all named is in doubt with that one.
            let unsure = !frees.is_disjoint(&shared);
            assert_eq!(g.unsure(&frees), unsure, "seed {seed}: {pid}");
            assert_eq!(
                g.weight(pid),
                Weight { blocks: blocks.len(), frees: frees.len(), unsure },
                "seed {seed}: {pid}"
            );
            freeing += usize::from(!frees.is_empty());
        }
        let roots: BTreeSet<i32> = edges.iter().flat_map(|(_, list, _)| list.clone()).collect();
        let roots: BTreeSet<i32> = roots.into_iter().filter(|r| !edges.iter().any(|(pid, ..)| pid == r)).collect();
        assert_eq!(g.roots().into_iter().collect::<BTreeSet<_>>(), roots, "seed {seed}: {edges:?}");
    }
    assert!(circles > 100 && freeing > 1000, "the graphs are not all alike: {circles} {freeing}");
}
