//! What is known of a deal becomes what its referral says. Done as often as anybody likes: when the deal is heard of, and
//! when a referral is linked to its lead or to the deal. Each side commits first and then looks, strongly consistent, for
//! the other, so whichever is second finds the first.

use super::{
    actors::DEAL_WON,
    attempts::{Attempts, gave_up, pause},
    revise::Cause,
};
use crate::{
    domain::{
        audit::Actor,
        deal::{Deal, DealNews, DealState, Heard, match_referral},
        id::{DealId, EventId, PersonId},
        referral::{Referral, ReferralStatus},
        reward::RewardPolicy,
        scope::OrgScope,
    },
    ports::{
        Clock, DealBook, Ids, PersonReader, PolicyBook, ReferralReader, Revised, SettleOutcome, Settlement, StoreError,
    },
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
        if deal.is_applied() {
            return Ok(Settled::AlreadyDone);
        }
        let policy = store.find_policy(scope).await?;
        let found = match find_referral_of(store, scope, &deal, &news, &policy).await? {
            Ok(found) => found,
            Err(reason) => return Ok(Settled::Ignored(reason)),
        };
        let before = found.referral;
        let at = clock.now();
        let mut referral = before.clone();
        let heard = referral.hear_of(deal_id, &news, &policy, at);
        if let Heard::NotHere(reason) = heard {
            return Ok(Settled::Ignored(reason));
        }
        deal.referral_id = Some(referral.id.clone());
        deal.applied_revision = Some(news.revision);
        deal.version = deal.version.saturating_add(1);
        let mut settlement =
            Settlement { deal, referral: None, let_go: found.let_go, audit: Vec::new(), events: Vec::new() };
        if heard == Heard::Changed {
            referral.touch(at);
            let actor = Actor::System(DEAL_WON);
            let cause = Cause { at, actor, request_id: event.as_str(), event: Some(event), note: None };
            let traces = cause.traces(ids, &before, &referral, &changed_fields(&before, &referral))?;
            (settlement.audit, settlement.events) = (traces.audit, traces.events);
            settlement.referral = Some(Box::new(Revised::new(&before, referral)));
        }
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
    let mut deals = Vec::new();
    for deal in store.deals_of(scope, person).await? {
        deals.extend(store.find_deal(scope, &deal).await?);
    }
    // The first win takes the referral, in whatever order they were heard of.
    deals.sort_by_key(|deal| deal.news.as_ref().map(|news| news.at));
    for deal in deals {
        match settle_deal(store, clock, ids, scope, &deal.deal_id, event).await? {
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

/// A referral that news of a deal is for.
struct Found {
    referral: Referral,
    /// The lost deal that it is still linked to.
    let_go: Option<Box<Deal>>,
}

/// The referral that the deal belongs to; else the one that the deal names; else, for a won deal, the one that fits best
/// among those of its people. The reason, where there is none.
///
/// A link that stands goes before everything: an agent may have made it, and what one revision was credited to, a later
/// one does not take away.
async fn find_referral_of(
    store: &(impl DealBook + ReferralReader + PersonReader),
    scope: &OrgScope,
    deal: &Deal,
    news: &DealNews,
    policy: &RewardPolicy,
) -> Result<Result<Found, &'static str>, StoreError> {
    if let Some(linked) = &deal.referral_id {
        let referral = store.find_referral(scope, linked).await?;
        return Ok(referral.map(|referral| Found { referral, let_go: None }).ok_or("the referral is gone"));
    }
    if !deal.is_won() {
        return Ok(Err("no referral of this deal"));
    }
    if let Some(named) = &news.named_referral_id
        && let Some(referral) = store.find_referral(scope, named).await?
    {
        // Whoever names one means that one and nobody else's.
        let free = when_free(store, scope, deal, referral).await?;
        return Ok(free.ok_or("the referral that it names is another deal's"));
    }
    let mut candidates = Vec::new();
    for person in &news.person_ids {
        for id in store.referrals_of_lead(scope, person).await?.iter().take(MAX_CANDIDATES) {
            if let Some(referral) = store.find_referral(scope, id).await? {
                candidates.extend(when_free(store, scope, deal, referral).await?);
            }
        }
    }
    let referrals = candidates.iter().map(|found| &found.referral);
    let best = match_referral(news.at, policy.attribution_window_days, &referrals).map(|best| best.id.clone());
    let found = best.and_then(|best| candidates.into_iter().find(|found| found.referral.id == best));
    Ok(found.ok_or("no referral of this deal"))
}

/// The referral, unless it is of another deal that may still be won. A converted one never changes its deal by itself.
async fn when_free(
    store: &impl DealBook,
    scope: &OrgScope,
    deal: &Deal,
    referral: Referral,
) -> Result<Option<Found>, StoreError> {
    let Some(other) = referral.resulting_deal_id.as_ref().filter(|own| **own != deal.deal_id) else {
        return Ok(Some(Found { referral, let_go: None }));
    };
    if referral.status == ReferralStatus::Converted {
        return Ok(None);
    }
    let Some(mut other) = store.find_deal(scope, other).await? else { return Ok(None) };
    if !other.stands_as(DealState::Lost) {
        return Ok(None);
    }
    other.let_go();
    Ok(Some(Found { referral, let_go: Some(Box::new(other)) }))
}
