//! Maintenance: what is done, and to what. A target is an OID with the names that it had on the screen.
//!
//! Says nothing of whether it may be done.

use serde::{Deserialize, Serialize};

use crate::model::ServerText;
use crate::model::relation::{Relation, RelationKey};

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Task {
    /// `VACUUM (ANALYZE)`.
    VacuumAnalyze,
    /// `ANALYZE`.
    Analyze,
}

impl Task {
    /// What a list of actions and the audit log call it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::VacuumAnalyze => "vacuum",
            Self::Analyze => "analyze",
        }
    }

    /// The words of the statement before the name of what it is done to.
    ///
    /// `PARALLEL 0`: by default a manual vacuum takes up to `max_parallel_maintenance_workers` for the indexes, from the
    /// workers that the service's queries share, and in an incident a vacuum may take its time.
    #[must_use]
    pub fn verb(self) -> &'static str {
        match self {
            Self::VacuumAnalyze => "VACUUM (ANALYZE, PARALLEL 0)",
            Self::Analyze => "ANALYZE",
        }
    }
}

/// What it is done to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Object {
    /// A table.
    Table(Named),
}

/// A relation: its identity, and what it was called on the screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Its OID in its database.
    pub key: RelationKey,
    /// Its schema.
    pub schema: ServerText,
    /// Its name.
    pub name: ServerText,
    /// Its `relkind`.
    pub kind: char,
}

impl Named {
    /// `public.orders`, safe to draw.
    #[must_use]
    pub fn shown(&self) -> String {
        format!("{}.{}", self.schema.head(64), self.name.head(64))
    }
}

impl Object {
    /// `relation`, a table of `database`.
    #[must_use]
    pub fn table(relation: &Relation, database: &ServerText) -> Self {
        Self::Table(Named {
            key: RelationKey { database: database.clone(), oid: relation.oid },
            schema: relation.schema.clone(),
            name: relation.name.clone(),
            kind: relation.kind,
        })
    }

    /// The database that the work is done in.
    #[must_use]
    pub fn database(&self) -> &ServerText {
        match self {
            Self::Table(table) => &table.key.database,
        }
    }

    /// Its name, safe to draw.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Table(table) => table.shown(),
        }
    }
}
