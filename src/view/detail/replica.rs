//! A standby in full: its walsender, its distance at each stage, its slot.

use ratatui::text::Line;

use super::{fact, name};
use crate::app::tab::replication::ReplicaRow;
use crate::model::replica::Replica;
use crate::model::unit::{Age, Bytes};
use crate::model::{ServerText, Tone};
use crate::view::theme::Theme;

/// The lines of its detail.
pub fn lines(row: &ReplicaRow, theme: Theme) -> Vec<Line<'static>> {
    let r: &Replica = &row.replica;
    let mut lines = vec![Line::styled(format!("standby {}", r.application.escaped()), theme.title())];
    let mut add = |label: &str, value: String, tone: Tone| lines.push(fact(label, value, tone, theme));
    if let Some(missing) = row.missing_s {
        add("MISSING", format!("not seen for {}; what follows is its last row", Age(missing).exact()), Tone::Critical);
    }
    add(
        "walsender",
        format!("pid {} · {} · {}", r.pid, name(r.user.as_ref()), r.client.as_deref().unwrap_or("local socket")),
        Tone::Plain,
    );
    add(
        "state",
        format!("{} · {}", r.state.as_deref().unwrap_or("(hidden)"), r.sync_state.as_deref().unwrap_or("?")),
        row.tone(),
    );
    add(
        "slot",
        r.slot.as_ref().map_or_else(|| "none: WAL that it still needs may be removed".to_owned(), ServerText::escaped),
        Tone::Plain,
    );
    let bytes = |b: Option<i64>| b.map_or_else(|| "?".to_owned(), |b| Bytes(b).short());
    add(
        "behind",
        format!(
            "{}: {} unsent, {} in flight, {} unflushed, {} unreplayed",
            bytes(r.total),
            bytes(r.unsent),
            bytes(r.unwritten),
            bytes(r.unflushed),
            bytes(r.unreplayed)
        ),
        row.tone(),
    );
    let lag = |l: Option<f64>| l.map_or_else(|| "none reported".to_owned(), |l| Age(l).exact());
    add("lag", format!("write {}, flush {}, replay {}", lag(r.write_s), lag(r.flush_s), lag(r.replay_s)), Tone::Plain);
    add("replayed", r.replay_lsn.clone().unwrap_or_else(|| "?".to_owned()), Tone::Plain);
    add("heard", r.reply_s.map_or_else(|| "?".to_owned(), |s| format!("{} ago", Age(s).exact())), Tone::Plain);
    if let Some(age) = r.xmin_age {
        add("feedback", format!("holds the xmin horizon {age} transactions back"), Tone::Plain);
    }
    lines
}
