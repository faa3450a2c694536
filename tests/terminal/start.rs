//! The first frame: how soon there is something, and how soon there are rows. Figures are printed; only the absurd fails.

use std::fs;
use std::process::Command;
use std::time::Duration;

use super::driver::{PLAIN, SMALL, Start, WIDE};
use super::scene::Scene;

#[test]
fn the_first_frame_comes_before_the_server_and_the_first_rows_soon_after() {
    let Some(mut scene) = Scene::small() else { return };
    scene.play("lock-pileup");
    for size in [WIDE, PLAIN, SMALL] {
        let console = Start::with(&[&scene.uri("oncall")]).size(size).open();
        let byte = console.first_byte();
        console.until("UPDATE orders|idle in tx", 10);
        let rows = console.began.elapsed();
        eprintln!("first byte {byte:?}, first rows {rows:?}, {} bytes at {size:?}", console.raw().len());
        // Neither after a first look that was given up (5 s), nor after more than a few rounds of questions, one each 2 s.
        assert!(byte < Duration::from_secs(4) && rows < Duration::from_secs(10));
        console.leave();
    }
}

#[test]
fn a_fault_in_pgbouncers_conninfo_is_told_where_it_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    fs::write(&file, "refresh = 3\npgbouncer = \"host=a bogus=1\"\n").unwrap();
    let file = file.to_str().unwrap();
    let said = |option: &str, value: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pgtriage"));
        command.args(["host=127.0.0.1 port=1 user=u", option, value]).env("HOME", folder.path());
        let output = command.env_remove("XDG_CONFIG_HOME").output().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap().trim_end().to_owned()
    };
    let wrong = "invalid connection option \"bogus\"";
    assert_eq!(said("--config", file), format!("error: {file}:2: pgbouncer: {wrong}"));
    assert_eq!(said("--pgbouncer", "host=a bogus=1"), format!("error: --pgbouncer: {wrong}"));
}
