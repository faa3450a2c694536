//! What only Prometheus can tell of the server: room on its disk, which PostgreSQL does not know; and an exporter that
//! says the server is down while it answers us.

use super::finding::{Finding, Harm, Kind, Severity, Target};
use super::rule::Look;
use super::server::RECENT_S;
use super::service::{Read, read};
use super::span::Span;
use super::words::{before, bytes, of_i64};
use crate::command::Tab;
use crate::model::panel::Series;
use crate::model::unit::Age;
use crate::model::{Link, ServerText, Timestamp, seconds_between};

const HOUR_S: f64 = 3600.0;

/// A fall is told from a span of at least this, in seconds.
const LEAST_SPAN_S: f64 = 120.0;

/// Disks that are named at most: the panel has all.
const MOST: usize = 3;

/// A disk that fills.
struct Disk<'a> {
    series: &'a Series,
    left: f64,
    /// Bytes fewer each second; none where it does not fall.
    falls: Option<f64>,
    span_s: f64,
}

impl<'a> Disk<'a> {
    /// Only where no value of its last third is as high as the lowest of its first: what comes and goes does not fill.
    fn of(series: &'a Series) -> Option<Self> {
        let points: Vec<(f64, f64)> = series.points.iter().filter_map(|(t, v)| Some((*t, (*v)?))).collect();
        let third = points.len() / 3;
        let (first, last) = (points.first()?, points.last()?);
        let span_s = last.0 - first.0;
        let low = points.iter().take(third).map(|p| p.1).reduce(f64::min);
        let high = points.iter().rev().take(third).map(|p| p.1).reduce(f64::max);
        let sinks = low.zip(high).is_some_and(|(low, high)| high < low) && span_s >= LEAST_SPAN_S;
        let falls = sinks.then(|| (first.1 - last.1) / span_s).filter(|rate| *rate > 0.0);
        Some(Self { series, left: last.1.max(0.0), falls, span_s })
    }

    /// Seconds until it is full at this rate.
    fn full_in(&self) -> Option<f64> {
        self.falls.map(|rate| self.left / rate)
    }
}

/// The disk that is full first at the rate at which it falls, and in how many seconds; none where none falls.
pub fn full_first<'a>(panel: &Read<'a>) -> Option<(&'a str, f64)> {
    let disks = panel.series.iter().filter_map(Disk::of);
    let falling = disks.filter_map(|disk| Some((disk.series.name.as_str(), disk.full_in()?)));
    falling.min_by(|a, b| a.1.total_cmp(&b.1))
}

/// Disks that are full, or will be.
pub fn fills(look: &Look<'_>) -> Vec<Finding> {
    let Some(panel) = read(look, "disk-free") else { return Vec::new() };
    // Of hosts that may have nothing to do with the server a finding would be a claim.
    if panel.candidate.is_some_and(|c| c.unjudged) {
        return Vec::new();
    }
    let mut disks: Vec<(Disk<'_>, Severity)> =
        panel.series.iter().filter_map(Disk::of).filter_map(|d| severity(look, &d).map(|s| (d, s))).collect();
    let soon = |d: &Disk<'_>| d.full_in().unwrap_or(f64::INFINITY);
    disks.sort_by(|a, b| {
        b.1.cmp(&a.1).then(soon(&a.0).total_cmp(&soon(&b.0))).then(a.0.series.name.cmp(&b.0.series.name))
    });
    disks.truncate(MOST);
    disks.into_iter().map(|(disk, severity)| finding(look, &panel, &disk, severity)).collect()
}

fn severity(look: &Look<'_>, disk: &Disk<'_>) -> Option<Severity> {
    let full_in = disk.full_in().filter(|s| *s <= look.limits.disk_full);
    match () {
        () if full_in.is_some_and(|s| s <= HOUR_S) || disk.left < look.limits.disk_free / 10.0 => {
            Some(Severity::Critical)
        }
        () if full_in.is_some() || disk.left < look.limits.disk_free => Some(Severity::Warning),
        () => None,
    }
}

fn finding(look: &Look<'_>, panel: &Read<'_>, disk: &Disk<'_>, severity: Severity) -> Finding {
    let name = ServerText::from(disk.series.name.as_str()).head(60);
    let left = bytes(disk.left);
    let full = disk.full_in().and_then(|s| at(panel.seen, s).map(|at| (s, at)));
    let fact = match full.filter(|(s, _)| *s <= look.limits.disk_full) {
        Some((s, at)) => format!(
            "disk {name} is full at {} (in {}) at this rate, {left} left",
            at.strftime("%H:%MZ"),
            Age(s).short()
        ),
        None => format!("disk {name} has only {left} left"),
    };
    let lost = disk.falls.map_or_else(
        || format!("it does not fall within {:.0} min", disk.span_s / 60.0),
        |rate| format!("{} fewer an hour, over {:.0} min", bytes(rate * HOUR_S), disk.span_s / 60.0),
    );
    let wal = Span::last(look, RECENT_S).map(|span| span.figure(|d| d.wal_directory.map(of_i64)));
    let wal = wal.filter(|w| w.seconds > 0.0 && w.of > 0.0);
    let wal =
        wal.map_or_else(String::new, |w| format!(" · pg_wal grows by {} an hour", bytes(w.of / w.seconds * HOUR_S)));
    Finding {
        severity,
        fact,
        evidence: format!("{lost}{wal} · {}", panel.source()),
        todo: "see whether it is the server's (data_directory, pg_wal, its log): WAL that a slot or the archive keeps, temporary files, logs; a full pg_wal stops the server".to_owned(),
        since: disk.falls.and(before(panel.seen, Some(disk.span_s))),
        harm: Harm { now: 0.0, coming: full.map_or(0.5, |(s, _)| (1.0 - s / (24.0 * HOUR_S)).clamp(0.1, 1.0)) },
        ..Finding::of(Kind::Disk, disk.series.name.clone(), panel.seen, panel.target())
    }
}

fn at(now: Timestamp, seconds: f64) -> Option<Timestamp> {
    now.checked_add(jiff::SignedDuration::try_from_secs_f64(seconds).ok()?).ok()
}

/// The exporter cannot reach the server that answers us: what is drawn and alerted from it is blind.
pub fn exporter(look: &Look<'_>) -> Vec<Finding> {
    let Some((answer, seen)) = look.world.panels.get("connections").and_then(|l| l.value.as_ref()) else {
        return Vec::new();
    };
    let answers = matches!(look.world.link, Some(Link::Up(_))) && look.world.sessions.error.is_none();
    // It has one telltale: `pg_up` is 0.
    let Some(says) = answer.unmeasured.as_ref().filter(|_| answers && seconds_between(*seen, look.now) <= 60.0) else {
        return Vec::new();
    };
    vec![Finding {
        severity: Severity::Warning,
        fact: "postgres_exporter cannot reach the server, which answers us: its panels and alerts are blind".to_owned(),
        evidence: format!("{}; its `up` is 1 all the same, so an alert on that stays silent", ServerText::from(says.as_str()).head(120)),
        todo: "see its log: password, pg_hba.conf, its role's connection limit, or it reads another server; alert on pg_up".to_owned(),
        harm: Harm { now: 0.0, coming: 0.3 },
        ..Finding::of(Kind::ExporterBlind, "", *seen, Target::Panel { tab: Tab::Latency, id: "connections".to_owned() })
    }]
}
