//! The CONNECTION LIMIT of a role or a database is reached while the server has room for others.

use pgtriage::app::part::Part as List;
use pgtriage::command::{Command, Tab};
use pgtriage::diagnose::{Kind, Severity};
use pgtriage::message::Effect;
use pgtriage::model::activity::{Holder, Limited};
use pgtriage::model::session::{Ours, Session};

use super::findings::{limit_of, limited, sessions, with_limits};
use crate::stage::{Stage, locks};

fn of_role(user: &str, count: i32) -> Vec<Session> {
    (0..count).map(|i| Session { user: Some(user.into()), ..locks::idle(6_000 + i, f64::from(i) * 10.0) }).collect()
}

/// What is said of these limits where `reporting` has so many connections.
fn reporting(limits: Vec<Limited>, count: i32) -> Stage {
    let mut stage = Stage::calm();
    with_limits(&mut stage, limits);
    sessions(&mut stage, of_role("reporting", count));
    stage
}

#[test]
fn enter_lists_the_idle_sessions_of_the_role_and_the_sql_that_raises_its_limit_can_be_copied() {
    let mut stage = reporting(vec![limit_of(Holder::Role, "reporting", 20)], 20);
    let finding = stage.finding(Kind::ConnectionLimit).clone();
    assert!(finding.evidence.contains("20 idle, the longest idle 3m"), "{}", finding.evidence);
    assert_eq!(finding.action, Some(Command::TerminateBackend));
    let sql = "ALTER ROLE \"reporting\" CONNECTION LIMIT 30;";
    assert_eq!(finding.remedy.as_deref(), Some(sql));
    assert_eq!(stage.press("1 Y"), [Effect::Copy(sql.to_owned())]);
    stage.press("Enter");
    assert_eq!((stage.app.tab, stage.app.part), (Tab::Connections, List::Tables));
    assert_eq!(stage.app.connections.len(), 20, "{}", stage.wide());
}

#[test]
fn what_is_left_and_whose_limit_it_is_decide_how_bad_it_is() {
    let severity = |limit: i64, count: i32| {
        let stage = reporting(vec![limit_of(Holder::Role, "reporting", limit)], count);
        let found = stage.app.triage.diagnosis.findings.iter().find(|f| f.kind() == Kind::ConnectionLimit);
        found.map(|f| f.severity)
    };
    assert_eq!(severity(20, 15), None);
    assert_eq!(severity(20, 16), Some(Severity::Warning));
    assert_eq!(severity(20, 20), Some(Severity::Critical));
    assert_eq!(severity(20, 25), Some(Severity::Critical), "it was lowered under those who are in");
    assert_eq!(severity(1, 1), Some(Severity::Notice), "a job that must not run twice");
    assert_eq!(severity(0, 2), Some(Severity::Notice));
    assert_eq!(severity(0, 0), None, "shut, and nobody is in");
}

#[test]
fn a_database_is_filled_by_all_roles_and_by_our_own_connections() {
    let mut stage = Stage::calm();
    with_limits(&mut stage, vec![limit_of(Holder::Database, "we\"ird", 12), limit_of(Holder::Role, "oncall", 2)]);
    let there = |s: Session| Session { database: Some("we\"ird".into()), ..s };
    let mut seen = locks::calm_but(of_role("reporting", 6).into_iter().map(there).collect());
    seen.rows.extend((0..4).map(|i| there(locks::session(7_000 + i, 1.0, "SELECT 1"))));
    let ours = |database: &str| Ours { user: Some("oncall".into()), database: Some(database.into()) };
    seen.ours = vec![ours("shop"), ours("we\"ird")];
    stage.see(seen);
    let finding = stage.finding(Kind::ConnectionLimit);
    let fact = "database we\"ird: 11 of its 12 connections are taken (CONNECTION LIMIT)";
    assert_eq!((finding.fact.as_str(), finding.severity), (fact, Severity::Warning));
    assert!(finding.evidence.ends_with("· 1 ours"), "{}", finding.evidence);
    assert_eq!(finding.remedy.as_deref(), Some("ALTER DATABASE \"we\"\"ird\" CONNECTION LIMIT 18;"));
    let of_this_kind = stage.kinds().iter().filter(|k| **k == Kind::ConnectionLimit).count();
    assert_eq!(of_this_kind, 1, "a role that only we have");
}

#[test]
fn of_many_limits_the_worst_are_told_and_the_rest_is_counted() {
    let mut stage = Stage::calm();
    let name = |i: i32| format!("tenant_{i}");
    with_limits(&mut stage, (0..8).map(|i| limit_of(Holder::Role, &name(i), 10)).collect());
    let rows = (0..8).flat_map(|i| {
        let tenant = move |n| Session { pid: 8_000 + i * 100 + n, ..locks::idle(1, 5.0) };
        (0..10).map(move |n| Session { user: Some(name(i).as_str().into()), ..tenant(n) })
    });
    sessions(&mut stage, rows.collect());
    let told: Vec<_> =
        stage.app.triage.diagnosis.findings.iter().filter(|f| f.kind() == Kind::ConnectionLimit).collect();
    assert_eq!(told.len(), 5);
    assert_eq!(told.iter().filter(|f| f.fact.ends_with(" (and 3 more like it)")).count(), 1, "{told:#?}");
}

#[test]
fn a_name_that_is_a_guess_is_in_no_sql() {
    let mut stage = Stage::calm();
    limited(&mut stage);
    let guess = Limited { exact: false, ..limit_of(Holder::Role, "shop", 10) };
    with_limits(&mut stage, vec![guess]);
    let finding = stage.finding(Kind::ConnectionLimit);
    assert_eq!(finding.remedy, None);
    assert!(finding.todo.contains("or raise it"), "{}", finding.todo);
}

#[test]
fn where_states_are_hidden_nobody_is_called_idle_or_not() {
    let mut stage = Stage::calm();
    with_limits(&mut stage, vec![limit_of(Holder::Role, "reporting", 10)]);
    let hidden = |s: Session| Session { hidden: true, backend_type: None, state: None, application: "".into(), ..s };
    sessions(&mut stage, of_role("reporting", 10).into_iter().map(hidden).collect());
    let finding = stage.finding(Kind::ConnectionLimit);
    assert_eq!(finding.evidence, "most by role reporting: 10 sessions · who is idle is hidden");
    assert!(finding.todo.starts_with("end what runs for nobody, or copy the SQL"), "{}", finding.todo);
    assert_eq!(finding.action, None);
}
