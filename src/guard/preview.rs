//! What a question says: who is hit, what is undone, who is freed, which lock is taken, what will be sent.
//!
//! Words only, all of them safe to draw; it decides nothing.

mod bulk;
mod expire;
mod maintain;
mod setting;
mod terminate;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::model::session::{Session, State};
use crate::model::unit::Age;
use crate::model::world::Link;
use crate::model::{ServerText, World};

use super::look::OLD_S;
use super::prompt::{Listed, Row};
use super::{Scene, Who, Write, twice};

/// The content of a question.
pub(super) struct Preview {
    pub(super) title: String,
    pub(super) rows: Vec<Row>,
    /// Who is on the list of a bulk action.
    pub(super) listed: Vec<Listed>,
    pub(super) warnings: Vec<String>,
    /// What is typed to confirm the action where a key is not enough.
    pub(super) name: String,
}

/// Describes an action.
pub(super) fn of(write: &Write, scene: &Scene<'_>) -> Preview {
    let mut preview = match write {
        Write::Cancel { session, who, query, .. } => {
            let found = scene.session(session);
            cancel(session.pid, &Target { who, query, found }, scene)
        }
        Write::Terminate { session, who, query, .. } => {
            let found = scene.session(session);
            terminate::of(session.pid, &Target { who, query, found }, scene)
        }
        Write::Bulk(list) => bulk::of(list, scene),
        Write::ExpireCache { table, before, most, .. } => expire::of(table, before, *most, scene),
        Write::Maintain { task, target, .. } => maintain::of(*task, target, scene),
        Write::Setting { .. } | Write::Reload { .. } => setting::of(write, scene),
    };
    preview.rows.extend(seen(scene));
    preview.rows.push(Row { label: "runs", text: write.statement().shown() });
    preview.rows.push(Row { label: "logged", text: format!("as {}", ServerText::from(scene.logged_as).escaped()) });
    preview
}

struct Target<'a> {
    who: &'a Who,
    query: &'a ServerText,
    found: Option<&'a Session>,
}

fn cancel(pid: i32, target: &Target<'_>, scene: &Scene<'_>) -> Preview {
    let rows = vec![
        Row { label: "who", text: who(target) },
        Row { label: "doing", text: doing(target) },
        Row { label: "undoes", text: undoes(target.found) },
        Row { label: "frees", text: frees(pid, scene.world) },
    ];
    Preview {
        title: format!("Cancel the statement of backend {pid}?"),
        rows,
        listed: Vec::new(),
        warnings: signal_warnings(target, scene),
        name: pid.to_string(),
    }
}

fn who(target: &Target<'_>) -> String {
    let connected = target.found.and_then(|s| s.backend_s).map(|s| format!(", connected {} ago", Age(s).exact()));
    let kind = target.found.filter(|s| !s.is_client()).and_then(|s| s.backend_type.as_deref());
    let kind = kind.map_or_else(String::new, |kind| format!("{}: ", ServerText::from(kind).head(40)));
    format!("{kind}{}{}", target.who.shown(), connected.unwrap_or_default())
}

/// What one should know before a session is signalled.
fn signal_warnings(target: &Target<'_>, scene: &Scene<'_>) -> Vec<String> {
    let reservation = target.found.and_then(twice::reservation);
    let mut warnings: Vec<String> = reservation.map(|refusal| refusal.sentence()).into_iter().collect();
    warnings.extend(old(scene));
    warnings.extend(pooled(scene));
    if target.found.is_none_or(Session::is_active) && builds_concurrently(target.query.raw()) {
        warnings.push("a stopped CONCURRENTLY leaves an invalid index behind, to be dropped by hand".to_owned());
    }
    warnings
}

/// A list that grew old while nobody looked: the server will.
fn old(scene: &Scene<'_>) -> Option<String> {
    let age = scene.world.sessions.age_s(scene.now).filter(|age| *age > OLD_S && scene.seen().is_none())?;
    Some(format!("this list is {} old; the server looks again before it signals", Age(age).short()))
}

/// Who looked where the list was too old to ask by, and what that leaves as old as it is.
fn seen(scene: &Scene<'_>) -> Option<Row> {
    scene.seen()?;
    let age = scene.world.sessions.age_s(scene.now).map_or_else(|| "?".to_owned(), |age| Age(age).short());
    let text = format!("looked just now by the writer's own connection; who waits behind it is {age} old");
    Some(Row { label: "seen", text })
}

/// A backend of a transaction pooler is not a client.
fn pooled(scene: &Scene<'_>) -> Option<String> {
    matches!(&scene.world.link, Some(Link::Up(facts)) if facts.pooled)
        .then(|| "behind a transaction pooler: this backend may serve another client by now".to_owned())
}

/// `active 12m03s, waits 9m00s for AccessExclusiveLock on orders: ALTER TABLE …`
fn doing(target: &Target<'_>) -> String {
    let Some(session) = target.found else { return target.query.head(200) };
    let mut out = session.state.map_or(if session.is_client() { "active" } else { "at work" }, State::word).to_owned();
    if let Some(s) = session.query_s {
        let _ = write!(out, " {}", Age(s).exact());
    }
    if let Some(lock) = &session.waits_for {
        let since = lock.waited_s.map_or_else(String::new, |s| format!(" {}", Age(s).exact()));
        let on = lock.relation.as_ref().map_or_else(String::new, |name| format!(" on {}", name.head(64)));
        let _ = write!(out, ", waits{since} for {}{on}", ServerText::from(lock.mode.as_str()).head(40));
    }
    format!("{out}: {}", target.query.head(200))
}

/// What cannot be undone: the server says of it `already committed locally, but might not have been replicated`.
fn written(session: &Session) -> String {
    format!("nothing: it {} here, and a failover may lose that", session.done_here())
}

/// An error aborts the transaction, not the statement alone: all that it wrote is rolled back (to the last savepoint,
/// where the client set one).
fn undoes(found: Option<&Session>) -> String {
    let Some(session) = found else { return "the statement and its transaction".to_owned() };
    if let Some(loss) = twice::loss(session) {
        return loss.to_owned();
    }
    if session.awaits_standby() {
        return format!("{}; its client only stops waiting for the standby", written(session));
    }
    format!("the statement and {}", transaction(session))
}

/// `its transaction, open 12m03s; it has written (xid 8812345): rolled back`
fn transaction(session: &Session) -> String {
    let open = session.xact_s.map_or_else(String::new, |s| format!(", open {}", Age(s).exact()));
    let wrote = session
        .xid
        .as_ref()
        .map_or_else(|| "has written nothing".to_owned(), |xid| format!("may have written (xid {xid}): rolled back"));
    format!("its transaction{open}; it {wrote}")
}

/// Who waits behind `pid`, who of them could go on without it, and who keeps the others waiting.
fn frees(pid: i32, world: &World) -> String {
    let graph = &world.graph;
    let (behind, free) = (graph.blocks(pid), graph.frees(pid));
    let most = if graph.unsure(&free) { "at most " } else { "" };
    let mut out = if behind.is_empty() {
        "nobody waits behind it".to_owned()
    } else if free.len() == behind.len() {
        format!("{most}{}{}", sessions(free.len()), oldest(&free, world))
    } else {
        let left: BTreeSet<i32> = behind.difference(&free).copied().collect();
        let others = left.iter().flat_map(|waiter| graph.blockers_of(*waiter)).copied();
        let remaining: BTreeSet<i32> = others.filter(|b| *b != pid && !left.contains(b) && !free.contains(b)).collect();
        let why = if remaining.is_empty() { "not all blockers are known".to_owned() } else { remain(&remaining) };
        format!("{most}{} of {} waiting behind it{} ({why})", free.len(), behind.len(), oldest(&free, world))
    };
    let before = graph.blockers_of(pid);
    if !before.is_empty() {
        out.push_str("; it waits itself for ");
        out.push_str(&pids(&before.iter().copied().collect()));
    }
    out
}

fn sessions(count: usize) -> String {
    if count == 1 { "1 waiting session".to_owned() } else { format!("{count} waiting sessions") }
}

/// ` (oldest 11m58s)`: how long the longest of them waits, by its lock where that is known.
fn oldest(waiters: &BTreeSet<i32>, world: &World) -> String {
    let rows = world.sessions.get().map_or(&[][..], |list| &list.rows);
    let waited = |s: &Session| s.waits_for.as_ref().and_then(|lock| lock.waited_s).or(s.query_s);
    let longest = rows.iter().filter(|s| waiters.contains(&s.pid)).filter_map(waited).reduce(f64::max);
    longest.map_or_else(String::new, |s| format!(" (oldest {})", Age(s).exact()))
}

fn remain(remaining: &BTreeSet<i32>) -> String {
    format!("{} remain{}", pids(remaining), if remaining.len() == 1 { "s" } else { "" })
}

/// `4711, 4712 and 3 more`; pid 0 stands for prepared transactions.
fn pids(of: &BTreeSet<i32>) -> String {
    const MOST: usize = 3;
    let name = |pid: &i32| if *pid == 0 { "a prepared transaction".to_owned() } else { pid.to_string() };
    let mut out = of.iter().take(MOST).map(name).collect::<Vec<_>>().join(", ");
    if of.len() > MOST {
        let _ = write!(out, " and {} more", of.len() - MOST);
    }
    out
}

fn builds_concurrently(query: &str) -> bool {
    // The keyword stands within the first words; a megabyte of SQL is not searched.
    let head: String = query.chars().take(200).collect::<String>().to_ascii_lowercase();
    head.contains("concurrently") && (head.contains("create") || head.contains("reindex"))
}

#[cfg(test)]
mod tests;
