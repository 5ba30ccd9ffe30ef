//! One referral, if the caller may see it.

use crate::{
    domain::{access::Caller, id::ReferralId, referral::Referral},
    ports::{ReferralReader, StoreError},
};

/// None for an unknown id, another organization's, and another agent's where the caller is a plain member: the three
/// cannot be told apart.
///
/// # Errors
/// When the store does not answer.
pub async fn find_referral(
    store: &impl ReferralReader,
    caller: &Caller,
    id: &ReferralId,
) -> Result<Option<Referral>, StoreError> {
    let found = store.find_referral(&caller.scope, id).await?;
    Ok(found.filter(|referral| caller.may_see(referral)))
}
