//! 7 Latency and 8 Cache: which panels stand on the tab, what each says at a glance, and whether that is bad.

pub use crate::model::panel::shown;
use crate::model::panel::{PanelAnswer, PanelSpec, PanelTab, Reading};
use crate::model::{Latest, ProbeError, ServerText, Tone};

/// A panel's newest figure, in the words of its state.
#[derive(Debug, Clone, PartialEq)]
pub struct Glance {
    /// A few words, such as `4.1 s`, `NaN (no traffic)`, `no such series`.
    pub text: String,
    /// How loud it is.
    pub tone: Tone,
    /// Why there is no figure, in a sentence; safe to draw.
    pub why: Option<String>,
}

impl Glance {
    fn figure(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone, why: None }
    }

    fn none(text: impl Into<String>, tone: Tone, why: &str) -> Self {
        Self { text: text.into(), tone, why: Some(ServerText::from(why).escaped()) }
    }
}

/// The panels of a tab.
pub fn of_tab(specs: &[PanelSpec], tab: PanelTab) -> impl Iterator<Item = &PanelSpec> {
    specs.iter().filter(move |s| s.tab == tab)
}

/// What the panel says at a glance. Zero, nothing, NaN, refused and "not asked yet" are different things.
#[must_use]
pub fn glance(spec: &PanelSpec, latest: Option<&Latest<PanelAnswer>>) -> Glance {
    let asked = |latest: &Latest<PanelAnswer>| latest.error.as_ref().map(|(error, _)| failed(error));
    let Some(answer) = latest.and_then(Latest::get) else {
        return latest.and_then(asked).unwrap_or_else(|| Glance::figure("not asked yet", Tone::Faint));
    };
    let named = |candidate: &usize| spec.candidates.get(*candidate);
    match &answer.reading {
        Reading::NoSeries => match &answer.unmeasured {
            Some(why) => Glance::none("not measured", Tone::Faint, why),
            None => Glance::none("no such series", Tone::Faint, spec.absent.as_deref().unwrap_or_default()),
        },
        Reading::NotANumber { candidate } => {
            let minutes = (answer.end - answer.start) / 60.0;
            let source = named(candidate).map_or("", |c| c.name.as_str());
            let why = format!("every value is NaN in the last {minutes:.0} min: {source}");
            Glance::none("NaN (no traffic)", Tone::Faint, &why)
        }
        Reading::Values { candidate, .. } => {
            let candidate = named(candidate);
            let Some(value) = newest(spec, answer) else {
                return Glance::figure("no value now", Tone::Notice);
            };
            let judged = candidate.is_none_or(|c| !c.unjudged);
            let tone = if judged { tone_of(spec, value) } else { Tone::Plain };
            Glance::figure(shown(value, spec.unit, candidate.and_then(|c| c.clipped_at)), tone)
        }
    }
}

/// The worst of the values that a panel has now.
fn newest(spec: &PanelSpec, answer: &PanelAnswer) -> Option<f64> {
    let Reading::Values { series, .. } = &answer.reading else { return None };
    answer.worst_of(series, spec.low_is_bad)
}

/// A failure in a word or two, with its sentence.
fn failed(error: &ProbeError) -> Glance {
    let word = match error {
        ProbeError::Unreachable(_) => "unreachable",
        ProbeError::TimedOut(_) => "no answer",
        ProbeError::Denied { .. } | ProbeError::Unauthorized(_) => "not permitted",
        ProbeError::Absent(_) => "not there",
        ProbeError::Locked(_) | ProbeError::Refused { .. } | ProbeError::Faulty(_) => "refused",
        ProbeError::Shape(_) => "not understood",
    };
    // The word has been said.
    let sentence = error.to_string();
    let why = sentence.strip_prefix(word).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(&sentence);
    Glance::none(word, Tone::Warning, why)
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
