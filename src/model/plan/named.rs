//! The tables that a statement names, and the rights that it surely needs on each: read from where a table's name can stand.
//!
//! What this says becomes a `GRANT`, so that it rather leaves out a table or a right than names one too many. A name that
//! is also one of `WITH` may stand for either: it is left out, too.

use std::collections::{BTreeMap, BTreeSet};

use super::lexer::Token;

/// A right on a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Right {
    /// To read it.
    Select,
    /// To add rows.
    Insert,
    /// To change or lock rows.
    Update,
    /// To remove rows.
    Delete,
}

impl Right {
    /// Its word in a `GRANT`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Select => "SELECT",
            Self::Insert => "INSERT",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
        }
    }
}

/// A table, as the text names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The schema that is written before it.
    pub schema: Option<String>,
    /// Its name.
    pub name: String,
    /// What it surely takes; what changes rows may have to read them besides.
    pub rights: BTreeSet<Right>,
}

/// What stands for a quoted name among the words before: no keyword.
const QUOTED: &str = "\"";

/// Words that end a list of tables.
const ENDS_LIST: [&str; 15] = [
    "where",
    "group",
    "having",
    "order",
    "limit",
    "offset",
    "fetch",
    "window",
    "union",
    "intersect",
    "except",
    "returning",
    "set",
    "values",
    "for",
];

/// A table while the text is read.
#[derive(Debug)]
struct Table {
    level: usize,
    parts: Vec<String>,
    rights: BTreeSet<Right>,
    alias: Option<String>,
    /// What a statement changes: no name of `WITH`.
    target: bool,
}

/// What stands in one pair of parentheses, without what stands in those inside of it.
#[derive(Debug, Default)]
struct Level {
    /// The level in whose list of tables it stands as one.
    inside: Option<usize>,
    /// True once there was a word after which `FROM` begins a list of tables: in `extract(year FROM x)` there is none.
    statement: bool,
    /// What is listed: after a comma comes another.
    list: List,
    /// The table that it changes.
    target: Option<usize>,
    /// The first word of what changes it.
    verb: Option<Verb>,
    /// `FOR UPDATE` or the like, of all its tables, or of these.
    locks_all: bool,
    locks: BTreeSet<String>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum List {
    #[default]
    Else,
    /// `FROM a, b`
    Tables,
    /// `WITH a AS (…), b AS (…)`
    With,
    /// `FOR UPDATE OF a, b`
    Locked,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Insert,
    Update,
    Delete,
    Merge,
}

/// What the next word is the name of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expects {
    Read,
    Change(Verb),
    With,
}

/// Reads the tokens of one statement.
#[derive(Debug)]
pub(super) struct Reader {
    levels: Vec<Level>,
    /// The levels that are open, from the outermost.
    open: Vec<usize>,
    found: Vec<Table>,
    with: BTreeSet<String>,
    expects: Option<Expects>,
    /// The table whose name or alias is being read.
    naming: Option<usize>,
    /// The token before, and the one before that.
    before: [String; 2],
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            levels: vec![Level::default()],
            open: vec![0],
            found: Vec::new(),
            with: BTreeSet::new(),
            expects: None,
            naming: None,
            before: [String::new(), String::new()],
        }
    }
}

impl Reader {
    pub(super) fn take(&mut self, token: &Token) {
        if *token == Token::End {
            return;
        }
        self.returned(*token != Token::Open);
        let expects = self.expects.take();
        let naming = self.naming.take();
        let before = match token {
            Token::Word(word) => {
                if !self.names(word, true, expects, naming) {
                    self.keyword(word);
                }
                word.as_str()
            }
            Token::Name(name) => {
                self.names(name, false, expects, naming);
                QUOTED
            }
            Token::Open | Token::Bracket => {
                self.enter(*token == Token::Open, expects, naming);
                "("
            }
            Token::Close => {
                if self.open.len() > 1 {
                    self.open.pop();
                }
                ")"
            }
            Token::Comma => {
                self.expects = match self.level().list {
                    List::With => Some(Expects::With),
                    List::Tables => Some(Expects::Read),
                    List::Locked | List::Else => None,
                };
                ","
            }
            Token::Dot => {
                self.naming = naming.filter(|at| self.found.get(*at).is_some_and(|table| table.alias.is_none()));
                "."
            }
            Token::Star => "*",
            Token::Parameter(_) | Token::End | Token::Other => "?",
        };
        self.before = [before.to_owned(), std::mem::take(&mut self.before[0])];
    }

    /// What was found, each table once.
    pub(super) fn tables(mut self) -> Vec<Named> {
        self.returned(true);
        let mut out: BTreeMap<(Option<String>, String), BTreeSet<Right>> = BTreeMap::new();
        for table in &self.found {
            let (schema, name) = match &table.parts[..] {
                [name] if !table.target && self.with.contains(name) => continue,
                [name] => (None, name.clone()),
                // The database before it can only be this one.
                [schema, name] | [_, schema, name] => (Some(schema.clone()), name.clone()),
                _ => continue,
            };
            let rights = out.entry((schema, name)).or_default();
            rights.extend(&table.rights);
            rights.extend((!table.target && self.is_locked(table)).then_some(Right::Update));
        }
        out.into_iter().map(|((schema, name), rights)| Named { schema, name, rights }).collect()
    }

    fn level(&mut self) -> &mut Level {
        let at = self.open.last().copied().unwrap_or(0);
        // The outermost is never closed.
        &mut self.levels[at]
    }

    /// Takes a name where one is expected; true where it was one and no word of the language.
    fn names(&mut self, name: &str, plain: bool, expects: Option<Expects>, naming: Option<usize>) -> bool {
        let (level, before) = (self.open.last().copied().unwrap_or(0), self.before[0].clone());
        if self.level().list == List::Locked {
            self.level().locks.insert(name.to_owned());
        }
        if let Some(table) = naming.and_then(|at| self.found.get_mut(at)) {
            if before == "." {
                table.parts.push(name.to_owned());
                self.naming = naming;
                return true;
            }
            if plain && name == "as" {
                self.naming = naming;
                return true;
            }
            // Where there is no alias it may be the next word of the language.
            table.alias = Some(name.to_owned());
            return before == "as";
        }
        match expects {
            Some(Expects::With) if plain && name == "recursive" => self.expects = expects,
            // `WITH ORDINALITY`, `WITH TIES`, `WITH TIME ZONE`.
            Some(Expects::With) if plain && ["ordinality", "ties", "time"].contains(&name) => {}
            Some(Expects::With) => {
                self.level().list = List::With;
                self.with.insert(name.to_owned());
            }
            Some(_) if plain && ["only", "lateral"].contains(&name) => self.expects = expects,
            Some(_) if plain && ["select", "with", "values", "table"].contains(&name) => return false,
            Some(Expects::Read) => self.found(level, name, [Right::Select].into(), false),
            Some(Expects::Change(verb)) => {
                let right = match verb {
                    Verb::Insert => Right::Insert,
                    Verb::Update => Right::Update,
                    Verb::Delete => Right::Delete,
                    Verb::Merge => Right::Select,
                };
                self.found(level, name, [right].into(), true);
                let target = self.naming;
                let level = self.level();
                (level.target, level.verb) = (target, Some(verb));
            }
            None => return false,
        }
        true
    }

    fn found(&mut self, level: usize, name: &str, rights: BTreeSet<Right>, target: bool) {
        self.naming = Some(self.found.len());
        self.found.push(Table { level, parts: vec![name.to_owned()], rights, alias: None, target });
    }

    fn keyword(&mut self, word: &str) {
        let [before, earlier] = self.before.clone();
        let begins = ["", "(", ")"].contains(&before.as_str());
        let locks = match (word, before.as_str()) {
            ("update" | "share", "for") => true,
            ("update", "key") => earlier == "no",
            ("share", "key") => earlier == "for",
            _ => false,
        };
        let level = self.level();
        let ends: &[&str] = match level.list {
            List::Tables => &ENDS_LIST,
            List::Locked => &["nowait", "skip", "for"],
            List::With | List::Else => &[],
        };
        if ends.contains(&word) {
            level.list = List::Else;
        }
        match (word, before.as_str()) {
            _ if locks => level.locks_all = true,
            ("of", "update" | "share") if level.locks_all => (level.locks_all, level.list) = (false, List::Locked),
            ("with", _) => self.expects = Some(Expects::With),
            ("select", _) => (level.statement, level.list) = (true, List::Else),
            ("from", "delete") => self.changes(Verb::Delete),
            ("from", "distinct") => {}
            ("from", _) if level.statement => {
                level.list = List::Tables;
                self.expects = Some(Expects::Read);
            }
            // Of a join it names columns, of an order an operator.
            ("using", _) if matches!(level.verb, Some(Verb::Delete | Verb::Merge)) => {
                level.list = if level.verb == Some(Verb::Delete) { List::Tables } else { List::Else };
                self.expects = Some(Expects::Read);
            }
            ("join" | "table", _) => self.expects = Some(Expects::Read),
            ("into", "insert") => self.changes(Verb::Insert),
            ("into", "merge") => self.changes(Verb::Merge),
            ("update", _) if begins => self.changes(Verb::Update),
            ("update", "do" | "then") => self.takes(Right::Update),
            ("insert", "then") => self.takes(Right::Insert),
            ("delete", "then") => self.takes(Right::Delete),
            ("where", _) if matches!(level.verb, Some(Verb::Update | Verb::Delete)) => self.takes(Right::Select),
            _ => {}
        }
    }

    fn changes(&mut self, verb: Verb) {
        let level = self.level();
        (level.statement, level.list) = (verb != Verb::Insert, List::Else);
        self.expects = Some(Expects::Change(verb));
    }

    /// Of the table that the level changes.
    fn takes(&mut self, right: Right) {
        let target = self.level().target;
        if let Some(table) = target.and_then(|at| self.found.get_mut(at)) {
            table.rights.insert(right);
        }
    }

    /// `RETURNING` of a column reads it; of a constant or of what a function gives it need not.
    fn returned(&mut self, no_call: bool) {
        let [before, earlier] = &self.before;
        let constant = ["?", "(", "null", "true", "false", "case", "not"].contains(&before.as_str());
        if earlier == "returning" && !constant && no_call {
            self.takes(Right::Select);
        }
    }

    fn enter(&mut self, parenthesis: bool, expects: Option<Expects>, naming: Option<usize>) {
        // What is called is no table.
        if let Some(at) = naming
            && self.found.get(at).is_some_and(|table| table.alias.is_none() && !table.target)
            && self.before[0] != "as"
        {
            self.found.truncate(at);
        }
        let is_table = parenthesis && expects == Some(Expects::Read) && self.before[0] != "using";
        let inside = self.open.last().copied().filter(|_| is_table);
        self.open.push(self.levels.len());
        let list = if is_table { List::Tables } else { List::Else };
        self.levels.push(Level { inside, list, ..Level::default() });
        self.expects = is_table.then_some(Expects::Read);
    }

    fn is_locked(&self, table: &Table) -> bool {
        let named = |level: &Level| {
            table.alias.as_ref().is_some_and(|alias| level.locks.contains(alias))
                || table.parts.last().is_some_and(|name| level.locks.contains(name))
        };
        // Of tables in parentheses the names are those of the level around.
        let (mut at, mut joined) = (Some(table.level), true);
        while let Some(level) = at.and_then(|at| self.levels.get(at)) {
            if level.locks_all || (joined && named(level)) {
                return true;
            }
            joined = joined && !level.statement;
            at = level.inside;
        }
        false
    }
}
