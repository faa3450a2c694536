//! The application by its own word: instances that fail, that say they are degraded, and that are well by looking away.
//!
//! One that cannot be asked is no finding here: `sight` says so.

use super::finding::{Finding, Harm, Kind, Severity, Target};
use super::health::{ItemKey, database_gone, host, is_old, why};
use super::rule::Look;
use super::words::counted;
use crate::model::health::{Health, State, Watched};
use crate::model::unit::Age;
use crate::model::{ProbeError, ServerText, Timestamp, seconds_between};

/// Characters of an answer that a line needs.
const HEAD: usize = 160;

/// Instances that a line names.
const MOST_NAMED: usize = 4;

/// An instance whose last word is fresh.
struct Instance<'a> {
    address: &'a String,
    watched: &'a Watched<Health>,
    since: Timestamp,
    heard: Timestamp,
}

impl Instance<'_> {
    fn answer(&self) -> Option<&Health> {
        self.watched.answer()
    }

    /// What it says, or that it says nothing.
    fn said(&self) -> String {
        let words = match (self.answer().and_then(Health::worst), &self.watched.latest.error) {
            (Some(reply), _) => reply.said(),
            (None, Some((error, _))) => why(error),
            (None, None) => ServerText::default(),
        };
        words.head(HEAD)
    }
}

fn instances<'a>(look: &Look<'a>, state: State) -> Vec<Instance<'a>> {
    let known = look.watchlist.endpoints.iter().filter_map(|address| {
        let watched = look.world.health.get(address)?;
        Some(Instance { address, watched, since: watched.since?, heard: watched.heard? })
    });
    known.filter(|one| one.watched.state == state && !is_old(one.watched, look)).collect()
}

/// Instances that fail, or do not answer.
pub fn failing(look: &Look<'_>) -> Vec<Finding> {
    let all = instances(look, State::Failing);
    let Some(finding) = unwell(look, &all, "failing") else { return Vec::new() };
    let long = finding.since.map_or(0.0, |since| seconds_between(since, look.now));
    let severity = if long >= look.limits.unwell { Severity::Critical } else { Severity::Warning };
    vec![Finding { severity, ..finding }]
}

/// Instances that answer, and say that something is wrong.
pub fn degraded(look: &Look<'_>) -> Vec<Finding> {
    let found = unwell(look, &instances(look, State::Degraded), "degraded");
    found.map(|finding| Finding { severity: Severity::Warning, ..finding }).into_iter().collect()
}

/// One finding for all instances of a state: ten that fail alike are one trouble.
fn unwell(look: &Look<'_>, all: &[Instance<'_>], word: &str) -> Option<Finding> {
    let first = all.first()?;
    let since = all.iter().map(|one| one.since).min()?;
    let seen = all.iter().map(|one| one.heard).max()?;
    let count = look.watchlist.endpoints.len();
    let long = seconds_between(since, look.now);
    let fact = match all {
        [one] if count == 1 => format!("the application is {word} for {}: {}", Age(long).short(), one.said()),
        [one] => format!("{} is {word} for {}: {}", host(one.address), Age(long).short(), one.said()),
        _ => format!("{} of {count} instances are {word}, for {}: {}", all.len(), Age(long).short(), first.said()),
    };
    #[expect(clippy::cast_precision_loss, reason = "a share of a few instances")]
    let share = all.len() as f64 / count.max(1) as f64;
    Some(Finding {
        fact,
        evidence: evidence(all),
        todo: todo(first),
        since: Some(since),
        // Whom it hits is known to no probe: as if one request a second came.
        harm: Harm { now: long.max(1.0) * share, coming: 0.5 },
        ..Finding::of(Kind::Service, word, seen, Target::Health(ItemKey::Endpoint(first.address.clone())))
    })
}

fn evidence(all: &[Instance<'_>]) -> String {
    if let [one] = all {
        let replies = one.answer().map_or(&[][..], |health| &health.replies);
        let replies =
            replies.iter().map(|r| format!("{} {}", ServerText::from(r.path.as_str()).head(40), r.said().head(60)));
        let mut said: Vec<String> = replies.collect();
        said.push(match one.watched.well {
            Some(at) => format!("well last at {}", at.strftime("%H:%M:%SZ")),
            None => "not well since it was asked first".to_owned(),
        });
        return said.join(" · ");
    }
    let named: Vec<String> = all.iter().take(MOST_NAMED).map(|one| host(one.address)).collect();
    let more = all.len().saturating_sub(MOST_NAMED);
    let more = if more > 0 { format!(", {} more", counted(more, "instance")) } else { String::new() };
    format!("{}{more}", named.join(", "))
}

fn todo(one: &Instance<'_>) -> String {
    if let Some((error, _)) = &one.watched.latest.error {
        // FraiseQL 1 waits half a minute for its pool before it says that it is not ready.
        return if matches!(error, ProbeError::TimedOut(_)) {
            "it hangs, or waits for its pool: see connections, locks and the pool beside it; else its log".to_owned()
        } else {
            "see whether the process runs and listens; restart it where it does not".to_owned()
        };
    }
    match one.answer().and_then(Health::database) {
        Some(State::Failing | State::Degraded) => {
            "it does not reach its database: see connections, locks and the pool beside it".to_owned()
        }
        Some(_) | None => "Enter shows its checks, with their own words".to_owned(),
    }
}

/// Instances that are well while the database does not answer us.
pub fn blind(look: &Look<'_>) -> Vec<Finding> {
    let Some(gone) = database_gone(look) else { return Vec::new() };
    let well = instances(look, State::Ok).into_iter().filter(|one| one.heard > gone);
    let (seeing, blind): (Vec<_>, Vec<_>) =
        well.partition(|one| one.answer().and_then(Health::database) == Some(State::Ok));
    let long = Age(seconds_between(gone, look.now)).short();
    let names = |all: &[Instance<'_>]| match all {
        [one] => host(one.address),
        _ => format!("{} instances", all.len()),
    };
    let mut found = Vec::new();
    if let Some(first) = blind.first() {
        found.push(Finding {
            severity: Severity::Warning,
            fact: format!("{} answers 200, and the database has been gone for {long}", names(&blind)),
            evidence: format!("says `{}`, and looks at no database", first.said()),
            todo: "do not believe its green light, nor alerts that rest on it; check readiness instead".to_owned(),
            since: Some(gone),
            harm: Harm { now: 1.0, coming: 0.9 },
            ..of_blind(first, "blind")
        });
    }
    if let Some(first) = seeing.first() {
        found.push(Finding {
            fact: format!(
                "{} says that its database is well; this console has not reached it for {long}",
                names(&seeing)
            ),
            evidence: format!("says `{}`, database ok", first.said()),
            todo: "the way from here may be at fault, or another server answers it: compare the addresses".to_owned(),
            since: Some(gone),
            ..of_blind(first, "seeing")
        });
    }
    found
}

fn of_blind(first: &Instance<'_>, subject: &str) -> Finding {
    let target = Target::Health(ItemKey::Endpoint(first.address.clone()));
    Finding::of(Kind::BlindHealth, subject, first.heard, target)
}
