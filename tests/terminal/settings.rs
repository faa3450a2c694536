//! Query logging as a person at a terminal meets it: turned on, forgotten by a console that dies, reminded of, undone.

use rustix::process::Signal;

use super::driver::{Console, Start};
use super::scene::Scene;

/// Types the answer to a question once it is on the screen.
fn answer(console: &mut Console, text: &str, then: &str) {
    console.until("and Enter:", 10);
    console.type_answer(text);
    console.until(then, 20);
}

#[test]
fn query_logging_outlives_its_console_and_the_next_one_reminds_of_it_and_undoes_it() {
    let Some(mut scene) = Scene::small() else { return };
    let (uri, log) = (scene.uri("postgres"), tempfile::tempdir().unwrap());
    let start = || Start::with(&[&uri]).var("XDG_STATE_HOME", log.path().to_str().expect("a path"));
    let sql = scene.sql("postgres");
    let logged = |scene: &mut Scene, mark: &str| {
        let length = scene.lab().log("primary").len();
        sql.run(&format!("SELECT pg_sleep(0.6) /* {mark} */"));
        std::thread::sleep(std::time::Duration::from_millis(300));
        scene.log_since(length).contains(mark)
    };
    assert!(!logged(&mut scene, "before"));

    let mut console = start().open();
    console.until("live", 20);
    console.keys("P");
    console.until("log_min_duration_statement", 20);
    console.keys("\x1b\x1b");
    console.until_not("Server settings", 10);
    console.keys("L");
    console.until("log_min_duration_statement -1 → 1s_", 10);
    console.keys("\x15500\r");
    console.until("-1 → 500ms", 10);
    answer(&mut console, "log_min_duration_statement", "in force: 500ms");
    console.until("LOGGING ≥500ms", 20);
    sql.until("current_setting('log_min_duration_statement') = '500ms'", 5);
    assert!(logged(&mut scene, "while"));
    console.signal(Signal::KILL);
    console.until_gone(10);

    let mut console = start().open();
    console.until("LOGGING ≥500ms", 30);
    console.keys("P");
    console.until("ours, was no entry", 20);
    console.keys("\x1b\x1b");
    console.until_not("Server settings", 10);
    console.keys("L");
    console.until("Set log_min_duration_statement back", 10);
    answer(&mut console, "log_min_duration_statement", "in force: -1");
    console.until_not("LOGGING", 20);
    sql.until("current_setting('log_min_duration_statement') = '-1'", 5);
    assert!(!logged(&mut scene, "after"));
    console.leave();
}
