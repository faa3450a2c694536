//! Units as types, and how a figure of each is written in the room of a table cell.

use serde::{Deserialize, Serialize};

/// How much a figure asks for attention. Colour follows from it, and so does a mark: colour never speaks alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Tone {
    /// Nothing to say about it.
    #[default]
    Plain,
    /// Background: idle, old, not the point.
    Faint,
    /// Healthy, and worth saying.
    Good,
    /// Worth a look.
    Notice,
    /// Something is wrong or soon will be.
    Warning,
    /// It hurts now.
    Critical,
}

/// A number of bytes, written in powers of 1024 with one letter, as PostgreSQL's own settings read them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bytes(pub i64);

impl Bytes {
    /// `0 B`, `17 kB`, `1.4 MB`, `312 GB`; a negative figure keeps its sign.
    #[must_use]
    pub fn short(self) -> String {
        const UNITS: [&str; 6] = ["B", "kB", "MB", "GB", "TB", "PB"];
        #[expect(clippy::cast_precision_loss, reason = "shown with at most three digits")]
        let mut figure = self.0 as f64;
        let mut unit = 0;
        while figure.abs() >= 999.5 && unit + 1 < UNITS.len() {
            figure /= 1024.0;
            unit += 1;
        }
        let name = UNITS.get(unit).copied().unwrap_or("B");
        if unit > 0 && figure.abs() < 9.95 { format!("{figure:.1} {name}") } else { format!("{figure:.0} {name}") }
    }
}

/// A span of time in seconds: how long something has been so.
#[derive(Debug, Clone, Copy, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Age(pub f64);

impl Age {
    /// One unit: `0.4s`, `48s`, `12m`, `3h`, `2d`. Whole seconds from ten on, so that a row is not redrawn for a tenth.
    #[must_use]
    pub fn short(self) -> String {
        let s = self.0.max(0.0);
        if s < 9.95 {
            format!("{s:.1}s")
        } else if s < 60.0 {
            format!("{:.0}s", s.floor())
        } else if s < 3600.0 {
            format!("{:.0}m", (s / 60.0).floor())
        } else if s < 48.0 * 3600.0 {
            format!("{:.0}h", (s / 3600.0).floor())
        } else {
            format!("{:.0}d", (s / 86400.0).floor())
        }
    }

    /// Exact enough to argue with: `0.412 s`, `12m03s`, `3h04m07s`, `2d03h04m`.
    #[must_use]
    pub fn exact(self) -> String {
        let s = self.0.max(0.0);
        if s < 60.0 {
            return format!("{s:.3} s");
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "not negative, and an age in seconds fits"
        )]
        let whole = s as u64;
        let (d, h, m, s) = (whole / 86400, whole / 3600 % 24, whole / 60 % 60, whole % 60);
        if d > 0 {
            format!("{d}d{h:02}h{m:02}m")
        } else if h > 0 {
            format!("{h}h{m:02}m{s:02}s")
        } else {
            format!("{m}m{s:02}s")
        }
    }
}

/// A plain count or rate with at most four characters of digits: `0`, `7.2`, `940`, `12k`, `3.4M`.
#[must_use]
pub fn short_count(figure: f64) -> String {
    const UNITS: [&str; 5] = ["", "k", "M", "G", "T"];
    let mut f = figure;
    let mut unit = 0;
    while f.abs() >= 999.5 && unit + 1 < UNITS.len() {
        f /= 1000.0;
        unit += 1;
    }
    let name = UNITS.get(unit).copied().unwrap_or("");
    let whole = (f - f.round()).abs() < 1e-9 && unit == 0;
    if whole || f.abs() >= 9.95 { format!("{f:.0}{name}") } else { format!("{f:.1}{name}") }
}

/// `1 session`, `37 sessions`.
#[must_use]
pub fn counted(count: usize, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_in_three_digits() {
        let shown: Vec<String> =
            [0, 999, 1024, 10_000, 1_500_000, 15 << 30, -2048].map(|b| Bytes(b).short()).into_iter().collect();
        assert_eq!(shown, ["0 B", "999 B", "1.0 kB", "9.8 kB", "1.4 MB", "15 GB", "-2.0 kB"]);
    }

    #[test]
    fn an_age_shows_one_unit_and_never_below_zero() {
        let shown: Vec<String> =
            [-3.0, 0.44, 9.96, 59.9, 61.0, 3599.0, 7300.0, 200_000.0].map(|s| Age(s).short()).into();
        assert_eq!(shown, ["0.0s", "0.4s", "9s", "59s", "1m", "59m", "2h", "2d"]);
        assert_eq!(Age(723.4).exact(), "12m03s");
        assert_eq!(Age(11_047.0).exact(), "3h04m07s");
    }

    #[test]
    fn counts_keep_four_characters() {
        let shown: Vec<String> = [0.0, 7.25, 8.0, 940.0, 12_345.0, 3_400_000.0].map(short_count).into();
        assert_eq!(shown, ["0", "7.2", "8", "940", "12k", "3.4M"]);
    }
}
