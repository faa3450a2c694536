//! The vitals: a sparkline of the last half hour and the newest figure of each, in as many lines as they need.
//!
//! What has no figure says why in a word: an empty line is no zero.

use ratatui::text::{Line, Span};

use super::super::theme::Theme;
use crate::app::App;
use crate::app::tab::panels::glance;
use crate::diagnose::history::{Beat, SPAN_S};
use crate::model::panel::Reading;
use crate::model::unit::{Age, short_count};
use crate::model::world::Link;
use crate::model::{Timestamp, Tone, seconds_between};

/// Panels among the vitals, with their short names.
const PANELS: [(&str, &str); 4] =
    [("p95", "p95"), ("error-ratio", "err"), ("throughput", "req/s"), ("cache-hit-ratio", "cache")];

/// Seconds after which the transactions a second are none of now: three looks at the slowest pace, and some.
const STALE_S: f64 = 50.0;

/// Heights of a sparkline, the lowest first.
const BLOCKS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// The same in ASCII.
const ASCII: [&str; 8] = ["_", ".", "-", "=", "+", "*", "#", "@"];

/// One vital sign.
struct Vital {
    name: &'static str,
    spark: String,
    text: String,
    tone: Tone,
}

impl Vital {
    fn spans(&self, theme: Theme) -> Vec<Span<'static>> {
        let gap = if self.spark.trim().is_empty() { "" } else { " " };
        let spark = if gap.is_empty() { "" } else { self.spark.as_str() };
        vec![
            Span::styled(format!("{} ", self.name), theme.style(Tone::Faint)),
            // Blocks are no text of a server, and have their ASCII form already.
            Span::styled(format!("{spark}{gap}"), theme.style(Tone::Plain)),
            Span::styled(theme.plain(&self.text), theme.style(self.tone)),
        ]
    }
}

/// The vitals in lines of that width.
pub fn lines(app: &App, theme: Theme, width: u16) -> Vec<Line<'static>> {
    let cells = match width {
        140.. => 12,
        100.. => 8,
        60.. => 6,
        _ => 0,
    };
    let mut out: Vec<Line<'static>> = Vec::new();
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut used = 0;
    for vital in all(app, theme, cells) {
        let parts = vital.spans(theme);
        let wide: usize = parts.iter().map(Span::width).sum();
        if used > 0 && used + 3 + wide > usize::from(width) {
            out.push(Line::from(std::mem::take(&mut spans)));
            used = 0;
        }
        if used > 0 {
            spans.push(Span::raw("   "));
            used += 3;
        }
        used += wide;
        spans.extend(parts);
    }
    if !spans.is_empty() {
        out.push(Line::from(spans));
    }
    out
}

fn all(app: &App, theme: Theme, cells: usize) -> Vec<Vital> {
    let mut vitals = sessions(app, theme, cells);
    vitals.extend(transactions(app, theme, cells));
    if app.setup.prometheus.is_some() {
        vitals.splice(0..0, PANELS.iter().filter_map(|(id, name)| panel(app, theme, (id, name), cells)));
    }
    vitals
}

fn panel(app: &App, theme: Theme, (id, name): (&str, &'static str), cells: usize) -> Option<Vital> {
    let spec = app.setup.panels.iter().find(|p| p.id == id)?;
    let latest = app.world().panels.get(id);
    let glance = glance(spec, latest);
    let mut values = vec![None; cells];
    if let Some(answer) = latest.and_then(|l| l.get())
        && let Reading::Values { series, .. } = &answer.reading
    {
        let worse = |a: f64, b: f64| if spec.low_is_bad { a.min(b) } else { a.max(b) };
        for (t, value) in series.iter().flat_map(|s| &s.points) {
            if let (Some(place), Some(v)) = (cell((answer.end - t) / SPAN_S, cells), value)
                && let Some(slot) = values.get_mut(place)
            {
                *slot = Some(slot.map_or(*v, |had| worse(had, *v)));
            }
        }
    }
    Some(Vital { name, spark: spark(&values, theme), text: glance.text, tone: glance.tone })
}

/// What is counted in the sessions themselves.
fn sessions(app: &App, theme: Theme, cells: usize) -> Vec<Vital> {
    let now = app.shown_now();
    let newest = app.triage.history.beats().rfind(|(at, _)| *at <= now);
    let of = |count: fn(&Beat) -> usize| {
        let mut values: Vec<Option<f64>> = vec![None; cells];
        for (at, beat) in app.triage.history.beats().filter(|(at, _)| *at <= now) {
            if let Some(slot) = cell(seconds_between(*at, now) / SPAN_S, cells).and_then(|c| values.get_mut(c)) {
                #[expect(clippy::cast_precision_loss, reason = "a count of sessions")]
                let count = count(beat) as f64;
                *slot = Some(slot.map_or(count, |had: f64| had.max(count)));
            }
        }
        spark(&values, theme)
    };
    let Some((seen, beat)) = newest else {
        return vec![Vital {
            name: "sessions",
            spark: String::new(),
            text: "no answer yet".to_owned(),
            tone: Tone::Faint,
        }];
    };
    let max = app.world().server.get().map_or_else(String::new, |s| format!("/{}", s.ordinary_slots()));
    let waits = if beat.waits.is_empty() {
        "none".to_owned()
    } else {
        let first = beat.waits.iter().take(3);
        first
            .map(|(class, count)| format!("{} {count}", crate::model::ServerText::from(class.as_str()).head(12)))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let locked = if beat.locked > 0 { Tone::Warning } else { Tone::Plain };
    let lost = app.world().sessions.error.is_some() || !is_up(app);
    // As they were before the server went.
    let vital = |name, spark, text: String, tone| {
        let (text, tone) = if lost { (ago(&text, *seen, now), Tone::Faint) } else { (text, tone) };
        Vital { name, spark, text, tone }
    };
    vec![
        vital("active", of(|b| b.active), beat.active.to_string(), Tone::Plain),
        vital("connections", of(|b| b.clients), format!("{}{max}", beat.clients), Tone::Plain),
        vital("waits", of(|b| b.waits.iter().map(|w| w.1).sum()), waits, locked),
    ]
}

/// True while the connection stands.
fn is_up(app: &App) -> bool {
    matches!(app.world().link, Some(Link::Up(_)))
}

/// A figure that is none of now.
fn ago(text: &str, seen: Timestamp, now: Timestamp) -> String {
    format!("{text} {} ago", Age(seconds_between(seen, now)).short())
}

/// Transactions a second, of all databases; a look alone gives none.
fn transactions(app: &App, theme: Theme, cells: usize) -> Option<Vital> {
    let now = app.shown_now();
    let latest = &app.world().activity;
    let (_, seen) = latest.value.as_ref()?;
    let mut values: Vec<Option<f64>> = vec![None; cells];
    let mut newest = None;
    for (at, delta) in app.triage.history.deltas().filter(|(at, _)| *at <= now) {
        let Some(tps) = delta.tps() else { continue };
        newest = Some((*at, tps));
        if let Some(slot) = cell(seconds_between(*at, now) / SPAN_S, cells).and_then(|c| values.get_mut(c)) {
            *slot = Some(slot.map_or(tps, |had: f64| had.max(tps)));
        }
    }
    let (text, tone) = match newest.filter(|(at, _)| at >= seen) {
        Some((at, tps)) if latest.error.is_none() && is_up(app) && seconds_between(at, now) < STALE_S => {
            (short_count(tps), Tone::Plain)
        }
        Some((at, tps)) => (ago(&short_count(tps), at, now), Tone::Faint),
        None => ("one look so far".to_owned(), Tone::Faint),
    };
    Some(Vital { name: "tps", spark: spark(&values, theme), text, tone })
}

/// The cell of a point that is so old, as a share of the span; the newest is at the right.
#[expect(clippy::cast_precision_loss, reason = "a few cells")]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between nought and the number of cells")]
fn cell(age: f64, cells: usize) -> Option<usize> {
    if cells == 0 || !(0.0..1.0).contains(&age) {
        return None;
    }
    Some(((1.0 - age) * cells as f64).ceil() as usize - 1)
}

/// Values as heights over nought; what is not known stays empty.
fn spark(values: &[Option<f64>], theme: Theme) -> String {
    let glyphs = if theme.is_ascii() { &ASCII } else { &BLOCKS };
    let top = values.iter().flatten().copied().filter(|v| v.is_finite()).fold(0.0_f64, f64::max);
    let glyph = |value: &Option<f64>| {
        let Some(v) = value.filter(|v| v.is_finite()) else { return " " };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from nought to seven")]
        let height = if top > 0.0 { (v.max(0.0) / top * 7.0).round() as usize } else { 0 };
        glyphs.get(height).copied().unwrap_or(" ")
    };
    values.iter().map(glyph).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Display;

    #[test]
    fn a_sparkline_is_scaled_from_nought_and_leaves_what_is_not_known_empty() {
        let theme = |ascii| Theme::of(Display { colour: false, ascii });
        let values = [None, Some(0.0), Some(50.0), Some(100.0), Some(f64::NAN)];
        assert_eq!(spark(&values, theme(false)), " ▁▅█ ");
        assert_eq!(spark(&values, theme(true)), " _+@ ");
        assert_eq!(spark(&[Some(0.0); 3], theme(false)), "▁▁▁");
    }

    #[test]
    fn the_newest_point_is_in_the_last_cell_and_what_is_older_than_the_span_in_none() {
        assert_eq!(cell(0.0, 12), Some(11));
        assert_eq!(cell(0.5, 12), Some(5));
        assert_eq!(cell(0.999, 12), Some(0));
        assert_eq!(cell(1.0, 12), None);
        assert_eq!(cell(-0.1, 12), None);
        assert_eq!(cell(0.5, 0), None);
    }
}
