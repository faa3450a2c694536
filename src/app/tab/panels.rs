//! 7 Latency and 8 Cache: which panels stand on the tab, what each says at a glance, and whether that is bad.

use crate::model::panel::{PanelAnswer, PanelSpec, PanelTab, PanelUnit, Reading};
use crate::model::unit::{Bytes, short_count};
use crate::model::{Latest, ServerText, Tone};

/// A panel's newest figure, in the words of its state.
#[derive(Debug, Clone, PartialEq)]
pub struct Glance {
    /// Such as `4.1 s`, `NaN (no traffic)`, `no such series`.
    pub text: String,
    /// How loud it is.
    pub tone: Tone,
}

/// The panels of a tab.
pub fn of_tab(specs: &[PanelSpec], tab: PanelTab) -> impl Iterator<Item = &PanelSpec> {
    specs.iter().filter(move |s| s.tab == tab)
}

/// What the panel says at a glance. Zero, nothing, NaN and "not asked yet" are four different things.
#[must_use]
pub fn glance(spec: &PanelSpec, latest: Option<&Latest<PanelAnswer>>) -> Glance {
    let Some(latest) = latest else { return Glance { text: "not asked yet".to_owned(), tone: Tone::Faint } };
    let Some(answer) = latest.get() else {
        return match &latest.error {
            Some((error, _)) => Glance { text: ServerText::new(error.to_string()).escaped(), tone: Tone::Warning },
            None => Glance { text: "not asked yet".to_owned(), tone: Tone::Faint },
        };
    };
    match &answer.reading {
        Reading::NoSeries => {
            let why = answer.unmeasured.clone().or_else(|| spec.absent.clone());
            Glance { text: why.unwrap_or_else(|| "no such series".to_owned()), tone: Tone::Faint }
        }
        Reading::NotANumber { .. } => Glance { text: "NaN (no traffic)".to_owned(), tone: Tone::Faint },
        Reading::Values { candidate, series } => {
            let source = spec.candidates.get(*candidate);
            let clipped = source.and_then(|c| c.clipped_at);
            let judged = source.is_none_or(|c| !c.unjudged);
            let newest: Vec<f64> = series.iter().filter_map(|s| current(answer, s.points.last().copied())).collect();
            match worst(&newest, spec.low_is_bad) {
                Some(value) => {
                    let tone = if judged { tone_of(spec, value) } else { Tone::Plain };
                    Glance { text: shown(value, spec.unit, clipped), tone }
                }
                None => Glance { text: "no value now".to_owned(), tone: Tone::Notice },
            }
        }
    }
}

/// A point that is too old for "now" is none: a series that ended must not look alive.
fn current(answer: &PanelAnswer, point: Option<(f64, Option<f64>)>) -> Option<f64> {
    point.filter(|(t, _)| *t >= answer.end - answer.step * 1.5).and_then(|(_, v)| v)
}

fn worst(values: &[f64], low_is_bad: bool) -> Option<f64> {
    let pick = if low_is_bad { f64::min } else { f64::max };
    values.iter().copied().reduce(pick)
}

/// How loud that value is.
#[must_use]
pub fn tone_of(spec: &PanelSpec, value: f64) -> Tone {
    let beyond = |limit: Option<f64>| limit.is_some_and(|l| if spec.low_is_bad { value <= l } else { value >= l });
    if beyond(spec.critical) {
        Tone::Critical
    } else if beyond(spec.warn) {
        Tone::Warning
    } else {
        Tone::Plain
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
