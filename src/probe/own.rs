//! Which statements of `pg_stat_statements` are this console's own: they begin as one of ours does.
//!
//! The view keeps no application name, so the text must tell. A role that sends the same text is the caller's to tell apart.

use super::sql::ALL;
use crate::postgres::FACTS_QUESTION;

/// Shorter than this an opening could be anybody's.
const TELLING: usize = 20;

/// How our statements begin in these versions, as far as that tells them from others'.
#[must_use]
pub fn openings(majors: &[i32]) -> Vec<String> {
    let all = majors.iter().flat_map(|major| ALL.iter().filter_map(|script| script.lines_of(*major).ok()));
    let login = std::iter::once(FACTS_QUESTION.to_owned());
    all.chain(login).map(|text| opening(&text).to_owned()).filter(|opening| opening.len() >= TELLING).collect()
}

/// Its beginning up to the first constant or variable: what `pg_stat_statements`, which replaces those, keeps of it.
fn opening(text: &str) -> &str {
    let cast = |at: usize| text.get(at.saturating_sub(1)..at) == Some(":") || text.get(at + 1..at + 2) == Some(":");
    let mut before = ' ';
    let constant = |(at, c): (usize, char)| {
        let digit = c.is_ascii_digit() && !before.is_ascii_alphanumeric() && before != '_';
        before = c;
        (digit || matches!(c, '\'' | '"') || (c == ':' && !cast(at))).then_some(at)
    };
    let mut end = text.char_indices().find_map(constant).unwrap_or(text.len());
    // Words that are constants; the field of an extract() is one, too.
    for word in ["epoch", "true", "false", "NULL"] {
        end = end.min(text.find(word).unwrap_or(end));
    }
    text.get(..end).unwrap_or_default().trim_start().trim_end_matches(['E', ' ', '\n'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_opening_ends_before_what_pg_stat_statements_replaces() {
        assert_eq!(opening("SELECT a1, b_2 FROM t WHERE x = 5"), "SELECT a1, b_2 FROM t WHERE x =");
        assert_eq!(opening("SELECT replace(n, E'x')"), "SELECT replace(n,");
        assert_eq!(opening("SELECT a, extract(epoch FROM b)"), "SELECT a, extract(");
        assert_eq!(opening("SELECT a::text, true AS b"), "SELECT a::text,");
        assert_eq!(opening("SELECT a FROM :\"schema\".b"), "SELECT a FROM");
        let all = openings(&[13, 18]);
        assert!(all.len() > ALL.len(), "most of ours can be told: {} of {}", all.len(), ALL.len() * 2);
    }
}
