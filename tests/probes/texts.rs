//! The texts of queries, which the server sends only while they are new: what is shown is right all the same.
use super::asking::{Asking, client, primary, run};
use pgtriage::model::session::Session;
use pgtriage::model::{Question, Sample, Snapshot};
use pgtriage::probe::sql::{SESSIONS, SESSIONS_NOJOIN, Value};
use tokio_postgres::SimpleQueryMessage;

fn of(sample: &Sample, pid: i32) -> Option<&Session> {
    let Ok(Snapshot::Sessions(sessions)) = &sample.answer else { return None };
    sessions.rows.iter().find(|session| session.pid == pid)
}

async fn texts_that_are_not_sent_again_stay_right(major: u32) {
    let Some(lab) = primary(major) else { return };
    let admin = client(&lab.uri("postgres")).await;
    let watched = client(&lab.uri("shop_api")).await;
    let pid: i32 = watched.query_one("SELECT pg_backend_pid()", &[]).await.expect("an answer").get(0);
    run(&watched, "SELECT 'first'").await;
    let mut asking = Asking::of(&lab.uri("monitor"), &[Question::Sessions]);

    // At two looks a second whatever stands for four seconds is known.
    let stands = |s: &Sample| of(s, pid).is_some_and(|row| row.state_s > Some(6.0));
    let sample = asking.sample_with(&Question::Sessions, stands).await;
    assert_eq!(of(&sample, pid).map(|row| row.query.raw()), Some("SELECT 'first'"));
    let monitor = client(&lab.uri("monitor")).await;
    for script in [SESSIONS, SESSIONS_NOJOIN] {
        for (known, text) in [(4, None), (1_000_000, Some("SELECT 'first'"))] {
            let values = [("known", Value::Integer(known))];
            let statement = script.render(i32::try_from(major).unwrap(), &values).expect("a statement");
            let messages = monitor.simple_query(&statement).await.expect("an answer");
            let rows =
                messages.iter().filter_map(|m| if let SimpleQueryMessage::Row(row) = m { Some(row) } else { None });
            let row = rows.filter(|row| row.get("pid") == Some(pid.to_string().as_str())).last().expect("the session");
            assert_eq!(row.get("query"), text, "{}, {known} s", script.name);
        }
    }

    run(&watched, "SELECT 'second'").await;
    let sample =
        asking.sample_with(&Question::Sessions, |s| of(s, pid).is_some_and(|row| row.state_s < Some(4.0))).await;
    assert_eq!(of(&sample, pid).map(|row| row.query.raw()), Some("SELECT 'second'"));
    let sample = asking.sample_with(&Question::Sessions, stands).await;
    assert_eq!(of(&sample, pid).map(|row| row.query.raw()), Some("SELECT 'second'"));

    // What could not be seen when it was new is asked for.
    run(&admin, "REVOKE pg_monitor FROM monitor").await;
    let sample = asking.sample_with(&Question::Sessions, |s| of(s, pid).is_some_and(|row| row.hidden)).await;
    assert_eq!(of(&sample, pid).map(|row| row.query.raw()), Some("<insufficient privilege>"));
    run(&admin, "GRANT pg_monitor TO monitor").await;
    let sample = asking.sample_with(&Question::Sessions, |s| of(s, pid).is_some_and(|row| !row.hidden)).await;
    assert_eq!(of(&sample, pid).map(|row| row.query.raw()), Some("SELECT 'second'"));
}

#[tokio::test]
async fn texts_that_are_not_sent_again_stay_right_on_13() {
    texts_that_are_not_sent_again_stay_right(13).await;
}

#[tokio::test]
async fn texts_that_are_not_sent_again_stay_right_on_18() {
    texts_that_are_not_sent_again_stay_right(18).await;
}
