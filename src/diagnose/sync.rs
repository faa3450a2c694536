//! Commits that wait for a synchronous standby: done here, and told to no client before a standby confirms.

use super::finding::{Finding, Harm, Kind, Severity, Target};
use super::rule::Look;
use super::words::{counted, statement, who};
use crate::command::Tab;
use crate::model::replica::{Replica, Replication};
use crate::model::session::Session;
use crate::model::unit::Age;

/// Sessions that have committed and wait, for longer than traffic does.
pub fn waits(look: &Look<'_>) -> Vec<Finding> {
    let Some((sessions, seen)) = look.sessions() else { return Vec::new() };
    // How long it waits the server does not say: its statement, mostly a COMMIT, runs for at least as long.
    let age = |s: &Session| s.query_s.unwrap_or(0.0).max(0.0);
    let waiting: Vec<&Session> = sessions.rows.iter().filter(|s| s.awaits_standby()).collect();
    let Some(longest) = waiting.iter().max_by(|a, b| age(a).total_cmp(&age(b)).then(b.pid.cmp(&a.pid))) else {
        return Vec::new();
    };
    if age(longest) < look.limits.blocked {
        return Vec::new();
    }
    let total: f64 = waiting.iter().map(|s| age(s)).sum();
    let (names, todo, remedy) = blame(look.world.replication.get());
    let one = waiting.len() == 1;
    let commits = waiting.iter().all(|s| s.done_here() == "has committed");
    vec![Finding {
        severity: if total >= look.limits.blocked_harm { Severity::Critical } else { Severity::Warning },
        fact: format!(
            "{} {} {} here and {} for a synchronous standby, longest statement {}",
            counted(waiting.len(), "session"),
            if one { "has" } else { "have" },
            if commits { "committed" } else { "ended a transaction" },
            if one { "waits" } else { "wait" },
            Age(age(longest)).short()
        ),
        evidence: format!("{names} · {}{}", who(longest), statement(longest)),
        todo,
        remedy,
        harm: Harm { now: total, coming: 1.0 },
        ..Finding::of(Kind::SyncWait, "", seen, Target::Session { tab: Tab::Connections, key: longest.key() })
    }]
}

/// Whom they wait for, what to do, and the SQL where nobody is there to wait for.
fn blame(replication: Option<&Replication>) -> (String, String, Option<String>) {
    let Some(replication) = replication else {
        let todo = "see on Replication whom they wait for: a cancel would not undo the commit".to_owned();
        return ("who is synchronous is not known yet".to_owned(), todo, None);
    };
    let asked = replication.sync_names.as_ref().map_or_else(
        || "synchronous_standby_names".to_owned(),
        |names| format!("synchronous_standby_names = {}", names.head(60)),
    );
    let is_sync = |r: &&Replica| matches!(r.sync_state.as_deref(), Some("sync" | "quorum"));
    let sync: Vec<String> = replication.replicas.iter().filter(is_sync).map(|r| r.application.head(30)).collect();
    if !sync.is_empty() {
        let todo = format!(
            "look at {}: its disk and the network, and whether more standbys are asked for than there are; a cancel would \
             not undo the commit",
            sync.join(", ")
        );
        return (format!("{asked}, synchronous now: {}", sync.join(", ")), todo, None);
    }
    if replication.replicas.iter().any(|r| r.hidden) {
        let todo = "see whom they wait for with a role that may: GRANT pg_monitor".to_owned();
        return (format!("{asked}; the standbys' state is hidden"), todo, None);
    }
    let connected: Vec<String> = replication.replicas.iter().map(|r| r.application.head(30)).collect();
    let here = if connected.is_empty() {
        "no standby is connected".to_owned()
    } else {
        format!("none of these is synchronous: {}", connected.join(", "))
    };
    let todo = "bring such a standby back; or ask for none: then all go on at once, and new commits are \
                safe on this server alone"
        .to_owned();
    let sql = "ALTER SYSTEM SET synchronous_standby_names = '';\nSELECT pg_reload_conf();".to_owned();
    (format!("{asked}, and {here}"), todo, Some(sql))
}
