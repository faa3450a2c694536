//! What is on disk after each line, and after each thing that can go wrong with one.

mod copying;
mod tampering;

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::guard::{Refusal, ServerIdentity, Who, Write};
use crate::message::Outcome;
use crate::model::session::SessionKey;
use crate::model::setting::Entry as FileEntry;
use crate::model::{ServerText, Timestamp};

fn audit(path: &Path) -> Audit {
    let console = Console { user: "alice".to_owned(), host: "jump".to_owned(), pid: 42, ..Console::default() };
    Audit::new(path, console)
}

fn write(query: &str) -> Write {
    Write::Cancel {
        session: SessionKey { pid: 4711, backend_start: Some("2025-11-24 03:01:55.000001+00".to_owned()) },
        query_start: Some("2025-11-24 03:02:05+00".to_owned()),
        query: ServerText::from(query),
        who: Who { user: Some("shop".into()), ..Who::default() },
        server: ServerIdentity { started: "2025-11-01 10:00:00+00".to_owned(), ..ServerIdentity::default() },
    }
}

fn outcome(audit: &Audit, query: &str) -> Entry {
    let at = Timestamp::from_microsecond(1_764_000_000_000_001).unwrap();
    let place = Place::default();
    let head = Head { id: "42-1", at, console: audit.console(), place: &place };
    Entry::outcome(&head, &write(query), &Outcome::Gone, Vec::new())
}

fn read(path: &Path) -> Vec<Entry> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn the_file_is_its_owners_alone_and_so_is_its_directory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state/pgtriage/audit.jsonl");
    audit(&path).check().await.unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    assert_eq!(std::fs::read(&path).unwrap(), b"", "a check adds no line");
}

#[tokio::test]
async fn a_line_reads_back_as_it_was_written_whatever_the_query_holds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let audit = audit(&path);
    let hostile = outcome(&audit, "SELECT '\n\r\u{2028}\u{1b}[2J\u{9b}\u{202e}\u{e0041}é漢\"\\'");
    audit.append(&hostile).await.unwrap();
    audit.append(&outcome(&audit, "next")).await.unwrap();
    assert_eq!(read(&path), [hostile, outcome(&audit, "next")]);
    let printed = std::fs::read_to_string(&path).unwrap();
    assert!(printed.chars().all(|c| c == '\n' || c.is_ascii_graphic() || c == ' ' || "é漢".contains(c)), "{printed:?}");
    assert_eq!(read(&path)[0].time, "2025-11-24T16:00:00.000001Z");
}

#[tokio::test]
async fn a_termination_says_which_transaction_in_which_state_it_ended() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let audit = audit(&path);
    let write = Write::Terminate {
        session: SessionKey { pid: 4711, backend_start: Some("2025-11-24 03:01:55.000001+00".to_owned()) },
        xact_start: Some("2025-11-24 03:02:04+00".to_owned()),
        query_start: None,
        state: Some(crate::model::session::State::IdleInTransactionAborted),
        query: ServerText::from("SELECT 1"),
        who: Who::default(),
        server: ServerIdentity::default(),
        waits: true,
    };
    let place = Place::default();
    let head = Head { id: "42-2", at: Timestamp::UNIX_EPOCH, console: audit.console(), place: &place };
    let line = Entry::verified(&head, &write, true, 200);
    audit.append(&line).await.unwrap();
    assert_eq!(read(&path), [line]);
    let printed = std::fs::read_to_string(&path).unwrap();
    for part in ["\"action\":\"terminate\"", "\"state\":\"idle in transaction (aborted)\"", "\"gone\":true"] {
        assert!(printed.contains(part), "{printed}");
    }
}

#[tokio::test]
async fn a_long_query_is_cut_at_a_character() {
    let folder = tempfile::tempdir().unwrap();
    let audit = audit(&folder.path().join("audit.jsonl"));
    let Target::Cancel { query, .. } = outcome(&audit, &"é".repeat(1 << 20)).target else { panic!("not a cancel") };
    assert_eq!(query.raw().chars().count(), 8192);
}

#[tokio::test]
async fn no_password_of_a_query_reaches_the_file_by_any_of_its_lines() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let audit = audit(&path);
    let query = "ALTER ROLE app PASSWORD 'hunter2'";
    let place = Place::default();
    let head = Head { id: "42-1", at: Timestamp::UNIX_EPOCH, console: audit.console(), place: &place };
    let ran = format!("it now runs: {query}");
    let refusal = Refusal::StatementChanged { pid: 4711, now: query.into() }.sentence();
    for entry in [
        outcome(&audit, query),
        Entry::outcome(&head, &write("q"), &Outcome::Changed(ran.clone()), vec![ran]),
        Entry::refused(&head, &write(query), &refusal),
    ] {
        audit.append(&entry).await.unwrap();
    }
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.matches("PASSWORD '\\u2026'").count(), 5, "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn no_setting_brings_its_secret_into_a_line_and_what_can_be_undone_stands_there_to_the_letter() {
    let setting = |name: &str, value: &str| Write::Setting {
        name: name.to_owned(),
        now: value.to_owned(),
        shown: value.to_owned(),
        was: FileEntry::Text(value.into()),
        exact: true,
        to: FileEntry::Text(value.into()),
        expect: None,
        undoes: None,
        server: ServerIdentity::default(),
    };
    let line = |write: &Write| {
        let (console, place) = (Console::default(), Place::default());
        let head = Head { id: "42-r1", at: Timestamp::UNIX_EPOCH, console: &console, place: &place };
        serde_json::to_string(&Entry::refused(&head, write, "no")).unwrap()
    };
    let hidden = line(&setting("primary_conninfo", "user=rep password=hunter2 host=db1"));
    assert!(!hidden.contains("hunter2") && hidden.matches("hidden: may hold a secret").count() == 3, "{hidden}");
    let shown = line(&setting("work_mem", "64MB"));
    assert_eq!(shown.matches("64MB").count(), 3, "{shown}");
}

#[tokio::test]
async fn a_reader_takes_a_line_with_fields_that_it_does_not_know() {
    let folder = tempfile::tempdir().unwrap();
    let audit = audit(&folder.path().join("audit.jsonl"));
    let mut value = serde_json::to_value(outcome(&audit, "q")).unwrap();
    value.as_object_mut().unwrap().insert("previous".to_owned(), "sha256".into());
    assert_eq!(serde_json::from_value::<Entry>(value).unwrap(), outcome(&audit, "q"));
}

#[tokio::test]
async fn a_line_torn_by_a_crash_stays_and_does_not_spoil_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    std::fs::write(&path, "{\"v\":1,\"tor").unwrap();
    let audit = audit(&path);
    audit.append(&outcome(&audit, "q")).await.unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "{\"v\":1,\"tor");
    assert_eq!(serde_json::from_str::<Entry>(lines[1]).unwrap(), outcome(&audit, "q"));
}

#[tokio::test]
async fn a_log_that_was_rotated_away_is_not_written_to_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let (path, old) = (folder.path().join("audit.jsonl"), folder.path().join("audit.jsonl.1"));
    let audit = audit(&path);
    audit.append(&outcome(&audit, "one")).await.unwrap();
    std::fs::rename(&path, &old).unwrap();
    audit.append(&outcome(&audit, "two")).await.unwrap();
    assert_eq!((read(&old), read(&path)), (vec![outcome(&audit, "one")], vec![outcome(&audit, "two")]));
}

#[tokio::test]
async fn a_log_that_is_a_directory_or_under_a_file_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(audit(folder.path()).check().await, Err(AuditError::File { .. })));
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    assert!(matches!(audit(&file.join("audit.jsonl")).check().await, Err(AuditError::File { .. })));
    assert!(matches!(audit(Path::new("/dev/null")).check().await, Err(AuditError::NotAFile(_))));
}

#[tokio::test]
async fn a_lock_held_by_somebody_else_is_waited_for_but_not_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let audit = audit(&path);
    audit.check().await.unwrap();
    let held = File::open(&path).unwrap();
    held.lock().unwrap();
    assert!(matches!(audit.append(&outcome(&audit, "q")).await, Err(AuditError::Locked(_))));
    held.unlock().unwrap();
    audit.append(&outcome(&audit, "q")).await.unwrap();
    assert_eq!(read(&path).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_line_that_nobody_waits_for_any_more_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let audit = audit(&path);
    let abandoned = Abandoned::default();
    // A disk that hangs before the line, and wakes up after the action was given up.
    let (wake, woken) = std::sync::mpsc::channel::<()>();
    let (done, ended) = std::sync::mpsc::channel();
    let (file, given_up) = (path.clone(), abandoned.clone());
    let work = move || {
        woken.recv().unwrap();
        let late = append(&file, "{\"late\":1}", &given_up);
        done.send(late.is_err()).unwrap();
        late
    };
    let slow = async { tokio::time::advance(DISK_PATIENCE + Duration::from_millis(1)).await };
    let (answer, ()) = tokio::join!(audit.bounded(&abandoned, work), slow);
    assert!(matches!(answer, Err(AuditError::Slow(_))));
    wake.send(()).unwrap();
    assert!(ended.recv().unwrap());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "");
    // One that is waited for is.
    append(&path, "{\"soon\":1}", &Abandoned::default()).unwrap();
    assert!(std::fs::read_to_string(&path).unwrap().contains("soon"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_writers_of_one_file_leave_only_whole_lines() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    let tasks: Vec<_> = (0..4)
        .map(|writer| {
            let audit = audit(&path);
            tokio::spawn(async move {
                for line in 0..50 {
                    let query = format!("{writer}/{line} {}", "x".repeat(line * 100));
                    audit.append(&outcome(&audit, &query)).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(read(&path).len(), 200);
}

#[test]
fn every_refusal_has_a_sentence_for_the_log() {
    let audit = audit(Path::new("audit.jsonl"));
    let place = Place::default();
    let head = Head { id: "42-1", at: Timestamp::UNIX_EPOCH, console: audit.console(), place: &place };
    let entry = Entry::refused(&head, &write("q"), &Refusal::Frozen.sentence());
    assert_eq!(entry.event, EventKind::Refused);
    assert!(entry.refusal.is_some_and(|r| r.contains("frozen")) && entry.outcome.is_none());
}
