//! The README's tables are what the program says of itself; `PGTRIAGE_BLESS=1` writes them anew.

use std::fs;
use std::path::Path;

use pgtriage::config::{limits_markdown, options_markdown};
use pgtriage::diagnose::runbook::{facts_markdown, parse};
use pgtriage::keymap::source::Source;
use pgtriage::keymap::{Keymap, keys_markdown};

#[test]
fn the_tables_of_keys_options_limits_and_facts_are_the_programs_own() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let keys = keys_markdown(&Keymap::named("default").unwrap().unwrap());
    let now = replaced(&replaced(&readme, "keys", &keys), "options", &options_markdown());
    let now = replaced(&now, "limits", &limits_markdown());
    let now = replaced(&now, "facts", &facts_markdown());
    if std::env::var_os("PGTRIAGE_BLESS").is_some() {
        fs::write(&path, &now).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), now, "run with PGTRIAGE_BLESS=1");
}

#[test]
fn every_picture_is_shown_and_every_shown_picture_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    for entry in fs::read_dir(root.join("screenshots")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(readme.contains(&format!("(screenshots/{name})")), "{name} is not shown");
    }
    for shown in readme.split("(screenshots/").skip(1) {
        let name = shown.split(')').next().unwrap();
        assert!(root.join("screenshots").join(name).exists(), "{name} does not exist");
    }
}

#[test]
fn the_runbook_that_is_shown_can_be_used() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let (_, rest) = readme.split_once("```toml\nid = \"queue\"").unwrap();
    let (text, _) = rest.split_once("```").unwrap();
    let text = format!("id = \"queue\"{text}");
    for text in [text.clone(), text.replace("# command", "command")] {
        let book = parse(Source { name: "README.md", text: &text }, &[]).unwrap();
        assert!(book.detect.len() == 2 && book.steps.len() == 1 && book.causes.len() == 1 && book.scaling.len() == 1);
    }
}

/// The text with what stands between the two marks of `name` replaced.
fn replaced(text: &str, name: &str, by: &str) -> String {
    let (open, close) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let (before, rest) = text.split_once(&open).unwrap();
    let (_, after) = rest.split_once(&close).unwrap();
    format!("{before}{open}\n{}\n{close}{after}", by.trim_end().to_owned() + "\n")
}
