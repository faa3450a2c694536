//! The host's processor and disks: whether they are short for minutes, and whether it is `PostgreSQL` that needs them.
//!
//! The kernel counts for the whole host. Who of it needs what the sessions tell, where the host is known to be this
//! server's; where they do not wait with it, its I/O is none of our trouble.

use std::collections::{BTreeMap, BTreeSet};

use super::finding::{Finding, Harm, Kind, Severity};
use super::history::Beat;
use super::io;
use super::rule::Look;
use super::service::{Read, judged, named, read};
use super::waits::meaning;
use super::words::{figure, percent};
use crate::model::panel::{PanelUnit, Series, shown};
use crate::model::session::Wait;
use crate::model::unit::short_count;
use crate::model::{Link, ServerText, seconds_between};

/// The panel of the share of the cores in use.
pub const USED: &str = "cpu-used";

/// The panel of the share of the time in which somebody waits for a core.
pub const CORE_WAITS: &str = "cpu-waiting";

/// The panel of the number of cores, of the hosts of databases alone.
pub const CORES: &str = "cores";

/// The panel of the share of the time in which somebody waits for I/O.
pub const IO: &str = "io-waiting";

/// The panel of the time that a request takes, by disk.
pub const DISKS: &str = "disk-time";

/// How a container is told from a host.
const POD: &str = "pod ";

/// What the sessions do "now" is a mean over so many seconds.
const NOW_S: f64 = 60.0;

/// Sessions that wait for I/O, on average: a single one may be a backup, or a report.
const LEAST_WAITING: f64 = 2.0;

/// Of the cores, the share that has to have a backend on it for the host to be short because of `PostgreSQL`.
const OWN_SHARE: f64 = 0.5;

/// Hosts and containers that are named at most: the panel has all.
const MOST: usize = 3;

/// What the backends did within the last minute, on average.
struct Busy {
    /// On a processor, or queueing for one: clients, and workers of all kinds.
    running: f64,
    /// Of how many that run a statement or a task.
    working: f64,
    /// Client sessions that wait for I/O.
    waiting: f64,
    /// Of how many active ones.
    active: f64,
    /// What those wait for, most first.
    events: Vec<(String, f64)>,
    /// Sessions that our role does not see into.
    hidden: bool,
}

impl Busy {
    fn of(look: &Look<'_>) -> Option<Self> {
        let (sessions, seen) = look.sessions()?;
        let beats: Vec<&Beat> = look
            .history
            .beats()
            .rev()
            .take_while(|(at, _)| seconds_between(*at, seen) <= NOW_S)
            .map(|(_, beat)| beat)
            .collect();
        let looks = figure(beats.len());
        if beats.is_empty() || seconds_between(seen, look.now) > NOW_S {
            return None;
        }
        let mean = |of: fn(&Beat) -> usize| beats.iter().map(|b| figure(of(b))).sum::<f64>() / looks;
        let mut events: BTreeMap<&str, f64> = BTreeMap::new();
        for (name, count) in beats.iter().flat_map(|b| &b.events).filter(|(name, _)| Wait::named_io(name)) {
            *events.entry(name).or_default() += figure(*count) / looks;
        }
        let mut events: Vec<(String, f64)> = events.into_iter().map(|(name, n)| (name.to_owned(), n)).collect();
        events.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        Some(Self {
            running: mean(|b| b.running),
            working: mean(|b| b.working),
            waiting: events.iter().map(|e| e.1).sum(),
            active: mean(|b| b.active),
            events,
            hidden: sessions.hidden > 0,
        })
    }

    /// What a count of them is worth.
    fn seen(&self) -> &'static str {
        if self.hidden { ", as far as our role sees" } else { "" }
    }
}

/// The host in `db1:9100`, or in the place of a connection.
fn host(instance: &str) -> &str {
    instance.rsplit_once(':').map_or(instance, |(host, _)| host)
}

/// Whether this server runs on that host, which is one of `hosts`; none where nothing tells.
fn is_ours(look: &Look<'_>, name: &str, hosts: &[Series]) -> Option<bool> {
    let place = if let Some(Link::Up(facts)) = &look.world.link { host(&facts.place) } else { "" };
    match hosts {
        [] => None,
        [only] => Some(only.name == name),
        several if several.iter().any(|s| host(&s.name) == place) => Some(host(name) == place),
        several if several.iter().any(|s| s.name == name) => None,
        _ => Some(false),
    }
}

/// The series of this server's host; none where nothing tells which it is.
pub fn own<'a>(look: &Look<'_>, hosts: &'a [Series]) -> Option<&'a Series> {
    hosts.iter().find(|s| is_ours(look, &s.name, hosts) == Some(true))
}

/// Hosts whose cores are all in use, and containers that have used up their limit.
pub fn processor(look: &Look<'_>) -> Vec<Finding> {
    let (used, waits) = (judged(look, USED), judged(look, CORE_WAITS));
    let all = [&used, &waits].into_iter().flatten().flat_map(|panel| panel.series);
    let names: BTreeSet<&str> = all.map(|series| series.name.as_str()).collect();
    let found = names.into_iter().filter_map(|name| match name.strip_prefix(POD) {
        Some(_) => throttled(look, name, waits.as_ref()?),
        None => cores_short(look, name, used.as_ref()?, waits.as_ref()),
    });
    worst(found.collect())
}

fn worst(mut found: Vec<Finding>) -> Vec<Finding> {
    found.sort_by(Finding::rank);
    found.truncate(MOST);
    found
}

/// The mean of a host within the last minutes.
fn lasting(look: &Look<'_>, panel: &Read<'_>, name: &str) -> Option<f64> {
    panel.mean(named(panel, name)?, look.limits.host_short)
}

fn cores_short(look: &Look<'_>, name: &str, used: &Read<'_>, waits: Option<&Read<'_>>) -> Option<Finding> {
    let limit = look.limits.cpu_used;
    let share = lasting(look, used, name).filter(|share| *share >= limit)?;
    let waiting = waits.and_then(|waits| lasting(look, waits, name));
    let hosts = judged(look, CORES);
    let cores = hosts.as_ref().and_then(|panel| panel.current(named(panel, name)?)).filter(|n| *n >= 1.0);
    let ours = hosts.as_ref().and_then(|panel| is_ours(look, name, panel.series));
    let busy = if ours == Some(true) { Busy::of(look) } else { None };
    let beyond = busy.as_ref().zip(cores).map(|(busy, cores)| busy.running - cores);
    // Where the kernel does not tell who waits, more backends than cores do.
    let crowded = waiting.map_or_else(|| beyond.is_some_and(|n| n > 0.0), |w| w >= look.limits.cpu_waiting);
    let by_us = busy.as_ref().zip(cores).map(|(busy, cores)| busy.running >= cores * OWN_SHARE);
    let waits =
        waiting.map_or_else(String::new, |w| format!(", and somebody waits for one {} of the time", percent(w)));
    let evidence = match (&busy, cores, ours) {
        (Some(busy), Some(cores), _) => format!(
            "{} of {} active backends run, on {} cores{}",
            short_count(busy.running.round()),
            short_count(busy.working.round()),
            short_count(cores),
            busy.seen()
        ),
        (_, _, Some(false)) => "not the host of this server".to_owned(),
        (..) => "whether this server runs there is not known".to_owned(),
    };
    let todo = match by_us {
        Some(true) => {
            "PostgreSQL needs them: see what runs on Connections and Statements by time; fewer at once are faster, then more cores"
        }
        Some(false) => "few of them are PostgreSQL's: see on the host what else runs there (top): a backup, a build",
        None => "see on that host who needs them (top)",
    };
    Some(Finding {
        severity: if crowded { Severity::Warning } else { Severity::Notice },
        fact: format!("{}: {} of its cores are in use{waits}", ServerText::from(name).head(60), percent(share)),
        evidence: format!("{evidence} · {}", used.source()),
        todo: todo.to_owned(),
        since: named(used, name).and_then(|series| used.run(series, |v| v >= limit)),
        harm: Harm { now: beyond.unwrap_or(0.0).max(0.0) * NOW_S, coming: if crowded { 0.5 } else { 0.2 } },
        ..Finding::of(Kind::ProcessorShort, name, used.seen, used.target())
    })
}

/// A container that has to wait for its next period.
fn throttled(look: &Look<'_>, name: &str, waits: &Read<'_>) -> Option<Finding> {
    let limit = look.limits.cpu_waiting;
    let share = lasting(look, waits, name).filter(|share| *share >= limit)?;
    let shown = ServerText::from(name).head(60);
    Some(Finding {
        severity: if share >= limit * 2.0 { Severity::Warning } else { Severity::Notice },
        fact: format!("{shown} is held back by its CPU limit in {} of its periods", percent(share)),
        evidence: waits.source(),
        todo: "its answers take longer for that, however fast the database is: raise the limit, or add instances"
            .to_owned(),
        since: named(waits, name).and_then(|series| waits.run(series, |v| v >= limit)),
        harm: Harm { now: 0.0, coming: share * 0.6 },
        ..Finding::of(Kind::ProcessorShort, name, waits.seen, waits.target())
    })
}

/// Hosts that wait for I/O, and sessions with them.
pub fn disks(look: &Look<'_>) -> Vec<Finding> {
    let Some((panel, busy)) = judged(look, IO).zip(Busy::of(look)) else { return Vec::new() };
    if busy.waiting < LEAST_WAITING {
        return Vec::new();
    }
    worst(panel.series.iter().filter_map(|series| slow(look, &panel, series, &busy)).collect())
}

fn slow(look: &Look<'_>, panel: &Read<'_>, series: &Series, busy: &Busy) -> Option<Finding> {
    let limit = look.limits.io_waiting;
    let share = panel.mean(series, look.limits.host_short).filter(|share| *share >= limit)?;
    let ours = is_ours(look, &series.name, panel.series);
    if ours == Some(false) {
        return None;
    }
    // That a disk always has a request says nothing of one that serves many at once: that is never sure.
    let pressure = panel.candidate.is_some_and(|c| c.expr.contains("_pressure_"));
    let sure = pressure && ours == Some(true) && busy.waiting >= look.limits.io_sessions;
    let name = ServerText::from(series.name.as_str()).head(60);
    let share = percent(share);
    let host = if pressure {
        format!("{name}: somebody waits for I/O {share} of the time")
    } else {
        format!("{name}: a disk is busy {share} of the time")
    };
    let mut evidence: Vec<String> = Vec::new();
    let most =
        busy.events.iter().take(2).map(|(name, n)| format!("{} {n:.1}", ServerText::from(name.as_str()).head(30)));
    evidence.push(most.collect::<Vec<_>>().join(", "));
    evidence.extend(slowest_disk(look, &series.name));
    evidence.extend(io::line(look));
    if ours.is_none() {
        evidence.push("whether this server runs there is not known".to_owned());
    }
    evidence.push(panel.source());
    Some(Finding {
        severity: if sure { Severity::Warning } else { Severity::Notice },
        fact: format!(
            "{host}, with it {} of {} active sessions{}",
            short_count(busy.waiting.round()),
            short_count(busy.active.round()),
            busy.seen()
        ),
        evidence: evidence.join(" · "),
        todo: busy.events.first().map_or("see who reads and writes", |(event, _)| meaning(event)).to_owned(),
        since: panel.run(series, |v| v >= limit),
        harm: Harm { now: busy.waiting * NOW_S, coming: 0.5 },
        ..Finding::of(Kind::IoWaits, series.name.clone(), panel.seen, panel.target())
    })
}

/// `nvme0n1 takes 38 ms a request`, of the slowest disk of a host.
fn slowest_disk(look: &Look<'_>, host: &str) -> Option<String> {
    let panel = read(look, DISKS)?;
    let of_host = panel.series.iter().filter_map(|s| {
        let disk = s.name.strip_prefix(host)?.strip_prefix(' ')?;
        Some((disk, panel.current(s)?))
    });
    let (disk, seconds) = of_host.max_by(|a, b| a.1.total_cmp(&b.1))?;
    Some(format!("{} takes {} a request", ServerText::from(disk).head(30), shown(seconds, PanelUnit::Seconds, None)))
}
