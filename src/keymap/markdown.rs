//! The table of keys for the README, made from the commands and a keymap.
//!
//! Text only; what a screen shows of the keys is drawn elsewhere.

use std::fmt::Write;

use super::{Keymap, Sequence};
use crate::command::{Place, SPECS, Tab};

/// One row per command: its keys, what it does, its tabs and its name. The README holds this text and a test compares.
#[must_use]
pub fn keys_markdown(keymap: &Keymap) -> String {
    let mut out = String::from("| keys | does | tabs | command |\n|---|---|---|---|\n");
    for spec in SPECS {
        let mut keys: Vec<Sequence> = Vec::new();
        for sequence in Tab::ALL.into_iter().flat_map(|tab| keymap.chords_of(spec.command, tab)) {
            if !keys.contains(&sequence) {
                keys.push(sequence);
            }
        }
        let keys = keys.iter().map(|s| code(&s.to_string())).collect::<Vec<_>>().join(" ");
        let tabs = match spec.place {
            Place::Everywhere => "all".to_owned(),
            Place::Tabs(tabs) => tabs.iter().map(|t| t.title()).collect::<Vec<_>>().join(", "),
        };
        let help = spec.help.replace('|', "\\|");
        // Writing to a String does not fail.
        let _ = writeln!(out, "| {keys} | {help} | {tabs} | `{}` |", spec.name);
    }
    out
}

/// As code in a cell of a table: a bar would end the cell, and a backtick needs two around it.
fn code(text: &str) -> String {
    let text = text.replace('|', "\\|");
    if text.contains('`') { format!("`` {text} ``") } else { format!("`{text}`") }
}
