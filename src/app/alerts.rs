//! Alerts in the console: answers taken in, what rings, and what the terminal's title says.
//!
//! What an answer means for an alert is `diagnose`'s; here is only who hears of it.

use super::App;
use crate::diagnose::alert::board::Board;
use crate::message::Effect;
use crate::model::alert::RuleGroup;
use crate::model::{ProbeError, Question, Sample, ServerText, Snapshot};

/// Alerts named in the title at most: it is one line of a tab or of a window's frame.
const MOST_NAMED: usize = 2;

/// What the console is to evaluate, and who is to hear of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Alerting {
    /// The groups of rules.
    pub rules: Vec<RuleGroup>,
    /// Whether an Alertmanager was named.
    pub alertmanager: bool,
    /// Whether a new critical alert rings the bell and stands in the terminal's title.
    pub bell: bool,
}

impl App {
    /// The alerts that are shown: those of now, or those that were frozen.
    #[must_use]
    pub fn alerts(&self) -> &Board {
        self.frozen_alerts.as_deref().unwrap_or(&self.board)
    }

    /// Takes an answer about alerts in; what is to be heard of it.
    pub(super) fn take_alerts(&mut self, sample: &Sample) -> Vec<Effect> {
        let wrong = || ProbeError::Shape("not what was asked for".to_owned());
        let news = match &sample.question {
            Question::Rules { group } => {
                let answer = match &sample.answer {
                    Ok(Snapshot::Rules(answer)) => Ok(answer.clone()),
                    Ok(_) => Err(wrong()),
                    Err(error) => Err(error.clone()),
                };
                self.board.take(group, &answer, sample.at)
            }
            Question::OtherAlerts => {
                let answer = match &sample.answer {
                    Ok(Snapshot::OtherAlerts(others)) => Ok(others.clone()),
                    Ok(_) => Err(wrong()),
                    Err(error) => Err(error.clone()),
                };
                self.board.take_others(answer, sample.at)
            }
            Question::Silences => {
                let answer = match &sample.answer {
                    Ok(Snapshot::Silences(silences)) => Ok(silences.clone()),
                    Ok(_) => Err(wrong()),
                    Err(error) => Err(error.clone()),
                };
                self.board.silences.take(answer, sample.at);
                Vec::new()
            }
            Question::Server
            | Question::Sessions
            | Question::SessionLocks(_)
            | Question::Progress
            | Question::Relations { .. }
            | Question::Indexes { .. }
            | Question::IndexDefinition { .. }
            | Question::ExactBloat(_)
            | Question::Plan(_)
            | Question::Replication
            | Question::Statements { .. }
            | Question::CacheTable
            | Question::Activity
            | Question::Settings
            | Question::Panel { .. }
            | Question::PanelBefore { .. }
            | Question::Targets
            | Question::Health { .. }
            | Question::Dependency { .. }
            | Question::Pooler => return Vec::new(),
        };
        self.heard(!news.is_empty())
    }

    /// The bell for what is new, and the title for what burns, where either changes.
    pub(super) fn heard(&mut self, new: bool) -> Vec<Effect> {
        if !self.setup.alerting.bell {
            return Vec::new();
        }
        let burning = self.board.burning();
        let title = (!burning.is_empty()).then(|| title(&self.setup.target, &burning));
        let mut effects = Vec::new();
        // What somebody silenced rings no bell.
        if new && title.is_some() {
            effects.push(Effect::Bell);
        }
        if title != self.title {
            self.title.clone_from(&title);
            effects.push(Effect::Title(title));
        }
        effects
    }
}

fn title(target: &str, burning: &[String]) -> String {
    let mut names: Vec<&str> = burning.iter().map(String::as_str).collect();
    names.dedup();
    let more = if names.len() > MOST_NAMED { format!(" +{}", names.len() - MOST_NAMED) } else { String::new() };
    names.truncate(MOST_NAMED);
    ServerText::new(format!("{} critical: {}{more} · {target}", burning.len(), names.join(", "))).head(120)
}
