//! `REWARD_SENT`, version 1: the agent has sent a reward.

use serde::{Deserialize, Serialize};

use super::EventData;
use crate::domain::id::{PersonId, ReferralId, UserId};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RewardSentV1 {
    pub referral_id: ReferralId,
    pub referrer_person_id: PersonId,
    pub agent_user_id: UserId,
}

impl EventData for RewardSentV1 {
    const DETAIL_TYPE: &'static str = "REWARD_SENT";
    const VERSION: u32 = 1;
}
