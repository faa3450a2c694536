//! What every HTTP client of ours is made of: whom it trusts, what it sends of credentials, when it takes no proxy.
//!
//! It sends nothing.

use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;

use reqwest::Url;
use reqwest::header::HeaderValue;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::prometheus::SettingsError;

/// The innermost cause: reqwest's own words name the URL, the cause names the fault.
pub(super) fn last_words(error: &reqwest::Error) -> String {
    let mut last: &dyn Error = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

/// A proxy has no way to our own machine, however the environment is set.
pub(super) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.ends_with(".localhost") || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

pub(super) fn secret_header(value: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    Some(value)
}

pub(super) fn basic_authorization(user: &str, password: &str) -> String {
    use base64::Engine as _;
    let pair = format!("{user}:{password}");
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
}

/// TLS by *ring*, against the system's certificates and those of the CA file. Without TLS nothing is loaded: reading
/// the system's store costs milliseconds that the first frame would wait for.
pub(super) fn tls(wanted: bool, ca_pem: Option<&[u8]>) -> Result<rustls::ClientConfig, SettingsError> {
    let mut roots = rustls::RootCertStore::empty();
    if let Some(pem) = ca_pem {
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| SettingsError::Ca(error.to_string()))?;
            roots.add(certificate).map_err(|error| SettingsError::Ca(error.to_string()))?;
        }
        if roots.is_empty() {
            return Err(SettingsError::Ca("no certificate in it".to_owned()));
        }
    }
    if wanted {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| SettingsError::Client(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_machine_is_known_by_name_and_by_address() {
        for (raw, own) in [
            ("http://localhost:9090", true),
            ("http://127.0.0.53/", true),
            ("http://[::1]:9090", true),
            ("http://prom.localhost", true),
            ("http://10.0.0.1", false),
            ("http://localhost.example", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(raw).unwrap()), own, "{raw}");
        }
    }
}
