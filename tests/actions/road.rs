//! A road to a server that can be cut, or held, when a given text comes along.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What becomes of the text on its way to the server.
#[derive(Clone, Copy, PartialEq)]
pub enum Passage {
    /// It arrives.
    Open,
    /// The connection is cut before it arrives.
    CutBefore,
    /// It arrives, and the connection is cut before the answer.
    CutAfter,
    /// It never arrives, and the connection stays.
    Held,
    /// It arrives, the connection stays, and no answer comes.
    Unanswered,
}

/// Opens a road to a local port.
pub async fn road(port: u16, text: String, passage: Passage) -> (SocketAddr, watch::Sender<Passage>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let here = listener.local_addr().unwrap();
    let (set, passage) = watch::channel(passage);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(carry(client, port, text.clone(), passage.clone()));
        }
    });
    (here, set)
}

async fn carry(mut client: TcpStream, port: u16, text: String, passage: watch::Receiver<Passage>) {
    let mut server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let (mut up, mut down) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        tokio::select! {
            n = client.read(&mut up) => {
                let Ok(n @ 1..) = n else { return };
                let here = up[..n].windows(text.len()).any(|window| window == text.as_bytes());
                let passage = if here { *passage.borrow() } else { Passage::Open };
                match passage {
                    Passage::CutBefore => return,
                    Passage::Held => std::future::pending().await,
                    Passage::Unanswered => {
                        server.write_all(&up[..n]).await.unwrap();
                        std::future::pending::<()>().await;
                    }
                    Passage::Open | Passage::CutAfter => server.write_all(&up[..n]).await.unwrap(),
                }
                if passage == Passage::CutAfter {
                    tokio::time::sleep(Duration::from_millis(300)).await;
                    return;
                }
            }
            n = server.read(&mut down) => {
                let Ok(n @ 1..) = n else { return };
                client.write_all(&down[..n]).await.unwrap();
            }
        }
    }
}
