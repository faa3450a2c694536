//! Alerts that fire, as findings: those of a rule whose theme has found the same already are left out.
//!
//! Acknowledged or silenced, an alert is a finding all the same, and says so: it does the same harm.

use super::alert::board::{Board, Level, Row, Side, Standing};
use super::alert::builtin::ORIGIN;
use super::finding::{Finding, Harm, Kind, Severity, Target};
use super::rule::Look;
use super::service;
use crate::command::Command;
use crate::model::unit::Age;
use crate::model::{ServerText, seconds_between};

/// Characters of a text of a rule that a line needs.
const HEAD: usize = 160;

/// Seconds for which a figure has to be within its limits to be well again.
const WELL_S: f64 = 60.0;

/// Labels that a line of evidence names at most; the detail has all.
const MOST_LABELS: usize = 6;

/// Alerts that fire, or fired when they were seen last.
pub fn burning(look: &Look<'_>) -> Vec<Finding> {
    let rows = look.alerts.rows().into_iter().filter(Row::is_burning);
    rows.filter(|row| !is_found(look, row)).map(|row| finding(look, &row)).collect()
}

/// A theme's rule.
type Theme = fn(&Look<'_>) -> Vec<Finding>;

/// What the theme of each built-in rule finds, and the panel with its figure of now.
const THEMES: [(&str, Theme, Option<&str>); 5] = [
    ("HighErrorRate", service::errors, Some("error-ratio")),
    ("DBConnectionPoolExhausted", service::pool, None),
    ("HighLatency", service::latency, Some("p95")),
    ("LowCacheHitRate", service::hit_ratio, Some("cache-hit-ratio")),
    ("MemoryUsageIncreasing", service::memory, None),
];

/// The theme that a built-in rule belongs to.
fn theme(look: &Look<'_>, row: &Row) -> Option<(Theme, Option<&'static str>)> {
    let (group, rule, _) = look.alerts.rule_of(row)?;
    let found = THEMES.iter().find(|(name, ..)| *name == rule.name)?;
    (group.origin == ORIGIN).then_some((found.1, found.2))
}

/// True where the theme that a built-in rule belongs to has found the same.
fn is_found(look: &Look<'_>, row: &Row) -> bool {
    theme(look, row).is_some_and(|(find, _)| !find(look).is_empty())
}

/// The figure of now, where that has been well for a while: the rule looks back on minutes, and fires until they are over.
fn well_again(look: &Look<'_>, row: &Row) -> Option<String> {
    let panel = service::read(look, theme(look, row)?.1?)?;
    panel.is_well_for(WELL_S).then(|| panel.text())
}

fn finding(look: &Look<'_>, row: &Row) -> Finding {
    let name = ServerText::from(row.name.as_str()).head(60);
    let said = ["summary", "description", "message"].iter().find_map(|key| row.annotations.get(*key));
    let said = said.map_or_else(String::new, |text| format!(": {}", ServerText::from(text.as_str()).head(HEAD)));
    // Of one that is unknown nobody knows that it is going out.
    let known = !matches!(row.standing, Standing::Unknown { .. });
    let again = well_again(look, row).filter(|_| known);
    let fact = if let Standing::Unknown { why, since, .. } = &row.standing {
        let long = Age(seconds_between(*since, look.now)).short();
        let why = ServerText::new(why.to_string()).head(HEAD);
        format!("alert {name} fired when it was seen last, unknown for {long}: {why}")
    } else if let Some(figure) = &again {
        format!("alert {name} still fires{said}; now {figure}")
    } else {
        format!("alert {name} fires{said}")
    };
    let seen = look.alerts.seen(row).unwrap_or(look.now);
    // Labels tell one alert from another; their order is that of their names.
    let subject = row.labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect::<Vec<_>>().join(",");
    Finding {
        severity: match row.level {
            _ if again.is_some() => Severity::Notice,
            Level::Critical => Severity::Critical,
            Level::Warning => Severity::Warning,
            Level::Info => Severity::Notice,
        },
        fact,
        evidence: evidence(look.alerts, row),
        todo: todo(row),
        since: row.turned_at.or(row.active_at),
        // Whom it hits is not known; that it was worth a rule is.
        harm: Harm { now: 0.0, coming: 0.5 },
        action: (!row.acknowledged).then_some(Command::Acknowledge),
        ..Finding::of(Kind::Alert, subject, seen, Target::Alert(row.labels.clone()))
    }
}

fn evidence(board: &Board, row: &Row) -> String {
    let mut said = Vec::new();
    if row.acknowledged {
        said.push("acknowledged in this console".to_owned());
    }
    if let Some(silence) = &row.silenced {
        let until = silence.until.map_or_else(String::new, |at| at.strftime(" until %H:%M:%SZ").to_string());
        said.push(format!("silenced by {}{until}", ServerText::from(silence.by.as_str()).head(30)));
    }
    said.extend(row.figure().map(|figure| format!("value {figure}")));
    let labels: Vec<String> = row
        .labels
        .iter()
        .filter(|(name, _)| *name != "alertname")
        .take(MOST_LABELS)
        .map(|(name, value)| ServerText::new(format!("{name}={value}")).head(60))
        .collect();
    said.push(labels.join(" "));
    said.push(match (row.side, board.rule_of(row)) {
        (Side::Prometheus, _) => "evaluated by Prometheus".to_owned(),
        (Side::Both, _) => "evaluated here and by Prometheus".to_owned(),
        (Side::Ours, Some((group, ..))) => format!("rule of {}", ServerText::from(group.origin.as_str()).head(60)),
        (Side::Ours, None) => String::new(),
    });
    said.retain(|words| !words.is_empty());
    said.join(" · ")
}

fn todo(row: &Row) -> String {
    let runbook = ["runbook_url", "runbook"].iter().find_map(|key| row.annotations.get(*key));
    match runbook {
        Some(runbook) => format!("runbook: {}", ServerText::from(runbook.as_str()).head(HEAD)),
        None => "Enter shows its expression, labels and annotations".to_owned(),
    }
}
