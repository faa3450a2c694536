//! Owns a throw-away PostgreSQL with TLS and a certificate authority of its own; it must leave nothing behind.

use super::programs::{self, is_root};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const HBA: &str = "local all all trust\n\
    hostssl all scram 127.0.0.1/32 scram-sha-256\n\
    hostssl all certified 127.0.0.1/32 cert\n\
    hostssl all tlsonly 127.0.0.1/32 trust\n\
    hostnossl all plainonly 127.0.0.1/32 trust\n\
    host all postgres 127.0.0.1/32 trust\n\
    host all scram 127.0.0.1/32 scram-sha-256\n";

pub struct Cluster {
    pub folder: tempfile::TempDir,
    pub port: u16,
    bin: PathBuf,
    psql: PathBuf,
    server: Child,
}

impl Cluster {
    /// Starts one, if there are programs to start.
    pub fn start() -> Option<Self> {
        let (bin, psql) = (programs::server()?, programs::psql()?);
        let folder = tempfile::tempdir().unwrap();
        own(folder.path());
        let data = folder.path().join("data");
        run(command(&bin, "initdb").args(["-A", "trust", "-U", "postgres", "-N", "-D"]).arg(&data));
        certificates(folder.path());
        std::fs::write(data.join("pg_hba.conf"), HBA).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut cluster = Self { server: serve(&bin, folder.path(), port), folder, port, bin, psql };
        cluster.await_ready();
        // 13 would keep an md5 hash, which SCRAM cannot use.
        cluster.sql("SET password_encryption = 'scram-sha-256'; CREATE ROLE scram LOGIN PASSWORD 'pencil'; CREATE ROLE certified LOGIN; CREATE ROLE tlsonly LOGIN; CREATE ROLE plainonly LOGIN");
        Some(cluster)
    }

    pub fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// Runs SQL through the socket, by psql's own road.
    pub fn sql(&self, sql: &str) -> String {
        let output =
            self.psql(&format!("host={} port={} user=postgres dbname=postgres", self.path(""), self.port), sql);
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// psql with a connection string and nothing else around it.
    pub fn psql(&self, conninfo: &str, sql: &str) -> std::process::Output {
        let mut command = Command::new(&self.psql);
        command.args(["-X", "-A", "-t", "-w", "-d", conninfo]);
        for statement in sql.split("; ") {
            command.args(["-c", statement]);
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.env_clear().env("PATH", path).env("HOME", self.folder.path()).output().unwrap()
    }

    /// Puts another certificate in place and has the server read it.
    pub fn present(&self, certificate: &str, key: &str) {
        for (from, to) in [(certificate, "live.crt"), (key, "live.key")] {
            std::fs::copy(self.path(from), self.path(to)).unwrap();
        }
        own_all(self.folder.path());
        self.sql("SELECT pg_reload_conf()");
        std::thread::sleep(Duration::from_millis(300));
    }

    /// `immediate`, `fast` or `smart`.
    pub fn stop(&mut self, mode: &str) {
        let data = self.folder.path().join("data");
        run(command(&self.bin, "pg_ctl").args(["stop", "-m", mode, "-D"]).arg(data));
        self.server.wait().unwrap();
    }

    pub fn start_again(&mut self) {
        self.server = serve(&self.bin, self.folder.path(), self.port);
        self.await_ready();
    }

    fn await_ready(&mut self) {
        let started = Instant::now();
        let conninfo = format!("host={} port={} user=postgres dbname=postgres", self.path(""), self.port);
        while !self.psql(&conninfo, "SELECT 1").status.success() {
            let log = || std::fs::read_to_string(self.path("log")).unwrap_or_default();
            assert!(started.elapsed() < Duration::from_secs(30), "the server does not come up: {}", log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.server.try_wait().is_ok_and(|status| status.is_none()) {
            self.stop("immediate");
        }
    }
}

fn serve(bin: &Path, folder: &Path, port: u16) -> Child {
    let log = std::fs::OpenOptions::new().create(true).append(true).open(folder.join("log")).unwrap();
    let at = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let mut server = command(bin, "postgres");
    server.arg("-D").arg(folder.join("data")).args(["-p", &port.to_string()]);
    let settings = [
        format!("unix_socket_directories={}", folder.to_str().unwrap()),
        "listen_addresses=127.0.0.1".to_owned(),
        "fsync=off".to_owned(),
        "ssl=on".to_owned(),
        format!("ssl_cert_file={}", at("live.crt")),
        format!("ssl_key_file={}", at("live.key")),
        format!("ssl_ca_file={}", at("ca.crt")),
    ];
    for setting in settings {
        server.arg("-c").arg(setting);
    }
    server.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap()
}

/// A program of the server; PostgreSQL refuses to run as root.
fn command(bin: &Path, name: &str) -> Command {
    let program = bin.join(name);
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]).arg(program).current_dir("/");
    command
}

fn own(path: &Path) {
    if is_root() {
        run(Command::new("chown").arg("postgres:postgres").arg(path));
        // The console's side of the test is another user.
        run(Command::new("chmod").arg("0755").arg(path));
    }
}

fn own_all(folder: &Path) {
    for name in ["live.crt", "live.key", "ca.crt"] {
        if is_root() {
            run(Command::new("chown").arg("postgres:postgres").arg(folder.join(name)));
        }
    }
    run(Command::new("chmod").arg("0600").arg(folder.join("live.key")));
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// An authority, a stranger's authority, a good server certificate, a client's, and the two that PostgreSQL's
/// documentation makes: self-signed with a common name only, and signed without extensions (version 1).
fn certificates(folder: &Path) {
    let script = r#"
        set -e
        ca() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=$1" -keyout "$2.key" -out "$2.crt" 2>/dev/null; }
        request() { openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$1" -keyout "$2.key" -out "$2.csr" 2>/dev/null; }
        sign() { openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -out "$1.crt" "${@:2}" 2>/dev/null; }
        ca authority ca; ca stranger stranger; ca localhost self
        printf 'subjectAltName=DNS:localhost\n' > san; printf 'basicConstraints=CA:FALSE\n' > nosan
        request localhost server; sign server -extfile san
        request localhost named; sign named -extfile nosan
        request localhost version1; sign version1
        request certified client; sign client -extfile nosan
        cp server.crt live.crt; cp server.key live.key
        cp client.key open.key; chmod 0600 *.key; chmod 0644 open.key
    "#;
    run(Command::new("bash").arg("-c").arg(script).current_dir(folder));
    own_all(folder);
}
