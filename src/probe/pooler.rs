//! pgbouncer's pools from its admin console (1.8 to 1.25): who waits in which, how many connections each may have.
//!
//! It needs one of `stats_users` or `admin_users`, and only ever sends `SHOW`. It must not send a cancel request, which
//! can end the pooler: a command that is late is left, and its session dropped.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::pace::Source;
use crate::model::pooler::{self, Pool};
use crate::model::{ProbeError, Question, ServerText, Snapshot};
use crate::postgres::{AskError, ConnectError, Conninfo, Console, Row, Rows, connect_console};

/// How long all commands of one look may take together: they read memory of a process that does nothing else.
const WITHIN: Duration = Duration::from_secs(3);

/// The longest pause while it fails.
const PATIENCE: Duration = Duration::from_secs(15);

/// The console itself is a database, and has a pool.
const OWN_DATABASE: &str = "pgbouncer";

/// A pgbouncer.
#[derive(Debug)]
pub(super) struct Pooler {
    conninfo: Conninfo,
    name: String,
    /// Kept between looks: a login per look would fill its log.
    console: Option<Console>,
}

impl Pooler {
    pub(super) fn new(conninfo: Conninfo, os_user: &str) -> Self {
        let name: String = format!("pgtriage/pooler {os_user}").trim_end().chars().take(63).collect();
        Self { conninfo, name, console: None }
    }

    async fn look(&mut self) -> Result<pooler::Pooler, ProbeError> {
        let until = Instant::now() + WITHIN;
        let late = || ProbeError::TimedOut(3);
        let mut console = match self.console.take() {
            Some(console) => console,
            None => timeout_at(until, connect_console(&self.conninfo, &self.name))
                .await
                .map_err(|_| late())?
                .map_err(|error| self.refused(&error))?,
        };
        let seen = timeout_at(until, shown(&mut console)).await.map_err(|_| late())?;
        // A session that failed may be in any state: the next look has a new one.
        let seen = seen.map_err(|error| failed(&error))?;
        self.console = Some(console);
        Ok(seen)
    }

    fn refused(&self, error: &ConnectError) -> ProbeError {
        let words = error.to_string();
        // Its errors have one SQLSTATE: the words tell them apart.
        if words.contains("not allowed") {
            let user = ServerText::from(self.conninfo.user.as_str()).head(60);
            return ProbeError::Denied { cure: format!("stats_users = {user} in pgbouncer.ini, then RELOAD") };
        }
        match error {
            ConnectError::Timeout { .. } => ProbeError::TimedOut(3),
            ConnectError::Auth { .. } | ConnectError::PasswordMissing { .. } => ProbeError::Unauthorized(words),
            ConnectError::Tls { .. } => ProbeError::Refused { code: "TLS".to_owned(), message: words },
            ConnectError::Refused { .. }
            | ConnectError::Unreachable { .. }
            | ConnectError::Server { .. }
            | ConnectError::Broken { .. }
            | ConnectError::Unsuitable { .. }
            | ConnectError::Several(_) => ProbeError::Unreachable(words),
        }
    }
}

impl Source for Pooler {
    fn question(&self) -> Question {
        Question::Pooler
    }

    fn patience(&self) -> Duration {
        PATIENCE
    }

    async fn ask(&mut self) -> Result<Snapshot, ProbeError> {
        Ok(Snapshot::Pooler(Box::new(self.look().await?)))
    }
}

fn failed(error: &AskError) -> ProbeError {
    match error {
        AskError::Server(server) => {
            ProbeError::Refused { code: server.sqlstate.clone(), message: server.message.clone() }
        }
        AskError::Deadline { .. } | AskError::Busy => ProbeError::TimedOut(3),
        AskError::Lost { reason, .. } => ProbeError::Unreachable(reason.clone()),
        AskError::Shape(words) => ProbeError::Shape(format!("pgbouncer: {words}")),
    }
}

async fn shown(console: &mut Console) -> Result<pooler::Pooler, AskError> {
    let version = console.show("SHOW VERSION", WITHIN).await?;
    let pools = console.show("SHOW POOLS", WITHIN).await?;
    let databases = console.show("SHOW DATABASES", WITHIN).await?;
    let lists = console.show("SHOW LISTS", WITHIN).await?;
    let config = console.show("SHOW CONFIG", WITHIN).await?;
    read(&[version, pools, databases, lists, config])
}

/// The answers to `SHOW VERSION`, `POOLS`, `DATABASES`, `LISTS` and `CONFIG`.
fn read([version, pools, databases, lists, config]: &[Rows; 5]) -> Result<pooler::Pooler, AskError> {
    let named = |rows: &Rows, column: &str, name: &str, value: &str| {
        let row = rows.iter().find(|row| row.opt_text(column).is_ok_and(|text| text == Some(name)))?;
        row.opt_text(value).ok()??.parse::<i64>().ok()
    };
    let mut seen = pooler::Pooler {
        // A notice until 1.11, a row since.
        version: match version.first() {
            Some(row) => row.text("version")?.into(),
            None => version.notices.first().map_or("", |notice| notice.message.as_str()).into(),
        },
        pools: Vec::new(),
        clients: named(lists, "list", "used_clients", "items"),
        max_clients: named(config, "key", "max_client_conn", "value"),
    };
    for row in pools.iter() {
        let database = row.text("database")?;
        if database == OWN_DATABASE {
            continue;
        }
        let mut pool = pool(&row)?;
        if let Some(of) = databases.iter().find(|row| row.opt_text("name").is_ok_and(|name| name == Some(database))) {
            pool.size = of.opt_i64("pool_size")?;
            pool.reserve = number(&of, "reserve_pool")?;
            pool.paused = number(&of, "paused")? != 0;
            pool.disabled = number(&of, "disabled")? != 0;
        }
        seen.pools.push(pool);
    }
    Ok(seen)
}

fn pool(row: &Row<'_>) -> Result<Pool, AskError> {
    let idle = ["sv_idle", "sv_used", "sv_tested"].iter().map(|column| number(row, column)).sum::<Result<i64, _>>()?;
    #[expect(clippy::cast_precision_loss, reason = "seconds and microseconds of a wait")]
    let max_wait_s = number(row, "maxwait")? as f64 + number(row, "maxwait_us")? as f64 / 1e6;
    Ok(Pool {
        database: row.text("database")?.into(),
        user: row.text("user")?.into(),
        mode: row.opt_text("pool_mode").ok().flatten().unwrap_or_default().into(),
        clients_active: number(row, "cl_active")?,
        clients_waiting: number(row, "cl_waiting")?,
        servers_active: number(row, "sv_active")?,
        servers_idle: idle,
        servers_login: number(row, "sv_login")?,
        max_wait_s,
        ..Pool::default()
    })
}

/// A number that some versions do not have.
fn number(row: &Row<'_>, column: &str) -> Result<i64, AskError> {
    match row.opt_text(column) {
        Ok(_) => Ok(row.opt_i64(column)?.unwrap_or(0)),
        Err(_) => Ok(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(columns: &str, values: &[&str]) -> Rows {
        let columns: Vec<&str> = columns.split_whitespace().collect();
        let values: Vec<Vec<Option<&str>>> =
            values.iter().map(|row| row.split_whitespace().map(|v| (v != "NULL").then_some(v)).collect()).collect();
        Rows::made_up(&columns, &values.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }

    /// As pgbouncer 1.18 shows them; later versions have more columns, earlier ones fewer.
    const POOLS: &str = "database user cl_active cl_waiting cl_active_cancel_req cl_waiting_cancel_req sv_active \
                         sv_active_cancel sv_being_canceled sv_idle sv_used sv_tested sv_login maxwait maxwait_us pool_mode";
    const DATABASES: &str = "name host port database force_user pool_size min_pool_size reserve_pool pool_mode \
                             max_connections current_connections paused disabled";

    #[test]
    fn pools_are_read_with_the_limits_of_their_database_and_the_console_is_none() {
        let pools = rows(
            POOLS,
            &[
                "pgbouncer pgbouncer 1 0 0 0 0 0 0 0 0 0 0 0 0 statement",
                "shop api 5 12 0 0 5 0 0 1 2 3 4 7 250000 transaction",
            ],
        );
        let databases = rows(DATABASES, &["shop 127.0.0.1 5432 shop NULL 5 0 2 NULL 0 5 1 0"]);
        let lists = rows("list items", &["databases 3", "used_clients 18"]);
        let config = rows("key value default changeable", &["max_client_conn 200 100 yes"]);
        let version = rows("version", &["PgBouncer-1.18.0"]);
        let seen = read(&[version, pools, databases, lists, config]).unwrap();
        assert_eq!((seen.version.raw(), seen.clients, seen.max_clients), ("PgBouncer-1.18.0", Some(18), Some(200)));
        let pool = Pool {
            database: "shop".into(),
            user: "api".into(),
            mode: "transaction".into(),
            clients_active: 5,
            clients_waiting: 12,
            servers_active: 5,
            servers_idle: 6,
            servers_login: 4,
            max_wait_s: 7.25,
            size: Some(5),
            reserve: 2,
            paused: true,
            disabled: false,
        };
        assert_eq!(seen.pools, [pool]);
    }

    #[test]
    fn a_column_that_another_version_has_not_is_nought_and_one_that_all_have_is_missed() {
        let few = rows(
            "database user cl_active cl_waiting sv_active sv_idle sv_used sv_tested sv_login maxwait",
            &["a b 1 2 3 4 5 6 7 8"],
        );
        let empty = || rows("x", &[]);
        let seen = read(&[empty(), few, rows("name", &["a"]), empty(), empty()]);
        assert!(matches!(seen, Err(AskError::Shape(_))), "{seen:?}");
        let few = rows(
            "database user cl_active cl_waiting sv_active sv_idle sv_used sv_tested sv_login maxwait",
            &["a b 1 2 3 4 5 6 7 8"],
        );
        let seen = read(&[empty(), few, rows("name pool_size", &["a 9"]), empty(), empty()]).unwrap();
        assert_eq!((seen.pools[0].max_wait_s, seen.pools[0].size), (8.0, Some(9)));
        assert_eq!(seen.max_clients, None);
        let none = rows("user cl_active", &["b 1"]);
        assert!(read(&[empty(), none, empty(), empty(), empty()]).is_err());
    }
}
