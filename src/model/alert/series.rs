//! The series of one evaluation, and what they say where the condition does not hold: a value, NaN, nothing.

use serde::{Deserialize, Serialize};

use super::{Comparison, Labels, Number, Watched};

/// One element of an instant vector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Its labels, `__name__` among them.
    pub labels: Labels,
    /// Its value.
    pub value: Number,
}

/// What stands behind a condition. A comparison answers a quiet value, NaN and a metric that nobody exports alike.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Seen {
    /// Numbers: the one that is nearest to the limit or farthest beyond it, and how many series there are.
    Value {
        /// That number.
        nearest: Number,
        /// Series with a number.
        series: usize,
    },
    /// Series, and not one number in them.
    NotANumber,
    /// No series.
    NoData,
    /// The condition holds for this many series; what is behind it where it is none cannot be told, since it is no
    /// comparison with a number.
    Condition(usize),
}

/// Splits what was seen of a watched left side into what passes and what stands behind it.
#[must_use]
pub fn judge(watched: Option<&Watched>, series: Vec<Series>) -> (Vec<Series>, Seen) {
    let Some(Watched { comparison, limit, .. }) = watched else {
        let seen = Seen::Condition(series.len());
        return (series, seen);
    };
    let numbers: Vec<f64> = series.iter().map(|s| s.value.0).filter(|v| !v.is_nan()).collect();
    let nearest = numbers.iter().copied().reduce(|a, b| if worse(*comparison, limit.0, b, a) { b } else { a });
    let seen = match nearest {
        Some(nearest) => Seen::Value { nearest: Number(nearest), series: numbers.len() },
        None if series.is_empty() => Seen::NoData,
        None => Seen::NotANumber,
    };
    let holding = series.into_iter().filter(|s| comparison.holds(s.value.0, limit.0)).collect();
    (holding, seen)
}

/// True where `a` is nearer to making the comparison true than `b`, or truer.
fn worse(comparison: Comparison, limit: f64, a: f64, b: f64) -> bool {
    match comparison {
        Comparison::Above | Comparison::AtLeast => a > b,
        Comparison::Below | Comparison::AtMost => a < b,
        Comparison::Equal => (a - limit).abs() < (b - limit).abs(),
        Comparison::NotEqual => (a - limit).abs() > (b - limit).abs(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(values: &[f64]) -> Vec<Series> {
        values.iter().map(|v| Series { labels: Labels::new(), value: Number(*v) }).collect()
    }

    fn watched(comparison: Comparison, limit: f64) -> Watched {
        Watched { expr: "x".into(), comparison, limit: Number(limit) }
    }

    #[test]
    fn quiet_nan_and_nothing_are_three_things() {
        let above = watched(Comparison::Above, 2.0);
        let quiet = judge(Some(&above), series(&[0.5, f64::NAN, 1.5]));
        assert_eq!(quiet, (Vec::new(), Seen::Value { nearest: Number(1.5), series: 2 }));
        assert_eq!(judge(Some(&above), series(&[f64::NAN])), (Vec::new(), Seen::NotANumber));
        assert_eq!(judge(Some(&above), Vec::new()), (Vec::new(), Seen::NoData));
        assert_eq!(judge(None, Vec::new()), (Vec::new(), Seen::Condition(0)));
    }

    #[test]
    fn each_comparison_passes_what_prometheus_passes() {
        let table = [
            (Comparison::Above, [false, false, true, false]),
            (Comparison::AtLeast, [false, true, true, false]),
            (Comparison::Below, [true, false, false, false]),
            (Comparison::AtMost, [true, true, false, false]),
            (Comparison::Equal, [false, true, false, false]),
            // NaN differs from everything.
            (Comparison::NotEqual, [true, false, true, true]),
        ];
        for (comparison, passes) in table {
            assert_eq!([1.0, 2.0, 3.0, f64::NAN].map(|v| comparison.holds(v, 2.0)), passes, "{comparison:?}");
        }
    }

    #[test]
    fn the_nearest_is_the_worst_by_the_comparison() {
        let nearest = |comparison, limit| match judge(Some(&watched(comparison, limit)), series(&[1.0, 4.0, 9.0])).1 {
            Seen::Value { nearest, .. } => nearest.0,
            other @ (Seen::NotANumber | Seen::NoData | Seen::Condition(_)) => panic!("{other:?}"),
        };
        assert!((nearest(Comparison::Above, 5.0) - 9.0).abs() < 1e-9);
        assert!((nearest(Comparison::Below, 5.0) - 1.0).abs() < 1e-9);
        assert!((nearest(Comparison::Equal, 5.0) - 4.0).abs() < 1e-9);
        assert!((nearest(Comparison::NotEqual, 4.0) - 9.0).abs() < 1e-9);
    }
}
