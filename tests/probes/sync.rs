//! A commit that no standby confirms, on real servers: it is seen as that, and what is said of it before a cancel is what the
//! server then does.
use super::asking::{Asking, client, primary, run};
use crate::lab::{Lab, SERVERS};
use crate::stage::Stage;
use pgtriage::diagnose::Kind;
use pgtriage::guard::{Verdict, Write, judge};
use pgtriage::message::Event;
use pgtriage::model::Question;
use pgtriage::probe::Report;
use std::time::Instant;
use tokio_postgres::error::SqlState;

async fn unconfirmed(major: u32) {
    let Some(lab) = primary(major) else { return };
    let admin = client(&lab.uri("postgres")).await;
    run(&admin, "CREATE TABLE written (n int); GRANT INSERT ON written TO PUBLIC").await;
    run(&admin, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'").await;
    run(&admin, "SELECT pg_reload_conf()").await;
    let writer = client(&lab.uri("shop_api")).await;
    while writer.query_one("SHOW synchronous_standby_names", &[]).await.unwrap().get::<_, String>(0) != "nobody" {}
    // A commit waits only once the checkpointer has taken the setting, too.
    run(&admin, "CHECKPOINT").await;
    let pid: i32 = writer.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
    let writing = tokio::spawn(async move {
        let done = writer.batch_execute("INSERT INTO written VALUES (1)").await;
        (writer, done)
    });
    let waits = format!("EXISTS (SELECT FROM pg_stat_activity WHERE pid = {pid} AND wait_event = 'SyncRep')");
    crate::actions::bench::until(&admin, &waits).await;
    let mut asking = Asking::of(&lab.uri("oncall"), &[Question::Server, Question::Sessions, Question::Replication]);
    let mut stage = Stage::new().up();
    let began = Instant::now();
    let finding = loop {
        if let Report::Sample(sample) = asking.report().await {
            stage.event(Event::Sample(sample));
        }
        if let Some(found) = stage.app.triage.diagnosis.findings.iter().find(|f| f.kind() == Kind::SyncWait)
            && found.remedy.is_some()
        {
            break found.clone();
        }
        assert!(began.elapsed() < super::activity::PATIENCE, "{major}: {:?}", stage.kinds());
    };
    assert!(finding.evidence.starts_with("synchronous_standby_names = nobody, and no standby"), "{}", finding.evidence);
    assert_eq!(finding.target.session().map(|key| key.pid), Some(pid));

    let world = stage.app.live();
    let session = world.sessions.get().unwrap().rows.iter().find(|s| s.pid == pid).unwrap();
    let write = Write::cancel(session, world.server.get().unwrap());
    let verdict = judge(write, &crate::actions::bench::scene(world));
    let Verdict::Confirm(prompt) = verdict else { panic!("{verdict:?}") };
    let undoes = prompt.rows().iter().find(|row| row.label == "undoes").unwrap();
    assert!(undoes.text.starts_with("nothing: it has committed here"), "{}", undoes.text);

    // It is not to be seen by others before; a cancel ends the wait alone.
    let count = "SELECT count(*) FROM written";
    assert_eq!(admin.query_one(count, &[]).await.unwrap().get::<_, i64>(0), 0);
    run(&admin, &format!("SELECT pg_cancel_backend({pid})")).await;
    let (_writer, done) = writing.await.unwrap();
    assert_ne!(done.err().and_then(|e| e.code().cloned()), Some(SqlState::QUERY_CANCELED), "{major}: it was undone");
    assert_eq!(admin.query_one(count, &[]).await.unwrap().get::<_, i64>(0), 1, "{major}");
}

/// Hardly anything waits to be replayed, and it stands still.
#[tokio::test(flavor = "multi_thread")]
async fn a_standby_that_is_paused_is_late_for_its_primary() {
    let Some(lab) = Lab::start(SERVERS) else { return };
    let (admin, there) = (client(&lab.uri("postgres")).await, client(&lab.standby_uri("postgres")).await);
    let questions = [Question::Server, Question::Replication];
    let mut asking = Asking::of(&lab.uri("oncall"), &questions);
    let mut stage = Stage::with(|setup| setup.limits.replica_lag = 3.0).up();
    let began = Instant::now();
    let mut paused = false;
    loop {
        if let Report::Sample(sample) = asking.report().await {
            stage.event(Event::Sample(sample));
        }
        let late = stage.app.triage.diagnosis.findings.iter().find(|f| f.kind() == Kind::ReplicaLag).cloned();
        match late {
            Some(found) if paused => {
                assert!(found.fact.contains("has replayed nothing for"), "{}", found.fact);
                break;
            }
            Some(found) => panic!("while it replays: {}", found.fact),
            None if !paused && began.elapsed().as_secs() >= 5 => {
                run(&there, "SELECT pg_wal_replay_pause()").await;
                run(&admin, "CREATE TABLE trifle (n int)").await;
                paused = true;
            }
            None => assert!(began.elapsed() < super::activity::PATIENCE, "{:?}", stage.kinds()),
        }
    }
    run(&there, "SELECT pg_wal_replay_resume()").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_no_standby_confirms_is_named_and_not_said_to_be_undone() {
    for major in [13, 15, 18] {
        unconfirmed(major).await;
    }
}
