//! `REWARD_READY`, version 1: a reward is due: the agent can send it.

use serde::{Deserialize, Serialize};

use super::EventData;
use crate::domain::{
    id::{PersonId, ReferralId, UserId},
    referral::RewardType,
};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RewardReadyV1 {
    pub referral_id: ReferralId,
    pub referrer_person_id: PersonId,
    pub agent_user_id: UserId,
    pub reward_type: RewardType,
}

impl EventData for RewardReadyV1 {
    const DETAIL_TYPE: &'static str = "REWARD_READY";
    const VERSION: u32 = 1;
}
