use super::{RuleState, State};
use crate::diagnose::alert::parse;
use crate::model::alert::{AlertRule, Labels, Look, Number, RuleAnswer, Seen, Series};
use crate::model::{ProbeError, Timestamp};

fn rule(rest: &str) -> AlertRule {
    let text = format!("groups:\n- name: g\n  rules:\n  - alert: A\n    expr: x > 1\n{rest}");
    parse(&text, "test").unwrap().remove(0).rules.remove(0)
}

fn at(s: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + s).unwrap()
}

fn series(instance: &str, value: f64) -> Series {
    let labels = [("__name__".to_owned(), "x".to_owned()), ("instance".to_owned(), instance.to_owned())];
    Series { labels: Labels::from(labels), value: Number(value) }
}

fn look(s: i64, holding: Vec<Series>) -> Look {
    let seen = Seen::Condition(holding.len());
    Look { at: at(s), holding, seen }
}

fn states(state: &RuleState) -> Vec<(&str, State)> {
    state.alerts.values().map(|a| (a.labels["instance"].as_str(), a.state)).collect()
}

#[test]
fn an_alert_is_pending_until_for_is_over_and_fires_then() {
    let rule = rule("    for: 1m\n");
    let mut state = RuleState::default();
    let mut seen = Vec::new();
    for s in [0, 15, 30, 45, 60, 75] {
        let changes = state.step(&rule, None, &look(s, vec![series("a", 2.0)]));
        seen.push((states(&state)[0].1, changes.len()));
    }
    let (pending, firing) = (State::Pending, State::Firing);
    assert_eq!(seen, [(pending, 1), (pending, 0), (pending, 0), (pending, 0), (firing, 1), (firing, 0)]);
    let alert = state.alerts.values().next().unwrap();
    assert_eq!((alert.active_at, alert.fired_at), (at(0), Some(at(60))));
    assert_eq!(alert.labels.keys().collect::<Vec<_>>(), ["alertname", "instance"]);
}

#[test]
fn one_evaluation_without_the_condition_starts_for_again() {
    let rule = rule("    for: 1m\n");
    let mut state = RuleState::default();
    for (s, holds) in [(0, true), (45, true), (60, false), (75, true), (120, true)] {
        state.step(&rule, None, &look(s, if holds { vec![series("a", 2.0)] } else { Vec::new() }));
    }
    assert_eq!(states(&state), [("a", State::Pending)]);
    state.step(&rule, None, &look(135, vec![series("a", 2.0)]));
    assert_eq!(states(&state), [("a", State::Firing)]);
}

#[test]
fn without_for_an_alert_fires_at_once_and_nobody_hears_of_pending() {
    let mut state = RuleState::default();
    let changes = state.step(&rule(""), None, &look(0, vec![series("a", 2.0)]));
    assert_eq!(changes.iter().map(|c| c.to).collect::<Vec<_>>(), [State::Firing]);
    assert_eq!(state.alerts.values().next().unwrap().changes, [(at(0), State::Firing)]);
}

#[test]
fn what_nobody_could_see_changes_no_state_and_the_clock_of_for_goes_on() {
    let rule = rule("    for: 5m\n");
    let mut state = RuleState::default();
    state.step(&rule, None, &look(0, vec![series("a", 2.0)]));
    let away = ProbeError::Unreachable("refused".into());
    for s in [15, 30, 200] {
        state.fail(&away, at(s));
        assert_eq!(states(&state), [("a", State::Pending)]);
    }
    assert_eq!(state.blind.as_ref().unwrap().since, at(15));
    let changes = state.step(&rule, None, &look(310, vec![series("a", 2.0)]));
    assert_eq!(changes[0].to, State::Firing);
    assert!(state.blind.is_none());
    assert!((state.unseen_s - 310.0).abs() < 1e-9, "and it is said that nobody looked for so long");
}

#[test]
fn a_past_that_is_filled_in_is_taken_before_the_present() {
    let rule = rule("    for: 1m\n");
    let mut state = RuleState::default();
    let hold = |s| look(s, vec![series("a", 2.0)]);
    let answer = RuleAnswer {
        source: Some(0),
        past: vec![look(0, Vec::new()), hold(15), hold(30), hold(75)],
        known_from: Some(at(0)),
        now: hold(90),
        refused: Vec::new(),
    };
    let changes = state.take(&rule, None, &answer);
    assert_eq!(
        changes.iter().map(|c| (c.to, c.past)).collect::<Vec<_>>(),
        [(State::Pending, true), (State::Firing, true)]
    );
    let alert = state.alerts.values().next().unwrap();
    assert_eq!((alert.active_at, alert.fired_at, alert.since_we_look), (at(15), Some(at(75)), false));
    // The same past again changes nothing.
    assert_eq!(state.take(&rule, None, &answer), []);
}

#[test]
fn what_held_at_the_first_look_may_have_held_for_longer() {
    let mut state = RuleState::default();
    state.step(&rule("    for: 1m\n"), None, &look(0, vec![series("a", 2.0)]));
    assert!(state.alerts.values().next().unwrap().since_we_look);
}

#[test]
fn an_alert_fires_on_for_as_long_as_the_rule_says_and_is_resolved_then() {
    let rule = rule("    keep_firing_for: 1m\n");
    let mut state = RuleState::default();
    state.step(&rule, None, &look(0, vec![series("a", 2.0)]));
    for (s, expected) in [(15, State::Firing), (60, State::Firing), (74, State::Firing), (75, State::Resolved)] {
        state.step(&rule, None, &look(s, Vec::new()));
        assert_eq!(states(&state), [("a", expected)], "{s}");
    }
    // The condition comes back within the time: the clock of keep_firing_for is wound up again.
    state.step(&rule, None, &look(90, vec![series("a", 2.0)]));
    state.step(&rule, None, &look(105, Vec::new()));
    state.step(&rule, None, &look(120, vec![series("a", 2.0)]));
    state.step(&rule, None, &look(170, Vec::new()));
    assert_eq!(states(&state), [("a", State::Firing)]);
}

#[test]
fn each_set_of_labels_has_its_own_clock_and_one_that_vanishes_is_resolved_alone() {
    let rule = rule("    for: 30s\n");
    let mut state = RuleState::default();
    state.step(&rule, None, &look(0, vec![series("a", 2.0)]));
    state.step(&rule, None, &look(15, vec![series("a", 2.0), series("b", 3.0)]));
    state.step(&rule, None, &look(30, vec![series("a", 2.0), series("b", 3.0)]));
    assert_eq!(states(&state), [("a", State::Firing), ("b", State::Pending)]);
    state.step(&rule, None, &look(45, vec![series("b", 3.0)]));
    assert_eq!(states(&state), [("a", State::Resolved), ("b", State::Firing)]);
    // Resolved ones are remembered for a quarter of an hour.
    state.step(&rule, None, &look(45 + 900, vec![series("b", 3.0)]));
    assert_eq!(states(&state).len(), 2);
    state.step(&rule, None, &look(46 + 900, vec![series("b", 3.0)]));
    assert_eq!(states(&state), [("b", State::Firing)]);
}

#[test]
fn a_pending_alert_whose_condition_ends_was_none() {
    let mut state = RuleState::default();
    let rule = rule("    for: 30s\n");
    state.step(&rule, None, &look(0, vec![series("a", 2.0)]));
    assert_eq!(state.step(&rule, None, &look(15, Vec::new())), []);
    assert!(state.alerts.is_empty());
}

#[test]
fn labels_that_fall_together_are_a_fault_of_the_rule() {
    let mut state = RuleState::default();
    let twins = rule("    labels: {instance: ''}\n");
    state.step(&twins, None, &look(0, vec![series("a", 2.0), series("b", 2.0)]));
    assert!(fault(&state).contains("same labels"), "{}", fault(&state));
    assert!(state.alerts.is_empty());
    // What fired before stays as it was, since no state changes.
    let mut state = RuleState::default();
    let by_pod = |n: i64| Series { labels: [("pod".to_owned(), n.to_string())].into(), ..series("a", 2.0) };
    let of_a_pod = rule("    labels: {pod: ''}\n");
    state.step(&of_a_pod, None, &look(0, vec![by_pod(1)]));
    state.step(&of_a_pod, None, &look(15, vec![by_pod(1), by_pod(2)]));
    assert!(fault(&state).contains("same labels"), "{}", fault(&state));
    assert_eq!(state.alerts.values().map(|a| a.state).collect::<Vec<_>>(), [State::Firing]);
}

fn fault(state: &RuleState) -> String {
    state.blind.as_ref().map_or_else(String::new, |blind| blind.why.to_string())
}

#[test]
fn beyond_its_groups_limit_a_rule_has_no_alert_and_says_why_until_there_are_fewer() {
    let mut state = RuleState::default();
    let (one, two) = (vec![series("a", 2.0)], vec![series("a", 2.0), series("b", 2.0)]);
    state.step(&rule(""), Some(1), &look(0, one.clone()));
    assert_eq!(states(&state), [("a", State::Firing)]);
    let over = state.step(&rule(""), Some(1), &look(15, two.clone()));
    assert_eq!(fault(&state), "exceeded limit of 1 with 2 alerts");
    assert_eq!(states(&state), []);
    assert!(over.iter().all(|change| change.to == State::Resolved), "nobody hears that they fire: {over:?}");
    state.step(&rule(""), Some(1), &look(30, two));
    assert_eq!(state.blind.as_ref().map(|blind| blind.since), Some(at(15)));
    // One that is kept firing counts as one that holds.
    let kept = rule("    keep_firing_for: 5m\n");
    state.step(&kept, Some(1), &look(45, one.clone()));
    assert_eq!((states(&state), fault(&state)), (vec![("a", State::Firing)], String::new()));
    assert_eq!(state.alerts.values().next().map(|alert| alert.active_at), Some(at(45)));
    state.step(&kept, Some(1), &look(60, vec![series("b", 2.0)]));
    assert_eq!((states(&state), fault(&state).as_str()), (Vec::new(), "exceeded limit of 1 with 2 alerts"));
    // One that is resolved does not.
    state.step(&rule(""), Some(1), &look(75, one));
    state.step(&rule(""), Some(1), &look(90, vec![series("b", 2.0)]));
    assert_eq!(states(&state), [("a", State::Resolved), ("b", State::Firing)]);
    assert_eq!(fault(&state), "");
}

#[test]
fn labels_and_annotations_are_rendered_and_what_is_unknown_is_marked() {
    let mut state = RuleState::default();
    let rule = rule(
        "    labels: {who: '{{ $labels.instance }}'}\n    annotations:\n      a: 'at {{ $value }}'\n      b: '{{ query \"up\" }}'\n",
    );
    state.step(&rule, None, &look(0, vec![series("i", 2.5)]));
    let alert = state.alerts.values().next().unwrap();
    assert_eq!((alert.labels["who"].as_str(), alert.annotations["a"].as_str()), ("i", "at 2.5"));
    assert_eq!(
        (alert.annotations["b"].as_str(), alert.verbatim.as_slice()),
        ("{{ query \"up\" }}", &["b".to_owned()][..])
    );
}
