//! Owns `Link`, one live session: questions with a deadline, statements with parameters, cancelling, and its end.
//!
//! It must never block its caller beyond the deadline, never repeat a statement by itself, and never use a session
//! whose last statement may still be running.

use super::answer::{Param, Trouble, simple, typed};
use super::driver::{Driver, LastWords};
use super::error::{AskError, ServerMessage};
use super::facts::Facts;
use super::kept::{Kept, Way};
use super::own::{OwnPid, OwnPids};
use super::rows::Rows;
use super::tls::Connector;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_postgres::{CancelToken, Client};

/// Bound of delivering a cancel request: a dial of its own.
const CANCEL_WITHIN: Duration = Duration::from_secs(2);
/// How long a cancelled statement may take to end; a session that is still busy then is given up.
const SETTLE_WITHIN: Duration = Duration::from_secs(3);
/// A cancel request is delivered by a process of its own, after its socket was closed; it must not hit the next statement.
const CANCEL_LANDS: Duration = Duration::from_millis(100);

/// May the session be asked?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seat {
    Ready,
    Settling,
    Dead,
}

/// One live session.
pub struct Link {
    client: Arc<Client>,
    driver: Driver,
    canceller: Canceller,
    seat: watch::Sender<Seat>,
    /// What opens each read behind a pooler.
    opening: Option<String>,
    /// What opens the transaction of a plan.
    planning: String,
    kept: Kept,
    facts: Facts,
    own: Option<OwnPid>,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("facts", &self.facts).finish_non_exhaustive()
    }
}

/// Cancels whatever its session is running; needs no slot on the server, and works while the link is in use.
#[derive(Clone)]
pub struct Canceller {
    token: CancelToken,
    connector: Connector,
}

impl fmt::Debug for Canceller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Canceller")
    }
}

impl Canceller {
    pub(super) fn new(token: CancelToken, connector: Connector) -> Self {
        Self { token, connector }
    }

    /// Sends the request; the server does not say what became of it.
    ///
    /// # Errors
    /// It could not be delivered within two seconds.
    pub async fn cancel(&self) -> Result<(), String> {
        match timeout(CANCEL_WITHIN, self.token.cancel_query(self.connector.clone())).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(super::driver::root_cause(&error)),
            Err(_) => Err(format!("the cancel request was not delivered within {} s", CANCEL_WITHIN.as_secs())),
        }
    }
}

impl Link {
    pub(super) fn new(client: Arc<Client>, driver: Driver, canceller: Canceller, facts: Facts) -> Self {
        Self {
            client,
            driver,
            canceller,
            seat: watch::channel(Seat::Ready).0,
            opening: None,
            planning: String::new(),
            kept: Kept::default(),
            facts,
            own: None,
        }
    }

    pub(super) fn open_reads_with(&mut self, opening: String) {
        self.opening = Some(opening);
    }

    pub(super) fn plan_with(&mut self, opening: String) {
        self.planning = opening;
    }

    /// What the session said about itself when it began.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Notes its backend as one of ours for as long as the link is kept. Behind a pooler a backend is nobody's.
    pub fn note_in(&mut self, own: &OwnPids) {
        self.own = (!self.facts.pooled).then(|| own.note(self.facts.pid));
    }

    /// A handle that cancels the running statement.
    #[must_use]
    pub fn canceller(&self) -> Canceller {
        self.canceller.clone()
    }

    /// How the session ended, if it did.
    #[must_use]
    pub fn lost(&self) -> Option<LastWords> {
        match *self.seat.borrow() {
            Seat::Dead => Some(given_up()),
            Seat::Ready | Seat::Settling => self.driver.ended(),
        }
    }

    /// Waits until the session ends, without asking it anything.
    pub async fn ended(&mut self) -> LastWords {
        self.driver.end().await
    }

    /// Waits while a statement that got no answer in time is being cancelled; true where one was, and the session is free
    /// again or given up by now.
    pub async fn settled(&self) -> bool {
        let mut seat = self.seat.subscribe();
        let was = *seat.borrow() == Seat::Settling;
        // The sender is our own field: it cannot be gone.
        let _ = seat.wait_for(|seat| *seat != Seat::Settling).await;
        was
    }

    /// What the server said since the last answer was given out.
    pub fn notices(&mut self) -> Vec<ServerMessage> {
        self.driver.notices()
    }

    /// Asks a question in the simple protocol: every value comes as text. Of several statements the last with columns answers.
    ///
    /// Behind a pooler the text runs inside a transaction that carries the session's bounds.
    ///
    /// # Errors
    /// `Deadline` when it was not answered in time: it is then cancelled, and the link is `Busy` until
    /// that took effect or lost if it does not. `Server`, `Lost`, `Shape` as they say.
    pub async fn read(&mut self, sql: &str, deadline: Duration) -> Result<Rows, AskError> {
        let text = match &self.opening {
            None => sql.to_owned(),
            Some(opening) => format!("{opening}{sql}\n;\nCOMMIT"),
        };
        let client = Arc::clone(&self.client);
        let answer = self.bounded(Some(deadline), async move { simple(&client, &text).await }).await;
        if self.opening.is_some() && matches!(answer, Err(AskError::Server(_) | AskError::Shape(_))) {
            // The failed transaction would hold the pooler's server connection.
            let rollback = timeout(deadline, self.client.batch_execute("ROLLBACK")).await;
            if rollback.is_err() {
                self.settle();
            }
        }
        answer
    }

    /// As `read`, for what is asked again and again under the name `of`: from the second time on the server keeps it parsed
    /// and planned, which is half of what most of our questions cost it. Behind a pooler nothing is kept.
    ///
    /// # Errors
    /// As `read`.
    pub async fn read_again(&mut self, of: &'static str, sql: &str, deadline: Duration) -> Result<Rows, AskError> {
        let way = if self.opening.is_some() { Way::Plain } else { self.kept.way(of, sql) };
        let Way::Named { forget, make, run } = way else { return self.read(sql, deadline).await };
        let until = Instant::now() + deadline;
        let left = || until.saturating_duration_since(Instant::now());
        for first in [forget, make].into_iter().flatten() {
            match self.read(&first, left()).await {
                Ok(_) => {}
                Err(error) if error.is_about_a_plan() => {}
                Err(error @ AskError::Server(_)) if !error.is_lock_timeout() && !error.is_cancelled() => {
                    // What is wrong with the text it says by itself.
                    self.kept.refused(of);
                    return self.read(sql, left()).await;
                }
                Err(error) => return Err(error),
            }
        }
        match self.read(&run, left()).await {
            Err(error) if error.is_about_a_plan() => {
                self.kept.refused(of);
                self.read(sql, left()).await
            }
            Ok(rows) => {
                self.kept.made(of);
                Ok(rows)
            }
            Err(error) => Err(error),
        }
    }

    /// Runs one statement with parameters, for the writer: one round trip, nothing prepared. Without
    /// a deadline it may take as long as it takes, and is ended by the canceller.
    ///
    /// Success is an answer without a warning: a `VACUUM` without the right to it warns and succeeds.
    ///
    /// # Errors
    /// `Deadline` means that the outcome is unknown; the statement is cancelled, and is never sent again.
    pub async fn execute(&mut self, sql: &str, params: &[Param], deadline: Option<Duration>) -> Result<Rows, AskError> {
        let client = Arc::clone(&self.client);
        self.bounded(deadline, typed(client, sql.to_owned(), params.to_vec())).await
    }

    /// The same for a statement that may run inside a transaction: behind a pooler it gets one of its own that carries the
    /// session's bounds, since no setting of a session is there to bound it. What the statement answered stands whatever
    /// becomes of the `COMMIT`: a signal is not taken back.
    ///
    /// # Errors
    /// As `execute`.
    pub async fn execute_bounded(&mut self, sql: &str, params: &[Param], deadline: Duration) -> Result<Rows, AskError> {
        let Some(opening) = self.opening.clone() else { return self.execute(sql, params, Some(deadline)).await };
        let (client, sql, params) = (Arc::clone(&self.client), sql.to_owned(), params.to_vec());
        let work = async move {
            simple(&client, &opening).await?;
            let answer = typed(Arc::clone(&client), sql, params).await;
            // Where the session ended with it, the next statement says so.
            let _ = simple(&client, if answer.is_ok() { "COMMIT" } else { "ROLLBACK" }).await;
            answer
        };
        self.bounded(Some(deadline), work).await
    }

    /// Runs statements in one read-only transaction that is always rolled back, with the server's own planner settings,
    /// and gives the last answer. Each is sent by itself in the extended protocol, which takes no second statement in
    /// a text: so what a stranger wrote into one cannot add another.
    ///
    /// # Errors
    /// As `execute`; the transaction is rolled back all the same.
    pub async fn plan(&mut self, statements: Vec<String>, deadline: Duration) -> Result<Rows, AskError> {
        let (client, opening) = (Arc::clone(&self.client), self.planning.clone());
        let work = async move {
            simple(&client, &opening).await?;
            let mut answer = Ok(Rows::default());
            for statement in statements {
                answer = typed(Arc::clone(&client), statement, Vec::new()).await;
                if answer.is_err() {
                    break;
                }
            }
            // Where the session ended with it, the next statement says so.
            let _ = simple(&client, "ROLLBACK").await;
            answer
        };
        self.bounded(Some(deadline), work).await
    }

    /// Says goodbye, so that the server does not log a broken connection.
    pub async fn close(mut self) {
        drop(self.client);
        self.driver.end_soon().await;
    }

    async fn bounded(
        &mut self,
        deadline: Option<Duration>,
        work: impl Future<Output = Result<Rows, Trouble>>,
    ) -> Result<Rows, AskError> {
        let until = deadline.map(|after| (Instant::now() + after, after));
        self.free(until.map_or_else(|| Instant::now() + SETTLE_WITHIN, |(until, _)| until)).await?;
        // What came in between belongs to no answer.
        drop(self.driver.notices());
        let done = match until {
            None => work.await,
            Some((until, after)) => {
                let Ok(done) = timeout_at(until, work).await else {
                    self.settle();
                    return Err(AskError::Deadline { after });
                };
                done
            }
        };
        match done {
            Ok(mut rows) => {
                rows.notices = self.driver.notices();
                Ok(rows)
            }
            Err(Trouble::Shape(text)) => Err(AskError::Shape(text)),
            Err(Trouble::Postgres(error)) => Err(self.explained(&error).await),
        }
    }

    /// Waits until a cancelled statement is over.
    async fn free(&mut self, until: Instant) -> Result<(), AskError> {
        let mut seat = self.seat.subscribe();
        let over = timeout_at(until, seat.wait_for(|seat| *seat != Seat::Settling)).await;
        if over.is_err() {
            return Err(AskError::Busy);
        }
        self.lost().map_or(Ok(()), |last| Err(last.into()))
    }

    async fn explained(&mut self, error: &tokio_postgres::Error) -> AskError {
        match error.as_db_error().map(ServerMessage::of) {
            Some(server) if server.is_fatal() => {
                self.driver.end_soon().await;
                AskError::Lost { reason: server.to_string(), sqlstate: Some(server.sqlstate) }
            }
            Some(server) => AskError::Server(server),
            None if error.is_closed() => self.driver.end_soon().await.into(),
            None => AskError::Shape(format!("the answer could not be read: {}", super::driver::root_cause(error))),
        }
    }

    /// Cancels in the background, waits for the session to be free again, and gives it up if it is not.
    ///
    /// No cancel request goes through a pooler: pgbouncer 1.18 and 1.19 can end themselves over one, and everybody's
    /// connections with them (its issues 822 and 847). There the transaction's own `statement_timeout` ends the statement.
    fn settle(&self) {
        self.seat.send_replace(Seat::Settling);
        let (seat, canceller, client) = (self.seat.clone(), self.canceller.clone(), Arc::clone(&self.client));
        let abort = self.driver.abort_handle();
        let marker = if self.opening.is_some() { "ROLLBACK" } else { "" };
        let pooled = self.facts.pooled;
        tokio::spawn(async move {
            if !pooled {
                // Whether it was delivered shows in what follows.
                let _ = canceller.cancel().await;
            }
            // The server answers this one only once the statement before it is over.
            let free = timeout(SETTLE_WITHIN, client.batch_execute(marker)).await.is_ok_and(|done| done.is_ok());
            if free {
                tokio::time::sleep(CANCEL_LANDS).await;
                seat.send_replace(Seat::Ready);
            } else {
                seat.send_replace(Seat::Dead);
                abort.abort();
            }
        });
    }
}

fn given_up() -> LastWords {
    LastWords {
        reason: "no answer, not even to a cancel request; the connection was given up".to_owned(),
        sqlstate: None,
    }
}
