//! The road to real servers, which each test starts for itself and removes: TLS and host lists beside psql, and what
//! becomes of a session when the server is late, ends it, or dies.

mod cluster;
mod hosts;
pub mod programs;
mod session;
mod tls;

/// A server, or a loud word that there is none to be had.
fn server() -> Option<cluster::Cluster> {
    let found = cluster::Cluster::start();
    if found.is_none() {
        assert!(std::env::var_os("PGTRIAGE_LAB").is_none(), "PGTRIAGE_LAB is set, so a PostgreSQL must be there");
        eprintln!("SKIPPED: there is no PostgreSQL to start");
    }
    found
}
