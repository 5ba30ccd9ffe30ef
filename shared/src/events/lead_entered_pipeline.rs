//! `LEAD_ENTERED_PIPELINE`, version 1: the referred person is in the agent's pipeline, so that an organization's
//! existing automations take the lead like any other.

use serde::{Deserialize, Serialize};

use super::EventData;
use crate::domain::{
    id::{PersonId, ReferralId, UserId},
    person::{LeadSource, PipelineStage, RelationshipStage},
};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LeadEnteredPipelineV1 {
    pub referral_id: ReferralId,
    pub person_id: PersonId,
    pub owner_user_id: UserId,
    pub lead_source: LeadSource,
    pub relationship_stage: RelationshipStage,
    pub pipeline_stage: PipelineStage,
}

impl EventData for LeadEnteredPipelineV1 {
    const DETAIL_TYPE: &'static str = "LEAD_ENTERED_PIPELINE";
    const VERSION: u32 = 1;
}
