//! What the writer was asked for and has not done yet: what stops a job overtakes everything, an action overtakes the
//! lines of refusals, each of which costs a flush to disk.
//!
//! It does nothing of it by itself but pass on what stops a job that runs.

use std::collections::{BTreeMap, VecDeque};
use std::pin::pin;

use tokio::sync::{mpsc, watch};

use super::Request;

/// What ends each job that runs.
pub(super) type Stops = BTreeMap<u64, watch::Sender<bool>>;

/// The requests, in their order of urgency.
pub(super) struct Queue {
    asked: mpsc::UnboundedReceiver<Request>,
    waiting: VecDeque<Request>,
    closed: bool,
}

impl Queue {
    pub(super) fn new(asked: mpsc::UnboundedReceiver<Request>) -> Self {
        Self { asked, waiting: VecDeque::new(), closed: false }
    }

    /// The most urgent request; none once nobody can ask any more and all is done. Nothing is lost where the caller stops
    /// waiting for it.
    pub(super) async fn next(&mut self) -> Option<Request> {
        loop {
            while let Ok(request) = self.asked.try_recv() {
                self.waiting.push_back(request);
            }
            if let Some(request) = self.pick() {
                return Some(request);
            }
            if self.closed {
                return None;
            }
            match self.asked.recv().await {
                Some(request) => self.waiting.push_back(request),
                None => self.closed = true,
            }
        }
    }

    fn pick(&mut self) -> Option<Request> {
        let waits = |job: &u64| self.waiting.iter().any(|r| matches!(r, Request::Write { id, .. } if id == job));
        let rank = |request: &Request| match request {
            // One that overtook its own job would stop nothing.
            Request::StopJob { id } if waits(id) => 1,
            Request::StopJob { .. } => 0,
            Request::Write { .. } => 1,
            Request::RecordRefusal { .. } => 2,
        };
        // The first of the most urgent ones.
        let (at, _) = self.waiting.iter().enumerate().min_by_key(|(_, request)| rank(request))?;
        self.waiting.remove(at)
    }

    /// Works, and meanwhile passes on what stops a job: an action that waits for a server that hangs holds the writer for
    /// up to twenty seconds.
    pub(super) async fn beside<T>(&mut self, stops: &Stops, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                request = self.asked.recv(), if !self.closed => match request {
                    Some(request) => {
                        if let Request::StopJob { id } = &request {
                            stops.get(id).map(|stop| stop.send_replace(true));
                        }
                        // Also what was passed on: it is still to be logged.
                        self.waiting.push_back(request);
                    }
                    None => self.closed = true,
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::{ServerIdentity, Who, Write};
    use crate::model::ServerText;
    use crate::model::session::SessionKey;

    fn refusal(pid: i32) -> Request {
        let write = Write::Cancel {
            session: SessionKey { pid, backend_start: None },
            query_start: None,
            query: ServerText::default(),
            who: Who::default(),
            server: ServerIdentity::default(),
        };
        Request::RecordRefusal { write, refusal: String::new() }
    }

    #[tokio::test]
    async fn what_is_urgent_overtakes_refusals_and_what_is_not_keeps_its_order() {
        let (ask, asked) = mpsc::unbounded_channel();
        let mut queue = Queue::new(asked);
        for request in [refusal(1), refusal(2), Request::StopJob { id: 7 }] {
            ask.send(request).unwrap();
        }
        drop(ask);
        assert_eq!(queue.next().await, Some(Request::StopJob { id: 7 }));
        assert_eq!(queue.next().await, Some(refusal(1)));
        assert_eq!(queue.next().await, Some(refusal(2)));
        assert_eq!(queue.next().await, None);
    }

    #[tokio::test]
    async fn a_job_is_stopped_while_an_action_hangs() {
        let (ask, asked) = mpsc::unbounded_channel();
        let mut queue = Queue::new(asked);
        let (stop, mut stopped) = watch::channel(false);
        let stops = Stops::from([(7, stop)]);
        ask.send(refusal(1)).unwrap();
        ask.send(Request::StopJob { id: 8 }).unwrap();
        ask.send(Request::StopJob { id: 7 }).unwrap();
        // The action hangs until the job was stopped: without the queue's help it would hang for ever.
        queue.beside(&stops, async { stopped.wait_for(|stop| *stop).await.map(|_| ()).unwrap() }).await;
        assert_eq!(queue.next().await, Some(Request::StopJob { id: 8 }), "of a job that has not begun: it waits");
        assert_eq!(queue.next().await, Some(Request::StopJob { id: 7 }), "still to be logged");
        assert_eq!(queue.next().await, Some(refusal(1)));
    }
}
