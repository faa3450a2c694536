//! The lists of the tabs, built anew from the world that is shown.

use super::App;
use super::tab;
use super::tab::connections::{SessionRow, Totals};
use super::tab::indexes::IndexRow;
use super::tab::locks::{LockRow, Shape, Who};
use super::tab::progress::ProgressRow;
use super::tab::replication::ReplicaRow;
use super::tab::statements::StatementRow;
use super::tab::tables::TableRow;

impl App {
    /// Builds the lists of what is shown anew.
    pub(super) fn rebuild(&mut self) {
        self.rebuild_sessions();
        self.rebuild_tables();
        self.rebuild_indexes();
        self.rebuild_progress();
        self.rebuild_replicas();
        self.rebuild_statements();
        self.look();
    }

    pub(super) fn rebuild_sessions(&mut self) {
        let world = self.frozen.as_ref().map_or(&self.world, |f| &f.0);
        let Some(sessions) = world.sessions.get() else {
            self.totals = Totals::default();
            self.slow.set(Vec::new());
            self.connections.set(Vec::new());
            self.locks.set(Vec::new());
            return;
        };
        let mut rows = SessionRow::all(sessions, &world.graph);
        for row in &mut rows {
            row.marked = self.marks.contains(&row.session.key());
        }
        self.totals = Totals::of(sessions);
        let threshold = self.slow_after_s;
        self.slow.set(rows.iter().filter(|r| tab::slow::is_slow(r, threshold)).cloned().collect());
        self.connections.set(rows);
        self.rebuild_locks();
    }

    /// Lays the forest out anew; under a filter, or in another order, as a plain list in which each session is found.
    pub(super) fn rebuild_locks(&mut self) {
        let world = self.frozen.as_ref().map_or(&self.world, |f| &f.0);
        let flat = !self.locks.filter().is_empty() || self.locks.sort().0 != 0;
        let shape = Shape { unfolded: &self.unfolded, selected: self.locks.selected(), flat };
        let rows = world.sessions.get().map(|sessions| LockRow::all(sessions, &world.graph, shape));
        let mut rows = rows.unwrap_or_default();
        for row in &mut rows {
            if let Who::Session(row) = &mut row.who {
                row.marked = self.marks.contains(&row.session.key());
            }
        }
        self.locks.set(rows);
    }

    pub(super) fn rebuild_tables(&mut self) {
        let now = self.shown_now();
        let world = self.frozen.as_ref().map_or(&self.world, |f| &f.0);
        let relations = world.relations.get();
        let rows = relations.map(|relations| TableRow::all(relations, world, now)).unwrap_or_default();
        self.tables_beside = relations.map(|relations| TableRow::beside(relations, world, now)).unwrap_or_default();
        self.tables.set(rows);
    }

    pub(super) fn rebuild_indexes(&mut self) {
        let world = self.frozen.as_ref().map_or(&self.world, |f| &f.0);
        let old_s = self.triage.limits.index_unused;
        let rows = world.indexes.get().map(|indexes| IndexRow::all(indexes, old_s));
        self.indexes.set(rows.unwrap_or_default());
    }

    pub(super) fn rebuild_progress(&mut self) {
        let ours = self.doings().pids;
        let world = self.frozen.as_ref().map_or(&self.world, |f| &f.0);
        let rows = world.progress.get().map(|running| ProgressRow::all(running, &ours));
        self.progress.set(rows.unwrap_or_default());
    }

    pub(super) fn rebuild_statements(&mut self) {
        let world = self.frozen.as_ref().map_or(&self.world, |f| &f.0);
        let rows = world
            .statements
            .get()
            .map(|statements| StatementRow::all(statements, world, self.setup.plan_user.as_ref()));
        self.statements.set(rows.unwrap_or_default());
    }

    pub(super) fn rebuild_replicas(&mut self) {
        let now = self.shown_now();
        let world = self.frozen.as_ref().map_or(&self.world, |f| &f.0);
        let limits = &self.triage.limits;
        let rows = world.replication.get().map(|replication| ReplicaRow::all(replication, world, limits, now));
        self.replicas.set(rows.unwrap_or_default());
    }
}
