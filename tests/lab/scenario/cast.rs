//! The sessions and tasks that play an incident; they must leave no session behind, and survive being cancelled or terminated.
use crate::bench::Bench;
use crate::process::PATIENCE;
use crate::session::{Door, Session};
use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Who one is towards the server.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// The role.
    pub user: &'static str,
    /// The `application_name`.
    pub application: &'static str,
}

/// All who play.
#[derive(Debug, Default)]
pub struct Cast {
    applications: BTreeSet<&'static str>,
    held: Vec<Session>,
    tasks: JoinSet<()>,
}

impl Cast {
    /// A session that says its lines and then stays as it is.
    pub async fn hold(&mut self, door: &Door, part: Part, lines: &[&str]) -> Result<()> {
        let session = self.enter(door, part).await?;
        for line in lines {
            session.run(line).await?;
        }
        self.held.push(session);
        Ok(())
    }

    /// A session that says one line, which may take for ever, and stays when it is over, however it ends; gives its process.
    pub async fn once(&mut self, door: &Door, part: Part, line: &'static str) -> Result<i64> {
        let session = self.enter(door, part).await?;
        let pid = session.number("SELECT pg_backend_pid()::int8").await?;
        self.tasks.spawn(async move {
            // Cancelled, it is not tried again: whoever cancelled it had a reason.
            let _ended = session.run(line).await;
            std::future::pending::<()>().await;
        });
        Ok(pid)
    }

    /// A session that says its line again and again, `pause` apart, and comes back when it is thrown out.
    pub fn again(&mut self, door: &Door, part: Part, line: String, pause: Duration) {
        self.applications.insert(part.application);
        let door = door.clone();
        self.tasks.spawn(async move {
            loop {
                let session = door.open_at_last(part.user, "shop", part.application).await;
                while !session.client.is_closed() {
                    let _ended = session.run(&line).await;
                    tokio::time::sleep(pause).await;
                }
            }
        });
    }

    /// A session opened under a part, for the scenario to keep.
    pub async fn enter(&mut self, door: &Door, part: Part) -> Result<Session> {
        self.applications.insert(part.application);
        door.open(part.user, "shop", part.application).await
    }

    /// Keeps a session as it is.
    pub fn keep(&mut self, session: Session) {
        self.held.push(session);
    }

    /// Ends all of them, on the server too.
    pub async fn dismiss(self, bench: &mut Bench) -> Result<()> {
        let Self { applications, held, tasks } = self;
        drop(tasks);
        if applications.is_empty() || !bench.primary.runs() {
            return Ok(());
        }
        let door = bench.primary.door();
        let full = door.admin().await.is_err();
        // Where all seats are taken, whoever holds one goes first.
        let mut held = Some(held).filter(|_| !full);
        let admin = timeout(PATIENCE, door.open_at_last("postgres", "shop", "lab"))
            .await
            .context("the primary lets nobody in")?;
        let names: Vec<&str> = applications.into_iter().collect();
        let names = names.join("','");
        // Those who wait go first, or they would get what they wait for, and change the shop, when the others go.
        for state in ["state = 'active'", "true"] {
            let those = format!("FROM pg_stat_activity WHERE application_name IN ('{names}') AND {state}");
            admin.run(&format!("SELECT pg_terminate_backend(pid) {those}")).await?;
            let gone = format!("SELECT (count(*) = 0)::int::int8 {those}");
            admin.reaches(&gone, 1, PATIENCE).await?;
            drop(held.take());
        }
        Ok(())
    }
}
