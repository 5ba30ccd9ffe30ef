//! `REFERRAL_LINKED`, version 1: an agent has linked a referral to its lead or to a deal. deal-won looks whether a deal was
//! won before.

use serde::{Deserialize, Serialize};

use super::EventData;
use crate::domain::id::{DealId, PersonId, ReferralId};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReferralLinkedV1 {
    pub referral_id: ReferralId,
    /// The lead, when that is what was linked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person_id: Option<PersonId>,
    /// The deal, when that is what was linked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deal_id: Option<DealId>,
}

impl EventData for ReferralLinkedV1 {
    const DETAIL_TYPE: &'static str = "REFERRAL_LINKED";
    const VERSION: u32 = 1;
}
