//! Taking out what is known of one person.
//!
//! The person first, in one transaction: from then on nobody finds them, writes to them or changes them. Then each referral
//! that they have, or had, to do with, oldest first. Every step sees by itself whether there is anything left to do, so
//! asking too often does nothing.

use super::{
    attempts::{Attempts, gave_up, pause},
    record_referral::new_event,
    revise::Cause,
};
use crate::{
    domain::{
        access::Caller,
        audit::{Actor, AuditAction, AuditEntry},
        consent::{ConsentEntry, ConsentMethod},
        id::{EventId, PersonId},
        message::Message,
        person_change::ChangeOrigin,
        scope::OrgScope,
        time::Timestamp,
    },
    events::{EventData, Metadata, PersonErasedV1},
    ports::{
        Clock, Ids, PersonData, PersonErasure, PersonRevisionOutcome, PersonalData, Position, ReferralErasure, Revised,
        StoreError, Tie,
    },
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
    store: &impl PersonalData,
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
    let eraser = Eraser { store, clock, scope: &caller.scope, actor, request_id, person: id };
    let Some((erased_at, ties)) = eraser.erase_row(ids, found).await? else { return Ok(Erasing::Unknown) };
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
        eraser.erase_referral(tie).await?;
        (last, has_begun) = (Some(place), true);
    }
    Ok(Erasing::Done(Erased { erased_at, next: None }))
}

struct Eraser<'a, S, C> {
    store: &'a S,
    clock: &'a C,
    scope: &'a OrgScope,
    actor: Actor,
    request_id: &'a str,
    person: &'a PersonId,
}

impl<S: PersonalData, C: Clock> Eraser<'_, S, C> {
    /// Since when the person is nobody, and the referrals as they are known then: nobody gets one after that. None where
    /// there is no such person.
    async fn erase_row(&self, ids: &impl Ids, found: PersonData) -> Result<Option<(Timestamp, Vec<Tie>)>, StoreError> {
        let mut found = Some(found);
        let mut attempts = Attempts::begin(self.clock);
        while attempts.go_on() {
            let Some(PersonData { person, consents, ties, .. }) = found.take() else { return Ok(None) };
            let at = self.clock.now();
            let method = ConsentMethod::Erasure;
            let origin = ChangeOrigin { method, actor: &self.actor, at, request_id: self.request_id };
            let Some(erased) = person.erased(&consents, origin) else {
                return Ok(Some((person.erased_at.unwrap_or(at), ties)));
            };
            let metadata = Metadata {
                id: EventId::from_ulid(ids.ulid(at)),
                version: PersonErasedV1::VERSION,
                occurred_at: at,
                organization_id: person.organization_id.clone(),
                subject: person.id.as_str().to_owned(),
                aggregate_version: erased.changed.person.version,
                causation_id: None,
                traceparent: None,
            };
            let event = new_event(metadata, PersonErasedV1 { person_id: person.id })?;
            let evidence = consents.into_iter().filter(ConsentEntry::has_typed_evidence).collect();
            if self.store.erase_person(self.scope, &PersonErasure { erased, evidence, event }).await?
                != PersonRevisionOutcome::Written
            {
                pause().await;
            }
            // Read again in any case: a referral may have come between reading and writing.
            found = self.store.find_person_data(self.scope, self.person).await?;
        }
        Err(gave_up("erasing a person"))
    }

    async fn erase_referral(&self, tie: &Tie) -> Result<(), StoreError> {
        let mut attempts = Attempts::begin(self.clock);
        while attempts.go_on() {
            let found = self.store.find_referral_data(self.scope, &tie.referral).await?;
            let at = self.clock.now();
            let row = found
                .referral
                .as_ref()
                .and_then(|before| before.erased(self.person, at).map(|row| Box::new(Revised::new(before, row))));
            let erased = |message: &Message| message.erased(self.person, at);
            let messages: Vec<Message> = found.messages.iter().filter_map(erased).collect();
            let noted: Vec<AuditEntry> = found.entries.into_iter().filter(|entry| entry.note.is_some()).collect();
            if row.is_none() && messages.is_empty() && noted.is_empty() && found.answers.is_empty() {
                return Ok(());
            }
            let actor = self.actor.clone();
            let cause = Cause { at, actor, request_id: self.request_id, event: None, note: None };
            let erasure = ReferralErasure {
                id: tie.referral.clone(),
                read: found.referral.map(|referral| referral.version),
                row,
                messages,
                noted,
                answers: found.answers,
                audit: cause.entry(AuditAction::Erased),
            };
            // Read again in any case: an answer that shows the row as it was may have been written until a moment ago.
            if !self.store.erase_referral(self.scope, &erasure).await? {
                pause().await;
            }
        }
        Err(gave_up("erasing a referral"))
    }
}
