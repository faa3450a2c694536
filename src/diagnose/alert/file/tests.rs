use std::fmt::Write as _;
use std::time::Duration;

use super::{INTERVAL, parse};
use crate::diagnose::alert::print::{pace, yaml};
use crate::model::alert::Comparison;

const WHOLE: &str = r"
groups:
- name: shop
  interval: 30s
  limit: 10
  labels: {team: shop}
  rules:
  - record: job:errors:rate5m
    expr: sum by (job) (rate(errors_total[5m]))
  - alert: HighErrorRate
    expr: |
      sum(rate(errors_total[5m]))
        / sum(rate(requests_total[5m])) > 0.05
    for: 2m
    keep_firing_for: 1h
    labels:
      severity: critical
      team: core
    annotations:
      summary: '{{ $value | humanizePercentage }} fail'
- name: other
  rules:
";

fn faults(text: &str) -> Vec<String> {
    parse(text, "rules.yml").unwrap_err().0.iter().map(ToString::to_string).collect()
}

fn rule(lines: &[&str]) -> String {
    let mut text = "groups:\n- name: a\n  rules:\n".to_owned();
    for (n, line) in lines.iter().enumerate() {
        writeln!(text, "  {} {line}", if n == 0 { "-" } else { " " }).unwrap();
    }
    text
}

#[test]
fn a_whole_file_is_read_and_its_recording_rules_are_named() {
    let groups = parse(WHOLE, "rules.yml").unwrap();
    let shop = &groups[0];
    assert_eq!((shop.key.as_str(), shop.interval, shop.limit), ("rules.yml;shop", Duration::from_secs(30), Some(10)));
    assert_eq!(shop.skipped, ["job:errors:rate5m"]);
    let rule = &shop.rules[0];
    assert_eq!((rule.name.as_str(), rule.line), ("HighErrorRate", 10));
    assert_eq!((rule.hold, rule.keep), (Duration::from_secs(120), Duration::from_secs(3600)));
    assert_eq!(rule.labels["severity"], "critical");
    assert_eq!(rule.labels["team"], "core", "a rule's own label goes before the group's");
    let watched = rule.sources[0].watched.as_ref().unwrap();
    assert_eq!(watched.comparison, Comparison::Above);
    assert!(watched.expr.ends_with("sum(rate(requests_total[5m]))"));
    assert_eq!((groups[1].interval, groups[1].rules.len()), (INTERVAL, 0));
    assert_eq!((shop.interval_given, groups[1].interval_given), (true, false));
    assert_eq!((pace(shop), pace(&groups[1])), ("every 30s".into(), "no interval: looked at every 15s here".into()));
    let printed = parse(&yaml(&groups), "printed.yml").unwrap();
    assert_eq!((printed[0].interval_given, printed[1].interval_given), (true, false));
    assert_eq!(parse("", "empty.yml").unwrap(), []);
    assert_eq!(parse("groups:\n", "empty.yml").unwrap(), []);
}

#[test]
fn what_prometheus_refuses_is_refused_with_file_and_line() {
    let table: [(&str, &str); 14] = [
        (&rule(&["alert: A", "expr: up", "severity: x"]), "rules.yml:6: field severity not found in a rule"),
        (&rule(&["alert: A", "expr: up", "for: 2x"]), "rules.yml:6: for: not a valid duration string: \"2x\""),
        (&rule(&["alert: A", "expr: up", "for: 5"]), "rules.yml:6: for: not a valid duration string: \"5\""),
        (&rule(&["alert: A"]), "rules.yml:4: \"A\": field 'expr' must be set in rule"),
        (&rule(&["expr: up"]), "rules.yml:4: one of 'record' or 'alert' must be set"),
        (&rule(&["alert: A", "record: b", "expr: up"]), "rules.yml:4: only one of 'record' and 'alert' must be set"),
        (&rule(&["record: b", "expr: up", "for: 5m"]), "rules.yml:4: \"b\": invalid field 'for' in recording rule"),
        (&rule(&["alert: A", "expr: up", "labels: {a-b: c}"]), "rules.yml:6: invalid label name: a-b"),
        (&rule(&["alert: A", "expr: up", "labels: {a: [c]}"]), "rules.yml:6: label a is a text"),
        (
            &rule(&["alert: A", "expr: up", "alert: B"]),
            "rules.yml:6: mapping key \"alert\" already defined at line 4: each rule is a list item (`- alert:`) under `groups:` … `rules:`",
        ),
        ("groups:\n- rules: []\n", "rules.yml:2: Groupname must not be empty"),
        ("groups:\n- name: a\n- name: a\n", "rules.yml:3: groupname: \"a\" is repeated in the same file"),
        (
            "alert: A\nexpr: up\n",
            "rules.yml:1: field alert not found in a rule file: rules stand under `groups:` … `rules:`",
        ),
        ("groups: 3\n", "rules.yml:1: `groups` is a list"),
    ];
    for (text, fault) in table {
        assert_eq!(faults(text)[0], fault, "{text}");
    }
}

#[test]
fn the_guides_snippets_pasted_below_each_other_are_refused_where_they_repeat() {
    let pasted =
        "# High error rate\nalert: HighErrorRate\nexpr: a > 0.05\nfor: 2m\n\n# Pool\nalert: Pool\nexpr: b > 1\n";
    assert!(faults(pasted)[0].starts_with("rules.yml:7: mapping key \"alert\" already defined at line 2"));
}

#[test]
fn all_faults_are_told_at_once() {
    let text = "groups:\n- name: a\n  every: 3s\n  rules:\n  - alert: A\n    expr: up\n    for: x\n  - expr: up\n";
    assert_eq!(faults(text).len(), 3);
    let open = "groups:\n- name: a\n  rules:\n  - alert: A\n    expr: sum(up\n    for: x\n  - expr: up\n";
    let told = faults(open);
    assert_eq!(told.len(), 3, "PromQL that does not parse too, in the order of the lines: {told:#?}");
    assert!(told[0].starts_with("rules.yml:5: \"A\": could not parse expression"), "{told:#?}");
}

#[test]
fn promql_that_we_cannot_read_is_a_doubt_with_its_line_and_the_rule_stays() {
    let groups = parse(&rule(&["alert: A", "expr: sum(", "for: 1m"]), "rules.yml").unwrap();
    let doubt = groups[0].rules[0].doubt.as_deref().unwrap();
    assert!(doubt.starts_with("rules.yml:5: \"A\": could not parse expression: "), "{doubt}");
    assert_eq!(groups[0].rules[0].sources[0].asked(), "sum(");
}

#[test]
fn what_prometheus_refuses_in_a_template_is_refused_on_the_line_of_the_text() {
    let text = rule(&[
        "alert: A",
        "expr: up",
        "labels:",
        "  team: '{{ $labels.team'",
        "annotations:",
        "  summary: '{{ $value | humanise }}'",
        "  runbook: 'https://runbooks/{{ query \"up\" | first | value }}'",
    ]);
    assert_eq!(
        faults(&text),
        [
            "rules.yml:7: \"A\": label \"team\": unclosed action",
            "rules.yml:9: \"A\": annotation \"summary\": function \"humanise\" not defined; did you mean `humanize`?",
        ]
    );
    let recorded = rule(&["record: b", "expr: up", "labels: {a: '{{ $value'}"]);
    assert!(parse(&recorded, "rules.yml").is_ok(), "a recording rule has no templates");
}

#[test]
fn a_limit_of_zero_or_below_is_none() {
    let limit = |text: &str| {
        let text = format!("groups:\n- name: a\n  limit: {text}\n");
        parse(&text, "rules.yml").map(|groups| groups[0].limit).map_err(|e| e.to_string())
    };
    assert_eq!((limit("-1"), limit("0"), limit("3")), (Ok(None), Ok(None), Ok(Some(3))));
    assert_eq!(limit("many"), Err("rules.yml:3: `limit` is a whole number".to_owned()));
}
