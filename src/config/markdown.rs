//! The list of options for the README, made from the table.
//!
//! Text only.

use std::fmt::Write;

use super::option::{OPTIONS, Place, Spec};

/// One row per option. The README holds this text and a test compares.
#[must_use]
pub fn options_markdown() -> String {
    let mut out = String::from("| option | in a file | variable | default | what it does |\n|---|---|---|---|---|\n");
    for spec in OPTIONS {
        let key = if spec.place == Place::System {
            format!("`{}` in `/etc` only", spec.key())
        } else if spec.place.in_files() {
            format!("`{}`", spec.key())
        } else {
            String::new()
        };
        let variable = spec.variable().map_or_else(String::new, |v| format!("`{v}`"));
        let default = spec.default.map_or_else(String::new, |d| format!("`{d}`"));
        // A bar would end the cell.
        let (flag, help) = (flag(spec).replace('|', "\\|"), spec.help.replace('|', "\\|"));
        // Writing to a String does not fail.
        let _ = writeln!(out, "| {flag} | {key} | {variable} | {default} | {help} |");
    }
    out
}

fn flag(spec: &Spec) -> String {
    let value = spec.kind.placeholder().map_or_else(String::new, |p| format!(" {p}"));
    match (spec.place, spec.short) {
        (Place::Words, _) => format!("`{}…`", value.trim_start()),
        _ if !spec.place.is_flag() => String::new(),
        (_, Some(letter)) => format!("`-{letter}`, `--{}{value}`", spec.name),
        (_, None) => format!("`--{}{value}`", spec.name),
    }
}
