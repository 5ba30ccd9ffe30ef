//! `REFERRAL_CONVERTED`, version 1: a referral produced a deal.

use serde::{Deserialize, Serialize};

use super::EventData;
use crate::domain::{
    id::{DealId, PersonId, ReferralId, UserId},
    referral::ReferralStatus,
};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReferralConvertedV1 {
    pub referral_id: ReferralId,
    pub referrer_person_id: PersonId,
    pub agent_user_id: UserId,
    pub deal_id: DealId,
    /// The status before.
    pub from: ReferralStatus,
}

impl EventData for ReferralConvertedV1 {
    const DETAIL_TYPE: &'static str = "REFERRAL_CONVERTED";
    const VERSION: u32 = 1;
}
