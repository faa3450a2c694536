//! The incidents: each a file with how it begins and how it ends; one plays at a time, and each leaves the shop as it found it.
mod bloat;
mod cache_collapse;
mod cast;
mod connections_exhausted;
mod importer;
mod lock_pileup;
mod memory_pressure;
mod replica_gone;
mod replica_lag;
mod slow_queries;

use crate::bench::Bench;
use anyhow::{Context, Result};
use cast::Cast;
use futures_util::future::LocalBoxFuture;
use serde_json::Value;

/// An incident that can be played.
#[derive(Debug)]
pub struct Scenario {
    /// How it is called on the command line.
    pub name: &'static str,
    /// What goes wrong, in one line.
    pub about: &'static str,
    begin: for<'a> fn(&'a mut Bench, &'a mut Cast) -> LocalBoxFuture<'a, Result<Value>>,
    end: for<'a> fn(&'a mut Bench) -> LocalBoxFuture<'a, Result<()>>,
}

/// All of them.
pub const ALL: &[Scenario] = &[
    Scenario {
        name: "calm",
        about: "the shop at work, nothing wrong",
        begin: |_, _| Box::pin(async { Ok(Value::Null) }),
        end: |_| Box::pin(async { Ok(()) }),
    },
    lock_pileup::SCENARIO,
    slow_queries::SCENARIO,
    bloat::SCENARIO,
    replica_lag::SCENARIO,
    replica_gone::SCENARIO,
    cache_collapse::SCENARIO,
    connections_exhausted::SCENARIO,
    memory_pressure::SCENARIO,
];

/// A scenario that plays.
#[derive(Debug)]
pub struct Play {
    scenario: &'static Scenario,
    cast: Cast,
}

impl Play {
    /// Ends what plays and begins the scenario of that name; gives what it has to say once it stands.
    pub async fn begin(bench: &mut Bench, name: &str) -> Result<Value> {
        let scenario = ALL.iter().find(|scenario| scenario.name == name).with_context(|| {
            let names: Vec<_> = ALL.iter().map(|scenario| scenario.name).collect();
            format!("no scenario {name:?}; there are {}", names.join(", "))
        })?;
        Self::end(bench).await?;
        let mut cast = Cast::default();
        let begun = (scenario.begin)(bench, &mut cast).await;
        bench.play = Some(Self { scenario, cast });
        if begun.is_err() {
            // What stands of it is taken down; the reason it failed for matters more than how that goes.
            let _ended = Self::end(bench).await;
        }
        begun.with_context(|| name.to_owned())
    }

    /// Ends what plays and puts the shop back as it was.
    pub async fn end(bench: &mut Bench) -> Result<()> {
        let Some(play) = bench.play.take() else {
            return Ok(());
        };
        let Self { scenario, cast } = play;
        cast.dismiss(bench).await?;
        (scenario.end)(bench).await.with_context(|| format!("the end of {}", scenario.name))
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.scenario.name
    }
}
