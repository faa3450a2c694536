//! The lanes for what a person asks for once, each on a connection that is thrown away after it: a scan that may take minutes,
//! since a backend's memory never shrinks (139 MB after sizing 10 000 tables), and a plan, since planning may run what others wrote.
//!
//! One scan at a time: two would only read the same disk twice as slowly. A plan does not wait for it.

use tokio::time::Instant;

use crate::model::{ProbeError, Question, Snapshot};
use crate::postgres::Lane;

use super::lane::{Context, Over, Share, until};
use super::{exact, plan};

/// Asks the questions of one of these lanes until nobody listens.
pub async fn run(context: Context, lane: Lane) {
    let mut share = Share::new(lane, context);
    loop {
        let next = share.schedule.next(Instant::now());
        tokio::select! {
            biased;
            change = share.changed() => if matches!(change, Err(Over)) { return },
            () = until(next.as_ref().map(|n| n.1)) => {
                let Some((question, _)) = next else { continue };
                let began = Instant::now();
                let answer = ask(share.context(), &question).await;
                if share.answer(question, began, answer).await.is_err() {
                    return;
                }
            },
        }
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "every other question has a lane that keeps its connection")]
async fn ask(context: &Context, question: &Question) -> Result<Snapshot, ProbeError> {
    let at = context.at.borrow().clone();
    match question {
        Question::Plan(of) => {
            let road = context.plan_road.as_ref().unwrap_or(&context.road);
            let seat = road.take(Lane::Plan, at.as_ref(), of.database.as_ref()).await;
            let mut seat = seat.map_err(|refusal| match &context.plan_road {
                Some(road) => plan::barred(refusal, &road.conninfo.user),
                None => refusal.error,
            })?;
            Ok(Snapshot::Plan(Box::new(plan::ask(&mut seat, of).await?)))
        }
        Question::ExactBloat(key) => {
            let seat = context.road.take(Lane::Deep, at.as_ref(), Some(&key.database)).await;
            let mut seat = seat.map_err(|refusal| refusal.error)?;
            Ok(Snapshot::ExactBloat(exact::ask(&mut seat, key).await?))
        }
        _ => Err(ProbeError::Shape("not a question of this lane".to_owned())),
    }
}
