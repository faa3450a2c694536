//! Read-only: whatever is pressed, the server hears nothing but reads. The same keys write where writing is allowed.

use super::driver::{Console, ESC, Start, WIDE};
use super::scene::Scene;

const TABS: [&str; 7] = ["1", "2", "3", "5", "6", "7", "8"];

/// What every question has on its last line; one word, since a blank that was there before is not drawn again.
const ASKED: &str = "yes,";

/// Keys that are no characters, as a terminal sends them; without those that leave or suspend.
const SPECIAL: [&str; 25] = [
    "\r", "\t", "\x1b[Z", "\x7f", "\x1b[3~", "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D", "\x1b[H", "\x1b[F", "\x1b[5~",
    "\x1b[6~", "\x1bOP", "\x1bOQ", "\x1bOR", "\x1bOS", "\x1b[15~", "\x1b[24~", "\x01", "\x05", "\x12", "\x18", "\x1bx",
    "\x1bv",
];

/// All that can be typed, but what leaves.
fn every_key() -> Vec<String> {
    let characters = (' '..='~').filter(|c| *c != 'q').map(String::from);
    characters.chain(SPECIAL.map(str::to_owned)).collect()
}

/// Waits until every key so far was taken in: a word that was never typed before is typed, and seen.
fn settle(console: &mut Console, count: usize) {
    let word = format!("settled{count}");
    console.keys(&format!("{ESC}{ESC}2/{word}"));
    console.until(&word, 30);
    console.keys(ESC);
    console.until_not(&word, 10);
}

/// Presses every key twice on every tab, with Enter and `y` after each, on the list and in a detail; then once more as
/// somebody who waits for a question, and says yes to it. Where there `is_writer`, the question of a cancel and of a vacuum is
/// waited for until it comes: the writer may have to look first.
fn press_everything(console: &mut Console, is_writer: bool) {
    console.until("of 97 slots", 10);
    let mut count = 0;
    for tab in TABS {
        // Latency and Cache have no rows to open, and a finding opens another tab.
        let details: &[&str] = if matches!(tab, "1" | "7" | "8") { &[""] } else { &["", "\r"] };
        for detail in details {
            for key in every_key() {
                // Twice, so that what toggles is as it was.
                for after in ["\ry", "y\r"] {
                    console.keys(&format!("{tab}{detail}{key}{after}{ESC}{ESC}{ESC}"));
                }
            }
            count += 1;
            settle(console, count);
        }
    }
    for (tab, row) in [("2", "culprit"), ("5", "!TOAST")] {
        // The first row is one that something could be done to.
        let there = format!("{ESC}{ESC}{tab}/{row}\rg");
        for key in every_key() {
            let is_likely = key == "x" || key == "v";
            if is_likely {
                count += 1;
                settle(console, count);
            }
            console.keys(&format!("{there}{key}"));
            let is_sure = is_writer && matches!((tab, key.as_str()), ("2", "x") | ("5", "v"));
            let patience = if is_sure {
                20_000
            } else if is_likely {
                1000
            } else {
                10
            };
            if console.asks_within_ms(patience) {
                console.say_yes();
            }
            console.keys(&format!("{there}{key}"));
        }
        count += 1;
        settle(console, count);
    }
}

/// The statements of our own sessions in a server log that holds all statements.
fn statements(log: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut ours = false;
    for line in log.lines() {
        if line.starts_with('\t') {
            if let Some(last) = found.last_mut().filter(|_| ours) {
                last.push('\n');
                last.push_str(line.trim());
            }
            continue;
        }
        let statement = line
            .split_once("LOG:  ")
            .and_then(|(_, rest)| {
                let (kind, sql) = rest.split_once(": ")?;
                (kind == "statement" || kind.starts_with("execute")).then_some(sql)
            })
            .filter(|_| line.contains("/pgtriage/"));
        ours = statement.is_some();
        found.extend(statement.map(str::to_owned));
    }
    found
}

/// What a statement begins with, and what else is in the same string.
fn verbs(statement: &str) -> Vec<String> {
    let code: Vec<&str> = statement.lines().filter_map(|line| line.split("--").next()).collect();
    let code = code.join("\n");
    let parts = code.split(';').map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| part.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default().to_uppercase()).collect()
}

const ACTS: [&str; 9] = [
    "pg_cancel_backend(",
    "pg_terminate_backend(",
    "pg_reload_conf(",
    "pg_stat_reset",
    "pg_stat_statements_reset",
    "set_config(",
    "nextval(",
    "pg_advisory",
    "FOR UPDATE",
];

/// The plans that are kept: a name, and the statement that it stands for.
fn kept(statement: &str) -> Option<(&str, &str)> {
    statement.strip_prefix("PREPARE ")?.split_once(" AS\n")
}

/// What is kept is judged as if it ran, and what runs by a name must have been kept under it.
fn is_read(statement: &str, all: &[String]) -> bool {
    if let Some(name) = statement.strip_prefix("EXECUTE ").or_else(|| statement.strip_prefix("DEALLOCATE ")) {
        return all.iter().filter_map(|other| kept(other)).any(|(other, _)| other == name);
    }
    let statement = kept(statement).map_or(statement, |(_, statement)| statement);
    let reads = ["SELECT", "WITH", "SHOW", "SET", "BEGIN", "COMMIT", "ROLLBACK", "EXPLAIN"];
    verbs(statement).iter().all(|verb| reads.contains(&verb.as_str()))
        && !ACTS.iter().any(|act| statement.contains(act))
}

/// The statements that a console sends while everything is pressed, and what was drawn.
fn heard(scene: &mut Scene, is_writer: bool) -> (Vec<String>, String) {
    let sql = scene.sql("postgres");
    let victim = scene.sql("shop_api");
    victim.begin("SELECT pg_sleep(600) /* the culprit */");
    sql.log_statements(true);
    let from = scene.lab().log("primary").len();
    let uri = scene.uri("oncall");
    let mut arguments = vec![uri.as_str()];
    if !is_writer {
        arguments.push("--read-only");
    }
    let mut console = Start::with(&arguments).size(WIDE).open();
    press_everything(&mut console, is_writer);
    let writers = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pgtriage/writer%'";
    let writers = sql.number(writers);
    let raw = String::from_utf8_lossy(&console.raw()).into_owned();
    let read_only = console.screen().contains("READ-ONLY");
    assert_eq!(writers == 0, read_only, "{writers} writers\n{}", console.screen());
    console.leave();
    sql.log_statements(false);
    (statements(&scene.log_since(from)), raw)
}

#[test]
fn in_read_only_mode_no_key_does_anything_but_read_and_the_same_keys_write_without_it() {
    let Some(mut scene) = Scene::small() else { return };
    let (sent, drawn) = heard(&mut scene, false);
    let writes: Vec<_> = sent.iter().filter(|statement| !is_read(statement, &sent)).collect();
    assert!(writes.is_empty(), "{writes:#?}");
    assert!(sent.len() > 50, "only {} statements", sent.len());
    assert!(!drawn.contains(ASKED), "it asked");

    let (sent, drawn) = heard(&mut scene, true);
    assert!(drawn.contains(ASKED), "it never asked");
    let writes: Vec<_> = sent.iter().filter(|statement| !is_read(statement, &sent)).collect();
    let cancels = writes.iter().filter(|statement| statement.contains("pg_cancel_backend(")).count();
    let vacuums = writes.iter().filter(|statement| statement.contains("VACUUM")).count();
    eprintln!("{} statements, {cancels} with a cancel (the rehearsal is one), {vacuums} vacuums", sent.len());
    assert!(vacuums > 0 && cancels > 1, "{writes:#?}");
}

#[test]
fn the_environment_makes_it_read_only_too() {
    let Some(mut scene) = Scene::small() else { return };
    let sql = scene.sql("postgres");
    let mut console = Start::with(&[&scene.uri("oncall")]).var("PGTRIAGE_READ_ONLY", "1").size((40, 10)).open();
    console.until("READ-ONLY", 10);
    console.until("live", 10);
    let writers = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pgtriage/writer%'";
    assert_eq!(sql.number(writers), 0);
    console.keys("x");
    settle(&mut console, 0);
    console.leave();
}
