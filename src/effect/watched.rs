//! What was signalled and is looked at again: has it gone?
//!
//! A look that cannot be taken, since the writer lost its connection after the signal, is tried again until the time is
//! up, and then said. It signals nothing.

use std::time::Duration;

use tokio::time::Instant;

use crate::guard::{BulkTarget, StatementKey, Write};
use crate::postgres::Link;

use super::journal::Journal;
use super::{bulk, cancel, terminate};

/// When to look again after a signal, to a statement or to a session. A statement ends within milliseconds unless it is
/// somewhere that does not listen for signals; three seconds later it will most likely not end by itself.
const LOOKS: [Duration; 5] = [
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(3),
];

/// Where a look cannot be taken: how often it is tried again after the last, and how long after the one before. A server
/// that restarted lets one in again within some seconds.
const MORE_LOOKS: usize = 7;
const LATER: Duration = Duration::from_secs(2);

/// What a look came to.
enum Look {
    Gone,
    Left,
    NotTaken,
}

/// A cancelled statement, a terminated session, or several of them.
pub(super) struct Watched {
    id: u64,
    write: Write,
    /// Of a bulk action: who was signalled and was still there at the last look, and how many it were.
    left: Vec<BulkTarget>,
    of: usize,
    sent: Instant,
    /// When the server had answered.
    answered: Instant,
    looks: usize,
}

impl Watched {
    /// Watches what was signalled at `sent` and answered now.
    pub(super) fn new(id: u64, write: &Write, sent: Instant) -> Self {
        Self { id, write: write.clone(), left: Vec::new(), of: 0, sent, answered: Instant::now(), looks: 0 }
    }

    /// Of a bulk action: those that were signalled.
    pub(super) fn each(mut self, signalled: Vec<BulkTarget>) -> Self {
        self.of = signalled.len();
        self.left = signalled;
        self
    }

    /// When to look next.
    pub(super) fn due(&self) -> Instant {
        let last = LOOKS.last().copied().unwrap_or_default();
        let more = u32::try_from(self.looks.saturating_sub(LOOKS.len() - 1)).unwrap_or(u32::MAX);
        self.answered + LOOKS.get(self.looks).copied().unwrap_or_else(|| last + LATER * more)
    }

    /// Looks, and tells what came of it; gives itself back where it is to be looked at again.
    pub(super) async fn look(mut self, link: Option<&mut Link>, journal: &Journal) -> Option<Self> {
        let before: Vec<StatementKey> = self.left.iter().map(BulkTarget::statement).collect();
        let look = match link {
            Some(link) => self.ask(link).await,
            None => Look::NotTaken,
        };
        self.looks += 1;
        let after = u64::try_from(self.sent.elapsed().as_millis()).unwrap_or(u64::MAX);
        let left: Vec<StatementKey> = self.left.iter().map(BulkTarget::statement).collect();
        let gone: Vec<StatementKey> = before.into_iter().filter(|key| !left.contains(key)).collect();
        if !gone.is_empty() {
            journal.went(self.id, (self.of, gone), after).await;
        }
        match look {
            Look::Left if self.looks < LOOKS.len() => Some(self),
            Look::NotTaken if self.looks < LOOKS.len() + MORE_LOOKS => Some(self),
            Look::NotTaken => {
                let after = self.sent.elapsed().as_secs();
                let why =
                    format!("the writer's connection was lost after the signal, and not had again within {after} s");
                journal.unverified(self.id, &self.write, &why).await;
                None
            }
            Look::Gone | Look::Left => {
                if matches!(self.write, Write::Bulk(_)) {
                    journal.verified_each(self.id, &self.write, (self.of, left), after).await;
                } else {
                    journal.verified(self.id, &self.write, matches!(look, Look::Gone), after).await;
                }
                None
            }
        }
    }

    async fn ask(&mut self, link: &mut Link) -> Look {
        let there = match &self.write {
            Write::Terminate { .. } => terminate::still_there(link, &self.write).await,
            Write::Cancel { .. } => cancel::still_runs(link, &self.write).await,
            Write::Bulk(bulk) => bulk::still_there(link, bulk.signal, &self.left).await.map(|there| {
                let mut there = there.into_iter();
                self.left.retain(|_| there.next().unwrap_or(true));
                !self.left.is_empty()
            }),
            // Not signalled, so never watched.
            Write::Maintain { .. } | Write::ExpireCache { .. } | Write::Setting { .. } | Write::Reload { .. } => {
                Some(false)
            }
        };
        match there {
            Some(true) => Look::Left,
            Some(false) => Look::Gone,
            None => Look::NotTaken,
        }
    }
}
