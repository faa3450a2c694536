//! What the figures of a column are: in which unit they sort, which units a filter may give them, and which one a bare
//! number has.

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Names and texts, or a rank that is not shown: it is not compared with figures.
    Text,
    /// A count, an identity, or a rate of counts. A bare number is one of them.
    Count,
    /// Time, sorted in seconds. A bare number is seconds.
    Seconds,
    /// Time, sorted in milliseconds, as `pg_stat_statements` has it. A bare number is milliseconds.
    Milliseconds,
    /// A size, sorted in bytes. A bare number is bytes.
    Bytes,
    /// A share, sorted as 0 to 1 and shown in percents. A bare number is percents.
    Share,
}

const KB: f64 = 1024.0;

/// Units of a count.
const COUNTS: &[(&str, f64)] = &[("", 1.0), ("k", 1e3), ("M", 1e6), ("G", 1e9), ("T", 1e12)];

/// Units of a size, in powers of 1024 as PostgreSQL's own settings read them; the letter alone will do.
const BYTES: &[(&str, f64)] = &[
    ("", 1.0),
    ("B", 1.0),
    ("k", KB),
    ("kB", KB),
    ("KB", KB),
    ("kb", KB),
    ("M", KB * KB),
    ("MB", KB * KB),
    ("mb", KB * KB),
    ("G", KB * KB * KB),
    ("GB", KB * KB * KB),
    ("gb", KB * KB * KB),
    ("T", KB * KB * KB * KB),
    ("TB", KB * KB * KB * KB),
    ("tb", KB * KB * KB * KB),
];

/// Units of time, in seconds.
const SECONDS: &[(&str, f64)] =
    &[("", 1.0), ("us", 1e-6), ("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("min", 60.0), ("h", 3600.0), ("d", 86400.0)];

/// The same in milliseconds.
const MILLISECONDS: &[(&str, f64)] =
    &[("", 1.0), ("us", 1e-3), ("ms", 1.0), ("s", 1e3), ("m", 6e4), ("min", 6e4), ("h", 3.6e6), ("d", 8.64e7)];

/// Units of a share.
const SHARES: &[(&str, f64)] = &[("", 0.01), ("%", 0.01)];

impl Measure {
    fn units(self) -> &'static [(&'static str, f64)] {
        match self {
            Self::Text => &[],
            Self::Count => COUNTS,
            Self::Seconds => SECONDS,
            Self::Milliseconds => MILLISECONDS,
            Self::Bytes => BYTES,
            Self::Share => SHARES,
        }
    }

    /// What it reads, in words.
    #[must_use]
    pub fn wants(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Count => "number such as 500, 30k or 2M",
            Self::Seconds => "time such as 30s, 5m or 2h; without a unit it is seconds",
            Self::Milliseconds => "time such as 250ms, 1.5s or 2m; without a unit it is milliseconds",
            Self::Bytes => "size such as 512kB, 10MB or 2GB; without a unit it is bytes",
            Self::Share => "share such as 5 or 80%; both are percents",
        }
    }

    /// True where a figure may have that unit.
    #[must_use]
    pub fn has(self, unit: &str) -> bool {
        !unit.is_empty() && self.units().iter().any(|(name, _)| *name == unit)
    }

    /// Reads a figure with or without its unit into the unit that its column sorts in; none where it has a unit of
    /// something else, or is no figure.
    #[must_use]
    pub fn read(self, text: &str) -> Option<f64> {
        let text = text.trim();
        let digits = text.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-')).unwrap_or(text.len());
        let (figure, unit) = text.split_at_checked(digits)?;
        let figure: f64 = figure.parse().ok()?;
        let (_, factor) = self.units().iter().find(|(name, _)| *name == unit.trim())?;
        Some(figure * factor)
    }

    /// Reads the figure that a cell begins with: `~42 MB 94%`, `7.5s auto`. None where it begins with none.
    #[must_use]
    pub fn read_cell(self, cell: &str) -> Option<f64> {
        let cell = cell.trim().trim_start_matches('~');
        let mut words = cell.split(' ');
        let first = words.next()?;
        let joined = words.next().and_then(|unit| self.has(unit).then(|| self.read(&format!("{first}{unit}"))));
        joined.unwrap_or_else(|| self.read(first))
    }
}
