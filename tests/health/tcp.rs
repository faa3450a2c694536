//! Dependencies over TCP: what is sent, what must come, and every way that it does not.

use std::time::{Duration, Instant};

use pgtriage::config::{Health, Road};
use pgtriage::model::health::{Contact, State};
use pgtriage::model::{ProbeError, Snapshot};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{ask, dependency};

/// A server that does with each connection whatever that is.
async fn serve<F>(act: impl Fn(TcpStream) -> F + Send + 'static) -> String
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(act(stream));
        }
    });
    at
}

/// Answers `PING` as redis does, in two pieces.
async fn redis(mut stream: TcpStream) {
    let mut line = [0; 6];
    if stream.read_exact(&mut line).await.is_ok() && &line == b"PING\r\n" {
        let _ = stream.write_all(b"+PO").await;
        let _ = stream.flush().await;
        tokio::time::sleep(Duration::from_millis(30)).await;
        let _ = stream.write_all(b"NG\r\n").await;
    }
    std::future::pending::<()>().await;
}

/// What comes of a contact; it has five seconds, as many as nobody needs but who says nothing.
async fn contact(at: &str, send: Option<&str>, expect: Option<&str>) -> Result<Contact, ProbeError> {
    let road = Road::Tcp { at: at.to_owned(), send: send.map(str::to_owned) };
    let told = Health { timeout: Duration::from_secs(5), ..dependency(road, expect) };
    ask(&told).await.map(|snapshot| {
        let Snapshot::Dependency(contact) = snapshot else { panic!("{snapshot:?}") };
        contact
    })
}

#[tokio::test]
async fn what_is_expected_may_come_in_pieces_and_ends_the_wait() {
    let at = serve(redis).await;
    let begun = Instant::now();
    let pong = contact(&at, Some("PING\r\n"), Some("+PONG")).await.unwrap();
    assert_eq!(pong.state, State::Ok);
    // It is not waited for more: the peer keeps the connection open, and the contact has five seconds.
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    assert!(pong.took_ms >= 30.0, "{}", pong.took_ms);
    let name = at.replace("127.0.0.1", "localhost");
    assert_eq!(contact(&name, Some("PING\r\n"), Some("+PONG")).await.unwrap().state, State::Ok);
    // That it takes connections is all that is asked.
    assert_eq!(contact(&at, None, None).await.unwrap().said.raw(), "takes connections");
}

#[tokio::test]
async fn every_other_end_is_a_failure_that_says_how() {
    let unfriendly = serve(|mut stream| async move {
        let _ = stream.write_all(b"-NOAUTH Authentication required.\r\n").await;
        std::future::pending::<()>().await;
    })
    .await;
    let said = contact(&unfriendly, Some("PING\r\n"), Some("+PONG")).await.unwrap();
    assert_eq!(said.state, State::Failing);
    assert_eq!(said.said.raw(), "says `-NOAUTH Authentication required.`, not `+PONG`");
    let silent = serve(|stream| async move {
        let _held = stream;
        std::future::pending::<()>().await;
    })
    .await;
    assert_eq!(contact(&silent, Some("PING\r\n"), Some("+PONG")).await, Err(ProbeError::TimedOut(5)));
    let hangs_up = serve(|mut stream| async move {
        let _ = stream.read(&mut [0; 64]).await;
    })
    .await;
    let hung = contact(&hangs_up, Some("PING\r\n"), Some("+PONG")).await.unwrap();
    assert_eq!(hung.said.raw(), "hung up without `+PONG`");
    let babbles = serve(|mut stream| async move { while stream.write_all(&[b'x'; 4096]).await.is_ok() {} }).await;
    let babble = contact(&babbles, None, Some("+PONG")).await.unwrap();
    assert_eq!(babble.state, State::Failing);
    assert!(babble.said.raw().len() < 300, "{}", babble.said.raw().len());
    let unused = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().to_string()
    };
    let refused = contact(&unused, None, None).await.unwrap_err();
    assert!(matches!(&refused, ProbeError::Unreachable(words) if words.contains("refused")), "{refused}");
    let nowhere = contact("no-such-host.invalid:6379", None, None).await.unwrap_err();
    assert!(matches!(nowhere, ProbeError::Unreachable(_) | ProbeError::TimedOut(_)), "{nowhere}");
}
