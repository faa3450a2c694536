//! Alerts on the stage: a rule file with the built-in rules beside it, and answers of its groups.

use std::time::Duration;

use pgtriage::diagnose::alert::{builtin::builtin, parse};
use pgtriage::model::alert::{
    AlertRule, GroupAnswer, Labels, Look, Matcher, Number, OtherAlert, OtherRule, OtherState, Others, RuleAnswer, Seen,
    Series, Silence,
};
use pgtriage::model::panel::Variables;
use pgtriage::model::{ProbeError, Question, Snapshot};

use super::Stage;

/// A rule with all that one can have, and one without anything.
pub const RULES: &str = "groups:
- name: shop
  rules:
  - alert: CheckoutFails
    expr: checkout_failures > 3
    for: 1m
    labels: {severity: critical, team: shop}
    annotations:
      summary: \"{{ $value }} checkouts failed\"
      runbook_url: https://runbooks.example/checkout
  - alert: QueueGrows
    expr: queue_length > 100
";

/// The rules of the file and the built-in ones, all of which were evaluated and found quiet.
pub fn stage() -> Stage {
    let variables = Variables {
        job: None,
        postgres_job: None,
        prefix: "fraiseql".into(),
        pool_max: Some(50),
        window_s: 300,
        host_window_s: 300,
        span_s: 900,
        step_s: 5,
    };
    let mut stage = Stage::with(|setup| {
        setup.alerting.rules = builtin(&variables).unwrap();
        setup.alerting.rules.extend(parse(RULES, "shop.yml").unwrap());
    });
    stage.pass(1000);
    let mut stage = stage.up().at_peace();
    all(&mut stage, |_| Some(quiet()));
    stage.press("1");
    stage
}

/// What a rule sees that is quiet.
pub fn quiet() -> (Vec<Series>, Seen) {
    (Vec::new(), Seen::Value { nearest: Number(0.0), series: 1 })
}

/// What a rule sees whose condition holds with that value, for one series with these labels.
pub fn holds(value: f64, labels: &[(&str, &str)]) -> (Vec<Series>, Seen) {
    let labels = labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    (vec![Series { labels, value: Number(value) }], Seen::Value { nearest: Number(value), series: 1 })
}

/// Every group is evaluated: what each rule sees; none where it fails.
pub fn all(stage: &mut Stage, looks: impl Fn(&AlertRule) -> Option<(Vec<Series>, Seen)>) {
    for group in stage.app.setup.alerting.rules.clone() {
        let at = stage.now();
        let one = |rule: &AlertRule| match looks(rule) {
            Some((holding, seen)) => {
                let now = Look { at, holding, seen };
                Ok(RuleAnswer { source: Some(0), past: Vec::new(), known_from: None, now, refused: Vec::new() })
            }
            None => Err(ProbeError::Unreachable("connection refused".to_owned())),
        };
        let answer = GroupAnswer { rules: group.rules.iter().map(one).collect() };
        stage.take(Question::Rules { group: group.key }, Ok(Snapshot::Rules(answer)));
    }
}

/// One rule sees that, the others are quiet.
pub fn only(stage: &mut Stage, name: &str, sees: &(Vec<Series>, Seen)) {
    all(stage, |rule| Some(if rule.name == name { sees.clone() } else { quiet() }));
}

/// Prometheus is gone.
pub fn away(stage: &mut Stage) {
    for group in stage.app.setup.alerting.rules.clone() {
        let why = ProbeError::Unreachable("connection refused".to_owned());
        stage.take(Question::Rules { group: group.key }, Err(why));
    }
}

/// Prometheus itself evaluates an alert of that name, which fires.
pub fn others(stage: &mut Stage, name: &str) {
    let labels = Labels::from([("alertname".into(), name.into()), ("severity".into(), "warning".into())]);
    let alert = OtherAlert {
        labels,
        annotations: Labels::new(),
        state: OtherState::Firing,
        active_at: Some(stage.now()),
        value: Some(Number(7.5)),
    };
    let rule = OtherRule { name: name.into(), group: "ops".into(), expr: "disk > 7".into(), hold_s: 0.0, error: None };
    stage.take(Question::OtherAlerts, Ok(Snapshot::OtherAlerts(Others { alerts: vec![alert], rules: vec![rule] })));
}

/// Somebody silenced the alert of that name for an hour.
pub fn silence(stage: &mut Stage, name: &str) {
    let until = stage.now() + Duration::from_secs(3600);
    let silence = Silence {
        id: "1".into(),
        matchers: vec![Matcher { name: "alertname".into(), value: name.into(), regex: false, equal: true }],
        until: Some(until),
        by: "ann".into(),
        comment: "deploying".into(),
    };
    stage.take(Question::Silences, Ok(Snapshot::Silences(vec![silence])));
}
