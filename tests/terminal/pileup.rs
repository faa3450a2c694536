//! A pile-up of locks, from the tab Locks: the root and the head of the queue are on its first screen, and the right action on
//! either is a few keys away.

use super::driver::{PLAIN, Start, WIDE};
use super::scene::Scene;

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
