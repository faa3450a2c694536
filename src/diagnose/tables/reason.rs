//! Why autovacuum does not help a table that is full of dead rows, and what does.
//!
//! It must not judge which tables are full.

use super::super::horizon;
use super::super::rule::Look;
use super::super::words::{doing, figure, of_i64, statement, who};
use super::autovacuums;
use crate::command::Command;
use crate::model::ServerText;
use crate::model::relation::{Barrier, Relation, Relations, VacuumProgress};
use crate::model::session::{State, Wait};
use crate::model::unit::Age;

/// Autovacuum looks at a database once a minute (`autovacuum_naptime`): who came within it is not late, in seconds.
const JUST_NOW: f64 = 60.0;

/// Looks at a worker from which on it is no chance that it slept at half of them.
const ENOUGH_LOOKS: usize = 10;

/// The highest value that `autovacuum_vacuum_cost_limit` takes.
const HIGHEST_LIMIT: i64 = 10_000;

/// One reason.
pub struct Reason {
    /// In a few words, for the fact.
    pub why: String,
    /// What shows it, for the evidence; ends with a separator where it is not empty.
    pub seen: String,
    /// What to do.
    pub todo: String,
    /// The action that fits.
    pub action: Option<Command>,
    /// SQL that helps.
    pub remedy: Option<String>,
    /// True where the table is helped by dealing with this reason, and no other finding says so.
    pub grave: bool,
}

impl Reason {
    /// Nothing can be done about it here.
    fn of(why: impl Into<String>, todo: &str) -> Self {
        Self { why: why.into(), seen: String::new(), todo: todo.to_owned(), action: None, remedy: None, grave: false }
    }

    /// A vacuum helps.
    fn vacuum(why: impl Into<String>, todo: &str) -> Self {
        Self { action: Some(Command::VacuumAnalyze), grave: true, ..Self::of(why, todo) }
    }
}

/// The reason that goes before all others, for a table of an answer that came `late_s` seconds ago.
pub fn of(look: &Look<'_>, relations: &Relations, r: &Relation, late_s: f64) -> Reason {
    let culprit = horizon::culprit(look, r);
    // What has begun before its holder may still remove something; what began later works in vain.
    let useful = |v: &&VacuumProgress| match &culprit {
        Some((_, Some(held_s))) => v.running_s.is_some_and(|s| s + late_s > *held_s),
        Some((_, None)) => false,
        None => true,
    };
    let works = relations.vacuums.iter().find(|v| v.oid == r.oid && v.database == relations.database);
    if let Some(v) = works.filter(useful) {
        return at_work(look, v);
    }
    if let Some((culprit, _)) = culprit {
        let todo = "end what holds the horizon first: until then no vacuum helps";
        return Reason::of(format!("vacuum in vain: {culprit}"), todo);
    }
    if let Some(barrier) = &r.barred {
        return barred(look, barrier);
    }
    if let Some(pid) = horizon::hidden_holder(look).filter(|_| r.vacuum_due() >= 1.0) {
        let todo = "GRANT pg_monitor to our role tells for how long it holds the horizon";
        return Reason::of(format!("whether {pid} makes vacuum vain is hidden"), todo);
    }
    if r.locked {
        let todo = "end what holds or awaits its AccessExclusiveLock first";
        return Reason::of("a lock on the table keeps vacuum out", todo);
    }
    if !r.autovacuum_on {
        return Reason::vacuum("autovacuum is off for it", "vacuum it, and turn autovacuum_enabled on again");
    }
    if !relations.autovacuum {
        return Reason::vacuum("autovacuum is off", "turn autovacuum on; vacuum it now");
    }
    let workers = autovacuums(relations);
    if relations.autovacuum_workers > 0 && figure(workers) >= of_i64(relations.autovacuum_workers) {
        let todo = "vacuum it; then raise autovacuum_vacuum_cost_limit, or the workers (before 18 by a restart)";
        return Reason::vacuum(format!("all {workers} autovacuum workers are busy elsewhere"), todo);
    }
    if let Some(ago) = r.last_vacuum_s().filter(|ago| *ago <= JUST_NOW) {
        return just_vacuumed(look, ago + late_s);
    }
    Reason::vacuum(
        "autovacuum is due and has not come",
        "vacuum it; if it comes too late often: lower its scale factor, raise the cost limit",
    )
}

/// A vacuum works on it: it may sleep for most of its time.
fn at_work(look: &Look<'_>, v: &VacuumProgress) -> Reason {
    let long = v.running_s.map_or_else(String::new, |s| format!(" for {}", Age(s).short()));
    let Some(asleep) = asleep(look, v.pid) else {
        return Reason::of(format!("a vacuum works on it{long}"), "let it end; its progress is on Tables");
    };
    let why = format!("a vacuum works on it{long}, {asleep}");
    if !v.auto {
        return Reason::of(why, "let it end; vacuum_cost_delay of the session that runs it makes it sleep");
    }
    // Who is at work reads the settings anew within a table since 16.
    let running = look.world.server.get().is_some_and(|server| server.major() >= 16);
    let when = if running { "also while it runs" } else { "from the next table on" };
    let todo = format!(
        "let it end; a higher autovacuum_vacuum_cost_limit or a lower autovacuum_vacuum_cost_delay lets it work more, {when}, unless the table has its own"
    );
    Reason { remedy: higher_limit(look), ..Reason::of(why, &todo) }
}

/// That a vacuum sleeps in its cost delay for half of its time or more; where it was not looked at often enough to say so,
/// that it sleeps now.
fn asleep(look: &Look<'_>, pid: i32) -> Option<String> {
    let session = look.session(pid)?;
    let (asleep, looks) = look.history.slept(session);
    if looks >= ENOUGH_LOOKS {
        let held = asleep * 2 >= looks;
        return held.then(|| format!("held back by its cost limit: it slept at {asleep} of {looks} looks"));
    }
    let now = session.wait.as_ref().is_some_and(Wait::is_cost_delay);
    now.then(|| "and sleeps in its cost delay now".to_owned())
}

/// SQL that raises the cost limit of autovacuum fivefold, where it is known and can be.
fn higher_limit(look: &Look<'_>) -> Option<String> {
    let settings = look.world.settings.get().filter(|s| !s.alter_off && s.managed.is_none())?;
    let value = |name| settings.get(name).and_then(|s| s.value.parse::<i64>().ok());
    // -1 takes the limit of a vacuum by hand.
    let limit = match value("autovacuum_vacuum_cost_limit")? {
        own if own > 0 => own,
        _ => value("vacuum_cost_limit")?,
    };
    let more = limit.saturating_mul(5).min(HIGHEST_LIMIT);
    (more > limit).then(|| format!("ALTER SYSTEM SET autovacuum_vacuum_cost_limit = {more}; SELECT pg_reload_conf();"))
}

/// Somebody holds a lock that no vacuum can be beside, ours no more than autovacuum's.
fn barred(look: &Look<'_>, barrier: &Barrier) -> Reason {
    let session = barrier.pid.and_then(|pid| look.session(pid));
    let todo = match (barrier.pid, session) {
        (None, _) => "COMMIT PREPARED or ROLLBACK PREPARED it: pg_prepared_xacts names it".to_owned(),
        (Some(pid), Some(s)) if s.state.is_some_and(State::is_idle_in_transaction) => {
            format!(
                "end the transaction of {pid}, {}: terminate it, since a cancel cannot help an idle session",
                doing(s)
            )
        }
        (Some(pid), Some(s)) if s.backend_type.as_deref() == Some("autovacuum worker") => {
            format!("let what {pid} does end: vacuum comes in after it")
        }
        (Some(pid), Some(s)) if s.is_client() && s.is_active() => {
            format!("let what {pid} does end, or cancel it if it may be lost; vacuum comes in after it")
        }
        (Some(pid), _) => format!("let what {pid} does end, or end its transaction; vacuum comes in after it"),
    };
    let mode = ServerText::from(barrier.mode.as_str()).head(40);
    let by_whom = session.map_or_else(String::new, |s| format!(" of {}, {}{}", who(s), doing(s), statement(s)));
    Reason {
        seen: format!("{mode}{by_whom} · "),
        grave: true,
        ..Reason::of(format!("a lock of {} keeps vacuum out", barrier.who()), &todo)
    }
}

/// A vacuum has just been there, and left them.
fn just_vacuumed(look: &Look<'_>, ago: f64) -> Reason {
    match horizon::older_session(look, ago) {
        None => Reason::of(
            format!("vacuumed {} ago: they are newer, or were still needed", Age(ago).short()),
            "look again in a minute: what is over is removed by the next vacuum",
        ),
        Some(pid) => Reason::of(
            format!("vacuumed {} ago in vain: {pid} has an older transaction", Age(ago).short()),
            "wait for that transaction, or end it: until then no vacuum helps",
        ),
    }
}
