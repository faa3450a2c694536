//! Statements that run for long, and many that run for seconds.
//!
//! Who waits for a lock, or has committed and waits for a standby, is held up, not slow; maintenance is expected to take its
//! time; and who is named as a blocker is not named again here.

use super::blockers;
use super::finding::{Finding, Harm, Kind, Severity, Target};
use super::rule::Look;
use super::words::{before, counted, figure, statement, who};
use crate::command::{Command, Tab};
use crate::model::session::Session;
use crate::model::unit::Age;

/// What is expected to run for long.
const MAINTENANCE: [&str; 8] =
    ["vacuum", "analyze", "reindex", "create index", "create unique index", "cluster", "copy", "refresh"];

/// Client statements that run for at least so long and wait for no lock, the longest first.
pub fn running<'a>(look: &Look<'a>, least_s: f64) -> Vec<(&'a Session, f64)> {
    let Some((sessions, _)) = look.sessions() else { return Vec::new() };
    let mut rows: Vec<(&Session, f64)> = sessions
        .rows
        .iter()
        .filter(|s| s.is_client() && s.leader.is_none() && s.is_active() && s.blocked_by.is_empty())
        .filter(|s| !is_maintenance(s) && !s.awaits_standby())
        .filter_map(|s| s.query_s.filter(|q| *q >= least_s).map(|q| (s, q)))
        .collect();
    rows.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.pid.cmp(&b.0.pid)));
    rows
}

/// True for what is expected to run for long: no slow statement, though its transaction may be open for too long.
pub fn is_maintenance(s: &Session) -> bool {
    let mut text = s.query.raw().trim_start();
    while let Some((_, rest)) = text.strip_prefix("/*").and_then(|comment| comment.split_once("*/")) {
        text = rest.trim_start();
    }
    MAINTENANCE.iter().any(|word| text.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word)))
}

/// Statements over the slow threshold.
pub fn statements(look: &Look<'_>) -> Vec<Finding> {
    let limits = look.limits;
    let named = blockers::named(look);
    let (told, rows): (Vec<_>, Vec<_>) =
        running(look, limits.slow).into_iter().partition(|(s, _)| named.contains(&s.pid));
    let what = if told.is_empty() { "statement" } else { "other statement" };
    let (Some((longest, age)), Some((_, seen))) = (rows.first().copied(), look.sessions()) else { return Vec::new() };
    let many = figure(rows.len()) >= limits.slow_many;
    let fact = if rows.len() == 1 {
        format!("{} runs one statement for {}", longest.pid, Age(age).short())
    } else {
        format!(
            "{} run longer than {}, longest {} for {}",
            counted(rows.len(), what),
            Age(limits.slow).short(),
            longest.pid,
            Age(age).short()
        )
    };
    vec![Finding {
        severity: if many || age >= limits.slow_long { Severity::Warning } else { Severity::Notice },
        fact,
        evidence: format!("{}{}", who(longest), statement(longest)),
        todo: "look at its plan; cancel what nobody waits for".to_owned(),
        since: before(seen, Some(age - limits.slow)),
        harm: Harm { now: rows.iter().map(|r| r.1 - limits.slow).sum(), coming: 0.3 },
        action: Some(Command::CancelBackend),
        ..Finding::of(Kind::SlowStatements, "", seen, Target::Session { tab: Tab::Slow, key: longest.key() })
    }]
}

/// Many statements that run for seconds: the server, or one query of the service, is slow as a whole.
pub fn busy(look: &Look<'_>) -> Vec<Finding> {
    let limits = look.limits;
    let rows: Vec<_> = running(look, limits.busy).into_iter().filter(|r| r.1 < limits.slow).collect();
    let (Some((longest, age)), Some((_, seen))) = (rows.first().copied(), look.sessions()) else { return Vec::new() };
    if figure(rows.len()) < limits.busy_many {
        return Vec::new();
    }
    let waits = rows.iter().filter_map(|r| r.0.wait.as_ref()).fold(std::collections::BTreeMap::new(), |mut by, w| {
        *by.entry((w.class.as_str(), w.event.as_str())).or_insert(0_usize) += 1;
        by
    });
    let most = waits.into_iter().max_by_key(|(_, count)| *count);
    let on = most.map_or_else(
        || "on the processor".to_owned(),
        |((class, event), count)| {
            let name = crate::model::ServerText::new(format!("{class}:{event}")).head(40);
            format!("{count} of them wait on {name}")
        },
    );
    vec![Finding {
        severity: Severity::Warning,
        fact: format!(
            "{} run longer than {}, longest {}",
            counted(rows.len(), "statement"),
            Age(limits.busy).short(),
            Age(age).short()
        ),
        evidence: format!("{on} · {}{}", who(longest), statement(longest)),
        todo: "compare their plans and waits: one statement that many run, or a resource that all share".to_owned(),
        since: None,
        harm: Harm { now: rows.iter().map(|r| r.1).sum(), coming: 0.5 },
        ..Finding::of(Kind::BusyStatements, "", seen, Target::Session { tab: Tab::Connections, key: longest.key() })
    }]
}
