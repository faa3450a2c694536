//! 1 Triage: the findings as a list whose selection follows its finding. How they are drawn is the view's.

use crate::diagnose::{Diagnosis, Finding, FindingKey};
use crate::table::{Cell, Column, Row, SortKey, Width};

/// A finding with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct FindingRow {
    /// Its place: 0 is the worst.
    pub rank: usize,
    /// The finding.
    pub finding: Finding,
}

impl Row for FindingRow {
    type Key = FindingKey;

    fn key(&self) -> FindingKey {
        self.finding.key.clone()
    }
}

impl FindingRow {
    /// All findings of a look.
    #[must_use]
    pub fn all(diagnosis: &Diagnosis) -> Vec<Self> {
        diagnosis.findings.iter().cloned().enumerate().map(|(rank, finding)| Self { rank, finding }).collect()
    }

    /// The finding as text, to be pasted elsewhere.
    #[must_use]
    pub fn text(&self) -> String {
        let f = &self.finding;
        format!("{}\n  {}\n  {}", f.fact, f.evidence, f.todo)
    }
}

/// The one order that there is: of harm.
pub const COLUMNS: &[Column<FindingRow>] = &[Column {
    name: "harm",
    title: "",
    doc: "how much harm it does",
    width: Width::Rest(100),
    cell: |r| Cell::toned(r.finding.fact.clone(), r.finding.severity.tone()),
    #[expect(clippy::cast_precision_loss, reason = "a place in a short list")]
    key: |r| SortKey::Number(r.rank as f64),
    ..Column::TEXT
}];
