//! A batch of SES's events about mails, as the rules on the default bus hand them on.

use std::time::SystemTime;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use referrals::{
    events::{DeliveryTold, SES_SOURCE},
    queue::{self, Failure, Outcome},
    store::Ledger,
    system::{RandomIds, SystemClock},
    usecase::hear_of_delivery::{Noted, hear_of_delivery},
};

pub async fn handle(ledger: &Ledger, batch: &SqsEvent, deadline: SystemTime) -> SqsBatchResponse {
    queue::consume(batch, deadline, |message| hear(ledger, message.clone())).await
}

async fn hear(ledger: &Ledger, message: SqsMessage) -> Result<Outcome, Failure> {
    let message = queue::read(&message)?;
    if message.source != SES_SOURCE {
        return Err(Failure::Reject("the event is not for this queue".to_owned()));
    }
    let told = DeliveryTold::parse(&message.detail_type, &message.id, message.detail.get())?;
    tracing::info!(event.id = %told.event_id, referral.id = %told.message.referral, "heard of a mail");
    Ok(match hear_of_delivery(ledger, &SystemClock, &RandomIds, &told).await? {
        Noted::Done => Outcome::Done,
        Noted::AlreadyDone => Outcome::AlreadyDone,
        Noted::Ignored(reason) => Outcome::Ignored(reason),
    })
}

#[cfg(test)]
mod tests;
