//! The server goes away, or hangs: the last rows stay with their age and the reason, keys answer, and all comes back.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::driver::{Console, ESC, PLAIN, Start, WIDE};
use super::scene::Scene;

/// A key must not wait for a server, which takes two seconds at least until it is given up. The bound leaves room for a busy
/// machine that runs the tests.
pub const A_KEY: Duration = Duration::from_secs(1);

/// Each tab: its key, and what it shows of the server once that has answered.
const TABS: [(&str, &str); 4] = [
    ("2", "of 97 slots"),
    ("3", "over 30s"),
    ("5", "(?s)(public\\.orders|orders).*order_items|order_items.*orders"),
    ("6", "(?i)no standby|standby"),
];

fn assert_keys_answer(console: &mut Console) {
    let took = console.key_takes(5);
    assert!(took < A_KEY, "{took:?}");
}

#[test]
fn when_the_server_stops_the_rows_stay_the_reason_is_said_and_it_comes_back_by_itself() {
    let Some(mut scene) = Scene::small() else { return };
    scene.play("slow-queries");
    let mut console = Start::with(&[&scene.uri("oncall")]).size(WIDE).open();
    for (key, shown) in TABS {
        console.keys(key);
        console.until(shown, 10);
    }
    console.keys("2");
    console.until("live", 5);
    scene.lab().command("stop-primary immediate");
    console.until("no connection to 127.0.0.1:\\d+ for \\d", 5);
    console.until("(?i)connection refused", 5);
    console.until("\\ds old: ", 5);
    for (key, shown) in TABS {
        console.keys(key);
        console.until(shown, 5);
        console.until("\\ds old: ", 5);
        assert_keys_answer(&mut console);
    }
    scene.lab().command("start-primary");
    let back = Instant::now();
    console.until("live 2s", 5);
    let took = back.elapsed();
    eprintln!("back {took:?} after the server's return");
    // After half a minute without a server it is dialled every 2 s. A pause that went on doubling would be longer by now.
    assert!(took < Duration::from_secs(8), "{took:?}");
    for (key, shown) in TABS {
        console.keys(key);
        console.until(shown, 5);
        console.until_not(" old: ", 5);
    }
    console.leave();
}

#[test]
fn a_crash_of_another_server_process_is_named_and_survived() {
    let Some(mut scene) = Scene::small() else { return };
    let victim = scene.sql("shop_api");
    let pid = victim.number("SELECT pg_backend_pid()");
    let mut console = Start::with(&[&scene.uri("oncall")]).size(WIDE).open();
    console.until("of 97 slots", 10);
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).expect("a pid");
    kill_process(pid, Signal::KILL).expect("our own server");
    // What the link says of it may be gone before it is looked at; the finding stays.
    console.keys("1");
    console.until("a server process crashed", 20);
    console.keys("2");
    console.until("live 2s", 10);
    console.until_not("not connected|✗", 10);
    console.leave();
}

#[test]
fn when_the_server_hangs_keys_answer_the_age_is_said_and_it_goes_on_when_it_wakes() {
    let Some(mut scene) = Scene::small() else { return };
    scene.play("slow-queries");
    let mut console = Start::with(&[&scene.uri("oncall")]).size(WIDE).open();
    console.until("pg_sleep|SELECT", 10);
    console.keys("5");
    console.until("order_items", 10);
    scene.lab().command("freeze-primary");
    console.until("no answer for \\d|no connection to .* for \\d", 15);
    for key in ["2", "3", "5", "6"] {
        console.keys(key);
        assert_keys_answer(&mut console);
    }
    console.keys("2");
    console.until("(?i)\\d+s old", 10);
    scene.lab().command("thaw-primary");
    let woken = Instant::now();
    console.until("live 2s", 20);
    eprintln!("live {:?} after it woke", woken.elapsed());
    console.until_not("old:", 10);
    console.leave();
}

#[test]
fn opened_on_a_hanging_server_the_frame_is_there_at_once_and_fills_when_it_wakes() {
    let Some(mut scene) = Scene::small() else { return };
    scene.lab().command("freeze-primary");
    for key in ["q", "\x03"] {
        let mut leaving = Start::with(&[&scene.uri("oncall")]).size(PLAIN).open();
        leaving.until("connecting to 127.0.0.1", 5);
        leaving.keys(key);
        assert!(leaving.ended(2).success());
        leaving.assert_restored();
    }
    let mut console = Start::with(&[&scene.uri("oncall")]).size(PLAIN).open();
    console.until("connecting to 127.0.0.1", 5);
    // Not after the first look at whether a password is needed, which is given up after 5 s.
    assert!(console.began.elapsed() < Duration::from_secs(4), "{:?}", console.began.elapsed());
    assert_keys_answer(&mut console);
    scene.lab().command("thaw-primary");
    console.until("of 97 slots", 20);
    console.keys("5");
    console.until("order_items", 10);
    console.keys(ESC);
    console.leave();
}

#[test]
fn opened_while_the_server_is_down_it_says_so_and_fills_when_it_comes() {
    let Some(mut scene) = Scene::small() else { return };
    scene.lab().command("stop-primary fast");
    let mut console = Start::with(&[&scene.uri("oncall")]).size(PLAIN).open();
    console.until("(?i)connection refused", 5);
    console.keys("5");
    console.until("(?i)connection refused", 5);
    assert_keys_answer(&mut console);
    scene.lab().command("start-primary");
    let back = Instant::now();
    console.until("order_items", 10);
    eprintln!("rows {:?} after the server came", back.elapsed());
    console.leave();
}
