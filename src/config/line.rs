//! The command line: clap's flags made from the table of options, and what was typed as a layer and words.
//!
//! It prints nothing: help and version come back as text.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::ConfigError;
use super::audit::{self, TypedAudit};
use super::layer::{Layer, Origin, Setting};
use super::option::Group;
use super::option::{Kind, OPTIONS, Opt, Place, Spec};
use super::rules::{self, TypedRules};
use super::value::{Base, Value};

/// What was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Line {
    /// The flags.
    pub layer: Layer,
    /// The other words.
    pub words: Vec<String>,
}

/// What the command line came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Typed {
    /// Flags and words.
    Line(Line),
    /// The subcommand `audit`.
    Audit(TypedAudit),
    /// The subcommand `rules`.
    Rules(TypedRules),
    /// Help or version: to be printed, and the program leaves.
    Print(String),
}

/// The program's command line. The first word is looked up as a subcommand before it is a target or a database.
pub(super) fn command() -> Command {
    let flags = OPTIONS.iter().filter(|s| s.place.is_flag() || s.place == Place::Words).map(argument);
    Command::new("pgtriage")
        .version(env!("CARGO_PKG_VERSION"))
        .about(env!("CARGO_PKG_DESCRIPTION"))
        .override_usage("pgtriage [OPTIONS] [CONNINFO]...\n       pgtriage audit <verify|show> [FILE]\n       pgtriage rules <test FILE|print>")
        .after_help(AFTER)
        .max_term_width(110)
        // As psql: where a flag is given twice, the last one counts.
        .args_override_self(true)
        // -h is the host.
        .disable_help_flag(true)
        .disable_version_flag(true)
        // Nor is `help` a subcommand: it may be a database.
        .disable_help_subcommand(true)
        .subcommand(audit::command())
        .subcommand(rules::command(&metrics_flags()))
        .args(flags)
        .arg(
            Arg::new("help")
                .long("help")
                .short('?')
                .action(ArgAction::Help)
                // The subcommands have it too.
                .global(true)
                .help("Print this help.")
                .help_heading("Files"),
        )
        .arg(
            Arg::new("version")
                .long("version")
                .short('V')
                .action(ArgAction::Version)
                .help("Print the version.")
                .help_heading("Files"),
        )
}

const AFTER: &str = "\
The usual PG* variables, ~/.pgpass and pg_service.conf are honoured.

What counts, from weak to strong: /etc/pgtriage/config.toml, the user's config file, a target's section of either, \
the environment (PGTRIAGE_REFRESH for --refresh, and so on; NO_COLOR), the command line. But nobody \
raises what the file in /etc allows.";

/// The flags that say which Prometheus is asked and what its metrics are called.
fn metrics_flags() -> Vec<Arg> {
    metrics_options().map(argument).collect()
}

fn metrics_options() -> impl Iterator<Item = &'static Spec> {
    // What no rule is asked with would only be in the way of those that are.
    let other = [Opt::Workload, Opt::CacheTable, Opt::Panels, Opt::Rules, Opt::Alertmanager];
    OPTIONS.iter().filter(move |s| s.group == Group::Metrics && s.place.is_flag() && !other.contains(&s.option))
}

fn argument(spec: &Spec) -> Arg {
    let default = spec.default.map_or_else(String::new, |d| format!(" [default: {d}]"));
    let help = format!("{}{default}", spec.help);
    let arg = Arg::new(spec.name).help(help);
    if spec.place == Place::Words {
        return arg.value_name(spec.kind.placeholder().unwrap_or_default()).num_args(0..).action(ArgAction::Append);
    }
    let arg = arg.long(spec.name).help_heading(spec.group.heading());
    let arg = if let Some(letter) = spec.short { arg.short(letter) } else { arg };
    // As psql: of -w and -W the last one counts.
    let ask = [Opt::NoPassword, Opt::Password];
    let arg = if ask.contains(&spec.option) { arg.overrides_with_all(ask.map(|o| o.spec().name)) } else { arg };
    match spec.kind.placeholder() {
        None => arg.action(ArgAction::SetTrue),
        Some(name) if spec.kind.is_list() => arg.value_name(name).action(ArgAction::Append),
        Some(name) => arg.value_name(name).action(ArgAction::Set),
    }
}

/// Reads the command line; the first argument is the program's name.
pub(super) fn read(args: Vec<OsString>, base: &Base) -> Result<Typed, ConfigError> {
    let command = command();
    // The first of the words that is one of ours is the one that clap stopped at.
    let ours = |arg: &OsString| command.get_subcommands().map(clap::Command::get_name).find(|name| arg == name);
    let word = args.iter().skip(1).find_map(ours).map(str::to_owned);
    let matches = match command.try_get_matches_from(args) {
        Ok(matches) => matches,
        Err(e) if matches!(e.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            return Ok(Typed::Print(e.render().to_string()));
        }
        Err(e) => {
            // Whoever types `pgtriage audit` may mean a database.
            let subcommand = matches!(e.kind(), ErrorKind::MissingSubcommand | ErrorKind::InvalidSubcommand);
            let hint = word.filter(|_| subcommand);
            let hint = hint.map_or_else(String::new, |word| format!("\n`-d {word}` is a database of that name."));
            return Err(ConfigError::Usage(format!("{}{hint}", e.render().to_string().trim_end())));
        }
    };
    let mut layer = Layer::new();
    for spec in OPTIONS.iter().filter(|s| s.place.is_flag()) {
        if let Some(value) = value(spec, &matches, base)? {
            layer.insert(spec.option, Setting { value, origin: Origin::Flag(spec.name) });
        }
    }
    if let Some(typed) = audit::read(&matches) {
        return match layer.keys().next() {
            Some(opt) => Err(ConfigError::Usage(format!("error: --{} says nothing to `audit`", opt.spec().name))),
            None => Ok(Typed::Audit(typed)),
        };
    }
    if let Some((look, below)) = rules::read(&matches) {
        if let Some(opt) = layer.keys().find(|o| !metrics_options().any(|s| s.option == **o) && **o != Opt::Config) {
            return Err(ConfigError::Usage(format!("error: --{} says nothing to `rules`", opt.spec().name)));
        }
        for spec in metrics_options() {
            if let Some(value) = value(spec, below, base)? {
                layer.insert(spec.option, Setting { value, origin: Origin::Flag(spec.name) });
            }
        }
        return Ok(Typed::Rules(TypedRules { look, layer }));
    }
    let words = texts(&matches, Opt::Conninfo.spec().name);
    Ok(Typed::Line(Line { layer, words }))
}

fn value(spec: &Spec, matches: &ArgMatches, base: &Base) -> Result<Option<Value>, ConfigError> {
    if spec.kind == Kind::Switch {
        return Ok(matches.get_flag(spec.name).then_some(Value::Switch(true)));
    }
    let mut read = Vec::new();
    for text in texts(matches, spec.name) {
        let value = spec.kind.read(&text, base);
        read.push(value.map_err(|message| ConfigError::Value { origin: Origin::Flag(spec.name), message })?);
    }
    if spec.kind.is_list() && !read.is_empty() {
        let all = read.into_iter().flat_map(|v| if let Value::List(texts) = v { texts } else { Vec::new() });
        return Ok(Some(Value::List(all.collect())));
    }
    Ok(read.pop())
}

fn texts(matches: &ArgMatches, name: &str) -> Vec<String> {
    matches.get_many::<String>(name).into_iter().flatten().cloned().collect()
}

/// The environment's layer.
pub(super) fn environment(vars: impl Fn(&str) -> Option<String>, base: &Base) -> Result<Layer, ConfigError> {
    let mut layer = Layer::new();
    for spec in OPTIONS {
        let Some(name) = spec.variable() else { continue };
        let Some(text) = vars(&name) else { continue };
        // Its specification gives `NO_COLOR=0` the same meaning as any other text.
        let no_color = spec.option == Opt::NoColor;
        let value = if no_color { Ok(Value::Switch(true)) } else { spec.kind.read(&text, base) };
        let origin = Origin::Variable(name);
        match value {
            Ok(value) => drop(layer.insert(spec.option, Setting { value, origin })),
            Err(message) => return Err(ConfigError::Value { origin, message }),
        }
    }
    Ok(layer)
}
