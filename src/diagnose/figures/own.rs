//! The road to the server: what our own questions cost by question, the times that were not seen, and a restart.

use super::{Figure, line, title};
use crate::diagnose::finding::FindingKey;
use crate::diagnose::rule::Look;
use crate::diagnose::words::{counted, percent};
use crate::model::restart::Cause;
use crate::model::seconds_between;
use crate::model::unit::Age;

pub(super) fn cost(look: &Look<'_>, _: &FindingKey) -> Vec<Figure> {
    let known_s = look.world.own_cost_known_s(look.now);
    if known_s <= 0.0 {
        return Vec::new();
    }
    let mut lines = vec![
        title("what the server was asked by this console"),
        line("within", format!("the last {}", Age(known_s).short())),
        line("in all", format!("{:.0} ms of each second", look.world.own_cost_ms_per_s(look.now))),
    ];
    for one in look.world.own_cost_by_question(look.now) {
        lines.push(line(
            "question",
            format!(
                "{}: {} in {:.0} ms, the longest {:.0} ms, {} of that time",
                one.what,
                counted(one.answers, "answer"),
                one.ms,
                one.longest_ms,
                percent(one.ms / 1000.0 / known_s.max(2.0))
            ),
        ));
    }
    lines
}

pub(super) fn gaps(look: &Look<'_>, _: &FindingKey) -> Vec<Figure> {
    let mut lines: Vec<Figure> = look
        .history
        .gaps()
        .rev()
        .take(super::MOST_ROWS)
        .map(|(from, to)| {
            let long = Age(seconds_between(*from, *to)).short();
            let ago = Age(seconds_between(*to, look.now)).short();
            let (from, to) = (from.strftime("%H:%M:%SZ"), to.strftime("%H:%M:%SZ"));
            line("not seen", format!("{from} to {to}: {long}, ended {ago} ago"))
        })
        .collect();
    if lines.is_empty() {
        return lines;
    }
    lines.insert(0, title("times in which the sessions were not seen, the newest first"));
    super::rest(look.history.gaps().count(), &mut lines);
    let beats = look.history.beats();
    let took: Vec<f64> = beats.map(|(_, beat)| beat.took_ms).filter(|ms| ms.is_finite()).collect();
    let longest = took.iter().copied().fold(0.0, f64::max);
    lines.push(line("seen", format!("{} in the last half hour", counted(took.len(), "time"))));
    lines.push(line("answer", format!("the longest took {longest:.0} ms")));
    lines
}

pub(super) fn restarted(look: &Look<'_>, _: &FindingKey) -> Vec<Figure> {
    let Some(restart) = look.world.life.restart() else { return Vec::new() };
    let what = match restart.cause {
        Cause::Start => "the postmaster is another one: the server was stopped, or died, and was started",
        Cause::Crash => "the postmaster is the same, and the checkpointer another one: a process crashed",
    };
    let mut lines = vec![
        title("the server's life"),
        line("seen by", what),
        line("seen at", restart.seen.strftime("%H:%M:%SZ").to_string()),
        line("runs for", Age(restart.age_s + seconds_between(restart.seen, look.now)).exact()),
        line("ran before", Age(restart.before_s).exact()),
    ];
    if let Some((sessions, _)) = look.sessions() {
        let clients = sessions.rows.iter().filter(|s| s.is_client()).count();
        lines.push(line("clients", format!("{} since then", counted(clients, "session"))));
    }
    lines
}
