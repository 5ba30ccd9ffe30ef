//! The rewards that wait for somebody, oldest first.

use crate::{
    domain::{access::Caller, referral::Referral, reward_lane::RewardLane},
    ports::{Page, Position, RewardQueue, StoreError},
};

/// A plain member sees those of their own referrals.
///
/// # Errors
/// When the store does not answer.
pub async fn list_rewards(
    store: &impl RewardQueue,
    caller: &Caller,
    lane: RewardLane,
    after: Option<&Position>,
    limit: u32,
) -> Result<Page<Referral>, StoreError> {
    store.list_rewards(&caller.scope, lane, caller.sees_only(), after, limit).await
}
