//! A statement whose text is no UTF-8, as a database without an encoding holds it: the outcome is told all the same.

use pgtriage::guard::{Looked, Write};
use pgtriage::message::Outcome;

use super::bench::{Hands, approve, connect, pid, server, session, until, world};
use crate::lab::{Lab, PRIMARY, Wanted};

/// A statement whose 200th byte is the first half of a character: cut there, it is no UTF-8.
fn odd() -> String {
    format!("SELECT pg_sleep(60) /* {}*/", "\u{e9}".repeat(1200))
}

async fn the_outcome_is_told_whatever_the_text(major: u32) {
    let Some(lab) = Lab::start(Wanted { postgres: Some(major), ..PRIMARY }) else { return };
    let folder = tempfile::tempdir().unwrap();
    let admin = connect(&lab.uri("postgres")).await;
    let create = "CREATE DATABASE ascii TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'";
    admin.batch_execute(create).await.unwrap();
    // The last one of its URI: a role may be called so, too.
    let ascii = |role: &str| {
        let uri = lab.uri(role);
        let (before, after) = uri.rsplit_once("/shop").expect("the database of the lab");
        format!("{before}/ascii{after}")
    };
    let facts = server(&admin).await;
    for terminates in [false, true] {
        let client = connect(&ascii("shop_api")).await;
        let victim = pid(&client).await;
        let running = tokio::spawn(async move { client.batch_execute(&odd()).await });
        until(&admin, &format!("EXISTS (SELECT FROM pg_stat_activity WHERE pid = {victim} AND state = 'active')"))
            .await;
        // Seen from there the text cannot be sent as it is.
        let there = connect(&ascii("postgres")).await;
        let plain = format!("SELECT \"left\"(query, 200) FROM pg_stat_activity WHERE pid = {victim}");
        assert!(there.query(&plain, &[]).await.is_err(), "a text that breaks nothing proves nothing");
        let mut seen = {
            let safe =
                "SELECT backend_start::text, query_start::text, xact_start::text FROM pg_stat_activity WHERE pid = $1";
            let row = there.query_one(safe, &[&victim]).await.unwrap();
            let mut seen = session(&admin, pid(&admin).await).await;
            (seen.pid, seen.backend_start, seen.query_start, seen.xact_start) =
                (victim, row.get(0), row.get(1), row.get(2));
            seen
        };
        seen.query = "?".into();
        let mut hands = Hands::ready(&ascii("oncall"), &folder.path().join("audit.jsonl")).await;
        let looked = hands.look(&Write::cancel(&seen, &facts)).await;
        let Looked { answer: Ok(looked), .. } = looked else { panic!("{looked:?}") };
        let text = looked.sessions.first().map(|s| s.query.raw().to_owned()).unwrap_or_default();
        assert!(text.starts_with("SELECT pg_sleep(60) /* \u{e9}\u{e9}"), "{text}");
        let approved = if terminates {
            let deaf = [pgtriage::guard::StatementKey { session: seen.key(), query_start: seen.query_start.clone() }];
            let world = world(&facts, vec![seen.clone()]);
            let scene = pgtriage::guard::Scene { deaf: &deaf, ..super::bench::scene(&world) };
            super::bench::approve_in(Write::terminate(&seen, &facts), &scene)
        } else {
            approve(Write::cancel(&seen, &facts), &world(&facts, vec![seen.clone()]))
        };
        let outcome = hands.take(approved).await;
        assert!(matches!(outcome, Outcome::Done(_)), "{major}, terminates {terminates}: {outcome:?}");
        hands.handle.finish().await;
        assert!(running.await.unwrap().is_err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_outcome_is_told_whatever_the_text_on_13() {
    the_outcome_is_told_whatever_the_text(13).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_outcome_is_told_whatever_the_text_on_18() {
    the_outcome_is_told_whatever_the_text(18).await;
}
