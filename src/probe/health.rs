//! What is beside the database: the application's endpoints, dependencies, pgbouncer; each asked by itself.
//!
//! It must not judge what a body says (the model does), follow a redirect, or wait longer than it was told.

mod endpoint;
mod http;
mod tcp;

use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::{mpsc, watch};

use super::pace::{Source, keep_asking};
use super::prometheus::SettingsError;
use super::{Report, pooler};
use crate::config::{self, Road};
use crate::model::health::Contact;
use crate::model::{Demand, ProbeError, Question, Snapshot};
use crate::postgres::Conninfo;

use endpoint::Endpoint;
use http::Client;

/// The longest pause while something fails: that it is back is what somebody waits for.
const PATIENCE: Duration = Duration::from_secs(15);

/// The probe of everything that is watched beside the database.
#[derive(Debug)]
pub struct HealthProbe {
    endpoints: Vec<Endpoint>,
    dependencies: Vec<Dependency>,
    pooler: Option<pooler::Pooler>,
}

impl HealthProbe {
    /// Prepares the clients; nothing is asked yet. `pooler` is where pgbouncer's console is.
    ///
    /// # Errors
    /// An address or a certificate that cannot be used.
    pub fn new(told: &config::Health, pooler: Option<Conninfo>, os_user: &str) -> Result<Self, SettingsError> {
        let ca = told.ca_pem.as_deref();
        let endpoint = |e: &config::Endpoint| {
            let client = Client::new(e, told.bearer.as_ref(), ca, told.timeout)?;
            Ok(Endpoint::new(e.url.clone(), client))
        };
        let dependency = |d: &config::Dependency| {
            let timeout = d.timeout.unwrap_or(told.timeout);
            let road = match &d.road {
                Road::Http { at, status } => Way::Http(Box::new(Client::new(at, None, ca, timeout)?), *status),
                Road::Tcp { at, send } => Way::Tcp(at.clone(), send.clone()),
            };
            Ok(Dependency { name: d.name.clone(), road, expect: d.expect.clone(), timeout })
        };
        Ok(Self {
            endpoints: told.endpoints.iter().map(endpoint).collect::<Result<_, _>>()?,
            dependencies: told.dependencies.iter().map(dependency).collect::<Result<_, _>>()?,
            pooler: pooler.map(|conninfo| pooler::Pooler::new(conninfo, os_user)),
        })
    }

    /// Asks what is wanted until nobody wants to hear it any more: until `demand` or `reports` is closed.
    pub async fn run(self, demand: watch::Receiver<Demand>, reports: mpsc::Sender<Report>) {
        let endpoints = self.endpoints.into_iter().map(|e| keep_asking(e, demand.clone(), reports.clone()));
        let dependencies = self.dependencies.into_iter().map(|d| keep_asking(d, demand.clone(), reports.clone()));
        let pooler = self.pooler.into_iter().map(|p| keep_asking(p, demand.clone(), reports.clone()));
        tokio::join!(join_all(endpoints), join_all(dependencies), join_all(pooler));
    }
}

/// Something that the application needs.
#[derive(Debug)]
struct Dependency {
    name: String,
    road: Way,
    expect: Option<String>,
    timeout: Duration,
}

/// How it is asked.
#[derive(Debug)]
enum Way {
    Http(Box<Client>, Option<u16>),
    Tcp(String, Option<String>),
}

impl Source for Dependency {
    fn question(&self) -> Question {
        Question::Dependency { name: self.name.clone() }
    }

    fn patience(&self) -> Duration {
        PATIENCE
    }

    async fn ask(&mut self) -> Result<Snapshot, ProbeError> {
        let expect = self.expect.as_deref();
        let contact: Contact = match &self.road {
            Way::Http(client, status) => client.contact(*status, expect).await?,
            Way::Tcp(at, send) => tcp::contact(at, send.as_deref(), expect, self.timeout).await?,
        };
        Ok(Snapshot::Dependency(contact))
    }
}

/// The time that ran out, in whole seconds.
fn timed_out(after: Duration) -> ProbeError {
    ProbeError::TimedOut(u32::try_from(after.as_secs().max(1)).unwrap_or(u32::MAX))
}
