//! The reading half: what is wanted is asked, each question on its lane, and what comes is reported.
//!
//! It never writes to a server and never decides what is wanted: the demand comes in, samples go out.

pub mod activity;
pub mod alertmanager;
pub mod cache;
mod client;
mod deep;
pub mod exact;
mod fast;
pub mod health;
pub mod indexes;
mod lane;
mod own;
mod pace;
pub mod plan;
mod pooler;
pub mod progress;
pub mod prometheus;
pub mod relations;
pub mod replication;
pub mod row;
pub mod schedule;
pub mod seat;
pub mod server;
pub mod sessions;
pub mod settings;
mod slow;
pub mod sql;
pub mod statements;

use tokio::sync::{mpsc, watch};

use crate::model::{Demand, Link, Sample};
use crate::postgres::{Conninfo, Lane, OwnPids};

use lane::Context;
use seat::Road;

/// What a probe has to say.
#[derive(Debug, Clone, PartialEq)]
pub enum Report {
    /// An answer, or why there is none.
    Sample(Sample),
    /// The connection that sessions and locks are read on came or went.
    Link(Link),
}

/// The probe of one PostgreSQL server.
#[derive(Debug, Clone)]
pub struct PostgresProbe {
    /// Where to, and as whom.
    pub conninfo: Conninfo,
    /// The same for plans alone, as a role of their own; none: as the others.
    pub plan_login: Option<Conninfo>,
    /// Who sits in front of the console: part of `application_name`.
    pub os_user: String,
    /// Our own server processes; shared with whoever else connects.
    pub own: OwnPids,
    /// Name of the cache table, as a statement would name it.
    pub cache_table: String,
    /// Texts that the writer sends as the same role: `pg_stat_statements` counts them, and they are nobody else's.
    pub writer: &'static [&'static str],
}

impl PostgresProbe {
    /// Asks what is wanted until nobody wants to hear it any more: until `demand` or `reports` is closed.
    pub async fn run(self, demand: watch::Receiver<Demand>, reports: mpsc::Sender<Report>) {
        let (errands, errand_box) = mpsc::channel(1);
        let road = Road { conninfo: self.conninfo, os_user: self.os_user, own: self.own };
        let context = Context {
            plan_road: self.plan_login.map(|conninfo| Road { conninfo, ..road.clone() }),
            road,
            at: watch::Sender::new(None),
            cache_table: self.cache_table,
            writer: self.writer,
            demand,
            reports,
        };
        // Four futures of one task: each mostly waits, and when the probe is dropped all of them end with it.
        tokio::join!(
            fast::run(context.clone(), errand_box),
            slow::run(context.clone(), errands),
            deep::run(context.clone(), Lane::Deep),
            deep::run(context, Lane::Plan)
        );
    }
}
