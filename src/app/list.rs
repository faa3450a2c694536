//! The list on the screen, whatever its rows are: what moves, sorts and filters it is the same on every tab.

use super::App;
use super::part::Part;
use crate::command::Tab;
use crate::table::AnyListing;

impl App {
    /// The list of the visible tab; none where it has panels.
    #[must_use]
    pub fn list(&self) -> Option<&dyn AnyListing> {
        Some(match self.tab {
            Tab::Triage => &self.triage.findings,
            Tab::Connections => &self.connections,
            Tab::Slow => &self.slow,
            Tab::Locks => &self.locks,
            Tab::Tables => match self.part {
                Part::Tables => &self.tables,
                Part::Indexes => &self.indexes,
                Part::Progress => &self.progress,
            },
            Tab::Replication => &self.replicas,
            Tab::Statements => &self.statements,
            Tab::Latency | Tab::Cache => return None,
        })
    }

    fn list_mut(&mut self) -> Option<&mut dyn AnyListing> {
        Some(match self.tab {
            Tab::Triage => &mut self.triage.findings,
            Tab::Connections => &mut self.connections,
            Tab::Slow => &mut self.slow,
            Tab::Locks => &mut self.locks,
            Tab::Tables => match self.part {
                Part::Tables => &mut self.tables,
                Part::Indexes => &mut self.indexes,
                Part::Progress => &mut self.progress,
            },
            Tab::Replication => &mut self.replicas,
            Tab::Statements => &mut self.statements,
            Tab::Latency | Tab::Cache => return None,
        })
    }

    pub(super) fn step(&mut self, by: isize) {
        if self.tab == Tab::Triage {
            return self.step_triage(by);
        }
        match self.list_mut() {
            Some(list) => list.step(by),
            None => self.move_panel(|panel| panel.saturating_add_signed(by)),
        }
    }

    pub(super) fn select_at(&mut self, at: usize) {
        if self.tab == Tab::Triage {
            return self.select_in_triage(at);
        }
        match self.list_mut() {
            Some(list) => list.select_at(at),
            None => self.move_panel(|_| at),
        }
    }

    fn move_panel(&mut self, to: impl Fn(usize) -> usize) {
        let last = self.visible_panels().count().saturating_sub(1);
        if let Some(panel) = self.panel.get_mut(usize::from(self.tab == Tab::Cache)) {
            *panel = to(*panel).min(last);
        }
    }

    /// The filter of the visible list.
    #[must_use]
    pub fn filter_text(&self) -> &str {
        self.list().map_or("", AnyListing::filter_text)
    }

    pub(super) fn apply_filter(&mut self, text: &str) -> Result<(), String> {
        if let Some(list) = self.list_mut() {
            list.filter_by(text)?;
        }
        self.relay_forest();
        Ok(())
    }

    pub(super) fn clear_filter(&mut self) {
        // An empty filter cannot be wrong.
        let _ = self.apply_filter("");
    }

    pub(super) fn sort_by(&mut self, column: usize) {
        if let Some(list) = self.list_mut() {
            list.sort_by(column);
        }
        self.relay_forest();
    }

    pub(super) fn reverse_sort(&mut self) {
        // A forest upside down would hang the blockers under their waiters.
        let is_forest = self.tab == Tab::Locks && self.locks.sort().0 == 0;
        if let Some(list) = self.list_mut().filter(|_| !is_forest) {
            list.reverse();
        }
    }

    /// Under a filter, or in another order, the forest is a plain list.
    fn relay_forest(&mut self) {
        if self.tab == Tab::Locks {
            self.rebuild_locks();
        }
    }
}
