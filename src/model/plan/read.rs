//! Reading the answer of `EXPLAIN (FORMAT JSON)`: nodes, costs, and all that is not known here by its own label.

use serde_json::{Map, Value};

use super::{Feeds, Node};
use crate::model::text::ServerText;

/// Keys of a node that have a place in [`Node`], or say nothing to whoever looks for what is slow. `Output` lists every
/// column of every node.
const PLACED: [&str; 20] = [
    "Node Type",
    "Schema",
    "Relation Name",
    "Function Name",
    "CTE Name",
    "Tuplestore Name",
    "Table Function Name",
    "Alias",
    "Index Name",
    "Parent Relationship",
    "Subplan Name",
    "Startup Cost",
    "Total Cost",
    "Plan Rows",
    "Plan Width",
    "Plans",
    "Output",
    "Parallel Aware",
    "Async Capable",
    "Disabled",
];

/// What was read of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The topmost node.
    pub root: Node,
    /// The planner's settings that are not PostgreSQL's defaults.
    pub settings: Vec<(String, ServerText)>,
    /// Milliseconds of planning.
    pub planning_ms: Option<f64>,
}

/// Reads an answer.
///
/// # Errors
/// What is missing in it, in words.
pub fn read(json: &str) -> Result<Answer, String> {
    let value: Value = serde_json::from_str(json).map_err(|error| format!("the plan is no JSON: {error}"))?;
    let answer = value.get(0).and_then(Value::as_object).ok_or("the answer holds no plan")?;
    let root = answer.get("Plan").and_then(Value::as_object).ok_or("the answer holds no plan")?;
    let settings = answer.get("Settings").and_then(Value::as_object);
    let settings = settings.into_iter().flatten().map(|(name, value)| (name.clone(), shown(value))).collect();
    Ok(Answer { root: node(root)?, settings, planning_ms: answer.get("Planning Time").and_then(Value::as_f64) })
}

fn node(from: &Map<String, Value>) -> Result<Node, String> {
    let text = |key: &str| from.get(key).and_then(Value::as_str).map(ServerText::from);
    let number = |key: &str| from.get(key).and_then(Value::as_f64).ok_or_else(|| format!("a node without {key}"));
    let relation = ["Relation Name", "Function Name", "CTE Name", "Tuplestore Name", "Table Function Name"];
    let relation = relation.into_iter().find_map(text);
    let inputs = from.get("Plans").and_then(Value::as_array).into_iter().flatten();
    let inputs = inputs.filter_map(Value::as_object).map(node).collect::<Result<_, _>>()?;
    let facts = from.iter().filter(|(key, value)| !PLACED.contains(&key.as_str()) && says_something(key, value));
    let yes = |key: &str| from.get(key).and_then(Value::as_bool) == Some(true);
    let mut manner: Vec<ServerText> = Vec::new();
    if yes("Parallel Aware") {
        manner.push("Parallel".into());
    }
    let partial = text("Partial Mode").filter(|mode| mode.raw() != "Simple");
    manner.extend(partial);
    manner.extend(text("Strategy").filter(|strategy| !matches!(strategy.raw(), "Plain" | "Sorted")));
    manner.extend(text("Join Type").filter(|join| join.raw() != "Inner"));
    manner.extend(text("Operation").filter(|operation| operation.raw() != "Select"));
    manner.extend(text("Scan Direction").filter(|direction| direction.raw() == "Backward"));
    if yes("Disabled") {
        manner.push("(disabled)".into());
    }
    let width = from.get("Plan Width").and_then(Value::as_i64).ok_or("a node without Plan Width")?;
    Ok(Node {
        kind: text("Node Type").ok_or("a node without Node Type")?,
        manner,
        schema: text("Schema"),
        alias: text("Alias").filter(|alias| relation.as_ref() != Some(alias)),
        relation,
        index: text("Index Name"),
        feeds: feeds(text("Parent Relationship").as_ref(), text("Subplan Name")),
        startup: number("Startup Cost")?,
        total: number("Total Cost")?,
        rows: number("Plan Rows")?,
        width,
        facts: facts.map(|(key, value)| (key.clone(), shown(value))).collect(),
        inputs,
    })
}

/// False for what the head of a node says already, and for what is so in most nodes.
fn says_something(key: &str, value: &Value) -> bool {
    let usual = match key {
        "Join Type" | "Operation" | "Partial Mode" | "Strategy" | "Scan Direction" => true,
        "Inner Unique" | "Single Copy" => value == &Value::Bool(false),
        "Subplans Removed" => value == &Value::from(0),
        _ => false,
    };
    !usual
}

fn feeds(relationship: Option<&ServerText>, name: Option<ServerText>) -> Feeds {
    match relationship.map_or("", ServerText::raw) {
        "Inner" => Feeds::Inner,
        "InitPlan" => Feeds::Before(name.unwrap_or_else(|| "InitPlan".into())),
        "SubPlan" => Feeds::Asked(name.unwrap_or_else(|| "SubPlan".into())),
        _ => Feeds::Rows,
    }
}

/// A value on one line: a list's entries with commas between them.
fn shown(value: &Value) -> ServerText {
    match value {
        Value::String(text) => text.as_str().into(),
        Value::Array(list) => {
            ServerText::new(list.iter().map(|v| shown(v).raw().to_owned()).collect::<Vec<_>>().join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => ServerText::new(value.to_string()),
    }
}
