//! Sentences that several screens share: how old something is, and why there is no newer one.

use ratatui::text::Line;

use super::theme::Theme;
use crate::app::App;
use crate::model::unit::Age;
use crate::model::world::Link;
use crate::model::{Latest, ProbeError, ServerText, Timestamp, Tone, seconds_between};

/// A text with its tone.
pub type Said = (String, Tone);

/// What is to be said of a panel's freshness: nothing while it is fresh; else its age and the reason.
#[must_use]
pub fn freshness<T>(latest: &Latest<T>, expected_s: f64, app: &App) -> Option<Said> {
    let now = app.shown_now();
    let age = latest.age_s(now);
    if let Some((ProbeError::Unreachable(_), _)) = &latest.error
        && last_error(app.world().link.as_ref()).is_some()
    {
        // The reason stands above already, once for the whole screen.
        return Some(match age {
            Some(age) => (format!("{} old: not connected", Age(age).short()), Tone::Warning),
            None => ("not connected".to_owned(), Tone::Warning),
        });
    }
    if let Some((error, since)) = &latest.error {
        let since = Age(seconds_between(*since, now)).short();
        return Some(match age {
            Some(age) => (safe(&format!("{} old: {error} (for {since})", Age(age).short())), Tone::Warning),
            None => (safe(&format!("{error} (for {since})")), Tone::Warning),
        });
    }
    match age {
        None => Some(("waiting for the first answer".to_owned(), Tone::Faint)),
        // Frozen on purpose: the first line says so.
        Some(_) if app.frozen_since().is_some() => None,
        Some(age) if age > expected_s * 3.0 + 2.0 => {
            Some((format!("{} old: no answer since", Age(age).short()), Tone::Warning))
        }
        Some(_) => None,
    }
}

/// The state of the connection in a few words, the same wherever it is shown.
#[must_use]
pub fn link(link: Option<&Link>, now: Timestamp) -> Said {
    match link {
        None => ("starting".to_owned(), Tone::Faint),
        Some(Link::Up(facts)) => (facts.place.clone(), Tone::Good),
        Some(Link::Connecting { place, since, attempt, last_error, retry_at }) => {
            let waited = Age(seconds_between(*since, now)).short();
            match (last_error, retry_at) {
                (Some(_), Some(at)) if *at > now => {
                    let left = seconds_between(now, *at).ceil();
                    (format!("✗ no connection to {place} for {waited}, try {attempt} in {left:.0}s"), Tone::Critical)
                }
                (Some(_), _) => (format!("✗ no connection to {place} for {waited}, try {attempt}"), Tone::Critical),
                (None, _) => (format!("connecting to {place}, {waited}"), Tone::Notice),
            }
        }
    }
}

/// The server's last words, where there is no connection.
#[must_use]
pub fn last_error(link: Option<&Link>) -> Option<String> {
    match link {
        Some(Link::Connecting { last_error, .. }) => last_error.as_deref().map(safe),
        Some(Link::Up(_)) | None => None,
    }
}

/// The same as lines for the head of a tab, whole: the end of a refusal is where its reason stands.
#[must_use]
pub fn refusal(app: &App, theme: Theme, width: u16) -> Vec<Line<'static>> {
    let Some(words) = last_error(app.world().link.as_ref()) else { return Vec::new() };
    let folded = folded(&format!("✗ {words}"), usize::from(width));
    folded.into_iter().map(|line| Line::styled(theme.plain(&line), theme.style(Tone::Critical))).collect()
}

/// Words that a server may have a part in, safe to draw.
#[must_use]
pub fn safe(text: &str) -> String {
    ServerText::from(text).escaped()
}

/// A time of day: UTC with a `Z`, or local time with its offset.
#[must_use]
pub fn time_of_day(at: Timestamp, local: bool) -> String {
    if local {
        at.to_zoned_datetime(jiff::tz::TimeZone::system()).strftime("%H:%M:%S%:z").to_string()
    } else {
        at.strftime("%H:%M:%SZ").to_string()
    }
}

/// At most `most` characters, the last one `…` where it was cut.
#[must_use]
pub fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(most.saturating_sub(1)).collect();
    out.push('…');
    out
}

/// Breaks a text into lines of at most `width` characters, at blanks where there are some.
#[must_use]
pub fn folded(text: &str, width: usize) -> Vec<String> {
    let width = width.max(8);
    let mut out = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let mut word: Vec<char> = word.chars().collect();
        if !line.is_empty() && line.chars().count() + 1 + word.len() > width {
            out.push(std::mem::take(&mut line));
        }
        while word.len() > width {
            let rest = word.split_off(width);
            out.push(word.into_iter().collect());
            word = rest;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.extend(word);
    }
    out.push(line);
    out
}
