//! What the question before a signal to several sessions says: the whole list, and what it comes to in sum.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::model::session::{Session, State};
use crate::model::unit::Age;

use super::super::bulk::{Bulk, BulkTarget, Signal};
use super::super::prompt::Listed;
use super::{Preview, Row, Scene, builds_concurrently, old, oldest, pooled, sessions};

/// Describes it. Always confirmed by word and number: `terminate 7`.
pub(super) fn of(bulk: &Bulk, scene: &Scene<'_>) -> Preview {
    let found: Vec<Option<&Session>> = bulk.targets.iter().map(|target| find(target, scene)).collect();
    let count = bulk.targets.len();
    let title = match bulk.signal {
        Signal::Cancel => format!("Cancel {count} statement{}?", if count == 1 { "" } else { "s" }),
        Signal::Terminate => format!("Terminate {count} session{}?", if count == 1 { "" } else { "s" }),
    };
    let targets = bulk.targets.iter().zip(&found).map(|(target, found)| Listed {
        pid: target.session.pid,
        text: line(target, *found),
        left_out: None,
    });
    let left_out = bulk.left_out.iter().map(|left| Listed {
        pid: left.pid,
        text: left.who.shown(),
        left_out: Some(left.why.clone()),
    });
    Preview {
        title,
        rows: vec![
            Row { label: "who", text: roles(bulk) },
            Row { label: "undoes", text: undoes(bulk.signal, &found) },
            Row { label: "frees", text: frees(bulk, scene) },
        ],
        listed: targets.chain(left_out).collect(),
        warnings: warnings(bulk, scene),
        name: format!("{} {count}", bulk.signal.word()),
    }
}

fn find<'a>(target: &BulkTarget, scene: &Scene<'a>) -> Option<&'a Session> {
    scene.session(&target.session)
}

/// `shop@shop · active 12m · UPDATE orders SET …`
fn line(target: &BulkTarget, found: Option<&Session>) -> String {
    let name =
        |text: &Option<_>| text.as_ref().map_or_else(|| "?".to_owned(), |t: &crate::model::ServerText| t.head(24));
    let state = target.state.map_or("?", State::short);
    let age = found
        .and_then(|session| if session.is_active() { session.query_s } else { session.xact_s.or(session.state_s) });
    let age = age.map_or_else(String::new, |s| format!(" {}", Age(s).short()));
    let (user, database) = (name(&target.who.user), name(&target.who.database));
    format!("{user}@{database} · {state}{age} · {}", target.query.head(160))
}

/// `5 shop@shop, 2 reporting@shop`: most first.
fn roles(bulk: &Bulk) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for target in &bulk.targets {
        let name =
            |text: &Option<crate::model::ServerText>| text.as_ref().map_or_else(|| "?".to_owned(), |t| t.head(24));
        *counts.entry(format!("{}@{}", name(&target.who.user), name(&target.who.database))).or_default() += 1;
    }
    let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let more = counts.len().saturating_sub(4);
    let shown: Vec<String> = counts.into_iter().take(4).map(|(name, count)| format!("{count} {name}")).collect();
    let more = if more > 0 { format!(", {more} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

fn undoes(signal: Signal, found: &[Option<&Session>]) -> String {
    let open = found.iter().flatten().filter(|s| s.xact_start.is_some()).count();
    let committed = found.iter().flatten().filter(|s| s.awaits_standby()).count();
    let written = found.iter().flatten().filter(|s| s.xid.is_some() && !s.awaits_standby()).count();
    let mut wrote = match written {
        0 if committed > 0 => String::new(),
        0 => "none has written".to_owned(),
        // A lock of a row takes a transaction's number, too.
        many => format!("{many} may have written: rolled back"),
    };
    if committed > 0 {
        let but = if written > 0 { "; " } else { "" };
        let _ = write!(wrote, "{but}{committed} done here and waiting for a standby: not undone");
    }
    match signal {
        Signal::Cancel if committed > 0 && committed == found.len() => {
            let all = if committed == 1 { "it is" } else { "all are" };
            format!("nothing: {all} done here and waiting for a standby; each client only stops waiting")
        }
        Signal::Cancel => format!("each statement and its transaction; {wrote}"),
        Signal::Terminate => {
            let open = match (open, written) {
                (0, _) => "no transaction is open".to_owned(),
                (_, 0) if committed > 0 => wrote,
                (1, 0) => "1 open transaction, which has not written".to_owned(),
                (1, _) if committed == 0 => "1 open transaction, which has written: rolled back".to_owned(),
                (open, _) => format!("{open} open transactions, of which {wrote}"),
            };
            let told = if committed > 0 { "57P01" } else { "FATAL 57P01" };
            format!("{open}; each client sees {told} and loses its session")
        }
    }
}

/// Who could go on if all of them went; those on the list do not count.
fn frees(bulk: &Bulk, scene: &Scene<'_>) -> String {
    let graph = &scene.world.graph;
    let pids: Vec<i32> = bulk.targets.iter().map(|target| target.session.pid).collect();
    let behind: BTreeSet<i32> = pids.iter().flat_map(|pid| graph.blocks(*pid)).filter(|p| !pids.contains(p)).collect();
    let free = graph.frees_all(&pids);
    let most = if graph.unsure(&free) { "at most " } else { "" };
    match (free.len(), behind.len()) {
        (_, 0) => "nobody else waits behind them".to_owned(),
        (free_count, all) if free_count == all => format!("{most}{}{}", sessions(all), oldest(&free, scene.world)),
        (free_count, all) => format!("{most}{free_count} of {all} waiting behind them{}", oldest(&free, scene.world)),
    }
}

fn warnings(bulk: &Bulk, scene: &Scene<'_>) -> Vec<String> {
    let mut out = Vec::new();
    if !bulk.left_out.is_empty() {
        out.push(format!("{} of the marked ones are left out: the reasons end the list", bulk.left_out.len()));
    }
    if bulk.hidden > 0 {
        let are = if bulk.hidden == 1 { "marked session is" } else { "marked sessions are" };
        out.push(format!("{} more {are} not on the screen and not part of this", bulk.hidden));
    }
    out.extend(old(scene));
    out.extend(pooled(scene));
    let active = |target: &&BulkTarget| matches!(target.state, Some(State::Active | State::Fastpath));
    if bulk.targets.iter().filter(active).any(|target| builds_concurrently(target.query.raw())) {
        out.push("a stopped CONCURRENTLY leaves an invalid index behind, to be dropped by hand".to_owned());
    }
    out
}
