//! What becomes of a session: settings, deadlines, cancelling, last words, parameters, a pooler in between.

use super::cluster::Cluster;
use super::server;
use pgtriage::postgres::{
    AskError, BackOff, Conninfo, Given, Lane, Link, Param, Process, SessionSettings, connect, resolve,
};
use std::process::Command;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const SOON: Duration = Duration::from_secs(5);

fn info(port: u16, words: &str) -> Conninfo {
    let words = format!("host=127.0.0.1 port={port} user=postgres dbname=postgres sslmode=prefer {words}");
    resolve(&Given { words: vec![words], ..Given::default() }, &Process).unwrap()
}

async fn open(cluster: &Cluster, lane: Lane) -> Link {
    connect(&info(cluster.port, ""), lane, &SessionSettings::of(lane, "alice")).await.unwrap()
}

async fn text(link: &mut Link, sql: &str) -> String {
    link.read(sql, SOON).await.unwrap().first().unwrap().text("v").unwrap().to_owned()
}

#[tokio::test]
async fn a_reading_session_is_named_bounded_and_read_only() {
    let Some(cluster) = server() else { return };
    let mut link = open(&cluster, Lane::Fast).await;
    for (setting, value) in [
        ("application_name", "pgtriage/fast alice"),
        ("statement_timeout", "2s"),
        ("lock_timeout", "300ms"),
        ("idle_in_transaction_session_timeout", "10s"),
        ("jit", "off"),
        ("max_parallel_workers_per_gather", "0"),
        ("search_path", "pg_catalog"),
        ("default_transaction_read_only", "on"),
        ("client_encoding", "UTF8"),
    ] {
        assert_eq!(text(&mut link, &format!("SELECT current_setting('{setting}') AS v")).await, value, "{setting}");
    }
    let facts = link.facts().clone();
    assert_eq!(text(&mut link, "SELECT pg_backend_pid() AS v").await, facts.pid.to_string());
    assert!(facts.version >= 130_000 && !facts.in_recovery && !facts.read_only && !facts.pooled);
    let refused = link.read("CREATE TABLE t ()", SOON).await.unwrap_err();
    assert_eq!(refused.sqlstate(), Some("25006"));
    assert!(link.read("SELECT * FROM nope", SOON).await.unwrap_err().is_undefined());
    link.close().await;
    let mut writer = open(&cluster, Lane::Writer).await;
    assert_eq!(text(&mut writer, "SELECT current_setting('default_transaction_read_only') AS v").await, "off");
}

#[tokio::test]
async fn a_lock_that_is_held_ends_the_question_and_not_the_session() {
    let Some(cluster) = server() else { return };
    cluster.sql("CREATE TABLE public.held (x int)");
    let mut holder = open(&cluster, Lane::Writer).await;
    holder.read("BEGIN; LOCK public.held", SOON).await.unwrap();
    let mut link = open(&cluster, Lane::Fast).await;
    let error = link.read("SELECT * FROM public.held", SOON).await.unwrap_err();
    assert!(error.is_lock_timeout(), "{error}");
    let error = link.read("SELECT pg_sleep(3)", SOON).await.unwrap_err();
    assert!(error.is_statement_timeout() && error.is_cancelled(), "{error}");
    assert_eq!(text(&mut link, "SELECT 1 AS v").await, "1");
}

#[tokio::test]
async fn a_late_answer_is_cancelled_and_the_session_goes_on() {
    let Some(cluster) = server() else { return };
    for words in ["sslmode=disable", "sslmode=require"] {
        let mut settings = SessionSettings::of(Lane::Fast, "alice");
        settings.statement_timeout = Duration::from_secs(60);
        let mut link = connect(&info(cluster.port, words), Lane::Fast, &settings).await.unwrap();
        let started = Instant::now();
        let error = link.read("SELECT pg_sleep(60)", Duration::from_millis(300)).await.unwrap_err();
        assert_eq!(error, AskError::Deadline { after: Duration::from_millis(300) });
        // Neither waits for the 60 s of the statement.
        assert!(started.elapsed() < SOON, "the caller waited {:?}", started.elapsed());
        assert_eq!(text(&mut link, "SELECT 1 AS v").await, "1", "{words}");
        assert!(started.elapsed() < SOON * 2, "free again after {:?}", started.elapsed());
    }
}

#[tokio::test]
async fn a_backend_that_is_stopped_keeps_nobody_waiting_and_is_given_up() {
    let Some(cluster) = server() else { return };
    let mut link = open(&cluster, Lane::Fast).await;
    let pid = link.facts().pid.to_string();
    Command::new("kill").args(["-STOP", &pid]).status().unwrap();
    let short = Duration::from_millis(200);
    let started = Instant::now();
    assert!(matches!(link.read("SELECT 1 AS v", short).await, Err(AskError::Deadline { .. })));
    assert_eq!(link.read("SELECT 1 AS v", short).await, Err(AskError::Busy));
    // The backend is stopped for as long as the test lasts.
    assert!(started.elapsed() < SOON, "the caller waited {:?}", started.elapsed());
    let given_up = link.read("SELECT 1 AS v", Duration::from_secs(10)).await.unwrap_err();
    assert!(given_up.is_lost() && link.lost().is_some(), "{given_up}");
    Command::new("kill").args(["-CONT", &pid]).status().unwrap();
}

#[tokio::test]
async fn the_end_of_a_session_is_told_in_the_servers_last_words() {
    let Some(mut cluster) = server() else { return };
    let mut idle = open(&cluster, Lane::Fast).await;
    cluster.sql(&format!("SELECT pg_terminate_backend({})", idle.facts().pid));
    let last = tokio::time::timeout(SOON, idle.ended()).await.expect("noticed without a question");
    assert_eq!(last.sqlstate.as_deref(), Some("57P01"), "{last:?}");
    assert!(
        matches!(idle.read("SELECT 1", SOON).await, Err(AskError::Lost { sqlstate: Some(state), .. }) if state == "57P01")
    );

    // On a lane that lets it run until then, however long psql takes to start.
    let mut busy = open(&cluster, Lane::Writer).await;
    let pid = busy.facts().pid;
    let (asked, ()) = tokio::join!(busy.read("SELECT pg_sleep(60)", SOON * 4), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        cluster.sql(&format!("SELECT pg_terminate_backend({pid})"));
    });
    assert!(matches!(&asked, Err(AskError::Lost { sqlstate: Some(state), .. }) if state == "57P01"), "{asked:?}");

    // Only a warning tells why, and then there is silence.
    let mut link = open(&cluster, Lane::Fast).await;
    cluster.stop("immediate");
    let asked = link.read("SELECT 1", SOON).await;
    assert!(
        matches!(&asked, Err(AskError::Lost { sqlstate: Some(state), .. }) if state.starts_with("57P0")),
        "{asked:?}"
    );

    let again = connect(&info(cluster.port, ""), Lane::Fast, &SessionSettings::of(Lane::Fast, "alice")).await;
    assert!(matches!(again, Err(pgtriage::postgres::ConnectError::Refused { .. })), "{again:?}");
    cluster.start_again();
    open(&cluster, Lane::Fast).await;
}

#[tokio::test]
async fn the_console_is_back_within_a_second_of_the_server() {
    let Some(mut cluster) = server() else { return };
    let (info, settings) = (info(cluster.port, ""), SessionSettings::of(Lane::Fast, "alice"));
    cluster.stop("fast");
    let mut backoff = BackOff::default();
    let connected = tokio::spawn(async move {
        while connect(&info, Lane::Fast, &settings).await.is_err() {
            tokio::time::sleep(backoff.pause()).await;
        }
        Instant::now()
    });
    tokio::time::sleep(Duration::from_secs(2)).await;
    let cluster = tokio::task::spawn_blocking(move || {
        cluster.start_again();
        cluster
    });
    let _cluster = cluster.await.unwrap();
    let ready = Instant::now();
    let late = connected.await.unwrap().saturating_duration_since(ready);
    // A pause of 0.8 s, and what a login takes; a pause that went on doubling would be longer by then.
    assert!(late < Duration::from_secs(4), "{late:?}");
}

#[tokio::test]
async fn a_statement_with_parameters_answers_as_text_with_its_count_and_warnings() {
    let Some(cluster) = server() else { return };
    cluster.sql("CREATE TABLE public.n (x int); INSERT INTO public.n VALUES (1), (2), (3); CREATE ROLE weak LOGIN");
    let mut writer = open(&cluster, Lane::Writer).await;
    let sql = "UPDATE public.n SET x = x + $1 WHERE x > $2::text::int RETURNING x::text, x > 2 AS big";
    let params = [Param::Int4(1), Param::Text(Some("1".to_owned()))];
    let rows = writer.execute(sql, &params, Some(SOON)).await.unwrap();
    assert_eq!((rows.affected, rows.len(), rows.has_warning()), (Some(2), 2, false));
    assert_eq!(rows.first().unwrap().bool("big"), Ok(true));
    let nothing = writer.execute("SELECT $1::text AS t", &[Param::Text(None)], Some(SOON)).await.unwrap();
    assert_eq!(nothing.first().unwrap().opt_text("t"), Ok(None));
    // Success with a warning is the server's way of doing nothing.
    writer.execute("SET ROLE weak", &[], Some(SOON)).await.unwrap();
    let skipped = writer.execute("VACUUM public.n", &[], Some(SOON)).await.unwrap();
    assert!(skipped.has_warning(), "{skipped:?}");
    let denied = writer.execute("SELECT * FROM public.n", &[], Some(SOON)).await.unwrap_err();
    assert!(denied.is_privilege(), "{denied}");
    let shape = writer.execute("SELECT now()", &[], Some(SOON)).await.unwrap_err();
    assert!(shape.to_string().contains("cast it to text"), "{shape}");
    assert_eq!(text(&mut writer, "SELECT 1 AS v").await, "1");
}

#[tokio::test]
async fn a_running_statement_is_cancelled_from_elsewhere() {
    let Some(cluster) = server() else { return };
    let mut writer = open(&cluster, Lane::Writer).await;
    let canceller = writer.canceller();
    // A cancel that comes before the statement does stops nothing.
    let again = async {
        loop {
            tokio::time::sleep(Duration::from_millis(300)).await;
            canceller.cancel().await.unwrap();
        }
    };
    let asked = tokio::select! {
        asked = writer.execute("SELECT pg_sleep(60)", &[], None) => asked,
        () = again => unreachable!("it cancels for ever"),
    };
    assert!(asked.unwrap_err().is_cancelled());
}

#[tokio::test]
async fn what_is_asked_again_is_planned_once_and_answered_whatever_becomes_of_the_plan() {
    let Some(cluster) = server() else { return };
    cluster.sql("CREATE TABLE public.kept (v int); INSERT INTO public.kept VALUES (1)");
    let mut link = open(&cluster, Lane::Fast).await;
    let one = "SELECT v FROM public.kept";
    assert_eq!(again(&mut link, one).await, "1");
    assert_eq!(plans(&mut link).await, 0, "what comes but once");
    for _ in 0..3 {
        assert_eq!(again(&mut link, one).await, "1");
        assert_eq!(plans(&mut link).await, 1);
    }
    // A lock is waited for as long as without a plan, and the plan is good for the next time.
    let mut holder = open(&cluster, Lane::Writer).await;
    holder.read("BEGIN; LOCK public.kept", SOON).await.unwrap();
    assert!(link.read_again("one", one, SOON).await.unwrap_err().is_lock_timeout());
    holder.read("ROLLBACK", SOON).await.unwrap();
    assert_eq!((again(&mut link, one).await.as_str(), plans(&mut link).await), ("1", 1));
    // Another text takes its place; what cannot be planned fails as it would have failed.
    for _ in 0..3 {
        assert_eq!(again(&mut link, "SELECT v + 1 AS v FROM public.kept").await, "2");
        assert_eq!(plans(&mut link).await, 1);
    }
    for _ in 0..3 {
        assert!(link.read_again("none", "SELECT * FROM nope", SOON).await.unwrap_err().is_undefined());
    }
    // Its answer has other types now; it was taken away.
    cluster.sql("ALTER TABLE public.kept ALTER v TYPE text");
    for _ in 0..3 {
        assert_eq!(again(&mut link, one).await, "1");
    }
    cluster.sql("ALTER TABLE public.kept ALTER v TYPE name");
    for _ in 0..2 {
        assert_eq!(again(&mut link, one).await, "1");
    }
    link.read("DEALLOCATE ALL", SOON).await.unwrap();
    for _ in 0..2 {
        assert_eq!(again(&mut link, one).await, "1");
    }
}

async fn again(link: &mut Link, sql: &str) -> String {
    link.read_again("one", sql, SOON).await.unwrap().first().unwrap().text("v").unwrap().to_owned()
}

async fn plans(link: &mut Link) -> u32 {
    let sql = "SELECT count(*) AS v FROM pg_prepared_statements WHERE name LIKE 'pgtriage_one_%'";
    text(link, sql).await.parse().unwrap()
}

#[tokio::test]
async fn behind_a_pooler_every_read_carries_its_own_bounds_and_nothing_stays_behind() {
    let Some(cluster) = server() else { return };
    let port = pooler(cluster.port).await;
    let words = "sslmode=disable options='-c work_mem=1MB'";
    let mut link = connect(&info(port, words), Lane::Fast, &SessionSettings::of(Lane::Fast, "alice")).await.unwrap();
    assert!(link.facts().pooled && link.facts().options_refused, "{:?}", link.facts());
    let bounds = "SELECT current_setting('statement_timeout') AS v -- a comment at the end";
    assert_eq!(text(&mut link, bounds).await, "2s");
    let refused = link.read("CREATE TABLE t ()", SOON).await.unwrap_err();
    assert_eq!(refused.sqlstate(), Some("25006"));
    for _ in 0..3 {
        assert_eq!(again(&mut link, bounds).await, "2s");
    }
    assert_eq!(plans(&mut link).await, 0);
    // The failed transaction is over, and the session has nothing of ours.
    let state = cluster.sql(&format!("SELECT state FROM pg_stat_activity WHERE pid = {}", link.facts().pid));
    assert_eq!(state, "idle");
    let mut settings = SessionSettings::of(Lane::Writer, "alice");
    settings.statement_timeout = Duration::from_secs(3);
    let mut writer = connect(&info(port, words), Lane::Writer, &settings).await.unwrap();
    let outside = writer.execute("SELECT current_setting('statement_timeout') AS v", &[], Some(SOON)).await.unwrap();
    assert_eq!(outside.first().unwrap().text("v"), Ok("0"));
}

/// A door in front of the server that behaves as a pooler does at login: it refuses `options` and names a
/// process of its own.
async fn pooler(server: u16) -> u16 {
    let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = door.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = door.accept().await {
            tokio::spawn(pooled(client, server));
        }
    });
    port
}

async fn pooled(mut client: TcpStream, server: u16) -> std::io::Result<()> {
    let mut length = [0; 4];
    client.read_exact(&mut length).await?;
    let mut startup = vec![0; u32::from_be_bytes(length) as usize - 4];
    client.read_exact(&mut startup).await?;
    if startup.split(|byte| *byte == 0).any(|text| text == b"options") {
        let refusal = b"SFATAL\0C08P01\0Munsupported startup parameter: options\0\0";
        client.write_all(b"E").await?;
        client.write_all(&u32::try_from(refusal.len() + 4).unwrap().to_be_bytes()).await?;
        return client.write_all(refusal).await;
    }
    let mut backend = TcpStream::connect(("127.0.0.1", server)).await?;
    backend.write_all(&length).await?;
    backend.write_all(&startup).await?;
    loop {
        let mut kind = [0];
        backend.read_exact(&mut kind).await?;
        backend.read_exact(&mut length).await?;
        let mut body = vec![0; u32::from_be_bytes(length) as usize - 4];
        backend.read_exact(&mut body).await?;
        if kind == *b"K" {
            body[..4].copy_from_slice(&4_242_424_u32.to_be_bytes());
        }
        client.write_all(&kind).await?;
        client.write_all(&length).await?;
        client.write_all(&body).await?;
        if kind == *b"Z" {
            break;
        }
    }
    tokio::io::copy_bidirectional(&mut client, &mut backend).await.map(|_| ())
}
