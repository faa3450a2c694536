//! Text that wants to drive the terminal: it is shown, visibly escaped, and no byte of it gets through; a copy is exact.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::driver::{Console, ESC, Start, WIDE};
use super::scene::Scene;

/// Clears the screen, sets the title, writes the clipboard, asks for an answer that comes back as keys, C1, BEL, BS, and
/// turns the direction of writing.
const POISON: &str =
    "\u{1b}[2J\u{1b}]0;PWNED\u{7}\u{1b}]52;c;UFdORUQ=\u{7}\u{1b}[6n\u{9b}31m\u{9d}x\u{8}\u{202e}\u{2066}\u{200b}\u{7f}";

/// What a name may hold: no more than 63 bytes.
const NAME: &str = "ev\u{1b}[2Jil\u{1b}]0;PWNED\u{7}\u{9b}1m\u{202e}";

fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

/// That only our own sequences came out: no control character but those that a frame is made of.
fn assert_clean(console: &Console, copies: usize) {
    let raw = console.raw();
    let text = String::from_utf8(raw).expect("all of it is UTF-8");
    for bad in ['\u{7f}', '\u{8}', '\u{9b}', '\u{9d}', '\u{202e}', '\u{2066}', '\u{200b}'] {
        assert!(!text.contains(bad), "{bad:?} came out");
    }
    assert!(text.chars().all(|c| !('\u{80}'..='\u{9f}').contains(&c)), "C1 came out");
    // A bell only ends our own copies, and no other operating system command is sent.
    assert_eq!(text.matches('\u{7}').count(), copies, "bells");
    assert_eq!(text.matches("\u{1b}]").count(), copies, "commands to the terminal");
    assert!(!text.contains("\u{1b}[6n") && !text.contains("\u{1b}]0;"));
    // One at the start; a frame is never begun by emptying the screen.
    assert!(text.matches("\u{1b}[2J").count() <= 2, "the screen was cleared");
}

#[test]
fn no_control_character_of_the_server_reaches_the_terminal_and_a_copy_is_exact() {
    let Some(mut scene) = Scene::small() else { return };
    let sql = scene.sql("postgres");
    let (role, database, table) = (quoted(NAME), quoted(NAME), quoted(NAME));
    sql.run(&format!("CREATE ROLE {role} LOGIN SUPERUSER"));
    sql.run(&format!("CREATE DATABASE {database}"));
    sql.run(&format!("CREATE TABLE {table} (x int); INSERT INTO {table} SELECT generate_series(1, 1000)"));
    sql.run(&format!("ANALYZE {table}"));
    let query = format!("SELECT pg_sleep(600) /* the culprit {POISON} */");
    let mut victim = tokio_postgres::Config::new();
    let port = scene.lab().facts["primary"]["port"].as_u64().and_then(|p| u16::try_from(p).ok()).expect("a port");
    victim.host("127.0.0.1").port(port).user(NAME).dbname(NAME).application_name(POISON);
    let victim = super::scene::Sql::by(&victim);
    victim.begin(&query);
    let mut console = Start::with(&[&scene.uri("postgres")]).size(WIDE).open();
    console.until("the culprit", 10);
    console.keys("/culprit\r");
    console.until("(?s)filter|culprit", 5);
    console.keys("\r");
    console.until("(?s)the culprit.*\\\\x1b|\\\\u\\{?0*1b|␛|\\^\\[", 5);
    console.keys(ESC);
    console.keys("Y");
    // As it is, but for what a terminal would obey when it is pasted.
    let safe: String = query.chars().filter(|c| !c.is_control() || "\n\t".contains(*c)).collect();
    assert!(safe.contains("the culprit") && safe.len() < query.len());
    let copied = format!("\u{1b}]52;c;{}\u{7}", STANDARD.encode(&safe));
    console.until_bytes(copied.as_bytes(), 5);
    console.keys("x");
    console.until("yes, do it", 5);
    console.keys(ESC);
    console.keys("5");
    console.until("order_items", 10);
    console.keys("/ev\r");
    console.until("1000|1.0k|1k", 10);
    console.keys("\r");
    console.until("(?i)freeze|autovacuum", 5);
    console.keys(ESC);
    console.keys("v");
    console.until("yes, do it", 5);
    console.keys(ESC);
    console.keys("d");
    console.until("billing", 5);
    console.keys(ESC);
    assert_clean(&console, 1);
    console.keys("2");
    console.leave();
    drop(victim);
    let names = ("pg_stat_activity", "application_name LIKE '%PWNED%'");
    sql.until(&format!("NOT EXISTS (SELECT FROM {} WHERE {} AND pg_terminate_backend(pid))", names.0, names.1), 5);
    sql.run(&format!("DROP DATABASE {database} WITH (FORCE)"));
    sql.run(&format!("DROP TABLE {table}"));
    sql.run(&format!("DROP ROLE {role}"));
}
