//! Rules as a plain Prometheus rule file: what the console evaluates, to be copied to where it can page somebody.
//!
//! Sources become one expression: each without its NaN (`> -Inf`), the first that has anything going before the others.

use std::fmt::Write as _;

use super::duration;
use crate::model::alert::{AlertRule, Labels, RuleGroup};

/// The groups as YAML.
#[must_use]
pub fn yaml(groups: &[RuleGroup]) -> String {
    let mut out = "groups:\n".to_owned();
    for group in groups {
        let _ = writeln!(out, "- name: {}", quoted(&group.name));
        if group.interval_given {
            let _ = writeln!(out, "  interval: {}", duration::shown(group.interval));
        }
        out.push_str("  rules:\n");
        for rule in &group.rules {
            let _ = writeln!(out, "  - alert: {}\n    expr: |-", quoted(&rule.name));
            for line in expr(rule).lines() {
                let _ = writeln!(out, "      {}", line.trim_end());
            }
            let _ = writeln!(out, "    for: {}", duration::shown(rule.hold));
            if !rule.keep.is_zero() {
                let _ = writeln!(out, "    keep_firing_for: {}", duration::shown(rule.keep));
            }
            labels(&mut out, "labels", &rule.labels);
            labels(&mut out, "annotations", &rule.annotations);
        }
    }
    out
}

/// How often a group is looked at, in words.
#[must_use]
pub fn pace(group: &RuleGroup) -> String {
    let every = duration::shown(group.interval);
    if group.interval_given { format!("every {every}") } else { format!("no interval: looked at every {every} here") }
}

/// One expression that fires where the first source with a number would.
#[must_use]
pub fn expr(rule: &AlertRule) -> String {
    let [first, rest @ ..] = rule.sources.as_slice() else { return "vector(0) > 0".to_owned() };
    if rest.is_empty() {
        return first.expr.clone();
    }
    let mut parts = Vec::new();
    let mut better: Vec<String> = Vec::new();
    for source in &rule.sources {
        let Some(watched) = &source.watched else { continue };
        let mut part = format!("({}) {} {}", watched.expr, watched.comparison.sign(), watched.limit);
        if !better.is_empty() {
            part = format!("({part}) unless on () ({})", better.join(" or "));
        }
        parts.push(part);
        better.push(format!("({} > -Inf)", watched.expr));
    }
    parts.join("\nor ")
}

fn labels(out: &mut String, name: &str, labels: &Labels) {
    if labels.is_empty() {
        return;
    }
    let _ = writeln!(out, "    {name}:");
    for (label, value) in labels {
        let _ = writeln!(out, "      {label}: {}", quoted(value));
    }
}

/// A text in YAML's double quotes, whose escapes are JSON's.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}
