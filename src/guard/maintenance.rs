//! Maintenance: what is done, and to what. A target is an OID with the names that it had on the screen.
//!
//! Says nothing of whether it may be done.

use serde::{Deserialize, Serialize};

use crate::model::ServerText;
use crate::model::index::Index;
use crate::model::relation::{Relation, RelationKey};

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Task {
    /// `VACUUM (ANALYZE)` of a table, or of a whole database.
    VacuumAnalyze,
    /// `ANALYZE` of a table.
    Analyze,
    /// `REINDEX (CONCURRENTLY)` of a table or an index.
    Reindex,
    /// `DROP INDEX CONCURRENTLY` of an index that is not valid: the leftover of a build that failed.
    DropInvalid,
}

/// What it is done to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Object {
    /// A table or a materialized view.
    Table(Named),
    /// An index.
    Index {
        /// The index.
        index: Named,
        /// Its table.
        table: Named,
    },
    /// All tables of a database.
    Database {
        /// Its name.
        name: ServerText,
        /// Its OID.
        oid: u32,
    },
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

    /// `"public"."orders"` for a statement that a person reads, safe to draw.
    #[must_use]
    pub fn quoted(&self) -> String {
        let quoted = [&self.schema, &self.name].map(|name| format!("\"{}\"", name.raw().replace('"', "\"\"")));
        ServerText::new(quoted.join(".")).escaped()
    }
}

impl Task {
    /// What a list of actions and the audit log call it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::VacuumAnalyze => "vacuum",
            Self::Analyze => "analyze",
            Self::Reindex => "reindex",
            Self::DropInvalid => "drop index",
        }
    }
}

impl Object {
    /// `relation`, a table of `database`.
    #[must_use]
    pub fn table_of(database: &ServerText, relation: &Relation) -> Self {
        Self::Table(Named {
            key: RelationKey { database: database.clone(), oid: relation.oid },
            schema: relation.schema.clone(),
            name: relation.name.clone(),
            kind: relation.kind,
        })
    }

    /// `index`, one of `database`.
    #[must_use]
    pub fn index_of(database: &ServerText, index: &Index) -> Self {
        let named = |oid, name: &ServerText, kind| Named {
            key: RelationKey { database: database.clone(), oid },
            schema: index.schema.clone(),
            name: name.clone(),
            kind,
        };
        Self::Index {
            index: named(index.oid, &index.name, if index.partitions.is_some() { 'I' } else { 'i' }),
            table: named(index.table_oid, &index.table, index.table_kind),
        }
    }

    /// The database that the work is done in.
    #[must_use]
    pub fn database(&self) -> &ServerText {
        match self {
            Self::Table(relation) | Self::Index { index: relation, .. } => &relation.key.database,
            Self::Database { name, .. } => name,
        }
    }

    /// Its OID.
    #[must_use]
    pub fn oid(&self) -> u32 {
        match self {
            Self::Table(relation) | Self::Index { index: relation, .. } => relation.key.oid,
            Self::Database { oid, .. } => *oid,
        }
    }

    /// The table that is worked on; none for a whole database.
    #[must_use]
    pub fn table(&self) -> Option<&Named> {
        match self {
            Self::Table(table) | Self::Index { table, .. } => Some(table),
            Self::Database { .. } => None,
        }
    }

    /// `public.orders`, or a database's name; safe to draw.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Table(relation) | Self::Index { index: relation, .. } => relation.shown(),
            Self::Database { name, .. } => name.head(64),
        }
    }

    /// The words of the statement for `task`, before the name.
    ///
    /// `PARALLEL 0`: by default a manual vacuum takes up to `max_parallel_maintenance_workers` for the indexes, from the
    /// workers that the service's queries share, and in an incident a vacuum may take its time. `SKIP_LOCKED`: one table
    /// that somebody locked would otherwise end the vacuum of all the others at its `lock_timeout`.
    #[must_use]
    pub fn verb(&self, task: Task) -> &'static str {
        match (task, self) {
            (Task::VacuumAnalyze, Self::Database { .. }) => "VACUUM (ANALYZE, PARALLEL 0, SKIP_LOCKED)",
            (Task::VacuumAnalyze, Self::Table(_) | Self::Index { .. }) => "VACUUM (ANALYZE, PARALLEL 0)",
            (Task::Analyze, _) => "ANALYZE",
            (Task::Reindex, Self::Table(_)) => "REINDEX TABLE CONCURRENTLY",
            (Task::Reindex, Self::Index { .. }) => "REINDEX INDEX CONCURRENTLY",
            (Task::Reindex, Self::Database { .. }) => "REINDEX DATABASE CONCURRENTLY",
            (Task::DropInvalid, _) => "DROP INDEX CONCURRENTLY",
        }
    }
}
