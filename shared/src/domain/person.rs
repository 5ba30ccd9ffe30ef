//! People of an organization: advocates who refer, and the leads they bring.

use serde::{Deserialize, Serialize};

use super::{
    consent::ConsentChannel,
    contact::{Contact, ContactKey},
    email::Email,
    id::{OrgId, PersonId, UserId},
    phone::Phone,
    text::PersonName,
    time::Timestamp,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LeadSource {
    Referral,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RelationshipStage {
    Advocate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PipelineStage {
    Lead,
}

/// A contact of one organization. `total_referrals` is a cache of the ledger: it moves in the transaction that writes
/// the referral. `version` counts changes, the counter's included, and is the entity tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Person {
    pub id: PersonId,
    pub organization_id: OrgId,
    pub name: PersonName,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<Phone>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lead_source: Option<LeadSource>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relationship_stage: Option<RelationshipStage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pipeline_stage: Option<PipelineStage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner_user_id: Option<UserId>,
    pub total_referrals: u32,
    pub email_marketing_consent: bool,
    pub sms_marketing_consent: bool,
    pub do_not_contact: bool,
    /// Since when nothing is known of this person any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub version: u64,
}

impl Person {
    /// A person of whom nothing is known but the name and how to reach them. No consent: absent means no.
    #[must_use]
    pub fn new(id: PersonId, organization_id: OrgId, name: PersonName, contact: Contact, at: Timestamp) -> Self {
        Self {
            id,
            organization_id,
            name,
            email: contact.email,
            phone: contact.phone,
            lead_source: None,
            relationship_stage: None,
            pipeline_stage: None,
            owner_user_id: None,
            total_referrals: 0,
            email_marketing_consent: false,
            sms_marketing_consent: false,
            do_not_contact: false,
            erased_at: None,
            created_at: at,
            updated_at: at,
            version: 1,
        }
    }

    /// Enters the pipeline as a referred lead of `owner`. What the person already has is kept; only what is absent is
    /// gained.
    pub fn enter_pipeline(&mut self, owner: &UserId) {
        self.lead_source.get_or_insert(LeadSource::Referral);
        self.relationship_stage.get_or_insert(RelationshipStage::Advocate);
        self.pipeline_stage.get_or_insert(PipelineStage::Lead);
        self.owner_user_id.get_or_insert_with(|| owner.clone());
    }

    /// Has referred somebody, and so is an advocate whatever stage was recorded before.
    pub fn become_advocate(&mut self) {
        self.relationship_stage = Some(RelationshipStage::Advocate);
    }

    #[must_use]
    pub fn is_advocate(&self) -> bool {
        self.relationship_stage == Some(RelationshipStage::Advocate)
    }

    /// Marks one more change at `at`.
    pub fn touch(&mut self, at: Timestamp) {
        self.version = self.version.saturating_add(1);
        self.updated_at = self.updated_at.max(at);
    }

    #[must_use]
    pub fn has_consent(&self, channel: ConsentChannel) -> bool {
        match channel {
            ConsentChannel::Email => self.email_marketing_consent,
            ConsentChannel::Sms => self.sms_marketing_consent,
        }
    }

    pub(super) fn set_consent(&mut self, channel: ConsentChannel, granted: bool) {
        match channel {
            ConsentChannel::Email => self.email_marketing_consent = granted,
            ConsentChannel::Sms => self.sms_marketing_consent = granted,
        }
    }

    /// Where a channel reaches this person.
    #[must_use]
    pub fn address(&self, channel: ConsentChannel) -> Option<ContactKey> {
        match channel {
            ConsentChannel::Email => self.email.as_ref().map(|email| ContactKey::Email(email.key())),
            ConsentChannel::Sms => self.phone.clone().map(ContactKey::Phone),
        }
    }

    /// The keys under which this person can be found.
    #[must_use]
    pub fn contact_keys(&self) -> Vec<ContactKey> {
        Contact { email: self.email.clone(), phone: self.phone.clone() }.keys()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::phone::Region;

    fn person() -> Person {
        Person::new(
            PersonId::parse("person_1").unwrap(),
            OrgId::parse("org_1").unwrap(),
            PersonName::parse("Sam Lee").unwrap(),
            Contact { email: Some(Email::parse("sam@example.com").unwrap()), phone: None },
            Timestamp::parse("2026-11-22T07:00:00Z").unwrap(),
        )
    }

    #[test]
    fn a_new_lead_gains_everything() {
        let mut lead = person();
        lead.enter_pipeline(&UserId::parse("user_789").unwrap());
        assert_eq!(lead.lead_source, Some(LeadSource::Referral));
        assert_eq!(lead.relationship_stage, Some(RelationshipStage::Advocate));
        assert_eq!(lead.pipeline_stage, Some(PipelineStage::Lead));
        assert_eq!(lead.owner_user_id.as_ref().map(UserId::as_str), Some("user_789"));
    }

    #[test]
    fn a_known_person_keeps_their_owner() {
        let mut lead = person();
        lead.owner_user_id = Some(UserId::parse("user_1").unwrap());
        lead.enter_pipeline(&UserId::parse("user_789").unwrap());
        assert_eq!(lead.owner_user_id.as_ref().map(UserId::as_str), Some("user_1"));
    }

    #[test]
    fn nobody_consents_by_being_recorded() {
        let person = person();
        assert!(!person.email_marketing_consent && !person.sms_marketing_consent);
    }

    #[test]
    fn whoever_refers_is_an_advocate() {
        let mut person = person();
        assert!(!person.is_advocate());
        person.become_advocate();
        assert!(person.is_advocate());
    }

    #[test]
    fn a_change_counts_and_time_does_not_go_back() {
        let mut person = person();
        let at = person.created_at;
        for (seconds, version, updated_at) in [(5, 2, at.plus_seconds(5)), (3, 3, at.plus_seconds(5))] {
            person.touch(at.plus_seconds(seconds));
            assert_eq!((person.version, person.updated_at), (version, updated_at));
        }
    }

    #[test]
    fn each_channel_has_its_consent_and_its_address() {
        for channel in ConsentChannel::ALL {
            let mut person = person();
            person.phone = Phone::parse("+14155552671", &Region::default()).ok();
            person.set_consent(channel, true);
            let granted = ConsentChannel::ALL.map(|other| person.has_consent(other));
            assert_eq!(granted, ConsentChannel::ALL.map(|other| other == channel));
        }
        let mut person = person();
        person.phone = Phone::parse("+14155552671", &Region::default()).ok();
        let addresses: Vec<_> = ConsentChannel::ALL.iter().filter_map(|channel| person.address(*channel)).collect();
        assert_eq!((addresses.len(), addresses), (2, person.contact_keys()));
    }
}
