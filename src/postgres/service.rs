//! Owns `pg_service.conf`: where it is looked for and how a named service is read from it.
//!
//! It must not override what the user gave: a service only fills in what is still missing.

use super::conninfo::ConninfoError;
use super::params::Params;
use super::surroundings::Surroundings;
use std::path::{Path, PathBuf};

/// Where distributions compile libpq's `SYSCONFDIR` to: Debian and Ubuntu, PGDG's RPMs, Fedora's, and from source.
const SYSTEM_DIRECTORIES: &[&str] = &["/etc/postgresql-common", "/etc/sysconfig/pgsql", "/etc", "/usr/local/pgsql/etc"];

/// Fills in what the named service says and nobody said before.
///
/// # Errors
/// An unreadable file, a line that is no `key=value`, a nested service, a service defined nowhere: as libpq.
pub fn apply(service: &str, params: &mut Params, around: &dyn Surroundings) -> Result<(), ConninfoError> {
    let own = match around.variable("PGSERVICEFILE") {
        Some(file) => Some(PathBuf::from(file)),
        None => around.home().map(|home| home.join(".pg_service.conf")).filter(|file| around.facts(file).is_ok()),
    };
    if let Some(file) = own
        && read(&file, service, params, around)?
    {
        return Ok(());
    }
    let system = match around.variable("PGSYSCONFDIR") {
        Some(directory) => vec![PathBuf::from(directory)],
        None => SYSTEM_DIRECTORIES.iter().map(PathBuf::from).collect(),
    };
    let file = system.iter().map(|directory| directory.join("pg_service.conf")).find(|file| around.facts(file).is_ok());
    if let Some(file) = file
        && read(&file, service, params, around)?
    {
        return Ok(());
    }
    Err(ConninfoError::UnknownService(service.to_owned()))
}

/// Whether the file defines the service; if so its values are taken.
fn read(file: &Path, service: &str, params: &mut Params, around: &dyn Surroundings) -> Result<bool, ConninfoError> {
    let text = around.read(file).map_err(|_| ConninfoError::ServiceFileNotFound(file.to_owned()))?;
    let mut found = false;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(header) = line.strip_prefix('[') {
            if found {
                break;
            }
            found = header.strip_prefix(service).is_some_and(|rest| rest.starts_with(']'));
            continue;
        }
        if !found {
            continue;
        }
        let place =
            |what: &str| ConninfoError::ServiceFile { what: what.to_owned(), file: file.to_owned(), line: number + 1 };
        if line.starts_with("ldap") {
            return Err(place("LDAP lookups are not supported, found"));
        }
        let (name, value) = line.split_once('=').ok_or_else(|| place("syntax error"))?;
        if name == "service" {
            return Err(place("nested service specifications not supported"));
        }
        params.set_default(name, value).map_err(|_| place("syntax error"))?;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::super::surroundings::fake::Fake;
    use super::*;

    const FILE: &str = "# services\n[other]\nhost=nowhere\n\n[db]\n  host=db1  \nport=5433\n[db2]\nhost=late\n";

    fn applied(around: &Fake, service: &str) -> Result<Params, ConninfoError> {
        let mut params = Params::default();
        params.set("port", "1")?;
        apply(service, &mut params, around).map(|()| params)
    }

    #[test]
    fn a_service_fills_in_only_what_is_missing() {
        let around = Fake::default().file("/home/alice/.pg_service.conf", 0o644, FILE);
        let params = applied(&around, "db").expect("defined");
        assert_eq!(params.get("host"), Some("db1"));
        assert_eq!(params.get("port"), Some("1"));
    }

    #[test]
    fn the_system_file_answers_what_the_users_file_does_not_define() {
        let around = Fake::default()
            .file("/home/alice/.pg_service.conf", 0o644, "[mine]\nhost=here\n")
            .set("PGSYSCONFDIR", "/sys")
            .file("/sys/pg_service.conf", 0o644, FILE);
        assert_eq!(applied(&around, "db2").expect("defined").get("host"), Some("late"));
        assert_eq!(applied(&around, "mine").expect("defined").get("host"), Some("here"));
    }

    #[test]
    fn refusals_are_those_of_libpq() {
        let refusal = |around: Fake, service| applied(&around, service).expect_err("refused").to_string();
        assert_eq!(refusal(Fake::default(), "x"), r#"definition of service "x" not found"#);
        assert_eq!(refusal(Fake::default().set("PGSERVICEFILE", "/no"), "x"), r#"service file "/no" not found"#);
        let broken = |text| Fake::default().set("PGSERVICEFILE", "/f").file("/f", 0o644, text);
        assert_eq!(refusal(broken("[x]\nhost"), "x"), r#"syntax error in service file "/f", line 2"#);
        assert_eq!(refusal(broken("[x]\nhots=1"), "x"), r#"syntax error in service file "/f", line 2"#);
        assert_eq!(
            refusal(broken("[x]\nservice=y"), "x"),
            r#"nested service specifications not supported in service file "/f", line 2"#
        );
    }
}
