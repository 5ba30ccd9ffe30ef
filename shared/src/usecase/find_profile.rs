//! The caller's own profile.

use crate::{
    domain::{access::Caller, profile::AgentProfile},
    ports::{ProfileBook, StoreError},
};

/// None before it was first written.
///
/// # Errors
/// When the store does not answer.
pub async fn find_profile(store: &impl ProfileBook, caller: &Caller) -> Result<Option<AgentProfile>, StoreError> {
    store.find_profile(&caller.scope, &caller.user).await
}
