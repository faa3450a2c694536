//! Stories of `[limits]`: each row of the table in a file, in a target, in the example, and every sentence about a wrong one.

use super::*;
use crate::diagnose::limits::{LIMITS, LimitSpec, STEPS, Unit};

/// A value that is no default, as a file says it, and in the limit's unit; a second step is not below its first.
fn other(spec: &LimitSpec) -> (&'static str, f64) {
    let second = STEPS.iter().any(|(_, second)| *second == spec.name);
    match spec.unit {
        Unit::Seconds if second => ("'7m'", 420.0),
        Unit::Seconds => ("'700ms'", 0.7),
        Unit::Bytes if second => ("'3GB'", 3_221_225_472.0),
        Unit::Bytes => ("'3MB'", 3_145_728.0),
        Unit::Share if second => ("'98.5%'", 0.985),
        Unit::Share | Unit::Times => ("'12.5%'", 0.125),
        Unit::Count => ("77", 77.0),
    }
}

#[test]
fn each_limit_is_set_by_its_name_in_general_and_for_a_target_alone() {
    for spec in LIMITS.iter().filter(|s| s.name != "slow") {
        let (text, figure) = other(spec);
        let mut moved = Limits::default();
        (spec.set)(&mut moved, figure);
        let general = around().file(OWN, &format!("[limits]\n{} = {text}", spec.name));
        assert_eq!(general.run("").limits, moved, "{}", spec.name);
        let text = format!("[target.shop]\nconninfo = 'host=a'\n[target.shop.limits]\n{} = {text}", spec.name);
        let target = around().file(OWN, &text);
        assert_eq!((target.run("shop").limits, target.run("").limits), (moved, Limits::default()), "{}", spec.name);
    }
}

#[test]
fn what_is_said_of_a_target_goes_before_what_is_said_in_general_and_ones_own_before_the_systems() {
    let around = around()
        .file(SYSTEM, "[limits]\nbusy = '1s'\nblocked = '1s'\nslow_long = '1s'\n[target.shop.limits]\nbusy = '3s'")
        .file(OWN, "[limits]\nbusy = '2s'\nblocked = '2s'\n[target.shop]\nconninfo = 'host=a'\n[target.shop.limits]\nhorizon = '4s'");
    let general = Limits { busy: 2.0, blocked: 2.0, slow_long: 1.0, ..Limits::default() };
    assert_eq!(around.run("").limits, general);
    assert_eq!(around.run("shop").limits, Limits { busy: 3.0, horizon: 4.0, ..general });
}

#[test]
fn units_are_read_as_a_person_writes_them() {
    let usual = Limits::default();
    let table = [
        ("blocked = 2.5", Limits { blocked: 2.5, ..usual }),
        ("blocked = 3", Limits { blocked: 3.0, ..usual }),
        ("blocked = '500ms'", Limits { blocked: 0.5, ..usual }),
        ("blocked = '1h'", Limits { blocked: 3600.0, ..usual }),
        ("slot_bytes = '512kB'", Limits { slot_bytes: 524_288.0, ..usual }),
        ("slot_bytes = '1.5 gb'", Limits { slot_bytes: 1_610_612_736.0, ..usual }),
        ("slot_bytes = '2TB'", Limits { slot_bytes: 2_199_023_255_552.0, ..usual }),
        ("connections = '80%'", Limits { connections: 0.8, ..usual }),
        ("freeze_share = '250 %'", Limits { freeze_share: 2.5, ..usual }),
        ("connections_full = '100%'", Limits { connections_full: 1.0, ..usual }),
        ("connections = '95%'", Limits { connections: 0.95, ..usual }),
        ("connections = '0.5%'", Limits { connections: 0.005, ..usual }),
        ("horizon_age = 5_000_000", Limits { horizon_age: 5e6, ..usual }),
    ];
    for (text, limits) in table {
        assert_eq!(around().file(OWN, &format!("[limits]\n{text}")).run("").limits, limits, "{text}");
    }
}

#[test]
fn what_is_wrong_with_a_limit_is_said_with_its_line() {
    let table = [
        ("limits = 3", "1: limits are a section of their own: write [limits]"),
        ("[limit]", "1: no option is called `limit`; did you mean `limits`?"),
        ("[limits]\nblockd = '2s'", "2: no limit is called `blockd`; did you mean `blocked`?"),
        ("[limits]\nslow = '2s'", "2: `slow` is no limit of its own: `slow_after` above sets it"),
        ("[limits]\nblocked = '10ms'", "2: blocked: `10ms` is less than 100ms"),
        ("[limits]\nblocked = true", "2: blocked: is a time such as \"2s\""),
        ("[limits]\nslot_bytes = 1000", "2: slot_bytes: is a size such as \"1GB\""),
        ("[limits]\nslot_bytes = '1 GiB'", "2: slot_bytes: `1 GiB` is no size; write `512kB`, `64MB`, `1GB` or `2TB`"),
        ("[limits]\nslot_bytes = '0GB'", "2: slot_bytes: `0GB` is no size; write `512kB`, `64MB`, `1GB` or `2TB`"),
        ("[limits]\nslot_bytes = '9e9TB'", "2: slot_bytes: `9e9TB` is no size; write `512kB`, `64MB`, `1GB` or `2TB`"),
        ("[limits]\nconnections = 0.8", "2: connections: is a share such as \"80%\""),
        ("[limits]\nconnections = '0.8'", "2: connections: `0.8` is no share; write `80%` or `0.5%`"),
        ("[limits]\nconnections = '-1%'", "2: connections: `-1%` is no share; write `80%` or `0.5%`"),
        ("[limits]\nconnections = 'NaN%'", "2: connections: `NaN%` is no share; write `80%` or `0.5%`"),
        ("[limits]\nslow_many = 0", "2: slow_many: `0` is no whole number above 0"),
        ("[limits]\nslow_many = '3'", "2: slow_many: is a whole number, without quotes"),
        ("[limits]\nslow_many = 1.5", "2: slow_many: `1.5` is no whole number above 0"),
        (
            "[limits]\nconnections_full = '50%'\nconnections = '80%'",
            "2: `connections_full` (50%) is the second step after `connections` (80%, line 3), and must not lie below it",
        ),
        ("[target.shop]\n[target.shop.limits]\nx = 1", "3: no limit is called `x`"),
    ];
    for (text, error) in table {
        assert_eq!(around().file(OWN, text).request(""), Err(format!("error: {OWN}:{error}")), "{text}");
    }
    let settings = around().file(SYSTEM, "[[ceiling]]\nserver = 'a'\n[ceiling.limits]\nbusy = 3").run("");
    assert_eq!(settings.read_only(), Some(format!("{SYSTEM}:3: a ceiling has no `limits`").as_str()));
}

#[test]
fn steps_are_held_against_what_counts_in_the_end_and_only_what_one_file_says_of_both_is_refused() {
    let both =
        around().file(SYSTEM, "[limits]\nreplica_bytes_far = '4GB'").file(OWN, "[limits]\nreplica_bytes = '2GB'");
    assert_eq!(
        both.run("").limits,
        Limits { replica_bytes: 2_147_483_648.0, replica_bytes_far: 4_294_967_296.0, ..Limits::default() }
    );

    let said = |file: &str, text: &str| format!("{file}:{text}, and must not lie below it");
    let across = around().file(SYSTEM, "[limits]\ndead_share = '60%'").file(OWN, "\n[limits]\ndead_share_high = '55%'");
    let text = format!("3: `dead_share_high` (55%) is the second step after `dead_share` (60%, {SYSTEM}:2)");
    assert_eq!(across.run("").warnings, [said(OWN, &text)]);

    let one = around().file(OWN, "[limits]\nreplica_bytes_far = '1MB'").run("");
    let text = "2: `replica_bytes_far` (1MB) is the second step after `replica_bytes` (64MB by default)";
    assert_eq!(one.warnings, [said(OWN, text)]);

    let target = "[limits]\nconnections = '96%'\n[target.shop]\nconninfo = 'host=a'\n[target.shop.limits]\nconnections_full = '94%'";
    let target = around().file(OWN, target);
    let text = "6: `connections_full` (94%) is the second step after `connections` (96%, line 2)";
    assert_eq!(target.error("shop"), format!("error: {}", said(OWN, text)));
}

#[test]
fn a_second_step_that_nobody_set_follows_the_first() {
    for file in [SYSTEM, OWN] {
        let settings = around().file(file, "[limits]\nidle_transaction = '10m'\ndead_share = '60%'").run("");
        let limits = &settings.limits;
        assert_eq!((limits.idle_transaction, limits.idle_transaction_long), (600.0, 600.0));
        assert_eq!((limits.dead_share, limits.dead_share_high), (0.6, 0.6));
        assert!(settings.warnings.is_empty(), "{:?}", settings.warnings);
    }
}

#[test]
fn a_share_that_is_never_reached_is_taken_with_a_warning() {
    let settings = around().file(OWN, "[limits]\nconnections_full = '150%'").run("");
    assert!((settings.limits.connections_full - 1.5).abs() < 1e-9);
    assert_eq!(
        settings.warnings,
        [format!("{OWN}:2: connections_full: `150%` is more than 100%: it is never reached")]
    );
}

#[test]
fn the_example_shows_each_limit_with_its_default_and_the_readme_lists_it() {
    // Those lines with no blank after the `#` are the ones to take it from.
    let uncommented: String = example()
        .lines()
        .skip_while(|line| *line != "#[limits]")
        .map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line).to_owned() + "\n")
        .collect();
    let shown = around().file(OWN, &uncommented).run("").limits;
    assert_eq!(shown, Limits::default(), "{uncommented}");
    let markdown = limits_markdown();
    let uncommented = uncommented.split("[target").next().unwrap();
    for spec in LIMITS.iter().filter(|s| s.name != "slow") {
        assert_eq!(uncommented.matches(&format!("\n{} = ", spec.name)).count(), 1, "{}", spec.name);
        assert!(markdown.contains(&format!("| `{}` |", spec.name)), "{}", spec.name);
    }
    assert!(example().lines().all(|line| line.chars().count() <= 90));
}
