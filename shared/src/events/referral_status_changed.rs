//! `REFERRAL_STATUS_CHANGED`, version 1: a referral moved in its lifecycle, to any status but CONVERTED.

use serde::{Deserialize, Serialize};

use super::EventData;
use crate::domain::{
    id::{PersonId, ReferralId, UserId},
    referral::ReferralStatus,
};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReferralStatusChangedV1 {
    pub referral_id: ReferralId,
    pub referrer_person_id: PersonId,
    pub agent_user_id: UserId,
    pub from: ReferralStatus,
    pub to: ReferralStatus,
}

impl EventData for ReferralStatusChangedV1 {
    const DETAIL_TYPE: &'static str = "REFERRAL_STATUS_CHANGED";
    const VERSION: u32 = 1;
}
