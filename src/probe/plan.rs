//! The plan of a statement that somebody else wrote: whether it may be asked for, the asking, and what an error means.
//!
//! **It must never run the statement, nor give its author a right that they do not have.** Without `ANALYZE` nothing is
//! executed, but planning itself runs functions: immutable ones on constants, stable ones for estimates and to prune
//! partitions, an operator's on values of the statistics; in views, policies and operators as well as in the text; and
//! with the rights of whoever plans. `SET ROLE` is no wall, since such a function may `RESET ROLE`. A check of all
//! functions that a text reaches would be one too late: they may be replaced between the check and the plan. So the rule
//! is about us, and does not depend on what the text says: **a plan is made only as a role from which such a function
//! gains nothing that outlives the transaction**, which only reads and is rolled back. That is no superuser, no
//! REPLICATION, no member of a role that signals, reaches files or programs, or locks every table, and nobody who was
//! granted a function that the public may not call. Whoever has more names a role without (`plan_user`) on whose login
//! plans alone are made, held to the same rule; or gets the SQL to run where they think it right.
//!
//! What is left is told before a plan of another role's statement is made: such a function can read what the role can
//! read that it is planned as, and can hold one backend for as long as it likes, as its author could without us.
//!
//! Names are looked up as for the author: along the `search_path` that a setting gives that role, with `$user` as it. A
//! `SET` of the author's own session is not known here.

mod rights;

use std::collections::BTreeSet;

use crate::model::plan::one::One;
use crate::model::plan::{self, Node, Plan, PlanOf, TableSize, Values};
use crate::model::{ProbeError, ServerText};
use crate::postgres::{Rows, needs_password};

use super::row::{first, rows_of};
use super::seat::{Refusal, Seat, optional};
use super::sql::{self, Value, identifier, literal};
use rights::{Asked, tables};

/// Settings that are told elsewhere, or that are ours.
const TOLD: [&str; 2] = ["search_path", "plan_cache_mode"];

/// Who asks, and with what rights a stranger's function would run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// Our role.
    pub role: ServerText,
    /// The database that the seat is in.
    pub database: ServerText,
    /// What such a function could do harm with: roles and functions. Empty: nothing.
    pub beyond: Vec<String>,
}

/// Asks for the plan of one statement in the database that the seat is in.
///
/// # Errors
/// [`ProbeError::Absent`] where the text has no plan or our role may do too much to make one, [`ProbeError::Locked`] with
/// who holds the lock, [`ProbeError::Denied`] with the `GRANT`.
pub async fn ask(seat: &mut Seat, of: &PlanOf) -> Result<Plan, ProbeError> {
    let one = One::of(of.text.raw()).map_err(|unfit| ProbeError::Absent(unfit.to_string()))?;
    let reach = read_reach(&seat.ask(sql::PLAN_REACH, &[]).await?)?;
    if let Some(refusal) = refusal(&reach) {
        return Err(ProbeError::Absent(refusal));
    }
    // What is prepared outlives a transaction, and behind a pooler it would be another client's.
    if one.parameters > 0 && seat.facts().pooled {
        return Err(ProbeError::Absent(
            "a statement with parameters must be prepared to be planned, and this connection goes through a pooler, where what \
             is prepared would be left to another client: connect to the server itself"
                .to_owned(),
        ));
    }
    let (search_path, taking) = search_path(seat, of.author.as_ref(), &reach.role).await?;
    let answer = match seat.plan(taking.into_iter().chain(one.asking()).collect()).await {
        Ok(rows) => plan::read(first(&rows)?.text("QUERY PLAN")?.unwrap_or_default()).map_err(ProbeError::Shape)?,
        Err(error) => {
            let asked = Asked { of, one: &one, role: &reach.role, path: &search_path };
            return Err(asked.explained(seat, error).await);
        }
    };
    let mut names = BTreeSet::new();
    relations(&answer.root, &mut names);
    let sizes = optional(tables(seat, names, &[], None).await)?.map(|rows| read_sizes(&rows)).transpose()?;
    Ok(Plan {
        root: answer.root,
        values: if one.parameters == 0 { Values::Literal } else { Values::Generic },
        settings: answer.settings.into_iter().filter(|(name, _)| !TOLD.contains(&name.as_str())).collect(),
        planning_ms: answer.planning_ms,
        role: reach.role,
        database: reach.database,
        search_path,
        major: seat.major(),
        sizes: sizes.unwrap_or_default(),
    })
}

/// Reads the answer to `plan_reach.sql`.
///
/// # Errors
/// [`ProbeError::Shape`] where a column is missing.
pub fn read_reach(rows: &Rows) -> Result<Reach, ProbeError> {
    let mut reach = Reach { role: ServerText::default(), database: ServerText::default(), beyond: Vec::new() };
    let mut superuser = false;
    for row in rows_of(rows) {
        let name = row.shown("name")?.unwrap_or_default();
        match row.text("kind")? {
            Some("self") => reach.role = name,
            Some("database") => reach.database = name,
            Some("superuser") => superuser = true,
            Some("replication") => reach.beyond.push(format!("REPLICATION of {}", name.raw())),
            Some("role") => reach.beyond.push(name.raw().to_owned()),
            Some("function") => reach.beyond.push(format!("the right to call {}", name.raw())),
            other => return Err(ProbeError::Shape(format!("kind = {other:?}"))),
        }
    }
    if superuser {
        // A superuser is a member of all of them.
        reach.beyond = vec!["all that a superuser may".to_owned()];
    }
    Ok(reach)
}

/// Why no plan is made with these rights, in words.
#[must_use]
pub fn refusal(reach: &Reach) -> Option<String> {
    let (shown, more) = (reach.beyond.get(..3).unwrap_or(&reach.beyond), reach.beyond.len().saturating_sub(3));
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!shown.is_empty()).then(|| {
        format!(
            "not planned as {}: planning runs functions that others wrote, and here they would have {}{more}. Make a role \
             without such rights and name it as plan_user (in the config file, or --plan-user): CREATE ROLE oncall_plan \
             LOGIN; GRANT USAGE ON SCHEMA public TO oncall_plan; GRANT SELECT ON ALL TABLES IN SCHEMA public TO oncall_plan",
            reach.role.raw(),
            shown.join(", ")
        )
    })
}

/// Why plans have no login of their own, with what cures that: `user` is who they are made as, by the settings.
#[must_use]
pub fn barred(refusal: Refusal, user: &str) -> ProbeError {
    let ProbeError::Unreachable(words) = refusal.error else { return refusal.error };
    if needs_password(&refusal.cause) {
        return ProbeError::Absent(format!(
            "plan_user {user} needs a password: put it into ~/.pgpass, or into a file that plan_password_file names; that of \
             the console's own role is never sent for it"
        ));
    }
    // The network's words, or those of TLS.
    let Some(server) = refusal.cause.server() else {
        return ProbeError::Unreachable(format!("as plan_user {user}: {words}"));
    };
    let cure = match server.sqlstate.as_str() {
        "28P01" => format!(
            ". There is no such role, or plan_user {user} has another password than PGTRIAGE_PLAN_PASSWORD, \
             plan_password_file or ~/.pgpass said when the console started"
        ),
        // Peer and certificate, a role without LOGIN, no line in pg_hba.conf or one that rejects: all are 28000, and their
        // words may be in any language.
        state if state.starts_with("28") => format!(
            ". {user} must be a role that may log in (CREATE ROLE … LOGIN), and pg_hba.conf must let it in from here: by \
             scram-sha-256, say, since peer, ident and cert let in only whom pg_ident.conf maps to it"
        ),
        _ => String::new(),
    };
    let message = format!("the server did not let plan_user {user} in: {}{cure}", server.message);
    ProbeError::Refused { code: server.sqlstate.clone(), message }
}

/// Along which path names are looked up for a statement of `author`, and the statements that set it for a transaction.
async fn search_path(
    seat: &mut Seat,
    author: Option<&ServerText>,
    role: &ServerText,
) -> Result<(ServerText, Vec<String>), ProbeError> {
    let shown = seat.plan(vec!["SHOW search_path".to_owned()]).await?;
    let usual = first(&shown)?.plain("search_path")?.unwrap_or_default();
    let Some((author, name)) = author.filter(|a| *a != role).and_then(|a| Some((a.raw(), identifier(a.raw())?))) else {
        return Ok((usual, Vec::new()));
    };
    let given = optional(seat.ask(sql::PLAN_PATH, &[("author", Value::Text(author))]).await)?;
    let given = given.and_then(|rows| first(&rows).ok()?.plain("search_path").ok()?).unwrap_or(usual);
    let path = given.raw().replace("\"$user\"", &name);
    // Qualified: the path that it replaces may lead to another function of that name.
    let taking = literal(&path).map(|path| format!("SELECT pg_catalog.set_config('search_path', {path}, true)"));
    Ok((path.as_str().into(), taking.into_iter().collect()))
}

fn relations(node: &Node, into: &mut BTreeSet<String>) {
    // Names and schemas: both must be among the words.
    if let (Some(schema), Some(name)) = (&node.schema, &node.relation) {
        into.extend([schema.raw().to_owned(), name.raw().to_owned()]);
    }
    for input in &node.inputs {
        relations(input, into);
    }
}

fn read_sizes(rows: &Rows) -> Result<Vec<TableSize>, ProbeError> {
    let mut sizes = Vec::new();
    for row in rows_of(rows) {
        if let (Some(schema), Some(name), Some(bytes)) =
            (row.plain("schema")?, row.plain("name")?, row.number("bytes")?)
        {
            sizes.push(TableSize { schema, name, bytes });
        }
    }
    Ok(sizes)
}
