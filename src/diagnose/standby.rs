//! This server as a standby: replay that is paused, late, or hears nothing.

use super::finding::{Finding, Harm, Kind, Severity, Target};
use super::lag::Own;
use super::rule::Look;
use super::words::before;
use crate::command::Tab;
use crate::model::replica::Standby;
use crate::model::unit::{Age, Bytes};
use crate::model::{ServerText, Timestamp};

fn own<'a>(look: &Look<'a>) -> Option<(&'a Standby, Timestamp)> {
    let (replication, seen) = look.world.replication.value.as_ref()?;
    replication.standby.as_ref().map(|s| (s, *seen))
}

/// How it is, the gravest.
pub fn judged(look: &Look<'_>, standby: &Standby, seen: Timestamp) -> Own {
    Own::of(standby, seen, look.history.replay(), look.limits)
}

fn gap(s: &Standby) -> String {
    s.gap.map_or_else(|| "unknown".to_owned(), |b| Bytes(b).short())
}

/// Replay is paused.
pub fn paused(look: &Look<'_>) -> Vec<Finding> {
    let Some((standby, seen)) = own(look).filter(|(s, _)| s.paused) else { return Vec::new() };
    vec![Finding {
        severity: Severity::Warning,
        fact: format!("replay is paused on this standby: {} received and not replayed", gap(standby)),
        evidence: "queries here see the past until it is resumed".to_owned(),
        // Measured on 15 and 18; 13 shuts down instead of pausing.
        todo: "see its log why: paused for settings lower than the primary's, a resume shuts it down; at a recovery target, it \
               promotes it"
            .to_owned(),
        remedy: Some("SELECT pg_wal_replay_resume();".to_owned()),
        harm: Harm { now: 0.0, coming: 0.7 },
        ..Finding::of(Kind::ReplayPaused, "", seen, Target::Tab(Tab::Replication))
    }]
}

/// This standby hears nothing from its upstream, or replays late.
pub fn behind(look: &Look<'_>) -> Vec<Finding> {
    let Some((standby, seen)) = own(look) else { return Vec::new() };
    let from = standby.sender.as_ref().map_or_else(String::new, |s| format!(" · upstream {}", s.head(60)));
    let found = |severity, fact: String, todo: &str, since| Finding {
        severity,
        fact,
        evidence: format!("received and not replayed: {}{from}", gap(standby)),
        todo: todo.to_owned(),
        since,
        harm: Harm { now: 1.0, coming: 0.8 },
        ..Finding::of(Kind::StandbyBehind, "", seen, Target::Tab(Tab::Replication))
    };
    let own = judged(look, standby, seen);
    if own == Own::Deaf {
        let last = standby
            .last_replay_s
            .map_or_else(String::new, |s| format!(": its last transaction is {} old", Age(s).short()));
        let fact = format!("this standby receives nothing{last}");
        let todo = "see why no WAL receiver runs: the upstream, primary_conninfo, the server's log";
        return vec![found(Severity::Critical, fact, todo, None)];
    }
    if let Own::Fetches(old) = own {
        // Seen on 18: one that is fed by restore_command alone was 2 s late, and has no receiver.
        let fact = format!("no WAL receiver runs on this standby; its last transaction is {} old", Age(old).short());
        let todo = "well where it follows an archive (restore_command); else see primary_conninfo and the server's log";
        return vec![found(Severity::Notice, fact, todo, None)];
    }
    if let Own::Silent(heard) = own {
        let status = standby.receiver.as_deref().map_or_else(String::new, |s| ServerText::from(s).head(16));
        let fact = format!("this standby has heard nothing for {} (receiver {status})", Age(heard).short());
        return vec![found(
            Severity::Critical,
            fact,
            "see whether the upstream and the network live",
            before(seen, Some(heard)),
        )];
    }
    let Own::Late(lag) = own else { return Vec::new() };
    let fact = format!("this standby replays {} late", Age(lag).short());
    vec![found(Severity::Warning, fact, "see what replay waits for: a query here, the disk", None)]
}
