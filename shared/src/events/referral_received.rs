//! `REFERRAL_RECEIVED`, version 1: a referral was captured or logged. pipeline-entry turns it into a lead.

use serde::{Deserialize, Serialize};

use super::EventData;
use crate::domain::{
    id::{PersonId, ReferralId, UserId},
    person::{LeadSource, RelationshipStage},
    referral::Channel,
};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReferralReceivedV1 {
    pub referral_id: ReferralId,
    pub referrer_person_id: PersonId,
    pub agent_user_id: UserId,
    pub channel: Channel,
    /// What the new lead gets.
    pub lead_source: LeadSource,
    /// What the new lead gets.
    pub relationship_stage: RelationshipStage,
}

impl EventData for ReferralReceivedV1 {
    const DETAIL_TYPE: &'static str = "REFERRAL_RECEIVED";
    const VERSION: u32 = 1;
}
