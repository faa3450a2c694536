//! What no action of ours fits: the exact statement to copy, where to run it, and what it risks.
//!
//! Nothing here is ever sent. That a statement stands here means that its harm cannot be seen from this server: the other
//! half of a distributed transaction, the consumer of a slot, the reason why somebody paused.

use std::fmt::Write as _;

use crate::model::ServerText;
use crate::model::replica::{Replication, Slot, Standby};
use crate::model::session::Prepared;
use crate::model::text::is_hostile;
use crate::model::unit::{Age, Bytes};

/// A statement that a person may run elsewhere. All texts but `sql` are safe to draw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remedy {
    /// What is in the way.
    pub what: String,
    /// The statement, printable characters only; or why it cannot be written.
    pub sql: Result<String, String>,
    /// Where to run it, and as whom.
    pub place: String,
    /// What it may do beside what it is for.
    pub risk: String,
}

impl Remedy {
    /// For a transaction prepared for two-phase commit that blocks or holds the horizon.
    #[must_use]
    pub fn prepared(prepared: &Prepared) -> Self {
        let (owner, database) = (prepared.owner.head(64), prepared.database.head(64));
        let sql = if prepared.exact {
            Ok(format!("ROLLBACK PREPARED {};", literal(prepared.gid.raw())))
        } else {
            Err("its identifier is not UTF-8: copy it from SELECT gid FROM pg_prepared_xacts, run in its database"
                .to_owned())
        };
        Self {
            what: format!(
                "prepared transaction '{}' of {owner}, open {}",
                prepared.gid.head(200),
                Age(prepared.age_s).exact()
            ),
            sql,
            place: format!("in database {database}, as {owner} or a superuser"),
            risk: "it may be the other half of a distributed transaction: where its coordinator has decided to commit, this \
                   loses the half that is here. Ask it first; COMMIT PREPARED is the other way to end it"
                .to_owned(),
        }
    }

    /// For a replication slot that nobody reads from while WAL or dead rows are kept for it, or that is invalid; none for any
    /// other.
    #[must_use]
    pub fn slot(slot: &Slot) -> Option<Self> {
        let keeps = slot.retained.is_some_and(|bytes| bytes > 0) || slot.xmin_age.or(slot.catalog_xmin_age).is_some();
        let invalid = slot.invalid().is_some();
        if slot.active || !(keeps || invalid) {
            return None;
        }
        let since = slot.inactive_s.map_or_else(String::new, |s| format!(" for {}", Age(s).exact()));
        let kept = slot.retained.map_or_else(String::new, |bytes| format!(", keeps {} of WAL", Bytes(bytes).short()));
        let place = match &slot.database {
            Some(database) => {
                format!("on this server, in database {}, as a superuser or with REPLICATION", database.head(64))
            }
            None => "on this server, as a superuser or with REPLICATION".to_owned(),
        };
        let risk = if invalid {
            "it is invalid already: its consumer cannot go on from it, whatever is done".to_owned()
        } else if slot.kind == "logical" {
            "its subscriber cannot go on from it: it needs a new slot and a new copy of its tables. If it is only away, \
             bring it back instead"
                .to_owned()
        } else {
            "its standby cannot go on from it: it must find the WAL in an archive or be rebuilt (pg_basebackup). If it \
             is only away, bring it back instead"
                .to_owned()
        };
        let name = slot.name.head(64);
        Some(Self {
            what: format!("slot {name}, inactive{since}{kept}"),
            sql: Ok(format!("SELECT pg_drop_replication_slot({});", literal(slot.name.raw()))),
            place,
            risk,
        })
    }

    /// For a standby whose replay is paused; none for any other.
    #[must_use]
    pub fn replay(standby: &Standby) -> Option<Self> {
        let behind =
            standby.gap.map_or_else(String::new, |gap| format!(", {} wait to be replayed", Bytes(gap).short()));
        standby.paused.then(|| Self {
            what: format!("replay is paused{behind}"),
            sql: Ok("SELECT pg_wal_replay_resume();".to_owned()),
            place: "on this standby, as a superuser or with EXECUTE on it".to_owned(),
            risk: "somebody may have paused it to keep what the primary has lost. Paused at a recovery target, it goes on \
                   to promote this server; paused because a setting is lower than the primary's, it shuts down; and \
                   queries here may be cancelled while it catches up"
                .to_owned(),
        })
    }

    /// For everything of a server's replication; the slot named `first` before the others, then the one that keeps most.
    #[must_use]
    pub fn replication(replication: &Replication, first: Option<&ServerText>) -> Vec<Self> {
        let mut slots: Vec<&Slot> = replication.slots.iter().collect();
        slots.sort_by_key(|s| (Some(&s.name) != first, std::cmp::Reverse(s.retained.unwrap_or(0))));
        let paused = replication.standby.as_ref().and_then(Self::replay);
        paused.into_iter().chain(slots.into_iter().filter_map(Self::slot)).collect()
    }
}

/// A string constant that means `text` whatever is in it, in any server encoding and whatever
/// `standard_conforming_strings` says, and holds nothing that a terminal obeys or hides: `E'…'` with escapes where it must.
fn literal(text: &str) -> String {
    let plain = |c: char| c != '\\' && !is_hostile(c);
    let mut out = if text.chars().all(plain) { "'".to_owned() } else { "E'".to_owned() };
    for c in text.chars() {
        let code = u32::from(c);
        // Writing to a string cannot fail.
        let _ = match c {
            '\'' => write!(out, "''"),
            '\\' => write!(out, "\\\\"),
            c if !is_hostile(c) => write!(out, "{c}"),
            _ if code < 0x80 => write!(out, "\\x{code:02x}"),
            _ if code <= 0xffff => write!(out, "\\u{code:04x}"),
            _ => write!(out, "\\U{code:08x}"),
        };
    }
    out.push('\'');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared(gid: &str) -> Prepared {
        Prepared {
            gid: gid.into(),
            owner: "shop".into(),
            database: "shop".into(),
            age_s: 723.0,
            waiters: Vec::new(),
            exact: true,
        }
    }

    fn slot(active: bool, retained: Option<i64>) -> Slot {
        Slot {
            name: "replica_2".into(),
            kind: "physical".to_owned(),
            database: None,
            active,
            retained,
            wal_status: Some("extended".to_owned()),
            safe: None,
            xmin: None,
            xmin_age: None,
            catalog_xmin_age: None,
            inactive_s: None,
            invalidation: None,
        }
    }

    #[test]
    fn a_hostile_name_cannot_leave_its_quotes_and_stays_printable() {
        for (name, written) in [
            ("plain-1", "'plain-1'"),
            ("'; DROP TABLE orders; --", "'''; DROP TABLE orders; --'"),
            ("a\\' OR 1", "E'a\\\\'' OR 1'"),
            ("a\n\u{1b}]52;c;x\u{7}\u{9b}", "E'a\\x0a\\x1b]52;c;x\\x07\\u009b'"),
            ("\u{202e}é漢\u{e0041}", "E'\\u202eé漢\\U000e0041'"),
        ] {
            assert_eq!(literal(name), written);
            assert!(!literal(name).chars().any(is_hostile), "{name:?}");
        }
    }

    #[test]
    fn an_identifier_that_is_not_known_exactly_is_never_written() {
        let known = Remedy::prepared(&prepared("a"));
        assert_eq!(known.sql, Ok("ROLLBACK PREPARED 'a';".to_owned()));
        assert_eq!(known.place, "in database shop, as shop or a superuser");
        let guessed = Remedy::prepared(&Prepared { exact: false, ..prepared("a") });
        assert!(guessed.sql.is_err_and(|why| why.contains("not UTF-8")));
    }

    #[test]
    fn a_slot_is_offered_only_where_nobody_reads_and_something_is_kept() {
        let offered = |slot: &Slot| Remedy::slot(slot).is_some();
        assert!(offered(&slot(false, Some(1))));
        assert!(!offered(&slot(true, Some(1))), "somebody reads from it");
        assert!(!offered(&slot(false, None)), "it keeps nothing");
        assert!(offered(&Slot { catalog_xmin_age: Some(9), ..slot(false, None) }));
        let lost = Remedy::slot(&Slot { wal_status: Some("lost".to_owned()), ..slot(false, None) });
        assert!(lost.is_some_and(|remedy| remedy.risk.starts_with("it is invalid already")));
        let logical = Slot { kind: "logical".to_owned(), database: Some("shop".into()), ..slot(false, Some(1)) };
        let remedy = Remedy::slot(&logical).expect("one");
        assert!(remedy.place.contains("in database shop") && remedy.risk.contains("subscriber"));
    }

    #[test]
    fn the_slot_that_is_looked_at_comes_first_then_the_one_that_keeps_most() {
        let keeping = |name: &str, kept| Slot { name: name.into(), ..slot(false, Some(kept)) };
        let slots = vec![keeping("small", 1), keeping("large", 9), keeping("mine", 2)];
        let replication = Replication { slots, ..Replication::default() };
        let first: ServerText = "mine".into();
        let sql: Vec<String> =
            Remedy::replication(&replication, Some(&first)).into_iter().filter_map(|r| r.sql.ok()).collect();
        let expected = ["mine", "large", "small"].map(|name| format!("SELECT pg_drop_replication_slot('{name}');"));
        assert_eq!(sql, expected);
    }
}
