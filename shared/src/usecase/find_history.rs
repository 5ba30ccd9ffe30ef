//! What happened to one referral, oldest first.

use crate::{
    domain::{access::Caller, audit::AuditEntry, id::ReferralId},
    ports::{ReferralReader, StoreError},
};

/// None where the caller may not see the referral. The history of a deleted one is for owners and admins: nobody can
/// tell any more whose it was.
///
/// # Errors
/// When the store does not answer.
pub async fn find_history(
    store: &impl ReferralReader,
    caller: &Caller,
    id: &ReferralId,
) -> Result<Option<Vec<AuditEntry>>, StoreError> {
    let history = store.find_history(&caller.scope, id).await?;
    let is_visible = match &history.referral {
        Some(referral) => caller.may_see(referral),
        None => caller.role.manages_others() && !history.entries.is_empty(),
    };
    Ok(is_visible.then_some(history.entries))
}
