//! What maintenance is done to, as a line tells it: a table, an index or a database.
//!
//! It knows nothing of the rest of the line.

use serde::{Deserialize, Serialize};

use crate::guard::{Named, Object};
use crate::model::ServerText;

/// What maintenance is done to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maintained {
    /// Its database.
    pub database: ServerText,
    /// Its OID.
    pub oid: u32,
    /// Its schema; none of a database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<ServerText>,
    /// Its name.
    pub name: ServerText,
    /// Its `relkind`; none of a database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<char>,
    /// The table's name, of an index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<ServerText>,
}

impl Maintained {
    pub(super) fn named(relation: &Named) -> Self {
        Self {
            database: relation.key.database.clone(),
            oid: relation.key.oid,
            schema: Some(relation.schema.clone()),
            name: relation.name.clone(),
            kind: Some(relation.kind),
            of: None,
        }
    }

    pub(super) fn of(target: &Object) -> Self {
        match target {
            Object::Table(table) => Self::named(table),
            Object::Index { index, table } => Self { of: Some(table.name.clone()), ..Self::named(index) },
            Object::Database { name, oid } => {
                Self { database: name.clone(), oid: *oid, schema: None, name: name.clone(), kind: None, of: None }
            }
        }
    }
}
