//! Owns `Kept`: which statements a session has parsed and planned once, under what name, and how the next one is asked.
//!
//! It must not send anything: it writes names and texts, `link` sends them and says what became of them.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// What a session keeps: one plan of each statement at the most.
#[derive(Debug, Default)]
pub struct Kept {
    plans: BTreeMap<&'static str, Plan>,
}

#[derive(Debug)]
struct Plan {
    /// It tells the text: behind a pooler that hides itself another console's plan of that name answers the same question.
    name: String,
    state: State,
    /// The plan that was kept for an earlier text.
    before: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Asked,
    Made,
    Refused,
}

/// How a statement is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// As it stands.
    Plain,
    /// By its name, after these: what is in the way, and what makes the plan.
    Named {
        /// Takes away the plan of the text before.
        forget: Option<String>,
        /// Makes the plan.
        make: Option<String>,
        /// Asks.
        run: String,
    },
}

impl Kept {
    /// How to ask `text`, which is what the statement `of` says now: what comes but once is not worth a plan that is kept.
    pub fn way(&mut self, of: &'static str, text: &str) -> Way {
        let name = name(of, text);
        let Some(plan) = self.plans.get_mut(of).filter(|plan| plan.name == name) else {
            let old = self.plans.remove(of);
            let before = old.and_then(|old| if old.state == State::Made { Some(old.name) } else { old.before });
            self.plans.insert(of, Plan { name, state: State::Asked, before });
            return Way::Plain;
        };
        let run = format!("EXECUTE {name}");
        match plan.state {
            State::Refused => Way::Plain,
            State::Made => Way::Named { forget: None, make: None, run },
            State::Asked => {
                let forget = plan.before.take().map(|before| format!("DEALLOCATE {before}"));
                Way::Named { forget, make: Some(format!("PREPARE {name} AS\n{text}")), run }
            }
        }
    }

    /// The plan is there.
    pub fn made(&mut self, of: &'static str) {
        self.set(of, State::Made);
    }

    /// The server takes no plan of it, or has lost it: that text is asked as it stands from now on.
    pub fn refused(&mut self, of: &'static str) {
        self.set(of, State::Refused);
    }

    fn set(&mut self, of: &'static str, state: State) {
        if let Some(plan) = self.plans.get_mut(of) {
            plan.state = state;
        }
    }
}

/// `pgtriage_sessions_0123456789abcdef`: who asks what, for whoever reads `pg_stat_activity`.
fn name(of: &str, text: &str) -> String {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    format!("pgtriage_{of}_{:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_comes_again_is_planned_once_and_then_asked_by_its_name() {
        let mut kept = Kept::default();
        assert_eq!(kept.way("server", "SELECT 1"), Way::Plain);
        let Way::Named { forget: None, make: Some(make), run } = kept.way("server", "SELECT 1") else { panic!() };
        let name = run.strip_prefix("EXECUTE ").unwrap();
        assert_eq!(make, format!("PREPARE {name} AS\nSELECT 1"));
        assert!(name.starts_with("pgtriage_server_") && name.len() < 64, "{name}");
        kept.made("server");
        assert_eq!(kept.way("server", "SELECT 1"), Way::Named { forget: None, make: None, run });
        assert_eq!(kept.way("slots", "SELECT 1"), Way::Plain);
    }

    #[test]
    fn another_text_takes_the_place_of_the_one_before_only_once_it_comes_again() {
        let mut kept = Kept::default();
        kept.way("indexes", "a");
        let Way::Named { run, .. } = kept.way("indexes", "a") else { panic!() };
        kept.made("indexes");
        assert_eq!(kept.way("indexes", "b"), Way::Plain);
        assert_eq!(kept.way("indexes", "c"), Way::Plain);
        let Way::Named { forget: Some(forget), make: Some(_), .. } = kept.way("indexes", "c") else { panic!() };
        assert_eq!(forget, run.replace("EXECUTE", "DEALLOCATE"));
    }

    #[test]
    fn what_the_server_refuses_is_not_tried_again_until_the_text_is_another() {
        let mut kept = Kept::default();
        kept.way("cache", "a");
        kept.way("cache", "a");
        kept.refused("cache");
        assert_eq!(kept.way("cache", "a"), Way::Plain);
        assert_eq!(kept.way("cache", "b"), Way::Plain);
        assert!(matches!(kept.way("cache", "b"), Way::Named { .. }));
    }
}
