//! Owns the list of libpq's connection keywords: name, environment variable, and what pgtriage makes of it.
//!
//! It must not read anything: it is a table, and every parser, the environment and the service file look a name up here.

/// What pgtriage does with a keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// It means what it means to libpq.
    Honoured,
    /// It is accepted and changes nothing here, because it has no bearing on this client.
    Accepted,
    /// Leaving it out would make the connection something else than what was asked for, so it is
    /// refused unless it has one of these values, which ask for what happens anyway.
    OnlyAs(&'static [&'static str]),
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Keyword {
    /// As it is written in a connection string.
    pub name: &'static str,
    /// The environment variable that gives its default.
    pub variable: Option<&'static str>,
    /// What becomes of it.
    pub support: Support,
}

const fn honoured(name: &'static str, variable: &'static str) -> Keyword {
    Keyword { name, variable: Some(variable), support: Support::Honoured }
}

const fn plain(name: &'static str, support: Support) -> Keyword {
    Keyword { name, variable: None, support }
}

const fn other(name: &'static str, variable: &'static str, support: Support) -> Keyword {
    Keyword { name, variable: Some(variable), support }
}

/// Every keyword of libpq 13 to 18.
///
/// Source: `PQconninfoOptions` in `src/interfaces/libpq/fe-connect.c`.
pub const KEYWORDS: &[Keyword] = &[
    honoured("service", "PGSERVICE"),
    honoured("user", "PGUSER"),
    honoured("password", "PGPASSWORD"),
    honoured("passfile", "PGPASSFILE"),
    honoured("channel_binding", "PGCHANNELBINDING"),
    honoured("connect_timeout", "PGCONNECT_TIMEOUT"),
    honoured("dbname", "PGDATABASE"),
    honoured("host", "PGHOST"),
    honoured("hostaddr", "PGHOSTADDR"),
    honoured("port", "PGPORT"),
    // The text of the answers is always asked for as UTF-8.
    other("client_encoding", "PGCLIENTENCODING", Support::Accepted),
    honoured("options", "PGOPTIONS"),
    // pgtriage names itself, so that every session of its own can be told apart and left out of lists.
    other("application_name", "PGAPPNAME", Support::Accepted),
    plain("fallback_application_name", Support::Accepted),
    plain("keepalives", Support::Honoured),
    plain("keepalives_idle", Support::Honoured),
    plain("keepalives_interval", Support::Honoured),
    plain("keepalives_count", Support::Honoured),
    plain("tcp_user_timeout", Support::Honoured),
    honoured("sslmode", "PGSSLMODE"),
    honoured("sslnegotiation", "PGSSLNEGOTIATION"),
    // OpenSSL of today does not compress either.
    other("sslcompression", "PGSSLCOMPRESSION", Support::Accepted),
    honoured("sslcert", "PGSSLCERT"),
    honoured("sslkey", "PGSSLKEY"),
    honoured("sslcertmode", "PGSSLCERTMODE"),
    plain("sslpassword", Support::OnlyAs(&[""])),
    honoured("sslrootcert", "PGSSLROOTCERT"),
    honoured("sslcrl", "PGSSLCRL"),
    other("sslcrldir", "PGSSLCRLDIR", Support::OnlyAs(&[""])),
    honoured("sslsni", "PGSSLSNI"),
    plain("sslkeylogfile", Support::OnlyAs(&[""])),
    other("requirepeer", "PGREQUIREPEER", Support::OnlyAs(&[""])),
    other("require_auth", "PGREQUIREAUTH", Support::OnlyAs(&[""])),
    // The protocol is 3.0, and TLS is never older than 1.2 here.
    other("min_protocol_version", "PGMINPROTOCOLVERSION", Support::OnlyAs(&["", "3.0"])),
    other("max_protocol_version", "PGMAXPROTOCOLVERSION", Support::Accepted),
    honoured("ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION"),
    honoured("ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION"),
    other("gssencmode", "PGGSSENCMODE", Support::OnlyAs(&["prefer", "disable"])),
    other("krbsrvname", "PGKRBSRVNAME", Support::Accepted),
    other("gsslib", "PGGSSLIB", Support::Accepted),
    other("gssdelegation", "PGGSSDELEGATION", Support::Accepted),
    plain("replication", Support::OnlyAs(&["", "false", "off", "no", "0"])),
    honoured("target_session_attrs", "PGTARGETSESSIONATTRS"),
    honoured("load_balance_hosts", "PGLOADBALANCEHOSTS"),
    plain("scram_client_key", Support::OnlyAs(&[""])),
    plain("scram_server_key", Support::OnlyAs(&[""])),
    plain("oauth_issuer", Support::OnlyAs(&[""])),
    plain("oauth_client_id", Support::OnlyAs(&[""])),
    plain("oauth_client_secret", Support::OnlyAs(&[""])),
    plain("oauth_scope", Support::OnlyAs(&[""])),
];

/// The row of `name`.
#[must_use]
pub fn keyword(name: &str) -> Option<&'static Keyword> {
    KEYWORDS.iter().find(|keyword| keyword.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_keyword_and_no_variable_is_listed_twice() {
        let names: BTreeSet<_> = KEYWORDS.iter().map(|k| k.name).collect();
        assert_eq!(names.len(), KEYWORDS.len());
        let variables: Vec<_> = KEYWORDS.iter().filter_map(|k| k.variable).collect();
        assert_eq!(variables.iter().collect::<BTreeSet<_>>().len(), variables.len());
    }

    #[test]
    fn every_variable_is_one_of_libpq() {
        assert!(KEYWORDS.iter().filter_map(|k| k.variable).all(|v| v.starts_with("PG")));
    }
}
