//! The slow lane: the tables of a database, the server as a whole and the cache table, on a connection that is opened when first wanted.
//!
//! It holds one connection to the usual database and, while tables of another are wanted, one there; never more.

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Duration, Instant};

use crate::model::{ProbeError, Question, ServerText, Snapshot};
use crate::postgres::{At, BackOff, Lane};

use super::fast::Errand;
use super::lane::{Change, Context, Over, Share, pause, until};
use super::relations::Sizes;
use super::seat::{Refusal, Seat};
use super::statements::Sent;
use super::{activity, cache, indexes, relations, statements};

/// A connection that nobody has wanted for this long is given back.
const IDLE: Duration = Duration::from_secs(300);

/// The fast lane may have lost its connection, too; then the panel should say so and not wait for its return.
const ERRAND: Duration = Duration::from_secs(10);

/// What a connection remembers from one answer to the next.
#[derive(Debug, Default)]
pub struct Kept {
    sizes: Sizes,
    texts: Sent,
}

/// A place in one database, taken or to be taken.
#[derive(Debug)]
struct Place {
    database: Option<ServerText>,
    seat: Option<Seat>,
    back_off: BackOff,
    /// No attempt before this, and why the last one failed.
    refused: Option<(Instant, Refusal)>,
    used: Instant,
    kept: Kept,
}

impl Place {
    fn new(database: Option<ServerText>) -> Self {
        Self {
            database,
            seat: None,
            back_off: BackOff::default(),
            refused: None,
            used: Instant::now(),
            kept: Kept::default(),
        }
    }
}

impl Place {
    /// True where there is no connection, or none any more.
    fn is_without(&self) -> bool {
        self.seat.as_ref().is_none_or(|seat| seat.lost().is_some())
    }
}

/// Asks until nobody listens.
pub async fn run(context: Context, errands: mpsc::Sender<Errand>) {
    let mut share = Share::new(Lane::Slow, context);
    let mut places: Vec<Place> = Vec::new();
    let mut found = share.context().at.subscribe();
    loop {
        let next = share.schedule.next(Instant::now());
        let idle = places.iter().filter(|p| p.seat.is_some()).map(|p| p.used + IDLE).min();
        tokio::select! {
            biased;
            change = share.changed() => match change {
                Ok(Change::Wants) => places.retain(|place| place.database.is_none() || wanted(&share, place)),
                Ok(Change::Reconnect) => {
                    places.clear();
                    share.schedule.start_over();
                }
                Err(Over) => return,
            },
            // The fast lane found the server again: what waits here for its next turn, or for the end of a pause, is over.
            Ok(()) = found.changed() => {
                if places.iter().any(Place::is_without) {
                    places.retain(|place| !place.is_without());
                    share.schedule.start_over();
                }
            }
            () = until(next.as_ref().map(|n| n.1)) => {
                let Some((question, _)) = next else { continue };
                let began = Instant::now();
                let database = database_of(&question).cloned();
                if !places.iter().any(|p| p.database == database) {
                    places.push(Place::new(database.clone()));
                }
                let Some(place) = places.iter_mut().find(|p| p.database == database) else { continue };
                let answer = answer(share.context(), place, &question, &errands).await;
                if share.answer(question, began, answer).await.is_err() {
                    return;
                }
                if let Some(seat) = &place.seat
                    && seat.settled().await
                {
                    share.schedule.start_over();
                }
            },
            () = until(idle) => {
                let now = Instant::now();
                places.retain(|place| place.used + IDLE > now);
            },
        }
    }
}

fn wanted(share: &Share, place: &Place) -> bool {
    share.schedule.questions().any(|question| database_of(question) == place.database.as_ref())
}

/// The database that a question is about; none for the usual one.
fn database_of(question: &Question) -> Option<&ServerText> {
    if let Question::Relations { database, .. }
    | Question::Indexes { database, .. }
    | Question::IndexDefinition { database, .. } = question
    {
        database.as_ref()
    } else {
        None
    }
}

async fn answer(
    context: &Context,
    place: &mut Place,
    question: &Question,
    errands: &mpsc::Sender<Errand>,
) -> Result<Snapshot, ProbeError> {
    place.used = Instant::now();
    let at = context.at.borrow().clone();
    let elsewhere = |seat: &Seat| at.as_ref().is_some_and(|at| at != seat.at());
    if place.seat.as_ref().is_none_or(|seat| seat.lost().is_some() || elsewhere(seat)) {
        place.seat = None;
        if let Err(refusal) = sit_down(context, place, at.as_ref()).await {
            if refusal.full && place.database.is_none() {
                return errand(errands, question).await.unwrap_or(Err(refusal.error));
            }
            return Err(refusal.error);
        }
    }
    let Some(seat) = &mut place.seat else { return Err(ProbeError::Unreachable("no connection".to_owned())) };
    let answer = ask(context, seat, question, &mut place.kept).await;
    if matches!(answer, Err(ProbeError::Unreachable(_))) {
        place.seat = None;
    }
    answer
}

/// Takes a seat, unless the last attempt failed a moment ago.
async fn sit_down(context: &Context, place: &mut Place, at: Option<&At>) -> Result<(), Refusal> {
    if let Some((not_before, refusal)) = &place.refused
        && Instant::now() < *not_before
    {
        return Err(refusal.clone());
    }
    match context.road.take(Lane::Slow, at, place.database.as_ref()).await {
        Ok(seat) => {
            place.seat = Some(seat);
            // Another connection may lead to another server, and whoever listens may have forgotten that one's texts.
            place.kept.texts = Sent::default();
            place.refused = None;
            place.back_off = BackOff::default();
            Ok(())
        }
        Err(refusal) => {
            place.refused = Some((Instant::now() + pause(&mut place.back_off, &refusal), refusal.clone()));
            Err(refusal)
        }
    }
}

/// Has the fast lane ask, which has a connection when no other can be had; none where it has none either.
async fn errand(errands: &mpsc::Sender<Errand>, question: &Question) -> Option<Result<Snapshot, ProbeError>> {
    let (reply, answer) = oneshot::channel();
    errands.try_send(Errand { question: question.clone(), reply }).ok()?;
    tokio::time::timeout(ERRAND, answer).await.ok()?.ok()
}

/// Asks one question of this lane on whatever seat there is.
pub async fn ask(
    context: &Context,
    seat: &mut Seat,
    question: &Question,
    kept: &mut Kept,
) -> Result<Snapshot, ProbeError> {
    match question {
        Question::Relations { order, .. } => {
            Ok(Snapshot::Relations(Box::new(relations::ask(seat, *order, &mut kept.sizes).await?)))
        }
        Question::Indexes { order, .. } => Ok(Snapshot::Indexes(Box::new(indexes::ask(seat, *order).await?))),
        Question::IndexDefinition { oid, .. } => {
            Ok(Snapshot::IndexDefinition(indexes::ask_definition(seat, *oid).await?))
        }
        Question::Activity => Ok(Snapshot::Activity(Box::new(activity::ask(seat).await?))),
        Question::CacheTable => Ok(Snapshot::CacheTable(cache::ask(seat, &context.cache_table).await?)),
        Question::Statements { order } => {
            Ok(Snapshot::Statements(Box::new(statements::ask(seat, *order, &mut kept.texts, context.writer).await?)))
        }
        Question::Server
        | Question::Sessions
        | Question::SessionLocks(_)
        | Question::Progress
        | Question::Replication
        | Question::Settings
        | Question::ExactBloat(_)
        | Question::Plan(_)
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
