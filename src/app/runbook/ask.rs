//! What an open runbook wants to be asked: the questions of its facts that nobody else asks on Triage.

use std::collections::BTreeSet;
use std::time::Duration;

use super::super::demand::{CHART_SPAN_S, CHART_STEP_S, PAST, VITAL_PANELS, VITALS_SPAN_S, VITALS_STEP_S};
use crate::app::App;
use crate::diagnose::runbook::Asks;
use crate::model::{Cadence, Question, Wanted};

/// Time between two looks at a figure that only a runbook shows.
const BEAT: Duration = Duration::from_secs(10);

impl App {
    /// Adds what the facts of the open runbook need.
    pub(in crate::app) fn demand_of_runbook(&self, wanted: &mut Vec<Wanted>) {
        let Some(book) = self.runbook() else { return };
        let asks: BTreeSet<Asks> = book.facts().flat_map(|fact| fact.asks.iter().copied()).collect();
        let has_panel = |id: &str| self.setup.prometheus.is_some() && self.setup.panels.iter().any(|p| p.id == id);
        let beat = BEAT.max(self.refresh);
        for ask in asks {
            let (question, every) = match ask {
                Asks::Settings => (Question::Settings, beat),
                Asks::CacheTable => (Question::CacheTable, beat),
                // Those of hosts are asked, but seldom: while a runbook waits for them, more often.
                Asks::Panel(id) if has_panel(id) && !VITAL_PANELS.contains(&id) => {
                    (Question::Panel { id: id.to_owned(), span_s: VITALS_SPAN_S, step_s: VITALS_STEP_S }, beat)
                }
                Asks::PanelBefore(id) if has_panel(id) => {
                    (Question::PanelBefore { id: id.to_owned(), span_s: CHART_SPAN_S, step_s: CHART_STEP_S }, PAST)
                }
                // On Triage they are asked anyway, or there is nobody to ask.
                Asks::Sessions
                | Asks::Activity
                | Asks::Relations
                | Asks::Replication
                | Asks::Targets
                | Asks::Panel(_)
                | Asks::PanelBefore(_) => continue,
            };
            match wanted.iter_mut().find(|w| w.question == question) {
                Some(Wanted { cadence: Cadence::Every(other), .. }) => *other = every.min(*other),
                Some(Wanted { cadence: Cadence::Once(_), .. }) => {}
                None => wanted.push(Wanted { question, cadence: Cadence::Every(every) }),
            }
        }
    }
}
