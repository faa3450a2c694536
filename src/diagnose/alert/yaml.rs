//! YAML as a tree in which every node knows its line, for errors that point somewhere.
//!
//! It knows nothing of rules. What a tree could be abused for (one anchor used a million times) is bounded.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser};

/// The most nodes of one file: Prometheus' own largest published rule files have some tens of thousands.
const MOST_NODES: usize = 500_000;

/// Deeper than this no rule file is.
const DEEPEST: usize = 50;

/// A value and where it begins.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    /// Line, from 1.
    pub line: usize,
    /// What it is.
    pub kind: Kind,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// A text, number or nothing: all are texts here.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// Keys with their lines, and values, in their order.
    Map(Vec<(String, usize, Node)>),
}

/// A fault and its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

pub(super) fn fault(line: usize, message: impl Into<String>) -> Fault {
    Fault { line, message: message.into() }
}

/// Reads the one document of a text; none where it is empty.
pub(super) fn read(text: &str) -> Result<Option<Node>, Fault> {
    let mut loader = Loader { parser: Parser::new_from_str(text), anchors: HashMap::new(), nodes: 0 };
    loader.document()
}

struct Loader<'a> {
    parser: Parser<'a, saphyr_parser::StrInput<'a>>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
}

impl<'a> Loader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, usize), Fault> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, span.start.line())),
            Some(Err(error)) => Err(fault(error.marker().line().max(1), error.info())),
            None => Ok((Event::StreamEnd, 1)),
        }
    }

    fn document(&mut self) -> Result<Option<Node>, Fault> {
        let mut root = None;
        loop {
            let (event, line) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(root),
                Event::DocumentStart(_) if root.is_some() => {
                    return Err(fault(line, "a second YAML document: Prometheus would not read it"));
                }
                Event::Nothing | Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd => {}
                Event::Alias(_)
                | Event::Scalar(..)
                | Event::SequenceStart(..)
                | Event::SequenceEnd
                | Event::MappingStart(..)
                | Event::MappingEnd => root = Some(self.node(event, line, 0)?),
            }
        }
    }

    fn node(&mut self, event: Event<'a>, line: usize, depth: usize) -> Result<Node, Fault> {
        self.nodes += 1;
        if self.nodes > MOST_NODES || depth > DEEPEST {
            return Err(fault(line, "more YAML than any rule file needs"));
        }
        let (kind, anchor) = match event {
            Event::Scalar(text, _, anchor, _) => (Kind::Text(text.into_owned()), anchor),
            Event::SequenceStart(anchor, _) => (Kind::List(self.list(depth)?), anchor),
            Event::MappingStart(anchor, _) => (Kind::Map(self.map(depth)?), anchor),
            Event::Alias(anchor) => {
                let known = self.anchors.get(&anchor).ok_or_else(|| fault(line, "an alias of what is not above"))?;
                self.nodes += size(known);
                (known.kind.clone(), 0)
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::SequenceEnd
            | Event::MappingEnd => return Err(fault(line, "a value is missing")),
        };
        let node = Node { line, kind };
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, Fault> {
        let mut nodes = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(nodes),
                (event, line) => nodes.push(self.node(event, line, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Vec<(String, usize, Node)>, Fault> {
        let mut entries: Vec<(String, usize, Node)> = Vec::new();
        loop {
            let (event, line) = match self.next()? {
                (Event::MappingEnd, _) => return Ok(entries),
                next => next,
            };
            let Kind::Text(key) = self.node(event, line, depth + 1)?.kind else {
                return Err(fault(line, "a key that is no text"));
            };
            // In the words of Prometheus' own loader: whoever pastes snippets below each other searches for them.
            if let Some((_, before, _)) = entries.iter().find(|(k, ..)| *k == key) {
                return Err(fault(line, format!("mapping key \"{key}\" already defined at line {before}")));
            }
            let (event, at) = self.next()?;
            let value = self.node(event, at, depth + 1)?;
            entries.push((key, line, value));
        }
    }
}

fn size(node: &Node) -> usize {
    match &node.kind {
        Kind::Text(_) => 1,
        Kind::List(nodes) => 1 + nodes.iter().map(size).sum::<usize>(),
        Kind::Map(entries) => 1 + entries.iter().map(|(_, _, n)| 1 + size(n)).sum::<usize>(),
    }
}

impl Node {
    /// The text; a fault that says what is expected where it is none.
    pub(super) fn text(&self, of: &str) -> Result<&str, Fault> {
        match &self.kind {
            Kind::Text(text) => Ok(text),
            Kind::List(_) => Err(fault(self.line, format!("cannot unmarshal a list into `{of}`, which is a text"))),
            Kind::Map(_) => Err(fault(self.line, format!("cannot unmarshal a mapping into `{of}`, which is a text"))),
        }
    }

    /// The list; an empty value is an empty one.
    pub(super) fn list(&self, of: &str) -> Result<&[Node], Fault> {
        match &self.kind {
            Kind::List(nodes) => Ok(nodes),
            Kind::Text(text) if is_nothing(text) => Ok(&[]),
            Kind::Text(_) | Kind::Map(_) => Err(fault(self.line, format!("`{of}` is a list"))),
        }
    }

    /// The mapping; an empty value is an empty one.
    pub(super) fn map(&self, of: &str) -> Result<&[(String, usize, Node)], Fault> {
        match &self.kind {
            Kind::Map(entries) => Ok(entries),
            Kind::Text(text) if is_nothing(text) => Ok(&[]),
            Kind::Text(_) | Kind::List(_) => Err(fault(self.line, format!("`{of}` is a mapping"))),
        }
    }
}

fn is_nothing(text: &str) -> bool {
    matches!(text, "" | "~" | "null")
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn every_node_knows_its_line() {
        let root = read("a: 1\nb:\n- x\n- y: z\n").unwrap().unwrap();
        let entries = root.map("file").unwrap();
        assert_eq!((entries[0].1, entries[0].2.line), (1, 1));
        let list = entries[1].2.list("b").unwrap();
        assert_eq!((list[0].line, list[1].line), (3, 4));
        assert_eq!(read("").unwrap(), None);
    }

    #[test]
    fn a_key_that_stands_twice_is_a_fault_that_names_both_lines() {
        let error = read("alert: A\nexpr: x\nalert: B\n").unwrap_err();
        assert_eq!(error, fault(3, "mapping key \"alert\" already defined at line 1"));
    }

    #[test]
    fn an_alias_is_its_anchor_and_a_bomb_of_them_is_refused() {
        let root = read("a: &x {k: v}\nb: *x\n").unwrap().unwrap();
        let entries = root.map("file").unwrap();
        assert_eq!(entries[1].2.map("b").unwrap()[0].0, "k");
        let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for i in 1..12 {
            let list = vec![format!("*a{}", i - 1); 10].join(",");
            writeln!(bomb, "a{i}: &a{i} [{list}]").unwrap();
        }
        assert_eq!(read(&bomb).unwrap_err().message, "more YAML than any rule file needs");
    }

    #[test]
    fn a_second_document_and_broken_text_are_told_with_their_lines() {
        assert_eq!(read("a: 1\n---\nb: 2\n").unwrap_err().line, 2);
        assert!(read("a: [1\nb: 2\n").unwrap_err().line >= 1);
        assert!(read("a: \"x\n").is_err());
    }
}
