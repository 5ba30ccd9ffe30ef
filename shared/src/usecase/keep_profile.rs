//! A member writes their own profile: names, slug, and whether it is published.

use super::{
    attempts::{Attempts, gave_up, pause},
    find_profile::find_profile,
};
use crate::{
    domain::{
        access::Caller,
        profile::{AgentProfile, ProfileContent},
        version::Expected,
    },
    ports::{Clock, ProfileBook, ProfileWriteOutcome, StoreError},
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeptProfile {
    /// The profile as it is now, changed or not.
    Done(Box<AgentProfile>),
    /// It is in another version than the client expects, or not there at all.
    PreconditionFailed,
    /// The slug belongs to another agent, who may have renamed theirs since.
    SlugTaken,
    /// The caller holds as many slugs as anybody may.
    TooManySlugs,
}

/// # Errors
/// When the store does not answer, or the row keeps moving. Nothing was written then, unless the answer to the write was
/// lost.
pub async fn keep_profile(
    store: &impl ProfileBook,
    clock: &impl Clock,
    caller: &Caller,
    content: &ProfileContent,
    expected: &Expected,
) -> Result<KeptProfile, StoreError> {
    let at = clock.now();
    let mut attempts = Attempts::begin(clock);
    while attempts.go_on() {
        let next = match find_profile(store, caller).await? {
            None if !expected.admits_absence() => return Ok(KeptProfile::PreconditionFailed),
            None => AgentProfile::new(caller.scope.organization().clone(), caller.user.clone(), content.clone(), at),
            Some(profile) if !expected.admits(profile.version) => return Ok(KeptProfile::PreconditionFailed),
            Some(profile) => match profile.changed(content, at) {
                Err(_) => return Ok(KeptProfile::TooManySlugs),
                Ok(None) => return Ok(KeptProfile::Done(Box::new(profile))),
                Ok(Some(next)) => next,
            },
        };
        match store.write_profile(&caller.scope, &next).await? {
            ProfileWriteOutcome::Written => return Ok(KeptProfile::Done(Box::new(next))),
            ProfileWriteOutcome::SlugTaken => return Ok(KeptProfile::SlugTaken),
            ProfileWriteOutcome::Stale => pause().await,
        }
    }
    Err(gave_up("writing a profile"))
}
