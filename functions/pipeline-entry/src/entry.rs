//! A batch of `REFERRAL_RECEIVED` from the queue.

use std::time::SystemTime;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use referrals::{
    events::{Detail, EventData as _, ReferralReceivedV1, SOURCE},
    metrics::{self, Unit},
    ports::Clock as _,
    queue::{self, Failure, Outcome},
    store::Ledger,
    system::{RandomIds, SystemClock},
    usecase::enter_pipeline::{Entered, enter_pipeline},
};

pub async fn handle(ledger: &Ledger, batch: &SqsEvent, deadline: SystemTime) -> SqsBatchResponse {
    queue::consume(batch, deadline, |message| enter(ledger, message.clone())).await
}

async fn enter(ledger: &Ledger, message: SqsMessage) -> Result<Outcome, Failure> {
    let message = queue::read(&message)?;
    if message.source != SOURCE || message.detail_type != ReferralReceivedV1::DETAIL_TYPE {
        return Err(Failure::Reject("the event is not for this queue".to_owned()));
    }
    let event: Detail<ReferralReceivedV1> = Detail::parse(message.detail.get())?;
    tracing::info!(event.id = %event.metadata.id, referral.id = %event.data.referral_id, "entering the pipeline");
    Ok(match enter_pipeline(ledger, &SystemClock, &RandomIds, &event).await? {
        Entered::Done => {
            let (now, since) = (SystemClock.now(), event.metadata.occurred_at);
            let lag = now.epoch_millis().saturating_sub(since.epoch_millis());
            metrics::put(now, "LeadLag", Unit::Milliseconds, lag, &[]);
            Outcome::Done
        }
        Entered::AlreadyDone => Outcome::AlreadyDone,
        Entered::Ignored(reason) => Outcome::Ignored(reason),
    })
}

#[cfg(test)]
mod tests;
