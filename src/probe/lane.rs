//! What all lanes share: the demand that they watch, the questions that are theirs, and the way an answer is reported.
//!
//! It asks nothing by itself.

use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::model::{Demand, ProbeError, Question, Sample, Snapshot, Timestamp, Wanted};
use crate::postgres::{At, BackOff, Lane};

use super::Report;
use super::schedule::{Schedule, Span, Turn};
use super::seat::{Refusal, Road};

/// What a lane needs to work.
#[derive(Debug, Clone)]
pub struct Context {
    /// The way to the server.
    pub road: Road,
    /// The way for plans alone, where they have a login of their own.
    pub plan_road: Option<Road>,
    /// Where the fast lane sits, so that all lanes speak of one server where several are possible.
    pub at: watch::Sender<Option<At>>,
    /// Name of the cache table.
    pub cache_table: String,
    /// Texts that the writer sends.
    pub writer: &'static [&'static str],
    /// What is wanted.
    pub demand: watch::Receiver<Demand>,
    /// Where reports go.
    pub reports: mpsc::Sender<Report>,
}

/// Nobody listens any more: the lane ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Over;

/// What the last look at the demand said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Questions came or went.
    Wants,
    /// A person wants a new connection now.
    Reconnect,
}

/// A lane's share of the demand.
#[derive(Debug)]
pub struct Share {
    lane: Lane,
    context: Context,
    reconnect: u64,
    /// What is due.
    pub schedule: Schedule,
}

impl Share {
    /// The share of `lane`, as the demand stands.
    pub fn new(lane: Lane, context: Context) -> Self {
        let mut share = Self { lane, context, reconnect: 0, schedule: Schedule::default() };
        share.reconnect = share.context.demand.borrow().reconnect;
        share.look();
        share
    }

    /// The lane's context.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Waits until the demand changes, and takes the change in.
    pub async fn changed(&mut self) -> Result<Change, Over> {
        self.context.demand.changed().await.map_err(|_| Over)?;
        Ok(self.look())
    }

    fn look(&mut self) -> Change {
        let (wanted, reconnect) = {
            let demand = self.context.demand.borrow_and_update();
            (share_of(self.lane, &demand.wanted), demand.reconnect)
        };
        self.schedule.want(wanted);
        if reconnect == self.reconnect {
            Change::Wants
        } else {
            self.reconnect = reconnect;
            Change::Reconnect
        }
    }

    /// Reports the answer to `question`, asked at `began`, and notes its turn.
    pub async fn answer(
        &mut self,
        question: Question,
        began: Instant,
        answer: Result<Snapshot, ProbeError>,
    ) -> Result<(), Over> {
        let turn = if matches!(answer, Err(ProbeError::TimedOut(_))) { Turn::TimedOut } else { Turn::Done };
        let now = Instant::now();
        self.schedule.took_turn(&question, turn, Span { from: began, to: now });
        let sample = Sample { question, at: Timestamp::now(), took: now - began, answer };
        self.report(Report::Sample(sample)).await
    }

    /// Says of every wanted question, but those in `told`, that there is no connection; returns all that were told.
    pub async fn unreachable(&mut self, error: &ProbeError, told: Vec<Question>) -> Result<Vec<Question>, Over> {
        let all: Vec<Question> = self.schedule.questions().cloned().collect();
        for question in all.iter().filter(|question| !told.contains(question)) {
            let sample = Sample {
                question: question.clone(),
                at: Timestamp::now(),
                took: Duration::ZERO,
                answer: Err(error.clone()),
            };
            self.report(Report::Sample(sample)).await?;
        }
        Ok(all)
    }

    /// Sends a report.
    pub async fn report(&self, report: Report) -> Result<(), Over> {
        self.context.reports.send(report).await.map_err(|_| Over)
    }
}

/// How often the server says who it is; a promotion shows within this time.
const SERVER_EVERY: Duration = Duration::from_secs(15);

/// The wanted questions that belong to `lane`. Who the server is belongs to the fast lane, wanted or not: everything else is
/// read in its light.
fn share_of(lane: Lane, wanted: &[Wanted]) -> Vec<Wanted> {
    let mut share: Vec<Wanted> = wanted.iter().filter(|w| lane_of(&w.question) == Some(lane)).cloned().collect();
    if lane == Lane::Fast && !share.iter().any(|w| w.question == Question::Server) {
        share.insert(0, Wanted { question: Question::Server, cadence: crate::model::Cadence::Every(SERVER_EVERY) });
    }
    share
}

/// The lane that a question is asked on; none where it is not for PostgreSQL.
fn lane_of(question: &Question) -> Option<Lane> {
    match question {
        Question::Server
        | Question::Sessions
        | Question::SessionLocks(_)
        | Question::Progress
        | Question::Replication
        | Question::Settings => Some(Lane::Fast),
        Question::Relations { .. }
        | Question::Indexes { .. }
        | Question::IndexDefinition { .. }
        | Question::Activity
        | Question::CacheTable
        | Question::Statements { .. } => Some(Lane::Slow),
        Question::ExactBloat(_) => Some(Lane::Deep),
        Question::Plan(_) => Some(Lane::Plan),
        Question::Panel { .. }
        | Question::PanelBefore { .. }
        | Question::Targets
        | Question::Rules { .. }
        | Question::OtherAlerts
        | Question::Silences
        | Question::Health { .. }
        | Question::Dependency { .. }
        | Question::Pooler => None,
    }
}

/// What will be refused again is tried seldom: a wrong password five times a minute could lock a role out.
const PERMANENT: Duration = Duration::from_secs(30);

/// The pause before the next attempt.
pub fn pause(back_off: &mut BackOff, refusal: &Refusal) -> Duration {
    let pause = back_off.pause();
    if refusal.permanent { pause.max(PERMANENT) } else { pause }
}

/// Until `due`, or for ever.
pub async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Cadence;

    #[test]
    fn each_lane_takes_its_own_and_the_fast_one_always_asks_who_the_server_is() {
        let every = |question| Wanted { question, cadence: Cadence::Every(Duration::from_secs(2)) };
        let wanted = [every(Question::Sessions), every(Question::CacheTable), every(Question::Targets)];
        let names = |lane| share_of(lane, &wanted).into_iter().map(|w| w.question).collect::<Vec<_>>();
        assert_eq!(names(Lane::Fast), [Question::Server, Question::Sessions]);
        assert_eq!(names(Lane::Slow), [Question::CacheTable]);
        assert_eq!(names(Lane::Deep), []);
    }
}
