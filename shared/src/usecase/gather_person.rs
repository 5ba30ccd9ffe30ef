//! Everything that is kept of one person, for them to be told: a page of their referrals at a time.

use super::find_unlinked::find_unlinked;
use crate::{
    domain::{access::Caller, id::PersonId},
    ports::{PersonData, PersonalData, Position, ReferralData, ReferralReader, StoreError, Tie},
};

/// One page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gathered {
    /// Without ties: those of the page stand below.
    pub data: PersonData,
    pub referrals: Vec<(Tie, ReferralData)>,
    /// Where the referrals go on.
    pub next: Option<Position>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gathering {
    Done(Box<Gathered>),
    /// Only owners and admins: it goes beyond what one agent sees.
    NotAllowed,
    /// The organization has no such person.
    Unknown,
}

/// # Errors
/// When the store does not answer.
pub async fn gather_person(
    store: &(impl PersonalData + ReferralReader),
    caller: &Caller,
    id: &PersonId,
    after: Option<&Position>,
    limit: usize,
) -> Result<Gathering, StoreError> {
    let Some(mut data) = store.find_person_data(&caller.scope, id).await? else { return Ok(Gathering::Unknown) };
    if !caller.role.manages_others() {
        return Ok(Gathering::NotAllowed);
    }
    let mut ties = std::mem::take(&mut data.ties);
    ties.extend(find_unlinked(store, &caller.scope, &data.person).await?);
    ties.sort_by_key(Tie::position);
    ties.dedup_by(|later, kept| later.referral == kept.referral);
    if let Some(after) = after {
        ties.retain(|tie| tie.position() > *after);
    }
    let has_more = ties.len() > limit;
    ties.truncate(limit);
    let next = ties.last().filter(|_| has_more).map(Tie::position);
    let mut referrals = Vec::with_capacity(ties.len());
    for tie in ties {
        let found = store.find_referral_data(&caller.scope, &tie.referral).await?;
        referrals.push((tie, found));
    }
    Ok(Gathering::Done(Box::new(Gathered { data, referrals, next })))
}
