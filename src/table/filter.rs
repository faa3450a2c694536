//! The filter of a list: `text`, `!text`, `/regex/`, `column:text`, `column>30s`, joined by blanks, all of them.
//!
//! It matches what the server sent, not what the screen shows of it.

use regex::{Regex, RegexBuilder};

use super::{Column, SortKey};

/// A filter as it was typed, and what it means.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    text: String,
    terms: Vec<Term>,
}

#[derive(Debug, Clone)]
struct Term {
    /// Which column; none for all of them.
    column: Option<usize>,
    test: Test,
    negated: bool,
}

#[derive(Debug, Clone)]
enum Test {
    Contains(String),
    Matches(Regex),
    Compares(Comparison, f64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Greater,
    Less,
    Equal,
}

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// A sentence that says what is wrong, for the line below the input.
    pub fn parse<R>(text: &str, columns: &[Column<R>]) -> Result<Self, String> {
        let mut terms = Vec::new();
        for word in words(text) {
            terms.push(term(&word, columns)?);
        }
        Ok(Self { text: text.trim().to_owned(), terms })
    }

    /// As it was typed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// True where it lets everything through.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// True where the row passes all terms.
    pub fn matches<R>(&self, row: &R, columns: &[Column<R>]) -> bool {
        self.terms.iter().all(|term| {
            let hit = match term.column {
                Some(i) => columns.get(i).is_some_and(|c| term.test.holds(&(c.key)(row), &(c.cell)(row).text)),
                None => columns.iter().any(|c| term.test.holds(&(c.key)(row), &(c.cell)(row).text)),
            };
            hit != term.negated
        })
    }
}

impl Test {
    fn holds(&self, key: &SortKey, shown: &str) -> bool {
        match self {
            // Raw first: a name must be found by what it is; then as shown, so that what one reads can be typed.
            Self::Contains(needle) => {
                matches!(key, SortKey::Text(raw) if raw.to_lowercase().contains(needle))
                    || shown.to_lowercase().contains(needle)
            }
            Self::Matches(regex) => matches!(key, SortKey::Text(raw) if regex.is_match(raw)) || regex.is_match(shown),
            Self::Compares(how, figure) => match (how, key) {
                (Comparison::Greater, SortKey::Number(n)) => n > figure,
                (Comparison::Less, SortKey::Number(n)) => n < figure,
                (Comparison::Equal, SortKey::Number(n)) => (n - figure).abs() < f64::EPSILON,
                (Comparison::Greater | Comparison::Less | Comparison::Equal, SortKey::Text(_) | SortKey::Unknown) => {
                    false
                }
            },
        }
    }
}

/// Splits at blanks, but not inside `/…/` or `"…"`.
fn words(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut word = String::new();
    let mut inside: Option<char> = None;
    let mut escaped = false;
    for c in text.chars() {
        match inside {
            Some(end) => {
                word.push(c);
                if c == end && !escaped {
                    inside = None;
                }
            }
            None if c.is_whitespace() => {
                if !word.is_empty() {
                    out.push(std::mem::take(&mut word));
                }
            }
            None => {
                let opens = word.is_empty() || word == "!" || word.ends_with(':');
                if opens && (c == '/' || c == '"') {
                    inside = Some(c);
                }
                word.push(c);
            }
        }
        escaped = c == '\\' && !escaped;
    }
    if !word.is_empty() {
        out.push(word);
    }
    out
}

fn term<R>(word: &str, columns: &[Column<R>]) -> Result<Term, String> {
    let (negated, rest) = match word.strip_prefix('!') {
        Some(rest) if !rest.is_empty() => (true, rest),
        Some(_) | None => (false, word),
    };
    for (sign, how) in [('>', Comparison::Greater), ('<', Comparison::Less), ('=', Comparison::Equal)] {
        if let Some((name, figure)) = rest.split_once(sign)
            && let Some(column) = find(name, columns)
        {
            let figure =
                number(figure).ok_or_else(|| format!("`{figure}` is no figure such as 30s, 5m, 10MB or 80%"))?;
            return Ok(Term { column: Some(column), test: Test::Compares(how, figure), negated });
        }
    }
    if let Some((name, text)) = rest.split_once(':')
        && let Some(column) = find(name, columns)
    {
        return Ok(Term { column: Some(column), test: text_test(text)?, negated });
    }
    Ok(Term { column: None, test: text_test(rest)?, negated })
}

fn find<R>(name: &str, columns: &[Column<R>]) -> Option<usize> {
    let name = name.to_lowercase();
    columns
        .iter()
        .position(|c| c.name == name)
        .or_else(|| (!name.is_empty()).then(|| columns.iter().position(|c| c.name.starts_with(&name)))?)
}

fn text_test(text: &str) -> Result<Test, String> {
    if let Some(body) = text.strip_prefix('/') {
        let body = body.strip_suffix('/').unwrap_or(body);
        // The bound keeps a typed expression from building an automaton of megabytes.
        return RegexBuilder::new(body).case_insensitive(true).size_limit(1 << 20).build().map(Test::Matches).map_err(
            |e| format!("`{body}` is no regular expression: {}", e.to_string().lines().last().unwrap_or_default()),
        );
    }
    let text = text.strip_prefix('"').map_or(text, |t| t.strip_suffix('"').unwrap_or(t));
    Ok(Test::Contains(text.to_lowercase()))
}

/// Reads a figure with its unit into the unit of sort keys: seconds, bytes, plain counts, ratios of 1.
fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let digits = text.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-')).unwrap_or(text.len());
    let (figure, unit) = text.split_at_checked(digits)?;
    let figure: f64 = figure.parse().ok()?;
    let factor = match unit.trim() {
        "" | "s" | "B" => 1.0,
        "ms" => 1e-3,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        "d" => 86400.0,
        "%" => 0.01,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "kB" | "kb" | "KB" => 1024.0,
        "MB" | "mb" => 1024.0 * 1024.0,
        "GB" | "gb" => 1024.0 * 1024.0 * 1024.0,
        "TB" | "tb" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    Some(figure * factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Align, Cell, Direction, Width};

    struct Thing {
        age: Option<f64>,
        query: &'static str,
    }

    const COLUMNS: &[Column<Thing>] = &[
        Column {
            name: "age",
            title: "",
            doc: "",
            width: Width::Fixed(4),
            align: Align::Right,
            rank: 0,
            first: Direction::Descending,
            cell: |t| Cell::plain(t.age.map_or(String::new(), |a| format!("{a}s"))),
            key: |t| SortKey::number(t.age),
        },
        Column {
            name: "query",
            title: "",
            doc: "",
            width: Width::Rest(10),
            align: Align::Left,
            rank: 0,
            first: Direction::Ascending,
            cell: |t| Cell::plain(t.query),
            key: |t| SortKey::Text(t.query.to_owned()),
        },
    ];

    fn passes(filter: &str) -> Vec<usize> {
        let things = [
            Thing { age: Some(12.0), query: "SELECT * FROM orders" },
            Thing { age: Some(95.0), query: "update orders set a = 1" },
            Thing { age: None, query: "vacuum customers" },
        ];
        let filter = Filter::parse(filter, COLUMNS).unwrap();
        (0..things.len()).filter(|i| filter.matches(&things[*i], COLUMNS)).collect()
    }

    #[test]
    fn every_form_of_the_grammar_filters() {
        let table: &[(&str, &[usize])] = &[
            ("", &[0, 1, 2]),
            ("orders", &[0, 1]),
            ("ORDERS update", &[1]),
            ("!orders", &[2]),
            ("/^(select|vacuum)/", &[0, 2]),
            ("!/set a = 1/", &[0, 2]),
            ("query:customers", &[2]),
            ("q:\"from orders\"", &[0]),
            ("age>30s", &[1]),
            ("age<1m", &[0]),
            ("!age>30s", &[0, 2]),
            ("age>1.5m orders", &[1]),
        ];
        for (filter, expected) in table {
            assert_eq!(passes(filter), *expected, "{filter}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        assert!(Filter::parse("age>soon", COLUMNS).unwrap_err().contains("`soon` is no figure"));
        assert!(Filter::parse("/(/", COLUMNS).unwrap_err().contains("no regular expression"));
    }

    #[test]
    fn a_colon_or_sign_without_a_column_is_text() {
        assert_eq!(passes("a = 1"), [1], "three words, each found in the text");
        assert_eq!(passes("http://x"), Vec::<usize>::new());
    }
}
