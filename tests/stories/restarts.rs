//! A server that begins anew while it is looked at, and what is none: the console's start, another server.

use pgtriage::diagnose::{Kind, Severity};
use pgtriage::message::Event;
use pgtriage::model::session::Sessions;
use pgtriage::model::world::{LinkFacts, Tls};
use pgtriage::model::{Link, Question, Snapshot};

use super::findings::restarts;
use crate::stage::{Stage, locks, server};

/// The server's own processes run for so long, since then.
fn running(start: &str, age_s: f64) -> Sessions {
    let mut sessions = locks::calm();
    let checkpointer = sessions.rows.iter_mut().find(|s| s.backend_type.as_deref() == Some("checkpointer"));
    let checkpointer = checkpointer.expect("each server has one");
    (checkpointer.backend_start, checkpointer.backend_s) = (Some(start.to_owned()), Some(age_s));
    sessions
}

fn says(stage: &mut Stage, change: impl FnOnce(&mut pgtriage::model::server::Server)) {
    let mut server = server();
    change(&mut server);
    stage.take(Question::Server, Ok(Snapshot::Server(Box::new(server))));
}

#[test]
fn a_crash_that_leaves_the_postmaster_is_told_by_the_checkpointer() {
    let mut stage = Stage::calm();
    stage.see(running("2025-11-12T01:02:04.000000Z", 1e6));
    stage.wait(20);
    assert_eq!(stage.kinds(), []);
    stage.see(running("2025-11-24T03:14:20.000000Z", 9.0));
    let finding = stage.finding(Kind::Restarted);
    assert!(finding.fact.starts_with("a server process crashed 9.0s ago: all others were ended"), "{}", finding.fact);
    assert_eq!(finding.severity, Severity::Warning);
    let screen = {
        stage.press("1");
        stage.wide()
    };
    assert!(screen.contains("a server process crashed"), "{screen}");
}

#[test]
fn a_start_is_no_crash_whichever_of_the_two_answers_comes_first() {
    for server_first in [true, false] {
        let mut stage = Stage::calm();
        stage.see(running("2025-11-12T01:02:04.000000Z", 1e6));
        stage.wait(20);
        let server = |stage: &mut Stage| {
            says(stage, |s| (s.started, s.uptime_s) = ("2025-11-24 03:14:20+00".to_owned(), 9.0));
        };
        if server_first {
            server(&mut stage);
        }
        stage.see(running("2025-11-24T03:14:20.100000Z", 8.9));
        if !server_first {
            server(&mut stage);
        }
        let finding = stage.finding(Kind::Restarted);
        assert!(finding.fact.starts_with("the server restarted 9.0s ago (it had been up 12d)"), "{}", finding.fact);
        // What crashes later is another story.
        stage.see_again();
        stage.wait(30);
        stage.see(running("2025-11-24T03:14:50.000000Z", 5.0));
        let finding = stage.finding(Kind::Restarted);
        assert!(finding.fact.starts_with("a server process crashed 5.0s ago"), "{}", finding.fact);
    }
}

#[test]
fn a_restart_is_told_for_ten_minutes() {
    let mut stage = Stage::calm();
    restarts(&mut stage);
    let since = stage.finding(Kind::Restarted).since;
    stage.wait(580);
    assert_eq!(stage.finding(Kind::Restarted).since, since);
    stage.wait(20);
    assert!(!stage.kinds().contains(&Kind::Restarted));
}

#[test]
fn neither_the_first_look_nor_another_server_is_a_restart() {
    // A server that had just been started when the console was.
    let mut stage = Stage::new().up();
    says(&mut stage, |s| s.uptime_s = 2.0);
    stage.see(running("2025-11-24T03:14:05.000000Z", 2.0));
    assert!(!stage.kinds().contains(&Kind::Restarted));
    // The same address leads to a server that runs for long.
    let mut stage = Stage::calm();
    stage.see(running("2025-11-12T01:02:04.000000Z", 1e6));
    says(&mut stage, |s| (s.started, s.uptime_s) = ("2025-11-20 03:14:20+00".to_owned(), 345_600.0));
    stage.see(running("2025-11-20T03:14:21.000000Z", 345_599.0));
    assert!(!stage.kinds().contains(&Kind::Restarted));
    // Another cluster, however young.
    says(&mut stage, |s| {
        (s.started, s.uptime_s) = ("2025-11-24 03:14:07+00".to_owned(), 1.0);
        s.system_identifier = Some("8".to_owned());
    });
    assert!(!stage.kinds().contains(&Kind::Restarted));
    // Another of several hosts.
    let mut stage = Stage::calm();
    stage.wait(20);
    let place = "db2:5432".to_owned();
    let facts = LinkFacts { place, tls: Tls::Verified, pooled: false, since: stage.now() };
    stage.event(Event::Link(Link::Up(facts)));
    says(&mut stage, |s| (s.started, s.uptime_s) = ("2025-11-24 03:14:20+00".to_owned(), 9.0));
    assert!(!stage.kinds().contains(&Kind::Restarted));
}
