//! What a dependency's answer comes to, against what was expected of it.
//!
//! Bytes come in as they were heard; its words stay raw.

use serde::{Deserialize, Serialize};

use super::State;
use crate::model::text::ServerText;

/// Characters that are kept of what it said.
const MOST_CHARACTERS: usize = 200;

/// What a dependency answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contact {
    /// How it is.
    pub state: State,
    /// What it said.
    pub said: ServerText,
    /// From dialling to the answer, in milliseconds.
    pub took_ms: f64,
}

impl Contact {
    /// An answer over HTTP of which a status or a text was expected; without a status any success will do.
    #[must_use]
    pub fn expected((status, body): (u16, &[u8]), (wanted, text): (Option<u16>, Option<&str>), took_ms: f64) -> Self {
        let fits = wanted.map_or((200..300).contains(&status), |wanted| wanted == status);
        let missing = text.filter(|text| !body.windows(text.len()).any(|window| window == text.as_bytes()));
        let said = match (fits, wanted, missing) {
            (false, Some(wanted), _) => format!("answers {status}, not {wanted}: {}", head(body)),
            (false, None, _) => format!("answers {status}: {}", head(body)),
            (true, _, Some(text)) => format!("answers {status} without `{text}`: {}", head(body)),
            (true, _, None) => format!("answers {status}"),
        };
        let state = if fits && missing.is_none() { State::Ok } else { State::Failing };
        Self { state, said: ServerText::new(said.trim_end_matches(": ")), took_ms }
    }

    /// What was heard over TCP, and what was expected and is missing.
    #[must_use]
    pub fn exchanged(heard: &[u8], missing: Option<&str>, took_ms: f64) -> Self {
        let words = head(heard);
        let (state, said) = match missing {
            Some(text) if words.is_empty() => (State::Failing, format!("hung up without `{text}`")),
            Some(text) => (State::Failing, format!("says `{words}`, not `{text}`")),
            None if words.is_empty() => (State::Ok, "takes connections".to_owned()),
            None => (State::Ok, words),
        };
        Self { state, said: ServerText::new(said), took_ms }
    }
}

fn head(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().chars().take(MOST_CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_and_text_decide_where_they_are_expected() {
        let table = [
            (200, "all fine", None, Some("fine"), State::Ok, "answers 200"),
            (204, "", Some(204), None, State::Ok, "answers 204"),
            (200, "", Some(204), None, State::Failing, "answers 200, not 204"),
            (503, "overloaded", Some(200), Some("ok"), State::Failing, "answers 503, not 200: overloaded"),
            (200, "maintenance", None, Some("ok"), State::Failing, "answers 200 without `ok`: maintenance"),
            (301, "", Some(301), None, State::Ok, "answers 301"),
            (301, "", None, Some("ok"), State::Failing, "answers 301"),
            (401, "sign in", Some(401), None, State::Ok, "answers 401"),
        ];
        for (status, body, wanted, text, state, said) in table {
            let contact = Contact::expected((status, body.as_bytes()), (wanted, text), 1.0);
            assert_eq!((contact.state, contact.said.raw()), (state, said));
        }
    }

    #[test]
    fn over_tcp_what_is_missing_is_named_beside_what_came() {
        let table: [(&[u8], Option<&str>, State, &str); 5] = [
            (b"+PONG\r\n", None, State::Ok, "+PONG"),
            (b"", None, State::Ok, "takes connections"),
            (b"-NOAUTH required\r\n", Some("+PONG"), State::Failing, "says `-NOAUTH required`, not `+PONG`"),
            (b"", Some("+PONG"), State::Failing, "hung up without `+PONG`"),
            (b"\xff\x1b[2J", Some("x"), State::Failing, "says `\u{fffd}\u{1b}[2J`, not `x`"),
        ];
        for (heard, missing, state, said) in table {
            let contact = Contact::exchanged(heard, missing, 1.0);
            assert_eq!((contact.state, contact.said.raw()), (state, said));
        }
    }
}
