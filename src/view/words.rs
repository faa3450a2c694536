//! Sentences that several screens share: how old something is, and why there is no newer one.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::app::App;
use crate::model::unit::{Age, counted};
use crate::model::world::Link;
use crate::model::{Latest, ServerText, Timestamp, Tone, seconds_between};

/// A text with its tone.
pub type Said = (String, Tone);

/// What is to be said of a panel's freshness: nothing while it is fresh; else its age and the reason.
#[must_use]
pub fn freshness<T>(latest: &Latest<T>, expected_s: f64, app: &App) -> Option<Said> {
    let now = app.shown_now();
    let age = latest.age_s(now);
    if let Some((error, since)) = &latest.error {
        let since = Age(seconds_between(*since, now)).short();
        let error = ServerText::new(error.to_string()).escaped();
        return Some(match age {
            Some(age) => (format!("{} old: {error} (for {since})", Age(age).short()), Tone::Warning),
            None => (format!("{error} (for {since})"), Tone::Warning),
        });
    }
    match age {
        None => Some(("waiting for the first answer".to_owned(), Tone::Faint)),
        // Frozen on purpose: the first line says so.
        Some(_) if app.frozen_since().is_some() => None,
        Some(age) if age > late(expected_s).max(rested(latest)) => {
            Some((format!("{} old: no answer since", Age(age).short()), Tone::Warning))
        }
        Some(_) => None,
    }
}

/// From which age on, in seconds, an answer that is expected so often is late.
#[must_use]
pub fn late(expected_s: f64) -> f64 {
    expected_s * 3.0 + 2.0
}

/// The same where the last answer was so slow that it is asked more rarely.
#[must_use]
pub fn rested<T>(latest: &Latest<T>) -> f64 {
    latest.rest_s() * 1.5 + 2.0
}

/// What is to be said of the freshness of what is asked over the reads' connection: where that is lost, its last words are the reason.
#[must_use]
pub fn standing<T>(latest: &Latest<T>, expected_s: f64, app: &App) -> Option<Said> {
    let Some(words) = last_error(app.world().link.as_ref()) else { return freshness(latest, expected_s, app) };
    let text = match latest.age_s(app.shown_now()) {
        Some(age) => format!("✗ {} old: {words}", Age(age).short()),
        None => format!("✗ {words}"),
    };
    Some((text, Tone::Critical))
}

/// Seconds between answers to what is asked slower than the visible lists.
#[must_use]
pub fn slow_beat(app: &App) -> f64 {
    app.refresh.as_secs_f64().max(5.0)
}

/// `1 session is`, `37 sessions are`.
#[must_use]
pub fn are(count: usize, one: &str) -> String {
    verbed(count, one, ("is", "are"))
}

/// `1 session reports`, `37 sessions report`.
#[must_use]
pub fn verbed(count: usize, one: &str, (of_one, of_many): (&str, &str)) -> String {
    format!("{} {}", counted(count, one), if count == 1 { of_one } else { of_many })
}

/// What hides rows without a sign in the list itself: the filter, in front of a line of totals.
#[must_use]
pub fn filtered(app: &App, passed: usize, of: usize) -> Option<String> {
    let text = ServerText::from(app.filter_text()).escaped();
    (!text.is_empty()).then(|| format!("filter {text}: {passed} of {of}"))
}

/// Our role's name in a statement that one may copy: quoted where it must be.
#[must_use]
pub fn role(app: &App) -> String {
    let role = app.world().server.get().map(|server| &server.user);
    role.map_or_else(|| "our_role".to_owned(), crate::guard::role_name)
}

/// The state of the connection in a few words; with the place where it is not named beside them.
#[must_use]
pub fn link(link: Option<&Link>, now: Timestamp, named: bool) -> Said {
    match link {
        None => ("starting".to_owned(), Tone::Faint),
        Some(Link::Up(facts)) => (facts.place.clone(), Tone::Good),
        Some(Link::Connecting { place, since, attempt, last_error, retry_at }) => {
            let waited = Age(seconds_between(*since, now)).short();
            let place = ServerText::from(place.as_str()).head(60);
            let to = if named { format!(" to {place}") } else { String::new() };
            match (last_error, retry_at) {
                (Some(_), Some(at)) if *at > now => {
                    let left = seconds_between(now, *at).ceil();
                    (format!("✗ no connection{to} for {waited}, try {attempt} in {left:.0}s"), Tone::Critical)
                }
                (Some(_), _) => (format!("✗ no connection{to} for {waited}, try {attempt}"), Tone::Critical),
                (None, _) => (format!("connecting to {place}, {waited}"), Tone::Notice),
            }
        }
    }
}

/// The server's last words, where there is no connection.
#[must_use]
pub fn last_error(link: Option<&Link>) -> Option<String> {
    match link {
        Some(Link::Connecting { last_error, .. }) => last_error.as_deref().map(|e| ServerText::from(e).escaped()),
        Some(Link::Up(_)) | None => None,
    }
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

/// Hour and minute of a time in seconds since the epoch, for an axis; the zone is the one that the first line shows.
#[must_use]
pub fn minute_of_day(epoch_s: f64, local: bool) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "a time of the axis, in whole seconds")]
    let Ok(at) = Timestamp::from_second(epoch_s as i64) else { return String::new() };
    if local {
        at.to_zoned_datetime(jiff::tz::TimeZone::system()).strftime("%H:%M").to_string()
    } else {
        at.strftime("%H:%M").to_string()
    }
}

/// At most `most` cells, the last one `…` where it was cut.
#[must_use]
pub fn shortened(text: &str, most: usize) -> String {
    if text.width() <= most {
        return text.to_owned();
    }
    let mut used = 0;
    let fits = |c: &char| {
        used += c.width().unwrap_or(0);
        used < most
    };
    let mut out: String = text.chars().take_while(fits).collect();
    out.push('…');
    out
}
