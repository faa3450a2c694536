//! The same options, environment and files for psql and for pgtriage: both must knock at the same doors with the same
//! user, database and password, or refuse with the same words. A stub listens in a server's place and keeps no secret.

use super::road::programs;
use pgtriage::postgres::{Asking, FileFacts, Given, Lane, Process, SessionSettings, Surroundings, connect, resolve};
use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

/// What was heard at the doors, in order.
type Heard = Arc<Mutex<Vec<String>>>;

/// One row of the table. `{1}` and `{2}` are ports with a stub behind, `{0}` one without, `{dir}` a socket directory.
struct Case {
    arguments: &'static [&'static str],
    environment: &'static [(&'static str, &'static str)],
}

const fn case(arguments: &'static [&'static str], environment: &'static [(&'static str, &'static str)]) -> Case {
    Case { arguments, environment }
}

const SERVICES: &str = "[one]\nhost=127.0.0.1\nport={1}\ndbname=served\nuser=waiter\n[two]\nhost=127.0.0.1\nport={2}\n";
const PASSWORDS: &str = "# comment\n127.0.0.1:{1}:exact:alice:ex\\:act\n127.0.0.1:{2}:*:*:second\n*:*:*:wild:w\\\\ild\n\
                         localhost:*:*:*:local\n{dir}:*:*:*:socket\n";

const CASES: &[Case] = &[
    // Options.
    case(&["-h", "127.0.0.1", "-p", "{1}", "-U", "alice", "-d", "shop"], &[]),
    case(&["-h", "127.0.0.1", "-p", "{1}"], &[]),
    case(&["-h", "127.0.0.1", "-p", "{1}", "shop", "alice"], &[]),
    case(&["-h", "127.0.0.1", "-p", "{1}", "-d", "shop", "alice"], &[]),
    case(&["-h", "{dir}", "-p", "{1}", "-U", "alice", "shop"], &[]),
    case(&["-h", "127.0.0.1", "-p", "{0}", "-d", "host=127.0.0.1 port={2} user=x"], &[]),
    case(&["-U", "given", "-d", "postgresql://127.0.0.1:{1}/shop"], &[]),
    case(&["-U", "given", "-d", "postgresql://named@127.0.0.1:{1}/shop"], &[]),
    case(&["-h", "", "-d", "shop"], &[("PGHOST", "127.0.0.1"), ("PGPORT", "{1}")]),
    // Connection strings.
    case(&["host=127.0.0.1 port={1} user='a b' dbname=x\\'y"], &[]),
    case(&["host = 127.0.0.1  port= {1} dbname=''"], &[("PGDATABASE", "env")]),
    case(&["postgresql://alice:p%40ss@127.0.0.1:{1}/shop?options=-c%20jit%3Doff"], &[]),
    case(&["postgres://alice@127.0.0.1:{1}"], &[]),
    case(&["postgresql:///shop?host={dir}&port={2}&user=bob"], &[]),
    case(&["postgresql://?host=127.0.0.1&port={1}"], &[]),
    case(&["postgresql://127.0.0.1:{0},127.0.0.1:{2}/shop"], &[]),
    case(&["host=127.0.0.1,127.0.0.1 port={0},{1} dbname=shop"], &[]),
    case(&["host=127.0.0.1,{dir} port={1},{2} dbname=shop"], &[]),
    case(&["hostaddr=127.0.0.1 port={1} dbname=shop"], &[]),
    case(&["host=nowhere.invalid hostaddr=127.0.0.1 port={1} dbname=shop"], &[]),
    case(&["host=nowhere.invalid,127.0.0.1 port={1} dbname=shop"], &[]),
    case(&["postgresql://[::1]:{0},127.0.0.1:{1}/shop"], &[]),
    // Environment.
    case(&[], &[("PGHOST", "127.0.0.1"), ("PGPORT", "{1}"), ("PGUSER", "env"), ("PGDATABASE", "envdb")]),
    case(&["-U", "given", "other"], &[("PGHOST", "127.0.0.1"), ("PGPORT", "{1}"), ("PGUSER", "env")]),
    case(&["shop"], &[("PGHOSTADDR", "127.0.0.1"), ("PGPORT", "{1}"), ("PGOPTIONS", "-c jit=off")]),
    case(&["host={dir} port={1}"], &[("PGHOST", "127.0.0.1"), ("PGPASSWORD", "from env")]),
    case(&["host=127.0.0.1 port={1} sslmode=disable"], &[]),
    case(&["host=127.0.0.1 port={1}"], &[("PGSSLMODE", "disable")]),
    case(&["host=127.0.0.1 port={1} sslmode=allow"], &[]),
    case(&["host=127.0.0.1 port={1} sslmode=require"], &[]),
    case(&["host=127.0.0.1 port={1} requiressl=1"], &[]),
    case(&["host=127.0.0.1 port={1}"], &[("PGREQUIRESSL", "1")]),
    case(&["postgresql://127.0.0.1:{1}/shop?ssl=true"], &[]),
    // Services.
    case(&["service=one"], &[("PGSERVICEFILE", "{home}/services")]),
    case(&["service=one user=me port={2}"], &[("PGSERVICEFILE", "{home}/services"), ("PGUSER", "env")]),
    case(&["postgresql:///?service=two"], &[("PGSERVICEFILE", "{home}/services"), ("PGUSER", "env")]),
    case(&["shop"], &[("PGSERVICE", "two"), ("PGSERVICEFILE", "{home}/services"), ("PGPORT", "{1}")]),
    case(&["service=one"], &[("PGSYSCONFDIR", "{home}/system")]),
    // Password file.
    case(&["host=127.0.0.1 port={1} user=alice dbname=exact"], &[("PGPASSFILE", "{home}/passwords")]),
    case(&["host=127.0.0.1 port={1} user=alice dbname=inexact"], &[("PGPASSFILE", "{home}/passwords")]),
    case(&["host=127.0.0.1 port={1} user=wild passfile={home}/passwords"], &[]),
    case(&["host=127.0.0.1,127.0.0.1 port={0},{2} user=x"], &[("PGPASSFILE", "{home}/passwords")]),
    case(&["host={dir} port={1} user=x"], &[("PGPASSFILE", "{home}/passwords")]),
    case(&["hostaddr=127.0.0.1 port={2} user=x"], &[("PGPASSFILE", "{home}/passwords")]),
    case(&["host=localhost hostaddr=127.0.0.1 port={2} user=x"], &[("PGPASSFILE", "{home}/passwords")]),
    case(&["host=127.0.0.1 port={2} user=x password=given"], &[("PGPASSFILE", "{home}/passwords")]),
    case(&["host=127.0.0.1 port={2} user=x"], &[("PGPASSFILE", "{home}/open")]),
    // Refusals.
    case(&["host=127.0.0.1 nonsense"], &[]),
    case(&["hots=127.0.0.1"], &[]),
    case(&["host='127.0.0.1"], &[]),
    case(&["postgresql://[::1"], &[]),
    case(&["postgresql://[]:5432/"], &[]),
    case(&["postgresql://[::1]x"], &[]),
    case(&["postgresql://h/d?x"], &[]),
    case(&["postgresql://h/d?user=a=b"], &[]),
    case(&["postgresql://h/d?zzz=1"], &[]),
    case(&["postgresql://%zz/"], &[]),
    case(&["postgresql://a%00b/"], &[]),
    case(&["host=a,b port=1,2,3"], &[]),
    case(&["host=a hostaddr=127.0.0.1,127.0.0.2"], &[]),
    case(&["host=127.0.0.1 port=x"], &[]),
    case(&["host=127.0.0.1 port=70000"], &[]),
    case(&["host=127.0.0.1"], &[("PGPORT", "-1")]),
    case(&["host=127.0.0.1 sslmode=on"], &[]),
    case(&["host=127.0.0.1"], &[("PGSSLMODE", "true")]),
    case(&["host=127.0.0.1 channel_binding=maybe"], &[]),
    case(&["host=127.0.0.1 target_session_attrs=leader"], &[]),
    case(&["service=three"], &[("PGSERVICEFILE", "{home}/services")]),
    case(&["service=one"], &[("PGSERVICEFILE", "{home}/missing")]),
    case(&["service=bad"], &[("PGSERVICEFILE", "{home}/broken")]),
    case(&["service=nested"], &[("PGSERVICEFILE", "{home}/broken")]),
];

#[test]
fn pgtriage_knocks_where_psql_knocks_and_refuses_what_psql_refuses() {
    let Some(psql) = programs::psql() else {
        assert!(std::env::var_os("PGTRIAGE_LAB").is_none(), "PGTRIAGE_LAB is set, so psql must be there");
        eprintln!("SKIPPED: there is no psql to compare with");
        return;
    };
    let stage = Stage::set(psql);
    let mut differences = Vec::new();
    for case in CASES {
        let arguments: Vec<String> = case.arguments.iter().map(|text| stage.filled(text)).collect();
        let environment: Vec<(String, String)> =
            case.environment.iter().map(|(name, value)| ((*name).to_owned(), stage.filled(value))).collect();
        let psql = stage.psql(&arguments, &environment);
        let ours = stage.ours(&arguments, environment.clone());
        if psql != ours {
            differences.push(format!("{arguments:?} {environment:?}\n  psql: {psql:?}\n  ours: {ours:?}"));
        }
    }
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
}

/// What a run came to: the doors it knocked at, or the refusal when it knocked at none.
#[derive(Debug, PartialEq)]
enum Ran {
    Knocked(Vec<String>),
    Refused(String),
}

struct Stage {
    psql: PathBuf,
    folder: tempfile::TempDir,
    heard: Heard,
    ports: [u16; 3],
}

impl Stage {
    fn set(psql: PathBuf) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let heard = Heard::default();
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut ports = [closed, 0, 0];
        for (number, port) in ports.iter_mut().enumerate().skip(1) {
            let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
            *port = tcp.local_addr().unwrap().port();
            let socket = UnixListener::bind(folder.path().join(format!(".s.PGSQL.{port}"))).unwrap();
            let (at_tcp, at_socket) = (Arc::clone(&heard), Arc::clone(&heard));
            std::thread::spawn(move || {
                for stream in tcp.incoming().flatten() {
                    let _ = answer(stream, &format!("tcp {number}"), &at_tcp);
                }
            });
            std::thread::spawn(move || {
                for stream in socket.incoming().flatten() {
                    let _ = answer(stream, &format!("socket {number}"), &at_socket);
                }
            });
        }
        let stage = Self { psql, folder, heard, ports };
        stage.write("services", 0o644, SERVICES);
        stage.write("broken", 0o644, "[bad]\nhost\n[nested]\nservice=one\n");
        stage.write("passwords", 0o600, PASSWORDS);
        stage.write("open", 0o644, "*:*:*:*:leaked\n");
        std::fs::create_dir(stage.folder.path().join("system")).unwrap();
        stage.write("system/pg_service.conf", 0o644, SERVICES);
        stage
    }

    fn write(&self, name: &str, mode: u32, text: &str) {
        let path = self.folder.path().join(name);
        std::fs::write(&path, self.filled(text)).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    fn filled(&self, text: &str) -> String {
        let home = self.folder.path().to_str().unwrap();
        let [closed, one, two] = self.ports.map(|port| port.to_string());
        let pairs = [("{0}", closed.as_str()), ("{1}", &one), ("{2}", &two), ("{dir}", home), ("{home}", home)];
        pairs.iter().fold(text.to_owned(), |text, (mark, value)| text.replace(mark, value))
    }

    fn knocks(&self) -> Vec<String> {
        std::mem::take(&mut *self.heard.lock().unwrap())
    }

    fn psql(&self, arguments: &[String], environment: &[(String, String)]) -> Ran {
        let output = Command::new(&self.psql)
            .args(["-X", "-w", "-A", "-t", "-c", "SELECT 1"])
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env("PGGSSENCMODE", "disable")
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let knocks = self.knocks();
        if knocks.is_empty() {
            let refusal = said.strip_prefix("psql: error: ").unwrap_or(&said);
            return Ran::Refused(refusal.trim_end().to_owned());
        }
        Ran::Knocked(knocks)
    }

    fn ours(&self, arguments: &[String], mut environment: Vec<(String, String)>) -> Ran {
        environment.push(("HOME".to_owned(), self.folder.path().to_str().unwrap().to_owned()));
        environment.push(("PGGSSENCMODE".to_owned(), "disable".to_owned()));
        let info = match resolve(&given(arguments), &Made(environment)) {
            Ok(info) => info,
            Err(refusal) => return Ran::Refused(refusal.to_string()),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let settings = SessionSettings::of(Lane::Fast, "alice");
        let result = runtime.block_on(connect(&info, Lane::Fast, &settings));
        result.expect_err("a stub lets nobody in");
        Ran::Knocked(self.knocks())
    }
}

/// The options as psql reads them.
fn given(arguments: &[String]) -> Given {
    let mut given = Given { asking: Asking::Never, ..Given::default() };
    let mut rest = arguments.iter().cloned();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "-h" => given.host = rest.next(),
            "-p" => given.port = rest.next(),
            "-U" => given.user = rest.next(),
            "-d" => given.dbname = rest.next(),
            _ => given.words.push(argument),
        }
    }
    given
}

/// Variables of the test's own, files of the real file system.
struct Made(Vec<(String, String)>);

impl Surroundings for Made {
    fn variable(&self, name: &str) -> Option<String> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }

    fn user(&self) -> Option<String> {
        Process.user()
    }

    fn facts(&self, path: &Path) -> io::Result<FileFacts> {
        Process.facts(path)
    }

    fn read(&self, path: &Path) -> io::Result<String> {
        Process.read(path)
    }
}

/// Speaks just enough of the protocol: no TLS, a password in the clear, and then a refusal.
fn answer(mut stream: impl Read + Write, door: &str, heard: &Heard) -> io::Result<()> {
    let note = |what: String| heard.lock().unwrap().push(format!("{door}: {what}"));
    loop {
        let packet = packet(&mut stream)?;
        match packet.first_chunk::<4>().map(|code| u32::from_be_bytes(*code)) {
            Some(80_877_103) => {
                note("asked for TLS".to_owned());
                stream.write_all(b"N")?;
            }
            Some(80_877_104) => stream.write_all(b"N")?,
            _ => {
                note(wanted(&packet));
                break;
            }
        }
    }
    stream.write_all(b"R\0\0\0\x08\0\0\0\x03")?;
    let mut kind = [0];
    stream.read_exact(&mut kind)?;
    let password = packet(&mut stream)?;
    note(format!("password {}", String::from_utf8_lossy(&password).trim_end_matches('\0')));
    let refusal = b"SFATAL\0VFATAL\0C28P01\0Mno\0\0";
    stream.write_all(b"E")?;
    stream.write_all(&u32::try_from(refusal.len() + 4).unwrap().to_be_bytes())?;
    stream.write_all(refusal)
}

fn packet(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let mut body = vec![0; u32::from_be_bytes(length) as usize - 4];
    stream.read_exact(&mut body)?;
    Ok(body)
}

/// `user`, `database` and `options` of a start-up packet.
fn wanted(packet: &[u8]) -> String {
    let texts: Vec<_> = packet[4..].split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
    let mut pairs: Vec<_> = texts
        .chunks_exact(2)
        .filter(|pair| ["user", "database", "options"].contains(&pair[0].as_ref()))
        .map(|pair| format!("{}={}", pair[0], pair[1]))
        .collect();
    pairs.sort();
    pairs.join(" ")
}
