//! Two hundred sessions that lock at random, and the graph that the probe makes of them: it must be what `pg_blocking_pids`
//! says of each, and what follows from that by trying. It must not test how the forest is drawn.
use super::asking::{client, primary, run, sessions};
use pgtriage::model::lock::LockGraph;
use pgtriage::model::lock::forest::{self, Node, What};
use pgtriage::model::session::Sessions;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use tokio_postgres::Client;

const SESSIONS: usize = 200;

const MODES: [&str; 8] = [
    "ACCESS SHARE",
    "ROW SHARE",
    "ROW EXCLUSIVE",
    "SHARE UPDATE EXCLUSIVE",
    "SHARE",
    "SHARE ROW EXCLUSIVE",
    "EXCLUSIVE",
    "ACCESS EXCLUSIVE",
];

/// Its own generator, so that a graph comes back by its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    /// A statement that takes a lock: of a table in some mode, mostly a weak one; of a row; of a key.
    fn step(&mut self) -> String {
        let mode = if self.roll(3) == 0 { self.roll(8) } else { self.roll(3) };
        let mode = MODES[usize::try_from(mode).unwrap()];
        match self.roll(10) {
            0..=4 => format!("LOCK TABLE g{} IN {mode} MODE", self.roll(9)),
            5 => format!("UPDATE rows SET n = n + 1 WHERE id = {}", self.roll(12)),
            6 => format!("SELECT FROM rows WHERE id = {} FOR SHARE", self.roll(12)),
            7 => format!("SELECT FROM rows WHERE id = {} FOR KEY SHARE", self.roll(12)),
            8 => format!("SELECT pg_advisory_xact_lock({})", self.roll(8)),
            _ => format!("SELECT pg_advisory_xact_lock_shared({})", self.roll(8)),
        }
    }
}

/// Opens the sessions and lets each take up to three locks, one after the other, until it waits; then all of them one
/// more: who holds something and waits for something closes circles.
async fn pile(uri: &str, seed: u64) -> Vec<Client> {
    let mut dice = Dice(seed);
    let uri = format!("{uri}{}application_name=pile", if uri.contains('?') { '&' } else { '?' });
    let mut clients = Vec::new();
    for _ in 0..SESSIONS {
        let client = client(&uri).await;
        let steps: Vec<String> = (0..=dice.roll(3)).map(|_| dice.step()).collect();
        send(&client, &format!("BEGIN; {}", steps.join("; "))).await;
        clients.push(client);
    }
    for client in &clients {
        send(client, &dice.step()).await;
    }
    clients
}

/// Sends a statement that may wait for ever: the request is written when it is first polled, and what becomes of it is seen
/// from outside.
async fn send(client: &Client, sql: &str) {
    let _pending = tokio::time::timeout(Duration::from_millis(2), client.simple_query(sql)).await;
}

/// Whom each of them waits for, as the server says of each pid by itself, once it says the same twice.
async fn settled(watcher: &Client) -> BTreeMap<i32, BTreeSet<i32>> {
    let give_up = Instant::now() + Duration::from_secs(20);
    let mut before = None;
    loop {
        let now = asked(watcher).await;
        if before.as_ref() == Some(&now) && now.len() == SESSIONS {
            return now;
        }
        assert!(Instant::now() < give_up, "it never came to rest: {} sessions", now.len());
        before = Some(now);
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

async fn asked(watcher: &Client) -> BTreeMap<i32, BTreeSet<i32>> {
    let pids = "SELECT pid FROM pg_stat_activity WHERE application_name = 'pile' \
                AND (state = 'idle in transaction' OR wait_event_type = 'Lock')";
    let mut found = BTreeMap::new();
    for row in watcher.query(pids, &[]).await.unwrap() {
        let pid: i32 = row.get(0);
        let list: Vec<i32> = watcher.query_one("SELECT pg_blocking_pids($1)", &[&pid]).await.unwrap().get(0);
        found.insert(pid, list.into_iter().collect());
    }
    found
}

/// Who could go on without `gone`, by letting go whoever has no blocker left.
fn let_go(edges: &BTreeMap<i32, BTreeSet<i32>>, gone: i32) -> BTreeSet<i32> {
    let mut off = BTreeSet::from([gone]);
    while let Some(pid) =
        edges.iter().find(|(p, b)| !off.contains(p) && !b.is_empty() && b.is_subset(&off)).map(|e| *e.0)
    {
        off.insert(pid);
    }
    off.remove(&gone);
    off
}

/// Who waits behind `pid`, step by step away from it.
fn behind(edges: &BTreeMap<i32, BTreeSet<i32>>, pid: i32) -> BTreeSet<i32> {
    let mut found = BTreeSet::new();
    let mut front = BTreeSet::from([pid]);
    while !front.is_empty() {
        let next = edges.iter().filter(|(p, b)| !found.contains(*p) && !b.is_disjoint(&front)).map(|(p, _)| *p);
        let next: BTreeSet<i32> = next.collect();
        found.extend(&next);
        front = next;
    }
    found.remove(&pid);
    found
}

fn members(node: &Node) -> &[i32] {
    match &node.what {
        What::One(pid) => std::slice::from_ref(pid),
        What::Alike(pids) | What::Circle(pids) => pids,
    }
}

/// Each waiter stands in the forest once, below one that it waits for; and a root waits for nobody.
fn check_forest(nodes: &[Node], edges: &BTreeMap<i32, BTreeSet<i32>>, graph: &LockGraph) {
    let mut seen: Vec<i32> = Vec::new();
    let mut path: Vec<&Node> = Vec::new();
    for node in nodes {
        path.truncate(node.rails.len());
        if !matches!(node.what, What::Circle(_)) {
            seen.extend(members(node));
            for pid in members(node) {
                let blockers = edges.get(pid).cloned().unwrap_or_default();
                match path.last() {
                    None => assert!(blockers.is_empty(), "{pid} is a root and waits for {blockers:?}"),
                    Some(above) if matches!(above.what, What::Circle(_)) => {
                        assert!(graph.circles().iter().any(|c| c.contains(pid)), "{pid} hangs under a circle");
                    }
                    Some(above) => {
                        let hung = members(above).iter().any(|p| blockers.contains(p));
                        assert!(hung, "{pid} hangs under {above:?} and waits for {blockers:?}");
                    }
                }
            }
        }
        path.push(node);
    }
    seen.sort_unstable();
    assert_eq!(seen, graph.pids(), "each once");
}

/// Sessions that hold a lock on a table that others wait for, and stop none of them.
async fn innocents(watcher: &Client, edges: &BTreeMap<i32, BTreeSet<i32>>) -> BTreeSet<i32> {
    let holders = "SELECT DISTINCT h.pid FROM pg_locks h JOIN pg_locks w ON NOT w.granted AND w.relation = h.relation \
                   WHERE h.granted AND h.locktype = 'relation' AND w.locktype = 'relation'";
    let rows = watcher.query(holders, &[]).await.unwrap();
    let blamed: BTreeSet<i32> = edges.values().flatten().copied().collect();
    let waits = |pid: &i32| edges.get(pid).is_some_and(|b| !b.is_empty());
    rows.iter().map(|r| r.get(0)).filter(|pid| !blamed.contains(pid) && !waits(pid)).collect()
}

/// What was found in one graph: waiters, circles, innocents.
async fn one_graph(uri: &str, watcher: &Client, seed: u64) -> (usize, usize, usize) {
    let clients = pile(uri, seed).await;
    let edges = settled(watcher).await;
    let sessions: Sessions = sessions(uri).await;
    assert_eq!(asked(watcher).await, edges, "nothing moved meanwhile");
    let graph = LockGraph::of(&sessions.rows);
    for (pid, blockers) in &edges {
        let session = sessions.rows.iter().find(|s| s.pid == *pid).expect("it is among the sessions");
        assert_eq!(session.blockers, blockers.len(), "seed {seed}: {pid}");
        assert!(session.blockers <= 64, "seed {seed} is not meant to be cut");
        let found: BTreeSet<i32> = graph.blockers_of(*pid).iter().copied().collect();
        assert_eq!(found, *blockers, "seed {seed}: whom {pid} waits for");
        assert_eq!(graph.blocks(*pid), behind(&edges, *pid), "seed {seed}: behind {pid}");
        assert_eq!(graph.frees(*pid), let_go(&edges, *pid), "seed {seed}: freed by {pid}");
        let weight = graph.weight(*pid);
        assert_eq!((weight.blocks, weight.frees), (graph.blocks(*pid).len(), graph.frees(*pid).len()));
    }
    let blamed: BTreeSet<i32> = edges.values().flatten().copied().collect();
    let roots: BTreeSet<i32> =
        blamed.iter().copied().filter(|pid| edges.get(pid).is_none_or(BTreeSet::is_empty)).collect();
    assert_eq!(graph.roots().into_iter().collect::<BTreeSet<_>>(), roots, "seed {seed}");
    let innocents = innocents(watcher, &edges).await;
    assert!(innocents.iter().all(|pid| !graph.pids().contains(pid)), "seed {seed}: {innocents:?}");
    check_forest(&forest::of(&sessions.rows, &graph), &edges, &graph);
    run(watcher, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pile'").await;
    drop(clients);
    let waiting = edges.values().filter(|b| !b.is_empty()).count();
    (waiting, graph.circles().len(), innocents.len())
}

async fn random_graphs(major: u32) {
    let Some(mut lab) = primary(major) else { return };
    let uri = lab.uri("postgres");
    let watcher = client(&uri).await;
    // A deadlock is to stay until it was looked at.
    run(&watcher, "ALTER SYSTEM SET max_connections = 260").await;
    run(&watcher, "ALTER SYSTEM SET deadlock_timeout = '10min'").await;
    for table in 0..9 {
        run(&watcher, &format!("CREATE TABLE g{table} (n int)")).await;
    }
    run(&watcher, "CREATE TABLE rows (id int PRIMARY KEY, n int)").await;
    run(&watcher, "INSERT INTO rows SELECT i, 0 FROM generate_series(0, 11) i").await;
    lab.command("stop-primary fast");
    lab.command("start-primary");
    let watcher = client(&uri).await;
    let (mut waiting, mut circles, mut innocents) = (0, 0, 0);
    for seed in 1..=4 {
        let found = one_graph(&uri, &watcher, seed).await;
        waiting += found.0;
        circles += found.1;
        innocents += found.2;
        let gone = "SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'pile'";
        while !watcher.query_one(gone, &[]).await.unwrap().get::<_, bool>(0) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    assert!(waiting > 200 && circles > 0 && innocents > 0, "{waiting} {circles} {innocents}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_forest_is_what_pg_blocking_pids_says_on_random_locks_on_13() {
    random_graphs(13).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_forest_is_what_pg_blocking_pids_says_on_random_locks_on_15() {
    random_graphs(15).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_forest_is_what_pg_blocking_pids_says_on_random_locks_on_18() {
    random_graphs(18).await;
}
