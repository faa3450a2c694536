//! `pgtriage audit` as it is called: the real binary on real files, without a terminal and without a server.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use pgtriage::effect::audit::{Audit, Console, Entry};

const LOG: &str = "PGTRIAGE_TEST_LOG";

/// A line as the writer gives it to the log.
fn entry(id: u32, event: &str) -> Entry {
    let json = serde_json::json!({
        "v": 1, "time": format!("2025-11-24T03:14:{:02}.000000Z", id % 60), "id": format!("7-{id}"), "event": event,
        "console": { "user": "alice", "host": "jump", "pid": 7 },
        "server": { "place": "db1:5432", "database": "shop", "role": "oncall" },
        "identity": { "started": "", "system_identifier": null, "in_recovery": false },
        "target": { "action": "cancel", "pid": 4711, "backend_start": null, "query_start": null,
                    "who": { "user": "app", "database": "shop", "application": "", "client": null },
                    "query": "SELECT '\u{1b}[2J'" },
        "outcome": (event == "outcome").then(|| serde_json::json!({ "result": "done", "message": "signal sent" })),
    });
    serde_json::from_value(json).expect("a line")
}

/// What a hand that should not have does to the lines.
type Change = fn(&mut Vec<String>);

/// A home with a log of three whole actions in its usual place.
struct Home {
    folder: tempfile::TempDir,
    log: PathBuf,
}

impl Home {
    async fn with_a_log() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join(".local/state/pgtriage/audit.jsonl");
        let audit = Audit::new(&log, Console::default());
        for id in 1..=3 {
            audit.append(&entry(id, "intent")).await.unwrap();
            audit.append(&entry(id, "outcome")).await.unwrap();
        }
        Self { folder, log }
    }

    fn change(&self, change: impl FnOnce(&mut Vec<String>)) {
        let mut lines: Vec<String> = std::fs::read_to_string(&self.log).unwrap().lines().map(str::to_owned).collect();
        change(&mut lines);
        std::fs::write(&self.log, lines.join("\n") + "\n").unwrap();
    }

    fn run(&self, args: &[&str]) -> (Option<i32>, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pgtriage"));
        // A server that cannot be reached: nobody may try to.
        command.env_clear().env("HOME", self.folder.path()).env("PGHOST", "/nowhere");
        let Output { status, stdout, stderr } = command.args(args).stdin(Stdio::null()).output().unwrap();
        (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
    }

    fn verify(&self) -> (Option<i32>, String) {
        let (code, out, err) = self.run(&["audit", "verify"]);
        assert_eq!(err, "");
        (code, out)
    }
}

/// What the binary says of a log somewhere.
pub fn verified(log: &Path) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_pgtriage")).args(["audit", "verify"]).arg(log).output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[tokio::test]
async fn a_whole_log_is_success_and_says_what_a_chain_cannot_tell() {
    let home = Home::with_a_log().await;
    let (code, out) = home.verify();
    let said =
        "6 lines, 2025-11-24T03:14:01.000000Z to 2025-11-24T03:14:03.000000Z: chain whole, the last line's SHA-256 is ";
    assert!(out.starts_with(said), "{out}");
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!((code, lines.len(), lines[0].len()), (Some(0), 2, said.len() + 64));
    assert!(lines[1].contains("only a copy tells: syslog's (audit_syslog)"), "{out}");
    assert_eq!(verified(&home.log), (code, out));
}

#[tokio::test]
async fn each_way_to_tamper_is_failure_and_names_the_line() {
    let changes: [(&str, Change); 5] = [
        ("line 4: ", |lines| lines[2] = lines[2].replace("4711", "4712")),
        ("line 3: ", |lines| drop(lines.remove(2))),
        ("line 3: ", |lines| lines.insert(2, lines[4].clone())),
        ("line 3: ", |lines| lines.swap(2, 3)),
        ("line 1: ", |lines| drop(lines.remove(0))),
    ];
    for (number, change) in changes {
        let home = Home::with_a_log().await;
        home.change(change);
        let (code, out) = home.verify();
        assert!(code == Some(1) && out.starts_with(number) && out.contains(": chain broken"), "{code:?} {out}");
        let (code, out, _) = home.run(&["audit", "show"]);
        assert!(code == Some(0) && out.contains("the chain of hashes is broken: line"), "{out}");
    }
}

#[tokio::test]
async fn what_a_crash_leaves_is_told_and_is_no_break() {
    let home = Home::with_a_log().await;
    let whole = std::fs::read(&home.log).unwrap();
    std::fs::write(&home.log, &whole[..whole.len() - 40]).unwrap();
    let (code, out) = home.verify();
    assert_eq!(code, Some(0), "{out}");
    assert!(out.contains("line 6: unreadable: torn by a crash"), "{out}");
    assert!(out.contains("line 5: 2025-11-24T03:14:03Z: cancel pid 4711"), "{out}");
    assert!(out.trim_end().ends_with("no outcome: unknown"), "{out}");
}

#[tokio::test]
async fn show_is_a_row_per_action_and_nothing_in_it_moves_the_cursor() {
    let home = Home::with_a_log().await;
    let (code, out, err) = home.run(&["audit", "show", "--last", "2"]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    insta::assert_snapshot!(out, @r"
    time                  who         place                    action  target                                outcome            reason
    2025-11-24T03:14:02Z  alice@jump  db1:5432/shop as oncall  cancel  pid 4711, app@shop: SELECT '\x1b[2J'  done: signal sent
    2025-11-24T03:14:03Z  alice@jump  db1:5432/shop as oncall  cancel  pid 4711, app@shop: SELECT '\x1b[2J'  done: signal sent
    ");
}

#[tokio::test]
async fn a_log_that_cannot_be_read_is_wrong_usage() {
    let home = Home::with_a_log().await;
    for args in [["audit", "verify", "/none"], ["audit", "show", "/"], ["audit", "verify", "/dev/zero"]] {
        let (code, out, err) = home.run(&args);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{args:?}");
        assert!(err.starts_with("error: audit log /"), "{err}");
    }
    let (code, _, err) = home.run(&["audit"]);
    assert!(code == Some(2) && err.contains("verify, show"), "{err}");
}

#[tokio::test]
#[ignore = "run by a_full_disk_in_the_middle as a process of its own, whose files may not grow beyond a limit"]
async fn appends_until_the_disk_is_full() {
    let Some(log) = std::env::var_os(LOG) else { return };
    let audit = Audit::new(Path::new(&log), Console::default());
    let mut lines = 0;
    let error = loop {
        match audit.append(&entry(lines, "intent")).await {
            Ok(_) => lines += 1,
            Err(error) => break error.to_string(),
        }
    };
    assert!(error.contains("File too large"), "{error}");
    assert!(audit.append(&entry(lines, "intent")).await.is_err(), "it stays full");
    assert!(lines > 10, "{lines}");
}

/// Runs one of the ignored tests as a process whose files may not grow beyond so many kB. The signal that comes with
/// the limit is ignored, as there is none with a full disk.
pub fn limited(test: &str, most_kb: u64, variables: &[(&str, &str)]) -> std::process::ExitStatus {
    let program = std::env::current_exe().expect("this test has a path");
    let mut command = Command::new("bash");
    command.args(["-c", "trap '' XFSZ; ulimit -f \"$0\" && exec \"$@\"", &most_kb.to_string()]).arg(program);
    command.args(["--ignored", "--exact", test, "--nocapture"]).envs(variables.iter().copied());
    command.stdout(Stdio::null()).status().expect("bash runs")
}

#[tokio::test]
async fn a_full_disk_in_the_middle_leaves_whole_lines_and_the_chain_goes_on_once_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.jsonl");
    let variables = [(LOG, log.to_str().unwrap())];
    assert!(limited("audit::appends_until_the_disk_is_full", 10, &variables).success());
    let text = std::fs::read_to_string(&log).unwrap();
    assert!(text.ends_with('\n') && text.len() <= 10 << 10 && text.len() > 9 << 10, "{}", text.len());
    assert!(text.lines().all(|line| serde_json::from_str::<Entry>(line).is_ok()));
    Audit::new(&log, Console::default()).append(&entry(0, "outcome")).await.unwrap();
    let (code, out) = verified(&log);
    assert_eq!(code, Some(0), "{out}");
    assert!(out.contains(&format!("{} lines", text.lines().count() + 1)) && !out.contains("unreadable"), "{out}");
}
