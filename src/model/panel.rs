//! A panel of the Latency or Cache tab: what it shows, the expressions that may answer it, and an answer.
//!
//! It parses text and fills in variables; it asks nobody and reads no file.

mod expression;
mod file;

pub use expression::{Unset, Variables, render};
pub use file::{PanelError, defaults, parse};

use serde::{Deserialize, Serialize};

use super::baseline::Figure;
use super::unit::{Bytes, short_count};

/// The tab that a panel stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PanelTab {
    /// 7 Latency.
    Latency,
    /// 8 Cache.
    Cache,
}

/// The unit of a panel's values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PanelUnit {
    /// Seconds.
    Seconds,
    /// A ratio from 0 to 1, shown in percent.
    Ratio,
    /// Bytes.
    Bytes,
    /// Events per second.
    Rate,
    /// A plain count.
    #[default]
    Count,
}

/// One expression that may answer a panel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// Short name of the source, shown in the panel's foot, such as `v2 query histogram`.
    pub name: String,
    /// PromQL with the variables that [`render`] fills in.
    pub expr: String,
    /// A selector of the series that it counts with. Asked when nobody answered: a server that leaves NaN out of its
    /// answers (VictoriaMetrics) would otherwise make "no traffic" look like "no such series".
    #[serde(default)]
    pub source: Option<String>,
    /// What this source cannot see, shown beside the name.
    #[serde(default)]
    pub note: Option<String>,
    /// The values at or above this are clipped by the source (a histogram's top bucket): shown as `≥5 s`.
    #[serde(default)]
    pub clipped_at: Option<f64>,
    /// Settings without which it would answer for something else, such as `job` where a metric belongs to every process
    /// that Prometheus knows; it is left out while one of them is not set.
    #[serde(default)]
    pub needs: Vec<String>,
    /// True where the panel's thresholds do not fit this source: it is shown, and never coloured.
    #[serde(default)]
    pub unjudged: bool,
}

/// A series that betrays, where no candidate answers, that the service has the metric and never counts with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Telltale {
    /// PromQL; any sample of it is the sign.
    pub expr: String,
    /// The sentence that is then said in place of `absent`.
    pub says: String,
}

/// A panel as its file describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PanelSpec {
    /// Its name in questions and answers.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Where it stands.
    pub tab: PanelTab,
    /// Unit of its values.
    #[serde(default)]
    pub unit: PanelUnit,
    /// The label whose value names a series, where there are several.
    #[serde(default)]
    pub legend: Option<String>,
    /// The value from which it is a warning, and the direction.
    #[serde(default)]
    pub warn: Option<f64>,
    /// The value from which it is critical.
    #[serde(default)]
    pub critical: Option<f64>,
    /// True where low values are the bad ones.
    #[serde(default)]
    pub low_is_bad: bool,
    /// The figure of a workload that its values are held against.
    #[serde(default)]
    pub figure: Option<Figure>,
    /// Said when no candidate has a series.
    #[serde(default)]
    pub absent: Option<String>,
    /// Asked when no candidate answered; the first with a sample explains why.
    #[serde(default)]
    pub telltales: Vec<Telltale>,
    /// In order of preference.
    pub candidates: Vec<Candidate>,
}

/// One series over the asked span.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Its legend; empty for a single one.
    pub name: String,
    /// Seconds since the epoch and value; a value that is no number (NaN, ±Inf) is kept as none, a missing point is
    /// missing.
    pub points: Vec<(f64, Option<f64>)>,
}

impl Series {
    /// The newest point: outer none where there is no point at all, inner none where it is NaN.
    #[must_use]
    pub fn last(&self) -> Option<Option<f64>> {
        self.points.last().map(|p| p.1)
    }
}

/// What a panel's question came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Reading {
    /// A candidate answered with at least one number.
    Values {
        /// Index of the candidate.
        candidate: usize,
        /// Its series.
        series: Vec<Series>,
    },
    /// Series exist, but every value is NaN (0/0: no traffic).
    NotANumber {
        /// Index of the candidate that has the series.
        candidate: usize,
    },
    /// No candidate has a series.
    NoSeries,
}

impl Reading {
    /// Its series; none where there are no values.
    #[must_use]
    pub fn series(&self) -> &[Series] {
        match self {
            Self::Values { series, .. } => series,
            Self::NotANumber { .. } | Self::NoSeries => &[],
        }
    }
}

/// One answered panel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PanelAnswer {
    /// Start of the span in seconds since the epoch.
    pub start: f64,
    /// Its end.
    pub end: f64,
    /// Step in seconds.
    pub step: f64,
    /// What came of it.
    pub reading: Reading,
    /// Candidates before the answering one that Prometheus refused, with its words.
    pub refused: Vec<String>,
    /// The expression that answered, with everything filled in; empty where none did.
    #[serde(default)]
    pub expr: String,
    /// What a reader must know beside the values: series left out, a partial answer, sources not asked.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Why the service has the metric and nothing counts with it, where a telltale said so.
    #[serde(default)]
    pub unmeasured: Option<String>,
}

impl PanelAnswer {
    /// The worst value that the series have now. A point that is too old for "now" is none: a series that ended must not
    /// look alive.
    #[must_use]
    pub fn worst_of(&self, series: &[Series], low_is_bad: bool) -> Option<f64> {
        let current = |s: &Series| s.points.last().filter(|(t, _)| *t >= self.end - self.step * 1.5).and_then(|p| p.1);
        let pick = if low_is_bad { f64::min } else { f64::max };
        series.iter().filter_map(current).reduce(pick)
    }
}

/// A value in its unit; at or above a histogram's top bucket only that much is known.
#[must_use]
pub fn shown(value: f64, unit: PanelUnit, clipped_at: Option<f64>) -> String {
    let clip = if clipped_at.is_some_and(|c| value >= c * 0.999) { "≥" } else { "" };
    match unit {
        PanelUnit::Seconds if value.abs() < 0.000_999_5 => format!("{clip}{:.0} µs", value * 1e6),
        PanelUnit::Seconds if value.abs() < 0.009_95 => format!("{clip}{:.1} ms", value * 1e3),
        PanelUnit::Seconds if value.abs() < 0.999_5 => format!("{clip}{:.0} ms", value * 1e3),
        PanelUnit::Seconds if value.abs() < 99.5 => format!("{clip}{value:.1} s"),
        PanelUnit::Seconds => format!("{clip}{value:.0} s"),
        PanelUnit::Ratio => format!("{clip}{:.1}%", value * 100.0),
        #[expect(clippy::cast_possible_truncation, reason = "bytes beyond 2^63 saturate")]
        PanelUnit::Bytes => format!("{clip}{}", Bytes(value as i64).short()),
        PanelUnit::Rate => format!("{clip}{}/s", short_count(value)),
        PanelUnit::Count => format!("{clip}{}", short_count(value)),
    }
}

/// The state of a scrape target that Prometheus knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScrapeTarget {
    /// `job`.
    pub job: String,
    /// `instance`.
    pub instance: String,
    /// `up`.
    pub up: bool,
    /// `lastError`, such as `server returned HTTP status 401 Unauthorized`.
    pub error: String,
    /// Seconds between scrapes, where the server tells.
    #[serde(default)]
    pub interval_s: Option<f64>,
}
