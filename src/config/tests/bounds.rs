//! What may be done under whose word: wishes, ceilings, and that nobody raises one.

use super::*;

const TARGET: &str = "[target.shop]\nconninfo = 'host=db1'\n";

fn policy(around: &Around, line: &str) -> (Policy, Option<String>) {
    let bounds = around.run(line).bounds;
    (bounds.policy, bounds.policy_by)
}

fn place(servers: &[&str], database: &str) -> Place {
    Place { servers: servers.iter().map(|s| (*s).to_owned()).collect(), database: database.to_owned() }
}

#[test]
fn of_several_words_the_users_target_counts_before_the_general_and_a_flag_only_lowers() {
    use Policy::{Admin, Observer, Operator};
    let own = |text: &str| around().file(OWN, text);
    let targets = |text: &str| own(&format!("policy = 'operator'\n{TARGET}{text}"));
    let table = [
        (around(), "", Admin, None),
        (own("policy = 'operator'"), "", Operator, Some(format!("{OWN}:1"))),
        (own("policy = 'operator'"), "--policy observer", Observer, Some("--policy".to_owned())),
        (own("policy = 'operator'"), "--policy admin", Operator, Some(format!("{OWN}:1"))),
        (own("policy = 'operator'").var("PGTRIAGE_POLICY", "admin"), "", Operator, Some(format!("{OWN}:1"))),
        (around().var("PGTRIAGE_POLICY", "operator"), "--policy admin", Operator, Some("PGTRIAGE_POLICY".to_owned())),
        (around(), "--policy operator --read-only", Observer, Some("--read-only".to_owned())),
        (own("policy = 'admin'\nread_only = true"), "", Observer, Some(format!("{OWN}:2"))),
        (targets("policy = 'admin'"), "shop", Admin, None),
        (targets("policy = 'observer'"), "shop", Observer, Some(format!("{OWN}:4"))),
        (targets(""), "shop", Operator, Some(format!("{OWN}:1"))),
    ];
    for (around, line, expected, by) in table {
        assert_eq!(policy(&around, line), (expected, by), "{around:?} {line}");
    }
}

#[test]
fn read_only_said_anywhere_is_lifted_by_nothing_said_later() {
    let general = || around().file(OWN, "read_only = true");
    let target = |text: &str| around().file(OWN, &format!("{text}\n{TARGET}read_only = true"));
    let lifting = format!("read_only = true\n{TARGET}read_only = false");
    let zero = |around: Around| around.var("PGTRIAGE_READ_ONLY", "0");
    let table = [
        (zero(general()), "", 1),
        (zero(general()), "--policy admin", 1),
        (zero(target("")), "shop", 4),
        (zero(target("read_only = false")), "shop", 4),
        (around().file(OWN, &lifting), "shop", 1),
    ];
    for (around, line, at) in table {
        let settings = around.run(line);
        let (policy, by) = (settings.bounds.policy, settings.bounds.policy_by);
        assert_eq!((policy, by), (Policy::Observer, Some(format!("{OWN}:{at}"))), "{around:?} {line}");
    }
    let told = format!("PGTRIAGE_READ_ONLY lifts nothing: it stays read-only ({OWN}:1)");
    assert_eq!(zero(general()).run("").warnings, [told]);
    let nothing = zero(around()).run("");
    assert_eq!((nothing.bounds.policy, nothing.warnings.len()), (Policy::Admin, 0), "there was nothing to lift");
}

#[test]
fn a_flag_that_would_raise_the_policy_is_told_of() {
    let settings = around().file(OWN, "policy = 'operator'").run("--policy admin");
    assert_eq!(settings.warnings, [format!("--policy can only lower the policy: it stays `operator` ({OWN}:1)")]);
    assert!(around().run("--policy admin").warnings.is_empty(), "nothing was lower");
}

/// A file in `/etc`, what the user says, a server, and what may be done there.
struct Row {
    system: &'static str,
    own: &'static str,
    line: &'static str,
    servers: &'static [&'static str],
    database: &'static str,
    policy: Policy,
    production: bool,
}

#[test]
fn nobodys_own_file_variable_or_flag_raises_what_the_systems_file_sets() {
    use Policy::{Admin, Observer, Operator};
    const PROD: &str = "[[ceiling]]\nserver = 'db-prod-.*'\npolicy = 'operator'\nproduction = true\n";
    const BOTH: &str = "policy = 'operator'\n[[ceiling]]\nserver = 'db1'\ndatabase = 'pay.*'\npolicy = 'observer'\n";
    const RAISE: &str = "policy = 'admin'\nproduction = false\nread_only = false\n";
    const RAISE_TARGET: &str =
        "[target.shop]\nconninfo = 'host=db1'\npolicy = 'admin'\nproduction = false\nread_only = false\n";
    let row = |system, own, line, servers, database, policy, production| Row {
        system,
        own,
        line,
        servers,
        database,
        policy,
        production,
    };
    let table = [
        row("", RAISE, "", &["db1"], "shop", Admin, false),
        row("policy = 'operator'", RAISE, "--policy admin", &["db1"], "shop", Operator, false),
        row("policy = 'operator'", RAISE_TARGET, "shop", &["db1"], "shop", Operator, false),
        row("policy = 'operator'", "policy = 'observer'", "", &["db1"], "shop", Observer, false),
        row("policy = 'admin'", "policy = 'operator'", "", &["db1"], "shop", Operator, false),
        row("production = true", RAISE, "", &["db1"], "shop", Admin, true),
        row("production = true", RAISE_TARGET, "shop", &["db1"], "shop", Admin, true),
        row("production = false", "production = true", "", &["db1"], "shop", Admin, true),
        row("[target.shop]\npolicy = 'operator'\nproduction = true", RAISE_TARGET, "shop", &[], "", Operator, true),
        row(PROD, RAISE, "--policy admin", &["db-prod-1", "db-prod-1:5432"], "shop", Operator, true),
        row(PROD, RAISE, "", &["db-test-1", "db-prod-1"], "shop", Operator, true),
        row(PROD, RAISE, "", &["my-db-prod-1"], "shop", Admin, false),
        row(PROD, "policy = 'observer'", "", &["db-prod-1"], "shop", Observer, true),
        row(BOTH, RAISE, "", &["db1"], "payments", Observer, false),
        row(BOTH, RAISE, "", &["db1"], "shop", Operator, false),
        row(BOTH, RAISE, "", &["db2"], "payments", Operator, false),
        row("[[ceiling]]\nread_only = true", RAISE, "", &["db1"], "shop", Observer, false),
    ];
    for Row { system, own, line, servers, database, policy, production } in table {
        let around = around().file(SYSTEM, system).file(OWN, own).var("PGTRIAGE_READ_ONLY", "0");
        let around = around.var("PGTRIAGE_POLICY", "admin");
        let bounds = around.run(line).at(&place(servers, database)).bounds;
        assert_eq!((bounds.policy, bounds.production), (policy, production), "{system} | {own} | {line} {servers:?}");
    }
}

#[test]
fn a_ceiling_of_another_database_of_that_server_reaches_it_from_here_too() {
    let ceiling = "[[ceiling]]\nserver = 'db1'\ndatabase = 'pay.*'\npolicy = 'observer'\nproduction = true\nrequire_reason = true";
    let around = around().file(SYSTEM, ceiling);
    let said = |servers: &[&str], database| {
        let bounds = around.run("").at(&place(servers, database)).bounds;
        let names = bounds.protected.iter().map(|p| format!("{:?} {:?} {} {}", p.care, p.kind, p.pattern.text(), p.by));
        (bounds.policy, names.collect::<Vec<_>>(), bounds.require_reason)
    };
    let rules = [format!("Refused Database pay.* {SYSTEM}:4"), format!("Typed Database pay.* {SYSTEM}:5")];
    assert_eq!(said(&["db1"], "postgres"), (Policy::Admin, rules.to_vec(), true));
    assert_eq!(said(&["db1"], "payments"), (Policy::Observer, Vec::new(), true));
    assert_eq!(said(&["db2"], "postgres"), (Policy::Admin, Vec::new(), false));
}

#[test]
fn a_host_is_the_same_in_capitals_and_with_the_dot_of_the_root() {
    let around = around().file(SYSTEM, "[[ceiling]]\nserver = 'db-prod-.*'\npolicy = 'observer'");
    for name in ["db-prod-1", "DB-PROD-1", "db-prod-1.", "Db-Prod-1.:5432"] {
        assert_eq!(around.run("").at(&place(&[name], "shop")).bounds.policy, Policy::Observer, "{name}");
    }
}

#[test]
fn what_lowered_the_policy_is_named_with_its_line() {
    let around = around().file(SYSTEM, "\n[[ceiling]]\nserver = 'db1'\n\npolicy = 'operator'\n");
    let bounds = around.run("").at(&place(&["db1"], "shop")).bounds;
    assert_eq!(bounds.policy_by.as_deref(), Some("/etc/pgtriage/config.toml:5"));
}

#[test]
fn protected_names_of_all_files_add_up_and_a_reason_that_is_required_stays_so() {
    let around = around()
        .file(
            SYSTEM,
            "protect_roles = ['replicator']\n[[ceiling]]\nserver = 'db1'\nprotect_databases = 'billing'\nrequire_reason = true",
        )
        .file(OWN, "protect_roles = ['mine']\nrequire_reason = false\n[target.shop]\nconninfo = 'host=db1'\nconfirm_applications = ['a', 'b']");
    let said = |line: &str, servers: &[&str]| {
        let bounds = around.run(line).at(&place(servers, "shop")).bounds;
        let names = bounds.protected.iter().map(|p| format!("{:?} {:?} {} {}", p.care, p.kind, p.pattern.text(), p.by));
        (names.collect::<Vec<_>>(), bounds.require_reason)
    };
    let system = format!("Refused Role replicator {SYSTEM}:1");
    let own = format!("Refused Role mine {OWN}:1");
    assert_eq!(said("", &["db2"]), (vec![system.clone(), own.clone()], false));
    let (names, required) = said("shop", &["db1"]);
    let typed = ["a", "b"].map(|name| format!("Typed Application {name} {OWN}:5"));
    let billing = format!("Refused Database billing {SYSTEM}:4");
    assert_eq!((names, required), ([vec![system, own], typed.to_vec(), vec![billing]].concat(), true));
}

#[test]
fn the_copy_of_the_log_is_the_strictest_that_anybody_wants() {
    use Syslog::{Copied, Off, Required};
    let table = [
        ("", "", Off),
        ("", "audit_syslog = true", Copied),
        ("audit_syslog = true", "audit_syslog = false", Copied),
        ("audit_syslog = 'required'", "audit_syslog = false", Required),
        ("audit_syslog = true", "audit_syslog = 'required'", Required),
        ("[[ceiling]]\nserver = 'db1'\naudit_syslog = 'required'", "audit_syslog = true", Required),
    ];
    for (system, own, expected) in table {
        let around = around().file(SYSTEM, system).file(OWN, own);
        assert_eq!(around.run("").at(&place(&["db1"], "shop")).bounds.syslog, expected, "{system} {own}");
    }
    for text in ["audit_syslog = 1", "audit_syslog = 'yes'"] {
        let message = "1: audit_syslog: is `true`, `false` or \"required\"";
        assert_eq!(around().file(OWN, text).error(""), format!("error: {OWN}:{message}"));
    }
}

#[test]
fn an_expression_that_cannot_be_used_is_an_error_with_its_line() {
    let many = format!("protect_roles = [{}]", "'a',".repeat(101));
    let table = [
        ("\nprotect_roles = ['a', 'b(']", "2: protect_roles: `b(` is no regular expression: unclosed group"),
        ("protect_roles = [1]", "1: protect_roles: is a list of texts in quotes"),
        ("protect_roles = 1", "1: protect_roles: is a text in quotes"),
        (
            "confirm_databases = 'a{1000}{1000}'",
            "1: confirm_databases: `a{1000}{1000}` is no regular expression: \
          Compiled regex exceeds size limit of 1048576 bytes.",
        ),
        (&many, "1: protect_roles: has 101 expressions, more than 100"),
    ];
    for (text, message) in table {
        assert_eq!(around().file(OWN, text).error(""), format!("error: {OWN}:{message}"));
    }
}

#[test]
fn a_ceiling_that_cannot_be_read_closes_the_console_and_says_where() {
    let table = [
        ("policy = 'root'", "1: policy: no policy is called `root` (observer, operator, admin)"),
        (
            "policy = 'operater'",
            "1: policy: no policy is called `operater`; did you mean `operator`? (observer, operator, admin)",
        ),
        ("ceiling = 1", "1: write [[ceiling]], one for each: nothing else can be called so"),
        ("[[ceiling]]\nserver = 'db('", "2: server: is no regular expression: unclosed group"),
        ("[[ceiling]]\nserver = 1", "2: server: is a text in quotes"),
        ("[[ceiling]]\nsever = 'a'", "2: a ceiling has no `sever`; did you mean `server`?"),
        ("[[ceiling]]\nrefresh = 3", "2: a ceiling has no `refresh`"),
        ("[[ceiling]]\nserver = 'a'\npolicy = 3", "3: policy: is a text in quotes"),
    ];
    for (text, expected) in table {
        let settings = around().file(SYSTEM, text).run("");
        let reason = format!("{SYSTEM}:{expected}");
        assert_eq!(settings.read_only(), Some(reason.as_str()), "{text}");
        assert_eq!(settings.warnings, [format!("{reason}: the system's settings are not known, so this is read-only")]);
    }
}

#[test]
fn a_ceiling_in_the_users_own_file_is_an_error() {
    assert_eq!(
        around().file(OWN, "[[ceiling]]\nserver = 'a'\npolicy = 'admin'").error(""),
        format!("error: {OWN}:1: a `ceiling` is for the system's file alone: who acts does not choose their own")
    );
}

#[test]
fn the_keymap_holds_what_the_policy_allows() {
    use crate::command::{Command, Tab};
    let has = |line: &str, command| {
        let around = around();
        let keymap = around.run(line).keymap(&around.surroundings()).unwrap();
        !keymap.chords_of(command, Tab::Connections).is_empty()
    };
    let table = [("", [true, true]), ("--policy operator", [true, false]), ("--policy observer", [false, false])];
    for (line, expected) in table {
        assert_eq!([Command::CancelBackend, Command::TerminateBackend].map(|c| has(line, c)), expected, "{line}");
    }
}
