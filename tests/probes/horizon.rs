//! Who holds vacuum's horizon, on real servers: a client that has written and is idle, without a snapshot, and a prepared
//! transaction, which has no session. It must not test what is said of them.
use super::activity::restarted;
use super::asking::{ask, client, primary, run};
use pgtriage::model::session::State;
use pgtriage::model::{Question, Snapshot};

async fn aged(major: u32) {
    let Some(mut lab) = primary(major) else { return };
    restarted(&mut lab, &["max_prepared_transactions = 5"]).await;
    let (admin, writer) = (client(&lab.uri("postgres")).await, client(&lab.uri("postgres")).await);
    run(&admin, "BEGIN; UPDATE products SET stock = 1 WHERE id = 1; PREPARE TRANSACTION 'held'").await;
    run(&writer, "BEGIN; UPDATE products SET stock = 1 WHERE id = 2").await;
    // Each of them is a transaction later.
    for _ in 0..3 {
        run(&admin, "SELECT txid_current()").await;
    }
    let uri = lab.uri("monitor");
    let Ok(Snapshot::Sessions(sessions)) = ask(&uri, Question::Sessions).await else { panic!("sessions on {major}") };
    let idle = sessions.rows.iter().find(|s| s.state == Some(State::IdleInTransaction) && s.xid.is_some());
    let idle = idle.unwrap_or_else(|| panic!("the writer on {major}: {:#?}", sessions.rows));
    assert_eq!(idle.xmin, None, "on {major}: at READ COMMITTED it has no snapshot between its statements");
    assert!(idle.xmin_age.is_some_and(|age| age >= 3), "on {major}: {:?}", idle.xmin_age);
    let Ok(Snapshot::Activity(activity)) = ask(&uri, Question::Activity).await else { panic!("activity on {major}") };
    let [prepared] = activity.prepared.rows() else { panic!("on {major}: {:?}", activity.prepared) };
    assert!(prepared.xid_age.is_some_and(|age| age >= 4), "on {major}: {prepared:?}");
    let xid = |text: &Option<String>| text.as_ref().and_then(|xid| xid.parse::<u32>().ok());
    assert_eq!(xid(&prepared.xid).map(|xid| xid + 1), xid(&idle.xid), "on {major}: the ids of two that follow");
}

#[tokio::test]
async fn who_has_written_and_who_is_prepared_have_an_age_on_13() {
    aged(13).await;
}

#[tokio::test]
async fn who_has_written_and_who_is_prepared_have_an_age_on_15() {
    aged(15).await;
}

#[tokio::test]
async fn who_has_written_and_who_is_prepared_have_an_age_on_18() {
    aged(18).await;
}
