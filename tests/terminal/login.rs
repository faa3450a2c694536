//! Who is not let in reads the server's own words; a password typed once is enough.

use std::time::Duration;

use super::driver::{ESC, PLAIN, Start, WIDE};
use super::scene::Scene;

#[test]
fn a_refusal_is_told_in_the_servers_own_words() {
    let Some(mut scene) = Scene::small() else { return };
    let cases = [
        (scene.uri("scram").replace("lab%20secret", "guess"), "password authentication failed for user \"scram\""),
        (scene.uri("oncall").replace("/shop", "/nowhere"), "database \"nowhere\" does not exist"),
        (scene.uri("oncall").replace("oncall@", "nobody@"), "role \"nobody\" does not exist"),
    ];
    for (uri, words) in &cases {
        for size in [WIDE, PLAIN] {
            let mut console = Start::with(&[uri]).size(size).open();
            let words = words.replace(' ', "\\s+");
            console.until(&words, 10);
            console.keys("5");
            console.until(&words, 5);
            console.leave();
        }
    }
}

#[test]
fn without_a_line_in_pg_hba_conf_the_server_says_which_one_is_missing() {
    let Some(mut scene) = Scene::small() else { return };
    let sql = scene.sql("postgres");
    let file = sql.text("SHOW hba_file").expect("a path");
    let before = std::fs::read_to_string(&file).expect("the file");
    let mut lines: Vec<&str> =
        before.lines().filter(|l| !l.contains("all          all                        trust")).collect();
    lines.push("");
    let without = lines.join("\n");
    let narrowed = without.replace("host   all          all  ", "host   all          postgres");
    assert_ne!(narrowed, before);
    std::fs::write(&file, &narrowed).expect("written");
    sql.run("SELECT pg_reload_conf()");
    sql.until("NOT EXISTS (SELECT FROM pg_hba_file_rules WHERE 'all' = ANY (user_name) AND address IS NOT NULL AND NOT 'replication' = ANY (database))", 5);
    let console = Start::with(&[&scene.uri("oncall")]).size(WIDE).open();
    console.until("no pg_hba.conf entry for host \"127.0.0.1\", user \"oncall\"", 10);
    console.leave();
    std::fs::write(&file, &before).expect("written");
    sql.run("SELECT pg_reload_conf()");
}

#[test]
fn a_password_is_asked_for_without_echo_and_survives_a_restart_of_the_server() {
    let Some(mut scene) = Scene::small() else { return };
    let uri = scene.uri("scram").replace(":lab%20secret", "");
    let mut console = Start::with(&[&uri]).size(WIDE).open_on_triage();
    console.until("Password for user scram", 10);
    console.keys("lab secret\r");
    console.until("of 97", 10);
    let raw = console.raw();
    assert!(!raw.windows(10).any(|w| w == b"lab secret") && !raw.windows(6).any(|w| w == b"secret"), "it was echoed");
    scene.lab().command("stop-primary fast");
    console.until("no connection", 5);
    scene.lab().command("start-primary");
    console.until("live 2s", 5);
    console.until_not("(?i)password", 5);
    console.keys("5");
    console.until("order_items", 10);
    console.leave();
}

#[test]
fn a_mistyped_password_is_asked_for_again_with_the_servers_words() {
    let Some(mut scene) = Scene::small() else { return };
    let uri = scene.uri("scram").replace(":lab%20secret", "");
    let mut console = Start::with(&[&uri]).size(WIDE).open_on_triage();
    console.until("Password for user scram", 10);
    console.keys("lab sceret\r");
    console.until("password authentication failed for user \"scram\"", 10);
    console.until("Password for user scram", 1);
    console.keys("lab secret\r");
    console.until("1 Triage", 10);
    console.keys("2");
    console.until("of 97 slots", 10);
    console.leave();
}

#[test]
fn at_the_password_every_way_out_leaves_the_terminal_as_it_was() {
    let Some(mut scene) = Scene::small() else { return };
    let uri = scene.uri("scram").replace(":lab%20secret", "");
    for (keys, code) in [(ESC, 0), ("\x03", 0), ("", 143)] {
        let mut console = Start::with(&[&uri]).size(PLAIN).open_on_triage();
        console.until("Password for user scram", 10);
        if keys.is_empty() {
            console.signal(rustix::process::Signal::TERM);
        } else {
            console.keys(keys);
        }
        assert_eq!(console.ended(5).exit_code(), code);
        console.assert_restored();
    }
}

#[test]
fn asked_for_by_an_option_the_password_comes_before_any_server() {
    let mut console = Start::with(&["-W", "host=127.0.0.1 port=1 user=u dbname=d"]).size(PLAIN).open_on_triage();
    console.until("Password for user u", 5);
    assert!(console.began.elapsed() < Duration::from_secs(2));
    console.keys("x\r");
    console.until("(?i)connection refused", 5);
    console.leave();
}

#[test]
fn a_role_without_rights_reads_what_it_cannot_see_and_no_nought_that_is_none() {
    let Some(mut scene) = Scene::small() else { return };
    scene.play("lock-pileup");
    let console = Start::with(&[&scene.uri("plain")]).size(WIDE).open();
    console.until("sessions are hidden from plain: GRANT pg_monitor TO plain", 10);
    console.until("0 seen waiting for a lock", 5);
    console.leave();
}
