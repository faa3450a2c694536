//! The task that asks what is wanted and reports what came.
//!
//! It runs until nobody listens. A server that hangs delays nothing but its own panels.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::beat::{Beat, Health, ours};
use super::rules::{Before, Evaluating};
use super::targets::Scrapes;
use super::{Asking, Prometheus, Trusted, targets};
use crate::model::baseline::WEEK_S;
use crate::model::panel::{PanelSpec, Reading, ScrapeTarget};
use crate::model::{Demand, ProbeError, Question, Sample, Snapshot, Timestamp};
use crate::probe::Report;

/// Asked at the same time: a tab of twelve panels fills in three rounds, and a Prometheus that is itself in trouble
/// (twenty queries at once by default) keeps most of its room.
const MOST_AT_ONCE: usize = 4;

/// For how long the candidate that answered is tried first, before better ones get their chance again.
const TRUST: Duration = Duration::from_secs(60);

/// With no question due the task sleeps until the demand changes; this only bounds that sleep.
const IDLE: Duration = Duration::from_secs(3600);

/// What one answer taught for the next.
#[derive(Debug, Default)]
struct Learned {
    /// What answered each panel, and when the whole list was last tried.
    candidates: HashMap<String, (Trusted, Instant)>,
    scrapes: Scrapes,
    /// When each rule of a group was evaluated last, and what answered it.
    rules: HashMap<String, (Vec<Before>, Instant)>,
    /// True once the targets were asked, whatever came of it.
    asked_targets: bool,
}

impl Prometheus {
    /// Asks what is wanted when it is due and sends each answer as a [`Report::Sample`]; ends when either channel's
    /// other end is gone.
    pub async fn run(self, panels: Vec<PanelSpec>, mut demand: watch::Receiver<Demand>, reports: mpsc::Sender<Report>) {
        let mut beat = Beat::default();
        let mut learned = Learned::default();
        let mut asking = FuturesUnordered::new();
        let mut failure: Option<Sample> = None;
        loop {
            let now = Instant::now();
            {
                let demand = demand.borrow_and_update();
                beat.want(ours(&demand), demand.reconnect, now);
            }
            for question in beat.silenced() {
                let Some(failure) = &failure else { break };
                let echo = Sample { question, took: Duration::ZERO, ..failure.clone() };
                if reports.send(Report::Sample(echo)).await.is_err() {
                    return;
                }
            }
            while asking.len() < learned.most_at_once() {
                let Some(question) = beat.next(now) else { break };
                let known = learned.known(&question);
                asking.push(self.answer(&panels, question, known));
            }
            let wake = if asking.len() < learned.most_at_once() { beat.wakes_at(now) } else { None };
            tokio::select! {
                changed = demand.changed() => if changed.is_err() { return },
                Some(sample) = asking.next() => {
                    let health = Health::of(sample.answer.as_ref().err());
                    beat.answered(&sample.question, health, Instant::now());
                    learned.take(&sample, self.settings.job.as_deref());
                    if matches!(health, Health::Away | Health::Slow) {
                        if failure.as_ref().is_none_or(|before| before.answer != sample.answer) {
                            beat.tell_again();
                        }
                        failure = Some(sample.clone());
                    }
                    if reports.send(Report::Sample(sample)).await.is_err() {
                        return;
                    }
                }
                () = sleep_until(wake.unwrap_or(now + IDLE)) => {}
            }
        }
    }

    async fn answer(&self, panels: &[PanelSpec], question: Question, known: Known) -> Sample {
        let begun = Instant::now();
        let answer = match &question {
            Question::Targets => self.targets().await.map(Snapshot::Targets),
            Question::Panel { id, span_s, step_s } | Question::PanelBefore { id, span_s, step_s } => {
                match panels.iter().find(|spec| spec.id == *id) {
                    Some(spec) => {
                        let Known { trusted, scrapes, .. } = known;
                        let before = matches!(question, Question::PanelBefore { .. });
                        let shift_s = if before { WEEK_S } else { 0 };
                        let asking = Asking { span_s: *span_s, step_s: *step_s, scrapes, shift_s, trusted };
                        self.ask(spec, asking).await.map(Snapshot::Panel)
                    }
                    None => Err(ProbeError::Absent(format!("no panel `{id}`"))),
                }
            }
            Question::Rules { group } => match self.rules.iter().find(|g| g.key == *group) {
                Some(found) => {
                    let now = Timestamp::now();
                    let asking = Evaluating { at: None, now, before: &known.before, fill: true };
                    self.evaluate_group(found, asking).await.map(Snapshot::Rules)
                }
                None => Err(ProbeError::Absent(format!("no group `{group}`"))),
            },
            Question::OtherAlerts => self.others().await.map(Snapshot::OtherAlerts),
            Question::Silences
            | Question::Health { .. }
            | Question::Dependency { .. }
            | Question::Pooler
            | Question::Server
            | Question::Sessions
            | Question::SessionLocks(_)
            | Question::Progress
            | Question::Relations { .. }
            | Question::Indexes { .. }
            | Question::IndexDefinition { .. }
            | Question::ExactBloat(_)
            | Question::Plan(_)
            | Question::Replication
            | Question::Settings
            | Question::CacheTable
            | Question::Activity
            | Question::Statements { .. } => Err(ProbeError::Absent("not a question for Prometheus".to_owned())),
        };
        Sample { question, at: Timestamp::now(), took: begun.elapsed(), answer }
    }
}

/// What is known when a question goes out.
struct Known {
    trusted: Option<Trusted>,
    scrapes: Scrapes,
    before: Vec<Before>,
}

/// What is known of a group's rules; the source that answered is forgotten when better ones are to have their chance.
fn before((rules, tried): &(Vec<Before>, Instant)) -> Vec<Before> {
    let trusted = tried.elapsed() < TRUST;
    rules.iter().map(|b| Before { source: b.source.filter(|_| trusted), ..*b }).collect()
}

impl Learned {
    /// One until the scrape interval is known: panels of another window would jump with the second answer.
    fn most_at_once(&self) -> usize {
        if self.asked_targets { MOST_AT_ONCE } else { 1 }
    }

    fn known(&self, question: &Question) -> Known {
        let panel = if let Question::Panel { id, .. } | Question::PanelBefore { id, .. } = question {
            self.candidates.get(id)
        } else {
            None
        };
        let rules = if let Question::Rules { group } = question { self.rules.get(group) } else { None };
        let trusted = panel.filter(|(trusted, tried)| trusted.candidate > 0 && tried.elapsed() < TRUST);
        Known {
            trusted: trusted.map(|(t, _)| t.clone()),
            scrapes: self.scrapes,
            before: rules.map(before).unwrap_or_default(),
        }
    }

    fn take(&mut self, sample: &Sample, job: Option<&str>) {
        match (&sample.question, &sample.answer) {
            (Question::Targets, answer) => {
                self.asked_targets = true;
                let targets: &[ScrapeTarget] = match answer {
                    Ok(Snapshot::Targets(targets)) => targets,
                    Ok(_) | Err(_) => &[],
                };
                let service_s = targets::scrape_s(targets, job).unwrap_or(self.scrapes.service_s);
                let hosts_s = targets::slowest_s(targets).unwrap_or(self.scrapes.hosts_s);
                self.scrapes = Scrapes { service_s, hosts_s };
            }
            (Question::Panel { id, .. }, Ok(Snapshot::Panel(answer))) => match &answer.reading {
                Reading::Values { candidate, .. } => {
                    let now = Instant::now();
                    let trusted = Trusted { candidate: *candidate, refused: answer.refused.clone() };
                    let known = self.candidates.entry(id.clone()).or_insert_with(|| (trusted.clone(), now));
                    if known.0 != trusted || known.1.elapsed() >= TRUST {
                        *known = (trusted, now);
                    }
                }
                Reading::NotANumber { .. } | Reading::NoSeries => {
                    self.candidates.remove(id);
                }
            },
            (Question::Rules { group }, Ok(Snapshot::Rules(answer))) => {
                let now = Instant::now();
                let (known, tried) = self.rules.entry(group.clone()).or_insert_with(|| (Vec::new(), now));
                known.resize(answer.rules.len(), Before::default());
                for (before, answer) in known.iter_mut().zip(&answer.rules) {
                    if let Ok(answer) = answer {
                        *before = Before { at: Some(answer.now.at), source: answer.source };
                    }
                }
                if tried.elapsed() >= TRUST {
                    *tried = now;
                }
            }
            _ => {}
        }
    }
}
