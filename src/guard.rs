//! May this run? The one gate between a key and a server: every action is judged here, and only here is an
//! [`Approved`] made.
//!
//! Pure: it looks at the world as it is on the screen. The server looks again, in the statement itself.

use serde::{Deserialize, Serialize};

use crate::model::relation::RelationKey;
use crate::model::session::SessionKey;
use crate::model::{ServerText, Timestamp};

/// The server that the question was about: an action is void on any other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerIdentity {
    /// `pg_postmaster_start_time()` as text.
    pub started: String,
    /// `system_identifier` of `pg_control_system()`, where it may be read.
    pub system_identifier: Option<String>,
    /// `pg_is_in_recovery()`.
    pub in_recovery: bool,
}

/// An action on a server. A target is an identity, never a row number or a bare pid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Write {
    /// `pg_cancel_backend` of one statement.
    Cancel {
        /// The session.
        session: SessionKey,
        /// The statement: its `query_start` as text.
        query_start: Option<String>,
        /// Its text as it was on the screen, for the audit log.
        query: ServerText,
        /// Who runs it: role, database, application, client, as they were on the screen.
        who: String,
        /// The server.
        server: ServerIdentity,
    },
    /// `VACUUM (ANALYZE)` of one table.
    Vacuum {
        /// The table.
        relation: RelationKey,
        /// Its schema as it was on the screen.
        schema: ServerText,
        /// Its name as it was on the screen.
        name: ServerText,
        /// The server.
        server: ServerIdentity,
    },
}

/// What may be done at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Policy {
    /// Nothing: no writer exists.
    ReadOnly,
    /// Guarded actions.
    Guarded,
}

/// An action that was judged, asked about and confirmed. Only this module makes one, and it cannot be copied or read
/// from a file: whoever holds one came through the gate.
///
/// ```compile_fail
/// let forged = pgtriage::guard::Approved { write: todo!(), at: todo!() };
/// ```
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Approved {
    write: Write,
    at: Timestamp,
}

impl Approved {
    /// What was approved.
    #[must_use]
    pub fn write(&self) -> &Write {
        &self.write
    }

    /// When it was confirmed.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }
}
