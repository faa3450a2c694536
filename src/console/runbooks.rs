//! The runbooks of the console: the built-in ones, and those of a folder.

use std::fs;
use std::path::{Path, PathBuf};

use crate::diagnose::runbook::{self, Runbook};
use crate::keymap::source::Source;
use crate::model::panel::PanelSpec;

/// The built-in runbooks and those of the folder, where there is one; and what is to be said of them.
///
/// # Errors
/// A sentence with the file, and its line where it is one of its text.
pub fn load(folder: Option<&Path>, panels: &[PanelSpec]) -> Result<(Vec<Runbook>, Vec<String>), String> {
    let builtin = runbook::builtin().map_err(|e| e.to_string())?;
    let Some(folder) = folder else { return Ok((builtin, Vec::new())) };
    let mut own = Vec::new();
    for path in files(folder).map_err(|e| format!("{}: {e}", folder.display()))? {
        let name = path.display().to_string();
        let text = fs::read_to_string(&path).map_err(|e| format!("{name}: {e}"))?;
        own.push(runbook::parse(Source { name: &name, text: &text }, panels).map_err(|e| e.to_string())?);
    }
    let none = own.is_empty().then(|| format!("no runbook (*.toml) is in {}", folder.display()));
    let (books, mut said) = runbook::with_own(builtin, own).map_err(|e| e.to_string())?;
    said.extend(none);
    Ok((books, said))
}

/// The TOML files of a folder, by name.
fn files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !hidden && path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
