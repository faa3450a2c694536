//! Every sentence that a user can get.

use super::*;

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_line() {
    let table = [
        ("refresh = ", "1: this is not TOML: string values must be quoted, expected literal string"),
        ("refresh = 1\nrefresh = 2", "2: refresh is there twice"),
        ("\nrefrsh = 2", "2: no option is called `refrsh`; did you mean `refresh`?"),
        ("read-only = true", "1: no option is called `read-only`; did you mean `read_only`?"),
        ("colour = true", "1: no option is called `colour`"),
        ("[targets.shop]", "1: no option is called `targets`; did you mean `target`?"),
        ("refresh = '100ms'", "1: refresh: `100ms` is less than 500ms"),
        ("refresh = 0.1", "1: refresh: `0.1` is less than 500ms"),
        ("refresh = true", "1: refresh: is a time such as \"2s\""),
        ("read_only = 'yes'", "1: read_only: is `true` or `false`"),
        ("pool_max = '20'", "1: pool_max: is a whole number, without quotes"),
        ("pool_max = 2.5", "1: pool_max: `2.5` is no whole number above 0"),
        ("baseline_hit_percent = 150", "1: baseline_hit_percent: `150` is no whole number from 1 to 100"),
        ("pool_max = -1", "1: pool_max: `-1` is no whole number above 0"),
        ("job = 3", "1: job: is a text in quotes"),
        ("job = ''", "1: job: is empty"),
        ("prometheus_header = ['X']", "1: prometheus_header: is not of the form `NAME: VALUE`"),
        ("prometheus_header = [1]", "1: prometheus_header: is a list of texts in quotes"),
        ("keymap = 'vmi'", "1: keymap: no keymap is called `vmi`; did you mean `vim`? (a file ends in .toml)"),
        ("host = 'db1'", "1: `host` is for the command line; in a file it is part of `conninfo`"),
        ("config = 'x.toml'", "1: `config` is for the command line"),
        ("target = 3", "1: a target is a section of its own: write [target.NAME]"),
        ("[target]\nshop = 'host=a'", "1: a target is a section of its own: write [target.NAME]"),
        ("[target.'a=b']", "1: `a=b` cannot be a target's name: on the command line it would be a conninfo"),
        ("[target.shop]\nrefrsh = 2", "2: no option is called `refrsh`; did you mean `refresh`?"),
        ("[target.shop]\n[target.shop.target.x]", "2: a section cannot hold a target"),
    ];
    for (text, error) in table {
        let request = around().file(OWN, text).request("");
        assert_eq!(request, Err(format!("error: {OWN}:{error}")), "{text}");
    }
}

#[test]
fn what_is_wrong_on_the_line_or_around_is_said_in_one_sentence() {
    let target = "[target.shop]\njob = 'x'\n[target.crm]\nconninfo = 'host=a'";
    let table = [
        (around(), "--refresh 100ms", "error: --refresh: `100ms` is less than 500ms"),
        (
            around().var("PGTRIAGE_REFRESH", "2 weeks"),
            "",
            "error: PGTRIAGE_REFRESH: `2 weeks` is no time; write `500ms`, `2s`, `1m` or `1h`",
        ),
        (
            around().var("PGTRIAGE_PROMETHEUS_HEADER", "A: 1\nB"),
            "",
            "error: PGTRIAGE_PROMETHEUS_HEADER: is not of the form `NAME: VALUE`",
        ),
        (around(), "--prometheus localhost:9090", "error: --prometheus: is no http:// or https:// address"),
        (around(), "--config /none.toml", "error: /none.toml: entity not found (--config)"),
        (around().var("PGTRIAGE_CONFIG", "/none.toml"), "", "error: /none.toml: entity not found (PGTRIAGE_CONFIG)"),
        (
            around().broken(OWN, io::ErrorKind::PermissionDenied),
            "",
            "error: /home/ann/.config/pgtriage/config.toml: permission denied",
        ),
        (around().file(OWN, target), "shop", "error: the target `shop` has no `conninfo` in the config file"),
        (around().file(OWN, target), "crm alice bob", "error: one word too many: `bob`"),
        (around(), "a b c", "error: one word too many: `c`"),
        (around(), "-d a -U b c", "error: one word too many: `c`"),
        (around(), "-d a host=b", "error: -d `a` and `…` both name a database"),
        (around(), "-d password=x host=b", "error: -d `…` and `…` both name a database"),
        (around().file(OWN, target), "crm -d host=b", "error: -d and the target `crm` both name a server"),
        (around(), "host=a b", "error: what is `b` after a conninfo?"),
        (around(), "postgres://a b=c", "error: what is `…` after a conninfo?"),
        (
            around(),
            "--prometheus http://m --prometheus-token-file /t",
            "error: /t: entity not found (--prometheus-token-file)",
        ),
        (
            around().file("/t", " \n"),
            "--prometheus http://m --prometheus-token-file /t",
            "error: --prometheus-token-file: the file is empty",
        ),
        (
            around(),
            "--prometheus http://m --prometheus-user ann",
            "error: --prometheus-user: `ann` needs a password: prometheus_password_file or PGTRIAGE_PROMETHEUS_PASSWORD",
        ),
        (around(), "--prometheus http://m --prometheus-ca /c", "error: /c: entity not found (--prometheus-ca)"),
    ];
    for (around, line, error) in table {
        assert_eq!(around.error(line), error, "{line}");
    }
}

#[test]
fn a_message_about_a_conninfo_does_not_repeat_a_password() {
    for line in ["-d shop postgres://u:hunter2@db/x", "-d password=hunter2 host=a", "postgres://db password=hunter2"] {
        let error = around().error(line);
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn a_credential_that_a_config_file_cannot_have_keeps_nobody_from_the_database() {
    let prometheus = "prometheus = 'http://m'\n";
    let table = [
        ("prometheus_token_file = '/t'", format!("/t: entity not found ({OWN}:2)")),
        ("prometheus_token_file = '/empty'", format!("{OWN}:2: the file is empty")),
        ("prometheus_ca = '/c'", format!("/c: entity not found ({OWN}:2)")),
        (
            "prometheus_user = 'ann'",
            format!("{OWN}:2: `ann` needs a password: prometheus_password_file or PGTRIAGE_PROMETHEUS_PASSWORD"),
        ),
    ];
    for (line, warning) in table {
        let settings = around().file("/empty", "\n").file(OWN, &format!("{prometheus}{line}")).run("");
        assert_eq!(settings.warnings, [format!("{warning}: Prometheus is asked without it")]);
        let Prometheus { bearer, basic, ca_pem, .. } = settings.metrics.prometheus.unwrap();
        assert_eq!((bearer, basic, ca_pem), (None, None, None));
    }
}
