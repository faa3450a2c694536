//! The road to the server itself: no connection, no answer, a server that began anew, times that were not seen, and what our own questions cost.

use super::finding::{Finding, Harm, Kind, Severity, Target};
use super::rule::Look;
use super::words::{before, percent};
use crate::command::{Command, Tab};
use crate::model::restart::Cause;
use crate::model::unit::Age;
use crate::model::world::Link;
use crate::model::{ServerText, seconds_between};

/// What a server in English says when it has no slot left for us (SQLSTATE 53300). In another language the words of the
/// server stand in the evidence all the same.
const FULL: [&str; 2] = ["too many clients already", "remaining connection slots are reserved"];

/// What it says when a limit of the database, or of our role, is reached, and what helps then.
const LIMITED: [(&str, &str, &str); 2] = [
    (
        "too many connections for database",
        ": its CONNECTION LIMIT is reached",
        "look from another database, such as `-d postgres`: who is in this one can be seen from there",
    ),
    (
        "too many connections for role",
        ": our role's CONNECTION LIMIT is reached",
        "we need three at most: see who else uses the role, or raise its limit",
    ),
];

/// Our cost is judged after so many seconds: the first questions of a start come all at once.
const COST_KNOWN_S: f64 = 30.0;

/// A restart is told for so many seconds: its traces, cold caches and counters that are gone, last as long.
const RESTARTED_S: f64 = 600.0;

/// The server has no slot left for us, by its own words.
pub fn full(look: &Look<'_>) -> bool {
    let Some(Link::Connecting { last_error: Some(words), .. }) = &look.world.link else { return false };
    FULL.iter().any(|full| words.contains(full))
}

/// There is no connection, and an attempt has failed.
pub fn lost(look: &Look<'_>) -> Vec<Finding> {
    let Some(Link::Connecting { place, since, attempt, last_error: Some(words), .. }) = &look.world.link else {
        return Vec::new();
    };
    let alive = look.world.targets.get().is_some_and(|targets| targets.iter().any(|t| t.up));
    let beside = if alive {
        " · Prometheus still reads its targets: a service may answer 200 without its database"
    } else {
        ""
    };
    let long = seconds_between(*since, look.now);
    let limited = LIMITED.iter().find(|(says, ..)| words.contains(says));
    let (why, advice) = if let Some((_, why, advice)) = limited {
        (*why, *advice)
    } else if full(look) {
        (
            ": every slot is taken",
            "stop, or restart, the client that took the slots; the console takes the first one that gets free",
        )
    } else {
        (
            "",
            if look.world.sessions.get().is_some() {
                "what stands below is from before"
            } else {
                "nothing was seen yet"
            },
        )
    };
    vec![Finding {
        severity: Severity::Critical,
        fact: format!("no connection to {} for {}{why}", ServerText::from(place.as_str()).head(60), Age(long).short()),
        evidence: format!("{}{beside}", ServerText::from(words.as_str()).head(160)),
        todo: format!("it is tried again by itself (attempt {attempt}); {advice}"),
        since: Some(*since),
        harm: Harm { now: 1e9, coming: 1.0 },
        action: Some(Command::Reconnect),
        ..Finding::of(Kind::ServerLost, "", look.now, Target::Tab(Tab::Connections))
    }]
}

/// The connection stands, and the question who is connected has no answer.
pub fn no_answer(look: &Look<'_>) -> Vec<Finding> {
    let (Some(Link::Up(_)), Some((error, since))) = (&look.world.link, &look.world.sessions.error) else {
        return Vec::new();
    };
    vec![Finding {
        severity: Severity::Critical,
        fact: format!(
            "the server does not say who is connected, for {}",
            Age(seconds_between(*since, look.now)).short()
        ),
        evidence: ServerText::new(error.to_string()).head(160),
        todo: "the other findings are from before; see the server's log and its host".to_owned(),
        since: Some(*since),
        harm: Harm { now: 1e8, coming: 1.0 },
        ..Finding::of(Kind::NoAnswer, "", look.now, Target::Tab(Tab::Connections))
    }]
}

/// The server was started anew, or a process of it crashed, while we looked.
pub fn restarted(look: &Look<'_>) -> Vec<Finding> {
    let Some(restart) = look.world.life.restart() else { return Vec::new() };
    let ago_s = restart.age_s + seconds_between(restart.seen, look.now);
    if ago_s > RESTARTED_S {
        return Vec::new();
    }
    let (ago, before_s) = (Age(ago_s).short(), Age(restart.before_s).short());
    let (fact, evidence) = match restart.cause {
        Cause::Start => (
            format!("the server restarted {ago} ago (it had been up {before_s})"),
            "all sessions ended, and their open transactions were rolled back; if it crashed, its statistics begin anew",
        ),
        Cause::Crash => (
            format!(
                "a server process crashed {ago} ago: all others were ended and begun anew (they had run {before_s})"
            ),
            "all sessions ended, and their open transactions were rolled back; the server's statistics begin anew",
        ),
    };
    vec![Finding {
        severity: Severity::Warning,
        fact,
        evidence: evidence.to_owned(),
        todo:
            "the server's log says why; `signal 9` there is mostly the kernel, which ends a process for want of memory"
                .to_owned(),
        since: before(restart.seen, Some(restart.age_s)),
        harm: Harm { now: 0.0, coming: 0.5 },
        ..Finding::of(Kind::Restarted, "", restart.seen, Target::Figures(Tab::Triage))
    }]
}

/// Our own questions cost more than they may.
pub fn own_cost(look: &Look<'_>) -> Vec<Finding> {
    let share = look.world.own_cost_ms_per_s(look.now) / 1000.0;
    if share < look.limits.own_cost || look.world.own_cost_known_s(look.now) < COST_KNOWN_S {
        return Vec::new();
    }
    vec![Finding {
        fact: format!("our own questions take {} of one server process's time", percent(share)),
        evidence: format!("answers took {:.0} ms of each second in the last minute", share * 1000.0),
        todo: "ask slower (`slower`), or see why the server answers slowly".to_owned(),
        action: Some(Command::Slower),
        ..Finding::of(Kind::OwnCost, "", look.now, Target::Figures(Tab::Triage))
    }]
}

/// For a while nothing was seen: what happened then is on no screen.
pub fn gap(look: &Look<'_>) -> Vec<Finding> {
    let longest = look
        .history
        .gaps()
        .max_by(|a, b| seconds_between(a.0, a.1).total_cmp(&seconds_between(b.0, b.1)).then(a.0.cmp(&b.0)));
    let Some((from, to)) = longest else { return Vec::new() };
    let count = look.history.gaps().count();
    let more = if count > 1 { format!(" (the longest of {count})") } else { String::new() };
    vec![Finding {
        fact: format!("nothing was seen for {} in the last half hour{more}", Age(seconds_between(*from, *to)).short()),
        evidence: format!("from {} to {}", from.strftime("%H:%M:%SZ"), to.strftime("%H:%M:%SZ")),
        todo: "what happened within is not on this screen; the server's log has it".to_owned(),
        since: Some(*from),
        ..Finding::of(Kind::Gap, "", *to, Target::Figures(Tab::Triage))
    }]
}
