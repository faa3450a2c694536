//! Reading a file of panels: the built-in one and a user's own are read by the same function.
//!
//! It takes text, not a path, and answers with every fault's line; it does not judge PromQL.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::super::baseline::Figure;
use super::expression::{NAMES, SETTINGS, substitute, used};
use super::{Candidate, PanelSpec, PanelTab, PanelUnit, Telltale};

/// The built-in file and the name that its errors carry.
const DEFAULT: (&str, &str) = (include_str!("default.toml"), "built-in panels");

/// A file of panels cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{origin}:{line}: {message}")]
pub struct PanelError {
    /// The file's name, as the caller gave it.
    pub origin: String,
    /// Line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub message: String,
}

/// The panels as the file writes them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    panel: Vec<Spanned<Entry>>,
}

/// One `[[panel]]`: a [`PanelSpec`] that may take its sources from another, with other words in them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: Spanned<String>,
    title: String,
    tab: PanelTab,
    #[serde(default)]
    unit: PanelUnit,
    legend: Option<String>,
    warn: Option<f64>,
    critical: Option<f64>,
    #[serde(default)]
    low_is_bad: bool,
    figure: Option<Figure>,
    absent: Option<String>,
    /// The id of a panel above whose candidates and telltales this one takes; it may have telltales of its own.
    like: Option<Spanned<String>>,
    /// Words of this panel alone, replaced when the file is read.
    #[serde(default)]
    with: BTreeMap<String, String>,
    #[serde(default)]
    telltales: Vec<Spanned<Telltale>>,
    #[serde(default)]
    candidates: Vec<Spanned<Candidate>>,
}

/// The built-in panels.
///
/// # Errors
/// Only if the built-in file is broken, which a test rules out.
pub fn defaults() -> Result<Vec<PanelSpec>, PanelError> {
    parse(DEFAULT.0, DEFAULT.1)
}

/// Reads a file of panels; `origin` is its name in errors.
///
/// # Errors
/// The first fault, with its line.
pub fn parse(text: &str, origin: &str) -> Result<Vec<PanelSpec>, PanelError> {
    let reader = Reader { text, origin };
    let file: File =
        toml::from_str(text).map_err(|error| reader.fault(error.span().unwrap_or(0..0), error.message()))?;
    let mut written = BTreeMap::new();
    let mut panels = Vec::with_capacity(file.panel.len());
    for entry in file.panel {
        let span = entry.span();
        let entry = entry.into_inner();
        panels.push(reader.panel(&entry, span, &written)?);
        written.insert(entry.id.get_ref().clone(), entry);
    }
    if panels.is_empty() {
        return Err(reader.fault(0..0, "no [[panel]] in it"));
    }
    Ok(panels)
}

struct Reader<'a> {
    text: &'a str,
    origin: &'a str,
}

impl Reader<'_> {
    fn fault(&self, at: Range<usize>, message: impl Into<String>) -> PanelError {
        let line = self.text.bytes().take(at.start).filter(|b| *b == b'\n').count() + 1;
        PanelError { origin: self.origin.to_owned(), line, message: message.into() }
    }

    fn panel(
        &self,
        entry: &Entry,
        span: Range<usize>,
        written: &BTreeMap<String, Entry>,
    ) -> Result<PanelSpec, PanelError> {
        let id = entry.id.get_ref();
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if id.is_empty() || !id.chars().all(fits) {
            return Err(self.fault(entry.id.span(), "an id is made of a–z, 0–9 and `-`"));
        }
        if written.contains_key(id) {
            return Err(self.fault(entry.id.span(), format!("a panel `{id}` stands above already")));
        }
        let source = match &entry.like {
            None => entry,
            Some(like) if !entry.candidates.is_empty() => {
                return Err(self.fault(like.span(), "`like` takes another panel's candidates; do not give both"));
            }
            Some(like) => written
                .get(like.get_ref())
                .ok_or_else(|| self.fault(like.span(), format!("no panel `{}` above", like.get_ref())))?,
        };
        if source.candidates.is_empty() {
            return Err(self.fault(span, format!("panel `{id}` has no [[panel.candidates]]")));
        }
        let upside_down = match (entry.warn, entry.critical) {
            (Some(warn), Some(critical)) if entry.low_is_bad => critical > warn,
            (Some(warn), Some(critical)) => critical < warn,
            (None | Some(_), None) | (None, Some(_)) => false,
        };
        if upside_down {
            return Err(self.fault(span, format!("panel `{id}`: `critical` is reached before `warn`")));
        }
        let mut words = Words { with: &entry.with, used: BTreeSet::new() };
        let candidates =
            source.candidates.iter().map(|c| self.candidate(c, &mut words)).collect::<Result<Vec<_>, _>>()?;
        let own = if entry.like.is_some() { entry.telltales.as_slice() } else { &[] };
        let mut telltales = Vec::with_capacity(source.telltales.len() + own.len());
        for telltale in source.telltales.iter().chain(own) {
            let expr = self.expr(&telltale.get_ref().expr, telltale.span(), &mut words)?;
            telltales.push(Telltale { expr, says: telltale.get_ref().says.clone() });
        }
        if let Some(idle) = entry.with.keys().find(|name| !words.used.contains(*name)) {
            return Err(self.fault(span, format!("panel `{id}`: nothing uses `{idle}` of `with`")));
        }
        Ok(PanelSpec {
            id: id.clone(),
            title: entry.title.clone(),
            tab: entry.tab,
            unit: entry.unit,
            legend: entry.legend.clone(),
            warn: entry.warn,
            critical: entry.critical,
            low_is_bad: entry.low_is_bad,
            figure: entry.figure,
            absent: entry.absent.clone(),
            telltales,
            candidates,
        })
    }

    fn candidate(&self, candidate: &Spanned<Candidate>, words: &mut Words<'_>) -> Result<Candidate, PanelError> {
        let (at, candidate) = (candidate.span(), candidate.get_ref());
        if candidate.name.trim().is_empty() {
            return Err(self.fault(at, "a candidate without a name: the panel could not say what answered"));
        }
        if let Some(need) = candidate.needs.iter().find(|need| !SETTINGS.contains(&need.as_str())) {
            return Err(
                self.fault(at, format!("`{}` needs `{need}`; it may need {}", candidate.name, SETTINGS.join(", ")))
            );
        }
        let source = match &candidate.source {
            Some(source) => Some(self.expr(source, at.clone(), words)?),
            None => None,
        };
        Ok(Candidate { expr: self.expr(&candidate.expr, at, words)?, source, ..candidate.clone() })
    }

    /// The expression on one line, with the panel's own words in it and no variable that nobody knows.
    fn expr(&self, expr: &str, at: Range<usize>, words: &mut Words<'_>) -> Result<String, PanelError> {
        let text = substitute(expr, |name| {
            words.used.insert(name.to_owned());
            words.with.get(name).cloned()
        });
        let line = text.lines().map(str::trim).filter(|l| !l.is_empty()).collect::<Vec<_>>().join(" ");
        if line.is_empty() {
            return Err(self.fault(at, "an empty expression"));
        }
        match used(&line).into_iter().find(|name| !NAMES.contains(&name.as_str())) {
            Some(name) => Err(self.fault(at, format!("no variable `${name}`; there are ${}", NAMES.join(", $")))),
            None => Ok(line),
        }
    }
}

/// A panel's own words, and which of them were met.
struct Words<'a> {
    with: &'a BTreeMap<String, String>,
    used: BTreeSet<String>,
}

#[cfg(test)]
mod tests {
    use super::super::{Variables, render};
    use super::*;

    const HEAD: &str = "[[panel]]\nid = \"a\"\ntitle = \"A\"\ntab = \"latency\"\n";

    fn line_and_message(text: &str) -> (usize, String) {
        let error = parse(text, "own.toml").unwrap_err();
        assert_eq!(error.origin, "own.toml");
        (error.line, error.message)
    }

    #[test]
    fn faults_carry_the_line_they_stand_on() {
        let two = format!("{HEAD}\n[[panel.candidates]]\nname = \"x\"\nexpr = '''\nup{{job=~\"$jop\"}}'''\n");
        let (line, message) = line_and_message(&two);
        assert_eq!(line, 6);
        assert!(message.contains("no variable `$jop`"), "{message}");

        assert_eq!(line_and_message("[[panel]]\nid = \"a\"\ntitle = \"A\"\ntab = \"nowhere\"\n").0, 4);
        assert_eq!(line_and_message(&format!("{HEAD}colour = \"red\"\n")).0, 5);
        assert_eq!(line_and_message(&format!("\n{HEAD}")).0, 2);
        assert_eq!(line_and_message(&HEAD.replace("\"a\"", "\"A b\"")).0, 2);
        assert_eq!(line_and_message("# nothing\n").1, "no [[panel]] in it");
    }

    #[test]
    fn two_panels_cannot_share_an_id_and_like_must_point_upwards() {
        let one = format!("{HEAD}[[panel.candidates]]\nname = \"x\"\nexpr = \"up\"\n");
        assert_eq!(line_and_message(&format!("{one}{one}")).0, 9);
        let (line, message) = line_and_message(&format!("{HEAD}like = \"b\"\n"));
        assert_eq!((line, message.as_str()), (5, "no panel `b` above"));
    }

    #[test]
    fn thresholds_upside_down_and_unknown_needs_are_refused() {
        let candidate = "[[panel.candidates]]\nname = \"x\"\nexpr = \"up\"\n";
        assert!(parse(&format!("{HEAD}warn = 1\ncritical = 2\n{candidate}"), "").is_ok());
        assert!(parse(&format!("{HEAD}warn = 2\ncritical = 1\n{candidate}"), "").is_err());
        assert!(parse(&format!("{HEAD}warn = 2\ncritical = 1\nlow_is_bad = true\n{candidate}"), "").is_ok());
        assert!(parse(&format!("{HEAD}warn = 1\ncritical = 2\nlow_is_bad = true\n{candidate}"), "").is_err());
        assert!(parse(&format!("{HEAD}{candidate}needs = [\"prefix\"]\n"), "").is_err());
    }

    #[test]
    fn a_panel_can_take_the_candidates_of_another_with_its_own_words() {
        let text = format!(
            "{HEAD}with = {{ q = \"0.95\" }}\n[[panel.candidates]]\nname = \"x\"\nexpr = '''\n  f($q,\n    up)\n'''\n\
             [[panel]]\nid = \"b\"\ntitle = \"B\"\ntab = \"cache\"\nlike = \"a\"\nwith = {{ q = \"0.5\" }}\n"
        );
        let panels = parse(&text, "own.toml").unwrap();
        assert_eq!(panels[0].candidates[0].expr, "f(0.95, up)");
        assert_eq!(panels[1].candidates[0].expr, "f(0.5, up)");
        // Of its own it may have what tells why nothing answered.
        let own = format!("{text}[[panel.telltales]]\nexpr = \"f($q)\"\nsays = \"never\"\n");
        let panels = parse(&own, "own.toml").unwrap();
        assert!(panels[0].telltales.is_empty() && panels[1].telltales[0].expr == "f(0.5)", "{panels:#?}");
        assert!(parse(&text.replace("$q", "1"), "own.toml").unwrap_err().message.contains("nothing uses `q`"));
    }

    #[test]
    fn every_built_in_expression_has_all_its_variables_filled_in() {
        let variables = Variables {
            job: Some("shop".into()),
            postgres_job: Some("postgres".into()),
            prefix: "acme".into(),
            pool_max: Some(20),
            window_s: 60,
            host_window_s: 60,
            span_s: 900,
            step_s: 10,
        };
        for panel in defaults().unwrap() {
            assert!(!panel.candidates.is_empty() && panel.absent.is_some(), "{}", panel.id);
            for candidate in &panel.candidates {
                let text = render(&candidate.expr, &variables).unwrap();
                if let Some(source) = &candidate.source {
                    let source = render(source, &variables).unwrap();
                    assert!(!source.contains('$') && !source.contains("fraiseql"), "{}: {source}", panel.id);
                }
                assert!(
                    candidate.source.is_some() || !text.contains(" / sum") || candidate.unjudged,
                    "{}: a quotient that can be 0/0 has no source: {text}",
                    panel.id
                );
                let left = text.replace("\"$1\"", "").replace("\"pod $1\"", "");
                assert!(!left.contains('$'), "{}: {}", panel.id, text);
                assert!(!text.contains("fraiseql"), "{}: the prefix is written out: {text}", panel.id);
                assert!(
                    text.contains("job=~\"shop\"") || text.contains("\"postgres\"") || text.contains("=~\"shop\""),
                    "{}: nothing narrows it: {text}",
                    panel.id
                );
            }
        }
    }

    #[test]
    fn the_built_in_panels_keep_the_corrections_of_the_guide() {
        for panel in defaults().unwrap() {
            for candidate in &panel.candidates {
                let expr = &candidate.expr;
                let place = format!("{} / {}", panel.id, candidate.name);
                if expr.contains("histogram_quantile") {
                    assert!(expr.contains("sum by (le"), "{place}: quantiles of single label sets");
                }
                assert!(!expr.contains("increase("), "{place}: a gauge's dip is no reset");
                assert!(!expr.contains("_cache_hits{"), "{place}: that counter never counts");
                assert!(
                    !expr.contains("process_") || expr.contains(" and on (") || candidate.needs == ["job"],
                    "{place}"
                );
                assert_eq!(expr.matches('(').count(), expr.matches(')').count(), "{place}");
            }
        }
    }
}
