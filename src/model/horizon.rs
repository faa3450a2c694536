//! Who holds back what a vacuum may remove: transactions in the same database, and slots.
//!
//! Facts of the last samples; it gives no advice.

use super::World;
use super::session::Session;
use super::text::ServerText;
use super::unit::Age;

/// A transaction younger than this does not hold back a vacuum long enough to be worth a word.
pub const HORIZON_S: f64 = 60.0;

/// A slot whose xmin is older than this, in transactions, holds back more than a standby's ordinary lag does.
const SLOT_AGE: i64 = 100_000;

/// The sessions in `database` with a snapshot or a transaction that has written, the oldest first. One in another
/// database holds back nothing here; neither does a vacuum.
pub fn open_transactions<'a>(database: &ServerText, world: &'a World) -> impl Iterator<Item = &'a Session> {
    let sessions = world.sessions.get().map_or(&[][..], |list| &list.rows);
    let vacuums = world.relations.get().map_or(&[][..], |list| &list.vacuums);
    let mut open: Vec<&Session> = sessions
        .iter()
        .filter(|s| s.database.as_ref() == Some(database) && (s.xid.is_some() || s.xmin.is_some()))
        .filter(|s| s.leader.is_none_or(|leader| leader == s.pid) && vacuums.iter().all(|v| v.pid != s.pid))
        .collect();
    open.sort_by(|a, b| b.xact_s.unwrap_or_default().total_cmp(&a.xact_s.unwrap_or_default()));
    open.into_iter()
}

/// `4711 (idle in transaction, open 12m03s)`: who holds back a vacuum in `database` for longest; a slot where no session
/// does. None where nobody is known to.
#[must_use]
pub fn holder(database: &ServerText, world: &World) -> Option<String> {
    let session = open_transactions(database, world).find(|s| s.xact_s.is_some_and(|s| s > HORIZON_S));
    if let Some(session) = session {
        let state = session.state.map_or_else(|| "state not known".to_owned(), |state| state.word().to_owned());
        let open = Age(session.xact_s.unwrap_or_default()).short();
        return Some(format!("{} ({state}, open {open})", session.pid));
    }
    let slots = &world.replication.get()?.slots;
    let slot = slots.iter().filter(|s| s.xmin_age.is_some_and(|age| age > SLOT_AGE)).max_by_key(|s| s.xmin_age)?;
    let idle = if slot.active { "" } else { ", inactive" };
    Some(format!("slot {} (xmin {} transactions old{idle})", slot.name.head(64), slot.xmin_age.unwrap_or_default()))
}
