//! Which scrape targets answer, and how often they are asked.
//!
//! It reads the list of targets, and `up` where a server has none; it does not say what a missing target means.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::http::Api;
use super::range::{Matrix, Vector, number};
use crate::model::panel::ScrapeTarget;
use crate::model::{ProbeError, ServerText};

/// Between scrapes, while nobody has told: the usual setting, and Prometheus' own is no more than a minute.
const SCRAPE_S: f64 = 15.0;

/// What is scraped less often than this, in seconds, is no host.
const SLOWEST_S: f64 = 60.0;

/// `/api/v1/targets`.
#[derive(Debug, Deserialize)]
struct Targets {
    #[serde(rename = "activeTargets")]
    active: Vec<Target>,
}

/// One active target; VictoriaMetrics leaves the interval out.
#[derive(Debug, Deserialize)]
struct Target {
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    health: String,
    #[serde(default, rename = "lastError")]
    last_error: String,
    #[serde(default, rename = "scrapeInterval")]
    interval: String,
}

/// The targets, those that are down first.
pub(super) async fn ask(api: &Api) -> Result<Vec<ScrapeTarget>, ProbeError> {
    let mut targets = match api.get::<Targets>("targets", &[("state", "active")]).await {
        Ok(answer) if !answer.data.active.is_empty() => answer.data.active.into_iter().map(target).collect(),
        Err(error @ (ProbeError::Unreachable(_) | ProbeError::TimedOut(_))) => return Err(error),
        // A query front end (Mimir, Thanos, VictoriaMetrics' cluster) has no targets of its own, or hides them.
        Ok(_) | Err(_) => from_up(api.instant("up").await?.data),
    };
    if targets.iter().all(|t: &ScrapeTarget| t.interval_s.is_none()) {
        // Two minutes hold two scrapes of the slowest usual setting. Without an answer the usual one is assumed.
        if let Ok(answer) = api.samples("up[2m]").await {
            measure(&mut targets, &answer.data);
        }
    }
    targets.sort_by(|a: &ScrapeTarget, b| (a.up, &a.job, &a.instance).cmp(&(b.up, &b.job, &b.instance)));
    Ok(targets)
}

fn target(target: Target) -> ScrapeTarget {
    let up = target.health == "up";
    let error = if !up && target.last_error.is_empty() {
        "not scraped yet".to_owned()
    } else {
        ServerText::new(target.last_error).escaped()
    };
    ScrapeTarget {
        job: label(&target.labels, "job"),
        instance: label(&target.labels, "instance"),
        up,
        error,
        interval_s: seconds(&target.interval),
    }
}

fn from_up(vector: Vector) -> Vec<ScrapeTarget> {
    let rows = vector.result.into_iter().map(|point| {
        let up = point.value.as_ref().is_some_and(|(_, value)| number(value).is_some_and(|v| v > 0.0));
        ScrapeTarget {
            job: label(&point.metric, "job"),
            instance: label(&point.metric, "instance"),
            up,
            error: if up { String::new() } else { "up is 0; this server keeps no reason".to_owned() },
            interval_s: None,
        }
    });
    rows.collect()
}

/// The interval of each target from the distance of its samples: the middle one, since a scrape may be late or missing.
fn measure(targets: &mut [ScrapeTarget], up: &Matrix) {
    for row in &up.result {
        let (job, instance) = (label(&row.metric, "job"), label(&row.metric, "instance"));
        let mut gaps: Vec<f64> =
            row.values.iter().zip(row.values.iter().skip(1)).map(|(earlier, later)| later.0 - earlier.0).collect();
        gaps.sort_by(f64::total_cmp);
        let middle = gaps.get(gaps.len() / 2).map(|gap| (gap * 1e3).round() / 1e3);
        for target in targets.iter_mut().filter(|t| t.job == job && t.instance == instance) {
            target.interval_s = middle;
        }
    }
}

fn label(labels: &BTreeMap<String, String>, name: &str) -> String {
    labels.get(name).map(|value| ServerText::from(value.as_str()).escaped()).unwrap_or_default()
}

/// A duration as Prometheus writes it: `1m30s`, `500ms`.
fn seconds(text: &str) -> Option<f64> {
    let mut total = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let unit_at = rest.find(|c: char| !c.is_ascii_digit())?;
        let (count, tail) = rest.split_at(unit_at);
        let end = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(end);
        let factor = match unit {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            _ => return None,
        };
        total += count.parse::<f64>().ok()? * factor;
        rest = tail;
    }
    (total > 0.0).then_some(total)
}

/// Seconds between scrapes of the service: the longest among the job's targets. Where no job is named, what most
/// targets have: one slow exporter must not stretch every rate.
pub(super) fn scrape_s(targets: &[ScrapeTarget], job: Option<&str>) -> Option<f64> {
    let wanted = job.and_then(|job| regex::Regex::new(&format!("^(?:{job})$")).ok());
    if let Some(wanted) = wanted {
        let of_job = targets.iter().filter(|t| wanted.is_match(&t.job)).filter_map(|t| t.interval_s);
        if let Some(longest) = of_job.reduce(f64::max) {
            return Some(longest);
        }
    }
    let mut intervals: Vec<f64> = targets.iter().filter_map(|t| t.interval_s).collect();
    intervals.sort_by(f64::total_cmp);
    intervals
        .chunk_by(|a, b| a.total_cmp(b).is_eq())
        .max_by_key(|same| same.len())
        .and_then(|same| same.first().copied())
}

/// Seconds between two scrapes, of whom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scrapes {
    /// Of the service.
    pub service_s: f64,
    /// Of the exporters of hosts, whose job nobody names.
    pub hosts_s: f64,
}

impl Default for Scrapes {
    /// What most configurations have, as long as nothing tells.
    fn default() -> Self {
        Self { service_s: SCRAPE_S, hosts_s: SCRAPE_S }
    }
}

/// Seconds between scrapes of hosts: what the slowest target has, so that no rate is without its two samples. What is
/// scraped less often than that is no host: certificates, the speed of a line.
pub(super) fn slowest_s(targets: &[ScrapeTarget]) -> Option<f64> {
    targets.iter().filter_map(|t| t.interval_s).filter(|s| *s <= SLOWEST_S).reduce(f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_may_be_scraped_less_often_than_the_service_and_what_is_scraped_by_the_hour_is_no_host() {
        let targets = [scraped("shop", 1.0), scraped("node", 60.0), scraped("certificates", 3600.0)];
        assert_eq!((scrape_s(&targets, Some("shop")), slowest_s(&targets)), (Some(1.0), Some(60.0)));
        assert_eq!(slowest_s(&[]), None);
    }

    fn scraped(job: &str, interval_s: f64) -> ScrapeTarget {
        ScrapeTarget {
            job: job.into(),
            instance: "a:1".into(),
            up: true,
            error: String::new(),
            interval_s: Some(interval_s),
        }
    }

    #[test]
    fn durations_are_read_as_prometheus_writes_them() {
        for (text, value) in
            [("15s", Some(15.0)), ("1m", Some(60.0)), ("1m30s", Some(90.0)), ("500ms", Some(0.5)), ("1h", Some(3600.0))]
        {
            assert_eq!(seconds(text), value, "{text}");
        }
        for text in ["", "0s", "15", "s", "1y"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn the_interval_is_that_of_the_job_or_of_most_targets() {
        let targets = [scraped("shop", 1.0), scraped("shop", 5.0), scraped("node", 15.0), scraped("pg", 15.0)];
        assert_eq!(scrape_s(&targets, Some("sho.")), Some(5.0));
        assert_eq!(scrape_s(&targets, Some("gone")), Some(15.0));
        assert_eq!(scrape_s(&targets, None), Some(15.0));
        assert_eq!(scrape_s(&[], None), None);
    }

    #[test]
    fn an_interval_that_nobody_tells_is_measured() {
        let json = r#"{"result":[{"metric":{"job":"shop","instance":"a:1"},
            "values":[[1,"1"],[2,"1"],[2.9,"1"],[4.9,"1"],[5.9,"1"],[6.9,"1"]]}]}"#;
        let mut targets = [ScrapeTarget { interval_s: None, ..scraped("shop", 0.0) }];
        measure(&mut targets, &serde_json::from_str(json).unwrap());
        assert_eq!(targets[0].interval_s, Some(1.0));
    }

    #[test]
    fn a_target_that_refused_the_scrape_says_why() {
        let json = r#"{"activeTargets":[{"labels":{"job":"shop","instance":"a:1"},"health":"down",
            "lastError":"server returned HTTP status 401 Unauthorized","scrapeInterval":"1s"},
            {"labels":{"job":"pg"},"health":"unknown"}]}"#;
        let list: Targets = serde_json::from_str(json).unwrap();
        let rows: Vec<ScrapeTarget> = list.active.into_iter().map(target).collect();
        assert_eq!(rows[0].error, "server returned HTTP status 401 Unauthorized");
        assert_eq!((rows[0].up, rows[0].interval_s), (false, Some(1.0)));
        assert_eq!(rows[1].error, "not scraped yet");
    }

    #[test]
    fn up_tells_where_there_is_no_list() {
        let json = r#"{"result":[{"metric":{"job":"shop","instance":"a:1"},"value":[1,"0"]},
            {"metric":{"job":"pg","instance":"b:1"},"value":[1,"1"]}]}"#;
        let rows = from_up(serde_json::from_str(json).unwrap());
        assert_eq!((rows[0].up, rows[1].up), (false, true));
        assert!(!rows[0].error.is_empty() && rows[1].error.is_empty());
    }
}
