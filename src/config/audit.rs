//! The subcommand `audit`: what is asked of the log, and which file that is.
//!
//! It looks into no log. The user's own config file is not read: it has no say in where the log is.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Command, value_parser};

use super::ConfigError;

/// The first word that is a subcommand. It goes before a target and a database of that name.
pub(super) const NAME: &str = "audit";

/// What is asked of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRequest {
    /// What to do.
    pub look: AuditLook,
    /// The log.
    pub file: PathBuf,
}

/// How to look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditLook {
    /// Say whether its chain of hashes is whole.
    Verify,
    /// Show what was done.
    Show {
        /// Only so many actions, the last ones.
        last: Option<usize>,
    },
}

/// What was typed of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TypedAudit {
    pub(super) look: AuditLook,
    pub(super) file: Option<PathBuf>,
}

pub(super) fn command() -> Command {
    let file = || {
        let help = "The log. [default: where this machine's actions are recorded]";
        Arg::new("file").value_name("FILE").value_parser(value_parser!(PathBuf)).help(help)
    };
    let last = Arg::new("last")
        .long("last")
        .value_name("N")
        .value_parser(value_parser!(usize))
        .help("Only the last N actions.");
    Command::new(NAME)
        .about("Check or show the log of actions. (`-d audit` is a database of that name.)")
        .subcommand_required(true)
        .arg_required_else_help(false)
        .disable_help_subcommand(true)
        .subcommand(Command::new("verify").about(VERIFY).after_help(LIMITS).arg(file()))
        .subcommand(Command::new("show").about("Show what was done and what was refused.").arg(file()).arg(last))
}

const VERIFY: &str = "Say whether each line follows the one before it: exit code 0 if so, 1 if not.";

const LIMITS: &str = "\
Each line carries the SHA-256 of the line before it. So a line that was changed, removed, inserted or moved is told. \
That lines were cut off the end, or written anew from some line on to the end, is told only by \
the copy in syslog (`audit_syslog`), which has the SHA-256 of each line before it, or by the last one's noted elsewhere.";

/// Reads it from what clap found.
pub(super) fn read(matches: &ArgMatches) -> Option<TypedAudit> {
    let (name, matches) = matches.subcommand_matches(NAME)?.subcommand()?;
    let look = match name {
        "verify" => AuditLook::Verify,
        _ => AuditLook::Show { last: matches.get_one("last").copied() },
    };
    Some(TypedAudit { look, file: matches.get_one("file").cloned() })
}

impl TypedAudit {
    /// The request, with the usual file where none was given.
    pub(super) fn request(
        self,
        usual: impl FnOnce() -> Result<PathBuf, ConfigError>,
    ) -> Result<AuditRequest, ConfigError> {
        Ok(AuditRequest { look: self.look, file: self.file.map_or_else(usual, Ok)? })
    }
}
