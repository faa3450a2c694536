//! What is usual: figures that a service of some kind should keep to, and what the same service did a week ago.
//!
//! It compares and says by how much; whether that is bad is for others to judge.

use serde::{Deserialize, Serialize};

use super::panel::{PanelAnswer, PanelSpec, PanelUnit, Reading};

/// How long ago the past is that the present is held against: the same hour of the same weekday.
pub const WEEK_S: u32 = 7 * 24 * 3600;

/// A figure that a workload names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Figure {
    /// 95 % of the requests take no longer than this, in seconds.
    P95,
    /// Requests per second.
    Requests,
    /// The share of look-ups that the cache answers, from 0 to 1.
    HitRatio,
}

/// What a service of some kind should keep to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Workload {
    /// Its name.
    pub name: String,
    /// Seconds.
    pub p95_s: Option<f64>,
    /// Requests per second.
    pub requests: Option<f64>,
    /// From 0 to 1.
    pub hit_ratio: Option<f64>,
}

/// The kinds of work of the operations guide: name, p95 in seconds, requests per second, hit ratio.
pub const WORKLOADS: [(&str, f64, f64, f64); 4] = [
    ("simple-crud", 0.050, 1000.0, 0.90),
    ("complex-queries", 0.200, 500.0, 0.85),
    ("analytics", 0.500, 100.0, 0.70),
    ("real-time", 0.020, 2000.0, 0.95),
];

impl Workload {
    /// One of [`WORKLOADS`].
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let (name, p95, requests, hits) = WORKLOADS.iter().find(|w| w.0 == name)?;
        Some(Self { name: (*name).to_owned(), p95_s: Some(*p95), requests: Some(*requests), hit_ratio: Some(*hits) })
    }

    /// Its value of that figure.
    #[must_use]
    pub fn value(&self, figure: Figure) -> Option<f64> {
        match figure {
            Figure::P95 => self.p95_s,
            Figure::Requests => self.requests,
            Figure::HitRatio => self.hit_ratio,
        }
    }
}

/// How `now` stands to `usual`: `×3.1`, or for ratios the difference in percentage points, `−12 pts`. None where there is
/// nothing to divide by.
#[must_use]
pub fn against(now: f64, usual: f64, unit: PanelUnit) -> Option<String> {
    if unit == PanelUnit::Ratio {
        let points = (now - usual) * 100.0;
        let sign = if points < 0.0 { "−" } else { "+" };
        let whole = points.abs().round();
        return Some(if whole < 1.0 { "±0 pts".to_owned() } else { format!("{sign}{whole:.0} pts") });
    }
    if usual <= 0.0 || !now.is_finite() {
        return None;
    }
    let times = now / usual;
    Some(if times >= 9.95 { format!("×{times:.0}") } else { format!("×{times:.1}") })
}

/// What was usual in an answer about the past: the median of all its points, of which one odd minute moves little; of
/// several series that of the one that was worst then.
#[must_use]
pub fn median(answer: &PanelAnswer, low_is_bad: bool) -> Option<f64> {
    let Reading::Values { series, .. } = &answer.reading else { return None };
    let pick = if low_is_bad { f64::min } else { f64::max };
    series
        .iter()
        .filter_map(|s| {
            let mut values: Vec<f64> = s.points.iter().filter_map(|p| p.1).collect();
            values.sort_by(f64::total_cmp);
            values.get(values.len() / 2).copied()
        })
        .reduce(pick)
}

/// What a panel's newest figure is held against, and how it stands to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Beside {
    /// Such as `simple-crud`, `a week ago`.
    pub of: String,
    /// The usual value.
    pub usual: f64,
    /// `×3.1`, `−12 pts`; none where there is no figure now.
    pub stands: Option<String>,
}

/// The figure of the workload, and that of a week ago, where the panel has them. The past counts only where the same
/// source answered: two sources differ for reasons of their own.
#[must_use]
pub fn beside(
    spec: &PanelSpec,
    now: Option<&PanelAnswer>,
    past: Option<&PanelAnswer>,
    workload: Option<&Workload>,
) -> Vec<Beside> {
    let figure = now.and_then(|answer| worst(spec, answer));
    let stands = |usual| figure.and_then(|now| against(now, usual, spec.unit));
    let should = workload.zip(spec.figure).and_then(|(w, figure)| {
        let usual = w.value(figure)?;
        Some(Beside { of: w.name.clone(), usual, stands: stands(usual) })
    });
    let was = past.filter(|past| now.is_none_or(|now| same_source(now, past))).and_then(|past| {
        let usual = median(past, spec.low_is_bad)?;
        Some(Beside { of: "a week ago".to_owned(), usual, stands: stands(usual) })
    });
    should.into_iter().chain(was).collect()
}

fn same_source(now: &PanelAnswer, past: &PanelAnswer) -> bool {
    match (&now.reading, &past.reading) {
        (Reading::Values { candidate: a, .. }, Reading::Values { candidate: b, .. }) => a == b,
        _ => true,
    }
}

/// The worst of the values that a panel has now.
fn worst(spec: &PanelSpec, answer: &PanelAnswer) -> Option<f64> {
    let Reading::Values { series, .. } = &answer.reading else { return None };
    answer.worst_of(series, spec.low_is_bad)
}

#[cfg(test)]
mod tests {
    use super::super::panel::Series;
    use super::*;

    #[test]
    fn the_guides_workloads_are_found_by_name() {
        let crud = Workload::named("simple-crud").unwrap();
        assert_eq!((crud.value(Figure::P95), crud.value(Figure::HitRatio)), (Some(0.05), Some(0.9)));
        assert_eq!(Workload::named("none"), None);
    }

    #[test]
    fn times_are_said_in_multiples_and_ratios_in_points() {
        assert_eq!(against(4.1, 0.05, PanelUnit::Seconds).as_deref(), Some("×82"));
        assert_eq!(against(0.155, 0.05, PanelUnit::Seconds).as_deref(), Some("×3.1"));
        assert_eq!(against(0.66, 0.9, PanelUnit::Ratio).as_deref(), Some("−24 pts"));
        assert_eq!(against(0.95, 0.9, PanelUnit::Ratio).as_deref(), Some("+5 pts"));
        assert_eq!(against(0.901, 0.9, PanelUnit::Ratio).as_deref(), Some("±0 pts"));
        assert_eq!(against(1.0, 0.0, PanelUnit::Rate), None);
    }

    #[test]
    fn one_odd_point_is_not_what_is_usual() {
        let series = |values: &[f64]| Series {
            name: String::new(),
            points: values.iter().map(|v| (0.0, Some(*v))).chain([(1.0, None)]).collect(),
        };
        let answer = |series| PanelAnswer {
            start: 0.0,
            end: 1.0,
            step: 1.0,
            reading: Reading::Values { candidate: 0, series },
            refused: Vec::new(),
            expr: String::new(),
            notes: Vec::new(),
            unmeasured: None,
        };
        assert_eq!(median(&answer(vec![series(&[0.04, 9.0, 0.05])]), false), Some(0.05));
        let two = answer(vec![series(&[0.1]), series(&[0.3])]);
        assert_eq!((median(&two, false), median(&two, true)), (Some(0.3), Some(0.1)));
        assert_eq!(median(&answer(vec![series(&[])]), false), None);
    }
}
