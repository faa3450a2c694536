//! Facts of the sessions. Where rows are hidden from our role, a count is known to be no smaller only.

use super::super::super::rule::Look;
use super::super::super::words::{counted, figure, identifier, of_i64, who};
use super::super::super::{connections as taken, link, slow};
use super::{Known, Unknown, Value, fresh};
use crate::model::Timestamp;
use crate::model::session::{Session, Sessions, State, Wait};
use crate::model::unit::Age;

/// Older answers, in seconds, are none of now: sessions are asked once a minute at the slowest.
const LATE_S: f64 = 90.0;

fn seen<'a>(look: &Look<'a>) -> Result<(&'a Sessions, Timestamp), Unknown> {
    fresh(&look.world.sessions, look, LATE_S)
}

/// A figure over the rows that our role sees.
fn of_visible(look: &Look<'_>, at: Timestamp, figure: f64) -> Value {
    let hidden = look.world.sessions.get().map_or(0, |s| s.hidden);
    let at_least = (hidden > 0).then(|| {
        let role = look.world.server.get().map_or_else(|| "our_role".to_owned(), |s| identifier(&s.user));
        Unknown::of(format!("{} hidden from {role}", counted(hidden, "session")), format!("GRANT pg_monitor TO {role}"))
    });
    Value { at_least, ..Value::of(figure, at) }
}

fn count(look: &Look<'_>, which: impl Fn(&Session) -> bool) -> Known {
    let (sessions, at) = seen(look)?;
    let rows = sessions.rows.iter().filter(|s| s.is_client() && s.leader.is_none() && which(s));
    Ok(of_visible(look, at, figure(rows.count())))
}

/// The longest of a time over some rows, with whose it is.
fn longest(look: &Look<'_>, of: impl Fn(&Session) -> Option<f64>) -> Known {
    let (sessions, at) = seen(look)?;
    let times = sessions.rows.iter().filter(|s| s.is_client()).filter_map(|s| of(s).map(|t| (s, t)));
    let most = times.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.pid.cmp(&a.0.pid)));
    let value = of_visible(look, at, most.map_or(0.0, |m| m.1));
    Ok(most.map_or(value.clone(), |(s, _)| value.note(format!("{} {}", s.pid, who(s)))))
}

pub fn active_sessions(look: &Look<'_>) -> Known {
    count(look, Session::is_active)
}

fn running(look: &Look<'_>, least_s: f64) -> Known {
    let (_, at) = seen(look)?;
    let rows = slow::running(look, least_s);
    let value = of_visible(look, at, figure(rows.len()));
    Ok(match rows.first() {
        Some((s, age)) => value.note(format!("longest {} for {}", s.pid, Age(*age).short())),
        // Beside many that are held up, a bare 0 would be taken for a calm server.
        None => value.note("those that wait for locks left out"),
    })
}

pub fn busy_statements(look: &Look<'_>) -> Known {
    running(look, look.limits.busy)
}

pub fn slow_statements(look: &Look<'_>) -> Known {
    running(look, look.limits.slow)
}

pub fn longest_statement(look: &Look<'_>) -> Known {
    longest(look, |s| s.query_s.filter(|_| s.is_active()))
}

pub fn blocked_sessions(look: &Look<'_>) -> Known {
    count(look, |s| !s.blocked_by.is_empty())
}

pub fn longest_wait(look: &Look<'_>) -> Known {
    longest(look, |s| {
        let waited = s.waits_for.as_ref().and_then(|w| w.waited_s).or(s.query_s);
        waited.filter(|_| !s.blocked_by.is_empty())
    })
}

pub fn idle_transactions(look: &Look<'_>) -> Known {
    count(look, |s| {
        s.state.is_some_and(State::is_idle_in_transaction)
            && s.xact_s.is_some_and(|age| age >= look.limits.idle_transaction)
    })
}

pub fn oldest_transaction(look: &Look<'_>) -> Known {
    longest(look, |s| s.xact_s)
}

pub fn on_processor(look: &Look<'_>) -> Known {
    count(look, |s| s.is_active() && s.wait.is_none())
}

pub fn waiting_for_io(look: &Look<'_>) -> Known {
    count(look, |s| s.is_active() && s.wait.as_ref().is_some_and(Wait::is_io))
}

// That a session is there is seen by every role.
pub fn connections(look: &Look<'_>) -> Known {
    let (sessions, at) = seen(look)?;
    Ok(Value::of(figure(taken::taken(sessions)), at))
}

pub fn connections_share(look: &Look<'_>) -> Known {
    if link::full(look) {
        return Ok(Value::of(1.0, look.now).note("every slot is taken: the server says so"));
    }
    let (sessions, at) = seen(look)?;
    let (server, _) = fresh(&look.world.server, look, f64::INFINITY)?;
    let (taken, slots) = (taken::taken(sessions), server.ordinary_slots());
    if slots <= 0 {
        return Err(Unknown::of("the number of connections is not known", ""));
    }
    Ok(Value::of(figure(taken) / of_i64(slots), at).note(format!("{taken} of {slots}")))
}
