//! What follows from a referral that becomes another: entries of its history and events. Pure; who changed it decides
//! nothing here.

use super::record_referral::new_event;
use crate::{
    domain::{
        audit::{Actor, AuditAction, AuditEntry},
        id::{DealId, EventId, PersonId},
        referral::{Referral, ReferralStatus, RewardStatus},
        text::Reason,
        time::Timestamp,
    },
    events::{
        EventData, Metadata, NewEvent, ReferralConvertedV1, ReferralLinkedV1, ReferralStatusChangedV1,
        ReferrerThankedV1, RewardCanceledV1, RewardReadyV1, RewardSentV1,
    },
    ports::{Ids, StoreError},
};

/// Who changes a referral, why and when.
#[derive(Debug, Clone)]
pub(super) struct Cause<'a> {
    pub at: Timestamp,
    pub actor: Actor,
    /// The gateway's request id, or the id of the event that is handled.
    pub request_id: &'a str,
    /// The event that is handled.
    pub event: Option<&'a EventId>,
    /// What was given as the reason.
    pub note: Option<Reason>,
}

/// What a change leaves behind, besides the row.
#[derive(Debug)]
pub(super) struct Traces {
    pub audit: Vec<AuditEntry>,
    pub events: Vec<NewEvent>,
}

fn deal_id_if_new(before: &Referral, after: &Referral) -> Option<DealId> {
    after.resulting_deal_id.clone().filter(|_| before.resulting_deal_id != after.resulting_deal_id)
}

impl Cause<'_> {
    pub fn entry(&self, action: AuditAction) -> AuditEntry {
        AuditEntry {
            at: self.at,
            actor: self.actor.to_string(),
            action,
            from: None,
            to: None,
            fields: Vec::new(),
            deal_id: None,
            note: None,
            message: None,
            request_id: self.request_id.to_owned(),
            event_id: None,
        }
    }

    /// History and events of the change from `before` to `after`, in which `fields` are other than they were.
    pub fn traces(
        &self,
        ids: &impl Ids,
        before: &Referral,
        after: &Referral,
        fields: &[&'static str],
    ) -> Result<Traces, StoreError> {
        let mut traces = Traces { audit: Vec::new(), events: Vec::new() };
        let deal_id = deal_id_if_new(before, after);
        let has_moved = before.status != after.status;
        if has_moved || !fields.is_empty() {
            let action = if has_moved { AuditAction::StatusChanged } else { AuditAction::Edited };
            let name = |status: ReferralStatus| has_moved.then(|| status.as_str().to_owned());
            let event = has_moved.then(|| self.status_event(ids, before, after)).transpose()?;
            traces.audit.push(AuditEntry {
                from: name(before.status),
                to: name(after.status),
                fields: fields.iter().map(|field| (*field).to_owned()).collect(),
                deal_id,
                note: self.note.clone(),
                event_id: event.as_ref().map(|event| event.id.as_str().to_owned()),
                ..self.entry(action)
            });
            traces.events.extend(event);
        }
        let (person_id, linked_deal) = self.to_be_settled(before, after);
        if person_id.is_some() || linked_deal.is_some() {
            let data = ReferralLinkedV1 { referral_id: after.id.clone(), person_id, deal_id: linked_deal };
            traces.events.push(new_event(self.metadata(ids, after, ReferralLinkedV1::VERSION), data)?);
        }
        let canceled_by = |referral: &Referral| referral.reward.as_ref().and_then(|reward| reward.canceled_by);
        let has_reward_moved = before.reward_status != after.reward_status;
        if has_reward_moved || canceled_by(before) != canceled_by(after) {
            // Who took a reward back is for the history; that it was taken back has been told.
            let event = if has_reward_moved { self.reward_event(ids, after)? } else { None };
            traces.audit.push(AuditEntry {
                from: Some(before.reward_status.as_str().to_owned()),
                to: Some(after.reward_status.as_str().to_owned()),
                note: self.note.clone().filter(|_| !has_moved),
                event_id: event.as_ref().map(|event| event.id.as_str().to_owned()),
                ..self.entry(AuditAction::RewardChanged)
            });
            traces.events.extend(event);
        }
        Ok(traces)
    }

    /// The lead and the deal of which something may have been heard that was not for this referral before.
    fn to_be_settled(&self, before: &Referral, after: &Referral) -> (Option<PersonId>, Option<DealId>) {
        if matches!(self.actor, Actor::System(_)) {
            // A deal that is told of itself made its own link, and the lead's other deals are looked at with it.
            return (None, None);
        }
        let has_new_deal = before.resulting_deal_id != after.resulting_deal_id;
        let converts = before.status != after.status && after.status == ReferralStatus::Converted;
        let is_open_again = before.status == ReferralStatus::Lost && after.status != ReferralStatus::Lost && !converts;
        let is_free_again = has_new_deal && before.resulting_deal_id.is_some();
        let has_new_lead = before.referred_person_id != after.referred_person_id;
        let person = after.referred_person_id.clone().filter(|_| has_new_lead || is_free_again || is_open_again);
        (person, after.resulting_deal_id.clone().filter(|_| has_new_deal || converts))
    }

    pub fn metadata(&self, ids: &impl Ids, after: &Referral, version: u32) -> Metadata {
        Metadata {
            id: EventId::from_ulid(ids.ulid(self.at)),
            version,
            occurred_at: self.at,
            organization_id: after.organization_id.clone(),
            subject: after.id.as_str().to_owned(),
            aggregate_version: after.version,
            causation_id: self.event.cloned(),
            traceparent: None,
        }
    }

    fn status_event(&self, ids: &impl Ids, before: &Referral, after: &Referral) -> Result<NewEvent, StoreError> {
        let (referral_id, referrer_person_id) = (after.id.clone(), after.referrer_person_id.clone());
        let (agent_user_id, from, to) = (after.agent_user_id.clone(), before.status, after.status);
        if let (ReferralStatus::Converted, Some(deal)) = (to, &after.resulting_deal_id) {
            let deal_id = deal.clone();
            let data = ReferralConvertedV1 { referral_id, referrer_person_id, agent_user_id, deal_id, from };
            return new_event(self.metadata(ids, after, ReferralConvertedV1::VERSION), data);
        }
        let data = ReferralStatusChangedV1 { referral_id, referrer_person_id, agent_user_id, from, to };
        new_event(self.metadata(ids, after, ReferralStatusChangedV1::VERSION), data)
    }

    /// None for a reward that is held: nobody has to do anything yet.
    fn reward_event(&self, ids: &impl Ids, after: &Referral) -> Result<Option<NewEvent>, StoreError> {
        let (referral_id, referrer_person_id) = (after.id.clone(), after.referrer_person_id.clone());
        let agent_user_id = after.agent_user_id.clone();
        let event = match after.reward_status {
            RewardStatus::None | RewardStatus::Held => return Ok(None),
            RewardStatus::Pending => {
                let data =
                    RewardReadyV1 { referral_id, referrer_person_id, agent_user_id, reward_type: after.reward_type };
                new_event(self.metadata(ids, after, RewardReadyV1::VERSION), data)
            }
            RewardStatus::Sent => {
                let data = RewardSentV1 { referral_id, referrer_person_id, agent_user_id };
                new_event(self.metadata(ids, after, RewardSentV1::VERSION), data)
            }
            RewardStatus::Thanked => {
                let data = ReferrerThankedV1 { referral_id, referrer_person_id, agent_user_id };
                new_event(self.metadata(ids, after, ReferrerThankedV1::VERSION), data)
            }
            RewardStatus::Canceled => {
                let data = RewardCanceledV1 { referral_id, referrer_person_id, agent_user_id };
                new_event(self.metadata(ids, after, RewardCanceledV1::VERSION), data)
            }
        };
        event.map(Some)
    }
}
