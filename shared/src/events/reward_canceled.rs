//! `REWARD_CANCELED`, version 1: a reward is not owed any more.

use serde::{Deserialize, Serialize};

use super::EventData;
use crate::domain::id::{PersonId, ReferralId, UserId};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RewardCanceledV1 {
    pub referral_id: ReferralId,
    pub referrer_person_id: PersonId,
    pub agent_user_id: UserId,
}

impl EventData for RewardCanceledV1 {
    const DETAIL_TYPE: &'static str = "REWARD_CANCELED";
    const VERSION: u32 = 1;
}
