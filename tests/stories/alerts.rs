//! Alerts on Triage: from quiet to pending, firing, acknowledged and resolved; silenced; unknown.

use pgtriage::app::mode::Mode;
use pgtriage::diagnose::alert::parse;
use pgtriage::diagnose::{Kind, Severity};
use pgtriage::message::Effect;
use pgtriage::model::alert::{Number, Seen};

use crate::stage::{Stage, alerts, charts, hostile};

const CHECKOUT: &str = "CheckoutFails";

/// It has fired for two minutes.
fn firing() -> Stage {
    let mut stage = alerts::stage();
    alerts::only(&mut stage, CHECKOUT, &alerts::holds(4.25, &[("job", "shop")]));
    stage.wait(61);
    alerts::only(&mut stage, CHECKOUT, &alerts::holds(4.25, &[("job", "shop")]));
    stage.wait(120);
    stage
}

/// The lines of the box at the side.
fn side(stage: &mut Stage) -> String {
    let screen = stage.wide();
    let column = |line: &str| line.chars().skip(124).collect::<String>().trim_end().to_owned();
    let lines: Vec<String> = screen.lines().map(column).collect();
    let from = lines.iter().position(|l| l.contains("Alerts ─")).unwrap_or_else(|| panic!("no box\n{screen}"));
    let text: Vec<String> = lines.into_iter().skip(from + 1).take_while(|l| !l.trim().is_empty()).collect();
    text.join("\n")
}

#[test]
fn an_alert_goes_from_quiet_to_pending_to_firing_to_acknowledged_to_resolved() {
    let mut stage = alerts::stage();
    assert!(side(&mut stage).contains("✓ 7 quiet"), "{}", side(&mut stage));
    let holds = alerts::holds(4.25, &[("job", "shop")]);
    alerts::only(&mut stage, CHECKOUT, &holds);
    stage.wait(30);
    let pending = side(&mut stage);
    assert!(pending.contains("◐ CheckoutFails") && pending.contains("pending"), "{pending}");
    assert!(pending.contains("critical · 4.25 · 30s/1m"), "{pending}");
    assert!(pending.contains("✓ 6 quiet"), "{pending}");
    assert_eq!(stage.kinds(), [], "what is pending is no finding yet");

    let mut stage = firing();
    let fires = side(&mut stage);
    assert!(fires.contains("● CheckoutFails") && fires.contains("firing"), "{fires}");
    let finding = stage.finding(Kind::Alert);
    assert_eq!(finding.fact, "alert CheckoutFails fires: 4.25 checkouts failed");
    assert_eq!(finding.severity, Severity::Critical);
    assert_eq!(finding.todo, "runbook: https://runbooks.example/checkout");
    assert!(finding.evidence.contains("value 4.25 · job=shop severity=critical team=shop"), "{}", finding.evidence);
    assert!(stage.wide().contains("A acknowledge"), "{}", stage.wide());

    stage.press("A Enter");
    assert!(stage.last_line().contains("acknowledged in this console, until it is resolved"), "{}", stage.last_line());
    let taken = side(&mut stage);
    assert!(taken.contains("● CheckoutFails") && taken.contains("firing"), "{taken}");
    assert!(taken.contains("acknowledged"), "{taken}");
    let finding = stage.finding(Kind::Alert);
    assert_eq!(finding.severity, Severity::Critical, "nothing is counted lower for it");
    assert!(finding.evidence.starts_with("acknowledged in this console"), "{}", finding.evidence);

    alerts::only(&mut stage, CHECKOUT, &alerts::quiet());
    let over = side(&mut stage);
    assert!(over.contains("✓ CheckoutFails") && over.contains("resolved"), "{over}");
    assert_eq!(stage.kinds(), []);
    alerts::only(&mut stage, CHECKOUT, &holds);
    stage.wait(61);
    alerts::only(&mut stage, CHECKOUT, &holds);
    let again = side(&mut stage);
    assert!(again.contains("firing") && !again.contains("acknowledged"), "{again}");
}

#[test]
fn an_acknowledgement_can_be_taken_back() {
    let mut stage = firing();
    stage.press("A Enter A Enter");
    assert!(stage.last_line().contains("no longer acknowledged"), "{}", stage.last_line());
    assert!(!side(&mut stage).contains("acknowledged"));
}

#[test]
fn enter_opens_the_alert_in_full_and_the_key_acknowledges_it_there() {
    let mut stage = firing();
    stage.press("Enter");
    let screen = stage.wide();
    for words in [
        "alert CheckoutFails",
        "● firing (critical)",
        "4.25",
        "shop.yml, group shop, line 4",
        "checkout_failures > 3",
        "job=shop",
        "team=shop",
        "runbook_url=https://runbooks.example/checkout",
        "not acknowledged (A does",
    ] {
        assert!(screen.contains(words), "{words}\n{screen}");
    }
    assert_eq!(stage.press("Y"), [Effect::Copy("checkout_failures > 3".to_owned())]);
    let copied = stage.press("y");
    assert!(matches!(copied.as_slice(), [Effect::Copy(t)] if t.starts_with("alert CheckoutFails firing 4.25\n")));
    stage.press("A");
    assert!(stage.wide().contains("A takes it back"), "{}", stage.wide());
    stage.press("Esc");
    assert!(matches!(stage.app.mode, Mode::Normal));
    assert!(side(&mut stage).contains("acknowledged"));
}

#[test]
fn all_that_fires_can_be_acknowledged_at_once_from_the_list() {
    let mut stage = alerts::stage();
    let holds = |_: &_| Some(alerts::holds(9.0, &[]));
    alerts::all(&mut stage, holds);
    stage.wait(700);
    alerts::all(&mut stage, holds);
    stage.press("A");
    assert!(stage.wide().contains("acknowledge all 7"), "{}", stage.wide());
    stage.press("Down Enter");
    assert_eq!(side(&mut stage).matches("acknowledged").count(), 7, "{}", side(&mut stage));
}

#[test]
fn in_the_detail_of_an_alert_no_action_falls_on_the_finding_below_it() {
    let mut stage = firing();
    stage.see(crate::stage::locks::pile_up());
    stage.press("g");
    assert!(stage.app.current_session().is_some());
    stage.press("A Enter");
    assert!(stage.wide().contains("alert CheckoutFails"), "{}", stage.wide());
    assert_eq!(stage.press("X"), []);
    assert!(!matches!(stage.app.mode, Mode::Ask(_)));
    assert_eq!(stage.press("v"), []);
    assert!(!matches!(stage.app.mode, Mode::Ask(_)));
}

#[test]
fn whoever_lists_the_alerts_reads_first_and_acknowledges_what_alone_fires_further_down() {
    let mut stage = firing();
    stage.see(crate::stage::locks::pile_up());
    stage.press("g A");
    assert!(stage.wide().contains("acknowledge    CheckoutFails: in this console"), "{}", stage.wide());
    stage.press("Enter");
    assert!(stage.wide().contains("alert CheckoutFails"), "{}", stage.wide());
    assert!(!stage.finding(Kind::Alert).evidence.starts_with("acknowledged"), "nothing was done");
    stage.press("Esc g A G Enter");
    assert!(stage.finding(Kind::Alert).evidence.starts_with("acknowledged"));
}

#[test]
fn the_list_opens_what_no_finding_shows() {
    let mut stage = alerts::stage();
    alerts::only(&mut stage, "QueueGrows", &(Vec::new(), Seen::NoData));
    stage.press("A");
    assert!(stage.wide().contains("no data"), "{}", stage.wide());
    stage.press("Enter");
    let screen = stage.wide();
    assert!(screen.contains("? no data") && screen.contains("queue_length > 100"), "{screen}");
    stage.press("A");
    assert!(stage.last_line().contains("it does not fire now"), "{}", stage.last_line());
}

#[test]
fn a_built_in_alert_is_no_second_finding_beside_that_of_its_theme() {
    let mut stage = alerts::stage();
    let slow = alerts::holds(4.1, &[]);
    alerts::only(&mut stage, "HighLatency", &slow);
    stage.wait(301);
    alerts::only(&mut stage, "HighLatency", &slow);
    assert_eq!(stage.kinds(), [Kind::Alert], "the panel's own figure is fine");
    charts::figures_of(&mut stage, "p95", |_| Some(0.02));
    let finding = stage.finding(Kind::Alert);
    assert!(
        finding.fact.starts_with("alert HighLatency still fires: p95 latency within 5 min is 4.1s; now "),
        "{finding:#?}"
    );
    assert_eq!(finding.severity, Severity::Notice, "it looks back on minutes");
    // It has been well for a moment only.
    charts::figures_of(&mut stage, "p95", |x| Some(if x < 0.95 { 4.1 } else { 0.02 }));
    let finding = stage.finding(Kind::Alert);
    assert!(finding.fact.starts_with("alert HighLatency fires: "), "{finding:#?}");
    assert_eq!(finding.severity, Severity::Warning);
    charts::figures_of(&mut stage, "p95", |_| Some(4.1));
    assert_eq!(stage.kinds(), [Kind::Latency]);
    assert!(side(&mut stage).contains("● HighLatency"), "the box still has it");
}

#[test]
fn the_runbook_of_an_alert_is_the_one_that_its_rule_names() {
    let mut stage = alerts::stage();
    let grows = alerts::holds(2e8, &[]);
    alerts::only(&mut stage, "MemoryUsageIncreasing", &grows);
    stage.wait(16);
    alerts::only(&mut stage, "MemoryUsageIncreasing", &grows);
    assert!(stage.finding(Kind::Alert).todo.contains("memory-pressure"));
    stage.press("r");
    assert!(stage.wide().contains("Memory pressure"), "{}", stage.wide());
    assert!(stage.app.runbook().is_some_and(|book| book.id == "memory-pressure"));
}

#[test]
fn a_silence_says_until_when_and_by_whom() {
    let mut stage = firing();
    alerts::silence(&mut stage, CHECKOUT);
    let silenced = side(&mut stage).replace('\n', " ");
    let silenced = silenced.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(silenced.contains("firing silenced until 04:17"), "{silenced}");
    assert!(silenced.contains("by ann"), "{silenced}");
    assert!(stage.finding(Kind::Alert).evidence.starts_with("silenced by ann until 04:17"));
    stage.press("Enter");
    assert!(stage.wide().contains("by ann: deploying"), "{}", stage.wide());
}

#[test]
fn when_prometheus_is_away_an_alert_that_fired_is_unknown_and_not_over() {
    let mut stage = firing();
    alerts::away(&mut stage);
    stage.wait(12);
    let unknown = side(&mut stage);
    assert!(unknown.contains("? CheckoutFails"), "{unknown}");
    assert_eq!(unknown.matches("unknown").count(), 7, "{unknown}");
    assert!(unknown.contains("fired before"), "{unknown}");
    assert_eq!(unknown.matches("refused").count(), 1, "the reason once: {unknown}");
    assert!(!unknown.contains("quiet"), "{unknown}");
    let fact = &stage.finding(Kind::Alert).fact;
    assert!(fact.starts_with("alert CheckoutFails fired when it was seen last, unknown for 12s: "), "{fact}");
}

#[test]
fn not_a_number_and_no_data_are_said_and_are_not_quiet() {
    let mut stage = alerts::stage();
    alerts::only(&mut stage, "QueueGrows", &(Vec::new(), Seen::NotANumber));
    let nan = side(&mut stage);
    assert!(nan.contains("? QueueGrows") && nan.contains("NaN (no traffic)") && nan.contains("✓ 6 quiet"), "{nan}");
    alerts::only(&mut stage, "QueueGrows", &(Vec::new(), Seen::NoData));
    assert!(side(&mut stage).contains("no data"));
    let mut stage = Stage::with(|setup| setup.alerting.rules = alerts::stage().app.setup.alerting.rules);
    stage.press("1");
    assert_eq!(side(&mut stage), " ? 7 not evaluated yet");
}

#[test]
fn alerts_of_prometheus_stand_beside_ours() {
    let mut stage = firing();
    alerts::others(&mut stage, "DiskFull");
    let both = side(&mut stage);
    assert!(both.contains("● CheckoutFails") && both.contains("● DiskFull"), "{both}");
    assert!(both.contains("Prometheus' own"), "{both}");
    stage.press("j Enter");
    let screen = stage.wide();
    assert!(screen.contains("alert DiskFull") && screen.contains("disk > 7"), "{screen}");
    stage.press("A Esc");
    alerts::others(&mut stage, "DiskFull");
    assert!(side(&mut stage).contains("acknowledged"), "{}", side(&mut stage));
    alerts::others(&mut stage, "Other");
    alerts::others(&mut stage, "DiskFull");
    assert!(!side(&mut stage).contains("acknowledged"), "it was over in between");
}

#[test]
fn without_prometheus_one_line_says_so() {
    let mut stage = Stage::with(|setup| setup.prometheus = None).up().at_peace();
    stage.press("1");
    assert_eq!(side(&mut stage), " no Prometheus is named");
    stage.press("A");
    assert!(stage.last_line().contains("no Prometheus is named"), "{}", stage.last_line());
}

#[test]
fn a_frozen_screen_keeps_its_alerts_and_an_acknowledgement_is_seen_on_it() {
    let mut stage = firing();
    stage.press("Space A Enter");
    assert!(side(&mut stage).contains("acknowledged"));
    alerts::only(&mut stage, CHECKOUT, &alerts::quiet());
    assert!(side(&mut stage).contains("firing"), "it is the past that is shown");
    stage.press("A Enter");
    assert!(stage.last_line().contains("it does not fire now"), "{}", stage.last_line());
}

#[test]
fn an_acknowledged_alert_leaves_the_title_and_comes_back_with_it() {
    let mut stage = alerts::stage();
    alerts::only(&mut stage, CHECKOUT, &alerts::holds(9.0, &[]));
    stage.wait(61);
    alerts::only(&mut stage, CHECKOUT, &alerts::holds(9.0, &[]));
    stage.app.setup.alerting.bell = true;
    let back = stage.press("A Enter A Enter");
    assert!(matches!(back.as_slice(), [Effect::Title(Some(title))] if title.contains(CHECKOUT)), "{back:?}");
    assert_eq!(stage.press("A Enter"), [Effect::Title(None)]);
}

#[test]
fn hostile_labels_and_annotations_are_shown_and_not_obeyed() {
    for text in hostile::TEXTS {
        let mut stage = alerts::stage();
        let sees = alerts::holds(f64::INFINITY, &[("job", text), (text, "x")]);
        alerts::only(&mut stage, "QueueGrows", &sees);
        alerts::others(&mut stage, text);
        alerts::silence(&mut stage, text);
        for keys in ["1", "A", "Esc", "Enter", "Esc j Enter", "A"] {
            stage.press(keys);
            for (width, height) in crate::stage::SIZES {
                let screen = stage.screen(width, height);
                let bad =
                    screen.chars().find(|c| c.is_control() && *c != '\n' || "\u{202e}\u{2066}\u{200f}".contains(*c));
                assert_eq!(bad, None, "{text:?} after {keys}");
            }
        }
    }
    assert_eq!(Number(f64::INFINITY).to_string(), "+Inf");
}

#[test]
fn the_box_shows_values_that_can_be_read_and_the_detail_the_whole_one() {
    for (value, shown) in [(159_900_321.0, "critical · 159.9M · "), (0.885_123, "critical · 0.885 · ")] {
        let mut stage = alerts::stage();
        alerts::only(&mut stage, CHECKOUT, &alerts::holds(value, &[("job", "shop")]));
        stage.wait(30);
        assert!(side(&mut stage).contains(shown), "{}", side(&mut stage));
        alerts::only(&mut stage, CHECKOUT, &alerts::holds(value, &[("job", "shop")]));
        stage.wait(60);
        alerts::only(&mut stage, CHECKOUT, &alerts::holds(value, &[("job", "shop")]));
        stage.press("1 Enter");
        assert!(stage.wide().contains(&format!("{value}")), "{}", stage.wide());
    }
}

#[test]
fn a_rule_with_more_alerts_than_its_group_may_have_is_shown_as_one_that_nobody_can_judge() {
    let name = "QueueGrows";
    let rules = "groups:\n- name: g\n  limit: 1\n  rules:\n  - alert: QueueGrows\n    expr: queue_length > 100\n";
    let mut stage = Stage::with(|setup| setup.alerting.rules = parse(rules, "shop.yml").unwrap()).up().at_peace();
    stage.press("1");
    let one = alerts::holds(120.0, &[("queue", "mail")]);
    stage.pass(15_000);
    alerts::only(&mut stage, name, &one);
    assert!(stage.wide().contains("alert QueueGrows fires"), "{}", stage.wide());
    let mut two = alerts::holds(120.0, &[("queue", "mail")]);
    two.0.extend(alerts::holds(300.0, &[("queue", "bills")]).0);
    stage.pass(15_000);
    alerts::only(&mut stage, name, &two);
    let screen = stage.wide();
    assert!(!screen.contains("alert QueueGrows fires"), "{screen}");
    let row = stage.app.alerts().rows().into_iter().find(|row| row.name == name).unwrap();
    assert_eq!((row.word(), row.labels.contains_key("queue")), ("unknown", false));
    assert!(screen.contains("exceeded limit of 1"), "{screen}");
    stage.pass(15_000);
    alerts::only(&mut stage, name, &one);
    assert!(stage.wide().contains("alert QueueGrows fires"), "{}", stage.wide());
    stage.press("Enter");
    assert!(stage.wide().contains("no interval: looked at every 15s here"), "{}", stage.wide());
}

#[test]
fn an_alert_that_fires_again_is_told_since_then() {
    let rules = "groups:\n- name: g\n  rules:\n  - alert: QueueGrows\n    expr: queue_length > 100\n";
    let mut stage = Stage::with(|setup| setup.alerting.rules = parse(rules, "shop.yml").unwrap()).up().at_peace();
    stage.press("1");
    let look = |stage: &mut Stage, sees| {
        stage.wait(10);
        alerts::only(stage, "QueueGrows", &sees);
    };
    look(&mut stage, alerts::holds(120.0, &[]));
    look(&mut stage, alerts::holds(120.0, &[]));
    let first = stage.finding(Kind::Alert).since;
    look(&mut stage, alerts::quiet());
    assert!(!stage.kinds().contains(&Kind::Alert));
    stage.wait(10);
    look(&mut stage, alerts::holds(120.0, &[]));
    stage.wait(2);
    let again = stage.finding(Kind::Alert).since;
    assert!(again > first, "{again:?} {first:?}");
}
