//! What may be done: what was asked for, and the ceilings over it. Pure.
//!
//! What the file in `/etc` says only bounds: it can lower what others allow, and nobody raises it again.

use serde::Serialize;

use super::layer::{Layer, Layers, Rank, Setting};
use super::option::Opt;
use super::value::Value;
use crate::guard::{Care, Kind, Pattern, Policy, Protected};

/// Whether each line of the audit log is copied to the system's log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Syslog {
    /// No.
    #[default]
    Off,
    /// Yes; where that fails it is said, and the action goes on.
    Copied,
    /// Yes; no copy of the line before it, no action.
    Required,
}

/// What may be done, and how it is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bounds {
    /// What may be done.
    pub policy: Policy,
    /// What lowered it, in words such as `--read-only` or `/etc/pgtriage/config.toml:3`; none where nothing did.
    pub policy_by: Option<String>,
    /// True where each question is a typed one.
    pub production: bool,
    /// True where an action needs a reason.
    pub require_reason: bool,
    /// Names that are left alone or asked about with care: all that anybody names.
    pub protected: Vec<Protected>,
    /// Whether the audit log is copied.
    pub syslog: Syslog,
}

impl Default for Bounds {
    /// Nobody said anything: as far as the role's rights on the server go.
    fn default() -> Self {
        Self {
            policy: Policy::Admin,
            policy_by: None,
            production: false,
            require_reason: false,
            protected: Vec::new(),
            syslog: Syslog::Off,
        }
    }
}

impl Bounds {
    /// What the user's own files, the environment and the command line come to under what the system's file says in
    /// general and of the target. A flag that allows more than the files do lowers nothing, which is a warning.
    #[must_use]
    pub fn of(layers: &Layers, warnings: &mut Vec<String>) -> Self {
        let mut bounds = Self::default();
        for rank in [Rank::System, Rank::SystemTarget] {
            bounds = layers.layer(rank).map_or(bounds.clone(), |layer| bounds.under(layer));
        }
        let policy_at = |rank: Rank| layers.layer(rank)?.get(&Opt::Policy);
        if let Some(setting) = policy_at(Rank::OwnTarget).or_else(|| policy_at(Rank::Own)) {
            bounds.lower(setting);
        }
        for setting in [Rank::Environment, Rank::Line].into_iter().filter_map(policy_at) {
            if policy(setting).is_some_and(|asked| asked > bounds.policy) {
                let (origin, now) = (&setting.origin, bounds.policy.word());
                let by = bounds.policy_by.as_deref().unwrap_or_default();
                warnings.push(format!("{origin} can only lower the policy: it stays `{now}` ({by})"));
            }
            bounds.lower(setting);
        }
        // Whoever says so: nobody's later `no` lifts it.
        let read_only_at = |rank: Rank| layers.layer(rank)?.get(&Opt::ReadOnly);
        for setting in [Rank::OwnTarget, Rank::Own, Rank::Environment, Rank::Line].into_iter().filter_map(read_only_at)
        {
            bounds.lower(setting);
        }
        for setting in [Rank::Environment, Rank::Line].into_iter().filter_map(read_only_at) {
            if setting.value == Value::Switch(false) && bounds.policy == Policy::Observer {
                let by = bounds.policy_by.as_deref().unwrap_or_default();
                warnings.push(format!("{} lifts nothing: it stays read-only ({by})", setting.origin));
            }
        }
        for layer in [Rank::Own, Rank::OwnTarget].into_iter().filter_map(|rank| layers.layer(rank)) {
            bounds.protected.extend(protected(layer));
        }
        Self {
            production: bounds.production || layers.switch(Opt::Production),
            require_reason: bounds.require_reason || layers.switch(Opt::RequireReason),
            syslog: bounds.syslog.max(syslog(layers.value(Opt::AuditSyslog).as_ref())),
            ..bounds
        }
    }

    /// The same under a ceiling.
    #[must_use]
    pub fn under(mut self, ceiling: &Layer) -> Self {
        for setting in [Opt::ReadOnly, Opt::Policy].into_iter().filter_map(|option| ceiling.get(&option)) {
            self.lower(setting);
        }
        let on = |option| ceiling.get(&option).is_some_and(|s| s.value == Value::Switch(true));
        self.protected.extend(protected(ceiling));
        Self {
            production: self.production || on(Opt::Production),
            require_reason: self.require_reason || on(Opt::RequireReason),
            syslog: self.syslog.max(syslog(ceiling.get(&Opt::AuditSyslog).map(|s| &s.value))),
            ..self
        }
    }

    /// The same under a ceiling for other databases of the same server. Where less is allowed there nothing is done to them
    /// from here: who connects to them is told how much may be.
    #[must_use]
    pub fn beside(mut self, ceiling: &Layer, databases: &Pattern) -> Self {
        let lower = |option| ceiling.get(&option).filter(|s| policy(s).is_some_and(|p| p < Policy::Admin));
        let careful = ceiling.get(&Opt::Production).filter(|s| s.value == Value::Switch(true));
        let rules =
            [(Care::Refused, lower(Opt::Policy)), (Care::Refused, lower(Opt::ReadOnly)), (Care::Typed, careful)];
        self.protected.extend(rules.into_iter().filter_map(|(care, setting)| {
            let by = setting?.origin.to_string();
            Some(Protected { kind: Kind::Database, care, pattern: databases.clone(), by })
        }));
        // The rest is as strict everywhere.
        let said = |option: &Opt| matches!(option, Opt::Policy | Opt::ReadOnly | Opt::Production);
        let rest = ceiling.iter().filter(|(option, _)| !said(option));
        self.under(&rest.map(|(option, setting)| (*option, setting.clone())).collect())
    }

    /// The same where nothing may be done, for this reason.
    #[must_use]
    pub fn closed(self, why: String) -> Self {
        if self.policy == Policy::Observer {
            return self;
        }
        Self { policy: Policy::Observer, policy_by: Some(why), ..self }
    }

    fn lower(&mut self, setting: &Setting) {
        if let Some(policy) = policy(setting).filter(|policy| *policy < self.policy) {
            self.policy = policy;
            self.policy_by = Some(setting.origin.to_string());
        }
    }
}

fn syslog(value: Option<&Value>) -> Syslog {
    if let Some(Value::Syslog(syslog)) = value { *syslog } else { Syslog::Off }
}

/// The policy that a setting allows; none where it says nothing of it.
fn policy(setting: &Setting) -> Option<Policy> {
    match &setting.value {
        Value::Policy(policy) => Some(*policy),
        // `read_only`, the only switch that comes here.
        Value::Switch(true) => Some(Policy::Observer),
        Value::Switch(false)
        | Value::Text(_)
        | Value::List(_)
        | Value::Time(_)
        | Value::Count(_)
        | Value::Bytes(_)
        | Value::Share(_)
        | Value::Patterns(_)
        | Value::Syslog(_)
        | Value::Dependencies(_) => None,
    }
}

/// The options that name names.
const NAMING: [(Opt, Kind, Care); 6] = [
    (Opt::ProtectRoles, Kind::Role, Care::Refused),
    (Opt::ProtectApplications, Kind::Application, Care::Refused),
    (Opt::ProtectDatabases, Kind::Database, Care::Refused),
    (Opt::ConfirmRoles, Kind::Role, Care::Typed),
    (Opt::ConfirmApplications, Kind::Application, Care::Typed),
    (Opt::ConfirmDatabases, Kind::Database, Care::Typed),
];

/// The names that a source names.
fn protected(layer: &Layer) -> Vec<Protected> {
    let mut all = Vec::new();
    for (option, kind, care) in NAMING {
        let Some(Setting { value: Value::Patterns(patterns), origin }) = layer.get(&option) else { continue };
        let by = origin.to_string();
        all.extend(patterns.iter().map(|p| Protected { kind, care, pattern: p.clone(), by: by.clone() }));
    }
    all
}
