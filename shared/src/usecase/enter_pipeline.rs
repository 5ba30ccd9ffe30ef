//! A received referral becomes a lead at the top of the agent's pipeline.
//!
//! Nothing here relies on order or on being called once: the event's id goes into the inbox in the transaction that
//! has the effect, and every row is replaced only in the version that was read.

use super::{
    actors::PIPELINE_ENTRY,
    attempts::{Attempts, gave_up, pause},
    contest::{contest, others_of},
    record_referral::new_event,
};
use crate::{
    domain::{
        audit::{Actor, AuditAction, AuditEntry},
        contact::{Contact, ContactKey},
        id::{EventId, PersonId},
        person::{LeadSource, Person, PipelineStage, RelationshipStage},
        referral::{Referral, RiskFlag},
        scope::OrgScope,
        time::Timestamp,
    },
    events::{Detail, EventData, LeadEnteredPipelineV1, Metadata, ReferralReceivedV1},
    ports::{
        Clock, Ids, PersonReader, PipelineRecorder, PipelineWrite, PipelineWriteOutcome, ReferralReader, Revised,
        StoreError,
    },
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entered {
    Done,
    /// The event was applied before.
    AlreadyDone,
    /// Nothing to do, with the reason.
    Ignored(&'static str),
}

/// # Errors
/// When the store does not answer, or rows keep moving. Nothing was written then, unless the answer to the write was lost:
/// the inbox holds off the next attempt.
pub async fn enter_pipeline(
    store: &(impl ReferralReader + PersonReader + PipelineRecorder),
    clock: &impl Clock,
    ids: &impl Ids,
    event: &Detail<ReferralReceivedV1>,
) -> Result<Entered, StoreError> {
    let scope = OrgScope::from_bus_event(event.metadata.organization_id.clone());
    // Made once, so that a repeated attempt writes the same rows.
    let at = clock.now();
    let next_event = EventId::from_ulid(ids.ulid(at));
    let new_person = PersonId::from_ulid(ids.ulid(at));
    let mut attempts = Attempts::begin(clock);
    while attempts.go_on() {
        let Some(referral) = store.find_referral(&scope, &event.data.referral_id).await? else {
            return Ok(Entered::Ignored("the referral is gone"));
        };
        if referral.referred_erased && referral.referred_person_id.is_none() {
            return Ok(Entered::Ignored("who was referred is erased"));
        }
        let people = People::read(store, &scope, &referral, &new_person, at).await?;
        let write = people.decide(&referral, event, &next_event, at)?;
        match store.enter(&scope, &write).await? {
            PipelineWriteOutcome::Entered => return Ok(Entered::Done),
            PipelineWriteOutcome::AlreadyApplied => return Ok(Entered::AlreadyDone),
            PipelineWriteOutcome::Stale => pause().await,
        }
    }
    Err(gave_up("entering the pipeline"))
}

/// The people of one referral, as read.
struct People {
    lead: Person,
    lead_is_new: bool,
    /// The contact keys of a new lead that nobody holds.
    free_keys: Vec<ContactKey>,
    /// None when the referrer was erased, or is the lead.
    referrer: Option<Person>,
    /// Other referrals of the lead, oldest first.
    others: Vec<Referral>,
}

impl People {
    async fn read(
        store: &(impl ReferralReader + PersonReader),
        scope: &OrgScope,
        referral: &Referral,
        new_person: &PersonId,
        at: Timestamp,
    ) -> Result<Self, StoreError> {
        let identity = referral.referred_contact.identity();
        let known_id = match (&referral.referred_person_id, &identity) {
            (Some(linked), _) => Some(linked.clone()),
            (None, Some(key)) => store.find_key_holder(scope, key).await?,
            (None, None) => None,
        };
        let nobody_is_known = known_id.is_none();
        let known = match known_id {
            // Whoever held the key until a moment ago and was erased since is nobody's lead any more.
            Some(id) => store
                .find_person(scope, &id)
                .await?
                .filter(|found| !found.is_erased() || referral.referred_person_id.as_ref() == Some(&found.id)),
            None => None,
        };
        let lead_is_new = known.is_none();
        let lead = known.unwrap_or_else(|| {
            Person::new(
                new_person.clone(),
                scope.organization().clone(),
                referral.referred_name.clone(),
                referral.referred_contact.clone(),
                at,
            )
        });
        let mut free_keys = Vec::new();
        if lead_is_new {
            for key in lead.contact_keys() {
                // Nobody holds the identity's key, as was just read; the others are still to be asked for.
                let is_free = (nobody_is_known && Some(&key) == identity.as_ref())
                    || store.find_key_holder(scope, &key).await?.is_none();
                if is_free {
                    free_keys.push(key);
                }
            }
        }
        let referrer = if lead.id == referral.referrer_person_id {
            None
        } else {
            store.find_person(scope, &referral.referrer_person_id).await?
        };
        let others = if lead_is_new { Vec::new() } else { others_of(store, scope, &lead.id, referral).await? };
        Ok(Self { lead, lead_is_new, free_keys, referrer, others })
    }

    fn decide(
        self,
        before: &Referral,
        event: &Detail<ReferralReceivedV1>,
        next_event: &EventId,
        at: Timestamp,
    ) -> Result<PipelineWrite, StoreError> {
        let Self { mut lead, lead_is_new, free_keys, referrer, others } = self;
        let cause = &event.metadata.id;
        let entry = |action, to: &str, event_id: Option<&EventId>| AuditEntry {
            at,
            actor: Actor::System(PIPELINE_ENTRY).to_string(),
            action,
            from: None,
            to: Some(to.to_owned()),
            fields: Vec::new(),
            deal_id: None,
            note: None,
            message: None,
            request_id: cause.as_str().to_owned(),
            event_id: event_id.map(|id| id.as_str().to_owned()),
        };

        let mut referral = before.clone();
        lead.enter_pipeline(&referral.agent_user_id);
        referral.referred_person_id = Some(lead.id.clone());
        if lead.id == referral.referrer_person_id {
            referral.flag_self_referral();
            lead.become_advocate();
        }
        // The submission may have named one address of the referrer's and be about another: only their row shows both.
        let referrers_own = |person: &Person| Contact { email: person.email.clone(), phone: person.phone.clone() };
        if referrer.as_ref().is_some_and(|person| referrers_own(person).is_same_person(&referral.referred_contact)) {
            referral.flag_self_referral();
        }

        let contested = contest(&mut referral, others, at);
        referral.touch(at);

        let new_advocate = referrer.filter(|person| !person.is_advocate()).map(|person| person.id);
        let metadata = Metadata {
            id: next_event.clone(),
            version: LeadEnteredPipelineV1::VERSION,
            occurred_at: at,
            organization_id: referral.organization_id.clone(),
            subject: referral.id.as_str().to_owned(),
            aggregate_version: referral.version,
            causation_id: Some(cause.clone()),
            traceparent: event.metadata.traceparent.clone(),
        };
        let data = LeadEnteredPipelineV1 {
            referral_id: referral.id.clone(),
            person_id: lead.id.clone(),
            owner_user_id: lead.owner_user_id.clone().unwrap_or_else(|| referral.agent_user_id.clone()),
            lead_source: lead.lead_source.unwrap_or(LeadSource::Referral),
            relationship_stage: lead.relationship_stage.unwrap_or(RelationshipStage::Advocate),
            pipeline_stage: lead.pipeline_stage.unwrap_or(PipelineStage::Lead),
        };
        let mut audit = vec![(referral.id.clone(), entry(AuditAction::LeadLinked, lead.id.as_str(), Some(next_event)))];
        if referral.reward_status != before.reward_status {
            // It was converted by hand before its lead came in.
            let from = Some(before.reward_status.as_str().to_owned());
            let held = AuditEntry { from, ..entry(AuditAction::RewardChanged, referral.reward_status.as_str(), None) };
            audit.push((referral.id.clone(), held));
        }
        audit.extend(
            contested.iter().map(|rival| (rival.row.id.clone(), entry(AuditAction::Flagged, "CONTESTED", None))),
        );
        let (new_lead, known_lead) = if lead_is_new {
            if free_keys.len() < lead.contact_keys().len() {
                // A number that belongs to somebody else: the new person goes without that key.
                referral.risk_flags.insert(RiskFlag::PossibleDuplicatePerson);
            }
            (Some((lead, free_keys)), None)
        } else {
            // Always a new version, even where nothing is gained: two referrals of one known person that arrive
            // together must not both read the links before either has written its own.
            lead.touch(at);
            (None, Some(lead))
        };
        Ok(PipelineWrite {
            event_id: cause.clone(),
            consumer: PIPELINE_ENTRY,
            at,
            referral: Revised::new(before, referral),
            new_lead,
            known_lead,
            new_advocate,
            contested,
            audit,
            event: new_event(metadata, data)?,
        })
    }
}
