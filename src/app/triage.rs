//! Looking at the world by all rules, and going from a finding to the row that shows it.

use std::time::Duration;

use super::App;
use super::mode::{Mode, Subject};
use super::part::Part;
use super::tab::locks::LockKey;
use super::tab::tables::order_of;
use super::tab::triage::FindingRow;
use crate::command::Tab;
use crate::diagnose::figures::{self, Figure};
use crate::diagnose::history::Beat;
use crate::diagnose::{Diagnosis, Finding, FindingKey, History, Limits, Target, diagnose};
use crate::model::panel::PanelTab;
use crate::model::relation::{Relation, RelationKey, RelationOrder};
use crate::model::{Timestamp, Tone, seconds_between};
use crate::table::{Filter, Listing, Row};

/// For so many seconds the place of a selected finding that is over stays empty.
const OVER_S: f64 = 10.0;

/// What is wrong, and what was seen before.
pub struct Triage {
    /// The findings as a list.
    pub findings: Listing<FindingRow>,
    /// What the last look came to.
    pub diagnosis: Diagnosis,
    /// What was seen before.
    pub history: History,
    /// From when on something is a finding.
    pub limits: Limits,
    /// Lines scrolled on below the last finding, where what was not checked has no room.
    pub below: usize,
    /// Since when the selected finding is over.
    over: Option<Timestamp>,
}

/// True where a step down leaves the findings. Where the selected one is over, it goes to the one in its place.
fn is_at_end(findings: &Listing<FindingRow>) -> bool {
    findings.is_empty() || findings.cursor().is_some_and(|at| at + 1 == findings.len())
}

impl Triage {
    /// Before anything was seen. What is slow is the option's, which a key changes.
    #[must_use]
    pub fn new(limits: &Limits, slow_s: f64) -> Self {
        Self {
            findings: Listing::new(super::tab::triage::COLUMNS, "harm"),
            diagnosis: Diagnosis::default(),
            history: History::default(),
            limits: Limits { slow: slow_s, ..*limits },
            below: 0,
            over: None,
        }
    }
}

impl App {
    /// Looks again. While the screen is frozen its findings stay as they are.
    pub(super) fn look(&mut self) {
        if self.frozen.is_some() {
            return;
        }
        self.triage.history.wake(self.now);
        // Nothing is frozen here: what is shown is what is known.
        let diagnosis = diagnose(&self.shown_look());
        self.triage.history.remember(&diagnosis.findings, self.now);
        self.triage.findings.set(FindingRow::all(&diagnosis));
        self.let_go_of_what_is_over();
        self.triage.diagnosis = diagnosis;
    }

    /// Remembers the sessions that just came, and took so long; the question had rested for `rest_s` at least.
    pub(super) fn remember_sessions(&mut self, took: Duration, rest_s: f64) {
        // The slowest pace at which they are asked, and the patience that the header has.
        let late = (self.refresh.as_secs_f64().max(5.0) * 3.0).max(rest_s * 1.5 + took.as_secs_f64()) + 2.0;
        if let (Some((sessions, at)), None) = (&self.world.sessions.value, &self.world.sessions.error) {
            self.triage.history.see(Beat::of(sessions, took.as_secs_f64() * 1e3), *at, late);
            self.triage.history.doze(sessions);
        }
    }

    /// Remembers what the server did since the look before.
    pub(super) fn remember_activity(&mut self) {
        if let (Some((_, at)), None) = (&self.world.activity.value, &self.world.activity.error) {
            self.triage.history.mark(self.world.activity_delta.clone(), *at);
        }
    }

    /// Remembers how often tables were read from end to end.
    pub(super) fn remember_scans(&mut self) {
        if let (Some((relations, at)), None) = (&self.world.relations.value, &self.world.relations.error) {
            self.triage.history.count(relations, *at);
        }
    }

    /// Remembers how far a standby has replayed.
    pub(super) fn remember_replay(&mut self) {
        if let (Some((replication, at)), None) = (&self.world.replication.value, &self.world.replication.error) {
            self.triage.history.follow(replication.standby.as_ref(), *at);
        }
    }

    /// Moves in the list; from its last finding on through the lines below it, and back.
    pub(super) fn step_triage(&mut self, by: isize) {
        let Triage { findings, below, over, .. } = &mut self.triage;
        let last = is_at_end(findings);
        *over = None;
        if last && (by > 0 || *below > 0) {
            *below = below.saturating_add_signed(by);
        } else {
            *below = 0;
            findings.step(by);
        }
    }

    /// To the first finding; to the last, and once more to the last line below it.
    pub(super) fn select_in_triage(&mut self, at: usize) {
        let Triage { findings, below, over, .. } = &mut self.triage;
        let last = is_at_end(findings);
        *over = None;
        // How far it goes, the next frame says.
        *below = if last && at > 0 { usize::MAX / 2 } else { 0 };
        findings.select_at(at);
    }

    /// Where the selected finding is over its place stays empty for a while, so that no key falls upon its neighbour; then the
    /// worst one is in full again, as at the start.
    fn let_go_of_what_is_over(&mut self) {
        let Triage { findings, over, below, .. } = &mut self.triage;
        if !findings.selection_is_gone() {
            *over = None;
            return;
        }
        let since = *over.get_or_insert(self.now);
        if seconds_between(since, self.now) >= OVER_S {
            findings.unpin();
            (*over, *below) = (None, 0);
        }
    }

    /// The selected finding.
    #[must_use]
    pub fn current_finding(&self) -> Option<&Finding> {
        self.triage.findings.current().map(|row| &row.finding)
    }

    /// The figures behind a finding, as the screen knows them.
    #[must_use]
    pub fn figures_of(&self, key: &FindingKey) -> Vec<Figure> {
        figures::of(&self.shown_look(), key)
    }

    /// Goes to the row that shows what the meant finding says, selects it, and says where a filter had to go.
    pub(super) fn show_evidence(&mut self) {
        let Some(finding) = self.meant_finding() else {
            self.say("no finding is selected", Tone::Faint);
            return;
        };
        let (of, target) = (finding.key.clone(), finding.target.clone());
        self.tab = target.tab();
        let cleared = match target {
            Target::Session { key, .. } => {
                let slow = self.tab == Tab::Slow && self.slow.all().iter().any(|r| r.key() == key);
                if slow {
                    pinned(&mut self.slow, key)
                } else if self.tab == Tab::Locks {
                    let cleared = pinned(&mut self.locks, LockKey::Session(key));
                    // A group that holds the row is unfolded for it.
                    self.rebuild_locks();
                    cleared
                } else {
                    self.tab = Tab::Connections;
                    pinned(&mut self.connections, key)
                }
            }
            Target::Sessions { key, filter } => {
                // What the list itself cannot read is no reason not to go there.
                if let Ok(filter) = Filter::parse(&filter, self.connections.columns()) {
                    self.connections.set_filter(filter);
                }
                pinned(&mut self.connections, key)
            }
            Target::Table(key) => {
                self.part = Part::Tables;
                self.rank_for(&key);
                pinned(&mut self.tables, key)
            }
            Target::Index(key) => {
                self.part = Part::Indexes;
                pinned(&mut self.indexes, key)
            }
            Target::Prepared(gid) => pinned(&mut self.locks, LockKey::Prepared(gid)),
            Target::Replica(key) => pinned(&mut self.replicas, key),
            Target::Panel { id, .. } => {
                self.select_panel(&id);
                false
            }
            Target::Alert(labels) => {
                self.mode = Mode::Detail { of: Subject::Alert(labels), scroll: 0 };
                false
            }
            Target::Health(key) => {
                self.mode = Mode::Detail { of: Subject::Health(Some(key)), scroll: 0 };
                false
            }
            Target::Figures(_) => {
                self.mode = Mode::Detail { of: Subject::Figures(of), scroll: 0 };
                false
            }
            Target::Ranked(name) => {
                self.part = Part::Tables;
                if let Some(column) = self.tables.columns().iter().position(|c| c.name == name) {
                    self.tables.sort_by(column);
                }
                self.tables.select_at(0);
                false
            }
            Target::Tab(tab) => {
                if tab == Tab::Tables {
                    self.part = Part::Tables;
                }
                false
            }
        };
        if cleared {
            self.say("the filter hid it and was cleared", Tone::Notice);
        }
    }

    /// Sorts the tables by dead rows, or by what sequential scans read, where the list, cut by another order, lacks that one.
    fn rank_for(&mut self, key: &RelationKey) {
        let Some(relations) = self.world.relations.get().filter(|r| r.database == key.database) else { return };
        let among = |rows: &[Relation]| rows.iter().any(|r| r.oid == key.oid);
        // The list asks anew, by the order that it is sorted by.
        let (column, _) = self.tables.sort();
        let sorted = order_of(self.tables.columns().get(column).map_or("", |c| c.name));
        let order = match () {
            () if among(&relations.rows) && (relations.order == sorted || relations.is_whole()) => return,
            () if relations.order == RelationOrder::Dead && among(&relations.rows) => "dead",
            () if among(&relations.dead) => "dead",
            () if among(&relations.scanned) => "seq_rows",
            () => return,
        };
        if let Some(column) = self.tables.columns().iter().position(|c| c.name == order) {
            self.tables.sort_by(column);
        }
    }

    pub(super) fn select_panel(&mut self, id: &str) {
        for (at, tab) in [PanelTab::Latency, PanelTab::Cache].into_iter().enumerate() {
            let position = self.setup.panels.iter().filter(|p| p.tab == tab).position(|p| p.id == id);
            if let (Some(position), Some(panel)) = (position, self.panel.get_mut(at)) {
                *panel = position;
            }
        }
    }
}

/// Pins the cursor of a list to that row; true where its filter hid the row and was cleared.
fn pinned<R: Row>(listing: &mut Listing<R>, key: R::Key) -> bool {
    listing.select(key);
    let hidden = listing.cursor().is_none() && !listing.filter().text().is_empty();
    if hidden {
        listing.set_filter(Filter::default());
    }
    hidden
}
