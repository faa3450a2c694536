//! The login that plans are made on, and whether a password that was given is meant for it.
//!
//! It decides nothing about what that role may do: the server is asked that before each plan.

use serde::Serialize;

use super::layer::{Layers, Rank};
use super::metrics::{Recipient, Whom};
use super::option::Opt;
use super::{ConfigError, Secret, Surroundings};

/// A login for plans alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlanLogin {
    /// The role.
    pub user: String,
    /// Its password, where the password file is not to be asked for it.
    pub password: Option<Secret>,
}

/// `server` is where the server was named: a password from a weaker place may be meant for another one.
pub(super) fn plan_login(
    layers: &Layers,
    around: &Surroundings,
    server: Rank,
    warnings: &mut Vec<String>,
) -> Result<Option<PlanLogin>, ConfigError> {
    let (Some((named, _)), Some(user)) = (layers.given(Opt::PlanUser), layers.text(Opt::PlanUser)) else {
        return Ok(None);
    };
    let rank = named.max(server).min(Rank::Environment);
    let mut recipient = Recipient { layers, around, rank, warnings, whom: Whom::PlanLogin };
    let password = recipient.secret(Opt::PlanPasswordFile, "PGTRIAGE_PLAN_PASSWORD")?;
    Ok(Some(PlanLogin { user, password }))
}
