//! pgbouncer's queues: who waits for a server connection, and whether the pool is too small or the server too slow.
//!
//! The difference is told from our own look at the sessions of that pool; where they are hidden it is left open.

use super::finding::{Finding, Harm, Kind, Severity, Target};
use super::health::{ItemKey, is_old};
use super::rule::Look;
use super::words::counted;
use crate::command::Tab;
use crate::model::health::State;
use crate::model::pooler::{Pool, Pooler};
use crate::model::session::{Session, State as SessionState, Wait};
use crate::model::unit::Age;
use crate::model::{ServerText, Timestamp};

/// A statement that runs longer than this, in seconds, keeps a pooled connection from the next in the queue.
const LONG_S: f64 = 1.0;

/// How long the clients of a pool wait, as a state.
pub(super) fn state(pool: &Pool, look: &Look<'_>) -> State {
    let waits = |limit: f64| pool.clients_waiting > 0 && pool.max_wait_s >= limit;
    match () {
        () if waits(look.limits.pooler_wait_long) => State::Failing,
        () if waits(look.limits.pooler_wait) || pool.paused || pool.disabled => State::Degraded,
        () => State::Ok,
    }
}

/// True where so many clients are connected that the next may be turned away.
pub(super) fn is_crowded(seen: &Pooler, look: &Look<'_>) -> bool {
    seen.clients_share().is_some_and(|share| share >= look.limits.pooler_clients)
}

fn seen<'a>(look: &Look<'a>) -> Option<(&'a Pooler, Timestamp)> {
    look.watchlist.pooler.as_ref()?;
    let watched = &look.world.pooler;
    if is_old(watched, look) { None } else { Some((watched.answer()?, watched.heard?)) }
}

/// Pools with clients that wait.
pub fn waiting(look: &Look<'_>) -> Vec<Finding> {
    let Some((pooler, heard)) = seen(look) else { return Vec::new() };
    let waits = |pool: &&Pool| pool.clients_waiting > 0 && pool.max_wait_s >= look.limits.pooler_wait;
    pooler.pools.iter().filter(waits).map(|pool| queue(look, pool, heard)).collect()
}

fn queue(look: &Look<'_>, pool: &Pool, heard: Timestamp) -> Finding {
    let name = format!("{}/{}", pool.database.head(30), pool.user.head(30));
    let size = pool.size.map_or_else(String::new, |size| format!(" of {size}"));
    let (why, todo, tab) = reason(look, pool);
    #[expect(clippy::cast_precision_loss, reason = "clients in a queue")]
    let clients = pool.clients_waiting as f64;
    let critical = state(pool, look) == State::Failing;
    Finding {
        severity: if critical { Severity::Critical } else { Severity::Warning },
        fact: format!(
            "{} at pgbouncer for {name}, the first for {}: {why}",
            match pool.clients_waiting {
                1 => "1 client waits".to_owned(),
                many => format!("{many} clients wait"),
            },
            Age(pool.max_wait_s).short()
        ),
        evidence: format!(
            "{}{size} server connections in use, {} idle, {} logging in · {} mode",
            pool.servers_active,
            pool.servers_idle,
            pool.servers_login,
            pool.mode.head(20)
        ),
        todo,
        // Half of them came later than the first.
        harm: Harm { now: clients * pool.max_wait_s / 2.0, coming: 0.5 },
        ..Finding::of(
            Kind::PoolerQueue,
            format!("{}/{}", pool.database.raw(), pool.user.raw()),
            heard,
            tab.map_or(Target::Health(ItemKey::Pooler), Target::Tab),
        )
    }
}

/// What the server connections of a pool do.
#[derive(Default)]
struct Doing {
    all: usize,
    locked: usize,
    idle_in_transaction: usize,
    long: usize,
}

/// The sessions of that database and user; none where they are hidden, or not known. The pooler may call both
/// otherwise: then there are none of them, and nothing is said.
fn doing(look: &Look<'_>, pool: &Pool) -> Option<Doing> {
    let (sessions, _) = look.sessions()?;
    let ours = |s: &&Session| {
        s.is_client() && !s.hidden && s.database.as_ref() == Some(&pool.database) && s.user.as_ref() == Some(&pool.user)
    };
    let mut doing = Doing::default();
    for s in sessions.rows.iter().filter(ours) {
        doing.all += 1;
        let locked = !s.blocked_by.is_empty() || s.wait.as_ref().is_some_and(Wait::is_lock);
        let idle = matches!(s.state, Some(SessionState::IdleInTransaction | SessionState::IdleInTransactionAborted));
        doing.locked += usize::from(locked);
        doing.idle_in_transaction += usize::from(idle);
        doing.long += usize::from(!locked && s.is_active() && s.query_s.is_some_and(|age| age >= LONG_S));
    }
    (doing.all > 0).then_some(doing)
}

/// Why they wait, what helps, and which tab shows it.
fn reason(look: &Look<'_>, pool: &Pool) -> (String, String, Option<Tab>) {
    let database = pool.database.head(30);
    if pool.paused || pool.disabled {
        let (word, command) = if pool.disabled { ("disabled", "ENABLE") } else { ("paused", "RESUME") };
        return (format!("the database is {word} there"), format!("on its console: {command} {database}"), None);
    }
    if pool.servers_active + pool.servers_idle == 0 {
        let todo = "see whether the server takes connections: its slots, pg_hba.conf, the way from the pooler";
        return ("it has no server connection".to_owned(), todo.to_owned(), Some(Tab::Connections));
    }
    if !pool.is_full() {
        let todo = "see max_db_connections and max_user_connections in pgbouncer.ini, and the server's slots";
        return ("its pool is not full, and gets no more connections".to_owned(), todo.to_owned(), None);
    }
    let Some(doing) = doing(look, pool) else {
        let todo = "see on Connections what its sessions do before the pool is made larger";
        return ("its pool is full".to_owned(), todo.to_owned(), Some(Tab::Connections));
    };
    let most = |count: usize| count * 2 >= doing.all;
    let of = |count: usize| format!("{count} of {}", counted(doing.all, "session"));
    match () {
        () if most(doing.locked) => (
            format!("the server is slow, {} wait for locks", of(doing.locked)),
            "free the locks first: see Locks; a larger pool would only lengthen that queue".to_owned(),
            Some(Tab::Locks),
        ),
        () if most(doing.idle_in_transaction) => (
            format!("the application holds it, {} idle in transaction", of(doing.idle_in_transaction)),
            "the clients hold connections while they do nothing: see Connections; a larger pool hides that".to_owned(),
            Some(Tab::Connections),
        ),
        () if most(doing.long) => (
            format!("the server is slow, {} run longer than {}", of(doing.long), Age(LONG_S).short()),
            "see Slow and Statements; a larger pool makes a busy server slower".to_owned(),
            Some(Tab::Slow),
        ),
        () => (
            format!("the pool is too small, {} at work or free again at once", of(doing.all)),
            format!("raise pool_size of {database} where the server has slots and processors to spare"),
            None,
        ),
    }
}

/// So many clients that the next may be turned away.
pub fn crowded(look: &Look<'_>) -> Vec<Finding> {
    let Some((pooler, heard)) = seen(look) else { return Vec::new() };
    let (Some(clients), Some(most)) = (pooler.clients, pooler.max_clients) else { return Vec::new() };
    if !is_crowded(pooler, look) {
        return Vec::new();
    }
    vec![Finding {
        severity: Severity::Warning,
        fact: format!("pgbouncer has {clients} clients of {most}: it turns the next ones away"),
        evidence: format!("max_client_conn = {most} · {} wait in its pools", pooler.waiting()),
        todo: "see who connects so often; raise max_client_conn, and the limit of open files with it".to_owned(),
        harm: Harm { now: 0.0, coming: 0.8 },
        ..Finding::of(Kind::PoolerClients, "", heard, Target::Health(ItemKey::Pooler))
    }]
}

/// The user of a pool, for words.
#[must_use]
pub(super) fn whose(pool: &Pool) -> String {
    ServerText::new(format!("{}/{}", pool.database.raw(), pool.user.raw())).head(40)
}
