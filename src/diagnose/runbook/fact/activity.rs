//! Facts of the server as a whole, over the last minutes: transactions that were undone, deadlocks, temporary files.

use super::super::super::io::{self, Flow, Rate};
use super::super::super::rule::Look;
use super::super::super::server::{LEAST_S, RECENT_S};
use super::super::super::span::{Span, Sum};
use super::super::super::words::of_i64;
use super::{Known, Unknown, Value, fresh};
use crate::model::ServerText;
use crate::model::activity::Part;
use crate::model::unit::Age;

/// Older answers, in seconds, are none of now.
const LATE_S: f64 = 120.0;

/// Transactions from which on a share of them says anything.
const LEAST_TRANSACTIONS: f64 = 20.0;

fn recent<'a>(look: &Look<'a>) -> Result<Span<'a>, Unknown> {
    fresh(&look.world.activity, look, LATE_S)?;
    Span::last(look, RECENT_S).ok_or_else(|| Unknown::of("only one look so far", ""))
}

/// What came together over a span that is long enough.
fn long(of: f64, seconds: f64) -> Result<f64, Unknown> {
    if seconds < LEAST_S {
        let why = format!("too short a past: {} of {}", Age(seconds).short(), Age(LEAST_S).short());
        return Err(Unknown::of(why, ""));
    }
    Ok(of)
}

fn within(seconds: f64) -> String {
    format!("in the last {}", Age(seconds).short())
}

pub fn rollback_share(look: &Look<'_>) -> Known {
    let span = recent(look)?;
    let undone = span.figure(|d| d.databases.as_ref().map(|d| of_i64(d.rollbacks)));
    let all = span.figure(|d| d.databases.as_ref().map(|d| of_i64(d.commits.saturating_add(d.rollbacks))));
    let transactions = long(all.of, all.seconds)?;
    if transactions < LEAST_TRANSACTIONS {
        return Err(Unknown::of("too few transactions to tell", ""));
    }
    Ok(Value::of(undone.of / transactions, span.seen).note(within(all.seconds)))
}

pub fn deadlocks(look: &Look<'_>) -> Known {
    let span = recent(look)?;
    let (Sum { of, seconds }, database) = span.trouble(|t| t.deadlocks);
    let count = long(of_i64(of.deadlocks), seconds)?;
    let place = database.map_or_else(String::new, |name| format!(", most in {}", name.head(40)));
    Ok(Value::of(count, span.seen).note(format!("{}{place}", within(seconds))))
}

pub fn temporary_files(look: &Look<'_>) -> Known {
    let span = recent(look)?;
    let (Sum { of, seconds }, database) = span.trouble(|t| t.temp_bytes);
    let written = long(of_i64(of.temp_bytes), seconds)?;
    let place = database.map_or_else(String::new, |name| format!(", most in {}", name.head(40)));
    Ok(Value::of(written, span.seen).note(format!("{}{place}", within(seconds))))
}

/// One direction of what the processes read and write, with who does most of it.
fn flow(look: &Look<'_>, of: fn(&Rate) -> Flow) -> Known {
    let (activity, _) = fresh(&look.world.activity, look, LATE_S)?;
    if let Part::Failed(error) = &activity.io {
        return Err(Unknown::of(ServerText::new(error.to_string()).head(120), ""));
    }
    if activity.io.rows().is_empty() {
        return Err(Unknown::of("PostgreSQL counts it from 16 on", ""));
    }
    let (rates, seen) = io::rates(look).ok_or_else(|| Unknown::of("only one look so far", ""))?;
    let all = rates.iter().map(|rate| of(rate).bytes).sum();
    Ok(Value::of(all, seen).note(io::most(&rates, of)))
}

pub fn bytes_read(look: &Look<'_>) -> Known {
    flow(look, |rate| rate.read)
}

pub fn bytes_written(look: &Look<'_>) -> Known {
    flow(look, |rate| rate.written)
}
