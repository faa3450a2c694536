//! The sentence of each refusal, as a person reads it.
//!
//! Safe to draw: names of a server's are cut and escaped here.

use crate::model::ServerText;

use super::super::bulk::BULK_MOST;
use super::super::statement::role_name;
use super::Refusal;
use super::idle;

impl Refusal {
    /// What a person is told; safe to draw.
    #[must_use]
    #[expect(clippy::too_many_lines, reason = "a table: one sentence for each refusal")]
    pub fn sentence(&self) -> String {
        match self {
            Self::ReadOnly => "read-only: this console takes no action".to_owned(),
            Self::TooHeavy { what, policy } => format!(
                "the policy `{}` allows light actions only, such as a cancel or the vacuum of a table up to 10 GB; not: \
                 {what}",
                policy.word()
            ),
            Self::Protected { kind, name, by } => {
                format!("the {} {} is protected ({by}): it is left alone", kind.word(), name.head(64))
            }
            Self::Frozen => "the screen is frozen: acting waits until it shows the present again".to_owned(),
            Self::NotConnected => "not connected: what is on the screen may no longer be so".to_owned(),
            Self::NotLooked { why } => format!(
                "what is on the screen may no longer be so, and the writer's own connection could not look at it: {why}"
            ),
            Self::ServerUnknown => "the server has not said yet who it is".to_owned(),
            Self::ServerChanged { what } => format!("not the server that was asked about: {what}"),
            Self::OwnSession { pid } => format!("{pid} is a connection of this console"),
            Self::SessionGone { pid } => format!("{pid} is gone"),
            Self::Hidden { pid, role } => format!(
                "the server hides from us what {pid} runs and since when, so it could not check that it hits the \
                 right one: GRANT pg_monitor TO {}",
                role_name(role)
            ),
            Self::Superusers { pid, role } => {
                format!("{pid} is a superuser's, whom only a superuser may signal: {} is none", role_name(role))
            }
            Self::StatementChanged { pid, now } => {
                format!("{pid} has finished that statement and now runs: {}", now.head(80))
            }
            Self::MovedOn { pid, now } => {
                format!(
                    "{pid} has gone on since it was asked about: it is now {}",
                    ServerText::from(now.as_str()).head(40)
                )
            }
            Self::CancelFirst { pid } => format!(
                "{pid} runs a statement: cancel it first; it may be terminated once a cancel from here was seen not to \
                 end that statement within 3 s"
            ),
            Self::PreventsWraparound { pid } => format!(
                "{pid} is an autovacuum to prevent wraparound: it starts again if it is stopped, and without it the \
                 server stops taking writes"
            ),
            Self::Autovacuum { pid } => format!("{pid} is an autovacuum worker: {}", self.lost()),
            Self::Worker { pid, kind } => {
                format!(
                    "{pid} is no client but a worker ({}): {}",
                    ServerText::from(kind.as_str()).head(40),
                    self.lost()
                )
            }
            Self::ParallelWorker { pid, leader } => match leader {
                Some(leader) => format!("{pid} is a parallel worker: its leader, {leader}, is the session to act on"),
                None => format!("{pid} is a parallel worker: its leader is the session to act on"),
            },
            Self::Walsender { pid } => format!("{pid} is a walsender: {}", self.lost()),
            Self::Background { pid, kind } => {
                format!("{pid} is no client but a process of the server ({})", ServerText::from(kind.as_str()).head(40))
            }
            Self::Idle { pid } => format!("{pid} is idle: it runs nothing that a cancel could stop"),
            Self::IdleInTransaction { pid, open, blocks, frees, unsure } => {
                idle::in_transaction(*pid, open.as_deref(), (*blocks, *frees, *unsure))
            }
            Self::StateUnknown { pid, state } => format!(
                "the server does not tell what {pid} runs (state {}), so it could not check what it stops",
                ServerText::from(state.as_str()).head(40)
            ),
            Self::NobodyLeft { marked, why } => {
                format!("none of the {marked} marked sessions may be signalled; the first: {why}")
            }
            Self::TooMany { count } => {
                format!("{count} sessions at once are too many: mark at most {BULK_MOST}, or narrow the filter")
            }
            Self::TableGone { name } => format!("{} is gone", name.head(64)),
            Self::TableChanged { name, now } => format!("{} is now {}", name.head(64), now.head(64)),
            Self::Standby => "a standby maintains nothing itself: what its primary does comes by replay".to_owned(),
            Self::Pooled => {
                "through a transaction pooler no maintenance could be bounded: a lock_timeout set there is \
                             another client's as well; connect to the server directly"
                    .to_owned()
            }
            Self::Toast { of: Some(of) } => format!("a TOAST table is maintained with its table: {}", of.head(64)),
            Self::Toast { of: None } => "a TOAST table is maintained with its table".to_owned(),
            Self::Catalog { name } => format!(
                "{} is a system catalog: the server reindexes none of them concurrently, and otherwise nobody could read \
                 it meanwhile",
                name.head(64)
            ),
            Self::PartitionedIndex { name } => {
                format!(
                    "{} belongs to a partitioned table: act on the indexes of its partitions; to drop it would drop those, too",
                    name.head(64)
                )
            }
            Self::IndexValid { name } => {
                format!("{} is valid: only what a failed build left is dropped from here", name.head(64))
            }
            Self::IndexNeeded { name } => format!(
                "a constraint, the replica identity or a partitioned index stands on {}: reindex it instead",
                name.head(64)
            ),
            Self::IndexBuilding { name, by } => {
                let (pid, verb, name) = (by.pid, by.verb(), name.head(64));
                match by.this {
                    Some(true) if by.drops => format!("{pid} drops {name} already: wait for its end"),
                    Some(_) | None if by.drops => {
                        format!("{pid} {verb} {name} or another index of its table, perhaps: wait for its end")
                    }
                    Some(_) | None => format!("{pid} {verb} {name} or another index of its table: wait for its end"),
                }
            }
            Self::NotPermitted { what, cure } => format!("our role may not {what}: {cure}"),
            Self::NotATable { name } => format!("{} is neither a table nor a materialized view", name.head(64)),
            Self::OwnJob { name } => format!("{} is being worked on already, from here", name.head(64)),
            Self::Partitioned { name } => {
                format!("{} is partitioned: rows are removed from a plain table only", name.head(64))
            }
            Self::MayNotRemove { cure } => format!("our role may not remove rows from it: {cure}"),
            Self::NothingExpired { name } => format!("nothing in {} has expired", name.head(64)),
            Self::AlreadyVacuumed { pid, auto: true } => {
                format!("autovacuum ({pid}) works on it already; a second vacuum would make it give up")
            }
            Self::AlreadyVacuumed { pid, auto: false } => format!("{pid} vacuums it already"),
            Self::WraparoundVacuum { pid } => {
                format!("an autovacuum to prevent wraparound ({pid}) works on it: it must not be held up")
            }
            Self::SettingNotOffered { name } => {
                format!("{name} is not changed from here: a list, a text, or nothing that an incident asks for")
            }
            Self::SettingUnknown { name } => format!("{name} has not been read yet, or is no setting of this server"),
            Self::SettingPooled => {
                "through a transaction pooler the server that was checked may not be the one that is \
                                    changed: connect to the server directly"
                    .to_owned()
            }
            Self::AlterSystemOff => {
                "the server takes no ALTER SYSTEM (allow_alter_system = off): its configuration is \
                                     managed elsewhere, change it there"
                    .to_owned()
            }
            Self::MayNotAlter { name, cure } => format!("our role may not change {name}: {cure}"),
            Self::MayNotReload { cure } => format!("our role may not have the files read again: {cure}"),
            Self::SettingChanged { name, now } => {
                format!("{name} was changed since it was asked about: it is now {now}")
            }
            Self::SettingInvalid { name, wants } => format!("{name} does not take that: {wants}"),
            Self::SettingAlready { name, entry } => {
                format!("nothing to do: postgresql.auto.conf has {entry} for {name} already")
            }
        }
    }
}
