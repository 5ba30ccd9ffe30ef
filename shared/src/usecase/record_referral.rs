//! What capturing and logging share: the rows and the event of one new referral.

use crate::{
    domain::{
        audit::{Actor, AuditAction, AuditEntry},
        calendar::Zone,
        duplicate::{GUARD_SECONDS, PairKey},
        id::{EventId, OrgId, ReferralId},
        person::{LeadSource, RelationshipStage},
        referral::{NewReferral, Referral, RiskFlag},
        time::Timestamp,
    },
    events::{Metadata, NewEvent, ReferralReceivedV1},
    ports::{Ids, PairGuard, StoreError},
};

/// Ids that stay the same over all attempts to write one referral.
pub(super) struct Identity {
    pub referral: ReferralId,
    pub event: EventId,
    pub at: Timestamp,
    pub request_id: String,
    pub actor: Actor,
}

impl Identity {
    pub fn new(ids: &impl Ids, at: Timestamp, request_id: &str, actor: Actor) -> Self {
        Self {
            referral: ReferralId::from_ulid(ids.ulid(at)),
            event: EventId::from_ulid(ids.ulid(at)),
            at,
            request_id: request_id.to_owned(),
            actor,
        }
    }

    pub fn guard(&self, key: PairKey) -> PairGuard {
        PairGuard { key, expires_at: self.at.plus_seconds(GUARD_SECONDS) }
    }

    /// The referral with its audit entry and its event.
    pub fn rows(
        &self,
        organization: &OrgId,
        zone: &Zone,
        new: NewReferral,
        flags: &[RiskFlag],
        guard: Option<&PairGuard>,
    ) -> Result<(Referral, AuditEntry, NewEvent), StoreError> {
        let mut referral = Referral::received(self.referral.clone(), organization.clone(), new, self.at, zone);
        referral.risk_flags.extend(flags);
        referral.guarded_pair = guard.map(|guard| guard.key.clone());
        let audit = AuditEntry {
            at: self.at,
            actor: self.actor.to_string(),
            action: AuditAction::Received,
            from: None,
            to: Some(referral.status.as_str().to_owned()),
            fields: Vec::new(),
            deal_id: None,
            note: None,
            message: None,
            request_id: self.request_id.clone(),
            event_id: Some(self.event.as_str().to_owned()),
        };
        let metadata = Metadata {
            id: self.event.clone(),
            version: <ReferralReceivedV1 as crate::events::EventData>::VERSION,
            occurred_at: self.at,
            organization_id: organization.clone(),
            subject: referral.id.as_str().to_owned(),
            aggregate_version: referral.version,
            causation_id: None,
            traceparent: None,
        };
        let data = ReferralReceivedV1 {
            referral_id: referral.id.clone(),
            referrer_person_id: referral.referrer_person_id.clone(),
            agent_user_id: referral.agent_user_id.clone(),
            channel: referral.channel,
            lead_source: LeadSource::Referral,
            relationship_stage: RelationshipStage::Advocate,
        };
        let event = new_event(metadata, data)?;
        Ok((referral, audit, event))
    }
}

/// Builds an event; its JSON cannot fail, and if it did nothing would have been written yet.
pub(super) fn new_event<D: crate::events::EventData>(metadata: Metadata, data: D) -> Result<NewEvent, StoreError> {
    NewEvent::new(metadata, data)
        .map_err(|_| StoreError::Failed { operation: "building an event", reason: "serialization".to_owned() })
}
