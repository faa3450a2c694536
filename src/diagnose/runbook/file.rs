//! Reading a runbook's file: the built-in ones and a user's own are read by the same function.
//!
//! It takes texts, not paths, and answers with the first fault and its line. `database-performance.toml` describes the
//! format at its head.

use serde::Deserialize;
use toml::Spanned;

use super::fact::{FACTS, FactSpec};
use super::{Cause, Condition, CopyText, Runbook, Scaling, Sign, Step, Test, Watch};
use crate::command::{Command, SPECS, Tab};
use crate::diagnose::finding::Kind;
use crate::keymap::source::{Source, SourceError, did_you_mean};
use crate::model::panel::PanelSpec;

/// The built-in files, by the names that their errors carry.
pub(super) const BUILTIN: [(&str, &str); 3] = [
    ("built-in database-performance.toml", include_str!("database-performance.toml")),
    ("built-in cache-performance.toml", include_str!("cache-performance.toml")),
    ("built-in memory-pressure.toml", include_str!("memory-pressure.toml")),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    id: Spanned<String>,
    title: Spanned<String>,
    summary: Spanned<String>,
    #[serde(default)]
    escalation: String,
    #[serde(default)]
    detect: Vec<Spanned<DetectRow>>,
    #[serde(default)]
    step: Vec<Spanned<StepRow>>,
    #[serde(default)]
    cause: Vec<Spanned<CauseRow>>,
    #[serde(default)]
    scaling: Vec<Spanned<ScalingRow>>,
}

/// The four tests, of which a row has one.
#[derive(Deserialize)]
struct Limits {
    above: Option<f64>,
    at_least: Option<f64>,
    below: Option<f64>,
    at_most: Option<f64>,
}

impl Limits {
    fn given(&self) -> Vec<(Test, f64)> {
        let limits = [self.above, self.at_least, self.below, self.at_most];
        Test::ALL.into_iter().zip(limits).filter_map(|(test, limit)| Some((test, limit?))).collect()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DetectRow {
    says: String,
    fact: Option<Spanned<String>>,
    above: Option<f64>,
    at_least: Option<f64>,
    below: Option<f64>,
    at_most: Option<f64>,
    elsewhere: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepRow {
    title: String,
    text: String,
    #[serde(default)]
    show: Vec<Spanned<String>>,
    #[serde(default)]
    findings: Vec<Spanned<String>>,
    tab: Option<Spanned<String>>,
    panel: Option<Spanned<String>>,
    command: Option<Spanned<String>>,
    copy: Option<Spanned<CopyRow>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CopyRow {
    what: String,
    risk: String,
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CauseRow {
    says: String,
    text: String,
    fact: Option<Spanned<String>>,
    above: Option<f64>,
    at_least: Option<f64>,
    below: Option<f64>,
    at_most: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScalingRow {
    says: String,
    text: String,
    fact: Spanned<String>,
    above: Option<f64>,
    at_least: Option<f64>,
    below: Option<f64>,
    at_most: Option<f64>,
}

/// The built-in runbooks. `panels` are those of the console: a step may lead to one.
///
/// # Errors
/// Only if a built-in file is broken, which a test rules out.
pub fn builtin() -> Result<Vec<Runbook>, SourceError> {
    // Their panels are the built-in ones, whatever the console's are: a test holds them to that.
    BUILTIN.iter().map(|(name, text)| read(Source { name, text }, None)).collect()
}

/// Reads a file of one's own.
///
/// # Errors
/// The first fault, with its line.
pub fn parse(source: Source<'_>, panels: &[PanelSpec]) -> Result<Runbook, SourceError> {
    let book = read(source, Some(panels))?;
    Ok(Runbook { origin: Some(source.name.to_owned()), ..book })
}

/// The built-in runbooks and one's own, of which one with the id of a built-in one stands in its place: sentences say so.
///
/// # Errors
/// Where two of one's own have the same id.
pub fn with_own(builtin: Vec<Runbook>, own: Vec<Runbook>) -> Result<(Vec<Runbook>, Vec<String>), SourceError> {
    let mut books = builtin;
    let mut said = Vec::new();
    for book in own {
        let file = book.origin.clone().unwrap_or_default();
        match books.iter_mut().find(|b| b.id == book.id) {
            Some(Runbook { origin: Some(other), .. }) => {
                let message = format!("a runbook `{}` is in {other} already", book.id);
                return Err(SourceError { file, line: 1, message });
            }
            Some(place) => {
                said.push(format!("runbook `{}`: {file} stands in the place of the built-in one", book.id));
                *place = book;
            }
            None => books.push(book),
        }
    }
    Ok((books, said))
}

fn read(source: Source<'_>, panels: Option<&[PanelSpec]>) -> Result<Runbook, SourceError> {
    let file: File = toml::from_str(source.text)
        .map_err(|error| source.error_at(&error.span().unwrap_or(0..0), error.message().replace('\n', " ")))?;
    let reader = Reader { source, panels };
    let id = file.id.get_ref();
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if id.is_empty() || !id.chars().all(fits) {
        return Err(source.error_at(&file.id.span(), "an id is made of a–z, 0–9 and `-`"));
    }
    for text in [&file.title, &file.summary] {
        if text.get_ref().trim().is_empty() {
            return Err(source.error_at(&text.span(), "it is empty"));
        }
    }
    if file.step.is_empty() {
        return Err(source.error_on(1, format!("runbook `{id}` has no [[step]]")));
    }
    Ok(Runbook {
        id: id.clone(),
        title: flowed(file.title.get_ref()),
        summary: flowed(file.summary.get_ref()),
        origin: None,
        detect: file.detect.iter().map(|row| reader.sign(row)).collect::<Result<_, _>>()?,
        steps: file.step.iter().map(|row| reader.step(row)).collect::<Result<_, _>>()?,
        causes: file.cause.iter().map(|row| reader.cause(row)).collect::<Result<_, _>>()?,
        scaling: file.scaling.iter().map(|row| reader.scaling(row)).collect::<Result<_, _>>()?,
        escalation: paragraphs(&file.escalation),
    })
}

struct Reader<'a> {
    source: Source<'a>,
    /// The console's panels; none where they are not to be judged by.
    panels: Option<&'a [PanelSpec]>,
}

impl Reader<'_> {
    /// What `name` names, among `all` by their names.
    fn named<T>(
        &self,
        name: &Spanned<String>,
        what: &str,
        all: impl Iterator<Item = (String, T)>,
    ) -> Result<T, SourceError> {
        let all: Vec<(String, T)> = all.collect();
        let meant = did_you_mean(name.get_ref(), all.iter().map(|(known, _)| known.as_str()));
        let found = all.into_iter().find(|(known, _)| known == name.get_ref()).map(|(_, found)| found);
        found.ok_or_else(|| {
            self.source.error_at(&name.span(), format!("no {what} is called `{}`{meant}", name.get_ref()))
        })
    }

    fn fact(&self, name: &Spanned<String>) -> Result<&'static FactSpec, SourceError> {
        self.named(name, "fact", FACTS.iter().map(|fact| (fact.name.to_owned(), fact)))
    }

    fn condition(&self, fact: &Spanned<String>, limits: &Limits) -> Result<Condition, SourceError> {
        let spec = self.fact(fact)?;
        match limits.given().as_slice() {
            [(test, limit)] if limit.is_finite() => Ok(Condition { fact: spec, test: *test, limit: *limit }),
            [(test, limit)] => {
                let key = test.word().replace(' ', "_");
                Err(self.source.error_at(&fact.span(), format!("`{}`: `{key} = {limit}` is no limit", spec.name)))
            }
            _ => {
                let message = format!("`{}` takes one of `above`, `at_least`, `below`, `at_most`", spec.name);
                Err(self.source.error_at(&fact.span(), message))
            }
        }
    }

    fn sign(&self, row: &Spanned<DetectRow>) -> Result<Sign, SourceError> {
        let (at, row) = (row.span(), row.get_ref());
        let DetectRow { says, fact, above, at_least, below, at_most, elsewhere } = row;
        let limits = Limits { above: *above, at_least: *at_least, below: *below, at_most: *at_most };
        let watch = match (fact, elsewhere) {
            (Some(fact), None) => Watch::Measured(self.condition(fact, &limits)?),
            (None, Some(place)) if limits.given().is_empty() => Watch::Elsewhere(flowed(place)),
            _ => {
                return Err(self
                    .source
                    .error_at(&at, "a [[detect]] has a `fact` with its limit, or says in `elsewhere` where to look"));
            }
        };
        Ok(Sign { says: flowed(says), watch })
    }

    fn step(&self, row: &Spanned<StepRow>) -> Result<Step, SourceError> {
        let (at, row) = (row.span(), row.get_ref());
        if row.title.trim().is_empty() {
            return Err(self.source.error_at(&at, "a [[step]] without a title"));
        }
        let tabs = || Tab::ALL.into_iter().map(|tab| (tab.title().to_lowercase(), tab));
        let kinds = || Kind::ALL.iter().map(|kind| (kind.name().to_owned(), *kind));
        let copy = row.copy.as_ref().map(|copy| self.copy(copy)).transpose()?;
        let tab = row.tab.as_ref().map(|name| self.named(name, "tab", tabs())).transpose()?;
        Ok(Step {
            title: flowed(&row.title),
            text: paragraphs(&row.text),
            show: row.show.iter().map(|name| self.fact(name)).collect::<Result<_, _>>()?,
            findings: row
                .findings
                .iter()
                .map(|name| self.named(name, "kind of finding", kinds()))
                .collect::<Result<_, _>>()?,
            tab,
            panel: row.panel.as_ref().map(|name| self.panel(name, tab)).transpose()?,
            command: row.command.as_ref().map(|name| self.command(name)).transpose()?,
            copy,
        })
    }

    fn command(&self, name: &Spanned<String>) -> Result<Command, SourceError> {
        let known = Command::named(name.get_ref());
        if known.is_some_and(|command| !command.is_action()) {
            let message =
                format!("`{}` is no action: a `tab` leads to one, and a step offers what can be done", name.get_ref());
            return Err(self.source.error_at(&name.span(), message));
        }
        let actions = SPECS.iter().filter(|spec| spec.command.is_action());
        self.named(name, "action", actions.map(|spec| (spec.name.to_owned(), spec.command)))
    }

    fn panel(&self, name: &Spanned<String>, tab: Option<Tab>) -> Result<String, SourceError> {
        if !matches!(tab, Some(Tab::Latency | Tab::Cache)) {
            return Err(self.source.error_at(&name.span(), "a `panel` stands on `tab` latency or cache"));
        }
        if let Some(panels) = self.panels {
            self.named(name, "panel", panels.iter().map(|panel| (panel.id.clone(), ())))?;
        }
        Ok(name.get_ref().clone())
    }

    fn copy(&self, row: &Spanned<CopyRow>) -> Result<CopyText, SourceError> {
        let CopyRow { what, risk, text } = row.get_ref();
        if [what, risk, text].into_iter().any(|text| text.trim().is_empty()) {
            let message = "a text to copy says `what` it is and its `risk`, and has a `text`";
            return Err(self.source.error_at(&row.span(), message));
        }
        Ok(CopyText { what: flowed(what), risk: flowed(risk), text: text.trim_matches('\n').to_owned() })
    }

    fn cause(&self, row: &Spanned<CauseRow>) -> Result<Cause, SourceError> {
        let (at, row) = (row.span(), row.get_ref());
        let CauseRow { says, text, fact, above, at_least, below, at_most } = row;
        let limits = Limits { above: *above, at_least: *at_least, below: *below, at_most: *at_most };
        let sign = match fact {
            Some(fact) => Some(self.condition(fact, &limits)?),
            None if limits.given().is_empty() => None,
            None => return Err(self.source.error_at(&at, "a limit without its `fact`")),
        };
        Ok(Cause { says: flowed(says), text: paragraphs(text), sign })
    }

    fn scaling(&self, row: &Spanned<ScalingRow>) -> Result<Scaling, SourceError> {
        let ScalingRow { says, text, fact, above, at_least, below, at_most } = row.get_ref();
        let limits = Limits { above: *above, at_least: *at_least, below: *below, at_most: *at_most };
        Ok(Scaling { says: flowed(says), text: paragraphs(text), when: self.condition(fact, &limits)? })
    }
}

/// A text on one line: the lines of a file are none of a screen.
fn flowed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Its paragraphs, which blank lines part.
fn paragraphs(text: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    for line in text.lines() {
        if line.trim().is_empty() {
            out.push(String::new());
        } else if let Some(last) = out.last_mut() {
            last.push_str(line);
            last.push('\n');
        }
    }
    out.iter().map(|paragraph| flowed(paragraph)).filter(|paragraph| !paragraph.is_empty()).collect()
}
