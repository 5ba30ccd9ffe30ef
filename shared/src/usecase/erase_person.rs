//! Taking out what is known of one person, because they, or the law, want it so.

use super::{eraser::Eraser, find_unlinked::find_unlinked};
use crate::{
    domain::{access::Caller, audit::Actor, id::PersonId, time::Timestamp},
    ports::{Clock, Ids, PersonalData, Position, ReferralReader, StoreError},
};

/// How far it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erased {
    pub erased_at: Timestamp,
    /// Where the referrals go on that there was no time for.
    pub next: Option<Position>,
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
    /// `next` of the attempt before: its referrals are done.
    pub after: Option<Position>,
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
        // Once they are erased, nobody knows any more what to look for.
        let unlinked = find_unlinked(store, &caller.scope, &found.person).await?;
        store.remember_ties(&caller.scope, id, &unlinked).await?;
    }
    let Some((erased_at, ties)) = eraser.erase_row(found).await? else { return Ok(Erasing::Unknown) };
    let (mut last, mut has_begun) = (after, false);
    for tie in &ties {
        let place = tie.position();
        if last.as_ref().is_some_and(|last| place <= *last) {
            continue;
        }
        // One in any case: whoever asks again and again comes to an end.
        if has_begun && !has_time() {
            return Ok(Erasing::Done(Erased { erased_at, next: last }));
        }
        eraser.erase_referral(tie, id).await?;
        (last, has_begun) = (Some(place), true);
    }
    Ok(Erasing::Done(Erased { erased_at, next: None }))
}
