//! The deep lane: a scan that may take minutes, on a connection that is thrown away after it: a backend's memory never shrinks
//! (139 MB after sizing 10 000 tables).
//!
//! One scan at a time: two would only read the same disk twice as slowly.

use tokio::time::Instant;

use crate::model::{ProbeError, Question, Snapshot};
use crate::postgres::Lane;

use super::exact;
use super::lane::{Context, Over, Share, until};

/// Asks until nobody listens.
pub async fn run(context: Context) {
    let mut share = Share::new(Lane::Deep, context);
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

async fn ask(context: &Context, question: &Question) -> Result<Snapshot, ProbeError> {
    let Question::ExactBloat(key) = question else {
        return Err(ProbeError::Shape("not a question of this lane".to_owned()));
    };
    let at = context.at.borrow().clone();
    let mut seat =
        context.road.take(Lane::Deep, at.as_ref(), Some(&key.database)).await.map_err(|refusal| refusal.error)?;
    Ok(Snapshot::ExactBloat(exact::ask(&mut seat, key).await?))
}
