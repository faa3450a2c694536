use super::{Board, Level, Side, Standing};
use crate::diagnose::alert::parse;
use crate::diagnose::alert::state::State;
use crate::model::alert::{
    GroupAnswer, Labels, Look, Matcher, Number, OtherAlert, OtherState, Others, RuleAnswer, Seen, Series, Silence,
};
use crate::model::{ProbeError, Timestamp};

const RULES: &str = "groups:
- name: g
  rules:
  - {alert: Slow, expr: x > 1, for: 1m, labels: {severity: warning}}
  - {alert: Down, expr: up == 0, labels: {severity: critical}}
";

fn board() -> Board {
    Board::new(parse(RULES, "t.yml").unwrap())
}

fn at(s: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + s).unwrap()
}

/// One answer: whether each rule's condition holds.
fn answer(s: i64, slow: bool, down: bool) -> GroupAnswer {
    let one = |holds: bool| {
        let holding = if holds { vec![Series { labels: Labels::new(), value: Number(3.0) }] } else { Vec::new() };
        let seen = Seen::Value { nearest: Number(3.0), series: 1 };
        let now = Look { at: at(s), holding, seen };
        Ok(RuleAnswer { source: Some(0), past: Vec::new(), known_from: None, now, refused: Vec::new() })
    };
    GroupAnswer { rules: vec![one(slow), one(down)] }
}

fn labels(name: &str, severity: &str) -> Labels {
    Labels::from([("alertname".into(), name.into()), ("severity".into(), severity.into())])
}

fn other(name: &str, severity: &str, state: OtherState) -> OtherAlert {
    OtherAlert { labels: labels(name, severity), annotations: Labels::new(), state, active_at: None, value: None }
}

#[test]
fn what_fires_stands_above_what_is_pending_and_the_quiet_are_counted() {
    let mut board = board();
    assert_eq!((board.rows().len(), board.quiet()), (0, 0), "what was never asked is not quiet");
    board.take("t.yml;g", &Ok(answer(0, false, false)), at(0));
    assert_eq!((board.rows().len(), board.quiet()), (0, 2));
    let news = board.take("t.yml;g", &Ok(answer(15, true, true)), at(15));
    assert_eq!(news, ["Down"]);
    let rows = board.rows();
    assert_eq!(
        rows.iter().map(|r| (r.name.as_str(), &r.standing)).collect::<Vec<_>>(),
        [("Down", &Standing::Firing), ("Slow", &Standing::Pending)]
    );
    assert_eq!((board.quiet(), board.burning()), (0, vec!["Down".to_owned()]));
    assert_eq!(board.take("t.yml;g", &Ok(answer(30, true, true)), at(30)), Vec::<String>::new(), "told once");
}

#[test]
fn a_rule_that_cannot_be_evaluated_is_unknown_and_keeps_what_it_was() {
    let mut board = board();
    board.take("t.yml;g", &Ok(answer(0, true, false)), at(0));
    board.take("t.yml;g", &Err(ProbeError::Unreachable("refused".into())), at(15));
    let was: Vec<_> = board
        .rows()
        .into_iter()
        .map(|r| match r.standing.clone() {
            Standing::Unknown { was, since, .. } => (r.name, was, since),
            Standing::Firing | Standing::Pending | Standing::Odd(_) | Standing::Resolved => panic!("{r:?}"),
        })
        .collect();
    assert_eq!(was, [("Down".into(), None, at(15)), ("Slow".into(), Some(State::Pending), at(15))]);
    assert_eq!(board.quiet(), 0);
    board.take("t.yml;g", &Ok(answer(60, true, false)), at(60));
    assert_eq!(board.rows()[0].standing, Standing::Firing, "the clock of `for` went on");
}

#[test]
fn an_alert_that_prometheus_evaluates_too_is_one_row() {
    let mut board = board();
    board.take("t.yml;g", &Ok(answer(0, false, true)), at(0));
    let alerts = vec![other("Down", "critical", OtherState::Firing), other("Other", "critical", OtherState::Firing)];
    let news = board.take_others(Ok(Others { alerts: alerts.clone(), rules: Vec::new() }), at(1));
    assert_eq!(news, ["Other"], "ours was told already");
    let sides: Vec<_> = board.rows().into_iter().map(|r| (r.name, r.side)).collect();
    assert_eq!(sides, [("Down".into(), Side::Both), ("Other".into(), Side::Prometheus)]);
    assert_eq!(board.take_others(Ok(Others { alerts, rules: Vec::new() }), at(2)), Vec::<String>::new());
}

#[test]
fn what_is_acknowledged_or_silenced_still_fires_below_the_rest_until_it_is_over() {
    let mut board = board();
    board.take("t.yml;g", &Ok(answer(0, true, true)), at(0));
    board.take("t.yml;g", &Ok(answer(60, true, true)), at(60));
    assert!(board.acknowledge(&labels("Down", "critical")));
    let rows = board.rows();
    assert_eq!(rows.iter().map(|r| r.name.as_str()).collect::<Vec<_>>(), ["Slow", "Down"]);
    assert_eq!((rows[1].level, rows[1].acknowledged), (Level::Critical, true), "it is no less critical for that");
    assert_eq!(board.burning(), Vec::<String>::new());
    // Resolved and back: whoever acknowledged the first did not see the second.
    board.take("t.yml;g", &Ok(answer(75, true, false)), at(75));
    assert_eq!(board.take("t.yml;g", &Ok(answer(90, true, true)), at(90)), ["Down"]);
    assert_eq!(board.burning(), ["Down"]);
    let silence = Silence {
        id: "1".into(),
        matchers: vec![Matcher { name: "alertname".into(), value: "Down".into(), regex: false, equal: true }],
        until: Some(at(1000)),
        by: "ann".into(),
        comment: "known".into(),
    };
    board.silences.take(Ok(vec![silence]), at(91));
    assert_eq!(board.burning(), Vec::<String>::new());
    assert_eq!(board.rows()[1].silenced.as_ref().unwrap().by, "ann");
}

#[test]
fn no_data_and_nan_are_said_and_are_not_quiet() {
    let mut board = board();
    let look = |seen| {
        let now = Look { at: at(0), holding: Vec::new(), seen };
        Ok(RuleAnswer { source: None, past: Vec::new(), known_from: None, now, refused: Vec::new() })
    };
    let answer = GroupAnswer { rules: vec![look(Seen::NotANumber), look(Seen::NoData)] };
    board.take("t.yml;g", &Ok(answer), at(0));
    let said: Vec<_> = board.rows().into_iter().map(|r| (r.name, r.standing)).collect();
    assert_eq!(
        said,
        [("Down".into(), Standing::Odd("no data".into())), ("Slow".into(), Standing::Odd("NaN (no traffic)".into()))]
    );
    assert_eq!(board.quiet(), 0);
}

#[test]
fn the_level_comes_from_the_severity_that_people_really_write() {
    let of = |s: &str| Level::of(&labels("A", s));
    assert_eq!(
        [of("critical"), of("Page"), of("warning"), of("info"), of("P2")],
        [Level::Critical, Level::Critical, Level::Warning, Level::Info, Level::Warning]
    );
    assert_eq!(Level::of(&Labels::new()), Level::Warning);
}
