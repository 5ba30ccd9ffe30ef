//! Everything that is kept of one person, for them to be told: a page of their referrals at a time, and then those that only
//! show an address or a number of theirs.

use super::find_unlinked::find_unlinked;
use crate::{
    domain::{access::Caller, id::PersonId, person::Person},
    ports::{PersonData, PersonalData, Place, Position, ReferralData, ReferralReader, StoreError, Tie},
};

/// One page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gathered {
    /// Without ties: those of the page stand below.
    pub data: PersonData,
    pub referrals: Vec<(Tie, ReferralData)>,
    /// Where the referrals go on. There may be none on a page, and more on the next.
    pub next: Option<Place>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gathering {
    Done(Box<Gathered>),
    /// Only owners and admins: it goes beyond what one agent sees.
    NotAllowed,
    /// The organization has no such person.
    Unknown,
}

/// Searches for as long as `has_time` says so.
///
/// # Errors
/// When the store does not answer.
pub async fn gather_person(
    store: &(impl PersonalData + ReferralReader),
    caller: &Caller,
    id: &PersonId,
    after: Option<Place>,
    limit: usize,
    has_time: impl Fn() -> bool,
) -> Result<Gathering, StoreError> {
    let Some(mut data) = store.find_person_data(&caller.scope, id).await? else { return Ok(Gathering::Unknown) };
    if !caller.role.manages_others() {
        return Ok(Gathering::NotAllowed);
    }
    let own = std::mem::take(&mut data.ties);
    let (ties, next) = match after {
        Some(Place::Searched(position)) => {
            search(store, caller, &data.person, &own, Some(position), limit, has_time).await?
        }
        after => {
            let is_next = |tie: &&Tie| !matches!(&after, Some(Place::Own(last)) if tie.position() <= *last);
            let mut ties: Vec<Tie> = own.iter().filter(is_next).cloned().collect();
            let has_more = ties.len() >= limit;
            ties.truncate(limit);
            if has_more {
                let last = ties.last().map(Tie::position);
                (ties, last.map(Place::Own))
            } else {
                let room = limit - ties.len();
                let (found, next) = search(store, caller, &data.person, &own, None, room, has_time).await?;
                ties.extend(found);
                (ties, next)
            }
        }
    };
    let mut referrals = Vec::with_capacity(ties.len());
    for tie in ties {
        let found = store.find_referral_data(&caller.scope, &tie.referral).await?;
        referrals.push((tie, found));
    }
    Ok(Gathering::Done(Box::new(Gathered { data, referrals, next })))
}

/// At most `limit` of those that show the person and are not among their `own`.
async fn search(
    store: &impl ReferralReader,
    caller: &Caller,
    person: &Person,
    own: &[Tie],
    mut after: Option<Position>,
    limit: usize,
    has_time: impl Fn() -> bool,
) -> Result<(Vec<Tie>, Option<Place>), StoreError> {
    let mut ties = Vec::new();
    loop {
        let (found, next) = find_unlinked(store, &caller.scope, person, after.as_ref()).await?;
        let is_own = |tie: &Tie| own.iter().any(|other| other.referral == tie.referral);
        for tie in found.into_iter().filter(|tie| !is_own(tie)) {
            let place = tie.position();
            ties.push(tie);
            if ties.len() == limit {
                return Ok((ties, Some(Place::Searched(place))));
            }
        }
        if next.is_none() || !has_time() {
            return Ok((ties, next.map(Place::Searched)));
        }
        after = next;
    }
}
