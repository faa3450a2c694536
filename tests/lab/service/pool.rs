//! The service's pool of connections: opened when needed, kept, waited for; it must not time a statement out, which is the
//! server's own business.
use crate::session::{Door, Session};
use anyhow::{Context, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_postgres::Client;

/// How long a request waits for a connection.
const PATIENCE: Duration = Duration::from_secs(10);

/// The connections.
#[derive(Debug)]
pub struct Pool {
    door: Door,
    seats: Arc<Semaphore>,
    most: usize,
    idle: Mutex<Vec<Session>>,
    open: AtomicUsize,
    waiting: AtomicUsize,
}

/// The pool in numbers, as FraiseQL gives them.
#[derive(Clone, Copy, Debug)]
pub struct Gauge {
    /// Opened connections, which is not how many may be opened.
    pub total: usize,
    /// Opened and unused.
    pub idle: usize,
    /// Lent out.
    pub active: usize,
    /// Requests that wait for one.
    pub waiting: usize,
}

/// A connection that is lent out; it goes back when dropped.
#[derive(Debug)]
pub struct Lease {
    pool: Arc<Pool>,
    session: Option<Session>,
    _seat: OwnedSemaphorePermit,
}

impl Pool {
    /// An empty pool of at most `most` connections to the primary on `port`.
    pub fn new(port: u16, most: usize) -> Self {
        Self {
            door: Door { port },
            seats: Arc::new(Semaphore::new(most)),
            most,
            idle: Mutex::default(),
            open: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
        }
    }

    /// A connection, after waiting for one if all are lent out.
    pub async fn lease(self: &Arc<Self>) -> Result<Lease> {
        let seat = {
            let _counted = Counted::new(&self.waiting);
            timeout(PATIENCE, Arc::clone(&self.seats).acquire_owned())
                .await
                .with_context(|| format!("couldn't get a connection after {PATIENCE:?}"))??
        };
        let kept = loop {
            let session = self.idle().pop();
            match session {
                Some(session) if session.client.is_closed() => {
                    self.open.fetch_sub(1, Ordering::Relaxed);
                }
                other => break other,
            }
        };
        let session = match kept {
            Some(session) => session,
            None => self.connect().await?,
        };
        Ok(Lease { pool: Arc::clone(self), session: Some(session), _seat: seat })
    }

    async fn connect(&self) -> Result<Session> {
        // FraiseQL's pools leave application_name empty.
        let session = self.door.open("shop_api", "shop", "").await?;
        session.run("SET statement_timeout = '20s'").await?;
        self.open.fetch_add(1, Ordering::Relaxed);
        Ok(session)
    }

    /// A session beside the pool, for looking after it.
    pub async fn aside(&self) -> Result<Session> {
        self.door.open("shop_api", "shop", "").await
    }

    /// The pool in numbers.
    pub fn gauge(&self) -> Gauge {
        Gauge {
            total: self.open.load(Ordering::Relaxed),
            idle: self.idle().len(),
            active: self.most - self.seats.available_permits(),
            waiting: self.waiting.load(Ordering::Relaxed),
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Session>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One more while it lives, also when the future that holds it is dropped.
struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Lease {
    /// What statements go through.
    pub fn client(&self) -> Result<&Client> {
        self.session.as_ref().map(|session| &session.client).context("an empty lease")
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            if session.client.is_closed() {
                self.pool.open.fetch_sub(1, Ordering::Relaxed);
            } else {
                self.pool.idle().push(session);
            }
        }
    }
}
