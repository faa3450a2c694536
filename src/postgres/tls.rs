//! Owns what is wanted of TLS (`TlsWish`) and what came of it (`Tls`), and makes a rustls configuration of the wish.
//!
//! It must not decide about falling back to a plain connection: that is `dial`'s, with libpq's rules for each mode.

mod connector;
mod verify;

pub(super) use connector::{Connector, login_pid};
pub(super) type Stream = <tokio_postgres_rustls_improved::MakeRustlsConnect as tokio_postgres::tls::MakeTlsConnect<
    tokio_postgres::Socket,
>>::Stream;

use super::conninfo::ConninfoError;
use super::given::one_of;
use super::params::Params;
use super::surroundings::{FileFacts, Surroundings};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use rustls::{ClientConfig, SupportedProtocolVersion};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What the connection is protected by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// Nothing: plain text, or a Unix socket.
    None,
    /// Encrypted, to whomever: nobody vouched for the server.
    Unverified,
    /// A trusted authority vouches for the server; its name was not compared (`verify-ca`).
    Authority,
    /// A trusted authority vouches for the server under the name that was dialled.
    Verified,
}

/// libpq's `sslmode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SslMode {
    /// Never.
    Disable,
    /// Plain first, TLS when the server refuses.
    Allow,
    /// TLS first, plain when the server has none or refuses.
    #[default]
    Prefer,
    /// TLS; the authority is checked where a root certificate exists.
    Require,
    /// TLS and a trusted authority.
    VerifyCa,
    /// TLS, a trusted authority and the right name.
    VerifyFull,
}

/// Who is trusted to vouch for a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Roots {
    /// The operating system's store.
    System,
    /// The certificates in this file, if there is one.
    File(Option<PathBuf>),
}

/// How TLS starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Negotiation {
    /// By asking first, in PostgreSQL's own protocol.
    #[default]
    Postgres,
    /// At once; servers since 17.
    Direct,
}

/// May the server's name be sent in the clear?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sni {
    /// It is.
    #[default]
    Sent,
    /// It is not.
    Hidden,
}

/// Bounds of the protocol's version; older than 1.2 is never spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Versions {
    /// 1.2 or 1.3.
    #[default]
    Both,
    /// 1.3 only.
    Only13,
    /// 1.2 only.
    Only12,
}

/// What is wanted of TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsWish {
    /// How much of it.
    pub mode: SslMode,
    /// How it starts.
    pub negotiation: Negotiation,
    /// Who is trusted.
    pub roots: Roots,
    /// The client's certificate and its key, used if the certificate exists.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// Certificates withdrawn, used if it exists.
    pub crl: Option<PathBuf>,
    /// Whether the name is sent.
    pub sni: Sni,
    /// Which versions.
    pub versions: Versions,
}

impl TlsWish {
    /// Reads the `ssl…` keywords; files default to `~/.postgresql/`.
    pub(super) fn from_params(params: &Params, around: &dyn Surroundings) -> Result<Self, ConninfoError> {
        let own = |name: &str| around.home().map(|home| home.join(".postgresql").join(name));
        let file = |keyword: &str, name: &str| params.filled(keyword).map(PathBuf::from).or_else(|| own(name));
        let roots = match params.filled("sslrootcert") {
            Some("system") => Roots::System,
            Some(path) => Roots::File(Some(PathBuf::from(path))),
            None => Roots::File(own("root.crt")),
        };
        let mode = if params.get("sslmode").is_none() && roots == Roots::System {
            SslMode::VerifyFull
        } else {
            one_of(
                params,
                "sslmode",
                &[
                    ("disable", SslMode::Disable),
                    ("allow", SslMode::Allow),
                    ("prefer", SslMode::Prefer),
                    ("require", SslMode::Require),
                    ("verify-ca", SslMode::VerifyCa),
                    ("verify-full", SslMode::VerifyFull),
                ],
            )?
        };
        let spelled = params.get("sslmode").unwrap_or("prefer").to_owned();
        if roots == Roots::System && mode != SslMode::VerifyFull {
            return Err(ConninfoError::WeakMode(spelled));
        }
        let negotiation =
            one_of(params, "sslnegotiation", &[("postgres", Negotiation::Postgres), ("direct", Negotiation::Direct)])?;
        if negotiation == Negotiation::Direct && mode < SslMode::Require {
            return Err(ConninfoError::WeakDirect(spelled));
        }
        let wants_identity = params.get("sslcertmode") != Some("disable");
        let (least, most) = (params.filled("ssl_min_protocol_version"), params.filled("ssl_max_protocol_version"));
        let versions = match (least, most) {
            (Some("TLSv1.3"), None | Some("TLSv1.3")) => Versions::Only13,
            (None | Some("TLSv1" | "TLSv1.1" | "TLSv1.2"), Some("TLSv1.2")) => Versions::Only12,
            (None | Some("TLSv1" | "TLSv1.1" | "TLSv1.2"), None | Some("TLSv1.3")) => Versions::Both,
            (least, most) => {
                let (option, value) = match most {
                    Some(most) => ("ssl_max_protocol_version", most),
                    None => ("ssl_min_protocol_version", least.unwrap_or_default()),
                };
                return Err(ConninfoError::InvalidValue { option, value: value.to_owned() });
            }
        };
        Ok(Self {
            mode,
            negotiation,
            roots,
            identity: file("sslcert", "postgresql.crt")
                .zip(file("sslkey", "postgresql.key"))
                .filter(|_| wants_identity),
            crl: file("sslcrl", "root.crl"),
            sni: if params.get("sslsni") == Some("0") { Sni::Hidden } else { Sni::Sent },
            versions,
        })
    }

    /// What a TLS connection under this wish is worth, and the configuration that makes it so.
    ///
    /// Files are read anew each time: a renewed certificate counts from the next dial on.
    pub(super) fn configured(&self) -> Result<(Tls, ClientConfig), String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let trust = self.trust(&provider)?;
        let worth = match (&trust, self.mode) {
            (None, _) => Tls::Unverified,
            (Some(_), SslMode::VerifyFull) => Tls::Verified,
            (Some(_), _) => Tls::Authority,
        };
        let judge = verify::Judge::new(&provider, trust, worth == Tls::Verified);
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&self.versions.list())
            .map_err(|error| error.to_string())?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(judge));
        let mut config = match self.identity.as_ref().filter(|(certificate, _)| certificate.exists()) {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let chain = certificates(certificate)?;
                builder.with_client_auth_cert(chain, private_key(key)?).map_err(|error| {
                    format!("could not use certificate file \"{}\" with its key: {error}", certificate.display())
                })?
            }
        };
        config.enable_sni = self.sni == Sni::Sent;
        if self.negotiation == Negotiation::Direct {
            config.alpn_protocols = vec![b"postgresql".to_vec()];
        }
        Ok((worth, config))
    }

    fn trust(&self, provider: &Arc<rustls::crypto::CryptoProvider>) -> Result<Option<verify::Trust>, String> {
        let roots = match &self.roots {
            Roots::System => rustls_native_certs::load_native_certs().certs,
            Roots::File(Some(file)) if file.exists() => certificates(file)?,
            Roots::File(file) if self.mode >= SslMode::VerifyCa => {
                let named = file.as_ref().map_or_else(String::new, |file| format!(" \"{}\"", file.display()));
                return Err(format!(
                    "root certificate file{named} does not exist; provide it, use the system's trusted roots with \
                     sslrootcert=system, or change sslmode to disable server certificate verification"
                ));
            }
            Roots::File(_) => return Ok(None),
        };
        let withdrawn = match self.crl.as_ref().filter(|file| file.exists()) {
            None => Vec::new(),
            Some(file) => CertificateRevocationListDer::pem_file_iter(file)
                .and_then(Iterator::collect)
                .map_err(|error| format!("could not read revocation list \"{}\": {error}", file.display()))?,
        };
        verify::Trust::new(roots, withdrawn, provider).map(Some)
    }
}

impl PartialOrd for SslMode {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        (*self as u8).partial_cmp(&(*other as u8))
    }
}

impl Versions {
    fn list(self) -> Vec<&'static SupportedProtocolVersion> {
        match self {
            Self::Both => vec![&rustls::version::TLS13, &rustls::version::TLS12],
            Self::Only13 => vec![&rustls::version::TLS13],
            Self::Only12 => vec![&rustls::version::TLS12],
        }
    }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(certificates) if certificates.is_empty() => {
            Err(format!("certificate file \"{}\" holds no certificate", file.display()))
        }
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(format!("could not read certificate file \"{}\": {error}", file.display())),
    }
}

fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, String> {
    use super::surroundings::Process;
    let facts = Process
        .facts(file)
        .map_err(|_| format!("certificate present, but not private key file \"{}\"", file.display()))?;
    if !facts.is_plain {
        return Err(format!("private key file \"{}\" is not a regular file", file.display()));
    }
    if is_too_open(facts) {
        return Err(format!(
            "private key file \"{}\" has group or world access; file must have permissions u=rw (0600) or less if \
             owned by the current user, or permissions u=rw,g=r (0640) or less if owned by root",
            file.display()
        ));
    }
    PrivateKeyDer::from_pem_file(file).map_err(|error| {
        format!("could not load private key file \"{}\": {error} (an encrypted key cannot be used)", file.display())
    })
}

/// libpq's rule: root's keys may be readable by a group, everybody else's are private.
fn is_too_open(facts: FileFacts) -> bool {
    facts.mode & if facts.owner == 0 { 0o037 } else { 0o077 } != 0
}

#[cfg(test)]
mod tests {
    use super::super::surroundings::fake::Fake;
    use super::*;

    fn wish(words: &str) -> Result<TlsWish, String> {
        let params = Params::from_words(words).map_err(|e| e.to_string())?;
        TlsWish::from_params(&params, &Fake::default()).map_err(|e| e.to_string())
    }

    #[test]
    fn the_default_prefers_tls_and_looks_in_the_home_directory() {
        let wish = wish("").expect("no wish is one too");
        assert_eq!(wish.mode, SslMode::Prefer);
        assert_eq!(wish.roots, Roots::File(Some(PathBuf::from("/home/alice/.postgresql/root.crt"))));
    }

    #[test]
    fn the_systems_roots_imply_the_full_check_and_refuse_a_weaker_one() {
        assert_eq!(wish("sslrootcert=system").expect("allowed").mode, SslMode::VerifyFull);
        assert_eq!(
            wish("sslrootcert=system sslmode=require").unwrap_err(),
            r#"weak sslmode "require" may not be used with sslrootcert=system (use "verify-full")"#
        );
    }

    #[test]
    fn wrong_values_are_refused_with_libpqs_words() {
        assert_eq!(wish("sslmode=on").unwrap_err(), r#"invalid sslmode value: "on""#);
        assert_eq!(wish("ssl_min_protocol_version=x").unwrap_err(), r#"invalid ssl_min_protocol_version value: "x""#);
    }

    #[test]
    fn verifying_without_a_root_certificate_is_refused_and_requiring_is_not() {
        let error = wish("sslmode=verify-ca sslrootcert=/none").expect("read").configured().expect_err("refused");
        assert!(error.starts_with("root certificate file \"/none\" does not exist"), "{error}");
        let (worth, _) = wish("sslmode=require sslrootcert=/none").expect("read").configured().expect("configured");
        assert_eq!(worth, Tls::Unverified);
    }

    #[test]
    fn only_roots_own_key_may_be_readable_by_a_group() {
        let facts = |owner, mode| FileFacts { is_plain: true, mode, owner };
        assert!(is_too_open(facts(1000, 0o640)));
        assert!(!is_too_open(facts(0, 0o640)));
        assert!(is_too_open(facts(0, 0o644)));
        assert!(!is_too_open(facts(1000, 0o600)));
    }
}
