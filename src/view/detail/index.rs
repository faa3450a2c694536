//! An index in full: what it is, what it is needed for, what it costs and brings, and what is wrong with it.

use ratatui::text::Line;

use super::fact;
use crate::app::App;
use crate::app::tab::indexes::{Counting, IndexRow, needed};
use crate::diagnose::partitioned;
use crate::model::index::{Fault, Remains, Validity};
use crate::model::unit::{Age, Bytes};
use crate::model::{Latest, ServerText, Tone};
use crate::view::theme::Theme;

/// The lines of its detail.
pub fn lines(app: &App, row: &IndexRow, theme: Theme) -> Vec<Line<'static>> {
    let i = &row.index;
    let title =
        format!("{}.{} · oid {} · database {}", i.schema.escaped(), i.name.escaped(), i.oid, row.database.escaped());
    let mut lines = vec![Line::styled(theme.plain(&title), theme.title())];
    let mut add = |label: &str, value: String, tone: Tone| lines.push(fact(label, value, tone, theme));
    let toast = i.toast_of.as_ref().map_or_else(String::new, |of| format!(", the TOAST table of {}", of.escaped()));
    add("table", format!("{}.{}{toast} · oid {}", i.schema.escaped(), i.table.escaped(), i.table_oid), Tone::Plain);
    let part = if i.partial { " WHERE …" } else { "" };
    add("on", format!("{} ({}){part}", i.method.escaped(), i.columns.escaped()), Tone::Plain);
    let (text, tone) = definition(app);
    add("made by", text, tone);
    for (text, tone) in wrong(row) {
        add("wrong", text, tone);
    }
    let purpose = needed(i);
    if !purpose.is_empty() {
        add("needed as", purpose.to_owned(), Tone::Plain);
    }
    if i.locked {
        let text = "AccessExclusiveLock is held or queued on it or its table: reading its file would wait";
        add("locked", text.to_owned(), Tone::Warning);
    }
    let size = i.size().map_or_else(
        || match &i.partitions {
            Some(_) => "none: the indexes of its partitions have theirs".to_owned(),
            None => "not known: relpages is 0 where a build did not come to its end".to_owned(),
        },
        |b| format!("{} ({b} bytes) by relpages, as of its last build, vacuum or analyze", Bytes(b).short()),
    );
    add("size", size, Tone::Plain);
    let (text, tone) = scans(app, row);
    add("scans", text, tone);
    if row.counting != Counting::Off {
        add(
            "brought",
            format!("{} entries read, {} rows fetched by plain scans", i.entries_read, i.rows_fetched),
            Tone::Plain,
        );
        let cost = i.writes.map_or_else(
            || "on a standby there are no writes".to_owned(),
            |w| format!("{w} rows written to its table went into it, too (inserts, updates that were not HOT)"),
        );
        add("cost", cost, Tone::Plain);
    }
    let superuser = if i.rights.owner_is_superuser { " (a superuser)" } else { "" };
    add("owner", format!("{}{superuser}", i.rights.owner.escaped()), Tone::Plain);
    lines
}

/// The statement that makes it, or why that is not known.
fn definition(app: &App) -> (String, Tone) {
    let latest = app.definition();
    if let Some(text) = latest.and_then(Latest::get) {
        return (format!("{};", text.escaped()), Tone::Plain);
    }
    match latest.and_then(|latest| latest.error.as_ref()) {
        Some((error, _)) => (ServerText::new(error.to_string()).escaped(), Tone::Notice),
        None => ("asking".to_owned(), Tone::Faint),
    }
}

/// What is wrong with it, and what that means.
fn wrong(row: &IndexRow) -> Vec<(String, Tone)> {
    let i = &row.index;
    let mut out = Vec::new();
    let writes = match i.validity {
        Validity::NotReady => "no query uses it and no write goes into it",
        Validity::Invalid | Validity::Valid => "no query uses it, yet every write goes into it",
    };
    match i.fault() {
        Some(Fault::Leftover) => {
            out.push((format!("INVALID, and nobody builds it: {writes}"), Tone::Warning));
            match i.remains() {
                Some(Remains::Old) => {
                    let text =
                        "a REINDEX CONCURRENTLY has replaced it, and did not end: what it replaced it by is in use";
                    out.push((text.to_owned(), Tone::Plain));
                }
                Some(Remains::New) => {
                    let text =
                        "a REINDEX CONCURRENTLY that did not end left it; what it was to replace stands as before";
                    out.push((text.to_owned(), Tone::Plain));
                }
                None => {}
            }
            if let Some(other) = i.builder {
                out.push((format!("{} {} another index of its table now", other.pid, other.verb()), Tone::Notice));
            }
        }
        Some(Fault::Unattached) => {
            if let Some(parts) = &i.partitions {
                out.push((format!("INVALID: {}; {}", partitioned::lack(parts), partitioned::loss(i)), Tone::Warning));
                if !parts.lacking.is_empty() {
                    let more = if parts.without() > 3 { ", …" } else { "" };
                    out.push((format!("without one: {}{more}", parts.lacking.escaped()), Tone::Plain));
                }
                out.push((partitioned::attaching(parts), Tone::Notice));
                out.push((
                    "no REINDEX makes it valid; to drop it drops those of its partitions, too".to_owned(),
                    Tone::Plain,
                ));
            }
        }
        Some(Fault::Building(b)) => {
            let text = match b.this {
                Some(true) if b.drops => {
                    format!("INVALID: {} drops it, and waits for transactions that use its table", b.pid)
                }
                Some(false) | None if b.drops => format!(
                    "INVALID: {writes}; {} holds the lock of a DROP INDEX CONCURRENTLY on it, what it runs is hidden from \
                     our role",
                    b.pid
                ),
                Some(true) => format!("INVALID until {} has built it: {writes}", b.pid),
                Some(false) | None => format!(
                    "INVALID: {writes}; {} builds an index of its table, which one is hidden from our role",
                    b.pid
                ),
            };
            out.push((text, Tone::Notice));
        }
        Some(Fault::Duplicate | Fault::Prefix | Fault::Unused) | None => {}
    }
    if let Some(covered) = &i.covered {
        let by = covered.by.escaped();
        out.push(if covered.same {
            let text = "in columns, operator classes, collations, order, expressions and predicate";
            (format!("the same as {by} {text}: every write pays twice"), Tone::Notice)
        } else {
            (format!("its columns are the first of {by}, which can serve its queries from a larger index"), Tone::Faint)
        });
    }
    out
}

fn scans(app: &App, row: &IndexRow) -> (String, Tone) {
    let i = &row.index;
    let last = i.last_scan_s.map_or_else(String::new, |s| format!(", the last {} ago", Age(s).short()));
    let standbys = app.world().replication.get().is_some_and(|r| !r.replicas.is_empty());
    let unseen = if standbys { "; those on standbys are not seen here" } else { "" };
    match row.counting {
        Counting::Off => ("not counted: track_counts is off".to_owned(), Tone::Notice),
        Counting::Standby => {
            (format!("{} on this standby{last}; the primary's are not known here", i.scans), Tone::Plain)
        }
        Counting::Young(s) | Counting::Old(s) => {
            let tone = if i.fault() == Some(Fault::Unused) { row.state().1 } else { Tone::Plain };
            (format!("{}{last}, counted for {}{unseen}", i.scans, Age(s).exact()), tone)
        }
    }
}
