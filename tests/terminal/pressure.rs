//! Locked tables, locked catalogs, and a server without a free slot: what can be seen is seen, what cannot is said.

use std::time::{Duration, Instant};

use super::driver::{Start, WIDE};
use super::scene::{Scene, Sql};

#[test]
fn tables_opened_while_one_is_locked_exclusively_shows_all_of_them_at_once() {
    let Some(mut scene) = Scene::small() else { return };
    let locker = scene.sql("postgres");
    locker.run("BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE");
    let mut console = Start::with(&[&scene.uri("oncall")]).size(WIDE).open();
    console.until("of 97 slots", 10);
    let pressed = Instant::now();
    console.keys("5");
    console.until("order_items", 5);
    console.until("\\borders\\b", 5);
    // Not after the slow lane's statement_timeout, 15 s.
    assert!(pressed.elapsed() < Duration::from_secs(10), "{:?}", pressed.elapsed());
    let watcher = scene.sql("postgres");
    let waits =
        "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pgtriage%' AND wait_event_type = 'Lock'";
    assert_eq!(watcher.number(waits), 0, "no read waits behind the lock");
    console.until_not("no answer|old:", 5);
    locker.run("ROLLBACK");
    console.leave();
}

#[test]
fn a_statement_is_cancelled_while_a_catalog_is_locked() {
    let Some(mut scene) = Scene::small() else { return };
    for catalog in ["pg_authid", "pg_database"] {
        let victim = scene.sql("shop_api");
        let pid = victim.number("SELECT pg_backend_pid()");
        let watcher = scene.sql("postgres");
        let locker = scene.sql("postgres");
        watcher.run("SELECT count(*) FROM pg_stat_activity");
        victim.begin("SELECT pg_sleep(600) /* the culprit */");
        // Nobody's writer but that of the console to come.
        watcher.until("NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name LIKE 'pgtriage/%')", 5);
        let mut console = Start::with(&[&scene.uri("oncall")]).size(WIDE).open();
        console.until("the culprit", 10);
        // The writer has come, and is warm: the last of its rehearsals is over.
        watcher.until(
            "EXISTS (SELECT FROM pg_stat_activity WHERE application_name LIKE 'pgtriage/writer%' AND state = 'idle'
                     AND query LIKE '%AS roles%AS may_signal%')",
            10,
        );
        locker.run(&format!("BEGIN; LOCK TABLE {catalog} IN ACCESS EXCLUSIVE MODE"));
        let seen_until = Instant::now();
        console.keys("/culprit\r");
        console.until("the culprit", 5);
        console.keys("x");
        console.until(&format!("(?i)cancel .*{pid}"), 5);
        console.say_yes();
        let active = format!("SELECT count(*) FROM pg_stat_get_activity({pid}) a WHERE a.state = 'active'");
        let deadline = Instant::now() + Duration::from_secs(10);
        while watcher.number(&active) > 0 {
            assert!(Instant::now() < deadline, "{catalog}: it still runs\n{}", console.screen());
            std::thread::sleep(Duration::from_millis(20));
        }
        eprintln!("{catalog}: cancelled {:?} after the lock", seen_until.elapsed());
        // Sessions are still seen, only without names.
        console.until("live", 15);
        locker.run("ROLLBACK");
        console.until_not("old:", 15);
        console.leave();
    }
}

#[test]
fn without_a_free_slot_it_says_so_and_comes_in_when_there_is_one() {
    let Some(mut scene) = Scene::small() else { return };
    let watcher = scene.sql("postgres");
    scene.play("connections-exhausted");
    let mut console = Start::with(&[&scene.uri("oncall")]).size(WIDE).open();
    console.until("(?i)too many clients|remaining connection slots|reserved", 5);
    console.keys("5");
    console.until("(?i)too many clients|remaining connection slots|reserved", 5);
    scene.lab().command("calm");
    console.until("order_items", 20);
    console.leave();
    drop(watcher);
}

#[test]
fn with_a_seat_taken_before_the_last_slot_was_it_keeps_on_showing() {
    let Some(mut scene) = Scene::small() else { return };
    let mut console = Start::with(&[&scene.uri("oncall")]).size(WIDE).open();
    console.until("of 97 slots", 10);
    scene.play("connections-exhausted");
    let refused = Sql::try_open(&scene.uri("postgres")).is_err();
    assert!(refused, "there was a slot left");
    console.until("batch-import", 10);
    console.until("(9\\d|100) of 97 slots", 10);
    // The slow lane gets no slot of its own, and is served on the fast one.
    console.keys("5");
    console.until("order_items", 10);
    console.until("live", 5);
    scene.lab().command("calm");
    console.keys("2");
    console.until_not("batch-import", 10);
    console.leave();
}
