//! Which statements of `pg_stat_statements` are this console's own: they begin as one of ours does.
//!
//! The view keeps no application name, so the text must tell. A role that sends the same text is the caller's to tell apart.

use super::sql::ALL;
use crate::postgres::FACTS_QUESTION;

/// Shorter than this an opening could be anybody's.
const TELLING: usize = 20;

/// How our statements begin in these versions, as far as that tells them from others': those of the probes, of a login, and
/// the texts of the `writer`, of which some are sent with the comments before them.
#[must_use]
pub fn openings(majors: &[i32], writer: &[&str]) -> Vec<String> {
    let all = majors.iter().flat_map(|major| ALL.iter().filter_map(|script| script.lines_of(*major).ok()));
    let login = std::iter::once(FACTS_QUESTION.to_owned());
    let written = writer.iter().flat_map(|text| [fixed(text).to_owned(), fixed(&bare(text)).to_owned()]);
    all.chain(login).chain(written).map(|text| opening(&text).to_owned()).filter(|o| o.len() >= TELLING).collect()
}

/// The text without the comments before it.
fn bare(text: &str) -> String {
    let lines = text.lines().skip_while(|line| line.starts_with("--"));
    lines.fold(String::new(), |text, line| text + line + "\n")
}

/// What of the writer's text stands there whatever it is filled in with: up to a name, and up to the first line that is sent
/// only where its tag says so.
fn fixed(text: &str) -> &str {
    let name = text.find('{').unwrap_or(text.len());
    let tag = text.find("  --[").and_then(|at| text.get(..at)?.rfind('\n')).unwrap_or(text.len());
    text.get(..name.min(tag)).unwrap_or(text)
}

/// Its beginning up to the first constant or variable: what `pg_stat_statements`, which replaces those, keeps of it.
fn opening(text: &str) -> &str {
    let cast = |at: usize| text.get(at.saturating_sub(1)..at) == Some(":") || text.get(at + 1..at + 2) == Some(":");
    // In the comments before a statement nothing is replaced.
    let said: usize = text.split_inclusive('\n').take_while(|line| line.starts_with("--")).map(str::len).sum();
    let (comment, text) = text.split_at_checked(said).unwrap_or(("", text));
    if !comment.is_empty() {
        return comment.trim_end();
    }
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
        for major in [13, 15, 18] {
            let scripts = ALL.iter().filter_map(|script| Some((script.name, script.lines_of(major).ok()?)));
            let anybodys = scripts.filter(|(_, text)| opening(text).len() < TELLING).map(|(name, _)| name);
            assert_eq!(anybodys.collect::<Vec<_>>(), [""; 0], "each of ours can be told on {major}");
        }
    }

    #[test]
    fn a_text_of_the_writer_is_known_with_its_comments_and_without() {
        let text = "-- Does it still? 5 of 7.\nSELECT (a.backend_start = $2)::text AS it\nFROM x";
        let known = openings(&[], &[text]);
        assert_eq!(
            known.get(1..),
            Some(&["-- Does it still? 5 of 7.".to_owned(), "SELECT (a.backend_start = $".to_owned()][..])
        );
        let tagged =
            "SELECT server.started, server.in_recovery,\n       server.identifier,  --[identifier]\n       a.pid";
        assert_eq!(opening(fixed(tagged)), "SELECT server.started, server.in_recovery,");
        assert_eq!(opening(fixed("WITH removed AS (\n  DELETE FROM {table} d")), "WITH removed AS (\n  DELETE FROM");
    }
}
