//! Who holds back what a vacuum may remove: the oldest transaction, a prepared one, a slot, or a standby's query. One
//! answer for the findings, the list of tables, and the question before a vacuum.
//!
//! A snapshot in another database holds back nothing here, and a vacuum nothing at all. Who has written is another
//! matter: every snapshot on the server, a standby's too, stands where the oldest of the writers began.
//! Facts of the last samples; it gives no advice.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::activity::PreparedTransaction;
use super::replica::{Replication, Slot};
use super::session::Session;
use super::text::ServerText;
use super::unit::Age;
use super::{Timestamp, World, seconds_between};

/// From when on it is worth a word that somebody holds the horizon.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Patience {
    /// Held for so many seconds, where that is known.
    pub seconds: f64,
    /// Else: so many transactions back, which is more than a standby's ordinary lag.
    pub transactions: f64,
}

/// Fewer transactions than these are behind whom a standby that runs no query is: it tells of its horizon every
/// `wal_receiver_status_interval`, and does not hear of a transaction that was never logged.
const ORDINARY: i64 = 100;

/// Since when the horizon of each slot and standby stands where it stands, as far as it was looked at: the server does not
/// tell.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Stands(BTreeMap<String, (String, Timestamp)>);

impl Stands {
    /// Takes in where they stand now.
    pub(super) fn follow(&mut self, now: &Replication, at: Timestamp) {
        let slots = now.slots.iter().map(|s| (slot_key(s), s.xmin.as_ref()));
        let standbys = now.replicas.iter().map(|r| (r.key().0, r.xmin.as_ref()));
        let mut stands = BTreeMap::new();
        for (key, xmin) in standbys.chain(slots).filter_map(|(key, xmin)| Some((key, xmin?))) {
            let before = self.0.get(&key).filter(|(stood, _)| stood == xmin).map(|(_, since)| *since);
            stands.insert(key, (xmin.clone(), before.unwrap_or(at)));
        }
        self.0 = stands;
    }

    fn seconds(&self, key: &str, world: &World) -> f64 {
        let seen = world.replication.value.as_ref().map(|(_, at)| *at);
        self.0.get(key).zip(seen).map_or(0.0, |((_, since), at)| seconds_between(*since, at))
    }
}

fn slot_key(slot: &Slot) -> String {
    format!("slot {}", slot.name.raw())
}

/// Who holds the horizon.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Holder<'a> {
    /// A transaction of a session.
    Session(&'a Session),
    /// A prepared one, which has none.
    Prepared(&'a PreparedTransaction),
    /// A slot whose standby, or nobody, holds it.
    Slot {
        /// Its name.
        name: &'a ServerText,
        /// Whether somebody streams from it.
        active: bool,
        /// Seconds that it was seen to stand there: the least that it has.
        stood_s: f64,
    },
    /// A standby without a slot, by feedback.
    Standby {
        /// Its name.
        application: &'a ServerText,
        /// Seconds that it was seen to stand there: the least that it has.
        stood_s: f64,
    },
}

impl Holder<'_> {
    /// For how long, where that is known.
    #[must_use]
    pub fn held_s(&self) -> Option<f64> {
        match self {
            Self::Session(s) => s.xact_s,
            Self::Prepared(p) => Some(p.age_s),
            Self::Slot { .. } | Self::Standby { .. } => None,
        }
    }

    /// True where it is held for long enough to be worth a word, `age` transactions back. Where nobody tells since when, its
    /// age tells, or that a slot or a standby was seen to stand still for so long.
    #[must_use]
    pub fn lasts(&self, age: i64, patience: &Patience) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "a count of transactions, to compare with a limit")]
        let old = age as f64 >= patience.transactions;
        match self {
            Self::Session(_) | Self::Prepared(_) => self.held_s().map_or(old, |s| s >= patience.seconds),
            Self::Slot { stood_s, .. } | Self::Standby { stood_s, .. } => {
                old || (age >= ORDINARY && *stood_s >= patience.seconds)
            }
        }
    }

    /// `4711`, `prepared transaction tx'42`; safe to draw.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Session(s) => s.pid.to_string(),
            Self::Prepared(p) => format!("prepared transaction {}", p.gid.head(40)),
            Self::Slot { name, .. } => format!("slot {}", name.head(64)),
            Self::Standby { application, .. } => format!("a query on standby {}", application.head(64)),
        }
    }

    /// `idle in transaction, open 12m`: how it comes to hold that of `database`; safe to draw.
    #[must_use]
    pub fn how(&self, database: &ServerText) -> String {
        let elsewhere = |own: Option<&ServerText>| {
            let own = own.filter(|own| *own != database);
            own.map_or_else(String::new, |own| format!(", has written in {}", own.head(40)))
        };
        match self {
            Self::Session(s) => {
                let state = s.state.map_or_else(|| "state not known".to_owned(), |state| state.word().to_owned());
                let since = || "since when is hidden".to_owned();
                let open = s.xact_s.map_or_else(since, |s| format!("open {}", Age(s).short()));
                format!("{state}, {open}{}", elsewhere(s.database.as_ref()))
            }
            Self::Prepared(p) => format!("open {}{}", Age(p.age_s).short(), elsewhere(Some(&p.database))),
            Self::Slot { active: true, .. } => "for a query on its standby".to_owned(),
            Self::Slot { active: false, .. } => "inactive".to_owned(),
            Self::Standby { .. } => "by hot_standby_feedback".to_owned(),
        }
    }
}

/// One who may hold it: since how many transactions, and at which.
struct Candidate<'a> {
    holder: Holder<'a>,
    age: i64,
    at: Option<&'a str>,
}

impl<'a> Candidate<'a> {
    fn of(holder: Holder<'a>, age: Option<i64>, at: Option<&'a String>) -> Option<Self> {
        age.map(|age| Self { holder, age, at: at.map(String::as_str) })
    }

    /// Of two of the same age the one that is open for longer: a statement of this moment follows somebody.
    fn before(&self, other: &Self) -> bool {
        let open = |c: &Self| c.holder.held_s().unwrap_or(0.0);
        self.age > other.age || (self.age == other.age && open(self) > open(other))
    }
}

fn all_sessions(world: &World) -> &[Session] {
    world.sessions.get().map_or(&[], |s| s.rows.as_slice())
}

fn all_prepared(world: &World) -> &[PreparedTransaction] {
    world.activity.get().map_or(&[], |a| a.prepared.rows())
}

/// Who could hold it there by themselves.
fn candidates<'a>(database: Option<&'a ServerText>, world: &'a World) -> impl Iterator<Item = Candidate<'a>> {
    let here = move |own: Option<&ServerText>| own.zip(database).is_none_or(|(own, looked_at)| own == looked_at);
    let backends = all_sessions(world)
        .iter()
        .filter(move |s| here(s.database.as_ref()) && s.leader.is_none() && !vacuums(s))
        .filter(|s| s.backend_type.as_deref() != Some("walsender"))
        .filter_map(|s| Candidate::of(Holder::Session(s), s.xmin_age, s.xmin.as_ref().or(s.xid.as_ref())));
    let prepared = all_prepared(world)
        .iter()
        .filter(move |p| here(Some(&p.database)))
        .filter_map(|p| Candidate::of(Holder::Prepared(p), p.xid_age, p.xid.as_ref()));
    let replication = world.replication.get();
    let slots = replication.map_or(&[][..], |r| r.slots.as_slice()).iter().filter_map(|s| {
        let stood_s = world.stands.seconds(&slot_key(s), world);
        Candidate::of(Holder::Slot { name: &s.name, active: s.active, stood_s }, s.xmin_age, s.xmin.as_ref())
    });
    let standbys = replication.map_or(&[][..], |r| r.replicas.as_slice()).iter().filter_map(|r| {
        let age = r.xmin_age.filter(|_| r.slot.is_none());
        let stood_s = world.stands.seconds(&r.key().0, world);
        Candidate::of(Holder::Standby { application: &r.application, stood_s }, age, r.xmin.as_ref())
    });
    backends.chain(prepared).chain(slots).chain(standbys)
}

/// The transaction of any database whose own id that is: whoever stands there follows it.
fn writer<'a>(world: &'a World, at: &str) -> Option<Holder<'a>> {
    let session = all_sessions(world).iter().find(|s| s.leader.is_none() && s.xid.as_deref() == Some(at));
    let prepared = || all_prepared(world).iter().find(|p| p.xid.as_deref() == Some(at)).map(Holder::Prepared);
    session.map(Holder::Session).or_else(prepared)
}

/// A vacuum takes a snapshot and holds nothing back by it.
fn vacuums(s: &Session) -> bool {
    let query = s.query.raw().trim_start();
    s.is_active()
        && (query.starts_with("autovacuum: VACUUM") || query.get(..6).is_some_and(|w| w.eq_ignore_ascii_case("vacuum")))
}

/// True where what is open on this server holds back a vacuum somewhere: on a standby only by `hot_standby_feedback`, and
/// then the primary's (18: without it 500 of 500 dead rows went under an open snapshot, with it none).
#[must_use]
pub fn counts(world: &World) -> bool {
    let standby = world.server.get().is_some_and(|server| server.in_recovery);
    !standby || world.activity.get().is_some_and(|activity| activity.bounds.feedback)
}

/// Who holds the horizon of `database` and its age in transactions; without one, of whichever. None where nobody is seen
/// to.
#[must_use]
pub fn oldest<'a>(database: Option<&'a ServerText>, world: &'a World) -> Option<(Holder<'a>, i64)> {
    if !counts(world) {
        return None;
    }
    let oldest = candidates(database, world).reduce(|best, next| if next.before(&best) { next } else { best })?;
    let holder = oldest.at.and_then(|at| writer(world, at)).unwrap_or(oldest.holder);
    Some((holder, oldest.age))
}

/// Who holds it once `holder` has ended, and its age, where that one lasts, too: a vacuum is not free then.
#[must_use]
pub fn next<'a>(
    database: Option<&'a ServerText>,
    world: &'a World,
    holder: &Holder<'_>,
    patience: &Patience,
) -> Option<(Holder<'a>, i64)> {
    let others = candidates(database, world).filter(|c| c.holder != *holder);
    let next = others.filter(|c| c.holder.lasts(c.age, patience));
    next.reduce(|best, next| if next.before(&best) { next } else { best }).map(|c| (c.holder, c.age))
}

/// The same where it is held for long enough to be worth a word.
#[must_use]
pub fn lasting<'a>(database: &'a ServerText, world: &'a World, patience: &Patience) -> Option<(Holder<'a>, i64)> {
    oldest(Some(database), world).filter(|(holder, age)| holder.lasts(*age, patience))
}

/// The slot whose `catalog_xmin` is the oldest, and its age in transactions: what died in the system catalogs since then
/// stays, and none of their rows is frozen beyond it, in every database. None where no slot holds them further back than
/// the tables.
#[must_use]
pub fn of_catalogs(world: &World) -> Option<(&Slot, i64)> {
    let slots = world.replication.get().filter(|_| counts(world))?.slots.iter();
    let held = slots.filter(|s| s.invalid().is_none()).filter_map(|s| Some((s, s.catalog_xmin_age?)));
    held.filter(|(s, age)| s.xmin_age.is_none_or(|own| own < *age)).max_by_key(|(_, age)| *age)
}

/// The sessions in `database` with a snapshot or a transaction that has written, the oldest first: whom a build that goes
/// on concurrently waits for. A vacuum is none.
pub fn open_transactions<'a>(database: &ServerText, world: &'a World) -> impl Iterator<Item = &'a Session> {
    let vacuums = world.relations.get().map_or(&[][..], |list| &list.vacuums);
    let mut open: Vec<&Session> = all_sessions(world)
        .iter()
        .filter(|s| s.database.as_ref() == Some(database) && (s.xid.is_some() || s.xmin.is_some()))
        .filter(|s| s.leader.is_none_or(|leader| leader == s.pid) && vacuums.iter().all(|v| v.pid != s.pid))
        .collect();
    open.sort_by(|a, b| b.xact_s.unwrap_or_default().total_cmp(&a.xact_s.unwrap_or_default()));
    open.into_iter()
}
