//! Opening a row of the forest: a session in full, or alike waiters each on its own line.

use super::App;
use super::mode::Subject;
use super::tab::locks::{LockKey, Who};
use crate::model::Tone;

impl App {
    /// What the selected row opens; none where it was unfolded or has nothing more to show.
    pub(super) fn open_lock(&mut self) -> Option<Subject> {
        let Some((key, words)) = self.locks.current().map(|row| (row.key.clone(), row.no_target())) else {
            self.say("no row is selected", Tone::Faint);
            return None;
        };
        match (key, self.locks.current().map(|r| &r.who)) {
            (LockKey::Session(key), _) => return Some(Subject::Session(key)),
            (LockKey::Prepared(gid), Some(Who::Prepared(Some(_)))) => return Some(Subject::Prepared(gid)),
            (LockKey::Alike(likeness), Some(Who::Alike { open, .. })) => {
                let open = *open;
                self.unfolded.retain(|u| *u != *likeness);
                if !open {
                    self.unfolded.push((*likeness).clone());
                }
                self.locks.select(LockKey::Alike(likeness));
                self.rebuild_locks();
            }
            (LockKey::Alike(_) | LockKey::Prepared(_) | LockKey::Circle(_) | LockKey::Unseen(_), _) => {
                self.say(words, Tone::Notice);
            }
        }
        None
    }
}
