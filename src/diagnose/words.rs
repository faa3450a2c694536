//! How sessions, tables and counts are called in a finding's sentences. What goes in is raw; what comes out can be drawn.

use crate::model::ServerText;
use crate::model::relation::Relation;
use crate::model::session::{Session, SessionKey, State};
use crate::model::unit::Age;
pub use crate::model::unit::counted;

/// Characters of a statement that a line of evidence needs.
const HEAD: usize = 160;

/// `shop@shop from 10.0.3.9 app=worker`, as far as it is known.
pub fn who(s: &Session) -> String {
    let name = |text: Option<&ServerText>| text.filter(|t| !t.is_empty()).map(|t| t.head(24));
    let mut out = match (name(s.user.as_ref()), name(s.database.as_ref())) {
        (Some(user), Some(database)) => format!("{user}@{database}"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => {
            s.backend_type.as_deref().map_or_else(|| "unknown".to_owned(), |b| ServerText::from(b).head(30))
        }
    };
    if let Some(client) = &s.client {
        out = format!("{out} from {client}");
    }
    if !s.application.is_empty() {
        out = format!("{out} app={}", s.application.head(24));
    }
    out
}

/// `last: UPDATE orders …` for a session that does nothing now, `runs: …` for one that works; nothing where the server
/// hides it.
pub fn statement(s: &Session) -> String {
    if s.hidden || s.query.is_empty() {
        return String::new();
    }
    let verb = if s.is_active() { "runs" } else { "last" };
    format!(" · {verb}: {}", s.query.head(HEAD))
}

/// For how long a client that holds a transaction open has been silent: its state says, and without that the transaction.
pub fn silent_s(s: &Session) -> Option<f64> {
    s.state_s.or(s.xact_s)
}

/// `idle in transaction 12m`, `active 40s`: the state and how long it lasts. A transaction that is open for much longer
/// than its client is silent works, statement after statement, and says so.
pub fn doing(s: &Session) -> String {
    let age = |seconds: Option<f64>| seconds.map_or_else(String::new, |s| format!(" {}", Age(s).short()));
    match s.state {
        Some(state @ (State::IdleInTransaction | State::IdleInTransactionAborted)) => {
            let works = s.xact_s.zip(silent_s(s)).filter(|(open, silent)| *open > silent * 2.0);
            let open = works.map_or_else(String::new, |(open, _)| format!(" (open for {})", Age(open).short()));
            format!("{}{}{open}", state.word(), age(silent_s(s)))
        }
        Some(state) => format!("{}{}", state.word(), age(s.query_s)),
        None if s.hidden => "(state hidden)".to_owned(),
        None => s.backend_type.as_deref().map_or_else(String::new, |b| ServerText::from(b).head(30)),
    }
}

/// The identity of a session as a finding's subject.
pub fn subject(key: &SessionKey) -> String {
    format!("{} {}", key.pid, key.backend_start.as_deref().unwrap_or_default())
}

/// `orders`, `audit.events`, `TOAST of orders`.
pub fn relation(r: &Relation) -> String {
    match &r.toast_of {
        Some(of) => format!("TOAST of {}", of.head(60)),
        None if r.schema.raw() == "public" => r.name.head(60),
        None => format!("{}.{}", r.schema.head(40), r.name.head(60)),
    }
}

/// A literal of SQL: quotes doubled, and an `E''` string where there is a backslash.
pub fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if quoted.contains('\\') { format!("E'{}'", quoted.replace('\\', "\\\\")) } else { format!("'{quoted}'") }
}

/// A share in whole percent.
pub fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// A moment so many seconds before `at`.
pub fn before(at: crate::model::Timestamp, seconds: Option<f64>) -> Option<crate::model::Timestamp> {
    let seconds = seconds.filter(|s| s.is_finite() && *s >= 0.0)?;
    at.checked_sub(jiff::SignedDuration::try_from_secs_f64(seconds).ok()?).ok()
}

/// A count as a figure.
#[expect(clippy::cast_precision_loss, reason = "counts, to be compared and shown in short")]
pub fn figure(count: usize) -> f64 {
    count as f64
}

/// A whole number as a figure.
#[expect(clippy::cast_precision_loss, reason = "bytes and counts, to be compared and shown in short")]
pub fn of_i64(count: i64) -> f64 {
    count as f64
}

/// A figure of bytes.
#[expect(clippy::cast_possible_truncation, reason = "bytes beyond 2^63 saturate")]
pub fn bytes(figure: f64) -> String {
    crate::model::unit::Bytes(figure as i64).short()
}

/// A name as SQL writes it, escaped: quoted where it must be.
pub fn identifier(name: &ServerText) -> String {
    let raw = name.raw();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if raw.chars().all(plain) && raw.starts_with(|c: char| c.is_ascii_lowercase() || c == '_') {
        raw.to_owned()
    } else {
        ServerText::new(quoted(raw)).escaped()
    }
}

/// A name as SQL takes it, raw and quoted: for the clipboard.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
