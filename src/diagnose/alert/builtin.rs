//! The built-in rules: the guide's five, from a rule file with sources in place of one expression.
//!
//! A test rules out that the file is broken. Sources that need a setting which is not set are left out when the rules
//! are made, so that what is asked and what is printed are the same.

use super::file::{INTERVAL, RuleError, RuleErrors};
use super::yaml::{Fault, Node, fault, read};
use super::{duration, promql};
use crate::model::alert::{AlertRule, Labels, RuleGroup, Source};
use crate::model::panel::{PanelSpec, Variables, defaults, render};

/// The file, as it can be read and copied.
pub const FILE: &str = include_str!("default.yml");

/// The name that stands where a file's would.
pub const ORIGIN: &str = "built-in";

/// The built-in rules with the settings filled in.
///
/// # Errors
/// Only where the built-in file is broken.
pub fn builtin(variables: &Variables) -> Result<Vec<RuleGroup>, RuleErrors> {
    let broken = |f: Fault| RuleErrors(vec![RuleError { origin: ORIGIN.into(), line: f.line, message: f.message }]);
    let panels = defaults().map_err(|e| broken(fault(e.line, e.message)))?;
    let maker = Maker { variables, panels: &panels };
    maker.file().map_err(broken)
}

struct Maker<'a> {
    variables: &'a Variables,
    panels: &'a [PanelSpec],
}

impl Maker<'_> {
    fn file(&self) -> Result<Vec<RuleGroup>, Fault> {
        let root = read(FILE)?.ok_or_else(|| fault(1, "empty"))?;
        let mut groups = Vec::new();
        for node in field(&root, "groups")?.list("groups")? {
            let name = text(node, "name")?.unwrap_or_default();
            let interval = text(node, "interval")?.map(|t| duration::parse(&t)).transpose();
            let interval = interval.map_err(|m| fault(node.line, m))?.unwrap_or(INTERVAL);
            let rules =
                field(node, "rules")?.list("rules")?.iter().map(|rule| self.rule(rule)).collect::<Result<_, _>>()?;
            groups.push(RuleGroup {
                key: format!("{ORIGIN};{name}"),
                name,
                origin: ORIGIN.to_owned(),
                interval,
                interval_given: true,
                limit: None,
                rules,
                skipped: Vec::new(),
            });
        }
        Ok(groups)
    }

    fn rule(&self, node: &Node) -> Result<AlertRule, Fault> {
        let span = |key| match text(node, key)? {
            Some(written) => duration::parse(&written).map_err(|m| fault(node.line, m)),
            None => Ok(std::time::Duration::ZERO),
        };
        let window = u32::try_from(span("window")?.as_secs()).unwrap_or(u32::MAX).max(1);
        let variables = Variables { window_s: window, host_window_s: window, ..self.variables.clone() };
        let mut sources = Vec::new();
        for source in field(node, "of")?.list("of")? {
            self.sources(source, &variables, &mut sources)?;
        }
        Ok(AlertRule {
            name: text(node, "alert")?.ok_or_else(|| fault(node.line, "no name"))?,
            line: node.line,
            sources,
            hold: span("for")?,
            keep: span("keep_firing_for")?,
            labels: labels(node, "labels")?,
            annotations: labels(node, "annotations")?,
            doubt: None,
        })
    }

    fn sources(&self, node: &Node, variables: &Variables, into: &mut Vec<Source>) -> Result<(), Fault> {
        let is = text(node, "is")?.ok_or_else(|| fault(node.line, "no condition"))?;
        let mut add = |name: &str, note: Option<&String>, expr: &str| {
            // A setting that is not set leaves the source out.
            let Ok(left) = render(expr.trim(), variables) else { return Ok(()) };
            // Parentheses: the left side may hold an operator that binds weaker than a comparison.
            let expr = format!("({left}) {is}");
            let watched = promql::read(&expr).map_err(|m| fault(node.line, m))?;
            into.push(Source { name: name.to_owned(), expr, watched, note: note.cloned() });
            Ok(())
        };
        if let Some(id) = text(node, "panel")? {
            let panel = self.panels.iter().find(|p| p.id == id);
            let panel = panel.ok_or_else(|| fault(node.line, format!("no panel `{id}`")))?;
            for candidate in panel.candidates.iter().filter(|c| !c.unjudged) {
                if candidate.needs.iter().all(|need| variables.has(need)) {
                    add(&candidate.name, candidate.note.as_ref(), &candidate.expr)?;
                }
            }
            return Ok(());
        }
        if text(node, "needs")?.is_some_and(|need| !variables.has(&need)) {
            return Ok(());
        }
        let name = text(node, "name")?.unwrap_or_default();
        let expr = text(node, "expr")?.ok_or_else(|| fault(node.line, "no expression"))?;
        add(&name, None, &expr)
    }
}

fn field<'n>(node: &'n Node, key: &str) -> Result<&'n Node, Fault> {
    let found = node.map(key)?.iter().find(|(k, ..)| k == key).map(|(_, _, value)| value);
    found.ok_or_else(|| fault(node.line, format!("`{key}` is missing")))
}

fn text(node: &Node, key: &str) -> Result<Option<String>, Fault> {
    let found = node.map(key)?.iter().find(|(k, ..)| k == key);
    found.map(|(_, _, value)| value.text(key).map(str::to_owned)).transpose()
}

fn labels(node: &Node, key: &str) -> Result<Labels, Fault> {
    let entries = field(node, key)?.map(key)?;
    entries.iter().map(|(name, _, value)| Ok((name.clone(), value.text(name)?.to_owned()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pool_max: Option<u32>, job: Option<&str>) -> Variables {
        Variables {
            job: job.map(str::to_owned),
            postgres_job: None,
            prefix: "shop".into(),
            pool_max,
            window_s: 60,
            host_window_s: 60,
            span_s: 900,
            step_s: 5,
        }
    }

    #[test]
    fn the_guides_five_are_there_with_its_limits_and_times() {
        let groups = builtin(&variables(Some(20), Some("api"))).unwrap();
        let rules: Vec<String> = groups[0]
            .rules
            .iter()
            .map(|r| {
                let watched = r.sources[0].watched.as_ref().unwrap();
                format!(
                    "{} {} {} {} {}",
                    r.name,
                    watched.comparison.sign(),
                    watched.limit,
                    duration::shown(r.hold),
                    r.labels["severity"]
                )
            })
            .collect();
        assert_eq!(
            rules,
            [
                "HighErrorRate > 0.05 2m critical",
                "DBConnectionPoolExhausted > 0.95 1m critical",
                "HighLatency > 2 5m warning",
                "LowCacheHitRate < 0.7 10m warning",
                "MemoryUsageIncreasing > 104857600 0s info",
            ]
        );
        for source in groups[0].rules.iter().flat_map(|r| &r.sources) {
            assert!(source.watched.is_some(), "{} tells a quiet value from none", source.expr);
            assert!(!source.expr.contains('$'), "{}", source.expr);
        }
        let latency = &groups[0].rules[2].sources[0].expr;
        assert!(latency.contains("shop_query_duration_seconds_bucket{job=~\"api\"}[300s]"), "{latency}");
    }

    #[test]
    fn without_the_pools_size_a_waiting_request_is_the_sign() {
        let limit = |pool_max| {
            let groups = builtin(&variables(pool_max, None)).unwrap();
            groups[0].rules[1].sources[0].watched.as_ref().unwrap().limit.0
        };
        assert!((limit(Some(20)) - 0.95).abs() < 1e-9);
        assert!(limit(None).abs() < 1e-9);
        // A counter that only shows, such as the lifetime ratio of the cache, cannot page anybody.
        let cache = &builtin(&variables(None, None)).unwrap()[0].rules[3];
        assert_eq!(cache.sources.len(), 1);
    }
}
