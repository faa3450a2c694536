//! Work in progress as servers tell it: who does what, on what, in which phase, and what it waits for.
use super::asking::{ask, client, primary, run, with_database};
use crate::lab::Lab;
use pgtriage::model::progress::{Progress, Running, Unit, Work};
use pgtriage::model::{Question, ServerText, Snapshot};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use tokio_postgres::Client;

const PATIENCE: Duration = Duration::from_secs(30);

async fn running(uri: &str) -> Running {
    match ask(uri, Question::Progress).await {
        Ok(Snapshot::Progress(running)) => running,
        other => panic!("{other:?}"),
    }
}

/// Looks until one is as `good` wants it.
async fn seen(uri: &str, good: impl Fn(&Progress) -> bool) -> Progress {
    let give_up = tokio::time::Instant::now() + PATIENCE;
    loop {
        let now = running(uri).await;
        if let Some(row) = now.rows.iter().find(|row| good(row)) {
            return row.clone();
        }
        assert!(tokio::time::Instant::now() < give_up, "never seen: {now:#?}");
    }
}

/// Runs a statement beside; it ends with its server, or with `stop`.
async fn beside(uri: &str, before: &str, sql: String) -> i32 {
    let client = client(uri).await;
    run(&client, before).await;
    let pid = client.query_one("SELECT pg_backend_pid()", &[]).await.expect("an answer").get(0);
    tokio::spawn(async move {
        let _stopped = client.batch_execute(&sql).await;
    });
    pid
}

async fn stop(admin: &Client, pid: i32, uri: &str) {
    run(admin, &format!("SELECT pg_cancel_backend({pid})")).await;
    let give_up = tokio::time::Instant::now() + PATIENCE;
    while running(uri).await.rows.iter().any(|row| row.pid == pid) {
        assert!(tokio::time::Instant::now() < give_up, "{pid} never ended");
    }
}

/// A unit of work costs a tenth of a second: what would end at once can be looked at.
const SLOW: &str = "SET vacuum_cost_delay = 100; SET vacuum_cost_limit = 1";

/// Nobody else is to be at work on them.
const TABLES: &str = "CREATE SCHEMA \"o.dd\";
    CREATE TABLE \"o.dd\".\"ta\"\"ble\" (a int, b text) WITH (autovacuum_enabled = off);
    INSERT INTO \"o.dd\".\"ta\"\"ble\" SELECT g, repeat('x', 500) FROM generate_series(1, 20000) g;
    CREATE TABLE busy (a int) WITH (autovacuum_enabled = off); INSERT INTO busy SELECT generate_series(1, 1000)";

async fn all_of_it_is_told(major: u32) {
    let Some(lab) = primary(major) else { return };
    let uri = lab.uri("postgres");
    let admin = client(&uri).await;
    run(&admin, TABLES).await;
    assert_eq!(running(&uri).await, Running::default(), "nobody is at work");

    vacuum_and_analyze(&lab, &admin, major).await;
    index_build(&lab, &admin).await;
    rewrite(&uri, &admin).await;
    if major >= 14 {
        copies(&lab, &admin, major).await;
    }
    base_backup(&lab, major).await;
}

async fn vacuum_and_analyze(lab: &Lab, admin: &Client, major: u32) {
    let uri = lab.uri("postgres");
    let pid = beside(&uri, SLOW, "VACUUM \"o.dd\".\"ta\"\"ble\"".to_owned()).await;
    let vacuum = seen(&uri, |p| p.pid == pid && p.phase.as_deref() == Some("scanning heap")).await;
    let Work::Vacuum(figures) = &vacuum.work else { panic!("{vacuum:?}") };
    assert_eq!(figures.num_dead_tuples.is_some(), major < 17, "{figures:?}");
    assert_eq!(figures.max_dead_tuple_bytes.is_some() && figures.indexes_total.is_some(), major >= 17, "{figures:?}");
    assert_eq!(figures.delay_time.is_some(), major >= 18, "{figures:?}");
    let measure = vacuum.measure().expect("blocks");
    assert!(measure.unit == Unit::Blocks && measure.total > Some(100), "{measure:?}");
    let on = vacuum.relation.clone().expect("a table");
    assert_eq!((on.here, on.name.as_ref().map(ServerText::raw)), (true, Some("o.dd.ta\"ble")));
    assert_eq!(vacuum.database.as_ref().map(ServerText::raw), Some("shop"));
    assert!(!vacuum.auto && !vacuum.hidden && vacuum.age_s.is_some() && vacuum.backend_start.is_some());
    seen(&uri, |p| p.wait.as_ref().is_some_and(|w| w.event.eq_ignore_ascii_case("VacuumDelay"))).await;
    // Who may not see it is told that there is something; who is elsewhere gets the number, never a name of there.
    let plain = running(&lab.uri("plain")).await;
    assert_eq!((plain.hidden, plain.rows.len()), (1, 1));
    let row = &plain.rows[0];
    assert!(row.hidden && row.relation.is_none() && row.phase.is_none() && row.measure().is_none(), "{row:?}");
    assert_eq!(running(&lab.uri("monitor")).await.hidden, 0);
    let elsewhere = running(&with_database(&uri, "postgres")).await.rows[0].relation.clone().expect("a number");
    assert_eq!((elsewhere.oid, elsewhere.here, elsewhere.name), (on.oid, false, None));
    stop(admin, pid, &uri).await;

    let pid = beside(&uri, SLOW, "ANALYZE \"o.dd\".\"ta\"\"ble\"".to_owned()).await;
    let analyze = seen(&uri, |p| p.pid == pid && p.phase.as_deref() == Some("acquiring sample rows")).await;
    assert!(matches!(analyze.work, Work::Analyze(_)) && analyze.measure().is_some_and(|m| m.total > Some(100)));
    stop(admin, pid, &uri).await;
}

async fn index_build(lab: &Lab, admin: &Client) {
    let uri = lab.uri("postgres");
    let holder = client(&uri).await;
    run(&holder, "BEGIN; INSERT INTO busy VALUES (1)").await;
    let holder_pid: i32 = holder.query_one("SELECT pg_backend_pid()", &[]).await.expect("an answer").get(0);
    let pid = beside(&uri, "", "CREATE INDEX CONCURRENTLY busy_a ON busy (a)".to_owned()).await;
    let build = seen(&uri, |p| p.pid == pid && p.locker().is_some()).await;
    assert_eq!((build.locker(), build.command.as_deref()), (Some(holder_pid), Some("CREATE INDEX CONCURRENTLY")));
    assert_eq!(build.phase.as_deref(), Some("waiting for writers before build"));
    assert_eq!(build.measure().map(|m| (m.unit, m.done, m.share())), Some((Unit::Lockers, 0, None)));
    assert_eq!(build.index.and_then(|i| i.name).as_ref().map(ServerText::raw), Some("busy_a"));
    seen(&uri, |p| p.pid == pid && p.blocked_by == [holder_pid]).await;
    stop(admin, pid, &uri).await;
    run(&holder, "ROLLBACK").await;
}

async fn rewrite(uri: &str, admin: &Client) {
    // An expression that takes its time: its index is built again at the end.
    run(
        admin,
        "CREATE FUNCTION slowly(i int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.02); RETURN i; END $$;
         CREATE TABLE slow (a int) WITH (autovacuum_enabled = off); INSERT INTO slow SELECT generate_series(1, 250); CREATE INDEX slow_a ON slow (slowly(a))",
    )
    .await;
    let pid = beside(uri, "", "VACUUM FULL slow".to_owned()).await;
    let full = seen(uri, |p| p.pid == pid && p.phase.as_deref() == Some("rebuilding index")).await;
    assert!(matches!(full.work, Work::Cluster(_)) && full.command.as_deref() == Some("VACUUM FULL"), "{full:?}");
    stop(admin, pid, uri).await;
}

async fn copies(lab: &Lab, admin: &Client, major: u32) {
    let uri = lab.uri("postgres");
    let pid = beside(
        &uri,
        "",
        "COPY (SELECT pg_sleep(0.05) FROM generate_series(1, 9999)) TO PROGRAM 'cat >/dev/null'".to_owned(),
    )
    .await;
    let copy = seen(&uri, |p| p.pid == pid && p.measure().is_some()).await;
    assert_eq!((copy.command.as_deref(), copy.relation.as_ref()), (Some("COPY TO"), None), "of a query");
    assert_eq!(copy.measure().map(|m| (m.unit, m.total)), Some((Unit::Rows, None)), "no end is known");
    stop(admin, pid, &uri).await;

    // Five buffers of a file, of which the first is read at once.
    let file = lab.folder().join("primary/copied");
    let file = file.display();
    run(admin, &format!("COPY (SELECT repeat('x', 99) FROM generate_series(1, 3000)) TO '{file}'")).await;
    run(
        admin,
        "CREATE TABLE copied (line text); CREATE FUNCTION held() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN PERFORM pg_sleep(0.05); RETURN NEW; END $$;
         CREATE TRIGGER held BEFORE INSERT ON copied FOR EACH ROW EXECUTE FUNCTION held()",
    )
    .await;
    let pid = beside(&uri, "", format!("COPY copied FROM '{file}'")).await;
    let copy = seen(&uri, |p| p.pid == pid && p.measure().is_some_and(|m| m.unit == Unit::Bytes)).await;
    assert_eq!(copy.measure().and_then(|m| m.total), Some(300_000));
    assert!(copy.measure().and_then(|m| m.share()).is_some_and(|s| s > 0.1 && s < 0.5), "{copy:?}");
    assert_eq!(copy.relation.and_then(|r| r.name).as_ref().map(ServerText::raw), Some("copied"));
    let Work::Copy(figures) = copy.work else { panic!("a copy") };
    assert_eq!((figures.kind.as_deref(), figures.tuples_skipped.is_some()), (Some("FILE"), major >= 17));
    stop(admin, pid, &uri).await;
}

/// A client of the replication protocol that asks for a slow base backup and reads nothing of it.
async fn base_backup(lab: &Lab, major: u32) {
    let uri = lab.uri("postgres");
    let road = uri.rsplit_once('@').expect("a URI with a role").1;
    let mut backup = TcpStream::connect(road.split_once('/').expect("a database").0).expect("the server listens");
    let mut startup = vec![0, 3, 0, 0];
    startup.extend(b"user\0replicator\0replication\0true\0\0");
    let with_length = |body: &[u8]| [&u32::try_from(body.len() + 4).unwrap().to_be_bytes()[..], body].concat();
    backup.write_all(&with_length(&startup)).expect("it takes the greeting");
    let mut answer = [0_u8; 1];
    backup.read_exact(&mut answer).expect("it answers");
    assert_eq!(&answer, b"R", "it lets one in");
    let ask = if major >= 15 {
        "BASE_BACKUP (PROGRESS, CHECKPOINT 'fast', WAIT false, MAX_RATE 32)\0"
    } else {
        "BASE_BACKUP PROGRESS FAST NOWAIT MAX_RATE 32\0"
    };
    backup.write_all(&[b"Q", &with_length(ask.as_bytes())[..]].concat()).expect("it takes the question");
    let row = seen(&uri, |p| p.phase.as_deref() == Some("streaming database files") && p.measure().is_some()).await;
    let Work::BaseBackup(figures) = &row.work else { panic!("{row:?}") };
    assert!(figures.backup_total > Some(1 << 20) && figures.tablespaces_total == 1, "{figures:?}");
    assert!(row.measure().and_then(|m| m.share()).is_some_and(|s| s < 0.9), "{row:?}");
    assert!(row.database.is_none() && row.relation.is_none() && row.age_s.is_some(), "{row:?}");
    let sessions = super::asking::sessions(&uri).await;
    let walsender = sessions.rows.iter().find(|s| s.key() == row.key()).expect("its session");
    assert_eq!(walsender.backend_type.as_deref(), Some("walsender"));
}

#[tokio::test]
async fn who_is_at_work_and_how_far_is_told_on_13() {
    all_of_it_is_told(13).await;
}

#[tokio::test]
async fn who_is_at_work_and_how_far_is_told_on_15() {
    all_of_it_is_told(15).await;
}

#[tokio::test]
async fn who_is_at_work_and_how_far_is_told_on_18() {
    all_of_it_is_told(18).await;
}
