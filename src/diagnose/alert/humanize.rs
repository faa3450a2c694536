//! Prometheus' `humanize` functions: figures with a unit, in four significant digits.
//!
//! Source: `template/template.go` of Prometheus.

use super::format::general;
use crate::model::Timestamp;

const SMALL: [&str; 8] = ["m", "u", "n", "p", "f", "a", "z", "y"];

/// `1.235M`, `12.3m`.
#[must_use]
pub fn decimal(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return general(value, Some(4));
    }
    if value.abs() >= 1.0 {
        return scaled(value, 1000.0, &["k", "M", "G", "T", "P", "E", "Z", "Y"]);
    }
    small(value)
}

/// `100Mi`.
#[must_use]
pub fn binary(value: f64) -> String {
    if value.abs() <= 1.0 || !value.is_finite() {
        return general(value, Some(4));
    }
    scaled(value, 1024.0, &["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"])
}

/// `159.9M`, `4.25`, `0.885`, `12.3u`: as `humanize` has it, but for what lies between a thousandth and one. That is most
/// often a share, which nobody reads in thousandths (`885.1m`): it keeps three digits as they are.
#[must_use]
pub fn glance(value: f64) -> String {
    if (0.001..1.0).contains(&value.abs()) { general(value, Some(3)) } else { decimal(value) }
}

fn scaled(mut value: f64, by: f64, prefixes: &[&'static str]) -> String {
    let mut unit = "";
    for prefix in prefixes {
        if value.abs() < by {
            break;
        }
        unit = prefix;
        value /= by;
    }
    format!("{}{unit}", general(value, Some(4)))
}

fn small(mut value: f64) -> String {
    let mut unit = "";
    for prefix in SMALL {
        if value.abs() >= 1.0 {
            break;
        }
        unit = prefix;
        value *= 1000.0;
    }
    format!("{}{unit}", general(value, Some(4)))
}

/// `5.123%` of `0.05123`.
#[must_use]
pub fn percentage(value: f64) -> String {
    format!("{}%", general(value * 100.0, Some(4)))
}

/// Seconds as `1d 2h 3m 4s`, `4.1s`, `12.3ms`.
#[must_use]
pub fn duration(value: f64) -> String {
    if !value.is_finite() {
        return general(value, Some(4));
    }
    if value == 0.0 {
        return format!("{}s", general(value, Some(4)));
    }
    if value.abs() < 1.0 {
        return format!("{}s", small(value));
    }
    let sign = if value < 0.0 { "-" } else { "" };
    let value = value.abs();
    #[expect(clippy::cast_possible_truncation, reason = "whole seconds, as Prometheus cuts them")]
    let whole = value as i64;
    let (s, m, h, d) = (whole % 60, whole / 60 % 60, whole / 3600 % 24, whole / 86_400);
    match (d, h, m) {
        (0, 0, 0) => format!("{sign}{}s", general(value, Some(4))),
        (0, 0, _) => format!("{sign}{m}m {s}s"),
        (0, _, _) => format!("{sign}{h}h {m}m {s}s"),
        _ => format!("{sign}{d}d {h}h {m}m {s}s"),
    }
}

/// Seconds since the epoch as Go prints a time in UTC; none for what no clock shows.
#[must_use]
pub fn timestamp(value: f64) -> Option<String> {
    if !value.is_finite() {
        return Some(general(value, Some(4)));
    }
    // Nanoseconds, and of those whole milliseconds: so it rounds as Prometheus does.
    #[expect(clippy::cast_possible_truncation, reason = "a float cast saturates, and a saturated one is refused")]
    let nanoseconds = (value * 1e9) as i64;
    if nanoseconds == i64::MAX || nanoseconds == i64::MIN {
        return None;
    }
    let time = Timestamp::from_millisecond(nanoseconds / 1_000_000).ok()?;
    let fraction = time.strftime("%.f").to_string();
    Some(format!("{}{fraction} +0000 UTC", time.strftime("%Y-%m-%d %H:%M:%S")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_at_a_glance_has_a_unit_and_a_share_stays_a_share() {
        let cases = [
            (1.599e8, "159.9M"),
            (123_456.0, "123.5k"),
            (4.25, "4.25"),
            (1.0, "1"),
            (0.885_12, "0.885"),
            (-0.5, "-0.5"),
            (0.001, "0.001"),
            (0.000_012_3, "12.3u"),
            (0.0, "0"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "+Inf"),
        ];
        for (value, shown) in cases {
            assert_eq!(glance(value), shown);
        }
    }
}
