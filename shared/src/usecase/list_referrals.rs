//! The caller's referrals, newest first.

use crate::{
    domain::{access::Caller, filter::ReferralFilter, referral::Referral},
    ports::{Page, Position, ReferralReader, StoreError},
};

/// A plain member's list is narrowed to their own referrals: for another agent's it is empty.
///
/// # Errors
/// When the store does not answer.
pub async fn list_referrals(
    store: &impl ReferralReader,
    caller: &Caller,
    filter: &ReferralFilter,
    after: Option<&Position>,
    limit: u32,
) -> Result<Page<Referral>, StoreError> {
    let mut filter = filter.clone();
    if let Some(own) = caller.sees_only() {
        if filter.agent.as_ref().is_some_and(|agent| agent != own) {
            return Ok(Page { items: Vec::new(), next: None });
        }
        filter.agent = Some(own.clone());
    }
    store.list_referrals(&caller.scope, &filter, after, limit).await
}
