//! From layers to settings: which file is read, which target is meant, what always holds.
//!
//! The order of the layers is `layer`'s; here are the few rules that go across them.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::bounds::Bounds;
use super::file::{File, Owner};
use super::layer::{Layers, Rank};
use super::line::{Line, Typed};
use super::option::Opt;
use super::rules::{RulesRequest, TypedRules};
use super::value::Base;
use super::words::{AskPassword, Given, Sorted, is_conninfo};
use super::{Alerting, ConfigError, KeymapChoice, Request, Secret, Settings, Surroundings};
use super::{example, file, health, limits, line, metrics, plan, words};
use crate::keymap::EMBEDDED;
use crate::keymap::source::{Source, SourceError};

/// The system's file, or why it cannot be used.
type SystemFile = Result<File, String>;

pub(super) fn resolve(args: Vec<OsString>, around: &Surroundings) -> Result<Request, ConfigError> {
    let here = Base { home: around.home.clone(), folder: None };
    let typed = match line::read(args, &here)? {
        Typed::Print(text) => return Ok(Request::Print(text)),
        Typed::Audit(typed) => return typed.request(|| usual_log(around)).map(Request::Audit),
        Typed::Rules(typed) => return rules(typed, around, &here).map(Box::new).map(Request::Rules),
        Typed::Line(typed) => typed,
    };
    let mut layers = Layers::default();
    layers.insert(Rank::Environment, line::environment(|name| around.var(name).map(str::to_owned), &here)?);
    layers.insert(Rank::Line, typed.layer.clone());
    if layers.switch(Opt::PrintConfig) {
        return Ok(Request::Print(example()));
    }

    let own = own_file(around, &layers)?;
    let system = system_file(around);
    let mut warnings = Vec::new();
    let (system, broken) = match system {
        Ok(file) => (file, None),
        Err(reason) => (File::default(), Some(reason)),
    };
    let sorted = words::sort(
        &typed.words,
        layers.text(Opt::Dbname).as_deref(),
        layers.text(Opt::Username).as_deref(),
        |name| own.targets.contains_key(name) || system.targets.contains_key(name),
    )?;
    layers.insert(Rank::System, system.general.layer);
    layers.insert(Rank::Own, own.general.layer);
    let mut limits = vec![system.general.limits, own.general.limits];
    if let Some(target) = &sorted.target {
        for (rank, targets) in [(Rank::SystemTarget, &system.targets), (Rank::OwnTarget, &own.targets)] {
            let section = targets.get(target).cloned().unwrap_or_default();
            layers.insert(rank, section.layer);
            limits.push(section.limits);
        }
    }

    let audit_file = audit_file(around, &layers);
    let mut bounds = bounds(&layers, broken.as_deref(), &mut warnings);
    if audit_file.is_none() {
        // No line in the audit log, no action.
        bounds = bounds.closed("there is no folder for the audit log: HOME is not set".to_owned());
    }
    if let Some(reason) = broken {
        warnings.push(format!("{reason}: the system's settings are not known, so this is read-only"));
    }
    let base = base_conninfo(around, &layers, &sorted)?;
    let plan_login = plan::plan_login(&layers, around, server_named(around, &layers, &sorted), &mut warnings)?;
    let connection = Given {
        base: base.map(Secret::new),
        dbname: sorted.dbname.map(Secret::new),
        host: layers.text(Opt::Host),
        port: layers.text(Opt::Port),
        user: sorted.user,
        ask: ask(&typed),
    };
    let limits = limits::settled(&limits, &mut warnings)?;
    let metrics = metrics::metrics(&layers, around, &mut warnings)?;
    let health = health::health(&layers, around, &mut warnings)?;
    Ok(Request::Run(Box::new(Settings {
        target: sorted.target,
        bounds,
        ceilings: system.ceilings,
        connection,
        plan_login,
        metrics,
        health,
        refresh: layers.time(Opt::Refresh),
        slow_after: layers.time(Opt::SlowAfter),
        limits,
        keymap: keymap(&layers),
        panels: layers.text(Opt::Panels).map(PathBuf::from),
        runbooks: layers.text(Opt::Runbooks).map(PathBuf::from),
        alerting: Alerting {
            rules: layers.list(Opt::Rules).into_iter().map(PathBuf::from).collect(),
            alertmanager: layers.text(Opt::Alertmanager).map(Secret::new),
            bell: !layers.switch(Opt::NoBell),
        },
        ascii: layers.switch(Opt::Ascii),
        no_color: layers.switch(Opt::NoColor),
        audit_file,
        actor: around.actor(),
        warnings,
    })))
}

/// What the subcommand `rules` is to do: with the Prometheus of the command line, the environment or the files, none of
/// which has to name a server.
fn rules(typed: TypedRules, around: &Surroundings, here: &Base) -> Result<RulesRequest, ConfigError> {
    let mut layers = Layers::default();
    layers.insert(Rank::Environment, line::environment(|name| around.var(name).map(str::to_owned), here)?);
    layers.insert(Rank::Line, typed.layer);
    let mut warnings = Vec::new();
    let own = own_file(around, &layers)?;
    match system_file(around) {
        Ok(system) => layers.insert(Rank::System, system.general.layer),
        Err(reason) => warnings.push(reason),
    }
    layers.insert(Rank::Own, own.general.layer);
    let metrics = metrics::metrics(&layers, around, &mut warnings)?;
    Ok(RulesRequest { look: typed.look, metrics, warnings })
}

/// The user's file. One that was asked for by name must be there; the usual one may be missing.
fn own_file(around: &Surroundings, layers: &Layers) -> Result<File, ConfigError> {
    let asked = layers.given(Opt::Config).map(|(_, setting)| setting.origin.clone());
    let path = match &asked {
        Some(_) => layers.text(Opt::Config).map(PathBuf::from),
        None => around.folder("XDG_CONFIG_HOME", ".config").map(|f| f.join("config.toml")),
    };
    let Some(path) = path else { return Ok(File::default()) };
    let text = match (around.read)(&path) {
        Ok(text) => text,
        Err(e) if asked.is_none() && e.kind() == ErrorKind::NotFound => return Ok(File::default()),
        Err(e) => {
            return Err(ConfigError::Read {
                origin: asked,
                path: path.to_string_lossy().into_owned(),
                message: e.to_string(),
            });
        }
    };
    Ok(read(around, &path, &text, Owner::User)?)
}

/// The system's file. Where it is there and cannot be used, it may have said `read_only`: the console opens all the
/// same, for it may be all that somebody has at three in the morning, but it does nothing.
fn system_file(around: &Surroundings) -> SystemFile {
    let path = &around.system_config;
    match (around.read_system)(path) {
        Ok(text) => read(around, path, &text, Owner::System).map_err(|e| e.to_string()),
        // Without /etc/pgtriage there is no file; ENOTDIR comes where a part of the path is a file.
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(File::default()),
        Err(e) => Err(format!("{}: {e}", path.display())),
    }
}

fn read(around: &Surroundings, path: &Path, text: &str, owner: Owner) -> Result<File, SourceError> {
    let base = Base { home: around.home.clone(), folder: path.parent().map(Path::to_path_buf) };
    file::read(Source { name: &path.to_string_lossy(), text }, owner, &base)
}

/// What may be done: nothing where the system's file cannot be used.
fn bounds(layers: &Layers, broken: Option<&str>, warnings: &mut Vec<String>) -> Bounds {
    match broken {
        Some(reason) => Bounds::default().closed(reason.to_owned()),
        None => Bounds::of(layers, warnings),
    }
}

fn audit_file(around: &Surroundings, layers: &Layers) -> Option<PathBuf> {
    let usual = || Some(around.folder("XDG_STATE_HOME", ".local/state")?.join("audit.jsonl"));
    layers.text(Opt::AuditFile).map(PathBuf::from).or_else(usual)
}

/// The log that actions on this machine are recorded in, where the words of an error must say that it is not known.
fn usual_log(around: &Surroundings) -> Result<PathBuf, ConfigError> {
    let unknown = |why: &str| ConfigError::Usage(format!("error: {why}: name the audit log's file"));
    let mut layers = Layers::default();
    layers.insert(Rank::System, system_file(around).map_err(|reason| unknown(&reason))?.general.layer);
    audit_file(around, &layers).ok_or_else(|| unknown("HOME is not set"))
}

/// The conninfo of the config file, where it is meant: always that of a target, the general one only where neither the
/// command line nor the environment names a server. Its password must not go to another.
fn base_conninfo(around: &Surroundings, layers: &Layers, sorted: &Sorted) -> Result<Option<String>, ConfigError> {
    let Some(target) = &sorted.target else {
        let elsewhere = named_on_line(layers, sorted) || named_around(around);
        return Ok(if elsewhere { None } else { layers.text(Opt::Conninfo) });
    };
    match layers.given(Opt::Conninfo) {
        Some((Rank::SystemTarget | Rank::OwnTarget, _)) => Ok(layers.text(Opt::Conninfo)),
        _ => Err(ConfigError::Usage(format!("error: the target `{target}` has no `conninfo` in the config file"))),
    }
}

fn named_on_line(layers: &Layers, sorted: &Sorted) -> bool {
    layers.text(Opt::Host).is_some() || sorted.dbname.as_deref().is_some_and(is_conninfo)
}

fn named_around(around: &Surroundings) -> bool {
    ["PGHOST", "PGHOSTADDR", "PGSERVICE"].iter().any(|name| around.var(name).is_some())
}

/// Where the server was named; the weakest place where nobody named one.
fn server_named(around: &Surroundings, layers: &Layers, sorted: &Sorted) -> Rank {
    if named_on_line(layers, sorted) || (sorted.target.is_none() && named_around(around)) {
        return Rank::Environment;
    }
    layers.given(Opt::Conninfo).map_or(Rank::System, |(rank, _)| rank)
}

fn ask(typed: &Line) -> AskPassword {
    if typed.layer.contains_key(&Opt::Password) {
        AskPassword::First
    } else if typed.layer.contains_key(&Opt::NoPassword) {
        AskPassword::Never
    } else {
        AskPassword::AsNeeded
    }
}

fn keymap(layers: &Layers) -> KeymapChoice {
    let name = layers.text(Opt::Keymap).unwrap_or_default();
    if EMBEDDED.iter().any(|(n, _)| *n == name) {
        KeymapChoice::Embedded(name)
    } else {
        KeymapChoice::File(name.into())
    }
}
