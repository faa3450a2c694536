//! What is wrong: from all that is known of a server, findings in order of harm; and what could not be looked at.
//!
//! Pure: no clock, no input. Times are those of the samples, so the same world always gives the same findings.

pub mod alert;
pub mod finding;
pub mod health;
pub mod history;
pub mod limits;
mod rule;
pub mod runbook;
mod words;

mod alerts;
mod blockers;
mod connections;
mod dependencies;
mod disk;
mod endpoints;
mod horizon;
mod indexes;
mod link;
mod pooler;
mod replication;
mod server;
mod service;
mod sight;
mod slow;
mod span;
mod standby;
mod tables;
mod transactions;
mod upkeep;
mod waits;
mod wal;
mod wraparound;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

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

/// Looks by these rules.
#[must_use]
pub fn diagnose_by(look: &Look<'_>, rules: &[Rule]) -> Diagnosis {
    let mut findings: Vec<Finding> = rules.iter().flat_map(|rule| (rule.find)(look)).collect();
    for finding in &mut findings {
        finding.since = finding.since.or_else(|| look.history.first_found(&finding.key)).or(Some(finding.seen));
    }
    findings.sort_by(Finding::rank);
    // Two rows that claim one identity are one finding, the worse of the two.
    let mut told = BTreeSet::new();
    findings.retain(|finding| told.insert(finding.key.clone()));
    let (unchecked, checked) = (sight::unchecked(look), sight::checked(look));
    Diagnosis { findings, unchecked, checked, health: health::items(look) }
}
