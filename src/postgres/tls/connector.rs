//! Owns the place where tokio-postgres hands a socket over to rustls, and reads the key that the server gave a session.
//!
//! It must not judge certificates; it notes whether TLS was used, since `prefer` leaves that to the server.

use rustls::pki_types::InvalidDnsNameError;
use rustls::{ClientConfig, RootCertStore};
use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_postgres::{CancelToken, Socket};
use tokio_postgres_rustls_improved::MakeRustlsConnect;

/// Makes TLS sessions and remembers whether it was asked to.
#[derive(Clone)]
pub struct Connector {
    inner: MakeRustlsConnect,
    used: Arc<AtomicBool>,
}

impl Connector {
    /// With a configuration of the wish.
    pub fn new(config: ClientConfig) -> Self {
        Self { inner: MakeRustlsConnect::new(config), used: Arc::default() }
    }

    /// For connections that use no TLS: it trusts nobody.
    pub fn plain() -> Result<Self, String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        Ok(Self::new(config))
    }

    /// Whether the server agreed to TLS.
    pub fn was_used(&self) -> bool {
        self.used.load(Ordering::Acquire)
    }
}

impl MakeTlsConnect<Socket> for Connector {
    type Stream = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream;
    type TlsConnect = Noting<<MakeRustlsConnect as MakeTlsConnect<Socket>>::TlsConnect>;
    type Error = InvalidDnsNameError;

    fn make_tls_connect(&mut self, host: &str) -> Result<Self::TlsConnect, Self::Error> {
        // A Unix socket has no name; it is asked for one all the same and never uses it.
        let host = if host.is_empty() { "localhost" } else { host };
        let inner = MakeTlsConnect::<Socket>::make_tls_connect(&mut self.inner, host)?;
        Ok(Noting { inner, used: Arc::clone(&self.used) })
    }
}

/// One handshake to come.
pub struct Noting<T> {
    inner: T,
    used: Arc<AtomicBool>,
}

impl<T: TlsConnect<Socket>> TlsConnect<Socket> for Noting<T> {
    type Stream = T::Stream;
    type Error = T::Error;
    type Future = T::Future;

    fn connect(self, socket: Socket) -> Self::Future {
        self.used.store(true, Ordering::Release);
        self.inner.connect(socket)
    }
}

/// The process as the server named it at login; a pooler makes one up.
///
/// tokio-postgres keeps it private, but writes it into any stream that it takes for a server.
pub async fn login_pid(token: &CancelToken) -> Option<i32> {
    let (ours, mut theirs) = tokio::io::duplex(64);
    // The answer to a request for TLS, should one come first.
    theirs.write_all(b"S").await.ok()?;
    token.cancel_query_raw(Wire(ours), Wireless).await.ok()?;
    let mut written = Vec::new();
    theirs.read_to_end(&mut written).await.ok()?;
    let pid = written.last_chunk::<8>()?.first_chunk::<4>()?;
    Some(i32::from_be_bytes(*pid))
}

struct Wireless;

struct Wire(DuplexStream);

impl TlsConnect<Wire> for Wireless {
    type Stream = Wire;
    type Error = io::Error;
    type Future = Ready<io::Result<Wire>>;

    fn connect(self, stream: Wire) -> Self::Future {
        ready(Ok(stream))
    }
}

impl TlsStream for Wire {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
