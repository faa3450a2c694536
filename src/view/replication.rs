//! 6 Replication: our own upstream on a standby, the standbys, the slots.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::theme::Theme;
use super::{footer, lines, list, words};
use crate::app::App;
use crate::app::tab::replication as tab;
use crate::command::Command;
use crate::diagnose::health::ItemKey;
use crate::guard::Remedy;
use crate::model::health::State;
use crate::model::replica::{Invalid, Replication, Slot, Standby};
use crate::model::unit::{Age, Bytes, short_count};
use crate::model::{ServerText, Tone};

/// Draws the tab.
pub fn draw(app: &App, theme: Theme, area: Rect, frame: &mut Frame) {
    let latest = &app.world().replication;
    let mut head = Vec::new();
    let standing = words::standing(latest, app.refresh.as_secs_f64().max(10.0), app);
    let Some(replication) = latest.get() else {
        let (text, tone) = standing.unwrap_or_default();
        footer::draw_reason(&text, tone, theme, area, frame);
        return;
    };
    let stale = standing.is_some();
    if let Some((text, tone)) = standing {
        head.push(Line::styled(theme.plain(&text), theme.style(tone)));
    }
    if let Some(text) = words::filtered(app, app.replicas.len(), app.replicas.total()) {
        head.push(Line::styled(theme.plain(&text), theme.style(Tone::Notice)));
    }
    if let Some(standby) = &replication.standby {
        head.extend(upstream(standby, app, theme));
    }
    let hidden = replication.replicas.iter().filter(|r| r.hidden).count();
    if hidden > 0 {
        let role = words::role(app);
        let text = format!("! {} hidden from {role}: GRANT pg_monitor TO {role}", words::are(hidden, "standby"));
        head.push(Line::styled(text, theme.style(Tone::Warning)));
    }
    let slots = slots(replication, app, theme, area.width);
    let slot_lines = u16::try_from(slots.len()).unwrap_or(0).min(area.height / 2);
    let head_lines = u16::try_from(head.len()).unwrap_or(0).min(area.height / 2);
    let rows = u16::try_from(app.replicas.len()).unwrap_or(0).saturating_add(2);
    let [top, body, bottom] =
        Layout::vertical([Constraint::Length(head_lines), Constraint::Max(rows.max(3)), Constraint::Min(slot_lines)])
            .areas(area);
    lines::draw(head, theme, top, frame);
    draw_slots(slots, theme, bottom, frame);
    if app.replicas.is_empty() {
        let text = if app.replicas.total() > 0 {
            format!("none of {} passes the filter `{}`; Esc clears it", app.replicas.total(), app.filter_text())
        } else {
            "no standby is connected, and none was seen since this console started".to_owned()
        };
        footer::draw_reason(&text, Tone::Notice, theme, body, frame);
        return;
    }
    list::draw(&app.replicas, stale, theme, body, frame);
}

fn upstream(s: &Standby, app: &App, theme: Theme) -> Vec<Line<'static>> {
    let from = match (&s.sender, s.sender_port) {
        (Some(host), Some(port)) => format!(" from {}:{port}", host.escaped()),
        (Some(host), None) => format!(" from {}", host.escaped()),
        (None, _) => String::new(),
    };
    // As the findings and the box of health judge it.
    let judged = app.triage.diagnosis.health.iter().find(|item| item.key == ItemKey::Standby && !s.paused);
    let (receiver, tone) = match &s.receiver {
        Some(status) => (format!("receiver {}{from}", ServerText::from(status.as_str()).head(20)), Tone::Good),
        None if s.receiver_hidden => {
            ("the WAL receiver's state is hidden from this role: GRANT pg_monitor".to_owned(), Tone::Warning)
        }
        None => {
            let tone = judged.and_then(|item| item.state).map_or(Tone::Critical, State::tone);
            ("NO WAL receiver: the upstream is not heard".to_owned(), tone)
        }
    };
    let heard = s.heard_s.map_or_else(String::new, |h| format!(", heard {} ago", Age(h).short()));
    let slot = s.slot.as_ref().map_or_else(String::new, |s| format!(", slot {}", s.escaped()));
    let lag = judged.map_or_else(String::new, |item| format!("{} · ", theme.plain(&item.text)));
    let old =
        s.last_replay_s.map_or_else(String::new, |old| format!("last replayed commit {} old · ", Age(old).short()));
    let gap = s.gap.map_or_else(|| "?".to_owned(), |g| Bytes(g).short());
    let late = judged.and_then(|item| item.state).filter(|state| *state != State::Ok).map_or(Tone::Plain, State::tone);
    let replay_tone = if s.paused { Tone::Critical } else { late };
    let key = app.key_of(Command::OpenDetail);
    let paused = if s.paused { format!("REPLAY PAUSED ({key}: the SQL that resumes it) · ") } else { String::new() };
    vec![
        Line::from(vec![
            Span::styled("this standby: ", theme.title()),
            Span::styled(format!("{receiver}{heard}{slot}"), theme.style(tone)),
        ]),
        Line::styled(
            theme.plain(&format!(
                "  {paused}{lag}{old}{gap} received, not replayed · received {} replayed {}",
                lsn(s.receive_lsn.as_deref()),
                lsn(s.replay_lsn.as_deref())
            )),
            theme.style(replay_tone),
        ),
    ]
}

fn lsn(position: Option<&str>) -> String {
    position.map_or_else(|| "?".to_owned(), |p| ServerText::from(p).head(24))
}

fn slots(r: &Replication, app: &App, theme: Theme, width: u16) -> Vec<Line<'static>> {
    if r.slots.is_empty() {
        return vec![Line::styled("no replication slots", theme.style(Tone::Faint))];
    }
    let keep = match r.slot_keep_mb {
        Some(mb) if mb >= 0 => format!("max_slot_wal_keep_size {}", Bytes(mb << 20).short()),
        Some(_) => "max_slot_wal_keep_size -1: a slot may fill the disk".to_owned(),
        None => "max_slot_wal_keep_size is not known".to_owned(),
    };
    let more = if width >= 120 && r.slots.iter().any(|slot| Remedy::slot(slot).is_some()) {
        format!("  {}: the SQL that drops an inactive one", app.key_of(Command::OpenDetail))
    } else {
        String::new()
    };
    let mut lines = vec![Line::from(vec![
        Span::styled(
            format!("{} replication slot{}  ", r.slots.len(), if r.slots.len() == 1 { "" } else { "s" }),
            theme.title(),
        ),
        Span::styled(theme.plain(&format!("{keep}{more}")), theme.style(Tone::Faint)),
    ])];
    // The worst first: a low screen shows only some.
    let slots = tab::slots(r, &app.triage.limits);
    let names =
        slots.iter().map(|(s, _)| s.name.head(40).width()).max().unwrap_or(0).clamp(4, usize::from(width / 4).max(4));
    lines.extend(slots.into_iter().map(|(slot, tone)| slot_line(slot, tone, names, theme, width)));
    lines
}

/// Draws the slots, and says how many have no room.
fn draw_slots(mut slots: Vec<Line<'static>>, theme: Theme, area: Rect, frame: &mut Frame) {
    let rows = usize::from(area.height);
    if rows > 1 && slots.len() > rows {
        let more = slots.len() - rows + 1;
        slots.truncate(rows - 1);
        slots.push(Line::styled(format!("   and {more} more"), theme.style(Tone::Faint)));
    }
    lines::draw(slots, theme, area, frame);
}

fn slot_line(s: &Slot, tone: Tone, names: usize, theme: Theme, width: u16) -> Line<'static> {
    let shown = |text: &str| ServerText::from(text).head(16);
    let activity = match (s.active, s.inactive_s) {
        (true, _) => "active".to_owned(),
        (false, Some(since)) => format!("INACTIVE {}", Age(since).short()),
        (false, None) => "INACTIVE".to_owned(),
    };
    let mark = theme.mark(tone);
    let name = lines::padded(&s.name.head(40), names);
    let kind = shown(&s.kind);
    let text = if let Some(why) = s.invalid() {
        format!("{mark:<2} {name} INVALID: {}  {kind:<8}  {activity}{}", reason(why), database(s))
    } else {
        let status = s.wal_status.as_deref().map_or_else(|| "?".to_owned(), shown);
        let retained = s.retained.map_or_else(|| "?".to_owned(), |b| Bytes(b).short());
        let rest = if width >= 100 { format_rest(s) } else { String::new() };
        format!("{mark:<2} {name} {activity:<8} {retained:>7} kept  {status:<8}  {kind:<8}{rest}")
    };
    Line::styled(theme.plain(&text), theme.style(tone))
}

/// Why it is invalid, in a few words.
fn reason(why: Invalid<'_>) -> String {
    match why {
        Invalid::Wal => "WAL that it needs is gone".to_owned(),
        Invalid::Rows => "rows that it needs are gone".to_owned(),
        Invalid::WalLevel => "wal_level was too low".to_owned(),
        Invalid::Conflict => "rows are gone, or wal_level was too low".to_owned(),
        Invalid::Idle => "idle for too long".to_owned(),
        Invalid::Other(word) => ServerText::from(word).head(30),
    }
}

fn database(s: &Slot) -> String {
    s.database.as_ref().map_or_else(String::new, |d: &ServerText| format!("  in {}", d.head(20)))
}

fn format_rest(s: &Slot) -> String {
    #[expect(clippy::cast_precision_loss, reason = "an age in transactions, shown in three digits")]
    let age = |a: Option<i64>| a.map(|a| short_count(a as f64));
    let safe = s.safe.map_or_else(|| "no limit".to_owned(), |b| Bytes(b).short());
    let xmin = age(s.xmin_age).map_or_else(String::new, |a| format!("  xmin {a} back"));
    let catalog = age(s.catalog_xmin_age).map_or_else(String::new, |a| format!("  catalog_xmin {a} back"));
    format!("  safe {safe}{xmin}{catalog}{}", database(s))
}
