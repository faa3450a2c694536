//! What is said of a log: one row per action, and what breaks a chain.

use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::*;

/// A line without its hash; what is named in `fields` replaces what it has.
fn line(id: &str, event: &str, fields: &serde_json::Value) -> String {
    let mut json = serde_json::json!({
        "v": 1, "time": "2025-11-24T03:14:07.500000Z", "id": id, "event": event,
        "console": { "user": "root", "sudo_user": "alice", "host": "jump", "pid": 7 },
        "server": { "place": "db1:5432", "database": "shop", "role": "oncall" },
        "identity": { "started": "", "system_identifier": null, "in_recovery": false },
        "target": { "action": "cancel", "pid": 4711, "backend_start": null, "query_start": null,
                    "who": { "user": "app", "database": "shop", "application": "", "client": null },
                    "query": "SELECT 1" },
    });
    let (Some(all), Some(given)) = (json.as_object_mut(), fields.as_object()) else { panic!("objects") };
    all.extend(given.clone());
    json.to_string()
}

/// The lines, each with the hash of the one before it.
fn chained(lines: &[String]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for line in lines {
        let hash = |before: &String| {
            Sha256::digest(before).iter().fold(String::new(), |mut hex, byte| {
                write!(hex, "{byte:02x}").unwrap();
                hex
            })
        };
        let previous = out.last().map_or_else(|| "first".to_owned(), hash);
        out.push(format!("{{\"previous\":\"{previous}\",{}", line.strip_prefix('{').unwrap()));
    }
    out
}

fn look(look: AuditLook, lines: &[String]) -> Answer {
    looked(look, &(chained(lines).join("\n") + "\n"))
}

fn looked(look: AuditLook, text: &str) -> Answer {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("audit.jsonl");
    std::fs::write(&file, text).unwrap();
    answer(&AuditRequest { look, file }).unwrap()
}

#[test]
fn a_file_that_is_no_log_is_not_whole() {
    let unhashed = line("7-1", "intent", &serde_json::json!({}));
    let torn = "{\"previous\":\"first\",\"v\":1,\"ti";
    let table = [
        ("root:x:0:0:root:/root:/bin/bash\n", "line 1: it is no line of an audit log"),
        ("\n", "line 1: it is no line"),
        ("{}\n", "line 1: it has no hash"),
        ("{", "line 1: it is no line"),
        (&unhashed, "line 1: it has no hash"),
        (&format!("{torn}\njunk\n"), "line 2: it is no line"),
    ];
    for (text, said) in table {
        let told = looked(AuditLook::Verify, text);
        assert!(
            !told.whole && told.text.starts_with(said) && told.text.contains("chain broken"),
            "{text}: {}",
            told.text
        );
    }
    assert!(looked(AuditLook::Verify, torn).whole, "what a crash tore is told, and is no break");
}

fn show(lines: &[String]) -> String {
    look(AuditLook::Show { last: None }, lines).text
}

#[test]
fn the_lines_of_an_action_are_one_row_even_where_others_stand_between() {
    let vacuum = serde_json::json!({ "target": { "action": "vacuum", "database": "shop", "oid": 1,
                                                 "schema": "public", "name": "orders", "kind": "r" } });
    let lines = [
        line("7-1", "intent", &serde_json::json!({ "reason": "holds up\u{1b} the shop" })),
        line("7-2", "intent", &vacuum),
        line("7-1", "outcome", &serde_json::json!({ "outcome": { "result": "done", "message": "signal sent" } })),
        line("7-r1", "refused", &serde_json::json!({ "refusal": "the screen is frozen" })),
        line("7-1", "verified", &serde_json::json!({ "gone": false, "after_ms": 1000 })),
        line("7-1", "verified", &serde_json::json!({ "gone": true, "after_ms": 2840 })),
    ];
    insta::assert_snapshot!(show(&lines), @r"
    time                  who                 place                    action  target                        outcome                                             reason
    2025-11-24T03:14:07Z  alice as root@jump  db1:5432/shop as oncall  cancel  pid 4711, app@shop: SELECT 1  done: signal sent; the statement ended after 2.8 s  holds up\x1b the shop
    2025-11-24T03:14:07Z  alice as root@jump  db1:5432/shop as oncall  vacuum  public.orders in shop         no outcome: unknown
    2025-11-24T03:14:07Z  alice as root@jump  db1:5432/shop as oncall  cancel  pid 4711, app@shop: SELECT 1  refused: the screen is frozen
    ");
    let last = look(AuditLook::Show { last: Some(1) }, &lines).text;
    assert_eq!(last.lines().count(), 2, "{last}");
    assert!(last.contains("refused: the screen is frozen") && !last.contains("4711, app@shop: SELECT 1  done"));
    assert_eq!(look(AuditLook::Show { last: Some(0) }, &lines).text.lines().count(), 1);
}

#[test]
fn hostile_text_is_escaped_in_every_cell_and_in_every_sentence() {
    let evil = "\u{1b}]0;x\u{7}\u{202e}\n";
    let lines = [
        line(
            evil,
            "intent",
            &serde_json::json!({
                "time": evil,
                "console": { "user": evil, "sudo_user": evil, "host": evil, "pid": 7 },
                "server": { "place": evil, "database": evil, "role": evil },
                "target": { "action": "cancel", "pid": 1, "backend_start": null, "query_start": null,
                            "who": { "user": evil, "database": evil, "application": "", "client": null },
                            "query": evil.repeat(40) },
            }),
        ),
        line("b", "refused", &serde_json::json!({ "refusal": evil })),
        line("c", "outcome", &serde_json::json!({ "outcome": { "result": evil, "message": evil } })),
        line(
            "d",
            "refused",
            &serde_json::json!({ "target": { "action": "vacuum", "database": evil, "oid": 1,
                                                              "schema": evil, "name": evil, "kind": "r" } }),
        ),
    ];
    for text in [show(&lines), look(AuditLook::Verify, &lines).text] {
        assert!(text.chars().all(|c| c == '\n' || (!c.is_control() && c != '\u{202e}')), "{text:?}");
        assert!(text.contains("\\x1b]0;x\\x07\\u{202e}"), "{text}");
    }
    assert_eq!(show(&lines).lines().count(), 5);
}

#[test]
fn an_intent_without_an_outcome_is_listed_and_is_no_break() {
    let none = serde_json::json!({});
    let told = look(AuditLook::Verify, &[line("7-1", "intent", &none), line("7-2", "intent", &none)]);
    assert!(told.whole);
    let hash = regex::Regex::new("[0-9a-f]{64}").unwrap();
    insta::assert_snapshot!(hash.replace(&told.text, "HASH"), @r"
    2 lines, 2025-11-24T03:14:07.500000Z to 2025-11-24T03:14:07.500000Z: chain whole, the last line's SHA-256 is HASH
    whether lines were cut off the end only a copy tells: syslog's (audit_syslog), or that SHA-256 noted elsewhere
    line 1: 2025-11-24T03:14:07Z: cancel pid 4711, app@shop: SELECT 1 at db1:5432/shop as oncall: no outcome: unknown
    line 2: 2025-11-24T03:14:07Z: cancel pid 4711, app@shop: SELECT 1 at db1:5432/shop as oncall: no outcome: unknown
    ");
}

#[test]
fn an_empty_log_and_one_torn_line_are_said_to_be_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("audit.jsonl");
    std::fs::write(&file, "").unwrap();
    let verify = |file: &Path| answer(&AuditRequest { look: AuditLook::Verify, file: file.to_path_buf() }).unwrap();
    assert_eq!(verify(&file), Answer { text: "0 lines: nothing was recorded yet\n".to_owned(), whole: true });
    std::fs::write(&file, "{\"previous\":\"fir").unwrap();
    let told = verify(&file);
    assert!(told.whole && told.text.contains("line 1: unreadable"), "{}", told.text);
}

#[test]
fn every_break_has_a_sentence_with_its_line() {
    for why in
        [Why::Headless, Why::Restarted, Why::Unhashed, Why::Foreign, Why::Elsewhere(2), Why::Elsewhere(9), Why::Missing]
    {
        let sentence = broken(&Break { line: 7, why });
        assert!(sentence.starts_with("line 7: it "), "{sentence}");
    }
}
