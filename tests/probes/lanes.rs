//! Connections of the probes: which there are, what happens when one is lost or not to be had. It must not test answers.
use super::asking::{Asking, ask, by, client, primary, run, with_database};
use crate::lab::{Lab, PRIMARY, Wanted};
use pgtriage::model::relation::RelationOrder;
use pgtriage::model::{Link, ProbeError, Question, Snapshot};
use std::time::{Duration, Instant};
use tokio_postgres::SimpleQueryMessage;

const OURS: &str = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pgtriage/%'";

#[tokio::test]
async fn our_own_sessions_are_counted_and_left_out() {
    let Some(lab) = primary(15) else { return };
    let uri = lab.uri("monitor");
    let elsewhere = client(&uri).await;
    run(&elsewhere, "SET application_name = 'of another part'").await;
    let pid: i32 = elsewhere.query_one("SELECT pg_backend_pid()", &[]).await.expect("an answer").get(0);
    let mut asking = Asking::of(&uri, &[Question::Sessions, by(RelationOrder::Dead)]);
    let note = asking.own.note(pid);
    let sample =
        asking.sample_with(&Question::Sessions, |s| matches!(&s.answer, Ok(Snapshot::Sessions(s)) if s.own == 3)).await;
    let Ok(Snapshot::Sessions(sessions)) = sample.answer else { panic!("an answer") };
    assert!(sessions.rows.iter().all(|s| !s.application.raw().starts_with("pgtriage") && s.pid != pid));
    drop(note);
    asking.sample_with(&Question::Sessions, |s| matches!(&s.answer, Ok(Snapshot::Sessions(s)) if s.own == 2)).await;
}

#[tokio::test]
async fn a_lost_connection_is_told_to_every_panel_and_found_again() {
    let Some(mut lab) = primary(18) else { return };
    let uri = lab.uri("postgres");
    let mut asking = Asking::of(&uri, &[Question::Sessions, Question::Replication]);
    assert!(matches!(asking.link().await, Link::Connecting { attempt: 1, last_error: None, .. }));
    asking.up().await;
    asking.sample_with(&Question::Sessions, |s| s.answer.is_ok()).await;

    // One session ended under us: back at once.
    let admin = client(&uri).await;
    run(&admin, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'pgtriage/fast%'")
        .await;
    let lost = |s: &pgtriage::model::Sample| matches!(s.answer, Err(ProbeError::Unreachable(_)));
    asking.sample_with(&Question::Sessions, lost).await;
    asking.up().await;
    asking.sample_with(&Question::Sessions, |s| s.answer.is_ok()).await;

    // The server goes away: said, with its words, also to a tab that is opened now; and back within a second of its return.
    drop(admin);
    lab.command("stop-primary fast");
    asking.sample_with(&Question::Sessions, lost).await;
    let refused = loop {
        if let Link::Connecting { last_error: Some(words), retry_at: Some(_), .. } = asking.link().await {
            break words;
        }
    };
    assert!(!refused.is_empty());
    asking.want(&[Question::Sessions, by(RelationOrder::Dead)]);
    asking.sample_with(&by(RelationOrder::Dead), lost).await;
    lab.command("start-primary");
    let returned = Instant::now();
    asking.up().await;
    // A pause of 0.8 s, and what a login takes; a pause that went on doubling would be longer by then.
    assert!(returned.elapsed() < Duration::from_secs(4), "back after {:?}", returned.elapsed());
    asking.sample_with(&Question::Sessions, |s| s.answer.is_ok()).await;
    asking.sample_with(&by(RelationOrder::Dead), |s| s.answer.is_ok()).await;

    asking.reconnect();
    assert!(matches!(asking.link().await, Link::Connecting { .. }));
    asking.up().await;
}

#[tokio::test]
async fn another_database_is_read_on_a_connection_there_which_is_given_back() {
    let Some(lab) = primary(15) else { return };
    let uri = lab.uri("postgres");
    let admin = client(&with_database(&uri, "postgres")).await;
    let home = by(RelationOrder::Size);
    let away = Question::Relations { database: Some("postgres".into()), order: RelationOrder::Size };
    let mut asking = Asking::of(&uri, std::slice::from_ref(&home));
    let database = |s: &pgtriage::model::Sample| match &s.answer {
        Ok(Snapshot::Relations(r)) => r.database.raw().to_owned(),
        other => panic!("{other:?}"),
    };
    assert_eq!(database(&asking.sample(&home).await), "shop");
    asking.want(std::slice::from_ref(&away));
    assert_eq!(database(&asking.sample(&away).await), "postgres");
    asking.want(std::slice::from_ref(&home));
    assert_eq!(database(&asking.sample(&home).await), "shop");
    let give_up = Instant::now() + Duration::from_secs(10);
    loop {
        let ours: i64 = admin.query_one(OURS, &[]).await.expect("an answer").get(0);
        if ours == 2 {
            break;
        }
        assert!(Instant::now() < give_up, "{ours} connections");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn where_no_second_connection_is_to_be_had_the_first_one_answers() {
    let Some(lab) = primary(18) else { return };
    run(&client(&lab.uri("postgres")).await, "ALTER ROLE monitor CONNECTION LIMIT 1").await;
    let tables = by(RelationOrder::Size);
    let mut asking = Asking::of(&lab.uri("monitor"), &[Question::Sessions]);
    asking.sample_with(&Question::Sessions, |s| s.answer.is_ok()).await;
    asking.want(&[Question::Sessions, tables.clone()]);
    let sample = asking.sample_with(&tables, |s| s.answer.is_ok()).await;
    assert!(matches!(sample.answer, Ok(Snapshot::Relations(r)) if !r.rows.is_empty()));
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up_in_time_and_asked_again_when_it_wakes() {
    let Some(mut lab) = primary(18) else { return };
    let mut asking = Asking::of(&lab.uri("postgres"), &[Question::Sessions]);
    asking.sample_with(&Question::Sessions, |s| s.answer.is_ok()).await;
    lab.command("freeze-primary");
    let frozen = Instant::now();
    let sample = asking.sample_with(&Question::Sessions, |s| s.answer.is_err()).await;
    assert_eq!(sample.answer, Err(ProbeError::TimedOut(2)));
    assert!(frozen.elapsed() < Duration::from_secs(6), "{:?}", frozen.elapsed());
    asking.sample_with(&Question::Sessions, |s| matches!(s.answer, Err(ProbeError::Unreachable(_)))).await;
    lab.command("thaw-primary");
    asking.sample_with(&Question::Sessions, |s| s.answer.is_ok()).await;
}

#[tokio::test]
async fn behind_a_pooler_every_question_is_answered_and_nothing_leaks() {
    let wanted = Wanted { postgres: Some(15), with: &["pgbouncer"], ..PRIMARY };
    let Some(lab) = Lab::start(wanted) else { return };
    let uri = lab.text("/pgbouncer/uris/monitor");
    let questions =
        [Question::Server, Question::Sessions, Question::Replication, by(RelationOrder::Dead), Question::CacheTable];
    let mut asking = Asking::of(&uri, &questions);
    loop {
        match asking.link().await {
            Link::Up(facts) => {
                assert!(facts.pooled);
                break;
            }
            Link::Connecting { last_error, .. } => assert_eq!(last_error, None),
        }
    }
    for question in &questions {
        let sample = asking.sample(question).await;
        assert!(sample.answer.is_ok(), "{question:?}: {:?}", sample.answer);
    }
    let other = client(&uri).await;
    let messages = other.simple_query("SHOW statement_timeout").await.expect("an answer");
    let value = messages.iter().find_map(|message| {
        let SimpleQueryMessage::Row(row) = message else { return None };
        row.get(0).map(str::to_owned)
    });
    assert_eq!(value.as_deref(), Some("0"));
}

#[tokio::test]
async fn a_database_that_may_not_be_entered_says_which_grant_opens_it() {
    let Some(lab) = primary(18) else { return };
    let admin = client(&lab.uri("postgres")).await;
    run(&admin, "CREATE DATABASE closed").await;
    run(&admin, "REVOKE CONNECT ON DATABASE closed FROM public").await;
    let away = Question::Relations { database: Some("closed".into()), order: RelationOrder::Size };
    let answer = ask(&lab.uri("plain"), away).await;
    assert_eq!(
        answer,
        Err(ProbeError::Denied { cure: "GRANT CONNECT ON DATABASE \"closed\" TO \"plain\"".to_owned() })
    );
}
