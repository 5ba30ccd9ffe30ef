//! A batch of events about which somebody is written to.

use std::time::SystemTime;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use referrals::{
    domain::{id::ReferralId, message::MessageKind, scope::OrgScope},
    events::{
        Detail, EventData, LeadEnteredPipelineV1, Metadata, RewardReadyV1, RewardSentV1, SOURCE, ThankYouRequestedV1,
    },
    ports::{Carrier, StoreError},
    queue::{self, Failure, Outcome},
    store::{Directory, Ledger},
    system::{RandomIds, SystemClock},
    usecase::{
        notify_agent::notify_agent,
        office::{Office, Sent},
        thank_referrer::thank_referrer,
    },
};

/// What lives as long as the process.
#[derive(Debug)]
pub struct App<C> {
    pub ledger: Ledger,
    pub directory: Directory,
    pub carrier: C,
    pub claim_seconds: i64,
}

pub async fn handle(app: &App<impl Carrier>, batch: &SqsEvent, deadline: SystemTime) -> SqsBatchResponse {
    queue::consume(batch, deadline, |message| write(app, message.clone())).await
}

async fn write(app: &App<impl Carrier>, message: SqsMessage) -> Result<Outcome, Failure> {
    let message = queue::read(&message)?;
    if message.source != SOURCE {
        return Err(Failure::Reject("the event is not for this queue".to_owned()));
    }
    let detail = message.detail.get();
    let sent = match message.detail_type.as_str() {
        LeadEnteredPipelineV1::DETAIL_TYPE => {
            let event: Detail<LeadEnteredPipelineV1> = Detail::parse(detail)?;
            notify(app, &event.metadata, &event.data.referral_id, MessageKind::NewReferral).await?
        }
        RewardReadyV1::DETAIL_TYPE => {
            let event: Detail<RewardReadyV1> = Detail::parse(detail)?;
            notify(app, &event.metadata, &event.data.referral_id, MessageKind::RewardReady).await?
        }
        RewardSentV1::DETAIL_TYPE => {
            let event: Detail<RewardSentV1> = Detail::parse(detail)?;
            thank(app, &event.metadata, &event.data.referral_id).await?
        }
        ThankYouRequestedV1::DETAIL_TYPE => {
            let event: Detail<ThankYouRequestedV1> = Detail::parse(detail)?;
            thank(app, &event.metadata, &event.data.referral_id).await?
        }
        _ => return Err(Failure::Reject("the event is not for this queue".to_owned())),
    };
    match sent {
        Sent::Done => Ok(Outcome::Done),
        Sent::AlreadyDone => Ok(Outcome::AlreadyDone),
        Sent::Ignored(reason) => Ok(Outcome::Ignored(reason)),
        Sent::NotNow(reason) => Err(Failure::Retry(reason.to_owned())),
    }
}

async fn notify(
    app: &App<impl Carrier>,
    event: &Metadata,
    referral: &ReferralId,
    kind: MessageKind,
) -> Result<Sent, StoreError> {
    let scope = OrgScope::from_bus_event(event.organization_id.clone());
    tracing::info!(event.id = %event.id, referral.id = %referral, "telling the agent");
    notify_agent(&office(app), &scope, referral, kind, &event.id).await
}

async fn thank(app: &App<impl Carrier>, event: &Metadata, referral: &ReferralId) -> Result<Sent, StoreError> {
    let scope = OrgScope::from_bus_event(event.organization_id.clone());
    tracing::info!(event.id = %event.id, referral.id = %referral, "thanking the referrer");
    thank_referrer(&office(app), &scope, referral, &event.id).await
}

fn office<C>(app: &App<C>) -> Office<'_, Ledger, Directory, C, SystemClock, RandomIds> {
    Office {
        store: &app.ledger,
        directory: &app.directory,
        carrier: &app.carrier,
        clock: &SystemClock,
        ids: &RandomIds,
        claim_seconds: app.claim_seconds,
    }
}

#[cfg(test)]
mod tests;
