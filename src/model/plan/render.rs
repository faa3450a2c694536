//! A plan in words: the head of a node, and the whole as text to copy, laid out as psql shows it.
//!
//! All of it is raw: whoever shows it escapes it, whoever copies it leaves out what a terminal obeys.

use std::fmt::Write;

use super::{Feeds, Node, Plan, Values};
use crate::model::text::ServerText;

impl Node {
    /// `Hash Left Join`, `Index Scan using orders_pkey on public.orders o`.
    #[must_use]
    pub fn head(&self) -> String {
        let mut out = match &self.feeds {
            Feeds::Before(name) | Feeds::Asked(name) => format!("{}: ", name.raw()),
            Feeds::Rows | Feeds::Inner => String::new(),
        };
        out.push_str(self.kind.raw());
        if !self.manner.is_empty() {
            let manner: Vec<&str> = self.manner.iter().map(ServerText::raw).collect();
            let _ = write!(out, " {}", manner.join(" "));
        }
        if let Some(index) = &self.index {
            let _ = write!(out, " using {}", index.raw());
        }
        if let Some(relation) = &self.relation {
            let schema = self.schema.as_ref().map_or_else(String::new, |schema| format!("{}.", schema.raw()));
            let _ = write!(out, " on {schema}{}", relation.raw());
        }
        if let Some(alias) = &self.alias {
            let _ = write!(out, " {}", alias.raw());
        }
        out
    }

    /// `(cost=0.00..35.50 rows=10 width=4)`, as the server writes it.
    #[must_use]
    pub fn figures(&self) -> String {
        let Self { startup, total, rows, width, .. } = self;
        format!("(cost={startup:.2}..{total:.2} rows={rows:.0} width={width})")
    }
}

impl Plan {
    /// What it is, before one reads it: `estimated, not run · generic plan, for any values`.
    #[must_use]
    pub fn nature(&self) -> &'static str {
        match self.values {
            Values::Literal => "estimated, not run · with the constants of the text",
            Values::Generic => "estimated, not run · generic plan: for any values of the parameters",
        }
    }

    /// As text to copy.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        for placed in self.shares() {
            let arrow = if placed.depth == 0 {
                String::new()
            } else {
                format!("{}->  ", "      ".repeat(placed.depth - 1) + "  ")
            };
            let _ = writeln!(out, "{arrow}{}  {}", placed.node.head(), placed.node.figures());
            let margin = " ".repeat(placed.depth * 6 + 2);
            for (label, value) in &placed.node.facts {
                let _ = writeln!(out, "{margin}{label}: {}", value.raw());
            }
        }
        for (name, value) in &self.settings {
            let _ = writeln!(out, "Setting: {name} = {}", value.raw());
        }
        if let Some(ms) = self.planning_ms {
            let _ = writeln!(out, "Planning Time: {ms:.3} ms");
        }
        let (role, path) = (self.role.raw(), self.search_path.raw());
        let _ = writeln!(
            out,
            "-- {}; as {role} in {}, search_path {path}, PostgreSQL {}",
            self.nature(),
            self.database.raw(),
            self.major
        );
        out
    }
}
