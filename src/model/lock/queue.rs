//! Where a queue starts: a strong lock that is itself only awaited, and makes those wait whom nobody who holds one
//! would stop.

use std::collections::BTreeMap;

use super::LockGraph;
use crate::model::ServerText;
use crate::model::session::Session;

/// The sessions at which queues start, ascending: each waits for a lock on a relation, somebody waits for the same
/// relation behind nobody but such waiters, and no other of these stands before it. Were it cancelled, those behind it
/// could go on until the next strong lock is asked for.
#[must_use]
pub fn queue_starts(sessions: &[Session], graph: &LockGraph) -> Vec<i32> {
    let awaited: BTreeMap<i32, &ServerText> = sessions.iter().filter_map(|s| Some((s.pid, relation(s)?))).collect();
    let mut heads: Vec<i32> = Vec::new();
    for (waiter, on) in &awaited {
        let blockers = graph.blockers_of(*waiter);
        let queued = |pid: &i32| awaited.get(pid) == Some(on);
        if !blockers.is_empty() && blockers.iter().all(queued) {
            heads.extend(blockers);
        }
    }
    heads.sort_unstable();
    heads.dedup();
    let behind_another = |pid: &i32| {
        let on = awaited.get(pid);
        graph.blockers_of(*pid).iter().any(|b| heads.contains(b) && awaited.get(b) == on)
    };
    heads.iter().copied().filter(|pid| !behind_another(pid)).collect()
}

fn relation(session: &Session) -> Option<&ServerText> {
    let lock = session.waits_for.as_ref().filter(|w| w.locktype == "relation")?;
    lock.relation.as_ref()
}
