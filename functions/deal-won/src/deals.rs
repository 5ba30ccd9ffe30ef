//! A batch of deal events, and of our own events that link a referral to whom or to what a deal may belong.

use std::time::SystemTime;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use referrals::{
    events::{DealTold, Detail, EventData as _, LeadEnteredPipelineV1, ReferralLinkedV1, SOURCE, deal_state},
    queue::{self, Failure, Outcome},
    store::Ledger,
    system::{RandomIds, SystemClock},
    usecase::{
        hear_of_deal::{hear_of_deal, hear_of_link},
        settle_deal::Settled,
    },
};

pub async fn handle(ledger: &Ledger, batch: &SqsEvent, deadline: SystemTime) -> SqsBatchResponse {
    queue::consume(batch, deadline, |message| hear(ledger, message.clone())).await
}

async fn hear(ledger: &Ledger, message: SqsMessage) -> Result<Outcome, Failure> {
    let message = queue::read(&message)?;
    let detail = message.detail.get();
    let settled = if let Some(state) = deal_state(&message.detail_type) {
        let told = DealTold::parse(state, &message.id, detail)?;
        tracing::info!(event.id = %told.event_id, deal.id = %told.deal_id, "heard of a deal");
        hear_of_deal(ledger, &SystemClock, &RandomIds, &told).await?
    } else if message.source == SOURCE && message.detail_type == ReferralLinkedV1::DETAIL_TYPE {
        let event: Detail<ReferralLinkedV1> = Detail::parse(detail)?;
        let (person, deal) = (event.data.person_id.as_ref(), event.data.deal_id.as_ref());
        tracing::info!(event.id = %event.metadata.id, referral.id = %event.data.referral_id, "linked");
        hear_of_link(ledger, &SystemClock, &RandomIds, &event.metadata, person, deal).await?
    } else if message.source == SOURCE && message.detail_type == LeadEnteredPipelineV1::DETAIL_TYPE {
        let event: Detail<LeadEnteredPipelineV1> = Detail::parse(detail)?;
        tracing::info!(event.id = %event.metadata.id, referral.id = %event.data.referral_id, "linked");
        hear_of_link(ledger, &SystemClock, &RandomIds, &event.metadata, Some(&event.data.person_id), None).await?
    } else {
        return Err(Failure::Reject("the event is not for this queue".to_owned()));
    };
    Ok(match settled {
        Settled::Done => Outcome::Done,
        Settled::AlreadyDone => Outcome::AlreadyDone,
        Settled::Ignored(reason) => Outcome::Ignored(reason),
    })
}

#[cfg(test)]
mod tests;
