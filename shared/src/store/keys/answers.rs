//! Keys of answers to requests that clients have named.

use super::{Keys, org, referral_partition};
use crate::domain::{id::ReferralId, idempotency::IdempotentRequest, scope::OrgScope};

/// Prefix of the links from a referral to the answers that show it.
pub const ANSWER: &str = "ANSWER#";

/// The answer to a request that a client has named.
#[must_use]
pub fn remembered_answer(scope: &OrgScope, request: &IdempotentRequest) -> Keys {
    remembered_under(scope, &request.key)
}

/// The same, by the digest that the request is known under.
#[must_use]
pub fn remembered_under(scope: &OrgScope, key: &str) -> Keys {
    Keys::new(format!("{}#IDEMPOTENCY#{key}", org(scope)), "IDEMPOTENCY")
}

/// From a referral to an answer that shows it.
#[must_use]
pub fn shown_answer(scope: &OrgScope, referral: &ReferralId, key: &str) -> Keys {
    Keys::new(referral_partition(scope, referral), format!("{ANSWER}{key}"))
}
