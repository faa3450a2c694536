//! What is to be asked, and how often: the visible tab at the chosen pace, what every screen needs a little slower, the
//! rest not at all.

use std::time::Duration;

use super::App;
use super::mode::{Mode, Subject};
use super::tab::tables::order_of;
use crate::command::Tab;
use crate::model::{Cadence, Demand, Question, Wanted};

/// Seconds that a chart spans.
pub const CHART_SPAN_S: u32 = 900;

/// Seconds between points of a chart: 15 minutes in 180 points, finer than a wide screen's panel has cells.
pub const CHART_STEP_S: u32 = 5;

/// The past changes only as fast as the span of a chart moves over it.
const PAST: Duration = Duration::from_secs(300);

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
        let sessions_visible = matches!(self.tab, Tab::Connections | Tab::Slow | Tab::Locks);
        want(Question::Sessions, if sessions_visible { fast } else { slow });
        if let Mode::Detail { of: Subject::Session(key), .. } = &self.mode {
            want(Question::SessionLocks(key.clone()), fast);
        }
        want(
            Question::Replication,
            if self.tab == Tab::Replication { fast } else { fast.max(Duration::from_secs(10)) },
        );
        // While they are open, or right after a change of ours, they are worth a closer look; else once in a while, since what
        // logs queries is told on every tab.
        let settings_watched = matches!(self.mode, Mode::Settings(_)) || self.changed_a_setting();
        want(Question::Settings, if settings_watched { fast } else { slow.max(Duration::from_secs(30)) });
        if self.tab == Tab::Tables {
            let (column, _) = self.tables.sort();
            let order = order_of(self.tables.columns().get(column).map_or("", |c| c.name));
            // While a vacuum of ours runs its progress is worth a closer look.
            let every = if self.running_job().is_some() { fast } else { slow };
            want(Question::Relations { database: self.database.clone(), order }, every);
        }
        if self.tab == Tab::Cache {
            want(Question::CacheTable, slow);
        }
        if self.setup.prometheus.is_some() && matches!(self.tab, Tab::Latency | Tab::Cache) {
            for panel in self.visible_panels() {
                want(Question::Panel { id: panel.id.clone(), span_s: CHART_SPAN_S, step_s: CHART_STEP_S }, slow);
            }
            want(Question::Targets, Duration::from_secs(15));
            for panel in self.visible_panels() {
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
        if let Some((question, number)) = &self.measure {
            wanted.push(Wanted { question: question.clone(), cadence: Cadence::Once(*number) });
        }
        Demand { wanted, reconnect: self.reconnect }
    }
}
