//! The copy in the system's log, against a real datagram socket.

use std::os::unix::net::UnixDatagram;

use super::*;
use crate::config::Syslog;

fn listening(path: &Path) -> UnixDatagram {
    let socket = UnixDatagram::bind(path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    socket
}

fn heard(socket: &UnixDatagram) -> String {
    let mut bytes = vec![0; 1 << 16];
    let length = socket.recv(&mut bytes).unwrap();
    String::from_utf8(bytes[..length].to_vec()).unwrap()
}

#[tokio::test]
async fn each_line_is_copied_with_the_hash_that_the_next_line_carries() {
    let folder = tempfile::tempdir().unwrap();
    let (path, socket) = (folder.path().join("audit.jsonl"), folder.path().join("log"));
    let server = listening(&socket);
    let audit = audit(&path).copied_to(Syslog::Copied, &socket);
    // A line that a crash tore does not belong to the copy.
    std::fs::write(&path, "{\"v\":1,\"tor").unwrap();
    for query in ["one\u{1b}", "two"] {
        assert_eq!(audit.append(&outcome(&audit, query)).await.unwrap(), None);
    }
    let copies = [heard(&server), heard(&server)];
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().skip(1).collect();
    for (copy, line) in copies.iter().zip(&lines) {
        let (head, rest) = copy.split_once(": sha256=").unwrap();
        assert!(head.starts_with("<85>") && head.ends_with(" pgtriage[42]"), "{head}");
        assert_eq!(rest, format!("{} {line}", chain::hash(line.as_bytes())));
    }
    // So a tail that is cut off is told: the copy's hash is nowhere in the file.
    let hash = copies[0].split_once("sha256=").unwrap().1.split_once(' ').unwrap().0;
    assert!(lines[1].contains(hash) && !copies[1].contains("tor"));
}

#[tokio::test]
async fn where_nobody_takes_the_copy_the_line_is_written_and_the_lack_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let (path, socket) = (folder.path().join("audit.jsonl"), folder.path().join("log"));
    let audit = audit(&path).copied_to(Syslog::Copied, &socket);
    audit.check().await.unwrap();
    let why = audit.append(&outcome(&audit, "q")).await.unwrap().unwrap();
    assert!(why.contains("/log: No such file"), "{why}");
    assert_eq!(read(&path).len(), 1);
}

#[tokio::test]
async fn where_the_copy_is_required_a_line_without_it_is_an_error_and_said_before_the_first_action() {
    let folder = tempfile::tempdir().unwrap();
    let (path, socket) = (folder.path().join("audit.jsonl"), folder.path().join("log"));
    let audit = audit(&path).copied_to(Syslog::Required, &socket);
    assert!(matches!(audit.check().await, Err(AuditError::Uncopied { .. })));
    let error = audit.append(&outcome(&audit, "q")).await.unwrap_err();
    assert!(matches!(error, AuditError::Uncopied { .. }), "{error}");
    let server = listening(&socket);
    audit.check().await.unwrap();
    assert_eq!(audit.append(&outcome(&audit, "q")).await.unwrap(), None);
    assert!(heard(&server).contains("sha256="));
}

#[tokio::test]
async fn where_no_copy_is_wanted_none_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let (path, socket) = (folder.path().join("audit.jsonl"), folder.path().join("log"));
    let server = listening(&socket);
    let audit = audit(&path).copied_to(Syslog::Off, &socket);
    assert_eq!(audit.append(&outcome(&audit, "q")).await.unwrap(), None);
    server.set_nonblocking(true).unwrap();
    assert!(server.recv(&mut [0; 16]).is_err());
}
