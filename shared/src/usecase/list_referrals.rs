//! The caller's referrals, newest first.

use crate::{
    domain::{
        access::Caller,
        referral::{Referral, ReferralStatus},
    },
    ports::{Page, Position, ReferralFilter, ReferralReader, StoreError},
};

/// A plain member's list is narrowed to their own referrals.
///
/// # Errors
/// When the store does not answer.
pub async fn list_referrals(
    store: &impl ReferralReader,
    caller: &Caller,
    status: Option<ReferralStatus>,
    after: Option<&Position>,
    limit: u32,
) -> Result<Page<Referral>, StoreError> {
    let filter = ReferralFilter { agent: caller.sees_only().cloned(), status };
    store.list_referrals(&caller.scope, &filter, after, limit).await
}
