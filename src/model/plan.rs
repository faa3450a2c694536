//! Plans: which statement one is wanted of, and what the planner says it would do.
//!
//! A plan is estimated, never measured: nothing here stands for a statement that was run.

mod lexer;
pub mod named;
pub mod one;
mod read;
pub mod render;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::text::ServerText;
pub use read::read;

/// The statement that a plan is wanted of.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PlanOf {
    /// Its text, as the server keeps it.
    pub text: ServerText,
    /// The database that it runs in; none: the one connected to.
    pub database: Option<ServerText>,
    /// The role that sent it, where that is known.
    pub author: Option<ServerText>,
    /// True where it is the text that `pg_stat_statements` keeps: with `$n` for its constants.
    #[serde(default)]
    pub normalized: bool,
}

/// With which values a statement was planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Values {
    /// With the constants in its text.
    Literal,
    /// For any value of its parameters: a generic plan.
    Generic,
}

/// What the planner would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The topmost node.
    pub root: Node,
    /// With which values.
    pub values: Values,
    /// Settings of the planner that are not PostgreSQL's defaults: name and value.
    pub settings: Vec<(String, ServerText)>,
    /// Milliseconds that planning took.
    pub planning_ms: Option<f64>,
    /// As which role it was planned.
    pub role: ServerText,
    /// In which database.
    pub database: ServerText,
    /// By which path names without a schema were resolved.
    pub search_path: ServerText,
    /// The server's major version.
    pub major: i32,
    /// Sizes of the tables that it names, where they are known.
    pub sizes: Vec<TableSize>,
}

/// The size of one table, from `pg_class.relpages`: as of the last vacuum or analyze.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSize {
    /// Its schema.
    pub schema: ServerText,
    /// Its name.
    pub name: ServerText,
    /// Bytes of its main part.
    pub bytes: i64,
}

/// How a node feeds the one above it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Feeds {
    /// With rows, as its input.
    Rows,
    /// With rows, read again for each row of the outer side.
    Inner,
    /// Once, before it starts: `InitPlan 1`, `CTE x`.
    Before(ServerText),
    /// Whenever an expression asks for it: `SubPlan 1`.
    Asked(ServerText),
}

/// One node of a plan. A kind of node that is not known here has the same fields: nothing depends on the kind but
/// [`Plan::shares`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// `Node Type`, in the server's words.
    pub kind: ServerText,
    /// What stands before or after it: `Left`, `Parallel`, `Partial`, `Backward`, `Update`.
    pub manner: Vec<ServerText>,
    /// Schema of the relation that it reads or changes.
    pub schema: Option<ServerText>,
    /// That relation; or the function, the CTE or the like that it reads.
    pub relation: Option<ServerText>,
    /// Its alias, where it is another word.
    pub alias: Option<ServerText>,
    /// The index that it uses.
    pub index: Option<ServerText>,
    /// How it feeds the node above.
    pub feeds: Feeds,
    /// Cost until the first row.
    pub startup: f64,
    /// Cost of all rows.
    pub total: f64,
    /// Estimated rows.
    pub rows: f64,
    /// Estimated bytes of a row.
    pub width: i64,
    /// Everything else that it says, by the server's own labels: conditions, keys, what this console does not know.
    pub facts: Vec<(String, ServerText)>,
    /// What feeds it.
    pub inputs: Vec<Node>,
}

/// A node in its place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placed<'a> {
    /// Nodes above it.
    pub depth: usize,
    /// The node.
    pub node: &'a Node,
    /// Its own share of the whole cost, 0 to 1; none where it cannot be told.
    pub share: Option<f64>,
}

impl Node {
    /// True where it reads a whole table, row by row.
    #[must_use]
    pub fn reads_all(&self) -> bool {
        self.kind.raw() == "Seq Scan"
    }

    fn is_loop(&self) -> bool {
        self.kind.raw() == "Nested Loop"
    }
}

impl Plan {
    /// All nodes, each before its inputs, with its own share of the cost.
    ///
    /// A node's own cost is what the node above counts for it, less what it counts for its own inputs. The planner counts
    /// the inner side of a nested loop once for each outer row, and only a part of an input that is not read to its end
    /// (under a Limit, a Merge Join): so what inputs would cost is scaled down where it is more than their node has. A
    /// `SubPlan` is counted in the expressions that ask for it, nobody says how often: it has no share of its own.
    #[must_use]
    pub fn shares(&self) -> Vec<Placed<'_>> {
        let mut placed = Vec::new();
        let whole = self.root.total;
        place(&self.root, 0, (whole.is_finite() && whole > 0.0).then_some((whole, whole)), &mut placed);
        placed
    }

    /// The place of the node with the largest share in [`Plan::shares`].
    #[must_use]
    pub fn costliest(&self) -> Option<usize> {
        let shares = self.shares();
        let known = shares.iter().enumerate().filter_map(|(at, placed)| Some((at, placed.share?)));
        known.max_by(|a, b| a.1.total_cmp(&b.1)).map(|(at, _)| at)
    }

    /// The size of the table that a node reads.
    #[must_use]
    pub fn bytes_of(&self, node: &Node) -> Option<i64> {
        let (schema, name) = (node.schema.as_ref()?, node.relation.as_ref()?);
        self.sizes.iter().find(|size| size.schema == *schema && size.name == *name).map(|size| size.bytes)
    }
}

/// `cost`: what is counted for the node, and the whole.
fn place<'a>(node: &'a Node, depth: usize, cost: Option<(f64, f64)>, into: &mut Vec<Placed<'a>>) {
    let (own, whole) = cost.unwrap_or_default();
    // What stops early, or is read again, stops or reads again with all that is below.
    let ratio = if node.total > 0.0 { own / node.total } else { 0.0 };
    let outer_rows =
        node.inputs.iter().find(|input| input.feeds == Feeds::Rows).map_or(1.0, |outer| outer.rows.max(1.0));
    let loops = |input: &Node| node.is_loop() && input.feeds == Feeds::Inner;
    let counted = |input: &Node| match &input.feeds {
        Feeds::Asked(_) => 0.0,
        Feeds::Inner if node.is_loop() => input.total * outer_rows * ratio,
        Feeds::Inner | Feeds::Rows | Feeds::Before(_) => input.total * ratio,
    };
    let sum = |again: bool| node.inputs.iter().filter(|input| loops(input) == again).map(counted).sum::<f64>();
    let (once, again) = (sum(false), sum(true));
    let part = |of: f64, all: f64| if all > of { of / all } else { 1.0 };
    let scale = part(own, once);
    let left = (own - once * scale).max(0.0);
    let inner_scale = part(left, again);
    let share = cost.map(|_| ((left - again * inner_scale) / whole).clamp(0.0, 1.0));
    into.push(Placed { depth, node, share });
    for input in &node.inputs {
        let scale = if loops(input) { inner_scale } else { scale };
        let known = cost.is_some() && !matches!(input.feeds, Feeds::Asked(_));
        place(input, depth + 1, known.then(|| (counted(input) * scale, whole)), into);
    }
}
