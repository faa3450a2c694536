//! What nobody sees until it hurts: prepared transactions, subscriptions, partitions that end, ids that run out.

use super::server::counted_for;
use super::{Figure, ago, line, loud, many, rest, title, wal};
use crate::diagnose::finding::FindingKey;
use crate::diagnose::rule::Look;
use crate::diagnose::server::RECENT_S;
use crate::diagnose::span::Span;
use crate::diagnose::words::{counted, identifier, literal, of_i64, percent};
use crate::diagnose::wraparound::LAST_ID;
use crate::model::activity::{Activity, Part, PreparedTransaction, Subscription};
use crate::model::unit::{Age, short_count};
use crate::model::{ServerText, Tone, horizon};

/// What a finding's subject begins with where a slot holds the horizon, of the tables or of the catalogs alone.
const SLOT: [&str; 2] = ["slot ", "catalogs "];

pub(super) fn horizon(look: &Look<'_>, key: &FindingKey) -> Vec<Figure> {
    match SLOT.iter().find_map(|prefix| key.subject.strip_prefix(prefix)) {
        Some(slot) => wal::named(look, slot),
        None => transactions(look, key.subject.strip_prefix("prepared ")),
    }
}

pub(super) fn prepared(look: &Look<'_>, _: &FindingKey) -> Vec<Figure> {
    transactions(look, None)
}

/// All prepared transactions, the one that is meant first.
fn transactions(look: &Look<'_>, meant: Option<&str>) -> Vec<Figure> {
    let Some(activity) = look.world.activity.get() else { return Vec::new() };
    let mut all: Vec<&PreparedTransaction> = activity.prepared.rows().iter().collect();
    all.sort_by_key(|p| meant != Some(p.gid.raw()));
    let mut lines = Vec::new();
    for p in all.iter().take(super::MOST_ROWS) {
        lines.extend(transaction(look, p));
    }
    rest(all.len(), &mut lines);
    none(lines, "no transaction is prepared")
}

fn transaction(look: &Look<'_>, p: &PreparedTransaction) -> Vec<Figure> {
    let blocks = look.world.sessions.get().map_or_else(
        || "not known".to_owned(),
        |s| match s.prepared.iter().find(|held| held.gid == p.gid) {
            Some(held) => counted(held.waiters.len(), "session"),
            None => "nobody".to_owned(),
        },
    );
    let gid = literal(p.gid.raw());
    let sql = if p.exact {
        ServerText::new(format!("COMMIT PREPARED {gid}; or ROLLBACK PREPARED {gid};")).head(500)
    } else {
        "its identifier is not UTF-8: take it from pg_prepared_xacts there".to_owned()
    };
    vec![
        title(format!("prepared transaction {}", p.gid.head(200))),
        line("owner", p.owner.head(64)),
        line("database", p.database.head(64)),
        line("prepared", ago(Some(p.age_s))),
        line(
            "horizon",
            p.xid_age.map_or_else(
                || "not known".to_owned(),
                |age| format!("holds it {} transactions back", short_count(of_i64(age))),
            ),
        ),
        line("blocks", blocks),
        line("SQL", sql),
    ]
}

fn none(lines: Vec<Figure>, words: &str) -> Vec<Figure> {
    if lines.is_empty() { vec![line("", words)] } else { lines }
}

/// All subscriptions, the one that is meant first.
pub(super) fn subscriptions(look: &Look<'_>, key: &FindingKey) -> Vec<Figure> {
    let Some(activity) = look.world.activity.get() else { return Vec::new() };
    let mut all: Vec<&Subscription> = activity.subscriptions.rows().iter().collect();
    all.sort_by_key(|s| s.oid.to_string() != key.subject);
    let mut lines = Vec::new();
    for s in all.iter().take(super::MOST_ROWS) {
        lines.extend(subscription(look, activity, s));
    }
    rest(all.len(), &mut lines);
    none(lines, "there is no subscription")
}

fn subscription(look: &Look<'_>, activity: &Activity, s: &Subscription) -> Vec<Figure> {
    let worker = match s.worker {
        Some(pid) => line("worker", format!("pid {pid}")),
        None if s.hidden => loud("worker", "hidden from our role (pg_monitor sees it)", Tone::Notice),
        None => loud("worker", "none runs", if s.enabled { Tone::Warning } else { Tone::Plain }),
    };
    let errors = match (s.apply_errors, s.sync_errors) {
        (Some(apply), Some(sync)) => format!(
            "{} applying, {} copying {}",
            many(apply, "error"),
            many(sync, "error"),
            counted_for(activity, s.reset_s)
        ),
        _ => "counted from 15 on; before, they are only in the server's log".to_owned(),
    };
    let mut lines = vec![
        title(format!("subscription {}", s.name.head(64))),
        line("database", s.database.head(64)),
        if s.enabled { line("state", "enabled") } else { loud("state", "disabled", Tone::Warning) },
        worker,
        line("heard", ago(s.heard_s)),
        line("errors", errors),
    ];
    if let Some(span) = Span::last(look, RECENT_S) {
        let lately = span.figure(|d| Some(d.subscription_errors.get(&s.oid).copied().map_or(0.0, of_i64)));
        let tone = if lately.of > 0.0 { Tone::Warning } else { Tone::Plain };
        let text = format!("{} within {}", short_count(lately.of), Age(lately.seconds).short());
        lines.push(loud("lately", text, tone));
    }
    lines
}

pub(super) fn partitions(look: &Look<'_>, _: &FindingKey) -> Vec<Figure> {
    let Some(activity) = look.world.activity.get() else { return Vec::new() };
    let mut all: Vec<_> = activity.partitioned.rows().iter().collect();
    all.sort_by(|a, b| a.ends_s.unwrap_or(f64::MAX).total_cmp(&b.ends_s.unwrap_or(f64::MAX)));
    let mut lines = Vec::new();
    for p in all.iter().take(super::MOST_ROWS) {
        let (end, tone) = match p.ends_s {
            _ if p.endless => ("one takes whatever comes".to_owned(), Tone::Plain),
            _ if p.partitions == 0 => ("there is none: every row is refused".to_owned(), Tone::Warning),
            Some(left) if left <= 0.0 => (format!("ended {}: every row is refused", ago(Some(-left))), Tone::Warning),
            Some(left) => (format!("ends in {}", Age(left).short()), Tone::Plain),
            None => ("has no end".to_owned(), Tone::Plain),
        };
        lines.push(title(format!("table {}.{}", identifier(&p.schema), identifier(&p.name))));
        lines.push(line("partitions", short_count(of_i64(p.partitions))));
        lines.push(loud("the last", end, tone));
    }
    rest(all.len(), &mut lines);
    none(lines, "no table of error tracking is partitioned")
}

/// How old the ids of each database are, and what keeps them from being frozen.
pub(super) fn ages(look: &Look<'_>, _: &FindingKey) -> Vec<Figure> {
    let Some(relations) = look.world.relations.get() else { return Vec::new() };
    let told = |age: i64, forced: Option<i64>, what: &str| {
        let forced =
            forced.map_or_else(String::new, |at| format!(", a vacuum is forced at {}", short_count(of_i64(at))));
        let share = percent(of_i64(age) / LAST_ID);
        format!("{} {what} ids old, {share} of the way to the stop{forced}", short_count(of_i64(age)))
    };
    let mut all: Vec<_> = relations.databases.iter().collect();
    all.sort_by_key(|d| std::cmp::Reverse(d.xid_age.max(d.mxid_age)));
    let mut lines = Vec::new();
    for d in all.iter().take(super::MOST_ROWS) {
        let here = if d.name == relations.database { " (its tables are on Tables)" } else { "" };
        lines.push(title(format!("database {}{here}", d.name.head(64))));
        lines.push(line("rows", told(d.xid_age, d.xid_forced_at, "transaction")));
        lines.push(line("multixact", told(d.mxid_age, d.mxid_forced_at, "multixact")));
        if !d.connectable {
            lines.push(loud("connect", "nobody may: autovacuum alone vacuums it", Tone::Notice));
        }
    }
    rest(all.len(), &mut lines);
    lines.push(title("what keeps ids from being frozen"));
    match horizon::oldest(None, look.world) {
        Some((holder, age)) => {
            lines.push(line("horizon", format!("{}, {} transactions back", holder.name(), short_count(of_i64(age)))));
        }
        None => lines.push(line("horizon", "nobody is seen to hold it")),
    }
    if let Some((slot, age)) = horizon::of_catalogs(look.world) {
        let age = short_count(of_i64(age));
        lines.push(line("catalogs", format!("slot {}, {age} transactions back", slot.name.head(64))));
    }
    if let Some(Activity { prepared: Part::Failed(why), .. }) = look.world.activity.get() {
        let why = ServerText::new(why.to_string()).head(160);
        lines.push(loud("prepared", format!("transactions are not known: {why}"), Tone::Notice));
    }
    for v in relations.vacuums.iter().take(super::MOST_ROWS) {
        let wrap = if v.wraparound { ", to prevent wraparound" } else { "" };
        let for_s = v.running_s.map_or_else(String::new, |s| format!(", for {}", Age(s).short()));
        lines.push(line("vacuum", format!("{} in {}{for_s}{wrap}", v.pid, v.database.head(40))));
    }
    lines
}
