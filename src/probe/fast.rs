//! The fast lane: who the server is, sessions, locks, replication; one connection that is kept, lost, and found again.
//!
//! It alone reports the state of the link. It runs errands for the slow lane where that gets no connection of its own.

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::model::{Link, ProbeError, Question, Snapshot, Timestamp};
use crate::postgres::{BackOff, Lane};

use super::lane::{Change, Context, Over, Share, pause, until};
use super::seat::{Refusal, Seat};
use super::sessions::Memory;
use super::slow::Kept;
use super::{Report, progress, replication, server, sessions, settings, slow};

/// A question of the slow lane, to be asked here because every other slot is taken.
#[derive(Debug)]
pub struct Errand {
    /// What to ask.
    pub question: Question,
    /// Where the answer goes.
    pub reply: oneshot::Sender<Result<Snapshot, ProbeError>>,
}

/// Why a seat was given up.
enum Lost {
    /// The connection ended or hangs.
    Broken(ProbeError),
    /// A person asked for a new one.
    Asked,
    /// Nobody listens.
    Over,
}

impl From<Over> for Lost {
    fn from(Over: Over) -> Self {
        Self::Over
    }
}

/// Asks until nobody listens.
pub async fn run(context: Context, mut errands: mpsc::Receiver<Errand>) {
    let mut share = Share::new(Lane::Fast, context);
    let mut memory = Memory::default();
    let mut last_error = None;
    loop {
        let mut seat = match find(&mut share, last_error.take()).await {
            Ok(seat) => seat,
            Err(Over) => return,
        };
        share.schedule.start_over();
        memory.forget_texts();
        match serve(&mut share, &mut seat, &mut memory, &mut errands).await {
            Lost::Over => return,
            Lost::Asked => {}
            Lost::Broken(error) => {
                if share.unreachable(&error, Vec::new()).await.is_err() {
                    return;
                }
                last_error = Some(error);
            }
        }
    }
}

/// Dials until there is a seat, saying how it goes.
async fn find(share: &mut Share, mut last_error: Option<ProbeError>) -> Result<Seat, Over> {
    let road = share.context().road.clone();
    let since = Timestamp::now();
    let mut back_off = BackOff::default();
    let mut attempt = 0;
    let mut told: Vec<Question> = Vec::new();
    if last_error.is_some() {
        told = share.schedule.questions().cloned().collect();
    }
    loop {
        attempt += 1;
        let dialling = |last_error: &Option<ProbeError>, retry_at| Link::Connecting {
            place: road.conninfo.places(),
            since,
            attempt,
            last_error: last_error.as_ref().map(words),
            retry_at,
        };
        share.report(Report::Link(dialling(&last_error, None))).await?;
        match dial(share, &mut told, last_error.as_ref()).await? {
            Some(Ok(seat)) => {
                share.context().at.send_replace(Some(seat.at().clone()));
                share.report(Report::Link(Link::Up(seat.facts()))).await?;
                return Ok(seat);
            }
            Some(Err(refusal)) => {
                let pause = pause(&mut back_off, &refusal);
                let retry_at = Timestamp::now().checked_add(pause).ok();
                // The first words of a new kind are told to every panel; the same again would only be noise.
                if last_error.as_ref() != Some(&refusal.error) {
                    told = share.unreachable(&refusal.error, Vec::new()).await?;
                }
                last_error = Some(refusal.error);
                share.report(Report::Link(dialling(&last_error, retry_at))).await?;
                if wait(share, &mut told, last_error.as_ref(), Instant::now() + pause).await? == Change::Reconnect {
                    back_off = BackOff::default();
                }
            }
            None => back_off = BackOff::default(),
        }
    }
}

/// One attempt; none where a person asked to begin anew.
async fn dial(
    share: &mut Share,
    told: &mut Vec<Question>,
    last_error: Option<&ProbeError>,
) -> Result<Option<Result<Seat, Refusal>>, Over> {
    let road = share.context().road.clone();
    let mut attempt = std::pin::pin!(road.take(Lane::Fast, None, None));
    loop {
        tokio::select! {
            seat = &mut attempt => return Ok(Some(seat)),
            change = share.changed() => {
                if change? == Change::Reconnect {
                    return Ok(None);
                }
                tell_new(share, told, last_error).await?;
            }
        }
    }
}

/// Waits between two attempts; a person can end the wait.
async fn wait(
    share: &mut Share,
    told: &mut Vec<Question>,
    last_error: Option<&ProbeError>,
    end: Instant,
) -> Result<Change, Over> {
    loop {
        tokio::select! {
            () = until(Some(end)) => return Ok(Change::Wants),
            change = share.changed() => {
                if change? == Change::Reconnect {
                    return Ok(Change::Reconnect);
                }
                tell_new(share, told, last_error).await?;
            }
        }
    }
}

/// A tab that is opened while there is no connection learns why it stays empty.
async fn tell_new(share: &mut Share, told: &mut Vec<Question>, last_error: Option<&ProbeError>) -> Result<(), Over> {
    if let Some(error) = last_error {
        *told = share.unreachable(error, std::mem::take(told)).await?;
    }
    Ok(())
}

/// Asks what is due for as long as the connection lasts.
async fn serve(share: &mut Share, seat: &mut Seat, memory: &mut Memory, errands: &mut mpsc::Receiver<Errand>) -> Lost {
    let mut kept = Kept::default();
    loop {
        if let Some(words) = seat.lost() {
            return Lost::Broken(words);
        }
        let next = share.schedule.next(Instant::now());
        tokio::select! {
            biased;
            change = share.changed() => match change {
                Ok(Change::Wants) => {}
                Ok(Change::Reconnect) => return Lost::Asked,
                Err(Over) => return Lost::Over,
            },
            words = seat.ended() => return Lost::Broken(words),
            () = until(next.as_ref().map(|n| n.1)) => {
                let Some((question, _)) = next else { continue };
                let began = Instant::now();
                let answer = ask(share.context(), seat, memory, &question).await;
                match answer {
                    Err(error @ ProbeError::Unreachable(_)) => return Lost::Broken(error),
                    answer => {
                        if share.answer(question, began, answer).await.is_err() {
                            return Lost::Over;
                        }
                        // A server that hung is no slow question: once it answers again all is asked at the usual pace.
                        if seat.settled().await {
                            share.schedule.start_over();
                        }
                    }
                }
            },
            Some(errand) = errands.recv() => {
                // Whoever sent it may have given up while there was no connection.
                if errand.reply.is_closed() {
                    continue;
                }
                let answer = slow::ask(share.context(), seat, &errand.question, &mut kept).await;
                // Nobody waits for it any more where this fails.
                let _ = errand.reply.send(answer);
            },
        }
    }
}

async fn ask(
    context: &Context,
    seat: &mut Seat,
    memory: &mut Memory,
    question: &Question,
) -> Result<Snapshot, ProbeError> {
    match question {
        Question::Server => Ok(Snapshot::Server(Box::new(server::ask(seat).await?))),
        Question::Sessions => Ok(Snapshot::Sessions(sessions::ask(seat, &context.road.own, memory).await?)),
        Question::SessionLocks(key) => Ok(Snapshot::SessionLocks(sessions::ask_locks(seat, key).await?)),
        Question::Replication => Ok(Snapshot::Replication(Box::new(replication::ask(seat).await?))),
        Question::Progress => Ok(Snapshot::Progress(progress::ask(seat, memory).await?)),
        Question::Settings => Ok(Snapshot::Settings(Box::new(settings::ask(seat).await?))),
        Question::Relations { .. }
        | Question::Indexes { .. }
        | Question::IndexDefinition { .. }
        | Question::ExactBloat(_)
        | Question::Plan(_)
        | Question::CacheTable
        | Question::Activity
        | Question::Statements { .. }
        | Question::Panel { .. }
        | Question::PanelBefore { .. }
        | Question::Targets
        | Question::Rules { .. }
        | Question::OtherAlerts
        | Question::Silences
        | Question::Health { .. }
        | Question::Dependency { .. }
        | Question::Pooler => Err(ProbeError::Shape("not a question of this lane".to_owned())),
    }
}

/// The words of an error as the header shows them beside `connecting`.
fn words(error: &ProbeError) -> String {
    match error {
        ProbeError::Unreachable(words) => words.clone(),
        ProbeError::TimedOut(_)
        | ProbeError::Locked(_)
        | ProbeError::Denied { .. }
        | ProbeError::Absent(_)
        | ProbeError::Unauthorized(_)
        | ProbeError::Refused { .. }
        | ProbeError::Faulty(_)
        | ProbeError::Shape(_) => error.to_string(),
    }
}
