//! Owns the task that moves bytes for a session: it collects notices and remembers how the session ended.
//!
//! It must not wait for anybody: a full mailbox loses notices, and says how many.

use super::error::{AskError, ServerMessage};
use super::tls::Stream;
use std::future::poll_fn;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinHandle};
use tokio_postgres::{AsyncMessage, Connection, Error, Socket};

/// A bare `VACUUM` without rights warned 442 times; a function may raise a million notices.
const MAILBOX: usize = 2_000;

/// How a session ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastWords {
    /// What the server said, or the operating system.
    pub reason: String,
    /// Its SQLSTATE, where the server spoke.
    pub sqlstate: Option<String>,
}

impl From<LastWords> for AskError {
    fn from(last: LastWords) -> Self {
        Self::Lost { reason: last.reason, sqlstate: last.sqlstate }
    }
}

/// The running task; dropped, it drops the socket at once.
#[derive(Debug)]
pub struct Driver {
    task: JoinHandle<()>,
    notices: mpsc::Receiver<ServerMessage>,
    ended: watch::Receiver<Option<LastWords>>,
}

impl Driver {
    /// Starts driving.
    pub fn start(mut connection: Connection<Socket, Stream>) -> Self {
        let (mail, notices) = mpsc::channel(MAILBOX);
        let (end, ended) = watch::channel(None);
        let task = tokio::spawn(async move {
            let mut farewell = None;
            let error = loop {
                match poll_fn(|cx| connection.poll_message(cx)).await {
                    Some(Ok(AsyncMessage::Notice(notice))) => {
                        let notice = ServerMessage::of(&notice);
                        // Before an immediate shutdown or after a crash the reason comes as a warning, and then silence.
                        if notice.sqlstate.starts_with("57P") {
                            farewell = Some(notice.clone());
                        }
                        // A mailbox that nobody empties is full of enough.
                        let _ = mail.try_send(notice);
                    }
                    Some(Ok(_)) => {}
                    Some(Err(error)) => break Some(error),
                    None => break None,
                }
            };
            // The socket is closed before anybody hears that the session ended.
            drop(connection);
            end.send_replace(Some(last_words(error.as_ref(), farewell)));
        });
        Self { task, notices, ended }
    }

    /// The notices since the last call.
    pub fn notices(&mut self) -> Vec<ServerMessage> {
        std::iter::from_fn(|| self.notices.try_recv().ok()).collect()
    }

    /// How it ended, if it did.
    pub fn ended(&self) -> Option<LastWords> {
        self.ended.borrow().clone()
    }

    /// Waits for the end.
    pub async fn end(&mut self) -> LastWords {
        let ended = self.ended.wait_for(Option::is_some).await;
        ended.ok().and_then(|last| last.clone()).unwrap_or_else(|| last_words(None, None))
    }

    /// How it ended, given that it is about to.
    pub async fn end_soon(&mut self) -> LastWords {
        let soon = tokio::time::timeout(Duration::from_millis(200), self.end()).await;
        soon.unwrap_or_else(|_| last_words(None, None))
    }

    /// Ends it from elsewhere.
    pub fn abort_handle(&self) -> AbortHandle {
        self.task.abort_handle()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn last_words(error: Option<&Error>, farewell: Option<ServerMessage>) -> LastWords {
    let server = error.and_then(Error::as_db_error).map(ServerMessage::of).or(farewell);
    if let Some(server) = server {
        return LastWords { reason: server.to_string(), sqlstate: Some(server.sqlstate) };
    }
    let reason = match error {
        None => "the session was closed".to_owned(),
        Some(error) if error.is_closed() => "the server closed the connection unexpectedly".to_owned(),
        Some(error) => root_cause(error),
    };
    LastWords { reason, sqlstate: None }
}

/// The innermost cause of an error: tokio-postgres' own words only say that there is one.
pub fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
