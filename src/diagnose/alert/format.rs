//! Numbers as Go's `fmt` writes them: what a template prints must be what Prometheus would have sent.
//!
//! The verbs `%v`, `%g`, `%e`, `%f`, `%s`, `%d`, `%q` and `%%` with flags, width and precision; nothing else.

use super::template::Value;

/// strconv's choice where the shortest digits are asked for: a million is `1e+06`.
const SHORTEST: i32 = 6;

/// `%v` of a float: the shortest digits that read back, with an exponent where Go has one.
#[must_use]
pub fn plain(value: f64) -> String {
    general(value, None)
}

/// `%.Ng`; none is the shortest.
#[must_use]
pub fn general(value: f64, precision: Option<usize>) -> String {
    if let Some(word) = word(value) {
        return word.to_owned();
    }
    let scientific = match precision {
        Some(p) => format!("{value:.*e}", p.max(1) - 1),
        None => format!("{value:e}"),
    };
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let mantissa = if mantissa.contains('.') { mantissa.trim_end_matches('0').trim_end_matches('.') } else { mantissa };
    // strconv: an exponent from the asked number of digits on, and from the sixth where the shortest are asked for.
    let most = precision.map_or(SHORTEST, |p| i32::try_from(p.max(1)).unwrap_or(i32::MAX));
    if exponent < -4 || exponent >= most {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
    let digits = mantissa.chars().filter(char::is_ascii_digit).count();
    let after = i32::try_from(digits).unwrap_or(0) - 1 - exponent;
    format!("{value:.*}", usize::try_from(after.max(0)).unwrap_or(0))
}

/// NaN and the infinities.
fn word(value: f64) -> Option<&'static str> {
    match value {
        v if v.is_nan() => Some("NaN"),
        v if v.is_infinite() => Some(if v > 0.0 { "+Inf" } else { "-Inf" }),
        _ => None,
    }
}

/// `printf`; none where the format asks for what is not known here, or does not fit its arguments.
#[must_use]
pub fn printf(format: &str, arguments: &[Value]) -> Option<String> {
    let (mut out, mut chars, mut arguments) = (String::new(), format.chars().peekable(), arguments.iter());
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let (mut left, mut zero, mut plus) = (false, false, false);
        while let Some(flag) = chars.next_if(|c| matches!(c, '-' | '0' | '+')) {
            left |= flag == '-';
            zero |= flag == '0';
            plus |= flag == '+';
        }
        let mut number = || {
            let mut digits = String::new();
            while let Some(digit) = chars.next_if(char::is_ascii_digit) {
                digits.push(digit);
            }
            digits
        };
        let width = number().parse::<usize>().unwrap_or(0).min(200);
        let precision = if chars.next_if_eq(&'.').is_some() {
            let mut digits = String::new();
            while let Some(digit) = chars.next_if(char::is_ascii_digit) {
                digits.push(digit);
            }
            Some(digits.parse::<usize>().unwrap_or(0).min(100))
        } else {
            None
        };
        let verb = chars.next()?;
        if verb == '%' {
            out.push('%');
            continue;
        }
        let argument = arguments.next()?;
        let mut text = written(verb, precision, argument)?;
        let numeric = matches!(argument, Value::Number(_) | Value::Whole(_)) && verb != 'v';
        if plus && numeric && !text.starts_with(['-', '+']) {
            text.insert(0, '+');
        }
        let missing = width.saturating_sub(text.chars().count());
        if left {
            text.push_str(&" ".repeat(missing));
        } else if zero && numeric && text.chars().any(|c| c.is_ascii_digit()) {
            let at = usize::from(text.starts_with(['-', '+']));
            text.insert_str(at, &"0".repeat(missing));
        } else {
            text.insert_str(0, &" ".repeat(missing));
        }
        out.push_str(&text);
    }
    // Go would append `%!(EXTRA …)`.
    arguments.next().is_none().then_some(out)
}

fn written(verb: char, precision: Option<usize>, argument: &Value) -> Option<String> {
    match (verb, argument) {
        ('s' | 'v', Value::Text(text)) => {
            Some(precision.map_or_else(|| text.clone(), |most| text.chars().take(most).collect()))
        }
        ('q', Value::Text(text)) => plain_quoted(text),
        ('v' | 'g', Value::Number(v)) => Some(general(*v, precision)),
        ('f', Value::Number(v)) => {
            Some(word(*v).map_or_else(|| format!("{v:.*}", precision.unwrap_or(6)), str::to_owned))
        }
        ('e', Value::Number(v)) => Some(word(*v).map_or_else(|| exponent(*v, precision.unwrap_or(6)), str::to_owned)),
        ('d' | 'v', Value::Whole(n)) => Some(n.to_string()),
        _ => None,
    }
}

fn exponent(value: f64, precision: usize) -> String {
    let text = format!("{value:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    format!("{mantissa}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
}

/// Go's quotes, for a text without anything that would need an escape of its own.
fn plain_quoted(text: &str) -> Option<String> {
    text.chars().all(|c| c == ' ' || c.is_ascii_graphic()).then(|| {
        let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
        format!("\"{escaped}\"")
    })
}
