//! What a vacuum of ours came to: whether it was in vain, and who holds the rows that it left.

use super::App;
use super::action::Action;
use crate::guard::Write;
use crate::message::Outcome;
use crate::model::horizon::{lasting, oldest};
use crate::model::{ServerText, Timestamp, seconds_between};

/// Fewer dead rows than this are left by any vacuum of a table in use.
const FEW: i64 = 1000;

impl Action {
    /// The database of a vacuum that left most of the dead rows where they were, and when it was asked for.
    #[must_use]
    pub fn in_vain(&self) -> Option<(ServerText, Timestamp)> {
        let (before, after) = self.dead?;
        let Write::Maintain { target, .. } = &self.write else { return None };
        let vain = after >= FEW && after.saturating_mul(2) >= before && matches!(self.outcome, Some(Outcome::Done(_)));
        vain.then(|| (target.database().clone(), self.at))
    }

    /// True for maintenance that has ended after `at`: what was known of its table then is old.
    #[must_use]
    pub fn outdates(&self, at: Timestamp) -> bool {
        matches!(self.write, Write::Maintain { .. }) && self.ended.is_some_and(|ended| ended > at)
    }
}

impl App {
    /// Who holds what a vacuum, asked for at `since`, did not remove.
    pub(super) fn held_back(&self, database: &ServerText, since: Timestamp) -> String {
        let world = &self.world;
        let ran_s = seconds_between(since, self.now);
        // Whoever came after it has held back nothing.
        let older = || oldest(Some(database), world).filter(|(holder, _)| holder.held_s().is_some_and(|s| s > ran_s));
        if let Some((holder, _)) = lasting(database, world, &self.triage.limits.patience()).or_else(older) {
            return format!("{} holds the horizon ({})", holder.name(), holder.how(database));
        }
        match world.sessions.get().map_or(0, |sessions| sessions.hidden) {
            0 => "who holds the horizon is not seen".to_owned(),
            _ => "a session that is hidden from our role may hold the horizon".to_owned(),
        }
    }
}
