//! Owns the judgement of a server's certificate: chain, name, revocation, with OpenSSL's leniency where libpq users rely on it.
//!
//! It must never be more lenient than libpq: what it accepts beyond rustls is a certificate that is itself a trusted
//! root, a common name where there is no alternative name, and a version 1 certificate where nobody vouches anyway.

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::sync::Arc;
use x509_cert::Certificate;
use x509_cert::certificate::Version;
use x509_cert::der::{Decode as _, Encode as _};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// Who is trusted.
#[derive(Debug)]
pub struct Trust {
    chains: Arc<WebPkiServerVerifier>,
    roots: Vec<CertificateDer<'static>>,
}

impl Trust {
    /// Takes the trusted certificates and the withdrawn ones.
    pub fn new(
        roots: Vec<CertificateDer<'static>>,
        withdrawn: Vec<CertificateRevocationListDer<'static>>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, String> {
        let mut store = RootCertStore::empty();
        // A store of the system holds odd ones; a certificate that cannot be an anchor may still be the server's own.
        store.add_parsable_certificates(roots.iter().cloned());
        if store.is_empty() && roots.is_empty() {
            return Err("no trusted root certificate was found".to_owned());
        }
        let builder = WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider));
        // OpenSSL, as libpq sets it up, fails a chain whose issuer has no list; servers with a list for
        // one of several authorities are the rule, and what is withdrawn is still refused.
        let builder = builder.with_crls(withdrawn).allow_unknown_revocation_status();
        let chains = builder.build().map_err(|error| format!("no usable root certificate: {error}"))?;
        Ok(Self { chains, roots })
    }
}

/// The verifier that rustls asks.
#[derive(Debug)]
pub struct Judge {
    trust: Option<Trust>,
    name: NameCheck,
    algorithms: WebPkiSupportedAlgorithms,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NameCheck {
    Compare,
    Ignore,
}

impl Judge {
    /// `trust` absent: anybody will do. With it, `compares_name` makes the difference of `verify-full` to `verify-ca`.
    pub fn new(provider: &CryptoProvider, trust: Option<Trust>, compares_name: bool) -> Self {
        let name = if compares_name { NameCheck::Compare } else { NameCheck::Ignore };
        Self { trust, name, algorithms: provider.signature_verification_algorithms }
    }

    fn judge_name(&self, certificate: &CertificateDer<'_>, name: &ServerName<'_>) -> Result<(), Error> {
        if self.name == NameCheck::Ignore {
            return Ok(());
        }
        let strict = ParsedCertificate::try_from(certificate)
            .and_then(|parsed| rustls::client::verify_server_name(&parsed, name));
        match strict {
            Err(_) if common_name_matches(certificate, &name.to_str()) => Ok(()),
            other => other,
        }
    }
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(trust) = &self.trust else { return Ok(ServerCertVerified::assertion()) };
        match trust.chains.verify_server_cert(certificate, intermediates, name, ocsp, now) {
            Ok(verified) => Ok(verified),
            // The chain is fine: rustls compares the name last.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => self.judge_name(certificate, name).map(|()| ServerCertVerified::assertion()),
            // PostgreSQL's documentation makes a self-signed server.crt that clients take as their root.crt. It names
            // itself an authority, which rustls refuses in a server; OpenSSL trusts what is in the file itself.
            Err(_) if trust.roots.iter().any(|root| root == certificate) => {
                judge_dates(certificate, now)?;
                self.judge_name(certificate, name).map(|()| ServerCertVerified::assertion())
            }
            Err(error) => Err(error),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        // `openssl x509 -req` without extensions, PostgreSQL's own recipe, makes version 1 certificates, which rustls
        // does not read. The proof that the server holds the key needs only the key.
        match version1_key(certificate) {
            None => rustls::crypto::verify_tls13_signature(message, certificate, signed, &self.algorithms),
            Some(key) => rustls::crypto::verify_tls13_signature_with_raw_key(
                message,
                &SubjectPublicKeyInfoDer::from(key),
                signed,
                &self.algorithms,
            ),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn version1_key(certificate: &CertificateDer<'_>) -> Option<Vec<u8>> {
    let certificate = Certificate::from_der(certificate).ok()?;
    let body = certificate.tbs_certificate();
    if body.version() == Version::V1 { body.subject_public_key_info().to_der().ok() } else { None }
}

fn judge_dates(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), Error> {
    let parsed = Certificate::from_der(certificate).map_err(|_| CertificateError::BadEncoding)?;
    let validity = parsed.tbs_certificate().validity();
    if now.as_secs() < validity.not_before.to_unix_duration().as_secs() {
        return Err(CertificateError::NotValidYet.into());
    }
    if now.as_secs() > validity.not_after.to_unix_duration().as_secs() {
        return Err(CertificateError::Expired.into());
    }
    Ok(())
}

/// libpq's fallback: the subject's common name, only where no alternative name of a host is given.
fn common_name_matches(certificate: &CertificateDer<'_>, host: &str) -> bool {
    let Ok(certificate) = Certificate::from_der(certificate) else { return false };
    let body = certificate.tbs_certificate();
    let alternatives = match body.get_extension::<SubjectAltName>() {
        Ok(found) => found.map_or_else(Vec::new, |(_, names)| names.0),
        Err(_) => return false,
    };
    if alternatives.iter().any(|name| matches!(name, GeneralName::DnsName(_) | GeneralName::IpAddress(_))) {
        return false;
    }
    body.subject().common_name().ok().flatten().is_some_and(|name| name_matches(&name.value(), host))
}

/// `*.example.com` covers one label, as in libpq's `wildcard_certificate_match`.
fn name_matches(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix("*.") {
        None => pattern.eq_ignore_ascii_case(host),
        Some(parent) => {
            host.split_once('.').is_some_and(|(label, rest)| !label.is_empty() && rest.eq_ignore_ascii_case(parent))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_covers_one_label() {
        assert!(name_matches("db.example.com", "DB.example.com"));
        assert!(name_matches("*.example.com", "db.example.com"));
        assert!(!name_matches("*.example.com", "a.db.example.com"));
        assert!(!name_matches("*.example.com", "example.com"));
    }
}
