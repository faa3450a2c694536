//! Values of settings as PostgreSQL reads and writes them: `1500ms` is `1500ms`, `1000` of a time is `1s`, `0.5 GB` is
//! `512MB` (`guc.c`: `parse_int`, `parse_real`, `convert_to_base_unit`, `convert_int_from_base_unit`).
//!
//! It is stricter where that costs nothing: no hexadecimal, no octal, no words that the server keeps for old clients.

use serde::{Deserialize, Serialize};

use super::Setting;

/// `vartype`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// `bool`
    Bool,
    /// `integer`
    Integer,
    /// `real`
    Real,
    /// `enum`
    Enum,
    /// `string`: never offered, since a list in it has quoting of its own.
    Text,
}

impl Kind {
    /// The kind of that `vartype`.
    #[must_use]
    pub fn of(vartype: &str) -> Self {
        match vartype {
            "bool" => Self::Bool,
            "integer" => Self::Integer,
            "real" => Self::Real,
            "enum" => Self::Enum,
            _ => Self::Text,
        }
    }
}

/// A value that the server would take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// In the setting's unit, as `pg_settings` has it.
    pub raw: String,
    /// As the server shows it, and as it is written.
    pub text: String,
}

/// Units of one base unit with their size in it, largest first.
fn units(base: &str) -> &'static [(&'static str, f64)] {
    const K: f64 = 1024.0;
    match base {
        "B" => &[("TB", K * K * K * K), ("GB", K * K * K), ("MB", K * K), ("kB", K), ("B", 1.0)],
        "kB" => &[("TB", K * K * K), ("GB", K * K), ("MB", K), ("kB", 1.0), ("B", 1.0 / K)],
        "8kB" => {
            &[("TB", K * K * K / 8.0), ("GB", K * K / 8.0), ("MB", K / 8.0), ("kB", 1.0 / 8.0), ("B", 1.0 / (8.0 * K))]
        }
        "MB" => &[("TB", K * K), ("GB", K), ("MB", 1.0), ("kB", 1.0 / K), ("B", 1.0 / (K * K))],
        "ms" => &[
            ("d", 86_400_000.0),
            ("h", 3_600_000.0),
            ("min", 60_000.0),
            ("s", 1000.0),
            ("ms", 1.0),
            ("us", 1.0 / 1000.0),
        ],
        "s" => &[
            ("d", 86_400.0),
            ("h", 3600.0),
            ("min", 60.0),
            ("s", 1.0),
            ("ms", 1.0 / 1000.0),
            ("us", 1.0 / 1_000_000.0),
        ],
        "min" => &[
            ("d", 1440.0),
            ("h", 60.0),
            ("min", 1.0),
            ("s", 1.0 / 60.0),
            ("ms", 1.0 / 60_000.0),
            ("us", 1.0 / 60_000_000.0),
        ],
        _ => &[],
    }
}

/// Reads what was typed as a value of `setting`.
///
/// # Errors
/// A sentence that says what it wants instead.
pub fn read(setting: &Setting, typed: &str) -> Result<Value, String> {
    let typed = typed.trim();
    let raw = match setting.kind {
        Kind::Bool => boolean(typed)?.to_owned(),
        Kind::Enum => word(setting, typed)?,
        Kind::Integer => {
            let number = number(setting, typed)?.round_ties_even();
            bounded(setting, number)?;
            format!("{number:.0}")
        }
        Kind::Real => {
            let number = number(setting, typed)?;
            bounded(setting, number)?;
            general(number)
        }
        Kind::Text => return Err("a text, perhaps a list: not changed from here".to_owned()),
    };
    let text = shown(&raw, setting.kind, setting.unit.as_deref());
    Ok(Value { raw, text })
}

/// A value in its unit as `SHOW` writes it.
#[must_use]
pub fn shown(raw: &str, kind: Kind, unit: Option<&str>) -> String {
    let table = unit.map_or(&[][..], units);
    match (kind, raw.parse::<f64>()) {
        (Kind::Integer, Ok(value)) if value > 0.0 && !table.is_empty() => {
            let fits = |size: f64| size <= 1.0 || value % size == 0.0;
            let found = table.iter().find(|(_, size)| fits(*size));
            found
                .map_or_else(|| raw.to_owned(), |(unit, size)| format!("{:.0}{unit}", (value / size).round_ties_even()))
        }
        (Kind::Real, Ok(value)) if value > 0.0 && !table.is_empty() => {
            let near = |size: f64| ((value / size).round_ties_even() / (value / size) - 1.0).abs() <= 1e-8;
            let found = table.iter().find(|(_, size)| near(*size)).or(table.last());
            found.map_or_else(|| raw.to_owned(), |(unit, size)| format!("{}{unit}", general(value / size)))
        }
        (Kind::Bool | Kind::Integer | Kind::Real | Kind::Enum | Kind::Text, _) => raw.to_owned(),
    }
}

/// `on` and `off`, and what stands for them, down to the shortest beginning that is no other word's.
fn boolean(typed: &str) -> Result<&'static str, String> {
    let word = typed.to_ascii_lowercase();
    let begins = |whole: &str, least: usize| word.len() >= least && whole.starts_with(&word);
    if word == "1" || word == "on" || begins("true", 1) || begins("yes", 1) {
        Ok("on")
    } else if word == "0" || begins("off", 2) || begins("false", 1) || begins("no", 1) {
        Ok("off")
    } else {
        Err("on or off".to_owned())
    }
}

fn word(setting: &Setting, typed: &str) -> Result<String, String> {
    let found = setting.words.iter().find(|word| word.eq_ignore_ascii_case(typed));
    found.cloned().ok_or_else(|| format!("one of {}", setting.words.join(", ")))
}

/// The number in the setting's unit.
fn number(setting: &Setting, typed: &str) -> Result<f64, String> {
    let end = typed.find(|c: char| !matches!(c, '0'..='9' | '.' | '+' | '-')).unwrap_or(typed.len());
    // Neither sign nor point nor digit is longer than a byte.
    let (figure, unit) = typed.split_at_checked(end).unwrap_or((typed, ""));
    let octal = figure.len() > 1 && figure.starts_with('0') && !figure.contains('.');
    let figure: f64 = figure.parse().ok().filter(|_| !octal).ok_or_else(|| wanted(setting))?;
    let unit = unit.trim();
    if unit.is_empty() {
        return Ok(figure);
    }
    let table = setting.unit.as_deref().map_or(&[][..], units);
    let at = table.iter().position(|(name, _)| *name == unit).ok_or_else(|| wanted(setting))?;
    let (_, size) = table.get(at).copied().unwrap_or(("", 1.0));
    let value = figure * size;
    // A fraction of a unit is rounded to whole ones of the next smaller: 0.1GB are 102MB.
    Ok(match table.get(at + 1) {
        Some((_, smaller)) if figure.fract() != 0.0 => (value / smaller).round_ties_even() * smaller,
        Some(_) | None => value,
    })
}

fn wanted(setting: &Setting) -> String {
    let units: Vec<&str> = setting.unit.as_deref().map_or(&[][..], units).iter().map(|(name, _)| *name).collect();
    let what = if setting.kind == Kind::Integer { "a whole number" } else { "a number" };
    if units.is_empty() { what.to_owned() } else { format!("a number and one of {}", units.join(", ")) }
}

fn bounded(setting: &Setting, value: f64) -> Result<(), String> {
    let bound = |bound: &Option<String>| bound.as_ref().and_then(|b| b.parse::<f64>().ok());
    let below = bound(&setting.min).is_some_and(|min| value < min);
    let above = bound(&setting.max).is_some_and(|max| value > max);
    if !below && !above {
        return Ok(());
    }
    let show = |bound: &Option<String>| bound.as_deref().map_or_else(|| "…".to_owned(), |b| setting.show(b));
    Err(format!("from {} to {}", show(&setting.min), show(&setting.max)))
}

/// A number as C's `%g` writes it: six digits that count, no zeros behind them.
fn general(number: f64) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    let scientific = format!("{number:.5e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trimmed = |text: &str| {
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text.to_owned() }
    };
    if (-4..6).contains(&exponent) {
        let decimals = usize::try_from(5 - exponent).unwrap_or(0);
        trimmed(&format!("{number:.decimals$}"))
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{}e{sign}{:02}", trimmed(mantissa), exponent.abs())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Entry;
    use super::*;

    fn setting(kind: Kind, unit: Option<&str>, bounds: (&str, &str)) -> Setting {
        Setting {
            name: "a".to_owned(),
            value: "0".to_owned(),
            unit: unit.map(str::to_owned),
            kind,
            context: "user".to_owned(),
            source: "default".to_owned(),
            file: None,
            boot: None,
            min: Some(bounds.0.to_owned()),
            max: Some(bounds.1.to_owned()),
            words: vec!["none".to_owned(), "ddl".to_owned(), "mod".to_owned(), "all".to_owned()],
            pending_restart: false,
            may_alter: true,
            entry: Entry::Absent,
            exact: true,
            error: None,
            overrides: Vec::new(),
        }
    }

    fn text(setting: &Setting, typed: &str) -> String {
        read(setting, typed).map_or_else(|wanted| format!("! {wanted}"), |value| value.text)
    }

    #[test]
    fn a_value_becomes_what_the_server_makes_of_it() {
        let ms = setting(Kind::Integer, Some("ms"), ("-1", "2147483647"));
        for (typed, shown) in [
            ("1000", "1s"),
            ("1s", "1s"),
            (" 1.5 s ", "1500ms"),
            ("90s", "90s"),
            ("60s", "1min"),
            ("-1", "-1"),
            ("0", "0"),
            ("1d", "1d"),
            ("1500us", "2ms"),
            ("500us", "0"),
        ] {
            assert_eq!(text(&ms, typed), shown, "{typed}");
        }
        let kb = setting(Kind::Integer, Some("kB"), ("64", "2147483647"));
        for (typed, shown) in
            [("128MB", "128MB"), ("131072", "128MB"), ("0.5GB", "512MB"), ("0.1GB", "102MB"), ("1025kB", "1025kB")]
        {
            assert_eq!(text(&kb, typed), shown, "{typed}");
        }
        let blocks = setting(Kind::Integer, Some("8kB"), ("16", "1073741823"));
        assert_eq!((text(&blocks, "16384"), text(&blocks, "129kB")), ("128MB".to_owned(), "128kB".to_owned()));
        let plain = setting(Kind::Real, None, ("0", "100"));
        assert_eq!((text(&plain, "0.10"), text(&plain, "1e1")), ("0.1".to_owned(), "! a number".to_owned()));
        let real = setting(Kind::Real, Some("ms"), ("-1", "100"));
        assert_eq!(
            (text(&real, "2"), text(&real, "0.5"), text(&real, "-1")),
            ("2ms".into(), "500us".into(), "-1".into())
        );
    }

    #[test]
    fn what_the_server_would_refuse_is_refused_with_what_it_wants() {
        let ms = setting(Kind::Integer, Some("ms"), ("-1", "2147483647"));
        assert_eq!(text(&ms, "1 hour"), "! a number and one of d, h, min, s, ms, us");
        assert_eq!(text(&ms, "1S"), "! a number and one of d, h, min, s, ms, us", "units have their own case");
        assert_eq!(text(&ms, "-2"), "! from -1 to 2147483647ms");
        for typed in ["", "-", "'1s'", "1s; DROP TABLE a", "0x10", "010", "1,000", "nan", "é"] {
            assert!(text(&ms, typed).starts_with("! "), "{typed}");
        }
        let list = setting(Kind::Text, None, ("", ""));
        assert!(text(&list, "a,b").starts_with("! a text"));
    }

    #[test]
    fn words_and_truth_values() {
        let word = setting(Kind::Enum, None, ("", ""));
        assert_eq!(
            (text(&word, "ALL"), text(&word, "al")),
            ("all".to_owned(), "! one of none, ddl, mod, all".to_owned())
        );
        let flag = setting(Kind::Bool, None, ("", ""));
        for (typed, shown) in [
            ("ON", "on"),
            ("t", "on"),
            ("1", "on"),
            ("of", "off"),
            ("n", "off"),
            ("o", "! on or off"),
            ("", "! on or off"),
        ] {
            assert_eq!(text(&flag, typed), shown, "{typed}");
        }
    }

    #[test]
    fn a_number_is_written_as_c_writes_it() {
        for (number, written) in
            [(0.1, "0.1"), (100.0, "100"), (0.000_01, "1e-05"), (1_234_567.0, "1.23457e+06"), (0.012_5, "0.0125")]
        {
            assert_eq!(general(number), written);
        }
    }
}
