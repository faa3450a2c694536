//! 6 Replication: our own upstream on a standby, the standbys, the slots.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use super::tables::draw_lines;
use super::theme::Theme;
use super::{footer, list, words};
use crate::app::App;
use crate::model::replica::{Replication, Slot, Standby};
use crate::model::unit::{Age, Bytes, short_count};
use crate::model::{ServerText, Tone};

/// Draws the tab.
pub fn draw(app: &App, theme: Theme, area: Rect, frame: &mut Frame) {
    let latest = &app.world().replication;
    let mut head = words::refusal(app, theme, area.width);
    if let Some((text, tone)) = words::freshness(latest, app.refresh.as_secs_f64().max(10.0), app) {
        head.push(Line::styled(theme.plain(&text), theme.style(tone)));
    }
    let Some(replication) = latest.get() else {
        draw_lines(head, area, frame);
        return;
    };
    if let Some(standby) = &replication.standby {
        head.extend(upstream(standby, theme));
    }
    let hidden = replication.replicas.iter().filter(|r| r.hidden).count();
    if hidden > 0 {
        let role = app.world().server.get().map_or_else(|| "this role".to_owned(), |s| s.user.head(40));
        let text = format!("! {hidden} standbys are hidden from {role}: GRANT pg_monitor TO {role}");
        head.push(Line::styled(text, theme.style(Tone::Warning)));
    }
    let slots = slots(replication, theme, area.width);
    let slot_lines = u16::try_from(slots.len()).unwrap_or(0).min(area.height / 2);
    let head_lines = u16::try_from(head.len()).unwrap_or(0).min(area.height / 2);
    let rows = u16::try_from(app.replicas.len()).unwrap_or(0).saturating_add(2);
    let [top, body, bottom] =
        Layout::vertical([Constraint::Length(head_lines), Constraint::Max(rows.max(3)), Constraint::Min(slot_lines)])
            .areas(area);
    draw_lines(head, top, frame);
    draw_lines(slots, bottom, frame);
    if app.replicas.is_empty() {
        let text = if app.replicas.total() > 0 {
            format!("none of {} passes the filter `{}`; Esc clears it", app.replicas.total(), app.filter_text())
        } else {
            "no standby is connected, and none was seen since this console started".to_owned()
        };
        footer::draw_reason(&text, Tone::Notice, theme, body, frame);
        return;
    }
    let stale = words::freshness(latest, app.refresh.as_secs_f64().max(10.0), app).is_some();
    list::draw(&app.replicas, stale, theme, body, frame);
}

fn upstream(s: &Standby, theme: Theme) -> Vec<Line<'static>> {
    let from = match (&s.sender, s.sender_port) {
        (Some(host), Some(port)) => format!(" from {}:{port}", host.escaped()),
        (Some(host), None) => format!(" from {}", host.escaped()),
        (None, _) => String::new(),
    };
    let (receiver, tone) = match &s.receiver {
        Some(status) => (format!("receiver {status}{from}"), Tone::Good),
        None if s.receiver_hidden => {
            ("the WAL receiver's state is hidden from this role: GRANT pg_monitor".to_owned(), Tone::Warning)
        }
        None => ("NO WAL receiver: the upstream is not heard".to_owned(), Tone::Critical),
    };
    let heard = s.heard_s.map_or_else(String::new, |h| format!(", heard {} ago", Age(h).short()));
    let slot = s.slot.as_ref().map_or_else(String::new, |s| format!(", slot {}", s.escaped()));
    let lag = match (s.lag_s, s.last_replay_s) {
        (Some(lag), _) => format!("{} behind", Age(lag).short()),
        (None, Some(old)) => format!("lag unknown; last replayed commit is {} old", Age(old).short()),
        (None, None) => "lag unknown".to_owned(),
    };
    let gap = s.gap.map_or_else(|| "?".to_owned(), |g| Bytes(g).short());
    let replay_tone = if s.paused { Tone::Critical } else { Tone::Plain };
    let paused = if s.paused { "REPLAY PAUSED (SELECT pg_wal_replay_resume()) · " } else { "" };
    vec![
        Line::from(vec![
            Span::styled("this standby: ", theme.title()),
            Span::styled(format!("{receiver}{heard}{slot}"), theme.style(tone)),
        ]),
        Line::styled(
            theme.plain(&format!(
                "  {paused}{lag} · {gap} received, not replayed · received {} replayed {}",
                s.receive_lsn.as_deref().unwrap_or("?"),
                s.replay_lsn.as_deref().unwrap_or("?")
            )),
            theme.style(replay_tone),
        ),
    ]
}

fn slots(r: &Replication, theme: Theme, width: u16) -> Vec<Line<'static>> {
    if r.slots.is_empty() {
        return vec![Line::styled("no replication slots", theme.style(Tone::Faint))];
    }
    let keep = match r.slot_keep_mb {
        Some(mb) if mb >= 0 => format!("max_slot_wal_keep_size {}", Bytes(mb << 20).short()),
        Some(_) => "max_slot_wal_keep_size -1: a slot may fill the disk".to_owned(),
        None => String::new(),
    };
    let mut lines = vec![Line::from(vec![
        Span::styled(format!("{} replication slots  ", r.slots.len()), theme.title()),
        Span::styled(keep, theme.style(Tone::Faint)),
    ])];
    for slot in &r.slots {
        lines.push(slot_line(slot, theme, width));
    }
    lines
}

fn slot_line(s: &Slot, theme: Theme, width: u16) -> Line<'static> {
    let status = s.wal_status.as_deref().unwrap_or("?");
    let tone = match status {
        "lost" | "unreserved" => Tone::Critical,
        _ if !s.active && s.retained.unwrap_or(0) >= 64 << 20 => Tone::Critical,
        _ if !s.active => Tone::Warning,
        "extended" => Tone::Notice,
        _ => Tone::Plain,
    };
    let activity = match (s.active, s.inactive_s) {
        (true, _) => "active".to_owned(),
        (false, Some(since)) => format!("INACTIVE {}", Age(since).short()),
        (false, None) => "INACTIVE".to_owned(),
    };
    let retained = s.retained.map_or_else(|| "?".to_owned(), |b| Bytes(b).short());
    let safe = s.safe.map_or_else(|| "no limit".to_owned(), |b| Bytes(b).short());
    let mark = theme.mark(tone);
    let mut text =
        format!("{mark:<2} {:<20} {:<8} {activity:<12} retains {retained:>8}  {status:<10}", s.name.head(40), s.kind);
    if width >= 100 {
        text.push_str(&format_rest(s, &safe));
    }
    Line::styled(theme.plain(&text), theme.style(tone))
}

fn format_rest(s: &Slot, safe: &str) -> String {
    #[expect(clippy::cast_precision_loss, reason = "an age in transactions, shown in three digits")]
    let age = |a: Option<i64>| a.map(|a| short_count(a as f64));
    let xmin = age(s.xmin_age).map_or_else(String::new, |a| format!("  xmin {a} back"));
    let catalog = age(s.catalog_xmin_age).map_or_else(String::new, |a| format!("  catalog_xmin {a} back"));
    let database = s.database.as_ref().map_or_else(String::new, |d: &ServerText| format!("  in {}", d.head(20)));
    let invalid = s.invalidation.as_ref().map_or_else(String::new, |i| format!("  {i}"));
    format!(" safe {safe}{xmin}{catalog}{database}{invalid}")
}
