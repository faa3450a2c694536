//! `[limits]` of a config file: from when on something is a finding, in general and for one target.
//!
//! The rows are `diagnose`'s; here are their values in a file, and the texts that list them. It judges nothing.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use toml::de::DeTable;

use super::file::Owner;
use super::option::{Kind, Opt};
use super::value::{Base, Value, shown_time};
use crate::diagnose::Limits;
use crate::diagnose::limits::{LIMITS, LimitSpec, STEPS, Unit};
use crate::keymap::source::{Source, SourceError, did_you_mean, in_order};

/// Below a tenth of a second everything is late; what may last for longer than thirty days is no limit.
const TIME: Kind = Kind::Time(Duration::from_millis(100), Duration::from_secs(30 * 24 * 3600));

/// Width of the example's lines.
const WIDTH: usize = 80;

/// A limit that was set.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Figure {
    value: f64,
    /// Whose file says it, and where.
    owner: Owner,
    file: String,
    line: usize,
}

/// The limits that one section sets, by their names.
pub(super) type Given = BTreeMap<&'static str, Figure>;

/// True for the limit that is an option of its own, for it can be changed while the console runs.
fn is_option(spec: &LimitSpec) -> bool {
    spec.name == "slow"
}

fn kind(unit: Unit) -> Kind {
    match unit {
        Unit::Seconds => TIME,
        Unit::Bytes => Kind::Bytes,
        Unit::Share | Unit::Times => Kind::Share,
        Unit::Count => Kind::Count,
    }
}

/// Reads one section.
pub(super) fn read(source: Source<'_>, table: &DeTable<'_>, owner: Owner) -> Result<Given, SourceError> {
    let mut given = Given::new();
    for (key, value) in in_order(table) {
        let name: &str = key.get_ref();
        let line = source.line_of(&key.span());
        let Some(spec) = LIMITS.iter().find(|s| s.name == name) else {
            let names = LIMITS.iter().filter(|s| !is_option(s)).map(|s| s.name);
            return Err(source.error_on(line, format!("no limit is called `{name}`{}", did_you_mean(name, names))));
        };
        if is_option(spec) {
            let option = Opt::SlowAfter.spec().key();
            return Err(source.error_on(line, format!("`{name}` is no limit of its own: `{option}` above sets it")));
        }
        let read = kind(spec.unit).read_toml(value.get_ref(), &Base::default());
        let value = read
            .and_then(|value| figure(&value).ok_or_else(|| "is no figure".to_owned()))
            .map_err(|message| source.error_on(line, format!("{name}: {message}")))?;
        given.insert(spec.name, Figure { value, owner, file: source.name.to_owned(), line });
    }
    Ok(given)
}

/// What a value comes to in its limit's unit; none where it is no figure.
#[expect(clippy::cast_precision_loss, reason = "a limit of bytes is round, or its last digits do not matter")]
fn figure(value: &Value) -> Option<f64> {
    match value {
        Value::Time(span) => Some(span.as_secs_f64()),
        Value::Bytes(bytes) => Some(*bytes as f64),
        Value::Share(ten_thousandths) => Some(f64::from(*ten_thousandths) / 1e4),
        Value::Count(count) => Some(f64::from(*count)),
        Value::Switch(_)
        | Value::Text(_)
        | Value::List(_)
        | Value::Policy(_)
        | Value::Patterns(_)
        | Value::Syslog(_)
        | Value::Dependencies(_) => None,
    }
}

/// The limits of several sections, the later ones over the earlier ones, over the defaults.
///
/// A second step that nobody set is not below a first that somebody did. What can never be found is a warning.
///
/// # Errors
/// Where the user's file says both steps, and the second lies below the first. Else it is a warning: who looks may not be able
/// to mend the system's file.
pub(super) fn settled(sections: &[Given], warnings: &mut Vec<String>) -> Result<Limits, SourceError> {
    let mut limits = Limits::default();
    let given: BTreeMap<&str, &Figure> = sections.iter().flatten().map(|(name, figure)| (*name, figure)).collect();
    for spec in LIMITS {
        let Some(figure) = given.get(spec.name) else { continue };
        (spec.set)(&mut limits, figure.value);
        // Of a whole there is no more than all of it.
        if spec.unit == Unit::Share && figure.value > 1.0 {
            let message =
                format!("{}: `{}` is more than 100%: it is never reached", spec.name, shown(spec, figure.value));
            warnings.push(SourceError { file: figure.file.clone(), line: figure.line, message }.to_string());
        }
    }
    for (first, second) in STEPS {
        let Some(error) = contradiction(&given, first, second) else { continue };
        let owner = |name: &str| given.get(name).map(|figure| figure.owner);
        match (owner(first), owner(second)) {
            (Some(_), None) => lift(&mut limits, second, given[first].value),
            (Some(Owner::User), Some(Owner::User)) => return Err(error),
            (_, _) => warnings.push(error.to_string()),
        }
    }
    Ok(limits)
}

/// Sets the limit of that name.
fn lift(limits: &mut Limits, name: &str, value: f64) {
    if let Some(spec) = LIMITS.iter().find(|spec| spec.name == name) {
        (spec.set)(limits, value);
    }
}

/// That the second of two steps lies below the first, on the line of the user's that says so, else on the system's.
fn contradiction(given: &BTreeMap<&str, &Figure>, first: &str, second: &str) -> Option<SourceError> {
    let step = |name: &str| LIMITS.iter().find(|spec| spec.name == name).map(|spec| (spec, given.get(name)));
    let ((low, low_given), (high, high_given)) = (step(first)?, step(second)?);
    let value = |spec: &LimitSpec, given: Option<&&Figure>| given.map_or(spec.default, |figure| figure.value);
    if value(high, high_given) >= value(low, low_given) {
        return None;
    }
    let own = |given: &&&Figure| given.owner == Owner::User;
    let at = high_given.filter(own).or(low_given.filter(own)).or(high_given).or(low_given)?;
    let said = |spec: &LimitSpec, given: Option<&&Figure>| match given {
        Some(f) if f.file == at.file && f.line == at.line => shown(spec, f.value),
        Some(f) if f.file == at.file => format!("{}, line {}", shown(spec, f.value), f.line),
        Some(f) => format!("{}, {}:{}", shown(spec, f.value), f.file, f.line),
        None => format!("{} by default", shown(spec, spec.default)),
    };
    let (low, high) = (said(low, low_given), said(high, high_given));
    let message = format!("`{second}` ({high}) is the second step after `{first}` ({low}), and must not lie below it");
    Some(SourceError { file: at.file.clone(), line: at.line, message })
}

/// A limit's figure as a file would say it.
fn shown(spec: &LimitSpec, figure: f64) -> String {
    match spec.unit {
        Unit::Seconds => shown_time(Duration::from_secs_f64(figure)),
        Unit::Bytes => {
            const UNITS: [(&str, f64); 3] = [("GB", 1_073_741_824.0), ("MB", 1_048_576.0), ("kB", 1024.0)];
            let whole = UNITS.into_iter().find(|(_, size)| figure >= *size && figure % size == 0.0);
            whole.map_or_else(|| format!("{figure}B"), |(unit, size)| format!("{}{unit}", figure / size))
        }
        // A share is counted in ten-thousandths.
        Unit::Share | Unit::Times => format!("{}%", (figure * 1e4).round() / 100.0),
        Unit::Count => format!("{figure}"),
    }
}

/// The same as TOML writes it.
fn shown_toml(spec: &LimitSpec) -> String {
    let figure = shown(spec, spec.default);
    if spec.unit == Unit::Count { figure } else { format!("\"{figure}\"") }
}

/// The example's section: each limit with what it does and its default.
pub(super) fn example() -> String {
    let mut out = String::from(
        "\n# -- Limits ----------------------------------------------------------------------\n\n\
         # From when on something is a finding: here for every server, and in [target.NAME.limits]\n\
         # for one. What a statement has to run for to be slow is `slow_after`, above.\n#[limits]\n",
    );
    for spec in LIMITS.iter().filter(|s| !is_option(s)) {
        // Writing to a String does not fail.
        let _ = write!(out, "{}#{} = {}\n\n", commented(spec.help), spec.name, shown_toml(spec));
    }
    out.push_str("#[target.shop.limits]\n#connections = \"90%\"\n");
    out
}

/// A sentence as lines of comment.
fn commented(text: &str) -> String {
    let mut out = String::from("#");
    let mut width = 1;
    for word in text.split(' ') {
        if width + 1 + word.chars().count() > WIDTH {
            out.push_str("\n#");
            width = 1;
        }
        out.push(' ');
        out.push_str(word);
        width += 1 + word.chars().count();
    }
    out.push('\n');
    out
}

/// One row per limit. The README holds this text and a test compares.
#[must_use]
pub fn limits_markdown() -> String {
    let mut out = String::from("| limit | default | what it does |\n|---|---|---|\n");
    for spec in LIMITS.iter().filter(|s| !is_option(s)) {
        let _ = writeln!(out, "| `{}` | `{}` | {} |", spec.name, shown(spec, spec.default), spec.help);
    }
    out
}
