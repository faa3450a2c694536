//! All alerts beside each other: ours, those that Prometheus evaluates itself, silences, and what was acknowledged here.
//!
//! It takes answers in and gives rows out, worst first; it asks nobody and draws nothing.

mod row;

use std::collections::BTreeSet;

use super::state::{Change, RuleState, State};
use crate::model::alert::{AlertRule, GroupAnswer, Labels, Others, RuleGroup, Silence};
use crate::model::{Latest, ProbeError, Timestamp};

pub use row::{Level, Row, Side, Standing};

/// A group and the state of its rules.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupState {
    /// The group.
    pub group: RuleGroup,
    /// For each rule in order.
    pub rules: Vec<RuleState>,
}

/// All that is known of alerts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Board {
    /// Our groups.
    pub groups: Vec<GroupState>,
    /// What Prometheus evaluates itself.
    pub others: Latest<Others>,
    /// Active silences of Alertmanager.
    pub silences: Latest<Vec<Silence>>,
    /// What was acknowledged in this console.
    pub acknowledged: BTreeSet<Vec<(String, String)>>,
    /// Alerts of Prometheus' that were heard of already: none before its first answer.
    heard: Option<BTreeSet<Vec<(String, String)>>>,
}

/// The labels as a key that a set of them can be written with.
fn key(labels: &Labels) -> Vec<(String, String)> {
    labels.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
}

impl Board {
    /// A board of these groups, nothing evaluated yet.
    #[must_use]
    pub fn new(groups: Vec<RuleGroup>) -> Self {
        let state = |group: RuleGroup| {
            let rules = group.rules.iter().map(|_| RuleState::default()).collect();
            GroupState { group, rules }
        };
        Self { groups: groups.into_iter().map(state).collect(), ..Self::default() }
    }

    /// Takes in a group's answer; the names of critical alerts that began to fire just now.
    pub fn take(&mut self, key: &str, answer: &Result<GroupAnswer, ProbeError>, at: Timestamp) -> Vec<String> {
        let Some(at_group) = self.groups.iter_mut().find(|g| g.group.key == key) else { return Vec::new() };
        let GroupState { group, rules } = at_group;
        let mut changes: Vec<Change> = Vec::new();
        for (index, (rule, state)) in group.rules.iter().zip(rules.iter_mut()).enumerate() {
            match answer {
                Ok(answer) => match answer.rules.get(index) {
                    Some(Ok(answer)) => changes.extend(state.take(rule, group.limit, answer)),
                    Some(Err(why)) => state.fail(why, at),
                    None => {}
                },
                Err(why) => state.fail(why, at),
            }
        }
        let mut news = Vec::new();
        for change in changes {
            // What is over was acknowledged for the last time.
            if change.to == State::Resolved {
                self.acknowledged.remove(&self::key(&change.labels));
            }
            if change.to == State::Firing && Level::of(&change.labels) == Level::Critical {
                news.push(change.labels.get("alertname").cloned().unwrap_or_default());
            }
        }
        news
    }

    /// Takes in what Prometheus evaluates itself; the names of critical alerts among it that are new.
    pub fn take_others(&mut self, answer: Result<Others, ProbeError>, at: Timestamp) -> Vec<String> {
        let mut news = Vec::new();
        if let Ok(others) = &answer {
            let firing: Vec<&Labels> = others
                .alerts
                .iter()
                .filter(|a| {
                    a.state == crate::model::alert::OtherState::Firing && Level::of(&a.labels) == Level::Critical
                })
                .map(|a| &a.labels)
                .collect();
            let now: BTreeSet<_> = firing.iter().map(|l| key(l)).collect();
            for labels in firing {
                let known = self.heard.as_ref().is_some_and(|heard| heard.contains(&key(labels)));
                if !known && !self.fires(labels) {
                    news.push(labels.get("alertname").cloned().unwrap_or_default());
                }
            }
            self.heard = Some(now);
            let ours = |k: &Vec<(String, String)>, board: &Self| {
                let labels: Labels = k.iter().cloned().collect();
                board.fires(&labels) || others.alerts.iter().any(|a| a.labels == labels)
            };
            let gone: Vec<_> = self.acknowledged.iter().filter(|k| !ours(k, self)).cloned().collect();
            for key in gone {
                self.acknowledged.remove(&key);
            }
        }
        self.others.take(answer, at);
        news
    }

    /// True where one of our own rules has an alert with these labels that is not over.
    fn fires(&self, labels: &Labels) -> bool {
        let mut states = self.groups.iter().flat_map(|g| &g.rules);
        states.any(|s| s.alerts.get(labels).is_some_and(|a| a.state != State::Resolved))
    }

    /// Acknowledges an alert in this console, or takes that back; true where it is acknowledged now.
    pub fn acknowledge(&mut self, labels: &Labels) -> bool {
        let key = key(labels);
        if self.acknowledged.remove(&key) {
            return false;
        }
        self.acknowledged.insert(key)
    }

    /// All rows, the worst first.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        row::rows(self)
    }

    /// The row with these labels; the worst where there are several.
    #[must_use]
    pub fn row(&self, labels: &Labels) -> Option<Row> {
        self.rows().into_iter().find(|row| row.labels == *labels)
    }

    /// Rules of ours that were not asked yet.
    #[must_use]
    pub fn waiting(&self) -> usize {
        let states = self.groups.iter().flat_map(|g| &g.rules);
        states.filter(|s| s.seen.is_none() && s.blind.is_none()).count()
    }

    /// When the newest answer came that a row rests on.
    #[must_use]
    pub fn seen(&self, row: &Row) -> Option<Timestamp> {
        match self.rule_of(row) {
            Some((_, _, state)) => state.seen.as_ref().map(|(_, at)| *at),
            None => self.others.value.as_ref().map(|(_, at)| *at),
        }
    }

    /// The group, the rule and its state behind a row of ours.
    #[must_use]
    pub fn rule_of(&self, row: &Row) -> Option<(&RuleGroup, &AlertRule, &RuleState)> {
        let (g, r) = row.rule?;
        let GroupState { group, rules } = self.groups.get(g)?;
        Some((group, group.rules.get(r)?, rules.get(r)?))
    }

    /// Rules of ours that are quiet: evaluated, and nothing holds.
    #[must_use]
    pub fn quiet(&self) -> usize {
        row::quiet(self)
    }

    /// Critical alerts that fire, by name, and were neither acknowledged nor silenced.
    #[must_use]
    pub fn burning(&self) -> Vec<String> {
        let rows = self.rows();
        let loud = rows.iter().filter(|r| {
            matches!(r.standing, Standing::Firing)
                && r.level == Level::Critical
                && !r.acknowledged
                && r.silenced.is_none()
        });
        loud.map(|r| r.name.clone()).collect()
    }

    fn silence_of(&self, labels: &Labels) -> Option<Silence> {
        self.silences.get()?.iter().find(|s| s.covers(labels)).cloned()
    }
}

#[cfg(test)]
#[path = "board/tests.rs"]
mod tests;
