//! What is known of a deal becomes what its referral says. Done as often as anybody likes: when the deal is heard of, and
//! when a referral is linked to its lead or to the deal. Each side commits first and then looks, strongly consistent, for
//! the other, so whichever is second finds the first.

use super::{
    attempts::{Attempts, gave_up, pause},
    hear_of_deal::CONSUMER,
    revise::Cause,
};
use crate::{
    domain::{
        audit::Actor,
        deal::{Deal, DealNews, Heard, match_referral},
        id::{DealId, EventId, PersonId},
        referral::Referral,
        reward::RewardPolicy,
        scope::OrgScope,
    },
    ports::{Clock, DealBook, Ids, PersonReader, PolicyBook, ReferralReader, SettleOutcome, Settlement, StoreError},
};

/// Referrals of one person that are looked at; nobody was referred more often.
const MAX_CANDIDATES: usize = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    Done,
    /// The referral says it already.
    AlreadyDone,
    /// There is nothing to do, with the reason.
    Ignored(&'static str),
}

/// # Errors
/// When the store does not answer, or rows keep moving.
pub async fn settle_deal(
    store: &(impl DealBook + PolicyBook + ReferralReader + PersonReader),
    clock: &impl Clock,
    ids: &impl Ids,
    scope: &OrgScope,
    deal_id: &DealId,
    event: &EventId,
) -> Result<Settled, StoreError> {
    let mut attempts = Attempts::begin(clock);
    while attempts.go_on() {
        let Some(mut deal) = store.find_deal(scope, deal_id).await? else {
            return Ok(Settled::Ignored("unknown deal"));
        };
        let Some(news) = deal.news.clone() else { return Ok(Settled::Ignored("only an agent has named the deal")) };
        let policy = store.find_policy(scope).await?;
        let Some(before) = find_referral_of(store, scope, &deal, &news, &policy).await? else {
            return Ok(Settled::Ignored("no referral of this deal"));
        };
        let at = clock.now();
        let mut referral = before.clone();
        match referral.hear_of(deal_id, &news, &policy, at) {
            Heard::NotHere(reason) => return Ok(Settled::Ignored(reason)),
            Heard::Unchanged if deal.applied_revision == news.revision => return Ok(Settled::AlreadyDone),
            Heard::Unchanged | Heard::Changed => {}
        }
        referral.touch(at);
        let cause =
            Cause { at, actor: Actor::System(CONSUMER), request_id: event.as_str(), event: Some(event), note: None };
        let fields = changed_fields(&before, &referral);
        let traces = cause.traces(ids, &before, &referral, &fields)?;
        deal.referral_id = Some(referral.id.clone());
        deal.applied_revision = news.revision;
        deal.version = deal.version.saturating_add(1);
        let settlement = Settlement { deal, referral, audit: traces.audit, events: traces.events };
        match store.settle(scope, &settlement).await? {
            SettleOutcome::Settled => return Ok(Settled::Done),
            SettleOutcome::Stale => pause().await,
        }
    }
    Err(gave_up("settling a deal"))
}

/// Settles every deal that names the person.
///
/// # Errors
/// As [`settle_deal`].
pub async fn settle_deals_of(
    store: &(impl DealBook + PolicyBook + ReferralReader + PersonReader),
    clock: &impl Clock,
    ids: &impl Ids,
    scope: &OrgScope,
    person: &PersonId,
    event: &EventId,
) -> Result<Settled, StoreError> {
    let mut settled = Settled::Ignored("no deal of this person");
    for deal in store.deals_of(scope, person).await? {
        match settle_deal(store, clock, ids, scope, &deal, event).await? {
            Settled::Done => settled = Settled::Done,
            Settled::AlreadyDone if settled != Settled::Done => settled = Settled::AlreadyDone,
            _ => {}
        }
    }
    Ok(settled)
}

fn changed_fields(before: &Referral, after: &Referral) -> Vec<&'static str> {
    let deal = before.resulting_deal_id != after.resulting_deal_id;
    let revenue = before.conversion != after.conversion;
    let fields = [(deal, "resultingDealId"), (revenue, "conversion")];
    fields.into_iter().filter(|(changed, _)| *changed).map(|(_, field)| field).collect()
}

/// The referral that the deal belongs to; else the one that the deal names; else, for a won deal, the one that fits best
/// among those of its people.
async fn find_referral_of(
    store: &(impl ReferralReader + PersonReader),
    scope: &OrgScope,
    deal: &Deal,
    news: &DealNews,
    policy: &RewardPolicy,
) -> Result<Option<Referral>, StoreError> {
    if let Some(linked) = &deal.referral_id {
        return store.find_referral(scope, linked).await;
    }
    if !deal.is_won() {
        return Ok(None);
    }
    if let Some(named) = &news.named_referral_id
        && let Some(referral) = store.find_referral(scope, named).await?
        && referral.resulting_deal_id.as_ref().is_none_or(|own| *own == deal.deal_id)
    {
        return Ok(Some(referral));
    }
    let mut candidates = Vec::new();
    for person in &news.person_ids {
        for id in store.referrals_of_lead(scope, person).await?.iter().take(MAX_CANDIDATES) {
            candidates.extend(store.find_referral(scope, id).await?);
        }
    }
    Ok(match_referral(&deal.deal_id, news.at, policy.attribution_window_days, &candidates).cloned())
}
