//! The subcommand `rules`: which file is tested, and which Prometheus is asked.
//!
//! It reads no rule file. The options for Prometheus are those of the console, and so are their files and variables.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::Metrics;
use super::layer::Layer;

/// The word that is a subcommand. It goes before a target and a database of that name.
pub(super) const NAME: &str = "rules";

/// What is asked of rules.
#[derive(Debug, Clone, PartialEq)]
pub struct RulesRequest {
    /// What to do.
    pub look: RulesLook,
    /// The Prometheus, and what the built-in rules are filled in with.
    pub metrics: Metrics,
    /// What is to be known of the settings.
    pub warnings: Vec<String>,
}

/// What to do with rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RulesLook {
    /// Check a file, and evaluate it once where there is a Prometheus.
    Test {
        /// The file.
        file: PathBuf,
        /// As JSON.
        json: bool,
    },
    /// Print the built-in rules as a Prometheus rule file.
    Print,
}

/// What was typed of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TypedRules {
    pub(super) look: RulesLook,
    pub(super) layer: Layer,
}

/// The subcommand, with the flags for Prometheus.
pub(super) fn command(flags: &[Arg]) -> Command {
    let file = Arg::new("file").value_name("FILE").required(true).value_parser(value_parser!(PathBuf));
    let json = Arg::new("json").long("json").action(ArgAction::SetTrue).help("As JSON.");
    Command::new(NAME)
        .about("Test a Prometheus rule file, or print the built-in rules. (`-d rules` is a database of that name.)")
        .subcommand_required(true)
        .arg_required_else_help(false)
        .disable_help_subcommand(true)
        .subcommand(
            Command::new("test")
                .about("Check a rule file, and evaluate it once where --prometheus says where.")
                .after_help(CODES)
                .arg(file.help("The rule file."))
                .arg(json)
                .args(flags),
        )
        .subcommand(Command::new("print").about("Print the built-in rules as a Prometheus rule file.").args(flags))
}

const CODES: &str = "\
Exit code 0: the file is whole, and each rule that was asked was answered. 1: a fault, each with its line, or a rule that \
Prometheus refused. 2: the file cannot be read. 3: Prometheus did not answer.";

/// The words and the matches of what was typed below it.
pub(super) fn read(matches: &ArgMatches) -> Option<(RulesLook, &ArgMatches)> {
    let (name, matches) = matches.subcommand_matches(NAME)?.subcommand()?;
    let look = match name {
        "test" => RulesLook::Test { file: matches.get_one::<PathBuf>("file")?.clone(), json: matches.get_flag("json") },
        _ => RulesLook::Print,
    };
    Some((look, matches))
}
