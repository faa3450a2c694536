//! The filter of a list: `text`, `!text`, `/regex/`, `column:text`, `column>30s`, joined by blanks, all of them.
//!
//! It matches what the server sent, not what the screen shows of it.

use regex::{Regex, RegexBuilder};

use super::{Column, Measure, SortKey};

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
    /// The figure of a cell, in the unit that its column sorts in.
    Compares(Comparison, f64),
    /// The share that a cell shows behind its figure.
    ComparesShare(Comparison, f64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Greater,
    AtLeast,
    Less,
    AtMost,
    Equal,
}

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// A sentence that says what is wrong, for the line below the input.
    pub fn parse<R>(text: &str, columns: &[Column<R>]) -> Result<Self, String> {
        let mut terms = Vec::new();
        let mut words = words(text).into_iter().peekable();
        while let Some(mut word) = words.next() {
            // A size is shown with a blank before its unit, and typed so.
            if word.contains(['>', '<', '=']) && words.peek().is_some_and(|unit| unit.len() > 1 && is_size(unit)) {
                word.extend(words.next());
            }
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
                Some(i) => columns.get(i).is_some_and(|column| term.test.holds(row, column)),
                None => columns.iter().any(|column| term.test.holds(row, column)),
            };
            hit != term.negated
        })
    }
}

impl Test {
    fn holds<R>(&self, row: &R, column: &Column<R>) -> bool {
        match self {
            // Raw first: a name must be found by what it is; then as shown, so that what one reads can be typed.
            Self::Contains(needle) => {
                matches!((column.key)(row), SortKey::Text(raw) if raw.to_lowercase().contains(needle))
                    || (column.cell)(row).text.to_lowercase().contains(needle)
            }
            Self::Matches(regex) => {
                matches!((column.key)(row), SortKey::Text(raw) if regex.is_match(&raw))
                    || regex.is_match(&(column.cell)(row).text)
            }
            Self::Compares(how, figure) => {
                let SortKey::Number(n) = (column.key)(row) else { return false };
                how.holds(n, *figure)
                    // What one reads can be typed: a cell of `12m` equals 12m, whatever its seconds.
                    || (*how == Comparison::Equal
                        && column.measure.read_cell(&(column.cell)(row).text).is_some_and(|n| how.holds(n, *figure)))
            }
            Self::ComparesShare(how, figure) => {
                matches!(column.share.map(|share| share(row)), Some(SortKey::Number(n)) if how.holds(n, *figure))
            }
        }
    }
}

impl Comparison {
    fn holds(self, n: f64, figure: f64) -> bool {
        match self {
            Self::Greater => n > figure,
            Self::AtLeast => n >= figure,
            Self::Less => n < figure,
            Self::AtMost => n <= figure,
            // Percents and milliseconds do not come out even in binary.
            Self::Equal => (n - figure).abs() <= f64::EPSILON * figure.abs().max(1.0),
        }
    }

    /// The comparison that begins the text, and the rest.
    fn read(text: &str) -> Option<(Self, &str)> {
        let signs =
            [(">=", Self::AtLeast), ("<=", Self::AtMost), (">", Self::Greater), ("<", Self::Less), ("=", Self::Equal)];
        signs.into_iter().find_map(|(sign, how)| text.strip_prefix(sign).map(|rest| (how, rest)))
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

fn is_size(unit: &str) -> bool {
    Measure::Bytes.has(unit)
}

fn term<R>(word: &str, columns: &[Column<R>]) -> Result<Term, String> {
    let (negated, rest) = match word.strip_prefix('!') {
        Some(rest) if !rest.is_empty() => (true, rest),
        Some(_) | None => (false, word),
    };
    let Some((name, operator)) = rest.find([':', '>', '<', '=']).and_then(|at| rest.split_at_checked(at)) else {
        return Ok(Term { column: None, test: text_test(rest)?, negated });
    };
    // `x::int` is a cast, `http://x` an address: no name of a column is meant, even where one begins so.
    if operator.starts_with("::") || operator.starts_with("://") {
        return Ok(Term { column: None, test: text_test(rest)?, negated });
    }
    if let Some(text) = operator.strip_prefix(':') {
        if let Some(at) = find(name, Wanted::Text, columns) {
            return Ok(Term { column: Some(at), test: text_test(text)?, negated });
        }
        // `Client:ClientRead` is a wait event.
        if text.is_empty() || name.contains(char::is_uppercase) {
            return Ok(Term { column: None, test: text_test(rest)?, negated });
        }
    } else if let Some((how, figure)) = Comparison::read(operator) {
        if let Some((at, column)) =
            find(name, Wanted::Figure, columns).and_then(|at| columns.get(at).map(|column| (at, column)))
        {
            return Ok(Term { column: Some(at), test: figure_test(name, column, how, figure)?, negated });
        }
        if figure.is_empty() {
            return Ok(Term { column: None, test: text_test(rest)?, negated });
        }
    }
    if is_name(name) {
        let names: Vec<&str> = columns.iter().map(|c| c.name).collect();
        return Err(format!("no column is called {name}: {}; in quotes it is text", names.join(", ")));
    }
    Ok(Term { column: None, test: text_test(rest)?, negated })
}

/// True for what can only be meant as the name of a column; `o.id`, `->>` and `10.0.0.1` are text.
fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphabetic())
        && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '%' | '/'))
}

/// What is done with a column.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// Its text is looked through.
    Text,
    /// Its figure is compared.
    Figure,
}

/// The column of that name, or under that heading; then one that begins so. Where several do, the one that holds what is
/// wanted: the heading `query` stands over the age of a statement, and is the name of its text.
fn find<R>(name: &str, wanted: Wanted, columns: &[Column<R>]) -> Option<usize> {
    // Wait events are written with capitals, names of columns without.
    let typed = if wanted == Wanted::Text { name.to_owned() } else { name.to_lowercase() };
    if typed.is_empty() {
        return None;
    }
    let heading = |c: &Column<R>| c.title.to_lowercase().replace(' ', "_");
    let fits = |c: &Column<R>| (c.measure == Measure::Text) == (wanted == Wanted::Text);
    let whole = |c: &Column<R>| c.name == typed || heading(c) == typed;
    let begins = |c: &Column<R>| c.name.starts_with(&typed) || heading(c).starts_with(&typed);
    let best = |named: Vec<usize>| {
        let fitting = named.iter().find(|at| columns.get(**at).is_some_and(fits));
        fitting.or(named.first()).copied()
    };
    let all = |matches: &dyn Fn(&Column<R>) -> bool| {
        best((0..columns.len()).filter(|at| columns.get(*at).is_some_and(matches)).collect())
    };
    all(&whole).or_else(|| all(&begins))
}

fn figure_test<R>(name: &str, column: &Column<R>, how: Comparison, figure: &str) -> Result<Test, String> {
    if column.measure == Measure::Text {
        return Err(format!("{name} is no figure to compare: {name}:{figure} finds text in it"));
    }
    if let Some(n) = column.measure.read(figure) {
        return Ok(Test::Compares(how, n));
    }
    // Where a share stands beside the size either is compared.
    match Measure::Share.read(figure).filter(|_| column.share.is_some()) {
        Some(share) => Ok(Test::ComparesShare(how, share)),
        None => Err(format!("`{figure}` is no {}", column.measure.wants())),
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Cell, Width};

    struct Thing {
        age: Option<f64>,
        query: &'static str,
    }

    const COLUMNS: &[Column<Thing>] = &[
        Column {
            name: "age",
            title: "query",
            cell: |t| t.age.map_or_else(Cell::none, |a| Cell::plain(format!("{a:.0}s"))),
            key: |t| SortKey::number(t.age),
            ..Column::AGE
        },
        Column {
            name: "query",
            title: "the statement",
            width: Width::Rest(10),
            cell: |t| Cell::plain(t.query),
            key: |t| SortKey::Text(t.query.to_owned()),
            ..Column::TEXT
        },
        Column {
            name: "size",
            cell: |t| Cell::plain(format!("{} MB 50%", t.query.len())),
            key: |t| SortKey::number(Some(1024.0 * 1024.0 * f64::from(u32::try_from(t.query.len()).unwrap()))),
            share: Some(|t| SortKey::number(t.age.map(|_| 0.5))),
            measure: Measure::Bytes,
            ..Column::FIGURE
        },
    ];

    fn passes(filter: &str) -> Vec<usize> {
        let things = [
            Thing { age: Some(12.4), query: "SELECT * FROM orders" },
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
            ("age=12s", &[0]),
            ("age>=95", &[1]),
            ("age<=95s", &[0, 1]),
            ("age>90000ms", &[1]),
            // The heading is a name too; of two the one that holds what is asked for.
            ("query>30", &[1]),
            ("query:customers", &[2]),
            ("the_statement:customers", &[2]),
            ("size>20MB", &[1]),
            ("size>20 MB", &[1]),
            ("size<=20971520", &[0, 2]),
            ("size>10%", &[0, 1]),
            ("size>0.01T", &[]),
        ];
        for (filter, expected) in table {
            assert_eq!(passes(filter), *expected, "{filter}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        for (filter, said) in [
            ("age>soon", "`soon` is no time such as 30s, 5m or 2h; without a unit it is seconds"),
            ("age>5%", "`5%` is no time"),
            ("age>10MB", "`10MB` is no time"),
            ("size>10m", "`10m` is no size"),
            ("the_statement>5", "the_statement is no figure to compare: the_statement:5 finds text in it"),
            ("bogus:1", "no column is called bogus: age, query, size; in quotes it is text"),
            ("!bogus>1s", "no column is called bogus: age,"),
        ] {
            let error = Filter::parse(filter, COLUMNS).unwrap_err();
            assert!(error.starts_with(said), "{filter}: {error}");
        }
        assert!(Filter::parse("/(/", COLUMNS).unwrap_err().contains("no regular expression"));
    }

    #[test]
    fn a_colon_or_sign_that_names_no_column_is_text() {
        assert_eq!(passes("a = 1"), [1], "three words, each found in the text");
        for text in [
            "http://x",
            "x::int",
            "a::int",
            "o.id=$1",
            "->>",
            "10.0.0.1:5432",
            "Query:vacuum",
            "note:",
            "\"a>5\"",
            "<>",
        ] {
            assert_eq!(passes(text), Vec::<usize>::new(), "{text}");
        }
        assert_eq!(passes("\"set a = 1\""), [1]);
    }
}
