//! THE ONLY WRITER: takes what `guard` approved and sends it, once, on a connection that nothing else uses.
//!
//! The connection is opened and warmed at the start and kept: in an incident there may be no slot left, and a new login
//! can hang where an open session still answers. Nothing is queued behind a read, nothing is sent without its line in the
//! audit log, and nothing is tried again: after a lost connection only the server knows.
//!
//! When the console ends, a job that runs is cancelled and its outcome recorded. When the console is killed, nobody
//! asks the server to stop: the job ends by itself, and the log holds its intent without an outcome.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

use crate::guard::{Approved, BulkTarget, Seen, Write};
use crate::message::{EachOutcome, Outcome, WriterState};
use crate::postgres::{AskError, BackOff, LastWords, Link};

use super::audit::Place;
use super::cancel;
use super::journal::Journal;
use super::look;
use super::maintain::Job;
use super::queue::{Queue, Stops};
use super::session::{Bounds, Road, open, pulse};
use super::watched::Watched;
use super::{Request, Setup, bulk, expire, setting, terminate};

/// How long the server may take over a statement of the writer's own session; the guarded ones need under 1 ms, and one
/// of them waits up to 3 s for what it terminates.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(4);

/// How long such a statement may wait for a lock. It names none, so this is a seat belt.
const LOCK_TIMEOUT: Duration = Duration::from_millis(500);

/// How long a connection that lay idle may take to show that it still answers, before it is given up for a new one.
const PULSE: Duration = Duration::from_secs(2);

/// How often an idle connection is looked at: half of the shortest idle time after which firewalls commonly forget one.
const BEAT: Duration = Duration::from_secs(30);

/// How long the jobs have to end when the console ends.
const PARTING: Duration = Duration::from_secs(5);

/// A job that runs.
struct Running {
    write: Write,
    stop: watch::Sender<bool>,
}

/// The writer and what it has under way.
pub(super) struct Writer {
    road: Road,
    journal: Journal,
    link: Option<Link>,
    dialling: Option<JoinHandle<Result<Link, String>>>,
    state: Option<WriterState>,
    back_off: BackOff,
    next_beat: Instant,
    watched: Vec<Watched>,
    running: BTreeMap<u64, Running>,
    jobs: JoinSet<u64>,
    refusals: u64,
}

/// What the writer does next.
enum Turn {
    Asked(Request),
    Dialled(Result<Link, String>),
    Lost(LastWords),
    JobEnded(u64),
    Look,
    Beat,
    Leave,
    Nothing,
}

impl Writer {
    pub(super) fn new(setup: Setup) -> Self {
        let Setup { road, audit, news } = setup;
        let place = Place {
            place: road.conninfo.places(),
            database: road.conninfo.database.clone(),
            role: road.conninfo.user.clone(),
        };
        Self {
            road,
            journal: Journal::new(audit, place, news),
            link: None,
            dialling: None,
            state: None,
            back_off: BackOff::default(),
            next_beat: Instant::now(),
            watched: Vec::new(),
            running: BTreeMap::new(),
            jobs: JoinSet::new(),
            refusals: 0,
        }
    }

    /// Works until nobody can ask for anything any more.
    pub(super) async fn run(mut self, requests: mpsc::UnboundedReceiver<Request>) {
        // A long log must not keep an action waiting.
        let journal = self.journal.clone();
        tokio::spawn(async move { journal.history().await });
        let mut queue = Queue::new(requests);
        loop {
            let turn = self.turn(&mut queue).await;
            if matches!(turn, Turn::Leave) {
                break;
            }
            let stops: Stops = self.running.iter().map(|(id, job)| (*id, job.stop.clone())).collect();
            queue.beside(&stops, self.work(turn)).await;
        }
        self.part().await;
    }

    async fn work(&mut self, turn: Turn) {
        match turn {
            Turn::Asked(request) => self.take(request).await,
            Turn::Dialled(dialled) => self.dialled(dialled).await,
            Turn::Lost(last) => self.lose(last.reason).await,
            Turn::JobEnded(id) => drop(self.running.remove(&id)),
            Turn::Look => self.look().await,
            Turn::Beat => self.beat().await,
            Turn::Leave | Turn::Nothing => {}
        }
    }

    async fn turn(&mut self, queue: &mut Queue) -> Turn {
        let look_at = self.watched.iter().map(Watched::due).min();
        let (beat_at, idle) = (self.next_beat, self.dialling.is_none());
        let dialling = async {
            match &mut self.dialling {
                Some(task) => task.await,
                None => std::future::pending().await,
            }
        };
        let lost = async {
            match &mut self.link {
                Some(link) => link.ended().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            request = queue.next() => request.map_or(Turn::Leave, Turn::Asked),
            Some(ended) = self.jobs.join_next() => ended.map_or(Turn::Nothing, Turn::JobEnded),
            dialled = dialling => Turn::Dialled(dialled.unwrap_or_else(|e| Err(e.to_string()))),
            words = lost => Turn::Lost(words),
            () = tokio::time::sleep_until(look_at.unwrap_or_else(Instant::now)), if look_at.is_some() => Turn::Look,
            () = tokio::time::sleep_until(beat_at), if idle => Turn::Beat,
        }
    }

    async fn take(&mut self, request: Request) {
        match request {
            Request::Write { id, approved } => match approved.write() {
                Write::Cancel { .. }
                | Write::Terminate { .. }
                | Write::Bulk(_)
                | Write::Setting { .. }
                | Write::Reload { .. } => self.send(id, approved).await,
                Write::Maintain { .. } | Write::ExpireCache { .. } => self.start_job(id, approved),
            },
            Request::Look { id, write } => {
                let answer = self.look_at(&write).await;
                self.journal.looked(id, answer).await;
            }
            Request::StopJob { id } => {
                if let Some(job) = self.running.get(&id) {
                    job.stop.send_replace(true);
                    self.journal.stopping(id, &job.write, "by a key").await;
                }
            }
            Request::RecordRefusal { write, refusal } => {
                self.refusals += 1;
                if let Err(error) = self.journal.refused(self.refusals, &write, &refusal).await {
                    self.say(WriterState::Down(error.to_string())).await;
                }
            }
        }
    }

    /// Looks at the targets of an action that nobody was asked about yet.
    async fn look_at(&mut self, write: &Write) -> Result<Seen, String> {
        self.connected().await?;
        let Some(link) = self.link.as_mut() else { return Err("not connected".to_owned()) };
        let seen = look::look(link, write).await;
        let error = match seen {
            Ok(seen) => return Ok(seen),
            Err(error) => error,
        };
        let why = cancel::shown(&error.to_string());
        if error.is_lost() || matches!(error, AskError::Deadline { .. }) {
            self.lose(why.clone()).await;
        }
        Err(why)
    }

    /// Takes an action on the writer's own session: connection, line, statement, outcome, line.
    async fn send(&mut self, id: u64, approved: Approved) {
        let connected = self.connected().await;
        let write = approved.write();
        if let Err(error) = self.journal.intend(id, &approved).await {
            let why = error.to_string();
            self.journal.ended(id, write, (Outcome::NotSent(why.clone()), Vec::new())).await;
            return self.say(WriterState::Down(why)).await;
        }
        if self.link.is_some() {
            // The log has just been written: whatever was wrong with it is over.
            self.say(WriterState::Ready).await;
        }
        let Some(link) = self.link.as_mut() else {
            let why = connected.err().unwrap_or_else(|| "not connected".to_owned());
            return self.journal.ended(id, write, (Outcome::NotSent(why), Vec::new())).await;
        };
        self.journal.started(id, None).await;
        let sent = Instant::now();
        let terminates = matches!(write, Write::Terminate { .. });
        let ended = match write {
            Write::Bulk(bulk) => bulk::send(link, bulk).await,
            Write::Terminate { .. } => terminate::send(link, write).await,
            Write::Cancel { .. } | Write::Maintain { .. } | Write::ExpireCache { .. } => {
                cancel::send(link, write).await
            }
            Write::Setting { .. } => setting::send(link, write).await,
            Write::Reload { .. } => setting::reload(link, write).await,
        };
        match &ended.0 {
            Outcome::Done(_) if write.session().is_some() => self.watched.push(Watched::new(id, write, sent)),
            // The signal was sent, and may still do its work.
            Outcome::TimedOut(_) if terminates => self.watched.push(Watched::new(id, write, sent)),
            Outcome::Each(each) => {
                self.watched.extend(signalled(write, each).map(|s| Watched::new(id, write, sent).each(s)));
            }
            // An answer that still comes would be taken for the next statement's.
            Outcome::Unknown(why) => self.lose(why.clone()).await,
            Outcome::Done(_)
            | Outcome::Written(_)
            | Outcome::Gone
            | Outcome::Changed(_)
            | Outcome::Skipped(_)
            | Outcome::Denied { .. }
            | Outcome::TimedOut(_)
            | Outcome::Cancelled(_)
            | Outcome::Refused(_)
            | Outcome::NotSent(_) => {}
        }
        self.journal.ended(id, write, ended).await;
        if matches!(write, Write::Setting { .. }) {
            self.journal.history().await;
        }
    }

    /// Starts a job beside everything else.
    fn start_job(&mut self, id: u64, approved: Approved) {
        let write = approved.write().clone();
        let journal = match &write {
            Write::Maintain { target, .. } => self.journal.in_database(target.database().raw()),
            Write::ExpireCache { table, .. } => self.journal.in_database(table.key.database.raw()),
            Write::Cancel { .. }
            | Write::Terminate { .. }
            | Write::Bulk(_)
            | Write::Setting { .. }
            | Write::Reload { .. } => self.journal.clone(),
        };
        let (stop, stop_in) = watch::channel(false);
        let road = self.road.clone();
        if matches!(write, Write::ExpireCache { .. }) {
            self.jobs.spawn(expire::Job { id, approved, road, journal, stop: stop_in }.run());
        } else {
            self.jobs.spawn(Job { id, approved, road, journal, stop: stop_in }.run());
        }
        self.running.insert(id, Running { write, stop });
    }

    /// Makes sure of a connection that answers: the one at hand if it has a pulse, else one attempt at a new one. So a
    /// connection that died while it lay idle costs a second, not an outcome that nobody knows.
    async fn connected(&mut self) -> Result<(), String> {
        if let Some(link) = &mut self.link {
            match pulse(link, PULSE).await {
                Ok(()) => return Ok(()),
                Err(why) => self.lose(why).await,
            }
        }
        let task = self.dialling.take().unwrap_or_else(|| self.dial());
        let dialled = task.await.unwrap_or_else(|e| Err(e.to_string()));
        let result = dialled.as_ref().map(|_| ()).map_err(Clone::clone);
        self.dialled(dialled).await;
        result
    }

    fn dial(&self) -> JoinHandle<Result<Link, String>> {
        let road = self.road.clone();
        tokio::spawn(async move {
            let bounds = Bounds { statement: STATEMENT_TIMEOUT, lock: LOCK_TIMEOUT };
            let mut link = open(&road, None, bounds).await?;
            cancel::rehearse(&mut link).await?;
            terminate::rehearse(&mut link).await?;
            bulk::rehearse(&mut link).await?;
            cancel::warm(&mut link).await?;
            Ok(link)
        })
    }

    async fn dialled(&mut self, dialled: Result<Link, String>) {
        self.dialling = None;
        match dialled {
            Ok(link) => {
                self.journal = self.journal.at(link.facts().at.to_string());
                self.link = Some(link);
                self.back_off.reset();
                self.next_beat = Instant::now() + BEAT;
                self.say_ready().await;
            }
            Err(why) => self.lose(why).await,
        }
    }

    /// Gives the connection up, and says when it tries again by when it does.
    async fn lose(&mut self, why: String) {
        let why = cancel::shown(&why);
        self.link = None;
        self.next_beat = Instant::now() + self.back_off.pause();
        self.say(WriterState::Down(why)).await;
    }

    /// Connects where there is no connection; keeps it alive and warm where there is one.
    async fn beat(&mut self) {
        self.next_beat = Instant::now() + BEAT;
        match &mut self.link {
            None => self.dialling = Some(self.dial()),
            Some(link) => match cancel::warm(link).await {
                Ok(()) => self.say_ready().await,
                Err(why) => self.lose(why).await,
            },
        }
    }

    /// Ready is who has a connection and a log.
    async fn say_ready(&mut self) {
        let state = match self.journal.audit().check().await {
            Ok(()) => WriterState::Ready,
            Err(error) => WriterState::Down(error.to_string()),
        };
        self.say(state).await;
    }

    /// Looks at what was signalled and whose time has come.
    async fn look(&mut self) {
        let now = Instant::now();
        let (due, later): (Vec<_>, Vec<_>) = self.watched.drain(..).partition(|w| w.due() <= now);
        self.watched = later;
        for watched in due {
            let again = watched.look(self.link.as_mut(), &self.journal).await;
            self.watched.extend(again);
        }
    }

    /// Tells the state where it is another than the one told last.
    async fn say(&mut self, state: WriterState) {
        if self.state.as_ref() != Some(&state) {
            self.state = Some(state.clone());
            self.journal.state(state).await;
        }
    }

    /// Ends what runs: each job is cancelled, and its outcome recorded if the server tells it in time.
    async fn part(mut self) {
        for (id, job) in &self.running {
            job.stop.send_replace(true);
            self.journal.stopping(*id, &job.write, "the console ended").await;
        }
        let until = Instant::now() + PARTING;
        while let Ok(Some(ended)) = tokio::time::timeout_at(until, self.jobs.join_next()).await {
            if let Ok(id) = ended {
                self.running.remove(&id);
            }
        }
        self.jobs.abort_all();
        for (id, job) in std::mem::take(&mut self.running) {
            let why = "the console ended; the server was asked to stop it and has not said that it did".to_owned();
            self.journal.ended(id, &job.write, (Outcome::Unknown(why), Vec::new())).await;
        }
    }
}

/// Those of a bulk action that were signalled; none where nobody was.
fn signalled(write: &Write, each: &[EachOutcome]) -> Option<Vec<BulkTarget>> {
    let Write::Bulk(bulk) = write else { return None };
    let hit = bulk.targets.iter().zip(each).filter(|(_, each)| matches!(each.outcome, Outcome::Done(_)));
    let hit: Vec<BulkTarget> = hit.map(|(target, _)| target.clone()).collect();
    (!hit.is_empty()).then_some(hit)
}
