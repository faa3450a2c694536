//! The rows of the board: one for each alert, and one for each rule that cannot say whether it holds.
//!
//! The order is that of harm: what fires and nobody has taken, what is pending, what nobody can see, what is over.

use serde::{Deserialize, Serialize};

use super::{Board, GroupState, key};
use crate::diagnose::alert::humanize::glance;
use crate::diagnose::alert::state::{Alert, RuleState, State};
use crate::model::alert::{AlertRule, Labels, Number, OtherAlert, OtherState, Seen, Silence};
use crate::model::{ProbeError, Timestamp, Tone};

/// How bad an alert is, by its label `severity`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Level {
    /// `info`, `none`, or anything else that is no word for harm.
    Info,
    /// `warning`, and an alert without the label: somebody wrote a rule for it.
    Warning,
    /// `critical`, `page`, `error`, `emergency`, `fatal`.
    Critical,
}

impl Level {
    /// That of an alert with these labels.
    #[must_use]
    pub fn of(labels: &Labels) -> Self {
        match labels.get("severity").map(|s| s.to_ascii_lowercase()).as_deref() {
            Some("critical" | "crit" | "page" | "error" | "emergency" | "fatal" | "disaster" | "high") => {
                Self::Critical
            }
            Some("info" | "information" | "none" | "debug" | "low" | "notice") => Self::Info,
            Some(_) | None => Self::Warning,
        }
    }

    /// Its tone while it fires.
    #[must_use]
    pub fn tone(self) -> Tone {
        match self {
            Self::Critical => Tone::Critical,
            Self::Warning => Tone::Warning,
            Self::Info => Tone::Notice,
        }
    }
}

/// Where a row stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Standing {
    /// It fires.
    Firing,
    /// Its condition holds, `for` is not over.
    Pending,
    /// Nobody can see whether it holds: what it was last, and why.
    Unknown {
        /// What it was when it was last seen; none where it was quiet, or never seen.
        was: Option<State>,
        /// Why.
        why: ProbeError,
        /// Since when.
        since: Timestamp,
    },
    /// The rule is evaluated, and there is something else than a quiet value behind it.
    Odd(String),
    /// It fired, and is over.
    Resolved,
}

/// Who evaluates an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// This console.
    Ours,
    /// Prometheus alone.
    Prometheus,
    /// Both, with the same name and labels.
    Both,
}

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The alert's name.
    pub name: String,
    /// Its labels; only the rule's own where there is no alert.
    pub labels: Labels,
    /// Its annotations.
    pub annotations: Labels,
    /// Annotations that are shown as they were written.
    pub verbatim: Vec<String>,
    /// How bad it is.
    pub level: Level,
    /// Where it stands.
    pub standing: Standing,
    /// Its value, where there is one.
    pub value: Option<Number>,
    /// Since when the condition holds.
    pub active_at: Option<Timestamp>,
    /// True where it may have held for longer.
    pub since_we_look: bool,
    /// Since when it fires, or when it was resolved.
    pub turned_at: Option<Timestamp>,
    /// `for` in seconds.
    pub hold_s: f64,
    /// Since when it only fires on because of `keep_firing_for`.
    pub kept_since: Option<Timestamp>,
    /// Who evaluates it.
    pub side: Side,
    /// The silence that covers it.
    pub silenced: Option<Silence>,
    /// True where it was acknowledged in this console.
    pub acknowledged: bool,
    /// The group and rule of ours.
    pub rule: Option<(usize, usize)>,
    /// What it went through.
    pub changes: Vec<(Timestamp, State)>,
}

impl Row {
    /// Where it stands, in a word or two.
    #[must_use]
    pub fn word(&self) -> &str {
        match &self.standing {
            Standing::Firing => "firing",
            Standing::Pending => "pending",
            Standing::Unknown { .. } => "unknown",
            Standing::Odd(what) => what,
            Standing::Resolved => "resolved",
        }
    }

    /// True while it fires, or fired when it was seen last.
    #[must_use]
    pub fn is_burning(&self) -> bool {
        match &self.standing {
            Standing::Firing => true,
            Standing::Unknown { was, .. } => *was == Some(State::Firing),
            Standing::Pending | Standing::Odd(_) | Standing::Resolved => false,
        }
    }

    /// Its value, to be read at a glance: see [`glance`].
    #[must_use]
    pub fn figure(&self) -> Option<String> {
        self.value.map(|value| glance(value.0))
    }
}

pub(super) fn rows(board: &Board) -> Vec<Row> {
    let mut rows = Vec::new();
    for (g, GroupState { group, rules }) in board.groups.iter().enumerate() {
        for (r, (rule, state)) in group.rules.iter().zip(rules).enumerate() {
            for alert in state.alerts.values() {
                rows.push(Row { rule: Some((g, r)), ..of_alert(board, rule, state, alert) });
            }
            if state.alerts.values().all(|a| a.state == State::Resolved)
                && let Some(standing) = odd(state)
            {
                rows.push(Row { rule: Some((g, r)), ..of_rule(rule, standing) });
            }
        }
    }
    for other in board.others.get().map_or(&[][..], |o| &o.alerts) {
        match rows.iter_mut().find(|row| row.labels == other.labels && row.standing != Standing::Resolved) {
            Some(ours) => ours.side = Side::Both,
            None => rows.push(of_other(board, other)),
        }
    }
    rows.sort_by(|a, b| rank(b).cmp(&rank(a)).then_with(|| a.name.cmp(&b.name)).then_with(|| a.labels.cmp(&b.labels)));
    rows
}

pub(super) fn quiet(board: &Board) -> usize {
    let states = board.groups.iter().flat_map(|g| &g.rules);
    states
        .filter(|s| s.seen.is_some() && odd(s).is_none() && s.alerts.values().all(|a| a.state == State::Resolved))
        .count()
}

/// Why a rule without an active alert is not simply quiet.
fn odd(state: &RuleState) -> Option<Standing> {
    if let Some(blind) = &state.blind {
        let was = state.alerts.values().map(|a| a.state).max();
        return Some(Standing::Unknown { was, why: blind.why.clone(), since: blind.since });
    }
    match &state.seen.as_ref()?.0 {
        Seen::NotANumber => Some(Standing::Odd("NaN (no traffic)".to_owned())),
        Seen::NoData => Some(Standing::Odd("no data".to_owned())),
        Seen::Value { .. } | Seen::Condition(_) => None,
    }
}

fn rank(row: &Row) -> (u8, bool, Level) {
    let calm = row.acknowledged || row.silenced.is_some();
    let place = match &row.standing {
        Standing::Firing => 5,
        Standing::Unknown { was: Some(State::Firing), .. } => 4,
        Standing::Pending => 3,
        Standing::Unknown { .. } => 2,
        Standing::Resolved => 1,
        Standing::Odd(_) => 0,
    };
    (place, !calm, row.level)
}

fn of_alert(board: &Board, rule: &AlertRule, state: &RuleState, alert: &Alert) -> Row {
    let standing = match (&state.blind, alert.state) {
        (Some(blind), was @ (State::Firing | State::Pending)) => {
            Standing::Unknown { was: Some(was), why: blind.why.clone(), since: blind.since }
        }
        (None, State::Firing) => Standing::Firing,
        (None, State::Pending) => Standing::Pending,
        (_, State::Resolved) => Standing::Resolved,
    };
    Row {
        name: rule.name.clone(),
        labels: alert.labels.clone(),
        annotations: alert.annotations.clone(),
        verbatim: alert.verbatim.clone(),
        level: Level::of(&alert.labels),
        standing,
        value: Some(alert.value),
        active_at: Some(alert.active_at),
        since_we_look: alert.since_we_look,
        turned_at: alert.resolved_at.or(alert.fired_at),
        hold_s: rule.hold.as_secs_f64(),
        kept_since: alert.kept_since,
        side: Side::Ours,
        silenced: board.silence_of(&alert.labels),
        acknowledged: board.acknowledged.contains(&key(&alert.labels)),
        rule: None,
        changes: alert.changes.clone(),
    }
}

fn of_rule(rule: &AlertRule, standing: Standing) -> Row {
    let mut labels = rule.labels.clone();
    labels.insert("alertname".to_owned(), rule.name.clone());
    Row {
        name: rule.name.clone(),
        level: Level::of(&labels),
        labels,
        annotations: Labels::new(),
        verbatim: Vec::new(),
        standing,
        value: None,
        active_at: None,
        since_we_look: false,
        turned_at: None,
        hold_s: rule.hold.as_secs_f64(),
        kept_since: None,
        side: Side::Ours,
        silenced: None,
        acknowledged: false,
        rule: None,
        changes: Vec::new(),
    }
}

fn of_other(board: &Board, other: &OtherAlert) -> Row {
    let name = other.labels.get("alertname").cloned().unwrap_or_default();
    let rules = board.others.get().map_or(&[][..], |o| &o.rules);
    Row {
        hold_s: rules.iter().find(|r| r.name == name).map_or(0.0, |r| r.hold_s),
        name,
        labels: other.labels.clone(),
        annotations: other.annotations.clone(),
        verbatim: Vec::new(),
        level: Level::of(&other.labels),
        standing: match other.state {
            OtherState::Firing => Standing::Firing,
            OtherState::Pending => Standing::Pending,
        },
        value: other.value,
        active_at: other.active_at,
        since_we_look: false,
        turned_at: None,
        kept_since: None,
        side: Side::Prometheus,
        silenced: board.silence_of(&other.labels),
        acknowledged: board.acknowledged.contains(&key(&other.labels)),
        rule: None,
        changes: Vec::new(),
    }
}
