//! Answers to expressions: their shape in JSON, and which of the six things they are.
//!
//! Pure: it asks nobody. A value that is no number stays in its place as none, a point that is missing stays missing.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::model::ServerText;
use crate::model::panel::{PanelSpec, Series};

/// The most curves that one chart can show and a reader can tell apart.
const MOST_SERIES: usize = 8;

/// A legend longer than this would leave no room for the curve.
const MOST_NAME: usize = 60;

/// Whole seconds since the epoch, and between points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Axis {
    pub start: i64,
    pub end: i64,
    pub step: i64,
}

impl Axis {
    /// The axis that ends at the last multiple of the step: its points stay where they are from answer to answer.
    pub(super) fn until(now: i64, span_s: u32, step_s: u32) -> Self {
        let step = i64::from(step_s.max(1));
        let end = now.div_euclid(step) * step;
        Self { start: end - i64::from(span_s) / step * step, end, step }
    }
}

/// `resultType: matrix`.
#[derive(Debug, Deserialize)]
pub(super) struct Matrix {
    pub result: Vec<Row>,
}

/// One series of a matrix. Native histograms come in another field and are left out: no panel asks for them.
#[derive(Debug, Deserialize)]
pub(super) struct Row {
    pub metric: BTreeMap<String, String>,
    #[serde(default)]
    pub values: Vec<(f64, String)>,
}

/// `resultType: vector`.
#[derive(Debug, Deserialize)]
pub(super) struct Vector {
    pub result: Vec<Point>,
}

/// One sample of a vector.
#[derive(Debug, Deserialize)]
pub(super) struct Point {
    pub metric: BTreeMap<String, String>,
    pub value: Option<(f64, String)>,
}

/// What a candidate's answer is.
#[derive(Debug, PartialEq)]
pub(super) enum Found {
    /// No series, or none with a point.
    Nothing,
    /// Series, and not one number in them.
    NotANumber,
    /// Series with at least one number; `of` counts those that the server sent.
    Values { series: Vec<Series>, of: usize },
}

/// Reads a matrix for a panel.
pub(super) fn reading(matrix: Matrix, spec: &PanelSpec) -> Found {
    let alone = matrix.result.len() == 1;
    let mut series: Vec<Series> = matrix
        .result
        .into_iter()
        .filter(|row| !row.values.is_empty())
        .map(|row| Series {
            name: name(&row.metric, spec.legend.as_deref(), alone),
            points: row.values.into_iter().map(|(at, value)| (at, number(&value))).collect(),
        })
        .collect();
    let of = series.len();
    if of == 0 {
        return Found::Nothing;
    }
    if series.iter().all(|s| s.points.iter().all(|p| p.1.is_none())) {
        return Found::NotANumber;
    }
    if of > MOST_SERIES {
        series.sort_by(|a, b| worst(b, spec.low_is_bad).total_cmp(&worst(a, spec.low_is_bad)));
        series.truncate(MOST_SERIES);
    }
    // By name, so that a curve keeps its colour from one answer to the next.
    series.sort_by(|a, b| a.name.cmp(&b.name));
    Found::Values { series, of }
}

/// A value as Prometheus writes it; none for NaN and the infinities, which no chart can show and JSON cannot carry.
pub(super) fn number(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|value| value.is_finite())
}

/// How bad a series was at its worst, so that more is worse.
fn worst(series: &Series, low_is_bad: bool) -> f64 {
    let sign = if low_is_bad { -1.0 } else { 1.0 };
    series.points.iter().filter_map(|p| p.1).map(|v| v * sign).fold(f64::NEG_INFINITY, f64::max)
}

fn name(metric: &BTreeMap<String, String>, legend: Option<&str>, alone: bool) -> String {
    let raw = match legend {
        Some(label) => metric.get(label).cloned(),
        None if alone => Some(String::new()),
        None => None,
    };
    let raw = raw.unwrap_or_else(|| {
        let labels = metric.iter().filter(|(label, _)| *label != "__name__");
        labels.map(|(label, value)| format!("{label}={value}")).collect::<Vec<_>>().join(" ")
    });
    ServerText::new(raw).head(MOST_NAME)
}

/// Whole seconds as the model keeps time. Exact: 2⁵³ seconds are far away.
#[expect(clippy::cast_precision_loss, reason = "seconds since the epoch need 31 bits")]
pub(super) fn seconds(whole: i64) -> f64 {
    whole as f64
}

/// Seconds as a whole number; what does not fit becomes the nearest that does.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float cast saturates")]
pub(super) fn whole_seconds(seconds: f64) -> u32 {
    seconds as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::panel::{PanelTab, PanelUnit};

    fn spec() -> PanelSpec {
        PanelSpec {
            id: "a".into(),
            title: "A".into(),
            tab: PanelTab::Latency,
            unit: PanelUnit::Seconds,
            legend: None,
            warn: None,
            critical: None,
            low_is_bad: false,
            figure: None,
            absent: None,
            telltales: Vec::new(),
            candidates: Vec::new(),
        }
    }

    fn matrix(json: &str) -> Matrix {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn points_do_not_move_between_two_answers() {
        let (one, two) = (Axis::until(1_000_003, 900, 10), Axis::until(1_000_009, 900, 10));
        assert_eq!(one, two);
        assert_eq!(one, Axis { start: 999_100, end: 1_000_000, step: 10 });
        assert_eq!(Axis::until(7, 0, 0), Axis { start: 7, end: 7, step: 1 });
    }

    #[test]
    fn nothing_nan_and_zero_are_three_things() {
        let nothing = matrix(r#"{"resultType":"matrix","result":[]}"#);
        assert_eq!(reading(nothing, &spec()), Found::Nothing);

        let nan = matrix(r#"{"resultType":"matrix","result":[{"metric":{},"values":[[1,"NaN"],[2,"NaN"]]}]}"#);
        assert_eq!(reading(nan, &spec()), Found::NotANumber);

        let zero = matrix(r#"{"resultType":"matrix","result":[{"metric":{},"values":[[1,"0"],[2.5,"NaN"]]}]}"#);
        let series = vec![Series { name: String::new(), points: vec![(1.0, Some(0.0)), (2.5, None)] }];
        assert_eq!(reading(zero, &spec()), Found::Values { series, of: 1 });
    }

    #[test]
    fn infinities_are_no_numbers_and_rows_without_points_no_series() {
        let json = r#"{"result":[{"metric":{},"values":[[1,"+Inf"],[2,"-Inf"]]},{"metric":{"a":"b"}}]}"#;
        assert_eq!(reading(matrix(json), &spec()), Found::NotANumber);
        let json = r#"{"result":[{"metric":{"a":"b"},"histograms":[]}]}"#;
        assert_eq!(reading(matrix(json), &spec()), Found::Nothing);
    }

    #[test]
    fn a_missing_point_stays_a_gap() {
        let json = r#"{"result":[{"metric":{},"values":[[10,"1"],[30,"1e-3"]]}]}"#;
        let Found::Values { series, .. } = reading(matrix(json), &spec()) else { panic!("values") };
        assert_eq!(series[0].points, [(10.0, Some(1.0)), (30.0, Some(0.001))]);
    }

    #[test]
    fn of_many_series_the_worst_stay_and_the_rest_is_counted() {
        let rows: Vec<String> = (0..12)
            .map(|i| format!(r#"{{"metric":{{"operation":"op{i:02}"}},"values":[[1,"{i}"],[2,"NaN"]]}}"#))
            .collect();
        let json = format!(r#"{{"result":[{}]}}"#, rows.join(","));
        let mut spec = PanelSpec { legend: Some("operation".into()), ..spec() };
        let names = |spec: &PanelSpec| {
            let Found::Values { series, of } = reading(matrix(&json), spec) else { panic!("values") };
            assert_eq!((series.len(), of), (8, 12));
            (series[0].name.clone(), series[7].name.clone())
        };
        assert_eq!(names(&spec), ("op04".to_owned(), "op11".to_owned()));
        spec.low_is_bad = true;
        assert_eq!(names(&spec), ("op00".to_owned(), "op07".to_owned()));
    }

    #[test]
    fn a_legend_cannot_carry_control_characters() {
        let json = r#"{"result":[{"metric":{"operation":"a\u001b[2Jb"},"values":[[1,"1"]]}]}"#;
        let spec = PanelSpec { legend: Some("operation".into()), ..spec() };
        let Found::Values { series, .. } = reading(matrix(json), &spec) else { panic!("values") };
        assert_eq!(series[0].name, "a\\x1b[2Jb");
    }

    #[test]
    fn without_a_legend_several_series_are_told_apart_by_their_labels() {
        let json = r#"{"result":[{"metric":{"__name__":"up","job":"a"},"values":[[1,"1"]]},
            {"metric":{"__name__":"up","job":"b"},"values":[[1,"1"]]}]}"#;
        let Found::Values { series, .. } = reading(matrix(json), &spec()) else { panic!("values") };
        assert_eq!((series[0].name.as_str(), series[1].name.as_str()), ("job=a", "job=b"));
    }
}
