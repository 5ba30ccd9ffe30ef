//! `REFERRER_THANKED`, version 1: a thank-you to the referrer was accepted by its provider.

use serde::{Deserialize, Serialize};

use super::EventData;
use crate::domain::id::{PersonId, ReferralId, UserId};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReferrerThankedV1 {
    pub referral_id: ReferralId,
    pub referrer_person_id: PersonId,
    pub agent_user_id: UserId,
}

impl EventData for ReferrerThankedV1 {
    const DETAIL_TYPE: &'static str = "REFERRER_THANKED";
    const VERSION: u32 = 1;
}
