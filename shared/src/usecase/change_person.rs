//! An agent corrects a person, hands them over, or records what they said about being written to.
//!
//! The rules are `domain::person_change`'s. Here is who may, and the row, which is replaced only in the version that was
//! read.

use super::attempts::{Attempts, gave_up, pause};
use crate::{
    domain::{
        access::Caller,
        audit::Actor,
        change::Patch,
        consent::ConsentMethod,
        person::Person,
        person_change::{ChangeOrigin, PersonChange},
        version::Expected,
    },
    ports::{Clock, PersonEditor, PersonReader, PersonRevisionOutcome, StoreError},
};

/// A change as it came in.
#[derive(Debug)]
pub struct PersonRequest<'a> {
    pub change: &'a PersonChange,
    pub expected: &'a Expected,
    /// The gateway's id of the request.
    pub request_id: &'a str,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PersonOutcome {
    /// The person as they are now, changed or not.
    Done(Box<Person>),
    /// They went away meanwhile.
    Gone,
    /// Another agent's person, or a hand-over to another agent, by a plain member.
    NotAllowed,
    /// They are in another version than the client expects.
    PreconditionFailed,
    /// There is nothing to write to on the channel.
    NoAddress,
    /// They were erased: there is nobody to be changed.
    Erased,
    /// The address or number belongs to somebody else.
    ContactTaken,
    /// The organization has no such active member.
    UnknownOwner,
}

/// `found` is the person as the caller saw them.
///
/// # Errors
/// When the store does not answer, or the row keeps moving. Nothing was written then, unless the answer to the write was
/// lost.
pub async fn change_person(
    store: &(impl PersonReader + PersonEditor),
    clock: &impl Clock,
    caller: &Caller,
    found: Person,
    request: &PersonRequest<'_>,
) -> Result<PersonOutcome, StoreError> {
    let actor = Actor::Member(caller.user.clone());
    let origin =
        ChangeOrigin { method: ConsentMethod::Agent, actor: &actor, at: clock.now(), request_id: request.request_id };
    let id = found.id.clone();
    let mut found = Some(found);
    let mut attempts = Attempts::begin(clock);
    while attempts.go_on() {
        let Some(person) = found.take() else { return Ok(PersonOutcome::Gone) };
        // Asked again each time: the person may have got another owner meanwhile.
        if !caller.may_change(&person) || !may_hand_over(caller, request.change) {
            return Ok(PersonOutcome::NotAllowed);
        }
        if !request.expected.admits(person.version) {
            return Ok(PersonOutcome::PreconditionFailed);
        }
        if person.is_erased() {
            return Ok(PersonOutcome::Erased);
        }
        let Ok(changed) = person.changed(request.change, origin) else { return Ok(PersonOutcome::NoAddress) };
        let Some(changed) = changed else { return Ok(PersonOutcome::Done(Box::new(person))) };
        match store.revise_person(&caller.scope, &changed).await? {
            PersonRevisionOutcome::Written => return Ok(PersonOutcome::Done(Box::new(changed.person))),
            PersonRevisionOutcome::ContactTaken => return Ok(PersonOutcome::ContactTaken),
            PersonRevisionOutcome::OwnerMissing => return Ok(PersonOutcome::UnknownOwner),
            PersonRevisionOutcome::Stale => pause().await,
        }
        found = store.find_person(&caller.scope, &id).await?;
    }
    Err(gave_up("changing a person"))
}

/// A member gives nobody to another agent.
fn may_hand_over(caller: &Caller, change: &PersonChange) -> bool {
    match change {
        PersonChange::Edit(edit) => match &edit.owner_user_id {
            Patch::Set(owner) => caller.may_act_for(owner),
            Patch::Keep | Patch::Clear => true,
        },
        PersonChange::Consent(_) => true,
    }
}
