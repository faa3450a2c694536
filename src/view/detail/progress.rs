//! One piece of work in full: its phase, what the share of it comes from, its pace, what it waits for, and what helps.

use ratatui::text::Line;

use super::fact;
use super::session::formatted;
use crate::app::App;
use crate::app::tab::connections::SessionRow;
use crate::app::tab::progress::{ProgressRow, unit};
use crate::command::Command;
use crate::model::progress::{Place, Unit, Work};
use crate::model::session::Wait;
use crate::model::unit::{Age, Bytes, short_count};
use crate::model::{ServerText, Tone};
use crate::view::theme::Theme;
use crate::view::words;

/// The lines of its detail.
pub fn lines(app: &App, row: &ProgressRow, theme: Theme) -> Vec<Line<'static>> {
    let p = &row.progress;
    let mut lines = vec![Line::styled(theme.plain(&format!("pid {} · {}", p.pid, row.what())), theme.title())];
    if let Some((text, tone)) = words::freshness(&app.world().progress, app.refresh.as_secs_f64(), app) {
        lines.push(Line::styled(theme.plain(&text), theme.style(tone)));
    }
    let session = app.session_row(&p.key());
    let mut add = |label: &str, value: String, tone: Tone| lines.push(fact(label, value, tone, theme));
    add("on", row.target(), Tone::Plain);
    for place in [&p.relation, &p.index].into_iter().flatten() {
        add("oid", oid(app, row, place), Tone::Faint);
    }
    match session {
        Some(session) => add("who", format!("{}, {}", who(session), session.state_word()), Tone::Plain),
        None if row.ours => add("who", "this console".to_owned(), Tone::Plain),
        None => {}
    }
    if let Some(age) = p.age_s {
        add("runs for", Age(age).exact(), Tone::Plain);
    }
    if p.hidden {
        let text = format!("hidden from this role: GRANT pg_monitor TO {}", words::role(app));
        add("phase", text, Tone::Warning);
        return lines;
    }
    if let Some(phase) = &p.phase {
        add("phase", ServerText::from(phase.as_str()).escaped(), Tone::Plain);
    }
    for (label, text, tone) in far(row).into_iter().chain(figures(row)) {
        add(label, text, tone);
    }
    if let Some(wait) = &p.wait {
        let text = ServerText::from(format!("{}:{}", wait.class, wait.event).as_str()).escaped();
        add("waits for", text, if wait.is_lock() { Tone::Warning } else { Tone::Plain });
    }
    for pid in row.behind() {
        add("behind", blocker(app, pid), Tone::Warning);
    }
    for text in helps(app, row) {
        add("helps", text, Tone::Notice);
    }
    if let Some(session) = session.filter(|s| !s.session.hidden) {
        lines.push(Line::default());
        lines.push(Line::styled("statement", theme.style(Tone::Faint)));
        lines.extend(formatted(&session.session.query).into_iter().map(|l| Line::raw(theme.plain(&l))));
    }
    lines
}

fn oid(app: &App, row: &ProgressRow, place: &Place) -> String {
    let is_index = row.progress.index.as_ref() == Some(place);
    let what = if is_index { "the index" } else { "the relation" };
    let here = || app.world().server.get().map_or_else(String::new, |s| s.database.head(63));
    match &place.name {
        Some(name) => format!("{} is {}", place.oid, name.escaped()),
        None if place.here => {
            format!("{} is {what}: its name could not be looked up, the catalog is locked", place.oid)
        }
        None => format!("{} is {what}: names are known here only in {}", place.oid, here()),
    }
}

fn who(row: &SessionRow) -> String {
    let s = &row.session;
    let role = s.user.as_ref().map_or_else(String::new, |user| format!("{}@", user.head(63)));
    let database = s.database.as_ref().map_or_else(|| "no database".to_owned(), |d| d.head(63));
    let application =
        if s.application.is_empty() { String::new() } else { format!(" · app {}", s.application.head(63)) };
    format!("{role}{database}{application}")
}

/// Who stands in the way, and what that one does.
fn blocker(app: &App, pid: i32) -> String {
    if pid == 0 {
        return "a prepared transaction".to_owned();
    }
    let Some(row) = app.connections.all().iter().find(|r| r.session.pid == pid) else {
        return format!("{pid}, which is not in the list of sessions");
    };
    let age =
        row.session.xact_s.map_or_else(String::new, |s| format!(", its transaction is open for {}", Age(s).exact()));
    format!("{pid}: {} of {}{age}", row.state_word(), who(row))
}

/// How far it is, from which columns, and how fast.
fn far(row: &ProgressRow) -> Vec<(&'static str, String, Tone)> {
    let Some(measure) = row.progress.measure() else { return Vec::new() };
    let counted = row.counted(&measure);
    let share = measure.share().map_or_else(String::new, |s| format!("{:.0}% of this phase, ", (s * 100.0).floor()));
    let mut out = vec![("done", format!("{share}{counted} ({})", measure.by), Tone::Plain)];
    let Some(pace) = row.progress.pace else { return out };
    out.push(match (pace.still_s(), pace.per_second(&measure)) {
        (Some(still), _) => ("pace", format!("not a step seen for {}", Age(still).exact()), Tone::Notice),
        (None, Some(rate)) => {
            let each = match measure.unit {
                #[expect(clippy::cast_possible_truncation, reason = "bytes a second")]
                Unit::Bytes => Bytes(rate as i64).short(),
                Unit::Blocks | Unit::Rows | Unit::Indexes | Unit::Statistics | Unit::Lockers => {
                    format!("{} {}", short_count(rate), unit(measure.unit))
                }
            };
            let left = pace
                .left_s(&measure)
                .map_or_else(String::new, |s| format!("; at that pace this phase ends in {}", Age(s).short()));
            ("pace", format!("{each} a second{left}"), Tone::Plain)
        }
        (None, None) => ("pace", "not known yet: it takes looks that differ".to_owned(), Tone::Faint),
    });
    out
}

/// The other figures of its kind.
fn figures(row: &ProgressRow) -> Vec<(&'static str, String, Tone)> {
    let mut out = Vec::new();
    let slept = |ms: Option<f64>| ms.filter(|ms| *ms > 0.0).map(|ms| Age(ms / 1000.0).exact());
    match &row.progress.work {
        Work::Vacuum(v) => {
            let dead = match (v.num_dead_tuples, v.max_dead_tuples, v.dead_tuple_bytes, v.max_dead_tuple_bytes) {
                (Some(n), Some(most), ..) => Some(format!("{n} collected, {most} fit")),
                (_, _, Some(bytes), Some(most)) => Some(format!(
                    "{} collected, {} of {} that fit",
                    v.num_dead_item_ids.unwrap_or(0),
                    Bytes(bytes).short(),
                    Bytes(most).short()
                )),
                _ => None,
            };
            out.extend(dead.map(|text| ("dead rows", text, Tone::Plain)));
            let passes = format!("{} over the indexes ended", v.index_vacuum_count);
            out.push(("passes", passes, if v.index_vacuum_count > 1 { Tone::Notice } else { Tone::Plain }));
            out.extend(slept(v.delay_time).map(|s| ("slept", format!("{s} for its cost delay"), Tone::Plain)));
        }
        Work::Analyze(a) => {
            if a.child_tables_total > 0 {
                let text = format!("{} of {} child tables", a.child_tables_done, a.child_tables_total);
                out.push(("children", text, Tone::Plain));
            }
            out.extend(slept(a.delay_time).map(|s| ("slept", format!("{s} for its cost delay"), Tone::Plain)));
        }
        Work::CreateIndex(i) if i.partitions_total > 0 => {
            out.push(("partitions", format!("{} of {}", i.partitions_done, i.partitions_total), Tone::Plain));
        }
        Work::CreateIndex(_) => {}
        Work::Cluster(c) => {
            let text = format!("{} read, {} written", c.heap_tuples_scanned, c.heap_tuples_written);
            out.push(("rows", text, Tone::Plain));
        }
        Work::BaseBackup(b) => {
            let text = format!("{} of {}", b.tablespaces_streamed, b.tablespaces_total);
            out.push(("tablespaces", text, Tone::Plain));
            if b.backup_total.is_some() {
                let text = "the total is the server's estimate from the start of the backup; WAL comes on top";
                out.push(("total", text.to_owned(), Tone::Faint));
            }
        }
        Work::Copy(c) => {
            let kind = c.kind.as_deref().map_or_else(String::new, |k| ServerText::from(k).head(20));
            let skipped = c.tuples_skipped.filter(|n| *n > 0).map_or_else(String::new, |n| format!(", {n} skipped"));
            let text = format!(
                "{} rows, {} left out by WHERE{skipped} · {} · {kind}",
                c.tuples_processed,
                c.tuples_excluded,
                Bytes(c.bytes_processed).short()
            );
            out.push(("copied", text, Tone::Plain));
        }
    }
    out
}

/// What makes it go on, or faster.
fn helps(app: &App, row: &ProgressRow) -> Vec<String> {
    let p = &row.progress;
    let mut out = Vec::new();
    let key = |command: Command| app.key_of(command);
    if row.ours {
        out.push(format!("it is a job of this console: {} stops it", key(Command::CancelJob)));
    }
    if p.locker().is_some() {
        let text = "it goes on once the transaction that it waits for has ended, and then looks for the next; readers and \
                    writers of the table go on meanwhile";
        out.push(text.to_owned());
    }
    if !p.blocked_by.is_empty() {
        out.push(format!("it goes on once who is before it has let go: {} Locks shows them", key(Command::ShowLocks)));
    }
    if let Work::Vacuum(v) = &p.work
        && v.index_vacuum_count > 1
    {
        let memory = if p.auto { "autovacuum_work_mem or maintenance_work_mem" } else { "maintenance_work_mem" };
        out.push(format!("more than one pass over the indexes: its dead rows did not fit into {memory}"));
    }
    if p.wraparound {
        out.push("let it run: cancelled, it begins anew; near the limit the server takes no more writes".to_owned());
    }
    out.extend(p.wait.as_ref().and_then(|wait| wait_helps(wait, p.auto)).map(str::to_owned));
    out
}

/// Compared without regard to case: the names were re-cased in 17.
fn wait_helps(wait: &Wait, auto: bool) -> Option<&'static str> {
    Some(match wait.event.to_ascii_lowercase().as_str() {
        "vacuumdelay" if auto => {
            "it sleeps for its cost delay: a higher autovacuum_vacuum_cost_limit lets it work more, on 16 and later also while \
             it runs"
        }
        "vacuumdelay" => "it sleeps for its cost delay: vacuum_cost_delay of the session that runs it",
        "basebackupthrottle" => "it is held back by the rate that its client asked for",
        "clientread" => "it waits for its client to send more",
        "clientwrite" | "walsenderwritedata" => {
            "its client, or the network to it, takes no more: the server is not what is slow"
        }
        _ => return None,
    })
}
