//! What is wrong: from all that is known of a server, findings in order of harm; and what could not be looked at.
//!
//! Pure: no clock, no input. Times are those of the samples, so the same world always gives the same findings.

pub mod alert;
pub mod figures;
pub mod finding;
pub mod health;
pub mod history;
pub mod lag;
pub mod limits;
pub mod partitioned;
mod rule;
pub mod runbook;
pub mod slot;
mod words;

mod alerts;
mod blockers;
mod connections;
mod dependencies;
mod disk;
mod endpoints;
mod horizon;
mod host;
mod indexes;
mod io;
mod link;
mod memory;
mod pooler;
mod replication;
mod server;
mod service;
mod sight;
mod slow;
mod span;
mod standby;
mod sync;
mod tables;
mod transactions;
mod upkeep;
mod waits;
mod wal;
mod wraparound;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::command::Command;

pub use finding::{Finding, FindingKey, Harm, Kind, Role, Severity, Target, Unchecked};
pub use history::History;
pub use limits::Limits;
pub use rule::{Look, RULES, Rule};

/// What a look came to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// What is wrong, the worst first.
    pub findings: Vec<Finding>,
    /// What could not be looked at.
    pub unchecked: Vec<Unchecked>,
    /// What was looked at, with counts: the words of an all-clear.
    pub checked: Vec<String>,
    /// How everything is at a glance.
    pub health: Vec<health::Item>,
}

impl Diagnosis {
    /// The findings of a tab that ask for attention: the worst severity among them, and how many are that bad. What is
    /// only worth a look marks no tab.
    #[must_use]
    pub fn burning(&self, on: impl Fn(&Finding) -> bool) -> Option<(Severity, usize)> {
        let worst = self.findings.iter().filter(|f| on(f)).map(|f| f.severity).max()?;
        let count = self.findings.iter().filter(|f| on(f) && f.severity == worst).count();
        (worst > Severity::Notice).then_some((worst, count))
    }
}

/// Looks at everything by every rule.
#[must_use]
pub fn diagnose(look: &Look<'_>) -> Diagnosis {
    diagnose_by(look, RULES)
}

/// No finding offers a key that could not help: what our role may not do is for somebody else.
fn within_reach(look: &Look<'_>, finding: &mut Finding) {
    if !matches!(finding.action, Some(Command::CancelBackend | Command::TerminateBackend)) {
        return;
    }
    let session = finding.target.session().and_then(|key| look.session(key.pid).filter(|s| s.key() == *key));
    if let Some(why) = session.and_then(|session| look.out_of_reach(session)) {
        finding.action = None;
        finding.todo = format!("{}; {why}", finding.todo);
    }
}

/// Looks by these rules.
#[must_use]
pub fn diagnose_by(look: &Look<'_>, rules: &[Rule]) -> Diagnosis {
    let mut findings: Vec<Finding> = rules.iter().flat_map(|rule| (rule.find)(look)).collect();
    for finding in &mut findings {
        within_reach(look, finding);
        // A time once said stays: the points of a panel move on, and with them the first that is beyond its limit.
        let before = match finding.since {
            Some(_) => look.history.found_till(&finding.key, look.now),
            None => look.history.first_found(&finding.key),
        };
        let said = [before, finding.since];
        finding.since = said.into_iter().flatten().min().or(Some(finding.seen));
    }
    findings.sort_by(Finding::rank);
    // Two rows that claim one identity are one finding, the worse of the two.
    let mut told = BTreeSet::new();
    findings.retain(|finding| told.insert(finding.key.clone()));
    let (unchecked, checked) = (sight::unchecked(look), sight::checked(look));
    Diagnosis { findings, unchecked, checked, health: health::items(look) }
}
