//! A server that crashes, and one that is started anew, while a probe looks. It must not test sentences.
use super::asking::{Asking, client, primary};
use crate::stage::Stage;
use pgtriage::diagnose::Kind;
use pgtriage::message::Event;
use pgtriage::model::Question;
use pgtriage::model::restart::Cause;
use pgtriage::probe::Report;
use rustix::process::{Pid, Signal, kill_process};
use std::time::Instant;

/// Takes in what the probe reports until that is so.
async fn until(asking: &mut Asking, stage: &mut Stage, good: impl Fn(&Stage) -> bool) {
    let began = Instant::now();
    while !good(stage) {
        match asking.report().await {
            Report::Sample(sample) => stage.event(Event::Sample(sample)),
            Report::Link(link) => stage.event(Event::Link(link)),
        }
        assert!(began.elapsed() < super::activity::PATIENCE, "{:#?}", stage.app.live().life);
    }
}

fn cause(stage: &Stage) -> Option<Cause> {
    let life = &stage.app.live().life;
    assert_eq!(life.restart().is_some(), stage.kinds().contains(&Kind::Restarted), "{life:?}");
    life.restart().map(|r| r.cause)
}

/// Looks so often that what is new would have been seen.
async fn looks(asking: &mut Asking, stage: &mut Stage) {
    let seen = |stage: &Stage| stage.app.live().sessions.value.as_ref().map(|(_, at)| *at);
    for _ in 0..3 {
        let before = seen(stage);
        until(asking, stage, |stage| seen(stage) != before).await;
    }
}

async fn begins_anew(major: u32) {
    let Some(mut lab) = primary(major) else { return };
    let mut asking = Asking::of(&lab.uri("monitor"), &[Question::Server, Question::Sessions]);
    let mut stage = Stage::new();
    looks(&mut asking, &mut stage).await;
    assert_eq!(cause(&stage), None, "{major}: the server of the lab is seconds old");

    let victim = client(&lab.uri("shop_api")).await;
    let pid: i32 = victim.query_one("SELECT pg_backend_pid()", &[]).await.expect("a pid").get(0);
    kill_process(Pid::from_raw(pid).expect("a pid"), Signal::KILL).expect("our own server");
    until(&mut asking, &mut stage, |stage| cause(stage).is_some()).await;
    looks(&mut asking, &mut stage).await;
    assert_eq!(cause(&stage), Some(Cause::Crash), "{major}");
    eprintln!("{major}: {}", stage.finding(Kind::Restarted).fact);

    lab.command("stop-primary immediate");
    lab.command("start-primary");
    until(&mut asking, &mut stage, |stage| cause(stage) == Some(Cause::Start)).await;
    looks(&mut asking, &mut stage).await;
    assert_eq!(cause(&stage), Some(Cause::Start), "{major}");
    eprintln!("{major}: {}", stage.finding(Kind::Restarted).fact);
}

#[tokio::test]
async fn a_crash_and_a_start_are_told_apart_on_13() {
    begins_anew(13).await;
}

#[tokio::test]
async fn a_crash_and_a_start_are_told_apart_on_15() {
    begins_anew(15).await;
}

#[tokio::test]
async fn a_crash_and_a_start_are_told_apart_on_18() {
    begins_anew(18).await;
}
