//! Consent to one channel ends by itself: somebody followed the link in a message, their mailbox is gone, or they complained.
//!
//! Nothing may stand in the way of a revocation: no role, no version, no policy. Who has no consent has nothing revoked,
//! so that a link which is followed again, or an event that is delivered again, leaves one entry.

use super::attempts::{Attempts, gave_up, pause};
use crate::{
    domain::{
        audit::Actor,
        consent::{ConsentChange, ConsentChannel, ConsentMethod},
        contact::ContactKey,
        id::PersonId,
        person_change::{ChangeOrigin, PersonChange},
        scope::OrgScope,
        text::Reason,
    },
    ports::{Clock, PersonEditor, PersonReader, StoreError},
};

#[derive(Debug, Clone)]
pub struct Revocation<'a> {
    pub channel: ConsentChannel,
    /// Where it is not the person who says so but an address: consent is revoked only while it is for that address.
    pub address: Option<ContactKey>,
    pub method: ConsentMethod,
    pub actor: Actor,
    pub evidence: Option<Reason>,
    /// The gateway's id of the request, or the id of the event that caused it.
    pub request_id: &'a str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoked {
    Revoked,
    /// There was no consent, or it is for another address.
    AlreadyRevoked,
    /// There is no such person.
    Gone,
}

/// Doing it again changes nothing. The other channel is left alone.
///
/// # Errors
/// When the store does not answer, or the row keeps moving. Nothing was written then, unless the answer to the write was
/// lost.
pub async fn revoke_consent(
    store: &(impl PersonReader + PersonEditor),
    clock: &impl Clock,
    scope: &OrgScope,
    person: &PersonId,
    revocation: &Revocation<'_>,
) -> Result<Revoked, StoreError> {
    let Revocation { channel, method, actor, request_id, .. } = revocation;
    let change = PersonChange::Consent(ConsentChange {
        channel: *channel,
        granted: false,
        text: None,
        evidence: revocation.evidence.clone(),
    });
    let mut attempts = Attempts::begin(clock);
    while attempts.go_on() {
        let Some(found) = store.find_person(scope, person).await? else { return Ok(Revoked::Gone) };
        let is_meant = revocation.address.is_none() || revocation.address == found.address(*channel);
        if !found.has_consent(*channel) || !is_meant {
            return Ok(Revoked::AlreadyRevoked);
        }
        let origin = ChangeOrigin { method: *method, actor, at: clock.now(), request_id };
        // A revocation needs no address, and an entry is a change.
        let changed = found.changed(&change, origin).ok().flatten();
        let Some(entry) = changed.as_ref().and_then(|changed| changed.consents.first()) else {
            return Ok(Revoked::AlreadyRevoked);
        };
        if store.take_consent_down(scope, &found, entry).await? {
            return Ok(Revoked::Revoked);
        }
        pause().await;
    }
    Err(gave_up("revoking consent"))
}
