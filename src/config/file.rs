//! Reading a config file: options in general and `[target.NAME]` sections, with errors that say where.
//!
//! It knows the table of options and nothing of what they are for.

use std::collections::BTreeMap;

use toml::de::DeTable;

use super::ceiling::{self, Ceiling};
use super::layer::{Layer, Origin, Setting};
use super::limits::{self, Given};
use super::option::{OPTIONS, Place, Spec};
use super::value::Base;
use crate::keymap::source::{Source, SourceError, did_you_mean, in_order};

/// Whose file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// The machine's.
    System,
    /// The user's.
    User,
}

/// What a config file says in general, or about one target.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Section {
    /// Options.
    pub layer: Layer,
    /// Limits.
    pub limits: Given,
}

/// What a config file says.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct File {
    /// In general.
    pub general: Section,
    /// About one target.
    pub targets: BTreeMap<String, Section>,
    /// About servers by their names; in the system's file only.
    pub ceilings: Vec<Ceiling>,
}

/// Reads a config file.
pub(super) fn read(source: Source<'_>, owner: Owner, base: &Base) -> Result<File, SourceError> {
    let mut document = source.parse()?;
    let mut targets = BTreeMap::new();
    if let Some((key, value)) = document.remove_entry("target") {
        let wrong = || source.error_at(&key.span(), "a target is a section of its own: write [target.NAME]");
        for (name, value) in in_order(value.get_ref().as_table().ok_or_else(wrong)?) {
            let table = value.get_ref().as_table().ok_or_else(wrong)?;
            let name_text: &str = name.get_ref();
            if super::words::is_conninfo(name_text) || name_text.trim().is_empty() {
                let message =
                    format!("`{name_text}` cannot be a target's name: on the command line it would be a conninfo");
                return Err(source.error_at(&name.span(), message));
            }
            targets.insert(name_text.to_owned(), section(source, table.clone(), owner, base)?);
        }
    }
    let mut ceilings = Vec::new();
    if let Some((key, value)) = document.remove_entry("ceiling") {
        let message = "write [[ceiling]], one for each: nothing else can be called so";
        if owner == Owner::User {
            let message = "a `ceiling` is for the system's file alone: who acts does not choose their own";
            return Err(source.error_at(&key.span(), message));
        }
        let sections = value.get_ref().as_array().ok_or_else(|| source.error_at(&key.span(), message))?;
        for section in sections {
            let table = section.get_ref().as_table().ok_or_else(|| source.error_at(&section.span(), message))?;
            ceilings.push(ceiling::read(source, table, base)?);
        }
    }
    Ok(File { general: section(source, document, owner, base)?, targets, ceilings })
}

/// Reads options and, below them, limits.
fn section(source: Source<'_>, mut table: DeTable<'_>, owner: Owner, base: &Base) -> Result<Section, SourceError> {
    let limits = match table.remove_entry("limits") {
        Some((key, value)) => {
            let wrong = || source.error_at(&key.span(), "limits are a section of their own: write [limits]");
            limits::read(source, value.get_ref().as_table().ok_or_else(wrong)?, owner)?
        }
        None => Given::new(),
    };
    Ok(Section { layer: layer(source, &table, owner, base)?, limits })
}

/// Reads options.
pub(super) fn layer(source: Source<'_>, table: &DeTable<'_>, owner: Owner, base: &Base) -> Result<Layer, SourceError> {
    let mut layer = Layer::new();
    for (key, value) in in_order(table) {
        let name: &str = key.get_ref();
        let line = source.line_of(&key.span());
        let Some(spec) = OPTIONS.iter().find(|s| s.key() == name) else {
            if matches!(name, "target" | "ceiling") {
                return Err(source.error_on(line, format!("a section cannot hold a {name}")));
            }
            let keys: Vec<String> = OPTIONS.iter().filter(|s| may_hold(owner, s)).map(Spec::key).collect();
            let meant = did_you_mean(name, keys.iter().map(String::as_str).chain(["target", "ceiling", "limits"]));
            return Err(source.error_on(line, format!("no option is called `{name}`{meant}")));
        };
        if !may_hold(owner, spec) {
            let message = if spec.place == Place::System {
                format!("`{name}` is for the system's file alone: who acts does not choose the record of it")
            } else if spec.short.is_some() {
                format!("`{name}` is for the command line; in a file it is part of `conninfo`")
            } else {
                format!("`{name}` is for the command line")
            };
            return Err(source.error_on(line, message));
        }
        let value = spec
            .kind
            .read_toml(value.get_ref(), base)
            .map_err(|message| source.error_on(line, format!("{name}: {message}")))?;
        let origin = Origin::File { file: source.name.to_owned(), line };
        layer.insert(spec.option, Setting { value, origin });
    }
    Ok(layer)
}

fn may_hold(owner: Owner, spec: &Spec) -> bool {
    spec.place.in_files() || (spec.place == Place::System && owner == Owner::System)
}
