//! `THANK_YOU_REQUESTED`, version 1: an agent asks for a thank-you that was not accepted to be tried again.

use serde::{Deserialize, Serialize};

use super::EventData;
use crate::domain::id::{PersonId, ReferralId, UserId};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ThankYouRequestedV1 {
    pub referral_id: ReferralId,
    pub referrer_person_id: PersonId,
    pub agent_user_id: UserId,
}

impl EventData for ThankYouRequestedV1 {
    const DETAIL_TYPE: &'static str = "THANK_YOU_REQUESTED";
    const VERSION: u32 = 1;
}
