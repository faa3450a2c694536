//! Panels and scrape targets from Prometheus, or from anything that speaks its HTTP API.
//!
//! It owns which candidate of a panel answers. It reads no file and no environment (settings arrive as values), and it
//! decides nothing about what a value means.

mod beat;
mod http;
mod others;
mod range;
mod rules;
mod run;
mod settings;
mod targets;

pub use settings::{BasicAuth, PrometheusSettings, Secret, SettingsError};

use crate::model::ProbeError;
use crate::model::ServerText;
use crate::model::alert::RuleGroup;
use crate::model::panel::{Candidate, PanelAnswer, PanelSpec, Reading, ScrapeTarget, Series, Variables, render};

use targets::Scrapes;

pub(super) use http::Api;

/// The shortest look-back of a rate. Below it a service with a few requests per second has quantiles made of noise.
const SHORTEST_WINDOW_S: f64 = 10.0;

/// A source of panels and scrape targets.
#[derive(Debug)]
pub struct Prometheus {
    settings: PrometheusSettings,
    api: Api,
    rules: Vec<RuleGroup>,
}

/// The time axis of a question, and what is already known when it is asked.
#[derive(Debug, Clone, PartialEq)]
struct Asking {
    span_s: u32,
    step_s: u32,
    /// Seconds between two scrapes.
    scrapes: Scrapes,
    /// So many seconds before now is "now".
    shift_s: u32,
    /// Tried before the whole list.
    trusted: Option<Trusted>,
}

/// A candidate that answered a moment ago, when all before it had nothing.
#[derive(Debug, Clone, PartialEq)]
struct Trusted {
    candidate: usize,
    /// The refusals of that time: they are still true, and a note must not flicker.
    refused: Vec<String>,
}

/// What one candidate came to.
enum Tried {
    Values {
        expr: String,
        series: Vec<Series>,
        notes: Vec<String>,
    },
    NotANumber {
        expr: String,
        notes: Vec<String>,
    },
    Nothing,
    Refused {
        code: String,
        words: String,
    },
    /// This setting is missing.
    Skipped(String),
}

impl Prometheus {
    /// Prepares the client; nothing is asked yet.
    ///
    /// # Errors
    /// The settings cannot be used: no such URL, a header or prefix with characters that cannot stand there, a CA file
    /// without a certificate.
    pub fn new(settings: PrometheusSettings) -> Result<Self, SettingsError> {
        settings.check()?;
        let api = Api::new(&settings)?;
        Ok(Self { settings, api, rules: Vec::new() })
    }

    /// The same, with the groups of rules that [`crate::model::Question::Rules`] may name.
    #[must_use]
    pub fn with_rules(self, rules: Vec<RuleGroup>) -> Self {
        Self { rules, ..self }
    }

    /// Where it asks, as `host:port`; never with credentials.
    #[must_use]
    pub fn place(&self) -> &str {
        self.api.place()
    }

    /// Asks one panel over the last `span_s` seconds, a point every `step_s`.
    ///
    /// Points stand on multiples of the step, so that they stay where they are from one answer to the next.
    ///
    /// # Errors
    /// No answer, or no candidate answered and at least one was refused: then nobody can say that there is no series.
    pub async fn panel(&self, spec: &PanelSpec, span_s: u32, step_s: u32) -> Result<PanelAnswer, ProbeError> {
        self.ask(spec, Asking { span_s, step_s, scrapes: Scrapes::default(), shift_s: 0, trusted: None }).await
    }

    /// The active scrape targets; from the series `up` where the server has no such list.
    ///
    /// # Errors
    /// No answer from either.
    pub async fn targets(&self) -> Result<Vec<ScrapeTarget>, ProbeError> {
        targets::ask(&self.api).await
    }

    async fn ask(&self, spec: &PanelSpec, asking: Asking) -> Result<PanelAnswer, ProbeError> {
        let end = jiff::Timestamp::now().as_second() - i64::from(asking.shift_s);
        let axis = range::Axis::until(end, asking.span_s, asking.step_s);
        let variables = self.variables(&asking);
        let mut answer = PanelAnswer {
            start: range::seconds(axis.start),
            end: range::seconds(axis.end),
            step: range::seconds(axis.step),
            reading: Reading::NoSeries,
            refused: Vec::new(),
            expr: String::new(),
            notes: Vec::new(),
            unmeasured: None,
        };
        if let Some(Trusted { candidate: index, refused }) = asking.trusted
            && let Some(candidate) = spec.candidates.get(index)
            && let Tried::Values { expr, series, notes } = self.candidate(spec, candidate, &variables, axis).await?
        {
            let reading = Reading::Values { candidate: index, series };
            return Ok(PanelAnswer { reading, refused, expr, notes, ..answer });
        }
        let mut refusal = None;
        let mut missing: Vec<String> = Vec::new();
        for (index, candidate) in spec.candidates.iter().enumerate() {
            match self.candidate(spec, candidate, &variables, axis).await? {
                Tried::Values { expr, series, notes } => {
                    let reading = Reading::Values { candidate: index, series };
                    return Ok(PanelAnswer { reading, expr, notes, ..answer });
                }
                // Only the first such is the one a reader should know of: it stands highest.
                Tried::NotANumber { expr, notes } if matches!(answer.reading, Reading::NoSeries) => {
                    answer.reading = Reading::NotANumber { candidate: index };
                    answer.expr = expr;
                    answer.notes = notes;
                }
                Tried::NotANumber { .. } | Tried::Nothing => {}
                Tried::Refused { code, words } => {
                    answer.refused.push(format!("{}: {words}", candidate.name));
                    refusal.get_or_insert(ProbeError::Refused { code, message: words });
                }
                Tried::Skipped(setting) => {
                    if !missing.contains(&setting) {
                        missing.push(setting);
                    }
                }
            }
        }
        if !matches!(answer.reading, Reading::NoSeries) {
            return Ok(answer);
        }
        if let Some(refusal) = refusal {
            return Err(refusal);
        }
        if asking.shift_s > 0 {
            // Why there is nothing is told of the present.
            return Ok(answer);
        }
        if let Some(index) = self.silent_source(spec, &variables).await? {
            answer.reading = Reading::NotANumber { candidate: index };
            return Ok(answer);
        }
        answer.notes.extend(missing.iter().map(|setting| format!("some sources need `{setting}` to be set")));
        answer.unmeasured = self.unmeasured(spec, &variables).await?;
        Ok(answer)
    }

    async fn candidate(
        &self,
        spec: &PanelSpec,
        candidate: &Candidate,
        variables: &Variables,
        axis: range::Axis,
    ) -> Result<Tried, ProbeError> {
        if let Some(need) = candidate.needs.iter().find(|need| !variables.has(need)) {
            return Ok(Tried::Skipped(need.clone()));
        }
        let expr = match render(&candidate.expr, variables) {
            Ok(expr) => expr,
            Err(unset) => return Ok(Tried::Skipped(unset.0)),
        };
        let answer = match self.api.range(&expr, axis).await {
            Ok(answer) => answer,
            Err(error) => return refused_expression(error),
        };
        let mut notes = answer.notes;
        Ok(match range::reading(answer.data, spec) {
            range::Found::Nothing => Tried::Nothing,
            range::Found::NotANumber => Tried::NotANumber { expr, notes },
            range::Found::Values { series, of } => {
                if series.len() < of {
                    let end = if spec.low_is_bad { "lowest" } else { "highest" };
                    notes.push(format!("the {} {end} of {of} series", series.len()));
                }
                Tried::Values { expr, series, notes }
            }
        })
    }

    /// The first candidate whose series are there although it gave nothing.
    async fn silent_source(&self, spec: &PanelSpec, variables: &Variables) -> Result<Option<usize>, ProbeError> {
        for (index, candidate) in spec.candidates.iter().enumerate() {
            let set = candidate.needs.iter().all(|need| variables.has(need));
            if let Some(source) = candidate.source.as_ref().filter(|_| set)
                && self.has_sample(source, variables).await?
            {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }

    /// The sentence of the first telltale that has a sample now.
    async fn unmeasured(&self, spec: &PanelSpec, variables: &Variables) -> Result<Option<String>, ProbeError> {
        for telltale in &spec.telltales {
            if self.has_sample(&telltale.expr, variables).await? {
                return Ok(Some(telltale.says.clone()));
            }
        }
        Ok(None)
    }

    /// True where an expression has a sample now; false where it cannot be asked.
    async fn has_sample(&self, expr: &str, variables: &Variables) -> Result<bool, ProbeError> {
        let Ok(expr) = render(expr, variables) else { return Ok(false) };
        match self.api.instant(&expr).await {
            Ok(answer) => Ok(!answer.data.result.is_empty()),
            Err(error) => refused_expression(error).map(|_| false),
        }
    }

    fn variables(&self, asking: &Asking) -> Variables {
        let window = |scrape_s| self.settings.window_s.unwrap_or_else(|| window_s(scrape_s, asking.step_s));
        Variables {
            job: self.settings.job.clone(),
            postgres_job: self.settings.postgres_job.clone(),
            prefix: self.settings.prefix.clone(),
            pool_max: self.settings.pool_max,
            window_s: window(asking.scrapes.service_s),
            host_window_s: window(asking.scrapes.hosts_s),
            span_s: asking.span_s.max(1),
            step_s: asking.step_s.max(1),
        }
    }
}

/// How far a rate looks back. Four scrapes survive a missed one and still hold the two samples that a rate needs; a
/// step and a scrape leave no sample between two points. Shorter windows show an incident sooner.
fn window_s(scrape_s: f64, step_s: u32) -> u32 {
    let window = (4.0 * scrape_s).max(f64::from(step_s) + scrape_s).max(SHORTEST_WINDOW_S).ceil();
    range::whole_seconds(window)
}

/// Prometheus answers 400 to what it cannot parse and 422 to what it cannot execute; any other failure is not the
/// expression's.
fn refused_expression(error: ProbeError) -> Result<Tried, ProbeError> {
    if let ProbeError::Refused { code, message } = &error
        && (code == "400" || code == "422")
    {
        return Ok(Tried::Refused { code: code.clone(), words: ServerText::from(message.as_str()).escaped() });
    }
    Err(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_looks_back_on_four_scrapes_and_leaves_no_sample_between_two_points() {
        assert_eq!(window_s(15.0, 10), 60);
        assert_eq!(window_s(15.0, 60), 75);
        assert_eq!(window_s(1.0, 5), 10);
        assert_eq!(window_s(1.0, 30), 31);
        assert_eq!(window_s(0.5, 1), 10);
    }
}
