//! The pace of what is asked elsewhere than of the server and of Prometheus: each source by itself, again after a pause
//! that counts from its answer, seldomer while it fails.
//!
//! It knows nothing of what is asked. A source that hangs delays nobody but itself.

use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::Report;
use crate::model::{Cadence, Demand, ProbeError, Question, Sample, Snapshot, Timestamp};

/// Something that answers one question, and bounds each answer by itself.
pub(super) trait Source {
    /// The question.
    fn question(&self) -> Question;

    /// The longest pause after failures.
    fn patience(&self) -> Duration;

    /// Asks it.
    fn ask(&mut self) -> impl Future<Output = Result<Snapshot, ProbeError>> + Send;
}

/// Asks while it is wanted and sends each answer as a [`Report::Sample`]; ends when either channel's other end is gone.
pub(super) async fn keep_asking(
    mut source: impl Source,
    mut demand: watch::Receiver<Demand>,
    reports: mpsc::Sender<Report>,
) {
    let question = source.question();
    let (mut failures, mut answered, mut connected) = (0u32, None::<Instant>, 0);
    loop {
        let (every, reconnect) = {
            let demand = demand.borrow_and_update();
            (wanted(&demand, &question), demand.reconnect)
        };
        let Some(every) = every else {
            if demand.changed().await.is_err() {
                return;
            }
            continue;
        };
        // Who connects again wants to know now.
        let rested =
            answered.filter(|_| reconnect == connected).map(|at| at + pause(every, failures, source.patience()));
        if let Some(due) = rested.filter(|due| *due > Instant::now()) {
            tokio::select! {
                () = sleep_until(due) => {}
                changed = demand.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    continue;
                }
            }
        }
        let begun = Instant::now();
        let answer = tokio::select! {
            answer = source.ask() => answer,
            () = reports.closed() => return,
        };
        failures = if answer.is_ok() { 0 } else { failures.saturating_add(1) };
        (answered, connected) = (Some(Instant::now()), reconnect);
        let sample = Sample { question: question.clone(), at: Timestamp::now(), took: begun.elapsed(), answer };
        if reports.send(Report::Sample(sample)).await.is_err() {
            return;
        }
    }
}

fn wanted(demand: &Demand, question: &Question) -> Option<Duration> {
    match demand.wanted.iter().find(|w| w.question == *question)?.cadence {
        Cadence::Every(every) => Some(every),
        Cadence::Once(_) => None,
    }
}

/// Doubling with each failure, no longer than `patience`, no shorter than what is wanted.
fn pause(every: Duration, failures: u32, patience: Duration) -> Duration {
    let doubled = every.saturating_mul(1 << failures.min(8));
    doubled.min(patience.max(every))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Wanted;

    struct Scripted {
        answers: Vec<Result<Snapshot, ProbeError>>,
    }

    impl Source for Scripted {
        fn question(&self) -> Question {
            Question::Silences
        }

        fn patience(&self) -> Duration {
            Duration::from_secs(15)
        }

        async fn ask(&mut self) -> Result<Snapshot, ProbeError> {
            if self.answers.is_empty() { std::future::pending().await } else { self.answers.remove(0) }
        }
    }

    fn demand(seconds: u64, reconnect: u64) -> Demand {
        let cadence = Cadence::Every(Duration::from_secs(seconds));
        Demand { wanted: vec![Wanted { question: Question::Silences, cadence }], reconnect }
    }

    /// When each answer came, in seconds since the start.
    async fn times(
        answers: Vec<Result<Snapshot, ProbeError>>,
        after: impl Fn(&watch::Sender<Demand>, usize),
    ) -> Vec<u64> {
        let count = answers.len();
        let (wish, wanted) = watch::channel(demand(5, 0));
        let (report, mut reports) = mpsc::channel(8);
        let begun = Instant::now();
        tokio::spawn(keep_asking(Scripted { answers }, wanted, report));
        let mut times = Vec::new();
        for n in 0..count {
            reports.recv().await.unwrap();
            times.push(begun.elapsed().as_secs());
            after(&wish, n);
        }
        times
    }

    type Answer = Result<Snapshot, ProbeError>;

    const WELL: Answer = Ok(Snapshot::Silences(Vec::new()));
    const BAD: Answer = Err(ProbeError::TimedOut(3));

    #[tokio::test(start_paused = true)]
    async fn the_pause_doubles_while_it_fails_and_is_what_is_wanted_again_when_it_is_well() {
        let answers = vec![WELL, BAD, BAD, BAD, WELL, WELL];
        assert_eq!(times(answers, |_, _| {}).await, [0, 5, 15, 30, 45, 50]);
    }

    #[tokio::test(start_paused = true)]
    async fn who_connects_again_or_wants_it_sooner_does_not_wait_for_the_pause() {
        let sooner = |wish: &watch::Sender<Demand>, n: usize| match n {
            0 => drop(wish.send_replace(demand(1, 0))),
            2 => drop(wish.send_replace(demand(1, 1))),
            _ => {}
        };
        assert_eq!(times(vec![WELL, BAD, BAD, BAD], sooner).await, [0, 1, 3, 3]);
    }
}
