//! Who may use whom, as a table: a new edge between modules is a diff in it. And where the borders to the world are.
//!
//! It reads the sources as text, without the comments and without what is compiled for tests only.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

/// Everything below the programs.
const ALL: &[&str] = &[
    "app", "command", "config", "diagnose", "effect", "guard", "headless", "keymap", "message", "model", "postgres",
    "probe", "report", "table", "tape", "view",
];

/// A module, and the modules that it may use.
const MAY_USE: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("table", &["model"]),
    // A runbook's file is read with the faults and names of a keymap's: hence `keymap::source`.
    ("diagnose", &["model", "command", "keymap"]),
    ("command", &[]),
    ("keymap", &["command"]),
    // A question knows the chord that opened it, so that the same chord cannot confirm it: hence `keymap`.
    ("guard", &["model", "keymap"]),
    // An event carries the chord that was pressed: hence `keymap`.
    ("message", &["model", "command", "keymap", "guard"]),
    // Whatever a setting selects; `command` comes through the tables of keys that the help lists.
    ("config", &["model", "command", "keymap", "guard", "diagnose"]),
    // A server is reached by connection words, which `config` hands over as text: it needs nothing of ours but nouns.
    ("postgres", &["model", "config"]),
    ("probe", &["model", "config", "postgres"]),
    // The audit line names the chord that confirmed: hence `keymap`.
    ("effect", &["model", "message", "keymap", "guard", "config", "postgres"]),
    ("tape", &["model", "message", "diagnose"]),
    // Neither `config` nor anything that reads or writes: the core gets its setup as plain values, and cannot do I/O.
    ("app", &["model", "message", "table", "diagnose", "command", "keymap", "guard"]),
    // Texts of a prompt and of the writer's state are drawn as `guard` and `message` name them.
    ("view", &["model", "message", "table", "diagnose", "command", "keymap", "guard", "app"]),
    // The lines of the audit log are `effect`'s, which wrote them; nothing is asked of its writer.
    ("report", &["model", "message", "table", "diagnose", "config", "effect"]),
    ("console", ALL),
    ("headless", ALL),
    // What is answered from a file needs neither tasks nor a terminal: hence `report`.
    ("main", &["config", "console", "headless", "report"]),
    // The list of the modules.
    ("lib", &[]),
];

/// Words that stand for a border to the world, and the modules that may cross it.
const BORDERS: &[(&str, &[&str])] = &[
    (r"\btokio_postgres\b", &["postgres", "probe", "effect"]),
    (r"\breqwest\b", &["probe"]),
    (r"\bratatui\b", &["view", "console"]),
    (r"\bcrossterm\b", &["console"]),
    (
        r"\bTimestamp::now\b|\bInstant::now\b|\bSystemTime\b",
        &["postgres", "probe", "effect", "tape", "console", "headless", "main"],
    ),
];

/// Longer files, with the reason. The house wants none over 400 lines.
const LONGER: &[(&str, &str)] = &[];

const MOST_LINES: usize = 400;

struct Source {
    /// Below the root, such as `src/app/tab/slow.rs`.
    path: String,
    /// `app`.
    module: String,
    /// How deep its module lies: 1 for `app`, 3 for `app::tab::slow`.
    depth: usize,
    text: String,
    /// Without comments and tests.
    code: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    collect(&root.join("src"), &mut files);
    assert!(files.len() > 60, "the sources were found");
    files
        .into_iter()
        .map(|file| {
            let inside = file.strip_prefix(root.join("src")).unwrap().with_extension("");
            let names: Vec<String> = inside.iter().map(|n| n.to_string_lossy().into_owned()).collect();
            let text = fs::read_to_string(&file).unwrap();
            Source {
                path: file.strip_prefix(root).unwrap().to_string_lossy().into_owned(),
                module: names[0].clone(),
                depth: names.len(),
                code: code(&text),
                text,
            }
        })
        .collect()
}

/// All Rust files but those that only tests include.
fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if name == "tests" || name == "fixture" {
            continue;
        }
        if path.is_dir() {
            collect(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
}

/// The code of a file: comments left out, and an inline module of tests, which stands last.
fn code(text: &str) -> String {
    let mut out = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let tests = line.trim() == "#[cfg(test)]" && lines.peek().is_some_and(|next| next.trim_end().ends_with('{'));
        if tests {
            break;
        }
        out.push(line.split("//").next().unwrap_or_default());
    }
    out.join("\n")
}

/// The top modules that the code names: `crate::x`, `crate::{x, y::{…}}`, and `pgtriage::x` in the program.
fn used(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let plain = Regex::new(r"\b(?:crate|pgtriage)::([a-z_]+)").unwrap();
    found.extend(plain.captures_iter(code).map(|c| c[1].to_owned()));
    let grouped = Regex::new(r"\b(?:crate|pgtriage)::\{").unwrap();
    for group in grouped.find_iter(code) {
        let inside = code.get(group.end()..).unwrap_or_default();
        let (mut depth, mut word, mut named) = (1, String::new(), false);
        for c in inside.chars() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            if depth == 0 || (depth == 1 && c == ',') {
                found.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
                named = false;
            } else if depth == 1 && !named && (c.is_ascii_lowercase() || c == '_') {
                word.push(c);
            } else if !c.is_whitespace() {
                named = true;
            }
            if depth == 0 {
                break;
            }
        }
    }
    found
}

#[test]
fn no_module_uses_one_that_the_table_does_not_allow_it() {
    let table: BTreeMap<&str, &[&str]> = MAY_USE.iter().copied().collect();
    let mut faults = Vec::new();
    for source in sources() {
        let Some(allowed) = table.get(source.module.as_str()) else {
            faults.push(format!("{}: `{}` is not in the table", source.path, source.module));
            continue;
        };
        for other in used(&source.code) {
            if other != source.module && table.contains_key(other.as_str()) && !allowed.contains(&other.as_str()) {
                faults.push(format!("{}: `{}` uses `{other}`", source.path, source.module));
            }
        }
        // A way round the table: up to the root without its name.
        let out = "super::".repeat(source.depth);
        if Regex::new(&format!(r"\b{out}")).unwrap().is_match(&source.code) {
            faults.push(format!("{}: `{out}` leaves the module; write `crate::`", source.path));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn the_table_has_no_circle_and_no_unknown_name() {
    let table: BTreeMap<&str, &[&str]> = MAY_USE.iter().copied().collect();
    for (module, uses) in MAY_USE.iter().filter(|(module, _)| !matches!(*module, "console" | "headless")) {
        let mut open: Vec<&str> = uses.to_vec();
        let mut seen = BTreeSet::new();
        while let Some(at) = open.pop() {
            assert_ne!(at, *module, "{module} uses itself through others");
            if seen.insert(at) {
                open.extend(table.get(at).unwrap_or_else(|| panic!("{at} is not in the table")).iter());
            }
            if matches!(at, "console" | "headless") {
                assert_eq!(*module, "main", "{module} uses a program");
                open.clear();
            }
        }
    }
}

#[test]
fn the_borders_to_the_world_are_crossed_where_the_design_says() {
    let sources = sources();
    let mut faults = Vec::new();
    for (words, modules) in BORDERS {
        let words = Regex::new(words).unwrap();
        for source in sources.iter().filter(|s| !modules.contains(&s.module.as_str())) {
            faults.extend(words.find(&source.code).map(|m| format!("{}: {}", source.path, m.as_str())));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn every_file_opens_by_saying_what_it_owns() {
    let silent: Vec<String> = sources().into_iter().filter(|s| !s.text.starts_with("//! ")).map(|s| s.path).collect();
    assert!(silent.is_empty(), "{silent:#?}");
}

#[test]
fn no_file_holds_more_lines_than_one_idea_needs() {
    let long: Vec<String> = sources()
        .into_iter()
        .filter(|s| !LONGER.iter().any(|(path, _)| *path == s.path))
        .map(|s| (s.text.lines().count(), s.path))
        .filter(|(lines, _)| *lines > MOST_LINES)
        .map(|(lines, path)| format!("{path}: {lines} lines"))
        .collect();
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn the_reader_of_sources_sees_every_form_of_use() {
    let text = "//! crate::comment\nuse crate::a::B;\nuse crate::{c, d::{e, f}, g::H};\nfn x() { crate::i::j(); }\n\
                #[cfg(test)]\nmod tests {\n    use crate::hidden::K;\n}\n";
    let found: Vec<String> = used(&code(text)).into_iter().collect();
    assert_eq!(found, ["a", "c", "d", "g", "i"]);
}
