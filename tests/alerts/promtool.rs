//! The same series and the same rules given to `promtool test rules` and, through a real Prometheus, to us: at each
//! instant our pending and firing alerts are written down as expectations, and promtool must find no fault with them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Command;

use pgtriage::diagnose::alert::board::{Board, GroupState};
use pgtriage::diagnose::alert::parse;
use pgtriage::diagnose::alert::state::{Alert, State};
use pgtriage::model::Timestamp;

use super::store::{Given, STEP_S, Store, program};

const RULES: &str = r#"groups:
- name: states
  interval: 15s
  rules:
  - alert: Above
    expr: load > 2
    for: 1m
    labels: {severity: critical}
    annotations:
      plain: '{{ $value }} on {{ $labels.instance }}{{ $labels.nope }}'
      figures: '{{ $value | humanize }} {{ $value | humanize1024 }} {{ $value | humanizeDuration }} {{ $value | humanizePercentage }}'
      printed: '{{ printf "%.2f|%6.1f|%e|%g" $value $value $value $value }} {{ $value | printf "%.0f%%" }}'
      time: '{{ $value | humanizeTimestamp }}'
  - alert: AtOnce
    expr: load{instance="a"} >= 2
  - alert: Kept
    expr: sum by (instance) (load) > 2
    for: 30s
    keep_firing_for: 2m
    labels: {who: '{{ $labels.instance | toUpper }}'}
  - alert: Below
    expr: ratio < 0.7
    for: 45s
  - alert: NotOne
    expr: ratio != 0.5
    for: 45s
  - alert: Gone
    expr: absent(load{instance="b"})
    for: 30s
  - alert: Both
    expr: load > 2 and on (instance) ratio < 0.7
    for: 30s
  - alert: Computed
    expr: rate(load[1m]) * 0 + load > 2 * 2 - 1
"#;

/// Steps that are looked at: half an hour of them.
const STEPS: usize = 120;

fn seconds(step: usize) -> i64 {
    i64::try_from(step).unwrap() * STEP_S
}

/// A walk that rises over the limits and falls below them, stays missing for a while and is NaN for another: every state
/// and every change of it comes up, and no two series are alike.
fn given() -> Vec<Given> {
    let mut seed = 42u64;
    let mut next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(seed >> 33).unwrap()) / f64::from(1u32 << 31)
    };
    let mut walk = |scale: f64, missing: std::ops::Range<usize>, nan: std::ops::Range<usize>| -> Vec<Option<f64>> {
        let mut high = false;
        (0..STEPS)
            .map(|step| {
                if next() < 0.12 {
                    high = !high;
                }
                let value = (if high { 2.0 + next() * 1.5 } else { next() * 2.0 }) * scale;
                // Few digits: both sides read the same text.
                let value = (value * 1000.0).round() / 1000.0;
                if missing.contains(&step) {
                    None
                } else if nan.contains(&step) {
                    Some(f64::NAN)
                } else {
                    Some(value)
                }
            })
            .collect()
    };
    vec![
        Given { name: "load", labels: "instance=\"a\"", values: walk(1.0, 0..0, 50..60) },
        Given { name: "load", labels: "instance=\"b\"", values: walk(1.0, 30..70, 0..0) },
        Given { name: "load", labels: "instance=\"big\"", values: walk(1_048_576.0, 0..2, 90..94) },
        Given { name: "load", labels: "instance=\"late\"", values: walk(0.9, 0..80, 0..0) },
        Given { name: "ratio", labels: "instance=\"a\"", values: walk(0.5, 10..14, 20..28) },
        Given { name: "ratio", labels: "instance=\"b\"", values: walk(0.4, 100..120, 0..0) },
    ]
}

/// promtool's notation: `_` is a sample that is missing.
fn input(given: &[Given]) -> String {
    let mut out = String::new();
    for series in given {
        let values: Vec<String> = series
            .values
            .iter()
            .map(|v| match v {
                None => "_".to_owned(),
                Some(v) if v.is_nan() => "NaN".to_owned(),
                Some(v) => v.to_string(),
            })
            .collect();
        writeln!(out, "  - series: '{}{{{}}}'\n    values: '{}'", series.name, series.labels, values.join(" "))
            .unwrap();
    }
    out
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

fn labels(of: &BTreeMap<String, String>, but: &[&str]) -> String {
    let pairs = of.iter().filter(|(n, _)| !but.contains(&n.as_str()));
    let pairs: Vec<String> = pairs.map(|(n, v)| format!("{n}: {}", quoted(v))).collect();
    format!("{{{}}}", pairs.join(", "))
}

/// What promtool is to expect after that step: the firing alerts of each rule with all their texts, and `ALERTS` and
/// `ALERTS_FOR_STATE` for those that are pending, too.
fn expectations(board: &Board, step: usize, alerts: &mut String, samples: &mut String) {
    let minute = format!("{}s", seconds(step));
    let mut active: Vec<&Alert> = Vec::new();
    for GroupState { group, rules } in &board.groups {
        for (rule, state) in group.rules.iter().zip(rules) {
            assert!(state.blind.is_none(), "{}: {state:?}", rule.name);
            writeln!(alerts, "  - eval_time: {minute}\n    alertname: {}\n    exp_alerts:", rule.name).unwrap();
            for alert in state.alerts.values().filter(|a| a.state == State::Firing) {
                writeln!(alerts, "    - exp_labels: {}", labels(&alert.labels, &["alertname"])).unwrap();
                writeln!(alerts, "      exp_annotations: {}", labels(&alert.annotations, &[])).unwrap();
            }
            active.extend(state.alerts.values().filter(|a| a.state != State::Resolved));
        }
    }
    let series = |alert: &Alert, name: &str, state: &str| {
        let mut pairs: Vec<String> = alert.labels.iter().map(|(n, v)| format!("{n}={}", quoted(v))).collect();
        if !state.is_empty() {
            pairs.push(format!("alertstate=\"{state}\""));
        }
        format!("'{name}{{{}}}'", pairs.join(","))
    };
    writeln!(samples, "  - expr: ALERTS\n    eval_time: {minute}\n    exp_samples:").unwrap();
    for alert in &active {
        let state = if alert.state == State::Firing { "firing" } else { "pending" };
        writeln!(samples, "    - {{labels: {}, value: 1}}", series(alert, "ALERTS", state)).unwrap();
    }
    writeln!(samples, "  - expr: ALERTS_FOR_STATE\n    eval_time: {minute}\n    exp_samples:").unwrap();
    for alert in &active {
        let since = alert.active_at.as_second() - begin();
        writeln!(samples, "    - {{labels: {}, value: {since}}}", series(alert, "ALERTS_FOR_STATE", "")).unwrap();
    }
}

/// The first step, in seconds since the epoch: some hours ago, on a full step.
fn begin() -> i64 {
    static BEGIN: std::sync::OnceLock<i64> = std::sync::OnceLock::new();
    *BEGIN.get_or_init(|| (Timestamp::now().as_second() - 4 * 3600) / 7200 * 7200)
}

struct Verdict {
    whole: bool,
    words: String,
}

fn promtool(folder: &std::path::Path, alerts: &str, samples: &str, given: &[Given]) -> Verdict {
    std::fs::write(folder.join("rules.yml"), RULES).unwrap();
    let test = format!(
        "rule_files: [rules.yml]\nevaluation_interval: 15s\ntests:\n- interval: 15s\n  input_series:\n{}  alert_rule_test:\n{alerts}  promql_expr_test:\n{samples}",
        input(given)
    );
    let file = folder.join("test.yml");
    std::fs::write(&file, test).unwrap();
    let run = Command::new(program("promtool")).args(["test", "rules"]).arg(&file).output().unwrap();
    let words = format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    Verdict { whole: run.status.success(), words }
}

#[tokio::test]
async fn at_every_instant_our_states_are_those_of_promtool() {
    if std::env::var_os("PGTRIAGE_LAB").is_none() {
        eprintln!("SKIPPED: PGTRIAGE_LAB is not set, so promtool was not asked");
        return;
    }
    let given = given();
    let store = Store::of(&given, begin()).await;
    let prometheus = store.client();
    let groups = parse(RULES, "rules.yml").unwrap();
    assert_eq!(
        groups[0].rules.iter().filter(|r| r.sources[0].watched.is_some()).count(),
        6,
        "both ways of asking are used"
    );
    let mut board = Board::new(groups.clone());
    let (mut alerts, mut samples) = (String::new(), String::new());
    let mut seen: BTreeMap<State, usize> = BTreeMap::new();
    for step in 0..STEPS {
        let at = Timestamp::from_second(begin() + seconds(step)).unwrap();
        let answer = prometheus.evaluate(&groups[0], Some(at)).await;
        board.take(&groups[0].key, &answer, at);
        expectations(&board, step, &mut alerts, &mut samples);
        for alert in board.groups[0].rules.iter().flat_map(|r| r.alerts.values()) {
            *seen.entry(alert.state).or_default() += 1;
        }
    }
    assert!(seen.len() == 3 && seen.values().all(|n| *n > 50), "{seen:?}");
    let verdict = promtool(store.folder.path(), &alerts, &samples, &given);
    assert!(verdict.whole, "{}", verdict.words.chars().take(4000).collect::<String>());

    // And it can fail: one alert too few, and one clock too late.
    let (before, after) = alerts.split_once("    - exp_labels").unwrap();
    let rest = after.splitn(3, '\n').nth(2).unwrap();
    let without = format!("{before}{rest}");
    assert!(!promtool(store.folder.path(), &without, &samples, &given).whole);
    let late = samples.replacen("value: 15}", "value: 30}", 1);
    assert_ne!(late, samples);
    assert!(!promtool(store.folder.path(), &alerts, &late, &given).whole);
}

#[test]
fn the_built_in_rules_are_a_file_that_promtool_takes() {
    if std::env::var_os("PGTRIAGE_LAB").is_none() {
        eprintln!("SKIPPED: PGTRIAGE_LAB is not set, so promtool was not asked");
        return;
    }
    let variables = pgtriage::model::panel::Variables {
        job: Some("shop|shop-.*".into()),
        postgres_job: None,
        prefix: "fraiseql".into(),
        pool_max: Some(20),
        window_s: 60,
        host_window_s: 60,
        span_s: 900,
        step_s: 15,
    };
    let groups = pgtriage::diagnose::alert::builtin::builtin(&variables).unwrap();
    let text = pgtriage::diagnose::alert::print::yaml(&groups);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rules.yml");
    std::fs::write(&file, &text).unwrap();
    let run = Command::new(program("promtool")).args(["check", "rules"]).arg(&file).output().unwrap();
    let words = format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success() && words.contains("5 rules found"), "{words}\n{text}");
    // What we print we can read: nothing is lost on the way to another's rule file.
    let again = parse(&text, "rules.yml").unwrap();
    for (ours, read) in groups[0].rules.iter().zip(&again[0].rules) {
        assert_eq!((&ours.name, ours.hold, &ours.labels), (&read.name, read.hold, &read.labels));
        assert_eq!(read.doubt, None);
    }
}

/// Whole and broken ones.
const TEMPLATES: [&str; 50] = [
    "{{ $value | humanise }}",
    "{{ $value ",
    "{{ $value }",
    "{{ }}",
    "a }} b",
    "{{ \"open }}",
    "{{ `open }}",
    "{{ printf '%d' $value }}",
    "{{ 'a' }}",
    "{{ $x }}",
    "{{ $Labels.x }}",
    "{{ $externalLabels.x }} {{ $externalURL }} {{ $ }} {{ . }} {{ .Foo.Bar }}",
    "{{ $value | $value }}",
    "{{ $value | 1 }}",
    "{{ $value | | humanize }}",
    "{{ 1 | humanize }}",
    "{{/* c */}}x{{- /* d */ -}}",
    "{{/* c }}",
    "{{/* c */ }}",
    "{{ query \"up\" | first | value }}",
    "{{ (query \"up\" | first).Labels.x }}",
    "{{ (query \"up\" }}",
    "{{ query \"up\") }}",
    "{{ () }}",
    "{{ range query \"up\" }}{{ .Labels.a }}{{ break }}{{ end }}",
    "{{ range $i, $e := query \"up\" }}{{ $i }}{{ $e.Labels.a }}{{ else }}none{{ end }}",
    "{{ range query \"up\" }}",
    "{{ break }}",
    "{{ end }}",
    "{{ else }}",
    "{{ if $value }}a{{ else }}b{{ else }}c{{ end }}",
    "{{ if $value }}a{{ else if gt $value 1.0 }}b{{ else }}c{{ end }}",
    "{{ if }}a{{ end }}",
    "{{ with $x := 1 }}{{ $x }}{{ end }}",
    "{{ with $x := 1 }}{{ end }}{{ $x }}",
    "{{ $x := 1 }}{{ $x = 2 }}{{ $x }}",
    "{{ define \"a\" }}x{{ end }}{{ template \"a\" $value }}",
    "{{ define \"a\" }}{{ $value }}{{ end }}",
    "{{ block \"a\" $value }}{{ . }}{{ end }}",
    "{{ block \"a\" $value }}{{ $labels }}{{ end }}",
    "{{ tmpl \"a\" 1 }}",
    "{{ $labels.a-b }}",
    "{{ $labels[\"a\"] }}",
    "{{ printf \"%s\", $value }}",
    "{{ reReplaceAll \"\\d\" \"\" $labels.a }}",
    "{{ reReplaceAll \"\\\\d\" \"\" $labels.a }}",
    "{{ 5m }}",
    "{{ -1 }} {{ .5 }} {{ 1e3 }} {{ 0x1F }} {{ 1_000 }}",
    "{{ and 1 (or 2 3) | not | eq true | printf \"%v\" | println | html | js | urlquery | len }}",
    "{{ strvalue . }} {{ args 1 }} {{ safeHtml \"a\" }} {{ match \"a\" \"b\" }} {{ title \"a\" }} {{ graphLink \"a\" }} {{ tableLink \"a\" }} {{ sortByLabel \"a\" (query \"up\") }} {{ stripPort \"a\" }} {{ pathPrefix }} {{ externalURL }} {{ parseDuration \"1h\" }}",
];

#[test]
fn what_is_a_fault_of_a_template_is_one_to_promtool_and_nothing_else_is() {
    if std::env::var_os("PGTRIAGE_LAB").is_none() {
        eprintln!("SKIPPED: PGTRIAGE_LAB is not set, so promtool was not asked");
        return;
    }
    let mut text = "groups:\n- name: a\n  rules:\n".to_owned();
    for (n, template) in TEMPLATES.iter().enumerate() {
        let template = template.replace('\'', "''");
        // The rule's name is in all that either says of it.
        let of = if n % 2 == 0 { "annotations" } else { "labels" };
        writeln!(text, "  - alert: A{n}\n    expr: up\n    {of}: {{a: '{template}'}}").unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rules.yml");
    std::fs::write(&file, &text).unwrap();
    let run = Command::new(program("promtool")).args(["check", "rules"]).arg(&file).output().unwrap();
    let theirs = String::from_utf8_lossy(&run.stderr);
    let ours = parse(&text, "rules.yml").unwrap_err();
    for (n, template) in TEMPLATES.iter().enumerate() {
        let name = format!("\"A{n}\"");
        let told = ours.0.iter().find(|fault| fault.message.starts_with(&name));
        assert_eq!(told.is_some(), theirs.contains(&name), "{template}\nours: {told:?}\npromtool: {theirs}");
        if let Some(fault) = told {
            assert_eq!(fault.line, 6 + 3 * n, "{template}: {fault}");
        }
    }
}

#[test]
fn what_our_reader_refuses_promtool_refuses_and_what_it_takes_promtool_takes() {
    if std::env::var_os("PGTRIAGE_LAB").is_none() {
        eprintln!("SKIPPED: PGTRIAGE_LAB is not set, so promtool was not asked");
        return;
    }
    let rule = |text: &str| format!("groups:\n- name: a\n  rules:\n  - alert: A\n    expr: up\n{text}");
    let folder = tempfile::tempdir().unwrap();
    for text in [
        rule(""),
        rule("    for: 5m\n    keep_firing_for: 1h30m\n"),
        rule("    for: 0\n"),
        rule("    for: 2x\n"),
        rule("    for: 5\n"),
        rule("    severity: critical\n"),
        rule("    alert: B\n"),
        rule("    record: b\n"),
        rule("    labels: {a-b: c}\n"),
        rule("    labels: {__name__: c}\n"),
        rule("    annotations: {'a.b': c}\n"),
        rule("  - record: b\n    expr: up\n    for: 1m\n"),
        rule("  - record: b\n    expr: up\n"),
        rule("- name: a\n"),
        rule("- rules: []\n"),
        rule("  interval: 30s\n  limit: 4\n"),
        rule("  every: 30s\n"),
        rule("  limit: -1\n"),
        rule("  limit: many\n"),
        "groups:\n".to_owned(),
        "alert: A\nexpr: up\n".to_owned(),
        "alert: A\nexpr: up\n\nalert: B\nexpr: up\n".to_owned(),
        "groups: [".to_owned(),
    ] {
        let file = folder.path().join("rules.yml");
        std::fs::write(&file, &text).unwrap();
        let run = Command::new(program("promtool")).args(["check", "rules"]).arg(&file).output().unwrap();
        let ours = parse(&text, "rules.yml");
        let words = String::from_utf8_lossy(&run.stderr);
        assert_eq!(ours.is_ok(), run.status.success(), "{text}\nours: {ours:?}\npromtool: {words}");
    }
}
