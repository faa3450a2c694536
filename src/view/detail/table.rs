//! A table in full: size, dead rows, vacuum, bloat by estimate and by measure, freeze age.

use ratatui::text::Line;

use super::fact;
use crate::app::App;
use crate::app::tab::tables::{TableRow, exact_share, freeze_share, progress_percent};
use crate::command::Command;
use crate::model::unit::{Age, Bytes};
use crate::model::{ServerText, Tone};
use crate::table::Row;
use crate::view::theme::Theme;

/// The lines of its detail.
pub fn lines(app: &App, row: &TableRow, theme: Theme) -> Vec<Line<'static>> {
    let r = &row.relation;
    let mut lines = vec![Line::styled(
        theme.plain(&format!(
            "{}.{} · oid {} · database {}",
            r.schema.escaped(),
            r.name.escaped(),
            r.oid,
            row.database.escaped()
        )),
        theme.title(),
    )];
    let mut add = |label: &str, value: String, tone: Tone| lines.push(fact(label, value, tone, theme));
    if let Some(lock) = &r.barred {
        let mode = ServerText::from(lock.mode.as_str()).head(40);
        add("held", format!("{mode} of {} keeps every vacuum out", lock.who()), Tone::Warning);
    }
    if r.locked {
        add(
            "locked",
            "AccessExclusiveLock is held or queued on it: reading its files would wait".to_owned(),
            Tone::Warning,
        );
    }
    let size = r.size().map_or_else(
        || "not known: relpages is 0 before the first vacuum or analyze, whatever the table holds".to_owned(),
        |bytes| format!("{} ({bytes} bytes) by relpages, as of the last vacuum or analyze", Bytes(bytes).short()),
    );
    add("size", size, Tone::Plain);
    let tuples = r.tuples.map_or_else(|| "never counted".to_owned(), |t| format!("{t:.0} (reltuples)"));
    add("rows", tuples, Tone::Plain);
    for (label, value, tone) in statistics(row) {
        add(label, value, tone);
    }
    if let Some(v) = &row.vacuum {
        let running = v.running_s.map_or_else(String::new, |s| format!(" for {}", Age(s).exact()));
        let auto = if v.auto { "autovacuum" } else { "VACUUM" };
        add("running", format!("{auto} pid {}{running}: {} {}", v.pid, v.phase, progress_percent(v)), Tone::Good);
    }
    match r.bloat {
        Some(b) => {
            let note = if b.complete { "" } else { "; column statistics are incomplete, so it is too high" };
            add(
                "bloat",
                format!(
                    "{} of {} could be free (an estimate{note})",
                    Bytes(b.wasted_bytes).short(),
                    Bytes(b.real_bytes).short()
                ),
                Tone::Plain,
            );
        }
        None => add(
            "bloat",
            "not estimated: under 1 MB, not among the largest, or no column statistics for this role".to_owned(),
            Tone::Faint,
        ),
    }
    let (text, tone) = exact(app, row);
    add("exact", text, tone);
    let freeze = freeze_share(r).map_or_else(|| "?".to_owned(), |f| format!("{:.0}%", f * 100.0));
    add(
        "freeze",
        format!(
            "age {} of {} ({freeze}) · multixact age {}",
            r.xid_age.unwrap_or(0),
            r.freeze_max_age,
            r.mxid_age.unwrap_or(0)
        ),
        Tone::Plain,
    );
    add(
        "scans",
        format!(
            "{} sequential (reading {} rows), {} by index, since the statistics were reset",
            r.seq_scan, r.seq_rows, r.idx_scan
        ),
        Tone::Plain,
    );
    lines
}

/// What the statistics say of it; a standby has none of the primary's.
fn statistics(row: &TableRow) -> Vec<(&'static str, String, Tone)> {
    let r = &row.relation;
    let mut out = Vec::new();
    if row.in_recovery {
        out.push((
            "statistics",
            "a standby has none of the primary's: dead rows and vacuum times are not known here".to_owned(),
            Tone::Notice,
        ));
    } else {
        let ratio = r.dead_ratio().map_or_else(String::new, |d| format!(", {:.1}% of all rows", d * 100.0));
        out.push(("dead rows", format!("{}{ratio}", r.dead), row.tone()));
        out.push((
            "autovacuum",
            format!(
                "{} · starts at {:.0} dead rows ({:.0}% reached){}",
                if r.autovacuum_on { "on" } else { "OFF for this table" },
                r.vacuum_threshold,
                r.vacuum_due() * 100.0,
                r.insert_threshold.map_or_else(String::new, |t| format!(" or {t:.0} inserted ({} so far)", r.inserted))
            ),
            if r.autovacuum_on { Tone::Plain } else { Tone::Warning },
        ));
        out.push(("vacuumed", when(r.vacuum_s, r.autovacuum_s), Tone::Plain));
        out.push((
            "analyzed",
            format!(
                "{} · {} rows changed since, starts at {:.0}",
                when(r.analyze_s, r.autoanalyze_s),
                r.modified,
                r.analyze_threshold
            ),
            Tone::Plain,
        ));
    }
    out
}

fn exact(app: &App, row: &TableRow) -> (String, Tone) {
    let key = app.key_of(Command::ExactBloat);
    let Some((_, latest)) = app.world().exact.get(&row.relation.oid).filter(|(key, _)| *key == row.key()) else {
        return (format!("not measured; {key} measures it with pgstattuple_approx"), Tone::Faint);
    };
    let failed = latest.error.as_ref().map(|(error, _)| error.to_string());
    match (latest.get(), failed) {
        (Some(e), failed) => {
            let age = latest.age_s(app.shown_now()).map_or_else(String::new, |a| format!(", {} ago", Age(a).short()));
            let failed = failed.map_or_else(String::new, |f| format!("; measured again: {f}"));
            let now = row.relation.size().filter(|_| row.outgrew(e));
            let now = now.map_or_else(String::new, |b| format!("; by relpages it now has {}", Bytes(b).short()));
            let text = format!(
                "{:.1}% of {}: {} free, {} in {} dead rows ({:.1}% of the pages read{age}){now}{failed}",
                exact_share(e) * 100.0,
                Bytes(e.table_bytes).short(),
                Bytes(e.free_bytes).short(),
                Bytes(e.dead_bytes).short(),
                e.dead,
                e.scanned_percent
            );
            (text, Tone::Plain)
        }
        (None, Some(failed)) => (failed, Tone::Warning),
        (None, None) => ("measuring".to_owned(), Tone::Faint),
    }
}

fn when(manual: Option<f64>, auto: Option<f64>) -> String {
    let one = |name: &str, s: Option<f64>| {
        s.map_or_else(|| format!("never {name}"), |s| format!("{name} {} ago", Age(s).short()))
    };
    format!("{}, {}", one("manually", manual), one("automatically", auto))
}
