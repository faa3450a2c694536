//! 5 Tables: which database, what autovacuum does, running vacuums, the list, and the databases beside this one.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use super::lines::padded;
use super::part::Empty;
use super::theme::Theme;
use super::{lines, part, words};
use crate::app::App;
use crate::app::tab::tables::progress_percent;
use crate::model::relation::{RelationOrder, Relations};
use crate::model::unit::{Age, Bytes, short_count};
use crate::model::{ServerText, Tone, horizon};

/// Fewer dead rows than this are not worth a word.
const NOTABLE_DEAD: i64 = 1000;

/// Draws the tab.
pub fn draw(app: &App, theme: Theme, area: Rect, frame: &mut Frame) {
    let head = head(app, theme, area);
    let mut foot = databases(app, theme, area);
    // The databases beside this one take room that the list does not need, or a part of a large screen.
    let list = app.tables.len().saturating_add(head.len() + 2);
    if area.height < 24 && list + foot.len() > usize::from(area.height) {
        foot.clear();
    }
    let [top, body, bottom] = Layout::vertical([
        Constraint::Length(u16::try_from(head.len()).unwrap_or(1)),
        Constraint::Fill(1),
        Constraint::Length(u16::try_from(foot.len()).unwrap_or(0)),
    ])
    .areas(area);
    lines::draw(head, theme, top, frame);
    lines::draw(foot, theme, bottom, frame);
    let latest = &app.world().relations;
    let standing = words::standing(latest, words::slow_beat(app), app);
    let nothing = ("this database has no tables of its own".to_owned(), Tone::Faint);
    part::draw_list(&app.tables, Empty { standing, nothing, noun: "rows" }, theme, body, frame);
}

fn head(app: &App, theme: Theme, area: Rect) -> Vec<Line<'static>> {
    let most = usize::from(area.height / 3).max(1);
    let latest = &app.world().relations;
    let Some(relations) = latest.get() else { return part::headed(app, theme, area, Line::default()) };
    let mut lines = part::headed(app, theme, area, summary(app, relations, theme));
    if let Some((text, tone)) = words::standing(latest, words::slow_beat(app), app) {
        lines.push(Line::styled(theme.plain(&text), theme.style(tone)));
    }
    if relations.in_recovery {
        let text = "standby: dead rows and vacuum times are the primary's to know; sizes and ages are true here too";
        lines.push(Line::styled(text, theme.style(Tone::Notice)));
    }
    if let Some(text) = held_back(app, relations) {
        lines.push(Line::styled(theme.plain(&text), theme.style(Tone::Warning)));
    }
    if relations.not_estimable > 0 {
        let role = words::role(app);
        let grant = if app.world().server.get().is_some_and(|s| s.major() >= 14) {
            "pg_read_all_data"
        } else {
            "SELECT on them"
        };
        let text = format!(
            "{} no bloat estimate: GRANT {grant} TO {role}, or ANALYZE",
            words::verbed(usize::try_from(relations.not_estimable).unwrap_or(usize::MAX), "table", ("has", "have"))
        );
        lines.push(Line::styled(theme.plain(&text), theme.style(Tone::Notice)));
    }
    for v in &relations.vacuums {
        let own = app.running_job().and_then(|a| a.job.as_ref()).is_some_and(|j| j.pid == Some(v.pid));
        let who = match (own, v.auto) {
            (true, _) => "our VACUUM",
            (false, true) => "autovacuum",
            (false, false) => "VACUUM",
        };
        let table = app
            .tables
            .all()
            .iter()
            .find(|r| r.relation.oid == v.oid && r.database == v.database)
            .map_or_else(|| format!("oid {}", v.oid), crate::app::tab::tables::TableRow::full_name);
        let running = v.running_s.map_or_else(String::new, |s| format!(" {}", Age(s).short()));
        let wrap = if v.wraparound { " TO PREVENT WRAPAROUND" } else { "" };
        let passes = if v.index_passes > 1 { format!(", {} index passes", v.index_passes) } else { String::new() };
        let text = format!(
            "{who} {}{running} on {table} in {}: {} {} of {} blocks{passes}{wrap}",
            v.pid,
            v.database.head(24),
            ServerText::from(v.phase.as_str()).head(40),
            progress_percent(v),
            v.blocks
        );
        lines.push(Line::styled(theme.plain(&text), theme.style(if own { Tone::Good } else { Tone::Notice })));
    }
    if lines.len() > most {
        // What finds no room is counted rather than left out in silence.
        let kept = most.saturating_sub(1).max(1);
        let hidden = lines.len() - kept;
        lines.truncate(kept);
        if kept < most {
            lines.push(Line::styled(format!("and {hidden} more of such lines"), theme.style(Tone::Faint)));
        }
    }
    lines
}

/// Who holds back what a vacuum may remove, where a table waits for one.
fn held_back(app: &App, relations: &Relations) -> Option<String> {
    let due = relations.rows.iter().any(|r| r.dead >= NOTABLE_DEAD && r.vacuum_due() >= 1.0);
    let patience = app.triage.limits.patience();
    let (holder, _) = horizon::lasting(&relations.database, app.world(), &patience).filter(|_| due)?;
    let (name, how) = (holder.name(), holder.how(&relations.database));
    Some(format!("{name} ({how}) holds back what a vacuum may remove: dead rows newer than that stay"))
}

fn summary(app: &App, r: &Relations, theme: Theme) -> Line<'static> {
    let shown = i64::try_from(r.rows.len()).unwrap_or(i64::MAX);
    let count = if shown < r.total {
        format!("{shown} of {} tables, the first by {}", r.total, order_name(r.order))
    } else {
        format!("{} table{}", r.total, if r.total == 1 { "" } else { "s" })
    };
    let count =
        words::filtered(app, app.tables.len(), app.tables.total()).map_or(count.clone(), |f| format!("{f} · {count}"));
    let asked = app.database.as_ref().filter(|d| **d != r.database);
    let switching = asked.map_or_else(String::new, |d| format!(" · asking {}", d.head(24)));
    let workers = r.vacuums.iter().filter(|v| v.auto).count();
    let (vacuum, tone) = if r.autovacuum {
        (format!("autovacuum on, {workers} of {} workers seen", r.autovacuum_workers), Tone::Plain)
    } else {
        ("autovacuum is OFF".to_owned(), Tone::Critical)
    };
    Line::from(vec![
        Span::styled(format!("database {}", r.database.head(40)), theme.title()),
        Span::raw(theme.plain(&format!(" · {count}{switching} · "))),
        Span::styled(vacuum, theme.style(tone)),
    ])
}

fn order_name(order: RelationOrder) -> &'static str {
    match order {
        RelationOrder::Dead => "dead rows",
        RelationOrder::DeadRatio => "share of dead rows",
        RelationOrder::Size => "size",
        RelationOrder::Threshold => "distance to the autovacuum threshold",
        RelationOrder::FreezeAge => "freeze age",
        RelationOrder::Modified => "rows changed",
        RelationOrder::Scanned => "rows read by sequential scans",
        RelationOrder::Name => "name",
    }
}

fn databases(app: &App, theme: Theme, area: Rect) -> Vec<Line<'static>> {
    let Some(relations) = app.world().relations.get() else { return Vec::new() };
    if relations.databases.is_empty() {
        return Vec::new();
    }
    let key = app.key_of(crate::command::Command::SwitchDatabase);
    let mut lines = vec![Line::styled(
        theme.plain(&format!("databases ({key} switches; only {} was looked into)", relations.database.head(30))),
        theme.title(),
    )];
    let most = usize::from(area.height / 4).clamp(1, 6);
    for d in relations.databases.iter().take(most) {
        let here = if d.name == relations.database { "▸" } else { " " };
        let bytes = d.bytes.map_or_else(|| "no permission".to_owned(), |b| Bytes(b).short());
        #[expect(clippy::cast_precision_loss, reason = "counts, shown in three digits")]
        let text = format!(
            "{here} {} {bytes:>13}  {:>3} backends  xid age {:>4}  deadlocks {}  temp {}",
            padded(&d.name.head(63), if area.width < 100 { 12 } else { 24 }),
            d.backends,
            short_count(d.xid_age as f64),
            d.deadlocks,
            Bytes(d.temp_bytes).short(),
        );
        lines.push(Line::raw(theme.plain(&text)));
    }
    if relations.databases.len() > most {
        lines.push(Line::styled(format!("  and {} more", relations.databases.len() - most), theme.style(Tone::Faint)));
    }
    lines
}
