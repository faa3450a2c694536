//! `sslmode` beside psql: connected in the clear, connected with TLS, or refused, alike; and what the header may claim.

use super::cluster::Cluster;
use super::server;
use pgtriage::postgres::{
    ConnectError, FileFacts, Given, Lane, Process, SessionSettings, Surroundings, Tls, connect, needs_password, resolve,
};
use std::io;
use std::path::Path;

/// No variables and no home: a connection string is all there is.
struct Bare;

impl Surroundings for Bare {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn user(&self) -> Option<String> {
        None
    }

    fn facts(&self, path: &Path) -> io::Result<FileFacts> {
        Process.facts(path)
    }

    fn read(&self, path: &Path) -> io::Result<String> {
        Process.read(path)
    }
}

async fn dial(cluster: &Cluster, words: &str) -> Result<Tls, ConnectError> {
    let info = resolve(&Given { words: vec![spelled(cluster, words)], ..Given::default() }, &Bare).unwrap();
    let link = connect(&info, Lane::Fast, &SessionSettings::of(Lane::Fast, "alice")).await?;
    assert!(!link.facts().pooled);
    Ok(link.facts().tls)
}

fn spelled(cluster: &Cluster, words: &str) -> String {
    let mut words = format!("port={} dbname=postgres {words}", cluster.port);
    for name in ["ca", "stranger", "self", "client", "open"] {
        words = words.replace(&format!("{{{name}}}"), &cluster.path(name));
    }
    if !words.contains(" host") {
        words.push_str(" host=localhost hostaddr=127.0.0.1");
    }
    words
}

/// Whether psql connects, and with TLS or not.
fn psql(cluster: &Cluster, words: &str) -> Option<bool> {
    let question = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let output = cluster.psql(&spelled(cluster, words), question);
    output.status.success().then(|| output.stdout.starts_with(b"t"))
}

async fn compare(cluster: &Cluster, cases: &[(&str, Option<Tls>)]) {
    for (words, expected) in cases {
        let ours = dial(cluster, words).await;
        assert_eq!(ours.as_ref().ok(), expected.as_ref(), "{words}: {ours:?}");
        assert_eq!(psql(cluster, words), expected.map(|tls| tls != Tls::None), "psql differs: {words}");
    }
}

#[tokio::test]
async fn every_sslmode_connects_in_the_clear_with_tls_or_not_at_all_as_psql_does() {
    let Some(cluster) = server() else { return };
    let modes = [
        ("user=postgres", Some(Tls::Unverified)),
        ("user=postgres sslmode=disable", Some(Tls::None)),
        ("user=postgres sslmode=allow", Some(Tls::None)),
        ("user=tlsonly sslmode=allow", Some(Tls::Unverified)),
        ("user=tlsonly sslmode=disable", None),
        ("user=plainonly", Some(Tls::None)),
        ("user=plainonly sslmode=require", None),
        ("user=postgres sslmode=require", Some(Tls::Unverified)),
        ("user=postgres sslmode=require sslrootcert={ca}.crt", Some(Tls::Authority)),
        ("user=postgres sslmode=require sslrootcert={stranger}.crt", None),
        ("user=postgres sslmode=prefer sslrootcert={stranger}.crt", Some(Tls::None)),
        ("user=postgres sslmode=verify-ca sslrootcert={ca}.crt host=127.0.0.1", Some(Tls::Authority)),
        ("user=postgres sslmode=verify-ca sslrootcert={stranger}.crt", None),
        ("user=postgres sslmode=verify-ca sslrootcert=/nonexistent", None),
        ("user=postgres sslmode=verify-full sslrootcert={ca}.crt", Some(Tls::Verified)),
        ("user=postgres sslmode=verify-full sslrootcert={ca}.crt host=127.0.0.1", None),
        ("user=postgres sslmode=verify-full sslrootcert={ca}.crt hostaddr=127.0.0.1", None),
        ("user=postgres sslmode=require ssl_min_protocol_version=TLSv1.3", Some(Tls::Unverified)),
        ("user=postgres sslmode=require ssl_max_protocol_version=TLSv1.2", Some(Tls::Unverified)),
        ("user=certified sslmode=require", None),
        ("user=certified sslmode=require sslcert={client}.crt sslkey={client}.key", Some(Tls::Unverified)),
        ("user=certified sslmode=require sslcert={client}.crt sslkey={open}.key", None),
        ("user=certified sslmode=require sslcert={client}.crt sslkey=/nonexistent", None),
        ("user=postgres sslmode=require sslcert={stranger}.crt sslkey={stranger}.key", None),
        ("user=scram password=pencil sslmode=require channel_binding=require", Some(Tls::Unverified)),
        ("user=scram password=pencil sslmode=disable channel_binding=require", None),
        ("user=scram password=pencil sslmode=disable", Some(Tls::None)),
        ("user=scram password=wrong", None),
        ("user=scram", None),
    ];
    compare(&cluster, &modes).await;
    let socket = format!("host={} user=postgres sslmode=verify-full sslrootcert={{ca}}.crt", cluster.path(""));
    compare(&cluster, &[(&socket, Some(Tls::None))]).await;
}

#[tokio::test]
async fn the_certificates_that_postgresqls_own_documentation_makes_are_judged_as_psql_judges_them() {
    let Some(cluster) = server() else { return };
    cluster.present("named.crt", "named.key");
    compare(
        &cluster,
        &[
            ("user=postgres sslmode=verify-full sslrootcert={ca}.crt", Some(Tls::Verified)),
            ("user=postgres sslmode=verify-full sslrootcert={ca}.crt host=127.0.0.1", None),
        ],
    )
    .await;
    cluster.present("self.crt", "self.key");
    compare(
        &cluster,
        &[
            ("user=postgres sslmode=require", Some(Tls::Unverified)),
            ("user=postgres sslmode=verify-full sslrootcert={self}.crt", Some(Tls::Verified)),
            ("user=postgres sslmode=verify-full sslrootcert={self}.crt host=127.0.0.1", None),
            ("user=postgres sslmode=verify-ca sslrootcert={ca}.crt", None),
        ],
    )
    .await;
    cluster.present("version1.crt", "version1.key");
    compare(
        &cluster,
        &[
            ("user=postgres sslmode=require", Some(Tls::Unverified)),
            ("user=scram password=pencil sslmode=require channel_binding=require", Some(Tls::Unverified)),
        ],
    )
    .await;
    // Here OpenSSL is more lenient, and the reason says what to do.
    let refused = dial(&cluster, "user=postgres sslmode=verify-ca sslrootcert={ca}.crt").await.unwrap_err();
    assert!(refused.to_string().contains("version 1"), "{refused}");
}

#[tokio::test]
async fn a_refusal_says_which_kind_it_is_and_keeps_the_servers_words() {
    let Some(cluster) = server() else { return };
    let missing = dial(&cluster, "user=scram").await.unwrap_err();
    assert!(needs_password(&missing), "{missing}");
    let wrong = dial(&cluster, "user=scram password=wrong").await.unwrap_err();
    assert!(matches!(&wrong, ConnectError::Auth { server, .. } if server.sqlstate == "28P01"), "{wrong}");
    assert!(!needs_password(&wrong) && wrong.is_permanent());
    let database = dial(&cluster, "user=postgres dbname=nope").await.unwrap_err();
    assert!(matches!(&database, ConnectError::Server { server, .. } if server.sqlstate == "3D000"), "{database}");
    let stranger = dial(&cluster, "user=postgres sslmode=verify-ca sslrootcert={stranger}.crt").await.unwrap_err();
    assert!(matches!(&stranger, ConnectError::Tls { .. }), "{stranger}");
    let name =
        dial(&cluster, "user=postgres sslmode=verify-full sslrootcert={ca}.crt host=127.0.0.1").await.unwrap_err();
    assert!(name.to_string().contains("for another name"), "{name}");
    let closed = dial(&cluster, "user=postgres host=127.0.0.1 port=1").await.unwrap_err();
    assert!(matches!(closed, ConnectError::Refused { .. }), "{closed}");
    assert!(!closed.is_permanent());
}
