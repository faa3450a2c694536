//! The texts that derive from the table of options: help, README list, example.

use super::super::option::{OPTIONS, Place};
use super::super::{line, option};
use super::*;

#[test]
fn help_and_version_are_texts_to_print() {
    let Ok(Request::Print(help)) = around().request("--help") else { panic!("help prints") };
    assert_eq!(around().request("-?"), Ok(Request::Print(help.clone())));
    for spec in OPTIONS.iter().filter(|s| s.place.is_flag()) {
        assert!(help.contains(&format!("--{}", spec.name)), "{}", spec.name);
    }
    let version = format!("pgtriage {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(around().request("--version"), Ok(Request::Print(version.clone())));
    assert_eq!(around().request("-V"), Ok(Request::Print(version)));
    assert_eq!(around().request("--print-config"), Ok(Request::Print(example())));
}

#[test]
fn clap_finds_no_fault_with_the_command_line() {
    line::command().debug_assert();
}

#[test]
fn the_help_reads_well() {
    let help = line::command().term_width(100).render_help().to_string();
    insta::assert_snapshot!(help, @r"
    The console to open over SSH when PostgreSQL, or the service on it, is in trouble

    Usage: pgtriage [OPTIONS] [CONNINFO]...
           pgtriage audit <verify|show> [FILE]
           pgtriage rules <test FILE|print>

    Commands:
      audit  Check or show the log of actions. (`-d audit` is a database of that name.)
      rules  Test a Prometheus rule file, or print the built-in rules. (`-d rules` is a database of that
             name.)

    Arguments:
      [CONNINFO]...  A URI, key=value words, or a name: of a target in the config file, else of a
                     database. A user may follow it.

    Connection, as in psql:
      -h, --host <HOST>      Host name or socket directory.
      -p, --port <PORT>      Port.
      -U, --username <NAME>  User name.
      -d, --dbname <NAME>    Database, URI or key=value words; never a target.
      -w, --no-password      Never ask for a password.
      -W, --password         Ask for the password before connecting.

    Metrics and cache:
          --prometheus <URL>
              Base address of Prometheus or of what speaks its API.
          --prometheus-token-file <FILE>
              File with the bearer token. PGTRIAGE_PROMETHEUS_TOKEN holds the token itself.
          --prometheus-user <NAME>
              User for basic authentication.
          --prometheus-password-file <FILE>
              File with its password. PGTRIAGE_PROMETHEUS_PASSWORD holds the password itself.
          --prometheus-header <NAME:VALUE>
              Further header, such as `X-Scope-OrgID: shop`; repeatable.
          --prometheus-ca <FILE>
              Certificates (PEM) to trust besides the system's.
          --prometheus-timeout <TIME>
              How long one panel may take to answer. [default: 5s]
          --job <REGEX>
              The service's `job` label; without it series of other services may mix in.
          --postgres-job <REGEX>
              The `job` label of the server's postgres_exporter.
          --metrics-prefix <PREFIX>
              What the service's metrics begin with. [default: fraiseql]
          --pool-max <N>
              Size of the service's connection pool, which no FraiseQL server exports.
          --workload <NAME>
              What the service should keep to: `simple-crud`, `complex-queries`, `analytics`,
              `real-time`.
          --cache-table <TABLE>
              FraiseQL's cache table, with its schema where that is not in the search_path. [default:
              fraiseql_cache]
          --panels <FILE>
              Panels of Latency and Cache, in place of the built-in ones.
          --rules <FILE>
              Prometheus rule file whose alerts are evaluated beside the built-in ones; repeatable.
          --runbooks <FOLDER>
              Folder with runbooks of your own (*.toml); one with the id of a built-in one stands in its
              place.
          --alertmanager <URL>
              Base address of Alertmanager, whose silences are shown.

    Health:
          --health <URL>              Address of the application, or of its health endpoint; repeatable.
          --health-token-file <FILE>  File with the bearer token for these. PGTRIAGE_HEALTH_TOKEN holds
                                      the token itself.
          --health-ca <FILE>          Certificates (PEM) to trust besides the system's, of these and of
                                      dependencies.
          --health-timeout <TIME>     How long an application or a dependency may take to answer.
                                      [default: 3s]
          --standbys <N>              How many standbys the server should have: one that was gone before
                                      the console came is then told, too.
          --pgbouncer <CONNINFO>      pgbouncer's admin console (database `pgbouncer`), as one of its
                                      `stats_users`.

    Plans:
          --plan-user <NAME>           Role that plans are made as, on a login of its own (see Roles to
                                       grant); its password may be in ~/.pgpass.
          --plan-password-file <FILE>  File with its password. PGTRIAGE_PLAN_PASSWORD holds the password
                                       itself.

    Actions:
          --policy <POLICY>  What may be done: `observer`, `operator` (light actions) or `admin`;
                             without it admin. Flag and variable only lower it.
          --read-only        Look only: no action can be taken, and no key leads to one. What says so
                             once, nothing else lifts.

    Screen:
          --refresh <TIME>      Time between two looks: `2s`, `2`, `500ms`. [default: 2s]
          --slow-after <TIME>   From when on a statement or an idle transaction is slow. [default: 30s]
          --keymap <NAME|FILE>  Keys: `default`, `vim`, `emacs`, or a file. [default: default]
          --ascii               Draw with ASCII only.
          --no-color            Draw without colour.
          --no-bell             No bell and no title of the terminal when a new critical alert fires.

    Files:
          --config <FILE>  Config file, in place of $XDG_CONFIG_HOME/pgtriage/config.toml.
          --print-config   Print a commented config file and leave.
      -?, --help           Print this help.
      -V, --version        Print the version.

    The usual PG* variables, ~/.pgpass and pg_service.conf are honoured.

    What counts, from weak to strong: /etc/pgtriage/config.toml, the user's config file, a target's
    section of either, the environment (PGTRIAGE_REFRESH for --refresh, and so on; NO_COLOR), the
    command line. But nobody raises what the file in /etc allows.
    ");
}

/// The lines of the example that a user would take the `#` from: those with no blank after it.
fn uncommented() -> String {
    let line = |line: &str| match line.strip_prefix('#') {
        Some(rest) if !rest.starts_with(' ') => rest.to_owned(),
        _ => line.to_owned(),
    };
    example().lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_example_says_nothing_until_a_line_is_uncommented() {
    assert_eq!(around().file(OWN, &example()).run(""), around().run(""));
}

#[test]
fn every_line_of_the_example_works_and_every_option_is_in_it() {
    let around = around()
        .file(OWN, &uncommented())
        .file("/home/ann/.config/pgtriage/prometheus.token", "t")
        .file("/home/ann/.config/pgtriage/prometheus.password", "p")
        .file("/etc/ssl/certs/internal.pem", "PEM");
    let settings = around.run("");
    assert_eq!(settings.read_only(), Some(format!("{OWN}:{}", line_of("read_only = true")).as_str()));
    assert_eq!(around.run("shop").metrics.pool_max, Some(40));
    for spec in OPTIONS.iter().filter(|s| s.place.in_files()) {
        assert!(line_of(&format!("{} = ", spec.key())) > 0, "{}", spec.name);
    }
}

fn line_of(text: &str) -> usize {
    uncommented().lines().position(|l| l.starts_with(text)).map_or(0, |i| i + 1)
}

#[test]
fn what_the_example_shows_as_a_default_is_the_default() {
    for spec in OPTIONS.iter().filter(|s| s.place.in_files()) {
        let Some(default) = spec.default else { continue };
        let line = format!("{} = \"{default}\"", spec.key());
        assert!(line_of(&line) > 0, "{line}");
    }
}

#[test]
fn the_markdown_has_a_row_for_every_option_and_keeps_its_columns() {
    let text = options_markdown();
    assert_eq!(text.lines().count(), option::OPTIONS.len() + 2);
    for line in text.lines() {
        assert_eq!(line.replace("\\|", "").matches('|').count(), 6, "{line}");
    }
    for row in [
        "| `CONNINFO…` | `conninfo` |  |  | A URI,",
        "| `-h`, `--host HOST` |  |  |  | Host name or socket directory. |",
        "| `--refresh TIME` | `refresh` | `PGTRIAGE_REFRESH` | `2s` | Time between two looks:",
        "| `--keymap NAME\\|FILE` | `keymap` | `PGTRIAGE_KEYMAP` | `default` |",
        "|  | `audit_file` in `/etc` only |  |  | Where every action",
        "| `--no-color` | `no_color` | `NO_COLOR` |  | Draw without colour. |",
    ] {
        assert!(text.contains(row), "{row}\n{text}");
    }
}

#[test]
fn an_option_that_only_the_system_sets_is_no_flag() {
    for spec in OPTIONS.iter().filter(|s| s.place == Place::System) {
        assert!(!spec.place.is_flag() && spec.variable().is_none(), "{}", spec.name);
    }
}
