//! The plan of the statement that takes most of the time, as a server answers it.

use pgtriage::model::plan::{Plan, PlanOf, TableSize, Values, read};
use pgtriage::model::server::Rights;
use pgtriage::model::{ProbeError, Question, Snapshot};

use super::{Stage, server};

const HOT: &str = r#"[{
  "Plan": {
    "Node Type": "Limit", "Startup Cost": 88110.55, "Total Cost": 88112.30, "Plan Rows": 15, "Plan Width": 52, "Plans": [{
      "Node Type": "Nested Loop", "Parent Relationship": "Outer", "Join Type": "Left",
      "Startup Cost": 0.43, "Total Cost": 88112.30, "Plan Rows": 15, "Plan Width": 52, "Inner Unique": true, "Plans": [{
        "Node Type": "Seq Scan", "Parent Relationship": "Outer", "Relation Name": "orders", "Schema": "public", "Alias": "o",
        "Startup Cost": 0.0, "Total Cost": 71002.0, "Plan Rows": 1500, "Plan Width": 44,
        "Filter": "(o.status = $1)"
      }, {
        "Node Type": "Index Scan", "Parent Relationship": "Inner", "Scan Direction": "Forward", "Index Name": "customers_pkey",
        "Relation Name": "customers", "Schema": "public", "Alias": "customers",
        "Startup Cost": 0.43, "Total Cost": 8.1, "Plan Rows": 1, "Plan Width": 12, "Index Cond": "(customers.id = o.customer_id)"
      }]
    }]
  },
  "Settings": {"work_mem": "64MB"}, "Planning Time": 0.412
}]"#;

/// The answer for a role that may make one.
pub fn plan() -> Plan {
    let answer = read(HOT).unwrap();
    Plan {
        root: answer.root,
        values: Values::Generic,
        settings: answer.settings,
        planning_ms: answer.planning_ms,
        role: "planner".into(),
        database: "shop".into(),
        search_path: "\"$user\", public".into(),
        major: 15,
        sizes: vec![TableSize { schema: "public".into(), name: "orders".into(), bytes: 1_288_490_188 }],
    }
}

/// An incident that is looked at as a role that can only read.
pub fn stage() -> Stage {
    let rights = Rights { read_all_stats: true, ..Rights::default() };
    Stage::incident().server(pgtriage::model::server::Server { user: "planner".into(), rights, ..server() })
}

/// The statement whose plan is asked for, and how often one was.
pub fn asked(stage: &Stage) -> Option<PlanOf> {
    stage
        .app
        .demand()
        .wanted
        .into_iter()
        .find_map(|w| if let Question::Plan(of) = w.question { Some(*of) } else { None })
}

/// The plan comes, or why there is none.
pub fn answer(stage: &mut Stage, answer: Result<Plan, ProbeError>) {
    let of = asked(stage).expect("it is asked for");
    stage.take(Question::Plan(Box::new(of)), answer.map(|plan| Snapshot::Plan(Box::new(plan))));
}
