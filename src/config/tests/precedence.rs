//! Which of several sources counts.

use super::*;

#[test]
fn each_source_goes_before_the_ones_below_it() {
    let mut around = around();
    let seconds = |around: &Around, line| around.run(line).refresh.as_secs();
    assert_eq!(seconds(&around, ""), 2);
    around = around.file(SYSTEM, "refresh = 3");
    assert_eq!(seconds(&around, ""), 3);
    around = around.file(OWN, "refresh = 4");
    assert_eq!(seconds(&around, ""), 4);
    around = around.var("PGTRIAGE_REFRESH", "5s");
    assert_eq!(seconds(&around, ""), 5);
    assert_eq!(seconds(&around, "--refresh 6"), 6);
    assert_eq!(seconds(&around, "--refresh 6 --refresh 7"), 7);
}

#[test]
fn a_target_goes_before_what_is_said_in_general_in_either_file() {
    let around = around()
        .file(
            SYSTEM,
            "refresh = 3\nslow_after = 10\n[target.shop]\nconninfo = 'host=db1'\nrefresh = 8\nslow_after = 20",
        )
        .file(OWN, "refresh = 4\n[target.shop]\nslow_after = 40");
    let shop = around.run("shop");
    assert_eq!((shop.refresh.as_secs(), shop.slow_after.as_secs()), (8, 40));
    let other = around.run("other");
    assert_eq!((other.refresh.as_secs(), other.slow_after.as_secs()), (4, 10));
    assert_eq!(around.run("shop --refresh 9").refresh.as_secs(), 9);
}

#[test]
fn another_file_takes_the_place_of_the_usual_one_but_not_of_the_systems() {
    let around = around()
        .file(SYSTEM, "read_only = true")
        .file(OWN, "refresh = 4")
        .file("/srv/other.toml", "slow_after = 5\nread_only = false");
    let settings = around.run("--config /srv/other.toml");
    assert_eq!((settings.refresh.as_secs(), settings.slow_after.as_secs()), (2, 5));
    assert_eq!(settings.read_only(), Some("/etc/pgtriage/config.toml:1"));
    let settings = around.var("PGTRIAGE_CONFIG", "/srv/other.toml").run("");
    assert_eq!(settings.slow_after.as_secs(), 5);
}

#[test]
fn read_only_by_whatever_word_and_the_reason_says_which() {
    let own = |text: &str| around().file(OWN, text);
    let table = [
        (around(), "--read-only", Some("--read-only")),
        (around().var("PGTRIAGE_READ_ONLY", "1"), "", Some("PGTRIAGE_READ_ONLY")),
        (around().var("PGTRIAGE_READ_ONLY", "please"), "", Some("PGTRIAGE_READ_ONLY")),
        (around().var("PGTRIAGE_READ_ONLY", "off"), "", None),
        (around().var("PGTRIAGE_READ_ONLY", "No"), "", None),
        (around().var("PGTRIAGE_READ_ONLY", ""), "", None),
        (own("read_only = true"), "", Some("/home/ann/.config/pgtriage/config.toml:1")),
        (own("read_only = true").var("PGTRIAGE_READ_ONLY", "0"), "", Some("/home/ann/.config/pgtriage/config.toml:1")),
        (own("read_only = true").var("PGTRIAGE_READ_ONLY", ""), "", Some("/home/ann/.config/pgtriage/config.toml:1")),
        (own("read_only = false"), "--read-only", Some("--read-only")),
        (own("[target.a]\nconninfo='host=a'\nread_only = true"), "a", Some("/home/ann/.config/pgtriage/config.toml:3")),
        (own("[target.a]\nconninfo='host=a'\nread_only = true"), "b", None),
    ];
    for (around, line, reason) in table {
        let settings = around.run(line);
        assert_eq!(settings.read_only(), reason, "{around:?} {line}");
        let policy = if reason.is_some() { Policy::Observer } else { Policy::Admin };
        assert_eq!(settings.policy(), policy);
    }
}

#[test]
fn what_the_system_forbids_nobody_allows() {
    let around = around()
        .file(SYSTEM, "\nread_only = true")
        .file(OWN, "read_only = false\n[target.shop]\nconninfo = 'host=db1'\nread_only = false")
        .file("/srv/other.toml", "read_only = false")
        .var("PGTRIAGE_READ_ONLY", "0")
        .var("XDG_CONFIG_HOME", "/srv");
    for line in ["", "shop", "--config /srv/other.toml", "--config /home/ann/.config/pgtriage/config.toml shop"] {
        let settings = around.run(line);
        assert_eq!(settings.read_only(), Some("/etc/pgtriage/config.toml:2"), "{line}");
    }
    // The same surroundings without that line do allow it.
    assert_eq!(around.file(SYSTEM, "").run("").policy(), Policy::Admin);
}

#[test]
fn what_the_system_forbids_for_a_target_nobody_allows_for_it() {
    let around = around()
        .file(SYSTEM, "[target.shop]\nconninfo = 'host=db1'\nread_only = true")
        .file(OWN, "[target.shop]\nread_only = false");
    assert_eq!(around.run("shop").read_only(), Some("/etc/pgtriage/config.toml:3"));
    assert_eq!(around.run("other").read_only(), None);
}

#[test]
fn a_read_only_false_of_the_system_is_a_default_like_any_other() {
    let around = around().file(SYSTEM, "read_only = false");
    assert_eq!(around.run("").read_only(), None);
    assert_eq!(around.run("--read-only").read_only(), Some("--read-only"));
}

#[test]
fn a_system_file_that_cannot_be_used_may_have_forbidden_everything() {
    let table = [
        (
            around().file(SYSTEM, "read_onyl = true"),
            "/etc/pgtriage/config.toml:1: no option is called `read_onyl`; did you mean `read_only`?",
        ),
        (around().broken(SYSTEM, io::ErrorKind::PermissionDenied), "/etc/pgtriage/config.toml: permission denied"),
        (around().broken(SYSTEM, io::ErrorKind::InvalidData), "/etc/pgtriage/config.toml: invalid data"),
    ];
    for (around, reason) in table {
        let settings = around.var("PGTRIAGE_READ_ONLY", "0").run("--refresh 4");
        assert_eq!(settings.read_only(), Some(reason));
        assert_eq!(settings.warnings, [format!("{reason}: the system's settings are not known, so this is read-only")]);
        assert_eq!(settings.refresh.as_secs(), 4);
    }
    assert_eq!(around().broken(SYSTEM, io::ErrorKind::NotADirectory).run("").policy(), Policy::Admin);
}

#[test]
fn the_audit_log_is_where_the_system_wants_it_whatever_the_user_says() {
    let around = around().file(SYSTEM, "audit_file = '/var/log/pgtriage.jsonl'").var("XDG_STATE_HOME", "/tmp/mine");
    assert_eq!(around.run("").audit_file, Some("/var/log/pgtriage.jsonl".into()));
    assert_eq!(
        around.clone().file(OWN, "audit_file = '/dev/null'").error(""),
        "error: /home/ann/.config/pgtriage/config.toml:1: `audit_file` is for the system's file alone: \
         who acts does not choose the record of it"
    );
    assert!(around.error("--audit-file /dev/null").starts_with("error: unexpected argument '--audit-file'"));
    assert_eq!(
        around.var("PGTRIAGE_AUDIT_FILE", "/dev/null").run("").audit_file,
        Some("/var/log/pgtriage.jsonl".into())
    );
}

#[test]
fn colour_goes_by_the_variable_that_all_programs_know() {
    assert!(around().var("NO_COLOR", "0").run("").no_color);
    assert!(!around().var("NO_COLOR", "").run("").no_color);
    assert!(around().run("--no-color").no_color);
    assert!(around().file(OWN, "no_color = true").run("").no_color);
}
