//! Bytes of unknown encoding, as a statement sends them with `encode(…, 'escape')`, made into text here.
//!
//! It guesses an encoding where none is told, and says nothing of that.

/// The bytes behind PostgreSQL's `escape` format: `\\` for a backslash, `\ooo` for a zero or a byte above 127.
#[must_use]
pub fn unescaped(escaped: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(escaped.len());
    let mut rest = escaped.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        match rest.next() {
            Some(first @ b'0'..=b'3') => {
                let [second, third] = [rest.next(), rest.next()].map(|d| d.unwrap_or(b'0').wrapping_sub(b'0') & 7);
                bytes.push((first - b'0') << 6 | second << 3 | third);
            }
            Some(other) => bytes.push(other),
            None => {}
        }
    }
    bytes
}

/// Text of unknown encoding: UTF-8 where it is that, but for a last character that was cut; else each byte as in LATIN1,
/// the encoding of most other databases, which loses nothing and makes Western texts readable.
#[must_use]
pub fn decoded(bytes: Vec<u8>) -> String {
    let error = match String::from_utf8(bytes) {
        Ok(text) => return text,
        Err(error) => error,
    };
    let valid = error.utf8_error().valid_up_to();
    // A text cut at track_activity_query_size or by our own limit may end in the middle of a character; a LATIN1 text may
    // end in an accented letter, but then hardly has another letter of two bytes before it.
    let cut = error.utf8_error().error_len().is_none();
    let mut bytes = error.into_bytes();
    let others = bytes.iter().take(valid).any(|b| !b.is_ascii());
    if cut && (others || valid + 1 < bytes.len()) {
        bytes.truncate(valid);
        return String::from_utf8(bytes).unwrap_or_default();
    }
    bytes.into_iter().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_bytes_come_back_as_they_were() {
        assert_eq!(unescaped("a\\\\n\\351\\000"), b"a\\n\xe9\0");
        assert_eq!(unescaped("\\"), b"");
    }

    #[test]
    fn a_text_is_utf8_where_it_can_be_and_latin1_otherwise() {
        assert_eq!(decoded("caf\u{e9} 漢".into()), "caf\u{e9} 漢");
        assert_eq!(decoded(b"caf\xe9 x".to_vec()), "caf\u{e9} x");
        assert_eq!(decoded(b"caf\xe9".to_vec()), "caf\u{e9}", "a LATIN1 text may end so");
    }

    #[test]
    fn a_character_that_was_cut_does_not_spoil_the_text() {
        assert_eq!(decoded(b"caf\xc3\xa9 \xe6".to_vec()), "caf\u{e9} ");
        assert_eq!(decoded(b"plain \xe6\xbc".to_vec()), "plain ");
    }
}
