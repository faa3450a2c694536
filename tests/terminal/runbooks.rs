//! Runbooks of one's own, from a folder, in the program itself: no server is needed to read them.

use std::fs;
use std::process::Command;

use super::driver::{ESC, Start, WIDE};

/// Nobody listens there.
const NOBODY: &str = "postgresql://oncall@127.0.0.1:1/shop?connect_timeout=2";

const OWN: &str = r#"
id = "queue"
title = "The job queue does not drain"
summary = "Workers hang."

[[detect]]
says = "Many sessions wait for locks"
fact = "blocked_sessions"
above = 10

[[step]]
title = "Restart the workers"
text = "One after the other."

[step.copy]
what = "shell"
risk = "jobs are started again"
text = "systemctl restart shop-workers"
"#;

#[test]
fn a_runbook_of_a_folder_is_listed_opened_and_copied_and_what_it_replaces_is_said() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("queue.toml"), OWN).unwrap();
    fs::write(folder.path().join("ours.toml"), OWN.replace("\"queue\"", "\"memory-pressure\"")).unwrap();
    fs::write(folder.path().join("notes.md"), "no runbook").unwrap();
    let path = folder.path().to_str().unwrap();
    let console = Start::with(&[NOBODY, "--runbooks", path]).size(WIDE).open_on_triage();
    console.until("stands in the place of the built-in one", 10);
    let mut console = console;
    console.keys(ESC);
    console.keys("2");
    console.keys("r");
    console.until("Runbooks", 5);
    console.keys("drain");
    console.until("The job queue does not drain +0 of 1 met, 1 unknown", 5);
    console.keys("\r");
    console.until("1 Restart the workers", 5);
    console.until("not known: no connection to the server", 5);
    console.keys("Y");
    console.until("shell sent to the terminal's clipboard, 30 characters", 5);
    console.keys("d");
    console.until("done [0-9:]+Z", 5);
    console.leave();
}

#[test]
fn a_fault_in_a_folder_is_a_sentence_with_file_and_line_before_the_console_opens() {
    let folder = tempfile::tempdir().unwrap();
    let said = |text: &str| {
        let file = folder.path().join("own.toml");
        fs::write(&file, text).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_pgtriage"));
        command.args([NOBODY, "--runbooks"]).arg(folder.path()).env("HOME", folder.path());
        let output = command.env_remove("XDG_CONFIG_HOME").output().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap().replace(file.to_str().unwrap(), "own.toml")
    };
    let wrong = said(&OWN.replace("blocked_sessions", "blocked_session"));
    let meant = "no fact is called `blocked_session`; did you mean `blocked_sessions`?";
    assert_eq!(wrong.trim_end(), format!("error: --runbooks: own.toml:8: {meant}"));
    let terminal = said(OWN);
    assert!(terminal.contains("needs a terminal"), "without a fault it is the terminal that is missing: {terminal}");
    fs::write(folder.path().join("z.toml"), OWN).unwrap();
    let twice = said(OWN);
    assert!(twice.contains("z.toml:1: a runbook `queue` is in own.toml already"), "{twice}");
}
