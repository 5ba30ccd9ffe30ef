//! Taking out what is known of one person, because they, or the law, want it so: first what is found by their addresses only,
//! because once they are erased nobody knows any more what to look for; then the person, and their referrals.

use super::{eraser::Eraser, find_unlinked::find_unlinked};
use crate::{
    domain::{access::Caller, audit::Actor, id::PersonId, person::Person, time::Timestamp},
    ports::{Clock, Ids, PersonalData, Place, Position, ReferralReader, StoreError},
};

/// How far it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erased {
    /// None until all referrals were looked through.
    pub erased_at: Option<Timestamp>,
    /// Where it goes on, when there was no time for all.
    pub next: Option<Place>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Erasing {
    Done(Erased),
    /// Only owners and admins erase.
    NotAllowed,
    /// The organization has no such person.
    Unknown,
}

/// What is to be erased, and from where on.
#[derive(Debug)]
pub struct ErasureRequest<'a> {
    pub person: &'a PersonId,
    /// `next` of the attempt before.
    pub after: Option<Place>,
    /// The gateway's id of the request.
    pub request_id: &'a str,
}

/// Erases for as long as `has_time` says so.
///
/// # Errors
/// When the store does not answer, or rows keep moving. What was done stays done.
pub async fn erase_person(
    store: &(impl PersonalData + ReferralReader),
    clock: &impl Clock,
    ids: &impl Ids,
    caller: &Caller,
    request: ErasureRequest<'_>,
    has_time: impl Fn() -> bool,
) -> Result<Erasing, StoreError> {
    let ErasureRequest { person: id, after, request_id } = request;
    let Some(found) = store.find_person_data(&caller.scope, id).await? else { return Ok(Erasing::Unknown) };
    if !caller.role.manages_others() {
        return Ok(Erasing::NotAllowed);
    }
    let actor = Actor::Member(caller.user.clone());
    let eraser = Eraser { store, clock, ids, scope: &caller.scope, actor, request_id };
    if !found.person.is_erased() {
        let searched = match &after {
            Some(Place::Searched(position)) => Some(position.clone()),
            _ => None,
        };
        if let Some(next) = erase_unlinked(&eraser, &found.person, searched, &has_time).await? {
            return Ok(Erasing::Done(Erased { erased_at: None, next: Some(Place::Searched(next)) }));
        }
    }
    let Some((erased_at, ties)) = eraser.erase_row(found).await? else { return Ok(Erasing::Unknown) };
    let mut last = match after {
        Some(Place::Own(position)) => Some(position),
        _ => None,
    };
    let mut has_begun = false;
    for tie in &ties {
        let place = tie.position();
        if last.as_ref().is_some_and(|last| place <= *last) {
            continue;
        }
        // One in any case: whoever asks again and again comes to an end.
        if has_begun && !has_time() {
            return Ok(Erasing::Done(Erased { erased_at: Some(erased_at), next: last.map(Place::Own) }));
        }
        eraser.erase_referral(tie, id).await?;
        (last, has_begun) = (Some(place), true);
    }
    Ok(Erasing::Done(Erased { erased_at: Some(erased_at), next: None }))
}

/// Where it goes on, when there was no time for all. What it was through with before shows the person no more.
async fn erase_unlinked<S: PersonalData + ReferralReader, C: Clock, I: Ids>(
    eraser: &Eraser<'_, S, C, I>,
    person: &Person,
    mut after: Option<Position>,
    has_time: impl Fn() -> bool,
) -> Result<Option<Position>, StoreError> {
    loop {
        let (unlinked, next) = find_unlinked(eraser.store, eraser.scope, person, after.as_ref()).await?;
        for tie in &unlinked {
            eraser.erase_referral(tie, &person.id).await?;
            if !has_time() {
                return Ok(Some(tie.position()));
            }
        }
        if next.is_none() || !has_time() {
            return Ok(next);
        }
        after = next;
    }
}
