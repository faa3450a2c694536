//! Owns the reading of `postgresql://user:password@host:port,host:port/database?key=value`.
//!
//! It must not judge the values: it splits and percent-decodes as libpq's `conninfo_uri_parse` does, with the same refusals.

use super::conninfo::ConninfoError;
use super::keyword::keyword;
use super::params::Params;

/// The text after the scheme, if the text is a URI at all.
pub fn without_scheme(text: &str) -> Option<&str> {
    text.strip_prefix("postgresql://").or_else(|| text.strip_prefix("postgres://"))
}

/// Reads a URI.
///
/// # Errors
/// libpq's refusals: brackets, percent escapes, parameters without `=` or with two, unknown parameters.
pub fn read(uri: &str) -> Result<Params, ConninfoError> {
    let mut params = Params::default();
    let rest = without_scheme(uri).unwrap_or(uri);
    let rest = credentials(rest, &mut params)?;
    let rest = hosts(rest, uri, &mut params)?;
    // What follows is "", "/database", "?parameters" or both.
    let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
    store(&mut params, "dbname", path.strip_prefix('/').unwrap_or(path))?;
    if let Some(query) = query {
        parameters(query, &mut params)?;
    }
    Ok(params)
}

/// `user:password@`, present when an `@` comes before the first `/`.
fn credentials<'a>(text: &'a str, params: &mut Params) -> Result<&'a str, ConninfoError> {
    let Some(at) = text.find(['@', '/']).and_then(|at| text.split_at_checked(at)) else { return Ok(text) };
    let (who, rest) = at;
    let Some(rest) = rest.strip_prefix('@') else { return Ok(text) };
    let (user, password) = who.split_once(':').unwrap_or((who, ""));
    store(params, "user", user)?;
    store(params, "password", password)?;
    Ok(rest)
}

/// `host:port,[::1]:port`; the lists go into `host` and `port` with their commas.
fn hosts<'a>(text: &'a str, uri: &str, params: &mut Params) -> Result<&'a str, ConninfoError> {
    let (mut names, mut ports) = (String::new(), String::new());
    let mut rest = text;
    loop {
        if let Some(bracketed) = rest.strip_prefix('[') {
            let (address, after) =
                bracketed.split_once(']').ok_or_else(|| ConninfoError::OpenBracket(uri.to_owned()))?;
            if address.is_empty() {
                return Err(ConninfoError::EmptyBracket(uri.to_owned()));
            }
            if let Some(stray) = after.chars().next().filter(|c| !":/?,".contains(*c)) {
                let position = uri.len() - after.len() + 1;
                return Err(ConninfoError::StrayCharacter { stray, position, uri: uri.to_owned() });
            }
            names.push_str(address);
            rest = after;
        } else {
            let (name, after) = split_before(rest, &[':', '/', '?', ',']);
            names.push_str(name);
            rest = after;
        }
        if let Some(after) = rest.strip_prefix(':') {
            let (port, after) = split_before(after, &['/', '?', ',']);
            ports.push_str(port);
            rest = after;
        }
        let Some(after) = rest.strip_prefix(',') else { break };
        names.push(',');
        ports.push(',');
        rest = after;
    }
    store(params, "host", &names)?;
    store(params, "port", &ports)?;
    Ok(rest)
}

fn split_before<'a>(text: &'a str, stops: &[char]) -> (&'a str, &'a str) {
    text.find(stops).and_then(|at| text.split_at_checked(at)).unwrap_or((text, ""))
}

fn parameters(query: &str, params: &mut Params) -> Result<(), ConninfoError> {
    for pair in query.split('&').filter(|pair| !(pair.is_empty() && query.is_empty())) {
        let (name, value) = pair.split_once('=').ok_or_else(|| ConninfoError::MissingSeparator(pair.to_owned()))?;
        if value.contains('=') {
            return Err(ConninfoError::ExtraSeparator(name.to_owned()));
        }
        let (mut name, mut value) = (decode(name)?, decode(value)?);
        // libpq's concession to JDBC's spelling.
        if name == "ssl" && value == "true" {
            (name, value) = ("sslmode".to_owned(), "require".to_owned());
        }
        if keyword(&name).is_none() && name != "requiressl" {
            return Err(ConninfoError::UnknownParameter(name));
        }
        params.set(&name, value)?;
    }
    Ok(())
}

fn store(params: &mut Params, name: &str, raw: &str) -> Result<(), ConninfoError> {
    if raw.is_empty() { Ok(()) } else { params.set(name, decode(raw)?) }
}

/// Percent-decoding; a `+` stays a `+`.
fn decode(text: &str) -> Result<String, ConninfoError> {
    let invalid = || ConninfoError::InvalidEscape(text.to_owned());
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|b| char::from(b).to_digit(16)).and_then(|d| u8::try_from(d).ok());
        let (high, low) = (digit().ok_or_else(invalid)?, digit().ok_or_else(invalid)?);
        match high * 16 + low {
            0 => return Err(ConninfoError::ZeroByte(text.to_owned())),
            decoded => bytes.push(decoded),
        }
    }
    String::from_utf8(bytes).map_err(|_| invalid())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(uri: &str) -> String {
        let params = read(uri).unwrap_or_else(|e| panic!("{uri}: {e}"));
        params.iter().map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn each_part_may_be_absent() {
        assert_eq!(pairs("postgresql://"), "");
        assert_eq!(pairs("postgresql://h"), "host=h");
        assert_eq!(pairs("postgres://h:5433"), "host=h port=5433");
        assert_eq!(pairs("postgresql:///db"), "dbname=db");
        assert_eq!(pairs("postgresql://u@h/db"), "dbname=db host=h user=u");
        assert_eq!(pairs("postgresql://u:p@"), "password=p user=u");
        assert_eq!(pairs("postgresql://h/?sslmode=require"), "host=h sslmode=require");
        assert_eq!(pairs("postgresql://h?user=x"), "host=h user=x");
    }

    #[test]
    fn lists_ipv6_and_sockets_are_understood() {
        assert_eq!(pairs("postgresql://a:1,b,[::1]:3/d"), "dbname=d host=a,b,::1 port=1,,3");
        assert_eq!(pairs("postgresql://%2Fvar%2Frun/db"), "dbname=db host=/var/run");
        assert_eq!(pairs("postgresql:///db?host=/tmp&port=9"), "dbname=db host=/tmp port=9");
    }

    #[test]
    fn escapes_are_decoded_and_a_plus_is_a_plus() {
        assert_eq!(pairs("postgresql://a%40b:p%3Aq+@h/d%20x"), "dbname=d x host=h password=p:q+ user=a@b");
        assert_eq!(pairs("postgresql://h/d?ssl=true"), "dbname=d host=h sslmode=require");
    }

    #[test]
    fn refusals_are_those_of_libpq() {
        let refusal = |uri: &str| read(uri).expect_err("refused").to_string();
        assert_eq!(
            refusal("postgresql://[::1/db"),
            r#"end of string reached when looking for matching "]" in IPv6 host address in URI: "postgresql://[::1/db""#
        );
        assert_eq!(refusal("postgresql://h/?a"), r#"missing key/value separator "=" in URI query parameter: "a""#);
        assert_eq!(
            refusal("postgresql://h/?user=a=b"),
            r#"extra key/value separator "=" in URI query parameter: "user""#
        );
        assert_eq!(refusal("postgresql://h/?zzz=1"), r#"invalid URI query parameter: "zzz""#);
        assert_eq!(refusal("postgresql://%zz/"), r#"invalid percent-encoded token: "%zz""#);
        assert_eq!(refusal("postgresql://a%00/"), r#"forbidden value %00 in percent-encoded value: "a%00""#);
    }
}
