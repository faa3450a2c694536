//! What stands beside the database, asked for real: servers of HTTP and TCP that answer, hang, trickle and lie, the lab's
//! service with and without its database, and its pgbouncer.

mod endpoints;
mod lab;
mod tcp;

use std::time::Duration;

use pgtriage::config;
use pgtriage::model::{Cadence, Demand, ProbeError, Question, Sample, Snapshot, Wanted};
use pgtriage::postgres::Conninfo;
use pgtriage::probe::Report;
use pgtriage::probe::health::HealthProbe;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

/// Longer than any patience of the probes.
const LONG: Duration = Duration::from_secs(20);

/// Nothing is watched yet.
fn nothing() -> config::Health {
    config::Health {
        endpoints: Vec::new(),
        bearer: None,
        ca_pem: None,
        timeout: Duration::from_secs(1),
        dependencies: Vec::new(),
        pooler: None,
        standbys: None,
    }
}

/// One address is watched.
fn endpoint(url: &str) -> config::Health {
    let endpoints = vec![config::Endpoint { url: url.to_owned(), basic: None }];
    config::Health { endpoints, ..nothing() }
}

/// One dependency is watched.
fn dependency(road: config::Road, expect: Option<&str>) -> config::Health {
    let one = config::Dependency { name: "it".to_owned(), road, expect: expect.map(str::to_owned), timeout: None };
    config::Health { dependencies: vec![one], ..nothing() }
}

/// A probe at work, asked for all that it was told of.
struct Probe {
    demand: watch::Sender<Demand>,
    reports: mpsc::Receiver<Report>,
}

impl Probe {
    fn start(told: &config::Health, pooler: Option<Conninfo>) -> Self {
        let watched = told.watchlist(pooler.as_ref().map(Conninfo::places));
        let endpoints = watched.endpoints.into_iter().map(|endpoint| Question::Health { endpoint });
        let dependencies = watched.dependencies.into_iter().map(|name| Question::Dependency { name });
        let pools = watched.pooler.into_iter().map(|_| Question::Pooler);
        let cadence = Cadence::Every(Duration::from_millis(100));
        let wanted = endpoints.chain(dependencies).chain(pools).map(|question| Wanted { question, cadence }).collect();
        let (demand, wish) = watch::channel(Demand { wanted, reconnect: 0 });
        let (report, reports) = mpsc::channel(8);
        let probe = HealthProbe::new(told, pooler, "tester").unwrap();
        tokio::spawn(probe.run(wish, report));
        Self { demand, reports }
    }

    /// The next answer.
    async fn next(&mut self) -> Sample {
        match timeout(LONG, self.reports.recv()).await {
            Ok(Some(Report::Sample(sample))) => sample,
            other => panic!("no answer: {other:?}"),
        }
    }

    /// The first answer that fits, whatever comes before.
    async fn until(&mut self, fits: impl Fn(&Result<Snapshot, ProbeError>) -> bool) -> Sample {
        let found = async {
            loop {
                let sample = self.next().await;
                if fits(&sample.answer) {
                    return sample;
                }
            }
        };
        timeout(LONG, found).await.expect("an answer that fits")
    }

    /// Connects again: what failed is asked at once.
    fn again(&self) {
        self.demand.send_modify(|demand| demand.reconnect += 1);
    }
}

/// The first answer to the one thing that is watched.
async fn ask(told: &config::Health) -> Result<Snapshot, ProbeError> {
    Probe::start(told, None).next().await.answer
}
