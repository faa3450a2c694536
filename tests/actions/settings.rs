//! Changing settings: what is in force, what is not and why, and the way back.

use std::path::PathBuf;

use pgtriage::effect::audit::changes::history;
use pgtriage::effect::audit::{EventKind, Target};
use pgtriage::guard::{Approved, Refusal, Verdict, Wish, Write, judge};
use pgtriage::message::{Outcome, WriterState};
use pgtriage::model::server::Server;
use pgtriage::model::setting::{Entry, Files, Kind, Setting, Settings, catalogue, value};
use pgtriage::model::{Question, Sample, Snapshot, Timestamp, World};
use pgtriage::postgres::{Lane, Link, SessionSettings};
use pgtriage::probe::settings::{read, read_files, read_overrides};
use pgtriage::probe::sql::{self, Script, Value};
use tokio_postgres::Client;

use super::bench::{Hands, approve, connect, conninfo, last_action, lines, scene, server, text, until, world};
use crate::lab::{Lab, PRIMARY, SERVERS, Wanted};

async fn asked(link: &mut Link, script: Script) -> pgtriage::postgres::Rows {
    let major = i32::try_from(link.facts().version / 10_000).unwrap();
    let names = catalogue::names();
    let sql = script.render(major, &[("names", Value::Text(&names))]).unwrap();
    link.read(&sql, std::time::Duration::from_secs(5)).await.expect("an answer")
}

/// The settings as the console reads them.
async fn settings(uri: &str) -> Settings {
    let session = SessionSettings::of(Lane::Fast, "alice");
    let mut link = pgtriage::postgres::connect(&conninfo(uri), Lane::Fast, &session).await.expect("a session");
    let mut settings = read(&asked(&mut link, sql::SETTINGS).await).unwrap();
    if settings.files == Files::Read {
        read_files(&mut settings, &asked(&mut link, sql::SETTINGS_FILES).await).unwrap();
    }
    read_overrides(&mut settings, &asked(&mut link, sql::SETTINGS_OVERRIDES).await).unwrap();
    link.close().await;
    settings
}

fn with(facts: &Server, settings: Settings) -> World {
    let mut world = world(facts, Vec::new());
    let answer = Ok(Snapshot::Settings(Box::new(settings)));
    let took = std::time::Duration::ZERO;
    world.take(Sample { question: Question::Settings, at: Timestamp::now(), took, answer });
    world
}

/// An approved change, as a person at the console of that role makes it.
async fn change(uri: &str, name: &str, typed: &str) -> Approved {
    let facts = server(&connect(uri).await).await;
    let settings = settings(uri).await;
    let row = settings.get(name).expect(name);
    let write = Write::setting(row, &Wish::read(row, typed).expect(typed), &facts);
    approve(write, &with(&facts, settings))
}

/// Waits until the last action's outcome is in the log.
async fn until_told(log: &std::path::Path) {
    for _ in 0..500 {
        if last_action(log).iter().any(|(event, _)| *event == EventKind::Outcome) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("no outcome in the log");
}

/// An approved way back from the last change of `name` that the log tells of.
async fn undo(uri: &str, name: &str, hands: &Hands) -> Approved {
    let facts = server(&connect(uri).await).await;
    let settings = settings(uri).await;
    // The line of the last outcome follows its news.
    until_told(&hands.log).await;
    let change = history(&hands.log).changes.into_iter().find(|change| change.name == name).expect("a change");
    let write = Write::undo(settings.get(name).unwrap(), &change, &facts).expect("known before");
    approve(write, &with(&facts, settings))
}

async fn auto_conf(client: &Client) -> (PathBuf, String) {
    let folder = text(client, "SELECT current_setting('data_directory')").await.unwrap();
    let path = PathBuf::from(folder).join("postgresql.auto.conf");
    let now = std::fs::read_to_string(&path).unwrap();
    (path, now)
}

async fn shows(client: &Client, name: &str) -> String {
    text(client, &format!("SELECT current_setting('{name}')")).await.unwrap()
}

fn written(outcome: Outcome) -> String {
    let Outcome::Written(words) = outcome else { panic!("{outcome:?}") };
    words
}

/// Each outcome in turn, on one server.
async fn each_outcome_is_what_the_server_did(major: u32) {
    let Some(lab) = Lab::start(Wanted { postgres: Some(major), ..PRIMARY }) else { return };
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.jsonl");
    let root = lab.uri("postgres");
    let watcher = connect(&root).await;
    let mut hands = Hands::ready(&root, &log).await;
    // The file as ALTER SYSTEM itself leaves it: with its head.
    watcher.batch_execute("ALTER SYSTEM RESET ALL").await.unwrap();
    let (_, first) = auto_conf(&watcher).await;

    // Query logging on: in force in other sessions too; then back, to the byte.
    let outcome = hands.take(change(&root, "log_min_duration_statement", "1000").await).await;
    assert_eq!(outcome, Outcome::Done("in force: 1s".to_owned()));
    until(&watcher, "current_setting('log_min_duration_statement') = '1s'").await;
    assert!(auto_conf(&watcher).await.1.contains("log_min_duration_statement = '1s'"));
    assert_eq!(settings(&root).await.query_logging().as_deref(), Some("≥1s"));
    logged(&hands).await;
    let outcome = hands.take(undo(&root, "log_min_duration_statement", &hands).await).await;
    let Outcome::Done(words) = outcome else { panic!("{outcome:?}") };
    assert!(words.starts_with("in force: -1, from "), "{words}");
    until(&watcher, "current_setting('log_min_duration_statement') = '-1'").await;
    assert_eq!(auto_conf(&watcher).await.1, first);
    until_told(&hands.log).await;
    assert_eq!(history(&hands.log).changes, []);
    assert_eq!(settings(&root).await.query_logging(), None);

    // An entry that stood there, in words of its own, comes back in these words.
    watcher.batch_execute("ALTER SYSTEM SET work_mem = '0.5GB'").await.unwrap();
    text(&watcher, "SELECT pg_reload_conf()::text").await;
    until(&watcher, "current_setting('work_mem') = '512MB'").await;
    let (_, before) = auto_conf(&watcher).await;
    assert_eq!(hands.take(change(&root, "work_mem", "8 MB").await).await, Outcome::Done("in force: 8MB".to_owned()));
    assert_eq!(hands.take(undo(&root, "work_mem", &hands).await).await, Outcome::Done("in force: 512MB".to_owned()));
    assert_eq!(auto_conf(&watcher).await.1, before);

    // A restart is needed, and said to be.
    let words = written(hands.take(change(&root, "max_connections", "120").await).await);
    assert_eq!(words, "written; needs a restart (pending_restart), until then 100 stays in force");
    assert_eq!(shows(&watcher, "max_connections").await, "100");
    let row = settings(&root).await.get("max_connections").unwrap().clone();
    assert!(row.pending_restart && row.error.is_none(), "{row:?}");
    assert!(matches!(hands.take(undo(&root, "max_connections", &hands).await).await, Outcome::Done(_)));
    assert_eq!(auto_conf(&watcher).await.1, before);

    // Overridden for our role; and for another one, whom alone it does not reach.
    watcher.batch_execute("ALTER ROLE postgres SET deadlock_timeout = '7s'").await.unwrap();
    let mut again = Hands::ready(&root, &log).await;
    let words = written(again.take(change(&root, "deadlock_timeout", "2s").await).await);
    assert_eq!(words, "written, but overridden for our role by ALTER ROLE … SET: 7s is in force there");
    watcher
        .batch_execute("ALTER ROLE postgres RESET deadlock_timeout; ALTER ROLE shop_api SET deadlock_timeout = '9s'")
        .await
        .unwrap();
    let outcome = hands.take(change(&root, "deadlock_timeout", "3s").await).await;
    let Outcome::Done(words) = outcome else { panic!("{outcome:?}") };
    assert_eq!(words, "in force: 3s, but for one role or database with a value of its own");
    assert_eq!(settings(&root).await.get("deadlock_timeout").unwrap().overrides[0].shown(), "role shop_api: 9s");
    // One that our own session sets for itself.
    let outcome = hands.take(change(&root, "statement_timeout", "10min").await).await;
    assert_eq!(outcome, Outcome::Done("in force: 10min".to_owned()));

    // Somebody else was faster: with the reload, and without it.
    let approved = change(&root, "log_lock_waits", "off").await;
    watcher.batch_execute("ALTER SYSTEM SET log_lock_waits = off").await.unwrap();
    let outcome = hands.take(approved).await;
    let Outcome::Changed(words) = outcome else { panic!("{outcome:?}") };
    assert_eq!(words, "somebody changed postgresql.auto.conf: 'off'; nothing was sent");
    let approved = change(&root, "log_temp_files", "0").await;
    watcher.batch_execute("ALTER SYSTEM SET log_temp_files = '5MB'").await.unwrap();
    text(&watcher, "SELECT pg_reload_conf()::text").await;
    until(&watcher, "current_setting('log_temp_files') = '5MB'").await;
    let Outcome::Changed(words) = hands.take(approved).await else { panic!("sent") };
    assert_eq!(words, "somebody changed it: 5MB is in force; nothing was sent");

    // Another server than the one that was asked about, by each of its marks.
    let facts = server(&watcher).await;
    for other in [
        Server { started: "2020-01-01 00:00:00+00".to_owned(), ..facts.clone() },
        Server { in_recovery: true, ..facts.clone() },
        Server { system_identifier: Some("1".to_owned()), ..facts.clone() },
    ] {
        let settings = settings(&root).await;
        let row = settings.get("jit").unwrap();
        let write = Write::setting(row, &Wish::read(row, "on").unwrap(), &other);
        let write =
            if row.value == "on" { Write::setting(row, &Wish::read(row, "off").unwrap(), &other) } else { write };
        let outcome = hands.take(approve(write, &with(&other, settings.clone()))).await;
        assert!(matches!(&outcome, Outcome::Changed(words) if words.contains("another one")), "{outcome:?}");
        let outcome = hands.take(approve(Write::reload(&other), &with(&other, settings))).await;
        assert!(matches!(&outcome, Outcome::Changed(words) if words.contains("another one")), "{outcome:?}");
    }

    // A value that we let through and the server does not take; nothing of it is written.
    let (_, before) = auto_conf(&watcher).await;
    let mut known = settings(&root).await;
    let at = known.rows.iter().position(|row| row.name == "checkpoint_timeout").unwrap();
    known.rows[at].max = None;
    let row: Setting = known.rows[at].clone();
    let write = Write::setting(&row, &Wish::read(&row, "30d").unwrap(), &facts);
    let outcome = hands.take(approve(write, &with(&facts, known))).await;
    assert!(matches!(&outcome, Outcome::Refused(words) if words.contains("22023")), "{outcome:?}");
    assert_eq!(auto_conf(&watcher).await.1, before);

    // The files, read again; with a fault in them that is told.
    let outcome = hands.take(approve(Write::reload(&facts), &with(&facts, settings(&root).await))).await;
    assert_eq!(outcome, Outcome::Done("the files were read again".to_owned()));
    let (path, sound) = auto_conf(&watcher).await;
    std::fs::write(&path, format!("{sound}work_mem = 'much'\n")).unwrap();
    let outcome = hands.take(approve(Write::reload(&facts), &with(&facts, settings(&root).await))).await;
    assert!(written(outcome).contains("work_mem"), "the fault is named");
    let known = settings(&root).await;
    assert!(known.errors[0].raw().contains("work_mem"), "{:?}", known.errors);
    std::fs::write(&path, sound).unwrap();
    until_told(&hands.log).await;
    assert_eq!(last_action(&hands.log).last().and_then(|(_, result)| result.clone()).as_deref(), Some("written"));
}

/// The log of the first action: enough to undo it.
async fn logged(hands: &Hands) {
    until_told(&hands.log).await;
    assert_eq!(last_action(&hands.log), [(EventKind::Intent, None), (EventKind::Outcome, Some("done".to_owned()))]);
    let intent = lines(&hands.log).swap_remove(0);
    assert_eq!(intent.sql.as_deref(), Some("ALTER SYSTEM SET log_min_duration_statement = '1s'"));
    assert_eq!(intent.confirmed.map(|c| c.by), Some("typed log_min_duration_statement".to_owned()));
    let Target::Setting { was, to, .. } = intent.target else { panic!("{:?}", intent.target) };
    assert_eq!((was, to), (Entry::Absent, Entry::Text("1s".into())));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_outcome_of_a_setting_is_what_the_server_did_on_13() {
    Box::pin(each_outcome_is_what_the_server_did(13)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_outcome_of_a_setting_is_what_the_server_did_on_15() {
    Box::pin(each_outcome_is_what_the_server_did(15)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_outcome_of_a_setting_is_what_the_server_did_on_18() {
    Box::pin(each_outcome_is_what_the_server_did(18)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_right_is_told_with_its_grant_and_with_the_grant_it_is_done() {
    for major in [13, 15, 18] {
        let Some(lab) = Lab::start(Wanted { postgres: Some(major), ..PRIMARY }) else { return };
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("audit.jsonl");
        let (root, oncall) = (connect(&lab.uri("postgres")).await, lab.uri("oncall"));
        let facts = server(&connect(&oncall).await).await;
        let mut hands = Hands::ready(&oncall, &log).await;
        let known = settings(&oncall).await;
        let cure = if major < 15 {
            "only a superuser may before 15; oncall is none"
        } else {
            "GRANT ALTER SYSTEM ON PARAMETER work_mem TO oncall"
        };
        // Told before anything is asked.
        let row = known.get("work_mem").unwrap().clone();
        let write = Write::setting(&row, &Wish::read(&row, "8MB").unwrap(), &facts);
        let refusal = Refusal::MayNotAlter { name: "work_mem".to_owned(), cure: cure.to_owned() };
        assert_eq!(judge(write.clone(), &scene(&with(&facts, known.clone()))), Verdict::Refuse(refusal));
        // And by the server, whatever was thought to be known: first of the reload, then of the setting.
        let mut wrong = known.clone();
        wrong.may_reload = true;
        wrong.rows.iter_mut().for_each(|row| row.may_alter = true);
        let outcome = hands.take(approve(write.clone(), &with(&facts, wrong.clone()))).await;
        let Outcome::Denied { cure: said, .. } = outcome else { panic!("{outcome:?}") };
        assert_eq!(said, "GRANT EXECUTE ON FUNCTION pg_reload_conf() TO oncall");
        let outcome = hands.take(approve(Write::reload(&facts), &with(&facts, wrong.clone()))).await;
        assert!(matches!(&outcome, Outcome::Denied { cure, .. } if *cure == said), "{outcome:?}");
        root.batch_execute(&said).await.unwrap();
        let outcome = hands.take(approve(write, &with(&facts, wrong))).await;
        let Outcome::Denied { cure: said, .. } = outcome else { panic!("{outcome:?}") };
        assert_eq!(said, cure);
        let outcome = hands.take(approve(Write::reload(&facts), &with(&facts, settings(&oncall).await))).await;
        assert_eq!(outcome, Outcome::Done("the files were read again".to_owned()));
        if major < 15 {
            continue;
        }
        root.batch_execute(cure).await.unwrap();
        // Our role may not read the file, but the value in force tells that it holds no entry.
        let row = settings(&oncall).await.get("work_mem").unwrap().clone();
        assert_eq!((row.entry, row.exact, row.may_alter), (Entry::Absent, false, true));
        let outcome = hands.take(change(&oncall, "work_mem", "8MB").await).await;
        assert_eq!(outcome, Outcome::Done("in force: 8MB".to_owned()));
        let (_, written) = auto_conf(&root).await;
        let outcome = hands.take(undo(&oncall, "work_mem", &hands).await).await;
        assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
        assert!(written.contains("work_mem = '8MB'") && !auto_conf(&root).await.1.contains("work_mem"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_between_question_and_answer_voids_a_change_of_a_setting() {
    for major in [13, 15, 18] {
        let Some(mut lab) = Lab::start(Wanted { postgres: Some(major), ..PRIMARY }) else { return };
        let folder = tempfile::tempdir().unwrap();
        let root = lab.uri("postgres");
        let mut hands = Hands::ready(&root, &folder.path().join("audit.jsonl")).await;
        let approved = change(&root, "work_mem", "8MB").await;
        lab.command("stop-primary immediate");
        assert!(matches!(hands.state().await, WriterState::Down(_)), "it says so by itself");
        lab.command("start-primary");
        while hands.state().await != WriterState::Ready {}
        let outcome = hands.take(approved).await;
        assert!(matches!(&outcome, Outcome::Changed(words) if words.contains("restarted")), "{outcome:?}");
        assert!(!auto_conf(&connect(&root).await).await.1.contains("work_mem"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_changes_its_own_settings_and_nobody_elses() {
    for major in [13, 15, 18] {
        let Some(lab) = Lab::start(Wanted { postgres: Some(major), ..SERVERS }) else { return };
        let folder = tempfile::tempdir().unwrap();
        let uri = lab.standby_uri("postgres");
        let mut hands = Hands::ready(&uri, &folder.path().join("audit.jsonl")).await;
        let outcome = hands.take(change(&uri, "max_standby_streaming_delay", "5min").await).await;
        assert_eq!(outcome, Outcome::Done("in force: 5min".to_owned()));
        let (here, there) = (connect(&uri).await, connect(&lab.uri("postgres")).await);
        until(&here, "current_setting('max_standby_streaming_delay') = '5min'").await;
        assert_eq!(shows(&there, "max_standby_streaming_delay").await, "30s");
        let facts = server(&there).await;
        until_told(&hands.log).await;
        let changes = history(&hands.log).changes;
        let id = facts.system_identifier.as_deref();
        assert!(!changes[0].is_of(Some("elsewhere:1"), id, facts.in_recovery), "the primary has no change to undo");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_is_read_and_shown_as_the_server_does() {
    for major in [13, 15, 18] {
        let Some(lab) = Lab::start(Wanted { postgres: Some(major), ..PRIMARY }) else { return };
        let uri = lab.uri("postgres");
        let (client, known) = (connect(&uri).await, settings(&uri).await);
        let mut compared = 0;
        for row in &known.rows {
            if row.kind == Kind::Text {
                continue;
            }
            // As the server shows what is in force, unless our role has a value of its own.
            let in_force = shows(&client, &row.name).await;
            assert_eq!(row.shown(), in_force, "{} on {major}", row.name);
            if row.context != "user" && row.context != "superuser" {
                continue;
            }
            for typed in [
                "0",
                "1",
                "-1",
                "7",
                "64",
                "1000",
                "4096",
                "0.1",
                "1.5",
                "2.25s",
                "90s",
                "1500us",
                "3min",
                "1h",
                "129kB",
                "64MB",
                "0.1GB",
                "1.5GB",
                "on",
                "f",
                "of",
                "ALL",
                "local",
                "warning",
                "x",
                "1 d",
                "5 parsecs",
            ] {
                let sql = format!("SELECT set_config('{}', '{typed}', true)", row.name);
                let server = client.query_one(&sql, &[]).await.ok().and_then(|row| row.get::<_, Option<String>>(0));
                let ours = value::read(row, typed).ok().map(|value| value.text);
                // Stricter is allowed; otherwise is not.
                assert!(ours.is_none() || ours == server, "{} = {typed} on {major}: {ours:?}, {server:?}", row.name);
                compared += usize::from(ours.is_some());
            }
        }
        assert!(compared > 150, "{compared}");
    }
}
