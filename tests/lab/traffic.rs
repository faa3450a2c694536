//! The shop's visitors: a steady mix of requests to the service, whatever its state; it must not retry or slow down by itself.
use serde_json::{Value, json};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

/// Requests each second: enough for smooth quantiles, cheap enough for a machine that has other things to do.
const RATE: u32 = 60;
/// Visitors that wait at the same time; more go away unserved.
const CROWD: usize = 200;
/// When a visitor gives up.
const PATIENCE: Duration = Duration::from_secs(15);

/// The visitors; they stop when dropped.
#[derive(Debug)]
pub struct Traffic {
    task: JoinHandle<()>,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    sent: AtomicU64,
    answered: AtomicU64,
    turned_away: AtomicU64,
}

impl Traffic {
    /// Lets them in.
    pub fn start(url: &str) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
        let counts = Arc::new(Counts::default());
        let task = tokio::spawn(visit(client, format!("{url}/graphql"), Arc::clone(&counts)));
        Ok(Self { task, counts })
    }

    /// What became of them so far.
    pub fn state(&self) -> Value {
        json!({
            "sent": self.counts.sent.load(Ordering::Relaxed),
            "answered": self.counts.answered.load(Ordering::Relaxed),
            "turned_away": self.counts.turned_away.load(Ordering::Relaxed),
        })
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn visit(client: reqwest::Client, url: String, counts: Arc<Counts>) {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / RATE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let crowd = Arc::new(Semaphore::new(CROWD));
    for number in 0_u64.. {
        ticks.tick().await;
        let Ok(seat) = Arc::clone(&crowd).try_acquire_owned() else {
            counts.turned_away.fetch_add(1, Ordering::Relaxed);
            continue;
        };
        let request = client.post(&url).json(&wish(number));
        let counts = Arc::clone(&counts);
        tokio::spawn(async move {
            counts.sent.fetch_add(1, Ordering::Relaxed);
            if let Ok(response) = request.send().await
                && response.bytes().await.is_ok()
            {
                counts.answered.fetch_add(1, Ordering::Relaxed);
            }
            drop(seat);
        });
    }
}

/// What the visitor of that number wants: half look at a product, a third at their orders, the rest check out; each 300th runs a
/// client that is older than the schema: by chance five of them would now and then come at once, which is worth a warning.
fn wish(number: u64) -> Value {
    let chance = RandomState::new().hash_one(number);
    let (die, wide) = (chance % 300, chance >> 32);
    let (name, id) = match die {
        _ if number % 300 == 299 => ("ProductV1", 1),
        // The product of two even chances: a few products are looked at most.
        0..=155 => ("Product", 1 + (wide % 400) * ((chance >> 16) & 0xff) / 0xff),
        156..=255 => ("OrderList", 1 + wide % 5000),
        _ => ("Checkout", 10_000 + wide % 20_000),
    };
    json!({ "operationName": name, "variables": { "id": id, "visitor": number } })
}
