//! A pile-up of locks, from the tabs Locks and Connections: the root and the head of the queue are on their first screen, and the
//! right action on either is a few keys away.

use super::driver::{Console, PLAIN, Start, WIDE};
use super::scene::Scene;
use crate::pictures::{here, svg};

const STUCK: &str =
    "(SELECT count(*) FROM pg_stat_activity WHERE application_name = 'storefront' AND wait_event_type = 'Lock')";

#[test]
fn from_locks_the_queued_migration_is_cancelled_in_five_keys() {
    let Some(mut scene) = Scene::small() else { return };
    scene.play("lock-pileup");
    let sql = scene.sql("postgres");
    let pid_of = |app: &str| sql.text(&format!("SELECT pid FROM pg_stat_activity WHERE application_name = '{app}'"));
    let (root, alter) = (pid_of("worker").expect("it idles"), pid_of("migration").expect("it waits"));
    let mut console = Start::with(&[&scene.uri("oncall")]).size(WIDE).open();
    console.keys("4");
    console.until(&format!("(?m)^{root} .*holds RowExclusive orders.* 34 +34 ▸ terminate"), 10);
    console.until(&format!("(?m)─ {alter} .*waits AccessExclusive orders.* 32 +32 ▸ cancel +← queue starts here"), 5);
    console.until("32 readers", 5);
    console.keys("jjx");
    console.until(&format!("Cancel the statement of backend {alter}"), 5);
    console.say_yes();
    console.until("the statement ended after", 10);
    sql.until(&format!("{STUCK} = 0"), 5);
    console.until_not("queue starts here", 5);
    console.leave();
}

#[test]
fn from_locks_the_root_is_terminated_by_its_pid_and_nobody_waits_any_more() {
    let Some(mut scene) = Scene::small() else { return };
    scene.play("lock-pileup");
    let sql = scene.sql("postgres");
    let root = sql.text("SELECT pid FROM pg_stat_activity WHERE application_name = 'worker'").expect("it idles");
    let mut console = Start::with(&[&scene.uri("oncall")]).size(PLAIN).open();
    console.keys("4");
    console.until(&format!("(?m)^{root} .*▸ terminate"), 10);
    console.keys("X");
    console.until(&format!("Terminate backend {root}"), 5);
    console.type_answer(&root);
    console.until("the session has ended|gone after", 10);
    sql.until("(SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock') = 0", 10);
    console.until("nobody waits for a lock", 10);
    console.leave();
}

/// Keeps the screen as a picture of the README, where that is asked for.
fn keep(console: &Console, name: &str) {
    if std::env::var_os("PGTRIAGE_RECORD").is_some_and(|what| what == "run") {
        std::fs::write(here(&format!("screenshots/{name}.svg")), svg::of(&console.cells())).expect("a picture");
    }
}

#[test]
fn from_connections_the_pile_up_is_dissolved_by_two_keys_and_a_typed_pid() {
    let Some(mut scene) = Scene::small() else { return };
    scene.play("lock-pileup");
    let sql = scene.sql("postgres");
    let root = sql.text("SELECT pid FROM pg_stat_activity WHERE application_name = 'worker'").expect("it idles");
    let mut console = Start::with(&[&scene.uri("oncall")]).size((120, 30)).open_on_triage();
    console.until("blocks 34 sessions", 10);
    // One: the tab. Who holds up the most is its first row, and selected.
    console.keys("2");
    console.until(&format!("(?s)slots.*pid +blocks.*\n.*{root} .*34"), 5);
    keep(&console, "dissolve-1");
    // Two: the question. Then its answer, typed.
    console.keys("X");
    console.until(&format!("Terminate backend {root}"), 5);
    console.type_text(&root);
    keep(&console, "dissolve-2");
    console.keys("\r");
    console.until("gone after|the session has ended", 10);
    sql.until("(SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock') = 0", 10);
    console.until(" 0 waiting for a lock", 10);
    keep(&console, "dissolve-3");
    console.leave();
}
