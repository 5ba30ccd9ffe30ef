//! What the caller's organization gives for referrals. Every member may know.

use crate::{
    domain::{access::Caller, reward::RewardPolicy},
    ports::{PolicyBook, StoreError},
};

/// The default, in version 0, where none was set.
///
/// # Errors
/// When the store does not answer.
pub async fn find_policy(store: &impl PolicyBook, caller: &Caller) -> Result<RewardPolicy, StoreError> {
    store.find_policy(&caller.scope).await
}
