//! The variables of a panel's expression: `$name` or `${name}`.
//!
//! It fills in text and judges no PromQL; whether an expression means anything is the server's to say.

/// Every variable that an expression may use.
pub(super) const NAMES: [&str; 8] =
    ["job", "postgres_job", "prefix", "pool_max", "window", "host_window", "span", "step"];

/// Those that come from the settings and may be unset.
pub(super) const SETTINGS: [&str; 3] = ["job", "postgres_job", "pool_max"];

/// What fills the variables in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variables {
    /// `$job`: a regular expression over the service's `job`; every job while unset.
    pub job: Option<String>,
    /// `$postgres_job`: the same for the exporter of the PostgreSQL server.
    pub postgres_job: Option<String>,
    /// `$prefix`: how the service's metric names begin.
    pub prefix: String,
    /// `$pool_max`: connections that one instance of the service may open; no server exports it.
    pub pool_max: Option<u32>,
    /// `$window`: seconds that a rate looks back.
    pub window_s: u32,
    /// `$host_window`: seconds that a rate of a host's exporter looks back; it may be scraped less often than the service.
    pub host_window_s: u32,
    /// `$span`: seconds on the time axis.
    pub span_s: u32,
    /// `$step`: seconds between two points.
    pub step_s: u32,
}

/// An expression could not be filled in: this setting is not set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not set")]
pub struct Unset(pub String);

impl Variables {
    /// True where the setting of that name has a value.
    #[must_use]
    pub fn has(&self, setting: &str) -> bool {
        match setting {
            "job" => self.job.is_some(),
            "postgres_job" => self.postgres_job.is_some(),
            "pool_max" => self.pool_max.is_some(),
            _ => false,
        }
    }

    fn value(&self, name: &str) -> Option<String> {
        match name {
            "job" => Some(quoted(self.job.as_deref().unwrap_or(".*"))),
            "postgres_job" => Some(quoted(self.postgres_job.as_deref().unwrap_or(".*"))),
            "prefix" => Some(self.prefix.clone()),
            "pool_max" => self.pool_max.map(|n| n.to_string()),
            "window" => Some(format!("{}s", self.window_s)),
            "host_window" => Some(format!("{}s", self.host_window_s)),
            "span" => Some(format!("{}s", self.span_s)),
            "step" => Some(format!("{}s", self.step_s)),
            _ => None,
        }
    }
}

/// Fills every variable in.
///
/// # Errors
/// A variable has no value: its setting is unset, or there is no such variable.
pub fn render(expr: &str, variables: &Variables) -> Result<String, Unset> {
    let mut unset = None;
    let text = substitute(expr, |name| {
        let value = variables.value(name);
        if value.is_none() && unset.is_none() {
            unset = Some(Unset(name.to_owned()));
        }
        value
    });
    unset.map_or(Ok(text), Err)
}

/// The names of the variables that an expression uses.
pub(super) fn used(expr: &str) -> Vec<String> {
    let mut names = Vec::new();
    let _ = substitute(expr, |name| {
        names.push(name.to_owned());
        None
    });
    names
}

/// Replaces each variable that `value` knows; the others stay as they are. A `$` with no name behind it is a `$`: the
/// end of a regular expression, or the group `$1`.
pub(super) fn substitute(expr: &str, mut value: impl FnMut(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(expr.len());
    let mut rest = expr.chars().peekable();
    while let Some(c) = rest.next() {
        if c != '$' {
            out.push(c);
            continue;
        }
        let braced = rest.peek() == Some(&'{');
        if braced {
            rest.next();
        }
        let mut name = String::new();
        while let Some(c) = rest.peek().copied() {
            let fits = if braced {
                c != '}'
            } else if name.is_empty() {
                c.is_ascii_alphabetic() || c == '_'
            } else {
                c.is_ascii_alphanumeric() || c == '_'
            };
            if !fits {
                break;
            }
            name.push(c);
            rest.next();
        }
        if braced {
            rest.next();
        }
        if name.is_empty() && !braced {
            out.push('$');
        } else if let Some(value) = value(&name) {
            out.push_str(&value);
        } else {
            out.push_str("${");
            out.push_str(&name);
            out.push('}');
        }
    }
    out
}

/// A value as it may stand between PromQL's double quotes.
fn quoted(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables() -> Variables {
        Variables {
            job: Some("shop".into()),
            postgres_job: None,
            prefix: "fraiseql".into(),
            pool_max: None,
            window_s: 60,
            host_window_s: 240,
            span_s: 900,
            step_s: 10,
        }
    }

    #[test]
    fn names_are_filled_in_with_and_without_braces() {
        let text = render(r#"rate(${prefix}_x_total{job=~"$job"}[$window])"#, &variables()).unwrap();
        assert_eq!(text, r#"rate(fraiseql_x_total{job=~"shop"}[60s])"#);
    }

    #[test]
    fn a_dollar_without_a_name_stays() {
        let text = render(r#"label_replace(x{p=~"a$"}, "to", "$1", "from", "(.*)")"#, &variables()).unwrap();
        assert_eq!(text, r#"label_replace(x{p=~"a$"}, "to", "$1", "from", "(.*)")"#);
    }

    #[test]
    fn a_setting_that_is_not_set_is_named() {
        assert_eq!(render("x / $pool_max", &variables()), Err(Unset("pool_max".into())));
        let set = Variables { pool_max: Some(20), ..variables() };
        assert_eq!(render("x / $pool_max", &set).as_deref(), Ok("x / 20"));
    }

    #[test]
    fn an_unset_job_is_every_job() {
        let any = Variables { job: None, ..variables() };
        assert_eq!(render(r#"up{job=~"$job"}"#, &any).as_deref(), Ok(r#"up{job=~".*"}"#));
    }

    #[test]
    fn a_job_cannot_leave_its_quotes() {
        let hostile = Variables { job: Some(r#"a"} or up{b="\d"#.into()), ..variables() };
        assert_eq!(render(r#"x{job=~"$job"}"#, &hostile).unwrap(), r#"x{job=~"a\"} or up{b=\"\\d"}"#);
    }

    #[test]
    fn unknown_names_are_listed_and_an_open_brace_ends_nothing_silently() {
        assert_eq!(used("$job ${nope} ${open"), ["job", "nope", "open"]);
    }
}
