//! The transaction system tells of a deal: won, reopened or lost. What it says is recorded first, matched or not; then the
//! referral that the deal came from is looked for.

use super::{
    attempts::{Attempts, gave_up, pause},
    settle_deal::{Settled, settle_deal, settle_deals_of},
};
use crate::{
    domain::{
        deal::{Deal, DealState},
        id::{DealId, PersonId},
        scope::OrgScope,
    },
    events::{DealTold, Metadata},
    ports::{Clock, DealBook, Ids, NewsOutcome, PersonReader, PolicyBook, ReferralReader, StoreError},
};

/// # Errors
/// When the store does not answer, or rows keep moving.
pub async fn hear_of_deal(
    store: &(impl DealBook + PolicyBook + ReferralReader + PersonReader),
    clock: &impl Clock,
    ids: &impl Ids,
    told: &DealTold,
) -> Result<Settled, StoreError> {
    let scope = OrgScope::from_bus_event(told.organization_id.clone());
    record(store, clock, &scope, told).await?;
    // Whatever was recorded when: an earlier attempt may have died between recording and looking.
    let settled = settle_deal(store, clock, ids, &scope, &told.deal_id, &told.event_id).await?;
    if told.news.state == DealState::Lost
        && let Some(lead) = lead_of(store, &scope, &told.deal_id).await?
    {
        // Another deal of theirs may have been won meanwhile, and their referral was this one's.
        settle_deals_of(store, clock, ids, &scope, &lead, &told.event_id).await?;
    }
    Ok(settled)
}

/// The lead of the referral that the deal belongs to.
async fn lead_of(
    store: &(impl DealBook + ReferralReader),
    scope: &OrgScope,
    deal: &DealId,
) -> Result<Option<PersonId>, StoreError> {
    let Some(referral) = store.find_deal(scope, deal).await?.and_then(|deal| deal.referral_id) else { return Ok(None) };
    Ok(store.find_referral(scope, &referral).await?.and_then(|referral| referral.referred_person_id))
}

/// A referral was linked to a lead, or to a deal: what was heard of before is settled now.
///
/// # Errors
/// As [`hear_of_deal`].
pub async fn hear_of_link(
    store: &(impl DealBook + PolicyBook + ReferralReader + PersonReader),
    clock: &impl Clock,
    ids: &impl Ids,
    metadata: &Metadata,
    person: Option<&PersonId>,
    deal: Option<&DealId>,
) -> Result<Settled, StoreError> {
    let scope = OrgScope::from_bus_event(metadata.organization_id.clone());
    let mut settled = Settled::Ignored("nothing was linked");
    if let Some(deal) = deal {
        settled = settle_deal(store, clock, ids, &scope, deal, &metadata.id).await?;
    }
    if let Some(person) = person {
        let of_person = settle_deals_of(store, clock, ids, &scope, person, &metadata.id).await?;
        if settled != Settled::Done {
            settled = of_person;
        }
    }
    Ok(settled)
}

async fn record(
    store: &impl DealBook,
    clock: &impl Clock,
    scope: &OrgScope,
    told: &DealTold,
) -> Result<(), StoreError> {
    let mut attempts = Attempts::begin(clock);
    while attempts.go_on() {
        let known = store.find_deal(scope, &told.deal_id).await?;
        let mut deal = known.unwrap_or_else(|| Deal::unheard_of(told.deal_id.clone()));
        if !deal.hear(told.news.clone()) {
            return Ok(());
        }
        deal.version = deal.version.saturating_add(1);
        match store.record_news(scope, &deal).await? {
            NewsOutcome::Recorded => return Ok(()),
            NewsOutcome::Stale => pause().await,
        }
    }
    Err(gave_up("recording a deal"))
}
