//! The terminal is given back, whatever ends or stops the console, and no size of it is too small.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::driver::{Console, ESC, PLAIN, SMALL, Start, WIDE};
use super::scene::Scene;

/// Whoever leaves waits for no server: what keeps one waiting is given up after 10 s.
const LEFT: Duration = Duration::from_secs(6);

/// A peer that accepts and never says a word: a console on it is always `connecting`. No server is needed.
struct Mute {
    listener: TcpListener,
}

impl Mute {
    fn new() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").expect("a port") }
    }

    fn console(&self, size: (u16, u16)) -> Console {
        let port = self.listener.local_addr().expect("an address").port();
        Start::with(&[&format!("host=127.0.0.1 port={port} user=u dbname=d")]).size(size).open()
    }
}

#[test]
fn on_a_peer_that_accepts_and_never_answers_the_frame_comes_at_once_and_keys_work() {
    let mute = Mute::new();
    let mut console = mute.console(WIDE);
    console.until("connecting to 127.0.0.1", 10);
    let first = console.began.elapsed();
    // Not after the first look at whether a password is needed, which is given up after 5 s.
    assert!(first < Duration::from_secs(4), "{first:?}");
    for (key, title) in [("3", "Slow"), ("5", "Tables"), ("8", "Cache"), ("2", "Connections")] {
        console.keys(key);
        console.keys("?");
        console.until(&format!("Keys of {title}"), 5);
        console.keys(ESC);
        console.until_not("Keys of", 5);
    }
    console.until("(?i)no connection to|127.0.0.1", 10);
    console.leave();
}

#[test]
fn q_and_control_c_leave_even_before_there_is_a_server() {
    let mute = Mute::new();
    for key in ["q", "\x03"] {
        let mut console = mute.console(PLAIN);
        console.until("connecting to", 10);
        assert!(console.is_raw());
        console.keys(key);
        let pressed = Instant::now();
        assert!(console.ended(5).success());
        assert!(pressed.elapsed() < LEFT, "{:?}", pressed.elapsed());
        console.assert_restored();
    }
}

#[test]
fn the_terminal_is_restored_by_every_signal_that_ends_the_console() {
    let mute = Mute::new();
    for (signal, number) in [(Signal::TERM, 15), (Signal::HUP, 1), (Signal::INT, 2), (Signal::QUIT, 3)] {
        let mut console = mute.console(PLAIN);
        console.until("connecting to", 10);
        console.signal(signal);
        let status = console.ended(5);
        assert_eq!(status.exit_code(), 128 + number, "{signal:?}: {status:?}");
        console.assert_restored();
    }
}

#[test]
fn suspended_it_gives_the_terminal_back_and_continued_it_paints_all_of_it_again() {
    let mute = Mute::new();
    let mut console = mute.console(PLAIN);
    for by_key in [true, false, true] {
        console.until("connecting to|no connection to", 10);
        if by_key {
            console.keys("\x1a");
        } else {
            console.signal(Signal::TSTP);
        }
        console.until_state('T');
        console.assert_restored();
        console.forget_screen();
        console.signal(Signal::CONT);
        // Also what did not change in between.
        console.until("1 2 Connections 3 4 5 6 7 8", 5);
        assert!(console.is_raw());
    }
    console.leave();
}

#[test]
fn no_size_is_too_small_and_a_bigger_one_shows_everything_again() {
    let mute = Mute::new();
    let mut console = mute.console(WIDE);
    console.until("Cache", 10);
    for size in [(1, 1), (8, 3), SMALL, (3, 40), (200, 2), (1, 60), PLAIN] {
        console.resize(size);
        for keys in ["2", "5", "8", "?", ESC, ":", ESC, "3"] {
            console.keys(keys);
        }
    }
    console.until("3 Slow 4 5 6 7 8", 10);
    console.resize(WIDE);
    console.until("d  connecting|connecting to 127.0.0.1:\\d+", 10);
    console.leave();
}

#[test]
fn a_terminal_that_goes_away_takes_the_console_and_its_backends_with_it() {
    let Some(mut scene) = Scene::small() else { return };
    let sql = scene.sql("postgres");
    let mut console = Start::with(&[&scene.uri("oncall")]).size(PLAIN).open();
    console.until("live", 10);
    let ours = "(SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pgtriage%')";
    sql.until(&format!("{ours} >= 2"), 5);
    console.hang_up();
    let gone = Instant::now();
    sql.until(&format!("{ours} = 0"), 3);
    console.until_gone(2);
    assert!(gone.elapsed() < LEFT, "{:?}", gone.elapsed());
}

#[test]
fn a_burst_of_keys_is_taken_in_to_the_last_one() {
    let mute = Mute::new();
    let mut console = mute.console(PLAIN);
    console.until("connecting to", 10);
    console.keys(&"jk".repeat(20_000));
    console.keys("?");
    console.until("Keys of Connections", 20);
    console.keys(ESC);
    console.until_not("Keys of", 5);
    console.leave();
}
