//! What is told of each action, and to whom: its steps to the console, its lines to the audit log.
//!
//! It takes no action and waits for no server.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::guard::{Approved, Looked, Seen, StatementKey, Write};
use crate::message::{ActionNews, ActionStep, Event, Outcome, WriterState};
use crate::model::Timestamp;

use super::audit::{Audit, AuditError, Entry, Head, Place};

/// The two places where actions are told. Jobs have one of their own.
#[derive(Clone)]
pub(super) struct Journal {
    audit: Audit,
    place: Arc<Place>,
    news: mpsc::Sender<Event>,
    /// Tells the actions of this run from those of another with the same process id.
    run: i64,
}

impl Journal {
    pub(super) fn new(audit: Audit, place: Place, news: mpsc::Sender<Event>) -> Self {
        Self { audit, place: Arc::new(place), news, run: Timestamp::now().as_microsecond() }
    }

    pub(super) fn audit(&self) -> &Audit {
        &self.audit
    }

    /// The same journal for a session in another database.
    pub(super) fn in_database(&self, database: &str) -> Self {
        let place = Place { database: database.to_owned(), ..Place::clone(&self.place) };
        Self { place: Arc::new(place), ..self.clone() }
    }

    /// The same journal, for a server that turned out to be here.
    pub(super) fn at(&self, place: String) -> Self {
        Self { place: Arc::new(Place { place, ..Place::clone(&self.place) }), ..self.clone() }
    }

    /// Puts the line before the statement on disk. No line, no statement.
    pub(super) async fn intend(&self, id: u64, approved: &Approved) -> Result<(), AuditError> {
        let uncopied = self.write(id, |head| Entry::intent(head, approved)).await?;
        self.say_if_uncopied(id, uncopied).await;
        Ok(())
    }

    /// Tells the console that the action is on its way.
    pub(super) async fn started(&self, id: u64, pid: Option<i32>) {
        self.tell(id, ActionStep::Started { pid }).await;
    }

    /// Tells the console how far a job has come.
    pub(super) async fn progress(&self, id: u64, so_far: String) {
        self.tell(id, ActionStep::Progress(so_far)).await;
    }

    /// Tells how an action ended: the console first, since somebody waits for it, then the log.
    pub(super) async fn ended(&self, id: u64, write: &Write, ended: (Outcome, Vec<String>)) {
        let (outcome, notices) = ended;
        self.tell(id, ActionStep::Ended(outcome.clone())).await;
        let line = self.write(id, |head| Entry::outcome(head, write, &outcome, notices)).await;
        self.say_if_unlogged(id, line).await;
    }

    /// Logs that a job is asked to stop. It is asked whether or not that can be logged: stopping is the safe side.
    pub(super) async fn stopping(&self, id: u64, write: &Write, why: &str) {
        let line = self.write(id, |head| Entry::stop(head, write, why)).await;
        self.say_if_unlogged(id, line).await;
    }

    /// Tells whether a cancelled statement, or a terminated session, has gone.
    pub(super) async fn verified(&self, id: u64, write: &Write, gone: bool, after_ms: u64) {
        self.tell(id, ActionStep::Verified { gone, after_ms }).await;
        let line = self.write(id, |head| Entry::verified(head, write, gone, after_ms)).await;
        self.say_if_unlogged(id, line).await;
    }

    /// Tells how many dead rows a vacuum found and left. The log has them in the words of its outcome.
    pub(super) async fn dead_rows(&self, id: u64, (before, after): (i64, i64)) {
        self.tell(id, ActionStep::DeadRows { before, after }).await;
    }

    /// Tells who of a bulk action's targets has gone since the look before. The log has what the last look comes to.
    pub(super) async fn went(&self, id: u64, (of, gone): (usize, Vec<StatementKey>), after_ms: u64) {
        self.tell(id, ActionStep::Went { of, gone, after_ms }).await;
    }

    /// Tells who of a bulk action's targets is left.
    pub(super) async fn verified_each(
        &self,
        id: u64,
        write: &Write,
        (of, left): (usize, Vec<StatementKey>),
        after_ms: u64,
    ) {
        let pids = left.iter().map(|key| key.session.pid).collect();
        self.tell(id, ActionStep::VerifiedEach { of, left, after_ms }).await;
        let line = self.write(id, |head| Entry::verified_each(head, write, pids, after_ms)).await;
        self.say_if_unlogged(id, line).await;
    }

    /// Tells that nobody could look whether the target has gone.
    pub(super) async fn unverified(&self, id: u64, write: &Write, why: &str) {
        self.tell(id, ActionStep::Unverified(why.to_owned())).await;
        let line = self.write(id, |head| Entry::unverified(head, write, why)).await;
        self.say_if_unlogged(id, line).await;
    }

    /// Logs an action that was not allowed.
    pub(super) async fn refused(&self, number: u64, write: &Write, refusal: &str) -> Result<(), AuditError> {
        // Refusals count apart from actions: they have no number of the console's.
        let id = format!("{}-{}-r{number}", self.audit.console().pid, self.run);
        let head = Head { id: &id, at: Timestamp::now(), console: self.audit.console(), place: &self.place };
        let uncopied = self.audit.append(&Entry::refused(&head, write, refusal)).await?;
        // No action has this number.
        self.say_if_uncopied(0, uncopied).await;
        Ok(())
    }

    /// Tells the console what the log holds of settings.
    pub(super) async fn history(&self) {
        let _ = self.news.send(Event::History(self.audit.history().await)).await;
    }

    /// Tells the console what the writer saw.
    pub(super) async fn looked(&self, id: u64, answer: Result<Seen, String>) {
        let _ = self.news.send(Event::Looked { id, looked: Looked { at: Timestamp::now(), answer } }).await;
    }

    /// Tells the console in which state the writer is.
    pub(super) async fn state(&self, state: WriterState) {
        // A console that has gone needs no news, and the work at hand is still to be ended properly.
        let _ = self.news.send(Event::Writer(state)).await;
    }

    async fn write(&self, id: u64, entry: impl FnOnce(&Head<'_>) -> Entry) -> Result<Option<String>, AuditError> {
        let id = format!("{}-{}-{id}", self.audit.console().pid, self.run);
        let head = Head { id: &id, at: Timestamp::now(), console: self.audit.console(), place: &self.place };
        self.audit.append(&entry(&head)).await
    }

    async fn say_if_unlogged(&self, id: u64, line: Result<Option<String>, AuditError>) {
        match line {
            Ok(uncopied) => self.say_if_uncopied(id, uncopied).await,
            Err(AuditError::Uncopied { socket, source }) => {
                self.say_if_uncopied(id, Some(format!("{}: {source}", socket.display()))).await;
            }
            Err(error) => self.tell(id, ActionStep::Unlogged(error.to_string())).await,
        }
    }

    async fn say_if_uncopied(&self, id: u64, why: Option<String>) {
        if let Some(why) = why {
            self.tell(id, ActionStep::Uncopied(why)).await;
        }
    }

    async fn tell(&self, id: u64, step: ActionStep) {
        let _ = self.news.send(Event::Action(ActionNews { id, at: Timestamp::now(), step })).await;
    }
}
