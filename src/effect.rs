//! What the console does to the world. The writer in here is the only one: no other module sends a statement that
//! changes anything, and it takes nothing but what `guard` approved.
//!
//! It decides nothing: whether an action may run was judged before, and what became of it is what the server said.

pub mod audit;
mod bulk;
mod cancel;
mod expire;
mod journal;
mod look;
mod maintain;
mod queue;
mod session;
mod setting;
mod terminate;
mod texts;
mod watched;
mod writer;

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::guard::{Approved, Write};
use crate::message::{Effect, Event};

use audit::Audit;
use writer::Writer;

pub use session::Road;
pub use texts::TEXTS;

/// What the writer is asked to do.
#[derive(Debug, PartialEq)]
pub enum Request {
    /// Take this action.
    Write {
        /// The number that its news will carry.
        id: u64,
        /// What was approved.
        approved: Approved,
    },
    /// Look at the targets of this action.
    Look {
        /// The number that the answer will carry.
        id: u64,
        /// The action.
        write: Write,
    },
    /// Stop the job of that number.
    StopJob {
        /// Its number.
        id: u64,
    },
    /// Log that an action was not allowed.
    RecordRefusal {
        /// What was asked for.
        write: Write,
        /// The refusal's sentence.
        refusal: String,
    },
}

impl TryFrom<Effect> for Request {
    type Error = Effect;

    /// Takes the effects that are the writer's and gives the others back.
    fn try_from(effect: Effect) -> Result<Self, Effect> {
        match effect {
            Effect::Write { id, approved } => Ok(Self::Write { id, approved }),
            Effect::Look { id, write } => Ok(Self::Look { id, write }),
            Effect::StopJob { id } => Ok(Self::StopJob { id }),
            Effect::RecordRefusal { write, refusal } => Ok(Self::RecordRefusal { write, refusal }),
            other @ (Effect::Copy(_) | Effect::Bell | Effect::Title(_) | Effect::Quit) => Err(other),
        }
    }
}

/// What a writer needs.
#[derive(Debug)]
pub struct Setup {
    /// Where and as whom to connect.
    pub road: Road,
    /// Where to log.
    pub audit: Audit,
    /// Where to tell what happened: [`Event::Writer`] and [`Event::Action`].
    pub news: mpsc::Sender<Event>,
}

/// How long the end of the console may wait for the writer: five seconds for its jobs, five for the disk.
pub const LEAVING: Duration = Duration::from_secs(10);

/// A writer that runs. Built only where actions are allowed: read-only means that there is none.
#[derive(Debug)]
pub struct WriterHandle {
    requests: mpsc::UnboundedSender<Request>,
    task: JoinHandle<()>,
}

impl WriterHandle {
    /// Starts the writer; it connects at once.
    #[must_use]
    pub fn start(setup: Setup) -> Self {
        let (requests, asked) = mpsc::unbounded_channel();
        Self { requests, task: tokio::spawn(Writer::new(setup).run(asked)) }
    }

    /// Asks for something; never waits and never drops it silently.
    ///
    /// # Errors
    /// Gives the request back where the writer has ended.
    pub fn ask(&self, request: Request) -> Result<(), Box<Request>> {
        self.requests.send(request).map_err(|unsent| Box::new(unsent.0))
    }

    /// Ends the writer: jobs that run are cancelled and their outcome is recorded, within about five seconds; one that a
    /// server or a disk keeps waiting is given up after [`LEAVING`]. The log then holds an intent without an outcome: what
    /// became of it nobody knows, and that is what it says.
    pub async fn finish(mut self) {
        drop(self.requests);
        // A writer that panicked has nothing left to record.
        if tokio::time::timeout(LEAVING, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}
