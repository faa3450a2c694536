//! Durations as Prometheus writes them: `1h30m`, `5m`, `250ms`, `0`.
//!
//! Source of the grammar: `ParseDuration` of prometheus/common. Units go from large to small, each at most once.

use std::fmt::Write as _;
use std::time::Duration;

/// The units with their milliseconds, in the order in which they may stand. A year has 365 days there.
const UNITS: [(&str, u64); 7] = [
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

/// Reads one.
///
/// # Errors
/// The sentence of Prometheus' own loader.
pub fn parse(text: &str) -> Result<Duration, String> {
    match text {
        "0" => return Ok(Duration::ZERO),
        "" => return Err("empty duration string".to_owned()),
        _ => {}
    }
    let wrong = || format!("not a valid duration string: \"{text}\"");
    let (mut rest, mut units, mut total) = (text, UNITS.iter(), 0u64);
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at_checked(digits).ok_or_else(wrong)?;
        let letters = after.bytes().take_while(u8::is_ascii_lowercase).count();
        let (unit, after) = after.split_at_checked(letters).ok_or_else(wrong)?;
        let (_, ms) = units.find(|(name, _)| *name == unit).ok_or_else(wrong)?;
        let part = number.parse::<u64>().map_err(|_| wrong())?.checked_mul(*ms);
        // Prometheus keeps nanoseconds in 63 bits.
        total = part
            .and_then(|part| part.checked_add(total))
            .filter(|ms| *ms <= 9_223_372_036_854)
            .ok_or("duration out of range")?;
        rest = after;
    }
    Ok(Duration::from_millis(total))
}

/// One as Prometheus writes it: the largest units that divide it; days and above only where nothing is left over.
#[must_use]
pub fn shown(duration: Duration) -> String {
    let mut ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if ms == 0 {
        return "0s".to_owned();
    }
    let mut out = String::new();
    for (name, unit) in UNITS {
        let exact_only = matches!(name, "y" | "w" | "d");
        if exact_only && !ms.is_multiple_of(unit) {
            continue;
        }
        if ms >= unit {
            // Writing to a String does not fail.
            let _ = write!(out, "{}{name}", ms / unit);
            ms %= unit;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_prometheus_reads_them() {
        let ms = |text| parse(text).map(|d| d.as_millis());
        for (text, expected) in
            [("0", 0), ("5m", 300_000), ("1h30m", 5_400_000), ("1d", 86_400_000), ("250ms", 250), ("1m1s1ms", 61_001)]
        {
            assert_eq!(ms(text), Ok(expected), "{text}");
        }
        for text in ["5", "m", "5 m", "1.5h", "30m1h", "5mm", "-5m", "2x", "5m5m", "5M"] {
            assert_eq!(ms(text), Err(format!("not a valid duration string: \"{text}\"")));
        }
        assert_eq!(ms(""), Err("empty duration string".into()));
        assert_eq!(ms("999999y"), Err("duration out of range".into()));
    }

    #[test]
    fn they_are_written_as_prometheus_writes_them() {
        for text in ["0s", "5m", "1h30m", "1d", "2w", "25h", "10s", "1m1s", "250ms"] {
            assert_eq!(shown(parse(text).unwrap()), text);
        }
    }
}
