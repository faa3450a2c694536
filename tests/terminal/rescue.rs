//! The reads hang, or have lost their connection and no slot is left: the writer looks by itself, and the rescue goes on.

use rustix::process::{Pid, Signal, kill_process};

use super::driver::{Console, Start, WIDE};
use super::scene::{Scene, Sql};

/// A statement to be cancelled, the console on it, and a session that sees both.
fn rescue(scene: &mut Scene, mark: &str) -> (Sql, Sql, Console, i64) {
    let victim = scene.sql("shop_api");
    let pid = victim.number("SELECT pg_backend_pid()");
    let watcher = scene.sql("postgres");
    watcher.run("SELECT count(*) FROM pg_stat_activity");
    victim.begin(&format!("SELECT pg_sleep(600) /* {mark} */"));
    let mut console = Start::with(&[&scene.uri("oncall")]).size(WIDE).open();
    console.until(mark, 10);
    watcher.until(&ours("/writer%' AND state = 'idle", "EXISTS"), 10);
    console.keys(&format!("/{mark}\r"));
    console.until(&format!("filter {mark}: 1 of"), 5);
    (victim, watcher, console, pid)
}

/// A condition on the console's sessions whose name ends so.
fn ours(name: &str, exists: &str) -> String {
    format!("{exists} (SELECT FROM pg_stat_activity WHERE application_name LIKE 'pgtriage{name}')")
}

fn cancel(console: &mut Console, watcher: &Sql, pid: i64) {
    console.keys("x");
    console.until(&format!("(?s)Cancel the statement of backend {pid}.*looked just now by the writer"), 10);
    console.say_yes();
    console.until("the statement ended after|signal sent", 10);
    watcher.until(&format!("(SELECT state FROM pg_stat_activity WHERE pid = {pid}) IS DISTINCT FROM 'active'"), 10);
}

#[test]
fn a_statement_is_cancelled_while_the_backends_of_the_reads_are_stopped() {
    let Some(mut scene) = Scene::small() else { return };
    let (_victim, watcher, mut console, pid) = rescue(&mut scene, "stopped");
    let reads = "SELECT string_agg(pid::text, ' ') FROM pg_stat_activity
                 WHERE application_name LIKE 'pgtriage%' AND application_name NOT LIKE 'pgtriage/writer%'";
    let reads = watcher.text(reads).expect("the reads have come");
    let reads: Vec<Pid> = reads.split(' ').filter_map(|pid| Pid::from_raw(pid.parse().ok()?)).collect();
    // A seat that is given up would be taken anew before the eye saw the age of the rows.
    watcher.run("ALTER ROLE oncall NOLOGIN");
    for pid in &reads {
        kill_process(*pid, Signal::STOP).expect("our own server");
    }
    console.until("no answer for ([4-9]|\\d\\d)s|no connection to .* for \\d", 30);
    cancel(&mut console, &watcher, pid);
    for pid in reads {
        let _gone = kill_process(pid, Signal::CONT);
    }
    watcher.run("ALTER ROLE oncall LOGIN");
    console.leave();
}

#[test]
fn a_statement_is_cancelled_after_the_reads_were_cut_off_and_no_slot_is_left() {
    let Some(mut scene) = Scene::small() else { return };
    let (_victim, watcher, mut console, pid) = rescue(&mut scene, "cut_off");
    scene.play("connections-exhausted");
    // Whoever leaves must not leave a slot behind: a role that may not log in again comes to the same.
    let reads = "application_name LIKE 'pgtriage%' AND application_name NOT LIKE 'pgtriage/writer%'";
    watcher.run("ALTER ROLE oncall NOLOGIN");
    watcher.run(&format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {reads}"));
    console.until("no connection to .* for \\d", 20);
    cancel(&mut console, &watcher, pid);
    watcher.run("ALTER ROLE oncall LOGIN");
    scene.lab().command("calm");
    console.leave();
}
