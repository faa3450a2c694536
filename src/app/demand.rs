//! What is to be asked, and how often: the visible tab at the chosen pace, what every screen needs a little slower, the
//! rest not at all.

use std::time::Duration;

use super::App;
use super::mode::{Mode, Subject};
use super::part::Part;
use super::tab::tables::order_of;
use crate::command::Tab;
use crate::model::cache::CacheState;
use crate::model::index::IndexOrder;
use crate::model::relation::RelationOrder;
use crate::model::{Cadence, Demand, Question, Wanted};

/// Seconds that a chart spans.
pub const CHART_SPAN_S: u32 = 900;

/// Seconds that the sparklines of Triage span.
pub(super) const VITALS_SPAN_S: u32 = 1800;

/// Seconds between their points: as many points as a chart has.
pub(super) const VITALS_STEP_S: u32 = 10;

/// The panels of the hosts' processors and disks, asked more seldom: they are judged over minutes, and a Prometheus of
/// many hosts has some thousand series of cores to look through.
pub const HOST_PANELS: [&str; 5] = ["cpu-used", "cpu-waiting", "cores", "io-waiting", "disk-time"];

/// How often those are asked while they are not looked at.
const HOSTS: Duration = Duration::from_secs(30);

/// The panels that findings and vitals come from.
pub const VITAL_PANELS: [&str; 12] = [
    "p95",
    "error-ratio",
    "throughput",
    "cache-hit-ratio",
    "cache-requests",
    "pool",
    "requests-waiting",
    "memory",
    "disk-free",
    "memory-used",
    "oom-kills",
    "connections",
];

/// Seconds between points of a chart: 15 minutes in 180 points, finer than a wide screen's panel has cells.
pub const CHART_STEP_S: u32 = 5;

/// How often the cache table is looked at from other tabs.
const CACHE_ELSEWHERE: Duration = Duration::from_secs(300);

/// And from Triage while its privilege is missing: whoever grants it waits there for what was not checked, and of a table
/// that may not be read only the catalogs are asked.
const CACHE_REFUSED: Duration = Duration::from_secs(20);

/// The panels whose findings are held against what was usual a week ago.
const JUDGED_BY_THE_PAST: [&str; 3] = ["p95", "error-ratio", "cache-hit-ratio"];

/// The past changes only as fast as the span of a chart moves over it.
pub(super) const PAST: Duration = Duration::from_secs(300);

/// How soon what maintenance of ours outdated is asked anew. A question that fails is asked less often by itself.
const SOON: Duration = Duration::from_secs(1);

/// Looking for indexes that are alike compares all of them; they change as slowly as somebody creates one.
const INDEXES: Duration = Duration::from_secs(10);

/// For findings once a minute on Triage, and more rarely elsewhere: no incident begins with an index that nobody uses.
const INDEXES_ON_TRIAGE: Duration = Duration::from_secs(60);
const INDEXES_ELSEWHERE: Duration = Duration::from_secs(300);

/// What a person asked for once: the last of each kind.
#[derive(Debug, Default)]
pub(super) struct AskedOnce {
    asked: u64,
    measure: Option<Wanted>,
    plan: Option<Wanted>,
}

impl AskedOnce {
    /// Asks, also where the same was asked before.
    pub fn ask(&mut self, question: Question) {
        self.asked += 1;
        let kind = if matches!(question, Question::Plan(_)) { &mut self.plan } else { &mut self.measure };
        *kind = Some(Wanted { question, cadence: Cadence::Once(self.asked) });
    }

    fn wanted(&self) -> impl Iterator<Item = Wanted> {
        [&self.measure, &self.plan].into_iter().flatten().cloned()
    }
}

impl App {
    /// All that is wanted now.
    #[must_use]
    pub fn demand(&self) -> Demand {
        let mut wanted = Vec::new();
        let mut want = |question, every: Duration| wanted.push(Wanted { question, cadence: Cadence::Every(every) });
        let fast = self.refresh;
        let slow = fast.max(Duration::from_secs(5));

        want(Question::Server, Duration::from_secs(15).max(fast));
        // The counts on the tabs come from the sessions, so they are asked on every tab, only slower elsewhere.
        let sessions_visible =
            matches!(self.tab, Tab::Triage | Tab::Connections | Tab::Slow | Tab::Locks) || self.shows(Part::Progress);
        want(Question::Sessions, if sessions_visible { fast } else { slow });
        if let Mode::Detail { of: Subject::Session(key), .. } = &self.mode {
            want(Question::SessionLocks(key.clone()), fast);
        }
        let replication = match self.tab {
            Tab::Replication => fast,
            // A standby that vanishes is told within two refreshes.
            Tab::Triage => (fast * 2).min(slow),
            Tab::Connections | Tab::Slow | Tab::Locks | Tab::Tables | Tab::Latency | Tab::Cache | Tab::Statements => {
                fast.max(Duration::from_secs(10))
            }
        };
        want(Question::Replication, replication);
        // The figures of the vitals and the findings of the server as a whole move by the minute.
        want(Question::Activity, Duration::from_secs(if self.tab == Tab::Triage { 5 } else { 15 }).max(fast));
        // While they are open, or right after a change of ours, they are worth a closer look; else once in a while, since what
        // logs queries is told on every tab.
        let settings_watched = matches!(self.mode, Mode::Settings(_)) || self.changed_a_setting();
        want(Question::Settings, if settings_watched { fast } else { slow.max(Duration::from_secs(30)) });
        // After maintenance of ours the list shows what was before it: once more, and soon.
        let outdated =
            self.world.relations.value.as_ref().is_some_and(|(_, at)| self.actions.iter().any(|a| a.outdates(*at)));
        let soon = |every: Duration| if outdated { SOON.min(every) } else { every };
        if self.shows(Part::Tables) {
            let (column, _) = self.tables.sort();
            let order = order_of(self.tables.columns().get(column).map_or("", |c| c.name));
            // While a vacuum of ours runs its progress is worth a closer look.
            let every = if self.running_job().is_some() { fast } else { slow };
            want(Question::Relations { database: self.database.clone(), order }, soon(every));
        } else {
            // For findings the fullest tables are looked at from every tab, at a pace that two hundred rows are worth.
            let every = Duration::from_secs(if self.tab == Tab::Triage { 15 } else { 60 }).max(fast);
            want(Question::Relations { database: self.database.clone(), order: RelationOrder::Dead }, soon(every));
        }
        if self.shows(Part::Indexes) {
            want(self.indexes_question(), slow.max(INDEXES));
        } else {
            let every = if self.tab == Tab::Triage { INDEXES_ON_TRIAGE } else { INDEXES_ELSEWHERE };
            want(Question::Indexes { database: self.database.clone(), order: IndexOrder::Faults }, every);
        }
        if let Some(question) = self.definition_question() {
            want(question, slow.max(INDEXES));
        }
        if self.shows(Part::Progress) {
            want(Question::Progress, fast);
        }
        if self.tab == Tab::Statements {
            let (column, _) = self.statements.sort();
            let order = super::tab::statements::order_of(self.statements.columns().get(column).map_or("", |c| c.name));
            want(Question::Statements { order }, slow);
        }
        // Elsewhere for what has expired, which is counted in up to 64 MB of the table and changes by the hour.
        let refused = self.world.cache.get().is_some_and(|cache| matches!(cache.state, CacheState::Denied { .. }));
        let elsewhere = if refused && self.tab == Tab::Triage { CACHE_REFUSED.max(fast) } else { CACHE_ELSEWHERE };
        want(Question::CacheTable, if self.tab == Tab::Cache { slow } else { elsewhere });
        if self.setup.prometheus.is_some() {
            let visible: Vec<&str> = self.visible_panels().map(|p| p.id.as_str()).collect();
            for id in &visible {
                want(Question::Panel { id: (*id).to_owned(), span_s: CHART_SPAN_S, step_s: CHART_STEP_S }, slow);
            }
            let every = Duration::from_secs(if self.tab == Tab::Triage { 5 } else { 15 }).max(fast);
            let vital = |id: &str| VITAL_PANELS.contains(&id) && !visible.contains(&id);
            let host = |id: &str| HOST_PANELS.contains(&id) && !visible.contains(&id);
            for panel in self.setup.panels.iter().filter(|p| vital(&p.id) || host(&p.id)) {
                let question = Question::Panel { id: panel.id.clone(), span_s: VITALS_SPAN_S, step_s: VITALS_STEP_S };
                want(question, if host(&panel.id) { HOSTS.max(fast) } else { every });
            }
            want(Question::Targets, Duration::from_secs(15));
            // What is usual stands in the charts, and in the findings of every tab.
            let judged = |id: &str| JUDGED_BY_THE_PAST.contains(&id) || visible.contains(&id);
            for panel in self.setup.panels.iter().filter(|p| judged(&p.id)) {
                let (span_s, step_s) = (CHART_SPAN_S, CHART_STEP_S);
                want(Question::PanelBefore { id: panel.id.clone(), span_s, step_s }, PAST);
            }
        }
        if self.setup.prometheus.is_some() {
            // On every tab: an alert does not wait to be looked at.
            for group in &self.setup.alerting.rules {
                want(Question::Rules { group: group.key.clone() }, group.interval);
            }
            want(Question::OtherAlerts, Duration::from_secs(15));
        }
        if self.setup.alerting.alertmanager {
            want(Question::Silences, Duration::from_secs(30));
        }
        // On every tab: that a service is gone shows on the tabs' heads.
        let every = Duration::from_secs(if self.tab == Tab::Triage { 5 } else { 15 }).max(fast);
        for endpoint in &self.setup.watchlist.endpoints {
            want(Question::Health { endpoint: endpoint.clone() }, every);
        }
        for name in &self.setup.watchlist.dependencies {
            want(Question::Dependency { name: name.clone() }, every);
        }
        if self.setup.watchlist.pooler.is_some() {
            want(Question::Pooler, every);
        }
        self.demand_of_runbook(&mut wanted);
        wanted.extend(self.asked.wanted());
        Demand { wanted, reconnect: self.reconnect }
    }
}
