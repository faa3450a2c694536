//! What testing a rule file came to, as text and as JSON.
//!
//! One evaluation knows no past: a condition that holds makes an alert pending, or fire where there is no `for`.

use std::fmt::Write as _;

use serde_json::{Value, json as object};

use crate::diagnose::alert::board::{Board, GroupState};
use crate::diagnose::alert::state::{Alert, RuleState, State};
use crate::diagnose::alert::{RuleError, format, print};
use crate::model::alert::{AlertRule, Labels, Seen};
use crate::model::unit::counted;
use crate::model::{ProbeError, ServerText};

/// What was found.
#[derive(Debug, Clone)]
pub struct Report {
    /// The file.
    pub file: String,
    /// Faults that the file has; nothing was evaluated then.
    pub faults: Vec<RuleError>,
    /// The rules and their states.
    pub board: Board,
    /// The Prometheus that was asked, and why it gave no answer.
    pub asked: Option<(String, Option<ProbeError>)>,
}

impl Report {
    /// That of a file with faults.
    #[must_use]
    pub fn faulty(file: &str, faults: Vec<RuleError>) -> Self {
        Self { file: file.to_owned(), faults, board: Board::default(), asked: None }
    }

    /// 0: whole and answered; 1: a fault or a refusal; 3: no answer. Where nobody was asked, what does not parse here is
    /// a fault; else the server has said what it thinks of it.
    #[must_use]
    pub fn code(&self) -> u8 {
        let blind = |state: &RuleState| state.blind.is_some();
        let mut states = self.board.groups.iter().flat_map(|g| &g.rules);
        let doubts = self.asked.is_none() && self.rules().any(|(_, rule, _)| rule.doubt.is_some());
        match &self.asked {
            Some((_, Some(_))) => 3,
            _ if !self.faults.is_empty() || doubts || states.any(blind) => 1,
            _ => 0,
        }
    }

    fn rules(&self) -> impl Iterator<Item = (&GroupState, &AlertRule, &RuleState)> {
        self.board.groups.iter().flat_map(|g| g.group.rules.iter().zip(&g.rules).map(move |(r, s)| (g, r, s)))
    }
}

/// One word for where a rule stands after one evaluation.
fn word(rule: &AlertRule, state: &RuleState) -> &'static str {
    let worst = state.alerts.values().map(|a| a.state).max();
    match (state.blind.as_ref().map(|b| &b.why), &state.seen, worst) {
        (Some(ProbeError::Refused { .. }), ..) => "refused",
        (Some(ProbeError::Faulty(_)), ..) => "fault",
        (Some(_), ..) => "unknown",
        (None, None, _) if rule.doubt.is_some() => "not read",
        (None, None, _) => "not evaluated",
        (None, Some(_), Some(State::Firing)) => "firing",
        (None, Some(_), Some(State::Pending)) => "pending",
        (None, Some((Seen::NoData, _)), _) => "no data",
        (None, Some((Seen::NotANumber, _)), _) => "NaN",
        (None, Some(_), _) => "quiet",
    }
}

/// As text, for people.
#[must_use]
pub fn text(report: &Report) -> String {
    let mut out = String::new();
    let shown = |text: &str| ServerText::from(text).escaped();
    for fault in &report.faults {
        let _ = writeln!(out, "{}", shown(&fault.to_string()));
    }
    if !report.faults.is_empty() {
        let _ = writeln!(out, "{}: {}", shown(&report.file), counted(report.faults.len(), "fault"));
        return out;
    }
    let rules = report.rules().count();
    let groups = counted(report.board.groups.len(), "group");
    let _ = write!(out, "{}: {groups}, {}", shown(&report.file), counted(rules, "alerting rule"));
    match &report.asked {
        Some((place, Some(error))) => drop(writeln!(out, "; {place}: {error}")),
        Some((place, None)) => drop(writeln!(out, ", evaluated once by {place}")),
        None => drop(writeln!(out, "; not evaluated (--prometheus URL)")),
    }
    for GroupState { group, rules } in &report.board.groups {
        let _ = writeln!(out, "\n{} ({})", shown(&group.name), print::pace(group));
        for (rule, state) in group.rules.iter().zip(rules) {
            let _ = writeln!(out, "  {:<14} {}{}", word(rule, state), shown(&rule.name), behind(rule, state));
            for alert in state.alerts.values() {
                let labels = alert.labels.iter().filter(|(n, _)| *n != "alertname" && *n != "severity");
                let labels: Vec<String> = labels.map(|(n, v)| shown(&format!("{n}={v}"))).collect();
                let _ = writeln!(out, "    {} {}", format::plain(alert.value.0), labels.join(" "));
                for (name, annotation) in &alert.annotations {
                    let _ = writeln!(out, "      {}: {}", shown(name), shown(annotation));
                }
            }
            for words in why(rule, state) {
                let _ = writeln!(out, "    {}", shown(&words));
            }
        }
        if !group.skipped.is_empty() {
            let names = group.skipped.iter().map(|n| shown(n)).collect::<Vec<_>>().join(", ");
            let _ = writeln!(out, "  recording rules are Prometheus' to run: {names}");
        }
    }
    out
}

/// The value that is behind a quiet rule, and its limit.
fn behind(rule: &AlertRule, state: &RuleState) -> String {
    let watched = rule.sources.get(state.source.unwrap_or(0)).and_then(|s| s.watched.as_ref());
    match (&state.seen, watched) {
        (Some((Seen::Value { nearest, series }, _)), Some(w)) => {
            let of = if *series > 1 { format!(", {series} series") } else { String::new() };
            format!(" ({} {} {}{of})", format::plain(nearest.0), w.comparison.sign(), format::plain(w.limit.0))
        }
        _ => String::new(),
    }
}

fn why(rule: &AlertRule, state: &RuleState) -> Vec<String> {
    let mut words = Vec::new();
    words.extend(state.blind.as_ref().map(|b| b.why.to_string()));
    words.extend(state.refused.iter().cloned());
    words.extend(rule.doubt.as_ref().map(|doubt| match state.seen {
        Some(_) => format!("{doubt}; Prometheus reads it"),
        None => doubt.clone(),
    }));
    words
}

/// As JSON, for programs.
#[must_use]
pub fn json(report: &Report) -> String {
    let faults: Vec<Value> = report.faults.iter().map(|f| object!({"line": f.line, "message": f.message})).collect();
    let groups: Vec<Value> = report
        .board
        .groups
        .iter()
        .map(|g| {
            let rules: Vec<Value> = g.group.rules.iter().zip(&g.rules).map(|(r, s)| of_rule(r, s)).collect();
            object!({
                "name": g.group.name,
                "interval_s": g.group.interval.as_secs_f64(),
                "interval_given": g.group.interval_given,
                "recording_rules": g.group.skipped,
                "rules": rules,
            })
        })
        .collect();
    let prometheus = report
        .asked
        .as_ref()
        .map(|(place, error)| object!({"place": place, "error": error.as_ref().map(ToString::to_string)}));
    let whole = object!({
        "file": report.file,
        "code": report.code(),
        "faults": faults,
        "prometheus": prometheus,
        "groups": groups,
    });
    format!("{whole:#}\n")
}

fn of_rule(rule: &AlertRule, state: &RuleState) -> Value {
    let alerts: Vec<Value> = state.alerts.values().map(of_alert).collect();
    let value = match &state.seen {
        Some((Seen::Value { nearest, .. }, _)) => Some(nearest.to_string()),
        Some((Seen::NotANumber | Seen::NoData | Seen::Condition(_), _)) | None => None,
    };
    object!({
        "alert": rule.name,
        "line": rule.line,
        "expr": print::expr(rule),
        "for_s": rule.hold.as_secs_f64(),
        "state": word(rule, state),
        "value": value,
        "alerts": alerts,
        "why": why(rule, state),
    })
}

fn of_alert(alert: &Alert) -> Value {
    let labels: &Labels = &alert.labels;
    object!({
        "labels": labels,
        "annotations": alert.annotations,
        "verbatim": alert.verbatim,
        "value": alert.value,
        "state": match alert.state {
            State::Pending => "pending",
            State::Firing => "firing",
            State::Resolved => "resolved",
        },
    })
}
