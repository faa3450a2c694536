//! pgbouncer as its admin console shows it: pools with who waits in them, databases with their limits.
//!
//! It knows no version's columns: those are the probe's.

use serde::{Deserialize, Serialize};

use super::text::ServerText;

/// What the console showed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Pooler {
    /// Its version, as it says it: `PgBouncer 1.18.0`.
    pub version: ServerText,
    /// One for each pair of database and user; its own console left out.
    pub pools: Vec<Pool>,
    /// Clients that are connected now.
    pub clients: Option<i64>,
    /// How many may be: `max_client_conn`.
    pub max_clients: Option<i64>,
}

/// The pool of one database and user.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Pool {
    /// The database, by the pooler's name for it.
    pub database: ServerText,
    /// The user.
    pub user: ServerText,
    /// `session`, `transaction` or `statement`.
    pub mode: ServerText,
    /// Clients that have a server connection, or could have one at once.
    pub clients_active: i64,
    /// Clients that have sent something and wait for a server connection.
    pub clients_waiting: i64,
    /// Server connections in use.
    pub servers_active: i64,
    /// Server connections at rest: idle, used before and not checked yet, being tested.
    pub servers_idle: i64,
    /// Server connections that log in.
    pub servers_login: i64,
    /// How long the first in the queue has waited, in seconds.
    pub max_wait_s: f64,
    /// How many server connections it may have.
    pub size: Option<i64>,
    /// How many more it may take after `reserve_pool_timeout`.
    pub reserve: i64,
    /// Stopped by `PAUSE`.
    pub paused: bool,
    /// Stopped by `DISABLE`.
    pub disabled: bool,
}

impl Pool {
    /// Its server connections, in whichever state.
    #[must_use]
    pub fn servers(&self) -> i64 {
        self.servers_active + self.servers_idle + self.servers_login
    }

    /// True where every server connection that it may have is in use.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.size.is_some_and(|size| size > 0 && self.servers_active >= size)
    }
}

impl Pooler {
    /// The pool with the longest wait; of equals the one with the longer queue.
    #[must_use]
    pub fn worst(&self) -> Option<&Pool> {
        let key = |pool: &Pool| (pool.clients_waiting > 0, pool.max_wait_s, pool.clients_waiting);
        self.pools.iter().max_by(|a, b| {
            let (a, b) = (key(a), key(b));
            a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2))
        })
    }

    /// Clients as a share of those that there may be.
    #[must_use]
    pub fn clients_share(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "a share of connections")]
        let share = self.clients? as f64 / self.max_clients.filter(|most| *most > 0)? as f64;
        Some(share)
    }

    /// Clients that wait, in all pools.
    #[must_use]
    pub fn waiting(&self) -> i64 {
        self.pools.iter().map(|pool| pool.clients_waiting).sum()
    }
}
