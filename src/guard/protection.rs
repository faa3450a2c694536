//! Names that the settings protect: roles, applications and databases whose sessions and tables are left alone, or asked
//! about by name.
//!
//! It compares raw names, as the server has them. An application calls itself what it likes, so a rule on its name keeps
//! from mistakes, and one on its role from more.

use serde::{Deserialize, Serialize};

use crate::model::ServerText;

use super::{Pattern, Scene, Who, Write};

/// What is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// The role of a session.
    Role,
    /// Its `application_name`.
    Application,
    /// Its database, or a table's.
    Database,
}

impl Kind {
    /// A word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Role => "role",
            Self::Application => "application",
            Self::Database => "database",
        }
    }
}

/// How far the protection goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Care {
    /// The action is asked about by name.
    Typed,
    /// There is no action.
    Refused,
}

/// One rule of the settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Protected {
    /// What is named.
    pub kind: Kind,
    /// How far it goes.
    pub care: Care,
    /// Which names.
    pub pattern: Pattern,
    /// Who says so, such as `/etc/pgtriage/config.toml:3`.
    pub by: String,
}

/// The first rule of that care that the action falls under, and the name that it matched.
pub(super) fn hit<'a>(write: &'a Write, scene: &Scene<'a>, care: Care) -> Option<(&'a Protected, &'a ServerText)> {
    let names = names(write, scene);
    scene.protected.iter().filter(|rule| rule.care == care).find_map(|rule| {
        let of_kind = names.iter().filter(|(kind, _)| *kind == rule.kind);
        let mut matching = of_kind.filter(|(_, name)| rule.pattern.matches(name.raw()));
        matching.next().map(|(_, name)| (rule, *name))
    })
}

/// All names that an action is done to. A new action must say here whom it hits.
fn names<'a>(write: &'a Write, scene: &Scene<'a>) -> Vec<(Kind, &'a ServerText)> {
    match write {
        Write::Cancel { session, who, .. } | Write::Terminate { session, who, .. } => {
            let mut names = of_who(who);
            // It may call itself otherwise since.
            names.extend(scene.session(session).map(|s| (Kind::Application, &s.application)));
            names
        }
        // Each of them is judged alone as well, and left out where it is one to be left alone.
        Write::Bulk(bulk) => bulk.targets.iter().flat_map(|target| of_who(&target.who)).collect(),
        // They are the whole server's.
        Write::Setting { .. } | Write::Reload { .. } => Vec::new(),
        Write::ExpireCache { table, .. } => vec![(Kind::Database, &table.key.database)],
        Write::Maintain { target, .. } => vec![(Kind::Database, target.database())],
    }
}

fn of_who(who: &Who) -> Vec<(Kind, &ServerText)> {
    let known = [(Kind::Role, who.user.as_ref()), (Kind::Database, who.database.as_ref())];
    let known = known.into_iter().filter_map(|(kind, name)| Some((kind, name?)));
    known.chain([(Kind::Application, &who.application)]).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Confirm, Refusal, Verdict, fixture, judge};
    use super::*;
    use crate::model::session::Session;

    fn rule(kind: Kind, care: Care, pattern: &str) -> Protected {
        Protected { kind, care, pattern: Pattern::new(pattern).unwrap(), by: "config.toml:3".to_owned() }
    }

    fn session() -> Session {
        Session {
            user: Some("batch\u{202e}owner".into()),
            database: Some("shop".into()),
            application: "nightly".into(),
            ..fixture::active(7)
        }
    }

    /// What becomes of a cancel of that session, and of a vacuum in database `shop`.
    fn verdicts(rules: &[Protected]) -> [Verdict; 2] {
        let world = fixture::world(vec![session()]);
        let scene = Scene { protected: rules, ..fixture::scene(&world) };
        let vacuum = Write::vacuum(&fixture::relation(), &"shop".into(), &fixture::server());
        [Write::cancel(&session(), &fixture::server()), vacuum].map(|write| judge(write, &scene))
    }

    fn word(verdict: &Verdict) -> &'static str {
        match verdict {
            Verdict::Confirm(prompt) if matches!(prompt.confirm(), Confirm::Key(_)) => "key",
            Verdict::Confirm(_) => "typed",
            Verdict::Refuse(Refusal::Protected { .. }) => "refused",
            Verdict::Refuse(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_protected_name_is_refused_or_typed_and_another_one_is_neither() {
        let table = [
            (Kind::Role, "batch.*", ["refused", "key"]),
            (Kind::Role, "batch", ["key", "key"]),
            (Kind::Role, "nightly|shop", ["key", "key"]),
            (Kind::Application, "nightly", ["refused", "key"]),
            (Kind::Application, "night", ["key", "key"]),
            (Kind::Database, "shop|crm", ["refused", "refused"]),
            (Kind::Database, "shop_.*", ["key", "key"]),
            // The raw name, not what is shown of it.
            (Kind::Role, r"batch\x{202e}owner", ["refused", "key"]),
            (Kind::Role, r"batch\\u\{202e\}owner", ["key", "key"]),
        ];
        for (kind, pattern, expected) in table {
            assert_eq!(verdicts(&[rule(kind, Care::Refused, pattern)]).each_ref().map(word), expected, "{pattern}");
            let typed = expected.map(|word| if word == "refused" { "typed" } else { word });
            assert_eq!(verdicts(&[rule(kind, Care::Typed, pattern)]).each_ref().map(word), typed, "{pattern}");
        }
        assert_eq!(verdicts(&[]).each_ref().map(word), ["key", "key"], "nothing else objects");
    }

    #[test]
    fn a_session_that_takes_a_protected_name_while_it_is_asked_about_is_left_alone() {
        let write = Write::cancel(&session(), &fixture::server());
        let world = fixture::world(vec![Session { application: "backup".into(), ..session() }]);
        let rules = [rule(Kind::Application, Care::Refused, "backup")];
        let scene = Scene { protected: &rules, ..fixture::scene(&world) };
        assert!(matches!(judge(write, &scene), Verdict::Refuse(Refusal::Protected { .. })));
    }

    #[test]
    fn the_refusal_names_the_name_and_the_rule_and_the_question_warns() {
        let [verdict, _] = verdicts(&[rule(Kind::Role, Care::Refused, "batch.*")]);
        let Verdict::Refuse(refusal) = verdict else { panic!("not refused") };
        assert_eq!(refusal.sentence(), r"the role batch\u{202e}owner is protected (config.toml:3): it is left alone");
        let [verdict, _] = verdicts(&[rule(Kind::Application, Care::Typed, "nightly")]);
        let Verdict::Confirm(prompt) = verdict else { panic!("not asked") };
        assert_eq!(prompt.warnings(), ["with the application nightly one is careful (config.toml:3)"]);
    }
}
