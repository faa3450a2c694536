//! pgbouncer in front of the primary, in transaction mode; it must not be in the way of anything else.
use crate::folder::Folder;
use crate::port;
use crate::process;
use anyhow::{Context, Result};
use std::path::Path;
use tokio::process::{Child, Command};

const ROLES: [&str; 7] = ["postgres", "plain", "monitor", "oncall", "shop_api", "shop_worker", "reporting"];

/// A running pgbouncer; the reaper ends it.
#[derive(Debug)]
pub struct Pooler {
    /// Its port on 127.0.0.1.
    pub port: u16,
    _child: Child,
}

impl Pooler {
    /// Starts it in front of the server on port `postgres`.
    pub async fn start(folder: &mut Folder, program: &Path, postgres: u16) -> Result<Self> {
        let port = port::free()?;
        let users: Vec<String> = ROLES.iter().map(|role| format!("\"{role}\" \"\"\n")).collect();
        let users = folder.write("pgbouncer-users", &users.concat())?;
        let settings = format!(
            "[databases]\nshop = host=127.0.0.1 port={postgres}\nbilling = host=127.0.0.1 port={postgres}\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = trust\n\
             auth_file = {}\nadmin_users = postgres\nstats_users = monitor, oncall\npool_mode = transaction\n\
             default_pool_size = 5\nmax_client_conn = 200\n",
            users.display()
        );
        let settings = folder.write("pgbouncer.ini", &settings)?;
        let mut command = Command::from(folder.command("pgbouncer", program)?);
        let child = command.arg(settings).spawn().context("pgbouncer")?;
        process::listening(port, process::PATIENCE, &folder.log("pgbouncer")).await?;
        Ok(Self { port, _child: child })
    }
}
