//! Sessions with a server, as an application would hold them; it must not decide what they say.
use anyhow::{Context, Result};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config, NoTls};

/// Where a server lets one in.
#[derive(Clone, Debug)]
pub struct Door {
    /// Its port on 127.0.0.1.
    pub port: u16,
}

/// One session; dropping it closes its socket.
#[derive(Debug)]
pub struct Session {
    /// What statements go through.
    pub client: Client,
    task: JoinHandle<()>,
}

impl Door {
    /// Opens a session.
    pub async fn open(&self, user: &str, database: &str, application: &str) -> Result<Session> {
        let mut config = Config::new();
        config.host("127.0.0.1").port(self.port).user(user).dbname(database).connect_timeout(Duration::from_secs(20));
        if !application.is_empty() {
            config.application_name(application);
        }
        let (client, connection) =
            config.connect(NoTls).await.with_context(|| format!("user={user} dbname={database} port={}", self.port))?;
        let task = tokio::spawn(async move {
            // Its end is seen by the client, whose next statement fails.
            let _ended = connection.await;
        });
        Ok(Session { client, task })
    }

    /// A session of the superuser in the shop.
    pub async fn admin(&self) -> Result<Session> {
        self.open("postgres", "shop", "lab").await
    }

    /// Opens a session, again each half second as long as that fails.
    pub async fn open_at_last(&self, user: &str, database: &str, application: &str) -> Session {
        loop {
            if let Ok(session) = self.open(user, database, application).await {
                return session;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

impl Session {
    /// The first column of the first row, as a number.
    pub async fn number(&self, sql: &str) -> Result<i64> {
        let row = self.client.query_one(sql, &[]).await.with_context(|| sql.to_owned())?;
        Ok(row.try_get(0)?)
    }

    /// Runs statements and gives back nothing but their failure.
    pub async fn run(&self, sql: &str) -> Result<()> {
        self.client.batch_execute(sql).await.with_context(|| sql.to_owned())
    }

    /// Asks each 50 ms until the answer is at least `least`.
    pub async fn reaches(&self, sql: &str, least: i64, patience: Duration) -> Result<()> {
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            let now = self.number(sql).await?;
            if now >= least {
                return Ok(());
            }
            anyhow::ensure!(
                tokio::time::Instant::now() < deadline,
                "{now} instead of {least} after {patience:?}: {sql}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.task.abort();
    }
}
