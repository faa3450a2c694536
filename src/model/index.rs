//! Indexes: what each costs and brings, and what is wrong with it.

use serde::{Deserialize, Serialize};

use super::relation::RelationKey;
use super::text::ServerText;

/// By what the server ranks indexes before it cuts the list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum IndexOrder {
    /// Those that are wrong first: not valid, then duplicates, then never used; the largest of each first.
    #[default]
    Faults,
    /// Largest first (`relpages`).
    Size,
    /// Least used first.
    Scans,
    /// Most used first.
    Used,
    /// By the name of the table.
    Table,
    /// By name.
    Name,
}

impl IndexOrder {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Faults, Self::Size, Self::Scans, Self::Used, Self::Table, Self::Name];

    /// The word that the statement knows it by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Faults => "faults",
            Self::Size => "size",
            Self::Scans => "scans",
            Self::Used => "used",
            Self::Table => "table",
            Self::Name => "name",
        }
    }
}

/// Who builds or drops an index that is not valid, or another one of its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Builder {
    /// Its pid.
    pub pid: i32,
    /// Whether it is at this very index; none where that cannot be told, since the server hides it from our role.
    pub this: Option<bool>,
    /// True for a DROP INDEX CONCURRENTLY: it makes its index invalid first, and then waits.
    #[serde(default)]
    pub drops: bool,
}

impl Builder {
    /// What it does, in a word.
    #[must_use]
    pub fn verb(&self) -> &'static str {
        if self.drops { "drops" } else { "builds" }
    }
}

/// Another index that does all that this one does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Covered {
    /// The other one's name.
    pub by: ServerText,
    /// True where it is the same in columns, operator classes, collations, order, expressions and predicate; false where
    /// this one's columns are only the first of its.
    pub same: bool,
}

/// What an index is needed for besides queries.
#[expect(clippy::struct_excessive_bools, reason = "flags of pg_index, each its own")]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Needed {
    /// A primary key.
    pub primary: bool,
    /// It keeps values unique.
    pub unique: bool,
    /// It keeps an exclusion constraint.
    pub exclusion: bool,
    /// A constraint stands on it.
    pub constraint: bool,
    /// It is the replica identity.
    pub replica_identity: bool,
    /// It belongs to an index of a partitioned table.
    pub partition: bool,
}

impl Needed {
    /// True where it cannot be dropped for want of use alone.
    #[must_use]
    pub fn any(&self) -> bool {
        self.unique || self.is_bound()
    }

    /// True where the server, or replication, would not have it dropped by itself.
    #[must_use]
    pub fn is_bound(&self) -> bool {
        self.primary || self.exclusion || self.constraint || self.replica_identity || self.partition
    }
}

/// What is wrong with an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Not valid, and being built or dropped now, perhaps.
    Building(Builder),
    /// Not valid: what a build, or a drop, that failed left.
    Leftover,
    /// Not valid, and its table partitioned: not all partitions have a valid index attached to it.
    Unattached,
    /// Another one does the same.
    Duplicate,
    /// The first columns of another one.
    Prefix,
    /// Never scanned since the statistics began, and needed for nothing else.
    Unused,
}

/// Whether queries and writes use an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Validity {
    /// Queries use it, writes go into it.
    Valid,
    /// No query uses it, and writes go into it all the same.
    Invalid,
    /// Neither queries nor writes use it.
    NotReady,
}

/// How far the partitions are with theirs, of an index of a partitioned table that is not valid.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partitions {
    /// How many its table has, sub-partitioned ones as one.
    pub all: i64,
    /// How many of them have an index attached to it.
    pub attached: i64,
    /// How many of those indexes are not valid themselves.
    pub invalid: i64,
    /// How many of those that have none are foreign tables, which can have none.
    pub foreign: i64,
    /// The names of the first three that have none.
    pub lacking: ServerText,
}

impl Partitions {
    /// How many have none.
    #[must_use]
    pub fn without(&self) -> i64 {
        (self.all - self.attached).max(0)
    }
}

/// What a REINDEX CONCURRENTLY that did not come to its end left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remains {
    /// `…_ccnew`: what was to take another one's place, which stands as before.
    New,
    /// `…_ccold`: what another one has taken the place of.
    Old,
}

/// What our role may do to an index.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexRights {
    /// Its owner, who is its table's.
    pub owner: ServerText,
    /// True where that is a superuser.
    pub owner_is_superuser: bool,
    /// REINDEX: the owner's rights, or `MAINTAIN` on the table (17 and later).
    pub reindex: bool,
    /// DROP: the owner's rights, or those of the schema's owner.
    pub drop: bool,
}

/// One index.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Index {
    /// OID.
    pub oid: u32,
    /// Its schema, which is its table's.
    pub schema: ServerText,
    /// Name.
    pub name: ServerText,
    /// Of an index of a partitioned table, which has no storage: how far its partitions are with theirs.
    #[serde(default)]
    pub partitions: Option<Partitions>,
    /// OID of its table.
    pub table_oid: u32,
    /// Name of its table.
    pub table: ServerText,
    /// `relkind` of its table: r, m, t or p.
    pub table_kind: char,
    /// For an index of a TOAST table, the name of the table that it belongs to, where it is known.
    pub toast_of: Option<ServerText>,
    /// Access method.
    pub method: ServerText,
    /// Its columns, those that are only included behind `INCLUDE`; `(expression)` for an expression.
    pub columns: ServerText,
    /// True with a `WHERE`.
    pub partial: bool,
    /// Bytes by `relpages`, as old as the last build, vacuum or analyze; 0 where it was not measured.
    pub bytes: i64,
    /// Whether queries and writes use it.
    pub validity: Validity,
    /// What it is needed for besides queries.
    pub needed: Needed,
    /// Scans since the statistics began.
    pub scans: i64,
    /// Seconds since the last scan (16 and later).
    pub last_scan_s: Option<f64>,
    /// Entries read by scans.
    pub entries_read: i64,
    /// Rows fetched by plain index scans.
    pub rows_fetched: i64,
    /// Rows written to its table that had to be entered into it, since the statistics began; none on a standby.
    pub writes: Option<i64>,
    /// The index that does all that this one does.
    pub covered: Option<Covered>,
    /// Who builds or drops an index of its table now.
    pub builder: Option<Builder>,
    /// True while somebody holds or awaits `AccessExclusiveLock` on it or on its table.
    pub locked: bool,
    /// Whose it is, and what our role may do to it.
    pub rights: IndexRights,
}

impl Index {
    /// `schema.name`, the schema left out for `public`; safe to draw.
    #[must_use]
    pub fn shown(&self) -> String {
        if self.schema.raw() == "public" {
            self.name.head(80)
        } else {
            format!("{}.{}", self.schema.head(63), self.name.head(80))
        }
    }

    /// Its size, where it was ever measured: a built index has at least one page.
    #[must_use]
    pub fn size(&self) -> Option<i64> {
        (self.bytes > 0).then_some(self.bytes)
    }

    /// What it is left of, by its name: the server gives these to what a REINDEX CONCURRENTLY builds and replaces, with a
    /// number behind where the name is taken.
    #[must_use]
    pub fn remains(&self) -> Option<Remains> {
        let name = self.name.raw().trim_end_matches(|c: char| c.is_ascii_digit());
        match name {
            _ if self.fault() != Some(Fault::Leftover) => None,
            name if name.ends_with("_ccnew") => Some(Remains::New),
            name if name.ends_with("_ccold") => Some(Remains::Old),
            _ => None,
        }
    }

    /// What is wrong with it, the gravest. Whether no scans mean anything is for those to say who know how long they
    /// were counted for.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        if self.validity != Validity::Valid && self.partitions.is_some() {
            return Some(Fault::Unattached);
        }
        if self.validity != Validity::Valid {
            // Whoever builds another one is no reason to spare this one for ever, but one to look twice.
            return Some(match self.builder.filter(|b| b.this != Some(false)) {
                Some(builder) => Fault::Building(builder),
                None => Fault::Leftover,
            });
        }
        match &self.covered {
            Some(covered) if covered.same => return Some(Fault::Duplicate),
            Some(_) | None => {}
        }
        if self.scans == 0 && !self.needed.any() {
            return Some(Fault::Unused);
        }
        self.covered.is_some().then_some(Fault::Prefix)
    }
}

/// How many of all indexes are wrong, also of those that the list leaves out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultCounts {
    /// Not valid.
    pub invalid: i64,
    /// The same as another one.
    pub duplicate: i64,
    /// Never scanned, and needed for nothing else.
    pub unused: i64,
}

/// The indexes of one database at one moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Indexes {
    /// The database.
    pub database: ServerText,
    /// By what the server ranked them.
    pub order: IndexOrder,
    /// The first of them, and those that are wrong.
    pub rows: Vec<Index>,
    /// How many there are in all.
    pub total: i64,
    /// How many are wrong.
    pub faults: FaultCounts,
    /// Seconds that scans were counted for.
    pub counted_s: f64,
    /// False where the server does not say when counting began: it is at least so long ago, since the server's start.
    pub reset_known: bool,
    /// True on a standby: its scans are its own.
    pub in_recovery: bool,
    /// `track_counts`: without it nothing is counted.
    pub counted: bool,
}

impl Indexes {
    /// The index of that identity, where it is in the list.
    #[must_use]
    pub fn find(&self, key: &RelationKey) -> Option<&Index> {
        let rows = if self.database == key.database { &self.rows[..] } else { &[] };
        rows.iter().find(|index| index.oid == key.oid)
    }
}
