//! Owns which server processes are ours, so that no list shows them and none of our own figures counts them.
//!
//! It must not find them out: whoever opens a connection notes it and drops the note with the connection.

use std::collections::BTreeMap;

use tokio::sync::watch;

/// The pids of our own backends, shared by all who connect.
#[derive(Debug, Clone)]
pub struct OwnPids {
    // How often each was noted: a pid may be given out again before the note of its last life is dropped.
    pids: watch::Sender<BTreeMap<i32, usize>>,
}

impl Default for OwnPids {
    fn default() -> Self {
        Self { pids: watch::Sender::new(BTreeMap::new()) }
    }
}

impl OwnPids {
    /// Notes a pid for as long as the note is kept. Not for a pooled connection: there the process serves others, too.
    #[must_use]
    pub fn note(&self, pid: i32) -> OwnPid {
        self.pids.send_modify(|pids| *pids.entry(pid).or_default() += 1);
        OwnPid { pid, of: self.clone() }
    }

    /// True for a backend of ours.
    #[must_use]
    pub fn contains(&self, pid: i32) -> bool {
        self.pids.borrow().contains_key(&pid)
    }
}

/// The note that a pid is ours; dropping it takes it back.
#[derive(Debug)]
pub struct OwnPid {
    pid: i32,
    of: OwnPids,
}

impl Drop for OwnPid {
    fn drop(&mut self) {
        self.of.pids.send_modify(|pids| {
            if let Some(count) = pids.get_mut(&self.pid) {
                *count -= 1;
                if *count == 0 {
                    pids.remove(&self.pid);
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_is_ours_for_as_long_as_its_last_note_is_kept() {
        let own = OwnPids::default();
        let (first, second) = (own.note(7), own.clone().note(7));
        drop(first);
        assert!(own.contains(7));
        drop(second);
        assert!(!own.contains(7));
    }
}
