//! Three roles look at one server at one time: who sees less finds no more, and not otherwise; and what is missing is
//! covered by a line that says so, with the GRANT that cures it. It must not test sentences of findings.
use super::asking::{Asking, by, client, run};
use crate::lab::{Lab, PRIMARY, Wanted};
use crate::stage::Stage;
use pgtriage::diagnose::{Finding, FindingKey, Kind};
use pgtriage::message::Event;
use pgtriage::model::Question;
use pgtriage::model::relation::RelationOrder;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio_postgres::Client;

/// What findings of the server come from.
fn questions() -> Vec<Question> {
    vec![Question::Server, Question::Sessions, by(RelationOrder::Dead), Question::Replication, Question::Activity]
}

/// What a role finds, after two looks at everything.
async fn looked(uri: &str) -> Stage {
    let asked = questions();
    let mut asking = Asking::of(uri, &asked);
    // No Prometheus was named: the service is not looked at.
    let mut stage = Stage::with(|setup| (setup.prometheus, setup.limits.horizon) = (None, 1.0)).up();
    let mut looks: BTreeMap<String, usize> = BTreeMap::new();
    while looks.len() < asked.len() || looks.values().any(|n| *n < 2) {
        if let pgtriage::probe::Report::Sample(sample) = asking.report().await {
            assert!(sample.answer.is_ok(), "{:?}: {:?}", sample.question, sample.answer);
            *looks.entry(format!("{:?}", sample.question)).or_default() += 1;
            stage.event(Event::Sample(sample));
        }
    }
    stage
}

/// Kinds that a moment decides, or our own looking.
const OF_THE_MOMENT: [Kind; 3] = [Kind::OwnCost, Kind::Gap, Kind::Waits];

fn findings(stage: &Stage) -> BTreeMap<FindingKey, Finding> {
    let found = stage.app.triage.diagnosis.findings.iter().filter(|f| !OF_THE_MOMENT.contains(&f.kind()));
    found.map(|f| (f.key.clone(), f.clone())).collect()
}

/// The figures of a sentence but for its ages (`12m`, `0.4s`), which differ between two looks: `37`, `4711`, `77`, `41k`.
fn figures(text: &str) -> Vec<f64> {
    let figure = |word: &str| {
        let word = word.trim_matches(|c: char| matches!(c, ',' | ')' | '(' | ':'));
        let (digits, times) = word.strip_suffix('k').map_or((word, 1.0), |digits| (digits, 1000.0));
        Some(digits.parse::<f64>().ok()? * times)
    };
    text.split(' ').filter_map(figure).collect()
}

/// The cure that a role needs to see what such a finding rests on.
fn is_covered(stage: &Stage, role: &str, kind: Kind) -> bool {
    let cures: &[&str] = if kind == Kind::Bloat {
        &["GRANT pg_read_all_data TO ", "GRANT SELECT on them TO "]
    } else {
        &["GRANT pg_monitor TO "]
    };
    let unchecked = &stage.app.triage.diagnosis.unchecked;
    cures.iter().any(|cure| unchecked.iter().any(|u| u.cure == format!("{cure}{role}")))
}

/// True where the lesser role's finding has no figure that the other's has not.
fn agrees(less: &Finding, more: &Finding) -> bool {
    let others = figures(&more.fact);
    figures(&less.fact).iter().all(|a| others.iter().any(|b| (a - b).abs() < f64::EPSILON))
}

/// What the server is in.
#[derive(Clone, Copy, Debug)]
enum Situation {
    /// A scenario of the lab.
    Scenario(&'static str),
    /// Dead rows that a transaction keeps, in a table that nobody writes to any more: of the lab's, which is churned, no two
    /// looks are the same.
    Held,
}

/// Holds the horizon, and leaves two dead rows for each cart; no vacuum counts them anew.
async fn held(lab: &Lab, admin: &Client) -> Client {
    run(admin, "ALTER SYSTEM SET autovacuum_naptime = '1d'").await;
    run(admin, "SELECT pg_reload_conf()").await;
    let reporter = client(&lab.uri("reporting")).await;
    run(&reporter, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM orders").await;
    for _ in 0..2 {
        run(admin, "UPDATE carts SET updated_at = now()").await;
    }
    // A session's counts arrive when it has done the next thing, some time later.
    let dead = "SELECT pg_stat_get_dead_tuples('carts'::regclass)";
    let give_up = Instant::now() + Duration::from_secs(20);
    while admin.query_one(dead, &[]).await.expect(dead).get::<_, i64>(0) < 20_000 {
        assert!(Instant::now() < give_up, "they never arrive");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    reporter
}

async fn in_situation(major: u32, situation: Situation, expected: &[Kind]) {
    let Some(mut lab) = Lab::start(Wanted { postgres: Some(major), ..PRIMARY }) else {
        return;
    };
    let admin = client(&lab.uri("postgres")).await;
    // What is only to be seen by who may read the statistics of a table.
    run(&admin, "ANALYZE").await;
    let _held = match situation {
        Situation::Scenario(name) => {
            lab.command(&format!("scenario {name}"));
            None
        }
        Situation::Held => Some(held(&lab, &admin).await),
    };
    // Until the situation has grown old enough to be a finding.
    tokio::time::sleep(Duration::from_secs(4)).await;
    let (most, monitor, plain) = tokio::join!(
        Box::pin(looked_as(&lab, "postgres")),
        Box::pin(looked_as(&lab, "monitor")),
        Box::pin(looked_as(&lab, "plain"))
    );
    for kind in expected {
        assert!(most.kinds().contains(kind), "{situation:?} on {major}: {:?}", most.kinds());
    }
    for (role, less, more) in [("monitor", &monitor, &most), ("plain", &plain, &monitor)] {
        let (seen, all) = (findings(less), findings(more));
        for (key, finding) in &seen {
            let other =
                all.get(key).unwrap_or_else(|| panic!("{role} alone finds {finding:#?} in {situation:?} on {major}"));
            assert!(agrees(finding, other), "{situation:?} on {major}: {role}: {finding:#?}\nbut {other:#?}");
        }
        for (key, finding) in all.iter().filter(|(key, _)| !seen.contains_key(key)) {
            let unchecked = &less.app.triage.diagnosis.unchecked;
            assert!(
                is_covered(less, role, key.kind),
                "{role} misses {finding:#?} in {situation:?} on {major}: {unchecked:#?}"
            );
        }
        eprintln!("{major} {situation:?}: {role} finds {} of {}: {:?}", seen.len(), all.len(), less.kinds());
    }
    // A role without rights is told so, whatever it finds.
    assert!(is_covered(&plain, "plain", Kind::Blocker), "{:#?}", plain.app.triage.diagnosis.unchecked);
    lab.command("calm");
}

async fn looked_as(lab: &Lab, role: &str) -> Stage {
    let stage = looked(&lab.uri(role)).await;
    let server = stage.app.live().server.get().expect("who the server is");
    assert_eq!(server.user.raw(), role);
    stage
}

async fn three_roles(major: u32) {
    Box::pin(in_situation(major, Situation::Scenario("calm"), &[])).await;
    Box::pin(in_situation(major, Situation::Scenario("lock-pileup"), &[Kind::Blocker])).await;
    Box::pin(in_situation(major, Situation::Held, &[Kind::Horizon, Kind::DeadRows])).await;
}

#[tokio::test]
async fn three_roles_see_one_truth_on_13() {
    Box::pin(three_roles(13)).await;
}

#[tokio::test]
async fn three_roles_see_one_truth_on_15() {
    Box::pin(three_roles(15)).await;
}

#[tokio::test]
async fn three_roles_see_one_truth_on_18() {
    Box::pin(three_roles(18)).await;
}
