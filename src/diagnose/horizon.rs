//! What keeps vacuum from removing dead rows: the oldest transaction, a slot, or a standby's query; and which tables
//! wait for it.
//!
//! A session of another database holds back nothing here, and a vacuum holds back nothing at all.

use super::blockers;
use super::finding::{Finding, Harm, Kind, Severity, Target};
use super::rule::Look;
use super::words::{before, counted, doing, identifier, literal, of_i64, relation, statement, subject, who};
use crate::command::{Command, Tab};
use crate::model::ServerText;
use crate::model::relation::Relation;
use crate::model::session::{Session, State};
use crate::model::unit::{Age, short_count};

/// Who holds the horizon.
enum Holder<'a> {
    Session(&'a Session),
    /// A slot whose standby, or nobody, holds it.
    Slot {
        name: &'a ServerText,
        active: bool,
    },
    /// A standby without a slot, by feedback.
    Standby {
        application: &'a ServerText,
    },
}

/// The oldest holder and its age in transactions. Of two of the same age, a session is named before what follows it.
fn oldest<'a>(look: &Look<'a>) -> Option<(Holder<'a>, i64)> {
    let database = look.world.relations.get().map(|r| &r.database);
    let here = |s: &&Session| match (&s.database, database) {
        (Some(own), Some(looked_at)) => own == looked_at,
        _ => true,
    };
    let sessions = look.world.sessions.get().map_or(&[][..], |s| s.rows.as_slice());
    let backends = sessions
        .iter()
        .filter(here)
        .filter(|s| s.leader.is_none() && !vacuums(s) && s.backend_type.as_deref() != Some("walsender"))
        .filter_map(|s| s.xmin_age.map(|age| (Holder::Session(s), age)));
    let replication = look.world.replication.get();
    let slots = replication
        .map_or(&[][..], |r| r.slots.as_slice())
        .iter()
        .filter_map(|s| s.xmin_age.map(|age| (Holder::Slot { name: &s.name, active: s.active }, age)));
    let standbys = replication.map_or(&[][..], |r| r.replicas.as_slice()).iter().filter_map(|r| {
        let age = r.xmin_age.filter(|_| r.slot.is_none())?;
        Some((Holder::Standby { application: &r.application }, age))
    });
    backends.chain(slots).chain(standbys).reduce(|best, next| if next.1 > best.1 { next } else { best })
}

/// How old the horizon is, in transactions; none where nobody holds it.
pub fn age(look: &Look<'_>) -> Option<i64> {
    oldest(look).map(|holder| holder.1)
}

/// A vacuum takes a snapshot and holds nothing back by it.
fn vacuums(s: &Session) -> bool {
    let query = s.query.raw().trim_start();
    s.is_active()
        && (query.starts_with("autovacuum: VACUUM") || query.get(..6).is_some_and(|w| w.eq_ignore_ascii_case("vacuum")))
}

/// Tables that are due for a vacuum and hold dead rows enough to speak of, the fullest first.
fn waiting<'a>(look: &Look<'a>) -> Vec<&'a Relation> {
    let Some(relations) = look.world.relations.get().filter(|r| !r.in_recovery) else { return Vec::new() };
    let mut due: Vec<&Relation> =
        relations.rows.iter().filter(|r| r.vacuum_due() >= 1.0 && of_i64(r.dead) >= look.limits.dead_rows).collect();
    due.sort_by(|a, b| b.dead.cmp(&a.dead).then(a.oid.cmp(&b.oid)));
    due
}

/// The holder and the tables that it makes useless to vacuum, where it holds for long enough.
struct Held<'a> {
    holder: Holder<'a>,
    age: i64,
    since_s: Option<f64>,
    tables: Vec<&'a Relation>,
}

fn judged<'a>(look: &Look<'a>) -> Option<Held<'a>> {
    let (holder, age) = oldest(look)?;
    let held_s = if let Holder::Session(s) = &holder { s.xact_s } else { None };
    let long = held_s.is_none_or(|s| s >= look.limits.horizon);
    let tables = if long { waiting(look) } else { Vec::new() };
    // A slot or a standby follows a horizon all the time: without a transaction that has moved on it is no news.
    let old = of_i64(age) >= look.limits.horizon_age;
    let by_age = matches!(holder, Holder::Session(_)) || of_i64(age) >= look.limits.horizon_age / 10.0;
    (old || (long && by_age && !tables.is_empty())).then_some(Held { holder, age, since_s: held_s, tables })
}

/// Who holds the horizon, and for which tables.
pub fn held(look: &Look<'_>) -> Vec<Finding> {
    let (Some(held), Some((_, seen))) = (judged(look), look.sessions()) else { return Vec::new() };
    let Held { holder, age, since_s: held_s, tables } = held;
    let dead: i64 = tables.iter().fold(0, |sum, r| sum.saturating_add(r.dead));
    let useless = if tables.is_empty() {
        "vacuum removes nothing that died since".to_owned()
    } else {
        format!("vacuum removes no row of {} that died since", counted(tables.len(), "table"))
    };
    let long = held_s.map_or_else(String::new, |s| format!(" for {}", Age(s).short()));
    let mut finding = Finding {
        severity: if tables.is_empty() { Severity::Notice } else { Severity::Warning },
        since: before(seen, held_s),
        harm: Harm { now: 0.0, coming: 0.6 + (of_i64(dead) / 1e9).min(0.3) },
        ..Finding::of(Kind::Horizon, "", seen, Target::Tab(Tab::Tables))
    };
    let aged = format!("horizon {} transactions old", short_count(of_i64(age)));
    let by_whom = match &holder {
        Holder::Session(s) => {
            finding.key.subject = subject(&s.key());
            finding.target = Target::Session { tab: Tab::Connections, key: s.key() };
            finding.fact = format!("{} {} holds the horizon{long}: {useless}", s.pid, state_word(s));
            ending(&mut finding, s);
            format!("{}{}", who(s), statement(s))
        }
        Holder::Slot { name, active } => {
            finding.key.subject = format!("slot {}", name.raw());
            finding.target = Target::Tab(Tab::Replication);
            finding.fact = format!("slot {} holds the horizon: {useless}", name.head(40));
            if *active {
                "a query on its standby holds it by hot_standby_feedback: end that query there"
                    .clone_into(&mut finding.todo);
            } else {
                "nobody streams from it: bring its standby back, or drop it if that never returns"
                    .clone_into(&mut finding.todo);
                finding.remedy = Some(format!("SELECT pg_drop_replication_slot({});", literal(name.raw())));
            }
            String::new()
        }
        Holder::Standby { application } => {
            finding.key.subject = format!("standby {}", application.raw());
            finding.target = Target::Tab(Tab::Replication);
            finding.fact = format!("a query on standby {} holds the horizon: {useless}", application.head(40));
            "end that query on the standby: it holds it by hot_standby_feedback".clone_into(&mut finding.todo);
            String::new()
        }
    };
    let mut parts: Vec<String> = tables.iter().take(3).map(|r| told(r, held_s)).collect();
    parts.push(aged);
    if !by_whom.is_empty() {
        parts.push(by_whom);
    }
    finding.evidence = parts.join(" · ");
    vec![finding]
}

/// `idle in transaction` or `active`, without the age, which the sentence says.
fn state_word(s: &Session) -> String {
    s.state.map_or_else(|| doing(s), |state| state.word().to_owned())
}

fn ending(finding: &mut Finding, s: &Session) {
    if s.state.is_some_and(State::is_idle_in_transaction) {
        finding.action = Some(Command::TerminateBackend);
        "terminate it: a cancel cannot help an idle session; then autovacuum does its work"
            .clone_into(&mut finding.todo);
    } else if s.is_client() {
        finding.action = Some(Command::CancelBackend);
        "cancel it if it may be lost; then autovacuum does its work".clone_into(&mut finding.todo);
    } else {
        "it is no client: let it end".clone_into(&mut finding.todo);
    }
}

/// `carts 41k dead of 93k, vacuumed in vain 20s ago`.
fn told(r: &Relation, held_s: Option<f64>) -> String {
    let vacuumed = [r.vacuum_s, r.autovacuum_s].into_iter().flatten().reduce(f64::min);
    let in_vain = match (vacuumed, held_s) {
        (Some(ago), Some(held)) if ago < held => format!(", vacuumed in vain {} ago", Age(ago).short()),
        _ => String::new(),
    };
    let all = short_count(of_i64(r.dead.saturating_add(r.live)));
    format!("{} {} dead of {all}{in_vain}", relation(r), short_count(of_i64(r.dead)))
}

/// Who holds the horizon of that table, in a few words; none where nobody is named for it.
pub fn culprit(look: &Look<'_>, r: &Relation) -> Option<String> {
    let held = judged(look)?;
    held.tables.iter().any(|t| t.oid == r.oid).then(|| match held.holder {
        Holder::Session(s) => format!("{} holds the horizon", s.pid),
        Holder::Slot { name, .. } => format!("slot {} holds the horizon", identifier(name)),
        Holder::Standby { application } => format!("standby {} holds the horizon", application.head(40)),
    })
}

/// The session that this theme names.
pub fn named(look: &Look<'_>) -> Option<i32> {
    match judged(look)?.holder {
        Holder::Session(s) if !blockers::named(look).contains(&s.pid) => Some(s.pid),
        Holder::Session(_) | Holder::Slot { .. } | Holder::Standby { .. } => None,
    }
}
