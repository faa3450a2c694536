//! More than one server, and one behind another: a primary and its standby in one host list, and a real pgbouncer.

use super::programs;
use crate::lab::{Lab, PRIMARY, SERVERS, Wanted};
use pgtriage::postgres::{Given, Lane, Link, Process, SessionSettings, connect, resolve};
use std::process::Command;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(5);

async fn open(words: &str, lane: Lane) -> Result<Link, String> {
    let info = resolve(&Given { words: vec![words.to_owned()], ..Given::default() }, &Process).unwrap();
    connect(&info, lane, &SessionSettings::of(lane, "alice")).await.map_err(|error| error.to_string())
}

/// The port that psql ends up on, if it ends up anywhere.
fn psql(words: &str) -> Option<String> {
    let question = "SELECT current_setting('port')";
    let output = Command::new(programs::psql()?).args(["-XAtw", "-c", question, "-d", words]).output().unwrap();
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[tokio::test]
async fn of_several_hosts_the_first_that_suits_is_taken_as_psql_takes_it() {
    let Some(mut lab) = Lab::start(SERVERS) else { return };
    let (primary, standby) = (lab.facts["primary"]["port"].to_string(), lab.facts["standby"]["port"].to_string());
    let both = |attrs: &str| {
        format!(
            "host=127.0.0.1,127.0.0.1 port={primary},{standby} user=postgres dbname=postgres target_session_attrs={attrs}"
        )
    };
    let alone = |port: &str, attrs: &str| {
        format!("host=127.0.0.1 port={port} user=postgres dbname=postgres target_session_attrs={attrs}")
    };
    let cases = [
        (both("any"), Some(&primary)),
        (both("primary"), Some(&primary)),
        (both("read-write"), Some(&primary)),
        (both("standby"), Some(&standby)),
        (both("read-only"), Some(&standby)),
        (both("prefer-standby"), Some(&standby)),
        (alone(&primary, "prefer-standby"), Some(&primary)),
        (alone(&primary, "standby"), None),
        (alone(&standby, "primary"), None),
        (alone(&standby, "read-write"), None),
    ];
    let compared = async |cases: &[(String, Option<&String>)]| {
        for (words, expected) in cases {
            let ours = match open(words, Lane::Fast).await {
                Err(_) => None,
                Ok(mut link) => {
                    let rows = link.read("SELECT current_setting('port') AS port", SOON).await.unwrap();
                    assert_eq!(link.facts().in_recovery, *expected == Some(&standby));
                    Some(rows.first().unwrap().text("port").unwrap().to_owned())
                }
            };
            assert_eq!(ours.as_ref(), *expected, "{words}");
            assert_eq!(psql(words).as_ref(), *expected, "psql differs: {words}");
        }
    };
    compared(&cases).await;
    lab.command("stop-primary immediate");
    compared(&[(both("any"), Some(&standby)), (both("primary"), None), (both("prefer-standby"), Some(&standby))]).await;
}

#[tokio::test]
async fn behind_a_real_pgbouncer_bounds_hold_and_reach_nobody_else() {
    let Some(lab) = Lab::start(Wanted { with: &["pgbouncer"], ..PRIMARY }) else { return };
    let words = format!(
        "host=127.0.0.1 port={} user=postgres dbname=shop options='-c jit=off'",
        lab.facts["pgbouncer"]["port"]
    );
    let mut link = open(&words, Lane::Fast).await.unwrap();
    assert!(link.facts().pooled && link.facts().options_refused, "{:?}", link.facts());
    let question = "SELECT current_setting('statement_timeout') AS t, current_setting('transaction_read_only') AS ro";
    let rows = link.read(question, SOON).await.unwrap();
    assert_eq!((rows.first().unwrap().text("t"), rows.first().unwrap().bool("ro")), (Ok("2s"), Ok(true)));
    assert!(link.read("SELECT 1/0", SOON).await.is_err());
    let asked = std::time::Instant::now();
    let late = link.read("SELECT pg_sleep(60)", Duration::from_millis(300)).await;
    assert!(late.is_err());
    // Ended by the bound of its own transaction, rolled back, and free again. No cancel request went to the pooler, which
    // this version of it may not survive.
    assert!(link.settled().await);
    assert!(asked.elapsed() > Duration::from_millis(1800), "something else than statement_timeout ended it");
    let again = link.read("SELECT 1 AS v", SOON).await;
    assert_eq!(again.unwrap().first().unwrap().i32("v"), Ok(1));
    // Another client on the same server connection has nothing of ours.
    let mut other = open(&words, Lane::Writer).await.unwrap();
    let rows = other
        .execute("SELECT current_setting('statement_timeout') AS t, pg_is_in_recovery() AS r", &[], Some(SOON))
        .await;
    assert_eq!(rows.unwrap().first().unwrap().text("t"), Ok("0"));
    let admin = words.replace("dbname=shop", "dbname=pgbouncer");
    let refused = open(&admin, Lane::Fast).await.unwrap_err();
    assert!(refused.contains("SHOW HELP"), "{refused}");
}
