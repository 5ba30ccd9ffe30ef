//! How a person goes: first the row, then what each of their referrals says of them. Both read again until there is nothing
//! left to do, so that an interruption is made good by doing it again.
//!
//! From the moment of the first write nobody finds the person, writes to them or changes them.

use super::{
    attempts::{Attempts, gave_up, pause},
    record_referral::new_event,
    revise::Cause,
};
use crate::{
    domain::{
        audit::{Actor, AuditAction, AuditEntry},
        consent::{ConsentEntry, ConsentMethod},
        erasure::Referred,
        id::{EventId, PersonId, ReferralId},
        message::Message,
        person_change::ChangeOrigin,
        referral::Referral,
        scope::OrgScope,
        time::Timestamp,
    },
    events::{EventData, Metadata, NewEvent, PersonErasedV1},
    ports::{
        Clock, Ids, PersonData, PersonErasure, PersonRevisionOutcome, PersonalData, ReferralData, ReferralErasure,
        Revised, StoreError, Tie,
    },
};

/// What is written of a referral when something is taken out of it.
pub(super) struct Rest {
    /// None where the row stays as it is.
    pub row: Option<Box<Revised>>,
    pub messages: Vec<Message>,
    pub audit: Vec<AuditEntry>,
    pub events: Vec<NewEvent>,
}

/// Who erases in which organization, and because of which request.
pub(super) struct Eraser<'a, S, C, I> {
    pub store: &'a S,
    pub clock: &'a C,
    pub ids: &'a I,
    pub scope: &'a OrgScope,
    pub actor: Actor,
    pub request_id: &'a str,
}

impl<S: PersonalData, C: Clock, I: Ids> Eraser<'_, S, C, I> {
    /// Since when the person is nobody, and the referrals as they are known then: nobody gets one after that. None where
    /// there is no such person.
    pub async fn erase_row(&self, found: PersonData) -> Result<Option<(Timestamp, Vec<Tie>)>, StoreError> {
        let id = found.person.id.clone();
        let mut found = Some(found);
        let mut attempts = Attempts::begin(self.clock);
        while attempts.go_on() {
            let Some(data) = found.take() else { return Ok(None) };
            if let Some(erased_at) = data.person.erased_at {
                self.forget_evidence(&data).await?;
                return Ok(Some((erased_at, data.ties)));
            }
            if self.try_row(data, Vec::new()).await? != PersonRevisionOutcome::Written {
                pause().await;
            }
            // Read again in any case: a referral may have come between reading and writing.
            found = self.store.find_person_data(self.scope, &id).await?;
        }
        Err(gave_up("erasing a person"))
    }

    /// Once: holds only while the person is as they were read, and so are the referrals `unchanged`.
    pub async fn try_row(
        &self,
        found: PersonData,
        unchanged: Vec<(ReferralId, u64)>,
    ) -> Result<PersonRevisionOutcome, StoreError> {
        let PersonData { person, consents, .. } = found;
        let at = self.clock.now();
        let origin =
            ChangeOrigin { method: ConsentMethod::Erasure, actor: &self.actor, at, request_id: self.request_id };
        let Some(erased) = person.erased(&consents, origin) else { return Ok(PersonRevisionOutcome::Written) };
        let metadata = Metadata {
            id: EventId::from_ulid(self.ids.ulid(at)),
            version: PersonErasedV1::VERSION,
            occurred_at: at,
            organization_id: person.organization_id.clone(),
            subject: person.id.as_str().to_owned(),
            aggregate_version: erased.changed.person.version,
            causation_id: None,
            traceparent: None,
        };
        let event = new_event(metadata, PersonErasedV1 { person_id: person.id.clone() })?;
        let erasure = PersonErasure { erased, event, unchanged };
        let outcome = self.store.erase_person(self.scope, &erasure).await?;
        if outcome == PersonRevisionOutcome::Written {
            // Whoever restores a backup has to know whom to erase again.
            tracing::info!(organization.id = %person.organization_id, person.id = %person.id, "a person was erased");
        }
        Ok(outcome)
    }

    /// Only of who is erased: until then it is what their consent is proved by.
    pub async fn forget_evidence(&self, erased: &PersonData) -> Result<(), StoreError> {
        let typed: Vec<ConsentEntry> =
            erased.consents.iter().filter(|entry| entry.has_typed_evidence()).cloned().collect();
        self.store.forget_evidence(self.scope, &typed).await
    }

    /// What a referral says of `person`, and whatever anybody wrote about its people.
    pub async fn erase_referral(&self, tie: &Tie, person: &PersonId) -> Result<(), StoreError> {
        let present = if tie.may_show { self.present_lead(&tie.referral, person).await? } else { None };
        self.take_out(&tie.referral, |data, at| {
            let referred = |before: &Referral| match &before.referred_person_id {
                Some(lead) if lead == person => Some(Referred::nobody()),
                // It shows them still; from now on whoever is its lead, if anybody.
                lead if tie.may_show => match &present {
                    Some((id, referred)) if lead.as_ref() == Some(id) => Some(referred.clone()),
                    _ => Some(Referred::nobody()),
                },
                _ => None,
            };
            let erased = |before: &Referral| {
                before.erased(referred(before).as_ref(), at).map(|row| Box::new(Revised::new(before, row)))
            };
            let messages: Vec<Message> =
                data.messages.iter().filter_map(|message| message.erased(person, at)).collect();
            let row = data.referral.as_ref().and_then(erased);
            let has_typed = data.entries.iter().any(|entry| entry.note.is_some()) || !data.answers.is_empty();
            let is_needed = has_typed || row.is_some() || !messages.is_empty();
            let audit = vec![self.cause(at).entry(AuditAction::Erased)];
            Ok(is_needed.then_some(Rest { row, messages, audit, events: Vec::new() }))
        })
        .await
        .map(drop)
    }

    /// Who is the referral's lead now, other than `person`.
    async fn present_lead(
        &self,
        referral: &ReferralId,
        person: &PersonId,
    ) -> Result<Option<(PersonId, Referred)>, StoreError> {
        let found = self.store.find_referral_data(self.scope, referral).await?;
        let lead = found.referral.and_then(|referral| referral.referred_person_id).filter(|lead| lead != person);
        let Some(lead) = lead else { return Ok(None) };
        let found = self.store.find_person_data(self.scope, &lead).await?;
        Ok(found.map(|found| (lead, Referred::of(&found.person))))
    }

    /// Takes notes and answers out of a referral, and writes what `rest` makes of it; until that is None, because nothing is
    /// left to be done. Whether anything was done.
    pub async fn take_out(
        &self,
        id: &ReferralId,
        rest: impl Fn(&ReferralData, Timestamp) -> Result<Option<Rest>, StoreError>,
    ) -> Result<bool, StoreError> {
        let mut has_done = false;
        let mut attempts = Attempts::begin(self.clock);
        while attempts.go_on() {
            let found = self.store.find_referral_data(self.scope, id).await?;
            let Some(Rest { row, messages, audit, events }) = rest(&found, self.clock.now())? else {
                return Ok(has_done);
            };
            let erasure = ReferralErasure {
                id: id.clone(),
                guard: found.referral.as_ref().and_then(|referral| referral.guarded_pair.clone()),
                read: found.referral.map(|referral| referral.version),
                row,
                messages,
                noted: found.entries.into_iter().filter(|entry| entry.note.is_some()).collect(),
                answers: found.answers,
                audit,
                events,
            };
            // Read again in any case: an answer that shows the row as it was may have been written until a moment ago.
            if self.store.erase_referral(self.scope, &erasure).await? {
                has_done = true;
            } else {
                pause().await;
            }
        }
        Err(gave_up("erasing a referral"))
    }

    pub fn cause(&self, at: Timestamp) -> Cause<'_> {
        Cause { at, actor: self.actor.clone(), request_id: self.request_id, event: None, note: None }
    }
}
