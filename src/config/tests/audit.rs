//! The subcommand `audit`, and that its name is the only word it takes away.

use super::*;

fn asked(around: &Around, line: &str) -> AuditRequest {
    match around.request(line) {
        Ok(Request::Audit(request)) => request,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn the_subcommand_takes_a_file_or_the_configured_log() {
    let usual = "/home/ann/.local/state/pgtriage/audit.jsonl";
    let table = [
        ("audit verify", AuditLook::Verify, usual),
        ("audit verify old.jsonl", AuditLook::Verify, "old.jsonl"),
        ("audit show", AuditLook::Show { last: None }, usual),
        ("audit show --last 5", AuditLook::Show { last: Some(5) }, usual),
        ("audit show old.jsonl --last=5", AuditLook::Show { last: Some(5) }, "old.jsonl"),
    ];
    for (line, look, file) in table {
        assert_eq!(asked(&around(), line), AuditRequest { look, file: file.into() }, "{line}");
    }
    let around = around().file(SYSTEM, "audit_file = '/var/log/pgtriage.jsonl'").file(OWN, "broken = ");
    assert_eq!(asked(&around, "audit verify").file, PathBuf::from("/var/log/pgtriage.jsonl"));
}

#[test]
fn where_the_configured_log_is_not_known_it_must_be_named() {
    let around = around().file(SYSTEM, "broken = ");
    let error = around.error("audit verify");
    assert!(error.contains("/etc/pgtriage/config.toml:1") && error.ends_with("name the audit log's file"), "{error}");
    assert_eq!(asked(&around, "audit verify old.jsonl").file, PathBuf::from("old.jsonl"));
}

#[test]
fn the_word_goes_before_a_target_and_a_database_which_d_still_reaches() {
    let around = around().file(OWN, "[target.audit]\nconninfo = 'host=db1'");
    for line in ["audit", "audit alice", "-U bob audit"] {
        let error = around.error(line);
        assert!(error.contains("pgtriage audit <COMMAND>"), "{line}: {error}");
        assert!(error.ends_with("`-d audit` is a database of that name."), "{line}: {error}");
    }
    for line in ["rules", "-U bob rules", "rules audit"] {
        let error = around.error(line);
        assert!(error.ends_with("`-d rules` is a database of that name."), "{line}: {error}");
    }
    for line in ["-d audit", "-daudit", "--dbname audit", "-- audit"] {
        let settings = around.run(line);
        let named = settings.connection.dbname.map(|d| d.reveal().to_owned()).or(settings.target);
        assert_eq!(named.as_deref(), Some("audit"), "{line}");
    }
    // After another word it is a user, as any word is; and no other subcommand takes a name away.
    assert_eq!(around.run("crm audit").connection.user.as_deref(), Some("audit"));
    for word in ["help", "verify", "show", "audi", "audits"] {
        assert_eq!(around.run(word).connection.dbname.map(|d| d.reveal().to_owned()).as_deref(), Some(word));
    }
}

#[test]
fn an_option_of_the_console_says_nothing_to_it() {
    assert_eq!(around().error("--host db1 audit verify"), "error: --host says nothing to `audit`");
    assert!(around().error("audit verify --host db1").contains("unexpected argument '--host'"));
    assert!(around().error("audit show --last few").contains("invalid value 'few'"));
}

#[test]
fn its_help_says_what_a_chain_cannot_tell() {
    let Ok(Request::Print(help)) = around().request("audit verify --help") else { panic!("help prints") };
    assert!(help.contains("cut off the end") && help.contains("copy in syslog"), "{help}");
}
