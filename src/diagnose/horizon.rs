//! What keeps vacuum from removing dead rows: the oldest transaction, a prepared one, a slot, or a standby's query; and
//! which tables wait for it.
//!
//! A snapshot in another database holds back nothing here, and a vacuum nothing at all. Who has written is another
//! matter: every snapshot on the server, a standby's too, stands where the oldest of the writers began.

use super::blockers;
use super::finding::{Finding, Harm, Kind, Severity, Target};
use super::replication::activity;
use super::rule::Look;
use super::words::{before, counted, doing, identifier, literal, of_i64, relation, statement, subject, who};
use crate::command::{Command, Tab};
use crate::model::ServerText;
use crate::model::activity::PreparedTransaction;
use crate::model::horizon::{self, Holder};
use crate::model::relation::Relation;
use crate::model::replica::Slot;
use crate::model::session::{Session, State};
use crate::model::unit::{Age, short_count};

/// The oldest holder in the database that is looked at, and its age in transactions.
fn oldest<'a>(look: &Look<'a>) -> Option<(Holder<'a>, i64)> {
    horizon::oldest(look.world.relations.get().map(|r| &r.database), look.world)
}

/// How old the horizon is, in transactions; none where nobody holds it.
pub fn age(look: &Look<'_>) -> Option<i64> {
    oldest(look).map(|holder| holder.1)
}

/// Tables that are due for a vacuum and hold dead rows enough to speak of, the fullest first.
fn waiting<'a>(look: &Look<'a>) -> Vec<&'a Relation> {
    let Some(relations) = look.world.relations.get().filter(|r| !r.in_recovery) else { return Vec::new() };
    let mut due: Vec<&Relation> = relations
        .fullest()
        .iter()
        .filter(|r| r.vacuum_due() >= 1.0 && of_i64(r.dead) >= look.limits.dead_rows)
        .collect();
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
    let tables = if holder.lasts(age, &look.limits.patience()) { waiting(look) } else { Vec::new() };
    let old = of_i64(age) >= look.limits.horizon_age;
    (old || !tables.is_empty()).then_some(Held { holder, age, since_s: holder.held_s(), tables })
}

/// Who holds the horizon, and for which tables.
pub fn held(look: &Look<'_>) -> Vec<Finding> {
    let (Some(held), Some((_, seen))) = (judged(look), look.sessions()) else { return Vec::new() };
    let Held { holder, age, since_s: held_s, tables } = held;
    let dead: i64 = tables.iter().fold(0, |sum, r| sum.saturating_add(r.dead));
    let useless = if tables.is_empty() {
        let standby = look.world.server.get().is_some_and(|server| server.in_recovery);
        let vacuum = if standby { "by hot_standby_feedback vacuum on the primary" } else { "vacuum" };
        format!("{vacuum} removes nothing that died since")
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
            ending(&mut finding, s, &then(look, &holder, age));
            format!("{}{}{}", who(s), elsewhere(look, s.database.as_ref()), statement(s))
        }
        Holder::Prepared(p) => {
            let (owner, database) = (p.owner.head(24), p.database.head(24));
            finding.key.subject = format!("prepared {}", p.gid.raw());
            finding.target = Target::Figures(Tab::Triage);
            finding.fact = format!("prepared transaction {} holds the horizon{long}: {useless}", p.gid.head(40));
            finding.todo = format!(
                "its coordinator should COMMIT PREPARED it; else ROLLBACK PREPARED, as {owner} in {database}, undoes its part alone"
            );
            finding.remedy = p.exact.then(|| format!("ROLLBACK PREPARED {};", literal(p.gid.raw())));
            format!(
                "by {owner} in {database}{}: it has no session, and outlives a restart",
                elsewhere(look, Some(&p.database))
            )
        }
        Holder::Slot { name, active, .. } => {
            finding.key.subject = format!("slot {}", name.raw());
            finding.target = Target::Figures(Tab::Replication);
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
        Holder::Standby { application, .. } => {
            finding.key.subject = format!("standby {}", application.raw());
            finding.target = standby_row(look, application);
            finding.fact = format!("a query on standby {} holds the horizon: {useless}", application.head(40));
            "end that query on the standby: it holds it by hot_standby_feedback".clone_into(&mut finding.todo);
            String::new()
        }
    };
    let mut parts: Vec<String> = tables.iter().take(3).map(|r| told(look, r, held_s)).collect();
    parts.push(aged);
    if !by_whom.is_empty() {
        parts.push(by_whom);
    }
    finding.evidence = parts.join(" · ");
    vec![finding]
}

/// The slot that holds the horizon of the catalogs, and its age, where that is old.
pub fn of_catalogs<'a>(look: &Look<'a>) -> Option<(&'a Slot, i64)> {
    horizon::of_catalogs(look.world).filter(|(_, age)| of_i64(*age) >= look.limits.horizon_age)
}

/// A logical slot that keeps the system catalogs from vacuum and freeze: tables do not wait for it, ids do.
pub fn catalogs(look: &Look<'_>) -> Vec<Finding> {
    let (Some((slot, age)), Some((_, seen))) = (of_catalogs(look), look.world.replication.value.as_ref()) else {
        return Vec::new();
    };
    let database = slot.database.as_ref().map_or_else(String::new, |d| format!(" of database {}", d.head(40)));
    let todo = if slot.active {
        "its reader does not confirm what it has read: see there what it waits for, or a transaction that is open here for long"
    } else {
        "bring its reader back, or drop the slot if that never returns"
    };
    vec![Finding {
        severity: Severity::Notice,
        fact: format!(
            "slot {} holds the horizon of the system catalogs: vacuum removes nothing that died there since, in any database",
            slot.name.head(40)
        ),
        evidence: format!(
            "catalog_xmin {} transactions old, {} slot{database}, {}; ids of databases cannot be frozen beyond it",
            short_count(of_i64(age)),
            ServerText::from(slot.kind.as_str()).head(16),
            activity(slot)
        ),
        todo: todo.to_owned(),
        remedy: (!slot.active).then(|| format!("SELECT pg_drop_replication_slot({});", literal(slot.name.raw()))),
        since: before(*seen, slot.inactive_s),
        harm: Harm { now: 0.0, coming: 0.5 },
        ..Finding::of(Kind::Horizon, format!("catalogs {}", slot.name.raw()), *seen, Target::Figures(Tab::Replication))
    }]
}

/// The row of a standby without a slot; of several with that name the one that holds it.
fn standby_row(look: &Look<'_>, application: &ServerText) -> Target {
    let replicas = look.world.replication.get().map_or(&[][..], |r| r.replicas.as_slice());
    let named = replicas.iter().filter(|r| r.slot.is_none() && r.application == *application);
    named.max_by_key(|r| r.xmin_age).map_or(Target::Tab(Tab::Replication), |r| Target::Replica(r.key()))
}

/// How somebody of another database comes to hold it here.
fn elsewhere(look: &Look<'_>, database: Option<&ServerText>) -> &'static str {
    let here = look.world.relations.get().map(|r| &r.database);
    let same = database.zip(here).is_none_or(|(own, here)| own == here);
    if same { "" } else { " (in another database, but it has written: every snapshot here waits for its end)" }
}

/// `idle in transaction` or `active`, without the age, which the sentence says.
fn state_word(s: &Session) -> String {
    s.state.map_or_else(|| doing(s), |state| state.word().to_owned())
}

/// What follows once `holder`, so many transactions back, has ended: another may stand nearly as far back.
fn then(look: &Look<'_>, holder: &Holder<'_>, age: i64) -> String {
    let database = look.world.relations.get().map(|r| &r.database);
    match horizon::next(database, look.world, holder, &look.limits.patience()) {
        Some((next, at)) if at.saturating_mul(2) >= age => {
            let how = database.map_or_else(String::new, |database| format!(" ({})", next.how(database)));
            format!("then {}{how} holds it, {} transactions back: end that, too", next.name(), short_count(of_i64(at)))
        }
        Some(_) | None => "then autovacuum does its work".to_owned(),
    }
}

fn ending(finding: &mut Finding, s: &Session, then: &str) {
    if s.state.is_some_and(State::is_idle_in_transaction) {
        finding.action = Some(Command::TerminateBackend);
        finding.todo = format!("terminate it: a cancel cannot help an idle session; {then}");
    } else if s.is_client() {
        finding.action = Some(Command::CancelBackend);
        finding.todo = format!("cancel it if it may be lost; {then}");
    } else {
        "it is no client: let it end".clone_into(&mut finding.todo);
    }
}

/// `carts 41k dead of 93k, vacuumed in vain 20s ago`.
fn told(look: &Look<'_>, r: &Relation, held_s: Option<f64>) -> String {
    let late_s = look.world.relations.value.as_ref().map_or(0.0, |(_, at)| look.since(*at));
    let in_vain = match (r.last_vacuum_s().map(|s| s + late_s), held_s) {
        (Some(ago), Some(held)) if ago < held => format!(", vacuumed in vain {} ago", Age(ago).short()),
        _ => String::new(),
    };
    let all = short_count(of_i64(r.dead.saturating_add(r.live)));
    format!("{} {} dead of {all}{in_vain}", relation(r), short_count(of_i64(r.dead)))
}

/// Who holds the horizon of that table, in a few words, and for how long, where that is known; none where nobody is
/// named for it.
pub fn culprit(look: &Look<'_>, r: &Relation) -> Option<(String, Option<f64>)> {
    let held = judged(look)?;
    let words = match held.holder {
        Holder::Session(s) => format!("{} holds the horizon", s.pid),
        Holder::Prepared(p) => format!("prepared transaction {} holds the horizon", p.gid.head(40)),
        Holder::Slot { name, .. } => format!("slot {} holds the horizon", identifier(name)),
        Holder::Standby { application, .. } => format!("standby {} holds the horizon", application.head(40)),
    };
    let held_s = held.since_s.map(|s| s + look.sessions().map_or(0.0, |(_, at)| look.since(at)));
    held.tables.iter().any(|t| t.oid == r.oid).then_some((words, held_s))
}

/// The session that holds the horizon, where it is hidden since when.
pub fn hidden_holder(look: &Look<'_>) -> Option<i32> {
    match oldest(look)?.0 {
        Holder::Session(s) if s.hidden && s.xact_s.is_none() => Some(s.pid),
        Holder::Session(_) | Holder::Prepared(_) | Holder::Slot { .. } | Holder::Standby { .. } => None,
    }
}

/// Who holds the horizon since before a vacuum that ended so many seconds before now, for however short a time.
pub fn older_session(look: &Look<'_>, vacuum_s: f64) -> Option<i32> {
    let late_s = look.sessions().map_or(0.0, |(_, at)| look.since(at));
    match oldest(look)?.0 {
        Holder::Session(s) if s.xact_s.is_some_and(|open| open + late_s > vacuum_s) => Some(s.pid),
        Holder::Session(_) | Holder::Prepared(_) | Holder::Slot { .. } | Holder::Standby { .. } => None,
    }
}

/// The session that this theme names.
pub fn named(look: &Look<'_>) -> Option<i32> {
    match judged(look)?.holder {
        Holder::Session(s) if !blockers::named(look).contains(&s.pid) => Some(s.pid),
        Holder::Session(_) | Holder::Prepared(_) | Holder::Slot { .. } | Holder::Standby { .. } => None,
    }
}

/// True for the prepared transaction that this theme names.
pub fn names(look: &Look<'_>, prepared: &PreparedTransaction) -> bool {
    matches!(judged(look), Some(Held { holder: Holder::Prepared(p), .. }) if p.gid == prepared.gid)
}
