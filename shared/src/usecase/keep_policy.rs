//! An owner or admin sets what the organization gives for referrals. Rewards that came up before stay as they are: each
//! has its own copy.

use super::{
    attempts::{Attempts, gave_up, pause},
    find_policy::find_policy,
};
use crate::{
    domain::{
        access::Caller,
        reward::{PolicyContent, RewardPolicy},
        version::Expected,
    },
    ports::{Clock, PolicyBook, StoreError},
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeptPolicy {
    /// The policy as it is now, changed or not.
    Done(Box<RewardPolicy>),
    /// Only owners and admins set it.
    NotAllowed,
    /// It is in another version than the client expects.
    PreconditionFailed,
}

/// # Errors
/// When the store does not answer, or the row keeps moving. Nothing was written then, unless the answer to the write was
/// lost.
pub async fn keep_policy(
    store: &impl PolicyBook,
    clock: &impl Clock,
    caller: &Caller,
    content: &PolicyContent,
    expected: &Expected,
) -> Result<KeptPolicy, StoreError> {
    if !caller.role.manages_others() {
        return Ok(KeptPolicy::NotAllowed);
    }
    let at = clock.now();
    let mut attempts = Attempts::begin(clock);
    while attempts.go_on() {
        let policy = find_policy(store, caller).await?;
        // A default is there too, in version 0.
        if !expected.admits(policy.version) {
            return Ok(KeptPolicy::PreconditionFailed);
        }
        let Some(next) = policy.changed(content, &caller.user, at) else {
            return Ok(KeptPolicy::Done(Box::new(policy)));
        };
        if store.save_policy(&caller.scope, &next).await? {
            return Ok(KeptPolicy::Done(Box::new(next)));
        }
        pause().await;
    }
    Err(gave_up("writing a reward policy"))
}
