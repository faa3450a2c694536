//! Marks: the sessions that were picked by hand, for one action on all of them.
//!
//! A mark is on an identity, not on a row: it follows its session through every order and filter, and falls away with it.
//! Nothing is marked by itself.

use std::collections::HashSet;

use super::App;
use super::tab::connections::SessionRow;
use super::tab::locks::LockRow;
use crate::command::Tab;
use crate::model::Tone;
use crate::model::session::{Session, SessionKey};
use crate::table::Row;

impl App {
    /// The sessions of the visible tab that its filter lets through, in its order; those that are folded into one line
    /// are not visible. None on a tab that lists no sessions.
    fn visible_sessions(&self) -> Option<Vec<&SessionRow>> {
        match self.tab {
            Tab::Connections => Some(self.connections.window(0, usize::MAX).collect()),
            Tab::Slow => Some(self.slow.window(0, usize::MAX).collect()),
            Tab::Locks => Some(self.locks.window(0, usize::MAX).filter_map(LockRow::row).collect()),
            Tab::Tables | Tab::Replication | Tab::Latency | Tab::Cache | Tab::Statements | Tab::Triage => None,
        }
    }

    /// The marked rows that are on the visible tab under its filter, in its order: what a bulk action is for.
    #[must_use]
    pub fn marked_visible(&self) -> Vec<&SessionRow> {
        self.visible_sessions().unwrap_or_default().into_iter().filter(|r| r.marked).collect()
    }

    /// How many sessions are marked, visible or not.
    #[must_use]
    pub fn marked(&self) -> usize {
        self.marks.len()
    }

    /// Marks the selected session, or takes its mark away, and goes on to the next row.
    pub(super) fn toggle_mark(&mut self) {
        let Some(key) = self.current_session().map(Row::key) else {
            self.say("no session is selected", Tone::Faint);
            return;
        };
        if !self.marks.remove(&key) {
            self.marks.insert(key);
        }
        self.rebuild_sessions();
        self.step(1);
    }

    /// Marks every row that the filter lets through; where all are marked, takes their marks away.
    pub(super) fn toggle_marks(&mut self) {
        let visible: Vec<SessionKey> = self.visible_sessions().unwrap_or_default().into_iter().map(Row::key).collect();
        if visible.iter().all(|key| self.marks.contains(key)) {
            for key in &visible {
                self.marks.remove(key);
            }
        } else {
            self.marks.extend(visible);
        }
        self.rebuild_sessions();
    }

    /// Takes all marks away.
    pub(super) fn clear_marks(&mut self) {
        if self.marks.is_empty() || self.visible_sessions().is_none() {
            return;
        }
        let count = self.marks.len();
        self.marks.clear();
        self.rebuild_sessions();
        self.say(format!("{count} mark{} taken away", if count == 1 { "" } else { "s" }), Tone::Faint);
    }

    /// Drops the marks of sessions that are not in the newest list, and says so where nothing weightier is being said.
    pub(super) fn drop_gone_marks(&mut self) {
        let Some(sessions) = self.world.sessions.get() else { return };
        if self.marks.is_empty() {
            return;
        }
        let there: HashSet<SessionKey> = sessions.rows.iter().map(Session::key).collect();
        let mut gone: Vec<i32> = self.marks.iter().filter(|key| !there.contains(*key)).map(|key| key.pid).collect();
        self.marks.retain(|key| there.contains(key));
        gone.sort_unstable();
        let quiet = self.notice.as_ref().is_none_or(|n| n.tone == Tone::Faint || self.notice_is_old());
        if !gone.is_empty() && quiet {
            let pids: Vec<String> = gone.iter().take(8).map(ToString::to_string).collect();
            let more = if gone.len() > 8 { ", …" } else { "" };
            let (are, their) = if gone.len() == 1 { ("is", "its mark") } else { ("are", "their marks") };
            self.say(
                format!(
                    "{}{more} {are} gone, and {their} with {}",
                    pids.join(", "),
                    if gone.len() == 1 { "it" } else { "them" }
                ),
                Tone::Notice,
            );
        }
    }
}
