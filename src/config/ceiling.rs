//! The ceilings that the system's file sets for servers by their names: which one holds where.
//!
//! A server may be reached by many names, so every name by which it is addressed counts, and all ceilings that hold
//! count. What a ceiling does is `bounds`'.

use toml::de::DeTable;

use super::file::{Owner, layer};
use super::layer::Layer;
use super::option::Opt;
use super::value::Base;
use crate::guard::Pattern;
use crate::keymap::source::{Source, SourceError, did_you_mean, in_order};

/// What a ceiling may hold beside the patterns.
const BOUNDING: &[Opt] = &[
    Opt::Policy,
    Opt::ReadOnly,
    Opt::Production,
    Opt::RequireReason,
    Opt::AuditSyslog,
    Opt::ProtectRoles,
    Opt::ProtectApplications,
    Opt::ProtectDatabases,
    Opt::ConfirmRoles,
    Opt::ConfirmApplications,
    Opt::ConfirmDatabases,
];

/// Which server and database, by all that they are called.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The target's name, each host, each address, and these with `:` and the port.
    pub servers: Vec<String>,
    /// The database that is connected to.
    pub database: String,
}

/// One `[[ceiling]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ceiling {
    server: Option<Pattern>,
    database: Option<Pattern>,
    pub(super) layer: Layer,
}

impl Ceiling {
    /// True where it holds: where both patterns match, or the one that there is.
    #[must_use]
    pub fn holds(&self, place: &Place) -> bool {
        self.is_of(place) && self.database.as_ref().is_none_or(|p| p.matches(&place.database))
    }

    /// The databases that it is for, where those are others of the same server.
    pub(super) fn beside(&self, place: &Place) -> Option<&Pattern> {
        self.database.as_ref().filter(|p| self.is_of(place) && !p.matches(&place.database))
    }

    /// Names of hosts are the same in capitals, and with the dot of the root behind them.
    fn is_of(&self, place: &Place) -> bool {
        let is = |p: &Pattern, name: &str| p.matches(name) || p.matches(&plain(name));
        self.server.as_ref().is_none_or(|p| place.servers.iter().any(|name| is(p, name)))
    }
}

/// The name of a host as most write it: in small letters, without the dot of the root.
fn plain(name: &str) -> String {
    let name = name.to_lowercase();
    match name.rsplit_once(':') {
        Some((host, port)) => format!("{}:{port}", host.trim_end_matches('.')),
        None => name.trim_end_matches('.').to_owned(),
    }
}

/// Reads one `[[ceiling]]`.
pub(super) fn read(source: Source<'_>, table: &DeTable<'_>, base: &Base) -> Result<Ceiling, SourceError> {
    let (mut patterns, mut rest) = ([None, None], table.clone());
    for (key, value) in in_order(table) {
        let (name, line): (&str, _) = (key.get_ref(), source.line_of(&key.span()));
        let at = match name {
            "server" => 0,
            "database" => 1,
            _ if BOUNDING.iter().any(|option| option.spec().key() == name) => continue,
            _ => {
                let keys: Vec<String> = BOUNDING.iter().map(|option| option.spec().key()).collect();
                let meant = did_you_mean(name, keys.iter().map(String::as_str).chain(["server", "database"]));
                return Err(source.error_on(line, format!("a ceiling has no `{name}`{meant}")));
            }
        };
        let text = value.get_ref().as_str().ok_or("is a text in quotes".to_owned());
        let pattern = text.and_then(Pattern::new).map_err(|e| source.error_on(line, format!("{name}: {e}")))?;
        if let Some(place) = patterns.get_mut(at) {
            *place = Some(pattern);
        }
        rest.remove(name);
    }
    let [server, database] = patterns;
    Ok(Ceiling { server, database, layer: layer(source, &rest, Owner::System, base)? })
}
