//! Who said what: the values of one source, and all sources one over the other.
//!
//! It decides which value counts, and never what a value means.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::option::Opt;
use super::value::{Base, Value};

/// Where a value was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// In a file.
    File {
        /// Its name.
        file: String,
        /// Its line.
        line: usize,
    },
    /// In this variable.
    Variable(String),
    /// By this flag.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file, line } => write!(f, "{file}:{line}"),
            Self::Variable(name) => f.write_str(name),
            Self::Flag(name) => write!(f, "--{name}"),
        }
    }
}

/// A value and where it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The value.
    pub value: Value,
    /// Where it was given.
    pub origin: Origin,
}

/// The values of one source.
pub type Layer = BTreeMap<Opt, Setting>;

/// The sources over the options' defaults, the later ones over the earlier ones. What is said about one target goes before what is said in
/// general, in whichever file: else a general Prometheus would answer for a server that has its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// The system's file.
    System,
    /// The user's file.
    Own,
    /// The target in the system's file.
    SystemTarget,
    /// The target in the user's file.
    OwnTarget,
    /// The environment.
    Environment,
    /// The command line.
    Line,
}

/// All sources.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layers(BTreeMap<Rank, Layer>);

impl Layers {
    /// Adds a source.
    pub fn insert(&mut self, rank: Rank, layer: Layer) {
        self.0.insert(rank, layer);
    }

    /// The values of one source.
    #[must_use]
    pub fn layer(&self, rank: Rank) -> Option<&Layer> {
        self.0.get(&rank)
    }

    /// The setting that counts, and its source; none where only a default could be.
    #[must_use]
    pub fn given(&self, option: Opt) -> Option<(Rank, &Setting)> {
        self.0.iter().rev().find_map(|(rank, layer)| Some((*rank, layer.get(&option)?)))
    }

    /// The value that counts, the default's where none was given.
    #[must_use]
    pub fn value(&self, option: Opt) -> Option<Value> {
        match self.given(option) {
            Some((_, setting)) => Some(setting.value.clone()),
            None => option.spec().kind.read(option.spec().default?, &Base::default()).ok(),
        }
    }

    /// The text that counts.
    #[must_use]
    pub fn text(&self, option: Opt) -> Option<String> {
        if let Some(Value::Text(text)) = self.value(option) { Some(text) } else { None }
    }

    /// The list that counts; empty where none was given.
    #[must_use]
    pub fn list(&self, option: Opt) -> Vec<String> {
        if let Some(Value::List(texts)) = self.value(option) { texts } else { Vec::new() }
    }

    /// True where the switch is on.
    #[must_use]
    pub fn switch(&self, option: Opt) -> bool {
        self.value(option) == Some(Value::Switch(true))
    }

    /// The number that counts.
    #[must_use]
    pub fn count(&self, option: Opt) -> Option<u32> {
        if let Some(Value::Count(n)) = self.value(option) { Some(n) } else { None }
    }

    /// The span of time that counts. Every option of that kind has a default; a test reads them all.
    #[must_use]
    pub fn time(&self, option: Opt) -> Duration {
        if let Some(Value::Time(span)) = self.value(option) { span } else { Duration::ZERO }
    }
}

#[cfg(test)]
mod tests {
    use super::super::option::{Kind, OPTIONS};
    use super::*;

    #[test]
    fn every_span_of_time_has_a_default() {
        for spec in OPTIONS.iter().filter(|s| matches!(s.kind, Kind::Time(..))) {
            assert!(Layers::default().time(spec.option) > Duration::ZERO, "{}", spec.name);
        }
    }

    #[test]
    fn the_later_source_counts() {
        let order = [Rank::System, Rank::Own, Rank::SystemTarget, Rank::OwnTarget, Rank::Environment, Rank::Line];
        let mut layers = Layers::default();
        assert_eq!(layers.time(Opt::Refresh), Duration::from_secs(2));
        for (i, rank) in order.into_iter().enumerate() {
            let value = Value::Time(Duration::from_secs(10 + i as u64));
            let setting = Setting { value: value.clone(), origin: Origin::Flag("refresh") };
            layers.insert(rank, Layer::from([(Opt::Refresh, setting)]));
            assert_eq!(layers.value(Opt::Refresh), Some(value), "{rank:?}");
        }
    }
}
