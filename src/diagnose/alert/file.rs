//! Reading a Prometheus rule file: strict as Prometheus' own loader, each fault with its line.
//!
//! It takes text, not a path. Recording rules are checked and named, not kept: running them is Prometheus' work.

use std::time::Duration;

use super::yaml::{Fault, Kind, Node, fault, read};
use super::{duration, promql, template};
use crate::model::alert::{AlertRule, Labels, RuleGroup, Source};

/// Where the group does not say it. Prometheus would take its `evaluation_interval`, a minute by default; whoever waits here
/// for what fires is served sooner, and it is one question a rule.
pub(super) const INTERVAL: Duration = Duration::from_secs(15);

/// A fault in a rule file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{origin}:{line}: {message}")]
pub struct RuleError {
    /// The file's name, as the caller gave it.
    pub origin: String,
    /// Line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub message: String,
}

/// All faults of a rule file, each on its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleErrors(pub Vec<RuleError>);

impl std::fmt::Display for RuleErrors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let lines: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for RuleErrors {}

/// Reads a rule file; `origin` is its name in errors and on the screen.
///
/// # Errors
/// Every fault that Prometheus would refuse the file for, but one: PromQL that does not parse here is the rule's
/// [`AlertRule::doubt`], since the server may know a newer PromQL. Beside a fault it is told as one: whoever repairs the
/// file wants all of them.
pub fn parse(text: &str, origin: &str) -> Result<Vec<RuleGroup>, RuleErrors> {
    let mut reader = Reader { origin, faults: Vec::new(), doubts: Vec::new() };
    let groups = match read(text) {
        Ok(root) => root.map(|root| reader.file(&root)).unwrap_or_default(),
        Err(mut broken) => {
            if broken.message.starts_with("mapping key \"alert\"") {
                broken.message.push_str(": each rule is a list item (`- alert:`) under `groups:` … `rules:`");
            }
            reader.faults.push(broken);
            Vec::new()
        }
    };
    if reader.faults.is_empty() { Ok(groups) } else { Err(reader.errors()) }
}

struct Reader<'a> {
    origin: &'a str,
    faults: Vec<Fault>,
    /// PromQL that does not parse here.
    doubts: Vec<Fault>,
}

/// The fields of a rule, as they stand.
#[derive(Default)]
struct Fields<'a> {
    record: Option<&'a str>,
    alert: Option<&'a str>,
    expr: Option<(&'a str, usize)>,
    hold: Option<Duration>,
    keep: Option<Duration>,
    labels: Labels,
    annotations: Labels,
    /// Those of labels and annotations: what of which name, on which line.
    templates: Vec<(&'static str, &'a str, usize, &'a str)>,
    line: usize,
}

impl Reader<'_> {
    fn errors(&self) -> RuleErrors {
        let origin = self.origin.to_owned();
        let error = |f: &Fault| RuleError { origin: origin.clone(), line: f.line, message: f.message.clone() };
        let mut all: Vec<RuleError> = self.faults.iter().chain(&self.doubts).map(error).collect();
        all.sort_by_key(|fault| fault.line);
        RuleErrors(all)
    }

    /// Notes a fault and goes on: whoever repairs a file wants all of them.
    fn good<T>(&mut self, result: Result<T, Fault>) -> Option<T> {
        result.map_err(|f| self.faults.push(f)).ok()
    }

    fn fault(&mut self, line: usize, message: impl Into<String>) {
        self.faults.push(fault(line, message));
    }

    fn file(&mut self, root: &Node) -> Vec<RuleGroup> {
        let mut groups: Vec<RuleGroup> = Vec::new();
        let Some(entries) = self.good(root.map("a rule file")) else { return groups };
        for (key, line, value) in entries {
            if key != "groups" {
                let hint = if key == "alert" { ": rules stand under `groups:` … `rules:`" } else { "" };
                self.fault(*line, format!("field {key} not found in a rule file{hint}"));
                continue;
            }
            for node in self.good(value.list("groups")).unwrap_or_default() {
                let Some(group) = self.group(node) else { continue };
                if groups.iter().any(|g| g.name == group.name) {
                    self.fault(node.line, format!("groupname: \"{}\" is repeated in the same file", group.name));
                }
                groups.push(group);
            }
        }
        groups
    }

    fn group(&mut self, node: &Node) -> Option<RuleGroup> {
        let entries = self.good(node.map("a group"))?;
        let mut group = RuleGroup {
            key: String::new(),
            name: String::new(),
            origin: self.origin.to_owned(),
            interval: INTERVAL,
            interval_given: false,
            limit: None,
            rules: Vec::new(),
            skipped: Vec::new(),
        };
        let mut common = Labels::new();
        for (key, line, value) in entries {
            match key.as_str() {
                "name" => self.good(value.text(key)).unwrap_or_default().clone_into(&mut group.name),
                "interval" => {
                    let interval = self.duration(key, value).unwrap_or_default();
                    // Zero is what Prometheus takes for "not given".
                    group.interval_given = !interval.is_zero();
                    group.interval = if group.interval_given { interval } else { INTERVAL };
                }
                "limit" => match self.good(value.text(key)).map(str::parse::<i64>) {
                    // Zero is no limit, and so is what lies below.
                    Some(Ok(limit)) => group.limit = usize::try_from(limit).ok().filter(|l| *l > 0),
                    Some(Err(_)) => self.fault(value.line, "`limit` is a whole number"),
                    None => {}
                },
                // A delay for servers that write late; an evaluation here asks a moment later in any case.
                "query_offset" => drop(self.duration(key, value)),
                "labels" => common = self.labels(key, value),
                "rules" => {
                    for node in self.good(value.list(key)).unwrap_or_default() {
                        self.rule(node, &mut group);
                    }
                }
                _ => self.fault(*line, format!("field {key} not found in a group")),
            }
        }
        if group.name.is_empty() {
            self.fault(node.line, "Groupname must not be empty");
        }
        for rule in &mut group.rules {
            for (name, value) in &common {
                rule.labels.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
        group.key = format!("{};{}", group.origin, group.name);
        Some(group)
    }

    fn rule(&mut self, node: &Node, group: &mut RuleGroup) {
        let Some(fields) = self.fields(node) else { return };
        let line = fields.line;
        let (name, alerting) = match (fields.record, fields.alert) {
            (Some(_), Some(_)) => return self.fault(line, "only one of 'record' and 'alert' must be set"),
            (None | Some(""), None) | (None, Some("")) => {
                return self.fault(line, "one of 'record' or 'alert' must be set");
            }
            (Some(name), None) => (name, false),
            (None, Some(name)) => (name, true),
        };
        // A recording rule's labels are no templates.
        for (what, of, line, text) in fields.templates.iter().filter(|_| alerting) {
            if let Some(words) = template::fault(text) {
                self.fault(*line, format!("\"{name}\": {what} \"{of}\": {words}"));
            }
        }
        let Some((expr, expr_line)) = fields.expr.filter(|(e, _)| !e.is_empty()) else {
            return self.fault(line, format!("\"{name}\": field 'expr' must be set in rule"));
        };
        if !alerting {
            for (field, set) in [
                ("annotations", !fields.annotations.is_empty()),
                ("for", fields.hold.is_some_and(|d| !d.is_zero())),
                ("keep_firing_for", fields.keep.is_some_and(|d| !d.is_zero())),
            ] {
                if set {
                    self.fault(line, format!("\"{name}\": invalid field '{field}' in recording rule"));
                }
            }
            group.skipped.push(name.to_owned());
            return;
        }
        let (watched, doubt) = match promql::read(expr) {
            Ok(watched) => (watched, None),
            Err(words) => {
                let words = format!("\"{name}\": could not parse expression: {words}");
                let doubt = format!("{}:{expr_line}: {words}", self.origin);
                self.doubts.push(fault(expr_line, words));
                (None, Some(doubt))
            }
        };
        group.rules.push(AlertRule {
            name: name.to_owned(),
            line,
            sources: vec![Source { name: String::new(), expr: expr.to_owned(), watched, note: None }],
            hold: fields.hold.unwrap_or_default(),
            keep: fields.keep.unwrap_or_default(),
            labels: fields.labels,
            annotations: fields.annotations,
            doubt,
        });
    }

    fn fields<'n>(&mut self, node: &'n Node) -> Option<Fields<'n>> {
        let mut fields = Fields { line: node.line, ..Fields::default() };
        for (key, line, value) in self.good(node.map("a rule"))? {
            match key.as_str() {
                "record" => fields.record = self.good(value.text(key)),
                "alert" => fields.alert = self.good(value.text(key)),
                "expr" => fields.expr = self.good(value.text(key)).map(|text| (text, value.line)),
                "for" => fields.hold = self.duration(key, value),
                "keep_firing_for" => fields.keep = self.duration(key, value),
                "labels" => {
                    fields.labels = self.labels(key, value);
                    fields.templates.extend(templates("label", value));
                }
                "annotations" => {
                    fields.annotations = self.labels(key, value);
                    fields.templates.extend(templates("annotation", value));
                }
                _ => self.fault(*line, format!("field {key} not found in a rule")),
            }
        }
        Some(fields)
    }

    fn duration(&mut self, key: &str, value: &Node) -> Option<Duration> {
        let text = self.good(value.text(key))?;
        let read = duration::parse(text).map_err(|words| fault(value.line, format!("{key}: {words}")));
        self.good(read)
    }

    fn labels(&mut self, of: &str, value: &Node) -> Labels {
        let mut labels = Labels::new();
        for (name, line, value) in self.good(value.map(of)).unwrap_or_default() {
            let what = if of == "annotations" { "annotation" } else { "label" };
            if !is_label(name) || (of == "labels" && name == "__name__") {
                self.fault(*line, format!("invalid {what} name: {name}"));
            }
            match &value.kind {
                Kind::Text(text) => drop(labels.insert(name.clone(), text.clone())),
                Kind::List(_) | Kind::Map(_) => self.fault(value.line, format!("{what} {name} is a text")),
            }
        }
        labels
    }
}

/// The texts of labels or annotations with their names and lines.
fn templates<'n>(what: &'static str, value: &'n Node) -> impl Iterator<Item = (&'static str, &'n str, usize, &'n str)> {
    let entries = if let Kind::Map(entries) = &value.kind { entries.as_slice() } else { &[] };
    entries.iter().filter_map(move |(name, _, value)| match &value.kind {
        Kind::Text(text) => Some((what, name.as_str(), value.line, text.as_str())),
        Kind::List(_) | Kind::Map(_) => None,
    })
}

/// True for a name that a label may have in every version.
fn is_label(name: &str) -> bool {
    let starts = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.starts_with(starts) && name.chars().all(|c| starts(c) || c.is_ascii_digit())
}

#[cfg(test)]
#[path = "file/tests.rs"]
mod tests;
