//! Owns `Endpoint`, one place to dial, and matches the lists of hosts, addresses and ports as libpq does.
//!
//! It must not resolve names: that happens at each dial, since an address may change between two.

use super::conninfo::ConninfoError;
use super::params::Params;
use super::password::Secret;
use super::surroundings::Surroundings;
use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// PostgreSQL's port.
pub const DEFAULT_PORT: u16 = 5432;

/// Debian's and Red Hat's socket directory, then the one of a build from source.
const SOCKET_DIRECTORIES: &[&str] = &["/var/run/postgresql", "/tmp"];

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A directory with a Unix socket in it.
    Socket(PathBuf),
    /// A name or a literal address, looked up when dialled.
    Name(String),
    /// `hostaddr`: no look-up; the name, if any, is for TLS and the password file.
    Address {
        /// What the certificate is compared with.
        name: Option<String>,
        /// Where the packets go.
        address: IpAddr,
    },
}

/// One place to dial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Where.
    pub place: Place,
    /// The port, which is also the socket's number.
    pub port: u16,
    /// The password that the password file has for it.
    pub password: Option<Secret>,
}

impl Endpoint {
    /// The host as libpq's `PQhost` gives it.
    #[must_use]
    pub fn host(&self) -> String {
        match &self.place {
            Place::Socket(directory) => directory.display().to_string(),
            Place::Name(name) | Place::Address { name: Some(name), .. } => name.clone(),
            Place::Address { name: None, address } => address.to_string(),
        }
    }

    /// What the certificate is compared with, and what is looked up in the password file.
    pub(super) fn name(&self) -> Option<&str> {
        match &self.place {
            Place::Socket(_) => None,
            Place::Name(name) => Some(name),
            Place::Address { name, .. } => name.as_deref(),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Socket(directory) => write!(f, "{}/.s.PGSQL.{}", directory.display(), self.port),
            Place::Address { name: None, address: IpAddr::V6(address) } => write!(f, "[{address}]:{}", self.port),
            Place::Name(name) if name.contains(':') => write!(f, "[{name}]:{}", self.port),
            Place::Name(_) | Place::Address { .. } => write!(f, "{}:{}", self.host(), self.port),
        }
    }
}

/// The first of libpq's socket directories that exists; without any, the loopback by name.
pub fn default_place(around: &dyn Surroundings) -> Place {
    SOCKET_DIRECTORIES
        .iter()
        .find(|directory| around.facts(Path::new(directory)).is_ok())
        .map_or_else(|| Place::Name("localhost".to_owned()), |directory| Place::Socket(PathBuf::from(directory)))
}

/// The endpoints that `host`, `hostaddr` and `port` name together.
///
/// # Errors
/// Lists that do not match, ports that are none, addresses that are none: libpq's refusals.
pub fn endpoints(params: &Params, around: &dyn Surroundings) -> Result<Vec<Endpoint>, ConninfoError> {
    let split = |name| params.filled(name).map(|list| list.split(',').collect::<Vec<_>>());
    let (hosts, addresses) = (split("host"), split("hostaddr"));
    if let (Some(hosts), Some(addresses)) = (&hosts, &addresses)
        && hosts.len() != addresses.len()
    {
        return Err(ConninfoError::HostsAndAddresses { hosts: hosts.len(), addresses: addresses.len() });
    }
    let count = addresses.as_ref().or(hosts.as_ref()).map_or(1, Vec::len);
    let ports = split("port").unwrap_or_else(|| vec![""]);
    if ports.len() != 1 && ports.len() != count {
        return Err(ConninfoError::PortsAndHosts { ports: ports.len(), hosts: count });
    }
    let pick = |list: &Option<Vec<&str>>, at: usize| -> Option<String> {
        list.as_ref().and_then(|list| list.get(at)).filter(|item| !item.is_empty()).map(|item| (*item).to_owned())
    };
    (0..count)
        .map(|at| {
            let port = ports.get(at).or(ports.first()).copied().unwrap_or_default();
            let place = match (pick(&hosts, at), pick(&addresses, at)) {
                (name, Some(address)) => {
                    let parsed = address.parse().map_err(|_| ConninfoError::InvalidAddress(address))?;
                    Place::Address { name, address: parsed }
                }
                (Some(name), None) if name.starts_with('/') => Place::Socket(PathBuf::from(name)),
                (Some(name), None) if name.starts_with('@') => {
                    return Err(ConninfoError::Unsupported { option: "host", value: name });
                }
                (Some(name), None) => Place::Name(name),
                (None, None) => default_place(around),
            };
            Ok(Endpoint { place, port: self::port(port)?, password: None })
        })
        .collect()
}

fn port(text: &str) -> Result<u16, ConninfoError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(DEFAULT_PORT);
    }
    let number: i64 = text.parse().map_err(|_| ConninfoError::NotANumber { option: "port", value: text.to_owned() })?;
    u16::try_from(number).ok().filter(|n| *n > 0).ok_or_else(|| ConninfoError::InvalidPort(text.to_owned()))
}

impl Endpoint {
    /// All that it is called: its name, its address or its socket's folder, and these with `:` and the port.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let names = match &self.place {
            Place::Name(name) => vec![name.clone()],
            Place::Address { name, address } => name.iter().cloned().chain([address.to_string()]).collect(),
            Place::Socket(folder) => vec![folder.to_string_lossy().into_owned()],
        };
        let with_port: Vec<String> = names.iter().map(|name| format!("{name}:{}", self.port)).collect();
        names.into_iter().chain(with_port).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::surroundings::fake::Fake;
    use super::*;

    fn listed(words: &str) -> Result<String, String> {
        let params = Params::from_words(words).map_err(|e| e.to_string())?;
        let around = Fake::default().file("/tmp", 0o777, "");
        let endpoints = endpoints(&params, &around).map_err(|e| e.to_string())?;
        Ok(endpoints.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn hosts_addresses_and_ports_are_matched_up() {
        assert_eq!(listed("").as_deref(), Ok("/tmp/.s.PGSQL.5432"));
        assert_eq!(listed("host=a,b port=1,2").as_deref(), Ok("a:1 b:2"));
        assert_eq!(listed("host=a,b,::1 port=7").as_deref(), Ok("a:7 b:7 [::1]:7"));
        assert_eq!(listed("host=a, port=1,").as_deref(), Ok("a:1 /tmp/.s.PGSQL.5432"));
        assert_eq!(listed("hostaddr=10.0.0.1,fe80::1").as_deref(), Ok("10.0.0.1:5432 [fe80::1]:5432"));
        assert_eq!(listed("host=a,b hostaddr=10.0.0.1,").as_deref(), Ok("a:5432 b:5432"));
    }

    #[test]
    fn refusals_are_those_of_libpq() {
        assert_eq!(listed("host=a,b port=1,2,3").unwrap_err(), "could not match 3 port numbers to 2 hosts");
        assert_eq!(
            listed("host=a hostaddr=1.1.1.1,2.2.2.2").unwrap_err(),
            "could not match 1 host names to 2 hostaddr values"
        );
        assert_eq!(listed("port=x").unwrap_err(), r#"invalid integer value "x" for connection option "port""#);
        assert_eq!(listed("port=70000").unwrap_err(), r#"invalid port number: "70000""#);
        assert_eq!(listed("hostaddr=db1").unwrap_err(), r#"could not parse network address "db1""#);
    }
}
