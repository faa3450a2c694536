//! Owns `Console`, a session on a pooler's admin console: its commands in the simple protocol, each with a deadline.
//!
//! It must never send a cancel request: pgbouncer 1.18 and 1.19 can end themselves over one. What is late is dropped, and
//! the session with it.

use super::answer::{Trouble, simple};
use super::driver::{Driver, root_cause};
use super::error::{AskError, ServerMessage};
use super::login::Opened;
use super::rows::Rows;
use std::fmt;
use std::time::Duration;
use tokio::time::timeout;
use tokio_postgres::Client;

/// One live session on an admin console.
pub struct Console {
    client: Client,
    driver: Driver,
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Console")
    }
}

impl Console {
    pub(super) fn new(opened: Opened) -> Self {
        Self { client: opened.client, driver: Driver::start(opened.connection) }
    }

    /// Runs one command, such as `SHOW POOLS`.
    ///
    /// # Errors
    /// `Deadline` when it was not answered in time, `Lost` when the session is gone: it is to be dropped then. `Server`,
    /// `Shape` as they say.
    pub async fn show(&mut self, command: &str, deadline: Duration) -> Result<Rows, AskError> {
        match timeout(deadline, simple(&self.client, command)).await {
            Err(_) => Err(AskError::Deadline { after: deadline }),
            Ok(Ok(rows)) => Ok(rows),
            Ok(Err(Trouble::Shape(text))) => Err(AskError::Shape(text)),
            Ok(Err(Trouble::Postgres(error))) => match error.as_db_error().map(ServerMessage::of) {
                Some(server) if server.is_fatal() => {
                    Err(AskError::Lost { reason: server.to_string(), sqlstate: Some(server.sqlstate) })
                }
                Some(server) => Err(AskError::Server(server)),
                None if error.is_closed() => Err(self.driver.end_soon().await.into()),
                None => Err(AskError::Shape(root_cause(&error))),
            },
        }
    }
}
